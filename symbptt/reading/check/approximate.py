"""Approximations under an assumption: a slope of about 0.25 and a norm of 1 make a Jacobian over k steps 0.25^k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ..meaning.expr import Call, Deriv, Expr, Mul, Num
from ..report import CONDITIONAL, message
from ..value.reading import Reading
from ..value.world import NoStepError, World
from .bounds import FEWEST, Trial
from .definitions import Definition, number_in
from .hypotheses import Hypothesis, constants_in, pairs
from .network import Built, build
from .statements import Statement
from .supposed import UnusableError, numbers, places, related
from .variants import Kind, recurrent, replaced, variants
from .verdicts import Judgement

RELATIONS = frozenset(["approx", "="])


def judge_approximation(statement: Statement, hypotheses: Sequence[Hypothesis], trial: Trial) -> Judgement | None:
    """Return that an approximation is right with the slope and the norm that a note assumes; None where it is not."""
    kinds = {r.kind for r in statement.relations}
    derivative = any(isinstance(p, Deriv) for o in statement.operands for p in o.walk())
    if (
        "approx" not in kinds
        or not kinds <= RELATIONS
        or not derivative
        or constants_in(statement.operands, trial.known)
    ):
        return None
    slope = next((h for h in reversed(hypotheses) if _slope(h) is not None), None)
    if slope is None:
        return None
    number = _slope(slope)
    assert number is not None
    others = [h for h in hypotheses if h.kind == "=" and h is not slope and not constants_in(h.sides, trial.known)]
    built = with_slope(trial.built, number, trial.functions)
    lines = ", ".join(str(n) for n in sorted({slope.line, *(h.line for h in others)}))
    for scalars, key in ((False, "assumed"), (True, "assumed-scalars")):
        if _holds(statement, others, built, scalars, trial):
            reason = message("check.reason.conditional")
            return Judgement(CONDITIONAL, reason, message(f"check.condition.{key}", line=lines), scalars=scalars)
    return None


def _slope(h: Hypothesis) -> Num | None:
    """Return the number that a hypothesis gives f' at the states."""
    number = number_in(h.right)
    if h.kind == "approx" and isinstance(h.left, Call) and h.left.primes and isinstance(number, Fraction):
        return Num(number)
    return None


def with_slope(built: Built, slope: Num, functions: dict[str, str]) -> Built:
    """Return a model whose activation is a straight line of a given slope."""

    def rule(part: Expr) -> Expr:
        if isinstance(part, Call) and not part.primes and len(part.arguments) == 1:
            return Mul((slope, part.arguments[0]), ("",))
        return part

    def changed(d: Definition) -> Definition:
        return replace(d, right=d.right.mapped(rule))

    states = built.model.states
    equations = {k: changed(d) if k in states else d for k, d in built.model.equations.items()}
    return build(replace(built.model, equations=equations, steps=None), functions)


def _holds(statement: Statement, others: Sequence[Hypothesis], built: Built, scalars: bool, trial: Trial) -> bool:
    count = 0
    for world in variants(built, scalars, trial.seed, (Kind(), Kind(steps=8), Kind(1.0, "orthogonal", 0.5))):
        found = _mended(replace(world, reading=Reading()), others, built)
        if found is None:
            return False
        state = _right(statement, found, trial)
        if state is False:
            return False
        count += state is True
    return count >= FEWEST


def _mended(world: World, others: Sequence[Hypothesis], built: Built) -> World | None:
    """Return a world whose recurrent matrices have the norm that is assumed; where they are numbers, positive ones."""
    names, instance = recurrent(built), world.instance
    if instance is None:
        return None
    arrays = {k: np.abs(v) if np.size(v) == 1 else np.array(v) for k, v in instance.data.items() if k in names}
    again = replaced(world, arrays)
    for h in others:
        if again is None:
            return None
        try:
            x, y = (numbers(side, again, built) for side in h.sides)
        except (UnusableError, NoStepError):
            return None
        arrays = {k: v * float(y) / float(x) for k, v in arrays.items()}
        again = replaced(again, arrays)
    return again


def _right(statement: Statement, world: World, trial: Trial) -> bool | None:
    tested = False
    for w in places(statement.operands, statement.conditions, world, trial.known):
        try:
            values = [numbers(o, w, trial.built) for o in statement.operands]
        except NoStepError:
            continue
        except UnusableError:
            return False
        for place, (_, kind, _) in enumerate(pairs(statement)):
            x, y = (np.squeeze(v) for v in values[place : place + 2])
            if np.shape(x) != np.shape(y) or not related(x, kind, y):
                return False
        tested = True
    return tested or None
