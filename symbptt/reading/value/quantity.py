"""Numbers, vectors, matrices and derivatives with their axes: what may be multiplied with what.

A quantity has row axes and column axes, so that a column vector, a row vector, a matrix and the derivative of a vector
by a matrix are told apart, and a product joins the columns of the left factor to the rows of the right one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Axes = tuple[int, ...]


class UnfitError(Exception):
    """Two quantities whose shapes do not fit; ``shapes`` says what was tried."""

    def __init__(self, shapes: str) -> None:
        super().__init__(shapes)
        self.shapes = shapes


@dataclass(frozen=True, eq=False)
class Quantity:
    """A value with its axes.

    Attributes
    ----------
    array : ndarray
        Shape ``(*rows, *columns)``.
    rows, columns : tuple of int
        A scalar has neither, a column vector rows alone.
    free : bool
        Whether the notation leaves open if it is a row or a column, as it does for the gradient of a scalar.
    fill : str
        Of a number that stands for an array of the size of what is beside it: "ones", "ones-row", "identity", or
        "one" of an empty product, which is a number beside numbers and else the identity.
    """

    array: Any
    rows: Axes = ()
    columns: Axes = ()
    free: bool = False
    fill: str = ""

    @property
    def is_scalar(self) -> bool:
        return not self.rows and not self.columns

    @property
    def is_vector(self) -> bool:
        return (len(self.rows) == 1) != (len(self.columns) == 1) and len(self.rows + self.columns) == 1

    @property
    def shape(self) -> Axes:
        return self.rows + self.columns

    @property
    def shown(self) -> str:
        """The shape in words: ``3 x 2``; of a vector ``3 x 1`` or ``1 x 3``."""
        if self.is_scalar:
            return "1 x 1"
        if self.free and self.is_vector:
            return f"{self.shape[0]}"
        return f"{math.prod(self.rows) if self.rows else 1} x {math.prod(self.columns) if self.columns else 1}"


def scalar(value: Any) -> Quantity:
    """Return a number as a quantity."""
    return Quantity(np.asarray(value))


def column(array: Any) -> Quantity:
    """Return a vector as a column, a matrix as it is, a number as a scalar; an axis of length 1 is none.

    >>> column(np.ones((2, 3))).rows, column(np.ones(2)).columns, column(np.ones((1, 2))).rows
    ((2,), (), ())
    """
    value = np.asarray(array)
    rows, columns = (tuple(n for n in axes if n != 1) for axes in (value.shape[:1], value.shape[1:]))
    return Quantity(value.reshape(rows + columns), rows, columns)


def _ways(q: Quantity) -> Iterator[Quantity]:
    """Yield what a quantity may be: as it is, and turned where the notation leaves it open."""
    yield q
    if not q.free:
        return
    if not q.rows and len(q.columns) == 1:
        yield replace(q, rows=q.columns, columns=())
    elif not q.columns and len(q.rows) == 1:
        yield replace(q, rows=(), columns=q.rows)
    elif not q.rows and len(q.columns) == 2:
        yield Quantity(q.array, q.columns[:1], q.columns[1:])
    elif not q.columns and len(q.rows) == 2:
        yield Quantity(q.array, q.rows[:1], q.rows[1:])


def multiply(a: Quantity, b: Quantity, inner: bool = False, loose: bool = False) -> Quantity:
    """Return the product: by a scalar, of matrices, of a column and a row.

    Parameters
    ----------
    a, b : Quantity
    inner : bool
        Whether two columns of one length may be multiplied to a number, as a dot does.
    loose : bool
        Whether vectors have no orientation, as in NumPy.

    Raises
    ------
    UnfitError

    Examples
    --------
    >>> multiply(column(np.eye(2)), column(np.ones(2))).rows
    (2,)
    """
    filled = _with_fill(a, b)
    if filled is not None:
        return filled
    if a.is_scalar or b.is_scalar:
        other = b if a.is_scalar else a
        return replace(other, array=a.array * b.array, fill=(a.fill or b.fill) if other.is_scalar else "")
    if loose:
        a, b = (replace(q, free=True) if q.is_vector else q for q in (a, b))
    for left in _ways(a):
        for right in _ways(b):
            if left.columns and left.columns == right.rows:
                return _joined(left, right, a.free or b.free)
    for left in _ways(a):
        for right in _ways(b):
            if not left.columns and not right.rows:
                return Quantity(np.multiply.outer(left.array, right.array), left.rows, right.columns)
    if inner and a.is_vector and b.is_vector and a.shape == b.shape:
        return scalar((a.array * b.array).sum())
    if 1 in a.shape + b.shape and as_matrix(a).shape[1] == as_matrix(b).shape[0]:
        return column(as_matrix(a) @ as_matrix(b))
    raise UnfitError(f"({a.shown}) ({b.shown})")


def _with_fill(a: Quantity, b: Quantity) -> Quantity | None:
    """Multiply with a row or column of ones, which sums."""
    if a.fill == "ones-row":
        for way in _ways(b):
            if way.rows:
                return Quantity(a.array * way.array.sum(tuple(range(len(way.rows)))), (), way.columns)
    if b.fill == "ones":
        for way in _ways(a):
            if way.columns:
                return Quantity(b.array * way.array.sum(tuple(range(len(way.rows), len(way.shape)))), way.rows, ())
    if (a.fill, b.fill) == ("ones", "ones-row"):
        raise UnfitError("1 1^T")  # of a size that nothing says
    if a.fill == "ones" and not b.rows and b.columns:
        return replace(b, array=a.array * b.array)
    return None


def _joined(a: Quantity, b: Quantity, free: bool) -> Quantity:
    count = len(a.columns)
    array = np.tensordot(a.array, b.array, axes=(range(len(a.rows), len(a.shape)), range(count)))
    result = Quantity(array, a.rows, b.columns)
    return replace(result, free=True) if free and not (result.rows and result.columns) else result


def alike(a: Quantity, b: Quantity, loose: bool = False) -> tuple[Quantity, Quantity]:
    """Return two quantities with the same axes, for a sum or an entrywise product.

    Raises
    ------
    UnfitError
    """
    if a.is_scalar and not b.is_scalar:
        return Quantity(np.broadcast_to(a.array, b.shape), b.rows, b.columns, b.free), b
    if b.is_scalar and not a.is_scalar:
        return a, Quantity(np.broadcast_to(b.array, a.shape), a.rows, a.columns, a.free)
    if (a.rows, a.columns) == (b.rows, b.columns):
        return a, b
    if a.shape == b.shape and (a.free or b.free or loose):
        like = a if not a.free else b
        both = a.free and b.free
        one, two = (Quantity(q.array, like.rows, like.columns, both) for q in (a, b))
        return one, two
    row = _broadcast_row(a, b) or _broadcast_row(b, a)
    if row is not None:
        return (
            (row, b) if row.shape == b.shape and row.array.shape == b.array.shape and a.shape != b.shape else (a, row)
        )
    raise UnfitError(f"({a.shown}) + ({b.shown})")


def _broadcast_row(a: Quantity, b: Quantity) -> Quantity | None:
    """Return a row repeated for each row of a matrix, as a bias is for the examples of a batch."""
    if len(b.rows) == 1 and len(b.columns) == 1 and a.columns == b.columns and a.rows in ((), (1,)):
        return Quantity(np.broadcast_to(a.array, b.shape), b.rows, b.columns)
    return None


def add(a: Quantity, b: Quantity, sign: int = 1, loose: bool = False) -> Quantity:
    """Return a + sign b."""
    if a.is_scalar and b.is_scalar:
        if a.fill != b.fill and "identity" in (a.fill, b.fill):
            raise UnfitError("I + 1")  # of a size that nothing says
        fills = {a.fill, b.fill} - {"one"} or {"one"}
        return replace(scalar(a.array + sign * b.array), fill=max(fills))
    a, b = _as_identity(a, b), _as_identity(b, a)
    a, b = alike(a, b, loose)
    return replace(a, array=a.array + sign * b.array)


def _as_identity(q: Quantity, other: Quantity) -> Quantity:
    """Return an identity of the size of a square matrix beside it."""
    square = len(other.rows) == 1 and other.rows == other.columns
    if q.fill not in ("identity", "one") or not square:
        return q
    return Quantity(q.array * np.eye(other.rows[0]), other.rows, other.columns)


def hadamard(a: Quantity, b: Quantity, loose: bool = False) -> Quantity:
    """Return the product entry by entry."""
    if a.is_scalar or b.is_scalar:
        return multiply(a, b)
    scaled = _scaled_rows(a, b) or _scaled_rows(b, a)
    if scaled is not None:
        return scaled
    a, b = alike(a, b, loose)
    return replace(a, array=a.array * b.array)


def _scaled_rows(a: Quantity, b: Quantity) -> Quantity | None:
    """Return a matrix each row of which is multiplied by the entry of a column: diag(a) b."""
    if not a.columns and len(a.rows) == 1 and a.rows == b.rows and len(b.columns) == 1:
        return replace(b, array=a.array[:, None] * b.array)
    return None


def transpose(q: Quantity) -> Quantity:
    """Return rows as columns and columns as rows."""
    if q.fill:
        return replace(q, fill={"ones": "ones-row", "ones-row": "ones"}.get(q.fill, q.fill))
    count = len(q.rows)
    axes = [*range(count, len(q.shape)), *range(count)]
    return Quantity(np.transpose(q.array, axes), q.columns, q.rows, q.free)


def as_matrix(q: Quantity) -> Any:
    """Return the array as a matrix, rows and columns flattened."""
    return q.array.reshape((math.prod(q.rows) if q.rows else 1, math.prod(q.columns) if q.columns else 1))


def power(q: Quantity, exponent: Any) -> Quantity:
    """Return a number raised, a square matrix multiplied with itself, or a vector raised entry by entry.

    Raises
    ------
    UnfitError
        For a power of a matrix that is not square or not whole.
    """
    if q.rows and q.columns:
        whole = int(np.real(exponent))
        if len(q.rows) != 1 or q.rows != q.columns or whole != exponent or abs(whole) > 10_000:
            raise UnfitError(f"({q.shown})^{exponent}")
        return replace(q, array=np.linalg.matrix_power(q.array, whole))
    real = float(np.real(exponent))
    if real.is_integer() and abs(real) <= 10_000:
        base = q.array.astype(complex) if np.iscomplexobj(q.array) else q.array.astype(float)
        return replace(q, array=base ** int(real))
    return replace(q, array=q.array**real)


def norm(q: Quantity, kind: str = "2") -> Quantity:
    """Return a norm: "2" (of a matrix the spectral one), "F", "1", "inf", or "abs" for the modulus of a number."""
    array = np.real(as_matrix(q))
    if q.is_scalar:
        return scalar(q.array * np.sign(np.real(q.array)))
    if kind == "abs":
        raise UnfitError(f"|({q.shown})|")
    vector = 1 in array.shape
    if kind == "F" or (vector and kind in ("2", "")):
        return scalar(np.sqrt((q.array * q.array).sum()))
    order: Any = {"1": 1, "inf": np.inf}.get(kind, 2)
    return scalar(np.linalg.norm(array.ravel() if vector else array, order))
