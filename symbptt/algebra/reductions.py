"""Functions of arrays: elementwise functions, inner and outer products, reductions, diagonals, joining and parts.

Like the sums and products of :mod:`symbptt.algebra.build`, they check shapes and choose the scalar or matrix node.
"""

from __future__ import annotations

from typing import Any

from sympy import S

from ..errors import ShapeError
from .base import is_vector, need_array, need_square, need_vector, shape_of, show_shape
from .build import broadcast, hadamard, is_zero, negate, node, power, product, zero_matrix
from .functions import ElementwiseFunction, named
from .leaves import Fill, Identity
from .nodes import (
    Apply,
    ColumnSums,
    Concat,
    Diag,
    DiagonalOf,
    EntrySum,
    Inner,
    Map,
    MatrixNegative,
    MaxEntry,
    Mean,
    Outer,
    Part,
    RowBroadcast,
    RowMean,
    RowSoftmax,
    RowVariance,
    Scale,
    Softmax,
    SquaredNorm,
    Variance,
)


def apply(function: ElementwiseFunction | str, a: Any) -> Any:
    """Return f(a), elementwise for arrays; the linear function is left out."""
    a = node(a)
    function = named(function) if isinstance(function, str) else function
    if function == named("linear"):
        return a
    return Map(function, a) if shape_of(a) else Apply(function, a)


def outer(u: Any, v: Any) -> Any:
    """Return u v^T, with scalar factors in front."""
    u, v = need_vector(node(u), "outer"), need_vector(node(v), "outer")
    scalars: list[Any] = []
    parts = []
    for part in (u, v):
        if isinstance(part, MatrixNegative):
            scalars, part = [*scalars, S.NegativeOne], part.args[0]
        if isinstance(part, Scale):
            scalars, part = [*scalars, part.args[0]], part.args[1]
        parts.append(part)
    if is_zero(parts[0]) or is_zero(parts[1]):
        return zero_matrix(u.shape[0], v.shape[0])
    return product(*scalars, Outer(*parts))


def inner(u: Any, v: Any) -> Any:
    """Return u^T v of vectors, or the sum of the products of the entries of two matrices, tr(U^T V)."""
    u, v = node(u), node(v)
    broadcast([u, v], "inner")
    scalars: list[Any] = []
    parts = []
    for part in (u, v):
        if isinstance(part, MatrixNegative):
            scalars, part = [*scalars, S.NegativeOne], part.args[0]
        if isinstance(part, Scale):
            scalars, part = [*scalars, part.args[0]], part.args[1]
        parts.append(part)
    if is_zero(parts[0]) or is_zero(parts[1]):
        return S.Zero
    for part, other in (parts, parts[::-1]):
        if isinstance(part, Fill):
            return product(*scalars, part.value, entry_sum(other))
    if is_vector(u):
        return product(*scalars, Inner(*parts))
    return product(*scalars, EntrySum(hadamard(*parts)))


def entry_sum(a: Any) -> Any:
    """Return the sum of all entries; of a scalar, itself."""
    a = node(a)
    if not shape_of(a):
        return a
    if isinstance(a, MatrixNegative):
        return negate(entry_sum(a.args[0]))
    if isinstance(a, Scale):
        return product(a.args[0], entry_sum(a.args[1]))
    if isinstance(a, Fill):
        return product(a.value, a.shape[0], a.shape[1])
    return EntrySum(a)


def squared_norm(a: Any) -> Any:
    """Return the sum of the squared entries; of a scalar, its square."""
    a = node(a)
    return SquaredNorm(a) if shape_of(a) else power(a, 2)


def mean(a: Any) -> Any:
    """Return the mean of all entries; of a scalar, itself."""
    a = node(a)
    return Mean(a) if shape_of(a) else a


def variance(a: Any) -> Any:
    """Return the variance of all entries, divided by their number."""
    return Variance(need_array(node(a), "variance"))


def max_entry(a: Any) -> Any:
    """Return the largest entry."""
    return MaxEntry(need_array(node(a), "max"))


def softmax(a: Any) -> Any:
    """Return the softmax of a vector."""
    return Softmax(need_vector(node(a), "softmax"))


def diag(a: Any) -> Any:
    """Return the diagonal matrix of a vector, or the diagonal of a square matrix."""
    a = need_array(node(a), "diag")
    if isinstance(a, Fill) and is_vector(a) and a.value == 1:
        return Identity(a.shape[0])
    return Diag(a) if is_vector(a) else DiagonalOf(need_square(a, "diag"))


def concat(*parts: Any) -> Any:
    """Return vectors (or matrices of as many columns) on top of each other."""
    arrays = [need_array(node(part), "concat") for part in parts]
    for other in arrays[1:]:
        if other.shape[1] != arrays[0].shape[1]:
            raise ShapeError(
                f"concat of {show_shape(arrays[0].shape)} and {show_shape(other.shape)}: the numbers of columns differ"
            )
    return arrays[0] if len(arrays) == 1 else Concat(*arrays)


def part(a: Any, start: Any, length: Any) -> Any:
    """Return ``length`` rows from row ``start`` (from 0)."""
    a = node(a)
    return a if (start, length) == (0, a.shape[0]) else Part(a, start, length)


# -- rows, one for each example of a batch -------------------------------------------------------------


def row_broadcast(row: Any, count: Any) -> Any:
    """Return a row (1, n) below itself ``count`` times, (count, n).

    >>> from symbptt.algebra import MatrixParameter, Variable, add, index
    >>> b, H, t = MatrixParameter("b", 1, 3), Variable("h", 2, 3), index("t")
    >>> add(H[t], row_broadcast(b, 2)).shape
    (2, 3)
    """
    row = _need_row(node(row))
    if isinstance(row, Fill):
        return Fill(row.value, count, row.shape[1], *((2,) if row.shape[1] == 1 else ()))
    return RowBroadcast(row, count)


def _need_row(a: Any) -> Any:
    if shape_of(a)[:1] != (1,) or is_vector(a):
        raise ShapeError(f"row_broadcast({a}): a row is needed, not {show_shape(shape_of(a))}")
    return a


def column_sums(a: Any) -> Any:
    """Return 1^T X, the row of the sums over the rows of a matrix, signs and factors in front."""
    a = need_array(node(a), "column_sums")
    if isinstance(a, MatrixNegative):
        return negate(column_sums(a.args[0]))
    if isinstance(a, Scale):
        return product(a.args[0], column_sums(a.args[1]))
    if isinstance(a, Fill):
        return Fill(product(a.value, a.shape[0]), 1, a.shape[1], *((2,) if a.shape[1] == 1 else ()))
    return ColumnSums(a)


def row_softmax(a: Any) -> Any:
    """Return the softmax of every row of a matrix."""
    return RowSoftmax(need_array(node(a), "row_softmax"))


def row_mean(a: Any) -> Any:
    """Return the mean of every row of a matrix, a vector."""
    return RowMean(need_array(node(a), "row_mean"))


def row_variance(a: Any) -> Any:
    """Return the variance of every row of a matrix, divided by the number of its entries, a vector."""
    return RowVariance(need_array(node(a), "row_variance"))
