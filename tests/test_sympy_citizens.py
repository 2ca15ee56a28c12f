"""Every node is a good SymPy citizen: it rebuilds, pickles, prints, substitutes, and becomes NumPy or plain SymPy."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import sympy
from algebra_examples import (
    ALL,
    EXAMPLES,
    Instance,
    J,
    W,
    a,
    c,
    examples,
    h,
    j,
    leaves_of,
    n,
    name_and_step,
    s,
    t,
    v,
    value_of,
    x,
)
from sympy.core.symbol import Str
from sympy.matrices.expressions.matexpr import MatrixElement

import symbptt.algebra as A
from symbptt.algebra import nodes as N
from symbptt.algebra.base import rank_of, shape_of

SAMPLES = [pytest.param(example, id=name) for name, example in examples() if not isinstance(example, type)]
every_node = pytest.mark.parametrize("expr", SAMPLES)


def test_every_node_and_leaf_has_an_example():
    missing = [kind.__name__ for kind in ALL if kind not in EXAMPLES]
    assert not missing, f"add examples to tests/algebra_examples.py for {', '.join(missing)}"


def close(actual: Any, expected: Any) -> None:
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(np.asarray(actual, dtype=complex), expected, rtol=1e-11, atol=1e-13)


# -- SymPy's own rules ---------------------------------------------------------------------------------


@every_node
def test_it_rebuilds_from_its_arguments(expr):
    rebuilt = expr.func(*expr.args)
    assert rebuilt == expr
    assert hash(rebuilt) == hash(expr)
    assert all(isinstance(argument, sympy.Basic) for argument in expr.args)


@every_node
def test_it_pickles(expr):
    assert pickle.loads(pickle.dumps(expr)) == expr


@every_node
def test_its_srepr_evaluates_to_it(expr):
    names = {**vars(sympy), **vars(A), **vars(N), "Str": Str}
    assert eval(sympy.srepr(expr), names) == expr


@every_node
def test_it_prints(expr):
    latex, text, pretty = sympy.latex(expr), str(expr), sympy.pretty(expr)
    assert latex and text and pretty
    for printed in (latex, text, pretty):
        assert type(expr).__name__ not in printed
        assert "symbptt" not in printed


@every_node
def test_replacing_nothing_changes_nothing(expr):
    assert expr.xreplace({}) == expr
    assert expr.xreplace({sympy.Symbol("elsewhere"): sympy.S.One}) == expr


@every_node
def test_replacing_a_leaf_gives_the_value_with_that_leaf(expr):
    instance = Instance(4)
    for leaf in leaves_of(expr):
        if isinstance(leaf, A.MatrixAt | A.ScalarAt) and not leaf.when.has(j):
            other = A.Variable("p_other", *leaf.variable.args[1:])[t]
            replaced = expr.xreplace({leaf: other})
            assert leaf not in leaves_of(replaced)
            moved = instance.moving(leaf, 0)
            moved.moved[leaf] = instance.leaf(other)
            close(value_of(replaced, instance), value_of(expr, moved))


@every_node
def test_its_free_symbols_are_those_of_its_leaves(expr):
    expected = set().union(*(leaf.free_symbols for leaf in leaves_of(expr)))
    sizes_and_bounds = {symbol for symbol in expr.free_symbols if symbol.is_integer and symbol != j}
    assert expr.free_symbols - sizes_and_bounds == expected - sizes_and_bounds - {j}


@every_node
def test_it_is_never_a_plain_number(expr):
    assert not expr.is_Number
    assert not expr.is_number


def test_equal_nodes_are_one_and_unequal_ones_are_not():
    assert A.add(h[t], v[t]) == A.add(h[t], v[t])
    assert A.add(h[t], v[t]) != A.add(v[t], h[t])
    assert A.Literal("2.0") != A.Literal("2")
    assert A.derivative(h[t], x[t]) != A.derivative(h[t], x[t], A.IMMEDIATE)


# -- bound indices -------------------------------------------------------------------------------------

BOUND = [
    N.TimeSum(N.Times(a[j], c[t]), j, 1, t),
    N.TimeProduct(N.Times(a[j], c[t]), j, 1, t),
    N.MatrixTimeSum(N.Hadamard(h[j], v[t]), j, 1, t),
    N.OrderedProduct(N.MatrixProduct(J[j], J[t]), j, 1, t),
]
every_bound = pytest.mark.parametrize("expr", BOUND, ids=lambda e: type(e).__name__)


@every_bound
def test_a_bound_index_is_not_free(expr):
    assert j not in expr.free_symbols
    assert t in expr.free_symbols
    assert expr.bound_symbols == [j]


@every_bound
def test_replacing_the_bound_index_from_outside_changes_nothing(expr):
    assert expr.xreplace({j: sympy.Integer(7)}) == expr
    assert expr.subs(j, 7) == expr


@every_bound
@pytest.mark.parametrize("method", ["xreplace", "subs"])
def test_a_replacement_is_not_captured_by_the_bound_index(expr, method):
    replaced = getattr(expr, method)({t: j})
    assert j in replaced.free_symbols
    assert replaced.index != j
    assert replaced.upper == j
    three = {j: sympy.Integer(3)}
    close(value_of(replaced.xreplace(three), Instance(5)), value_of(expr.xreplace({t: sympy.Integer(3)}), Instance(5)))


def test_a_bound_index_that_is_in_a_bound_too_is_free_there():
    expr = N.TimeSum(a[j], j, 1, j)
    assert j in expr.free_symbols
    assert expr.xreplace({j: sympy.Integer(3)}) == N.TimeSum(a[j], j, 1, 3)


def test_a_fresh_index_is_none_that_a_nested_sum_uses():
    k = A.index("s")
    inner = N.TimeSum(N.Times(a[k], a[j], c[t]), k, 1, j)
    expr = N.TimeSum(inner, j, 1, 4)
    replaced = expr.xreplace({t: j}).xreplace({j: sympy.Integer(2)})
    close(value_of(replaced, Instance(6)), value_of(expr.xreplace({t: sympy.Integer(2)}), Instance(6)))


# -- NumPy and plain SymPy -----------------------------------------------------------------------------


def numpy_arguments(expr: Any, instance: Instance) -> tuple[list[Any], list[Any]]:
    """What lambdify takes, and the values: whole arrays over time by name, sizes and steps as integers."""
    value_of(expr, instance)
    names: list[Any] = []
    for leaf in leaves_of(expr):
        opaque = A.Gradient | A.Jacobian | A.ScalarDerivative | A.Tangent | A.ScalarTangent
        known = not isinstance(leaf, opaque)
        names.append(getattr(leaf, "variable", leaf) if known else sympy.Symbol(name_and_step(leaf)[0]))
    names += [*map(A.size, "nmqT"), t]
    unique = list(dict.fromkeys(names))
    values = [instance.integers.get(name.name, instance.values.get(name.name)) for name in unique]
    return unique, values


@every_node
def test_lambdify_gives_its_value(expr):
    instance = Instance(1)
    names, values = numpy_arguments(expr, instance)
    function = sympy.lambdify(names, expr, "numpy")
    close(function(*values), value_of(expr, instance))


def test_lambdify_takes_the_names_of_a_whole_step():
    step = A.apply("tanh", W @ h[t - 1] + A.subtract(1, A.hadamard(h[t - 1], h[t - 1])) / 2)
    instance = Instance(2)
    expected = value_of(step, instance)
    function = sympy.lambdify([h, W, t, n], step, "numpy")
    close(
        function(instance.values["h"], instance.values["W"], instance.integers["t"], instance.integers["n"]), expected
    )


@pytest.mark.parametrize("name", sorted(A.FUNCTIONS))
@pytest.mark.parametrize("primes", [0, 1, 2])
def test_lambdify_knows_every_function(name, primes):
    function = A.named(name)
    for _ in range(primes):
        function = function.prime
    p = A.Variable("p", n, 1)
    for expr in (N.Map(function, p[t]), N.Apply(function, A.scalar_parameter("p_s"))):
        instance = Instance(3)
        names, values = numpy_arguments(expr, instance)
        close(sympy.lambdify(names, expr, "numpy")(*values), value_of(expr, instance))


def test_lambdify_takes_a_function_by_its_rule_and_not_by_its_name():
    u = sympy.Symbol("u", real=True)
    double = A.ElementwiseFunction("square", sympy.Lambda(u, 2 * u))
    assert sympy.lambdify([h, t], N.Map(double, h[t]), "numpy")(np.array([[3.0]]), 0) == [6.0]


@pytest.mark.parametrize("sizes", [{}, {"n": 1, "m": 1, "q": 1}], ids=["random sizes", "sizes of 1"])
@every_node
def test_as_explicit_is_plain_sympy_of_its_value(expr, sizes):
    instance = Instance(1, **sizes)
    expected = value_of(expr, instance)
    concrete = expr.xreplace(instance.substitution)
    explicit = concrete.as_explicit()
    assert not explicit.atoms(*N.NODES, A.Fill, A.Identity, A.LiteralMatrix, A.Literal)
    values = {
        leaf: sympy.Float(value_of(leaf, instance), 30)
        for leaf in explicit.atoms(A.ScalarAt, A.ScalarDerivative, A.ScalarTangent)
    }
    for element in explicit.atoms(MatrixElement):
        column = () if rank_of(element.parent) == 1 else (int(element.j),)
        values[element] = sympy.Float(value_of(element.parent, instance)[(int(element.i), *column)], 30)
    values |= {A.scalar_parameter("s"): sympy.Float(instance.leaf(s), 30)}
    numbers = explicit.xreplace(values)
    if not shape_of(concrete):
        close(complex(numbers), expected)
    else:
        assert explicit.shape == tuple(concrete.shape)
        close(np.array(numbers.tolist(), dtype=complex).reshape(np.shape(expected)), expected)


def test_explicit_scalars_are_in_sympys_own_arithmetic():
    assert A.add(A.product(a[t], s), 1).as_explicit() == sympy.Add(sympy.Mul(s, a[t]), 1)
    assert A.add(A.product(a[t], s), A.product(s, a[t])).doit() == sympy.Mul(2, s, a[t])


def test_a_scalar_with_a_symbolic_size_does_itself():
    assert A.inner(h[t], v[t]).doit() == A.inner(h[t], v[t])
    assert N.TimeSum(a[j], j, 1, t).doit() == N.TimeSum(a[j], j, 1, t)


def test_diff_by_a_symbol_is_right_or_says_that_it_is_not_known():
    expr = A.apply("tanh", A.add(A.product(a[t], s), c[t]))
    instance = Instance(8)
    close(value_of(expr.diff(s), instance), np.imag(value_of(expr, instance.moving(s, 1.0))) / 1e-30)
    assert A.product(a[t], c[t]).diff(s) == 0
    assert isinstance(a[t].diff(t), sympy.Derivative)
    with pytest.raises(TypeError, match="give sizes and T as integers"):
        N.TimeSum(A.product(s, a[j]), j, 1, t).diff(s)


def test_as_explicit_refuses_symbolic_sizes():
    with pytest.raises(TypeError, match="give sizes and T as integers"):
        (W @ h[t]).as_explicit()


def test_entries_are_those_of_the_explicit_matrix():
    R, u = A.MatrixParameter("R", 2, 2), A.Variable("u", 2, 1)
    assert (R @ u[t])[1, 0] == R[1, 0] * u[t][0, 0] + R[1, 1] * u[t][1, 0]


# -- mixed arithmetic ----------------------------------------------------------------------------------

MATRIX = sympy.MatrixSymbol("A", n, n)
ALPHA = sympy.Symbol("alpha", real=True)


@pytest.mark.parametrize(
    "expr, kind, text",
    [
        (lambda: MATRIX * h[t], N.MatrixProduct, "A @ h[t]"),
        (lambda: MATRIX.T * h[t], N.MatrixProduct, "A.T @ h[t]"),
        (lambda: MATRIX @ h[t], N.MatrixProduct, "A @ h[t]"),
        (lambda: MATRIX + W, N.MatrixPlus, "A + W"),
        (lambda: W - MATRIX, N.MatrixPlus, "W - A"),
        (lambda: MATRIX - W, N.MatrixPlus, "A - W"),
        (lambda: h[t].T * MATRIX, N.MatrixProduct, "h[t].T @ A"),
        (lambda: 1 - h[t], N.MatrixPlus, "1 - h[t]"),
        (lambda: h[t] - 1, N.MatrixPlus, "h[t] - 1"),
        (lambda: 2 * h[t], N.Scale, "2*h[t]"),
        (lambda: h[t] * 2, N.Scale, "2*h[t]"),
        (lambda: -2 * h[t], N.MatrixNegative, "-2*h[t]"),
        (lambda: ALPHA * h[t], N.Scale, "alpha*h[t]"),
        (lambda: ALPHA * a[t], N.Times, "alpha*a[t]"),
        (lambda: a[t] * ALPHA, N.Times, "a[t]*alpha"),
        (lambda: ALPHA + a[t], N.Plus, "alpha + a[t]"),
        (lambda: ALPHA - a[t], N.Plus, "alpha - a[t]"),
        (lambda: ALPHA / a[t], N.Quotient, "alpha/a[t]"),
        (lambda: h[t] / 2, N.Scale, "1/2*h[t]"),
        (lambda: h[t] / ALPHA, N.Scale, "1/alpha*h[t]"),
        (lambda: -h[t], N.MatrixNegative, "-h[t]"),
        (lambda: -a[t], N.Negative, "-a[t]"),
        (lambda: h[t] + h[t - 1], N.MatrixPlus, "h[t] + h[t - 1]"),
        (lambda: h[t - 1] + h[t], N.MatrixPlus, "h[t - 1] + h[t]"),
        (lambda: a[t] ** 2, N.Power, "a[t]**2"),
        (lambda: h[t] ** sympy.Rational(1, 2), N.HadamardPower, "h[t]**(1/2)"),
        (lambda: sum([h[t], v[t]]), N.MatrixPlus, "h[t] + v[t]"),
        (lambda: h[t].T * v[t], N.Inner, "h[t].T @ v[t]"),
        (lambda: h[t] * v[t].T, N.Outer, "h[t] @ v[t].T"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arithmetic_with_sympy_and_numbers_gives_our_nodes_in_order(expr, kind, text):
    result = expr()
    assert type(result) is kind
    assert str(result) == text


# -- global state --------------------------------------------------------------------------------------

BEFORE_AND_AFTER = """
import copy, sympy
from sympy import Basic, Matrix, MatrixSymbol, Symbol, symbols
from sympy.core.sympify import converter
from sympy.printing.latex import LatexPrinter
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.str import StrPrinter

