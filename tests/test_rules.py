"""Every differentiation rule against complex step, a route that shares no derivative with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from algebra_examples import (
    EXAMPLES,
    FORMS,
    Instance,
    U,
    W,
    b,
    examples,
    h,
    leaves_of,
    m,
    n,
    s,
    slope,
    t,
    v,
    value_of,
    x,
)
from hypothesis import given
from hypothesis import strategies as st

import symbptt.algebra as A
from symbptt.algebra import HELD
from symbptt.algebra import nodes as N
from symbptt.algebra.base import rank_of, shape_of
from symbptt.algebra.functions import ElementwiseFunction
from symbptt.algebra.functions import U as INPUT
from symbptt.algebra.functions import Y as OUTPUT
from symbptt.algebra.rules import JACOBIAN, VJP

SEEDS = (0, 1, 2)


def movable(example: Any) -> list[int]:
    """The places of the arguments that are leaves and can move."""
    return [i for i, argument in enumerate(example.args) if leaves_of(argument) == [argument]]


def like(expr: Any, name: str) -> Any:
    """A variable of the same shape and rank."""
    return A.Variable(name, *A.fill_like(0, expr).args[1:])[t] if shape_of(expr) else A.Variable(name)[t]


def cases(registry: dict[type, Any], vectors: bool = False) -> list[Any]:
    return [
        pytest.param(example, i, id=f"{name}-{i}")
        for name, example in examples(registry)
        if not isinstance(example, type)
        for i in movable(example)
        if not vectors or rank_of(example) == rank_of(example.args[i]) == 1
    ]


@pytest.mark.parametrize("registry", [VJP, JACOBIAN], ids=["VJP", "JACOBIAN"])
def test_every_rule_has_an_example_that_moves(registry):
    covered = {type(case.values[0]) for case in cases(registry, vectors=registry is JACOBIAN)}
    # A stopped gradient is 0 by definition, whatever a complex step says.
    kinds = [kind for kind in registry if kind not in HELD]
    missing = [kind.__name__ for kind in kinds if kind not in EXAMPLES or kind not in covered]
    assert not missing, f"add examples to tests/algebra_examples.py for {', '.join(missing)}"


@pytest.mark.parametrize("sizes", [{}, {"n": 1, "m": 1, "q": 1}], ids=["random sizes", "sizes of 1"])
@pytest.mark.parametrize("example, i", cases(VJP))
def test_vjp_is_the_adjoint_of_the_complex_step(example, i, sizes):
    argument, cotangent = example.args[i], like(example, "g")
    claimed = VJP[type(example)](example, cotangent, i)
    assert (shape_of(claimed), rank_of(claimed)) == (shape_of(argument), rank_of(argument))
    for seed in SEEDS:
        instance = Instance(seed, **sizes)
        direction = instance.direction(argument)
        forward = np.sum(value_of(cotangent, instance) * slope(example, argument, direction, instance))
        backward = np.sum(value_of(claimed, instance) * direction)
        np.testing.assert_allclose(backward, forward, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("sizes", [{}, {"n": 1, "m": 1, "q": 1}], ids=["random sizes", "sizes of 1"])
@pytest.mark.parametrize("example, i", cases(JACOBIAN, vectors=True))
def test_jacobian_is_the_complex_step_column_by_column(example, i, sizes):
    argument = example.args[i]
    claimed = JACOBIAN[type(example)](example, i)
    assert shape_of(claimed) == (shape_of(example)[0], shape_of(argument)[0])
    for seed in SEEDS:
        instance = Instance(seed, **sizes)
        columns = [slope(example, argument, e, instance) for e in np.eye(instance.shape(argument)[0])]
        np.testing.assert_allclose(value_of(claimed, instance), np.stack(columns, axis=1), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    "expr, by",
    [
        (N.Scale(N.Inner(h[t], v[t]), h[t]), h[t]),
        (A.Fill(N.SquaredNorm(h[t]), n, 1), h[t]),
        (N.MatrixProduct(N.Outer(h[t], v[t]), v[t - 1]), h[t]),
        (N.MatrixProduct(N.Outer(h[t], h[t]), h[t]), h[t]),
        (N.MatrixProduct(W, N.Outer(N.Map(A.named("tanh"), h[t]), h[t]), N.MatrixProduct(W, h[t])), h[t]),
    ],
    ids=str,
)
def test_jacobian_through_a_scalar_inside_the_expression(expr, by):
    instance = Instance(3)
    columns = [slope(expr, by, e, instance) for e in np.eye(instance.shape(by)[0])]
    np.testing.assert_allclose(value_of(A.jacobian(expr, by), instance), np.stack(columns, axis=1), rtol=1e-11)


def test_jacobian_through_a_matrix_is_refused():
    with pytest.raises(A.NoJacobianError, match="passes through a matrix"):
        A.jacobian(A.matmul(A.diag(h[t]), v[t]), h[t])


def test_what_does_not_occur_has_derivative_zero():
    assert A.is_zero(A.pullback(A.matmul(W, h[t]), v[t], h[t - 1]))
    assert A.is_zero(A.jacobian(A.matmul(W, h[t]), x[t]))
    assert shape_of(A.jacobian(A.matmul(W, h[t]), x[t])) == (n, m)


def test_a_scalar_parameter_may_have_the_name_of_the_input_of_a_function():
    u = A.scalar_parameter("u")
    expr = A.product(u, A.apply("tanh", h[t]))
    assert A.pullback(expr, v[t], u) == A.inner(v[t], A.apply("tanh", h[t]))
    assert expr.xreplace({u: sympy.Integer(2)}) == A.product(2, A.apply("tanh", h[t]))


# -- compositions --------------------------------------------------------------------------------------

ACTIVATIONS = ["tanh", "sigmoid", "relu", "leaky_relu", "softplus", "elu", "gelu", "silu", "sin", "cos", "abs"]


VECTORS: list[Any] = [
    lambda vector, scalar, name: vector(),
    lambda vector, scalar, name: A.apply(name(), vector()),
    lambda vector, scalar, name: A.add(vector(), vector()),
    lambda vector, scalar, name: A.subtract(vector(), vector()),
    lambda vector, scalar, name: A.subtract(1, vector()),
    lambda vector, scalar, name: A.hadamard(vector(), vector()),
    lambda vector, scalar, name: A.divide(vector(), A.add(2, A.power(vector(), 2))),
    lambda vector, scalar, name: A.power(vector(), 2),
    lambda vector, scalar, name: A.product(scalar(), vector()),
    lambda vector, scalar, name: A.product(-2, scalar(), vector()),
    lambda vector, scalar, name: A.matmul(W, vector()),
    lambda vector, scalar, name: A.matmul(W.T, vector()),
    lambda vector, scalar, name: A.add(A.matmul(W, vector()), A.matmul(U, x[t])),
    lambda vector, scalar, name: A.transpose(A.matmul(A.transpose(vector()), W)),
    lambda vector, scalar, name: A.matmul(A.outer(vector(), vector()), vector()),
    lambda vector, scalar, name: A.matmul(A.diag(vector()), vector()),
    lambda vector, scalar, name: A.diag(A.matmul(A.diag(vector()), W)),
    lambda vector, scalar, name: A.part(A.concat(vector(), vector()), n, n),
    lambda vector, scalar, name: A.softmax(vector()),
]
"""Ways to make a vector of length n out of smaller expressions."""
SCALARS: list[Any] = [
    lambda vector, scalar, name: A.apply(name(), scalar()),
    lambda vector, scalar, name: A.product(scalar(), scalar()),
    lambda vector, scalar, name: A.add(scalar(), scalar()),
    lambda vector, scalar, name: A.divide(scalar(), A.add(2, A.power(scalar(), 2))),
    lambda vector, scalar, name: A.power(scalar(), 3),
    lambda vector, scalar, name: A.inner(vector(), vector()),
    lambda vector, scalar, name: A.entry_sum(vector()),
    lambda vector, scalar, name: A.squared_norm(vector()),
    lambda vector, scalar, name: A.mean(vector()),
    lambda vector, scalar, name: A.variance(vector()),
    lambda vector, scalar, name: A.max_entry(A.matmul(W, vector())),
    lambda vector, scalar, name: A.trace(A.outer(vector(), vector())),
]


@st.composite
def vectors(draw: Any, depth: int = 3) -> Any:
    if depth == 0:
        return draw(st.sampled_from([h[t], h[t - 1], v[t], A.Fill(s, n, 1)]))
    return _built(draw, VECTORS, depth)


@st.composite
def scalars(draw: Any, depth: int = 3) -> Any:
    return draw(st.sampled_from([s, b[t]])) if depth == 0 else _built(draw, SCALARS, depth)


def _built(draw: Any, ways: list[Any], depth: int) -> Any:
    way = draw(st.sampled_from(ways))
    return way(
        lambda: draw(vectors(depth - 1)),
        lambda: draw(scalars(depth - 1)),
        lambda: draw(st.sampled_from(ACTIVATIONS)),
    )


def assert_close(claimed: Any, expected: Any) -> None:
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(np.asarray(claimed) / scale, np.asarray(expected) / scale, rtol=1e-9, atol=1e-11)


@given(expr=st.one_of(vectors(), scalars()), seed=st.integers(0, 10))
def test_the_pullback_of_a_composition_is_its_complex_step(expr, seed):
    instance, cotangent = Instance(seed), like(expr, "g")
    for by in leaves_of(expr):
        direction = instance.direction(by)
        claimed = np.sum(value_of(A.pullback(expr, cotangent, by), instance) * direction)
        assert_close(claimed, np.sum(value_of(cotangent, instance) * slope(expr, by, direction, instance)))


@given(expr=vectors(), seed=st.integers(0, 10))
def test_the_jacobian_of_a_composition_is_its_complex_step(expr, seed):
    instance = Instance(seed)
    for by in leaves_of(expr):
        if rank_of(by) != 1:
            continue
        try:
            claimed = A.jacobian(expr, by)
        except A.NoJacobianError:
            continue
        direction = instance.direction(by)
        assert_close(value_of(claimed, instance) @ direction, slope(expr, by, direction, instance))


# -- elementwise functions -----------------------------------------------------------------------------

POSITIVE_ONLY = ("log", "sqrt")
FUNCTION_NAMES = sorted(A.FUNCTIONS)


def numeric(expr: sympy.Expr) -> Any:
    function = sympy.lambdify([INPUT, OUTPUT], expr, "numpy")
    return lambda u, y=0.0: function(u, y) + np.zeros_like(u)


def points(name: str, count: int = 41) -> Any:
    """Points in the domain of the function, none at 0, where the kinks of the catalogue are."""
    right = np.linspace(0.05, 6.0, count)
    return right if name in POSITIVE_ONLY else np.concatenate([-right, right])


def test_every_function_has_an_independent_form():
    assert set(FORMS) == set(A.FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTION_NAMES)
def test_the_rule_of_a_function_is_its_textbook_form(name):
    u = points(name)
    np.testing.assert_allclose(numeric(A.named(name).rule(INPUT))(u), FORMS[name](u), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTION_NAMES)
def test_prime_is_the_complex_step_away_from_kinks(name):
    u = points(name)
    expected = np.imag(FORMS[name](u + 1e-30j)) / 1e-30
    np.testing.assert_allclose(numeric(A.named(name).prime.rule(INPUT))(u), expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTION_NAMES)
def test_the_second_derivative_is_the_central_difference_of_the_first(name):
    u, gap = points(name), 1e-6
    prime, second = (numeric(f.rule(INPUT)) for f in (A.named(name).prime, A.named(name).prime.prime))
    np.testing.assert_allclose(second(u), (prime(u + gap) - prime(u - gap)) / (2 * gap), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in FUNCTION_NAMES if A.FUNCTIONS[name].written is not None])
def test_the_written_derivative_is_the_derivative(name):
    u, function = points(name), A.named(name)
    assert function.written == A.FUNCTIONS[name].written
    written = numeric(function.written)(u, FORMS[name](u))
    np.testing.assert_allclose(written, numeric(function.prime.rule(INPUT))(u), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTION_NAMES)
def test_the_supremum_bounds_the_slope_and_is_nearly_attained(name):
    right = np.concatenate([np.logspace(-9, -2, 50), np.linspace(0.01, 12, 200_001)])
    u = right if name in POSITIVE_ONLY else np.concatenate([-right, right])
    slopes, supremum = np.abs(numeric(A.named(name).prime.rule(INPUT))(u)), A.FUNCTIONS[name].supremum
    if supremum == sympy.oo:
        assert slopes.max() > 1e4
    else:
        assert supremum - 1e-3 <= slopes.max() <= float(supremum) * (1 + 1e-15)


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_a_rounded_supremum_is_right_to_five_digits_and_rounded_up(name):
    u = np.linspace(1, 3, 2_000_001)
    excess = float(A.FUNCTIONS[name].supremum) - numeric(A.named(name).prime.rule(INPUT))(u).max()
    assert 0 <= excess < 1e-5


@pytest.mark.parametrize(
    "name, at_kink",
    [("relu", 0), ("leaky_relu", sympy.Rational(1, 100)), ("abs", 0), ("sign", 0)],
)
def test_the_slope_at_a_kink_follows_the_convention(name, at_kink):
    function = A.named(name)
    assert function.kinks == (0,)
    assert function.prime(sympy.Integer(0)) == at_kink


@pytest.mark.parametrize(
    "name, left, right",
    [("relu", 0, 1), ("leaky_relu", 0.01, 1), ("abs", -1, 1), ("elu", 1, 1), ("sign", 0, 0)],
)
@pytest.mark.parametrize("gap", [1e-300, 1e-12])
def test_the_slope_on_either_side_of_zero(name, left, right, gap):
    prime = numeric(A.named(name).prime.rule(INPUT))
    np.testing.assert_allclose(prime(np.array([-gap, gap])), [left, right], rtol=1e-11)


@pytest.mark.parametrize("name", sorted(set(A.FUNCTIONS) - {"relu", "leaky_relu", "abs", "sign"}))
def test_a_smooth_function_has_no_kinks(name):
    assert A.named(name).kinks == ()


def test_elu_is_smooth_at_zero():
    assert A.named("elu").prime(sympy.Integer(0)) == 1


def test_clipping_has_two_kinks_and_slope_zero_at_both():
    clip = ElementwiseFunction("clip", sympy.Lambda(INPUT, sympy.Max(-1, sympy.Min(1, INPUT))))
    assert sorted(clip.kinks) == [-1, 1]
    assert [clip.prime(sympy.Rational(k, 2)) for k in range(-3, 4)] == [0, 0, 1, 1, 1, 0, 0]


def test_a_function_that_only_shares_a_name_has_no_written_derivative():
    assert ElementwiseFunction("tanh", sympy.Lambda(INPUT, 2 * INPUT)).written is None
