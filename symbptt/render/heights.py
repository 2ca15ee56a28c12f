"""How high formulas are on paper, so that slides are not filled beyond their end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..algebra.layout import (
    Accent,
    BigOperator,
    Brace,
    Cases,
    Fence,
    Fraction,
    Grid,
    Ident,
    Item,
    Number,
    Operator,
    Root,
    Row,
    Script,
    Words,
)
from .breaking import SMALL

LINE = {"en": 1.25, "zh": 1.6}
"""From one line of words to the next, in em; Chinese is set wider apart."""


def height(item: Item) -> float:
    """Return about how high a formula is in display style, depth included, in em; rather too high than too low.

    >>> height(Ident("a")), height(Fraction(Ident("a"), Ident("b")))
    (0.9, 2.05)
    """
    return _HEIGHTS[type(item)](item)


def _highest(items: Iterable[Item | None]) -> float:
    return max((height(item) for item in items if item is not None), default=0.9)


def _script(script: Script) -> float:
    return height(script.base) + 0.25 * (script.sup is not None) + 0.15 * (script.sub is not None)


def _big_operator(big: BigOperator) -> float:
    bounds = sum(SMALL * height(item) + 0.2 for item in (big.lower, big.upper) if item is not None)
    return max(1.4 + bounds, height(big.body))


def _rows(rows: tuple[tuple[Item, ...], ...]) -> float:
    return sum(max(1.25, _highest(cells)) for cells in rows) + 0.3


_HEIGHTS: dict[type, Callable[[Any], float]] = {
    Ident: lambda item: 0.9,
    Number: lambda item: 0.9,
    Operator: lambda item: 0.9,
    Words: lambda item: 0.9,
    Row: lambda row: _highest(row.items),
    Script: _script,
    Accent: lambda accent: height(accent.base) + 0.25,
    Fraction: lambda fraction: height(fraction.numerator) + height(fraction.denominator) + 0.25,
    Root: lambda root: height(root.body) + 0.25,
    Fence: lambda fence: height(fence.body) + 0.15,
    Brace: lambda brace: height(brace.body) + SMALL * height(brace.note) + 0.8,
    BigOperator: _big_operator,
    Grid: lambda grid: _rows(grid.rows),
    Cases: lambda cases: _rows(cases.rows),
}
