"""The value of a derivative: total or immediate, by a symbol or an entry, in either layout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...evaluate.instance import STEP
from ..meaning.expr import (
    Call,
    Deriv,
    Expr,
    Matrix,
    Ref,
    Transpose,
)
from .chance import after_the_end, oriented, truncated
from .quantity import (
    Quantity,
    column,
)
from .rules import evaluates, value
from .world import Alias, NoStepError, NotEvaluatedError, World


@evaluates(Deriv)
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
