"""The section of gradients by parameters, inputs and initial states, as sums over time."""

from __future__ import annotations

from ... import algebra as A
from ...model import Network
from ..generic import generic
from ..steps import EQUALITY, Section, Step
from .common import every_step, filled_in
from .passes import pass_rule


def parameter_section(network: Network) -> Section:
    """Return the gradients by the parameters, the inputs and the initial states."""
    g, system = generic(network), network.system
    steps = []
    for key, gradient in g.parameters.items():
        left = A.derivative(system.L, gradient.parameter)
        total = g.parameter_sum(key)
        uses = tuple(term.equation.left for term in gradient.terms if term.equation is not None)
        steps.append(
            Step(f"parameter.{key}", "parameter.sum", EQUALITY, left, filled_in(left, total, g.in_states(total)),
                 (("parameter", gradient.parameter), ("uses", uses), ("count", len(uses))))
        )  # fmt: skip
    for name in system.inputs:
        left = g.adjoint_of(name)
        steps.append(
            Step(f"input.{name}", "parameter.input", EQUALITY, left,
                 filled_in(left, g.input_gradient(name), g.in_states(g.input_gradient(name))),
                 (("variable", system.at(name)),), every_step(system))
        )  # fmt: skip
    for name in system.states:
        left = g.adjoint_of(name, system.start_of(name))
        right = g.initial_gradient(name)
        steps.append(
            Step(f"initial.{name}", pass_rule(system, "parameter.initial"), EQUALITY, left,
                 filled_in(left, right, g.in_states(right)), (("variable", system.at(name, system.start_of(name))),))
        )  # fmt: skip
    return Section("parameters", tuple(steps))
