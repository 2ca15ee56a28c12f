"""The value of an expression for many steps and samples at once: a vector is the last axis, a matrix the last two.

What comes before these axes (the batch, or steps and batch) is the same for all that varies; parameters and numbers
have no such axes. An expression is compiled once into a function of what its leaves are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
import sympy

from .. import algebra as A
from ..algebra import nodes as N
from ..algebra.functions import ElementwiseFunction
from ..algebra.leaves import Fill, Identity, Literal, LiteralMatrix
from ..algebra.semantics import LEAVES
from .numbers import Array, function_of


class Reader(Protocol):
    """What an expression is evaluated with; with ``applied(function, value)`` it sees what functions give."""

    def leaf(self, leaf: Any) -> Array:
        """Return the value of a variable at a step, a parameter or a derivative."""

    def size(self, value: Any) -> int:
        """Return a size, or T, as an integer."""


Compiled: TypeAlias = Callable[[Any], Array]
_RULES: dict[type, Callable[[Any], Compiled]] = {}


def compiled(expr: Any) -> Compiled:
    """Return an expression as a function of a :class:`Reader`.

    Raises
    ------
    TypeError
        For a node that has no meaning in one step.

    Examples
    --------
    >>> class One:
    ...     def leaf(self, leaf):
    ...         return {"W": np.array([[1.0, 2.0], [0.0, 1.0]]), "v": np.ones((3, 2))}[leaf.name]
    ...
    ...     def size(self, value):
    ...         return 2
    >>> W, v = A.MatrixParameter("W", 2, 2), A.Variable("v", 2, 1)[A.index("t")]
    >>> compiled(A.matmul(W, v))(One())
    array([[3., 1.],
           [3., 1.],
           [3., 1.]])
    """
    rule = _RULES.get(type(expr))
    if rule is not None:
        return rule(expr)
    if isinstance(expr, LEAVES) or (isinstance(expr, sympy.Symbol) and not expr.is_integer):
        return lambda r: r.leaf(expr)
    if isinstance(expr, sympy.Symbol):
        return lambda r: float(r.size(expr))
    if isinstance(expr, sympy.Expr) and expr.is_number:
        value = float(expr)
        return lambda r: value
    return _plain(expr)


def _plain(expr: Any) -> Compiled:
    """Return what is left: sums, products, powers and functions of SymPy's own."""
    parts = [compiled(a) for a in expr.args]
    if isinstance(expr, sympy.Add):
        return lambda r: sum(part(r) for part in parts)
    if isinstance(expr, sympy.Mul):
        return lambda r: _times([part(r) for part in parts])
    if isinstance(expr, sympy.Pow):
        return lambda r: parts[0](r) ** parts[1](r)
    if isinstance(expr, sympy.Function) and len(parts) == 1:
        u = sympy.Symbol("u", real=True)
        function = function_of(ElementwiseFunction(expr.func.__name__, sympy.Lambda(u, expr.func(u))))
        return lambda r: function(parts[0](r))
    raise TypeError(f"no batched meaning is known for {type(expr).__name__}: {expr}")


def _rule(*types: type) -> Callable[[Any], Any]:
    def register(rule: Callable[[Any], Compiled]) -> Callable[[Any], Compiled]:
        for kind in types:
            _RULES[kind] = rule
        return rule

    return register


def _times(values: list[Array]) -> Array:
    result = values[0]
    for value in values[1:]:
        result = result * value
    return result


def _lifted(expr: Any, rank: int) -> Compiled:
    """Return an expression as part of an elementwise operation on things of a rank."""
    part, more = compiled(expr), rank - A.rank_of(expr)
    if not more:
        return part

    def lifted(r: Any) -> Array:
        value = part(r)
        return np.reshape(value, (*np.shape(value), *(1,) * more)) if np.ndim(value) else value

    return lifted


def _all(e: Any) -> list[Compiled]:
    return [_lifted(a, A.rank_of(e)) for a in e.args]


def _axes(e: Any) -> tuple[int, ...]:
    """Return the axes of the entries of the argument."""
    return tuple(range(-A.rank_of(e.args[0]), 0))


def _shape(expr: Any, r: Any) -> tuple[int, ...]:
    return tuple(r.size(size) for size in A.shape_of(expr)[: A.rank_of(expr)])


