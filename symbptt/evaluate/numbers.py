"""Numbers for the complex step: real and complex floats, with functions that are safe for both.

A complex step adds a tiny imaginary part to a real number and reads the derivative off the imaginary part of the
result. Functions with kinks (relu, max, abs, piecewise ones) choose their branch by the real part.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache, reduce
from typing import Any, cast

import numpy as np
import sympy
from sympy import Basic, Expr, Integer, Symbol
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.numpy import NumPyPrinter

from .. import algebra as A
from ..algebra.base import Node
from ..algebra.functions import ElementwiseFunction, U
from ..algebra.leaves import Literal

Array = Any
"""A NumPy array, or a plain float or complex number for a scalar."""


# -- functions ----------------------------------------------------------------------------------------


def _choose(better: Callable[[Any, Any], Any]) -> Callable[..., Array]:
    def pick(*values: Array) -> Array:
        return reduce(lambda a, b: np.where(better(np.real(a), np.real(b)), a, b), values)

    return pick


def _compare(relation: Callable[[Any, Any], Any]) -> Callable[[Array, Array], Array]:
    return lambda a, b: relation(np.real(a), np.real(b))


def _select(conditions: list[Any], branches: list[Array]) -> Array:
    result: Array = np.nan
    for condition, branch in reversed(list(zip(conditions, branches, strict=True))):
        result = np.where(condition, branch, result)
    return result


_SAFE: dict[str, Callable[..., Array]] = {
    "_max": _choose(operator.ge),
    "_min": _choose(operator.le),
    "_abs": lambda u: u * np.sign(np.real(u)),
    "_sign": lambda u: np.sign(np.real(u)),
    "_step": lambda u, at_zero=0.5: np.heaviside(np.real(u), at_zero),
    "_select": _select,
    "_gt": _compare(operator.gt),
    "_ge": _compare(operator.ge),
    "_lt": _compare(operator.lt),
    "_le": _compare(operator.le),
    "_eq": _compare(operator.eq),
    "_ne": _compare(operator.ne),
}
_RELATIONS = {">": "_gt", ">=": "_ge", "<": "_lt", "<=": "_le", "==": "_eq", "!=": "_ne"}
_CALLS = {"Max": "_max", "Min": "_min", "Abs": "_abs", "sign": "_sign", "Heaviside": "_step"}


class _SafePrinter(NumPyPrinter):
    """Prints calls of the functions in ``_SAFE`` wherever NumPy's own would not take complex numbers."""

    def _print_Relational(self, expr: Any) -> str:
        return f"{_RELATIONS[expr.rel_op]}({self._print(expr.lhs)}, {self._print(expr.rhs)})"

    def _print_Piecewise(self, expr: Any) -> str:
        branches, conditions = (", ".join(self._print(arg[k]) for arg in expr.args) for k in (0, 1))
        return f"_select([{conditions}], [{branches}])"


def _print_call(name: str) -> Callable[[Any, Any], str]:
    return lambda self, expr: f"{name}({', '.join(map(self._print, expr.args))})"


for _name, _call in _CALLS.items():
    setattr(_SafePrinter, f"_print_{_name}", _print_call(_call))


_CIRCULAR = ("sin", "cos", "tan", "sinh", "cosh", "tanh")
_NUMPY = frozenset(("exp", "log", "sqrt", *_CIRCULAR, *(f"a{name}" for name in _CIRCULAR)))
"""SymPy's names of the functions that NumPy has for complex numbers."""


def _special(expr: Expr) -> dict[Any, Callable[[Array], Array]]:
    """Return functions that NumPy does not have (erf, gamma, ...): f(a + bi) = f(a) + b f'(a) i for a tiny b."""
    kinds = {type(part) for part in expr.atoms(sympy.Function) if len(part.args) == 1 and not part.is_Piecewise}
    known = _NUMPY | _CALLS.keys()
    return {kind: _by_slope(cast(Hashable, kind)) for kind in kinds if kind.__name__ not in known}


@lru_cache(maxsize=64)
def _by_slope(kind: Any) -> Callable[[Array], Array]:
    value, slope = (sympy.lambdify(U, e, "mpmath") for e in (kind(U), kind(U).diff(U)))
    real = np.vectorize(lambda u: float(value(u)), otypes=[float])
    prime = np.vectorize(lambda u: float(slope(u)), otypes=[float])
    return lambda u: real(np.real(u)) + (1j * np.imag(u) * prime(np.real(u)) if np.iscomplexobj(u) else 0)


