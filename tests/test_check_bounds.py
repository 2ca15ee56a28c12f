"""Inequalities, limits, eigenvalues and approximations in notes: what is supposed, what holds then, what does not."""

from __future__ import annotations

import math

import pytest

from symbptt.reading.check import check_note
from symbptt.reading.extract import note_of
from symbptt.reading.report import ASSUMPTION, CONDITIONAL, DEFINITION, HOLDS, REFUTED, UNCHECKED, Claim

TANH = "Let $W$ be a matrix and\n$$h_t = \\tanh(W h_{t-1} + U x_t).$$\n"
ANY = "Let $W$ be a matrix and\n$$h_t = \\phi(z_t), \\qquad z_t = W h_{t-1} + U x_t.$$\n"
STEP = r"\left\|\frac{\partial h_t}{\partial h_{t-1}}\right\|"
MANY = r"\left\|\frac{\partial h_t}{\partial h_k}\right\|"


def claims(text: str) -> dict[str, Claim]:
    return {c.latex: c for c in check_note(note_of(text, "note.md")).claims}


def last(text: str) -> Claim:
    return list(check_note(note_of(text, "note.md")).claims)[-1]


@pytest.mark.parametrize(
    ("before", "right", "wrong"),
    [
        ("", rf"{STEP} \le \|W\|", rf"{STEP} \ge \|W\|"),
        ("", rf"{MANY} \le \|W\|^{{t-k}}", rf"{MANY} \le \|W\|^{{t-k+1}}"),
        ("", r"\|W^k\| \le \|W\|^k", r"\|W^k\| \ge \|W\|^k"),
        ("", r"\rho(W) \le \|W\|", r"\|W\| \le \rho(W)"),
        ("", r"\|W\|_2 \le \|W\|_F", r"\|W\|_F \le \|W\|_2"),
        ("", r"|h_t| < 1", r"|h_t| < \frac{1}{2}"),
        ("", r"\tanh'(z) \le 1", r"\tanh'(z) \le \frac{9}{10}"),
        (r"Suppose $\|W\| \le \beta$. Then ", rf"{MANY} \le \beta^{{t-k}}", rf"{MANY} \le \beta^{{t-k-1}}"),
        (rf"Suppose ${STEP} \le \eta < 1$. Then ", rf"{MANY} \le \eta^{{t-k}}", rf"{MANY} \le \eta^{{2(t-k)}}"),
        (r"If $\|W\| < 1$, then ", r"\|W^k\| \le 1", r"\|W^k\| \ge 1"),
        (r"If $\rho(W) < 1$, then ", r"\rho(W)^k \le 1", r"\|W^k\| \le 1"),
        (r"其中 $W_h$ 无关。假设 $\|W\| = 1$，那么 ", rf"{STEP} \le 1", rf"{STEP} \ge 1"),
    ],
)
def test_a_bound_that_follows_holds_and_one_that_does_not_is_refuted(before: str, right: str, wrong: str) -> None:
    assert last(f"{TANH}{before}${right}$.").verdict == HOLDS
    found = last(f"{TANH}{before}${wrong}$.")
    assert found.verdict == REFUTED
    assert found.counterexample is not None


def test_the_counterexample_violates_the_bound_with_constants_that_are_allowed() -> None:
    found = last(f"{TANH}Suppose ${STEP} \\le c < 1$. Then ${MANY} \\le c^{{2(t-k)}}$.").counterexample
    assert found is not None
    numbers, steps = dict(found.numbers), dict(found.indices)
    assert found.left_value > found.right_value == pytest.approx(numbers["c"] ** (2 * (steps["t"] - steps["k"])), 1e-4)
    assert 0 < numbers["c"] < 1


