"""Markdown that every renderer takes: what GitHub, Typora and pandoc need at the borders of formulas, and leave out."""

from __future__ import annotations

import re

import pytest

from symbptt import load
from symbptt.examples import example_names

SOME = ["relu-explosion", "vector-tanh", "d2l-rows", "two-methods", "state-space"]
EACH = [pytest.param(name, marks=() if name in SOME else pytest.mark.slow) for name in example_names()]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", EACH)
def test_formulas_in_sentences_begin_where_a_renderer_sees_it(name: str, lang: str) -> None:
    """GitHub lets a formula begin behind a space or a bracket; none lets it end before a letter or a figure."""
    text = load(name).derivation(lang=lang).to_markdown()
    words = re.sub(r"^\$\$\n.*?\n\$\$$", "", text, flags=re.S | re.M)
    around = re.findall(r"(.?)\$([^$\n]+)\$(.?)", words)
    assert around
    assert {before for before, _, _ in around} <= {"", " ", "("}
    assert not [found for *found, after in around if re.match(r"[A-Za-z0-9]", after)]
    assert all(formula == formula.strip() for _, formula, _ in around)


@pytest.mark.parametrize("name", EACH)
def test_displayed_formulas_stand_between_blank_lines(name: str) -> None:
    lines = ["", *load(name).derivation(lang="zh").to_markdown().splitlines(), ""]
    fences = [i for i, line in enumerate(lines) if "$$" in line]
    assert len(fences) % 2 == 0
    assert all(lines[i] == "$$" for i in fences)
    assert all(lines[i - 1] == "" for i in fences[::2])
    assert all(lines[i + 1] == "" for i in fences[1::2])


@pytest.mark.parametrize("name", EACH)
def test_nothing_stands_in_formulas_that_a_renderer_refuses_or_swallows(name: str) -> None:
    text = load(name).derivation(lang="zh").to_markdown()
    assert not re.findall(r"\\(?:operatorname|label|newcommand|tag|ensuremath)\b|\\[,;:!{}_#*]", text)
