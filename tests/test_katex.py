"""Every formula that is written passes KaTeX in strict mode, as GitHub, Jupyter and web pages render it."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from derivation_examples import (
    NOTATIONS,
    catalogue_models,
    rewritten,
    some_catalogue_models,
    special_derivations,
)

from symbptt import Derivation, load
from symbptt.algebra.tex import to_tex
from symbptt.examples import example_names
from symbptt.model import ACTIVATIONS
from symbptt.render.blocks import Document, Group, displays
from symbptt.render.markdown import display_tex, group_tex, to_markdown

WAYS = list(itertools.product(("en", "zh"), NOTATIONS))

SCRIPT = """
const [katexPath, input] = process.argv.slice(1);
const katex = require(katexPath);
const formulas = JSON.parse(require("fs").readFileSync(input, "utf8"));
const failed = [];
for (const formula of formulas) {
  for (const displayMode of [true, false]) {
    try { katex.renderToString(formula, { throwOnError: true, strict: "error", displayMode }); }
    catch (error) { failed.push([formula, String(error)]); break; }
  }
}
process.stdout.write(JSON.stringify(failed));
"""


def parts(document: Document) -> Iterator[str]:
    """The TeX of every formula by itself, and of every display."""
    yield from map(to_tex, document.formulas())
    for block in document.blocks:
        yield from map(display_tex, displays(block))
        if isinstance(block, Group):
            yield group_tex(block)


def written(document: Document) -> Iterator[str]:
    """The TeX in the Markdown of a document."""
    text = to_markdown(document)
    yield from re.findall(r"^\$\$\n(.*?)\n\$\$$", text, re.DOTALL | re.MULTILINE)
    yield from re.findall(r"(?<!\$)\$([^$\n]+)\$(?!\$)", text)


def failures(katex: Any, found: list[str], folder: Path) -> list[Any]:
    """Render all formulas in one process; return what KaTeX refuses."""
    (folder / "formulas.json").write_text(json.dumps(found), encoding="utf-8")
    command = [katex.node, "-e", SCRIPT, katex.package, str(folder / "formulas.json")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.katex
def test_katex_is_strict(require, tmp_path):
    bad = [r"\operatorname{x", "中文", r"\ensuremath{x}", r"a_b_c", r"\label{a}"]
    assert len(failures(require("katex"), [*bad, "h_t", r"\text{中文}"], tmp_path)) == len(bad)


@pytest.mark.katex
def test_every_rule_in_both_languages(require, tmp_path):
    documents = [derivation.document() for _, derivation in special_derivations()]
    found = list(dict.fromkeys(tex for document in documents for tex in (*parts(document), *written(document))))
    assert len(found) > 700
    assert not failures(require("katex"), found, tmp_path)


@pytest.mark.katex
def test_every_worked_example_in_both_languages(require, tmp_path):
    models = [load(name) for name in example_names()]
    made = [rewritten(m.derivation(), lang, m.notation) for m in models for lang in ("en", "zh")]
    found = list(dict.fromkeys(tex for d in made for tex in (*parts(d.document()), *written(d.document()))))
    assert len(found) > 500
    assert not failures(require("katex"), found, tmp_path)


@pytest.mark.katex
def test_every_cell(require, tmp_path):
    derivations = [model.derivation() for model in some_catalogue_models()]
    documents = [rewritten(d, lang, "textbook").document() for d in derivations for lang in ("en", "zh")]
    found = list(dict.fromkeys(tex for document in documents for tex in written(document)))
    assert len(found) > 500
    assert not failures(require("katex"), found, tmp_path)


def catalogue_derivations(half: int) -> Iterator[Derivation]:
    """Every second model: symbolic ones in every language and notation; those with numbers take turns."""
    turns = itertools.cycle(WAYS)
    for model in itertools.islice(catalogue_models(), half, None, 2):
        derivation = model.derivation()
        short = model.network.cell.name in ACTIVATIONS and not model.values
        ways = WAYS if short else itertools.islice(turns, 5)
        for lang, notation in ways:
            yield rewritten(derivation, lang, notation)


@pytest.mark.slow
@pytest.mark.katex
@pytest.mark.parametrize("half", [0, 1])
def test_every_cell_readout_loss_language_and_notation(half, require, tmp_path):
    found = list(dict.fromkeys(tex for made in catalogue_derivations(half) for tex in written(made.document())))
    assert len(found) > 1500
    assert not failures(require("katex"), found, tmp_path)
