"""A whole note checked: its statements judged in order, what follows from an earlier mistake marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...algebra import FUNCTIONS
from ..meaning.expr import Deriv, Expr, Hadamard, Ref, Transpose
from ..meaning.symbols import Symbols
from ..note import Note
from ..report import (
    ASSUMPTION,
    DEFINITION,
    HOLDS,
    REFUTED,
    UNCHECKED,
    UNREAD,
    Claim,
    Counterexample,
    Message,
    Report,
    message,
)
from .consistency import consistent
from .definitions import number_in
from .discover import discover
from .explain import Explainer, Explanation
from .functions import functions_said
from .hypothetical import is_fragment, is_hypothesis, is_initialisation, under_hypotheses
from .judge import Judgement, Settled, judge
from .network import Built, build
from .shown import as_written, given_numbers
from .statements import Read, Statement, read_formulas, statements, symbols_of, unknown_in
from .worlds import Worlds, worlds_of

MATRICES = re.compile(r"矩阵|向量|matri|vector|\\mathbb\s*\{?R\}?\s*\^", re.I)
SCALARS = re.compile(
    r"标量|一个单元|单个单元|单神经元|一维|scalar|one unit|single unit|one hidden unit|one neuron", re.I
)


LAYOUTS = {
    "numerator": re.compile(r"numerator[ -]layout|分子布局", re.I),
    "denominator": re.compile(r"denominator[ -]layout|分母布局", re.I),
}


@dataclass(frozen=True)
class Checked:
    """A note with a judgement on each of its statements.

    Attributes
    ----------
    reads : tuple of Read
    symbols : Symbols
    judged : tuple of (Statement, Judgement)
    places : tuple of (Worlds, Settled, Built)
        Where each of them was tested.
    """

    reads: tuple[Read, ...]
    symbols: Symbols
    judged: tuple[tuple[Statement, Judgement], ...]
    places: tuple[tuple[Worlds, Settled, Built], ...]


def check_note(
    note: Note, assumed: Mapping[str, float] = {}, functions: Mapping[str, str] = {}, seed: int = 0
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
    """
    checked = judged_note(note, assumed, functions, seed)
    found = [statement for statement, _ in checked.judged]
    explainer, written = Explainer(note, found, checked.symbols), as_written(found)
    claims = [
        claim_of(note, statement, judgement, written, explainer.explain(statement, judgement, *place))
        for (statement, judgement), place in zip(checked.judged, checked.places, strict=True)
    ]
    claims += [_unread(note, read) for read in checked.reads if read.tree is None]
    claims.sort(key=lambda c: c.start)
    read = sum(r.tree is not None for r in checked.reads)
    return Report((note,), tuple(claims), formulas=len(checked.reads), read=read)


def judged_note(
    note: Note, assumed: Mapping[str, float] = {}, functions: Mapping[str, str] = {}, seed: int = 0
) -> Checked:
    """Return the judgements on the statements of a note; the parameters are those of :func:`check_note`."""
    reads = read_formulas(note)
    symbols = symbols_of(reads, {**_named_in_prose(note, reads), **functions})
    found = statements(reads, symbols)
    said, true_of = functions_said(found, symbols, note)
    own = {**said, **functions}
    if own:
        symbols = replace(symbols, functions={**symbols.functions, **own})
        found = statements(reads, symbols)
    discovery = discover(found, note, assumed)
    cache: dict[tuple[int, int | None], tuple[Worlds, Settled, Built]] = {}
    judged: list[tuple[Statement, Judgement]] = []

    def place_of(statement: Statement) -> tuple[int, int | None]:
        model = discovery.model_at(statement.start)
        return id(model), discovery.steps_at(statement.start, note) or model.steps

    for statement in found:
        model = discovery.model_at(statement.start)
        key = place_of(statement)
        if key not in cache:
            built = build(replace(model, steps=key[1]), symbols.functions, found)
            cache[key] = worlds_of(built, seed), _settled(note, model.start, built, found), built
        worlds, settled, built = cache[key]
        if statement.number in true_of:
            function = message("check.reason.holds-function", function=true_of[statement.number])
            judgement = Judgement(HOLDS, function)
        else:
            judgement = _judged(statement, discovery.verdicts.get(statement.number), worlds, settled, note, judged)
        judged.append((statement, judgement))
        figure = _figure(statement)
        if figure is not None and judgement.verdict != REFUTED:
            cache[key] = replace(worlds, printed=(*worlds.printed, figure)), settled, built
    judged = [(s, consistent(s, j, judged, cache[place_of(s)][0])) for s, j in judged]
    places = tuple(cache[place_of(statement)] for statement, _ in judged)
    return Checked(tuple(reads), symbols, tuple(judged), places)


