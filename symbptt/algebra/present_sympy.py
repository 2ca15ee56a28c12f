"""The layout of SymPy's own scalars: sizes and steps, rational exponents, the rules of functions.

What they are made of may be any node, so the functions of :mod:`symbptt.algebra.present` come in as a
:class:`Writer`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy import S
from sympy.matrices.expressions.matexpr import MatrixElement

from . import nodes as N
from .base import rank_of
from .layout import ATOM, POWER, PRODUCT, SUM, Cases, Fence, Fraction, Grid, Ident, Item, Number, Operator, Script, row
from .names import GREEK, Names

TIME = sympy.Symbol("t", integer=True)


@dataclass(frozen=True)
class Writer:
    """How parts are laid out.

    Attributes
    ----------
    item : function of expression and names
        Any expression.
    product : function of factors and names
        Factors side by side.
    wrapped : function of expression, level and names
        An expression in brackets, where it binds less tightly than the level.
    """

    item: Callable[[Any, Names], Item]
    product: Callable[[Sequence[Any], Names], Item]
    wrapped: Callable[[Any, int, Names], Item]


def own_level(expr: Any) -> int:
    """Return how tightly a scalar of SymPy's own binds."""
    if isinstance(expr, sympy.Add):
        return SUM
    if isinstance(expr, sympy.Mul):
        return PRODUCT
    if isinstance(expr, sympy.Rational) and not expr.is_Integer:
        return PRODUCT
    return POWER if isinstance(expr, sympy.Pow) else ATOM


def present_own(expr: Any, names: Names, write: Writer) -> Item:
    """Return the layout of a scalar of SymPy's own, without the sign of a negative number."""
    for kind, make in _TABLE:
        if isinstance(expr, kind):
            return make(expr, names, write)
    return Ident(str(expr), "upright")


def _sum(expr: Any, names: Names, write: Writer) -> Item:
    """The terms in the order in which people write them."""
    return write.item(_as_people_write(expr), names)


@lru_cache(maxsize=4096)
def _as_people_write(expr: Any) -> Any:
    """The terms without a minus sign first, and t before what is added to it: t + k, T - t."""
    terms = sorted(expr.as_ordered_terms(), key=lambda term: (bool(term.could_extract_minus_sign()), term != TIME))
    return N.Plus(*terms)


def own_product(expr: Any, names: Names, write: Writer) -> Item:
    """Return the layout of a product, as a fraction where there is a denominator."""
    top, bottom = sympy.fraction(expr)
    if bottom != 1:
        return Fraction(write.item(top, names), write.item(bottom, names))
    if not isinstance(expr, sympy.Mul):
        return write.item(expr, names)
    return write.product(expr.as_ordered_factors(), names)


def _power(expr: Any, names: Names, write: Writer) -> Item:
    base, exponent = expr.base, expr.exp
    if exponent.could_extract_minus_sign():
        return Fraction(Number("1"), write.item(base ** (-exponent), names))
    if exponent == S.Half:
        return Script(write.wrapped(base, ATOM, names), sup=row(Number("1"), Operator("/", "plain"), Number("2")))
    return write.item(N.Power(base, exponent), names)


def _function(expr: Any, names: Names, write: Writer) -> Item:
    items: list[Item] = []
    for i, a in enumerate(expr.args):
        items += [*([Operator(",", "separator")] if i else []), write.item(a, names)]
    name = {"Max": "max", "Min": "min"}.get(expr.func.__name__, expr.func.__name__)
    return row(names.function(name), Fence(row(*items)))


def _piecewise(expr: Any, names: Names, write: Writer) -> Item:
    return Cases(tuple((write.item(value, names), write.item(condition, names)) for value, condition in expr.args))


def _relation(expr: Any, names: Names, write: Writer) -> Item:
    sign = {"<=": "≤", ">=": "≥", "==": "="}.get(expr.rel_op, expr.rel_op)
    return row(write.item(expr.lhs, names), Operator(sign), write.item(expr.rhs, names))


def _symbol(expr: Any, names: Names, write: Writer) -> Item:
    return names.key(expr.name)


def _matrix(expr: Any, names: Names, write: Writer) -> Item:
    """A matrix of numbers or of formulas, as an explicit gradient is."""
    return Grid(tuple(tuple(write.item(cell, names) for cell in line) for line in expr.tolist()))


def _entry(expr: Any, names: Names, write: Writer) -> Item:
    """[W]_{1,2}, [h]_1: places count from 1."""
    places = [write.item(place + 1, names) for place in (expr.i, expr.j)[: max(rank_of(expr.parent), 1)]]
    items = [part for place in places for part in (Operator(",", "separator"), place)][1:]
    return Script(Fence(write.item(expr.parent, names), "[", "]"), row(*items))


_TABLE: tuple[tuple[Any, Callable[[Any, Names, Writer], Item]], ...] = (
    (sympy.Symbol, _symbol),
    (MatrixElement, _entry),
    (sympy.MatrixBase, _matrix),
    (sympy.Integer, lambda e, names, write: Number(str(e))),
    (sympy.Rational, lambda e, names, write: Fraction(Number(str(e.p)), Number(str(e.q)))),
    (sympy.Float, lambda e, names, write: Number(str(e))),
    (sympy.Add, _sum),
    (sympy.Mul, own_product),
    (sympy.Pow, _power),
    (sympy.Piecewise, _piecewise),
    (sympy.core.relational.Relational, _relation),
    (type(sympy.true), lambda e, names, write: Ident("otherwise", "upright")),
    (sympy.floor, lambda e, names, write: Fence(write.item(e.args[0], names), "⌊", "⌋")),
    (sympy.ceiling, lambda e, names, write: Fence(write.item(e.args[0], names), "⌈", "⌉")),
    ((sympy.Function, sympy.Max, sympy.Min), _function),
    (type(sympy.I), lambda e, names, write: Ident("i")),
    (type(sympy.pi), lambda e, names, write: Ident(GREEK["pi"])),
    (type(sympy.oo), lambda e, names, write: Ident("∞")),
)
