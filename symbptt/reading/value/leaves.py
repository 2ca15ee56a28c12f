"""The value of symbols, numbers and constants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..meaning.expr import (
    Constant,
    Counter,
    Entry,
    Infinity,
    Num,
    OneHot,
    Ref,
    Unknown,
)
from .quantity import (
    Quantity,
    column,
    scalar,
)
from .rules import evaluates, value
from .world import NoStepError, NotEvaluatedError, World

DEEPEST = 40
"""How many definitions may lead from one to the next."""


@evaluates(Num)
def _num(e: Num, w: World) -> Quantity:
    try:
        return scalar(float(e.value))
    except OverflowError:
        raise NotEvaluatedError("check.reason.too-large") from None


@evaluates(Ref)
def _ref(e: Ref, w: World) -> Quantity:
    found = w.quantity(e)
    if isinstance(found, Quantity):
        return found
    step = None if e.when is None else w.at(e.when)
    inner = w if found.letter is None or step is None else w.counting(**{found.letter: step})
    # A reading of the derivatives in a formula is not one of those in a definition that it uses.
    if w.depth > DEEPEST:
        raise NotEvaluatedError("check.reason.too-large")
    result = value(found.expr, replace(inner, reading=replace(w.reading, modes={}), depth=w.depth + 1))
    shift = w.shifted.get((e.key, step))
    return result if shift is None else replace(result, array=result.array + shift)


@evaluates(Counter)
def _counter(e: Counter, w: World) -> Quantity:
    if len(e.index.terms) == 1 and not e.index.constant and e.index.terms[0][1] == 1:
        name = e.index.terms[0][0]
        if name not in w.counters and not (name == "T" and w.steps is not None):
            return _ref(Ref(name), w)
    return scalar(float(w.at(e.index)))


@evaluates(Entry)
def _entry(e: Entry, w: World) -> Quantity:
    whole = value(e.of, w)
    places = tuple(w.at(p) - 1 for p in e.places)
    if len(places) != len(whole.shape) or any(p < 0 or p >= n for p, n in zip(places, whole.shape, strict=True)):
        if whole.is_scalar and all(p == 0 for p in places):
            return whole
        raise NoStepError
    return scalar(whole.array[places])


@evaluates(OneHot)
def _one_hot(e: OneHot, w: World) -> Quantity:
    return value(e.chosen, w)


@evaluates(Constant)
def _constant(e: Constant, w: World) -> Quantity:
    size = w.units[2] if w.units is not None else 0
    if not size:
        return replace(scalar(1.0), fill=e.kind)
    return column(np.eye(size) if e.kind == "identity" else np.ones(size))


@evaluates(Infinity)
def _infinity(e: Infinity, w: World) -> Quantity:
    return scalar(np.inf)


@evaluates(Unknown)
def _unknown(e: Unknown, w: World) -> Quantity:
    raise NotEvaluatedError(e.key)
