"""What the sections share: chains without repeats, ranges of steps, and the ways in which a state reaches the loss."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from ... import algebra as A
from ...algebra import nodes as N
from ...model import ROWS, Network, System
from ..generic import LOCAL, NEXT, Generic, generic
from ..links import Link, NoLinksError, couples_within_step, links, reads_states
from ..steps import Line, Named
from ..structure import has_many_readers, is_read_once, readers, role_of
from .passes import pass_rule

BRACE_LOCAL, BRACE_NEXT, BRACE_SAME, BRACE_DIRECT = "brace.local", "brace.next", "brace.same", "brace.direct"


def chain(left: Any, *exprs: Any) -> tuple[Line, ...]:
    """Make a chain of equal right-hand sides without repeats and without the left side itself."""
    lines: list[Line] = []
    for given in exprs:
        line = given if isinstance(given, Line) else Line("=", given)
        if line.expr != left and (not lines or line.expr != lines[-1].expr):
            lines.append(line)
    return tuple(lines)


READABLE = 24
"""Parts of an expression beyond which a line that only fills something in is left out."""


def filled_in(left: Any, opaque: Any, filled: Any) -> tuple[Line, ...]:
    """Return the chain of a result and of the same with other results filled in, where that can still be read."""
    size = sum(1 for part in sympy.preorder_traversal(filled) if isinstance(part, A.Node))
    return chain(left, opaque, filled) if size <= READABLE else chain(left, opaque)


def every_step(system: System) -> tuple[Expr, Expr]:
    """The range 1..T."""
    return (S.One, system.steps)


def in_layout(system: System, rule: str) -> str:
    """Return the rule, or what it is called in rows: ``_rows``, or ``_row`` for a batch of one."""
    if system.layout != ROWS:
        return rule
    return f"{rule}_row" if system.at(system.states[0]).shape[0] == 1 else f"{rule}_rows"


def before_last(system: System, name: str | None = None) -> tuple[Expr, Expr]:
    """The steps of a variable (of all, without a name) that another one follows."""
    return (S.One, system.steps - 1) if system.direction_of(name) == 1 else (sympy.Integer(2), system.steps)


def ways(network: Network, name: str) -> list[Any]:
    """Return the variables through which a variable reaches the loss, by their roles where they have one."""
    g, system = generic(network), network.system
    found: list[Any] = []
    if name in g.read_by_loss and system.reduction != "last":
        found.append(system.at("l"))
    known = _links_from(network, name) if name in system.states else None
    if known is not None:
        found += [system.at(k.target, system.following_of(name) if k.lag == NEXT else system.t) for k in known]
        return found
    for equation, lag in readers(system, name):
        found.append(_named(system, equation.name, system.following_of(name) if lag else system.t))
    return found


def _named(system: System, name: str, when: Expr) -> Any:
    role = role_of(system, name)
    return Named(role, system.at(name, when)) if role else system.at(name, when)


def known_links(network: Network) -> tuple[Link, ...] | None:
    try:
        return links(network)
    except NoLinksError:
        return None


def _links_from(network: Network, name: str) -> list[Link] | None:
    """Return the links through which a state reaches the loss, or None where it is told variable by variable."""
    known, g = known_links(network), generic(network)
    if known is None or has_many_readers(network.system, name):
        return None
    following = (equation.name for equation, lag in readers(network.system, name) if lag == 1)
    if any(g.reaches_loss_beside_states(reader) for reader in following):
        return None  # the next step's loss reads the state on a way that no Jacobian from state to state goes
    return [link for link in known if link.source == name]


def chain_rule(network: Network, name: str) -> Line:
    """Return dL/dv_t as the sum over the ways in which a state reaches the loss, with a note under each.

    dL/dh_t = dl_t/dh_t + (dh_{t+1}/dh_t)^T dL/dh_{t+1} from state to state; where several variables read the state,
    gate by gate, (di_{t+1}/dh_t)^T dL/di_{t+1} + ....
    """
    known = _links_from(network, name)
    if known is None:
        return _by_readers(network, name)
    g, system = generic(network), network.system
    terms, braces = _local_part(network, name)
    for link in known:
        following = link.lag == NEXT
        symbol, adjoint = link.symbol, g.adjoint_of(link.target)
        if following:
            moved = {system.t: system.following_of(name)}
            symbol, adjoint = symbol.xreplace(moved), adjoint.xreplace(moved)
        terms.append(A.matmul(A.transpose(symbol), adjoint))
        braces.append(pass_rule(system, BRACE_NEXT) if following else BRACE_SAME)
    return _sum(network, name, terms, braces)


def _local_part(network: Network, name: str) -> tuple[list[Any], list[str]]:
    terms = [term.expr for term in generic(network).adjoints[name].terms if term.source == LOCAL]
    return terms, [BRACE_LOCAL] * len(terms)


def _by_readers(network: Network, name: str) -> Line:
    """The sum over the variables that read a state: by Jacobians where they reach it once, else written out."""
    g, system = generic(network), network.system
    terms, braces = _local_part(network, name)
    several = couples_within_step(network)
    for term in g.adjoints[name].terms:
        if term.equation is None:
            continue
        lag = term.source == NEXT
        mode = A.IMMEDIATE if several or reads_states(system, term.equation, None if lag else name) else A.TOTAL
        source, reader = system.at(name, system.previous_of(name) if lag else system.t), term.equation.left
        expr = term.expr
        vectors = A.is_vector(source) and A.is_vector(reader)
        if vectors and term.equation.name not in system.states and is_read_once(system, source, term.equation):
            expr = A.matmul(A.transpose(A.derivative(reader, source, mode)), g.adjoint_of(term.equation.name))
            expr = expr.xreplace({system.t: system.following_of(name)}) if lag else expr
        terms.append(expr)
        role = role_of(system, term.equation.name)
        braces.append(f"role.{role}" if role else following_brace(g, name, term) if lag else BRACE_SAME)
    return _sum(network, name, terms, braces)


def following_brace(g: Generic, name: str, term: Any) -> str:
    """Return the note under what comes back from the next step: straight from its state, or as the rest does."""
    states = g.system.states
    readers = [k.equation.name for k in g.adjoints[name].terms if k.source == NEXT and k.equation is not None]
    straight = term.equation is not None and term.equation.name in states and any(k not in states for k in readers)
    return BRACE_DIRECT if straight else pass_rule(g.system, BRACE_NEXT)


def _sum(network: Network, name: str, terms: list[Any], braces: list[str]) -> Line:
    total = A.add(*terms) if terms else A.zero_like(network.system.at(name))
    split = len(terms) > 1 and isinstance(total, N.Plus | N.MatrixPlus) and len(total.args) == len(terms)
    return Line("=", total, tuple(braces) if split else ())
