"""Notebooks: valid, deterministic, with the words and formulas of the Markdown."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from derivation_examples import relu_explosion, some_special_derivations, special_derivations, special_models

from symbptt import RNN, Randomised, Segments, Window, load
from symbptt.cli import run as symbptt
from symbptt.examples import example_names
from symbptt.render.blocks import Document, Heading, Paragraph
from symbptt.render.notebook import to_notebook

SOME = [some_special_derivations, pytest.param(special_derivations, marks=pytest.mark.slow)]
MADE = pytest.mark.parametrize("made", SOME)


def cells(derivation):
    return json.loads(derivation.to_notebook())["cells"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_one_markdown_cell_for_each_section(lang):
    derivation = relu_explosion().derivation(lang=lang)
    found = [cell for cell in cells(derivation) if not re.match("code-|run-", cell["id"])]
    assert [cell["id"] for cell in found] == ["title", *(section.key for section in derivation.sections)]
    assert all(cell["cell_type"] == "markdown" and cell["metadata"] == {} for cell in found)
    assert "\n\n".join("".join(cell["source"]) for cell in found) + "\n" == derivation.to_markdown()


def test_code_cells_make_check_and_compute_the_derivation():
    found = cells(load("relu-explosion").derivation(lang="zh"))
    assert [c["id"] for c in found if c["cell_type"] == "code"] == ["run-model", "run-verify", "run-compute"]
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in found if c["cell_type"] == "code")
    made = 'from symbptt import load\n\nmodel = load("relu-explosion")\nderivation = model.derivation(lang="zh")'
    assert source(found, "run-model") == made
    assert source(found, "code-verify").startswith("## 验证")


def test_without_numbers_the_last_cell_prints_the_code():
    found = cells(RNN("tanh").derivation())
    assert source(found, "run-source") == "print(model.lambdify().source)"


def test_values_of_the_command_line_are_in_the_first_cell(tmp_path):
    path = tmp_path / "a.ipynb"
    assert (
        symbptt(["derive", "relu-explosion", "--lang", "en", "--set", "W_h=0.5", "--steps", "2", "-o", str(path)]) == 0
    )
    text = source(json.loads(path.read_text(encoding="utf-8"))["cells"], "run-model")
    assert 'model = model.replace(steps=2, values={**model.values, "W_h": "0.5"})' in text


def test_a_model_file_is_found_from_where_the_notebook_lies(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "models" / "mine.toml").write_text('cell = "tanh"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert symbptt(["derive", "models/mine.toml", "--lang", "en", "-o", "out/a.ipynb"]) == 0
    text = source(json.loads((tmp_path / "out" / "a.ipynb").read_text(encoding="utf-8"))["cells"], "run-model")
    assert 'model = load("../models/mine.toml")' in text
    monkeypatch.chdir(tmp_path / "out")
    assert run(text)["model"] == RNN("tanh")


def test_a_model_without_a_source_is_written_out():
    model = relu_explosion().replace(title={"en": "Mine"}, truncate=[Window(2)])
    (text,) = [source(cells(model.derivation()), "run-model")]
    assert text.startswith("from symbptt import Cell, Loss, RNN\n\nmodel = RNN(\n    cell=Cell(")
    made = run(text)["model"]
    assert made == model and made.title == model.title and made.truncate == model.truncate


REMADE = {
    "values": lambda: load("gru").derivation(values={"h0": [1, 2]}),
    "arrays": lambda: RNN("linear", 2, 1, steps=2, bias=False).derivation(values=ARRAYS),
    "no values": lambda: load("gru").derivation(values={}),
    "layout": lambda: load("gru").derivation(layout="rows", detail="brief"),
    "steps": lambda: load("relu-explosion").derivation(steps=2),
    "notation": lambda: load("relu-explosion").derivation(notation={"h": "s"}, sections=["truncation"], truncate=2),
    "truncations": lambda: load("tanh").derivation(truncate=[Segments(3), Randomised("p", shared=False)]),
    "sizes": lambda: load("tanh").replace(hidden=3, steps="K").derivation(),
    "stability": lambda: load("power-iteration").stability("zh", digits=3),
    "file": lambda: load("two-readouts").replace(reduction="mean").derivation(),
}
ARRAYS = {"W_h": np.eye(2), "W_x": np.ones((2, 1)), "x": np.ones((2, 1)), "target": [[1, 1], [2, 2]]}


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", REMADE)
def test_a_derivation_is_made_again_by_its_lines(name):
    derivation = REMADE[name]()
    assert run("\n".join(derivation.origin.lines()))["derivation"].to_markdown() == derivation.to_markdown()


@pytest.mark.slow
@pytest.mark.parametrize("name", example_names())
def test_every_worked_example_is_made_again_and_computed(name):
    derivation = load(name).derivation(lang="zh")
    names = run("\n".join(derivation.origin.lines()))
    assert names["derivation"].to_markdown() == derivation.to_markdown()
    if derivation.results:
        out = names["model"].lambdify()(**names["model"].arguments())
        for key, printed in derivation.results.items():
            computed = out.loss if key == "L" else out.grads[key]
            assert np.shape(computed) == np.shape(printed)
            assert np.max(np.abs(computed - printed)) <= 1e-3 * np.max(np.abs(printed))


@pytest.mark.slow
@pytest.mark.parametrize("name", special_models())
def test_every_special_model_is_made_again(name):
    derivation = special_models()[name].derivation()
    assert run("\n".join(derivation.origin.lines()))["derivation"].to_markdown() == derivation.to_markdown()


def test_results_are_the_printed_figures_rounded():
    derivation = load("gru").derivation(digits=3)
    exact = load("gru").lambdify()(**load("gru").arguments())
    for key, printed in derivation.results.items():
        computed = exact.loss if key == "L" else exact.grads[key]
        assert 0 < np.max(np.abs(computed - printed)) <= 5e-3 * np.max(np.abs(printed))
    assert load("softmax-readout").derivation().results == {}


def test_arguments_take_other_values():
    model = load("relu-explosion")
    assert model.lambdify()(**model.arguments({"W_h": "1/2"})).loss == 0.5 * (1 - 3.5) ** 2
    with pytest.raises(ValueError, match="W_g"):
        model.arguments({"W_g": 1})


def run(text):
    names = {}
    exec(text, names)
    return names


def source(found, key):
    (cell,) = [cell for cell in found if cell["id"] == key]
    return "".join(cell["source"])


@pytest.mark.slow
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


@pytest.mark.slow
@MADE
def test_nbformat_accepts_it(made, require):
    nbformat = require("nbformat")
    for _, derivation in made():
        nbformat.validate(nbformat.reads(derivation.to_notebook(), as_version=4))
