"""The section of the recursion: boundary, states, intermediate variables."""

from __future__ import annotations

from typing import Any

import sympy

from ... import algebra as A
from ...algebra import nodes as N
from ...model import Network
from ..generic import LOCAL, NEXT, Generic, generic
from ..links import couples_within_step
from ..steps import EQUALITY, Line, Section, Step
from .common import BRACE_LOCAL, BRACE_SAME, before_last, chain, chain_rule, every_step, following_brace, ways
from .passes import by_pass, pass_rule


def recursion_section(network: Network) -> Section:
    """Return the boundary, the recursion of every state, and the adjoints of the intermediate variables."""
    g, system = generic(network), network.system
    steps: list[tuple[str, Step]] = []
    for name in g.adjoints:
        if name in system.states:
            steps += [(name, _boundary(g, name)), (name, _recursion(network, name))]
        else:
            steps += [(name, step) for step in _intermediate(network, name)]
    return Section("recursion", tuple(by_pass("recursion", system, steps)))


def _boundary(g: Generic, name: str) -> Step:
    system = g.system
    end = system.last_of(name)
    left = g.adjoint_of(name, end)
    expr = g.at_step(name, end)
    lines = chain(left, expr, g.fill_local(expr))
    return Step(f"boundary.{name}", pass_rule(system, "recursion.boundary"), EQUALITY, left, lines,
                (("variable", system.at(name)), ("end", end)))  # fmt: skip


def _recursion(network: Network, name: str) -> Step:
    g, system = generic(network), network.system
    left = g.adjoint_of(name)
    adjoint = g.adjoints[name]
    notes = {LOCAL: BRACE_LOCAL}
    braces = tuple(
        following_brace(g, name, t) if t.source == NEXT else notes.get(t.source, BRACE_SAME) for t in adjoint.terms
    )
    opaque = Line("=", adjoint.expr, braces if len(braces) > 1 and _splits(adjoint.expr, len(braces)) else ())
    rule = chain_rule(network, name)
    filled = g.fill_local(adjoint.expr)
    lines = chain(left, rule, opaque, filled, _in_states(g, filled))
    if rule.braces:
        lines = tuple(Line(k.sign, k.expr, k.braces if k.expr == rule.expr else ()) for k in lines)
    rule_key = _ANATOMY.get(frozenset(term.source for term in adjoint.terms), "recursion.state_mixed")
    rule_key = "recursion.state_pass" if system.mixed else rule_key
    return Step(f"recursion.{name}", rule_key, EQUALITY, left, lines,
                (("variable", system.at(name)), ("start", system.last_of(name))),
                before_last(system, name))  # fmt: skip


_ANATOMY = {frozenset({LOCAL, NEXT}): "recursion.state", frozenset({NEXT}): "recursion.state_only"}
"""Sources of an adjoint's terms -> the words that say so."""


def _splits(expr: Any, count: int) -> bool:
    return isinstance(expr, N.Plus | N.MatrixPlus) and len(expr.args) == count


def _in_states(g: Generic, expr: Any) -> Any:
    """Express the adjoints of intermediates at t + 1 by those of the states, where that is short."""
    if len(g.adjoints) > 3:
        return expr
    result = g.in_states(expr)
    return result if g.adjoint_of(g.system.states[0]) not in _leaves(result) else expr


def _leaves(expr: Any) -> set[Any]:
    return set(sympy.preorder_traversal(expr))


def _intermediate(network: Network, name: str) -> list[Step]:
    """The adjoint of a variable that is no state; where only the last loss reads it, at the last step and before."""
    g, system = generic(network), network.system
    left = g.adjoint_of(name)
    expr = g.adjoints[name].expr
    lines = chain(left, _generic_intermediate(network, name), expr, g.fill_local(expr))
    found = tuple(ways(network, name))
    facts = (("variable", system.at(name)), ("ways", found))
    apart = g.ends_apart(name)
    where = before_last(system, name) if apart else every_step(system)
    rule = "recursion.intermediate" if found else "recursion.nothing_yet" if apart else "recursion.nothing"
    step = Step(f"recursion.{name}", rule, EQUALITY, left, lines, facts, where)
    return [_boundary(g, name), step] if apart else [step]


def _generic_intermediate(network: Network, name: str) -> Any:
    """(dh_t/dz_t)^T dL/dh_t for a variable that one other vector variable of its step reads."""
    g, system = generic(network), network.system
    terms = g.adjoints[name].terms
    if len(terms) != 1 or terms[0].equation is None or terms[0].source == NEXT or not A.is_vector(system.at(name)):
        return g.adjoint_of(name)
    above = terms[0].equation.left
    if not A.is_vector(above):
        return g.adjoint_of(name)
    mode = A.IMMEDIATE if couples_within_step(network) else A.TOTAL
    return A.matmul(A.transpose(A.derivative(above, system.at(name), mode)), g.adjoint_of(above.name))
