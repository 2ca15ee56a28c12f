"""Plain algebra: what :mod:`.recognition` makes of a tree, and the two ways in which that fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ...errors import RefusedError, SymbpttError
from ..notation.tree import parts_of

WHAT: dict[str, str] = {
    "application": "a name before a bracket, which may be a function or a factor",
    "argument": "a function whose argument has no clear end; put it in brackets",
    "bold": "a vector or a matrix",
    "brackets": "brackets that are not plain algebra",
    "derivative": "a derivative",
    "empty": "nothing where a value is needed",
    "evaluated": "a value at a place",
    "function": "a function that is not plain algebra",
    "index": "a name that the index of a sum over a range without numbers stands in",
    "inverse": "a function to the power -1, which may be its inverse or its reciprocal",
    "list": "several parts behind one another",
    "matrix": "a matrix, or cases",
    "operator": "an operator that is not plain algebra",
    "prime": "a prime",
    "range": "a sum or product without an index and two bounds",
    "relation": "a relation",
    "sign": "a sign that is not + or -",
    "slash": "a slash before factors side by side, of which one or all may be in the denominator",
    "subscript": "a subscript that is not read",
    "superscript": "a superscript that is no power",
    "symbol": "a symbol that is no number",
    "transpose": "a transpose",
    "undefined": "what has no real value",
    "words": "words",
    "dots": "an ellipsis",
}
"""What is not plain algebra -> what to call it."""


class NotPlainError(SymbpttError):
    """A formula, or a part of one, that is not recognised as plain algebra.

    Attributes
    ----------
    place : (int, int)
        Where the part stands in the LaTeX.
    what : str
        A key of :data:`WHAT`.

    Examples
    --------
    >>> NotPlainError((3, 5), "prime").what
    'prime'
    """

    def __init__(self, place: tuple[int, int], what: str) -> None:
        super().__init__(f"not plain algebra at {place[0]}: {WHAT[what]}")
        self.place, self.what = place, what

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.place, self.what)


class TooLargeError(RefusedError):
    """Arithmetic whose result no person could read, and which is therefore not done.

    Attributes
    ----------
    place : (int, int)
        Where it stands in the LaTeX.
    """

    def __init__(self, place: tuple[int, int], limit: str) -> None:
        super().__init__(f"too large at {place[0]}: {limit}")
        self.place, self.limit = place, limit

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.place, self.limit)


@dataclass(frozen=True)
class Part:
    """A part of plain algebra; ``place`` is where it stands in the LaTeX and does not count in comparisons."""

    place: tuple[int, int] = field(default=(0, 0), compare=False, repr=False, kw_only=True)

    @property
    def children(self) -> tuple[Part, ...]:
        """The parts it is made of, in order."""
        values = (getattr(self, name) for name in parts_of(self))
        return tuple(v for value in values for v in (value if isinstance(value, tuple) else (value,))
                     if isinstance(v, Part))  # fmt: skip

    def walk(self) -> Iterator[Part]:
        """Yield it and every part of it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Num(Part):
    """A number, exactly as its digits say."""

    value: Fraction


@dataclass(frozen=True)
class Sym(Part):
    """A name as it is printed, in canonical LaTeX: ``h_{t-1}``."""

    name: str


@dataclass(frozen=True)
class Const(Part):
    """``e`` or ``pi``."""

    name: str


@dataclass(frozen=True)
class Add(Part):
    """A sum."""

    terms: tuple[Part, ...]


@dataclass(frozen=True)
class Neg(Part):
    """The negative of something."""

    body: Part


@dataclass(frozen=True)
class Mul(Part):
    """A product."""

    factors: tuple[Part, ...]


@dataclass(frozen=True)
class Div(Part):
    """A quotient, however it is written."""

    top: Part
    bottom: Part


@dataclass(frozen=True)
class Pow(Part):
    """A power."""

    base: Part
    exponent: Part


@dataclass(frozen=True)
class Root(Part):
    """A root whose degree is a number."""

    body: Part
    degree: int


@dataclass(frozen=True)
class Abs(Part):
    """An absolute value."""

    body: Part


@dataclass(frozen=True)
class Call(Part):
    """A function of one variable: a key of :data:`FUNCTIONS`."""

    function: str
    argument: Part


@dataclass(frozen=True)
class Series(Part):
    """A sum (``sum``) or product (``prod``) that is not written out, from one bound to the other."""

    kind: str
    index: str
    lower: Part
    upper: Part
    body: Part


FUNCTIONS: dict[str, str] = {
    "exp": "exp",
    "ln": "log",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "coth": "coth",
    "sech": "sech",
    "arctan": "atan",
    "arcsin": "asin",
    "arccos": "acos",
    "arctanh": "atanh",
}
"""Function of plain algebra -> what SymPy and mpmath call it."""
