"""The models that a report shows, and what the user may say of them: --model and --assume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import symbptt
from symbptt.cli import run as main
from symbptt.errors import SymbpttError, UnknownNameError, ValueInputError
from symbptt.reading.messages import MESSAGES
from symbptt.reading.report import Report, Understood

NOTES = Path(__file__).parent / "notes"
CELL = r"$$h_t = \tanh(W_{hh} h_{t-1} + W_{xh} x_t + b_h)$$" + "\n\n"
READOUT = r"$$y_t = W_{hy} h_t + b_y, \qquad L = \sum_{t=1}^T L_t$$" + "\n\n"
NUMBERS = r"$$z_t = w h_{t-1} + u x_t, \quad h_t = \sigma(z_t), \quad L = \frac{1}{2} (h_2 - y)^2$$" + (
    "\n\nwith $w = 0.5$, $u = -1$, $x_1 = 1$, $x_2 = 2$, $h_0 = 0$, $y = 0.25$.\n"
)


def checked(text: str, **given: Any) -> Report:
    return symbptt.check_notes(text, kind="markdown", **given).data


def model_of(text: str, **given: Any) -> Understood:
    models = checked(text, **given).models
    assert len(models) == 1
    used = [*models[0].facts, *(row[2] for row in models[0].symbols)]
    assert all({k for k, _ in m.values} == MESSAGES[m.key] for m in used)
    return models[0]


def facts(model: Understood) -> set[str]:
    return {fact.key.rpartition(".")[2] for fact in model.facts}


# -- what is shown --------------------------------------------------------------------------------------------
def test_equations_and_shapes_are_those_of_the_note():
    model = model_of("# A note\n\n" + CELL + READOUT + "The weights are matrices.")
    assert model.line == 3
    assert model.equations == (
        r"h_t = \tanh(W_{hh} h_{t-1} + W_{xh} x_t + b_h)",
        "y_t = W_{hy} h_t + b_y",
        r"L = \sum_{t=1}^T L_t",
    )
    rows = {latex: (shape, meaning.key.rpartition(".")[2]) for latex, shape, meaning in model.symbols}
    assert rows == {
        "h_t": ("n", "state"),
        "x_t": ("m", "input"),
        "y_t": ("q", "output"),
        "W_{hh}": (r"n \times n", "weights"),
        "W_{xh}": (r"n \times m", "weights"),
        "W_{hy}": (r"q \times n", "weights"),
        "b_h": ("n", "bias"),
        "b_y": ("q", "bias"),
    }
    assert facts(model) == {"vectors", "columns", "loss-unknown", "start-unknown", "layout-unknown"}


def test_numbers_make_a_scalar_model_and_are_listed():
    model = model_of(NUMBERS)
    assert model.values == (
        ("w", "0.5"), ("u", "-1"), ("x_1", "1"), ("x_2", "2"), ("h_0", "0"), ("y", "0.25"),
    )  # fmt: skip
    assert {shape for _, shape, _ in model.symbols} == {"1"}
    assert facts(model) == {"scalar", "steps", "activation"}


def test_rows_have_the_shapes_of_a_batch():
    model = symbptt.check_notes(NOTES / "rows-zh.md").models[0]
    shapes = {latex: shape for latex, shape, _ in model.symbols}
    assert "rows" in facts(model)
    assert shapes[r"\mathbf{H}_t"] == r"B \times n" and shapes[r"\mathbf{W}_{hq}"] == r"n \times q"
    assert shapes[r"\mathbf{b}_h"] == r"1 \times n"


def test_each_letter_for_a_function_is_said_or_said_to_be_open():
    both = r"$$h_t = f(W h_{t-1} + U x_t), \quad y_t = g(V h_t)$$"
    model = model_of(both)
    (open_,) = [dict(f.values) for f in model.facts if f.key == "check.fact.activation-unknown"]
    assert [part.latex for part in open_["function"]] == ["f", "g"] and "tanh" in open_["tried"]
    assert "activation" in facts(model_of(both, assume={"f": "tanh", "g": "sigmoid"}))
    assert "activation-unknown" not in facts(model_of(both, assume={"f": "tanh", "g": "sigmoid"}))
    assert not {"activation", "activation-unknown"} & facts(model_of(CELL))


def test_models_come_in_order_and_notes_without_a_network_have_none():
    lines = [m.line for m in symbptt.check_notes(NOTES / "two-models-zh.md").models]
    assert lines == sorted(lines) and len(lines) == 2
    assert checked("$2 + 2 = 4$ and $c = 3$.").models == ()


def test_equations_that_fit_nothing_are_said_not_to():
    model = model_of(r"$$h_t = W h_{t-1} + h_{t-1}^\top V x_t$$")
    assert facts(model) & {"not-built", "not-built-why"} and model.symbols == ()


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_model_of_the_notes_is_shown_in_words(lang: str):
    for path in sorted(p for p in NOTES.iterdir() if p.suffix in (".md", ".tex")):
        report = symbptt.check_notes(path, lang=lang)
        text = report.to_text()
        for model in report.models:
            assert all(" ".join(latex.split())[:40] in text for latex in model.equations)
            assert all(latex in text for latex, _, _ in model.symbols)


def test_a_number_before_the_sum_of_losses_belongs_to_each():
    model = model_of(CELL + r"$$L = \frac{1}{2} \sum_{t=1}^T \| h_t - y_t \|^2$$")
    assert "loss-unknown" not in facts(model)
    assert ("y_t", "n", "target") in {(a, b, c.key.rpartition(".")[2]) for a, b, c in model.symbols}


@pytest.mark.parametrize(
    "sentence", ["Without activation, $f(z) = z$.", "如果没有激活函数，也就是 $f(z) = z$，那么 $f'(z) = 1$。"]
)
def test_a_function_of_a_case_that_is_only_supposed_is_not_the_activation(sentence: str):
    equation = "$$h_t = f(W h_{t-1} + U x_t)$$\n\n"
    assert "activation-unknown" in facts(model_of(equation + sentence))
    assert "activation" in facts(model_of(equation + "Here $f(z) = z$."))


# -- the model that the user names ----------------------------------------------------------------------------
def verdicts(report: Report) -> dict[str, str]:
    return {claim.latex: claim.verdict for claim in report.claims}


LINEAR: dict[str, Any] = {"cell": "tanh", "readout": "linear", "loss": "half_squared_error"}


def test_definitions_that_agree_with_the_model_are_definitions():
    found = verdicts(checked(CELL + READOUT, model=symbptt.RNN(**LINEAR)))
    assert set(found.values()) == {"definition"}


def test_definitions_that_differ_are_refuted():
    found = verdicts(checked(CELL + READOUT, model=symbptt.RNN(**{**LINEAR, "cell": "sigmoid"})))
    assert found[r"h_t = \tanh(W_{hh} h_{t-1} + W_{xh} x_t + b_h)"] == "refuted"
    assert found["y_t = W_{hy} h_t + b_y"] == "definition"


@pytest.mark.parametrize(
    ("equations", "symbols"),
    [
        ("a_t = W h_{t-1} + U x_t + b", ("U", "a_t")),
        ("z_t = W_h h_{t-1} + W_x x_t", ("W_x", "z_t")),
        ("z_t = W_{hh} h_{t-1} + W_{ih} x_t + b_h", ("W_{ih}", "z_t")),
    ],
)
def test_symbols_are_matched_in_any_notation(equations: str, symbols: tuple[str, str]):
    matrix, inner = symbols
    right = (
        rf"\frac{{\partial L}}{{\partial {matrix}}} = \sum_{{t=1}}^T \frac{{\partial L}}{{\partial {inner}}} x_t^\top"
    )
    wrong = right.replace("x_t^", "h_t^")
    text = f"Gradients are columns. ${equations}$.\n\n$${right}$$\n\n$${wrong}$$"
    assert verdicts(checked(text, model="tanh")) == {equations: "definition", right: "holds", wrong: "refuted"}


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("lstm-zh.md", {"cell": "lstm"}),
        ("char-rnn.md", {"cell": "tanh", "readout": "softmax", "loss": "cross_entropy"}),
        ("column-gradients.tex", {"cell": "tanh", "readout": "softmax", "loss": "cross_entropy"}),
        ("softmax-book-style.ipynb", {"cell": "tanh", "readout": "softmax", "loss": "cross_entropy"}),
        ("rows-zh.md", {"cell": "tanh", "readout": "linear", "loss": "half_squared_error"}),
        ("numerator-layout.md", {"cell": "tanh", "readout": "linear", "loss": "half_squared_error"}),
    ],
)
def test_right_notes_are_right_with_their_model_from_the_catalogue(name: str, model: dict[str, Any]):
    report = symbptt.check_notes(NOTES / name, model=symbptt.RNN(**model))
    assert not report.counts["refuted"], [c.latex for c in report.claims if c.verdict == "refuted"]
    assert report.counts["unchecked"] <= 1 and report.counts["holds"] > 8


def test_a_worked_example_gives_its_cell_and_the_note_its_sum_of_losses():
    report = symbptt.check_notes(NOTES / "lstm-zh.md", model="lstm")  # of two steps, the loss at the last
    assert not report.counts["refuted"] and report.counts["holds"] > 15


def test_a_derivative_by_a_name_for_a_part_of_the_model_is_not_refuted():
    text = r"$$e_t = h_t - y_t, \qquad L = \sum_{t=1}^T \frac{1}{2} \|h_t - y_t\|^2$$"
    found = verdicts(checked(f"{CELL}{text}\n\n" + r"$$\frac{\partial L}{\partial e_t} = e_t$$"))
    assert found[r"\frac{\partial L}{\partial e_t} = e_t"] != "refuted"


@pytest.mark.slow
def test_another_model_than_that_of_the_note_is_noticed():
    report = symbptt.check_notes(NOTES / "gru.rst", model=symbptt.RNN(cell="gru"))
    assert any(c.verdict == "refuted" and c.latex.startswith("h_t &= (1 - z_t)") for c in report.claims)


def test_a_note_that_leaves_its_model_out_can_be_checked():
    text = r"$$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2) W_h$$"
    assert [c.verdict for c in checked(text).claims] == ["unchecked"]
    assert [c.verdict for c in checked(text, model="tanh").claims] == ["holds"]
    assert [c.verdict for c in checked(text, model="sigmoid").claims] == ["refuted"]


def test_the_model_of_the_user_is_shown_in_the_notation_of_the_note():
    model = model_of(CELL + READOUT, model=symbptt.RNN(**LINEAR))
    assert "given-by-user" in facts(model)
    assert model.equations[0] == "z_t = W_{hh} h_{t-1} + W_{xh} x_t + b_h"


# -- what the user assumes ------------------------------------------------------------------------------------
OPEN = "$$h_t = f(W h_{t-1} + U x_t), \\qquad L = \\sum_{t=1}^T \\ell(h_t, y_t)$$\n\n"


def test_a_loss_that_is_left_open_can_be_named():
    text = OPEN + r"$$\frac{\partial \ell_t}{\partial h_t} = h_t - y_t$$"
    claim = r"\frac{\partial \ell_t}{\partial h_t} = h_t - y_t"
    assert verdicts(checked(text, assume={"loss": "half_squared_error"}))[claim] == "holds"
    assert verdicts(checked(text, assume={"loss": "squared_error"}))[claim] == "refuted"
    assert "loss" in facts(model_of(text, assume={"loss": "squared_error"}))


def test_sizes_can_be_settled():
    text = OPEN.replace("f(", "\\tanh(") + r"$$\frac{\partial h_t}{\partial h_{t-1}} = W (1 - h_t^2)$$"
    claim = r"\frac{\partial h_t}{\partial h_{t-1}} = W (1 - h_t^2)"
    assert verdicts(checked(text, assume={"scalars": True}))[claim] == "holds"
    assert verdicts(checked(text, assume={"matrices": True}))[claim] == "refuted"
    assert "scalar" in facts(model_of(text, assume={"scalars": True}))


def test_the_layout_can_be_settled():
    text = OPEN.replace("f(", "\\tanh(") + "The weights are matrices."
    assert "denominator" in facts(model_of(text, assume={"layout": "denominator"}))
    assert "numerator" in facts(model_of(text, assume={"layout": "numerator"}))


@pytest.mark.parametrize(
    ("assume", "words"),
    [
        ({"loss": "cross"}, "give one of half_squared_error"),
        ({"layout": "both"}, "give one of numerator, denominator"),
        ({"scalars": "3"}, "scalars takes no value"),
        ({"scalars": True, "matrices": True}, "exclude each other"),
    ],
)
def test_what_cannot_be_assumed_is_said_in_one_line(assume: dict[str, Any], words: str):
    with pytest.raises(ValueInputError, match=words) as caught:
        checked(OPEN, assume=assume)
    assert "\n" not in str(caught.value)


def test_a_model_that_there_is_not_is_an_error():
    with pytest.raises(UnknownNameError, match="did you mean 'lstm'"):
        checked(OPEN, model="lsmt")
    assert issubclass(UnknownNameError, SymbpttError)


def test_the_command_takes_a_model_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    note = tmp_path / "note.md"
    note.write_text(CELL, encoding="utf-8")
    command = ["check", str(note), "--lang", "en"]
    assert main([*command, "--model", "tanh"]) == 0
    assert "options name" in capsys.readouterr().out
    assert main([*command, "--model", "sigmoid"]) == 1
    assert main([*command, "--assume", "scalars"]) == 0
    assert "all sizes are 1" in capsys.readouterr().out
    assert main([*command, "--model", "nosuch"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
