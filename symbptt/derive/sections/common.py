"""What the sections share: chains without repeats, ranges of steps, and the ways in which a state reaches the loss."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from ... import algebra as A
from ...model import ROWS, Network, System
from ..generic import LOCAL, NEXT, generic
from ..links import Link, NoLinksError, links
from ..steps import Line

BRACE_LOCAL, BRACE_NEXT, BRACE_SAME = "brace.local", "brace.next", "brace.same"


def chain(left: Any, *exprs: Any) -> tuple[Line, ...]:
    """Make a chain of equal right-hand sides without repeats and without the left side itself."""
    lines: list[Line] = []
    for given in exprs:
        line = given if isinstance(given, Line) else Line("=", given)
        if line.expr != left and (not lines or line.expr != lines[-1].expr):
            lines.append(line)
    return tuple(lines)


def every_step(system: System) -> tuple[Expr, Expr]:
    """The range 1..T."""
    return (S.One, system.steps)


def in_layout(system: System, rule: str) -> str:
    """Return the rule, or what it is called in rows: ``_rows``, or ``_row`` for a batch of one."""
    if system.layout != ROWS:
        return rule
    return f"{rule}_row" if system.at(system.states[0]).shape[0] == 1 else f"{rule}_rows"


def before_last(system: System) -> tuple[Expr, Expr]:
    """The steps that another one follows."""
    return (S.One, system.steps - 1) if system.direction == 1 else (sympy.Integer(2), system.steps)


def ways(network: Network, name: str) -> list[Any]:
    g, system = generic(network), network.system
    found: list[Any] = []
    if name in g.read_by_loss and system.reduction != "last":
        found.append(system.at("l"))
    known = known_links(network)
    if known is not None and name in system.states:
        found += [
            system.at(k.target, system.following if k.lag == NEXT else system.t) for k in known if k.source == name
        ]
        return found
    for term in g.adjoints[name].terms:
        if term.source != LOCAL and term.equation is not None:
            found.append(system.at(term.equation.name, system.following if term.source == NEXT else system.t))
    return found


def known_links(network: Network) -> tuple[Link, ...] | None:
    try:
        return links(network)
    except NoLinksError:
        return None


def chain_rule(network: Network, name: str) -> Line | None:
    """dL/dh_t = dl_t/dh_t + (dh_{t+1}/dh_t)^T dL/dh_{t+1}, in Jacobian symbols, or None for matrix states."""
    known = known_links(network)
    if known is None:
        return None
    g, system = generic(network), network.system
    terms, braces = [], []
    for term in g.adjoints[name].terms:
        if term.source == LOCAL:
            terms.append(term.expr)
            braces.append(BRACE_LOCAL)
    for link in known:
        if link.source != name:
            continue
        following = link.lag == NEXT
        symbol, adjoint = link.symbol, g.adjoint_of(link.target)
        if following:
            moved = {system.t: system.following}
            symbol, adjoint = symbol.xreplace(moved), adjoint.xreplace(moved)
        terms.append(A.matmul(A.transpose(symbol), adjoint))
        braces.append(BRACE_NEXT if following else BRACE_SAME)
    if not terms:
        return None
    return Line("=", A.add(*terms), tuple(braces) if len(terms) > 1 else ())
