"""The tests of bounds, of measured numbers and of tables; they use nothing of :mod:`symbptt.derive` but the steps."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from .. import algebra as A
from ..algebra.leaves import Literal
from ..derive.steps import Step
from .claims import _cases, written_steps
from .instance import Instance

SLACK = 1e-9
"""By how much, relatively, a bound may seem to be missed through rounding."""
NEAR = 0.05
"""How near to its limit, relatively, what tends to it must be at the exponent at which it is tried."""
SMALLEST = 0.05
TRIED = (-1.5, 0.25, 2.0, 3.5)
"""Values of a free number, such as the argument of a characteristic polynomial."""

_HOLDS: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda a, b: abs(a - b) <= SLACK * max(abs(a), abs(b)) + 1e-11,
    "≤": lambda a, b: a <= b + SLACK * abs(b) + 1e-13,
    "≥": lambda a, b: a >= b - SLACK * abs(b) - 1e-13,
    "<": operator.lt,
    ">": operator.gt,
}


def check_bound(instances: Iterable[Instance], step: Step, ranges: dict[Any, Any]) -> tuple[bool, str]:
    """Put a chain of inequalities to the test, each relation between neighbours.

    Parameters
    ----------
    instances : iterable of Instance
    step : Step
    ranges : mapping
        Free index -> (low, high).

    Returns
    -------
    ok : bool
    detail : str
        What is wrong, or how much of the bound the left side reaches at most.
    """
    limit = dict(step.facts).get("limit")
    sides = [step.left, *(line.expr for line in step.chain)]
    checked, reached = 0, 0.0
    for instance in instances:
        if written_steps(*sides) > instance.steps + (instance.system.direction == -1):
            continue
        if limit is not None:
            cases: Iterable[dict[str, int]] = [{str(limit[0]): int(limit[1])}]
        else:
            cases = _cases(instance, [(str(k), v) for k, v in ranges.items()])
        for indices in cases:
            values = [float(np.asarray(instance.evaluate(side, indices)).ravel()[0]) for side in sides]
            if limit is not None and abs(values[-1]) < SMALLEST:
                continue  # the powers would underflow
            for (a, b), line in zip(pairwise(values), step.chain, strict=True):
                holds = abs(a - b) <= NEAR * abs(b) if line.sign == "→" else bool(_HOLDS[line.sign](a, b))
                if not holds:
                    where = ", ".join(f"{k} = {v}" for k, v in indices.items())
                    return False, f"{a:.8g} {line.sign} {b:.8g} does not hold ({where or instance!r})"
            checked += 1
            reached = max(reached, values[0] / values[-1] if values[-1] else 0.0)
    if not checked:
        return False, "could not be tried at any instance"
    return True, f"tried {checked} times; up to {100 * reached:.0f}% of the bound is reached"


def check_measured(given: Instance, step: Step, digits: int) -> tuple[bool, str]:
    """Compare every line with the left side at the given numbers, to the digits printed."""
    free = dict(step.facts).get("free") or ()
    for trial in TRIED[: None if free else 1]:
        filled = {symbol: sympy.Rational(trial) for symbol in free}
        left = given.evaluate(step.left.xreplace(filled), {})
        slack = _slack(given, step.left)
        for line in step.chain:
            right = given.evaluate(_filled(line.expr, filled), {})
            if not _fits(left, right, line.sign, digits, slack):
                return False, f"{np.asarray(left).tolist()} {line.sign} {line.expr} does not hold"
    return True, "agrees with the value at the numbers"


def _slack(given: Instance, expr: Any) -> float:
    """Return how exact floats can be: the eigenvalues of a defective matrix are lost to half their digits and more."""
    for part in sympy.preorder_traversal(expr):
        if isinstance(part, A.SpectralRadius | A.EigenvalueModulus):
            _, vectors = np.linalg.eig(np.asarray(given.evaluate(part.args[0], {}), dtype=float))
            if np.linalg.cond(vectors) > 1e6:
                return 1e-3
    return SLACK


def _filled(expr: Any, values: dict[Any, Any]) -> Any:
    return expr.xreplace(values) if values else expr


def _fits(left: Any, right: Any, sign: str, digits: int, slack: float) -> bool:
    a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if a.size != b.size:
        return False
    a, b = a.ravel(), b.ravel()
    if sign in ("<", ">", "≤", "≥"):
        return bool(np.all(_HOLDS[sign](a, b)))
    allowed = slack if sign == "=" else 0.51 * 10.0 ** (1 - digits)
    scale = float(np.abs(a).max(initial=0.0))
    noise = SLACK * scale if b.any() else 1e-12
    return bool(np.allclose(b, a, rtol=allowed, atol=noise))


def check_table(given: Instance, step: Step, digits: int) -> tuple[bool, str]:
    """Compare every entry of a table with the value of its column's expression."""
    facts = dict(step.facts)
    index, columns = str(facts["index"]), facts["columns"]
    for row, *entries in facts["rows"]:
        for column, entry in zip(columns, entries, strict=True):
            true = float(np.asarray(given.evaluate(column, {index: int(row)})).ravel()[0])
            printed = float(entry.value) if isinstance(entry, Literal) else float("inf")
            if np.isinf(printed) and abs(true) > 1e8:
                continue
            close = abs(printed - true) <= 0.51 * 10.0 ** (1 - digits) * abs(true)
            if not close and not (printed == 0 and abs(true) < 1e-8):
                return False, f"{column} is {true:.8g} at {index} = {row}, not {entry}"
    return True, f"{len(facts['rows']) * len(columns)} entries agree with the values at the numbers"
