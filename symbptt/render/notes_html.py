"""Checked notes as one self-contained HTML page: the text with a mark on each formula, details on demand.

Nothing is loaded, and nothing needs the inline script: it only opens what a link leads to, and adds keys to step
through what is refuted.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import PurePath

from ..reading.note import Note
from ..reading.report import VERDICTS, Claim, CodeCheck, Lint, Report, Understood
from .gradients import AS_CLAIMS, code_html
from .gradients import SIGNS as CODE_SIGNS
from .gradients import verdict_word as gradient_word
from .html import asset
from .notes_body import LINT_SIGN, SIGNS, Body, html_of
from .notes_math import math_of
from .notes_words import counts_text, model_title, phrase, verdict_summary, verdict_word, worded
from .phrases import catalogue

LISTED = ("refuted", "conditional", "unread")
"""Verdicts of the claims that the list of findings leads to."""


def to_html(report: Report, lang: str = "en") -> str:
    """Return checked notes as a complete page.

    Parameters
    ----------
    report : Report
        With its notes.
    lang : str

    Returns
    -------
    str
        Well-formed as XML too, once its style and script are set aside; what the notes say is escaped. The same
        report gives the same bytes.

    Examples
    --------
    >>> to_html(Report()).splitlines()[0]
    '<!DOCTYPE html>'
    """
    page = _Page(report, lang)
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{escape(lang)}">',
        *page.head(),
        '<body class="symbptt notes">',
        *page.body(),
        f"<script>\n{asset('notes.js')}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def to_fragment(report: Report, lang: str = "en") -> str:
    """Return the page inside a frame, as a notebook shows it."""
    style = "width: 100%; height: 40rem; border: 1px solid #8884; border-radius: 0.3rem"
    return f'<iframe srcdoc="{escape(to_html(report, lang))}" style="{style}"></iframe>'


class _Page:
    """Writes the parts of a page."""

    def __init__(self, report: Report, lang: str) -> None:
        self.report, self.lang = report, lang
        self.phrases = catalogue(lang)
        self.writer = Body(report, lang)
        names = ", ".join(PurePath(note.file).name for note in report.notes)
        self.title = phrase("notes.title", lang, files=names)

    def head(self) -> Iterator[str]:
        """Yield the head of the page."""
        yield "<head>"
        yield '<meta charset="utf-8"/>'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        yield '<meta name="color-scheme" content="light dark"/>'
        yield '<meta name="generator" content="symbptt"/>'
        yield f"<title>{escape(self.title)}</title>"
        yield f"<style>\n{asset('page.css')}\n{asset('formulas.css')}\n{asset('notes.css')}</style>"
        yield "</head>"

    def body(self) -> Iterator[str]:
        """Yield the counts, the list of findings, and each note with its models and remarks."""
        yield f"<header>\n<h1>{escape(self.title)}</h1>\n{self._counts()}\n</header>"
        yield from self._findings()
        yield "<main>"
        for note in self.report.notes:
            yield from self._note(note)
        yield "</main>"

    def _counts(self) -> str:
        counts = self.report.counts
        boxes = "\n".join(self._box(verdict, counts[verdict]) for verdict in VERDICTS)
        summary = verdict_summary(self.report, self.lang)
        said = f"<p>{escape(counts_text(self.report, self.lang))}</p>"
        return f'{said}\n<div class="counts">\n{boxes}\n</div>' + (f"\n<p>{escape(summary)}</p>" if summary else "")

    def _box(self, verdict: str, count: int) -> str:
        """Return a count that is also a switch: without its tick the marks of the verdict are hidden."""
        tick = f'<input type="checkbox" checked="" id="show-{verdict}"/>' if count else ""
        sign = f'<span class="sign" aria-hidden="true">{SIGNS[verdict]}</span>'
        hint = f' title="{escape(self.phrases["notes.show"])}"' if count else ""
        word = escape(verdict_word(verdict, self.lang))
        return f'<label class="count {verdict}"{hint}>{tick}{sign} {word} <strong>{count}</strong></label>'

    def _findings(self) -> Iterator[str]:
        found = [claim for claim in self.report.claims if claim.verdict in LISTED]
        code = [check for check in self.report.code if check.verdict != "right"]
        if not found and not self.report.lints and not code:
            return
        yield f"<nav>\n<h2>{escape(self.phrases['notes.findings'])}</h2>\n<ul>"
        several = len(self.report.notes) > 1
        for note in self.report.notes:
            inside: list[Claim | Lint] = [claim for claim in found if claim.file == note.file]
            inside += [lint for lint in self.report.lints if lint.file == note.file]
            run = [check for check in code if check.file == note.file]
            if several and (inside or run):
                yield f'<li class="file">{escape(note.file)}</li>'
            for one in sorted(inside, key=lambda x: (x.cell or 0, x.line, x.column)):
                yield self._link(one, one.verdict) if isinstance(one, Claim) else self._link(one, "lint")
            for check in run:
                sign, head = self._code_head(check)
                yield f'<li><a href="#code-{self.report.code.index(check) + 1}">{sign} {escape(head)}</a></li>'
        yield "</ul>\n</nav>"

    def _link(self, found: Claim | Lint, kind: str) -> str:
        word = (
            self.phrases[f"check.lint-kind.{found.kind}"] if isinstance(found, Lint) else verdict_word(kind, self.lang)
        )
        sign = f'<span class="sign {kind}" aria-hidden="true">{SIGNS.get(kind, LINT_SIGN)}</span>'
        name = self.writer.ids[id(found)]
        return f'<li><a href="#{name}">{sign} {escape(self._line(found))} {escape(word)}</a></li>'

    def _line(self, found: Claim | Lint) -> str:
        line = phrase("notes.line", self.lang, line=found.line)
        if found.cell is None:
            return line
        return f"{phrase('notes.cell', self.lang, cell=found.cell)}, {line}"

    # -- a note ------------------------------------------------------------------------------------------------
    def _note(self, note: Note) -> Iterator[str]:
        yield f'<section class="note">\n<h2 class="file">{escape(note.file)}</h2>'
        models = [model for model in self.report.models if model.file == note.file]
        if not models:
            yield f'<p class="model">{escape(self.phrases["notes.no_model"])}</p>'
        for model in models:
            yield from self._model(model, note)
        yield '<article class="text">'
        yield from self.writer.note(note)
        yield "</article>"
        yield from self._code(note)
        yield "</section>"

    def _code_head(self, check: CodeCheck) -> tuple[str, str]:
        """Return the sign of a verdict on gradients, and the function with the verdict in words."""
        word = gradient_word(check.verdict, self.lang)
        sign = f'<span class="sign {AS_CLAIMS[check.verdict]}" aria-hidden="true">{CODE_SIGNS[check.verdict]}</span>'
        return sign, phrase("notes.code_line", self.lang, name=check.name, verdict=word)

    def _code(self, note: Note) -> Iterator[str]:
        """Yield what was found by running the note's code, where that was asked for."""
        for number, check in enumerate(self.report.code, start=1):
            if check.file != note.file:
                continue
            sign, head = self._code_head(check)
            line = "" if check.line is None else f" ({phrase('notes.line', self.lang, line=check.line)})"
            yield f'<details class="model code" open="" id="code-{number}">'
            yield f"<summary>{sign} {escape(head + line)}</summary>"
            yield from code_html(check, self.lang)
            yield "</details>"

    def _model(self, model: Understood, note: Note) -> Iterator[str]:
        yield f'<details class="model" open="">\n<summary>{escape(model_title(model, self.lang))}</summary>'
        for equation in model.equations:
            yield f'<div class="formula">{math_of(equation, note.macros)}</div>'
        if model.facts:
            yield "<ul>" + "".join(f"<li>{html_of(worded(fact, self.lang))}</li>" for fact in model.facts) + "</ul>"
        if model.symbols:
            yield self._symbols(model)
        if model.values:
            values = ", ".join(math_of(f"{symbol} = {value}") for symbol, value in model.values)
            yield f"<p>{escape(self.phrases['notes.values']).replace('{values}', values)}</p>"
        yield "</details>"

    def _symbols(self, model: Understood) -> str:
        names = ("symbol", "shape", "meaning")
        head = "".join(f'<th scope="col">{escape(self.phrases[f"notes.{name}"])}</th>' for name in names)
        rows = "".join(
            f"<tr><td>{math_of(latex)}</td><td>{math_of(shape)}</td><td>{html_of(worded(meaning, self.lang))}</td></tr>"
            for latex, shape, meaning in model.symbols
        )
        return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
