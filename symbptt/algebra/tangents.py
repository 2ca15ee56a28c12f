"""Forward mode: for every node, what a motion of its arguments does to it (Jacobian-vector products).

A rule ``jvp(e, moved)`` gets a node and the tangents of its arguments, None where an argument does not move, and
returns the tangent of the node, of its own shape.

References
----------
Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994 (the operator R);
Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3 (forward mode).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import sympy
from sympy import Basic, S, Tuple

from . import nodes as N
from .base import shape_of
from .build import (
    add,
    divide,
    expand_transpose,
    hadamard,
    is_zero,
    matmul,
    negate,
    power,
    product,
    subtract,
    trace,
    zero_like,
)
from .functions import ElementwiseFunction
from .leaves import Fill, Identity, Literal, LiteralMatrix, fill_like
from .over_time import time_product, time_sum
from .reductions import apply, column_sums, concat, diag, entry_sum, inner, mean, outer, part, row_broadcast
from .rules_arithmetic import one_less
from .semantics import LEAVES
from .vectorised import kronecker, matrix_power, unvec, vec

Moved: TypeAlias = Sequence[Any]
"""The tangent of each argument, None where it does not move."""
Rule: TypeAlias = Callable[[Any, Moved], Any]

JVP: dict[type, Rule] = {}
"""Node -> rule for its Jacobian-vector product."""


def tangent(expr: Basic, directions: Mapping[Basic, Any]) -> Any:
    """Return the derivative of an expression along a motion of its leaves.

    Parameters
    ----------
    expr : node
    directions : mapping
        Leaf -> its tangent, of the same shape. A leaf that is not in it does not move.

    Examples
    --------
    >>> from symbptt.algebra import Parameter, Variable, index, tangent_of
    >>> W, h, t = Parameter("W", 3, 3), Variable("h", 3, 1), index("t")
    >>> tangent(apply("tanh", matmul(W, h[t])), {leaf: tangent_of(leaf) for leaf in (W, h[t])})
    tanh'(W @ h[t]) * (V_W @ h[t] + W @ R(h[t]))
    """
    found = _tangent(expr, directions)
    return zero_like(expr) if found is None else found


def _tangent(expr: Any, directions: Mapping[Basic, Any]) -> Any:
    if expr in directions:
        moved = directions[expr]
        return None if is_zero(moved) else moved
    if not expr.args or isinstance(expr, (*LEAVES, ElementwiseFunction, Literal, LiteralMatrix, Identity)):
        return None
    if isinstance(expr, Tuple):
        parts = [_tangent(a, directions) for a in expr.args]
        if all(p is None for p in parts):
            return None
        return Tuple(*(_or_zero(p, a) for p, a in zip(parts, expr.args, strict=True)))
    moved = [_tangent(a, directions) for a in expr.args]
    if all(m is None for m in moved):
        return None
    result = JVP[type(expr)](expr, moved)
    return None if is_zero(result) else result


def _or_zero(moved: Any, argument: Any) -> Any:
    if moved is not None:
        return moved
    return Tuple(*map(zero_like, argument.args)) if isinstance(argument, Tuple) else zero_like(argument)


def _jvp(*types: type) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        JVP.update(dict.fromkeys(types, rule))
        return rule

    return register


def _linear(build: Callable[..., Any]) -> Rule:
    """The rule of a node that is linear in its first argument: f(X)' = f(X')."""
    return lambda e, moved: build(moved[0], *e.args[1:])


def _multilinear(build: Callable[..., Any]) -> Rule:
    """The product rule: (A B C)' = A' B C + A B' C + A B C'."""

    def rule(e: Any, moved: Moved) -> Any:
        return add(*(build(*_with(e.args, i, m)) for i, m in enumerate(moved) if m is not None))

    return rule


def _commuting(build: Callable[..., Any]) -> Rule:
    """The product rule where the order does not matter: equal factors together, (a a b)' = 2 a b a' + a a b'."""

    def rule(e: Any, moved: Moved) -> Any:
        terms = []
        for factor in dict.fromkeys(e.args):
            places = [i for i, a in enumerate(e.args) if a == factor]
            if moved[places[-1]] is not None:
                terms.append(product(len(places), build(*_with(e.args, places[-1], moved[places[-1]]))))
        return add(*terms)

    return rule


