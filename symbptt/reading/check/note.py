"""The report about a note: its claims with their verdicts and reasons, what was understood, and remarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..note import Note
from ..report import REFUTED, UNREAD, Claim, Counterexample, Message, Report
from .explain import Explainer, Explanation
from .given import NOTHING, Options
from .judged import judged_note
from .lints import lints_of
from .shown import as_written, given_numbers
from .statements import Read, Statement
from .understood import Shown, understood
from .verdicts import Judgement

NO_REASON = Explanation()
SUPPOSING = frozenset(["check.reason.bound-fails", "check.reason.limit-fails"])
"""Reasons of what is refuted under the hypotheses of a note."""


def check_note(
    note: Note,
    assumed: Mapping[str, float] = {},
    functions: Mapping[str, str] = {},
    seed: int = 0,
    options: Options = NOTHING,
) -> Report:
    """Return the report about a note.

    Parameters
    ----------
    note : Note
    assumed : mapping
        Numbers that the user adds to those of the note.
    functions : mapping
        What functions of the note are in the language: ``{"f": "tanh"}``.
    seed : int
        Of the random instances.
    options : Options
        What else the user says: the model, the loss, the layout of derivatives, numbers or matrices.
    """
    checked = judged_note(note, assumed, functions, seed, options)
    found = checked.statements
    explainer, written = Explainer(note, found, checked.symbols), as_written(found)
    claims = []
    shown: dict[int, Shown] = {}
    causes: dict[int, str | None] = {}
    for (statement, judgement), place in zip(checked.judged, checked.places, strict=True):
        if judgement.reason.key in SUPPOSING:  # its hypotheses are met by no instance that an explanation is tried at
            cause = causes.get(judgement.follows.number) if judgement.follows is not None else None
            why = replace(NO_REASON, cause=cause)
        else:
            why = explainer.explain(statement, judgement, place.worlds, place.settled, place.built)
        causes[statement.number] = judgement.cause or why.cause
        claims.append(claim_of(note, statement, judgement, written, why))
        shown.setdefault(id(place.model), Shown(place.model, place.built, place.settled))
    claims += [_unread(note, read) for read in checked.reads if read.tree is None]
    claims.sort(key=lambda c: c.start)
    lints = lints_of(note, checked.reads, found, checked.discovery, checked.symbols)
    models = understood(note, checked.discovery, shown, found, options)
    read = sum(r.tree is not None for r in checked.reads)
    return Report((note,), tuple(claims), lints, models, formulas=len(checked.reads), read=read)


def claim_of(
    note: Note,
    statement: Statement,
    judgement: Judgement,
    written: Mapping[str, str] = {},
    why: Explanation = NO_REASON,
) -> Claim:
    """Return the claim that a report shows."""
    line, column = note.place(statement.start)
    example = _counterexample(statement, judgement, written) if judgement.verdict == REFUTED else None
    return Claim(
        note.file, line, column, statement.start, statement.end, statement.latex, judgement.verdict, judgement.reason,
        judgement.condition, example, judgement.cause or why.cause, judgement.right or why.right,
        _line_of(note, judgement.follows or why.consequence_of), inline=not statement.read.formula.display,
        cell=note.cell(statement.start),
    )  # fmt: skip


def _line_of(note: Note, statement: Statement | None) -> int | None:
    return None if statement is None else note.place(statement.start)[0]


def _unread(note: Note, read: Read) -> Claim:
    error, formula = read.error, read.formula
    assert error is not None
    line, column = note.place(formula.start)
    reason = Message(error.key, tuple(error.values.items()))
    return Claim(note.file, line, column, formula.start, formula.end, formula.latex, UNREAD, reason,
                 inline=not formula.display, cell=note.cell(formula.start))  # fmt: skip


def _counterexample(statement: Statement, judgement: Judgement, written: Mapping[str, str]) -> Counterexample | None:
    difference = judgement.difference
    if difference is None:
        return None
    left, right = statement.operands[difference.place : difference.place + 2]
    world = difference.world
    sizes = tuple(sorted(world.instance.bindings.items())) if world.instance else ()
    tree = statement.relations[difference.place]
    return Counterexample(
        statement.source(left),
        statement.source(right),
        statement.source(tree),
        _numbers(difference.left),
        _numbers(difference.right),
        sizes,
        tuple(sorted((letter, int(number)) for letter, number in world.counters.items())),
        judgement.numbers or given_numbers(world, written),
        judgement.given,
        None if judgement.given else world.seed,
    )


def _numbers(array: Any) -> Any:
    if array is None:
        return None
    values = np.real(np.asarray(array)).astype(float) + 0.0  # no -0.0
    return _tuples(values.tolist())


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
