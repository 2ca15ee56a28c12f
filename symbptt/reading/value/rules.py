"""The value of an expression in a world: a registry of one short rule for each kind of expression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..meaning.expr import (
    Expr,
)
from ..meaning.index import Index
from .quantity import (
    Quantity,
)
from .series import indices_of, skeleton
from .world import NotEvaluatedError, NoValueError, World

Rule = Callable[[Any, World], Quantity]

RULES: dict[type[Expr], Rule] = {}
"""Kind of expression -> its value; filled by the modules that :mod:`.evaluator` imports."""


def evaluates(kind: type[Expr]) -> Callable[[Rule], Rule]:
    """Register a function as the rule of a kind of expression."""

    def register(rule: Rule) -> Rule:
        RULES[kind] = rule
        return rule

    return register


def value(expr: Expr, world: World) -> Quantity:
    """Return the value of an expression.

    Raises
    ------
    UnfitError
        Where shapes do not fit.
    NoValueError, NoStepError
        For a symbol or a step without a value.
    NotEvaluatedError
        For what is not evaluated, with the reason.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from symbptt.reading.meaning.expr import Add, Num, Pow
    >>> from symbptt.reading.value.evaluator import value
    >>> from symbptt.reading.value.world import Meanings
    >>> two = Num(Fraction(2))
    >>> value(Add((1, -1), (two, Pow(two, two))), World(None, Meanings())).array
    array(-2.)
    """
    for pattern, right, letters in world.as_written:
        bound = _match(pattern, expr, letters, world)
        if bound is not None:
            inner = replace(world, as_written=tuple(w for w in world.as_written if w[0] is not pattern))
            return value(right, inner.counting(**bound))
    rule = RULES.get(type(expr))
    if rule is None:
        raise NotEvaluatedError("check.reason.no-meaning")
    return rule(expr, world)


def _match(pattern: Expr, expr: Expr, letters: tuple[str, ...], world: World) -> dict[str, int] | None:
    """Return the values of the letters with which a pattern is the expression in a world."""
    if type(pattern) is not type(expr) or skeleton(pattern) != skeleton(expr):
        return None
    bound: dict[str, int] = {}
    try:
        pairs = [(index, world.at(other)) for index, other in zip(
            indices_of(pattern).values(), indices_of(expr).values(), strict=True
        )]  # fmt: skip
        for index, number in sorted(pairs, key=lambda pair: len(pair[0].letters)):
            unknown = [name for name in index.letters if name in letters and name not in bound]
            if len(unknown) == 1 and dict(index.terms)[unknown[0]] in (1, -1):
                sign = dict(index.terms)[unknown[0]]
                rest = index.replaced(unknown[0], Index())
                bound[unknown[0]] = sign * (number - world.counting(**bound).at(rest))
            elif world.counting(**bound).at(index) != number:
                return None
    except (NoValueError, ValueError):
        return None
    return bound
