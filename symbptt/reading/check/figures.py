"""Figures of a note that are wrong: the right ones, with as many digits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ..meaning.expr import Expr, Num
from ..plain import NotPlainError, TooLargeError, digits_of
from ..value.evaluator import value
from ..value.quantity import UnfitError
from ..value.world import NoStepError, NotEvaluatedError, NoValueError, World
from .edits import Edit, Span, is_arithmetic
from .sites import Site

SLIP = 5
"""By how many units of the last digit a figure may be off that was rounded wrongly."""
FEW = 3
"""With fewer digits than this a mended figure is given four."""


def number_at(e: Expr, world: World) -> float | None:
    """Return the value of an operand that is a number."""
    try:
        found = value(e, world)
    except (NoValueError, NoStepError, NotEvaluatedError, UnfitError, ValueError, ArithmeticError):
        return None
    return float(np.real(found.array)) if found.is_scalar and np.isfinite(found.array) else None


def figures(site: Site, world: World, mended: bool) -> Iterator[Edit]:
    """Yield the right figure in the place of a wrong one.

    Parameters
    ----------
    site : Site
    world : World
    mended : bool
        Whether an operand before this one was mended, so that the figure is a consequence of that mistake.
    """
    operand = site.operand
    if not is_arithmetic(operand):
        return
    try:
        digits = digits_of(operand.tree)
    except (NotPlainError, TooLargeError):
        digits = None
    given = number_at(operand, world)
    if given is None:
        return
    for before in dict.fromkeys((site.statement.operands[site.target - 1], site.left)):
        right = number_at(before, world)
        if right is None:
            continue
        if digits is None or digits.unit is None:
            yield from _within(site, right, given, world)
            continue
        unit = float(digits.unit)
        text = _written(right, site.text(operand), unit, mended)
        spans: tuple[Span, ...] = ((operand.tree.start, operand.tree.end, text),)
        relation = site.statement.relations[site.target - 1]
        if mended and relation.kind == "=" and relation.end > relation.start and float(text) != right:
            spans = ((relation.start, relation.end, r"\approx"), *spans)
        yield Edit(_cause(given, right, unit), spans)


def _cause(given: float, right: float, unit: float) -> str:
    if abs(given + right) <= unit and abs(given) > unit:
        return "sign"
    close = abs(given - right) <= SLIP * unit * 1.001 and abs(given - right) <= 0.02 * abs(right) + unit
    return "rounding" if close else "arithmetic"


def _written(right: float, text: str, unit: float, mended: bool) -> str:
    """Return a number with as many digits as a figure has, in its manner."""
    power = re.search(r"^(.*?)(\\times|\\cdot)\s*10\s*\^", text, re.S)
    if power:
        mantissa = re.search(r"\.(\d+)", power[1])
        places = len(mantissa[1]) if mantissa else 1
        exponent = math.floor(math.log10(abs(right))) if right else 0
        return rf"{right / 10**exponent:.{places}f} {power[2]} 10^{{{exponent}}}"
    places = max(0, round(-math.log10(unit))) if unit < 1 else 0
    few = len(re.sub(r"\D", "", text).lstrip("0")) < FEW
    if mended and few and not math.isclose(right, round(right, places), rel_tol=1e-12):
        places = max(places, 4)
    shown = f"{right:.{places}f}"
    if float(shown) == 0 and right:
        shown = f"{right:.3g}"
    return shown


def _within(site: Site, right: float, given: float, world: World) -> Iterator[Edit]:
    """Yield a right number within arithmetic: one that makes the result right."""
    seen = [p for p, _ in site.places if isinstance(p, Num)]
    for part in seen:
        number = float(part.value)
        step = 1e-6 * max(1.0, abs(number))

        def moved(e: Expr, part: Num = part, by: float = step) -> Expr:
            return replace(e, value=e.value + Fraction(by)) if e is part and isinstance(e, Num) else e

        above = number_at(site.operand.mapped(moved), world)
        if above is None or above == given:
            continue
        better = number + (right - given) * step / (above - given)
        places = len(part.text.split(".")[1]) if "." in part.text else 0
        if not math.isfinite(better) or abs(better) > 1e9:
            continue
        shown = f"{better:.{places}f}"
        cause = "sign" if math.isclose(better, -number, rel_tol=1e-2) else "arithmetic"
        if better < 0:
            shown = f"({shown})"
        yield Edit(cause, ((part.tree.start, part.tree.end, shown),), 2)
