"""How a number is written: whole or rounded, as an integer, a fraction, a decimal or with a power of ten."""

from __future__ import annotations

from fractions import Fraction

INTEGER, FRACTION, DECIMAL = "integer", "fraction", "decimal"
STYLES = (INTEGER, FRACTION, DECIMAL)
"""The styles; in a result the later one of the operands' wins."""
_SMALLEST, _LARGEST = -4, 7
"""The powers of ten of the first digit from which, and before which, a decimal is written plainly."""


def exact_text(value: Fraction, style: str, least: int, limit: int) -> str | None:
    """Return the number whole, or None where that takes more than ``limit`` digits.

    Parameters
    ----------
    value : Fraction
    style : {"integer", "fraction", "decimal"}
    least : int
        The least number of decimal places that a decimal is shown with.
    limit : int

    Examples
    --------
    >>> [exact_text(Fraction(1, 4), style, 1, limit) for style, limit in ((FRACTION, 4), (DECIMAL, 4), (DECIMAL, 1))]
    ['1/4', '0.25', None]
    """
    if style == FRACTION and value.denominator != 1:
        longest = max(len(str(abs(value.numerator))), len(str(value.denominator)))
        return f"{value.numerator}/{value.denominator}" if longest <= limit else None
    places = places_of(value)
    if places is None:
        return None
    least = least if style == DECIMAL else 0
    if not value:
        return _plain(value, least)
    exponent, count = _exponent(value), significant_digits(value, places)
    if style != DECIMAL and exponent < max(limit, _LARGEST):
        return str(int(value))
    if count > limit:
        return None
    if not _SMALLEST <= exponent < _LARGEST:
        return _scientific(value, count, exponent)
    return _plain(value, max(places, least))


def rounded_text(value: Fraction, digits: int) -> str:
    """Return the number with that many significant digits; the integer part is always whole.

    >>> rounded_text(Fraction(2, 3), 4), rounded_text(Fraction(123456), 2)
    ('0.6667', '123456')
    """
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


def last_place(text: str) -> Fraction | None:
    """Return the value of a 1 in the last place of a decimal; None for a fraction."""
    if "/" in text:
        return None
    mantissa, _, exponent = text.partition("e")
    return Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def count_digits(text: str) -> int:
    """Return how many significant digits are written."""
    return len(text.partition("e")[0].lstrip("-0.").replace(".", ""))


def places_of(value: Fraction) -> int | None:
    """Return how many decimal places the value has, or None where they never end."""
    bottom = value.denominator
    twos = (bottom & -bottom).bit_length() - 1
    bottom >>= twos
    fives = 0
    while bottom % 5 == 0:
        bottom, fives = bottom // 5, fives + 1
    return max(twos, fives) if bottom == 1 else None


def significant_digits(value: Fraction, places: int) -> int:
    """Return how many digits a number of that many decimal places has from its first to its last that is not 0."""
    return len(str(abs(int(value * 10**places))).strip("0")) or 1
