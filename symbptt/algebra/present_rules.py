"""From an expression to its layout: where signs, brackets and dots go, for any node of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import sympy
from sympy import Basic

from . import nodes as N
from .layout import ATOM, PRODUCT, SUM, Fence, Fraction, Item, Number, Operator, Row, Script, row
from .leaves import Literal, LiteralMatrix, ScalarDerivative
from .names import Names
from .present_sympy import Writer, own_level, own_product, present_own

Layout: TypeAlias = Callable[[Any, Names], Item]
Signed: TypeAlias = "tuple[bool, Item, int]"
"""Is it negative, the layout without its sign, how tightly it binds."""
InRows: TypeAlias = "Callable[[Any, Names], Signed | None]"
KEPT = 4096
"""How many layouts are kept for each notation; a document has the same parts in many of its formulas."""
DEFAULT = Names()

TABLE: dict[type, tuple[int, Layout]] = {}
"""Kind of node -> how tightly it binds, and its layout; filled by the modules that :mod:`.present` imports."""
AS_ROWS: dict[type, InRows] = {}
"""Kind of node -> its layout where columns are written as rows; None where it is no matter of columns."""


def lays_out(level: int, *kinds: type) -> Callable[[Layout], Layout]:
    """Register the layout of nodes that bind so tightly."""

    def register(layout: Layout) -> Layout:
        TABLE.update(dict.fromkeys(kinds, (level, layout)))
        return layout

    return register


def as_rows(kind: type) -> Callable[[InRows], InRows]:
    """Register the layout of a node where columns are written as rows."""

    def register(layout: InRows) -> InRows:
        AS_ROWS[kind] = layout
        return layout

    return register


def present(expr: Basic, names: Names = DEFAULT) -> Item:
    """Return the layout of an expression in a notation.

    >>> from symbptt.algebra import Parameter, Variable, index, matmul
    >>> from symbptt.algebra.tex import to_tex
    >>> W, h, t = Parameter("W_h", 3, 3), Variable("h", 3, 1), index("t")
    >>> to_tex(present(matmul(W.T, h[t - 1])))
    'W_h^\\\\top h_{t-1}'
    """
    negative, item, _ = signed(expr, names)
    return row(Operator("−", "prefix"), item) if negative else item


def signed(expr: Any, names: Names) -> Signed:
    """Return whether it is negative, its layout without the sign, and how tightly that binds."""
    known = names.layouts
    found: Signed | None = known.get(expr)
    if found is None:
        if len(known) >= KEPT:
            known.clear()
        found = known[expr] = _laid_out(expr, names)
    return found


def _laid_out(expr: Any, names: Names) -> Signed:
    if isinstance(expr, N.Negative | N.MatrixNegative):
        negative, item, level = signed(expr.args[0], names)
        if negative or level == SUM:
            return True, Fence(present(expr.args[0], names)), PRODUCT
        return True, item, level
    if isinstance(expr, N.RowBroadcast):
        return signed(expr.args[0], names)
    if names.rows and type(expr) in AS_ROWS:
        turned = AS_ROWS[type(expr)](expr, names)
        if turned is not None:
            return turned
    if isinstance(expr, N.Times | N.Scale | N.Hadamard) and not isinstance(expr.args[0], N.Negative):
        negative, _, _ = signed(expr.args[0], names)
        if negative and not isinstance(expr, N.Hadamard):
            return True, product(expr.args, names, unsigned=True), PRODUCT
    if isinstance(expr, Literal) and expr.text.startswith("-"):
        return True, _number(expr.text[1:]), _number_level(expr.text)
    if isinstance(expr, Literal):
        return False, _number(expr.text), _number_level(expr.text)
    if expr.is_Number and expr.is_negative:
        return True, present_own(-expr, names, _WRITER), ATOM
    if isinstance(expr, sympy.Mul) and expr.could_extract_minus_sign():
        return True, own_product(-expr, names, _WRITER), PRODUCT
    rule = TABLE.get(type(expr))
    if rule is not None:
        level, make = rule
        return False, make(expr, names), level
    return False, present_own(expr, names, _WRITER), own_level(expr)


def wrapped(expr: Any, level: int, names: Names) -> Item:
    """Return the layout, in brackets where it binds less than ``level`` or carries a sign."""
    negative, item, own = signed(expr, names)
    if negative:
        return Fence(row(Operator("−", "prefix"), item))
    return Fence(item) if own < level else item


def _number(text: str) -> Item:
    top, slash, bottom = text.partition("/")
    return Fraction(Number(top), Number(bottom)) if slash else Number(text)


def _number_level(text: str) -> int:
    return PRODUCT if "/" in text else ATOM


def product(factors: Any, names: Names, unsigned: bool = False) -> Item:
    items: list[Item] = []
    for i, factor in enumerate(factors):
        if unsigned and i == 0:
            _, item, level = signed(factor, names)
            item = Fence(item) if level < PRODUCT else item
        else:
            item = wrapped(factor, PRODUCT, names)
            if isinstance(factor, N.TimeSum | N.TimeProduct) and i + 1 < len(factors):
                item = Fence(item)
        if i and _needs_dot(factors[i - 1], factor):
            items.append(Operator("⋅"))
        items.append(item)
    return row(*items)


def _is_numeral(expr: Any) -> bool:
    return isinstance(expr, Literal) or bool(expr.is_Number)


def _needs_dot(left: Any, right: Any) -> bool:
    if isinstance(left, ScalarDerivative) and isinstance(right, ScalarDerivative):
        return True
    if isinstance(right, N.Power):
        right = right.args[0]
    if isinstance(right, LiteralMatrix) or isinstance(left, LiteralMatrix):
        return False
    if isinstance(left, sympy.Rational) and not left.is_Integer:
        return isinstance(right, Literal) and not right.text.startswith("-")
    return _is_numeral(right) or (isinstance(left, Literal) and _has_literal(right))


def _has_literal(expr: Any) -> bool:
    return isinstance(expr, Literal) or any(_has_literal(a) for a in expr.args)


def raised(base: Any, sup: Item, names: Names) -> Item:
    """Put a superscript on a base, sharing the place of its subscript."""
    negative, item, level = signed(base, names)
    if negative:
        return Script(Fence(row(Operator("−", "prefix"), item)), sup=sup)
    if isinstance(item, Script) and item.sup is None:
        return Script(item.base, item.sub, sup)
    if isinstance(item, Script) and isinstance(item.sup, Fence) and sup == Operator("⊤", "plain"):
        return Script(item.base, item.sub, row(item.sup, sup))  # of a layer's matrix; a number would look like a power
    if level < ATOM or isinstance(item, Row | Script | Fraction):
        return Script(Fence(item), sup=sup)
    return Script(item, sup=sup)


_WRITER = Writer(present, product, wrapped)
