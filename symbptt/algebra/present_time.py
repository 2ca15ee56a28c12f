"""The layout of what goes over time, and of derivatives."""

from __future__ import annotations

from typing import Any

import sympy

from . import nodes as N
from .base import rank_of
from .layout import ATOM, PRODUCT, SUM, BigOperator, Fence, Fraction, Ident, Item, Operator, Script, row
from .leaves import (
    DIRECT,
    IMMEDIATE,
    Gradient,
    Jacobian,
    MatrixAt,
    MatrixParameter,
    Parameter,
    ScalarAt,
    ScalarDerivative,
    ScalarTangent,
    Tangent,
    Variable,
)
from .names import Names
from .present_random import stroke
from .present_rules import lays_out, present, raised, signed, wrapped

MODE_MARKS = {IMMEDIATE: "+", DIRECT: "∘"}
"""Mode of a derivative -> the mark on the upper ∂; a total one has none."""


@lays_out(PRODUCT, N.TimeSum, N.MatrixTimeSum)
def _time_sum(e: Any, names: Names) -> Item:
    body = present(e.body, names)
    negative, _, level = signed(e.body, names)
    lower = row(present(e.index, names), Operator("="), present(e.lower, names))
    return BigOperator("∑", lower, present(e.upper, names), Fence(body) if level == SUM or negative else body)


@lays_out(PRODUCT, N.TimeProduct)
def _time_product(e: Any, names: Names) -> Item:
    lower = row(present(e.index, names), Operator("="), present(e.lower, names))
    return BigOperator("∏", lower, present(e.upper, names), wrapped(e.body, PRODUCT, names))


@lays_out(PRODUCT, N.OrderedProduct)
def _ordered_product(e: Any, names: Names) -> Item:
    gap = e.upper - e.lower
    if gap.is_negative:
        return Ident("I")
    if e.index not in e.body.free_symbols and gap != 0 and gap != 1:
        return raised(e.body, present(gap + 1, names), names)  # dots would not say how many there are
    newest, oldest = (_fenced_factor(e.body.xreplace({e.index: when}), names) for when in (e.upper, e.lower))
    if gap == 0:
        return newest
    return row(newest, oldest) if gap == 1 else row(newest, Operator("⋯", "plain"), oldest)


def _fenced_factor(expr: Any, names: Names) -> Item:
    item = wrapped(expr, PRODUCT, names)
    return Fence(item) if isinstance(expr, N.MatrixProduct) else item


@lays_out(ATOM, Gradient, Jacobian, ScalarDerivative)
def _derivative(e: Any, names: Names) -> Item:
    sign: Item = Operator("∂", "plain")
    mark = MODE_MARKS.get(e.mode)
    top = Script(sign, sup=Operator(mark, "plain")) if mark else stroke(e.mode, sign)
    of, by = (joint(x, names) for x in (e.of, e.by))
    if isinstance(e, Jacobian):
        of, by = (_vec(x, item) for x, item in ((e.of, of), (e.by, by)))
    return Fraction(row(top, of), row(sign, by))


def _vec(expr: Any, item: Item) -> Item:
    """A matrix in a Jacobian stands for its columns on top of each other."""
    return row(Ident("vec", "upright"), Fence(item)) if rank_of(expr) == 2 else item


def joint(expr: Any, names: Names) -> Item:
    """Return a joint state as a tuple, (h_t, c_t); anything else as it is."""
    if not isinstance(expr, N.Concat):
        return present(expr, names)
    items: list[Item] = []
    for i, a in enumerate(expr.args):
        items += [*([Operator(",", "separator")] if i else []), present(a, names)]
    return Fence(row(*items))


@lays_out(ATOM, Tangent, ScalarTangent)
def _tangent(e: Any, names: Names) -> Item:
    """R{h_t}; of a parameter its part of the direction, V_{W_h} or v_{b_h}."""
    of = present(e.of, names)
    if isinstance(e.of, Parameter | sympy.Symbol):
        return Script(Ident("V" if rank_of(e.of) == 2 else "v"), of)
    return row(Ident("R", "calligraphic"), Fence(of, "{", "}"))


@lays_out(ATOM, MatrixAt, ScalarAt)
def _at(e: Any, names: Names) -> Item:
    return names.at(e.name, present(e.when, names))


@lays_out(ATOM, Parameter, MatrixParameter, Variable)
def _named(e: Any, names: Names) -> Item:
    return names.key(e.name)
