"""The value of arithmetic with numbers, exact where it is rational, within a budget: what is too large is not begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ..notation.tree import Tree
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
"""How many digits an exact number may have (Python itself does not print more than 4300)."""
MOST_STEPS = 50_000
"""How many operations are done for one number."""
LONGEST_SERIES = 2_000
LARGEST_ARGUMENT = 10**8
"""The largest argument of an exponential, and the largest exponent of ten."""
DIGITS = 30
"""To how many digits a number that is not rational is worked out."""


def number_of(tree: Tree, *, log: str | None = "e") -> Any:
    r"""Return the value of arithmetic with numbers.

    Returns
    -------
    sympy.Rational or sympy.Float or None
        Exact where it is rational (of up to 4000 digits), else to 30 digits; None where a name stands in it.

    Raises
    ------
    NotPlainError
        For what is no plain algebra, or has no real value.
    TooLargeError
        Soon, for what nobody could write down.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> number_of(parse(r"2.0 \cdot 0.25 - \frac{1}{3}"))
    1/6
    >>> number_of(parse(r"2 w"))
    >>> number_of(parse(r"10^{10^{10}}"))
    Traceback (most recent call last):
    ...
    symbptt.reading.plain.parts.TooLargeError: too large at 0: an exponential of more than 9200
    """
    part = recognised(tree, log=log, written_out=0)
    return None if has_names(part) else value_of(part)


def has_names(part: Part, bound: frozenset[str] = frozenset()) -> bool:
    """Whether a name stands in a part that is no index of a sum within it."""
    if isinstance(part, Sym):
        return part.name not in bound
    if isinstance(part, Series):
        outer = has_names(part.lower, bound) or has_names(part.upper, bound)
        return outer or has_names(part.body, bound | {part.index})
    return any(has_names(child, bound) for child in part.children)


def value_of(part: Part) -> Any:
    """Return the value of a recognised part without names; see :func:`number_of`."""
    import sympy

    try:
        exact, largest = _Exact().value(part, {}), LARGEST_ARGUMENT
    except TooLargeError:  # 1.001^{10000} has too many digits, and is a number like any other
        exact, largest = None, int(MOST_DIGITS * 2.3)
    if exact is not None:
        return sympy.Rational(exact.numerator, exact.denominator)
    before = None
    for digits in (DIGITS + 20, 2 * DIGITS + 40, 4 * DIGITS + 80, 8 * DIGITS + 160):
        now = _Rounded(digits, largest).whole(part)
        if before is not None and abs(now - before) <= abs(now) * sympy.Rational(1, 10 ** (DIGITS + 3)):
            return sympy.Float(now, DIGITS)
        before = now
    # It is zero as far as can be seen, such as ln(4) - 2 ln(2).
    return sympy.Float(0 if before is None or abs(before) < sympy.Rational(1, 10**200) else before, DIGITS)


@dataclass
class _Exact:
    """Rational arithmetic; None for what is not rational."""

    steps: int = 0

    def value(self, part: Part, index: Mapping[str, int]) -> Fraction | None:
        self.steps = _counted(self.steps, part)
        if isinstance(part, Num):
            return part.value
        if isinstance(part, Sym):
            return Fraction(index[part.name])
        if isinstance(part, Series):
            return self.series(part, index)
        values = [self.value(child, index) for child in part.children]
        known = [value for value in values if value is not None]
        if len(known) < len(values) or isinstance(part, Const):
            return None
        return _limited(self.joined(part, known), part)

    def joined(self, part: Part, values: list[Fraction]) -> Fraction | None:
        first = values[0]
        if isinstance(part, Add | Mul):
            total = Fraction(int(isinstance(part, Mul)))
            for value in values:
                total = total + value if isinstance(part, Add) else total * value
                _limited(total, part)
            return total
        if isinstance(part, Neg):
            return -first
        if isinstance(part, Abs):
            return abs(first)
        if isinstance(part, Div):
            if values[1] == 0:
                raise NotPlainError(part.place, "undefined")
            return first / values[1]
        if isinstance(part, Pow):
            return _power(part, first, values[1])
        if isinstance(part, Root):
            return _power(part, first, Fraction(1, part.degree))
        return None

    def series(self, part: Series, index: Mapping[str, int]) -> Fraction | None:
        total = Fraction(int(part.kind == "prod"))
        for k in _range(self.value(part.lower, index), self.value(part.upper, index), part):
            value = self.value(part.body, {**index, part.index: k})
            if value is None:
                return None
            total = total + value if part.kind == "sum" else total * value
            _limited(total, part)
        return total


def _counted(steps: int, part: Part) -> int:
    if steps > MOST_STEPS:
        raise TooLargeError(part.place, f"more than {MOST_STEPS} operations")
    return steps + 1


def _range(lower: Any, upper: Any, part: Series) -> range:
    if lower is None or upper is None or lower != int(lower) or upper != int(upper):
        raise NotPlainError(part.place, "range")
    if upper - lower >= LONGEST_SERIES:
        raise TooLargeError(part.place, f"more than {LONGEST_SERIES} terms")
    return range(int(lower), int(upper) + 1)


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _limited(value: Fraction | None, part: Part) -> Fraction | None:
    if value is not None and _bits(value) > MOST_DIGITS * 3.33:
        raise TooLargeError(part.place, f"a number of more than {MOST_DIGITS} digits")
    return value


def _power(part: Part, base: Fraction, exponent: Fraction) -> Fraction | None:
    """Return a rational power of a rational, None where it is irrational."""
    if base == 0 and exponent < 0:
        raise NotPlainError(part.place, "undefined")
    if base in (0, 1):
        return base if exponent else Fraction(1)
    if exponent.denominator != 1:
        base = _root(part, base, exponent.denominator, of_a_power=isinstance(part, Pow)) or Fraction(0)
        if base == 0:
            return None
    if base == -1:
        return Fraction(-1 if exponent.numerator % 2 else 1)
    if abs(exponent.numerator) * (_bits(base) - 1) > MOST_DIGITS * 3.33:
        raise TooLargeError(part.place, f"a number of more than {MOST_DIGITS} digits")
    return base**exponent.numerator


def _root(part: Part, base: Fraction, degree: int, *, of_a_power: bool) -> Fraction | None:
    import sympy

    if base < 0 and (of_a_power or degree % 2 == 0):
        raise NotPlainError(part.place, "undefined")
    if degree > _bits(base):
        return None
    roots = [sympy.integer_nthroot(abs(n), degree) for n in (base.numerator, base.denominator)]
    if not all(exact for _, exact in roots):
        return None
    return Fraction(int(roots[0][0]), int(roots[1][0])) * (-1 if base < 0 else 1)


@dataclass
class _Rounded:
    """Arithmetic to a number of digits."""

    digits: int
    largest: int = LARGEST_ARGUMENT
    steps: int = 0
    context: Any = field(init=False)

    def __post_init__(self) -> None:
        from mpmath.ctx_mp import MPContext

        self.context = MPContext()
        self.context.dps = self.digits

    def whole(self, part: Part) -> Any:
        import sympy

        return sympy.Float(self.value(part, {}), self.digits)

    def value(self, part: Part, index: Mapping[str, int]) -> Any:
        self.steps = _counted(self.steps, part)
        mp = self.context
        if isinstance(part, Num):
            return mp.mpf(part.value.numerator) / part.value.denominator
        if isinstance(part, Sym):
            return mp.mpf(index[part.name])
        if isinstance(part, Const):
            return +mp.e if part.name == "e" else +mp.pi
        if isinstance(part, Series):
            total = mp.mpf(int(part.kind == "prod"))
            for k in _range(_Exact().value(part.lower, index), _Exact().value(part.upper, index), part):
                value = self.value(part.body, {**index, part.index: k})
                total = total + value if part.kind == "sum" else total * value
            return total
        values = [self.value(child, index) for child in part.children]
        try:
            result = self.joined(part, values)
        except TooLargeError:
            raise
        except (ValueError, ZeroDivisionError, OverflowError):
            result = mp.nan
        if isinstance(result, mp.mpc) or not mp.isfinite(result):
            raise NotPlainError(part.place, "undefined")
        return result

    def joined(self, part: Part, values: list[Any]) -> Any:
        mp, first = self.context, values[0]
        if isinstance(part, Add):
            return mp.fsum(values)
        if isinstance(part, Mul):
            return mp.fprod(values)
        if isinstance(part, Neg):
            return -first
        if isinstance(part, Abs):
            return abs(first)
        if isinstance(part, Div):
            return first / values[1]
        if isinstance(part, Pow):
            if first < 0 and values[1] != int(values[1]):
                return mp.nan
            self.bounded(part, values[1] * mp.log(abs(first)) if first else first)
            return first ** values[1]
        if isinstance(part, Root):
            return -mp.root(-first, part.degree) if first < 0 and part.degree % 2 else mp.root(first, part.degree)
        assert isinstance(part, Call)
        self.bounded(part, first)
        return getattr(mp, FUNCTIONS[part.function])(first)

    def bounded(self, part: Part, argument: Any) -> None:
        """Refuse what would take exponents, or digits, of any length."""
        if isinstance(part, Call) and part.function in _TAME:
            return
        grows = isinstance(part, Pow) or (isinstance(part, Call) and part.function in _GROWING)
        limit = self.largest if grows else LARGEST_ARGUMENT
        if abs(argument) > limit:
            raise TooLargeError(part.place, f"an exponential of more than {limit}")


_TAME = frozenset(["ln", "arctan", "arcsin", "arccos", "arctanh"])
_GROWING = frozenset(["exp", "sinh", "cosh", "sech"])


def bounded(part: Part, largest: int, exponent: int) -> None:
    """Raise :class:`.TooLargeError` for a part in which SymPy would not come to an end.

    SymPy works on numbers of its own accord: ``exp(10^8 ln 3)`` becomes a power of 3, and the sign of
    ``exp(exp(exp(100))) - 1`` is looked for. So all that has no names in it is looked at before.

    Parameters
    ----------
    part : Part
    largest : int
        The largest argument of an exponential without names.
    exponent : int
        The largest number in an exponent with names.
    """
    if isinstance(part, Num | Sym | Const):
        return
    if not has_names(part):
        if any(isinstance(child, Pow | Root | Call) for child in part.walk()):
            _Rounded(DIGITS, largest).value(part, {})
        return
    above = part.exponent if isinstance(part, Pow) else part.argument if isinstance(part, Call) else None
    if above is not None and not (isinstance(part, Call) and part.function != "exp"):
        for child in above.walk():
            if not has_names(child) and abs(_Rounded(DIGITS, largest).value(child, {})) > exponent:
                raise TooLargeError(part.place, f"an exponent above {exponent}")
    for child in part.children:
        bounded(child, largest, exponent)
