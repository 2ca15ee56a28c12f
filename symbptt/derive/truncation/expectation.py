"""Expectations over the masks, one rule at a time: linearity, independence, and E[xi] = p."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy
from sympy import S

from ... import algebra as A
from ...algebra import nodes as N
from ...algebra.random import Expectation, Mask, MatrixExpectation
from ..tidy import rebuild

_LINEAR = (
    N.Negative,
    N.MatrixNegative,
    N.Plus,
    N.MatrixPlus,
    N.EntrySum,
    N.Transposed,
    N.Diag,
    N.DiagonalOf,
    N.Trace,
    N.Concat,
    N.Part,
)
_BILINEAR = (N.Times, N.Scale, N.MatrixProduct, N.Hadamard, N.Outer, N.Inner)
_SUMS = (N.TimeSum, N.MatrixTimeSum)


def is_random(expr: Any) -> bool:
    """Whether the value of an expression depends on the masks."""
    return any(
        isinstance(part, Mask) or getattr(part, "mode", "").startswith("randomised")
        for part in sympy.preorder_traversal(expr)
        if not isinstance(part, A.ElementwiseFunction)
    )


def by_linearity(expr: Any) -> Any:
    """Move E inside sums, sums over steps and products with what does not depend on the masks.

    >>> from symbptt.algebra import Mask, Variable, index
    >>> g, t = Variable("g"), index("t")
    >>> by_linearity(A.add(A.product(Mask(t), g[t]), g[t]))
    E(xi[t])*g[t] + g[t]
    """
    if not is_random(expr):
        return expr
    if isinstance(expr, _LINEAR):
        return rebuild(expr, [by_linearity(a) if isinstance(a, sympy.Basic) and is_random(a) else a for a in expr.args])
    if isinstance(expr, _SUMS):
        return A.time_sum(by_linearity(expr.body), expr.index, expr.lower, expr.upper)
    if isinstance(expr, _BILINEAR) and sum(map(is_random, expr.args)) == 1:
        return rebuild(expr, [by_linearity(a) if is_random(a) else a for a in expr.args])
    if isinstance(expr, N.Quotient | N.HadamardQuotient) and not is_random(expr.args[1]):
        return A.divide(by_linearity(expr.args[0]), expr.args[1])
    return A.expectation(expr)


def by_independence(expr: Any) -> Any:
    """Turn the expectation of a product over steps into the product of expectations: masks of different steps.

    Raises
    ------
    TypeError
        Where a factor reads another mask than that of its own step, so that factors are not independent.
    """
    if isinstance(expr, Expectation) and isinstance(expr.args[0], N.TimeProduct):
        product = expr.args[0]
        masks = [p for p in sympy.preorder_traversal(product.body) if isinstance(p, Mask)]
        if any(mask.when != product.index for mask in masks):
            raise TypeError(f"the factors of {product} are not independent")
        return A.time_product(by_linearity(product.body), product.index, product.lower, product.upper)
    return _everywhere(by_independence, expr)


def by_probability(expr: Any, varies: bool = False) -> Any:
    """Write E[xi_t] as the probability of going on: p, or p_t where it varies."""
    if isinstance(expr, Expectation) and isinstance(expr.args[0], Mask):
        return A.Probability(expr.args[0].when) if varies else A.Probability()
    return _everywhere(partial(by_probability, varies=varies), expr)


def by_unbiasedness(expr: Any) -> Any:
    """Write the expectation of a truncated derivative as the exact one, which has been shown."""
    if isinstance(expr, Expectation | MatrixExpectation):
        leaf = expr.args[0]
        if isinstance(leaf, A.Gradient | A.ScalarDerivative) and leaf.mode.startswith("randomised"):
            return A.derivative(leaf.of, leaf.by)
        return expr
    if isinstance(expr, _SUMS):
        return A.time_sum(by_unbiasedness(expr.body), expr.index, expr.lower, expr.upper)
    return _everywhere(by_unbiasedness, expr)


def by_unity(expr: Any) -> Any:
    """Reduce p / p, products of ones and factors of one."""
    if isinstance(expr, N.Quotient) and expr.args[0] == expr.args[1]:
        return S.One
    if isinstance(expr, N.TimeProduct) and by_unity(expr.body) == 1:
        return S.One
    if isinstance(expr, A.MatrixAt | A.ScalarAt | A.Gradient | A.ScalarDerivative | A.Jacobian) or not expr.args:
        return expr
    return rebuild(expr, [by_unity(a) if isinstance(a, sympy.Basic) else a for a in expr.args])


def _everywhere(rule: Any, expr: Any) -> Any:
    leaves = A.MatrixAt | A.ScalarAt | A.Gradient | A.ScalarDerivative | A.Jacobian
    if not getattr(expr, "args", ()) or isinstance(expr, leaves | Expectation | MatrixExpectation):
        return expr
    if isinstance(expr, N.TimeProduct):
        return A.time_product(rule(expr.body), expr.index, expr.lower, expr.upper)
    return rebuild(expr, [rule(a) if isinstance(a, sympy.Basic) else a for a in expr.args])