def _judged(
    statement: Statement,
    known: str | None,
    worlds: Worlds,
    settled: Settled,
    note: Note,
    before: list[tuple[Statement, Judgement]],
) -> Judgement:
    """Return the verdict on a statement, by what it defines or by what it claims."""
    if known is not None:
        key = "check.reason.definition" if known == DEFINITION else "check.reason.assumption"
        return Judgement(known, message(key))
    if (
        is_fragment(statement)
        or is_initialisation(statement, note)
        or (is_hypothesis(statement, note) and len(statement.operands) == 2)
    ):
        return Judgement(ASSUMPTION, message("check.reason.assumption"))
    unknown = unknown_in(statement)
    if unknown is not None and len(statement.operands) == 2:
        return Judgement(UNCHECKED, message(unknown.key))
    try:
        judgement = judge(statement, worlds, settled)
    except RecursionError:
        return Judgement(UNCHECKED, message("check.reason.too-large"))
    if judgement.verdict == REFUTED:
        return under_hypotheses(statement, judgement, worlds, note, before)
    return judgement


def _figure(statement: Statement) -> tuple[Expr, Expr, tuple[str, ...]] | None:
    """Return what a statement gives a figure, and the figure."""
    left, right = statement.operands[0], statement.operands[-1]
    named = isinstance(left, Ref | Deriv) and number_in(left) is None
    return (left, right, ()) if named and number_in(right) is not None else None


def claim_of(
    note: Note, statement: Statement, judgement: Judgement, written: Mapping[str, str], why: Explanation
) -> Claim:
    """Return the claim that a report shows."""
    line, column = note.place(statement.start)
    example = _counterexample(statement, judgement, written) if judgement.verdict == REFUTED else None
    return Claim(
        note.file, line, column, statement.start, statement.end, statement.latex, judgement.verdict, judgement.reason,
        judgement.condition, example, why.cause, why.right,
        _line_of(note, why.consequence_of), inline=not statement.read.formula.display, cell=note.cell(statement.start),
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
        tuple(sorted(world.counters.items())),
        given_numbers(world, written),
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


def _settled(note: Note, start: int, built: Built, found: list[Statement]) -> Settled:
    """Return what a note says about itself."""
    kinds = [p for s in found for o in s.operands for p in o.walk()]
    transposes = any(isinstance(p, Transpose) for p in kinds)
    matrices = (
        (bool(MATRICES.search(note.text)) and not built.squares)
        or transposes
        or any(isinstance(p, Hadamard) for p in kinds)
    )
    first = min((d.statement.start for d in built.model.equations.values()), default=start)
    scalars = bool(SCALARS.search(note.text[max(first - 500, 0) : first + 1000]))
    marks = any(isinstance(p, Deriv) and p.mode == "immediate" for p in kinds)
    layout = next((name for name, pattern in LAYOUTS.items() if pattern.search(note.text)), None)
    return Settled(matrices and not scalars, scalars and not transposes, layout, marks, transposes)


def _named_in_prose(note: Note, reads: list[Read]) -> dict[str, str]:
    """Return the activation that f is, where the note names a single one."""
    names = {"relu": r"relu", "tanh": r"tanh|双曲正切", "sigmoid": r"sigmoid|logistic"}
    found = [name for name, pattern in names.items() if re.search(pattern, note.text, re.I)]
    return {"f": found[0]} if len(found) == 1 and found[0] in FUNCTIONS else {}
