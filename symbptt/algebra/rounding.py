"""How figures are printed: with how many digits, and as which literals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Basic

from ..errors import UnknownNameError, ValueInputError, nearest
from .base import rank_of
from .figures import Figure
from .leaves import Literal, LiteralMatrix
from .number_text import count_digits, exact_text, last_place, rounded_text

SPARE = 4
"""How many digits more than asked for an exact figure may have and still be printed whole."""
CARRY, STEP = "carry", "step"


@dataclass(frozen=True)
class Rounding:
    """How figures are printed.

    Parameters
    ----------
    digits : int
        Significant digits of rounded figures; the integer part is always whole.
    mode : {"carry", "step"}
        Whether a line goes on from unrounded figures, printed with guard digits, or from the printed ones.

    Examples
    --------
    >>> Rounding().show(Figure.parse("0.60437001251")), Rounding().show(Figure.parse(84.5))
    ((0.6044, False), (84.5, True))
    >>> Rounding().show(Figure.parse(12345.678901)), Rounding().show(Figure.parse(2) ** -200)
    ((12346, False), (6.223e-61, False))
    """

    digits: int = 4
    mode: str = CARRY

    def __post_init__(self) -> None:
        if isinstance(self.digits, bool) or not isinstance(self.digits, int) or not 1 <= self.digits <= 20:
            raise ValueInputError(f"digits={self.digits!r}: give a whole number from 1 to 20")
        if self.mode not in (CARRY, STEP):
            raise UnknownNameError(f"rounding {self.mode!r}{nearest(str(self.mode), (CARRY, STEP))}")

    def show(self, figure: Figure, digits: int | None = None, spare: int = SPARE) -> tuple[Literal, bool]:
        """Return (the figure as it is printed, whether that is its exact value).

        Parameters
        ----------
        figure : Figure
        digits : int, optional
            Significant digits, instead of the usual number.
        spare : int
            How many digits more an exact figure may have and still be printed whole.
        """
        digits = self.digits if digits is None else digits
        text = exact_text(figure.number, figure.style, figure.places, digits + spare) if figure.exact else None
        return (Literal(rounded_text(figure.rational, digits)), False) if text is None else (Literal(text), True)

    def rounded(self, figure: Figure, digits: int | None = None) -> Literal:
        """Return the figure with that many digits, also where it is exact.

        >>> Rounding(4).rounded(Figure.parse(84.5))
        84.50
        """
        return Literal(rounded_text(figure.rational, self.digits if digits is None else digits))

    def agrees(self, figure: Figure, printed: Literal) -> bool:
        """Whether a printed number is the figure, or the figure rounded to the digits printed (enough of them).

        >>> [Rounding().agrees(Figure.parse("0.60437"), Literal(text)) for text in ("0.6044", "0.60437", "0.604")]
        [True, True, False]
        """
        value = printed.value
        if figure.rational == value:
            return True
        unit = last_place(printed.text)
        if unit is None or count_digits(printed.text) < self.digits:
            return False
        return round(figure.rational / unit) * unit == value


def literal_like(literals: Any) -> Basic:
    """Return the node of a literal, or of an array of literals.

    >>> literal_like(np.array([Literal("1.0"), Literal("2.0")])).shape
    (2, 1)
    """
    if not isinstance(literals, np.ndarray):
        return literals
    if literals.ndim == 1:
        return LiteralMatrix([[entry] for entry in literals])
    return LiteralMatrix(literals.tolist(), *((2,) if literals.shape[1] == 1 else ()))


def literals_of(expr: Any) -> Any:
    """Return a literal, or the array of literals of a :class:`LiteralMatrix`.

    >>> literals_of(literal_like(np.array([Literal("1.0"), Literal("2.0")])))
    array([1.0, 2.0], dtype=object)
    """
    if isinstance(expr, Literal):
        return expr
    array = np.empty((len(expr.rows), len(expr.rows[0])), dtype=object)
    for i, row in enumerate(expr.rows):
        for j, entry in enumerate(row):
            array[i, j] = entry
    return array[:, 0] if rank_of(expr) == 1 else array
