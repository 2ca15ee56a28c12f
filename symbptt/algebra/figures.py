"""Numbers that know how they were written, and whether they are exact.

A :class:`Figure` is an exact fraction for as long as it can be, and else a number of 34 digits; 2.0 stays 2.0 and 3
stays 3. :class:`FigureDomain` evaluates expressions in figures, and :class:`Rounding` says how they are printed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from math import isqrt
from numbers import Integral
from typing import Any

import numpy as np
import sympy
from mpmath.ctx_mp import MPContext  # type: ignore[import-untyped]
from sympy import Basic, Expr
from sympy.printing.pycode import MpmathPrinter

from ..errors import UnknownNameError, ValueInputError, nearest
from .base import rank_of
from .functions import ElementwiseFunction, U
from .leaves import Literal, LiteralMatrix

INTEGER, FRACTION, DECIMAL = "integer", "fraction", "decimal"
DIGITS = 34
"""How many digits an inexact figure has."""
LONGEST = 40
"""How many digits an exact figure may have; beyond that it is held inexactly."""
_STYLES = (INTEGER, FRACTION, DECIMAL)
_TOO_LARGE = 10**LONGEST
_NOISE = Fraction(1, 10**30)


@cache
def _context(digits: int) -> Any:
    """Return a context of our own for that many digits; mpmath's global one is never touched."""
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
            number = _context(DIGITS).mpf(number)
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
        return _restored, (self.number._mpf_,)

    def __str__(self) -> str:
        text = _exact_text(self, LONGEST) if self.exact else None
        return text if text is not None else _rounded_text(self.rational, DIGITS)

    def __repr__(self) -> str:
        return f"Figure({str(self)!r})" if self.exact else f"Figure(≈{self})"


def _restored(parts: Any) -> Figure:
    return Figure(_context(DIGITS).make_mpf(parts))


def _rational(number: Any) -> Fraction:
    sign, mantissa, exponent, _ = number._mpf_
    value = Fraction(int(mantissa) << exponent) if exponent >= 0 else Fraction(int(mantissa), 1 << -exponent)
    return -value if sign else value


def _inexact(value: Any) -> Any:
    if isinstance(value, Fraction):
        return _context(DIGITS).fdiv(value.numerator, value.denominator)
    return value


def _is_long(value: Fraction, style: str) -> bool:
    top, bottom = abs(value.numerator), value.denominator
    if top < _TOO_LARGE and (bottom == 1 or (style != DECIMAL and bottom < _TOO_LARGE)):
        return False
    places = None if style == FRACTION and bottom != 1 else _places(value)
    if places is None:
        return max(top, bottom) >= _TOO_LARGE
    return max(top, bottom).bit_length() > 10_000 or _significant(value, places) > LONGEST


def _places(value: Fraction) -> int | None:
    """Return how many decimal places the value has, or None where they never end."""
    bottom = value.denominator
    twos = (bottom & -bottom).bit_length() - 1
    bottom >>= twos
    fives = 0
    while bottom % 5 == 0:
        bottom, fives = bottom // 5, fives + 1
    return max(twos, fives) if bottom == 1 else None


def _significant(value: Fraction, places: int) -> int:
    return len(str(abs(int(value * 10**places))).strip("0")) or 1


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
    return Figure(operation(a.number, b.number), max(a.style, b.style, key=_STYLES.index))


def _inexactly(operation: Callable[[Any, Any], Any], a: Figure, b: Figure) -> Any:
    result = operation(_inexact(a.number), _inexact(b.number))
    if operation in (operator.add, operator.sub) and abs(result) < abs(_inexact(a.number)) * _inexact(_NOISE):
        return result * 0
    return result


def _compared(operation: Callable[[Any, Any], bool], left: Figure, right: Any) -> Any:
    b = _operand(right)
    return NotImplemented if b is None else operation(left.rational, b.rational)


def _power(base: Figure, exponent: Figure) -> Figure:
    style = base.style if exponent.style == INTEGER else max(base.style, exponent.style, key=_STYLES.index)
    if exponent.exact and exponent.number.denominator == 1:
        return _integer_power(base, int(exponent.number), style)
    if base < 0:
        raise ValueInputError(f"({base}) ** ({exponent}) is not a real number")
    root = _root(base.number) if base.exact and exponent.exact and exponent.number.denominator == 2 else None
    if root is not None:
        return _integer_power(Figure(root, base.style), int(exponent.number * 2), style)
    return Figure(_context(DIGITS).power(_inexact(base.number), _inexact(exponent.number)))


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