def _with(args: Sequence[Any], i: int, value: Any) -> list[Any]:
    return [value if k == i else a for k, a in enumerate(args)]


JVP.update(
    {
        N.Negative: _linear(negate),
        N.MatrixNegative: _linear(negate),
        N.Transposed: lambda e, moved: expand_transpose(moved[0], vector=len(e.args) == 2),
        N.Trace: _linear(trace),
        N.Diag: _linear(diag),
        N.DiagonalOf: _linear(diag),
        N.EntrySum: _linear(entry_sum),
        N.Mean: _linear(mean),
        N.Part: _linear(part),
        N.Vec: _linear(vec),
        N.Unvec: _linear(unvec),
        N.RowBroadcast: _linear(row_broadcast),
        N.ColumnSums: _linear(column_sums),
        N.RowMean: _linear(N.RowMean),
        N.Kronecker: _multilinear(kronecker),
        N.Times: _commuting(product),
        N.Hadamard: _commuting(hadamard),
        N.Scale: _multilinear(product),
        N.MatrixProduct: _multilinear(matmul),
        N.Outer: _multilinear(outer),
        N.Inner: _multilinear(inner),
    }
)


@_jvp(N.Plus, N.MatrixPlus)
def _(e: Any, moved: Moved) -> Any:
    """(A + B)' = A' + B'."""
    return add(*(m for m in moved if m is not None))


@_jvp(Fill)
def _(e: Any, moved: Moved) -> Any:
    """(s everywhere)' = s' everywhere."""
    return fill_like(moved[0], e)


@_jvp(N.Concat)
def _(e: Any, moved: Moved) -> Any:
    """[u; v]' = [u'; v']."""
    return concat(*(_or_zero(m, a) for m, a in zip(moved, e.args, strict=True)))


@_jvp(N.Blocks)
def _(e: Any, moved: Moved) -> Any:
    """The blocks of the tangent are the tangents of the blocks."""
    return N.Blocks(Tuple(*moved[0]))


@_jvp(N.Quotient)
def _(e: Any, moved: Moved) -> Any:
    """(a / b)' = a' / b - (a / b^2) b'."""
    (a, b), (da, db) = e.args, moved
    top = [] if da is None else [divide(da, b)]
    return add(*top, *([] if db is None else [negate(product(divide(a, power(b, 2)), db))]))


@_jvp(N.HadamardQuotient)
def _(e: Any, moved: Moved) -> Any:
    """(a / b)' = a' / b - (a / b^2) * b', elementwise."""
    (a, b), (da, db) = e.args, moved
    top = [] if da is None else [divide(da, b)]
    return add(*top, *([] if db is None else [negate(hadamard(divide(a, power(b, 2)), db))]))


@_jvp(N.Power)
def _(e: Any, moved: Moved) -> Any:
    """(a^k)' = k a^(k-1) a'."""
    a, k = e.args
    return product(k, power(a, one_less(k)), moved[0])


@_jvp(N.HadamardPower)
def _(e: Any, moved: Moved) -> Any:
    """(a^k)' = k a^(k-1) * a', elementwise."""
    a, k = e.args
    return product(k, hadamard(power(a, one_less(k)), moved[0]))


@_jvp(N.SquaredNorm)
def _(e: Any, moved: Moved) -> Any:
    """(||X||^2)' = 2 <X, X'>."""
    return product(2, inner(e.args[0], moved[0]))


@_jvp(N.Variance)
def _(e: Any, moved: Moved) -> Any:
    """(variance of X)' = 2 / N <X - mean of X, X'>."""
    x = e.args[0]
    rows, columns = shape_of(x)
    deviation = subtract(x, fill_like(N.Mean(x), x))
    return product(divide(S(2), rows * columns), inner(deviation, moved[0]))


