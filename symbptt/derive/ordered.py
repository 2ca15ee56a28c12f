"""Sums of ordered products over time, manipulated: the moves of a proof by induction, each one checked.

A move either makes a new expression that is equal to the old one, or raises :class:`NoMatchError`; nothing is taken on
trust. :func:`normal` brings ordered products into one form, so that two expressions can be compared.
"""

from __future__ import annotations

from typing import Any

from sympy import Basic

from .. import algebra as A
from ..algebra import nodes as N
from .tidy import rebuild


class NoMatchError(ValueError):
    """A move that the expressions do not allow: a term that is not the next of a sum, or two sides that differ."""


_SUMS = (N.TimeSum, N.MatrixTimeSum)
_PRODUCTS = (N.TimeProduct, N.OrderedProduct)


def settled(expr: Any) -> Any:
    """Leave out empty products, empty sums, and sums and products of one term.

    >>> from symbptt.algebra import Variable, index
    >>> J, t, j = Variable("J", 3, 3), index("t"), index("j")
    >>> settled(N.OrderedProduct(J[j], j, t + 1, t)), settled(N.OrderedProduct(J[j], j, t, t))
    (I(3), J[t])
    """
    if not expr.args or isinstance(expr, A.MatrixAt | A.ScalarAt | A.Gradient | A.Jacobian | A.ScalarDerivative):
        return expr
    if isinstance(expr, N.Bound):
        body = settled(expr.body)
        if isinstance(expr, _PRODUCTS):
            return A.time_product(body, expr.index, expr.lower, expr.upper)
        if expr.lower == expr.upper:
            return settled(expr.body.xreplace({expr.index: expr.lower}))
        return A.time_sum(body, expr.index, expr.lower, expr.upper)
    if isinstance(expr, N.MatrixPower):
        return A.matrix_power(settled(expr.args[0]), expr.args[1])
    if isinstance(expr, N.MatrixProduct):
        return A.matmul(*map(settled, expr.args))
    return rebuild(expr, [settled(a) for a in expr.args])


def pull_in(factor: Any, total: Any, right: bool = False) -> Any:
    """A (sum of B_s) is the sum of A B_s; with ``right`` (sum of B_s) A that of B_s A.

    >>> from symbptt.algebra import Variable, Parameter, index
    >>> W, h, t, s = Parameter("W", 3, 3), Variable("h", 3, 1), index("t"), index("s")
    >>> pull_in(W, N.MatrixTimeSum(h[s], s, 1, t))
    sum(W @ h[s], s=1..t)
    """
    if not isinstance(total, _SUMS):
        return A.matmul(total, factor) if right else A.matmul(factor, total)
    if total.index in factor.free_symbols:
        raise NoMatchError(f"{factor} depends on {total.index} and cannot be pulled into {total}")
    body = A.matmul(total.body, factor) if right else A.matmul(factor, total.body)
    return A.time_sum(body, total.index, total.lower, total.upper)


def joined(expr: Any) -> Any:
    """Take factors beside ordered products and powers into them wherever they are the next ones.

    J_{t+1} beside J_t ... J_s makes J_{t+1} ... J_s, at either end, also where both are transposed; A A^k is A^{k+1}.

    >>> from symbptt.algebra import Variable, index, matmul
    >>> J, t, j = Variable("J", 3, 3), index("t"), index("j")
    >>> joined(matmul(J[t + 1], N.OrderedProduct(J[j], j, 1, t)))
    prod(J[j], j=1..t + 1)
    """
    if not expr.args or isinstance(expr, A.MatrixAt | A.ScalarAt | A.Gradient | A.Jacobian | A.ScalarDerivative):
        return expr
    if isinstance(expr, N.MatrixProduct):
        factors = list(expr.args)
        place = 0
        while place + 1 < len(factors):
            whole = _joined_pair(*factors[place : place + 2])
            if whole is None:
                place += 1
            else:
                factors[place : place + 2] = [whole]
                place = max(place - 1, 0)
        return A.matmul(*factors)
    if isinstance(expr, N.Bound):
        return expr.func(joined(expr.body), expr.index, expr.lower, expr.upper)
    return rebuild(expr, [joined(a) for a in expr.args])


