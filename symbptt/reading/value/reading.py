"""Ways to read what the notation leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NUMERATOR, DENOMINATOR = "numerator", "denominator"


@dataclass(frozen=True)
class Reading:
    """One way to read a formula.

    Attributes
    ----------
    layout : {"numerator", "denominator"}
        Of the derivative of a vector.
    modes : mapping
        Number of a derivative in the formula -> "total" or "immediate"; total where it says nothing.
    newest_left : bool
        Whether a product over an index has the largest index on the left.
    loose : bool
        Whether vectors have no orientation.
    tight : bool
        Whether an entrywise product binds its neighbours more tightly than juxtaposition.
    squares : bool
        Whether the square of a vector is the square of its norm.
    repeats : int or None
        How often a factor stands in a product with dots that does not say.
    spectral : bool
        Whether a norm of a matrix that is not named is the spectral one, or that of Frobenius.
    gradients : bool
        Whether the gradient of a number has the shape of what it is taken by, and is no row that may be turned.
    rows : bool
        Whether vectors are rows.
    empty : bool
        Whether a product with dots is empty where its ends have passed each other by one step, as in J_s ... J_{t+1}
        for s = t; else the product is then one of two factors in the other order.
    """

    layout: str = NUMERATOR
    modes: Mapping[int, str] = field(default_factory=dict)
    newest_left: bool = True
    loose: bool = False
    tight: bool = False
    squares: bool = False
    repeats: int | None = None
    spectral: bool = True
    entrywise: bool = False
    turned: bool = False
    gradients: bool = False
    rows: bool = False
    empty: bool = False
