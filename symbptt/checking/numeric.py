"""Derivatives of a function of one number by differences that are extrapolated, with an estimate of their error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb, isfinite, sqrt

_LEVELS = 6
_SHRINK = 8.0
_ORDER = 6
_TRUSTED = 10.0
"""Times the rounding error: what the extrapolation may still change where it has converged."""


@dataclass(frozen=True)
class Slope:
    """A derivative, the error that rounding and extrapolation leave in it, and whether there is one at all."""

    value: float
    error: float
    smooth: bool


def slope(along: Callable[[float], float], here: float, noise: float, step: float) -> Slope:
    """Return the derivative of a function at 0.

    Central differences at h, h/2 and h/4 are extrapolated (Richardson), which leaves an error of h^6. Where the three
    do not agree, or where the differences to the left and to the right do not approach each other, h is made smaller:
    there may be a kink nearby. If that goes on to the end, there is one right here.

    Parameters
    ----------
    along : callable
        Of one number; what it gives may be nan.
    here : float
        Its value at 0.
    noise : float
        Error of its values.
    step : float
        The first h.

    Examples
    --------
    >>> from math import exp
    >>> found = slope(exp, 1.0, 1e-16, 1e-3)
    >>> abs(found.value - 1) <= found.error < 1e-11, found.smooth
    (True, True)
    >>> slope(abs, 0.0, 1e-16, 1e-3).smooth, round(slope(lambda x: abs(x - 1e-5), 1e-5, 1e-16, 1e-3).value, 9)
    (False, -1.0)
    """
    best = Slope(float("nan"), float("inf"), False)
    h = step
    for _ in range(_LEVELS):
        steps = (h, h / 2, h / 4)
        ups, downs = [along(s) for s in steps], [along(-s) for s in steps]
        if all(map(isfinite, (*ups, *downs))):
            coarse, middle, fine = ((u - d) / (2 * s) for u, d, s in zip(ups, downs, steps, strict=True))
            first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
            value = (16 * second - first) / 15
            rounding = noise / steps[2]
            error = rounding + abs(value - second)
            jumps = [abs(u - 2 * here + d) / s for u, d, s in zip(ups, downs, steps, strict=True)]
            near = jumps[2] <= max(0.5 * jumps[0], _TRUSTED * 4 * rounding)
            if near and abs(value - second) <= _TRUSTED * rounding:
                return Slope(value, error, True)
            if near and error < best.error:
                # Not settled, but no kink either: usable if its error is small beside its value.
                best = Slope(value, error, error <= 1e-4 * abs(value))
        h /= _SHRINK
    return best


def noise_of(along: Callable[[float], float], step: float) -> float | None:
    """Return the error of the values of a function, seen in differences of a high order, where a smooth part vanishes.

    Values on one side of 0 are taken, and then on the other: there may be a kink at 0. None if all are the same.

    >>> from random import Random
    >>> random = Random(0)
    >>> 1e-8 < noise_of(lambda x: x**2 + 1e-7 * random.random(), 1e-5) < 1e-6
    True
    """
    weights = [(-1) ** k * comb(_ORDER, k) for k in range(_ORDER + 1)]
    size = sqrt(sum(w * w for w in weights))
    found = []
    for side in (1, -1):
        values = [along(side * (k + 1) * step) for k in range(_ORDER + 1)]
        if len(set(values)) > 1:
            found.append(abs(sum(w * v for w, v in zip(weights, values, strict=True))) / size)
    return min((noise for noise in found if isfinite(noise)), default=None)