# -- arithmetic ------------------------------------------------------------------------------------------------
@_rule(Literal)
def _(e: Any) -> Compiled:
    value = float(e.value)
    return lambda r: value


@_rule(LiteralMatrix)
def _(e: Any) -> Compiled:
    rows = [[compiled(x) for x in row] for row in e.rows]
    vector = A.rank_of(e) == 1
    return lambda r: np.array([row[0](r) if vector else [x(r) for x in row] for row in rows])


@_rule(Fill)
def _(e: Any) -> Compiled:
    value = _lifted(e.value, A.rank_of(e)) if A.rank_of(e) else compiled(e.value)
    return lambda r: value(r) * np.ones(_shape(e, r))


@_rule(Identity)
def _(e: Any) -> Compiled:
    return lambda r: np.eye(r.size(e.args[0]))


@_rule(N.Plus, N.MatrixPlus)
def _(e: Any) -> Compiled:
    first, *rest = _all(e)

    def total(r: Any) -> Array:
        value = first(r)
        for part in rest:
            value = value + part(r)
        return value

    return total


@_rule(N.Negative, N.MatrixNegative)
def _(e: Any) -> Compiled:
    part = compiled(e.args[0])
    return lambda r: -part(r)


@_rule(N.Times, N.Scale, N.Hadamard)
def _(e: Any) -> Compiled:
    parts = _all(e)
    return lambda r: _times([part(r) for part in parts])


@_rule(N.Quotient, N.HadamardQuotient)
def _(e: Any) -> Compiled:
    over, under = _all(e)
    return lambda r: over(r) / under(r)


@_rule(N.Power, N.HadamardPower)
def _(e: Any) -> Compiled:
    base, exponent = e.args
    part = compiled(base)
    if exponent.is_Integer:
        whole = int(exponent)
        return lambda r: part(r) ** whole
    power = compiled(exponent)
    return lambda r: part(r) ** power(r)


# -- linear algebra --------------------------------------------------------------------------------------------
@_rule(N.MatrixProduct)
def _(e: Any) -> Compiled:
    *front, last = e.args
    start, vector = compiled(last), A.rank_of(last) == 1
    factors = [(compiled(f), A.rank_of(f) == 1) for f in reversed(front)]

    def product(r: Any) -> Array:
        value = start(r)
        for part, column in factors:
            factor = part(r)
            factor = factor[..., None] if column else factor
            if not vector:
                value = factor @ value
            elif factor.ndim == 2:
                value = value @ factor.T
            else:
                value = (factor @ value[..., None])[..., 0]
        return value

    return product


@_rule(N.Outer)
def _(e: Any) -> Compiled:
    left, right = map(compiled, e.args)
    return lambda r: left(r)[..., :, None] * right(r)[..., None, :]


@_rule(N.Inner)
def _(e: Any) -> Compiled:
    left, right = map(compiled, e.args)
    return lambda r: (left(r) * right(r)).sum(-1)


@_rule(N.Transposed)
def _(e: Any) -> Compiled:
    part = compiled(e.args[0])
    if A.rank_of(e.args[0]) == 1:
        return lambda r: part(r)[..., None, :]
    if A.rank_of(e) == 1:
        return lambda r: part(r)[..., 0, :]
    return lambda r: np.swapaxes(part(r), -1, -2)


@_rule(N.Trace)
def _(e: Any) -> Compiled:
    part = compiled(e.args[0])
    return lambda r: np.trace(part(r), axis1=-2, axis2=-1)


@_rule(N.Diag)
def _(e: Any) -> Compiled:
    part = compiled(e.args[0])
    return lambda r: (value := part(r))[..., None] * np.eye(value.shape[-1])


@_rule(N.DiagonalOf)
def _(e: Any) -> Compiled:
    part = compiled(e.args[0])
    return lambda r: np.diagonal(part(r), axis1=-2, axis2=-1)


# -- over entries ----------------------------------------------------------------------------------------------
_REDUCTIONS: dict[type, Callable[[Array, tuple[int, ...]], Array]] = {
    N.SquaredNorm: lambda value, axes: np.square(value).sum(axes),
    N.EntrySum: np.sum,
    N.Mean: np.mean,
    N.Variance: np.var,
    N.MaxEntry: np.max,
}


@_rule(*_REDUCTIONS)
def _(e: Any) -> Compiled:
    part, axes, reduce = compiled(e.args[0]), _axes(e), _REDUCTIONS[type(e)]
    return lambda r: reduce(part(r), axes)


