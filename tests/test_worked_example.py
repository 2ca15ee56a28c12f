"""The worked ReLU numbers: every figure, the printed chains, the branches in words, and bad numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbptt import RNN, Cell, Loss, SymbpttError, load
from symbptt import algebra as A
from symbptt.algebra import present
from symbptt.algebra.figures import Figure
from symbptt.algebra.tex import to_tex
from symbptt.errors import SizeError, UnknownNameError, ValueInputError
from symbptt.model import names

VALUES = {"W_x": 2.0, "W_h": 2.0, "b_h": 0.0, "x": [1.0, 1.0, 1.0], "h0": 0.0, "target": 1.0}
NOTATION = {"target": "y", "b_h": "b"}
LOSS = Loss("1/2 * norm2(target[t] - h[t])")
MODEL = RNN("relu", 1, 1, steps=3, reduction="last", loss=LOSS, values=VALUES, notation=NOTATION)
DERIVATION = MODEL.derivation()


def chain(key: str, derivation: Any = DERIVATION) -> str:
    """A step as one line of TeX."""
    step = derivation[key]
    printed = names(derivation.notation, frozenset({"target"}))
    parts = [to_tex(present(step.left, printed))]
    for line in step.chain:
        parts += [{"=": "=", "≈": r"\approx"}[line.sign], to_tex(present(line.expr, printed))]
    return " ".join(parts)


FIGURES = {
    **{f"forward.z.{t}": z for t, z in ((1, "2.0"), (2, "6.0"), (3, "14.0"))},
    **{f"forward.h.{t}": h for t, h in ((1, "2.0"), (2, "6.0"), (3, "14.0"))},
    "forward.L": "84.5",
    "backward.local.h.3": "13.0",
    **{f"backward.h.{t}": g for t, g in ((2, "26.0"), (1, "52.0"), (0, "104.0"))},
    **{f"backward.z.{t}": g for t, g in ((3, "13.0"), (2, "26.0"), (1, "52.0"))},
    **{f"backward.slope.z.{t}": "1" for t in (1, 2, 3)},
    "numbers.W_h": "130.0",
    "numbers.W_x": "91.0",
    "numbers.b_h": "91.0",
    **{f"numbers.x.{t}": g for t, g in ((1, "104.0"), (2, "52.0"), (3, "26.0"))},
}


@pytest.mark.parametrize("key", FIGURES)
def test_the_figures_are_those_of_the_worked_example(key: str) -> None:
    assert str(DERIVATION[key].result) == FIGURES[key]


def test_the_example_file_says_the_same() -> None:
    example = load("relu-explosion")
    assert (example.network, example.notation) == (MODEL.network, NOTATION)
    derivation = example.derivation()
    assert {key: str(derivation[key].result) for key in FIGURES} == FIGURES


CHAINS = {
    "forward.z.2": r"z_2 = W_h h_1 + W_x x_2 + b = 2.0 \cdot 2.0 + 2.0 \cdot 1.0 + 0.0 = 4.0 + 2.0 = 6.0",
    "forward.h.2": r"h_2 = \mathrm{ReLU}(z_2) = \mathrm{ReLU}(6.0) = 6.0",
    "forward.L": r"L = \frac{1}{2} (y - h_3)^2 = \frac{1}{2} (1.0 - 14.0)^2 = \frac{1}{2} (-13.0)^2 = 84.5",
    "backward.local.h.3": r"\frac{\partial L}{\partial h_3} = h_3 - y = 14.0 - 1.0 = 13.0",
    "backward.h.2": r"\frac{\partial L}{\partial h_2} = W_h \frac{\partial L}{\partial z_3} = 2.0 \cdot 13.0 = 26.0",
    "numbers.W_h": (
        r"\frac{\partial L}{\partial W_h} = \sum_{t=1}^{3} \frac{\partial L}{\partial z_t} h_{t-1} "
        r"= \frac{\partial L}{\partial z_1} h_0 + \frac{\partial L}{\partial z_2} h_1 "
        r"+ \frac{\partial L}{\partial z_3} h_2 "
        r"= 52.0 \cdot 0.0 + 26.0 \cdot 2.0 + 13.0 \cdot 6.0 = 52.0 + 78.0 = 130.0"
    ),
    "numbers.b_h": (
        r"\frac{\partial L}{\partial b} = \sum_{t=1}^{3} \frac{\partial L}{\partial z_t} "
        r"= \frac{\partial L}{\partial z_1} + \frac{\partial L}{\partial z_2} + \frac{\partial L}{\partial z_3} "
        r"= 52.0 + 26.0 + 13.0 = 91.0"
    ),
}


@pytest.mark.parametrize("key", CHAINS)
def test_each_step_shows_formula_substitution_and_result(key: str) -> None:
    assert chain(key) == CHAINS[key]


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("because", "is greater than", "explodes")), ("zh", ("因为", "大于", "梯度爆炸"))]
)
def test_branches_and_growth_are_explained_in_both_languages(lang: str, words: tuple[str, ...]) -> None:
    text = MODEL.derivation(lang=lang).to_markdown()
    for word in words:
        assert word in text
    assert r"\mathrm{ReLU}'(z_3) = \mathrm{ReLU}'(14.0) = 1" in text
    assert "z_3 = 14.0" in text
    plain = MODEL.derivation(lang=lang).to_text()
    assert "$" not in plain
    assert "14.0" in plain


def test_every_line_of_it_is_proved() -> None:
    for rounding in ("carry", "step"):
        assert MODEL.derivation(rounding=rounding).verify()


def test_numbers_are_printed_as_they_are_given() -> None:
    mixed = MODEL.derivation(values={"W_h": 2, "W_x": "1/2", "b_h": "0.50"})
    assert chain("forward.z.1", mixed) == (
        r"z_1 = W_h h_0 + W_x x_1 + b = 2 \cdot 0.0 + \frac{1}{2} \cdot 1.0 + 0.50 = 0.5 + 0.50 = 1.0"
    )


def test_the_number_of_digits_is_an_option() -> None:
    model = MODEL.replace(cell="tanh", values={**VALUES, "W_h": 0.3})
    shown = {digits: str(model.derivation(digits=digits)["forward.h.3"].result) for digits in (3, 4, 6)}
    exact = np.tanh(2 + 0.3 * np.tanh(2 + 0.3 * np.tanh(2)))
    assert shown == {digits: f"{exact:.{digits}f}" for digits in (3, 4, 6)}
    signs = [line.sign for line in model.derivation()["forward.h.3"].chain]
    assert signs[-1] == "≈"
    assert all(line.sign == "=" for line in DERIVATION["forward.h.3"].chain)


def test_without_values_there_are_no_numbers() -> None:
    derivation = MODEL.derivation(values={})
    assert not [step for step in derivation.steps if step.kind in ("worked", "given", "observation")]
    with pytest.raises(ValueInputError, match="needs values"):
        MODEL.derivation(values={}, detail="numbers")


def test_fewer_steps_use_the_first_inputs() -> None:
    derivation = MODEL.derivation(steps=2)
    assert str(derivation["forward.h.2"].result) == "6.0"
    assert str(derivation["forward.L"].result) == "12.5"


def test_a_constant_input_serves_any_number_of_steps() -> None:
    derivation = MODEL.replace(values={**VALUES, "x": 1.0}).derivation(steps=5)
    assert str(derivation["forward.h.5"].result) == "62.0"


# -- numbers that cannot be -----------------------------------------------------------------------------

VECTOR = RNN("tanh", 2, 3, 2, "softmax", "cross_entropy", steps=2)
RIGHT: dict[str, Any] = {
    "W_h": [[0.1, 0.2], [0.3, 0.4]], "W_x": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "b_h": [0.0, 0.1],
    "W_y": [[1, 2], [3, 4]], "b_y": [0, 0], "x": [[1, 2, 3], [4, 5, 6]], "target": [0, 1],
}  # fmt: skip
NAN, INFINITE = float("nan"), float("inf")

BAD = {
    "a value that is missing": ({"W_h": None}, ValueInputError, "a value is missing for W_h; give it"),
    "several": ({"W_h": None, "x": None}, ValueInputError, "a value is missing for W_h, x"),
    "an unknown name": ({"W_q": 1}, UnknownNameError, "'W_q': the model has no such name; did you mean 'W_"),
    "NaN": ({"b_h": [0.0, NAN]}, ValueInputError, "value for 'b_h': "),
    "infinity": ({"x": [[1, 2, 3], [4, INFINITE, 6]]}, ValueInputError, "value for 'x': "),
    "words": ({"b_h": [0.0, "many"]}, ValueInputError, "value for 'b_h': .*many"),
    "a truth value": ({"b_h": [0.0, True]}, ValueInputError, "value for 'b_h': "),
    "nothing": ({"b_h": [0.0, None]}, ValueInputError, "value for 'b_h': "),
    "a complex number": ({"b_h": [0.0, 1j]}, ValueInputError, "value for 'b_h': "),
    "a matrix of another shape": ({"W_h": [[1, 2, 3]]}, ValueInputError, r"has shape \(1, 3\), but 2 x 2 is needed"),
    "a vector for a matrix": ({"W_h": [1, 2]}, ValueInputError, "'W_h' has shape"),
    "rows of different lengths": ({"W_h": [[1, 2], [3]]}, ValueInputError, "'W_h'"),
    "a number for a vector": ({"b_h": 1}, ValueInputError, r"'b_h' has shape \(\), but 2 is needed"),
    "too few inputs": ({"x": [[1, 2, 3]]}, SymbpttError, "x is given for 1 steps"),
    "a class too high": ({"target": [0, 2]}, ValueInputError, "class 2 at step 2 is out of range; .* 0 to 1"),
    "a class below 0": ({"target": [-1, 0]}, ValueInputError, "class -1 at step 1 is out of range"),
    "no distribution": ({"target": [[0.5, 0.6], [1, 0]]}, ValueInputError, "step 1 sums to 1.1; .* must sum to 1"),
    "negative probability": ({"target": [[1.5, -0.5], [1, 0]]}, ValueInputError, "not be negative"),
    "an initial state of another size": ({"h0": [1, 2, 3]}, ValueInputError, "'h0' has shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_number_is_answered_in_one_line(name: str) -> None:
    changed, error, message = BAD[name]
    values = {key: value for key, value in {**RIGHT, **changed}.items() if value is not None}
    with pytest.raises(error, match=message) as caught:
        VECTOR.derivation(values=values)
    assert "\n" not in str(caught.value)


def test_the_right_numbers_are_taken() -> None:
    assert VECTOR.derivation(values=RIGHT, detail="results").verify()


@pytest.mark.parametrize("steps", [4, 0, -1, 2.5, True, "3"])
def test_steps_beyond_the_inputs_or_none_are_refused(steps: Any) -> None:
    with pytest.raises(SizeError, match="steps"):
        MODEL.derivation(steps=steps)


def test_numbers_need_numbers_for_sizes() -> None:
    with pytest.raises(ValueInputError, match="concrete sizes"):
        RNN(steps=2).derivation(values={"W_h": 1, "W_x": 1, "b_h": 1, "x": 1, "target": 1})


def test_targets_of_a_sigmoid_lie_between_0_and_1() -> None:
    model = RNN("tanh", 1, 1, 1, "sigmoid", "binary_cross_entropy", steps=1)
    values = {**VALUES, "x": [1.0], "W_y": 1.0, "b_y": 0.0}
    assert model.derivation(values={**values, "target": [0.25]}).verify()
    with pytest.raises(ValueInputError, match="target at step 1 must lie between 0 and 1"):
        model.derivation(values={**values, "target": [1.25]})


def test_a_value_at_which_a_line_is_not_defined_is_an_error() -> None:
    cell = Cell(["h[t] = log(w * h[t-1] + x[t])"], {"h": ()}, shapes={"x": ()})
    with pytest.raises(SymbpttError) as caught:
        RNN(cell, steps=1).derivation(values={"w": 1, "x": [-2.0], "h0": 1.0, "target": [0.0]})
    assert "\n" not in str(caught.value)


def test_a_figure_is_never_evaluated() -> None:
    for text in ("__import__('os')", "1+1", "2**9", "x"):
        with pytest.raises(ValueInputError):
            Figure.parse(text)
    assert A.Literal("2.0").value == 2
