"""The section of second derivatives: every equation differentiated once more, along a direction in parameter space."""

from __future__ import annotations

import sympy

from ... import algebra as A
from ...algebra import nodes as N
from ...algebra.tangents import is_flat
from ...model import Network
from ..second_order import second_order
from ..steps import EQUALITY, REMARK, Section, Step
from .common import before_last, chain, every_step


def hessian_section(network: Network) -> Section:
    """Return R of the forward pass, R of the adjoint recursion, and the products of the Hessian with the direction."""
    second, system = second_order(network), network.system
    g = second.generic
    symbol = next(iter(system.parameters.values()))
    state = system.at(system.states[0])
    facts = (
        ("parameter", symbol), ("direction", A.tangent_of(symbol)), ("L", system.L),
        ("variable", state), ("rate", A.tangent_of(state)),
    )  # fmt: skip
    steps = [Step("hessian.operator", "hessian.operator", REMARK, facts=facts)]
    for state in system.states:
        start = system.at(state, system.start)
        left = A.tangent_of(start)
        steps.append(
            Step(f"hessian.initial.{state}", "hessian.initial", EQUALITY, left, chain(left, A.zero_like(start)),
                 (("variable", start),))
        )  # fmt: skip
    for name, expr in second.forward.items():
        left = A.tangent_of(system.at(name))
        steps.append(
            Step(f"hessian.forward.{name}", "hessian.forward", EQUALITY, left, chain(left, expr),
                 (("variable", system.at(name)),), every_step(system))
        )  # fmt: skip
    steps += _flat_slopes(network)
    for name in g.adjoints:
        steps += _adjoint(network, name)
    for key, symbol in system.parameters.items():
        left = A.tangent_of(A.derivative(system.L, symbol))
        steps.append(
            Step(f"hessian.product.{key}", "hessian.product", EQUALITY, left, chain(left, second.parameter(key)),
                 (("parameter", symbol),))
        )  # fmt: skip
    return Section("hessian", tuple(steps))


def _adjoint(network: Network, name: str) -> list[Step]:
    second, system = second_order(network), network.system
    g = second.generic
    state = name in system.states
    facts = (("adjoint", g.adjoint_of(name)),)
    steps = []
    if state or (system.reduction == "last" and name in g.read_by_loss):
        left = A.tangent_of(g.adjoint_of(name, system.last))
        steps.append(
            Step(f"hessian.boundary.{name}", "hessian.boundary", EQUALITY, left,
                 chain(left, second.adjoint(name, system.last)), (("end", system.last),))
        )  # fmt: skip
    left = A.tangent_of(g.adjoint_of(name))
    where = before_last(system) if steps else every_step(system)
    rule = "hessian.state" if state else "hessian.adjoint"
    steps.append(Step(f"hessian.{name}", rule, EQUALITY, left, chain(left, second.adjoint(name)), facts, where))
    return steps


def _flat_slopes(network: Network) -> list[Step]:
    """Say of each slope that is constant between kinks that it does not change."""
    parts = [p for e in network.system.equations for p in sympy.preorder_traversal(e.right)]
    slopes = dict.fromkeys(A.apply(p.args[0].prime, p.args[1]) for p in parts if isinstance(p, N.Map | N.Apply))
    return [
        Step(f"hessian.flat.{k}", "hessian.flat", REMARK, facts=(("slope", slope),))
        for k, slope in enumerate(slopes, start=1)
        if slope.args[0].kinks and is_flat(slope.args[0])
    ]
