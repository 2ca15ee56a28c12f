"""Trees of numbers: a formula with numbers in the places of its leaves, evaluated from the inside pass by pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from sympy import Integer, Symbol

from ..algebra import nodes as N
from ..algebra.base import Node, rank_of
from ..algebra.build import add
from ..algebra.figure_domain import FigureDomain
from ..algebra.figures import entries
from ..algebra.leaves import Fill, Identity, Literal, LiteralMatrix, MatrixParameter, Parameter
from ..algebra.over_time import expand_bound
from ..algebra.semantics import LEAVES, evaluate
from ..errors import ValueInputError

LONGEST_SUM = 12
"""A sum or product over time of more terms is not written out."""


@dataclass(frozen=True, eq=False)
class Number:
    """A number, or an array of them, in a line; ``shown`` is None until it is printed."""

    value: Any
    shown: Any = None


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation on numbers; what is no operand (a function, an exponent) is kept as it is."""

    node: Any
    parts: tuple[Any, ...]

    @property
    def operands(self) -> list[Tree]:
        """The numbers and operations that it works on."""
        return [part for part in self.parts if isinstance(part, Number | Operation)]

    def with_operands(self, change: Callable[[Tree], Tree]) -> Operation:
        """Return the operation with every operand changed."""
        return replace(self, parts=tuple(change(p) if isinstance(p, Number | Operation) else p for p in self.parts))


Tree: TypeAlias = Number | Operation

_OPERANDS: dict[type, tuple[int, ...]] = {
    N.Apply: (1,),
    N.Map: (1,),
    N.Power: (0,),
    N.HadamardPower: (0,),
    N.Part: (0,),
    N.RowBroadcast: (0,),
    N.Transposed: (0,),
    Fill: (0,),
}
"""Which arguments are operands, where not all are."""
_WHOLE: tuple[type, ...] = (*LEAVES, Literal, LiteralMatrix, Identity, N.Blocks, N.Bound)
"""What becomes one number as soon as it is read."""


def read(expr: Any, domain: FigureDomain) -> Tree:
    """Return the tree of a formula, with numbers in the places of its leaves."""
    if expr.is_Number and expr.is_Rational:
        return Number(domain.number(expr), expr)
    if expr in domain.values or isinstance(expr, _WHOLE) or not _is_node(expr):
        return Number(_fitting(expr, evaluate(expr, domain)))
    operands = _OPERANDS.get(type(expr), range(len(expr.args)))
    fixed = {symbol: Integer(size) for symbol, size in domain.sizes.items()}
    parts = (read(a, domain) if i in operands else a.xreplace(fixed) for i, a in enumerate(expr.args))
    tree = Operation(expr.func, tuple(parts))
    return Number(value_of(tree)) if isinstance(expr, Fill) and isinstance(tree.parts[0], Number) else tree


def _is_node(expr: Any) -> bool:
    return isinstance(expr, Node)


def _fitting(expr: Any, value: Any) -> Any:
    rank = rank_of(expr)
    if np.ndim(value) == 2 and rank == 1 and value.shape[1] == 1:
        return value[:, 0]
    if np.ndim(value) != rank:
        kind = ("a number", "a vector", "a matrix")[rank]
        raise ValueInputError(f"{expr} is {kind}, but an array of shape {np.shape(value)} was given")
    return value


@cache
def _slot(place: int, rank: int) -> Any:
    if not rank:
        return Symbol(f"slot{place}", real=True)
    rows, columns = (Symbol(f"{side}{place}", integer=True, positive=True) for side in ("rows", "columns"))
    return Parameter(f"slot{place}", rows, 1) if rank == 1 else MatrixParameter(f"slot{place}", rows, columns)


