"""The structure-preserving map to scalar notation, for models all of whose sizes are 1.

Transposes, diag and the sum of entries vanish, every product becomes a product of scalars, and a vector of one
entry becomes that entry. The value does not change.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sympy import Basic, S, Tuple

from . import nodes as N
from .base import shape_of
from .build import add, divide, matmul, negate, power, product, transpose
from .leaves import (
    Fill,
    Gradient,
    Identity,
    Jacobian,
    Literal,
    LiteralMatrix,
    MatrixAt,
    MatrixParameter,
    Parameter,
    ScalarDerivative,
    ScalarTangent,
    Tangent,
    Variable,
    derivative,
    scalar_parameter,
    tangent_of,
)
from .over_time import time_product, time_sum
from .reductions import apply, part


@lru_cache(maxsize=4096)
def to_scalar(expr: Basic) -> Any:
    """Return the expression in scalar notation.

    >>> from symbptt.algebra import Parameter, Variable, index, matmul, hadamard, transpose
    >>> W, h, t = Parameter("W_h", 1, 1), Variable("h", 1, 1), index("t")
    >>> to_scalar(matmul(transpose(W), h[t])), to_scalar(1 - hadamard(h[t], h[t]))
    (W_h*h[t], 1 - h[t]**2)
    """
    rule = _RULES.get(type(expr))
    if rule is not None:
        return rule(expr)
    if not expr.args:
        return expr
    return expr.func(*map(to_scalar, expr.args))


def _all(build: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda e: build(*map(to_scalar, e.args))


def _first(e: Any) -> Any:
    return to_scalar(e.args[0])


def _matrix_product(e: Any) -> Any:
    """Multiply scalars; the joint Jacobians of several states stay matrices."""
    factors = [to_scalar(a) for a in e.args]
    arrays = [f for f in factors if shape_of(f)]
    scalars = [f for f in factors if not shape_of(f)]
    return product(_product(*scalars), matmul(*arrays)) if arrays else _product(*scalars)


def _transposed(e: Any) -> Any:
    inner = to_scalar(e.args[0])
    return transpose(inner) if shape_of(inner) else inner


def _derivative(e: Any) -> Any:
    """A derivative of or by a joint state stays a Jacobian or a gradient."""
    return derivative(to_scalar(e.of), to_scalar(e.by), e.mode)


def _matrix_power(e: Any) -> Any:
    """A power of the joint Jacobian of several states stays one."""
    base, exponent = to_scalar(e.args[0]), e.args[1]
    return N.MatrixPower(base, exponent) if shape_of(base) else power(base, exponent)


def _part(e: Any) -> Any:
    inner = to_scalar(e.args[0])
    return part(inner, *e.args[1:]) if shape_of(inner) else inner


def _product(*factors: Any) -> Any:
    """Multiply in order; factors that repeat next to each other become a power."""
    flat: list[Any] = []
    for factor in factors:
        flat += factor.args if isinstance(factor, N.Times) else (factor,)
    merged: list[tuple[Any, int]] = []
    for factor in flat:
        if merged and merged[-1][0] == factor and not isinstance(factor, Literal) and not factor.is_Number:
            merged[-1] = (factor, merged[-1][1] + 1)
        else:
            merged.append((factor, 1))
    return product(*(power(factor, count) for factor, count in merged))


def _bound(build: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda e: build(to_scalar(e.body), e.index, e.lower, e.upper)


def _named(e: Any) -> Any:
    return scalar_parameter(e.name)


def _blocks(e: N.Blocks) -> Any:
    """Blocks stay a matrix of scalars: the joint Jacobian of several states."""
    return N.Blocks(Tuple(*(Tuple(*map(to_scalar, row)) for row in e.rows)))


_RULES: dict[type, Callable[[Any], Any]] = {
    Parameter: _named,
    MatrixParameter: _named,
    MatrixAt: lambda e: Variable(e.name)[e.when],
    Variable: lambda e: Variable(e.name),
    Fill: lambda e: to_scalar(e.value),
    Identity: lambda e: S.One,
    LiteralMatrix: lambda e: e.rows[0][0],
    Gradient: _derivative,
    Jacobian: _derivative,
    ScalarDerivative: _derivative,
    Tangent: lambda e: tangent_of(to_scalar(e.of)),
    ScalarTangent: lambda e: tangent_of(to_scalar(e.of)),
    N.Plus: _all(add),
    N.MatrixPlus: _all(add),
    N.Negative: _all(negate),
    N.MatrixNegative: _all(negate),
    N.Times: _all(_product),
    N.Scale: _all(_product),
    N.MatrixProduct: _matrix_product,
    N.Transposed: _transposed,
    N.Part: _part,
    N.Hadamard: _all(_product),
    N.Outer: _all(_product),
    N.Inner: _all(_product),
    N.Quotient: _all(divide),
    N.HadamardQuotient: _all(divide),
    N.Kronecker: _all(_product),
    N.MatrixPower: _matrix_power,
    N.Power: lambda e: power(to_scalar(e.args[0]), e.args[1]),
    N.HadamardPower: lambda e: power(to_scalar(e.args[0]), e.args[1]),
    N.SquaredNorm: lambda e: power(_first(e), 2),
    N.Apply: lambda e: apply(e.args[0], to_scalar(e.args[1])),
    N.Map: lambda e: apply(e.args[0], to_scalar(e.args[1])),
    N.Softmax: lambda e: S.One,
    N.Variance: lambda e: S.Zero,
    N.MaxIndicator: lambda e: S.One,
    N.TimeSum: _bound(time_sum),
    N.MatrixTimeSum: _bound(time_sum),
    N.TimeProduct: _bound(time_product),
    N.OrderedProduct: _bound(time_product),
    N.Blocks: _blocks,
    **dict.fromkeys((N.Trace, N.Vec, N.Unvec, N.Diag, N.DiagonalOf, N.EntrySum, N.Mean, N.MaxEntry), _first),
}