# -- functions ----------------------------------------------------------------------------------------


def apply_figure(function: ElementwiseFunction, value: Figure) -> Figure:
    """Return f(value): exact where it is rational, else to 34 digits.

    >>> from symbptt.algebra.functions import named
    >>> apply_figure(named("relu"), Figure.parse(-3.0)), apply_figure(named("tanh").prime, Figure.parse(0))
    (Figure('0.0'), Figure('1'))
    >>> print(apply_figure(named("tanh"), Figure.parse(0.5)))
    0.4621171572600097585023184836436726
    """
    rule = function.rule(U)
    try:
        exact = _exactly(rule, value)
    except ValueInputError:
        raise _undefined(function.name, value) from None
    if exact is None:
        return Figure(_numerically(rule, value, function.name))
    return Figure(exact.number, DECIMAL) if (exact.style, value.style) == (FRACTION, DECIMAL) else exact


def _undefined(name: str, value: Figure) -> ValueInputError:
    return ValueInputError(f"{name}({value}) is not a finite real number")


def _exactly(expr: Any, u: Figure) -> Figure | None:
    """Return the value where rational arithmetic reaches it, else None."""
    if expr == U:
        return u
    if expr.is_Rational:
        return _from_rational(expr)
    special = _SPECIAL.get(expr.func.__name__)
    if special is not None:
        argument = _exactly(expr.args[0], u)
        return Figure(special[1], argument.style) if argument is not None and argument == special[0] else None
    rule = _EXACT.get(expr.func.__name__)
    return rule(expr, u) if rule is not None else None


def _all_exactly(expr: Any, u: Figure) -> list[Figure] | None:
    values = [_exactly(a, u) for a in expr.args]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def _sum_exactly(expr: Any, u: Figure) -> Figure | None:
    values = _all_exactly(expr, u)
    return None if values is None else sum(values[1:], start=values[0])


def _product_exactly(expr: Any, u: Figure) -> Figure | None:
    known = [value for value in (_exactly(a, u) for a in expr.args) if value is not None]
    result = Figure(1, INTEGER)
    for value in known:
        result = result * value
    whole = len(known) == len(expr.args) or (not result and result.exact and all(map(_is_finite, expr.args)))
    return result if whole else None


def _is_finite(expr: Any) -> bool:
    """Whether the expression is finite whatever its input: no logarithm and no quotient with the input below."""
    return not any(
        isinstance(p, sympy.log) or (isinstance(p, sympy.Pow) and not p.exp.is_positive and p.base.has(U))
        for p in sympy.preorder_traversal(expr)
    )


def _power_exactly(expr: Any, u: Figure) -> Figure | None:
    values = _all_exactly(expr, u)
    if values is None:
        return None
    result = _power(*values)
    return result if result.exact or not u.exact else None


def _largest_exactly(expr: Any, u: Figure) -> Figure | None:
    values = _all_exactly(expr, u)
    if values is None:
        return None
    best = (max if isinstance(expr, sympy.Max) else min)(values)
    return Figure(best.number, max((v.style for v in values), key=_STYLES.index), best.places)


def _absolute_exactly(expr: Any, u: Figure) -> Figure | None:
    value = _exactly(expr.args[0], u)
    return None if value is None else abs(value)


def _sign_exactly(expr: Any, u: Figure) -> Figure | None:
    value = _exactly(expr.args[0], u)
    return None if value is None else Figure((value > 0) - (value < 0), INTEGER)


def _branch_exactly(expr: Any, u: Figure) -> Figure | None:
    for value, condition in expr.args:
        holds = _holds(condition, u)
        if holds is None:
            return None
        if holds:
            return _exactly(value, u)
    return None


def _holds(condition: Any, u: Figure) -> bool | None:
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    if isinstance(condition, sympy.core.relational.Relational):
        sides = _all_exactly(condition, u)
        return None if sides is None else bool(_RELATIONS[condition.rel_op](*sides))
    parts = [_holds(part, u) for part in condition.args]
    join = _JOINS.get(condition.func.__name__)
    return None if join is None or None in parts else join(parts)


