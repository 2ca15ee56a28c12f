"""Right formulas of right notes, made wrong in every way that notes go wrong, and how many of them are caught.

``python tests/mutations.py`` prints the figures; with ``--missed`` also what is not caught, with ``--all`` for every
corruption and not for a sample, with ``--own`` for the derivations of the package too.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from symbptt.api.model import load
from symbptt.reading.check import check_note
from symbptt.reading.check.compare import TRUE, assignments, test
from symbptt.reading.check.edits import Edit, applied, read_again, without_macros
from symbptt.reading.check.judged import judged_note
from symbptt.reading.check.readings import CONCEDING, PLAIN
from symbptt.reading.check.repairs import modes, orders, shifts, signs, transposes
from symbptt.reading.check.sites import Site, is_slope
from symbptt.reading.check.statements import Statement
from symbptt.reading.check.wording import Wording
from symbptt.reading.check.worlds import Worlds
from symbptt.reading.extract import note_of, read_note
from symbptt.reading.meaning.expr import Add, Bound, Call, Counter, Deriv, Hadamard, Mul, Norm, Num, Pow, Ref
from symbptt.reading.note import Note
from symbptt.reading.report import CONDITIONAL, HOLDS, REFUTED
from symbptt.reading.value.evaluator import value
from symbptt.reading.value.quantity import UnfitError
from symbptt.reading.value.world import NoStepError, NotEvaluatedError, NoValueError

NOTES = Path(__file__).parent / "notes"
OWN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tanh-last-step", {}),
    ("relu-explosion", {"notation": "hh"}),
    ("softmax-readout", {"notation": "goodfellow"}),
    ("d2l-rows", {}),
    ("lstm", {}),
    ("residual", {"notation": "pytorch"}),
)
"""Examples of the package whose derivations are corrupted, and how they are written."""
EACH = 24
"""How many corruptions of a kind are tried, spread over all notes."""


# -- corruptions --------------------------------------------------------------------------------------


def _of(repair: Callable[[Site], Iterator[Edit]], *causes: str) -> Callable[[Site], Iterator[Edit]]:
    """Return corruptions that are also repairs: what puts a transpose on takes one off."""
    return lambda site: (e for e in repair(site) if e.cause in causes or not causes)


def lost_sum(site: Site) -> Iterator[Edit]:
    """The term of one step in the place of a sum over steps."""
    for part, _ in site.places:
        if isinstance(part, Bound) and part.kind == "sum" and part.high is not None:
            body = part.body.tree
            yield Edit("lost-sum", ((part.tree.start, body.start, ""), *_at_last(site, part)))


def _at_last(site: Site, part: Bound) -> Iterator[tuple[int, int, str]]:
    from symbptt.reading.check.sites import timed
    from symbptt.reading.check.wording import braced, index_latex, place_of

    assert part.high is not None
    for ref in timed(part.body):
        place = place_of(ref)
        if place is not None and ref.when is not None and part.index in ref.when.letters:
            yield place.start, place.end, braced(index_latex(ref.when.replaced(part.index, part.high)))


def inverted(site: Site) -> Iterator[Edit]:
    """A derivative by a state upside down."""
    for part, _ in site.places:
        if (
            isinstance(part, Deriv)
            and len(part.by) == 1
            and isinstance(part.by[0], Ref)
            and part.by[0].when is not None
        ):
            of, by = part.of, part.by[0]
            spans = (of.tree.start, of.tree.end, site.text(by)), (by.tree.start, by.tree.end, site.text(of))
            yield Edit("inverted-factor", spans)


def missing_slope(site: Site) -> Iterator[Edit]:
    """A factor f' left out."""
    for part, _ in site.places:
        if isinstance(part, Mul | Hadamard):
            for i, factor in enumerate(part.factors):
                if is_slope(factor) and i:
                    yield Edit("missing-derivative", ((part.factors[i - 1].tree.end, factor.tree.end, ""),))
                elif is_slope(factor):
                    yield Edit("missing-derivative", ((factor.tree.start, part.factors[1].tree.start, ""),))


