"""Worlds that meet what a note assumes: numbers for its constants, tight ones and loose ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from ..meaning.expr import Call, Counter, Deriv, Expr, Extreme, Norm, Pow, Ref, letters_of
from ..meaning.index import letter
from ..notation.tree import Chain
from ..value.evaluator import value
from ..value.quantity import UnfitError
from ..value.world import NoStepError, NotEvaluatedError, NoValueError, World
from .compare import _allowed
from .hypotheses import FLIPPED, SLOPE, Hypothesis, Known, arguments_in, constants_in, key_of
from .network import Built
from .variants import grid, slopes

Array = Any
SLACK = 1e-7
MOST = 16
"""Of so many assignments of indices, where there are more."""
FREE = (0.4, 0.95, 1.0, 1.6)
"""Values of a constant that nothing bounds."""


class UnusableError(Exception):
    """A hypothesis, or a claim, that cannot be evaluated; the reason is its cause."""


def magnitudes(e: Expr, entrywise: bool = False) -> Expr:
    """Return an expression with bars around vectors and matrices as norms; of f' the largest entry."""

    def rule(part: Expr) -> Expr:
        if isinstance(part, Norm) and part.kind == "abs":
            largest = (isinstance(part.of, Call) and part.of.primes) or (entrywise and not isinstance(part.of, Deriv))
            return replace(part, kind="inf" if largest else "")
        return part

    return e.mapped(rule)


def prepared(e: Expr, functions: Collection[str], known: Known) -> Expr:
    """Return an expression with a bare f' as the slope of the activation, a bare maximum as one over all numbers."""

    def rule(part: Expr) -> Expr:
        if isinstance(part, Ref) and part.key.endswith("'") and part.key.rstrip("'") in functions:
            return Call(SLOPE, (), tree=part.tree)
        bare = isinstance(part, Call) and part.name in ("max", "min") and len(part.arguments) == 1
        if bare or (isinstance(part, Extreme) and part.index is None):
            body = part.children[0]
            free = sorted(arguments_in([body], known))
            if len(free) == 1:
                name, kind = free[0], getattr(part, "name", "") or getattr(part, "kind", "")
                body = body.mapped(lambda p: Counter(letter(name)) if p == Ref(name) else p)
                return Extreme(kind, name, body, tree=part.tree)
        return part

    return e.mapped(rule)


def numbers(e: Expr, world: World, built: Built | None) -> Array:
    """Return the value of one side of a relation.

    Raises
    ------
    NoStepError
        For a step that an instance does not have.
    UnusableError
        For what has no value.
    """
    inner = e.of if isinstance(e, Norm) else e
    if isinstance(inner, Call) and inner.name == SLOPE:
        if built is None or world.instance is None:
            raise UnusableError from NoValueError(SLOPE)
        return slopes(world, built)
    try:
        with np.errstate(all="ignore"):
            return np.real(value(magnitudes(e, world.reading.entrywise), world).array)
    except (NoValueError, NotEvaluatedError, UnfitError) as error:
        raise UnusableError from error
    except (ValueError, OverflowError, FloatingPointError, np.linalg.LinAlgError) as error:
        raise UnusableError from NotEvaluatedError("check.reason.too-large", detail=str(error))


