"""Notes that somebody else wrote, checked: every formula with a relation gets a verdict."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from ..algebra import FUNCTIONS
from ..errors import NoteError, ValueInputError, nearest
from ..model.losses import LOSSES
from ..reading.check.given import Options
from ..reading.fix import fixed
from ..reading.note import Note
from ..reading.report import Claim, Lint, Report, Understood, joined
from .model import RNN, load

PASTED = "<text>"
"""What a text that is no file is called in reports."""


class NoteReport:
    """What was found in notes: a :class:`symbptt.reading.report.Report` in a language.

    True if nothing is refuted. In a notebook it shows itself.

    Attributes
    ----------
    data : symbptt.reading.report.Report
    lang : str
    """

    def __init__(self, data: Report, lang: str = "en") -> None:
        self.data, self.lang = data, lang

    @property
    def counts(self) -> dict[str, int]:
        """Verdict -> number of claims, every verdict in its order."""
        return self.data.counts

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The formulas with a relation, in the order of the text."""
        return self.data.claims

    @property
    def lints(self) -> tuple[Lint, ...]:
        """What a reader would stumble over beside the formulas."""
        return self.data.lints

    @property
    def models(self) -> tuple[Understood, ...]:
        """The models that were understood."""
        return self.data.models

    @property
    def formulas(self) -> int:
        """How many formulas there are."""
        return self.data.formulas

    @property
    def read(self) -> int:
        """How many of them could be read."""
        return self.data.read

    @property
    def ok(self) -> bool:
        """Whether nothing is refuted."""
        return self.data.ok

    def __bool__(self) -> bool:
        return self.ok

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NoteReport):
            return NotImplemented
        return self.data == other.data and self.lang == other.lang

    def __repr__(self) -> str:
        counts = ", ".join(f"{verdict} {number}" for verdict, number in self.counts.items() if number)
        return f"<NoteReport: {self.formulas} formulas, {self.read} read{'; ' * bool(counts)}{counts}>"

    def fixed(self) -> str:
        """Return the text of the only note with its refuted formulas replaced by the right ones.

        Raises
        ------
        NoteError
            Of several notes.
        """
        if len(self.data.notes) != 1:
            raise NoteError(f"a report about {len(self.data.notes)} notes has no one text: check them one by one")
        return fixed(self.data.notes[0], self.claims).text

    def to_text(self, everything: bool = False) -> str:
        """Return the report as a linter writes it; ``everything`` lists what holds too."""
        from ..render.notes_text import to_text

        return to_text(self.data, self.lang, everything)

    def to_json(self) -> str:
        """Return the report as JSON; its schema is ``docs/schemas/check.schema.json``."""
        from ..render.notes_json import to_json

        return to_json(self.data, self.lang)

    def to_html(self) -> str:
        """Return the notes with a mark on each formula, as one HTML page that needs nothing else."""
        from ..render.notes_html import to_html

        return to_html(self.data, self.lang)

    def _repr_html_(self) -> str:
        from ..render.notes_html import to_fragment

        return to_fragment(self.data, self.lang)


def check_notes(
    *notes: str | os.PathLike[str],
    lang: str = "en",
    kind: str | None = None,
    assume: Mapping[str, Any] | None = None,
    model: RNN | str | Path | None = None,
    run_code: Sequence[str] = (),
    arguments: Mapping[str, Any] | None = None,
) -> NoteReport:
    """Check the formulas of notes on backpropagation through time.

    Parameters
    ----------
    *notes : str or path
        A path, or the text of a note. A string of one line that names a file is a path.
    lang : str
        Of the report.
    kind : str, optional
        Of the texts: ``markdown``, ``latex``, ``notebook`` or ``rst``. Files say it by their suffix.
    assume : mapping, optional
        What the notes leave open: numbers, and what functions are, as in ``{"W_h": 2.0, "f": "tanh"}``;
        ``{"loss": "cross_entropy"}``, ``{"layout": "denominator"}`` (or ``"numerator"``), ``{"scalars": True}`` or
        ``{"matrices": True}``.
    model : RNN, str or path, optional
        The model that the notes are about, in place of the equations that they give: a model, a worked example, a
        cell of the catalogue, or a model file. Symbols are matched by the usual notations.
    run_code : sequence of str
        Functions in the notes' Python whose gradients are checked: ``f``, ``Class.method`` or ``forward:backward``.
        Only then is anything of that Python run, all of it, in another process with limits.
    arguments : mapping, optional
        What these functions are called with where the notes do not say it: a number, a list, an array, or a text as
        for ``--with``, such as ``"(2,3)"`` for random numbers of that shape.

    Returns
    -------
    NoteReport

    Raises
    ------
    NoteError
        Where a note cannot be read at all: no such file, a directory, not UTF-8, too large.
    UnknownNameError
        For a language that there is not.
    ValueInputError
        Where what is assumed is neither a number nor a function.
    """
    from ..render.phrases import check_language

    check_language(lang)
    settings = options(assume, model)
    found = [checked(note, **settings) for note in _all_of(distinct(notes), kind)]
    return NoteReport(joined(with_code(found, run_code, arguments, settings)), lang)


