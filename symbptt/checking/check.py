"""Gradients of any function, compared with differences of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..errors import ShapeError, UnknownNameError, ValueInputError, nearest
from .causes import causes_of
from .inputs import ROUNDOFF, Array, Params, read_grads, read_params
from .numeric import Slope, noise_of, slope
from .result import RIGHT, UNDECIDED, WRONG, Checked, Comparison

TOLERANCE = 100.0
"""Errors of this many times what rounding explains are mistakes."""
ENTRIES = 64
"""So many entries of a parameter are looked at one by one; of a larger one, they are drawn."""
DIRECTIONS = 2
"""Along so many random directions a larger parameter is looked at as a whole."""
_RANDOM = 1e-4
"""Losses at the same parameters that differ by more, relative to their size, are random."""


def check_gradients(
    f: Callable[[Any], Any],
    params: Mapping[str, Any] | Sequence[Any] | Any,
    grads: Any = None,
    *,
    wrt: Iterable[str] | None = None,
    eps: float | None = None,
    tolerance: float = TOLERANCE,
    entries: int = ENTRIES,
    seed: int = 0,
    dtype: Any = None,
) -> Checked:
    """Compare the gradients that a function returns with differences of its loss.

    Parameters and examples are described at :func:`symbptt.check_gradients`, which gives the result a voice.

    Examples
    --------
    >>> W = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> check_gradients(lambda W: (0.5 * (W**2).sum(), W.T), W).parameters[0].causes
    ('transposed',)
    """
    given = read_params(params)
    names = _chosen(given, wrt)
    type_of, unit = _type(dtype, eps, tolerance, entries)
    loss, found = _first(f, given, grads)
    values = [v.astype(type_of) for v in given.values]
    differences = _Differences(f, given, values, unit, eps, seed)
    differences.settle()
    compared = tuple(_compared(differences, i, found[i], unit, tolerance, entries) for i in names)
    return Checked(compared, loss, tolerance, seed)


class _Differences:
    """The loss near the given parameters."""

    def __init__(
        self, f: Callable[[Any], Any], params: Params, values: list[Array], unit: float, eps: float | None, seed: int
    ) -> None:
        self.f, self.params, self.values, self.unit = f, params, values, unit
        self.random = np.random.default_rng(seed)
        self.here = self.loss(values)
        start = eps or unit**0.2
        seen: list[float] = []
        for wider in (1, 16, 256):  # a function that rounds its parameters is constant near them
            for _ in range(3):
                direction = [self.random.standard_normal(v.shape) for v in values]
                size = float(np.sqrt(sum(v.size for v in values)))
                found = noise_of(partial(self.moved, direction, size=size), wider * start / 16)
                seen += [] if found is None else [found]
            if seen:
                break
        self.noise = max(min(seen, default=0.0), 2 * unit * abs(self.here), float(np.finfo(float).tiny))
        relative = self.noise / max(abs(self.here), 1e-3)
        self.step = eps or float(np.clip(max(relative, unit) ** 0.2, 6e-4, 0.1))

    def settle(self) -> None:
        """Raise where the function gives another loss at the same parameters; a last digit may differ."""
        again = self.loss(self.values)
        if abs(again - self.here) > _RANDOM * max(abs(again), abs(self.here)):
            raise ValueInputError(
                f"f gives two losses at the same parameters, {self.here:.6g} and {again:.6g}; fix what is random in it"
            )

    def loss(self, values: list[Array]) -> float:
        with np.errstate(all="ignore"):
            return _loss(self.f(self.params.built(values)))

    def moved(self, direction: Sequence[Array | None], t: float, size: float = 1.0) -> float:
        """Return the loss some way along a direction of the given length; None leaves a parameter as it is."""
        pairs = zip(self.values, direction, strict=True)
        return self.loss([v if d is None else (v + t / size * d).astype(v.dtype) for v, d in pairs])

    def entry(self, index: int, flat: int) -> Slope:
        """Return the derivative by one entry of a parameter."""
        value = self.values[index]
        centre = float(value.flat[flat])

        def along(t: float) -> float:
            moved = value.copy()
            moved.flat[flat] = centre + t
            return self.loss([moved if i == index else v for i, v in enumerate(self.values)])

        return slope(along, self.here, self.noise, self.step * max(1.0, abs(centre)))

    def direction(self, index: int) -> tuple[Array, Slope]:
        """Return a random direction in a parameter, and the derivative along it."""
        chosen = self.random.standard_normal(self.values[index].shape)
        chosen /= np.linalg.norm(chosen)
        directions = [chosen if i == index else None for i in range(len(self.values))]
        return chosen, slope(partial(self.moved, directions), self.here, self.noise, self.step)


def _compared(
    differences: _Differences, index: int, grad: Array | None, unit: float, tolerance: float, most: int
) -> Comparison:
    """Compare one gradient."""
    value = differences.values[index]
    given = np.zeros(value.shape) if grad is None else grad.astype(float)
    unit = max(unit, _unit(differences.params.values[index]), 0.0 if grad is None else _unit(grad))
    name = str(differences.params.names[index])
    count = value.size
    chosen = np.arange(count) if count <= most else np.sort(differences.random.choice(count, most, replace=False))
    slopes = [differences.entry(index, int(flat)) for flat in chosen]
    smooth = np.array([s.smooth for s in slopes], dtype=bool)
    chosen = chosen[smooth]
    numeric = np.array([s.value for s in slopes if s.smooth])
    largest = float(np.abs(numeric).max(initial=0.0))
    expected = np.array([s.error for s in slopes if s.smooth]) + unit * largest
    kinks = int((~smooth).sum())
    if not len(chosen):
        return Comparison(name, value.shape, UNDECIDED, kinks=kinks)
    errors = np.abs(given.ravel()[chosen] - numeric) / expected
    top = int(np.argmax(errors))
    wrong = int((errors > tolerance).sum())
    if not wrong and count > most and (whole := _along(differences, index, given, unit, tolerance)) is not None:
        # Of the entries that were looked at none is wrong, but one of the others is.
        return Comparison(name, value.shape, WRONG, len(chosen), 0, kinks, *whole)
    found = Comparison(
        name,
        value.shape,
        RIGHT,
        compared=len(chosen),
        wrong=wrong,
        kinks=kinks,
        error=float(errors[top]),
        expected=float(expected[top]),
        entry=tuple(int(i) for i in np.unravel_index(chosen[top], value.shape)),
        given=float(given.ravel()[chosen[top]]),
        numeric=float(numeric[top]),
    )
    if not wrong and grad is not None:
        # Where rounding would hide any mistake, nothing has been shown, unless there is nothing but zeros.
        size = np.maximum(np.abs(given.ravel()[chosen]), np.abs(numeric))
        shown = bool((size > tolerance * expected).any() or (size <= expected).all())
        return found if shown else replace(found, verdict=UNDECIDED)
    causes, factor = causes_of(given, numeric, chosen, tolerance * expected)
    return replace(found, verdict=WRONG, causes=causes, factor=factor)


def _along(
    differences: _Differences, index: int, given: Array, unit: float, tolerance: float
) -> tuple[float, float, None, float, float] | None:
    """Return error, its unit, no entry, and both values along a random direction where they differ, else None."""
    for _ in range(DIRECTIONS):
        direction, found = differences.direction(index)
        if not found.smooth:
            continue
        # The terms of the sum may cancel; each has its own rounding error.
        expected = found.error + unit * float(np.abs(given * direction).sum())
        value = float((given * direction).sum())
        if abs(value - found.value) > tolerance * expected:
            return abs(value - found.value) / expected, expected, None, value, found.value
    return None


# -- what is given ---------------------------------------------------------------------------------------------
def _chosen(params: Params, wrt: Iterable[str] | None) -> list[int]:
    if wrt is None:
        return list(range(len(params.names)))
    wanted = [wrt] if isinstance(wrt, str) else list(wrt)
    for name in wanted:
        if name not in params.names:
            raise UnknownNameError(f"wrt={name!r}: no such parameter{nearest(name, map(str, params.names))}")
    return [i for i, name in enumerate(params.names) if name in wanted]


def _type(dtype: Any, eps: Any, tolerance: Any, entries: Any) -> tuple[Any, float]:
    """Return the type of the arrays that differences are taken with, and the rounding of it."""
    for name, value in (("eps", 1.0 if eps is None else eps), ("tolerance", tolerance), ("entries", entries)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise ValueInputError(f"{name}={value!r}: give a positive number")
    name = "float64" if dtype is None else str(getattr(dtype, "__name__", dtype)).rpartition(".")[2]
    name = {"float": "float64", "half": "float16", "single": "float32", "double": "float64"}.get(name, name)
    if name not in ROUNDOFF:
        raise UnknownNameError(f"dtype={dtype!r}: no type of floats{nearest(name, ROUNDOFF)}")
    return np.dtype("float32" if name == "bfloat16" else name), ROUNDOFF[name]


def _unit(array: Array) -> float:
    return ROUNDOFF.get(str(array.dtype), ROUNDOFF["float64"])


def _first(f: Callable[[Any], Any], params: Params, grads: Any) -> tuple[float, list[Array | None]]:
    """Return the loss and the gradients at the given parameters."""
    result = f(params.built(params.values))
    loss = _loss(result)
    if not np.isfinite(loss):
        raise ValueInputError(f"f gives the loss {loss} at the given parameters; give others, where it is finite")
    if callable(grads):
        grads = grads(params.built(params.values))
    elif grads is None:
        if not isinstance(result, tuple | list) or len(result) < 2:
            raise ValueInputError("f returns the loss alone; return (loss, grads), or give grads")
        if len(result) > 2:
            raise ValueInputError(f"f returns {len(result)} things; return (loss, grads), the gradients as params are")
        grads = result[1]
    return loss, read_grads(grads, params)


def _loss(result: Any) -> float:
    """Return the loss that a function gave, alone or in front of its gradients."""
    value = result[0] if isinstance(result, tuple | list) and result else result
    shape = getattr(value, "shape", ())
    if isinstance(value, complex) or np.iscomplexobj(value):
        raise ValueInputError("f gives a complex loss; give a real one")
    if np.prod(shape, dtype=int) != 1:
        raise ShapeError(f"f gives a loss of shape {tuple(shape)}; give one number")
    try:
        return float(value if not shape else np.asarray(value).reshape(()))
    except (TypeError, ValueError):
        raise ValueInputError(
            f"f gives a {type(value).__name__} and no loss; return the loss, or (loss, grads)"
        ) from None
