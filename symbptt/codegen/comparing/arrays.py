"""Arrays of any program: their types, shapes and names; one line for what does not fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ...checking.inputs import ROUNDOFF
from ...errors import ShapeError, UnknownNameError, ValueInputError, nearest
from ...evaluate.numbers import Array

_ALIASES = {"float": "float64", "double": "float64", "single": "float32", "half": "float16", "bf16": "bfloat16"}


def unit_name(dtype: Any) -> str:
    """Return the name of a type of floats.

    Raises
    ------
    UnknownNameError
        For any other type.

    Examples
    --------
    >>> unit_name("half"), unit_name(np.float32), unit_name("torch.bfloat16")
    ('float16', 'float32', 'bfloat16')
    """
    name = str(getattr(dtype, "__name__", dtype)).rpartition(".")[2]
    name = _ALIASES.get(name, name)
    if name not in ROUNDOFF:
        raise UnknownNameError(f"dtype={dtype!r}: no type of floats{nearest(name, ROUNDOFF)}")
    return name


def as_array(label: str, given: Any) -> tuple[Array, str]:
    """Return an array in float64, and the type that it had; bfloat16, which NumPy lacks, is understood.

    Raises
    ------
    ValueInputError
        For what is no array of real numbers.

    Examples
    --------
    >>> as_array("dW", np.ones(2, np.float32))
    (array([1., 1.]), 'float32')
    """
    kind = str(getattr(given, "dtype", "")).rpartition(".")[2]
    if hasattr(given, "detach"):
        given = given.detach().cpu()
        given = (given.float() if kind == "bfloat16" else given).numpy()
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        raise ValueInputError(f"{label} is not an array of numbers; its rows may differ in length") from None
    if array.dtype.kind == "V" and array.dtype.itemsize == 2 and array.dtype.names is None:
        array, kind = _from_bits(array), "bfloat16"  # what np.savez makes of it
    elif kind == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.kind not in "iuf":
        raise ValueInputError(f"{label} holds no real numbers ({array.dtype}); give an array of floats")
    return array.astype(np.float64), kind if kind in ROUNDOFF else "float64"


def _from_bits(array: Array) -> Array:
    """Return numbers in bfloat16, the first half of a float32, from their bits."""
    bits = np.ascontiguousarray(array).view(np.uint16).astype(np.uint32) << 16
    return bits.view(np.float32)


def named_arrays(
    argument: str, given: Any, known: Collection[str], what: str, keys: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a mapping of arrays by name; all names, or what ``keys`` says for them, must be known.

    Raises
    ------
    ValueInputError, UnknownNameError
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValueInputError(f"{argument} must map names to arrays, {{'W_h': ...}}; not {type(given).__name__}")
    for name in given:
        key = (keys or {}).get(name, name)
        if key not in known:
            raise UnknownNameError(f"{argument}: {key!r} is no {what} of the model{nearest(str(key), list(known))}")
    return dict(given)


def shown_shape(shape: tuple[int, ...], symbols: tuple[str, ...] = ()) -> str:
    """Return a shape in symbols and numbers.

    >>> shown_shape((4, 3), ("n", "m")), shown_shape((4,)), shown_shape(())
    ('(n, m) = (4, 3)', '(4,)', '()')
    """
    text = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    names = f"({', '.join(symbols)}{',' if len(symbols) == 1 else ''})"
    return text if not symbols or names == text else f"{names} = {text}"


def wrong_shape(label: str, given: tuple[int, ...], shape: tuple[int, ...], symbols: tuple[str, ...]) -> ShapeError:
    """Return the error for an array of another shape, with both shapes."""
    return ShapeError(f"{label} has shape {shown_shape(given)}; expected {shown_shape(shape, symbols)}")
