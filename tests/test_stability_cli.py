"""The command ``symbptt stability``, and numbers drawn from a seed, from the command line and model files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_cli import run  # noqa: F401

from symbptt import RNN, Cell, SymbpttError, load
from symbptt.errors import SizeError, UnknownNameError, ValueInputError
from symbptt.examples import example_names
from symbptt.examples.modelfile import parse


def test_it_writes_the_stability_of_a_source_in_both_languages(run):  # noqa: F811
    code, out, err = run("stability", "power-iteration", "--lang", "en", "--to", "text")
    assert code == 0 and not err
    assert "Power iteration" in out and "[14; 13]" in out and "1/3" in out
    assert "幂迭代" in run("stability", "power-iteration", "--lang", "zh").out


@pytest.mark.parametrize("name", example_names())
def test_every_example_has_its_numbers_or_says_in_one_line_why_not(name):
    model = load(name)
    try:
        norms = model.stability().data.gradient_norms
    except SymbpttError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(norms).all()


def test_numbers_can_be_set_or_left_out(run):  # noqa: F811
    out = run("stability", "sigmoid-vanishing", "--set", "W_h=2", "--steps", "5", "--to", "text", "--lang", "en").out
    assert "= 0.5 < 1" in out
    out = run("stability", "tanh", "--to", "text", "--lang", "en").out
    assert "‖∂hₜ/∂hₜ₋₁‖₂ = ‖diag(tanh′(zₜ)) W_h‖₂" in out and "Eigenvalues" not in out
    assert "0.25" not in run("stability", "sigmoid-vanishing", "--symbolic", "--lang", "en", "--steps", "9").out


@pytest.mark.parametrize("kind", ["latex", "html", "json", "notebook"])
def test_every_format_is_written(run, kind):  # noqa: F811
    code, out, _ = run("stability", "power-iteration-nonsymmetric", "--to", kind)
    assert code == 0 and len(out) > 2000
    if kind == "json":
        kinds = {step["kind"] for section in json.loads(out)["sections"] for step in section["steps"]}
        assert {"bound", "measured", "table", "equality"} <= kinds


def test_a_plot_is_written_beside_the_text(run, tmp_path, require):  # noqa: F811
    require("matplotlib")
    code, _, err = run("stability", "power-iteration", "-o", "a.md", "--plot", "a.svg", "--plot-kind", "power")
    assert code == 0 and "wrote a.svg" in err
    assert (tmp_path / "a.md").stat().st_size > 1000 and (tmp_path / "a.svg").stat().st_size > 5000


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["stability", "power-iteration", "--plot", "a.gif"], "a.gif: a plot is written as .svg"),
        (["stability", "power-iteration", "--plot", "nowhere/a.svg"], "there is no directory nowhere"),
        (["stability", "tanh", "--plot", "a.svg"], "numbers are needed"),
        (["stability", "power-iteration", "--plot-kind", "norm"], "did you mean 'norms'"),
        (["stability", "power-iteration", "--set", "W_h=[[1,2]]"], "W_h"),
    ],
)
def test_bad_input_is_one_clear_line(run, require, arguments, words):  # noqa: F811
    require("matplotlib")
    code, _, err = run(*arguments)
    assert code == 2 and words in err and err.count("\n") == 1


# -- numbers drawn from a seed ------------------------------------------------------------------------

DRAWN = {"seed": 5, "W_h": 0.5, "W_x": 1, "b_h": 0, "x": 1, "target": 2}


def test_drawn_numbers_have_their_shapes_and_deviations():
    model = RNN("tanh", 40, 30, steps=20, random=DRAWN)
    values = {key: np.array(value) for key, value in model.values.items()}
    assert {key: v.shape for key, v in values.items()} == {
        "W_h": (40, 40), "W_x": (40, 30), "b_h": (40,), "x": (20, 30), "target": (20, 40),
    }  # fmt: skip
    assert not values["b_h"].any()
    for key in ("W_h", "W_x", "x", "target"):
        assert values[key].std() == pytest.approx(DRAWN[key], rel=0.1) and abs(values[key].mean()) < 0.2


def test_drawn_numbers_are_the_same_everywhere():
    one = RNN("tanh", 2, 2, steps=3, random=DRAWN)
    assert one.values == RNN("tanh", 2, 2, steps=3, random=dict(reversed(DRAWN.items()))).values
    assert one.values["x"] == one.replace(steps=2).values["x"] + [one.values["x"][2]]
    assert one.replace(values={"W_h": [[1, 0], [0, 1]]}).values["W_h"] == [[1, 0], [0, 1]]
    assert one != one.replace(random={**DRAWN, "seed": 6}) and eval(repr(one), {"RNN": RNN, "Cell": Cell}) == one


@pytest.mark.parametrize(
    "random, error, words",
    [
        ({"seed": -1}, ValueInputError, "random seed -1"),
        ({"W_q": 1}, UnknownNameError, "random 'W_q'"),
        ({"W_h": "much"}, ValueInputError, "standard deviation is needed"),
        ({"W_h": -0.5}, ValueInputError, "standard deviation is needed"),
    ],
)
def test_what_cannot_be_drawn_is_refused(random, error, words):
    with pytest.raises(error, match=words):
        RNN("tanh", 2, 2, steps=3, random=random)


def test_drawing_needs_sizes():
    with pytest.raises(SizeError, match="need concrete sizes"):
        _ = RNN("tanh", random={"W_h": 1}).values


def test_a_model_file_draws_numbers():
    file = parse('cell = "tanh"\nhidden = 2\ninputs = 1\nsteps = 3\n[random]\nseed = 1\nW_h = 0.5\n', "my.toml")
    model = RNN(**file.arguments())
    assert model.random == {"seed": 1, "W_h": 0.5} and np.shape(model.values["W_h"]) == (2, 2)


def test_the_document_and_the_picture_are_both_written_or_neither(run, tmp_path):  # noqa: F811
    page, picture = tmp_path / "page.md", tmp_path / "picture.svg"
    code, _, err = run("stability", "power-iteration", "-o", str(page), "--plot", str(tmp_path / "picture.gif"))
    assert code == 2 and ".svg" in err and list(tmp_path.iterdir()) == []
    code, _, err = run("stability", "power-iteration", "-o", str(tmp_path / "none" / "page.md"), "--plot", str(picture))
    assert code == 2 and "page.md" in err and list(tmp_path.iterdir()) == []
    assert run("stability", "power-iteration", "-o", str(page), "--plot", str(picture)).code == 0
    assert page.exists() and picture.exists()
