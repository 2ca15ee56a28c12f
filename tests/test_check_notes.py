"""Notes with known verdicts: no right formula is refuted, the planted mistakes are, and most claims are decided."""

from __future__ import annotations

from typing import Any

import pytest
from note_verdicts import NAMES, accepted, expected, found, report

from symbptt.reading.check import check_note
from symbptt.reading.extract import note_of
from symbptt.reading.report import UNCHECKED, UNREAD

PLANTED = tuple(name for name in NAMES if name.startswith("planted"))


@pytest.mark.parametrize("name", NAMES)
def test_no_right_formula_is_refuted(name: str) -> None:
    refuted = [c for one in expected(name) if "refuted" not in one.verdicts for c in found(name, one)]
    assert [f"{c.line}: {c.latex}" for c in refuted if c.verdict == "refuted"] == []


@pytest.mark.parametrize("name", PLANTED)
def test_every_planted_mistake_is_refuted(name: str) -> None:
    missed = [one for one in expected(name) if one.wrong and not one.optional and not accepted(name, one)]
    assert [f"{one.line}: {one.latex}" for one in missed] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_is_read(name: str) -> None:
    assert report(name).counts[UNREAD] == 0


def test_nearly_all_verdicts_are_those_of_a_careful_reader(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [(name, one) for name in NAMES for one in expected(name)]
    right = sum(accepted(name, one) for name, one in pairs)
    open_ = sum(report(name).counts[UNCHECKED] for name in NAMES)
    with capsys.disabled():
        print(f"\nnotes: {right} of {len(pairs)} verdicts accepted, {open_} claims not decided")
    assert right >= 0.93 * len(pairs)


def verdicts(text: str, **options: Any) -> list[str]:
    return [claim.verdict for claim in check_note(note_of(text), **options).claims]


MODEL = r"""
The state is $$h_t = \tanh(W h_{t-1} + U x_t + b)$$ with a weight matrix $W$, and the loss

$$L = \sum_{t=1}^T \ell_t, \qquad \ell_t = \frac{1}{2} \|h_t - y_t\|^2.$$

"""


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^2) W", "holds"),
        (r"\frac{\partial h_t}{\partial h_{t-1}} = W \mathrm{diag}(1 - h_t^2)", "refuted"),
        (r"\frac{\partial h_t}{\partial h_{t-1}} = W", "refuted"),
        (r"\frac{\partial h_t}{\partial h_{t-1}} = W^\top \mathrm{diag}(1 - h_t^2)", "conditional"),
        (r"\frac{\partial \ell_t}{\partial h_t} = h_t - y_t", "holds"),
        (r"\frac{\partial \ell_t}{\partial h_t} = y_t - h_t", "refuted"),
        (r"\frac{\partial L}{\partial h_T} = h_T - y_T", "holds"),
        (r"\frac{\partial L}{\partial h_t} = h_t - y_t", "conditional"),
        (r"\frac{\partial L}{\partial W} = "
         r"\sum_{t=1}^T \frac{\partial L}{\partial h_t} \frac{\partial h_t}{\partial W}", "conditional"),
        (r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \frac{\partial L}{\partial h_t} "
         r"\frac{\partial^+ h_t}{\partial W}", "holds"),
        (r"\frac{\partial \ell_t}{\partial W} = \frac{\partial \ell_t}{\partial h_t} \frac{\partial h_t}{\partial W}",
         "holds"),
        (r"\frac{\partial L}{\partial W} = \sum_{t=1}^T "
         r"\left( (1 - h_t^2) \odot \frac{\partial L}{\partial h_t} \right) h_{t-1}^\top", "holds"),
        (r"\frac{\partial L}{\partial W} = \sum_{t=1}^T "
         r"\left( (1 - h_t^2) \odot \frac{\partial L}{\partial h_t} \right) h_t^\top", "refuted"),
        (r"\frac{\partial L}{\partial h_t} = \sum_{s=t}^T \frac{\partial \ell_s}{\partial h_s} "
         r"\prod_{k=t+1}^s \frac{\partial h_k}{\partial h_{k-1}}", "holds"),
        (r"\frac{\partial h_{t+2}}{\partial h_t} = \frac{\partial h_{t+2}}{\partial h_{t+1}} "
         r"\frac{\partial h_{t+1}}{\partial h_t}", "holds"),
        (r"\frac{\partial h_t}{\partial h_k} = \frac{\partial h_t}{\partial h_{t-1}} \cdots "
         r"\frac{\partial h_{k+1}}{\partial h_k}", "holds"),
        (r"\tanh'(x) = 1 - \tanh^2(x)", "holds"),
        (r"\tanh'(x) = 1 - \tanh(x)", "refuted"),
        (r"1 + 2 + \dots + T = \frac{T(T+1)}{2}", "holds"),
        (r"2 \cdot 13.0 = 26.1", "refuted"),
    ],
)  # fmt: skip
def test_a_claim_gets_its_verdict(claim: str, verdict: str) -> None:
    assert verdicts(f"{MODEL}$${claim}$$")[-1] == verdict


def test_a_claim_of_which_the_model_is_unknown_is_not_decided() -> None:
    assert verdicts(r"$$\frac{\partial h_t}{\partial h_{t-1}} = W$$") == ["unchecked"]


def test_figures_are_judged_by_the_digits_given() -> None:
    note = r"""Scalars: $h_t = w h_{t-1} + x_t$, $L = \frac12 (h_2 - y)^2$, $w = 0.3$, $x_1 = 1.1$, $x_2 = 0.7$,
$h_0 = 0$, $y = 1.0$.

$$h_2 = 0.3 \cdot 1.1 + 0.7 = {}$$
"""
    assert verdicts(note.replace("{}", "1.03"))[-1] == "holds"
    assert verdicts(note.replace("{}", "1.0"))[-1] == "holds"
    assert verdicts(note.replace("{}", "1.04"))[-1] == "refuted"


