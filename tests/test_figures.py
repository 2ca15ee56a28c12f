"""Figures: numbers that stay exact and keep the way they were written."""

from __future__ import annotations

import math
import pickle
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symbptt.algebra import Literal, Variable, apply, evaluate, matmul, named, present, size, softmax, squared_norm
from symbptt.algebra.exact_functions import apply_figure
from symbptt.algebra.figure_domain import FigureDomain
from symbptt.algebra.figures import Figure, each, figures
from symbptt.algebra.functions import FUNCTIONS, ElementwiseFunction, U
from symbptt.algebra.leaves import MatrixParameter, Parameter
from symbptt.algebra.number_text import DECIMAL, FRACTION, INTEGER
from symbptt.algebra.rounding import Rounding, literal_like, literals_of
from symbptt.algebra.tex import to_tex
from symbptt.errors import SymbpttError, UnknownNameError, ValueInputError

P = Figure.parse


@pytest.mark.parametrize(
    ("value", "text", "style"),
    [
        (3, "3", INTEGER),
        (-4, "-4", INTEGER),
        ("-4", "-4", INTEGER),
        (0.1, "0.1", DECIMAL),
        (2.0, "2.0", DECIMAL),
        (-0.0, "0.0", DECIMAL),
        (1e-3, "0.001", DECIMAL),
        ("1e-3", "0.001", DECIMAL),
        (" 2.50 ", "2.50", DECIMAL),
        (".5", "0.5", DECIMAL),
        ("5.", "5.0", DECIMAL),
        ("+1/3", "1/3", FRACTION),
        (Fraction(-3, 2), "-3/2", FRACTION),
        (sympy.Rational(2, 6), "1/3", FRACTION),
        (sympy.Integer(7), "7", INTEGER),
        (sympy.Float("0.1"), "0.1", DECIMAL),
        (sympy.Float("0.1", 30), "0.1", DECIMAL),
        (np.float64(0.1), "0.1", DECIMAL),
        (np.float32(0.1), "0.1", DECIMAL),
        (np.int8(-3), "-3", INTEGER),
        (np.array(2.5), "2.5", DECIMAL),
        (Literal("2.0"), "2.0", DECIMAL),
        (1e22, "1e22", DECIMAL),
    ],
)
def test_parse_keeps_what_was_written(value, text, style):
    figure = P(value)
    assert (str(figure), figure.style, figure.exact) == (text, style, True)


@pytest.mark.parametrize(
    "value",
    [True, np.True_, math.nan, math.inf, -math.inf, np.float32("nan"), 1j, None, "", "abc", "1/0", "nan", "inf", "1_0",
     "0x1", "1e99999", sympy.nan, sympy.oo, sympy.Symbol("x"), [1.0], np.array([1.0]), {"a": 1}, "1" * 2000],
)  # fmt: skip
def test_parse_refuses_in_one_line(value):
    with pytest.raises(ValueInputError) as caught:
        P(value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (P("2.0") * 3, "6.0"),
        (3 * P("2.0"), "6.0"),
        (P("1/2") * 3, "3/2"),
        (P("1/2") * P("0.5"), "0.25"),
        (P("2.0") * P("2.0"), "4.0"),
        (P("14.0") - P("1.0"), "13.0"),
        (1 - P("0.25"), "0.75"),
        (P("13.0") ** 2 * P("1/2"), "84.5"),
        (P(1) / 2, "1/2"),
        (Fraction(1, 2) + P(1), "3/2"),
        (P(4) / 2, "2"),
        (1 / P("4.0"), "0.25"),
        (-P("2.50"), "-2.50"),
        (abs(P("-2.50")), "2.50"),
        (P("2.50") * P("4.0"), "10.0"),
        (P(2) ** -2, "1/4"),
        (P("0.25") ** P("1/2"), "0.5"),
        (P(9) ** Fraction(1, 2), "3"),
    ],
)
def test_results_are_exact_and_keep_the_style(result, text):
    assert result.exact and str(result) == text


def test_a_third_is_exact_and_digits_do_not_explode():
    third = P(1.0) / P(3.0)
    assert third.exact and third * 3 == 1 and str(third * 3) == "1.0"
    assert Rounding().show(third) == (Literal("0.3333"), False)
    value = P("0.123")
    for _ in range(8):
        value = value * value
    assert not value.exact
    assert abs(value.rational / Fraction("0.123") ** 256 - 1) < Fraction(1, 10**31)


def test_cancelled_noise_is_zero():
    a = apply_figure(named("tanh"), P("0.3"))
    third = a / 3
    assert not a - (third + third + third)