def for_scalars(site: Site) -> Iterator[Edit]:
    """diag taken off, an entrywise product as a plain one, an outer product without its transpose."""
    for part, above in site.places:
        if isinstance(part, Call) and part.name == "diag" and part.tree.end:
            yield Edit("scalar-formula", ((part.tree.start, part.tree.end, f"({site.text(part.arguments[0])})"),))
        elif isinstance(part, Hadamard) and not any(isinstance(a, Hadamard) for a in above):
            gaps = zip(part.factors, part.factors[1:], strict=False)
            yield Edit("scalar-formula", tuple((a.tree.end, b.tree.start, r" \cdot ") for a, b in gaps))


def one_step(site: Site) -> Iterator[Edit]:
    """The bound of one step for many, or that of many for one."""
    left = site.left
    if not isinstance(left, Norm) or not isinstance(left.of, Deriv):
        return
    for part, _ in site.places:
        if isinstance(part, Pow) and isinstance(part.exponent, Counter | Add | Ref):
            yield Edit("one-step-bound", ((part.base.tree.end, part.tree.end, ""),))
            yield Edit("one-step-bound", ((part.exponent.tree.start, part.exponent.tree.end, "{t+2}"),))


def _figures(site: Site) -> Iterator[Num]:
    for part, above in site.places:
        if isinstance(part, Num) and "." in part.text and not any(isinstance(a, Deriv) for a in above):
            yield part


