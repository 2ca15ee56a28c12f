"""Worked lines: whoever evaluates the printed numbers of a stage gets the printed numbers of the next."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from symbptt.algebra import (
    Literal,
    LiteralMatrix,
    MatrixParameter,
    Parameter,
    Variable,
    add,
    apply,
    diag,
    divide,
    hadamard,
    index,
    matmul,
    named,
    outer,
    power,
    present,
    product,
    scalar_parameter,
    shape_of,
    size,
    softmax,
    squared_norm,
    time_product,
    time_sum,
)
from symbptt.algebra.exact_functions import apply_figure
from symbptt.algebra.figures import Figure
from symbptt.algebra.plain import to_plain
from symbptt.algebra.rounding import Rounding
from symbptt.derive.stages import Stage
from symbptt.derive.worked import Branch, Worked, work_out
from symbptt.derive.worked_check import check, first_bad
from symbptt.errors import ValueInputError

P = Figure.parse
HALF = sympy.Rational(1, 2)
W, V, b = map(scalar_parameter, ("W_h", "W_x", "b"))
h, x, y, z, d = map(Variable, "hxyzd")
t, n, T = index(), size("n"), size("T")
M, N_x = Parameter("W_h", n, n), MatrixParameter("W_x", n, 1)
hv, zv, dv = (Variable(name, n, 1) for name in "hzd")
xv = Variable("x", 1, 1)
CHAIN = {
    W: 2.0, V: 2.0, b: 0.0, h[0]: 0.0, h[1]: 2.0, h[2]: 6.0, h[3]: 14.0, x[1]: 1.0, x[2]: 1.0, x[3]: 1.0, y[3]: 1.0,
    z[3]: 14.0, d[3]: 13.0,
}  # fmt: skip
TANH = apply_figure(named("tanh"), P("0.5"))


def line(worked: Worked) -> str:
    """The chain as one line of text."""
    return " ".join(f"{stage.relation} {to_plain(present(stage.expr))}" for stage in worked.stages)


@pytest.mark.parametrize("mode", ["carry", "step"])
@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (W * h[0] + V * x[1] + b, "= 2.0 · 0.0 + 2.0 · 1.0 + 0.0 = 2.0"),
        (W * h[1] + V * x[2] + b, "= 2.0 · 2.0 + 2.0 · 1.0 + 0.0 = 4.0 + 2.0 = 6.0"),
        (W * h[2] + V * x[3] + b, "= 2.0 · 6.0 + 2.0 · 1.0 + 0.0 = 12.0 + 2.0 = 14.0"),
        (h[3] - y[3], "= 14.0 − 1.0 = 13.0"),
        (d[3] * W, "= 13.0 · 2.0 = 26.0"),
        (apply("relu", z[3]), "= ReLU(14.0) = 14.0"),
        (product(d[3], apply(named("relu").prime, z[3])), "= 13.0 · ReLU′(14.0) = 13.0 · 1 = 13.0"),
        (h[3], "= 14.0"),
        (-h[3], "= −14.0"),
        (HALF, "= 1/2"),
        (sympy.Integer(1), "= 1"),
    ],
)
def test_the_chain_of_the_worked_relu_example(expr, text, mode):
    worked = work_out(expr, CHAIN, rounding=Rounding(mode=mode))
    assert line(worked) == text
    assert check(worked) and check(worked, CHAIN)


def test_the_loss_of_the_worked_relu_example():
    worked = work_out(product(HALF, power(y[3] - h[3], 2)), CHAIN)
    assert len(worked.stages) == 3 and check(worked, CHAIN)
    assert worked.stages[1].expr == product(HALF, power(Literal("-13.0"), 2))
    assert (worked.value, str(worked.value)) == (Fraction(169, 2), "84.5")


@pytest.mark.parametrize(
    ("expr", "values", "mode", "text"),
    [
        (apply("tanh", z[1]), {z[1]: 0.5}, "carry", "= tanh(0.5) ≈ 0.4621"),
        (W * h[1], {W: 0.7, h[1]: TANH}, "carry", "≈ 0.7 · 0.462117 ≈ 0.3235"),
        (W * h[1], {W: 0.7, h[1]: TANH}, "step", "≈ 0.7 · 0.4621 = 0.32347"),
        (h[1] - h[2], {h[1]: TANH, h[2]: TANH + P("1e-9")}, "carry", "≈ 0.462117157 − 0.462117158 ≈ −1.000×10⁻⁹"),
        (h[1] - h[2], {h[1]: TANH, h[2]: TANH}, "carry", "≈ 0.462117 − 0.462117 ≈ 0.0"),
        (1 - power(h[1], 2), {h[1]: TANH}, "carry", "≈ 1 − 0.462117² ≈ 1 − 0.213552 ≈ 0.7864"),
        (W * 1, {W: 1e-9}, "carry", "= 1×10⁻⁹"),
        (divide(W, 3), {W: 1.0}, "carry", "= 1.0/3 ≈ 0.3333"),
        (power(W, 200), {W: 0.5}, "carry", "= 0.5²⁰⁰ ≈ 6.223×10⁻⁶¹"),
    ],
)
def test_rounded_lines(expr, values, mode, text):
    worked = work_out(expr, values, rounding=Rounding(mode=mode))
    assert line(worked) == text
    assert check(worked, values)


def test_what_is_carried_on():
    values = {z[1]: 0.5}
    carried = work_out(apply("tanh", z[1]), values)
    stepped = work_out(apply("tanh", z[1]), values, rounding=Rounding(mode="step"))
    assert not carried.value.exact and carried.value == TANH
    assert stepped.value.exact and stepped.value == Fraction("0.4621")


def test_vectors_and_matrices():
    values = {M: [[0.5, -1.2], [0.25, 0.7]], hv[1]: [1.0, 2.0], N_x: [[2.0], [3.0]], xv[2]: [0.5]}
    worked = work_out(matmul(M, hv[1]) + matmul(N_x, xv[2]), values, {n: 2})
    assert line(worked) == (
        "= [[0.5, −1.2], [0.25, 0.7]] [1.0; 2.0] + [2.0; 3.0] [0.5] = [−1.9; 1.65] + [1.0; 1.5] = [−0.9; 3.15]"
    )
    assert worked.value.shape == (2,) and check(worked, values, {n: 2})


def test_a_gradient_of_one_column_stays_a_matrix():
    values = {dv[1]: [2.0, 3.0], dv[2]: [1.0, 0.0], xv[1]: [0.5], xv[2]: [4.0]}
    worked = work_out(time_sum(outer(dv[t], xv[t]), t, 1, T), values, {n: 2, T: 2})
    assert worked.value.shape == (2, 1) and shape_of(worked.result) == (2, 1)
    assert line(worked).endswith("= [1.0; 1.5] + [4.0; 0.0] = [5.0; 1.5]") and check(worked, values, {n: 2, T: 2})


def test_broadcast_ones_transposes_and_diagonals():
    values = {M: [[1.0, 2.0], [3.0, 4.0]], hv[1]: [0.5, 0.1], dv[1]: [1.0, -1.0], zv[1]: [0.5, -2.0]}
    worked = work_out(matmul(M.T, hadamard(dv[1], 1 - hadamard(hv[1], hv[1]))), values, {n: 2})
    assert line(worked).startswith("= [[1.0, 2.0], [3.0, 4.0]]ᵀ ([1.0; −1.0] ⊙ ([1; 1] − [0.5; 0.1] ⊙ [0.5; 0.1]))")
    assert list(map(str, worked.value)) == ["-2.22", "-2.46"] and check(worked, values, {n: 2})
    worked = work_out(matmul(M.T, diag(apply(named("relu").prime, zv[1])), dv[1]), values, {n: 2})
    assert line(worked).endswith("ᵀ diag([1; 0]) [1.0; −1.0] = [1.0; 2.0]") and check(worked)


def test_losses_and_softmax():
    values = {hv[1]: [0.5, 0.1], zv[1]: [0.5, -0.3]}
    worked = work_out(product(HALF, squared_norm(hv[1] - zv[1])), values, {n: 2})
    assert str(worked.value) == "0.08" and len(worked.stages) == 3 and check(worked, values, {n: 2})
    worked = work_out(softmax(zv[1]), values, {n: 2})
    assert line(worked) == "= softmax([0.5; −0.3]) ≈ [0.6900; 0.3100]" and check(worked, values, {n: 2})


def test_branches_say_which_side_of_the_kink():
    prime = named("relu").prime
    (branch,) = work_out(product(d[3], apply(prime, z[3])), CHAIN).branches
    assert branch == Branch("relu'", Literal("14.0"), Literal("1"), "above", Literal("0"))
    (branch,) = work_out(apply(prime, z[1]), {z[1]: 0.0}).branches
    assert (branch.side, branch.value) == ("kink", Literal("0"))
    found = work_out(apply("leaky_relu", zv[1]), {zv[1]: [0.5, -2.0]}, {n: 2}).branches
    assert [(f.side, f.entry, f.value.text) for f in found] == [("above", (0,), "0.5"), ("below", (1,), "-0.02")]
    assert work_out(apply("tanh", z[3]), CHAIN).branches == ()


def test_sums_over_time():
    total = time_sum(product(d[t], h[t - 1]), t, 1, T)
    values = {d[1]: 52.0, d[2]: 26.0, d[3]: 13.0, h[0]: 0.0, h[1]: 2.0, h[2]: 6.0}
    worked = work_out(total, values, {T: 3})
    assert line(worked) == "= d₁ h₀ + d₂ h₁ + d₃ h₂ = 52.0 · 0.0 + 26.0 · 2.0 + 13.0 · 6.0 = 52.0 + 78.0 = 130.0"
    assert worked.stages[0].symbolic and check(worked, values, {T: 3})
    many = {**{d[i]: 0.5 for i in range(1, 14)}, **{h[i]: 2.0 for i in range(13)}}
    worked = work_out(total, many, {T: 13})
    assert line(worked) == "= 13.0" and check(worked, many, {T: 13})
    assert line(work_out(time_sum(d[t], t, 1, 0) + h[1], many)) == "= 2.0"
    worked = work_out(add(h[0], time_sum(d[t], t, 1, 3)), values)
    assert line(worked) == "= h₀ + d₁ + d₂ + d₃ = 0.0 + 52.0 + 26.0 + 13.0 = 91.0"


def test_products_over_time():
    worked = work_out(time_product(product(W, d[t]), t, 1, 2), {W: 2.0, d[1]: 0.5, d[2]: 0.25})
    assert line(worked) == "= W_h d₂ W_h d₁ = 2.0 · 0.25 · 2.0 · 0.5 = 0.5"
    factors = time_product(matmul(M.T, diag(zv[t])), t, 1, 2)
    values = {M: [[1.0, 2.0], [0.0, 1.0]], zv[1]: [1.0, 0.5], zv[2]: [0.0, 1.0]}
    worked = work_out(factors, values, {n: 2})
    assert [[str(e) for e in row] for row in worked.value] == [["0.0", "0.0"], ["2.0", "0.5"]]
    assert check(worked, values, {n: 2})


def lstm() -> tuple[Any, dict[Any, Any]]:
    gate = W * h[1] + V * x[1] + b
    inner = product(apply("sigmoid", W * h[1]), z[0]) + product(apply("sigmoid", V * x[1]), apply("tanh", gate))
    return product(apply("sigmoid", gate), apply("tanh", inner)), {
        W: 0.3,
        V: -0.8,
        b: 0.1,
        h[1]: TANH,
        x[1]: 0.77,
        z[0]: 0.35,
    }


@pytest.mark.parametrize("mode", ["carry", "step"])
def test_deep_expressions_have_few_stages(mode):
    expr, values = lstm()
    worked = work_out(expr, values, rounding=Rounding(mode=mode))
    assert 3 <= len(worked.stages) <= 5 and check(worked, values)
    assert len({to_plain(present(stage.expr)) for stage in worked.stages}) == len(worked.stages)


def test_a_quotient_by_what_rounds_to_zero():
    values = {h[1]: TANH, h[2]: TANH + P("1e-9")}
    worked = work_out(divide(1, h[1] - h[2]), values)
    assert worked.result == Literal("-1.000e9") and check(worked, values)
    with pytest.raises(ValueInputError, match="carry"):
        work_out(divide(1, h[1] - h[2]), values, rounding=Rounding(mode="step"))


def test_what_no_decimal_can_say_is_a_fraction():
    values = {b: "1/3", W: 0.0, h[1]: 1.0, y[1]: "1/3"}
    worked = work_out(y[1] - (W * h[1] + b), values)
    assert line(worked) == "= 1/3 − (0.0 · 1.0 + 1/3) = 1/3 − 1/3 = 0.0" and check(worked, values)


def test_noise_is_not_printed():
    for parts in (3, 7, 9, 11):
        values = {h[1]: TANH, h[2]: TANH / parts}
        worked = work_out(add(h[1], *[-h[2]] * parts), values)
        assert line(worked).endswith("≈ 0.0") and check(worked, values)


@pytest.mark.parametrize(
    ("expr", "values", "message"),
    [
        (W * h[1], {W: 1.0}, r"no value is given for h\[1\]"),
        (hv[1] + hv[2], {hv[1]: 1.0, hv[2]: [1.0]}, "vector"),
        (divide(1, h[1]), {h[1]: 0.0}, "division by zero"),
        (apply("log", h[1]), {h[1]: -1.0}, r"log\(-1.0\)"),
        (W * h[1], {W: 1.0, h[1]: float("nan")}, "finite"),
    ],
)
def test_errors_say_what_is_wrong(expr, values, message):
    with pytest.raises(ValueInputError, match=message):
        work_out(expr, values, {n: 1})


# -- the promise --------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.floats(-3, 3, allow_nan=False).filter(lambda v: v == 0 or abs(v) > 1e-6),
    st.integers(-30, 30).map(lambda k: k / 10),
    st.floats(-20, 20).map(lambda v: apply_figure(named("tanh"), P(round(v, 3)))),
    st.fractions(-3, 3, max_denominator=12),
)
PAIRS = st.tuples(NUMBERS, NUMBERS).map(lambda p: np.array([P(v) for v in p], dtype=object))
SQUARES = st.tuples(PAIRS, PAIRS).map(np.array)
LEAVES = [W, V, b, h[1], x[1], y[1]]
AFFINE = W * h[1] + V * x[1] + b
SCALAR = [
    AFFINE,
    apply("tanh", AFFINE),
    product(W, h[1], x[1]),
    product(HALF, power(y[1] - AFFINE, 2)),
    product(y[1], 1 - power(h[1], 2), W),
    product(apply("sigmoid", AFFINE), 1 - h[1]) + product(x[1], h[1]),
    product(y[1], apply(named("relu").prime, W * h[1] + b)),
    power(W, 5),
]
VECTOR = [
    matmul(M, hv[1]) + dv[1],
    apply("tanh", matmul(M, hv[1]) + dv[1]),
    matmul(M.T, hadamard(dv[1], 1 - hadamard(hv[1], hv[1]))),
    outer(hadamard(dv[1], apply(named("tanh").prime, zv[1])), hv[1]),
    product(HALF, squared_norm(matmul(M, hv[1]) - dv[1])),
    softmax(matmul(M, hv[1])) - dv[1],
    matmul(M, matmul(M, hv[1])),
]
MODES = st.sampled_from(["carry", "step"])


def assert_promise(worked: Worked, values: dict[Any, Any], sizes: Any = None) -> None:
    assert first_bad(worked, values, sizes) is None
    numeric = [stage for stage in worked.stages if not stage.symbolic]
    for before, after in pairwise(numeric):
        assert present(before.expr) != present(after.expr)
        if after.relation == "=":
            assert_same(before.expr, after.expr)
    if len(numeric) > 1:
        assert_rounds_to(numeric[-2].expr, numeric[-1].expr, worked.rounding.digits)


def plain(expr: Any) -> list[Any]:
    """The entries as plain SymPy numbers: a route that shares nothing with figures."""
    explicit = expr.as_explicit() if shape_of(expr) else [sympy.sympify(expr).doit()]
    return [sympy.sympify(entry) for entry in explicit]


def assert_same(left: Any, right: Any) -> None:
    assert all(sympy.simplify(a - c) == 0 for a, c in zip(plain(left), plain(right), strict=True))


def assert_rounds_to(expr: Any, printed: Any, digits: int) -> None:
    """What a calculator makes of the stage before is the printed number, to the last digit."""
    texts = [e.text for row in printed.rows for e in row] if isinstance(printed, LiteralMatrix) else [printed.text]
    for value, text in zip(plain(expr), texts, strict=True):
        if value.is_Rational and Fraction(text) == Fraction(int(value.p), int(value.q)):
            continue
        number, shown = Decimal(str(sympy.N(value, 50, maxn=1000))), Decimal(text)
        assert number.quantize(Decimal((0, (1,), shown.as_tuple().exponent)), rounding=ROUND_HALF_EVEN) == shown
        assert len(shown.as_tuple().digits) >= digits


@given(st.sampled_from(SCALAR), st.lists(NUMBERS, min_size=6, max_size=6), st.integers(2, 7), MODES)
def test_the_promise_for_scalars(expr, numbers, digits, mode):
    values = {leaf: P(number) for leaf, number in zip(LEAVES, numbers, strict=True)}
    assert_promise(work_out(expr, values, rounding=Rounding(digits, mode)), values)


@given(st.sampled_from(VECTOR), SQUARES, PAIRS, PAIRS, PAIRS, st.integers(2, 7), MODES)
def test_the_promise_for_vectors(expr, square, a, c, e, digits, mode):
    values = {M: square, hv[1]: a, dv[1]: c, zv[1]: e}
    assert_promise(work_out(expr, values, {n: 2}, Rounding(digits, mode)), values, {n: 2})


@given(st.sampled_from(SCALAR), st.lists(NUMBERS, min_size=6, max_size=6), st.integers(2, 7))
def test_carried_results_are_the_true_ones(expr, numbers, digits):
    values = {leaf: P(number) for leaf, number in zip(LEAVES, numbers, strict=True)}
    worked = work_out(expr, values, rounding=Rounding(digits))
    truth = expr.doit().xreplace({k: sympy.Rational(str(v.rational)) for k, v in values.items()})
    value = sympy.N(truth.doit(), 40, maxn=400)
    assert abs(Fraction(str(value)) - worked.value.rational) <= Fraction(1, 10**27)
    shown = Fraction(worked.result.text)
    assert abs(shown - worked.value.rational) <= abs(worked.value.rational) / 10 ** (digits - 1) / 2


@given(st.sampled_from(SCALAR[:6]), st.lists(NUMBERS, min_size=6, max_size=6), st.data())
def test_a_corrupted_digit_is_found(expr, numbers, data):
    values = {leaf: P(number) for leaf, number in zip(LEAVES, numbers, strict=True)}
    worked = work_out(expr, values, rounding=Rounding(4, data.draw(MODES)))
    place = data.draw(st.integers(0, len(worked.stages) - 1))
    stage = worked.stages[place]
    literals = sorted(stage.expr.atoms(Literal), key=str)
    chosen = data.draw(st.sampled_from(literals))
    digits = [i for i, c in enumerate(chosen.text.partition("e")[0]) if c.isdigit()]
    at = data.draw(st.sampled_from(digits))
    changed = str((int(chosen.text[at]) + data.draw(st.integers(1, 9))) % 10)
    wrong = Literal(chosen.text[:at] + changed + chosen.text[at + 1 :])
    assume("/" not in wrong.text and wrong.value != chosen.value)
    spoilt = replace(stage, expr=stage.expr.xreplace({chosen: wrong}))
    stages = (*worked.stages[:place], spoilt, *worked.stages[place + 1 :])
    assert check(worked, values) and not check(replace(worked, stages=stages), values)


def test_a_wrong_sign_of_equality_is_found():
    worked = work_out(apply("tanh", z[1]), {z[1]: 0.5})
    stages = (worked.stages[0], Stage("=", worked.stages[1].expr))
    assert first_bad(replace(worked, stages=stages)) == 1
    stages = (Stage("=", apply("tanh", Literal("0.51"))), worked.stages[1])
    assert (
        first_bad(replace(worked, stages=stages)) == 1 and first_bad(replace(worked, stages=stages), {z[1]: 0.5}) == 0
    )