_JOINS: dict[str, Callable[[list[Any]], bool]] = {"And": all, "Or": any, "Not": lambda parts: not parts[0]}


_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}

_EXACT: dict[str, Callable[[Any, Figure], Figure | None]] = {
    "Add": _sum_exactly,
    "Mul": _product_exactly,
    "Pow": _power_exactly,
    "Max": _largest_exactly,
    "Min": _largest_exactly,
    "Abs": _absolute_exactly,
    "sign": _sign_exactly,
    "Piecewise": _branch_exactly,
}

_SPECIAL: dict[str, tuple[int, int]] = {
    "exp": (0, 1),
    "log": (1, 0),
    "tanh": (0, 0),
    "sinh": (0, 0),
    "cosh": (0, 1),
    "sech": (0, 1),
    "sin": (0, 0),
    "cos": (0, 1),
    "tan": (0, 0),
    "atan": (0, 0),
    "asin": (0, 0),
    "asinh": (0, 0),
    "atanh": (0, 0),
    "erf": (0, 0),
}
"""Arguments at which a function is rational, with its value there."""

_LEVELS = (50, 120, 500, 2000)


def _numerically(rule: Expr, value: Figure, name: str) -> Any:
    """Return the value to 34 digits: with more and more digits until two results agree."""
    last = None
    for digits in _LEVELS:
        result = _computed(rule, value, digits, name)
        if result and last is not None and abs(result - last) * 10 ** (DIGITS + 2) <= abs(result):
            break
        last = result
    return result


def _computed(rule: Expr, value: Figure, digits: int, name: str) -> Any:
    context = _context(digits)
    number = value.number
    argument = context.fdiv(number.numerator, number.denominator) if value.exact else context.mpf(number)
    try:
        result = context.convert(_compiled(rule, digits)(argument))
    except (ValueError, ArithmeticError):
        raise _undefined(name, value) from None
    if not context.isfinite(result) or not hasattr(result, "_mpf_"):
        raise _undefined(name, value)
    return result


