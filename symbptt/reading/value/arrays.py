"""Functions of vectors and matrices, and matrices made of blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from ...algebra.measures import dominant, tangent
from .quantity import Axes, Quantity, UnfitError, as_matrix, column, scalar


def blocks(rows: list[list[Quantity]], units: tuple[int, int, int] | None = None) -> Quantity:
    """Return the matrix made of blocks; the identity and numbers take the size of what stands beside them.

    Parameters
    ----------
    rows : list of list of Quantity
    units : tuple of int, optional
        The second is the size that they have where nothing does.

    Raises
    ------
    UnfitError

    Examples
    --------
    >>> eye, zero = Quantity(np.asarray(1.0), fill="identity"), scalar(0.0)
    >>> blocks([[eye, column(np.ones((2, 2)))], [zero, eye]]).array.tolist()[0]
    [1.0, 0.0, 1.0, 1.0]
    """
    shapes: list[list[Axes]] = [
        [() if q.is_scalar and q.fill != "ones" else as_matrix(q).shape for q in row] for row in rows
    ]
    heights = [next((shape[0] for shape in row if shape), 0) for row in shapes]
    widths = [next((row[j][1] for row in shapes if row[j]), 0) for j in range(len(rows[0]))]
    free = 0 if units is None else units[1]
    numbers = all(not q.fill for row in rows for q in row)
    square = len(heights) == len(widths) and not numbers
    heights = [h or (square and widths[i]) or free or 1 for i, h in enumerate(heights)]
    widths = [width or (square and heights[j]) or free or 1 for j, width in enumerate(widths)]
    try:
        array = np.block([[_block(q, heights[i], widths[j]) for j, q in enumerate(row)] for i, row in enumerate(rows)])
    except ValueError:
        raise UnfitError(", ".join(q.shown for row in rows for q in row)) from None
    if array.shape[0] == 1 and not any(q.rows for row in rows for q in row):
        return Quantity(array[0], (), (array.shape[1],))
    return column(array[:, 0]) if array.shape[1] == 1 else column(array)


def _block(q: Quantity, height: int, width: int) -> Any:
    if not q.is_scalar:
        return as_matrix(q)
    return q.array * (np.eye(height, width) if q.fill in ("identity", "one") else np.ones((height, width)))


def _diag(values: list[Quantity]) -> Quantity:
    (q,) = values
    if q.is_scalar:
        return q
    if q.is_vector:
        return column(np.diag(q.array))
    raise UnfitError(f"diag({q.shown})")


def _vec(values: list[Quantity]) -> Quantity:
    return column(values[0].array.ravel(order="F"))


def _concat(values: list[Quantity]) -> Quantity:
    if any(v.columns for v in values):
        raise UnfitError(", ".join(v.shown for v in values))
    return column(np.concatenate([np.atleast_1d(v.array) for v in values]))


def _trace(values: list[Quantity]) -> Quantity:
    matrix = as_matrix(values[0])
    if matrix.shape[0] != matrix.shape[1]:
        raise UnfitError(f"tr({values[0].shown})")
    return scalar(np.trace(matrix))


def _real(q: Quantity) -> Any:
    return np.real(as_matrix(q)).astype(float)


def _moduli(array: Any) -> Any:
    """Return absolute values; of what carries a complex step, by the sign of the real part."""
    small = np.iscomplexobj(array) and np.abs(np.imag(array)).max(initial=0.0) < 1e-20
    return array * np.sign(np.real(array)) if small else np.abs(array)


def _first(hits: Any) -> Any:
    """Return 1 at the first place where something holds, and 0 elsewhere."""
    found = np.zeros(np.shape(hits))
    found.flat[int(np.argmax(hits))] = 1.0
    return found


def _largest(values: list[Quantity], of_two: Any, of_all: Any) -> Quantity:
    """Return the largest or smallest entry of one array, or of several numbers."""
    if len(values) == 1:
        return scalar(of_all(np.real(values[0].array)))
    return scalar(reduce(of_two, (np.real(q.array) for q in values)))


def _place(q: Quantity) -> int:
    return round(float(np.real(q.array))) - 1


def _eigenvalues(q: Quantity) -> Any:
    found = np.linalg.eigvals(_real(q))
    return found[np.argsort(-np.abs(found), kind="stable")]


def _part(values: list[Quantity]) -> Quantity:
    whole, first = values[0], _place(values[1])
    last = _place(values[-1])
    if not 0 <= first <= last < whole.shape[0]:
        raise UnfitError(f"{whole.shown}, {first + 1}:{last + 1}")
    return replace(column(whole.array[first : last + 1]), rows=(last + 1 - first,) if whole.rows else (),
                   columns=whole.columns if whole.rows else (last + 1 - first,))  # fmt: skip


ARRAYS: dict[str, Callable[[list[Quantity]], Quantity]] = {
    "diag": _diag,
    "vec": _vec,
    "concat": _concat,
    "trace": _trace,
    "det": lambda values: scalar(np.linalg.det(as_matrix(values[0]))),
    "max": lambda values: _largest(values, np.maximum, np.max),
    "min": lambda values: _largest(values, np.minimum, np.min),
    "sum": lambda values: scalar(values[0].array.sum()),
    "mean": lambda values: scalar(values[0].array.mean()),
    "variance": lambda values: scalar(values[0].array.var()),
    "row_mean": lambda values: Quantity(values[0].array.mean(axis=-1), values[0].rows),
    "row_variance": lambda values: Quantity(values[0].array.var(axis=-1), values[0].rows),
    "moduli": lambda values: replace(values[0], array=_moduli(values[0].array)),
    "indicator": lambda values: replace(values[0], array=_first(values[0].array == values[1].array)),
    "entrywise_power": lambda values: replace(values[0], array=values[0].array ** np.real(values[1].array)),
    "part": _part,
    "spectral_radius": lambda values: scalar(np.abs(_eigenvalues(values[0])[0])),
    "singular_value": lambda values: scalar(np.linalg.svd(_real(values[0]), compute_uv=False)[_place(values[1])]),
    "eigenvalue": lambda values: scalar(_eigenvalues(values[0])[_place(values[1])]),
    "dominant_eigenvector": lambda values: column(dominant(_real(values[0]))),
    "clip": lambda values: replace(values[1], array=np.clip(values[1].array, -values[0].array, values[0].array)),
    "tan_angle": lambda values: scalar(tangent(_real(values[0]).ravel(), _real(values[1]).ravel())),
    "floor": lambda values: scalar(np.floor(np.real(values[0].array))),
    "ceil": lambda values: scalar(np.ceil(np.real(values[0].array))),
}
"""Name of a function -> its value, from those of its arguments."""