@_jvp(N.MaxEntry)
def _(e: Any, moved: Moved) -> Any:
    """(max of X)' = the entry of X' at the first maximum."""
    return inner(N.MaxIndicator(e.args[0]), moved[0])


@_jvp(N.MaxIndicator)
def _(e: Any, moved: Moved) -> Any:
    """The indicator is constant between kinks."""
    return zero_like(e)


@_jvp(N.Apply)
def _(e: Any, moved: Moved) -> Any:
    """f(a)' = f'(a) a'; zero where f is constant between its kinks (a slope of relu)."""
    function, a = e.args
    return S.Zero if is_flat(function) else product(apply(function.prime, a), moved[1])


@_jvp(N.Map)
def _(e: Any, moved: Moved) -> Any:
    """f(X)' = f'(X) * X', elementwise; zero where f is constant between its kinks."""
    function, x = e.args
    return zero_like(e) if is_flat(function) else hadamard(apply(function.prime, x), moved[1])


def is_flat(function: ElementwiseFunction) -> bool:
    """Whether a function is constant between its kinks, so that its derivative is 0 by convention.

    >>> from symbptt.algebra import named
    >>> is_flat(named("relu").prime), is_flat(named("relu")), is_flat(named("sign"))
    (True, False, True)
    """
    return bool(function.prime.rule.expr.is_zero)


@_jvp(N.Softmax)
def _(e: Any, moved: Moved) -> Any:
    """p = softmax(v): p' = p * v' - (p^T v') p."""
    return subtract(hadamard(e, moved[0]), product(inner(e, moved[0]), e))


@_jvp(N.RowSoftmax)
def _(e: Any, moved: Moved) -> Any:
    """P = softmax of every row: P' = P * X' - diag((P * X') 1) P."""
    weighted = hadamard(e, moved[0])
    return subtract(weighted, matmul(diag(matmul(weighted, Fill(S.One, e.shape[1], 1))), e))


@_jvp(N.RowVariance)
def _(e: Any, moved: Moved) -> Any:
    """v = variance of every row: v' = (2 / n) ((X - mean 1^T) * X') 1, n the length of a row."""
    x = e.args[0]
    ones = Fill(S.One, shape_of(x)[1], 1)
    centred = subtract(x, outer(N.RowMean(x), ones))
    return product(divide(2, shape_of(x)[1]), matmul(hadamard(centred, moved[0]), ones))


@_jvp(N.MatrixPower)
def _(e: Any, moved: Moved) -> Any:
    """(A^k)' = sum over j = 0..k-1 of A^j A' A^(k-1-j)."""
    a, k = e.args
    j = N.fresh_index(sympy.Symbol("j", integer=True), a, moved[0], k)
    return time_sum(matmul(matrix_power(a, j), moved[0], matrix_power(a, k - 1 - j)), j, 0, k - 1)


@_jvp(N.TimeSum, N.MatrixTimeSum)
def _(e: Any, moved: Moved) -> Any:
    """(sum over s of X_s)' = sum over s of X_s'."""
    return time_sum(moved[0], e.index, e.lower, e.upper)


@_jvp(N.TimeProduct)
def _(e: Any, moved: Moved) -> Any:
    """(a_n ... a_1)' = sum over i of a_n ... a_(i+1) a_i' a_(i-1) ... a_1."""
    return _in_products(e, moved[0], product)


@_jvp(N.OrderedProduct)
def _(e: Any, moved: Moved) -> Any:
    """(J_n ... J_1)' = sum over i of J_n ... J_(i+1) J_i' J_(i-1) ... J_1."""
    return _in_products(e, moved[0], matmul)


def _in_products(e: Any, moved: Any, build: Callable[..., Any]) -> Any:
    i = N.fresh_index(e.index, e.body, moved, e.lower, e.upper)
    newer = time_product(e.body, e.index, i + 1, e.upper)
    older = time_product(e.body, e.index, e.lower, i - 1)
    return time_sum(build(newer, moved.xreplace({e.index: i}), older), i, e.lower, e.upper)
