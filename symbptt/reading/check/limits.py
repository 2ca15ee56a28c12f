"""What an expression tends to as an index grows: where it is at 5, 10, 20 and 40 steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ..meaning.expr import Add, Bound, Counter, Deriv, Expr, Extreme, Infinity, Pow, Ref, Series, letters_of
from ..meaning.index import Index
from ..report import ASSUMPTION, CONDITIONAL, HOLDS, REFUTED, UNCHECKED, Message, message
from ..value.reading import Reading
from ..value.world import NoStepError, NotEvaluatedError, NoValueError, World
from .bounds import FEWEST, Finding, Trial, shown
from .compare import FALSE, Difference
from .definitions import number_in
from .hypotheses import Hypothesis, constants_in
from .network import Built
from .statements import Statement
from .supposed import UnusableError, meeting, numbers
from .variants import Kind, recurrent, slopes, variants
from .verdicts import Judgement

STEPS, SHORT, POWERS = (5, 10, 20, 40), (3, 6, 12, 24), (10, 100, 1_000, 10_000)
"""Values of the index that grows: in a network, in a product over steps of a network, and in powers of numbers."""
LONG = tuple(
    Kind(scale, form, inputs, size, STEPS[-1] + 2)
    for scale, form, inputs, size in (
        (0.3, "drawn", 1.0, 2),
        (0.9, "orthogonal", 0.0, 2),
        (0.9, "drawn", 0.5, 3),
        (1.0, "orthogonal", 0.0, 2),
        (1.5, "orthogonal", 0.0, 2),
        (5.0, "orthogonal", 0.0, 2),
        (5.0, "drawn", 0.2, 3),
        (0.9, "shear", 0.0, 2),
        (None, "drawn", 1.0, 2),
    )
)
ZERO, INFINITE, ALTERNATING, FINITE, NEITHER = "zero", "infinite", "alternating", "finite", "neither"


@dataclass(frozen=True)
class Limit:
    """A claim about a limit: of what, in which letter, towards what (None for infinity)."""

    of: Expr
    letter: str
    goal: float | None
    place: int


def is_arrow(statement: Statement) -> bool:
    """Whether a statement is about a limit."""
    return statement.relations[-1].kind == "to" or isinstance(statement.operands[0], Extreme)


def limit_of(statement: Statement) -> Limit | None:
    """Return the claim about a limit that a statement is; None for other arrows, such as h_t -> y_t."""
    left, right = statement.operands[-2:]
    kind = statement.relations[-1].kind
    inner, letter = left, None
    if isinstance(left, Extreme) and left.kind == "lim" and kind == "=" and isinstance(left.towards, Infinity):
        inner, letter = left.body, left.index
    elif kind != "to" or len(statement.operands) > 2:
        return None
    number = number_in(right)
    if not isinstance(right, Infinity) and not isinstance(number, Fraction):
        return None
    letter = letter or growing(inner)
    if letter is None:
        return None
    return Limit(inner, letter, float(number) if isinstance(number, Fraction) else None, len(statement.relations) - 1)


def growing(e: Expr) -> str | None:
    """Return the letter that grows: T, or the one that makes an exponent or a distance larger.

    >>> growing(Pow(Ref("c"), Counter(Index((("T", 1),), -1))))
    'T'
    """
    found: list[Index] = []
    for part in e.walk():
        if isinstance(part, Pow):
            found += _indices(part.exponent)
        elif isinstance(part, Deriv) and isinstance(part.of, Ref) and isinstance(part.by[0], Ref):
            of, by = part.of.when, part.by[0].when
            found += [of - by] if of is not None and by is not None else [of] if of is not None else []
    found += [Index(((name, 1),)) for name in sorted(letters_of(e))]
    letters = [name for index in found for name, factor in index.terms if factor > 0]
    return letters[0] if letters else None


def _indices(e: Expr) -> list[Index]:
    if isinstance(e, Counter):
        return [e.index]
    if isinstance(e, Add) and all(isinstance(t, Counter) for t in e.terms):
        return [t.index if s > 0 else Index() - t.index for s, t in zip(e.signs, e.terms, strict=True)
                if isinstance(t, Counter)]  # fmt: skip
    return []


def is_index(e: Expr) -> bool:
    """Whether an expression is a time index: ``t - k``."""
    return isinstance(e, Counter) or (isinstance(e, Add) and all(isinstance(t, Counter) for t in e.terms))


def judge_limit(statement: Statement, hypotheses: Sequence[Hypothesis], trial: Trial) -> Judgement | None:
    """Return the verdict on a claim about a limit; None for arrows that are no such claim."""
    if is_index(statement.operands[0]) and isinstance(statement.operands[-1], Infinity | Counter):
        return Judgement(ASSUMPTION, message("check.reason.assumption"))
    limit = limit_of(statement)
    if limit is None:
        return None
    if _needs_network(limit.of, trial) and not trial.built.networks and not trial.built.scalar:
        return Judgement(UNCHECKED, message("check.reason.no-model"))
    own = constants_in([limit.of], trial.known)
    bounded = set().union(*(constants_in(h.sides, trial.known) for h in hypotheses))
    if not own <= bounded:
        return None
    try:
        return _judged(statement, limit, hypotheses, own | bounded, trial)
    except UnusableError as error:
        reason = error.__cause__
        if isinstance(reason, NoValueError):
            return Judgement(UNCHECKED, message("check.reason.no-value", symbol=reason.symbol))
        if isinstance(reason, NotEvaluatedError):
            return Judgement(UNCHECKED, Message(reason.key, tuple(reason.values.items())))
        raise


def _judged(
    statement: Statement, limit: Limit, hypotheses: Sequence[Hypothesis], wanted: set[str], trial: Trial
) -> Judgement:
    found: dict[str, list[tuple[World, Built | None, float]]] = {}
    goal = INFINITE if limit.goal is None else ZERO if limit.goal == 0 else FINITE
    for world, built in _worlds(limit, hypotheses, wanted, trial):
        kind, last = tendency(limit, world, built)
        found.setdefault(kind, []).append((world, built, last))
    total = sum(map(len, found.values()))
    right = len(found.get(goal, []))
    if total < FEWEST:
        return Judgement(UNCHECKED, message("check.reason.no-instance"))
    if right == total:
        return Judgement(HOLDS, message("check.reason.limit-holds"))
    if goal == INFINITE and right + len(found.get(ALTERNATING, [])) == total:
        condition = message("check.condition.in-absolute-value")
        return Judgement(CONDITIONAL, message("check.reason.conditional"), condition)
    if not hypotheses:
        return _contracting(found.get(goal, []), [x for k, v in found.items() if k != goal for x in v], trial)
    wrong, _, last = next(x for k, v in found.items() if k != goal for x in v)
    at = wrong.counting(**_others(limit, wrong), **{limit.letter: _scale(limit, wrong)[-1]})
    target = np.asarray(np.inf if limit.goal is None else limit.goal)
    difference = Difference(limit.place, np.asarray(last), target, "", at)
    return Judgement(
        REFUTED, message("check.reason.limit-fails"), difference=difference, scalars=trial.scalars,
        numbers=shown(statement, Finding(FALSE, difference=difference), trial),
    )  # fmt: skip


def _contracting(
    right: list[tuple[World, Built | None, float]], wrong: list[tuple[World, Built | None, float]], trial: Trial
) -> Judgement:
    """Return that a limit needs a contraction, where it is right at all instances that contract."""
    if (
        right
        and not any(_contracts(w, b, trial) for w, b, _ in wrong)
        and any(_contracts(w, b, trial) for w, b, _ in right)
    ):
        condition = message("check.condition.contraction")
        return Judgement(CONDITIONAL, message("check.reason.conditional"), condition)
    return Judgement(UNCHECKED, message("check.reason.asymptotic"))


def _contracts(world: World, built: Built | None, trial: Trial) -> bool:
    if world.instance is None or built is None:
        return False
    data = world.instance.data
    size = max(
        (float(np.linalg.norm(np.atleast_2d(data[n]), 2)) for n in recurrent(trial.built) if n in data), default=1.0
    )
    steep = slopes(world, built)
    return size * (float(steep.max()) if steep.size else 1.0) < 1


def _worlds(
    limit: Limit, hypotheses: Sequence[Hypothesis], wanted: set[str], trial: Trial
) -> Iterator[tuple[World, Built | None]]:
    """Yield worlds that meet the hypotheses: without a network where an expression needs none."""
    if not _needs_network(limit.of, trial):
        free = World(None, trial.known.meanings, seed=trial.seed)
        try:
            found = [(w, None) for w in meeting(free, hypotheses, wanted, trial.known, None)]
        except UnusableError:
            found = []
        if found:
            yield from found
            return
    for plain in variants(trial.built, trial.scalars, trial.seed, LONG, fixed=False):
        world = replace(plain, reading=Reading())
        for i, one in enumerate(meeting(world, hypotheses, wanted, trial.known, trial.built)):
            if i < 2:
                yield one, trial.built


def _needs_network(e: Expr, trial: Trial) -> bool:
    meanings = trial.known.meanings
    refs = [p for p in e.walk() if isinstance(p, Ref)]
    return any((r.when is not None and trial.known(r)) or r.key in meanings.parameters for r in refs)


def _scale(limit: Limit, world: World) -> tuple[int, ...]:
    if world.instance is None:
        return POWERS
    return SHORT if any(isinstance(p, Bound | Series) for p in limit.of.walk()) else STEPS


def tendency(limit: Limit, world: World, built: Built | None) -> tuple[str, float]:
    """Return where an expression goes in a world, and its last value."""
    points = _scale(limit, world)
    others = _others(limit, world)
    values: list[float] = []
    for n in (*points, points[-1] - 1):
        try:
            with np.errstate(all="ignore"):
                found = numbers(limit.of, world.counting(**others, **{limit.letter: n}), built)
        except NoStepError:
            return NEITHER, float("nan")
        values.append(float(found) if np.ndim(found) == 0 else float(np.abs(found).max()))
    return _classified(np.array(values[:-1]), values[-1], points, limit.goal)


def _others(limit: Limit, world: World) -> dict[str, int]:
    """Return values of the letters that stay."""
    return dict.fromkeys(letters_of(limit.of) - {limit.letter, "T"} - set(world.counters), 1)


def _classified(values: Any, before: float, points: tuple[int, ...], goal: float | None) -> tuple[str, float]:
    last = float(values[-1])
    if np.isnan(values).any():
        return NEITHER, last
    with np.errstate(all="ignore"):
        logs = np.log(np.abs(values))
        rate = (logs[-1] - logs[-2]) / (points[-1] - points[-2])
    if goal and abs(last - goal) <= 1e-3 * abs(goal):
        return FINITE, last
    if abs(last) < 1e-200 or (rate < -1e-4 and logs[-1] < logs[-2] < logs[-3]):
        return ZERO, last
    if np.isinf(last) or (rate > 1e-4 and logs[-1] > logs[-2] > logs[-3]):
        return (ALTERNATING if before * last < 0 or last < 0 else INFINITE), last
    return NEITHER, last
