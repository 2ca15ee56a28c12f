"""Numbers that know how they were written, and whether they are exact.

A :class:`Figure` is an exact fraction for as long as it can be, and else a number of 34 digits; 2.0 stays 2.0 and 3
stays 3.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt
from numbers import Integral
from typing import Any

import numpy as np
import sympy
from mpmath.ctx_mp import MPContext

from ..errors import ValueInputError
from .leaves import Literal
from .number_text import DECIMAL, FRACTION, INTEGER, STYLES, exact_text, places_of, rounded_text, significant_digits

DIGITS = 34
"""How many digits an inexact figure has."""
LONGEST = 40
"""How many digits an exact figure may have; beyond that it is held inexactly."""
_TOO_LARGE = 10**LONGEST
_NOISE = Fraction(1, 10**30)


@cache
def mp_context(digits: int) -> Any:
    """Return an mpmath context of our own for that many digits; mpmath's global one is never touched."""
    context = MPContext()
    context.dps = digits
    return context


# -- the number ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Figure:
    """A number with its style.

    Parameters
    ----------
    number : Fraction, int or mpf
        The exact value, or an inexact one.
    style : {"integer", "fraction", "decimal"}
        How it is written; in a result a decimal operand wins over a fraction, and that over an integer.
    places : int
        The least number of decimal places that a decimal is shown with.

    Examples
    --------
    >>> Figure.parse("2.0") * 3, Figure.parse("1/2") * 3, Figure.parse(0.5) * Figure.parse(0.5)
    (Figure('6.0'), Figure('3/2'), Figure('0.25'))
    >>> (Figure.parse(1.0) / 3).exact, (Figure.parse(2) ** Figure.parse("1/2")).exact
    (True, False)
    """

    number: Any
    style: str = DECIMAL
    places: int = 1

    def __post_init__(self) -> None:
        number = Fraction(self.number) if isinstance(self.number, int) else self.number
        if isinstance(number, Fraction) and _is_long(number, self.style):
            number = _inexact(number)
        if not isinstance(number, Fraction):
            number = mp_context(DIGITS).mpf(number)
            object.__setattr__(self, "style", DECIMAL)
        elif self.style == INTEGER and number.denominator != 1:
            object.__setattr__(self, "style", FRACTION)
        object.__setattr__(self, "number", number)

    @classmethod
    def parse(cls, value: Any) -> Figure:
        """Return the figure of a number or of its text.

        Parameters
        ----------
        value : int, float, str, Fraction, SymPy or NumPy number
            A float means its shortest text, so that 0.1 is exactly 1/10.

        Raises
        ------
        ValueInputError
            For anything else, for booleans, and for what is not finite.

        Examples
        --------
        >>> Figure.parse("2.50"), Figure.parse(0.1).number, Figure.parse(1e-3)
        (Figure('2.50'), Fraction(1, 10), Figure('0.001'))
        """
        if isinstance(value, Figure):
            return value
        for kind, read in _READERS:
            if isinstance(value, kind):
                return read(value)
        raise _not_a_number(value)

    @property
    def exact(self) -> bool:
        """Whether the value is known exactly."""
        return isinstance(self.number, Fraction)

    @property
    def rational(self) -> Fraction:
        """The value as a fraction; of an inexact figure, that of the number held."""
        return self.number if self.exact else _rational(self.number)

    def __add__(self, other: Any) -> Any:
        return _combined(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _combined(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _combined(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _combined(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return _combined(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _combined(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _combined(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _combined(operator.truediv, other, self)

    def __pow__(self, other: Any) -> Any:
        exponent = _operand(other)
        return NotImplemented if exponent is None else _power(self, exponent)

    def __rpow__(self, other: Any) -> Any:
        base = _operand(other)
        return NotImplemented if base is None else _power(base, self)

    def __neg__(self) -> Figure:
        return Figure(-self.number, self.style, self.places)

    def __pos__(self) -> Figure:
        return self

    def __abs__(self) -> Figure:
        return -self if self.number < 0 else self

    def __bool__(self) -> bool:
        return bool(self.number != 0)

    def __float__(self) -> float:
        return float(self.number)

    def __hash__(self) -> int:
        return hash(self.rational)

    def __eq__(self, other: object) -> Any:
        return _compared(operator.eq, self, other)

    def __lt__(self, other: Any) -> Any:
        return _compared(operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return _compared(operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return _compared(operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return _compared(operator.ge, self, other)

    def __reduce__(self) -> Any:
        if self.exact:
            return Figure, (self.number, self.style, self.places)
        return inexact_figure, (self.number._mpf_,)

    def __str__(self) -> str:
        text = exact_text(self.number, self.style, self.places, LONGEST) if self.exact else None
        return text if text is not None else rounded_text(self.rational, DIGITS)

    def __repr__(self) -> str:
        return f"Figure({str(self)!r})" if self.exact else f"Figure(≈{self})"


def inexact_figure(parts: Any) -> Figure:
    """Return the figure of mpmath's (sign, mantissa, exponent, bits)."""
    return Figure(mp_context(DIGITS).make_mpf(parts))


def _rational(number: Any) -> Fraction:
    sign, mantissa, exponent, _ = number._mpf_
    value = Fraction(int(mantissa) << exponent) if exponent >= 0 else Fraction(int(mantissa), 1 << -exponent)
    return -value if sign else value


def _inexact(value: Any) -> Any:
    if isinstance(value, Fraction):
        return mp_context(DIGITS).fdiv(value.numerator, value.denominator)
    return value


def _is_long(value: Fraction, style: str) -> bool:
    top, bottom = abs(value.numerator), value.denominator
    if top < _TOO_LARGE and (bottom == 1 or (style != DECIMAL and bottom < _TOO_LARGE)):
        return False
    places = None if style == FRACTION and bottom != 1 else places_of(value)
    if places is None:
        return max(top, bottom) >= _TOO_LARGE
    return max(top, bottom).bit_length() > 10_000 or significant_digits(value, places) > LONGEST


# -- arithmetic ---------------------------------------------------------------------------------------


def _operand(value: Any) -> Figure | None:
    if isinstance(value, Figure):
        return value
    if isinstance(value, Integral) and not isinstance(value, bool):
        return Figure(int(value), INTEGER)
    return Figure(value, FRACTION) if isinstance(value, Fraction) else None


def _combined(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    a, b = _operand(left), _operand(right)
    if a is None or b is None:
        return NotImplemented
    if operation is operator.truediv and not b:
        raise ValueInputError(f"{a} / {b}: division by zero")
    if not (a.exact and b.exact):
        return Figure(_inexactly(operation, a, b))
    return Figure(operation(a.number, b.number), max(a.style, b.style, key=STYLES.index))


def _inexactly(operation: Callable[[Any, Any], Any], a: Figure, b: Figure) -> Any:
    result = operation(_inexact(a.number), _inexact(b.number))
    if operation in (operator.add, operator.sub) and abs(result) < abs(_inexact(a.number)) * _inexact(_NOISE):
        return result * 0
    return result


def _compared(operation: Callable[[Any, Any], bool], left: Figure, right: Any) -> Any:
    b = _operand(right)
    return NotImplemented if b is None else operation(left.rational, b.rational)


def _power(base: Figure, exponent: Figure) -> Figure:
    style = base.style if exponent.style == INTEGER else max(base.style, exponent.style, key=STYLES.index)
    if exponent.exact and exponent.number.denominator == 1:
        return _integer_power(base, int(exponent.number), style)
    if base < 0:
        raise ValueInputError(f"({base}) ** ({exponent}) is not a real number")
    root = _root(base.number) if base.exact and exponent.exact and exponent.number.denominator == 2 else None
    if root is not None:
        return _integer_power(Figure(root, base.style), int(exponent.number * 2), style)
    return Figure(mp_context(DIGITS).power(_inexact(base.number), _inexact(exponent.number)))


def _integer_power(base: Figure, exponent: int, style: str) -> Figure:
    if exponent < 0 and not base:
        raise ValueInputError(f"{base} ** ({exponent}): division by zero")
    if base.exact and _bits(base.number) * abs(exponent) < 2000:
        return Figure(base.number**exponent, style)
    return Figure(_inexact(base.number) ** exponent)


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _root(value: Fraction) -> Fraction | None:
    if value < 0:
        return None
    root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return root if root * root == value else None


# -- reading ------------------------------------------------------------------------------------------

_TEXT = re.compile(r"[+-]?(?:\d+/0*[1-9]\d*|(?:\d+(?:\.(?P<places>\d*))?|\.(?P<short>\d+))(?P<e>[eE][+-]?\d{1,4})?)")


def _not_a_number(value: Any) -> ValueInputError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    shown = " ".join(shown.split())
    return ValueInputError(f"{shown} is not a finite real number: give one such as 2, 0.5, '2.50', '1e-3' or '1/3'")


def _from_text(text: str) -> Figure:
    match = _TEXT.fullmatch(text.strip())
    if match is None or len(text) > 1000:
        raise _not_a_number(text)
    value = Fraction(match.group())
    if "/" in text:
        return Figure(value, FRACTION)
    if match["places"] is None and match["short"] is None and not match["e"]:
        return Figure(value, INTEGER)
    places = 0 if match["e"] else len(match["places"] or match["short"] or "")
    return Figure(value, DECIMAL, max(1, places))


def _from_float(value: float) -> Figure:
    if not np.isfinite(value):
        raise _not_a_number(value)
    return Figure(Fraction(repr(value)))


def _from_numpy(value: Any) -> Figure:
    if not np.isfinite(value):
        raise _not_a_number(value)
    return Figure(Fraction(np.format_float_scientific(value, unique=True)))


def _from_array(value: Any) -> Figure:
    if value.ndim:
        raise _not_a_number(value)
    return Figure.parse(value[()])


def _from_rational(value: sympy.Rational) -> Figure:
    return Figure(Fraction(int(value.p), int(value.q)), INTEGER)


def _from_sympy_float(value: sympy.Float) -> Figure:
    return _from_float(float(value)) if value._prec <= 53 else Figure(Fraction(str(value)))


def _reject(value: Any) -> Figure:
    raise _not_a_number(value)


_READERS: tuple[tuple[Any, Callable[[Any], Figure]], ...] = (
    ((bool, np.bool_), _reject),
    (int, lambda value: Figure(value, INTEGER)),
    (float, lambda value: _from_float(float(value)) if type(value) is float else _from_numpy(value)),
    (str, _from_text),
    (Fraction, lambda value: Figure(value, FRACTION)),
    (np.integer, lambda value: Figure(int(value), INTEGER)),
    (np.floating, _from_numpy),
    (np.ndarray, _from_array),
    (Literal, lambda value: _from_text(value.text)),
    (sympy.Rational, _from_rational),
    (sympy.Float, _from_sympy_float),
)


def figures(value: Any) -> Any:
    """Return a figure, or an object array of figures of nested lists or an array.

    >>> figures([[1, "2.50"], [0.5, "1/3"]])
    array([[Figure('1'), Figure('2.50')],
           [Figure('0.5'), Figure('1/3')]], dtype=object)
    """
    if isinstance(value, np.ndarray) and value.ndim:
        return each(Figure.parse, value)
    if not isinstance(value, list | tuple):
        return Figure.parse(value)
    entries = [figures(entry) for entry in value]
    if not entries or len({np.shape(entry) for entry in entries}) > 1:
        raise ValueInputError(f"{len(entries)} rows of different lengths, or none: give a full vector or matrix")
    array = np.empty((len(entries), *np.shape(entries[0])), dtype=object)
    for i, entry in enumerate(entries):
        array[i] = entry
    return array


def each(function: Callable[..., Any], *arrays: Any) -> Any:
    """Apply a function entry by entry to scalars, or to arrays of one shape.

    >>> each(abs, figures([-1.0, 2]))
    array([Figure('1.0'), Figure('2')], dtype=object)
    """
    if not isinstance(arrays[0], np.ndarray):
        return function(*arrays)
    result = np.empty(arrays[0].shape, dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = function(*(array[place] for array in arrays))
    return result


def entries(value: Any) -> list[Any]:
    """Return the entries of a scalar or an array, in rows.

    >>> entries(figures([[1, 2], [3, 4]]))
    [Figure('1'), Figure('2'), Figure('3'), Figure('4')]
    """
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]
