"""The differentiation rules of rows, one for each example of a batch."""

from __future__ import annotations

from typing import Any

from sympy import S

from . import nodes as N
from .base import shape_of
from .build import divide, hadamard, matmul, product, subtract
from .leaves import Fill
from .reductions import column_sums, diag, outer, row_broadcast
from .rules import vjp_of


@vjp_of(N.RowBroadcast)
def _(e: Any, g: Any, i: int) -> Any:
    """d(1 b) : b' = 1^T g, the sum over the rows."""
    return column_sums(g)


@vjp_of(N.ColumnSums)
def _(e: Any, g: Any, i: int) -> Any:
    """d(1^T X) : X' = 1 g, in every row."""
    return row_broadcast(g, shape_of(e.args[0])[0])


@vjp_of(N.RowSoftmax)
def _(e: Any, g: Any, i: int) -> Any:
    """P = softmax of every row : X' = P * g - diag((P * g) 1) P."""
    weighted = hadamard(e, g)
    return subtract(weighted, matmul(diag(matmul(weighted, Fill(S.One, e.shape[1], 1))), e))


@vjp_of(N.RowMean)
def _(e: Any, g: Any, i: int) -> Any:
    """d(mean of every row of X) : X' = (g / n) 1^T, n the length of a row."""
    size = shape_of(e.args[0])[1]
    return divide(outer(g, Fill(S.One, size, 1)), size)


@vjp_of(N.RowVariance)
def _(e: Any, g: Any, i: int) -> Any:
    """d(variance of every row of X) : X' = (2 / n) (g 1^T) * (X - mean 1^T), n the length of a row."""
    x = e.args[0]
    size = shape_of(x)[1]
    ones = Fill(S.One, size, 1)
    return product(divide(2, size), hadamard(outer(g, ones), subtract(x, outer(N.RowMean(x), ones))))
