"""What every node means: one table from nodes to array operations, over any kind of number.

The same table gives complex numbers (complex-step proofs), exact numbers (worked figures) and plain SymPy
scalars (``as_explicit``); a :class:`Domain` says what the leaves are and how a function is applied. Vectors are
arrays of shape (n,), matrices (rows, columns), scalars plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import sympy
from sympy import Basic, Expr, Integer

from . import nodes as N
from .base import Node, is_vector
from .functions import ElementwiseFunction, named
from .leaves import (
    Fill,
    Gradient,
    Identity,
    Jacobian,
    Literal,
    LiteralMatrix,
    MatrixAt,
    Parameter,
    ScalarAt,
    ScalarDerivative,
    ScalarTangent,
    Tangent,
)
from .random import CHANCE, HELD, MOMENTS

Array = Any


class Domain(Protocol):
    """A kind of numbers: what the leaves are, and what functions do.

    A domain whose arrays are not NumPy's may also have ``full(value, shape)`` and ``join(parts)``.
    """

    def leaf(self, leaf: Basic) -> Array:
        """Return the value of a variable at a step, a parameter, or a derivative."""

    def number(self, value: Expr) -> Any:
        """Return a SymPy number, or an expression in sizes and T alone, as a number of this kind."""

    def literal(self, literal: Literal) -> Any:
        """Return a number as it was written."""

    def size(self, value: Expr) -> int:
        """Return a size or a step as an integer."""

    def apply(self, function: ElementwiseFunction, value: Array) -> Array:
        """Apply an elementwise function."""

    def largest(self, values: list[Any]) -> Any:
        """Return the largest of some scalars."""


LEAVES = (MatrixAt, ScalarAt, Parameter, Gradient, Jacobian, ScalarDerivative, Tangent, ScalarTangent)


def evaluate(expr: Basic, domain: Domain) -> Array:
    """Return the value of an expression in a domain.

    Raises
    ------
    TypeError
        For a node that the language does not know.
    """
    rule = _RULES.get(type(expr))
    if rule is not None:
        return rule(expr, domain)
    if isinstance(expr, (*LEAVES, sympy.Symbol)):  # of a type derived from these
        return domain.leaf(expr)
    if isinstance(expr, sympy.Add):
        return sum((evaluate(a, domain) for a in expr.args[1:]), start=evaluate(expr.args[0], domain))
    if isinstance(expr, sympy.Mul):
        return _multiply([evaluate(a, domain) for a in expr.args])
    if isinstance(expr, sympy.Pow):
        return evaluate(expr.base, domain) ** evaluate(expr.exp, domain)
    if isinstance(expr, sympy.Expr) and expr.is_number:
        return domain.number(expr)
    if isinstance(expr, sympy.Function) and len(expr.args) == 1:
        u = sympy.Symbol("u", real=True)
        function = ElementwiseFunction(expr.func.__name__, sympy.Lambda(u, expr.func(u)))
        return domain.apply(function, evaluate(expr.args[0], domain))
    raise TypeError(f"no meaning is known for {type(expr).__name__}: {expr}")


def _rule(*types: type) -> Callable[[Any], Any]:
    def register(function: Callable[[Any, Domain], Array]) -> Callable[[Any, Domain], Array]:
        for kind in types:
            _RULES[kind] = function
        return function

    return register


_RULES: dict[type, Callable[[Any, Domain], Array]] = {}


def value_rule(*types: type) -> Callable[[Any], Any]:
    """Register what nodes of another module mean."""
    return _rule(*types)


@_rule(*LEAVES, sympy.Symbol)
def _(e: Any, d: Domain) -> Array:
    return d.leaf(e)


def _args(expr: Basic, domain: Domain) -> list[Array]:
    return [evaluate(a, domain) for a in expr.args]


def _multiply(values: list[Array]) -> Array:
    result = values[0]
    for value in values[1:]:
        result = result * value
    return result


def _full(value: Any, shape: tuple[int, ...]) -> Array:
    array = np.empty(shape, dtype=object if not isinstance(value, (int, float, complex)) else type(value))
    array.fill(value)
    return array


def _join(values: list[Array]) -> Array:
    return np.concatenate([np.atleast_1d(value) for value in values])


def _shape(expr: Any, domain: Domain) -> tuple[int, ...]:
    rows, columns = (domain.size(s) for s in expr.shape)
    return (rows,) if is_vector(expr) else (rows, columns)


@_rule(Literal)
def _(e: Literal, d: Domain) -> Any:
    return d.literal(e)


@_rule(LiteralMatrix)
def _(e: LiteralMatrix, d: Domain) -> Array:
    rows = [[evaluate(x, d) for x in r] for r in e.rows]
    return np.array([r[0] for r in rows] if is_vector(e) else rows)


@_rule(Fill)
def _(e: Fill, d: Domain) -> Array:
    return getattr(d, "full", _full)(evaluate(e.value, d), _shape(e, d))


@_rule(Identity)
def _(e: Identity, d: Domain) -> Array:
    eye = _full(d.number(sympy.S.Zero), _shape(e, d))
    for i in range(len(eye)):
        eye[i, i] = d.number(sympy.S.One)
    return eye


@_rule(N.Plus, N.MatrixPlus)
def _(e: Node, d: Domain) -> Array:
    values = _args(e, d)
    return sum(values[1:], start=values[0])


@_rule(N.Negative, N.MatrixNegative)
def _(e: Any, d: Domain) -> Array:
    return -evaluate(e.args[0], d)


@_rule(N.Times, N.Scale, N.Hadamard)
def _(e: Any, d: Domain) -> Array:
    return _multiply(_args(e, d))


@_rule(N.MatrixProduct)
def _(e: Any, d: Domain) -> Array:
    values = _args(e, d)
    result = values[-1]
    for value in reversed(values[:-1]):
        result = (value[:, None] if value.ndim == 1 else value) @ result
    return result


@_rule(N.Quotient, N.HadamardQuotient)
def _(e: Any, d: Domain) -> Array:
    a, b = _args(e, d)
    return a / b


@_rule(N.Power, N.HadamardPower)
def _(e: Any, d: Domain) -> Array:
    base, exponent = e.args
    value = evaluate(base, d)
    return value ** int(exponent) if exponent.is_Integer else value ** evaluate(exponent, d)


@_rule(N.Outer)
def _(e: Any, d: Domain) -> Array:
    u, v = _args(e, d)
    return u[:, None] * v[None, :]


@_rule(N.Inner)
def _(e: Any, d: Domain) -> Any:
    u, v = _args(e, d)
    return u @ v


@_rule(N.Transposed)
def _(e: Any, d: Domain) -> Array:
    value = evaluate(e.args[0], d)
    return value[None, :] if value.ndim == 1 else (value[0] if is_vector(e) else value.T)


@_rule(N.Trace)
def _(e: Any, d: Domain) -> Any:
    return np.trace(evaluate(e.args[0], d))


@_rule(N.Kronecker)
def _(e: Any, d: Domain) -> Array:
    a, b = (v[:, None] if v.ndim == 1 and not is_vector(e) else v for v in _args(e, d))
    if is_vector(e):
        return (a[:, None] * b[None, :]).ravel()
    return (a[:, None, :, None] * b[None, :, None, :]).reshape(a.shape[0] * b.shape[0], a.shape[1] * b.shape[1])


@_rule(N.Vec)
def _(e: Any, d: Domain) -> Array:
    return evaluate(e.args[0], d).ravel(order="F")


@_rule(N.Unvec)
def _(e: Any, d: Domain) -> Array:
    return evaluate(e.args[0], d).reshape(_shape(e, d), order="F")


@_rule(N.MatrixPower)
def _(e: Any, d: Domain) -> Array:
    value, exponent = evaluate(e.args[0], d), d.size(e.args[1])
    if exponent < 0:
        raise ValueError(f"{e.args[0]} to the power {exponent}: a power of a matrix must not be negative here")
    result = evaluate(Identity(e.shape[0]), d)
    for _ in range(exponent):
        result = value @ result
    return result


@_rule(N.Diag)
def _(e: Any, d: Domain) -> Array:
    value = evaluate(e.args[0], d)
    result = _full(d.number(sympy.S.Zero), (len(value), len(value))).astype(value.dtype)
    result[range(len(value)), range(len(value))] = value
    return result


@_rule(N.DiagonalOf)
def _(e: Any, d: Domain) -> Array:
    return np.diagonal(evaluate(e.args[0], d)).copy()


@_rule(N.SquaredNorm)
def _(e: Any, d: Domain) -> Any:
    value = evaluate(e.args[0], d)
    return (value * value).sum()


@_rule(N.EntrySum)
def _(e: Any, d: Domain) -> Any:
    return evaluate(e.args[0], d).sum()


@_rule(N.Mean)
def _(e: Any, d: Domain) -> Any:
    value = evaluate(e.args[0], d)
    return value.sum() / d.number(Integer(int(np.prod(value.shape))))


@_rule(N.Variance)
def _(e: Any, d: Domain) -> Any:
    value = evaluate(e.args[0], d)
    count = d.number(Integer(int(np.prod(value.shape))))
    deviation = value - value.sum() / count
    return (deviation * deviation).sum() / count


@_rule(N.MaxEntry)
def _(e: Any, d: Domain) -> Any:
    return d.largest(list(evaluate(e.args[0], d).ravel()))


@_rule(N.MaxIndicator)
def _(e: Any, d: Domain) -> Array:
    value = evaluate(e.args[0], d)
    entries = list(value.ravel())
    largest = d.largest(entries)
    if largest not in entries:  # the entries are symbols, and any of them may be the largest
        first = [sympy.And(sympy.Eq(x, largest), *(y < x for y in entries[:k])) for k, x in enumerate(entries)]
        ones = [sympy.Piecewise((1, condition), (0, True)) for condition in first]
        return np.array(ones, dtype=object).reshape(value.shape)
    indicator = _full(d.number(sympy.S.Zero), value.shape)
    indicator.ravel()[entries.index(largest)] = d.number(sympy.S.One)
    return indicator


@_rule(N.Concat)
def _(e: Any, d: Domain) -> Array:
    return getattr(d, "join", _join)(_args(e, d))


@_rule(N.Part)
def _(e: Any, d: Domain) -> Array:
    start, length = (d.size(s) for s in e.args[1:])
    return evaluate(e.args[0], d)[start : start + length]


@_rule(N.Blocks)
def _(e: N.Blocks, d: Domain) -> Array:
    return np.block([[evaluate(b, d) for b in r] for r in e.rows])


@_rule(N.Apply, N.Map)
def _(e: Any, d: Domain) -> Array:
    return d.apply(e.args[0], evaluate(e.args[1], d))


@_rule(N.Softmax)
def _(e: Any, d: Domain) -> Array:
    powers = d.apply(named("exp"), evaluate(e.args[0], d))
    return powers / powers.sum()


@_rule(N.RowBroadcast)
def _(e: Any, d: Domain) -> Array:
    row, one = evaluate(e.args[0], d), d.number(sympy.S.One)
    return getattr(d, "full", _full)(one, (d.size(e.args[1]), 1)) * row


@_rule(N.ColumnSums)
def _(e: Any, d: Domain) -> Array:
    return evaluate(e.args[0], d).sum(0)[None, :]


@_rule(N.RowSoftmax)
def _(e: Any, d: Domain) -> Array:
    powers = d.apply(named("exp"), evaluate(e.args[0], d))
    return powers / powers.sum(-1)[:, None]


@_rule(N.RowMean)
def _(e: Any, d: Domain) -> Array:
    value = evaluate(e.args[0], d)
    return value.sum(-1) / d.number(Integer(int(value.shape[1])))


@_rule(N.RowVariance)
def _(e: Any, d: Domain) -> Array:
    value = evaluate(e.args[0], d)
    count = d.number(Integer(int(value.shape[1])))
    deviation = value - (value.sum(-1) / count)[:, None]
    return (deviation * deviation).sum(-1) / count


def _unbound(e: Any, d: Domain) -> list[Array]:
    low, high = d.size(e.lower), d.size(e.upper)
    return [evaluate(_body_at(e, s), d) for s in range(low, high + 1)]


@lru_cache(maxsize=4096)
def _body_at(e: Any, step: int) -> Any:
    return e.body.xreplace({e.index: Integer(step)})


@_rule(N.TimeSum, N.MatrixTimeSum)
def _(e: Any, d: Domain) -> Array:
    values = _unbound(e, d)
    if values:
        return sum(values[1:], start=values[0])
    zero = d.number(sympy.S.Zero)
    return _full(zero, _shape(e, d)) if isinstance(e, N.MatrixTimeSum) else zero


@_rule(*HELD)
def _(e: Any, d: Domain) -> Array:
    return evaluate(e.args[0], d)


@_rule(*CHANCE)
def _(e: Any, d: Domain) -> Any:
    return d.leaf(e)


@_rule(*MOMENTS)
def _(e: Any, d: Any) -> Array:
    if not hasattr(d, "moment"):
        raise TypeError(f"{e} is over all masks, which are not known here")
    return d.moment(e)


@_rule(N.TimeProduct)
def _(e: Any, d: Domain) -> Any:
    return _multiply([d.number(sympy.S.One), *reversed(_unbound(e, d))])


@_rule(N.OrderedProduct)
def _(e: Any, d: Domain) -> Array:
    result = evaluate(Identity(e.shape[0]), d)
    for value in _unbound(e, d):
        result = value @ result
    return result
