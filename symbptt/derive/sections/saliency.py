"""The section on saliency: the influence of one input on one loss and on one output."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer

from ... import algebra as A
from ...errors import RefusedError
from ...model import Network
from .. import saliency as F
from ..closed import joint, loss_index
from ..numeric import Numbers
from ..steps import EQUALITY, REMARK, Section, Step
from .common import chain, every_step


def saliency_section(network: Network, numbers: Numbers | None) -> Section | None:
    """Return dl_s/dx_t and dy_s/dx_t for every input, their factors, and numbers for the last loss where there are any.

    None where there are no such products of Jacobian matrices, or no input.
    """
    system = network.system
    steps: list[Step] = []
    for by in system.inputs:
        for of in dict.fromkeys(("l", *system.predictions)):
            try:
                steps.append(_main(network, of, by))
            except RefusedError:
                continue
    if not steps:
        return None
    if len(system.states) == 1:
        steps += _factors(network)
    steps += [_causal(network, by) for by in system.inputs]
    if numbers is not None and len(system.states) == 1 and system.direction == 1:
        steps += _worked(network, numbers)
    return Section("saliency", tuple(steps))


def _main(network: Network, of: str, by: str) -> Step:
    system = network.system
    t = system.t
    s = system.end if of == "l" and system.reduction == "last" else loss_index(system)
    left = F.symbol(network, of, by, s, t)
    lines = chain(left, F.product(network, of, by, s, t, opaque=True), F.product(network, of, by, s, t))
    rule = "saliency.loss" if of == "l" else "saliency.output"
    if system.direction == -1:
        rule += "_backward"
    facts = (("of", F.observed(system, of, s)), ("input", system.at(by)), ("state", joint(system, t)))
    where = every_step(system)
    return Step(f"saliency.{of}.{by}", rule, EQUALITY, left, lines, facts, where)


def _factors(network: Network) -> list[Step]:
    """The derivatives at both ends of the product, written out; that of the loss is among the local derivatives."""
    system = network.system
    state, steps = system.at(system.states[0]), []
    for name in system.predictions:
        if name in system.states:
            continue
        left = A.derivative(system.at(name), state)
        steps.append(
            Step(f"saliency.readout.{name}", "saliency.readout", EQUALITY, left,
                 chain(left, F.output_jacobian(network, name)), steps=every_step(system))
        )  # fmt: skip
    for by in system.inputs:
        left = A.derivative(state, system.at(by))
        steps.append(
            Step(f"saliency.entry.{by}", "saliency.entry", EQUALITY, left, chain(left, F.input_jacobian(network, by)),
                 steps=every_step(system))
        )  # fmt: skip
    return steps


def _causal(network: Network, by: str) -> Step:
    """Nothing depends on an input that is read later: as a line, for neighbouring steps."""
    system = network.system
    name = system.prediction
    left = A.derivative(system.at(name, system.previous), system.at(by))
    where = (Integer(2), system.steps) if system.direction == 1 else (sympy.S.One, system.steps - 1)
    return Step(f"saliency.causal.{by}", "saliency.causal", EQUALITY, left, chain(left, A.zero_like(left)), (), where)


def _worked(network: Network, numbers: Numbers) -> list[Step]:
    """Carry the derivative of the last loss back step by step, and read off its derivative by every input."""
    system = network.system
    of, name = F.observed(system, "l", system.end), system.states[0]
    local, shown = F.output_jacobian(network, "l").xreplace({system.t: system.end}), numbers.shown()
    steps = [Step("saliency.numbers", "saliency.numbers", REMARK, facts=(("of", of),))]
    for t in reversed(range(1, numbers.count + 1)):
        here = system.at(name, Integer(t))
        left = A.derivative(of, here)
        right: Any = local
        if t < numbers.count:
            later = F.carried_back(network, system.at(name, system.previous), A.derivative(of, system.at(name)))
            right = later.xreplace({system.t: Integer(t + 1)})
        lines = [numbers.work(f"saliency.{name}.{t}", "saliency.state", left, right, (("step", t),))]
        for by in system.inputs:
            entry = F.carried_back(network, system.at(by), A.derivative(of, system.at(name)))
            left = A.derivative(of, system.at(by, Integer(t)))
            right = entry.xreplace({system.t: Integer(t)})
            lines.append(numbers.work(f"saliency.{by}.{t}", "saliency.by_input", left, right, (("step", t),)))
        steps += lines if t in shown else []
    return steps