def _joined_pair(a: Any, b: Any) -> Any:
    """Return the product or power that two factors make, or None."""
    if isinstance(b, N.MatrixPower) and a == b.args[0]:
        return A.matrix_power(a, b.args[1] + 1)
    if isinstance(a, N.MatrixPower) and b == a.args[0]:
        return A.matrix_power(b, a.args[1] + 1)
    if isinstance(b, N.OrderedProduct) and _body(b, b.upper + 1) == a:
        return A.time_product(b.body, b.index, b.lower, b.upper + 1)
    if isinstance(a, N.OrderedProduct) and _body(a, a.lower - 1) == b:
        return A.time_product(a.body, a.index, a.lower - 1, a.upper)
    back = _transposed_product(b)
    if back is not None and A.transpose(_body(back, back.lower - 1)) == a:
        return A.transpose(A.time_product(back.body, back.index, back.lower - 1, back.upper))
    back = _transposed_product(a)
    if back is not None and A.transpose(_body(back, back.upper + 1)) == b:
        return A.transpose(A.time_product(back.body, back.index, back.lower, back.upper + 1))
    return None


def _body(product: Any, when: Any) -> Any:
    return product.body.xreplace({product.index: when})


def _transposed_product(expr: Any) -> Any:
    inner = expr.args[0] if isinstance(expr, N.Transposed) else None
    return inner if isinstance(inner, N.OrderedProduct) else None


def absorbed(term: Any, total: Any) -> Any:
    """Take a term into a sum of which it is the one before the first, or the one after the last.

    Raises
    ------
    NoMatchError
        When it is neither.

    Examples
    --------
    >>> from symbptt.algebra import Variable, index
    >>> h, t, s = Variable("h", 3, 1), index("t"), index("s")
    >>> absorbed(h[t], N.MatrixTimeSum(h[s], s, t + 1, 5))
    sum(h[s], s=t..5)
    """
    if isinstance(total, _SUMS):
        for when, bounds in (
            (total.lower - 1, (total.lower - 1, total.upper)),
            (total.upper + 1, (total.lower, total.upper + 1)),
        ):
            if normal(total.body.xreplace({total.index: when})) == normal(term):
                return total.func(total.body, total.index, *bounds)
    raise NoMatchError(f"{term} is no term next to {total}")


def exchanged(total: Any) -> Any:
    """Exchange the order of summation over a triangle: sum over t = a..b, s = a..t is sum over s = a..b, t = s..b.

    The other triangle, s = t..b, becomes t = a..s.

    >>> from symbptt.algebra import Variable, index, product
    >>> a, b, t, s = Variable("a"), Variable("b"), index("t"), index("s")
    >>> exchanged(N.TimeSum(N.TimeSum(product(a[s], b[t]), s, 1, t), t, 1, 4))
    sum(sum(a[s]*b[t], t=s..4), s=1..4)
    """
    inner = total.body if isinstance(total, _SUMS) else None
    if not isinstance(inner, _SUMS):
        raise NoMatchError(f"{total} is no double sum")
    bounds = {
        (total.lower, total.index): (inner.index, total.upper),
        (total.index, total.upper): (total.lower, inner.index),
    }.get((inner.lower, inner.upper))
    if bounds is None:
        raise NoMatchError(f"{total} is no double sum over a triangle")
    return A.time_sum(A.time_sum(inner.body, total.index, *bounds), inner.index, total.lower, total.upper)


