"""The statements of a note judged in their order, each in the model that holds at its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...algebra import FUNCTIONS
from ..meaning.expr import Deriv, Expr, Hadamard, Ref, Transpose
from ..meaning.symbols import Symbols
from ..note import Note
from ..report import ASSUMPTION, DEFINITION, HOLDS, REFUTED, UNCHECKED, message
from .assumptions import Assumptions
from .consistency import consistent
from .definitions import number_in
from .discover import Discovery, Model, discover
from .functions import functions_said
from .given import NOTHING, Options, as_definition, built_with, is_settled_by, settled_with
from .hypothetical import is_fragment, is_hypothesis, is_initialisation, is_range, is_symmetry, under_hypotheses
from .judge import judge
from .network import Built
from .statements import Read, Statement, read_formulas, statements, symbols_of, unknown_in
from .verdicts import Judgement, Settled
from .worlds import Worlds, worlds_of

MATRICES = re.compile(r"矩阵|向量|matri|vector|\\mathbb\s*\{?R\}?\s*\^", re.I)
SCALARS = re.compile(
    r"标量|一个单元|单个单元|单神经元|一维|scalar|one unit|single unit|one hidden unit|one neuron", re.I
)

SHAPED = re.compile(
    r"gradients?\b[^.\n]*\b(same shape|ha(s|ve) the shape)|梯度[^。\n]*(形状相同|形状一致|同形|相同的形状)", re.I
)
LAYOUTS = {
    "numerator": re.compile(r"numerator[ -]layout|分子布局", re.I),
    "denominator": re.compile(r"denominator[ -]layout|分母布局", re.I),
}


@dataclass(frozen=True)
class Place:
    """Where a statement was tested: a model, its networks, its instances, and what the note says of itself."""

    model: Model
    built: Built
    worlds: Worlds
    settled: Settled


@dataclass(frozen=True)
class Checked:
    """A note with a judgement on each of its statements.

    Attributes
    ----------
    reads : tuple of Read
    symbols : Symbols
    discovery : Discovery
    judged : tuple of (Statement, Judgement)
    places : tuple of Place
        Where each of them was tested.
    """

    reads: tuple[Read, ...]
    symbols: Symbols
    discovery: Discovery
    judged: tuple[tuple[Statement, Judgement], ...]
    places: tuple[Place, ...]

    @property
    def statements(self) -> list[Statement]:
        """All statements, in order."""
        return [statement for statement, _ in self.judged]


def judged_note(
    note: Note,
    assumed: Mapping[str, float] = {},
    functions: Mapping[str, str] = {},
    seed: int = 0,
    options: Options = NOTHING,
) -> Checked:
    """Return the judgements on the statements of a note; see :func:`symbptt.reading.check.check_note`."""
    reads = read_formulas(note)
    symbols = symbols_of(reads, {**_named_in_prose(note, reads), **functions})
    found = statements(reads, symbols)
    said, true_of = functions_said(found, symbols, note)
    own = {**said, **functions}
    if own:
        symbols = replace(symbols, functions={**symbols.functions, **own})
        found = statements(reads, symbols)
    discovery = discover(found, note, assumed)
    return _Judging(note, reads, symbols, found, discovery, true_of, seed, options).all()


class _Judging:
    """The judging of one note: what was found so far, and the instances of its models."""

    def __init__(
        self,
        note: Note,
        reads: list[Read],
        symbols: Symbols,
        found: list[Statement],
        discovery: Discovery,
        true_of: Mapping[int, str],
        seed: int,
        options: Options,
    ) -> None:
        self.note, self.reads, self.symbols, self.found = note, reads, symbols, found
        self.discovery, self.true_of, self.seed, self.options = discovery, true_of, seed, options
        self.assumptions = Assumptions(note, reads, symbols, seed)
        self.places: dict[tuple[int, int | None], Place] = {}
        self.judged: list[tuple[Statement, Judgement]] = []

    def all(self) -> Checked:
        """Judge every statement."""
        for statement in self.found:
            place = self._place(statement)
            judgement = self._judgement(statement, place)
            self.judged.append((statement, judgement))
            figure = _figure(statement)
            if figure is not None and judgement.verdict != REFUTED:
                worlds = replace(place.worlds, printed=(*place.worlds.printed, figure))
                self.places[self._key(statement)] = replace(place, worlds=worlds)
        judged = [(s, consistent(s, j, self.judged, self._place(s).worlds)) for s, j in self.judged]
        places = tuple(self._place(statement) for statement in self.found)
        return Checked(tuple(self.reads), self.symbols, self.discovery, tuple(judged), places)

    def _key(self, statement: Statement) -> tuple[int, int | None]:
        """Return which model holds at a statement, and T if the note has said it in its section."""
        model = self.discovery.model_at(statement.start)
        return id(model), self.discovery.steps_at(statement.start, self.note) or model.steps

    def _place(self, statement: Statement) -> Place:
        key = self._key(statement)
        if key not in self.places:
            model = self.discovery.model_at(statement.start)
            timed = replace(model, steps=key[1])
            built = built_with(self.options, timed, self.symbols.functions, self.found, self.symbols)
            settled = settled_with(self.options, _settled(self.note, model.start, built, self.found))
            self.places[key] = Place(model, built, worlds_of(built, self.seed), settled)
        return self.places[key]

    def _judgement(self, statement: Statement, place: Place) -> Judgement:
        supposed = self.assumptions.judge(statement, place.built, place.settled, self.judged)
        if statement.number in self.true_of:
            return Judgement(HOLDS, message("check.reason.holds-function", function=self.true_of[statement.number]))
        if supposed is not None:
            return supposed
        known = self.discovery.verdicts.get(statement.number)
        judgement = self._by_verdict(statement, known, place)
        if known == DEFINITION and is_settled_by(self.options, statement, place.built):
            return as_definition(self._by_verdict(statement, None, place), judgement)
        return judgement

    def _by_verdict(self, statement: Statement, known: str | None, place: Place) -> Judgement:
        """Return the verdict on a statement, by what it defines or by what it claims."""
        if is_symmetry(statement):
            return Judgement(ASSUMPTION, message("check.reason.assumption"))
        if known is not None:
            key = "check.reason.definition" if known == DEFINITION else "check.reason.assumption"
            return Judgement(known, message(key))
        supposed = is_hypothesis(statement, self.note) and len(statement.operands) == 2
        if supposed or is_range(statement) or is_fragment(statement) or is_initialisation(statement, self.note):
            return Judgement(ASSUMPTION, message("check.reason.assumption"))
        unknown = unknown_in(statement)
        if unknown is not None and len(statement.operands) == 2:
            return Judgement(UNCHECKED, message(unknown.key))
        try:
            judgement = judge(statement, place.worlds, place.settled)
        except RecursionError:
            return Judgement(UNCHECKED, message("check.reason.too-large"))
        if judgement.verdict == REFUTED:
            return under_hypotheses(
                statement, judgement, place.worlds, self.note, self.judged, self.assumptions.in_words
            )
        return judgement


def _figure(statement: Statement) -> tuple[Expr, Expr, tuple[str, ...]] | None:
    """Return what a statement gives a figure, and the figure."""
    left, right = statement.operands[0], statement.operands[-1]
    named = isinstance(left, Ref | Deriv) and number_in(left) is None
    return (left, right, ()) if named and number_in(right) is not None else None


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
    named = [name for name, pattern in LAYOUTS.items() if pattern.search(note.text)]
    layout = named[0] if len(named) == 1 else None
    shaped = bool(SHAPED.search(note.text))
    return Settled(matrices and not scalars, scalars and not transposes, layout, marks, transposes, shaped)


def _named_in_prose(note: Note, reads: list[Read]) -> dict[str, str]:
    """Return the activation that f is, where the note names a single one."""
    names = {"relu": r"relu", "tanh": r"tanh|双曲正切", "sigmoid": r"sigmoid|logistic"}
    found = [name for name, pattern in names.items() if re.search(pattern, note.text, re.I)]
    return {"f": found[0]} if len(found) == 1 and found[0] in FUNCTIONS else {}
