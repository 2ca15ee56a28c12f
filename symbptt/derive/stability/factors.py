"""The bound of a one-step Jacobian: the triangle inequality for its sums, submultiplicativity for its products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import S

from ... import algebra as A
from ...algebra import nodes as N
from ...algebra.functions import FUNCTIONS, ElementwiseFunction
from ...model import Network
from ..links import raw_jacobian


@dataclass(frozen=True)
class Factors:
    """What bounds a one-step Jacobian.

    Attributes
    ----------
    jacobian : node
        As the chain rule gives it.
    norms, sizes, bound : node
        The norms of its parts; the same as largest slopes and singular values; the bound that holds at every step.
    slopes : tuple of (ElementwiseFunction, node, sympy.Expr)
        The functions in it, their arguments, and the suprema of their slopes.
    """

    jacobian: Any
    norms: Any
    sizes: Any
    bound: Any
    slopes: tuple[tuple[ElementwiseFunction, Any, Any], ...]


class NoBoundError(ValueError):
    """A part of a Jacobian that no constant bounds; ``function`` is one of unbounded or unknown slope."""

    def __init__(self, function: ElementwiseFunction | None = None) -> None:
        super().__init__("no constant bounds a part of the Jacobian")
        self.function = function


def factors(network: Network) -> Factors:
    """Return the bound of the one-step Jacobian of the only state.

    Raises
    ------
    NoBoundError
        Where a part of it has no bound in the weights alone.

    Examples
    --------
    >>> from symbptt import RNN
    >>> factors(RNN("sigmoid").network).bound
    1/4*singular_value(W_h, 1)
    """
    if len(network.system.states) != 1:
        raise NoBoundError
    expr = raw_jacobian(network)
    functions = list(_slopes(expr))
    slopes = tuple((f, argument, _supremum(f)) for f, argument in functions)
    return Factors(expr, _fold(expr, A.Norm), _fold(expr, _size), _fold(expr, _bound), slopes)


def _fold(expr: Any, atom: Callable[[Any], Any]) -> Any:
    """Put norms inside: of a sum their sum, of a product their product."""
    if isinstance(expr, N.MatrixPlus):
        return A.add(*(_fold(a, atom) for a in expr.args))
    if isinstance(expr, N.MatrixProduct):
        return A.product(*(_fold(a, atom) for a in expr.args))
    if isinstance(expr, N.Scale):
        return A.product(_modulus(expr.args[0]), _fold(expr.args[1], atom))
    if isinstance(expr, N.MatrixNegative):
        return _fold(expr.args[0], atom)
    return atom(expr)


def _modulus(scalar: Any) -> Any:
    return abs(scalar) if isinstance(scalar, sympy.Number) else A.apply("abs", scalar)


def _size(part: Any) -> Any:
    if isinstance(part, N.Diag):
        return A.max_entry(A.apply("abs", part.args[0]))
    if isinstance(part, A.Identity):
        return S.One
    return A.SingularValue(part, 1)


def _bound(part: Any) -> Any:
    if isinstance(part, N.Diag):
        return _largest(part.args[0])
    if isinstance(part, A.Identity):
        return S.One
    if isinstance(part, A.Parameter):
        return A.SingularValue(part, 1)
    raise NoBoundError


def _largest(entry: Any) -> Any:
    """Return what the entries of a vector never exceed."""
    if isinstance(entry, N.Map | N.Apply):
        function = entry.args[0]
        return _supremum(function) if function.name.endswith("'") else _range(function)
    if isinstance(entry, N.Hadamard | N.Times | N.Scale):
        return A.product(*(_largest(a) for a in entry.args))
    if isinstance(entry, N.MatrixPlus | N.Plus):
        return A.add(*(_largest(a) for a in entry.args))
    if isinstance(entry, N.MatrixNegative | N.Negative):
        return _largest(entry.args[0])
    if isinstance(entry, A.Fill):
        return _modulus(entry.value)
    if isinstance(entry, sympy.Number):
        return abs(entry)
    raise NoBoundError


def _range(function: ElementwiseFunction) -> Any:
    if function.name in ("tanh", "sigmoid", "sin", "cos") and FUNCTIONS[function.name].function == function:
        return S.One
    raise NoBoundError


def _supremum(prime: ElementwiseFunction) -> Any:
    """Return sup |f'| of a function, given its derivative."""
    base = prime.name.removesuffix("'")
    entry = FUNCTIONS.get(base)
    known = entry is not None and entry.function.prime == prime
    if not known or entry is None or entry.supremum is None or entry.supremum == sympy.oo:
        raise NoBoundError(prime)
    return entry.supremum


def _slopes(expr: Any) -> dict[tuple[ElementwiseFunction, Any], None]:
    found: dict[tuple[ElementwiseFunction, Any], None] = {}
    for part in sympy.preorder_traversal(expr):
        if isinstance(part, N.Map | N.Apply) and part.args[0].name.endswith("'"):
            found[part.args[0], part.args[1]] = None
    return found
