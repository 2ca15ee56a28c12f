"""The differentiation rules: for every node its vector-Jacobian product, and its Jacobian between vectors.

A rule ``vjp(e, g, i)`` returns what the cotangent ``g`` of node ``e`` contributes to the cotangent of its i-th
argument, with the shape of that argument. A rule ``jacobian(e, i)`` returns the Jacobian of a vector node by its
i-th argument, a vector, in numerator layout (len e, len argument).

References
----------
Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3 (reverse mode);
Giles, "Collected matrix derivative results for forward and reverse mode AD", 2008 (matrix rules).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sympy import Basic, Expr, Rational, S

from . import nodes as N
from .base import is_vector, rank_of, shape_of
from .build import (
    add,
    divide,
    expand_transpose,
    hadamard,
    matmul,
    negate,
    power,
    product,
    subtract,
    transpose,
    zero_like,
    zero_matrix,
)
from .functions import ElementwiseFunction
from .leaves import Fill, Identity, Literal, fill_like
from .random import HELD
from .reductions import apply, column_sums, concat, diag, entry_sum, inner, outer, part, row_broadcast

VJP: dict[type, Callable[[Any, Any, int], Any]] = {}
"""Node -> rule for its vector-Jacobian product."""
JACOBIAN: dict[type, Callable[[Any, int], Any]] = {}
"""Node -> rule for its Jacobian, where node and argument are vectors."""

Rule: TypeAlias = Callable[..., Any]


def _vjp(*types: type) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        VJP.update(dict.fromkeys(types, rule))
        return rule

    return register


def _jacobian(*types: type) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        JACOBIAN.update(dict.fromkeys(types, rule))
        return rule

    return register


def pullback(expr: Basic, cotangent: Any, by: Basic) -> Any:
    """Return the cotangent of ``by``: (d expr / d by)^T cotangent, summed over every place where ``by`` occurs.

    Parameters
    ----------
    expr : node
        What is differentiated, of any shape.
    cotangent : node
        Of the shape of ``expr``.
    by : node
        A variable at a step or a parameter.

    Examples
    --------
    >>> from symbptt.algebra import Parameter, Variable, index, matmul
    >>> W, h, g, t = Parameter("W", 3, 3), Variable("h", 3, 1), Variable("g", 3, 1), index("t")
    >>> pullback(matmul(W, h[t]), g[t], W), pullback(matmul(W, h[t]), g[t], h[t])
    (g[t] @ h[t].T, W.T @ g[t])
    """
    if expr == by:
        return cotangent
    terms = [
        pullback(argument, VJP[type(expr)](expr, cotangent, i), by)
        for i, argument in enumerate(expr.args)
        if depends(argument, by)
    ]
    return add(*terms) if terms else zero_like(by)


def jacobian(expr: Basic, by: Basic) -> Any:
    """Return d expr / d by of a vector by a vector, numerator layout, summed over every place of ``by``.

    >>> from symbptt.algebra import Parameter, Variable, apply, index, matmul
    >>> W, h, t = Parameter("W", 3, 3), Variable("h", 3, 1), index("t")
    >>> jacobian(apply("tanh", matmul(W, h[t - 1])), h[t - 1])
    diag(tanh'(W @ h[t - 1])) @ W
    """
    if expr == by:
        return Identity(shape_of(by)[0])
    terms = []
    for i, argument in enumerate(expr.args):
        if depends(argument, by):
            if not (is_vector(argument) and type(expr) in JACOBIAN):
                terms.append(_through_scalar(expr, i, argument, by))
            else:
                terms.append(matmul(JACOBIAN[type(expr)](expr, i), jacobian(argument, by)))
    return add(*terms) if terms else zero_matrix(shape_of(expr)[0], shape_of(by)[0])


def _through_scalar(expr: Any, i: int, argument: Any, by: Any) -> Any:
    """The part of the Jacobian that passes through argument i: of s x, x (ds/dby)^T; of A u v^T x likewise."""
    if isinstance(expr, N.Scale) and i == 0:
        return outer(expr.args[1], pullback(argument, S.One, by))
    if isinstance(expr, Fill) and i == 0:
        return outer(fill_like(S.One, expr), pullback(argument, S.One, by))
    if isinstance(expr, N.MatrixProduct) and isinstance(argument, N.Outer) and i == len(expr.args) - 2:
        u, v = argument.args
        before, x = expr.args[:i], expr.args[-1]
        terms = []
        if depends(u, by):
            terms.append(product(inner(v, x), matmul(*before, jacobian(u, by))))
        if depends(v, by):
            terms.append(matmul(outer(matmul(*before, u), x), jacobian(v, by)))
        return add(*terms)
    raise NoJacobianError(f"the Jacobian of {expr} by {by} passes through a matrix")


class NoJacobianError(TypeError):
    """A path of influence passes through a matrix: it has a vector-Jacobian product but no Jacobian matrix."""


def depends(expr: Basic, by: Basic) -> bool:
    """Whether ``by`` occurs in the expression."""
    wanted = hash(by)  # SymPy keeps the hash of an expression, so that few have to be compared
    waiting: list[Any] = [expr]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ElementwiseFunction):
            continue
        if hash(part) == wanted and part == by:
            return True
        waiting.extend(part.args)
    return False


def _others(e: Any, i: int) -> list[Any]:
    return [a for k, a in enumerate(e.args) if k != i]


def _count(x: Any) -> Expr:
    rows, columns = shape_of(x)
    return rows * columns


# -- arithmetic ---------------------------------------------------------------------------------------


@_vjp(N.Plus, N.MatrixPlus)
def _(e: Any, g: Any, i: int) -> Any:
    """d(A + B) : A' = g, B' = g."""
    return g


@_jacobian(N.MatrixPlus)
def _(e: Any, i: int) -> Any:
    """d(a + b)/da = I."""
    return Identity(e.shape[0])


@_vjp(N.Negative, N.MatrixNegative)
def _(e: Any, g: Any, i: int) -> Any:
    """d(-A) : A' = -g."""
    return negate(g)


@_jacobian(N.MatrixNegative)
def _(e: Any, i: int) -> Any:
    """d(-a)/da = -I."""
    return negate(Identity(e.shape[0]))


@_vjp(N.Times)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a b c) : b' = a c g."""
    return product(*_others(e, i), g)


