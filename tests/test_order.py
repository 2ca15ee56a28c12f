"""The order of writing survives constructors, printers and substitution; wrong shapes are named."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
import sympy
from algebra_examples import a, b, c, h, m, n, s, t, v, x

import symbptt.algebra as A
from symbptt.algebra import nodes as N
from symbptt.errors import ShapeError

W_h, W_x, b_h = A.Parameter("W_h", n, n), A.Parameter("W_x", n, m), A.Parameter("b_h", n, 1)
y, f, i, g, o = (A.Variable(name, n, 1) for name in "yfigo")
yes, no = A.Literal("2.0"), A.Literal("1.0")


def square(value: Any) -> Any:
    return A.power(value, 2)


WRITTEN = [
    (lambda: W_h @ h[t - 1] + W_x @ x[t] + b_h, "W_h @ h[t - 1] + W_x @ x[t] + b_h", r"W_h h_{t-1} + W_x x_t + b_h"),
    (lambda: b_h + W_x @ x[t] + W_h @ h[t - 1], "b_h + W_x @ x[t] + W_h @ h[t - 1]", r"b_h + W_x x_t + W_h h_{t-1}"),
    (lambda: square(a[t] - b[t]), "(a[t] - b[t])**2", r"(a_t - b_t)^2"),
    (lambda: square(b[t] - a[t]), "(b[t] - a[t])**2", r"(b_t - a_t)^2"),
    (lambda: A.subtract(1, A.hadamard(h[t], h[t])), "1 - h[t] * h[t]", r"1 - h_t \odot h_t"),
    (lambda: A.subtract(A.hadamard(h[t], h[t]), 1), "h[t] * h[t] - 1", r"h_t \odot h_t - 1"),
    (lambda: A.subtract(1, square(a[t])), "1 - a[t]**2", r"1 - a_t^2"),
    (
        lambda: A.hadamard(f[t], c_vector[t - 1]) + A.hadamard(i[t], g[t]),
        "f[t] * c[t - 1] + i[t] * g[t]",
        r"f_t \odot c_{t-1} + i_t \odot g_t",
    ),
    (lambda: A.hadamard(o[t], A.apply("tanh", c_vector[t])), "o[t] * tanh(c[t])", r"o_t \odot \tanh(c_t)"),
    (lambda: yes * yes + yes * no, "2.0*2.0 + 2.0*1.0", r"2.0 \cdot 2.0 + 2.0 \cdot 1.0"),
    (lambda: b[t] * a[t] * s, "b[t]*a[t]*s", r"b_t a_t s"),
    (lambda: A.divide(b[t], a[t]), "b[t]/a[t]", r"\frac{b_t}{a_t}"),
    (lambda: W_h.T @ W_h @ h[t], "W_h.T @ W_h @ h[t]", r"W_h^\top W_h h_t"),
    (lambda: W_h @ W_h @ W_h @ h[t], "W_h @ W_h @ W_h @ h[t]", r"W_h W_h W_h h_t"),
    (lambda: A.matmul(y[t], A.transpose(h[t])), "y[t] @ h[t].T", r"y_t h_t^\top"),
    (lambda: A.inner(y[t], h[t]), "y[t].T @ h[t]", r"y_t^\top h_t"),
]
c_vector = A.Variable("c", n, 1)
every_formula = pytest.mark.parametrize("make, text, latex", WRITTEN, ids=[text for _, text, _ in WRITTEN])


def letters(latex: str) -> str:
    """The LaTeX without spaces and the grouping braces of a single letter, which a writer may set as it likes."""
    return re.sub(r"\{(\w|\\top)\}", r"\1", re.sub(r"\s+", "", latex.replace(r"\left", "").replace(r"\right", "")))


@every_formula
def test_str_keeps_the_order(make, text, latex):
    assert str(make()) == text


@every_formula
def test_latex_keeps_the_order(make, text, latex):
    assert letters(sympy.latex(make())) == letters(latex)


@every_formula
def test_replacing_copying_and_rebuilding_keep_the_order(make, text, latex):
    expr = make()
    there = {t: t + 1}
    back = {t: t - 1}
    assert str(expr.xreplace(there).xreplace(back)) == text
    assert str(expr.func(*expr.args)) == text
    assert str(pickle.loads(pickle.dumps(expr))) == text


@every_formula
def test_names_that_sort_the_other_way_keep_the_order(make, text, latex):
    expr = make()
    others = {
        v: A.Variable(f"z{90 - k}_{v.name}", *v.args[1:]) for k, v in enumerate(sorted(expr.atoms(A.Variable), key=str))
    }
    renamed = str(expr.xreplace(others))
    for variable, other in others.items():
        renamed = renamed.replace(other.name, variable.name)
    assert renamed == text


# -- constructors --------------------------------------------------------------------------------------


def test_sums_are_flat_and_in_order():
    assert A.add(b[t], A.add(c[t], a[t]), s).args == (b[t], c[t], a[t], s)


def test_products_are_flat_and_in_order_with_the_number_in_front():
    assert A.product(b[t], A.product(2, a[t]), 3, s).args == (6, b[t], a[t], s)
    assert A.product(b[t], 2, W_h).args == (N.Times(sympy.Integer(2), b[t]), W_h)
    assert A.hadamard(f[t], A.hadamard(i[t], g[t])).args == (f[t], i[t], g[t])
    assert A.matmul(W_h, A.matmul(W_h.T, h[t])).args == (W_h, W_h.T, h[t])


@pytest.mark.parametrize("number", [2, -2, sympy.Rational(1, 2), sympy.Rational(-1, 2), -1])
@pytest.mark.parametrize("of", [a[t], h[t], W_h], ids=["scalar", "vector", "matrix"])
def test_a_product_with_any_number_is_the_negative_of_its_negative(number, of):
    assert A.negate(A.product(number, of)) == A.product(-number, of)
    assert A.negate(A.negate(A.product(number, of))) == A.product(number, of)


def test_nothing_is_left_of_what_is_zero_or_one():
    assert A.add(0, h[t], A.zero_like(h[t])) == h[t]
    assert A.product(1, h[t]) == h[t]
    assert A.is_zero(A.product(0, h[t]))
    assert A.matmul(A.Identity(n), h[t]) == h[t]
    assert A.negate(A.negate(h[t])) == h[t]
    assert A.transpose(A.transpose(W_h)) == W_h
    assert A.power(h[t], 1) == h[t]


def test_the_negative_of_a_difference_is_the_difference_the_other_way():
    assert str(A.negate(y[t] - h[t])) == "h[t] - y[t]"
    assert str(A.negate(A.subtract(1, h[t]))) == "h[t] - 1"


def test_signs_of_filled_vectors_are_kept():
    ones = A.Fill(1, n, 1)
    assert A.hadamard(A.negate(ones), ones) == A.Fill(-1, n, 1)
    assert A.hadamard(A.product(-3, ones), ones) == A.Fill(-3, n, 1)
    assert A.hadamard(ones, A.negate(A.product(s, A.power(h[t], 0)))) == A.Fill(A.negate(s), n, 1)
    assert str(A.subtract(h[t], A.Fill(s, n, 1))) == "h[t] - s"


def test_literals_stay_as_they_were_written():
    value = A.add(A.product(yes, yes), A.product(yes, no))
    assert value.args == (N.Times(yes, yes), N.Times(yes, no))
    assert value.doit() == 6
    assert A.product(A.Literal("1.0"), a[t]).args == (A.Literal("1.0"), a[t])
    assert A.add(A.Literal("0"), a[t]).args == (A.Literal("0"), a[t])


def test_brackets_are_where_the_order_of_operations_needs_them():
    assert str(A.product(A.add(a[t], b[t]), s)) == "(a[t] + b[t])*s"
    assert str(A.subtract(a[t], A.subtract(b[t], s))) == "a[t] + s - b[t]"
    assert str(A.matmul(W_h, A.add(h[t], v[t]))) == "W_h @ (h[t] + v[t])"
    assert str(A.power(A.product(a[t], b[t]), 2)) == "(a[t]*b[t])**2"
    assert str(A.power(A.negate(a[t]), 2)) == "(-a[t])**2"
    assert str(A.power(a[t], sympy.Rational(1, 2))) == "a[t]**(1/2)"
    assert str(A.divide(a[t], A.product(b[t], s))) == "a[t]/(b[t]*s)"
    assert str(A.transpose(A.add(W_h, W_h.T))) == "(W_h + W_h.T).T"
    assert str(A.hadamard(A.add(h[t], v[t]), f[t])) == "(h[t] + v[t]) * f[t]"


# -- shapes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong, first, second",
    [
        (lambda: h[t] + x[t], "(n)", "(m)"),
        (lambda: h[t] - x[t], "(n)", "(m)"),
        (lambda: W_h + W_x, "(n x n)", "(n x m)"),
        (lambda: W_h @ x[t], "(n x n)", "(m)"),
        (lambda: W_h * x[t], "(n x n)", "(m)"),
        (lambda: W_x.T @ W_x.T, "(m x n)", "(m x n)"),
        (lambda: A.hadamard(h[t], x[t]), "(n)", "(m)"),
        (lambda: A.divide(h[t], x[t]), "(n)", "(m)"),
        (lambda: A.inner(h[t], x[t]), "(n)", "(m)"),
        (lambda: A.concat(W_h, W_x), "(n x n)", "(n x m)"),
        (lambda: A.product(W_h, h[t]), "(n x n)", "(n)"),
        (lambda: W_h + h[t], "(n x n)", "(n)"),
        (lambda: A.Variable("u", 3, 1)[t] + A.Variable("u", 4, 1)[t], "(3)", "(4)"),
    ],
)
def test_wrong_shapes_are_refused_and_both_are_named(wrong, first, second):
    with pytest.raises(ShapeError) as refused:
        wrong()
    message = str(refused.value)
    assert first in message
    assert second in message[message.index(first) + len(first) :]
    assert "\n" not in message


@pytest.mark.parametrize(
    "wrong, named",
    [
        (lambda: A.softmax(W_h), "softmax(W_h): a vector is needed, not (n x n)"),
        (lambda: A.trace(W_x), "trace(W_x): a square matrix is needed, not (n x m)"),
        (lambda: A.diag(W_x), "diag(W_x): a square matrix is needed, not (n x m)"),
        (lambda: A.outer(a[t], h[t]), "outer(a[t]): a vector is needed, not scalar"),
        (lambda: A.variance(a[t]), "variance(a[t]): a vector or matrix is needed, not a scalar"),
        (lambda: A.matmul(a[t], h[t]), "@ with the scalar a[t]: write * for a scalar multiple"),
        (lambda: s + h[t], "scalar s + (n): only numbers and scalar results are broadcast"),
    ],
)
def test_the_message_says_what_is_needed(wrong, named):
    with pytest.raises(ShapeError, match=re.escape(named)):
        wrong()


def test_a_matrix_of_one_column_is_no_vector():
    one_input, one = A.MatrixParameter("W_x", n, 1), A.Variable("x", 1, 1)[t]
    product = one_input @ one
    assert A.is_vector(product)
    assert not A.is_vector(one_input)
    assert A.pullback(product, h[t], one_input) == A.outer(h[t], one)
    assert A.pullback(product, h[t], one) == one_input.T @ h[t]


def test_matrix_power_is_elementwise_as_in_numpy():
    assert A.power(W_h, 2) == N.HadamardPower(W_h, 2)
