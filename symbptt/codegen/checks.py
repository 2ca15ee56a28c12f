"""What is given to a generated function: numbers, shapes, sizes and names, each checked with one line of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Expr, Integer, Symbol

from ..errors import ValueInputError

Array = np.ndarray[Any, Any]
Shape = tuple[Expr, ...]


def numbers(name: str, given: Any, integers: bool = False) -> Array:
    """Return an array of finite real numbers; integers become float64 unless they are wanted.

    Raises
    ------
    ValueInputError
        For what is no array of numbers, complex, nan or infinite.
    """
    try:
        array = np.asarray(given)
    except (ValueError, TypeError):
        raise ValueInputError(f"{name} is not an array of numbers; its rows may differ in length") from None
    if array.dtype.kind not in "biuf":
        raise ValueInputError(f"{name} must be real numbers, not {array.dtype}")
    if array.dtype.kind in "biu":
        return array if integers and array.dtype.kind != "b" else array.astype(np.float64)
    check_finite(name, array)
    return array


def check_finite(name: str, array: Array) -> None:
    """Raise for nan and infinity.

    Raises
    ------
    ValueInputError
        With the first place where there is one.
    """
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueInputError(f"{name} has a value that is not finite, {array[where]} at {list(where)}")


@dataclass(frozen=True)
class Intake:
    """How arrays are taken in: as NumPy's, or as those of another library, whose values may be out of sight.

    Attributes
    ----------
    numbers : callable
        As :func:`numbers`.
    values : callable
        What is taken in -> its values as a NumPy array, or None where they cannot be seen.
    """

    numbers: Callable[..., Any] = numbers
    values: Callable[[Any], Array | None] = np.asarray


class Sizes:
    """Sizes by their symbols: bound by the first array that shows them, and held against all others.

    Parameters
    ----------
    known : mapping
        Symbol name -> size, of what the model fixes.
    """

    def __init__(self, known: Mapping[str, Expr]) -> None:
        self.known = {name: int(size) for name, size in known.items() if size.is_Integer}

    def value(self, size: Expr) -> int | None:
        """Return a size as a number, or None where it is not known yet."""
        if isinstance(size, Symbol):
            return self.known.get(size.name)
        if isinstance(size, Integer):
            return int(size)
        result = size.xreplace({s: Integer(self.known[s.name]) for s in size.free_symbols if s.name in self.known})
        return int(result) if result.is_Integer else None

    def check(self, name: str, given: tuple[int, ...], expected: Shape) -> None:
        """Bind and compare the sizes of one value.

        Raises
        ------
        ValueInputError
            Where the shapes differ.
        """
        fits = len(given) == len(expected)
        for actual, size in zip(given, expected, strict=False):
            if fits and self.value(size) is None and isinstance(size, Symbol) and actual > 0:
                self.known[size.name] = actual
            fits = fits and self.value(size) in (None, actual) and actual > 0
        if not fits:
            raise ValueInputError(f"{name} has shape {show(given)}; expected {self.show(expected)}")

    def show(self, expected: tuple[Any, ...]) -> str:
        """Return a shape in symbols, and in numbers as far as they are known."""
        symbols = show(expected)
        values = [self.value(size) if isinstance(size, Expr) else size for size in expected]
        known = [size if value is None else value for size, value in zip(expected, values, strict=True)]
        return symbols if show(known) == symbols else f"{symbols} = {show(known)}"


def show(shape: Any) -> str:
    """Return a shape as Python writes it.

    >>> show((3,)), show(("T", "m"))
    ('(3,)', '(T, m)')
    """
    sizes = [str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def class_indices(name: str, array: Array, count: int) -> Array:
    """Return class indices, all of them from 0 to count - 1.

    Raises
    ------
    ValueInputError
        For an index out of range.
    """
    wrong = (array < 0) | (array >= count)
    if wrong.any():
        raise ValueInputError(f"{name} has the class index {array[wrong].flat[0]}; there are {count} classes, from 0")
    return array


def distributions(name: str, array: Array, scalar: bool) -> Array:
    """Return distributions over classes: no negative entry, and every sum 1 within 1e-6.

    Raises
    ------
    ValueInputError
        For another array.
    """
    if (array < 0).any():
        raise ValueInputError(f"{name} has the negative entry {array[array < 0].flat[0]:g}; probabilities are needed")
    sums = array if scalar else array.sum(-1)
    off = np.abs(sums - 1) > 1e-6
    if off.any():
        total = np.asarray(sums)[off].flat[0]
        raise ValueInputError(f"{name} has a distribution that sums to {total:g}, not 1; cross-entropy needs sums of 1")
    return array


def unit(name: str, array: Array) -> Array:
    """Return numbers from 0 to 1.

    Raises
    ------
    ValueInputError
        For a number outside.
    """
    wrong = (array < 0) | (array > 1)
    if wrong.any():
        raise ValueInputError(f"{name} has the value {array[wrong].flat[0]:g}; numbers from 0 to 1 are needed")
    return array