@pytest.mark.parametrize(
    "supposed",
    [
        r"假设激活函数的导数都小于某个常数 $c < 1$，那么我们有：",
        r"Suppose that the derivative of the activation is less than some constant $c < 1$. Then",
        r"Suppose $|\phi'(z)| \le c < 1$ for all $z$. Then",
        r"Suppose $|\phi'| \le c$ where $c < 1$. Then",
    ],
)
def test_a_bound_of_one_step_with_an_exponent_is_that_mistake_and_the_norm_of_the_matrix_is_put_in(
    supposed: str,
) -> None:
    found = last(f"{ANY}{supposed}\n\n$${STEP} \\le c^t$$")
    assert (found.verdict, found.cause) == (REFUTED, "one-step-bound")
    assert found.right == r"\left\|\frac{\partial h_t}{\partial h_0}\right\| \le (c \|W\|)^t"
    assert last(f"{ANY}{supposed}\n\n$${found.right}$$").verdict == HOLDS
    assert last(f"{ANY}{supposed}\n\n$${STEP} \\le c \\|W\\|$$").verdict == HOLDS


def test_a_lower_bound_of_the_slope_bounds_by_the_least_singular_value() -> None:
    supposed = r"假设激活函数的导数都大于某个常数 $c > 1$，那么我们有："
    found = last(f"{ANY}{supposed}\n\n$${STEP} \\ge c^t$$")
    assert (found.verdict, found.cause) == (REFUTED, "one-step-bound")
    assert found.right == r"\left\|\frac{\partial h_t}{\partial h_0}\right\| \ge (c \sigma_{\min}(W))^t"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (r"Suppose $c < 1$.", ASSUMPTION),
        (r"设 $0 < \gamma < 1$。", ASSUMPTION),
        (r"We assume $\|W\| = 1$.", ASSUMPTION),
        (r"若 $\rho(W) > 1$，", ASSUMPTION),
        (r"The norm is small when $\|W\| \le \beta$.", ASSUMPTION),
        (rf"Let $\eta$ be a constant with ${STEP} \le \eta$.", ASSUMPTION),
        (rf"Hence ${STEP} \le \kappa^{{t}}$.", UNCHECKED),
    ],
)
def test_what_is_supposed_is_no_claim(text: str, verdict: str) -> None:
    assert last(TANH + text).verdict == verdict


def test_a_second_supposition_takes_the_place_of_one_that_contradicts_it() -> None:
    found = claims(r"If $|a| < 1$, then $a^k \to 0$. If $|a| > 1$, then $\frac{1}{a^k} \to 0$.")
    assert [c.verdict for c in found.values()] == [ASSUMPTION, HOLDS, ASSUMPTION, HOLDS]


def test_what_a_note_leaves_open_is_named() -> None:
    found = last(f"{TANH}${STEP} \\le 1$.")
    assert found.condition is not None
    assert (found.verdict, found.condition.key) == (CONDITIONAL, "check.condition.norm-at-most-one")
    found = last(f"{ANY}${STEP} \\le \\|W\\|$.")
    assert found.condition is not None
    assert (found.verdict, found.condition.key) == (CONDITIONAL, "check.condition.slope-at-most-one")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (r"Let $0 < \gamma < 1$. Then $\gamma^k \to 0$.", HOLDS),
        (r"Let $0 < \gamma < 1$. Then $\lim_{k \to \infty} \gamma^k = 0$.", HOLDS),
        (r"Let $0 < \gamma < 1$. Then $k \gamma^k \to 0$.", HOLDS),
        (r"Let $0 < \gamma < 1$. Then $\gamma^k \to \infty$.", REFUTED),
        (r"Let $0 < \gamma < 1$. Then $\gamma^k \to 1$.", REFUTED),
        (r"若 $|\lambda_1| > 1$，则 $\lambda_1^k \to \infty$。", CONDITIONAL),
        (r"若 $|\lambda_1| > 1$，则 $|\lambda_1|^k \to \infty$。", HOLDS),
        (rf"{TANH}If $\|W\| < 1$, then ${MANY} \to 0$ as $t$ grows.", HOLDS),
        (rf"{TANH}If $\|W\| > 1$, then ${MANY} \to \infty$.", REFUTED),
        (rf"{TANH}For long sequences ${MANY} \to 0$.", CONDITIONAL),
        (rf"{TANH}If $\rho(W) < 1$, then $W^k \to 0$.", HOLDS),
        (rf"{TANH}The path is $h_1 \to h_2$.", UNCHECKED),
    ],
)
def test_what_an_expression_tends_to_is_tested_by_growing_its_index(text: str, verdict: str) -> None:
    found = last(text)
    assert found.verdict == verdict
    if verdict == REFUTED:
        assert found.counterexample is not None
        assert not math.isclose(found.counterexample.left_value, found.counterexample.right_value)


