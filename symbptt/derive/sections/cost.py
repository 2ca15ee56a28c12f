"""The section on what path expansion and the recursion cost, counted by carrying both out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Expr, Integer, S

from ... import algebra as A
from ...algebra import nodes as N
from ...algebra.leaves import Literal
from ...model import Network, System
from ..closed import loss_index
from ..methods.chains import no_chains
from ..methods.cost import FITTED, METHODS, Costs, costs
from ..steps import COUNT, REMARK, TABLE, Line, Phrase, Section, Step


def cost_section(network: Network) -> Section | None:
    """Return the number of chains and of their links, and a table of what each method costs.

    None where there are no Jacobian matrices to make chains of.
    """
    if no_chains(network) is not None:
        return None
    system = network.system
    steps = [_pairs(system), _links(system)]
    if system.reduction != "last":
        T = A.size("T") if system.steps.is_Integer else system.steps
        facts = (("pairs", _pair_formula(T)), ("links", _link_formula(T)), ("recursion", T - 1), ("T", T))
        steps.append(Step("cost.often", "cost.often", REMARK, facts=facts))
    found = costs(network)
    steps += [_table(system, found), Step("cost.fitted", "cost.fitted", REMARK, facts=(("count", Integer(FITTED)),))]
    return Section("cost", tuple(steps))


# -- chains and their links ---------------------------------------------------------------------------


def _half(a: Any, b: Any) -> Any:
    return A.divide(N.Times(a, b), Integer(2))


def _pair_formula(T: Any) -> Any:
    return _half(T, A.add(T, S.One))


def _link_formula(T: Any) -> Any:
    return A.divide(A.subtract(A.power(T, 3), T), Integer(6))


def _written(steps: Expr) -> Any:
    """A number of steps as a figure, so that the arithmetic with it stands as it is written."""
    return Literal(str(steps)) if steps.is_Integer else steps


def _formula(steps: Expr, formula: Callable[[Any], Any], value: Expr) -> tuple[Line, ...]:
    """The formula; for a concrete T in figures, and its value."""
    written = Line("=", formula(_written(steps)))
    return (written, Line("=", value)) if steps.is_Integer else (written,)


def _pairs(system: System) -> Step:
    T, s, t = system.steps, loss_index(system), system.t
    if system.reduction == "last":
        left = N.TimeSum(S.One, t, S.One, T)
        return Step("cost.pairs", "cost.pairs_last", COUNT, left, (Line("=", T),), (("T", T),))
    lines = _formula(T, _pair_formula, T * (T + 1) / 2)
    return Step("cost.pairs", "cost.pairs", COUNT, N.TimeSum(s, s, S.One, T), lines, (("T", T),))


def _links(system: System) -> Step:
    T, s, t = system.steps, loss_index(system), system.t
    if system.reduction == "last":
        left = N.TimeSum(A.subtract(_written(T), t), t, S.One, T)
        lines = _formula(T, lambda steps: _half(steps, _before(T)), T * (T - 1) / 2)
    else:
        left = N.TimeSum(N.TimeSum(s - t, t, S.One, s), s, S.One, T)
        lines = _formula(T, _link_formula, (T**3 - T) / 6)
    return Step("cost.links", "cost.links", COUNT, left, lines, (("T", T),))


def _before(steps: Expr) -> Any:
    """T - 1 as a figure, or in symbols."""
    return _written(steps - 1) if steps.is_Integer else A.subtract(steps, S.One)


# -- the table ----------------------------------------------------------------------------------------


def _table(system: System, found: Costs) -> Step:
    T = found.later
    lengths = tuple(Phrase("cost.length", (("length", Integer(t)),)) for t in found.lengths)
    beyond = (Phrase("cost.by_formula", (("length", Integer(T)),)),) if T is not None else ()
    columns = (Phrase("cost.method"), Phrase("cost.formula"), *lengths, *beyond, Phrase("cost.exponent"))
    rows = []
    for row in found.rows:
        counts = tuple(map(Integer, row.counts))
        later = (Integer(row.at(T)),) if T is not None else ()
        rows.append((Phrase(f"cost.{row.method}"), row.formula, *counts, *later, row.exponent))
    kind = "products" if not found.whole else "scalar" if found.size == 1 else "vector"
    facts = (
        ("table", "chains"),
        ("square", Integer(found.size**2)),
        ("methods", tuple(METHODS)),
        ("lengths", tuple(map(Integer, found.lengths))),
        ("later", () if T is None else (Integer(T),)),
        ("columns", columns),
        ("rows", tuple(rows)),
    )
    return Step("cost.table", f"cost.table_{kind}", TABLE, facts=facts)
