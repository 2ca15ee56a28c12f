"""What all formats share: searches that never go over the same text twice, and what is collected from a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..note import CodeBlock, Formula, Kind, Passage, Problem
from .macros import Definition, Macro, definitions
from .mapped import Mapped

BLANK = r"\n[ \t\r>]*\n"
"""A blank line, also within a block quote, as a pattern."""


class Finder:
    """Where a pattern next occurs; remembers the last answer, so that all searches together take one pass.

    >>> finder = Finder("a b a b", "b")
    >>> finder.after(0).start(), finder.after(3).start(), finder.after(7)
    (2, 6, None)
    """

    def __init__(self, text: str, pattern: str) -> None:
        self._text, self._pattern = text, re.compile(pattern)
        self._since, self._hit = 0, self._pattern.search(text)

    def after(self, position: int) -> re.Match[str] | None:
        """Return the first match that begins at a position or after it."""
        known = self._since <= position and (self._hit is None or position <= self._hit.start())
        if not known:
            self._since, self._hit = position, self._pattern.search(self._text, position)
        return self._hit

    def start(self, position: int, end: int) -> int:
        """Return where the first match after a position begins, or ``end`` if there is none before it."""
        hit = self.after(position)
        return end if hit is None else min(hit.start(), end)


class Finders:
    """The finders of one text, each made when it is first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._of: dict[str, Finder] = {}

    def __getitem__(self, pattern: str) -> Finder:
        if pattern not in self._of:
            self._of[pattern] = Finder(self._text, pattern)
        return self._of[pattern]


@dataclass
class Found:
    """What is collected while a text is read."""

    text: str
    formulas: list[Formula] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    code: list[CodeBlock] = field(default_factory=list)
    macros: dict[str, Macro] = field(default_factory=dict)

    def add(self, piece: Mapped, display: bool, environment: str | None = None) -> None:
        """Add a formula, without the white space around it; one of signs alone, as in ``$*$``, is none.

        Parameters
        ----------
        piece : Mapped
        display : bool
        environment : str, optional
        """
        piece = piece.stripped()
        if re.search(r"[\w\\]", piece.latex):
            offsets = None if piece.plain else (*piece.offsets, piece.end)
            self.formulas.append(Formula(piece.latex, piece.start, display, environment, offsets))

    def unclosed(self, start: int, what: str) -> None:
        """Note that something is opened and never closed; a thousand such notes are enough."""
        if len(self.problems) < 1000:
            self.problems.append(Problem(start, "check.problem.unclosed", (("what", what),)))

    def passage(self, kind: Kind, start: int, end: int, level: int = 0) -> None:
        """Add a passage, without the white space around it; one that is empty is none."""
        words = self.text[start:end]
        start += len(words) - len(words.lstrip())
        end = start + len(words.strip())
        if start < end:
            self.passages.append(Passage(kind, start, end, level))

    def define(self, text: str, parts: Iterable[tuple[int, int]]) -> None:
        """Collect definitions of commands, and take them out of the formulas; what then is empty was no formula.

        Parameters
        ----------
        text : str
        parts : iterable of (int, int)
            The spans of it in which definitions count.
        """
        found = [definition for start, end in parts for definition in definitions(text[start:end])]
        for definition in found:
            self._define(definition)
        if not found:
            return
        formulas, self.formulas = self.formulas, []
        for formula in formulas:
            inner = definitions(formula.latex)
            if not inner:
                self.formulas.append(formula)
                continue
            for definition in inner:  # as the formula is read, without escapes
                self._define(definition)
            rest = gaps([(one.start, one.end) for one in inner], len(formula.latex))
            kept = [i for start, end in rest for i in range(start, end)]
            offsets = tuple(formula.offset(i) for i in kept)
            latex = "".join(formula.latex[i] for i in kept)
            piece = Mapped(latex, offsets, offsets[-1] + 1 if offsets else formula.end).stripped()
            if piece.latex == self.text[piece.start : piece.end]:
                piece = Mapped.of(self.text, piece.start, piece.end)
            self.add(piece, formula.display, formula.environment)

    def _define(self, definition: Definition) -> None:
        if definition.overrides or definition.name not in self.macros:
            self.macros[definition.name] = definition.macro

    def sort(self) -> None:
        """Bring everything into the order of the text."""
        self.formulas.sort(key=lambda formula: formula.start)
        self.passages.sort(key=lambda passage: (passage.start, -passage.end))
        self.problems.sort(key=lambda problem: problem.start)
        self.code.sort(key=lambda block: block.start)

    def absorb(self, other: Found, by: int) -> None:
        """Add what was found in a piece of this text that begins ``by`` characters after its start."""
        for formula in other.formulas:
            mapped = None if formula.mapped is None else tuple(i + by for i in formula.mapped)
            self.formulas.append(replace(formula, start=formula.start + by, mapped=mapped))
        self.passages += [replace(p, start=p.start + by, end=p.end + by) for p in other.passages]
        self.problems += [replace(p, start=p.start + by) for p in other.problems]
        self.code += [replace(block, start=block.start + by) for block in other.code]
        self.macros.update(other.macros)


def gaps(spans: Iterable[tuple[int, int]], end: int) -> list[tuple[int, int]]:
    """Return what sorted spans leave of ``range(end)``.

    >>> gaps([(2, 4), (3, 6)], 9)
    [(0, 2), (6, 9)]
    """
    left, position = [], 0
    for start, stop in spans:
        if position < start:
            left.append((position, start))
        position = max(position, stop)
    if position < end:
        left.append((position, end))
    return left


def lines(text: str) -> list[tuple[int, int]]:
    """Return where each line begins and ends, its line feed included.

    >>> lines("a" + chr(10) + "b")
    [(0, 2), (2, 3)]
    """
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    if starts[-1] == len(text):
        starts.pop()
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the text with spaces in the place of sorted spans, line feeds kept, so that offsets stay.

    >>> blanked("a%b" + chr(10) + "c", [(1, 3)])
    'a  \\nc'
    """
    pieces, position = [], 0
    for start, end in spans:
        if start < position:
            continue
        pieces += [text[position:start], re.sub(r"[^\n]", " ", text[start:end])]
        position = end
    return "".join([*pieces, text[position:]])
