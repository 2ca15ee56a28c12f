"""One reading through a whole note: a layout that most of its claims need is not left open by it."""

from __future__ import annotations

from dataclasses import replace

from ..meaning.expr import Deriv
from ..report import CONDITIONAL, HOLDS
from ..value.reading import DENOMINATOR, Reading
from .compare import FALSE, test
from .statements import Statement
from .verdicts import Judgement, refuted
from .worlds import Worlds

LAYOUTS: dict[str, Reading] = {
    "check.condition.denominator": Reading(layout=DENOMINATOR),
    "check.condition.numerator": Reading(turned=True),
}
"""Condition -> the reading under which the claim holds."""


def consistent(
    statement: Statement, judgement: Judgement, judged: list[tuple[Statement, Judgement]], worlds: Worlds
) -> Judgement:
    """Return the verdict on a claim that holds in another layout alone, by the layout of the other claims.

    Where more claims of the note need the usual layout than this one, the note has settled the point, and the claim
    is refuted.
    """
    condition = judgement.condition
    if judgement.verdict != CONDITIONAL or condition is None or condition.key not in LAYOUTS:
        return judgement
    same = sum(j.condition is not None and j.condition.key == condition.key for _, j in judged)
    usual = sum(_needs_usual(s, j, LAYOUTS[condition.key], worlds) for s, j in judged)
    if not usual or usual < same:
        return judgement
    outcome = test(statement, worlds.vectors)
    return refuted(statement, outcome) if outcome.state == FALSE and outcome.difference is not None else judgement


def _needs_usual(statement: Statement, judgement: Judgement, other: Reading, worlds: Worlds) -> bool:
    """Whether a claim that holds as usually read would fail in another layout."""
    derivatives = any(isinstance(p, Deriv) for o in statement.operands for p in o.walk())
    if (
        judgement.verdict != HOLDS
        or not derivatives
        or judgement.reading.layout != Reading().layout
        or not worlds.vectors
    ):
        return False
    return test(statement, (replace(worlds.vectors[0], reading=other),)).state == FALSE