def look():
    W, y, h, t = MatrixSymbol("W", 2, 2), MatrixSymbol("y", 2, 1), MatrixSymbol("h", 2, 1), Symbol("t")
    f = sympy.Function("f")
    shown = [W.T*W, W*h, W*h + y, 2*W, W**3, sympy.HadamardProduct(W, W), sympy.tanh(t), f(t).diff(t),
             sympy.Sum(t, (t, 1, 3)), sympy.Trace(W), W[0, 0], (W*h).as_explicit(), -t + 1, sympy.Max(0, t)]
    printed = [p(e) for e in shown for p in (sympy.latex, str, repr, sympy.pretty, sympy.srepr)]
    tables = [sorted(vars(k)) for k in (LatexPrinter, NumPyPrinter, PrettyPrinter, StrPrinter)]
    settings = [copy.deepcopy(k._global_settings) for k in (LatexPrinter, PrettyPrinter, StrPrinter)]
    mapping = copy.deepcopy(Basic._constructor_postprocessor_mapping)
    return printed, tables, settings, mapping, sorted(vars(sympy)), sorted(map(str, converter))

before = look()
import symbptt, symbptt.algebra
after = look()
for name, b, a in zip(("printed", "printers", "settings", "postprocessors", "names", "converters"), before, after):
    assert b == a, name
print("unchanged")
"""


def test_importing_the_algebra_changes_nothing_in_sympy(tmp_path):
    run = subprocess.run([sys.executable, "-c", BEFORE_AND_AFTER], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "unchanged"