def places(
    exprs: Sequence[Expr], conditions: tuple[Chain, ...], world: World, known: Known, first: int = 1
) -> Iterator[World]:
    """Yield a world for every value of the indices, from ``first`` on, and of the arguments of functions."""
    letters = set().union(*(letters_of(e) for e in exprs)) - set(world.counters)
    letters -= {"T"} if world.steps is not None else set(world.meanings.constants)
    names, free = sorted(letters), sorted(arguments_in(exprs, known) - set(world.meanings.constants))
    if len(names) > 3 or len(free) > 1:
        raise UnusableError from NotEvaluatedError("check.reason.no-meaning")
    choices = list(product(range(first, (world.steps or 6) + 1), repeat=len(names)))
    if len(choices) > MOST:
        picked = np.random.default_rng(world.seed).choice(len(choices), 4 * MOST, replace=len(choices) < 4 * MOST)
        choices = [choices[i] for i in sorted(set(picked.tolist()))]
    worlds = [world.counting(**dict(zip(names, chosen, strict=True))) for chosen in choices]
    kept = [w for w in worlds if _allowed(conditions, w) and all(_forward(e, w) for e in exprs)]
    for w in kept[:: max(len(kept) // MOST, 1)]:
        if not free:
            yield w
        for number in grid() if free else ():
            yield with_constants(w, {free[0]: number})


def _forward(e: Expr, world: World) -> bool:
    """Whether exponents are not negative and no derivative is taken by what comes later, where a note says nothing."""
    for part in e.walk():
        try:
            if isinstance(part, Pow) and letters_of(part.exponent) and value(part.exponent, world).array < 0:
                return False
            of, by = (part.of, part.by[0]) if isinstance(part, Deriv) else (None, None)
            steps = [r.when for r in (of, by) if isinstance(r, Ref) and r.when is not None]
            if len(steps) == 2 and world.at(steps[0]) < world.at(steps[1]):
                return False
        except (NoValueError, NotEvaluatedError, NoStepError, UnfitError):
            continue
    return True


def with_constants(world: World, numbers: dict[str, Any]) -> World:
    """Return a world with numbers for constants."""
    meanings = replace(world.meanings, constants={**world.meanings.constants, **numbers})
    return replace(world, meanings=meanings)


def related(x: Array, kind: str, y: Array) -> bool:
    """Whether two values are related, entry by entry where one is a number.

    >>> related(np.ones(2), "le", np.array(1.0)), related(np.ones(2), "<", np.array(0.5))
    (True, False)
    """
    scale = max(float(np.abs(x).max(initial=0.0)), float(np.abs(y).max(initial=0.0)))
    slack = SLACK * scale + 1e-300
    if kind in ("=", "equiv", ":="):
        return bool((np.abs(x - y) <= slack + 1e-14).all())
    if kind == "approx":
        return bool((np.abs(x - y) <= 0.05 * scale + 1e-12).all())
    return bool((x <= y + slack).all() if kind in ("<", "le") else (x >= y - slack).all())


def satisfied(h: Hypothesis, world: World, known: Known, built: Built | None) -> bool:
    """Whether a world is as a hypothesis says."""
    for w in places(h.sides, h.conditions, world, known, 0):
        try:
            x, y = (numbers(side, w, built) for side in h.sides)
        except NoStepError:
            continue
        if not related(x, h.kind, y) or (h.kind in "<>" and related(x, "=", y) and np.size(x) == 1 and _sharp(h)):
            return False
    return True


def _sharp(h: Hypothesis) -> bool:
    """Whether a strict inequality is meant strictly: between numbers, and not for the supremum of something."""
    return not any(isinstance(p, Deriv) or (isinstance(p, Call) and p.name == SLOPE) for s in h.sides for p in s.walk())


def meeting(
    world: World, hypotheses: Sequence[Hypothesis], wanted: set[str], known: Known, built: Built | None
) -> Iterator[World]:
    """Yield a world with numbers for all constants that its hypotheses allow; nothing where they allow none.

    Raises
    ------
    UnusableError
        Where a hypothesis cannot be evaluated.
    """
    remaining = sorted(wanted - set(world.meanings.constants))
    if not remaining:
        exact = {key_of(s) for h in hypotheses if h.kind == "=" for s in map(_inside, h.sides) if isinstance(s, Ref)}
        settled = [h for h in hypotheses if not _bounds(h, wanted - exact, known)]
        if all(satisfied(h, world, known, built) for h in settled):
            yield world
        return
    key = min(remaining, key=lambda k: _tied(k, remaining, hypotheses, known))
    for number in _candidates(key, world, hypotheses, known, built):
        yield from meeting(with_constants(world, {key: number}), hypotheses, wanted, known, built)


def _bounds(h: Hypothesis, wanted: set[str], known: Known) -> bool:
    """Whether a hypothesis is met by the choice of a constant: it stands on one side, and no other on the other."""
    return any(
        isinstance(side, Ref) and key_of(side) in wanted and not constants_in([other], known)
        for side, other in (h.sides, h.sides[::-1])
    )


def _tied(key: str, remaining: list[str], hypotheses: Sequence[Hypothesis], known: Known) -> int:
    """Return how many other constants without a value stand in what bounds a constant; many where nothing does."""
    found = [
        len(constants_in([other], known) & set(remaining))
        for h in hypotheses
        for side, other in (h.sides, h.sides[::-1])
        if _is(side, key)
    ]
    return min(found, default=99)


def _inside(side: Expr) -> Expr:
    return side.of if isinstance(side, Norm) else side


def _is(side: Expr, key: str) -> bool:
    inner = _inside(side)
    return isinstance(inner, Ref) and key_of(inner) == key


@dataclass
class _Range:
    """Between which numbers a constant lies; an end is open where a note says "less than a number"."""

    low: float = -np.inf
    high: float = np.inf
    open_low: bool = False
    open_high: bool = False
    exact: float | None = None
    signs: bool = False

    def take(self, kind: str, found: Array, strict: bool) -> None:
        """Take a bound."""
        least, most = float(np.min(found)), float(np.max(found))
        if kind in ("<", "le"):
            self.high, self.open_high = (least, strict) if least < self.high else (self.high, self.open_high)
        elif kind in (">", "ge"):
            self.low, self.open_low = (most, strict) if most > self.low else (self.low, self.open_low)
        else:
            self.exact = most

    def values(self) -> list[float]:
        """Return the least and the largest number, or what is near them."""
        low, high = self.low, self.high
        if self.exact is not None:
            return [self.exact]
        if np.isfinite(low) and np.isfinite(high):
            if low > high or (low == high and (self.open_low or self.open_high)):
                return []
            gap = high - low
            return [low + (0.05 if self.open_low else 1e-9) * gap, high - (0.02 if self.open_high else 1e-9) * gap]
        if np.isfinite(low):
            start = low if self.open_low else max(low, 0.0)
            return [start + (0.02 * abs(start) + 0.01 if self.open_low else 1e-9), 1.5 * abs(start) + 0.2]
        if np.isfinite(high):
            return [0.98 * high, 0.5 * high] if high > 0 else [1.02 * high - 0.01]
        return list(FREE)


def _candidates(
    key: str, world: World, hypotheses: Sequence[Hypothesis], known: Known, built: Built | None
) -> list[float]:
    """Return values of a constant: the least and the largest that its bounds allow."""
    found = _Range()
    for h in hypotheses:
        for side, kind, other in ((h.left, h.kind, h.right), (h.right, FLIPPED.get(h.kind, h.kind), h.left)):
            if not _is(side, key):
                continue
            found.signs = found.signs or isinstance(side, Norm)
            if constants_in([other], known) - set(world.meanings.constants):
                continue
            for w in places([other], h.conditions, world, known, 0):
                try:
                    found.take(kind, numbers(other, w, built), kind in "<>" and _sharp(h))
                except NoStepError:
                    continue
    return [s * c for c in found.values() for s in ((1, -1) if found.signs else (1,))]