def test_comparison_hash_and_pickle():
    root = P(2) ** P("1/2")
    assert P("2.0") == 2 == P("2") and hash(P("2.0")) == hash(2) and P("0.5") == Fraction(1, 2)
    assert P("1.0") < root <= root < 2 and not root < 1 and root > 1 and root >= 1 and root != P("1.4")
    assert P(1) != "1" and bool(root) and not P("0.0")
    assert max(P(1), P("2.0"), root) == 2 and abs(float(root) - math.sqrt(2)) < 1e-15
    for figure in (root, P("2.50"), P("1/3")):
        again = pickle.loads(pickle.dumps(figure))
        assert again == figure and repr(again) == repr(figure)
    with pytest.raises(AttributeError):
        root.style = INTEGER
    with pytest.raises(TypeError):
        P(1) + 0.5


@pytest.mark.parametrize(
    "bad", [lambda: P(1) / 0, lambda: P(1) / P("0.0"), lambda: P(0) ** -1, lambda: P(-2) ** P("0.5")]
)
def test_what_is_not_defined_is_an_input_error(bad):
    with pytest.raises(ValueInputError):
        bad()


def test_figures_live_in_numpy_arrays():
    A, v = figures([[1, "2.0"], [0.5, "1/3"]]), figures(np.array([2.0, 3.0]))
    assert list(map(str, A @ v)) == ["8.0", "2.0"]
    assert str(v.sum()) == "5.0" and str((v * v).sum()) == "13.0" and str(v @ v) == "13.0"
    assert list(map(str, 2 * v)) == list(map(str, v * 2)) == ["4.0", "6.0"]
    assert list(map(str, P(2) * v)) == ["4.0", "6.0"] and list(map(str, v / v.sum())) == ["0.4", "0.6"]
    assert str(np.trace(A)) == "4/3" and list(map(str, np.int64(2) - v)) == ["0.0", "-1.0"]
    assert each(abs, P(-1)) == 1
    with pytest.raises(ValueInputError):
        figures([[1, 2], [3]])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("prime", [False, True])
@pytest.mark.parametrize("at", ["0.5", "-1.5", "3", "0.0", "1/7", "25.0", "-60.0"])
def test_functions_are_right_to_the_last_digit(name, prime, at):
    function = named(name).prime if prime else named(name)
    exact = function.rule(sympy.Rational(at))
    try:
        value = apply_figure(function, P(at))
    except ValueInputError as error:
        assert str(error) == f"{function.name}({P(at)}) is not a finite real number"
        assert not (exact.is_finite and exact.is_real)
        return
    reference = sympy.N(exact, 60, maxn=2000)
    assert abs(value.rational - Fraction(str(reference))) <= abs(Fraction(str(reference))) / 10**32
    if value.exact:
        assert sympy.Rational(value.number.numerator, value.number.denominator) == exact


@pytest.mark.parametrize(
    ("name", "at", "text"),
    [
        ("relu", "2.0", "2.0"), ("relu", "-3.0", "0.0"), ("relu'", "14.0", "1"), ("relu'", "0.0", "0"),
        ("leaky_relu", "-2.0", "-0.02"), ("leaky_relu'", "-2.0", "0.01"), ("leaky_relu'", "-2", "1/100"),
        ("tanh", "0.0", "0.0"), ("tanh'", "0.0", "1.0"), ("sigmoid", "0.0", "0.5"), ("sigmoid'", "0", "1/4"),
        ("gelu", "0.0", "0.0"), ("silu", "0", "0"), ("elu", "1.5", "1.5"), ("sqrt", "0.25", "0.5"),
        ("abs", "-2.50", "2.50"), ("sign", "-2.0", "-1"),
    ],
)  # fmt: skip
def test_functions_are_exact_where_they_are_rational(name, at, text):
    function = named(name.rstrip("'")).prime if name.endswith("'") else named(name)
    value = apply_figure(function, P(at))
    assert value.exact and str(value) == text


def test_a_branch_may_have_a_compound_condition():
    inside = sympy.And(U > -1, U < 1)
    hard = ElementwiseFunction("hard", sympy.Lambda(U, sympy.Piecewise((U, inside), (sympy.sign(U), True))))
    assert [str(apply_figure(hard, P(x))) for x in ("0.5", "-2.0", "3.0")] == ["0.5", "-1", "1"]


def test_deep_saturation_is_not_lost():
    value = apply_figure(named("tanh").prime, P("200.0"))
    assert abs(float(value / (4 * apply_figure(named("exp"), P("-400.0")))) - 1) < 1e-15


def test_no_global_state_is_changed():
    before = (mpmath.mp.prec, mpmath.mp.dps)
    apply_figure(named("gelu").prime, P("0.7"))
    Rounding().show(P(2) ** P("0.5"))
    assert (mpmath.mp.prec, mpmath.mp.dps) == before


