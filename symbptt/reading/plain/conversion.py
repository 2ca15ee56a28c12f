"""Plain algebra to SymPy, by our own conversion: exact, bounded, and the same with or without latex2sympy2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from ..notation.tree import Grid, Tree
from .arithmetic import bounded
from .parts import (
    FUNCTIONS,
    Abs,
    Add,
    Call,
    Const,
    Div,
    Mul,
    Neg,
    NotPlainError,
    Num,
    Part,
    Pow,
    Root,
    Series,
    Sym,
    TooLargeError,
)
from .recognition import recognised

MOST_DIGITS = 4_000
"""How many digits a number may have that comes out of arithmetic."""
MOST_DIGITS_IN_ROOT = 150
"""How many digits a number may have that a root is taken of: SymPy looks for its factors."""
LARGEST_EXPONENTIAL = 9_200
"""The largest argument of an exponential: it has as many digits as MOST_DIGITS says."""
LARGEST_EXPONENT = 10_000
"""The largest exponent of what is no number."""


def to_sympy(tree: Tree, symbols: Mapping[str, Any] | None = None, *, log: str | None = "e") -> Any:
    r"""Convert plain algebra to SymPy.

    Parameters
    ----------
    tree : Tree
        From :func:`symbptt.reading.notation.parse`.
    symbols : mapping, optional
        Printed name (see :func:`.name_of`) -> the expression that it stands for. A name that is not in it becomes a
        real symbol, one for all places where the same is printed.
    log : str or None
        What ``\log`` is the logarithm to: "e", a whole number such as "10", or None, which refuses it.

    Returns
    -------
    sympy.Expr

    Raises
    ------
    NotPlainError
        For anything that is not recognised as plain algebra, or has no value (``1/0``).
    TooLargeError
        For arithmetic such as ``10^{10^{10}}``, which is not begun.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> to_sympy(parse(r"0.25 h_{t-1} + \frac{w}{2} \ln(w)"))
    h_{t-1}/4 + w*log(w)/2
    >>> to_sympy(parse(r"\sum_{t=1}^3 h_t"))
    h_{1} + h_{2} + h_{3}
    """
    return whole(recognised(tree, symbols or (), log=log), symbols)


def to_matrix(tree: Tree, symbols: Mapping[str, Any] | None = None, *, log: str | None = "e") -> Any:
    """Convert a matrix of plain algebra, entry by entry.

    Returns
    -------
    sympy.ImmutableMatrix

    Raises
    ------
    NotPlainError
        If it is no matrix, if its rows differ in length, or for an entry that is not plain.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> to_matrix(parse(r"\\begin{pmatrix} 0.5 & w \\\\ 0 & -1 \\end{pmatrix}"))
    Matrix([
    [1/2,  w],
    [  0, -1]])
    """
    if not isinstance(tree, Grid) or tree.kind != "matrix" or len({len(row) for row in tree.rows}) != 1:
        raise NotPlainError((tree.start, tree.end), "matrix")
    return sympy.ImmutableMatrix([[to_sympy(cell, symbols, log=log) for cell in row] for row in tree.rows])


def symbol(name: str) -> Any:
    """Return the symbol that a printed name is, when nothing else is known of it."""
    return sympy.Symbol(name, real=True)


def whole(part: Part, symbols: Mapping[str, Any] | None = None) -> Any:
    """Convert a recognised formula to SymPy, once it is seen that this comes to an end."""
    bounded(part, LARGEST_EXPONENTIAL, LARGEST_EXPONENT)
    return converted(part, symbols)


def converted(part: Part, symbols: Mapping[str, Any] | None = None) -> Any:
    """Convert a recognised part to SymPy; see :func:`to_sympy`."""
    if isinstance(part, Num):
        return checked(sympy.Rational(part.value.numerator, part.value.denominator), part)
    if isinstance(part, Sym):
        return (symbols or {}).get(part.name, symbol(part.name)) if symbols else symbol(part.name)
    if isinstance(part, Const):
        return sympy.E if part.name == "e" else sympy.pi
    if isinstance(part, Series):
        return _series(part, symbols)
    return _RULES[type(part)](part, *(converted(child, symbols) for child in part.children))


def _add(part: Part, *terms: Any) -> Any:
    return checked(sympy.Add(*terms), part)


def _neg(part: Part, body: Any) -> Any:
    return -body


def _mul(part: Part, *factors: Any) -> Any:
    digits = sum(size(factor) for factor in factors)
    if digits > MOST_DIGITS:
        raise TooLargeError(part.place, f"a number of more than {MOST_DIGITS} digits")
    return checked(sympy.Mul(*factors), part)


def _div(part: Part, top: Any, bottom: Any) -> Any:
    if bottom.is_zero:
        raise NotPlainError(part.place, "undefined")
    return checked(top / bottom, part)


def power(part: Part, base: Any, exponent: Any) -> Any:
    """Return a power, if it can be written down."""
    allowed(part.place, base, exponent)
    if base.is_zero and exponent.is_negative:
        raise NotPlainError(part.place, "undefined")
    return checked(base**exponent, part)


def allowed(place: tuple[int, int], base: Any, exponent: Any) -> None:
    """Raise :class:`TooLargeError` for a power that is too large to be worked out."""
    if not exponent.is_Rational or base in (0, 1, -1):
        return
    if base.is_Rational and size(base) * abs(exponent) > MOST_DIGITS:
        raise TooLargeError(place, f"a number of more than {MOST_DIGITS} digits")
    if base.is_Rational and not exponent.is_Integer and size(base) > MOST_DIGITS_IN_ROOT:
        raise TooLargeError(place, f"a root of a number of more than {MOST_DIGITS_IN_ROOT} digits")
    if abs(exponent) > LARGEST_EXPONENT:
        raise TooLargeError(place, f"an exponent above {LARGEST_EXPONENT}")


def _root(part: Part, body: Any) -> Any:
    assert isinstance(part, Root)
    allowed(part.place, body, sympy.Rational(1, part.degree))
    if body.is_Number and body.is_negative:
        if part.degree % 2 == 0:
            raise NotPlainError(part.place, "undefined")
        return -sympy.root(-body, part.degree)
    return checked(sympy.root(body, part.degree), part)


def _abs(part: Part, body: Any) -> Any:
    return sympy.Abs(body)


def _call(part: Part, argument: Any) -> Any:
    assert isinstance(part, Call)
    return checked(getattr(sympy, FUNCTIONS[part.function])(argument), part)


_RULES: dict[type[Part], Any] = {
    Add: _add,
    Neg: _neg,
    Mul: _mul,
    Div: _div,
    Pow: power,
    Root: _root,
    Abs: _abs,
    Call: _call,
}
"""Part -> what makes its expression from those of its children."""


def _series(part: Series, symbols: Mapping[str, Any] | None) -> Any:
    """An index is bound: it is no name of the note's, and gets a symbol of its own."""
    index = sympy.Symbol(part.index, integer=True)
    lower, upper = converted(part.lower, symbols), converted(part.upper, symbols)
    body = converted(part.body, {**(symbols or {}), part.index: index})
    return (sympy.Sum if part.kind == "sum" else sympy.Product)(body, (index, lower, upper))


def size(value: Any) -> int:
    """Return about how many digits a number has; 0 for what is no number of digits."""
    if not value.is_Rational:
        return 0
    return int(max(int(value.p).bit_length(), int(value.q).bit_length()) * 0.302)


def checked(value: Any, part: Part) -> Any:
    """Return a value, unless it is none, or has too many digits."""
    if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo) or (value.is_number and value.is_real is False):
        raise NotPlainError(part.place, "undefined")
    if size(value) > MOST_DIGITS:
        raise TooLargeError(part.place, f"a number of more than {MOST_DIGITS} digits")
    return value
