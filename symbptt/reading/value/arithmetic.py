"""The value of sums, products, quotients, powers and norms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..meaning.expr import (
    Add,
    Div,
    Expr,
    Hadamard,
    Mul,
    Norm,
    Outer,
    Pow,
    Transpose,
)
from ..notation.tree import Fence
from .quantity import (
    Quantity,
    UnfitError,
    add,
    alike,
    column,
    hadamard,
    multiply,
    norm,
    power,
    scalar,
    transpose,
)
from .rules import evaluates, value
from .world import World


@evaluates(Add)
def _add(e: Add, w: World) -> Quantity:
    total = value(e.terms[0], w)
    if e.signs[0] < 0:
        total = replace(total, array=-total.array)
    for sign, term in zip(e.signs[1:], e.terms[1:], strict=True):
        total = add(total, value(term, w), sign, w.reading.loose)
    return total


@evaluates(Mul)
def _mul(e: Mul, w: World) -> Quantity:
    return multiplied([value(f, w) for f in e.factors], e.kinds, w)


def multiplied(values: list[Quantity], kinds: tuple[str, ...], w: World) -> Quantity:
    """Multiply from the left; where that does not fit, from the right."""
    try:
        total = values[0]
        for kind, factor in zip(kinds, values[1:], strict=True):
            total = product_of_two(total, factor, kind, w)
        return total
    except UnfitError:
        if len(values) < 3:
            raise
        total = values[-1]
        for kind, factor in zip(reversed(kinds), reversed(values[:-1]), strict=True):
            total = product_of_two(factor, total, kind, w)
        return total


def product_of_two(a: Quantity, b: Quantity, kind: str, w: World) -> Quantity:
    if w.reading.entrywise and a.is_vector and b.is_vector and a.shape == b.shape:
        return hadamard(a, b, True)
    if kind in ("ast", "times") and not a.is_scalar and not b.is_scalar:
        try:
            return hadamard(a, b, w.reading.loose)
        except UnfitError:
            return multiply(a, b, loose=w.reading.loose)
    return multiply(a, b, kind == "cdot", w.reading.loose)


@evaluates(Hadamard)
def _hadamard(e: Hadamard, w: World) -> Quantity:
    if w.reading.tight and any(_may_part(f) for f in e.factors):
        return value(_tightened(e), replace(w, reading=replace(w.reading, tight=False)))
    total = value(e.factors[0], w)
    for factor in e.factors[1:]:
        total = hadamard(total, value(factor, w), w.reading.loose)
    return total


def _may_part(factor: Expr) -> bool:
    """Whether a product has no brackets around it, which would say what belongs together."""
    return isinstance(factor, Mul) and not isinstance(factor.tree, Fence)


def _tightened(e: Hadamard) -> Expr:
    """Return a b (*) c d as a (b (*) c) d."""
    left: list[Expr] = []
    middle: list[Expr] = []
    right: list[Expr] = []
    for i, factor in enumerate(e.factors):
        parts = factor.factors if isinstance(factor, Mul) and _may_part(factor) else (factor,)
        if i == 0:
            left, middle = list(parts[:-1]), [parts[-1]]
        elif i == len(e.factors) - 1:
            middle, right = [*middle, parts[0]], list(parts[1:])
        else:
            middle.append(factor)
    factors = (*left, Hadamard(tuple(middle)), *right)
    return Mul(factors, ("",) * (len(factors) - 1))


@evaluates(Outer)
def _outer(e: Outer, w: World) -> Quantity:
    a, b = value(e.left, w), value(e.right, w)
    if a.is_vector and b.is_vector:
        return column(np.multiply.outer(a.array, b.array))
    raise UnfitError(f"({a.shown}) x ({b.shown})")


@evaluates(Div)
def _div(e: Div, w: World) -> Quantity:
    top, bottom = value(e.top, w), value(e.bottom, w)
    if not bottom.is_scalar and not e.entrywise and not top.is_scalar and top.shape != bottom.shape:
        raise UnfitError(f"({top.shown}) / ({bottom.shown})")
    if bottom.is_scalar:
        with np.errstate(all="ignore"):
            return replace(top, array=top.array / bottom.array)
    top, bottom = alike(top, bottom, w.reading.loose)
    return replace(top, array=top.array / bottom.array)


@evaluates(Pow)
def _pow(e: Pow, w: World) -> Quantity:
    base, exponent = value(e.base, w), value(e.exponent, w)
    if base.is_scalar and not exponent.is_scalar:
        return replace(exponent, array=base.array**exponent.array)
    if not exponent.is_scalar:
        raise UnfitError(f"({base.shown})^({exponent.shown})")
    if w.reading.squares and base.is_vector and exponent.array == 2:
        return scalar((base.array * base.array).sum())
    with np.errstate(all="ignore"):
        return power(base, exponent.array)


@evaluates(Transpose)
def _transpose(e: Transpose, w: World) -> Quantity:
    return transpose(value(e.of, w))


@evaluates(Norm)
def _norm(e: Norm, w: World) -> Quantity:
    kind = e.kind or ("2" if w.reading.spectral else "F")
    return norm(value(e.of, w), kind)