def compiled(arguments: tuple[Symbol, ...], expr: Expr) -> Callable[..., Array]:
    """Return a NumPy function of plain SymPy, safe for the complex step.

    >>> f = compiled((U,), sympy.Max(0, U))
    >>> f(np.array([2 + 1e-30j, -2 + 1e-30j]))
    array([2.+1.e-30j, 0.+0.e+00j])
    """
    special = _special(expr)
    for kind in special:
        expr = expr.replace(kind, sympy.Function(f"_{kind.__name__}"))
    printer = _SafePrinter({"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True})
    modules = [{**{f"_{kind.__name__}": call for kind, call in special.items()}, **_SAFE}, "numpy"]
    return sympy.lambdify(arguments, expr, modules=modules, printer=printer)


@lru_cache(maxsize=512)
def function_of(function: ElementwiseFunction) -> Callable[[Array], Array]:
    """Return an elementwise function of the language on arrays, compiled once."""
    return compiled((U,), function.rule(U))


# -- the domain ---------------------------------------------------------------------------------------


class NumberDomain:
    """Real or complex floats (a :class:`symbptt.algebra.Domain`); ``bindings`` gives sizes, T and indices by name."""

    def __init__(self, bindings: Mapping[str, int]) -> None:
        self.bindings = dict(bindings)
        self._sizes: dict[Expr, int] = {}

    def bind(self, name: str, value: int) -> None:
        """Give a time index its value."""
        self.bindings[name] = value
        self._sizes.clear()

    def leaf(self, leaf: Any) -> Array:
        """Return the value of a name; here sizes, T and time indices."""
        if isinstance(leaf, Symbol) and leaf.name in self.bindings:
            return float(self.bindings[leaf.name])
        raise KeyError(f"{leaf} has no value here")

    def number(self, value: Expr) -> float:
        return float(self._bound(value))

    def literal(self, literal: Literal) -> float:
        return float(literal.value)

    def size(self, value: Expr) -> int:
        if value.is_Integer:
            return int(value)
        symbol, shift = value, 0
        if value.is_Add and len(value.args) == 2 and value.args[0].is_Integer:  # t - 1
            symbol, shift = value.args[1], int(value.args[0])
        if symbol.is_Symbol and symbol.name in self.bindings:
            return int(self.bindings[symbol.name]) + shift
        if value not in self._sizes:
            bound = self._bound(value)
            if not bound.is_Integer:
                missing = ", ".join(sorted(map(str, bound.free_symbols)))
                raise KeyError(f"{value} has no value here; give one for {missing}")
            self._sizes[value] = int(bound)
        return self._sizes[value]

    def _bound(self, value: Expr) -> Expr:
        if value.is_Number:
            return value
        return _filled(value, tuple((s, self.bindings[s.name]) for s in _named(value) if s.name in self.bindings))

    def apply(self, function: ElementwiseFunction, value: Array) -> Array:
        result = function_of(function)(value)
        if not np.shape(value):
            return result[()] if isinstance(result, np.ndarray) else result
        return np.broadcast_to(result, value.shape) if np.shape(result) != value.shape else result

    def largest(self, values: list[Any]) -> Any:
        return max(values, key=np.real)


@lru_cache(maxsize=4096)
def _named(value: Expr) -> tuple[Any, ...]:
    """Return the symbols with a name that an expression has."""
    return tuple(s for s in value.free_symbols if hasattr(s, "name"))


@lru_cache(maxsize=65536)
def _filled(value: Expr, known: tuple[tuple[Basic, int], ...]) -> Expr:
    filled = value.xreplace({symbol: Integer(number) for symbol, number in known})
    return filled.doit() if filled.is_number else filled


def value_of(expr: Any, domain: Any) -> Array:
    """Return the value of an expression of the language, or of plain SymPy with parts of the language in it.

    >>> value_of(A.size("n") ** 2 + 1, NumberDomain({"n": 3}))
    10.0
    """
    if isinstance(expr, Node):
        return A.evaluate(expr, domain)
    if isinstance(expr, sympy.MatrixBase):
        entries = [value_of(e, domain) for e in expr]
        return np.array(entries).reshape(expr.shape)
    if isinstance(expr, sympy.MatrixExpr):
        return A.evaluate(A.node(expr), domain)
    inner = _leaves(expr)
    call, order = _plain(expr, tuple(inner))
    return call(*(_entry(part, domain) for part in order))


def _leaves(expr: Any) -> list[Any]:
    if isinstance(expr, Node | MatrixElement | Symbol):
        return [expr]
    return list(dict.fromkeys(leaf for arg in getattr(expr, "args", ()) for leaf in _leaves(arg)))


def _entry(part: Any, domain: Any) -> Any:
    if not isinstance(part, MatrixElement):
        return A.evaluate(part, domain)
    value = A.evaluate(A.node(part.args[0]), domain)
    row, column = (domain.size(k) for k in part.args[1:])
    return value[row] if value.ndim == 1 else value[row, column]


@lru_cache(maxsize=1024)
def _plain(expr: Any, parts: tuple[Any, ...]) -> tuple[Callable[..., Array], tuple[Any, ...]]:
    names = {part: Symbol(f"_a{k}", real=True) for k, part in enumerate(parts)}
    return compiled(tuple(names.values()), sympy.sympify(expr).xreplace(names)), parts