@_vjp(N.Scale)
def _(e: Any, g: Any, i: int) -> Any:
    """d(s X) : s' = <g, X>, X' = s g."""
    s, x = e.args
    return inner(g, x) if i == 0 else product(s, g)


@_jacobian(N.Scale)
def _(e: Any, i: int) -> Any:
    """d(s x)/dx = s I."""
    return product(e.args[0], Identity(e.shape[0]))


@_vjp(N.MatrixProduct)
def _(e: Any, g: Any, i: int) -> Any:
    """d(A X B) : X' = A^T g B^T; of a matrix in front of a vector, W x : W' = g x^T."""
    before = [expand_transpose(a) for a in reversed(e.args[:i])]
    after = [transpose(a) for a in reversed(e.args[i + 1 :])]
    return matmul(*before, g, *after)


@_jacobian(N.MatrixProduct)
def _(e: Any, i: int) -> Any:
    """d(A B x)/dx = A B."""
    return matmul(*e.args[:i])


@_vjp(N.Hadamard)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a * b) : a' = b * g."""
    return hadamard(*_others(e, i), g)


@_jacobian(N.Hadamard)
def _(e: Any, i: int) -> Any:
    """d(a * b)/da = diag(b)."""
    return diag(hadamard(*_others(e, i)))


@_vjp(N.Quotient)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a / b) : a' = g / b, b' = -(a / b^2) g."""
    a, b = e.args
    return divide(g, b) if i == 0 else negate(product(divide(a, power(b, 2)), g))


@_vjp(N.HadamardQuotient)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a / b) : a' = g / b, b' = -(a / b^2) * g, elementwise."""
    a, b = e.args
    return divide(g, b) if i == 0 else negate(hadamard(divide(a, power(b, 2)), g))


