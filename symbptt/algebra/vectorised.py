"""Matrices as vectors: vec, its inverse, Kronecker products, powers, and Jacobians by what is no vector.

vec stacks columns, so that vec(A X B) = (B^T kron A) vec(X) (Magnus and Neudecker, *Matrix Differential Calculus*,
3rd ed., Wiley 2019, section 2.4).
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import S

from . import nodes as N
from .base import is_vector, need_array, need_square, rank_of, shape_of
from .build import add, expand_transpose, is_zero, matmul, negate, node, product, transpose, zero_matrix
from .leaves import Fill, Identity, fill_like, index
from .over_time import time_sum
from .reductions import concat, diag, outer
from .rules import JACOBIAN, NoJacobianError, depends, jacobian, jacobian_of, pullback, vjp_of


def kronecker(a: Any, b: Any) -> Any:
    """Return the Kronecker product, scalars in front.

    >>> from symbptt.algebra import Identity, Variable, index
    >>> h, t = Variable("h", 3, 1), index("t")
    >>> kronecker(transpose(h[t]), Identity(3)), kronecker(transpose(h[t]), Identity(3)).shape
    (kron(h[t].T, I(3)), (3, 9))
    """
    scalars: list[Any] = []
    parts = []
    for part in (need_array(node(a), "kron"), need_array(node(b), "kron")):
        if isinstance(part, N.MatrixNegative):
            scalars, part = [*scalars, S.NegativeOne], part.args[0]
        if isinstance(part, N.Scale):
            scalars, part = [*scalars, part.args[0]], part.args[1]
        parts.append(part)
    whole = N.Kronecker(*parts)
    if any(map(is_zero, parts)):
        return zero_matrix(*whole.shape)
    if all(isinstance(part, Identity) for part in parts):
        return Identity(whole.shape[0])
    return product(*scalars, whole)


def vec(a: Any) -> Any:
    """Return the columns of a matrix on top of each other; of a vector or scalar, itself."""
    a = node(a)
    if rank_of(a) < 2:
        return a
    if isinstance(a, N.Unvec):
        return a.args[0]
    if isinstance(a, Fill):
        return Fill(a.value, N.Vec(a).shape[0], 1)
    return N.Vec(a)


def unvec(a: Any, rows: Any, columns: Any) -> Any:
    """Return the matrix of that shape whose columns a vector has on top of each other."""
    a = node(a)
    if isinstance(a, N.Vec) and shape_of(a.args[0]) == (rows, columns):
        return a.args[0]
    return N.Unvec(a, rows, columns)


def matrix_power(a: Any, exponent: Any) -> Any:
    """Return A^k of a square matrix, k an integer or in symbols.

    >>> from symbptt.algebra import Parameter
    >>> W, k = Parameter("W", 3, 3), sympy.Symbol("k", integer=True)
    >>> matrix_power(W, k), matrix_power(W, 0), matrix_power(W, k - k + 1)
    (matrix_power(W, k), I(3), W)
    """
    a, exponent = need_square(node(a), "matrix_power"), sympy.sympify(exponent)
    if exponent == 0 or isinstance(a, Identity):
        return Identity(shape_of(a)[0])
    return a if exponent == 1 else N.MatrixPower(a, exponent)


def influence(expr: Any, by: Any) -> Any:
    """Return d expr / d vec(by) of a vector, by a scalar (a vector), a vector or a matrix (len expr, entries of by).

    Parameters
    ----------
    expr : node
        A vector.
    by : node
        A parameter, or a variable at a step.

    Raises
    ------
    NoJacobianError
        Where a path passes through a matrix that is not affine in ``by``.

    Examples
    --------
    >>> from symbptt.algebra import Parameter, Variable, apply, index
    >>> W, h, t = Parameter("W", 3, 3), Variable("h", 3, 1), index("t")
    >>> influence(apply("tanh", matmul(W, h[t - 1])), W)
    diag(tanh'(W @ h[t - 1])) @ kron(h[t - 1].T, I(3))
    """
    if rank_of(by) == 1:
        return jacobian(expr, by)
    terms = [_through(expr, i, by) for i, argument in enumerate(expr.args) if depends(argument, by)]
    return add(*terms) if terms else no_influence(expr, by)


def no_influence(expr: Any, by: Any) -> Any:
    """Return the zero of the shape of d expr / d vec(by), for each of several vectors one."""
    if isinstance(expr, N.Concat):
        return concat(*(no_influence(part, by) for part in expr.args))
    rows = shape_of(expr)[0]
    return zero_matrix(rows, sympy.Mul(*shape_of(by))) if shape_of(by) else Fill(S.Zero, rows, 1)


def _through(expr: Any, i: int, by: Any) -> Any:
    """The part of the influence that passes through argument i."""
    argument = expr.args[i]
    if is_vector(argument) and type(expr) in JACOBIAN:
        return matmul(JACOBIAN[type(expr)](expr, i), influence(argument, by))
    if isinstance(expr, N.Scale | Fill) and i == 0:
        x = expr.args[1] if isinstance(expr, N.Scale) else fill_like(S.One, expr)
        slope = pullback(argument, S.One, by)
        return outer(x, vec(slope)) if shape_of(by) else product(slope, x)
    if isinstance(expr, N.MatrixProduct) and is_vector(expr) and i + 1 < len(expr.args):
        return _through_factor(expr.args[:i], argument, matmul(*expr.args[i + 1 :]), by)
    raise NoJacobianError(f"the influence of {by} on {expr} passes through a matrix")


def _through_factor(before: tuple[Any, ...], x: Any, after: Any, by: Any) -> Any:
    """d(A X v)/dvec(X) = v^T kron A; by X^T, A kron v^T; of sums and multiples by their terms; of diag(u) v by u."""
    if isinstance(x, N.MatrixPlus):
        return add(*(_through_factor(before, term, after, by) for term in x.args if depends(term, by)))
    if isinstance(x, N.MatrixNegative):
        return negate(_through_factor(before, x.args[0], after, by))
    if isinstance(x, N.Scale):
        return influence(N.Scale(x.args[0], matmul(*before, x.args[1], after)), by)
    if isinstance(x, N.Diag):
        return matmul(*before, diag(after), influence(x.args[0], by))
    left = matmul(*before) if before else Identity(shape_of(x)[0])
    if x == by:
        return kronecker(transpose(after), left)
    if isinstance(x, N.Transposed) and x.args[0] == by:
        return kronecker(left, transpose(after))
    raise NoJacobianError(f"the influence of {by} passes through the matrix {x}")


# -- rules --------------------------------------------------------------------------------------------


@vjp_of(N.Vec)
def _(e: Any, g: Any, i: int) -> Any:
    """d vec(X) : X' = the matrix of which g is vec."""
    return N.Unvec(g, *shape_of(e.args[0]))


@vjp_of(N.Unvec)
def _(e: Any, g: Any, i: int) -> Any:
    """d(the matrix of which v is vec) : v' = vec(g)."""
    return N.Vec(g)


@jacobian_of(N.Kronecker)
def _(e: Any, i: int) -> Any:
    """d(u kron v)/du = I kron v, d(u kron v)/dv = u kron I."""
    u, v = e.args
    return N.Kronecker(Identity(shape_of(u)[0]), v) if i == 0 else N.Kronecker(u, Identity(shape_of(v)[0]))


@vjp_of(N.MatrixPower)
def _(e: Any, g: Any, i: int) -> Any:
    """d(A^k) : A' = the sum over j = 0..k-1 of (A^T)^j g (A^T)^(k-1-j)."""
    a, k = e.args
    taken = {s.name for part in (a, g, k) for s in part.free_symbols if hasattr(s, "name")}
    j = index(next(name for name in ("j", "i", "r", "jj") if name not in taken))
    back = expand_transpose(a)
    return time_sum(matmul(N.MatrixPower(back, j), g, N.MatrixPower(back, k - 1 - j)), j, 0, k - 1)
