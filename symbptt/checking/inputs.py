"""Parameters and gradients as people give them: one array, a list, a mapping; names, shapes and messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError, UnknownNameError, ValueInputError, nearest

Array: TypeAlias = NDArray[Any]

ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-9}
"""Type -> the relative error of one rounding; 2^-9 for bfloat16, which NumPy does not have."""


@dataclass(frozen=True)
class Params:
    """Parameters, copied: their names, their values, and the form in which the function takes them.

    Attributes
    ----------
    names : tuple
        Keys of a mapping, numbers of a sequence, an empty text for one array.
    values : tuple of array
    form : type
        ``dict``, ``list`` or ``tuple``; ``None`` for one array.
    plain : tuple of bool
        Which of them are plain numbers.
    """

    names: tuple[Any, ...]
    values: tuple[Array, ...]
    form: type | None
    plain: tuple[bool, ...]

    def shown(self, index: int) -> str:
        """Return how messages call a parameter.

        >>> Params(("W",), (np.ones(2),), dict, (False,)).shown(0)
        'W'
        """
        name = self.names[index]
        return name if isinstance(name, str) and name else "params" if name == "" else f"params[{name!r}]"

    def built(self, values: tuple[Array, ...] | list[Array]) -> Any:
        """Return values as the function takes them; arrays are copies, so that it may change them."""
        given = [float(v) if p else v.copy() for v, p in zip(values, self.plain, strict=True)]
        if self.form is None:
            return given[0]
        return dict(zip(self.names, given, strict=True)) if self.form is dict else self.form(given)


def read_params(params: Any) -> Params:
    """Return parameters in one form.

    Raises
    ------
    ValueInputError
        For what is no array of finite floats.
    """
    names: tuple[Any, ...]
    if isinstance(params, Mapping):
        form: type | None = dict
        names, values = tuple(params), list(params.values())
    elif isinstance(params, list | tuple):
        form, names, values = (tuple if isinstance(params, tuple) else list), tuple(range(len(params))), list(params)
        if values and all(isinstance(v, float) for v in values):
            raise ValueInputError("params is a list of numbers; give an array, np.array([...]), or a list of arrays")
    else:
        form, names, values = None, ("",), [params]
    if not names:
        raise ValueInputError("params is empty: there is nothing to differentiate by")
    found = Params(names, (), form, tuple(isinstance(v, float) and not isinstance(v, np.generic) for v in values))
    return Params(
        names, tuple(_floats(v, found.shown(i), "parameter") for i, v in enumerate(values)), form, found.plain
    )


def _floats(value: Any, name: str, what: str) -> Array:
    """Return a copy of an array of finite floats."""
    if isinstance(value, Mapping):
        raise ValueInputError(f"{name}: a mapping; give one flat mapping from names to arrays")
    try:
        array = np.array(value)
    except (TypeError, ValueError):
        raise ValueInputError(f"{name}: no array of numbers; give an array of floats") from None
    if array.dtype.kind in "iu":
        raise ValueInputError(f"{name}: the {what} holds integers ({array.dtype}); give floats, {name}.astype(float)")
    if array.dtype.kind != "f":
        raise ValueInputError(f"{name}: the {what} holds no floats ({array.dtype}); give an array of floats")
    if array.size == 0:
        raise ValueInputError(f"{name}: the {what} has no entries (shape {array.shape})")
    if not np.isfinite(array).all():
        entry = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueInputError(f"{name}: the {what} is {array[entry]}{at(entry)}; give finite numbers")
    return array


def at(entry: tuple[int, ...]) -> str:
    """Return where an entry is, as words behind a value.

    >>> at((0, 2)), at(())
    (' at [0, 2]', '')
    """
    return f" at [{', '.join(map(str, entry))}]" if entry else ""


def read_grads(grads: Any, params: Params) -> list[Array | None]:
    """Return the gradients in the order of the parameters; None where there is none.

    Raises
    ------
    ShapeError
        Where a gradient has not the shape of its parameter.
    UnknownNameError
        For a gradient by something that is no parameter.
    ValueInputError
        For what is no array of finite floats.
    """
    if params.form is dict:
        if not isinstance(grads, Mapping):
            raise ValueInputError(f"the gradients are a {type(grads).__name__}; give a mapping with the keys of params")
        for key in grads:
            if key not in params.names:
                raise UnknownNameError(f"gradient by {key!r}: no such parameter{nearest(key, map(str, params.names))}")
        given = [grads.get(name) for name in params.names]
    elif params.form is None:
        given = [grads]
    else:
        if not isinstance(grads, list | tuple):
            raise ValueInputError(f"the gradients are a {type(grads).__name__}; give a list, one for each parameter")
        if len(grads) != len(params.names):
            raise ShapeError(f"{len(grads)} gradients for {len(params.names)} parameters; give one for each")
        given = list(grads)
    return [_grad(g, params, i) for i, g in enumerate(given)]


def _grad(grad: Any, params: Params, index: int) -> Array | None:
    if grad is None:
        return None
    name, shape = params.shown(index), params.values[index].shape
    if isinstance(grad, int):
        grad = float(grad)
    array = _floats(grad, f"gradient by {name}", "gradient") if not _whole(grad) else np.array(grad, dtype=float)
    if array.shape != shape:
        raise ShapeError(f"gradient by {name}: shape {array.shape}, but {name} has {shape}{_hint(array, shape)}")
    return array


def _whole(grad: Any) -> bool:
    """Return whether a gradient holds integers: zeros may, and they are as good as floats."""
    return isinstance(grad, np.ndarray) and grad.dtype.kind in "iu"


def _hint(array: Array, shape: tuple[int, ...]) -> str:
    if array.ndim == 2 and array.T.shape == shape:
        return "; is it transposed?"
    for axis in range(array.ndim):
        if array.shape[:axis] + array.shape[axis + 1 :] == shape:
            return f"; is a sum over axis {axis} missing?"
    return ""