def test_the_domain_evaluates_expressions():
    n, T = size("n"), size("T")
    W, V = Parameter("W", n, n), MatrixParameter("V", n, 1)
    h, s = Variable("h", n, 1), Variable("s")
    values = {W: figures([[1.0, 2.0], [3.0, 4.0]]), V: [[1], [2]], h[1]: [0.5, -0.5], s[1]: 0.25}
    domain = FigureDomain(values, {n: 2, T: 3})
    assert list(map(str, evaluate(matmul(W, h[1]) + h[1], domain))) == ["0.0", "-1.0"]
    assert str(evaluate(squared_norm(h[1]), domain)) == "0.5"
    assert evaluate(s[1] / T, domain) == Fraction(1, 12)
    assert abs(float(sum(evaluate(softmax(h[1]), domain))) - 1) < 1e-15
    assert evaluate(matmul(W, 1 - h[1]), domain).shape == (2,)
    assert str(evaluate(sympy.pi, domain)).startswith("3.14159265358979323846")
    with pytest.raises(ValueInputError, match=r"h\[2\]"):
        evaluate(apply("tanh", h[2]), domain)
    with pytest.raises(ValueInputError, match="size"):
        domain.size(size("q"))


# -- printing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text", "exact"),
    [
        (P("0.60437001251"), "0.6044", False),
        (P(84.5), "84.5", True),
        (P("2.50"), "2.50", True),
        (P("12345.678901"), "12346", False),
        (P("0.12345678"), "0.12345678", True),
        (P("0.123456789"), "0.1235", False),
        (P(1.0) / 3, "0.3333", False),
        (P("0.99996123456"), "1.000", False),
        (P(2) ** -200, "6.223e-61", False),
        (P("-0.00001"), "-1e-5", True),
        (P("0.0001"), "0.0001", True),
        (P("0.000099996123456"), "0.0001000", False),
        (P("9999999.712345"), "1.000e7", False),
        (P("123456789.0"), "1.235e8", False),
        (P("67108864.0"), "6.7108864e7", True),
        (P(12345678), "12345678", True),
        (P(123456789), "1.235e8", False),
        (P(10**12), "1e12", True),
        (P("1/3"), "1/3", True),
        (P("123456789/2"), "6.173e7", False),
        (P("6/3"), "2", True),
        (P(0), "0", True),
        (P("0.0"), "0.0", True),
        (P(2) ** P("1/2") - P(2) ** P("1/2"), "0.0", False),
        (P("0.000123456789123"), "0.0001235", False),
    ],
)
def test_show(value, text, exact):
    assert Rounding().show(value) == (Literal(text), exact)
    if exact:
        assert P(text) == value


def test_ties_go_to_even_and_digits_may_be_chosen():
    assert Rounding(2).show(P("0.12500000001")) == (Literal("0.13"), False)
    assert Rounding(2).rounded(P("0.125")) == Literal("0.12") and Rounding(2).rounded(P("0.135")) == Literal("0.14")
    assert Rounding().show(P(1.0) / 3, 10) == (Literal("0.3333333333"), False)


def test_powers_of_ten_read_as_people_write_them():
    literal, _ = Rounding().show(P(2) ** -200)
    assert to_tex(present(literal)) == r"6.223 \times 10^{-61}" and P(literal).rational == literal.value


@pytest.mark.parametrize("options", [{"digits": 0}, {"digits": True}, {"digits": 2.5}, {"mode": "both"}])
def test_options_are_checked(options):
    with pytest.raises((ValueInputError, UnknownNameError)) as caught:
        Rounding(**options)
    assert isinstance(caught.value, SymbpttError)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 9))
def test_rounding_is_that_of_decimal_arithmetic(x, digits):
    literal, exact = Rounding(digits).show(P(x))
    if exact:
        assert float(literal.text) == x
        return
    number = Decimal(repr(x))
    whole = max(digits, number.adjusted() + 1) if abs(number) < 10**7 else digits
    unit = Decimal(1).scaleb(number.adjusted() + 1 - whole)
    assert Fraction(literal.text) == Fraction(number.quantize(unit, rounding=ROUND_HALF_EVEN))
    assert Rounding(digits).agrees(P(x), literal)


@given(st.fractions(), st.fractions(), st.sampled_from([INTEGER, FRACTION, DECIMAL]))
def test_arithmetic_is_that_of_fractions(a, b, style):
    x, y = Figure(a, style), Figure(b, DECIMAL)
    for result, expected in ((x + y, a + b), (x - y, a - b), (x * y, a * b), (x**3, a**3)):
        assert abs(result.rational - expected) <= abs(expected) / 10**33
        assert not result.exact or result.number == expected
    if b:
        assert abs((x / y).rational - a / b) <= abs(a / b) / 10**33


def test_matrices_of_literals_there_and_back():
    for shape in ((2,), (2, 1), (1, 2), (2, 3)):
        literals = np.array([Literal(str(i)) for i in range(int(np.prod(shape)))], dtype=object).reshape(shape)
        again = literals_of(literal_like(literals))
        assert again.shape == shape and (again == literals).all()
        assert evaluate(literal_like(literals), FigureDomain({})).shape == shape