@_jacobian(N.HadamardQuotient)
def _(e: Any, i: int) -> Any:
    """d(a / b)/da = diag(1 / b), d(a / b)/db = -diag(a / b^2)."""
    a, b = e.args
    return diag(divide(1, b)) if i == 0 else negate(diag(divide(a, power(b, 2))))


@_vjp(N.Power)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a^k) : a' = k a^(k-1) g."""
    a, k = e.args
    return product(k, power(a, one_less(k)), g)


@_vjp(N.HadamardPower)
def _(e: Any, g: Any, i: int) -> Any:
    """d(a^k) : a' = k a^(k-1) * g, elementwise."""
    a, k = e.args
    return product(k, hadamard(power(a, one_less(k)), g))


@_jacobian(N.HadamardPower)
def _(e: Any, i: int) -> Any:
    """d(a^k)/da = diag(k a^(k-1))."""
    a, k = e.args
    return product(k, diag(power(a, one_less(k))))


def one_less(exponent: Any) -> Any:
    """k - 1, as a number where k is one as it was written."""
    if not isinstance(exponent, Literal):
        return exponent - 1
    value = exponent.value - 1
    return Rational(value.numerator, value.denominator)


# -- linear algebra -----------------------------------------------------------------------------------


@_vjp(N.Outer)
def _(e: Any, g: Any, i: int) -> Any:
    """d(u v^T) : u' = g v, v' = g^T u."""
    u, v = e.args
    return matmul(g, v) if i == 0 else matmul(expand_transpose(g), u)


@_vjp(N.Inner)
def _(e: Any, g: Any, i: int) -> Any:
    """d(u^T v) : u' = g v, v' = g u."""
    return product(g, e.args[1 - i])


@_vjp(N.Transposed)
def _(e: Any, g: Any, i: int) -> Any:
    """d(X^T) : X' = g^T."""
    return expand_transpose(g, vector=is_vector(e.args[0]))


@_vjp(N.Trace)
def _(e: Any, g: Any, i: int) -> Any:
    """d tr X : X' = g I."""
    return product(g, Identity(shape_of(e.args[0])[0]))


@_vjp(N.Diag)
def _(e: Any, g: Any, i: int) -> Any:
    """d diag(v) : v' = the diagonal of g."""
    return diag(g)


@_vjp(N.DiagonalOf)
def _(e: Any, g: Any, i: int) -> Any:
    """d(diagonal of X) : X' = diag(g)."""
    return diag(g)


@_vjp(N.SquaredNorm)
def _(e: Any, g: Any, i: int) -> Any:
    """d||X||^2 : X' = 2 g X."""
    return product(2, g, e.args[0])


@_vjp(N.EntrySum)
def _(e: Any, g: Any, i: int) -> Any:
    """d(sum of X) : X' = g everywhere."""
    return fill_like(g, e.args[0])


@_vjp(Fill)
def _(e: Any, g: Any, i: int) -> Any:
    """d(s everywhere) : s' = the sum of g."""
    return entry_sum(g)


@_vjp(N.Mean)
def _(e: Any, g: Any, i: int) -> Any:
    """d(mean of X) : X' = g / N everywhere, N the number of entries."""
    return fill_like(divide(g, _count(e.args[0])), e.args[0])


@_vjp(N.Variance)
def _(e: Any, g: Any, i: int) -> Any:
    """d(variance of X) : X' = (2 g / N) (X - mean of X)."""
    x = e.args[0]
    return product(divide(product(2, g), _count(x)), subtract(x, fill_like(N.Mean(x), x)))


@_vjp(N.MaxEntry)
def _(e: Any, g: Any, i: int) -> Any:
    """d(max of X) : X' = g at the first entry that attains the maximum, 0 elsewhere."""
    return product(g, N.MaxIndicator(e.args[0]))


@_vjp(N.MaxIndicator)
def _(e: Any, g: Any, i: int) -> Any:
    """The indicator is constant between kinks: X' = 0."""
    return zero_like(e.args[0])


@_vjp(*HELD)
def _(e: Any, g: Any, i: int) -> Any:
    """Nothing passes through a stopped gradient: X' = 0."""
    return zero_like(e.args[0])


