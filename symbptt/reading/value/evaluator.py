"""The value of an expression in a world: one short rule for each kind of expression."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ... import algebra as A
from ...evaluate.instance import STEP
from ...evaluate.numbers import function_of
from ..meaning.expr import (
    Add,
    Bound,
    Call,
    Cases,
    Condition,
    Constant,
    Counter,
    Deriv,
    Div,
    Entry,
    Expr,
    Extreme,
    Hadamard,
    Infinity,
    Matrix,
    Mul,
    Norm,
    Num,
    OneHot,
    Outer,
    Over,
    Pick,
    Pow,
    Ref,
    Series,
    Transpose,
    Unknown,
    with_index,
)
from ..meaning.index import Index
from ..notation.tree import Fence
from .arrays import ARRAYS, blocks
from .chance import IN_WORLD, after_the_end, oriented, truncated
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
from .series import OpenEndedError, TooShortError, indices_of, skeleton, terms_of
from .spectra import SPECTRA
from .world import Alias, NoStepError, NotEvaluatedError, NoValueError, World

DEEPEST = 40
"""How many definitions may lead from one to the next."""
MOST_TERMS = 2_000
"""The longest sum or product that is carried out."""
REAL_LINE = (0.0, *(sign * 1.15**i for i in range(-20, 25) for sign in (1, -1)))
"""Numbers among which a maximum over all numbers is looked for."""


def value(expr: Expr, world: World) -> Quantity:
    """Return the value of an expression.

    Raises
    ------
    UnfitError
        Where shapes do not fit.
    NoValueError, NoStepError
        For a symbol or a step without a value.
    NotEvaluatedError
        For what is not evaluated, with the reason.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from symbptt.reading.value.world import Meanings
    >>> two = Num(Fraction(2))
    >>> value(Add((1, -1), (two, Pow(two, two))), World(None, Meanings())).array
    array(-2.)
    """
    for pattern, right, letters in world.as_written:
        bound = _match(pattern, expr, letters, world)
        if bound is not None:
            inner = replace(world, as_written=tuple(w for w in world.as_written if w[0] is not pattern))
            return value(right, inner.counting(**bound))
    rule = _RULES.get(type(expr))
    if rule is None:
        raise NotEvaluatedError("check.reason.no-meaning")
    return rule(expr, world)


def _match(pattern: Expr, expr: Expr, letters: tuple[str, ...], world: World) -> dict[str, int] | None:
    """Return the values of the letters with which a pattern is the expression in a world."""
    if type(pattern) is not type(expr) or skeleton(pattern) != skeleton(expr):
        return None
    bound: dict[str, int] = {}
    try:
        pairs = [(index, world.at(other)) for index, other in zip(
            indices_of(pattern).values(), indices_of(expr).values(), strict=True
        )]  # fmt: skip
        for index, number in sorted(pairs, key=lambda pair: len(pair[0].letters)):
            unknown = [name for name in index.letters if name in letters and name not in bound]
            if len(unknown) == 1 and dict(index.terms)[unknown[0]] in (1, -1):
                sign = dict(index.terms)[unknown[0]]
                rest = index.replaced(unknown[0], Index())
                bound[unknown[0]] = sign * (number - world.counting(**bound).at(rest))
            elif world.counting(**bound).at(index) != number:
                return None
    except (NoValueError, ValueError):
        return None
    return bound


# -- leaves -------------------------------------------------------------------------------------------


def _num(e: Num, w: World) -> Quantity:
    try:
        return scalar(float(e.value))
    except OverflowError:
        raise NotEvaluatedError("check.reason.too-large") from None


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


def _counter(e: Counter, w: World) -> Quantity:
    if len(e.index.terms) == 1 and not e.index.constant and e.index.terms[0][1] == 1:
        name = e.index.terms[0][0]
        if name not in w.counters and not (name == "T" and w.steps is not None):
            return _ref(Ref(name), w)
    return scalar(float(w.at(e.index)))


def _entry(e: Entry, w: World) -> Quantity:
    whole = value(e.of, w)
    places = tuple(w.at(p) - 1 for p in e.places)
    if len(places) != len(whole.shape) or any(p < 0 or p >= n for p, n in zip(places, whole.shape, strict=True)):
        if whole.is_scalar and all(p == 0 for p in places):
            return whole
        raise NoStepError
    return scalar(whole.array[places])


# -- arithmetic ---------------------------------------------------------------------------------------


def _add(e: Add, w: World) -> Quantity:
    total = value(e.terms[0], w)
    if e.signs[0] < 0:
        total = replace(total, array=-total.array)
    for sign, term in zip(e.signs[1:], e.terms[1:], strict=True):
        total = add(total, value(term, w), sign, w.reading.loose)
    return total


def _mul(e: Mul, w: World) -> Quantity:
    return _multiplied([value(f, w) for f in e.factors], e.kinds, w)


def _multiplied(values: list[Quantity], kinds: tuple[str, ...], w: World) -> Quantity:
    """Multiply from the left; where that does not fit, from the right."""
    try:
        total = values[0]
        for kind, factor in zip(kinds, values[1:], strict=True):
            total = _two(total, factor, kind, w)
        return total
    except UnfitError:
        if len(values) < 3:
            raise
        total = values[-1]
        for kind, factor in zip(reversed(kinds), reversed(values[:-1]), strict=True):
            total = _two(factor, total, kind, w)
        return total


def _two(a: Quantity, b: Quantity, kind: str, w: World) -> Quantity:
    if w.reading.entrywise and a.is_vector and b.is_vector and a.shape == b.shape:
        return hadamard(a, b, True)
    if kind in ("ast", "times") and not a.is_scalar and not b.is_scalar:
        try:
            return hadamard(a, b, w.reading.loose)
        except UnfitError:
            return multiply(a, b, loose=w.reading.loose)
    return multiply(a, b, kind == "cdot", w.reading.loose)


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


def _outer(e: Outer, w: World) -> Quantity:
    a, b = value(e.left, w), value(e.right, w)
    if a.is_vector and b.is_vector:
        return column(np.multiply.outer(a.array, b.array))
    raise UnfitError(f"({a.shown}) x ({b.shown})")


def _div(e: Div, w: World) -> Quantity:
    top, bottom = value(e.top, w), value(e.bottom, w)
    if not bottom.is_scalar and not e.entrywise and not top.is_scalar and top.shape != bottom.shape:
        raise UnfitError(f"({top.shown}) / ({bottom.shown})")
    if bottom.is_scalar:
        with np.errstate(all="ignore"):
            return replace(top, array=top.array / bottom.array)
    top, bottom = alike(top, bottom, w.reading.loose)
    return replace(top, array=top.array / bottom.array)


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


def _transpose(e: Transpose, w: World) -> Quantity:
    return transpose(value(e.of, w))


def _norm(e: Norm, w: World) -> Quantity:
    kind = e.kind or ("2" if w.reading.spectral else "F")
    return norm(value(e.of, w), kind)


# -- functions ----------------------------------------------------------------------------------------


def _call(e: Call, w: World) -> Quantity:
    name = w.meanings.functions.get(e.name, e.name)
    if e.name in IN_WORLD:
        return IN_WORLD[e.name](e, w, value)
    own = w.meanings.functions.get(e.name)
    if e.name in SPECTRA and not own:
        return SPECTRA[e.name]([value(a, w) for a in e.arguments])
    if e.name in ARRAYS and not own:
        return ARRAYS[e.name]([value(a, w) for a in e.arguments])
    if name == "softmax" and not e.primes:
        return _softmax(value(e.arguments[0], w))
    entry = A.FUNCTIONS.get(name)
    if entry is None or len(e.arguments) != 1:
        if w.guess and not e.primes:
            return _unknown_function(e, w)
        raise NoValueError(e.name)
    function = entry.function
    for _ in range(e.primes):
        function = function.prime
    argument = value(e.arguments[0], w)
    with np.errstate(all="ignore"):
        result = np.asarray(function_of(function)(argument.array))
    return replace(argument, array=np.broadcast_to(result, np.shape(argument.array)))


def _unknown_function(e: Call, w: World) -> Quantity:
    """A smooth function of numbers, always the same for a name."""
    total: Any = 0.0
    for i, argument in enumerate(e.arguments):
        rng = np.random.default_rng([w.seed, i, *e.name.encode()])
        a, b, c = rng.uniform(0.5, 1.5, 3)
        inner = value(argument, w)
        if not inner.is_scalar:
            raise NoValueError(e.name)
        total = total + a * np.tanh(b * inner.array + c) + 0.3 * inner.array * (total if i else 1.0)
    return scalar(total)


def _softmax(q: Quantity) -> Quantity:
    axis = -1 if q.rows and q.columns else None
    powers = np.exp(q.array - np.max(np.real(q.array), axis=axis, keepdims=axis is not None))
    return replace(q, array=powers / powers.sum(axis=axis, keepdims=axis is not None))


# -- over indices -------------------------------------------------------------------------------------


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
        total = add(total, part, 1, w.reading.loose) if e.kind == "sum" else _two(total, part, "cdot", w)
    return total


EMPTY = replace(scalar(1.0), fill="one")
"""The empty product: 1 among numbers, and the identity beside matrices."""


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


def _series(e: Series, w: World) -> Quantity:
    if w.reading.empty and e.kind == "product" and _is_empty(e, w):
        rest = (*e.before[:-1], *e.after[1:])
        return _multiplied([value(f, w) for f in rest], ("",) * (len(rest) - 1), w) if rest else EMPTY
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
        return _multiplied(values, ("cdot",) * (len(values) - 1), w)
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


def _extreme(e: Extreme, w: World) -> Quantity:
    if e.kind not in ("max", "min", "sup", "inf"):
        raise NotEvaluatedError("check.reason.asymptotic")
    pick = np.max if e.kind in ("max", "sup") else np.min
    if e.index is not None and not _over_steps(e):
        points = [np.real(value(e.body, w.counting(**{e.index: x})).array) for x in REAL_LINE]  # type: ignore[arg-type]
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


# -- arrays -------------------------------------------------------------------------------------------


def _matrix(e: Matrix, w: World) -> Quantity:
    rows = [[value(cell, w) for cell in row] for row in e.rows]
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise UnfitError(" / ".join(str(len(row)) for row in rows))
    if all(q.is_scalar and not q.fill for row in rows for q in row):
        array = np.array([[q.array for q in row] for row in rows])
        if width == 1 and len(rows) > 1:
            return column(array[:, 0])
        return Quantity(array[0], (), (width,)) if len(rows) == 1 and width > 1 else (
            scalar(array[0, 0]) if array.size == 1 else column(array)
        )  # fmt: skip
    if len(rows) == 1 and all(q.rows and not q.columns for q in rows[0]):
        return ARRAYS["concat"](rows[0])
    if w.units is None and _leaves_sizes_open(rows):
        raise NotEvaluatedError("check.reason.no-meaning")
    return blocks(rows, w.units)


def _leaves_sizes_open(rows: list[list[Quantity]]) -> bool:
    """Whether a number stands among blocks, and nothing beside it says its size."""
    numbers = [[q.is_scalar for q in row] for row in rows]
    lonely = any(map(all, numbers)) or any(all(column) for column in zip(*numbers, strict=True))
    square = len(rows) == len(rows[0]) and any(q.fill for row in rows for q in row)
    return lonely and not square and not all(map(all, numbers))


def _deriv(e: Deriv, w: World) -> Quantity:
    if e.order > 1 or len(e.by) != 1:
        raise NotEvaluatedError("check.reason.second-order")
    if w.as_written:
        w = replace(w, as_written=())  # a figure in the place of a symbol has no derivative
    by = e.by[0]
    while isinstance(by, Transpose):
        by = by.of
    parts, flat = _taken_by(by)
    mode = e.mode or w.reading.modes.get(e.number, "total")
    if ":" in mode:
        return truncated(e, w)
    base = value(e.of, w)
    if any(isinstance(part, Deriv) for part in e.of.walk()):
        raise NotEvaluatedError("check.reason.second-order")
    array = _measured(e.of, parts, base, flat, mode, w)
    shape = array.shape[len(base.shape) :]
    if mode != "total" and not e.mode and not array.any() and _measured(e.of, parts, base, flat, "total", w).any():
        raise NoStepError  # a reading under which a formula says 0 = 0 is none
    if w.reading.entrywise and len(base.shape) == 1 and base.shape == shape and _is_diagonal(array):
        return column(np.diagonal(array).copy())
    if w.reading.turned and base.is_scalar and len(shape) == 2:
        return Quantity(array.T, shape[1:], shape[:1])
    if w.reading.gradients and base.is_scalar and not flat:
        beyond = after_the_end(e.of, parts, w)
        like = value(replace(parts[0], when=w.last) if beyond else parts[0], w)
        return Quantity(array, like.rows, like.columns)
    return oriented(array, base, shape, w)


def _taken_by(by: Expr) -> tuple[tuple[Ref, ...], bool]:
    """Return what a derivative is taken by, and whether its entries are counted through: of several, or of vec(W)."""
    if isinstance(by, Ref):
        return (by,), False
    if isinstance(by, Call) and by.name == "vec" and isinstance(by.arguments[0], Ref):
        return (by.arguments[0],), True
    found = by.children
    parts = tuple(part for part in found if isinstance(part, Ref))
    if not isinstance(by, Matrix) or len(parts) != len(found):
        raise NotEvaluatedError("check.reason.derivative-by")
    return parts, True


def _measured(of: Expr, parts: tuple[Ref, ...], base: Quantity, flat: bool, mode: str, w: World) -> Any:
    """Return a derivative as an array of shape ``(*base.shape, *shape)``; flat, with one axis for all entries."""
    beyond = after_the_end(of, parts, w)
    places = [replace(part, when=None if part.when is None else w.last) if beyond else part for part in parts]
    shapes = [_shape_of(part, w) for part in places]
    beside = parts if len(parts) > 1 else ()
    entries = []
    for part, shape in zip(parts, shapes, strict=True):
        for place in range(int(np.prod(shape, dtype=int))):
            if beyond:
                entries.append(np.zeros(base.shape))
                continue
            changed = value(of, w.perturbed(part, place, shape, mode, of, beside))
            entries.append(np.imag(np.broadcast_to(changed.array, base.shape)) / STEP)
    found = (len(entries),) if flat else shapes[0]
    if not entries:
        return np.zeros((*base.shape, *found))
    return np.reshape(np.stack(entries, axis=-1), (*base.shape, *found), order="F")


def _is_diagonal(array: Any) -> bool:
    off = array - np.diag(np.diagonal(array))
    return bool(np.abs(off).max(initial=0.0) <= 1e-12 * max(1.0, float(np.abs(array).max(initial=0.0))))


def _shape_of(by: Ref, w: World) -> tuple[int, ...]:
    found = w.quantity(by)
    return value(by, w).shape if isinstance(found, Alias) else found.shape


def _cases(e: Cases, w: World) -> Quantity:
    for result, condition in e.pieces:
        if condition is not None and not isinstance(condition, Condition):
            raise NotEvaluatedError("check.reason.cases")
        if condition is None or _holds(condition, w):
            return value(result, w)
    raise NotEvaluatedError("check.reason.cases")


def _pick(e: Pick, w: World) -> Quantity:
    whole, chosen = value(e.of, w), value(e.chosen, w)
    if whole.shape != chosen.shape:
        raise NoValueError("class")
    return scalar((whole.array * chosen.array).sum())


def _one_hot(e: OneHot, w: World) -> Quantity:
    return value(e.chosen, w)


def _constant(e: Constant, w: World) -> Quantity:
    size = w.units[2] if w.units is not None else 0
    if not size:
        return replace(scalar(1.0), fill=e.kind)
    return column(np.eye(size) if e.kind == "identity" else np.ones(size))


def _holds(condition: Condition, w: World) -> bool:
    values = [value(operand, w) for operand in condition.operands]
    if any(not q.is_scalar for q in values) or not set(condition.relations) <= set(_RELATIONS):
        raise NotEvaluatedError("check.reason.cases")
    numbers = [float(np.real(q.array)) for q in values]
    pairs = zip(condition.relations, numbers, numbers[1:], strict=False)
    return all(_RELATIONS[relation](a, b) for relation, a, b in pairs)


_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "le": operator.le, ">": operator.gt, "ge": operator.ge, "=": operator.eq, "ne": operator.ne,
}  # fmt: skip


def _infinity(e: Infinity, w: World) -> Quantity:
    return scalar(np.inf)


def _unknown(e: Unknown, w: World) -> Quantity:
    raise NotEvaluatedError(e.key)


_RULES: dict[type, Callable[[Any, World], Quantity]] = {
    Num: _num,
    Ref: _ref,
    Counter: _counter,
    Entry: _entry,
    Add: _add,
    Mul: _mul,
    Hadamard: _hadamard,
    Outer: _outer,
    Div: _div,
    Pow: _pow,
    Transpose: _transpose,
    Norm: _norm,
    Call: _call,
    Bound: _bound,
    Over: _over,
    Series: _series,
    Extreme: _extreme,
    Matrix: _matrix,
    Deriv: _deriv,
    Cases: _cases,
    Infinity: _infinity,
    Pick: _pick,
    OneHot: _one_hot,
    Constant: _constant,
    Unknown: _unknown,
}
"""Kind of expression -> its value."""

__all__ = ["value", "with_index"]
