"""The usual mistakes with a whole gradient, each tried on the given one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .inputs import Array

_SHAKE = 1e-3
"""How far a factor may be from a whole number that it is taken for, relative to it."""


def causes_of(given: Array, numeric: Array, entries: Array, allowed: Array) -> tuple[tuple[str, ...], float | None]:
    """Return what turns the right gradient into the given one, and the factor that is in it.

    Parameters
    ----------
    given : array
        The whole gradient.
    numeric : array of shape (k,)
        The right values at some entries.
    entries : array of shape (k,)
        Their positions in the flat gradient.
    allowed : array of shape (k,)
        How far each may be off.

    Returns
    -------
    causes : tuple of str
        Empty where no mistake that is tried explains all entries.
    factor : float or None

    Examples
    --------
    >>> W = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> causes_of(-2 * W.T, W.ravel(), np.arange(4), np.full(4, 1e-9))
    (('transposed', 'sign', 'double'), -2.0)
    """
    if not given.any():
        return ("missing",), None
    if (np.abs(numeric) <= allowed).all():
        return (), None  # the right one is zero: every factor would do
    for causes, turned in _turned(given):
        found = turned.ravel()[entries]
        top = int(np.argmax(np.abs(numeric)))
        shake = max(_SHAKE, float(allowed[top] / abs(numeric[top])))
        for factor in _factors(float(found[top] / numeric[top]), shake):
            if factor and (np.abs(found / factor - numeric) <= allowed).all():
                return (*causes, *_named(factor)), None if factor in (1.0, -1.0) else factor
    return (), None


def _turned(given: Array) -> Iterator[tuple[tuple[str, ...], Array]]:
    yield (), given
    if given.ndim == 2 and given.shape[0] == given.shape[1] > 1:
        yield ("transposed",), given.T


def _factors(measured: float, shake: float = _SHAKE) -> list[float]:
    """Return a factor, before it the number it may be meant to be.

    >>> _factors(2.0000001), _factors(0.3)
    ([2.0, 2.0000001], [0.3])
    """
    if not np.isfinite(measured) or measured == 0:
        return []
    exact = []
    for size, back in ((abs(measured), False), (1 / abs(measured), True)):
        whole = round(size)
        if whole >= 1 and abs(size - whole) <= shake * size:
            exact.append(float(np.sign(measured)) * (1 / whole if back else float(whole)))
    return [*dict.fromkeys(exact), measured]


def _named(factor: float) -> Iterator[str]:
    if factor < 0:
        yield "sign"
    size = abs(factor)
    if size in (2, 0.5):
        yield "double" if size == 2 else "half"
    elif size != 1:
        yield "sum" if size.is_integer() else "mean" if (1 / size).is_integer() else "factor"
