"""Pieces of LaTeX of which each character still knows its offset in the note."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes


@dataclass(frozen=True)
class Mapped:
    """LaTeX with the offset of each character; ``plain`` if it is a piece of the text as it stands.

    >>> piece = Mapped.of("a $h\\\\_t$", 3, 7)
    >>> piece.latex, piece.start, piece.end, piece.plain
    ('h\\\\_t', 3, 7, True)
    """

    latex: str
    offsets: range | tuple[int, ...]
    end: int

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Mapped:
        """Return a piece of a text."""
        return cls(text[start:end], range(start, end), end)

    @property
    def start(self) -> int:
        """The offset of its first character."""
        return self.offsets[0] if self.offsets else self.end

    @property
    def plain(self) -> bool:
        """Whether it stands in the text as it is."""
        return isinstance(self.offsets, range)

    def cut(self, start: int, end: int) -> Mapped:
        """Return a part of it."""
        if end <= start:
            return Mapped("", (), self.end)
        return Mapped(self.latex[start:end], self.offsets[start:end], self._after(end))

    def _after(self, position: int) -> int:
        return self.end if position >= len(self.latex) else self.offsets[position - 1] + 1

    def stripped(self) -> Mapped:
        """Return it without the white space around it."""
        start = len(self.latex) - len(self.latex.lstrip())
        return self.cut(start, max(start, len(self.latex.rstrip())))

    def replaced(self, pattern: str | re.Pattern[str], by: Callable[[re.Match[str]], str]) -> Mapped:
        """Return it with each match replaced; the new characters have the offsets of the first ones replaced.

        >>> Mapped.of("a__b", 0, 4).replaced("__", lambda match: "_").offsets
        (0, 1, 3)
        """
        pieces: list[str] = []
        offsets: list[int] = []
        position = 0
        for match in re.finditer(pattern, self.latex):
            new = by(match)
            if new == match[0]:
                continue
            start, end = match.span()
            pieces += [self.latex[position:start], new]
            offsets += self.offsets[position:start]
            offsets += [self.offsets[min(start + k, end - 1)] for k in range(len(new))]
            position = end
        if position == 0:
            return self
        pieces.append(self.latex[position:])
        offsets += self.offsets[position:]
        return Mapped("".join(pieces), tuple(offsets), self.end)

    def without(self, pattern: str | re.Pattern[str]) -> Mapped:
        """Return it without the matches of a pattern."""
        return self.replaced(pattern, lambda match: "")


# A command of formulas behind two backslashes: everything in such a formula is doubled.
_DOUBLED = re.compile(
    r"\\\\(?:d?frac|partial|sum|prod|left|begin|end|text|math(?:bf|rm|bb|cal|it)|boldsymbol|hat|bar|tilde"
    r"|sigma|tanh|phi|delta|alpha|beta|gamma|lambda|theta|ell|cdot|odot|times|top|quad|big|vdots|cdots|ldots)(?![a-z])"
)
_RUN = re.compile(r"(\\+)(.?)", re.DOTALL)
_WORDS = re.compile(r"\\(?:text\w*|mbox|hbox|operatorname|mathrm|label|tag|ref|eqref)\*?\{[^{}]*\}")
_ESCAPED = re.compile(r"(?<!\\)\\([_*=+<-])")
# A space in LaTeX, and in Markdown an escaped sign: this one only where others are escaped too.
_GREATER = re.compile(r"(?<!\\)\\([_*=+<>-])")


def unescaped(piece: Mapped, doubled: bool) -> Mapped:
    r"""Return a formula of a Markdown text as the reader of the page gets it, without the escapes for Markdown.

    ``\\\\`` is ``\\``; ``\_``, ``\*``, ``\=``, ``\+``, ``\-`` and ``\<`` outside words lose the backslash; in formulas
    between doubled delimiters ``\\{`` is ``\{``, and where all is doubled, as in ``\\frac``, every backslash is halved.

    Parameters
    ----------
    piece : Mapped
    doubled : bool
        Whether its delimiters have two backslashes.

    >>> unescaped(Mapped.of(r"h\_t \\\\ \\{x\\}", 0, 17), True).latex
    'h_t \\\\ \\{x\\}'
    """
    if "\\" not in piece.latex:
        return piece
    everywhere = bool(_DOUBLED.search(piece.latex)) and not re.search(r"(?<!\\)\\(?:\\\\)*[A-Za-z]", piece.latex)
    single = doubled or "\\begin" not in piece.latex

    def fewer(match: re.Match[str]) -> str:
        run, follows = len(match[1]), match[2]
        if everywhere and run % 2 == 0 and (follows.isalpha() or run > 2 or follows in _PUNCTUATION):
            run //= 2
        elif run >= 3 and (not follows or follows.isspace()):
            run = 2  # Jekyll's five at the end of a line: two for LaTeX, and a line break for Markdown
        elif run >= 4:
            run -= 2
        elif run == 2 and single and follows and follows in _PUNCTUATION:
            run = 1
        return "\\" * run + follows

    piece = piece.replaced(_RUN, fewer)
    words = [match.span() for match in _WORDS.finditer(piece.latex)]
    inside = _Inside(words)
    if not any(not inside(match.start()) for match in _ESCAPED.finditer(piece.latex)):
        return piece
    inside = _Inside(words)
    return piece.replaced(_GREATER, lambda match: match[0] if inside(match.start()) else match[1])


_PUNCTUATION = "{}|,;!:"


class _Inside:
    """Whether a growing sequence of positions lies in one of sorted spans."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self._spans, self._at = spans, 0

    def __call__(self, position: int) -> bool:
        while self._at < len(self._spans) and self._spans[self._at][1] <= position:
            self._at += 1
        return self._at < len(self._spans) and self._spans[self._at][0] <= position


_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")


def without_entities(piece: Mapped) -> Mapped:
    """Return it with ``&lt;`` and its like resolved; in an alignment ``&`` itself stays.

    >>> without_entities(Mapped.of("a &lt; b &amp; c", 0, 16)).latex
    'a < b & c'
    """
    return piece.replaced(_ENTITY, lambda match: html.unescape(match[0]))


_SPACES = {"&space;": " ", "&plus;": "+", "&amp;": "&"}
_BYTES = re.compile(r"%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f])+|&space;|&plus;|&amp;|\+")


def without_url_codes(piece: Mapped) -> Mapped:
    """Return it as it was before it became part of an address.

    A ``+`` is a space, as forms write it, but not beside spaces, where nothing was encoded.

    >>> without_url_codes(Mapped.of("%5Csigma%28x%29+%2B+1", 0, 21)).latex
    '\\\\sigma(x) + 1'
    """
    encoded = "%" in piece.latex or not re.search(r"\s", piece.latex)

    def decoded(match: re.Match[str]) -> str:
        found = match[0]
        if found == "+":
            return " " if encoded else "+"
        if found in _SPACES:
            return _SPACES[found]
        return unquote_to_bytes(found).decode("utf-8", "replace")

    return piece.replaced(_BYTES, decoded)
