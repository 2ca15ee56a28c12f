"""The readings of a statement that are tried, those that concede nothing first, and what comes of trying them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from ..meaning.expr import Deriv
from ..value.reading import DENOMINATOR, Reading
from ..value.world import NoStepError, World
from .compare import FALSE, OPEN, TRUE, Outcome, test
from .statements import Statement

MOST_DERIVATIVES = 6
"""Of how many derivatives the readings total and immediate are tried one by one."""

PLAIN: tuple[Reading, ...] = (
    Reading(),
    Reading(newest_left=False),
    Reading(spectral=False),
    Reading(tight=True),
    Reading(squares=True),
    *(Reading(repeats=n) for n in range(2, 13)),
)
"""Readings that concede nothing."""
CONCEDING: tuple[tuple[str, Reading], ...] = (
    ("transposed-vectors", Reading(loose=True)),
    ("transposed-vectors", Reading(loose=True, newest_left=False)),
    ("entrywise", Reading(entrywise=True)),
    ("numerator", Reading(turned=True)),
    ("denominator", Reading(layout=DENOMINATOR)),
    ("denominator", Reading(layout=DENOMINATOR, newest_left=False)),
)
"""Condition under which a reading is the right one -> the reading."""


def first_outcome(
    statement: Statement, worlds: tuple[World, ...], readings: tuple[Reading, ...]
) -> tuple[Outcome, Reading]:
    """Return the first outcome that is true, else the first that is false, else the first."""
    outcomes: list[tuple[Outcome, Reading]] = []
    for reading in readings:
        if not matters(reading, statement):
            continue
        outcome = test(statement, read_as(worlds, reading))
        if outcome.state == TRUE:
            return outcome, reading
        outcomes.append((outcome, reading))
    false = [pair for pair in outcomes if pair[0].state == FALSE]
    return (false or outcomes or [(Outcome(OPEN, reason=NoStepError()), Reading())])[0]


def matters(reading: Reading, statement: Statement) -> bool:
    """Whether a reading can change the value of a statement, so that it is worth trying."""
    kinds = {type(p).__name__ for o in statement.operands for p in o.walk()}
    if reading.repeats is not None:
        return "Series" in kinds
    if not reading.newest_left and reading == Reading(newest_left=False):
        return "Bound" in kinds
    if not reading.spectral:
        return "Norm" in kinds
    if reading.tight:
        return "Hadamard" in kinds
    if reading.squares:
        return "Pow" in kinds
    if reading.entrywise or reading.turned or reading.layout == DENOMINATOR:
        return "Deriv" in kinds
    return True


def read_as(worlds: tuple[World, ...], reading: Reading) -> tuple[World, ...]:
    """Return worlds in which formulas are read in one way."""
    return tuple(replace(world, reading=reading) for world in worlds)


def immediate_modes(statement: Statement) -> Iterator[dict[int, str]]:
    """Yield which derivatives may be immediate: few first."""
    found = [p for o in statement.operands for p in o.walk() if isinstance(p, Deriv) and not p.mode]
    numbers = [d.number for d in found if d.order == 1]
    if len(numbers) > MOST_DERIVATIVES:
        same: dict[tuple[str, str, str], list[int]] = {}
        for d in found:
            same.setdefault((type(d.of).__name__, getattr(d.of, "key", ""), getattr(d.by[0], "key", "")), []).append(
                d.number
            )
        for group in same.values():
            yield dict.fromkeys(group, "immediate")
        return
    for count in range(1, len(numbers) + 1):
        for chosen in combinations(numbers, count):
            yield dict.fromkeys(chosen, "immediate")
