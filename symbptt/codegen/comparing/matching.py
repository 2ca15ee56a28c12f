"""Whether an array is what a mistaken backward pass gives, as it is or with a sign, a factor or a transpose in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...evaluate.numbers import Array
from .result import Cause

_CLEAR = 0.2
"""What a mistake leaves unexplained must be less than this share of the error that it explains."""
FACTOR = "factor"
_ENOUGH = 3
"""So many entries it takes for a factor that is no size of the model."""


@dataclass(frozen=True)
class Target:
    """One given array.

    Attributes
    ----------
    kind, key : str
    given, true, allowed : array
        In the shape of the given one; how far an entry may be off.
    wrong : bool
    form : callable
        From an array as passes give it to the shape of the given one.
    """

    kind: str
    key: str
    given: Array
    true: Array
    allowed: Array
    wrong: bool
    form: Callable[[Array], Array]


@dataclass(frozen=True)
class Match:
    """How an array fits: with what in it, and how far it is off, in units of what is allowed."""

    causes: tuple[Cause, ...]
    residual: float

    @property
    def cost(self) -> int:
        """How much is supposed; a factor that nothing accounts for is much."""
        return sum(3 if cause.name == FACTOR else 1 for cause in self.causes)


def match(target: Target, found: Array, factors: Mapping[str, float], plain: bool = False) -> Match | None:
    """Return how an array of a mistaken pass explains a target, or None; ``plain`` allows for nothing in between."""
    candidate = target.form(found)
    for causes, turned in _turned(candidate, plain):
        for more, factor in [((), 1.0), *([] if plain else _factors(target, turned, factors))]:
            residual = _residual(target, factor * turned)
            if residual is not None:
                return Match((*causes, *more), residual)
    return None


def _turned(candidate: Array, plain: bool) -> Iterator[tuple[tuple[Cause, ...], Array]]:
    yield (), candidate
    if not plain and candidate.ndim == 2 and candidate.shape[0] == candidate.shape[1] > 1:
        yield (Cause("transposed"),), candidate.T


def _residual(target: Target, candidate: Array) -> float | None:
    """Return the largest error in units of what is allowed, or None where it is too large."""
    if not np.isfinite(candidate).all():
        return None
    largest = float(np.abs(target.true).max(initial=0.0))
    grown = max(1.0, float(np.abs(candidate).max(initial=0.0)) / largest) if largest else 1.0
    error = np.abs(target.given - candidate)
    scale = target.allowed * grown
    if not (error <= scale).all():
        return None
    if target.wrong and error.max() > _CLEAR * np.abs(target.given - target.true).max():
        return None
    return float((error / np.where(scale > 0, scale, 1.0)).max(initial=0.0))


def _factors(target: Target, turned: Array, named: Mapping[str, float]) -> list[tuple[tuple[Cause, ...], float]]:
    """Return the factors that an array may have in it: those with a name that are near, and the one that fits best."""
    square = float((turned * turned).sum())
    fits = float((target.given * turned).sum()) / square if square else 0.0
    if not np.isfinite(fits) or fits == 0:
        return []
    found: list[tuple[tuple[Cause, ...], float]] = []
    sign = (Cause("sign"),) if fits < 0 else ()
    for causes, size in _named(named):
        if abs(abs(fits) / size - 1) < 0.05 and (causes or sign):
            found.append(((*sign, *causes), size if fits > 0 else -size))
    if turned.size >= _ENOUGH:
        found.append(((*sign, Cause(FACTOR, (("factor", abs(fits)),))), fits))
    return found


def _named(named: Mapping[str, float]) -> Iterator[tuple[tuple[Cause, ...], float]]:
    """Yield the sizes of factors that people leave out or put in, with what they are."""
    yield (), 1.0
    yield (Cause("double"),), 2.0
    yield (Cause("half"),), 0.5
    seen: dict[float, list[str]] = {}
    for name, size in named.items():
        if size > 1:
            seen.setdefault(float(size), []).append(name)
    for size, names in seen.items():
        values = (("size", " = ".join([*names, f"{size:g}"])),)
        yield (Cause("sum", values),), size
        yield (Cause("mean", values),), 1 / size