def with_code(
    reports: Sequence[Report],
    names: Sequence[str],
    arguments: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Sequence[Report]:
    """Return reports with the gradients of functions in their notes checked; nothing is run where none is named."""
    if not names:
        return reports
    from ..reading.code.given import read_names, specs
    from ..reading.code.run import run_notes

    given, sizes = specs(arguments or {}), (settings or {}).get("assumed", {})
    checks = run_notes([report.notes[0] for report in reports], read_names(names), given, sizes)
    return [replace(report, code=code) for report, code in zip(reports, checks, strict=True)]


def options(assume: Mapping[str, Any] | None, model: RNN | str | Path | None = None) -> dict[str, Any]:
    """Return what the judging is told about the model: numbers, what functions are, and the rest.

    >>> options({"W_h": "0.5", "f": "tanh"})
    {'assumed': {'W_h': 0.5}, 'functions': {'f': 'tanh'}}

    Raises
    ------
    ValueInputError
        For what is neither a number nor the name of a function, or no word that the name takes.
    """
    numbers: dict[str, float] = {}
    functions: dict[str, str] = {}
    said: dict[str, Any] = {}
    for name, value in (assume or {}).items():
        number = _number(value)
        if name in _WORDS:
            said[name] = _word(name, value)
        elif name in SIZES:
            said.update(_sizes(name, value, said))
        elif number is not None:
            numbers[name] = number
        elif value in FUNCTIONS:
            functions[name] = str(value)
        elif isinstance(value, str):
            raise ValueInputError(f"{name}={value}: no number, and no function{nearest(value, FUNCTIONS)}")
        else:
            raise ValueInputError(f"{name}={value}: give one number for each name, such as x_1=1 and x_2=0.5")
    if model is not None:
        found = model if isinstance(model, RNN) else load(model)
        said |= {"model": found.network, "notation": found.notation}
    told = {"options": Options(**said)} if said else {}
    return {k: v for k, v in (("assumed", numbers), ("functions", functions)) if v} | told


_WORDS = {"loss": tuple(LOSSES), "layout": ("numerator", "denominator")}
"""Names that take a word -> the words."""
SIZES = ("scalars", "matrices")
"""Names that take nothing: all symbols are numbers, or vectors and matrices."""
_YES = (True, "", "yes", "true", "1", 1)


def _word(name: str, value: Any) -> str:
    if value not in _WORDS[name]:
        choices = ", ".join(_WORDS[name])
        raise ValueInputError(f"{name}={value}: give one of {choices}")
    return str(value)


def _sizes(name: str, value: Any, said: Mapping[str, Any]) -> dict[str, str]:
    if value not in _YES:
        raise ValueInputError(f"{name}={value}: {name} takes no value")
    if said.get("sizes", name) != name:
        raise ValueInputError(f"{said['sizes']} and {name} exclude each other: give one")
    return {"sizes": name}


def _number(value: Any) -> float | None:
    """Return a finite number, None of what is none."""
    if isinstance(value, list | tuple | dict):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None


def checked(note: Note, **settings: Any) -> Report:
    """Return the report about a note that has been read."""
    from ..reading.check import check_note

    found: Report = check_note(note, **settings)
    return found if found.notes else replace(found, notes=(note,))


def distinct(notes: Sequence[str | os.PathLike[str]]) -> list[str | os.PathLike[str]]:
    """Return the notes in their order, each once."""
    if not notes:
        raise NoteError("no note is given: name a file, or give a text")
    return list(dict.fromkeys(notes))


def _all_of(notes: Sequence[str | os.PathLike[str]], kind: str | None) -> list[Note]:
    """Return the notes of paths and texts; of several texts each has a number in its name."""
    from ..reading.extract import note_of, read_note

    texts = [note for note in notes if isinstance(note, str) and not _is_path(note)]
    names = {text: PASTED if len(texts) == 1 else f"<text {i}>" for i, text in enumerate(texts, 1)}
    return [
        note_of(note, names[note], kind or guessed(note))
        if isinstance(note, str) and note in names
        else read_note(note)
        for note in notes
    ]


def _is_path(text: str) -> bool:
    from ..reading.extract import SUFFIXES

    if "\n" in text or "$" in text or not text.strip():
        return False
    if text.lower().endswith(tuple(filter(None, SUFFIXES))):
        return True  # where there is no such file, that is an error, and not a note without a formula
    try:
        return os.path.lexists(text)
    except ValueError:  # a character that no path has
        return False


def guessed(text: str) -> str:
    """Return what kind of note a text is.

    >>> guessed("# Notes"), guessed(r"\\documentclass{article}")
    ('markdown', 'latex')
    """
    if text.lstrip().startswith("{") and '"cells"' in text:
        return "notebook"
    if "\\begin{document}" in text or text.lstrip().startswith("\\documentclass"):
        return "latex"
    return "markdown"
