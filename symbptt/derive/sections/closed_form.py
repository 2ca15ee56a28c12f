"""The section of closed forms in ordered products of Jacobians."""

from __future__ import annotations

import sympy
from sympy import S

from ... import algebra as A
from ...errors import RefusedError
from ...model import Network
from ..closed import closed, closed_joint, joint, loss_index, span, step_index
from ..forms import joint_in_links
from ..generic import generic
from ..links import is_brief, links
from ..steps import EQUALITY, Line, Section, Step
from .common import chain, every_step
from .proofs import adjoint_proofs


def closed_section(network: Network) -> Section | None:
    """Return the closed form of every state's adjoint, or None where a state is a matrix."""
    system = network.system
    try:
        exprs = {name: closed(network, name, system.t) for name in system.states}
    except RefusedError:
        return None
    s = loss_index(system)
    left = A.derivative(joint(system, s), joint(system, system.t))
    steps = []
    if system.direction == 1:
        link = links(network)
        product = span(network, system.t, s)
        lines = [product]
        if len(system.states) == 1 and len(link) == 1 and is_brief(link[0].jacobian):
            j = step_index(system)
            moved = link[0].jacobian.xreplace({system.t: j})
            lines.append(A.time_product(moved, j, system.t + 1, s))
        span_rule = "closed.span_scalar" if system.scalar and len(system.states) == 1 else "closed.span"
        steps.append(
            Step("closed.span", span_rule, EQUALITY, left, chain(left, *lines),
                 (("variable", joint(system, system.t)),), (S.One, system.steps))
        )  # fmt: skip
    if len(system.states) > 1:
        whole = A.derivative(system.L, joint(system, system.t))
        steps += [
            _joint_step(network),
            Step("closed.whole", "closed.whole", EQUALITY, whole, chain(whole, closed_joint(network, system.t)),
                 (("state", joint(system, system.t)),), every_step(system)),
            *adjoint_proofs(network),
        ]  # fmt: skip
    g = generic(network)
    for name, expr in exprs.items():
        left = g.adjoint_of(name)
        with_span = expr if len(system.states) > 1 else closed_joint(network, system.t, opaque=True)
        steps.append(
            Step(f"closed.{name}", "closed.state", EQUALITY, left, chain(left, with_span, expr),
                 (("variable", system.at(name)), ("state", joint(system, system.t))), every_step(system))
        )  # fmt: skip
    if len(system.states) == 1:
        steps += adjoint_proofs(network)
    return Section("closed", tuple(steps))


def _joint_step(network: Network) -> Step:
    system = network.system
    left = A.derivative(joint(system, system.t), joint(system, system.previous))
    where = (sympy.Integer(2), system.steps) if system.direction == 1 else (S.One, system.steps - 1)
    return Step("closed.joint", "closed.joint", EQUALITY, left, (Line("=", joint_in_links(network, system.t)),),
                (("state", joint(system, system.t)),), where)  # fmt: skip
