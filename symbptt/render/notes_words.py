"""The words of a report about notes: messages filled in, numbers short, places as linters write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ..reading.report import Claim, Counterexample, Lint, Math, Message, Report, Understood
from .phrases import PLACEHOLDER, catalogue

Part: TypeAlias = "str | Math"
"""Words, or a formula among them."""

_BETWEEN = {"en": ", ", "zh": "、"}
_COMMA = {"en": ", ", "zh": "，"}
_MOST_ENTRIES = 4
_DIGITS = 4


def worded(message: Message, lang: str) -> tuple[Part, ...]:
    """Return a message as words and formulas.

    Parameters
    ----------
    message : Message
        Its values may be numbers, texts, formulas, messages, or sequences of these.
    lang : str

    Returns
    -------
    tuple of str and Math
        Neighbouring words joined, and formulas with nothing but a space between them.

    Examples
    --------
    >>> from symbptt.reading.report import message
    >>> worded(message("check.reason.no-value", symbol=Math("c")), "en")
    ('the note does not say what ', Math(latex='c'), ' is')
    """
    return _joined(_phrase(catalogue(lang)[message.key], dict(message.values), lang))


def phrase(key: str, lang: str, **values: Any) -> str:
    """Return a phrase of the catalogue with plain words filled in.

    >>> phrase("notes.line", "zh", line=3)
    '第 3 行'
    """
    return plain(_joined(_phrase(catalogue(lang)[key], values, lang)))


def plain(parts: Sequence[Part]) -> str:
    """Return words with their formulas as LaTeX in dollar signs.

    >>> plain(("the state ", Math("h_t")))
    'the state $h_t$'
    """
    return "".join(f"${part.latex}$" if isinstance(part, Math) else part for part in parts)


def text_of(message: Message | None, lang: str) -> str | None:
    """Return a message as one line of text; None of none."""
    return None if message is None else plain(worded(message, lang))


def _phrase(text: str, values: Mapping[str, Any], lang: str) -> list[Part]:
    parts: list[Part] = []
    for i, piece in enumerate(PLACEHOLDER.split(text)):
        parts += _value(values.get(piece, ""), lang) if i % 2 else _with_formulas(piece)
    return parts


def _with_formulas(text: str) -> list[Part]:
    return [Math(piece) if i % 2 else piece for i, piece in enumerate(text.split("$"))]


def _value(value: Any, lang: str) -> list[Part]:
    if isinstance(value, Math):
        return [value]
    if isinstance(value, Message):
        return list(worded(value, lang))
    if isinstance(value, tuple | list):
        parts: list[Part] = []
        for item in value:
            parts += [_BETWEEN.get(lang, ", ")] * bool(parts) + _value(item, lang)
        return parts
    return [number(value) if isinstance(value, float) else str(value)]


def _joined(parts: Sequence[Part]) -> tuple[Part, ...]:
    found: list[Part] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, str) and isinstance(last, str):
            found[-1] = last + part
        elif isinstance(part, Math) and last == " " and len(found) > 1:
            before = found[-2]  # a formula: words would have joined the space
            found[-2:] = [Math(f"{before.latex} {part.latex}")] if isinstance(before, Math) else [last, part]
        elif part != "":
            found.append(part)
    return tuple(found)


# -- numbers ---------------------------------------------------------------------------------------------------
def number(value: Any, digits: int = _DIGITS) -> str:
    """Return a number with few digits; of tuples of numbers the first ones.

    >>> number(13.0), number(0.123456), number(2), number(((1.0, 2.0), (3.0, 4.5)))
    ('13.0', '0.1235', '2', '[[1.0, 2.0], [3.0, 4.5]]')
    >>> number(tuple(map(float, range(9))))
    '[0.0, 1.0, 2.0, ..., 8.0]'
    """
    if isinstance(value, tuple | list):
        parts = [number(part, digits) for part in value]
        if len(parts) > _MOST_ENTRIES:
            parts[_MOST_ENTRIES - 1 : -1] = ["..."]
        return f"[{', '.join(parts)}]"
    if isinstance(value, int) or not isinstance(value, float):
        return str(value)
    text = f"{value:.{digits}g}"
    return text if any(char in text for char in ".en") else text + ".0"


def both(example: Counterexample, lang: str) -> tuple[str, str]:
    """Return the two values of a counterexample, with as many digits as it takes to tell them apart.

    >>> both(Counterexample("a", "b", "=", 1.0000012, 1.0), "en")
    ('1.000001', '1.0')
    """
    values = (example.left_value, example.right_value)
    pair = ("", "")
    for digits in range(_DIGITS, 18):
        pair = (number(values[0], digits), number(values[1], digits))
        if pair[0] != pair[1]:
            break
    missing = catalogue(lang)["notes.sizes_unfit"]
    return (missing if values[0] is None else pair[0], missing if values[1] is None else pair[1])


def instance(example: Counterexample, lang: str) -> str:
    """Return where a counterexample lives: sizes, indices, and the numbers that are worth showing.

    >>> instance(Counterexample("a", "b", "=", 1.0, 2.0, sizes=(("n", 2),), indices=(("t", 1),)), "en")
    'n = 2, t = 1'
    """
    named = [*example.sizes, *example.indices, *example.numbers]
    parts = [f"{name} = {number(value)}" for name, value in named]
    if example.given:
        parts = [catalogue(lang)["notes.own_numbers"], *parts]
    return _COMMA.get(lang, ", ").join(parts)


def counterexample_text(example: Counterexample, lang: str) -> str:
    """Return a counterexample in one line.

    >>> counterexample_text(Counterexample("a", "b", "=", 13.0, 12.0, sizes=(("n", 2), ("T", 3))), "en")
    'left = 13.0, right = 12.0 at n = 2, T = 3'
    """
    left, right = both(example, lang)
    values = phrase("notes.counterexample", lang, left=left, right=right)
    where = instance(example, lang)
    return phrase("notes.at", lang, values=values, instance=where) if where else values


# -- places and counts -----------------------------------------------------------------------------------------
def place(found: Claim | Lint) -> str:
    """Return ``file:line:column``, in a notebook with the number of the cell.

    >>> from symbptt.reading.report import message
    >>> place(Lint("a.ipynb", 2, 7, "unclosed", message("check.lint.unclosed", what="$"), cell=3))
    'a.ipynb:cell 3:2:7'
    """
    cell = "" if found.cell is None else f":cell {found.cell}"
    return f"{found.file}{cell}:{found.line}:{found.column}"


def counts_text(report: Report, lang: str) -> str:
    """Return how many formulas there are, and how many of them were read."""
    key = "notes.counts_one" if report.formulas == 1 else "notes.counts"
    return phrase(key, lang, formulas=report.formulas, read=report.read)


def verdict_word(verdict: str, lang: str) -> str:
    """Return the word for a verdict.

    >>> verdict_word("refuted", "zh")
    '错误'
    """
    return catalogue(lang)[f"check.verdict.{verdict}"]


def cause_text(claim: Claim, lang: str) -> str | None:
    """Return the sentence that explains the likely mistake; None where none is known."""
    return None if claim.cause is None else text_of(Message(f"check.cause.{claim.cause}"), lang)


def model_title(model: Understood, lang: str) -> str:
    """Return from where on a model holds."""
    if model.cell is None:
        return phrase("notes.model", lang, line=model.line)
    return phrase("notes.model_cell", lang, cell=model.cell, line=model.line)


def verdict_summary(report: Report, lang: str) -> str:
    """Return what no count says: that nothing is refuted, and how far that goes; empty where something is."""
    if not report.ok:
        return ""
    if not report.formulas and not report.claims:
        return phrase("notes.empty", lang)
    counts = report.counts
    silent = counts["unchecked"] + counts["unread"]
    return phrase("notes.clean_but", lang, count=silent) if silent else phrase("notes.clean", lang)
