"""Notebooks: valid, deterministic, with the words and formulas of the Markdown."""

from __future__ import annotations

import json
import re

import pytest
from derivation_examples import relu_explosion, special_derivations

from symbptt.render.blocks import Document, Heading, Paragraph
from symbptt.render.notebook import to_notebook


def cells(derivation):
    return json.loads(derivation.to_notebook())["cells"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_one_cell_for_each_section(lang):
    derivation = relu_explosion().derivation(lang=lang)
    found = cells(derivation)
    assert [cell["id"] for cell in found] == ["title", *(section.key for section in derivation.sections)]
    assert all(cell["cell_type"] == "markdown" and cell["metadata"] == {} for cell in found)
    assert "\n\n".join("".join(cell["source"]) for cell in found) + "\n" == derivation.to_markdown()


def test_identifiers_are_unique_and_legal():
    for _, derivation in special_derivations():
        keys = [cell["id"] for cell in cells(derivation)]
        assert len(set(keys)) == len(keys) and all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key) for key in keys)


def test_sections_without_a_key():
    blocks = (Heading(1, ("T",)), Heading(2, ("A",)), Paragraph(("a",)), Heading(2, ("B",)))
    found = json.loads(to_notebook(Document("en", "T", blocks)))["cells"]
    assert [cell["id"] for cell in found] == ["title", "section-1", "section-2"]
    assert found[1]["source"] == ["## A\n", "\n", "a"]


def test_the_same_bytes_from_run_to_run():
    first, second = (relu_explosion().derivation(lang="zh").to_notebook() for _ in range(2))
    assert first == second and first.endswith("}\n") and "梯度爆炸" in first


def test_nbformat_accepts_it(require):
    nbformat = require("nbformat")
    for _, derivation in special_derivations():
        nbformat.validate(nbformat.reads(derivation.to_notebook(), as_version=4))
