"""Corrected notes: formulas only, escaped as the note escapes them, notebooks with nothing else changed."""

from __future__ import annotations

import json

import pytest
import report_examples as examples

from symbptt.reading.fix import fixed, fixed_notebook
from symbptt.reading.note import Formula, Note
from symbptt.reading.report import Claim, message

WHY = message("check.reason.follows", line=1)


def wrong(note: Note, start: int, end: int, latex: str, right: str | None) -> Claim:
    return Claim(note.file, *note.place(start), start, end, latex, "refuted", WHY, right=right)


def test_only_refuted_formulas_with_a_right_one_are_replaced():
    report = examples.english()
    result = fixed(report.notes[0], report.claims)
    assert [c.cause for c in result.replaced] == ["lost-sum", "arithmetic"]
    assert [c.cause for c in result.left] == ["one-step-bound"]
    old, new = examples.TEXT.splitlines(), result.text.splitlines()
    assert [i + 1 for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] == [8, 11]
    assert new[10] == "- weights $W_h = 2.0$, so $2 + 2 = 4$"
    assert new[7] == report.claims[2].right


def test_what_holds_is_never_touched():
    report = examples.english()
    fine = tuple(c for c in report.claims if c.verdict != "refuted")
    assert fixed(report.notes[0], fine).text == examples.TEXT


def test_of_claims_that_overlap_the_first_is_replaced():
    note = Note("n.md", "$a = b = c$", (Formula("a = b = c", 1),))
    claims = [wrong(note, 5, 10, "b = c", "b = d"), wrong(note, 1, 10, "a = b = c", "a = e")]
    result = fixed(note, claims)
    assert result.text == "$a = e$" and result.left == (claims[0],)


def test_white_space_around_a_formula_stays():
    text = "$$\n a = b\n$$"
    note = Note("n.md", text, (Formula("\n a = b\n", 2),))
    assert fixed(note, [wrong(note, 2, 10, "\n a = b\n", "a = c")]).text == "$$\n a = c\n$$"


def test_lines_of_an_alignment_stay_aligned():
    text = "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}"
    start = text.index("c &= d")
    note = Note("n.tex", text, (Formula("a &= b \\\\\nc &= d", text.index("a &"), True, "align"),))
    claim = wrong(note, start, start + 6, "c &= d", "c = e")
    assert fixed(note, [claim]).text == text.replace("&= d", "&= e")


ESCAPED = {
    "doubled": (r"\frac{a}{b_1}", r"\\frac{a}{b_1}", r"\sigma\{c_2\}", r"\\sigma\\{c_2\\}"),
    "underscores": (r"\frac{a}{b_1}", r"\frac{a}{b\_1}", r"c_2 * d", r"c\_2 \* d"),
    "both": (r"\frac{a}{b_1}", r"\\frac{a}{b\_1}", r"\top_2", r"\\top\_2"),
    "address": (r"\frac{a}{b}", r"%5Cfrac%7Ba%7D%7Bb%7D", r"a < b_1", r"a%20%3C%20b_1"),
    "address with plus": (r"a = \frac{a}{b}", r"a+%3D+%5Cfrac%7Ba%7D%7Bb%7D", r"a + b", r"a+%2B+b"),
    "entities": (r"a < b", "a &lt; b", "a > b & c", "a &gt; b &amp; c"),
}


@pytest.mark.parametrize("name", ESCAPED)
def test_a_formula_is_escaped_as_the_old_one_was(name):
    latex, source, right, written = ESCAPED[name]
    note = Note("n.md", f"x {source} y", (Formula(latex, 2, mapped=(2,) * len(latex) + (2 + len(source),)),))
    assert fixed(note, [wrong(note, 2, 2 + len(source), latex, right)]).text == f"x {written} y"


def test_a_formula_whose_escapes_are_not_known_is_left():
    note = Note("n.md", "x ???? y", (Formula("abcd", 2, mapped=(2, 3, 4, 5, 6)),))
    result = fixed(note, [wrong(note, 2, 6, "abcd", "a")])
    assert result.text == note.text and len(result.left) == 1 and not result.replaced


# -- notebooks -------------------------------------------------------------------------------------------------
def notebook_file(as_list: bool, indent: int | None, end: str) -> str:
    first, second = examples.CELLS
    cells = [
        {"cell_type": "markdown", "metadata": {"é": 1}, "source": first},
        {"cell_type": "code", "execution_count": None, "outputs": [], "metadata": {}, "source": "h_2 = h_1 + 1"},
        {"cell_type": "markdown", "metadata": {}, "source": second.splitlines(keepends=True) if as_list else second},
    ]
    book = {"nbformat": 4, "cells": cells, "metadata": {"z": 1, "a": 2}, "nbformat_minor": 5}
    return json.dumps(book, ensure_ascii=False, indent=indent) + end


@pytest.mark.parametrize(("as_list", "indent", "end"), [(True, 1, "\n"), (False, 1, ""), (True, None, "\n")])
def test_of_a_notebook_only_the_formulas_change(as_list, indent, end):
    source, report = notebook_file(as_list, indent, end), examples.notebook()
    result = fixed(report.notes[0], report.claims)
    text = fixed_notebook(source, report.notes[0], result)
    before, cell, after = source.partition("Then")
    assert text == before + cell + after.replace("h_2 = h_1 + 1", r"h_2 = h_1 + \\frac{1}{2}").replace("= 3", "= 4")
    assert json.loads(text)["cells"][1]["source"] == "h_2 = h_1 + 1"


def test_a_notebook_that_changed_in_between_is_not_written():
    report = examples.notebook()
    source = notebook_file(True, 1, "\n").replace("Then", "Now")
    assert fixed_notebook(source, report.notes[0], fixed(report.notes[0], report.claims)) is None
