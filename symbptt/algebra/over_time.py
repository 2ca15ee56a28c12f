"""Sums and products over steps: made, and written out term by term."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer, S

from .base import shape_of
from .build import add, is_zero, matmul, negate, node, product, zero_like
from .leaves import Identity
from .nodes import MatrixNegative, MatrixTimeSum, Negative, OrderedProduct, TimeProduct, TimeSum


def time_sum(body: Any, when: Any, lower: Any, upper: Any) -> Any:
    """Return the sum over steps of a scalar, vector or matrix."""
    body, lower, upper = node(body), sympy.sympify(lower), sympy.sympify(upper)
    if is_zero(body) or (upper - lower).is_negative:
        return zero_like(body)
    if isinstance(body, Negative | MatrixNegative):
        return negate(time_sum(body.args[0], when, lower, upper))
    return (MatrixTimeSum if shape_of(body) else TimeSum)(body, when, lower, upper)


def time_product(body: Any, when: Any, lower: Any, upper: Any) -> Any:
    """Return the product over steps, newest on the left; the identity where the range is empty.

    >>> from symbptt.algebra import Parameter, index
    >>> W, j, t = Parameter("W", 3, 3), index("j"), index("t")
    >>> time_product(W, j, t + 1, t)
    I(3)
    """
    body, lower, upper = node(body), sympy.sympify(lower), sympy.sympify(upper)
    gap = upper - lower
    if gap.is_negative:
        return Identity(body.shape[0]) if shape_of(body) else S.One
    if gap == 0:
        return body.xreplace({when: lower})
    return (OrderedProduct if shape_of(body) else TimeProduct)(body, when, lower, upper)


def expand_bound(expr: Any) -> Any:
    """Write out a time sum or an ordered product whose bounds are integers."""
    low, high = int(expr.lower), int(expr.upper)
    pieces = [expr.body.xreplace({expr.index: Integer(s)}) for s in range(low, high + 1)]
    if isinstance(expr, TimeSum | MatrixTimeSum):
        return add(*pieces) if pieces else zero_like(expr.body)
    if not pieces:
        return Identity(expr.shape[0]) if shape_of(expr) else S.One
    return matmul(*reversed(pieces)) if shape_of(expr) else product(*reversed(pieces))
