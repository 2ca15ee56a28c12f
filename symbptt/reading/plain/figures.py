"""Figures: how a written number was rounded, and whether a value agrees with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from ..notation.tree import Annotated, Fence, Number, Plus, Product, Script, Tree
from .arithmetic import number_of
from .parts import NotPlainError, TooLargeError
from .recognition_names import LONGEST_NUMBER

WRITTEN_EXPONENT = 3_000
"""The largest exponent of ten in a written number."""


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
    mantissa, _, exponent = tree.text.lower().partition("e")
    places = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return Digits(Fraction(tree.text), Fraction(10) ** -places)


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
