"""What the sections share: chains without repeats, ranges of steps, and the ways in which a state reaches the loss."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from ... import algebra as A
from ...model import CELL, Equation, Network, System
from ..generic import LOCAL, NEXT, SAME, generic
from ..links import Link, NoLinksError, couples_within_step, links
from ..steps import Line
from .passes import pass_rule

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


def before_last(system: System, name: str | None = None) -> tuple[Expr, Expr]:
    """The steps of a variable (of all, without a name) that another one follows."""
    return (S.One, system.steps - 1) if system.direction_of(name) == 1 else (sympy.Integer(2), system.steps)


def ways(network: Network, name: str) -> list[Any]:
    g, system = generic(network), network.system
    found: list[Any] = []
    if name in g.read_by_loss and system.reduction != "last":
        found.append(system.at("l"))
    known = known_links(network)
    if known is not None and name in system.states:
        found += [
            system.at(k.target, system.following_of(name) if k.lag == NEXT else system.t)
            for k in known
            if k.source == name
        ]
        return [*found, *(e.left for e in _towards_the_loss(network, name))]
    for term in g.adjoints[name].terms:
        if term.source != LOCAL and term.equation is not None:
            when = system.following_of(name) if term.source == NEXT else system.t
            found.append(system.at(term.equation.name, when))
    return found


def known_links(network: Network) -> tuple[Link, ...] | None:
    try:
        return links(network)
    except NoLinksError:
        return None


def _towards_the_loss(network: Network, name: str) -> list[Equation]:
    """Return the readers of a state at its own step that are no states and through which the loss reads it."""
    g = generic(network)
    same_step = (term.equation for term in g.adjoints[name].terms if term.source == SAME)
    return [e for e in same_step if e is not None and g.reaches_loss_beside_states(e.name)]


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
    mode = A.IMMEDIATE if couples_within_step(network) else A.TOTAL
    for reader in _towards_the_loss(network, name):
        if any(state_reader.stage == CELL for state_reader, _ in system.uses(reader.name)):
            return None
        symbol = A.derivative(reader.left, system.at(name), mode)
        terms.append(A.matmul(A.transpose(symbol), g.adjoint_of(reader.name)))
        braces.append(BRACE_SAME)
    for link in known:
        if link.source != name:
            continue
        following = link.lag == NEXT
        symbol, adjoint = link.symbol, g.adjoint_of(link.target)
        if following:
            moved = {system.t: system.following_of(name)}
            symbol, adjoint = symbol.xreplace(moved), adjoint.xreplace(moved)
        terms.append(A.matmul(A.transpose(symbol), adjoint))
        braces.append(pass_rule(system, BRACE_NEXT) if following else BRACE_SAME)
    if not terms:
        return None
    return Line("=", A.add(*terms), tuple(braces) if len(terms) > 1 else ())
