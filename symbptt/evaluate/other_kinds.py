"""Kinds of steps that are no equalities of a network: identities in any numbers, and values at the given ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import Integer, Rational, Symbol

from .. import algebra as A
from ..algebra.number_text import last_place
from ..algebra.rounding import literals_of
from ..derive.steps import Step
from .numbers import NumberDomain, value_of

DRAWS = 6
_RELATIONS = {"=": lambda a, b, allowed: abs(a - b) <= allowed, "\u2264": lambda a, b, allowed: a <= b + allowed}


def check_identity(step: Step, seed: int) -> tuple[bool, str]:
    """Compare all lines at random numbers: integers for steps, and else numbers whose squares are below p.

    The left side and every line are evaluated on their own; an inequality is claimed of the left side.
    """
    rng = np.random.default_rng([seed, 11])
    for _ in range(DRAWS):
        p = Rational(int(rng.integers(30, 100)), 100)
        numbers = {symbol: _number(symbol, float(p), rng) for symbol in sorted(_symbols(step), key=str)}
        left, *lines = (_value(side, numbers, p) for side in (step.left, *(line.expr for line in step.chain)))
        for line, value in zip(step.chain, lines, strict=True):
            allowed = 1e-9 * max(1.0, abs(left), abs(value))
            if not _RELATIONS[line.sign](left, value, allowed):
                shown = ", ".join(f"{k} = {v}" for k, v in {"p": p, **numbers}.items())
                return False, f"{left:.8g} {line.sign} {value:.8g} is wrong at {shown}"
    return True, f"at {DRAWS} random choices of its symbols"


def _symbols(step: Step) -> set[Any]:
    sides = (step.left, *(line.expr for line in step.chain))
    return {s for side in sides for s in side.free_symbols if isinstance(s, Symbol)}


def _number(symbol: Any, p: float, rng: Any) -> Any:
    if symbol.is_integer:
        return Integer(int(rng.integers(1, 9)))
    return Rational(int(1000 * rng.uniform(0.05, 0.95) * np.sqrt(p)) + 1, 1000)


def _value(expr: Any, numbers: dict[Any, Any], p: Any) -> float:
    chances = {part: p for part in sympy.preorder_traversal(expr) if isinstance(part, A.Probability)}
    return float(value_of(expr.xreplace({**chances, **numbers}), NumberDomain({})))


def check_value(step: Step, instance: Any) -> tuple[bool, str]:
    """Compare a printed number, or array of numbers, with the measured value, to its last digit."""
    truth = np.asarray(instance.evaluate(step.left, {}), dtype=float)
    for line in step.chain:
        literals = np.asarray(literals_of(line.expr))
        printed = np.vectorize(lambda literal: float(literal.value), otypes=[float])(literals)
        units = np.vectorize(lambda literal: float(last_place(literal.text) or 0), otypes=[float])(literals)
        allowed = 1e-9 * np.abs(truth) + 1e-12 + (0 if line.sign == "=" else 0.5 * units)
        if printed.shape != truth.shape or (np.abs(printed - truth) > allowed).any():
            return False, f"{line.sign} {line.expr} is not the value of the left side, {truth}"
    return True, "the printed figures are the measured values"
