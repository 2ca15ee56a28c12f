"""Remarks beside the formulas of a note: each has a text that earns it and a near miss that does not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from symbptt.reading.check import check_note
from symbptt.reading.extract import note_of, read_note
from symbptt.reading.messages import MESSAGES

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

NOTES = Path(__file__).parent / "notes"
MODEL = r"""$$z_t = W h_{t-1} + U x_t$$

$$h_t = \tanh(z_t)$$

$$L = \sum_{t=1}^{T} \ell_t, \qquad \ell_t = \frac{1}{2} (h_t - y_t)^2$$

"""


def lints(text: str) -> list[tuple[str, str]]:
    """Return the kinds of remarks with what they show, behind the usual model."""
    found = check_note(note_of(MODEL + text, "n.md", "markdown")).lints
    assert all(set(dict(x.message.values)) == MESSAGES[x.message.key] for x in found)
    return [(x.kind, " ".join(str(getattr(v, "latex", v)) for _, v in x.message.values)) for x in found]


def kinds(text: str) -> list[str]:
    return [kind for kind, _ in lints(text)]


WX = r"$$\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \frac{\partial L}{\partial z_t} h_{t-1}^\top$$"


@pytest.mark.parametrize(
    "words",
    [
        r"The gradient of $L$ with respect to $U$ is",
        "### The gradient of the loss with respect to $U$\n",
        r"### 损失对 \(U\) 的梯度" + "\n",
        r"损失函数关于权重矩阵 $U$ 的梯度可以通过链式法则计算:",
        r"### 计算 $h_t$ 相对于 $z_t$ 的梯度" + "\n",
        r"隐藏状态 \( h_t \) 的梯度为：",
        r"### Computing $\frac{\partial L}{\partial U}$" + "\n",
    ],
)
def test_words_that_name_another_derivative_are_found(words: str) -> None:
    assert kinds(f"{words}\n\n{WX}") == ["other-derivative"]


@pytest.mark.parametrize(
    "words",
    [
        r"The gradient of $L$ with respect to $W$ is",
        r"### 损失对 \(W\) 的梯度" + "\n",
        r"参数 $W$ 的梯度为：",
        r"### 损失对 $U$ 和 $W$ 的梯度" + "\n",
        "### The gradient of the loss with respect to the parameters\n",
        r"Using the gradient of $L$ with respect to $z_t$:",
        r"With the gradient of $L$ with respect to $z_t$ at hand, the chain rule gives",
        r"### The gradients of the states" + "\n",
        r"We need the gradient of $L$ with respect to $U$. But first:",
    ],
)
def test_words_that_name_it_or_nothing_are_not(words: str) -> None:
    assert kinds(f"{words}\n\n{WX}") == []


def test_a_heading_over_several_formulas_needs_one_that_fits() -> None:
    right = r"$$\frac{\partial h_t}{\partial z_t} = \operatorname{diag}(1 - h_t^2)$$"
    heading = "### The derivative of $h_t$ with respect to $z_t$\n\n"
    assert kinds(f"{heading}{WX}\n\n{right}") == []
    assert kinds(f"{heading}{WX}\n\n### Another\n\n{right}") == ["other-derivative"]


def test_a_name_for_a_derivative_counts_as_it() -> None:
    text = r"Let $\delta_t = \frac{\partial L}{\partial z_t}$. The gradient of $L$ with respect to $z_t$ is"
    assert kinds(text + "\n\n" + r"$$\delta_t = \frac{\partial L}{\partial h_t} \odot (1 - h_t^2)$$") == []


def test_a_state_that_is_defined_in_another_way_is_found() -> None:
    assert lints("The key is\n\n$$h_t = \\tanh(W h_{t-1} + U x_t + b)$$") == [
        ("defined-twice", "h_t 3"),
        ("undefined-symbol", "b"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        r"The key is $h_t = \tanh(W h_{t-1} + U x_t)$.",
        "## Example\n\nConsider a linear model, $$h_t = W h_{t-1} + U x_t$$",
        "Without activation and input, $h_t = W h_{t-1}$.",
        "In short, $h_t = f(h_{t-1}, x_t)$.",
    ],
)
def test_another_model_or_the_same_in_other_words_is_no_second_definition(text: str) -> None:
    assert "defined-twice" not in kinds(text)


def test_two_names_by_definition_for_two_things_are_found() -> None:
    first, second = r"\frac{\partial L}{\partial z_t}", r"\frac{\partial L}{\partial h_t}"
    assert kinds(rf"Define $\delta_t = {first}$. Later, define $\delta_t = {second}$.") == ["defined-twice"]
    assert kinds(rf"Define $\delta_t = {first}$. Again, define $\delta_t = {first}$.") == []


def test_a_symbol_that_nothing_introduces_is_found_once() -> None:
    bound = r"$$\left\| \frac{\partial h_t}{\partial h_{t-1}} \right\| \le \kappa \|W\|$$"
    assert lints(f"{bound}\n\n{bound}") == [("undefined-symbol", r"\kappa")]


@pytest.mark.parametrize(
    "words", [r"where $\kappa$ is a constant", r"Let $0 < \kappa < 1$.", r"其中 $\kappa$ 是常数", "with κ as below"]
)
def test_a_symbol_that_words_introduce_is_not(words: str) -> None:
    assert kinds(r"$$\left\| \frac{\partial h_t}{\partial h_{t-1}} \right\| \le \kappa \|W\|$$" + f"\n\n{words}") == []


def test_the_loss_of_a_step_under_another_name_is_found() -> None:
    formula = r"$$\frac{\partial L_t}{\partial W} = \frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial W}$$"
    assert lints(formula) == [("undefined-symbol", "L_t")]
    assert lints(formula.replace("L_t", r"\ell_t")) == []
    assert lints("Let $L_t$ be the loss of step $t$.\n\n" + formula) == []


def test_an_index_that_is_bound_nowhere_is_found() -> None:
    formula = r"$$\frac{\partial L}{\partial h_t} = \frac{\partial L}{\partial h_s} \frac{\partial h_s}{\partial h_t}$$"
    assert lints(formula) == [("undefined-symbol", "s")]
    assert lints("For any $s > t$ later:\n\n" + formula) == []
    assert lints(formula.replace("h_t}", r"h_s}", 1).replace("= ", "= 1 ", 1)) == []


def test_what_is_usual_needs_no_definition() -> None:
    text = (
        r"$$\frac{\partial L}{\partial h_t} = I \frac{\partial L}{\partial h_t}, \qquad h_0 = 0, \qquad T = 10, "
        r"\qquad e^{i \pi} = -1, \qquad \frac{\partial L}{\partial \theta} "
        r"= \sum_{t=1}^{T} \frac{\partial \ell_t}{\partial \theta}$$"
    )
    assert kinds(text) == []


LOOSE = r"$$\frac{d \ell_t}{d W} = \sum_k \frac{d \ell_t}{d h_k} \frac{\partial h_k}{\partial W}$$"


def test_sums_whose_bounds_depend_on_another_index_need_them() -> None:
    assert kinds(LOOSE) == ["sum-without-bounds"]
    assert kinds(r"$$\frac{\partial h_t}{\partial h_k} = \prod \frac{\partial h_j}{\partial h_{j-1}}$$") == [
        "sum-without-bounds"
    ]


@pytest.mark.parametrize(
    "text",
    [
        LOOSE.replace(r"\sum_k", r"\sum_{k=1}^{t}"),
        LOOSE.replace(r"\sum_k", r"\sum_{k \le t}"),
        "Here $k = 1, \\dots, t$.\n\n" + LOOSE,
        r"$$\frac{\partial L}{\partial W} = \sum_t \frac{\partial \ell_t}{\partial W}$$",
        r"$$\|h_t\|^2 = \sum_i h_{t,i}^2$$",
    ],
)
def test_sums_over_all_steps_or_components_do_not(text: str) -> None:
    assert kinds(text) == []


def d(top: str, bottom: str) -> str:
    return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"


@pytest.mark.parametrize(
    ("chain", "wrong", "right"),
    [
        ([("h_t", "h_{t-1}"), ("h_{t-2}", "h_{t-1}")], ("h_{t-2}", "h_{t-1}"), ("h_{t-1}", "h_{t-2}")),
        ([("L", "h_3"), ("h_2", "h_3"), ("h_2", "W")], ("h_2", "h_3"), ("h_3", "h_2")),
        ([("h_2", "W"), ("h_2", "h_3"), ("L", "h_3")], ("h_2", "h_3"), ("h_3", "h_2")),
    ],
)
def test_a_factor_that_is_upside_down_is_found(
    chain: list[tuple[str, str]], wrong: tuple[str, str], right: tuple[str, str]
) -> None:
    text = " ".join(d(*pair) for pair in chain)
    assert lints(f"Products such as ${text}$ shrink.") == [("inverted-factor", f"{d(*wrong)} {d(*right)}")]


@pytest.mark.parametrize(
    "chain",
    [
        [("h_3", "h_2"), ("h_2", "h_1")],
        [("h_2", "h_1"), ("h_3", "h_2"), ("L", "h_3")],
        [("L", "h_3"), ("z_2", "W")],
        [("h_1", "h_2")],
    ],
)
def test_chains_in_either_order_and_those_with_gaps_are_not(chain: list[tuple[str, str]]) -> None:
    assert kinds(f"Products such as ${' '.join(d(*pair) for pair in chain)}$ shrink.") == []


def test_a_formula_that_is_never_closed_is_found() -> None:
    assert kinds("The state $h_t has no end.") == ["unclosed"]
    assert kinds("It costs \\$5.") == []


def test_one_formula_gets_one_remark_of_a_kind() -> None:
    text = "### The gradient of $L$ with respect to $U$\n\nThe gradient of $L$ with respect to $U$ is\n\n"
    found = check_note(note_of(MODEL + text + WX, "n.md", "markdown")).lints
    assert len({(x.line, x.kind) for x in found}) == len(found)
    assert all((a.line, a.column) <= (b.line, b.column) for a, b in pairwise(found))


@pytest.mark.sample(4)
@pytest.mark.parametrize("path", sorted(p.name for p in NOTES.iterdir() if p.suffix != ".toml"))
def test_the_notes_have_the_remarks_that_are_expected(path: str) -> None:
    expected = tomllib.loads((NOTES / f"{path}.expect.toml").read_text("utf-8")).get("lint", [])
    found = {(x.cell, x.line, x.kind) for x in check_note(read_note(NOTES / path)).lints}
    assert found == {(x.get("cell"), x["line"], x["kind"]) for x in expected}