@_rule(N.MaxIndicator)
def _(e: Any) -> Compiled:
    part, rank = compiled(e.args[0]), A.rank_of(e.args[0])

    def indicator(r: Any) -> Array:
        value = part(r)
        flat = value.reshape((*value.shape[: value.ndim - rank], -1))
        found = np.arange(flat.shape[-1]) == flat.argmax(-1)[..., None]
        return found.reshape(value.shape).astype(float)

    return indicator


@_rule(N.Concat)
def _(e: Any) -> Compiled:
    rank = A.rank_of(e)
    parts = [_lifted(a, rank) for a in e.args]

    def joined(r: Any) -> Array:
        values = [np.reshape(v, (1,) * rank) if np.ndim(v) == 0 else v for v in (part(r) for part in parts)]
        lead = np.broadcast_shapes(*(v.shape[: v.ndim - rank] for v in values))
        whole = [np.broadcast_to(v, (*lead, *v.shape[v.ndim - rank :])) for v in values]
        return np.concatenate(whole, axis=-rank)

    return joined


@_rule(N.Part)
def _(e: Any) -> Compiled:
    part, rank = compiled(e.args[0]), A.rank_of(e.args[0])

    def cut(r: Any) -> Array:
        start, length = (r.size(s) for s in e.args[1:])
        rows = slice(start, start + length)
        return part(r)[..., rows] if rank == 1 else part(r)[..., rows, :]

    return cut


# -- functions -------------------------------------------------------------------------------------------------
@_rule(N.Apply, N.Map)
def _(e: Any) -> Compiled:
    function, part = function_of(e.args[0]), compiled(e.args[1])

    def mapped(r: Any) -> Array:
        value = part(r)
        found = np.broadcast_to(function(value), np.shape(value))
        return r.applied(e.args[0], found) if hasattr(r, "applied") else found

    return mapped


@_rule(N.Softmax)
def _(e: Any) -> Compiled:
    part = compiled(e.args[0])

    def softmax(r: Any) -> Array:
        value = part(r)
        powers = np.exp(value - value.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    return softmax


# -- sums over what comes before -------------------------------------------------------------------------------
def summed(expr: Any) -> Callable[[Any, Array, Callable[[Array], Array]], Array]:
    """Return the weighted sum of an expression over steps and batch as a function of (reader, weights, map).

    The weights have the leading axes; outer products are one matrix product of stacked rows. The map is the identity,
    or ``np.abs`` for the sum of the magnitudes.
    """
    if isinstance(expr, N.MatrixPlus):
        parts = [summed(a) for a in expr.args]
        return lambda r, w, f: sum(part(r, w, f) for part in parts)
    if isinstance(expr, N.MatrixNegative):
        inner = summed(expr.args[0])
        return lambda r, w, f: f(-1.0) * inner(r, w, f)
    pair = _pair(expr)
    if pair is None:
        return _summed_entries(expr)
    left, right = map(compiled, pair)

    def product(r: Any, w: Array, f: Callable[[Array], Array]) -> Array:
        u, v = (np.broadcast_to(x, (*w.shape, x.shape[-1])) for x in (f(left(r)), f(right(r))))
        u = w[..., None] * u
        return u.reshape(-1, u.shape[-1]).T @ v.reshape(-1, v.shape[-1])

    return product


def _pair(expr: Any) -> tuple[Any, Any] | None:
    """Return u and v of u v^T, with constant or scalar factors in u."""
    if isinstance(expr, N.Outer):
        return expr.args
    if isinstance(expr, N.Scale) and (inner := _pair(expr.args[1])):
        return N.Scale(expr.args[0], inner[0]), inner[1]
    if isinstance(expr, N.Transposed) and A.rank_of(expr.args[0]) == 2 and (inner := _pair(expr.args[0])):
        return inner[1], inner[0]
    return None


def _summed_entries(expr: Any) -> Callable[[Any, Array, Callable[[Array], Array]], Array]:
    part, rank = compiled(expr), A.rank_of(expr)

    def total(r: Any, w: Array, f: Callable[[Array], Array]) -> Array:
        value = f(np.asarray(part(r)))
        entries = value.shape[value.ndim - rank :]
        whole = np.broadcast_to(value, (*w.shape, *entries))
        return np.tensordot(w, whole, axes=w.ndim)

    return total
