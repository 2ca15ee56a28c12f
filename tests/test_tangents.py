"""Forward mode: every node's rule against complex step, a route that shares no derivative with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from algebra_examples import EXAMPLES, Instance, W, a, examples, h, leaves_of, s, slope, t, v, value_of

import symbptt.algebra as A
from symbptt.algebra import nodes as N
from symbptt.algebra.base import rank_of, shape_of
from symbptt.algebra.tangents import JVP, is_flat

CASES = [
    pytest.param(example, id=name)
    for name, example in examples((*N.NODES, A.Fill))
    if not isinstance(example, type) and leaves_of(example)
]


def like(expr: Any, name: str) -> Any:
    """A variable at t of the same shape and rank."""
    return A.Variable(name, *A.fill_like(0, expr).args[1:])[t] if shape_of(expr) else A.Variable(name)[t]


def is_timed(leaf: Any) -> bool:
    """Whether it stands at a step of its own inside a sum, where no one direction is its."""
    return any(symbol.name == "j" for symbol in leaf.free_symbols if hasattr(symbol, "name"))


def test_every_operation_has_a_rule_and_every_rule_an_example():
    assert {kind for kind in (*N.NODES, A.Fill) if kind not in JVP} == set()
    assert {kind for kind in JVP if kind not in EXAMPLES} == set()


@pytest.mark.parametrize("sizes", [{}, {"n": 1, "m": 1, "q": 1}], ids=["random sizes", "sizes of 1"])
@pytest.mark.parametrize("example", CASES)
def test_the_tangent_is_the_complex_step_along_all_leaves(example, sizes):
    leaves = [leaf for leaf in leaves_of(example) if not is_timed(leaf)]
    moved = {leaf: like(leaf, f"d{k}") for k, leaf in enumerate(leaves)}
    claimed = A.tangent(example, moved)
    assert (shape_of(claimed), rank_of(claimed)) == (shape_of(example), rank_of(example))
    for seed in (0, 1):
        instance = Instance(seed, **sizes)
        value_of(example, instance)
        expected = sum(
            (slope(example, leaf, value_of(direction, instance), instance) for leaf, direction in moved.items()), 0.0
        )
        np.testing.assert_allclose(value_of(claimed, instance), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    "expr",
    [
        N.MatrixTimeSum(N.Outer(N.Map(A.named("tanh"), h[A.index("j")]), v[t]), A.index("j"), 1, t),
        N.OrderedProduct(N.MatrixProduct(N.Diag(h[A.index("j")]), W), A.index("j"), 1, t),
        N.TimeProduct(N.Times(s, a[A.index("j")]), A.index("j"), 1, t),
    ],
    ids=lambda e: type(e).__name__,
)
def test_products_and_sums_over_time_move_with_what_is_inside(expr):
    moved = {leaf: like(leaf, f"d{k}") for k, leaf in enumerate((W, s, v[t]))}
    instance = Instance(2)
    value_of(expr, instance)
    present = [leaf for leaf in moved if A.depends(expr, leaf)]
    assert present
    expected = sum(slope(expr, leaf, value_of(moved[leaf], instance), instance) for leaf in present)
    np.testing.assert_allclose(value_of(A.tangent(expr, moved), instance), expected, rtol=1e-11, atol=1e-13)


def test_what_does_not_move_has_the_tangent_zero_in_its_shape():
    still = A.tangent(A.matmul(W, h[t]), {v[t]: v[t]})
    assert A.is_zero(still) and shape_of(still) == shape_of(h[t])


def test_equal_factors_are_put_together():
    square = A.subtract(1, A.hadamard(h[t], h[t]))
    assert str(A.tangent(square, {h[t]: A.tangent_of(h[t])})) == "-2*(h[t] * R(h[t]))"


def test_the_slope_of_a_piecewise_linear_function_does_not_move():
    assert [name for name in A.FUNCTIONS if is_flat(A.named(name).prime)] == [
        "relu",
        "leaky_relu",
        "linear",
        "abs",
        "sign",
    ]
    assert A.is_zero(A.tangent(A.apply(A.named("relu").prime, h[t]), {h[t]: v[t]}))


def test_a_tangent_is_written_as_pearlmutter_writes_it():
    import sympy

    assert sympy.latex(A.tangent_of(h[t])) == r"\mathcal{R}\lbrace h_t \rbrace"
    assert sympy.latex(A.tangent_of(W)) == "V_W"
    assert sympy.latex(A.tangent_of(A.Parameter("b_h", 3, 1))) == "v_{b_h}"
