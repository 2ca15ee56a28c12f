"""Whether a value that was read back is that of the expression that was printed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..value.quantity import Quantity, as_matrix

RTOL, ATOL = 1e-8, 1e-10


def same(read: Quantity, printed: Any, rows: bool = False, rtol: float = RTOL, atol: float = ATOL) -> bool:
    """Tell whether two values agree, their shapes included.

    Parameters
    ----------
    read : Quantity
    printed : array_like
        A number, a vector (a column, or a row where ``rows`` says so), or a matrix.
    rows : bool
    rtol, atol : float

    Examples
    --------
    >>> from symbptt.reading.value.quantity import column
    >>> same(column([1.0, 2.0]), np.array([1.0, 2.0])), same(column([1.0, 2.0]), np.array([[1.0, 2.0]]))
    (True, False)
    """
    expected = np.asarray(printed)
    if expected.ndim < 2:
        expected = expected.reshape((1, -1) if rows else (-1, 1))
    if read.is_scalar:
        number = read.array
        diagonal = read.fill in ("identity", "one")
        found = number * np.eye(*expected.shape) if diagonal else np.full(expected.shape, number)
        if expected.size > 1 and not read.fill and not np.all(expected == expected.flat[0]):
            return False
    else:
        found = as_matrix(read)
        if not found.any() and not expected.any():
            return True  # the size of zeros is not written
    scale = float(max(np.abs(found).max(initial=0.0), np.abs(expected).max(initial=0.0)))
    return found.shape == expected.shape and bool((np.abs(found - expected) <= atol + rtol * scale).all())