def slip(site: Site) -> Iterator[Edit]:
    """Two digits of a figure exchanged, or one of them wrong."""
    for part in _figures(site):
        digits = [i for i, c in enumerate(part.text) if c.isdigit()]
        where = digits[len(digits) // 2]
        wrong = part.text[:where] + str((int(part.text[where]) + 3) % 10) + part.text[where + 1 :]
        start = part.tree.start
        yield Edit("arithmetic", ((start, start + len(part.text), wrong),))


def misrounded(site: Site) -> Iterator[Edit]:
    """The last digit of a figure one too large."""
    for part in _figures(site):
        if part is site.operand and len(part.text.partition(".")[2]) > 2 and part.text[-1] != "9":
            start = part.tree.start
            yield Edit("rounding", ((start, start + len(part.text), part.text[:-1] + str(int(part.text[-1]) + 1)),))


CORRUPTIONS: dict[str, Callable[[Site], Iterator[Edit]]] = {
    "lost-sum": lost_sum,
    "missing-derivative": missing_slope,
    "misplaced-derivative": _of(shifts, "misplaced-derivative"),
    "transposed": transposes,
    "reversed-product": _of(orders, "reversed-product"),
    "inverted-factor": inverted,
    "index-shift": _of(shifts, "index-shift"),
    "sign": signs,
    "total-immediate": _of(modes),
    "scalar-formula": for_scalars,
    "one-step-bound": one_step,
    "arithmetic": slip,
    "rounding": misrounded,
}
"""Cause -> the edits that make a formula wrong in that way."""


# -- the notes ----------------------------------------------------------------------------------------


@dataclass
class Source:
    """A note with its statements, its worlds, and which statements hold."""

    note: Note
    found: list[Statement] = field(default_factory=list)
    held: list[Statement] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    places: dict[int, Statement] = field(default_factory=dict)
    worlds: dict[int, Worlds] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked = judged_note(self.note)
        self.symbols = checked.symbols
        self.found = checked.statements
        wording = Wording.of(self.found)
        for (statement, judgement), place in zip(checked.judged, checked.places, strict=True):
            worlds, settled, built = place.worlds, place.settled, place.built
            if judgement.verdict != HOLDS or statement.read.formula.mapped is not None:
                continue
            plain = without_macros(statement.latex, self.note.macros)
            whole = statement if plain == statement.latex else read_again(plain, statement, self.symbols, {})
            if whole is None:
                continue
            self.held.append(statement)
            self.worlds[statement.number] = worlds
            scalars = settled.scalars or (not worlds.vectors and bool(worlds.scalars))
            for target in range(1, len(statement.operands)):
                self.places[len(self.sites)] = statement
                self.sites.append(Site(whole, target, wording, built, scalars, False, tuple(self.found)))


def notes() -> list[Note]:
    """Return the notes without a mistake."""
    files = [f for f in sorted(NOTES.iterdir()) if not f.name.startswith("planted") and f.suffix != ".toml"]
    return [read_note(f) for f in files]


def own() -> list[Note]:
    """Return derivations of the package as notes."""
    found = []
    for name, options in OWN:
        text = load(name).derivation(lang="en", **options).to_markdown()
        found.append(note_of(text, f"{name}.md"))
    return found


# -- one corruption -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """A formula made wrong."""

    source: Source
    statement: Statement
    site: Site
    cause: str
    latex: str

    @property
    def note(self) -> Note:
        """The note with the formula in its place."""
        note, statement = self.source.note, self.statement
        a, b = statement.start, statement.end
        by = len(self.latex) - (b - a)
        text = note.text[:a] + self.latex + note.text[b:]

        def moved(at: int) -> int:
            return at if at <= a else at + by

        formulas = []
        for f in note.formulas:
            if f is statement.read.formula:
                inner = f.latex[: statement.tree.start] + self.latex + f.latex[statement.tree.end :]
                formulas.append(replace(f, latex=inner))
            else:
                mapped = None if f.mapped is None else tuple(moved(at) for at in f.mapped)
                formulas.append(replace(f, start=moved(f.start), mapped=mapped))
        passages = tuple(replace(p, start=moved(p.start), end=moved(p.end)) for p in note.passages)
        cells = tuple((moved(at), number) for at, number in note.cells)
        return replace(note, text=text, formulas=tuple(formulas), passages=passages, cells=cells, problems=())


def mutants(source: Source) -> Iterator[Mutant]:
    """Yield every corruption that changes the value of an operand."""
    for number, site in enumerate(source.sites):
        for cause, corrupt in CORRUPTIONS.items():
            seen = set()
            for edit in corrupt(site):
                tree = site.statement.tree
                latex = applied(site.latex, edit.spans, tree.start, tree.end)
                if latex not in seen and len(edit.spans) < 6:
                    seen.add(latex)
                    yield Mutant(source, source.places[number], site, cause, latex)


def changed(mutant: Mutant) -> bool:
    """Whether a corruption can be read and changes the value of its operand at random instances."""
    statement, source = mutant.statement, mutant.source
    new = read_again(mutant.latex, statement, source.symbols, source.note.macros)
    if new is None or len(new.operands) != len(statement.operands):
        return False
    worlds = source.worlds[statement.number]
    for some in ((worlds.given,) if worlds.given is not None else (), worlds.vectors, worlds.scalars, worlds.free):
        for reading in (*PLAIN, *(r for _, r in CONCEDING)) if some else ():
            here = tuple(replace(w, reading=reading) for w in some)
            if test(statement, here).state == TRUE:
                return _differ(statement, new, mutant.site.target, here)
    return False


def _differ(old: Statement, new: Statement, target: int, worlds: tuple[Any, ...]) -> bool:
    if old.relations[target - 1].kind in ("le", "ge", "<", ">", "propto", "ll", "gg"):
        return test(new, worlds).state == "false"
    for world in worlds:
        for letters in assignments(old, world):
            inner = world.counting(**letters)
            try:
                before = value(old.operands[target], inner)
            except (NoValueError, NoStepError, NotEvaluatedError, UnfitError):
                continue
            try:
                after = value(new.operands[target], inner)
            except UnfitError:
                return True
            except (NoValueError, NoStepError, NotEvaluatedError):
                continue
            if before.shape != after.shape:
                if before.shape != after.shape[::-1] or len(before.shape) != 2:
                    return True
                continue
            gap = np.abs(np.real(before.array) - np.real(after.array)).max(initial=0)
            if gap > 1e-9 * max(1.0, float(np.abs(np.real(before.array)).max(initial=0))):
                return True
    return False


# -- the figures --------------------------------------------------------------------------------------


@dataclass
class Figures:
    """How many corruptions of a kind were tried, refuted, conditional, and given the right cause."""

    tried: int = 0
    refuted: int = 0
    conditional: int = 0
    named: int = 0
    right: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def caught(self) -> int:
        """Refuted, or true under a condition alone, which is said."""
        return self.refuted + self.conditional


def _order(mutant: Mutant) -> str:
    return hashlib.sha256(
        f"{Path(mutant.source.note.file).name}{mutant.statement.start}{mutant.latex}".encode()
    ).hexdigest()


def run(sources: list[Source], each: int | None = EACH) -> dict[str, Figures]:
    """Return the figures of each kind of corruption."""
    groups: dict[str, list[Mutant]] = defaultdict(list)
    for source in sources:
        for mutant in mutants(source):
            groups[mutant.cause].append(mutant)
    found = {cause: Figures() for cause in CORRUPTIONS}
    for cause, figures in found.items():
        for mutant in sorted(groups[cause], key=_order):
            if each is not None and figures.tried >= each:
                break
            if changed(mutant):
                _try(mutant, figures)
    return found


def _try(mutant: Mutant, figures: Figures) -> None:
    claims = [c for c in check_note(mutant.note).claims if c.start == mutant.statement.start]
    figures.tried += 1
    verdict = claims[0].verdict if claims else "lost"
    figures.refuted += verdict == REFUTED
    figures.conditional += verdict == CONDITIONAL
    figures.named += verdict == REFUTED and claims[0].cause == mutant.cause
    figures.right += verdict == REFUTED and claims[0].right is not None
    line = mutant.source.note.place(mutant.statement.start)[0]
    shown = re.sub(r"\s+", " ", mutant.latex)
    if verdict not in (REFUTED, CONDITIONAL):
        figures.missed.append(f"{mutant.source.note.file}:{line} {verdict}: {shown}")
    elif verdict == CONDITIONAL:
        condition = claims[0].condition
        figures.missed.append(f"({mutant.source.note.file}:{line} {condition and condition.key}: {shown})")
    elif claims[0].cause != mutant.cause or claims[0].right is None:
        figures.missed.append(f"[{mutant.source.note.file}:{line} {claims[0].cause}: {shown}  -->  {claims[0].right}]")


def table(found: dict[str, Figures]) -> str:
    """Return the figures as text."""
    lines = [f"{'cause':22}{'corrupted':>10}{'refuted':>9}{'condition':>10}{'cause right':>12}{'formula':>9}"]
    for cause, f in [*found.items(), ("all", total(found))]:
        lines.append(f"{cause:22}{f.tried:10}{f.refuted:9}{f.conditional:10}{f.named:12}{f.right:9}")
    return "\n".join(lines)


def total(found: dict[str, Figures]) -> Figures:
    """Return the sum of all figures."""
    every = list(found.values())
    return Figures(*(sum(getattr(f, name) for f in every) for name in
                     ("tried", "refuted", "conditional", "named", "right")))  # fmt: skip


def main(arguments: list[str]) -> None:
    """Print the figures."""
    chosen = [
        *([] if "--only-own" in arguments else notes()),
        *(own() if {"--own", "--only-own"} & {*arguments} else []),
    ]
    sources = [Source(note) for note in chosen]
    found = run(sources, None if "--all" in arguments else EACH)
    print(table(found))
    if "--missed" in arguments:
        for cause, figures in found.items():
            for line in figures.missed:
                print(f"{cause}  {line}")


if __name__ == "__main__":
    main(sys.argv[1:])
