"""Functions of figures: exact where the value is rational, else to 34 digits."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr
from sympy.printing.pycode import MpmathPrinter

from ..errors import ValueInputError
from .figures import DIGITS, Figure, mp_context
from .functions import ElementwiseFunction, U
from .number_text import DECIMAL, FRACTION, INTEGER, STYLES


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
        return Figure.parse(expr)
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
    base, exponent = values
    result: Figure = base**exponent
    return result if result.exact or not u.exact else None


def _largest_exactly(expr: Any, u: Figure) -> Figure | None:
    values = _all_exactly(expr, u)
    if values is None:
        return None
    best = (max if isinstance(expr, sympy.Max) else min)(values)
    return Figure(best.number, max((v.style for v in values), key=STYLES.index), best.places)


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
    context = mp_context(digits)
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
    context = mp_context(digits)
    names = {name: getattr(context, name) for name in dir(context) if not name.startswith("_")}
    printer = MpmathPrinter({"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True})
    compiled: Callable[[Any], Any] = sympy.lambdify(U, rule, modules=[names], printer=printer)
    return compiled