def test_eigenvalues_are_what_the_note_says_they_are() -> None:
    found = claims(
        r"If $A v = \lambda v$, then $A^2 v = \lambda^2 v$ and $A^k v = \lambda^k v$, but not $A^2 v = \lambda v$."
        "\n\n"
        r"If $B = Q \Lambda Q^{-1}$, then $B^k = Q \Lambda^k Q^{-1}$, but not $B^k = Q^k \Lambda Q^{-1}$."
    )
    assert [c.verdict for c in found.values()] == [
        DEFINITION, HOLDS, HOLDS, REFUTED, ASSUMPTION, HOLDS, REFUTED,
    ]  # fmt: skip


def test_an_approximation_under_an_assumption_is_conditional_on_it() -> None:
    model = "$$h_t = \\sigma(z_t), \\quad z_t = W h_{t-1} + U x_t$$\n"
    supposed = r"假设 $\sigma'(z_t) \approx 0.25$，并且 $W$ 的模为1。那么"
    right = r"\frac{\partial h_{t+k}}{\partial h_t} \approx 0.25^k"
    found = last(f"{model}{supposed}\n$${right}$$")
    assert found.condition is not None
    assert (found.verdict, found.condition.key) == (CONDITIONAL, "check.condition.assumed-scalars")
    assert dict(found.condition.values)["line"] == "2"
    wrong = last(f"{model}{supposed}\n$${right.replace('0.25^k', '0.5^k')}$$")
    assert wrong.verdict != HOLDS
    assert wrong.condition is None or not wrong.condition.key.startswith("check.condition.assumed")


def test_gates_are_between_zero_and_one_entry_by_entry() -> None:
    lstm = (
        r"$$f_t = \sigma(W_f h_{t-1} + U_f x_t), \quad i_t = \sigma(W_i h_{t-1} + U_i x_t)$$"
        r"$$c_t = f_t \odot c_{t-1} + i_t \odot \tanh(W_c h_{t-1} + U_c x_t), \quad h_t = \tanh(c_t)$$"
        "\n"
    )
    assert last(lstm + r"The gates satisfy $0 < f_t < 1$.").verdict == HOLDS
    assert last(lstm + r"Hence $|c_t| < 1$.").verdict == REFUTED
    found = last(lstm + r"$$\left\|\frac{\partial c_t}{\partial c_{t-1}}\right\| \le 1$$")
    assert found.condition is not None
    assert found.condition.key == "check.condition.immediate"


def test_a_bound_that_only_follows_from_an_earlier_mistake_says_so() -> None:
    one = "One hidden unit, all are scalars: $$h_t = \\tanh(w h_{t-1} + u x_t)$$\n\n"
    path = r"$$\frac{\partial h_T}{\partial w} = \frac{\partial h_T}{\partial h_1} \frac{\partial h_1}{\partial w}$$"
    supposed = "Suppose $\\left|\\frac{\\partial h_t}{\\partial h_{t-1}}\\right| \\le c < 1$. Then\n\n"
    bound = r"$$\left|\frac{\partial h_T}{\partial w}\right| \le c^{T-1} \left|\frac{\partial h_1}{\partial w}\right|$$"
    found = last(f"{one}{path}\n\n{supposed}{bound}")
    assert (found.verdict, found.cause, found.consequence_of) == (REFUTED, "lost-sum", 3)


def test_the_same_note_gives_the_same_report_twice() -> None:
    text = f"{TANH}Suppose $\\|W\\| \\le \\beta$. Then ${MANY} \\le \\beta^{{t-k-1}}$ and ${MANY} \\to 0$."
    assert claims(text) == claims(text)
