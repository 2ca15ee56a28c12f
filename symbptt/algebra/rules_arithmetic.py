"""The differentiation rules of sums, products, quotients, powers and functions."""

from __future__ import annotations

from typing import Any

from sympy import Rational

from . import nodes as N
from .build import divide, expand_transpose, hadamard, matmul, negate, power, product, subtract, transpose
from .leaves import Identity, Literal
from .reductions import apply, diag, inner, outer
from .rules import jacobian_of, vjp_of


@vjp_of(N.Plus, N.MatrixPlus)
def _(e: Any, g: Any, i: int) -> Any:
    """d(A + B) : A' = g, B' = g."""
    return g


@jacobian_of(N.MatrixPlus)
def _(e: Any, i: int) -> Any:
    """d(a + b)/da = I."""
    return Identity(e.shape[0])


@vjp_of(N.Negative, N.MatrixNegative)
def _(e: Any, g: Any, i: int) -> Any:
    """d(-A) : A' = -g."""
    return negate(g)


@jacobian_of(N.MatrixNegative)
def _(e: Any, i: int) -> Any:
    """d(-a)/da = -I."""
    return negate(Identity(e.shape[0]))


@vjp_of(N.Times)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a b c) : b' = a c g."""
    return product(*_others(e, i), g)


@vjp_of(N.Scale)
def _(e: Any, g: Any, i: int) -> Any:
    """d(s X) : s' = <g, X>, X' = s g."""
    s, x = e.args
    return inner(g, x) if i == 0 else product(s, g)


@jacobian_of(N.Scale)
def _(e: Any, i: int) -> Any:
    """d(s x)/dx = s I."""
    return product(e.args[0], Identity(e.shape[0]))


@vjp_of(N.MatrixProduct)
def _(e: Any, g: Any, i: int) -> Any:
    """d(A X B) : X' = A^T g B^T; of a matrix in front of a vector, W x : W' = g x^T."""
    before = [expand_transpose(a) for a in reversed(e.args[:i])]
    after = [transpose(a) for a in reversed(e.args[i + 1 :])]
    return matmul(*before, g, *after)


@jacobian_of(N.MatrixProduct)
def _(e: Any, i: int) -> Any:
    """d(A B x)/dx = A B."""
    return matmul(*e.args[:i])


@vjp_of(N.Hadamard)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a * b) : a' = b * g."""
    return hadamard(*_others(e, i), g)


@jacobian_of(N.Hadamard)
def _(e: Any, i: int) -> Any:
    """d(a * b)/da = diag(b)."""
    return diag(hadamard(*_others(e, i)))


@vjp_of(N.Quotient)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a / b) : a' = g / b, b' = -(a / b^2) g."""
    a, b = e.args
    return divide(g, b) if i == 0 else negate(product(divide(a, power(b, 2)), g))


@vjp_of(N.HadamardQuotient)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a / b) : a' = g / b, b' = -(a / b^2) * g, elementwise."""
    a, b = e.args
    return divide(g, b) if i == 0 else negate(hadamard(divide(a, power(b, 2)), g))


@jacobian_of(N.HadamardQuotient)
def _(e: Any, i: int) -> Any:
    """d(a / b)/da = diag(1 / b), d(a / b)/db = -diag(a / b^2)."""
    a, b = e.args
    return diag(divide(1, b)) if i == 0 else negate(diag(divide(a, power(b, 2))))


@vjp_of(N.Power)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a^k) : a' = k a^(k-1) g."""
    a, k = e.args
    return product(k, power(a, one_less(k)), g)


@vjp_of(N.HadamardPower)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a^k) : a' = k a^(k-1) * g, elementwise."""
    a, k = e.args
    return product(k, hadamard(power(a, one_less(k)), g))


@jacobian_of(N.HadamardPower)
def _(e: Any, i: int) -> Any:
    """d(a^k)/da = diag(k a^(k-1))."""
    a, k = e.args
    return product(k, diag(power(a, one_less(k))))


@vjp_of(N.Apply)
def _(e: Any, g: Any, i: int) -> Any:
    """d f(a) : a' = f'(a) g."""
    function, a = e.args
    return product(apply(function.prime, a), g)


@vjp_of(N.Map)
def _(e: Any, g: Any, i: int) -> Any:
    """d f(X) : X' = f'(X) * g, elementwise."""
    function, x = e.args
    return hadamard(apply(function.prime, x), g)


@jacobian_of(N.Map)
def _(e: Any, i: int) -> Any:
    """d f(x)/dx = diag(f'(x))."""
    function, x = e.args
    return diag(apply(function.prime, x))


@vjp_of(N.Softmax)
def _(e: Any, g: Any, i: int) -> Any:
    """p = softmax(v) : v' = p * g - (p^T g) p."""
    return subtract(hadamard(e, g), product(inner(e, g), e))


@jacobian_of(N.Softmax)
def _(e: Any, i: int) -> Any:
    """p = softmax(v) : dp/dv = diag(p) - p p^T."""
    return subtract(diag(e), outer(e, e))


def _others(e: Any, i: int) -> list[Any]:
    return [a for k, a in enumerate(e.args) if k != i]


def one_less(exponent: Any) -> Any:
    """k - 1, as a number where k is one as it was written."""
    if not isinstance(exponent, Literal):
        return exponent - 1
    value = exponent.value - 1
    return Rational(value.numerator, value.denominator)