@_vjp(N.Concat)
def _(e: Any, g: Any, i: int) -> Any:
    """d[u; v] : u' = the rows of g at the place of u."""
    start = sum((shape_of(a)[0] for a in e.args[:i]), start=S.Zero)
    return part(g, start, shape_of(e.args[i])[0])


@_jacobian(N.Concat)
def _(e: Any, i: int) -> Any:
    """d[u; v]/du = [I; 0]."""
    columns = shape_of(e.args[i])[0]
    return concat(
        *(Identity(columns) if k == i else zero_matrix(shape_of(a)[0], columns) for k, a in enumerate(e.args))
    )


@_vjp(N.Part)
def _(e: Any, g: Any, i: int) -> Any:
    """d(rows of X) : X' = [0; g; 0]."""
    x, start, length = e.args
    rest = shape_of(x)[0] - start - length
    tail = (shape_of(x)[1], *((2,) if rank_of(x) == 2 and shape_of(x)[1] == 1 else ()))
    pieces = [Fill(S.Zero, start, *tail), g, Fill(S.Zero, rest, *tail)]
    return concat(*(p for p in pieces if shape_of(p)[0] != 0))


@_jacobian(N.Part)
def _(e: Any, i: int) -> Any:
    """d(rows of x)/dx = the same rows of I."""
    x, start, length = e.args
    return part(Identity(shape_of(x)[0]), start, length)


# -- functions ----------------------------------------------------------------------------------------


@_vjp(N.Apply)
def _(e: Any, g: Any, i: int) -> Any:
    """d f(a) : a' = f'(a) g."""
    function, a = e.args
    return product(apply(function.prime, a), g)


@_vjp(N.Map)
def _(e: Any, g: Any, i: int) -> Any:
    """d f(X) : X' = f'(X) * g, elementwise."""
    function, x = e.args
    return hadamard(apply(function.prime, x), g)


@_jacobian(N.Map)
def _(e: Any, i: int) -> Any:
    """d f(x)/dx = diag(f'(x))."""
    function, x = e.args
    return diag(apply(function.prime, x))


@_vjp(N.Softmax)
def _(e: Any, g: Any, i: int) -> Any:
    """p = softmax(v) : v' = p * g - (p^T g) p."""
    return subtract(hadamard(e, g), product(inner(e, g), e))


@_jacobian(N.Softmax)
def _(e: Any, i: int) -> Any:
    """p = softmax(v) : dp/dv = diag(p) - p p^T."""
    return subtract(diag(e), outer(e, e))


# -- rows, one for each example of a batch -------------------------------------------------------------


@_vjp(N.RowBroadcast)
def _(e: Any, g: Any, i: int) -> Any:
    """d(1 b) : b' = 1^T g, the sum over the rows."""
    return column_sums(g)


@_vjp(N.ColumnSums)
def _(e: Any, g: Any, i: int) -> Any:
    """d(1^T X) : X' = 1 g, in every row."""
    return row_broadcast(g, shape_of(e.args[0])[0])


@_vjp(N.RowSoftmax)
def _(e: Any, g: Any, i: int) -> Any:
    """P = softmax of every row : X' = P * g - diag((P * g) 1) P."""
    weighted = hadamard(e, g)
    return subtract(weighted, matmul(diag(matmul(weighted, Fill(S.One, e.shape[1], 1))), e))


@_vjp(N.RowMean)
def _(e: Any, g: Any, i: int) -> Any:
    """d(mean of every row of X) : X' = (g / n) 1^T, n the length of a row."""
    size = shape_of(e.args[0])[1]
    return divide(outer(g, Fill(S.One, size, 1)), size)


@_vjp(N.RowVariance)
def _(e: Any, g: Any, i: int) -> Any:
    """d(variance of every row of X) : X' = (2 / n) (g 1^T) * (X - mean 1^T), n the length of a row."""
    x = e.args[0]
    size = shape_of(x)[1]
    ones = Fill(S.One, size, 1)
    return product(divide(2, size), hadamard(outer(g, ones), subtract(x, outer(N.RowMean(x), ones))))
