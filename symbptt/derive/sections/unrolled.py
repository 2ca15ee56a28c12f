"""The unrolled section: the recursion written for t = T, ..., 1 of a concrete T."""

from __future__ import annotations

from typing import Any

from sympy import Integer

from ...model import Network
from ..generic import Generic, generic
from ..run import order_of
from ..steps import EQUALITY, Line, Section, Step
from .passes import pass_fact, pass_rule

SHOWN = 8
"""Up to so many steps are written out unless the section is asked for by name."""


def unrolled_section(network: Network, most: int | None = SHOWN) -> Section | None:
    """Return the adjoint equations at every step, last first; None for symbolic or many T."""
    system = network.system
    if not system.steps.is_Integer or (most is not None and system.steps > most):
        return None
    g = generic(network)
    inner = {name: _chain(g, adjoint.expr) for name, adjoint in g.adjoints.items()}
    steps = []
    for scan, t in order_of(system, int(system.steps), backward=True):
        when = Integer(t)
        for name in g.adjoints_of(scan):
            edge = when in (system.last_of(name), system.end)
            left = g.adjoint_of(name, when)
            exprs = _chain(g, g.at_step(name, when)) if edge else [e.xreplace({system.t: when}) for e in inner[name]]
            chain = tuple(Line("=", expr) for expr in exprs if expr != left)
            rule = (
                pass_rule(system, "unrolled.boundary")
                if when == system.last_of(name) and name in system.states
                else "unrolled.step"
            )
            steps.append(
                Step(f"unrolled.{name}.{t}", rule, EQUALITY, left, chain, (*pass_fact(system, scan), ("step", t)))
            )
    return Section("unrolled", tuple(steps))


def _chain(g: Generic, opaque: Any) -> list[Any]:
    """The adjoint equation in symbols, and with the local parts filled in."""
    return list(dict.fromkeys((opaque, g.fill_local(opaque))))