@lru_cache(maxsize=512)
def _compiled(rule: Expr, digits: int) -> Callable[[Any], Any]:
    """Compile a rule to calls of a context of our own."""
    context = _context(digits)
    names = {name: getattr(context, name) for name in dir(context) if not name.startswith("_")}
    printer = MpmathPrinter({"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True})
    compiled: Callable[[Any], Any] = sympy.lambdify(U, rule, modules=[names], printer=printer)
    return compiled


# -- the domain ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FigureDomain:
    """Numbers are figures: the domain of worked lines.

    Parameters
    ----------
    values : mapping of leaves to Figure, or arrays of Figure
        Vectors are arrays of shape (n,), matrices of shape (rows, columns). Other numbers are parsed.
    sizes : mapping of symbols to int
        The sizes, and T.

    Examples
    --------
    >>> from symbptt.algebra import Variable, evaluate, apply
    >>> h = Variable("h")
    >>> evaluate(apply("relu", 2 * h[1]), FigureDomain({h[1]: Figure.parse("3.0")}))
    Figure('6.0')
    """

    values: Mapping[Any, Any]
    sizes: Mapping[Any, int] = field(default_factory=dict)

    def leaf(self, leaf: Basic) -> Any:
        """Return the value given for a leaf."""
        if leaf in self.values:
            return figures(self.values[leaf])
        if leaf in self.sizes:
            return Figure(int(self.sizes[leaf]), INTEGER)
        known = ", ".join(sorted(map(str, self.values))[:8])
        raise ValueInputError(f"no value is given for {leaf}" + (f"; given: {known}" if known else ""))

    def number(self, value: Expr) -> Figure:
        """Return a SymPy number, or an expression in sizes alone, as a figure."""
        value = self._sized(value)
        if value.is_Rational or value.is_Float:
            return Figure.parse(value)
        if not value.is_number or not value.is_real:
            raise ValueInputError(f"{value} is not a real number")
        return Figure(_context(DIGITS).make_mpf(sympy.N(value, DIGITS + 6)._mpf_))

    def literal(self, literal: Literal) -> Figure:
        """Return a number as it was written."""
        return _from_text(literal.text)

    def size(self, value: Expr) -> int:
        """Return a size or a step as an integer."""
        value = self._sized(value)
        if not value.is_Integer:
            raise ValueInputError(f"no value is given for the size {value}")
        return int(value)

    def apply(self, function: ElementwiseFunction, value: Any) -> Any:
        """Apply an elementwise function."""
        return each(lambda entry: apply_figure(function, entry), value)

    def largest(self, values: list[Figure]) -> Figure:
        """Return the largest of some scalars."""
        return max(values)

    def _sized(self, value: Any) -> Any:
        return sympy.sympify(value).xreplace({k: sympy.Integer(v) for k, v in self.sizes.items()})


# -- printing -----------------------------------------------------------------------------------------

SPARE = 4
"""How many digits more than asked for an exact figure may have and still be printed whole."""
CARRY, STEP = "carry", "step"
_SMALLEST, _LARGEST = -4, 7


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
        text = _exact_text(figure, digits + spare) if figure.exact else None
        return (Literal(_rounded_text(figure.rational, digits)), False) if text is None else (Literal(text), True)

    def rounded(self, figure: Figure, digits: int | None = None) -> Literal:
        """Return the figure with that many digits, also where it is exact.

        >>> Rounding(4).rounded(Figure.parse(84.5))
        84.50
        """
        return Literal(_rounded_text(figure.rational, self.digits if digits is None else digits))

    def agrees(self, figure: Figure, printed: Literal) -> bool:
        """Whether a printed number is the figure, or the figure rounded to the digits printed (enough of them).

        >>> [Rounding().agrees(Figure.parse("0.60437"), Literal(text)) for text in ("0.6044", "0.60437", "0.604")]
        [True, True, False]
        """
        value = printed.value
        if figure.rational == value:
            return True
        unit = _unit(printed.text)
        if unit is None or _count(printed.text) < self.digits:
            return False
        return round(figure.rational / unit) * unit == value


def _exact_text(figure: Figure, limit: int) -> str | None:
    """Return an exact figure whole, or None where that takes more than ``limit`` digits."""
    value = figure.number
    if figure.style == FRACTION and value.denominator != 1:
        longest = max(len(str(abs(value.numerator))), len(str(value.denominator)))
        return f"{value.numerator}/{value.denominator}" if longest <= limit else None
    places = _places(value)
    if places is None:
        return None
    least = figure.places if figure.style == DECIMAL else 0
    if not value:
        return _plain(value, least)
    exponent, count = _exponent(value), _significant(value, places)
    if figure.style != DECIMAL and exponent < max(limit, _LARGEST):
        return str(int(value))
    if count > limit:
        return None
    if not _SMALLEST <= exponent < _LARGEST:
        return _scientific(value, count, exponent)
    return _plain(value, max(places, least))


def _rounded_text(value: Fraction, digits: int) -> str:
    if not value:
        return "0.0"
    exponent = _exponent(value)
    # Rounding up may make the number one digit longer.
    if abs(round(value / Fraction(10) ** (exponent - digits + 1))) >= 10**digits:
        exponent += 1
    if _SMALLEST <= exponent < _LARGEST:
        return _plain(value, max(0, digits - 1 - exponent))
    return _scientific(value, digits, exponent)


def _exponent(value: Fraction) -> int:
    """Return the power of ten of the first digit."""
    value = abs(value)
    guess = int((value.numerator.bit_length() - value.denominator.bit_length()) * 0.30102999566398120)
    while value < Fraction(10) ** guess:
        guess -= 1
    while value >= Fraction(10) ** (guess + 1):
        guess += 1
    return guess


def _plain(value: Fraction, places: int) -> str:
    digits = str(abs(round(value * 10**places))).rjust(places + 1, "0")
    sign = "-" if value < 0 and digits.strip("0") else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def _scientific(value: Fraction, digits: int, exponent: int) -> str:
    return f"{_plain(value / Fraction(10) ** exponent, digits - 1)}e{exponent}"


def _unit(text: str) -> Fraction | None:
    """Return the value of a 1 in the last place of a decimal; None for a fraction."""
    if "/" in text:
        return None
    mantissa, _, exponent = text.partition("e")
    return Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def _count(text: str) -> int:
    return len(text.partition("e")[0].lstrip("-0.").replace(".", ""))


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
