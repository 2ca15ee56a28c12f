"""A note as it was read: its text, its formulas with their places, its headings and its prose."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal["heading", "text", "item"]
"""What a passage is: a heading, running text, or an item of a list."""


@dataclass(frozen=True)
class Formula:
    """A formula of a note.

    Attributes
    ----------
    latex : str
        What stands between the delimiters, exactly as in the text of the note unless ``mapped`` is given.
    start : int
        Offset of its first character in :attr:`Note.text`.
    display : bool
        Whether it stands on lines of its own.
    environment : str or None
        ``align``, ``gather``, ``cases``, ... without a star, where it stands in one that is not written in ``latex``.
    mapped : tuple of int, or None
        Where ``latex`` is not a piece of the text as it stands (doubled backslashes, an image's ``equation?tex=``):
        the offset in the text of each of its characters, and of its end.
    """

    latex: str
    start: int
    display: bool = False
    environment: str | None = None
    mapped: tuple[int, ...] | None = None

    def offset(self, position: int) -> int:
        """Return the offset in the note of a position in :attr:`latex`.

        >>> Formula("h_t", 40).offset(2)
        42
        """
        return self.start + position if self.mapped is None else self.mapped[position]

    @property
    def end(self) -> int:
        """The offset just after its last character."""
        return self.offset(len(self.latex))


@dataclass(frozen=True)
class Passage:
    """A heading, a paragraph of running text or an item of a list: where it begins and ends, formulas included."""

    kind: Kind
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True)
class Problem:
    """Something in a note that cannot be read, such as a delimiter that is never closed: its place and a phrase key."""

    start: int
    key: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CodeBlock:
    """A fenced block of code: its language and its text, which is never executed here."""

    language: str
    text: str
    start: int


@dataclass(frozen=True)
class Note:
    """One note, or one cell of a notebook after another.

    Attributes
    ----------
    file : str
        The name that reports print.
    text : str
        Of the whole note; of a notebook, its Markdown cells, each followed by a blank line.
    formulas : tuple of Formula
        In the order of the text; none overlaps another.
    passages : tuple of Passage
    macros : mapping
        What ``\\newcommand`` defined: name without backslash -> (number of arguments, default of the first, body).
    problems : tuple of Problem
    code : tuple of CodeBlock
    cells : tuple of (int, int)
        Of a notebook: the offset at which each Markdown cell begins, and its number in the file, from 1.
    """

    file: str
    text: str
    formulas: tuple[Formula, ...] = ()
    passages: tuple[Passage, ...] = ()
    macros: Mapping[str, tuple[int, str | None, str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    code: tuple[CodeBlock, ...] = ()
    cells: tuple[tuple[int, int], ...] = ()

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1; in a notebook within the cell.

        >>> Note("n.md", "one\\ntwo").place(5)
        (2, 2)
        """
        line = bisect_right(self._lines, offset) - 1
        first = 0
        cell = self.cell(offset)
        if cell is not None:
            start = next(s for s, number in self.cells if number == cell)
            first = bisect_right(self._lines, start) - 1
        return line - first + 1, offset - self._lines[line] + 1

    def cell(self, offset: int) -> int | None:
        """Return the number of the notebook cell in which an offset lies; None outside notebooks.

        >>> Note("n.ipynb", "one\\n\\ntwo\\n\\n", cells=((0, 1), (5, 3))).cell(6)
        3
        """
        found = [number for start, number in self.cells if start <= offset]
        return found[-1] if found else None
