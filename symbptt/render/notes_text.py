"""A report about notes as a good linter writes it: counts first, then what was understood, then every finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..reading.report import VERDICTS, Claim, CodeCheck, Lint, Math, Report, Understood
from .gradients import AS_CLAIMS, code_lines
from .gradients import verdict_word as gradient_word
from .notes_words import (
    cause_text,
    counterexample_text,
    counts_text,
    model_title,
    phrase,
    place,
    plain,
    text_of,
    verdict_summary,
    verdict_word,
    worded,
)
from .phrases import catalogue
from .text import width, wrap

QUIET = ("holds", "definition", "assumption")
"""Verdicts that are only shown on demand."""
COLOURS = {
    "holds": "green",
    "refuted": "red",
    "conditional": "yellow",
    "definition": "blue",
    "assumption": "blue",
    "unchecked": "magenta",
    "unread": "magenta",
    "lint": "cyan",
}
"""Verdict -> the colour of its word on a terminal."""
LONGEST = 100
"""Characters of LaTeX that are shown in a line."""
_INDENT = "    "

Paint = Callable[[str, str], str]
"""Colours a text as a verdict is coloured."""


def to_text(report: Report, lang: str = "en", everything: bool = False, paint: Paint | None = None) -> str:
    """Return a report as plain text.

    Parameters
    ----------
    report : Report
    lang : str
    everything : bool
        Whether what holds, definitions and assumptions are listed too; they are counted anyway.
    paint : callable, optional
        Called with a text and a verdict (or ``lint``), returns the text in colour.

    Examples
    --------
    >>> print(to_text(Report()), end="")
    0 formulas, 0 of them read
    holds 0, refuted 0, conditional 0, definition 0, assumption 0, unchecked 0, unread 0; remarks: 0
    <BLANKLINE>
    There are no formulas in it.
    """
    text = _Text(report, lang, everything, paint or (lambda words, verdict: words))
    return "\n\n".join("\n".join(block) for block in text.blocks() if block) + "\n"


def shortened(latex: str, longest: int = LONGEST) -> str:
    """Return LaTeX on one line, with its middle left out if it is long.

    >>> shortened("a +\\n  b")
    'a + b'
    >>> shortened("x" * 40 + "y" * 40, 21)
    'xxxxxxxx ... yyyyyyyy'
    """
    line = " ".join(latex.split())
    if len(line) <= longest:
        return line
    part = (longest - 5) // 2
    return f"{line[:part].rstrip()} ... {line[-part:].lstrip()}"


class _Text:
    """Writes the parts of one report."""

    def __init__(self, report: Report, lang: str, everything: bool, paint: Paint) -> None:
        self.report, self.lang, self.everything, self.paint = report, lang, everything, paint
        self.phrases = catalogue(lang)

    def blocks(self) -> Iterator[list[str]]:
        """Yield the counts, then the models and findings of each file, then what the counts do not say."""
        yield self._counts()
        for file in self._files():
            for model in self.report.models:
                if model.file == file:
                    yield self._model(model)
            yield [line for finding in self._findings(file) for line in finding]
        for check in self.report.code:
            yield self._code(check)
        summary = verdict_summary(self.report, self.lang)
        yield [summary] if summary else []

    def _files(self) -> list[str]:
        report = self.report
        named = [n.file for n in report.notes] + [c.file for c in report.claims] + [x.file for x in report.lints]
        return list(dict.fromkeys(named))

    def _counts(self) -> list[str]:
        counts = self.report.counts
        parts = [self._count(verdict, counts[verdict]) for verdict in VERDICTS]
        lints = phrase("notes.lint_count", self.lang, count=len(self.report.lints))
        comma, semicolon = ("，", "；") if self.lang == "zh" else (", ", "; ")
        return [counts_text(self.report, self.lang), f"{comma.join(parts)}{semicolon}{lints}"]

    def _count(self, verdict: str, number: int) -> str:
        text = f"{verdict_word(verdict, self.lang)} {number}"
        return self.paint(text, verdict) if number else text

    # -- the model ---------------------------------------------------------------------------------------------
    def _model(self, model: Understood) -> list[str]:
        cell = "" if model.cell is None else f":cell {model.cell}"
        lines = [f"{model.file}{cell}:{model.line}: {model_title(model, self.lang)}"]
        lines += [f"{_INDENT}{shortened(equation, 2 * LONGEST)}" for equation in model.equations]
        for fact in model.facts:
            lines += _indented(text_of(fact, self.lang) or "")
        lines += _table([(*row[:2], text_of(row[2], self.lang) or "") for row in model.symbols])
        if model.values:
            comma = "，" if self.lang == "zh" else ", "
            values = comma.join(f"{symbol} = {value}" for symbol, value in model.values)
            lines += _indented(phrase("notes.values", self.lang, values=values))
        return lines

    # -- findings ----------------------------------------------------------------------------------------------
    def _findings(self, file: str) -> list[list[str]]:
        """Return the lines of each finding in one file, in the order of the text."""
        claims = [c for c in self.report.claims if c.file == file and (self.everything or c.verdict not in QUIET)]
        lints = [x for x in self.report.lints if x.file == file]
        found = [((c.cell or 0, c.line, c.column), 1, self._claim(c)) for c in claims]
        found += [((x.cell or 0, x.line, x.column), 0, self._lint(x)) for x in lints]
        return [lines for _, _, lines in sorted(found, key=lambda entry: entry[:2])]

    def _claim(self, claim: Claim) -> list[str]:
        word = self.paint(verdict_word(claim.verdict, self.lang), claim.verdict)
        lines = [f"{place(claim)}: {word}  {shortened(claim.latex)}"]
        for text in self._details(claim):
            lines += _indented(text)
        if claim.right is not None:  # on one line, so that it can be copied
            lines.append(_INDENT + phrase("notes.right", self.lang, right=" ".join(claim.right.split())))
        if claim.consequence_of is not None:
            lines.append(_INDENT + phrase("notes.follows", self.lang, line=claim.consequence_of))
        return lines

    def _details(self, claim: Claim) -> Iterator[str]:
        lang = self.lang
        parts = worded(claim.reason, lang)
        yield plain([Math(shortened(part.latex)) if isinstance(part, Math) else part for part in parts])
        if claim.condition is not None:
            yield phrase("notes.condition", lang, condition=text_of(claim.condition, lang))
        if claim.counterexample is not None and claim.counterexample.has_values:
            yield counterexample_text(claim.counterexample, lang)
        if claim.cause is not None:
            yield phrase("notes.cause", lang, cause=cause_text(claim, lang))

    def _lint(self, lint: Lint) -> list[str]:
        word = self.paint(self.phrases[f"check.lint-kind.{lint.kind}"], "lint")
        return [f"{place(lint)}: {word}", *_indented(text_of(lint.message, self.lang) or "")]

    def _code(self, check: CodeCheck) -> list[str]:
        word = self.paint(gradient_word(check.verdict, self.lang), AS_CLAIMS[check.verdict])
        line = "" if check.line is None else f":{check.line}"
        head = self.phrases["notes.code_line"].replace("{name}", check.name).replace("{verdict}", word)
        return [f"{check.file}{line}: {head}", *code_lines(check, self.lang)]


def _indented(text: str) -> list[str]:
    return [f"{_INDENT}{line}" for line in wrap(text)]


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    """Return rows of cells as aligned lines; characters of double width count as such."""
    widths = [max((width(row[i]) for row in rows), default=0) for i in range(3)]
    return [
        (_INDENT + "  ".join(c + " " * (w - width(c)) for c, w in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]