def value_of(tree: Tree) -> Any:
    """Return the value, by the one table of meanings."""
    if isinstance(tree, Number):
        return tree.value
    values: dict[Any, Any] = {}
    arguments = []
    for place, part in enumerate(tree.parts):
        if isinstance(part, Number | Operation):
            value = value_of(part)
            slot = _slot(place, np.ndim(value))
            values[slot] = value
            part = slot
        arguments.append(part)
    return evaluate(tree.node(*arguments), FigureDomain(values))


def printed(tree: Tree) -> Any:
    """Return the node that is printed."""
    if isinstance(tree, Number):
        return tree.shown
    return tree.node(*(printed(part) if isinstance(part, Number | Operation) else part for part in tree.parts))


def numbers_in(tree: Tree) -> Iterator[Number]:
    """Yield all numbers of a tree, from left to right."""
    if isinstance(tree, Number):
        yield tree
    else:
        for operand in tree.operands:
            yield from numbers_in(operand)


# -- one pass -----------------------------------------------------------------------------------------

_SUMS = (N.Plus, N.MatrixPlus)
_SIGNS = (N.Negative, N.MatrixNegative)
_LAZY = (N.Transposed, N.Diag)
"""Marks on a factor that stay until the product is evaluated."""
_MARKS = (*_LAZY, *_SIGNS, N.Power, N.HadamardPower, N.SquaredNorm)
"""What a product evaluates in one go with itself."""


def one_pass(tree: Tree, lazy: bool = False) -> Tree:
    """Evaluate the innermost operations, all at once."""
    if isinstance(tree, Number) or (lazy and tree.node in _LAZY and _is_factor(tree)):
        return tree
    if _is_ready(tree):
        return Number(value_of(tree))
    lazily = tree.node not in _SUMS
    return _without_zeros(tree.with_operands(lambda operand: one_pass(operand, lazily)))


def _is_ready(tree: Operation) -> bool:
    return all(map(_is_term if tree.node in _SUMS else _is_factor, tree.operands))


def _is_term(tree: Tree) -> bool:
    return isinstance(tree, Number) or (tree.node in _SIGNS and isinstance(tree.parts[0], Number))


def _is_factor(tree: Tree) -> bool:
    return isinstance(tree, Number) or (tree.node in _MARKS and _is_factor(tree.operands[0]))


def _without_zeros(tree: Operation) -> Tree:
    """Leave out the zero terms of a sum; a sum of which one number is left is that number."""
    if tree.node not in _SUMS:
        return tree
    kept = tuple(part for part in tree.parts if not _is_nothing(part))
    if len(kept) > 1:
        return replace(tree, parts=kept)
    return kept[0] if kept and isinstance(kept[0], Operation) else Number(value_of(tree))


def _is_nothing(tree: Tree) -> bool:
    return isinstance(tree, Number) and not any(map(bool, entries(tree.value)))


# -- sums over time -----------------------------------------------------------------------------------

_BOUND = (N.TimeSum, N.MatrixTimeSum, N.TimeProduct, N.OrderedProduct)


def written_out(expr: Any, domain: FigureDomain) -> Any:
    """Write sums and products over time out term by term, where they are short."""
    if expr in domain.values or not expr.has(*_BOUND):
        return expr
    if isinstance(expr, N.Bound):
        low, high = domain.size(expr.lower), domain.size(expr.upper)
        written = expand_bound(expr.func(expr.body, expr.index, Integer(low), Integer(high)))
        opened = written_out(written, domain) if 0 <= high - low < LONGEST_SUM else expr
        return opened if _is_short(opened) else expr
    parts = [written_out(a, domain) for a in expr.args]
    return add(*parts) if isinstance(expr, _SUMS) else expr.func(*parts)


def _is_short(expr: Any) -> bool:
    return not expr.has(*_BOUND) and _terms(expr) <= LONGEST_SUM


def _terms(expr: Any) -> int:
    """Return the number of terms of a sum, with those of the sums in them."""
    if isinstance(expr, _SUMS):
        return sum(map(_terms, expr.args))
    return max(map(_terms, expr.args), default=1)
