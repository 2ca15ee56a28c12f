"""The value of sums, products, series and maxima over an index."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..meaning.expr import (
    Bound,
    Entry,
    Extreme,
    Over,
    Ref,
    Series,
    Transpose,
)
from ..meaning.index import Index
from .arithmetic import multiplied, product_of_two
from .quantity import (
    Quantity,
    add,
    scalar,
)
from .rules import evaluates, value
from .series import OpenEndedError, TooShortError, indices_of, skeleton, terms_of
from .world import NoStepError, NotEvaluatedError, World

MOST_TERMS = 2_000
"""The longest sum or product that is carried out."""
REAL_LINE = (0.0, *(sign * 1.15**i for i in range(-20, 25) for sign in (1, -1)))
"""Numbers among which a maximum over all numbers is looked for."""


@evaluates(Bound)
def _bound(e: Bound, w: World) -> Quantity:
    steps, lenient = _range(e, w)
    parts: list[Quantity] = []
    for step in steps:
        try:
            parts.append(value(e.body, w.counting(**{e.index: step})))
        except NoStepError:
            if not lenient:
                raise
    if not parts:
        return scalar(0.0) if e.kind == "sum" else EMPTY
    if e.kind == "prod" and w.reading.newest_left:
        parts.reverse()
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part, 1, w.reading.loose) if e.kind == "sum" else product_of_two(total, part, "cdot", w)
    return total


EMPTY = replace(scalar(1.0), fill="one")
"""The empty product: 1 among numbers, and the identity beside matrices."""


@evaluates(Over)
def _over(e: Over, w: World) -> Quantity:
    low, high = (_whole(value(end, w)) for end in (e.low, e.high))
    return _bound(Bound(e.kind, e.index, Index((), low), Index((), high), e.body), w)


def _whole(q: Quantity) -> int:
    if not q.is_scalar or float(np.real(q.array)) != round(float(np.real(q.array))):
        raise NotEvaluatedError("check.reason.no-bounds")
    return round(float(np.real(q.array)))


def _range(e: Bound, w: World) -> tuple[list[int], bool]:
    """Return the values of the index of a sum, and whether steps that do not exist are left out."""
    if e.low is not None and e.high is not None:
        low, high = w.at(e.low), w.at(e.high)
        if high - low > MOST_TERMS:
            raise NotEvaluatedError("check.reason.too-large")
        if high < low - 1:
            raise NoStepError
        return list(range(low, high + 1)), False
    size = _component(e, w)
    if size is not None:
        return list(range(1, size + 1)), False
    total = w.steps
    if total is None:
        raise NotEvaluatedError("check.reason.no-bounds")
    low = w.at(e.low) if e.low is not None else 1
    high = w.at(e.high) if e.high is not None else total
    found = [s for s in range(min(low, 0), high + 1) if _allowed(e, w, s)] if e.conditions else range(low, high + 1)
    return [s for s in found if s >= min(low, 1) or e.conditions], True


def _allowed(e: Bound, w: World, step: int) -> bool:
    inner = w.counting(**{e.index: step})
    tests = {"<": int.__lt__, "le": int.__le__, ">": int.__gt__, "ge": int.__ge__, "ne": int.__ne__}
    return step >= 1 and all(tests[kind](inner.at(a), inner.at(b)) for kind, a, b in e.conditions)


def _component(e: Bound, w: World) -> int | None:
    """Return the length of the axis that an index runs along, where it counts components."""
    for part in e.body.walk():
        if isinstance(part, Entry):
            for axis, place in enumerate(part.places):
                if e.index in place.letters:
                    shape = value(part.of, w.counting(**{e.index: 1})).shape
                    return shape[axis] if axis < len(shape) else 1
    return None


@evaluates(Series)
def _series(e: Series, w: World) -> Quantity:
    if w.reading.empty and e.kind == "product" and _is_empty(e, w):
        rest = (*e.before[:-1], *e.after[1:])
        return multiplied([value(f, w) for f in rest], ("",) * (len(rest) - 1), w) if rest else EMPTY
    try:
        terms = terms_of(e, w.at, w.reading.repeats)
    except OpenEndedError:
        raise NotEvaluatedError("check.reason.open-ended") from None
    except TooShortError:
        raise NoStepError from None
    if len(terms) > MOST_TERMS:
        raise NotEvaluatedError("check.reason.too-large")
    values = [value(term, w) for _, term in terms]
    if not values:
        return replace(scalar(1.0), fill="identity")
    if e.kind == "product":
        return multiplied(values, ("cdot",) * (len(values) - 1), w)
    total = values[0] if terms[0][0] > 0 else replace(values[0], array=-values[0].array)
    for (sign, _), part in zip(terms[1:], values[1:], strict=True):
        total = add(total, part, sign, w.reading.loose)
    return total


def _is_empty(e: Series, w: World) -> bool:
    """Whether the ends of a product of factors along time have passed each other by one step."""
    last, first = e.before[-1], e.after[0]
    keys = [w.model_key(part.key, w.at(part.when)) for part in first.walk() if isinstance(part, Ref) and part.when]
    names = {key[0] for key in keys if key is not None}
    if w.instance is None or skeleton(last) != skeleton(first) or not names:
        return False
    system = w.instance.system
    ahead = -1 if isinstance(first, Transpose) else 1  # transposed, the factors stand in the other order
    towards = {ahead * system.direction_of(name) for name in names if name in system.by_name} or {ahead}
    here, there = ([w.at(index) for index in indices_of(part).values()] for part in (last, first))
    return {b - a for a, b in zip(here, there, strict=True)} - {0} == towards


@evaluates(Extreme)
def _extreme(e: Extreme, w: World) -> Quantity:
    if e.kind not in ("max", "min", "sup", "inf"):
        raise NotEvaluatedError("check.reason.asymptotic")
    pick = np.max if e.kind in ("max", "sup") else np.min
    if e.index is not None and not _over_steps(e):
        points = [np.real(value(e.body, w.counting(**{e.index: x})).array) for x in REAL_LINE]
        return scalar(pick(np.array(points)))
    if e.index is None or w.steps is None:
        found = value(e.body, w)
        return scalar(pick(np.real(found.array)))
    values = []
    for step in range(1, w.steps + 1):
        try:
            values.append(np.real(value(e.body, w.counting(**{e.index: step})).array))
        except NoStepError:
            continue
    if not values:
        raise NoStepError
    return scalar(pick(np.array(values)))


def _over_steps(e: Extreme) -> bool:
    """Whether the letter of a maximum counts steps or components; otherwise it is any number: max_z |f'(z)|."""
    places = [p.when for p in e.body.walk() if isinstance(p, Ref) and p.when is not None]
    places += [place for p in e.body.walk() if isinstance(p, Entry) for place in p.places]
    return any(e.index in place.letters for place in places)
