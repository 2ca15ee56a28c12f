"""The corrected note: the refuted formulas replaced by the right ones, and not a character changed beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from .note import Note
from .report import REFUTED, Claim


@dataclass(frozen=True)
class Fixed:
    """A corrected note.

    Attributes
    ----------
    text : str
        The note with what could be replaced; of a notebook, its Markdown cells as in :attr:`Note.text`.
    replaced : tuple of Claim
    left : tuple of Claim
        Refuted claims that stay as they are: no right formula is known, or their place cannot be written to.
    edits : tuple of (int, int, str)
        Start and end in the text of the note, and what comes there.
    """

    text: str
    replaced: tuple[Claim, ...] = ()
    left: tuple[Claim, ...] = ()
    edits: tuple[tuple[int, int, str], ...] = ()


def fixed(note: Note, claims: Iterable[Claim]) -> Fixed:
    """Return the note with its refuted formulas replaced by the right ones.

    Parameters
    ----------
    note : Note
    claims : iterable of Claim
        Those of this note; others are passed over.

    Returns
    -------
    Fixed
        Of claims that overlap only the first is replaced.

    Examples
    --------
    >>> from symbptt.reading.note import Formula
    >>> from symbptt.reading.report import Claim, message
    >>> note = Note("n.md", "so $2 + 2 = 5$.", (Formula("2 + 2 = 5", 4),))
    >>> wrong = Claim(
    ...     "n.md", 1, 5, 4, 13, "2 + 2 = 5", "refuted", message("check.reason.follows", line=1), right="2 + 2 = 4"
    ... )
    >>> fixed(note, [wrong]).text
    'so $2 + 2 = 4$.'
    """
    edits: list[tuple[int, int, str]] = []
    replaced, left = [], []
    refuted = [c for c in claims if c.verdict == REFUTED and c.file == note.file]
    for claim in sorted(refuted, key=lambda c: (c.start, -c.end)):
        free = not edits or edits[-1][1] <= claim.start
        written = _as_in_the_note(note, claim) if free else None
        if written is None:
            left.append(claim)
        else:
            edits.append((claim.start, claim.end, written))
            replaced.append(claim)
    return Fixed(_edited(note.text, edits), tuple(replaced), tuple(left), tuple(edits))


def _edited(text: str, edits: Iterable[tuple[int, int, str]], origin: int = 0) -> str:
    pieces, at = [], 0
    for start, end, written in edits:
        pieces += [text[at : start - origin], written]
        at = end - origin
    return "".join([*pieces, text[at:]])


# -- as the note needs it --------------------------------------------------------------------------------------
def _as_in_the_note(note: Note, claim: Claim) -> str | None:
    """Return the right formula as it is written at its place; None where that is not known."""
    if claim.right is None:
        return None
    old = note.text[claim.start : claim.end]
    right = _aligned(claim.right, claim.latex)
    around = next((f for f in note.formulas if f.start <= claim.start and claim.end <= f.end), None)
    written = right
    if around is not None and around.mapped is not None:
        whole = note.text[around.start : around.end]
        ways = (way for way in _WAYS if way(around.latex) == whole)
        way = next(ways, None)
        if way is None:
            return None
        written = way(right)
    lead, tail = re.match(r"\s*", old), re.search(r"\s*\Z", old)
    return f"{lead[0] if lead else ''}{written.strip()}{tail[0] if tail else ''}"


_RELATION = re.compile(r":=|=|<|>|\\(?:le|leq|leqslant|ge|geq|geqslant|approx|equiv|propto|to|sim)(?![A-Za-z])")


def _aligned(right: str, old: str) -> str:
    """Put an alignment mark before the first relation sign of the right formula, if the old one has one there.

    >>> _aligned("a_{i=1} = b", "a_{i=1} &= c")
    'a_{i=1} &= b'
    """
    if "&" in right or not re.search(rf"&\s*(?:{_RELATION.pattern})", old):
        return right
    for match in _RELATION.finditer(right):
        if right.count("{", 0, match.start()) == right.count("}", 0, match.start()):
            return f"{right[: match.start()]}&{right[match.start() :]}"
    return right


def _doubled(latex: str) -> str:
    """Write every backslash twice, as Markdown that goes through Jekyll has it."""
    return latex.replace("\\", "\\\\")


def _some_doubled(latex: str) -> str:
    """Write a backslash twice before a bracket, and where it is two."""
    return re.sub(r"\\([{}|,;!:])|\\\\", lambda match: "\\" + match[0] if match[1] else "\\" * 4, latex)


def _underscores(latex: str) -> str:
    """Write a backslash before what Markdown would take for emphasis."""
    return re.sub(r"[_*]", lambda match: "\\" + match[0], latex)


_WAYS: tuple[Callable[[str], str], ...] = (
    _doubled,
    _some_doubled,
    _underscores,
    lambda latex: _underscores(_doubled(latex)),
    lambda latex: _underscores(_some_doubled(latex)),
    lambda latex: escape(latex, quote=False),
    escape,
    lambda latex: quote(latex, safe=""),
    lambda latex: quote(latex, safe="()"),
    lambda latex: quote(latex, safe="()*!'~"),
    quote_plus,
    lambda latex: quote_plus(latex, safe="()"),
    lambda latex: quote_plus(latex, safe="()*!'~"),
)
"""How LaTeX is written where it does not stand as it is; of those that give the old formula the first is taken."""


# -- notebooks -------------------------------------------------------------------------------------------------
def fixed_notebook(source: str, note: Note, result: Fixed) -> str | None:
    """Return the file of a notebook with the corrected cells, and everything else as it was.

    Parameters
    ----------
    source : str
        The notebook as it stands in the file.
    note : Note
    result : Fixed

    Returns
    -------
    str or None
        None if the cells of the file are not those of the note.
    """
    data = json.loads(source)
    ends = [start for start, _ in note.cells[1:]] + [len(note.text)]
    for (start, number), end in zip(note.cells, ends, strict=True):
        edits = [edit for edit in result.edits if start <= edit[0] < end]
        if edits and not _change(data["cells"][number - 1], note.text[start:end], edits, start):
            return None
    return _dumped(data, source)


def _change(cell: dict[str, Any], text: str, edits: list[tuple[int, int, str]], start: int) -> bool:
    old = cell["source"]
    whole = old if isinstance(old, str) else "".join(old)
    if not text.startswith(whole) or text[len(whole) :].strip():
        return False
    new = _edited(whole, edits, start)
    cell["source"] = new if isinstance(old, str) else new.splitlines(keepends=True)
    return True


def _dumped(data: Any, source: str) -> str:
    """Write JSON as the file was written: its indent, its letters, its last line."""
    found = re.match(r"\{\r?\n([ \t]+)", source)
    indent = found[1] if found else None
    end = source[len(source.rstrip()) :]
    ascii_only = source.isascii() and "\\u" in source
    return json.dumps(data, ensure_ascii=ascii_only, indent=indent) + end