BARE = r"$h_t = \tanh(z_t)$ with $z_t = W h_{t-1} + U x_t$, "
LEFT_OPEN = r"$L = \ell_T(h_T)$, and $w$ is an entry of $W$. $$"
ONE_PATH = (
    r"\frac{\partial L}{\partial w} = \frac{\partial L}{\partial h_T}"
    r"\frac{\partial h_T}{\partial h_1} \frac{\partial h_1}{\partial w} $$"
)


@pytest.mark.parametrize(("start", "verdict"), [("h_0 = 0", "holds"), ("h_0 = 1", "refuted")])
def test_a_state_that_starts_from_zero_does_so_with_vectors_too(start: str, verdict: str) -> None:
    """The first term of the sum is left out, and is zero then."""
    claim = r"$$\frac{\partial L}{\partial W} = \sum_{t=2}^{T} \frac{\partial L}{\partial z_t} h_{t-1}^\top$$"
    assert verdicts(BARE + rf"$L = \sum_t \ell_t$, ${start}$. " + claim)[-1] == verdict


def test_a_loss_of_the_last_step_that_is_left_open_depends_on_the_state() -> None:
    """It is no target, by which every gradient would be zero."""
    assert verdicts(BARE + LEFT_OPEN + ONE_PATH)[-1] == "refuted"
    assert verdicts(BARE + r"$L = \ell_T$. $$\frac{\partial L}{\partial W} = 0$$")[-1] == "refuted"


@pytest.mark.parametrize("span", [r"0 \le k < t", r"1 \le k \le t - 1", r"0 \le k < t \le T"])
def test_where_an_index_runs_is_assumed(span: str) -> None:
    product = r"$\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^t \frac{\partial h_j}{\partial h_{j-1}}$"
    assert verdicts(BARE + rf"so that {product}. Here ${span}$.")[-1] == "assumption"


def test_brackets_say_what_an_entrywise_product_takes() -> None:
    claim = r"$$\frac{\partial L}{\partial h_t} = \frac{\partial \ell_t}{\partial h_t} + "
    bare, inner = r"W^\top \frac{\partial L}{\partial h_{t+1}} \odot (1 - h_{t+1}^2)$$", r"W^\top \left("
    inner += r"\frac{\partial L}{\partial h_{t+1}} \odot (1 - h_{t+1}^2)\right)$$"
    outer = r"\left(W^\top \frac{\partial L}{\partial h_{t+1}}\right) \odot (1 - h_{t+1}^2)$$"
    text = BARE + r"where $W$ and $U$ are matrices, $L = \sum_t \ell_t$. " + claim
    assert [verdicts(text + part)[-1] for part in (bare, inner, outer)] == ["holds", "holds", "refuted"]


OPEN = r"where $W$ and $U$ are matrices, $L = \sum_t \ell_t$. "


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("", "refuted"),
        (r"Let $W = W^\top$. ", "holds"),
        (r"The matrix $W$ is symmetric. ", "holds"),
        (r"The matrix $U$ is symmetric. ", "refuted"),
    ],
)
def test_a_matrix_that_is_said_to_be_symmetric_needs_no_transpose(words: str, verdict: str) -> None:
    right = r"\frac{\partial \ell_t}{\partial h_t} + W \frac{\partial L}{\partial z_{t+1}}$$"
    assert verdicts(BARE + OPEN + words + r"$$\frac{\partial L}{\partial h_t} = " + right)[-1] == verdict


def test_a_sum_from_the_second_step_holds_if_the_state_starts_from_zero() -> None:
    terms = r"\frac{\partial L}{\partial z_t} h_{t-1}^\top$$"
    text = BARE + OPEN + r"$$\frac{\partial L}{\partial W} = \sum_{t=2}^T " + terms
    claim = check_note(note_of(text)).claims[-1]
    assert claim.verdict == "conditional" and claim.condition is not None
    assert claim.condition.key == "check.condition.zero-start"
    assert verdicts(text.replace("h_{t-1}^", "x_t^").replace("partial W", "partial U"))[-1] == "refuted"


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("", "conditional"),
        ("In numerator layout: ", "holds"),
        ("In denominator layout: ", "refuted"),
        ("A gradient has the shape of its variable. ", "refuted"),
        ("Numerator layout is not denominator layout. ", "conditional"),
    ],
)
def test_a_layout_that_the_note_settles_is_no_condition(words: str, verdict: str) -> None:
    claim = r"$$\frac{\partial L}{\partial W} = \sum_t h_{t-1} \left(\frac{\partial L}{\partial z_t}\right)^\top$$"
    assert verdicts(BARE + OPEN + words + claim)[-1] == verdict


def test_a_path_that_is_lost_is_the_cause_though_it_is_a_multiple_at_the_numbers_given() -> None:
    claim = r"\frac{\partial L}{\partial w} = \frac{\partial L}{\partial h_2} \frac{\partial h_2}{\partial h_1}"
    claim += r"\frac{\partial h_1}{\partial w} = 1 \cdot 3 \cdot 1 = 3"
    text = rf"Let $h_t = w h_{{t-1}}$, $h_0 = 1$, $L = h_2$. At $w = 3$: $${claim}$$"
    found = check_note(note_of(text)).claims[-1]
    assert found.cause == "lost-sum" and found.right is not None
    assert found.right.endswith("= 6") and r"\sum_{k=1}^{2}" in found.right
