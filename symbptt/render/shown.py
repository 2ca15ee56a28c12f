"""What steps, sections, models and reports look like in a notebook, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..derive.steps import HYPOTHESIS, REMARK, Section, Step
from ..evaluate.report import Report
from .blocks import Block, Display, Document, Group, Paragraph
from .document import Writer, grouped
from .folding import to_plain_markdown
from .markdown import to_markdown
from .phrases import catalogue

MOST_FAILURES = 20
"""Of more checks that fail the first are listed."""


def step_markdown(derivation: Any, step: Step) -> str:
    """Return a step as a notebook shows it: its reason and its lines, in the derivation's words and names."""
    writer = Writer(derivation)
    return _markdown(derivation.lang, writer.step(step) or [Paragraph((step.key,))])


def section_markdown(derivation: Any, section: Section) -> str:
    """Return a section as a notebook shows it, never folded: it was asked for."""
    return to_plain_markdown(Document(derivation.lang, "", tuple(Writer(derivation).section(section))))


def model_markdown(derivation: Any, given: Iterable[Any] = ()) -> str:
    """Return the equations of a model and the shapes of all names.

    Parameters
    ----------
    derivation : Derivation
        Of the model, with the section ``model``.
    given : iterable of node
        What numbers are given for.
    """
    writer = Writer(derivation)
    lang = derivation.lang
    title = derivation.title.get(lang) or derivation.title.get("en")
    words = (title,) if title else writer.phrase("ui.model", {"cell": writer.cell_name()})
    blocks: list[Block] = [Paragraph(("**", *words, "**"))]
    for section in derivation.sections:
        intro = writer.section(section)[1]
        blocks += [intro, *_equations(writer, section)]
    blocks.append(writer.shapes())
    leaves = tuple(given)
    if leaves:
        blocks.append(Paragraph(writer.phrase("ui.model_given", {"names": leaves})))
    return _markdown(lang, blocks)


def _equations(writer: Writer, section: Section) -> list[Block]:
    steps = (step for step in section.steps if step.kind not in (HYPOTHESIS, REMARK))
    return grouped([block for step in steps for block in writer.step(step) if isinstance(block, Display | Group)])


def report_markdown(report: Report, lang: str) -> str:
    """Return a report as a notebook shows it: the counts in one line, and a table of what failed.

    >>> from symbptt.evaluate.report import Check
    >>> print(report_markdown(Report((Check("recursion.h", "equality", True),) * 2), "en"))
    ✓ **All 2 checks hold**: equality 2.
    >>> print(report_markdown(Report((Check("recursion.h", "equality", False, "line 2 differs"),)), "en"))
    ✗ **1 of 1 checks failed.**
    <BLANKLINE>
    | Step | Kind | What was found |
    | --- | --- | --- |
    | `recursion.h` | equality | `line 2 differs` |
    <BLANKLINE>
    Checked: equality 1.
    """
    phrases = catalogue(lang)
    counts = phrases["list_more"].join(
        phrases["ui.report_count"].format(count=n, kind=_kind(kind, phrases)) for kind, n in report.counts.items()
    )
    failed = report.failures
    if not failed:
        return phrases["ui.report_ok"].format(checks=len(report.checks), counts=counts)
    lines = [
        phrases["ui.report_failed"].format(failed=len(failed), checks=len(report.checks)),
        "",
        "| " + " | ".join(phrases[f"ui.report_{head}"] for head in ("step", "kind", "found")) + " |",
        "| --- | --- | --- |",
        *(f"| {_code(c.key)} | {_kind(c.kind, phrases)} | {_code(c.detail)} |" for c in failed[:MOST_FAILURES]),
    ]
    left = len(failed) - MOST_FAILURES
    more = ["", phrases["ui.report_more"].format(count=left)] if left > 0 else []
    return "\n".join([*lines, *more, "", phrases["ui.report_counts"].format(counts=counts)])


def _kind(kind: str, phrases: dict[str, str]) -> str:
    return phrases.get(f"ui.kind_{kind}", kind)


def _code(text: str) -> str:
    """Return words as they are, in a cell of a table."""
    plain = " ".join(text.split()).replace("`", "'").replace("|", "∣")
    return f"`{plain}`" if plain else ""


def _markdown(lang: str, blocks: Iterable[Block]) -> str:
    return to_markdown(Document(lang, "", tuple(blocks))).rstrip("\n")
