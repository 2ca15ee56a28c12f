"""A note cut into what a page shows: headings, paragraphs, items, code; delimiters and other syntax left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..reading.note import Formula, Note

Block = Literal["heading", "text", "item", "code", "rest"]

_BEFORE = re.compile(
    r"""(?: \$\$? | \\\\?[(\[] | \\begin\{\w+\*?\}(?:\{[^{}]*\})?(?:\[[^\[\]]*\])? | (?:```+|~~~+)[ ]*\{?math\}?
    | :math:` | \.\.[ ]math::[^\n]* | <img\b[^<>]* | !\[[^\]\n]*(?:\]\([^()\s]*)? )\s*\Z""",
    re.VERBOSE,
)
_AFTER = re.compile(
    r"""\s*(?: \$\$? | \\\\?[)\]] | \\end\{\w+\*?\} | ```+ | ~~~+ | ` )""",
    re.VERBOSE,
)
_IMAGE_AFTER = {"<": re.compile(r"[^<>]*>"), "!": re.compile(r"[^)\n]*\)")}
_MARKERS = {
    "heading": re.compile(r"\s*(?:\#+[ \t]*|\\(?:sub)*(?:section|paragraph|chapter|part)\*?\s*\{)"),
    "item": re.compile(r"\s*(?:[-*+][ \t]+|\\item\b[ \t]*)"),
}
_LOOK_BACK = 400


@dataclass(frozen=True)
class Piece:
    """A block of a note: its kind, level and place; of code also its text, which need not stand in the note's."""

    kind: Block
    start: int
    end: int
    level: int = 0
    code: str = ""


@dataclass(frozen=True)
class Placed:
    """A formula, with the place that it takes with its delimiters."""

    formula: Formula
    start: int
    end: int


def placed(note: Note) -> list[Placed]:
    """Return the formulas of a note with their delimiters.

    >>> note = Note("n.md", "so \\\\( a = b \\\\) and", (Formula(" a = b ", 5),))
    >>> [(f.start, f.end) for f in placed(note)]
    [(3, 14)]
    """
    found: list[Placed] = []
    last = 0
    formulas = sorted(note.formulas, key=lambda f: f.start)
    for i, formula in enumerate(formulas):
        following = formulas[i + 1].start if i + 1 < len(formulas) else len(note.text)
        first = max(last, formula.start - _LOOK_BACK)
        before = _BEFORE.search(note.text[first : formula.start])
        start = first + before.start() if before else formula.start
        image = before[0][0] if before else ""
        after = _IMAGE_AFTER.get(image, _AFTER).match(note.text, formula.end, max(following, formula.end))
        last = after.end() if after and before else formula.end
        found.append(Placed(formula, start, last))
    return found


def pieces(note: Note) -> Iterator[Piece]:
    """Yield the blocks of a note in order; what lies between passages too, so that nothing is lost."""
    known = [Piece(p.kind, p.start, p.end, p.level) for p in note.passages]
    for block in note.code:
        if note.text.startswith(block.text, block.start):
            known.append(Piece("code", block.start, block.start + len(block.text), code=block.text))
        elif note.cells:  # a code cell, between two that hold the text
            known.append(Piece("code", block.start, block.start, code=block.text))
    at = 0
    for piece in sorted(known, key=lambda piece: (piece.start, piece.end)):
        if piece.start < at or (piece.end <= piece.start and not piece.code):
            continue
        yield from _rest(note.text, at, piece.start)
        yield piece
        at = piece.end
    yield from _rest(note.text, at, len(note.text))


def _rest(text: str, start: int, end: int) -> Iterator[Piece]:
    """Yield what stands between passages, a piece for each run of lines."""
    for match in re.compile(r"\S(?:[^\n]|\n(?![ \t\r]*\n))*").finditer(text, start, end):
        yield Piece("rest", match.start(), match.end())


def content(note: Note, piece: Piece) -> tuple[int, int]:
    """Return where the words of a block begin and end, without the marks of Markdown or LaTeX.

    >>> content(Note("n.md", "## Gradient ##"), Piece("heading", 0, 14, 2))
    (3, 11)
    """
    start, end = piece.start, piece.end
    marker = _MARKERS.get(piece.kind)
    match = marker.match(note.text, start, end) if marker else None
    if match:
        start = match.end()
        tail = re.search(r"\s*\}\s*\Z" if match[0].endswith("{") else r"\s*#*\s*\Z", note.text[start:end])
        end = start + tail.start() if tail and piece.kind == "heading" else end
    return start, end
