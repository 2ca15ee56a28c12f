"""The registry of differentiation rules: for every node its vector-Jacobian product, and its Jacobian between vectors.

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

from sympy import Basic, S

from . import nodes as N
from .base import is_vector, shape_of
from .build import add, matmul, product, zero_like, zero_matrix
from .functions import ElementwiseFunction
from .leaves import Fill, Identity, fill_like
from .reductions import inner, outer

VJP: dict[type, Callable[[Any, Any, int], Any]] = {}
"""Node -> rule for its vector-Jacobian product; filled by the modules that :mod:`.derivatives` imports."""
JACOBIAN: dict[type, Callable[[Any, int], Any]] = {}
"""Node -> rule for its Jacobian, where node and argument are vectors; filled by the same modules."""

Rule: TypeAlias = Callable[..., Any]


def vjp_of(*types: type) -> Callable[[Rule], Rule]:
    """Register the rule for the vector-Jacobian product of nodes."""

    def register(rule: Rule) -> Rule:
        VJP.update(dict.fromkeys(types, rule))
        return rule

    return register


def jacobian_of(*types: type) -> Callable[[Rule], Rule]:
    """Register the rule for the Jacobian of nodes."""

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
