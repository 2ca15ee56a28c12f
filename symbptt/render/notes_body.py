"""The text of a note as HTML, each claim marked where it stands, with its details to unfold."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from html import escape
from itertools import pairwise

from ..reading.note import Note
from ..reading.report import REFUTED, Claim, Counterexample, Lint, Report
from .notes_math import math_of
from .notes_source import Piece, Placed, content, pieces, placed
from .notes_words import Part, both, number, phrase, place, verdict_word, worded
from .phrases import catalogue

SIGNS = {
    "holds": "\u2713",
    "refuted": "\u2717",
    "conditional": "\u25d0",
    "definition": ":=",
    "assumption": "\u25c7",
    "unchecked": "\u2013",
    "unread": "?",
}
"""Verdict -> its sign, which says it without a colour."""
LINT_SIGN = "\u26a0"
_JOINER = "\u2060"
"""Keeps a sign and its formula on one line."""


def html_of(parts: tuple[Part, ...]) -> str:
    """Return words with their formulas as HTML.

    >>> html_of(("a < b",))
    'a &lt; b'
    """
    return "".join(escape(part) if isinstance(part, str) else math_of(part.latex) for part in parts)


class Body:
    """Writes the notes of one report.

    Attributes
    ----------
    ids : mapping
        Claim or lint (by identity) -> the name of its anchor.
    """

    def __init__(self, report: Report, lang: str) -> None:
        self.report, self.lang = report, lang
        self.phrases = catalogue(lang)
        self.ids = {id(claim): f"c{i}" for i, claim in enumerate(report.claims, 1)}
        self.ids |= {id(lint): f"l{i}" for i, lint in enumerate(report.lints, 1)}
        refuted = [claim for claim in report.claims if claim.verdict == REFUTED]
        self.before = {id(b): a for a, b in pairwise(refuted)}
        self.after = {id(a): b for a, b in pairwise(refuted)}

    def note(self, note: Note) -> Iterator[str]:
        """Yield the blocks of a note."""
        writer = _Note(self, note)
        for piece in pieces(note):
            text = writer.block(piece)
            if text:
                yield text
        last = writer.last()
        if last:
            yield last

    # -- a claim -----------------------------------------------------------------------------------------------
    def claim(self, claim: Claim, math: str, display: bool) -> str:
        """Return a claim as a mark that unfolds."""
        word = verdict_word(claim.verdict, self.lang)
        sign = f'<span class="sign" aria-hidden="true">{SIGNS[claim.verdict]}</span>{_JOINER}'
        shown = f'<span class="unseen">{escape(word)}: </span>'
        kind = f"claim {claim.verdict}{' display' if display else ''}"
        summary = f'<summary title="{escape(word)}">{sign}{shown}{math}</summary>'
        lines = "".join(f"<div>{line}</div>" for line in self._details(claim))
        return f'<details class="{kind}" id="{self.ids[id(claim)]}">{summary}<div class="why">{lines}</div></details>'

    def _details(self, claim: Claim) -> Iterator[str]:
        word, where = verdict_word(claim.verdict, self.lang), escape(place(claim))
        yield f'<strong class="word">{escape(word)}</strong> <span class="place">{where}</span>'
        yield html_of(worded(claim.reason, self.lang))
        if claim.condition is not None:
            yield self._labelled("condition", html_of(worded(claim.condition, self.lang)))
        if claim.counterexample is not None and claim.counterexample.has_values:
            yield self._counterexample(claim.counterexample)
        if claim.cause is not None:
            yield self._labelled("cause", self.sentence(f"check.cause.{claim.cause}"))
        if claim.right is not None:
            shown = f"{math_of(claim.right)}<br/><code>{escape(claim.right)}</code>"
            yield self._labelled("right", shown)
        if claim.consequence_of is not None:
            yield self._follows(claim)
        if claim.verdict == REFUTED:
            yield self._neighbours(claim)

    def sentence(self, key: str) -> str:
        """Return a phrase with its formulas as HTML."""
        parts = self.phrases[key].split("$")
        return "".join(math_of(part) if i % 2 else escape(part) for i, part in enumerate(parts))

    def _labelled(self, name: str, value: str) -> str:
        return escape(self.phrases[f"notes.{name}"]).replace("{" + name + "}", value)

    def _counterexample(self, example: Counterexample) -> str:
        values = both(example, self.lang)
        rows = "".join(
            f"<tr><td>{math_of(latex)}</td><td>= {escape(value)}</td></tr>"
            for latex, value in zip((example.left, example.right), values, strict=True)
        )
        named = [*example.sizes, *example.indices, *example.numbers]
        parts = [f"{math_of(name)} = {escape(number(value))}" for name, value in named]
        parts[:0] = [escape(self.phrases["notes.own_numbers"])] * example.given
        said = f'<span class="instance">{", ".join(parts)}</span>' if parts else ""
        return f'<table class="values"><tbody>{rows}</tbody></table>{said}'

    def _follows(self, claim: Claim) -> str:
        text = escape(phrase("notes.follows", self.lang, line=claim.consequence_of))
        for other in self.report.claims:
            if (other.file, other.line) == (claim.file, claim.consequence_of) and other is not claim:
                return f'<a href="#{self.ids[id(other)]}">{text}</a>'
        return text

    def _neighbours(self, claim: Claim) -> str:
        links = []
        for name, arrow, found in (
            ("previous", "\u2190", self.before.get(id(claim))),
            ("next", "\u2192", self.after.get(id(claim))),
        ):
            if found is not None:
                label = escape(self.phrases[f"notes.{name}"])
                links.append(f'<a class="{name}" href="#{self.ids[id(found)]}">{arrow} {label}</a>')
        return f'<span class="steps">{" ".join(links)}</span>' if links else ""

    def lint(self, lint: Lint) -> str:
        """Return a lint as a mark that unfolds."""
        kind = escape(self.phrases[f"check.lint-kind.{lint.kind}"])
        summary = f'<summary title="{kind}"><span class="sign">{LINT_SIGN}</span></summary>'
        inside = (
            f'<div class="why"><strong class="word">{kind}</strong> {html_of(worded(lint.message, self.lang))}</div>'
        )
        return f'<details class="lint" id="{self.ids[id(lint)]}">{summary}{inside}</details>'


class _Note:
    """Writes one note."""

    def __init__(self, body: Body, note: Note) -> None:
        self.body, self.source = body, note
        claims = [claim for claim in body.report.claims if claim.file == note.file]
        lints = [lint for lint in body.report.lints if lint.file == note.file]
        marks: list[tuple[int, int, Callable[[], str]]] = []
        rest = deque(sorted(claims, key=lambda claim: (claim.start, claim.end)))
        for at in placed(note):
            inside = []
            while rest and rest[0].start < at.formula.end:
                claim = rest.popleft()
                if claim.start >= at.formula.start:
                    inside.append(claim)
                else:
                    marks.append((claim.start, claim.end, self._alone(claim)))
            marks.append((at.start, at.end, self._formula(at, inside)))
        marks += [(claim.start, claim.end, self._alone(claim)) for claim in rest]
        offsets = _Offsets(note)
        marks += [(offset, offset, self._lint(x)) for x in lints for offset in [offsets.of(x)]]
        self.marks = deque(sorted(marks, key=lambda mark: mark[:2]))
        self.at = 0
        self.strong: bool | None = None

    def _alone(self, claim: Claim) -> Callable[[], str]:
        return lambda: self.body.claim(claim, math_of(claim.latex, self.source.macros), not claim.inline)

    def _lint(self, lint: Lint) -> Callable[[], str]:
        return lambda: self.body.lint(lint)

    def _formula(self, at: Placed, claims: list[Claim]) -> Callable[[], str]:
        return lambda: "".join(_spaced(self._parts(at, claims), at.formula.display))

    def _parts(self, at: Placed, claims: list[Claim]) -> Iterator[str]:
        """Yield the claims of a formula, and what of it is no claim."""
        formula, macros = at.formula, self.source.macros
        position = 0
        for claim in claims:
            found = formula.latex.find(claim.latex, position)
            if found >= 0:
                yield from _plain(formula.latex[position:found], macros, formula.display)
                position = found + len(claim.latex)
            math = math_of(claim.latex, macros, formula.display)
            yield self.body.claim(claim, f'<span class="formula">{math}</span>', formula.display)
        if not claims or position:
            yield from _plain(formula.latex[position:], macros, formula.display)

    # -- blocks ------------------------------------------------------------------------------------------------
    def block(self, piece: Piece) -> str:
        """Return a block; nothing for one that has only syntax in it."""
        if piece.kind == "code":
            return f"<pre><code>{escape(piece.code)}</code></pre>"
        inside = self._inline(piece)
        if not inside.strip():
            return ""
        if piece.kind == "heading":
            level = min(max(piece.level, 1), 4) + 1
            return f'<div class="head h{level}" role="heading" aria-level="{level}">{inside}</div>'
        return f'<div class="{piece.kind}">{inside}</div>'

    def last(self) -> str:
        """Return the marks that stand behind all blocks."""
        return self.block(Piece("text", len(self.source.text), len(self.source.text) + 1))

    def _inline(self, piece: Piece) -> str:
        """Write a block with the marks in it, and those that stand between it and the one before."""
        start, end = content(self.source, piece)
        parts: list[str] = []
        at = max(start, self.at)
        pairs = self.source.text.count("**", start, end) % 2 == 0
        self.strong = False if pairs else None
        while self.marks and self.marks[0][0] < piece.end:
            first, last, write = self.marks.popleft()
            parts += [self._text(at, max(first, at), piece), write()]
            at = max(at, last)
        parts.append(self._text(at, max(end, at), piece))
        self.at = max(at, piece.end)
        return "".join(parts)

    def _text(self, start: int, end: int, piece: Piece) -> str:
        text = self.source.text[start:end]
        if piece.kind == "rest":
            return f'<span class="source">{escape(text)}</span>' if _has_words(text) else ""
        return self._emphasised(text)

    def _emphasised(self, text: str) -> str:
        """Set bold words and code of Markdown; what is bold may go on behind a formula."""
        parts = []
        for i, run in enumerate(text.split("**") if self.strong is not None else [text]):
            self.strong = not self.strong if i else self.strong
            code = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(run))
            parts.append(f"<strong>{code}</strong>" if self.strong and run.strip() else code)
        return "".join(parts)


def _spaced(parts: Iterator[str], display: bool) -> Iterator[str]:
    for i, part in enumerate(parts):
        yield f"{' ' if i and not display else ''}{part}"


def _plain(latex: str, macros: Mapping[str, tuple[int, str | None, str]], display: bool) -> Iterator[str]:
    """Yield LaTeX that is no claim, if there is more to it than what separates claims."""
    left = re.sub(r"^(?:\s|&|,|;|\.|\\\\|\\q?quad|\\,)+|(?:\s|&|,|;|\.|\\\\|\\q?quad|\\,)+$", "", latex)
    if left:
        math = math_of(left, macros, display)
        yield f'<div class="display formula">{math}</div>' if display else math


_SYNTAX = re.compile(
    r"^[ \t]*(?:```|~~~)[^\n]*|\\(?:begin|end)\{[^{}]*\}(?:\[[^\[\]]*\])?|\\item\b"
    r"|\\(?:sub)*(?:section|paragraph|chapter|part)\*?\s*\{",
    re.MULTILINE,
)
"""What only says how a text is laid out."""


def _has_words(text: str) -> bool:
    return bool(re.search(r"\w", _SYNTAX.sub("", text)))


class _Offsets:
    """Where the lints of a note stand in its text."""

    def __init__(self, note: Note) -> None:
        self.note = note
        self.lines = [0, *(i + 1 for i, char in enumerate(note.text) if char == "\n")]
        self.cells = {number: bisect_right(self.lines, start) - 1 for start, number in note.cells}

    def of(self, lint: Lint) -> int:
        """Return the offset of a lint, in the text in any case."""
        line = self.cells.get(lint.cell or 0, 0) + lint.line - 1
        offset = self.lines[min(max(line, 0), len(self.lines) - 1)] + lint.column - 1
        return min(max(offset, 0), max(len(self.note.text) - 1, 0))
