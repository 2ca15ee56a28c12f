"""The layout of stopped gradients, masks, probabilities and moments, and of the marks of truncated derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from . import random as R
from .layout import ATOM, Accent, Fence, Ident, Item, Operator, Script, row
from .names import Names

_MARKS: dict[str, Literal["hat", "tilde", "bar", "check"]] = {
    "window": "tilde",
    "segments": "bar",
    "randomised:shared": "hat",
    "randomised:independent": "check",
}
"""How the mode of a truncation begins -> the mark over the sign of its derivatives."""


def stroke(mode: str, sign: Item) -> Item:
    """Return the sign of a derivative with the mark of its mode; total and immediate ones have none here."""
    mark = next((mark for start, mark in _MARKS.items() if mode.startswith(start)), None)
    return Accent(sign, mark) if mark else sign


def _listed(exprs: Any, names: Names, write: Callable[[Any, Names], Item]) -> Item:
    items: list[Item] = []
    for expr in exprs:
        items += [*([Operator(",", "separator")] if items else []), write(expr, names)]
    return row(*items)


def _held(e: Any, names: Names, write: Callable[[Any, Names], Item]) -> Item:
    return row(Ident("sg", "upright"), Fence(write(e.args[0], names)))


def _mask(e: Any, names: Names, write: Callable[[Any, Names], Item]) -> Item:
    return Script(Ident("\u03be"), write(e.when, names), Fence(write(e.loss, names)) if e.loss is not None else None)


def _probability(e: Any, names: Names, write: Callable[[Any, Names], Item]) -> Item:
    return Ident("p") if e.when is None else Script(Ident("p"), write(e.when, names))


def _moment(name: Ident) -> Callable[..., Item]:
    return lambda e, names, write: row(name, Fence(_listed(e.args, names, write), "[", "]"))


_EXPECTATION, _VARIANCE = _moment(Ident("\U0001d53c")), _moment(Ident("Var", "upright"))

CHANCE_TABLE: dict[type, tuple[int, Callable[..., Item]]] = {
    R.Held: (ATOM, _held),
    R.MatrixHeld: (ATOM, _held),
    R.Mask: (ATOM, _mask),
    R.Probability: (ATOM, _probability),
    R.Expectation: (ATOM, _EXPECTATION),
    R.MatrixExpectation: (ATOM, _EXPECTATION),
    R.VarianceOf: (ATOM, _VARIANCE),
    R.MatrixVarianceOf: (ATOM, _VARIANCE),
    R.CovarianceOf: (ATOM, _moment(Ident("Cov", "upright"))),
}
"""Node -> how tightly it binds, and its layout."""
