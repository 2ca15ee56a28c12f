"""The unrolled section: the recursion written for t = T, ..., 1 of a concrete T."""

from __future__ import annotations

from sympy import Integer

from ...model import Network
from ..generic import generic
from ..run import steps_of
from ..steps import EQUALITY, Line, Section, Step

SHOWN = 8
"""Up to so many steps are written out unless the section is asked for by name."""


def unrolled_section(network: Network, most: int | None = SHOWN) -> Section | None:
    """Return the adjoint equations at every step, last first; None for symbolic or many T."""
    system = network.system
    if not system.steps.is_Integer or (most is not None and system.steps > most):
        return None
    g = generic(network)
    steps = []
    for t in steps_of(system, int(system.steps), backward=True):
        when = Integer(t)
        for name in g.adjoints:
            left = g.adjoint_of(name, when)
            opaque = g.at_step(name, when)
            filled = g.fill_local(opaque)
            chain = tuple(Line("=", expr) for expr in dict.fromkeys((opaque, filled)) if expr != left)
            rule = "unrolled.boundary" if when == system.last and name in system.states else "unrolled.step"
            steps.append(Step(f"unrolled.{name}.{t}", rule, EQUALITY, left, chain, (("step", t),)))
    return Section("unrolled", tuple(steps))