def pulled_out(total: Any) -> Any:
    """The sum of A B_s is A (sum of B_s) for a first factor A free of s; scalars in front stay with B_s.

    >>> from symbptt.algebra import Variable, Parameter, index, matmul
    >>> W, h, t, s = Parameter("W", 3, 3), Variable("h", 3, 1), index("t"), index("s")
    >>> pulled_out(N.MatrixTimeSum(matmul(W, h[s]), s, 1, t))
    W @ sum(h[s], s=1..t)
    """
    body, scalars = total.body, []
    if isinstance(body, N.Scale | N.Times):
        body, scalars = body.args[-1], body.args[:-1]
    if isinstance(body, N.Inner):
        first, rest = A.transpose(body.args[0]), body.args[1]
    elif isinstance(body, N.MatrixProduct):
        first, rest = body.args[0], A.matmul(*body.args[1:])
    else:
        raise NoMatchError(f"{body} is no product")
    if total.index in first.free_symbols:
        raise NoMatchError(f"{first} depends on {total.index}")
    inner = A.time_sum(A.product(*scalars, rest), total.index, total.lower, total.upper)
    return A.matmul(first, inner)


def normal(expr: Any) -> Any:
    """Return an expression with its products joined and settled, and its bound indices named in order.

    Two expressions with equal normal forms are equal; the converse does not hold.

    >>> from symbptt.algebra import Variable, index, matmul
    >>> J, t, j, k = Variable("J", 3, 3), index("t"), index("j"), index("k")
    >>> normal(matmul(J[t], N.OrderedProduct(J[k], k, 1, t - 1))) == normal(N.OrderedProduct(J[j], j, 1, t))
    True
    """
    return _renamed(settled(joined(settled(expr))), 0)


def _renamed(expr: Any, depth: int) -> Any:
    if not expr.args or isinstance(expr, A.MatrixAt | A.ScalarAt | A.Gradient | A.Jacobian | A.ScalarDerivative):
        return expr
    if isinstance(expr, N.Bound):
        index = A.index(f"_{depth}")
        body = _renamed(expr.body.xreplace({expr.index: index}), depth + 1)
        return expr.func(body, index, expr.lower, expr.upper)
    return expr.func(*(_renamed(a, depth) if isinstance(a, Basic) else a for a in expr.args))


def need_equal(found: Any, wanted: Any, what: str) -> None:
    """Raise unless two expressions have the same normal form.

    Raises
    ------
    NoMatchError
    """
    if normal(found) != normal(wanted):
        raise NoMatchError(f"{what}: {found} is not {wanted}")


def powers(expr: Any) -> Any:
    """Write ordered products of one and the same matrix as powers.

    >>> from symbptt.algebra import Parameter, index
    >>> W, t, s, j = Parameter("W", 3, 3), index("t"), index("s"), index("j")
    >>> powers(A.transpose(N.OrderedProduct(W, j, t + 1, s)))
    matrix_power(W.T, s - t)
    """
    if not expr.args or isinstance(expr, A.MatrixAt | A.ScalarAt | A.Gradient | A.Jacobian | A.ScalarDerivative):
        return expr
    if isinstance(expr, N.OrderedProduct) and expr.index not in expr.body.free_symbols:
        return N.MatrixPower(expr.body, expr.upper - expr.lower + 1)
    if isinstance(expr, N.Bound):
        return expr.func(powers(expr.body), expr.index, expr.lower, expr.upper)
    args = [powers(a) for a in expr.args]
    if isinstance(expr, N.Transposed) and isinstance(args[0], N.MatrixPower):
        base, exponent = args[0].args
        return N.MatrixPower(A.expand_transpose(base), exponent)
    return rebuild(expr, args)


def opened_first(total: Any) -> Any:
    """Write a sum of one term as this term, its empty product still there as I or as the power 0."""
    if not isinstance(total, _SUMS):
        return _with_identity(total)
    return _with_identity(total.body.xreplace({total.index: total.lower}))


def _with_identity(expr: Any) -> Any:
    """Write empty products as I, which stays in the product."""

    def shown(factor: Any) -> Any:
        inner = factor.args[0] if isinstance(factor, N.Transposed) else factor
        if isinstance(inner, N.OrderedProduct) and (inner.upper - inner.lower).is_negative:
            return A.Identity(A.shape_of(inner)[0])
        return factor

    if isinstance(expr, N.Scale):
        return N.Scale(expr.args[0], _with_identity(expr.args[1]))
    return N.MatrixProduct(*map(shown, expr.args)) if isinstance(expr, N.MatrixProduct) else shown(expr)
