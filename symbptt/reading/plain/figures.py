"""Figures: the exact value of arithmetic within a budget, and whether a value agrees with a written number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from ..notation.tree import Annotated, Fence, Number, Plus, Product, Script, Tree
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
from .recognition import LONGEST_NUMBER, recognised

MOST_DIGITS = 4_000
"""How many digits an exact number may have (Python itself does not print more than 4300)."""
MOST_STEPS = 50_000
"""How many operations are done for one number."""
LONGEST_SERIES = 2_000
LARGEST_ARGUMENT = 10**8
"""The largest argument of an exponential, and the largest exponent of ten."""
DIGITS = 30
"""To how many digits a number that is not rational is worked out."""
WRITTEN_EXPONENT = 3_000
"""The largest exponent of ten in a written number."""


def number_of(tree: Tree, *, log: str | None = "e") -> Any:
    r"""Return the value of arithmetic with numbers.

    Returns
    -------
    sympy.Rational or sympy.Float or None
        Exact where it is rational, else to 30 digits; None where a name stands in it.

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
    symbptt.reading.plain.parts.TooLargeError: too large at 0: a number of more than 4000 digits
    """
    part = recognised(tree, log=log, written_out=0)
    return None if _has_names(part, frozenset()) else value_of(part)


def _has_names(part: Part, bound: frozenset[str]) -> bool:
    if isinstance(part, Sym):
        return part.name not in bound
    if isinstance(part, Series):
        outer = _has_names(part.lower, bound) or _has_names(part.upper, bound)
        return outer or _has_names(part.body, bound | {part.index})
    return any(_has_names(child, bound) for child in part.children)


def value_of(part: Part) -> Any:
    """Return the value of a recognised part without names; see :func:`number_of`."""
    import sympy

    exact = _Exact().value(part, {})
    if exact is not None:
        return sympy.Rational(exact.numerator, exact.denominator)
    before = None
    for digits in (DIGITS + 20, 2 * DIGITS + 40, 4 * DIGITS + 80, 8 * DIGITS + 160):
        now = _Rounded(digits).whole(part)
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
        small = isinstance(part, Call) and part.function == "ln"
        if not small and abs(argument) > LARGEST_ARGUMENT:
            raise TooLargeError(part.place, f"an exponential of more than {LARGEST_ARGUMENT}")


# -- written numbers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Digits:
    """A number as it was written.

    Attributes
    ----------
    value : Fraction
    unit : Fraction or None
        The unit of its last digit; None for a bare power of ten, which says an order of magnitude.
    """

    value: Fraction
    unit: Fraction | None


def digits_of(tree: Tree) -> Digits | None:
    r"""Return how a written number was rounded, or None for what is no written number.

    Raises
    ------
    TooLargeError
        For a number that is too long, or whose power of ten is.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> [str(digits_of(parse(s)).unit) for s in ("2.0", "13", "-0.1966", r"1.2 \times 10^{-5}", "10^{-60}")]
    ['1/10', '1', '1/10000', '1/1000000', 'None']
    """
    if isinstance(tree, Annotated):
        return digits_of(tree.body)
    if isinstance(tree, Fence) and (tree.left, tree.right) in (("(", ")"), ("[", "]"), (".", ".")):
        return digits_of(tree.body)
    if isinstance(tree, Plus) and len(tree.terms) == 1 and tree.signs[0] in ("", "+", "-"):
        negative, found = tree.signs[0] == "-", digits_of(tree.terms[0])
        return replace(found, value=-found.value) if found and negative else found
    if isinstance(tree, Number):
        return _written(tree)
    if isinstance(tree, Script):
        power = _power_of_ten(tree)
        return None if power is None else Digits(power, None)
    if isinstance(tree, Product) and len(tree.factors) == 2 and tree.operators[0] in ("times", "cdot", "ast"):
        power = _power_of_ten(tree.factors[1])
        found = digits_of(tree.factors[0]) if power is not None else None
        if found is None or found.unit is None or power is None:
            return None
        return Digits(found.value * power, found.unit * power)
    return None


def _written(tree: Number) -> Digits:
    if len(tree.text) > LONGEST_NUMBER:
        raise TooLargeError((tree.start, tree.end), f"a number of more than {LONGEST_NUMBER} digits")
    return Digits(Fraction(tree.text), Fraction(1, 10 ** len(tree.text.partition(".")[2])))


def _power_of_ten(tree: Tree) -> Fraction | None:
    if not isinstance(tree, Script) or tree.base != Number("10") or tree.sub or tree.primes or tree.sup is None:
        return None
    sup: Tree = tree.sup
    sign = 1
    if isinstance(sup, Plus) and len(sup.terms) == 1 and sup.signs[0] in ("+", "-"):
        sign = -1 if sup.signs[0] == "-" else 1
        sup = sup.terms[0]
    if not isinstance(sup, Number) or not sup.text.isdecimal():
        return None
    if len(sup.text) > 9 or int(sup.text) > WRITTEN_EXPONENT:
        raise TooLargeError((tree.start, tree.end), f"a power of ten above {WRITTEN_EXPONENT}")
    return Fraction(10) ** (sign * int(sup.text))


def agrees(value: Any, tree: Tree, *, exact: bool = False) -> bool:
    r"""Whether a value is what a number says, by the digits that it is given with.

    A written number agrees with what rounds to it, half a unit either way included; a number that was cut off does
    not. A bare power of ten agrees within a factor of ten. Arithmetic (``\frac{1}{3}``, ``2^{10}``) is exact.

    Parameters
    ----------
    value : float, Fraction, or a SymPy number
    tree : Tree
    exact : bool
        Ask for equality, up to what a float loses.

    Raises
    ------
    NotPlainError
        If the tree is no number.
    TooLargeError
        If it is one that is too large.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> agrees(0.196612, parse("0.1966")), agrees(0.196672, parse("0.1966")), agrees(2.5, parse("3"))
    (True, False, True)
    >>> agrees(6.2e-61, parse("10^{-60}")), agrees(1 / 3, parse(r"\frac{1}{3}")), agrees(0.333, parse(r"\frac{1}{3}"))
    (True, True, False)
    """
    given, slack = _fraction(value)
    if given is None:
        return False
    digits = digits_of(tree)
    if digits is None:
        number = number_of(tree)
        if number is None:
            raise NotPlainError((tree.start, tree.end), "symbol")
        wanted, lost = _fraction(number)
        return wanted is not None and abs(given - wanted) <= max(slack, lost, abs(wanted) * lost)
    if exact or (digits.unit is None and given == digits.value):
        return abs(given - digits.value) <= slack
    if digits.unit is None:
        return given * digits.value > 0 and abs(digits.value) / 10 < abs(given) < abs(digits.value) * 10
    return abs(given - digits.value) <= digits.unit / 2 + slack


def _fraction(value: Any) -> tuple[Fraction | None, Fraction]:
    """Return a value as a fraction, and how much of it rounding may have changed; None for what is not finite."""
    import math

    if isinstance(value, int | Fraction):
        return Fraction(value), Fraction(0)
    if getattr(value, "is_Rational", False):
        return Fraction(int(value.p), int(value.q)), Fraction(0)
    if getattr(value, "is_Float", False):
        import sympy

        rational = sympy.Rational(value)
        exact = Fraction(int(rational.p), int(rational.q))
        return exact, abs(exact) / 10 ** max(int(value._prec * 0.3) - 2, 8)
    number = float(value)
    if not math.isfinite(number):
        return None, Fraction(0)
    return Fraction(number), abs(Fraction(number)) / 10**13
