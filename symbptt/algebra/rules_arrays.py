"""The differentiation rules of linear algebra, of what is made of all entries, of stacked vectors and their parts."""

from __future__ import annotations

from typing import Any

from sympy import Expr, S

from . import nodes as N
from .base import is_vector, rank_of, shape_of
from .build import divide, expand_transpose, matmul, product, subtract, zero_like, zero_matrix
from .leaves import Fill, Identity, fill_like
from .random import HELD
from .reductions import concat, diag, entry_sum, part
from .rules import jacobian_of, vjp_of


@vjp_of(N.Outer)
def _(e: Any, g: Any, i: int) -> Any:
    """d(u v^T) : u' = g v, v' = g^T u."""
    u, v = e.args
    return matmul(g, v) if i == 0 else matmul(expand_transpose(g), u)


@vjp_of(N.Inner)
def _(e: Any, g: Any, i: int) -> Any:
    """d(u^T v) : u' = g v, v' = g u."""
    return product(g, e.args[1 - i])


@vjp_of(N.Transposed)
def _(e: Any, g: Any, i: int) -> Any:
    """d(X^T) : X' = g^T."""
    return expand_transpose(g, vector=is_vector(e.args[0]))


@vjp_of(N.Trace)
def _(e: Any, g: Any, i: int) -> Any:
    """d tr X : X' = g I."""
    return product(g, Identity(shape_of(e.args[0])[0]))


@vjp_of(N.Diag)
def _(e: Any, g: Any, i: int) -> Any:
    """d diag(v) : v' = the diagonal of g."""
    return diag(g)


@vjp_of(N.DiagonalOf)
def _(e: Any, g: Any, i: int) -> Any:
    """d(diagonal of X) : X' = diag(g)."""
    return diag(g)


@vjp_of(N.SquaredNorm)
def _(e: Any, g: Any, i: int) -> Any:
    """d||X||^2 : X' = 2 g X."""
    return product(2, g, e.args[0])


@vjp_of(N.EntrySum)
def _(e: Any, g: Any, i: int) -> Any:
    """d(sum of X) : X' = g everywhere."""
    return fill_like(g, e.args[0])


@vjp_of(Fill)
def _(e: Any, g: Any, i: int) -> Any:
    """d(s everywhere) : s' = the sum of g."""
    return entry_sum(g)


@vjp_of(N.Mean)
def _(e: Any, g: Any, i: int) -> Any:
    """d(mean of X) : X' = g / N everywhere, N the number of entries."""
    return fill_like(divide(g, _count(e.args[0])), e.args[0])


@vjp_of(N.Variance)
def _(e: Any, g: Any, i: int) -> Any:
    """d(variance of X) : X' = (2 g / N) (X - mean of X)."""
    x = e.args[0]
    return product(divide(product(2, g), _count(x)), subtract(x, fill_like(N.Mean(x), x)))


@vjp_of(N.MaxEntry)
def _(e: Any, g: Any, i: int) -> Any:
    """d(max of X) : X' = g at the first entry that attains the maximum, 0 elsewhere."""
    return product(g, N.MaxIndicator(e.args[0]))


@vjp_of(N.MaxIndicator)
def _(e: Any, g: Any, i: int) -> Any:
    """The indicator is constant between kinks: X' = 0."""
    return zero_like(e.args[0])


@vjp_of(*HELD)
def _(e: Any, g: Any, i: int) -> Any:
    """Nothing passes through a stopped gradient: X' = 0."""
    return zero_like(e.args[0])


@vjp_of(N.Concat)
def _(e: Any, g: Any, i: int) -> Any:
    """d[u; v] : u' = the rows of g at the place of u."""
    start = sum((shape_of(a)[0] for a in e.args[:i]), start=S.Zero)
    return part(g, start, shape_of(e.args[i])[0])


@jacobian_of(N.Concat)
def _(e: Any, i: int) -> Any:
    """d[u; v]/du = [I; 0]."""
    columns = shape_of(e.args[i])[0]
    return concat(
        *(Identity(columns) if k == i else zero_matrix(shape_of(a)[0], columns) for k, a in enumerate(e.args))
    )


@vjp_of(N.Part)
def _(e: Any, g: Any, i: int) -> Any:
    """d(rows of X) : X' = [0; g; 0]."""
    x, start, length = e.args
    rest = shape_of(x)[0] - start - length
    tail = (shape_of(x)[1], *((2,) if rank_of(x) == 2 and shape_of(x)[1] == 1 else ()))
    pieces = [Fill(S.Zero, start, *tail), g, Fill(S.Zero, rest, *tail)]
    return concat(*(p for p in pieces if shape_of(p)[0] != 0))


@jacobian_of(N.Part)
def _(e: Any, i: int) -> Any:
    """d(rows of x)/dx = the same rows of I."""
    x, start, length = e.args
    return part(Identity(shape_of(x)[0]), start, length)


def _count(x: Any) -> Expr:
    rows, columns = shape_of(x)
    return rows * columns
