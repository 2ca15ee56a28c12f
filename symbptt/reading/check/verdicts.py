"""A verdict on a statement and what it rests on: how one is said, and what a note settles for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..meaning.expr import Deriv
from ..report import CONDITIONAL, HOLDS, REFUTED, Math, Message, message
from ..value.reading import Reading
from .compare import Difference, Outcome
from .statements import Statement


@dataclass(frozen=True)
class Judgement:
    """A verdict, and what it rests on.

    Attributes
    ----------
    verdict : str
    reason : Message
    condition : Message or None
    difference : Difference or None
        Of what is refuted.
    reading : Reading
    scalars : bool
        Whether it holds (or fails) for numbers in the place of vectors.
    """

    verdict: str
    reason: Message
    condition: Message | None = None
    difference: Difference | None = None
    reading: Reading = field(default_factory=Reading)
    scalars: bool = False
    given: bool = False
    cause: str | None = None
    right: str | None = None
    numbers: tuple[tuple[str, Any], ...] = ()
    follows: Statement | None = None


@dataclass(frozen=True)
class Settled:
    """What a note says about itself: that there are matrices, that there are only numbers, which layout it takes,
    whether it marks immediate derivatives, and whether gradients have the shape of their variable."""

    matrices: bool = False
    scalars: bool = False
    layout: str | None = None
    marks: bool = False
    transposes: bool = False
    shaped: bool = False

    @property
    def excluded(self) -> frozenset[str]:
        """Conditions that the note rules out: they are not left open by it."""
        others = {"numerator": "denominator", "denominator": "numerator"}
        return frozenset({others.get(self.layout or "", "numerator" if self.shaped else "")})


def holds(outcome: Outcome, scalars: bool = False) -> Judgement:
    """Return that a statement holds at random instances."""
    key = "check.reason.holds-scalars" if scalars else "check.reason.holds-vectors"
    return Judgement(HOLDS, message(key, instances=outcome.worlds, tested=outcome.tested), scalars=scalars)


def immediate(statement: Statement, modes: dict[int, str], reading: Reading) -> Judgement:
    """Return that a statement holds where some of its derivatives are immediate."""
    which = [p for o in statement.operands for p in o.walk() if isinstance(p, Deriv) and p.number in modes]
    texts = dict.fromkeys(statement.source(p) for p in which)
    condition = message("check.condition.immediate", derivative=Math(", ".join(texts)))
    return Judgement(CONDITIONAL, message("check.reason.conditional"), condition, reading=reading)


def refuted(statement: Statement, outcome: Outcome, scalars: bool = False, given: bool = False) -> Judgement:
    """Return that a statement is wrong, with the operands that differ."""
    difference = outcome.difference
    assert difference is not None
    left, right = (statement.source(o) for o in statement.operands[difference.place : difference.place + 2])
    if difference.shapes and difference.operand is None:
        reason = message("check.reason.two-shapes", left=Math(left), right=Math(right), shapes=difference.shapes)
    elif difference.shapes and difference.operand is not None:
        within = statement.source(statement.operands[difference.operand])
        reason = message("check.reason.shapes", left=Math(within), shapes=difference.shapes)
    else:
        reason = message("check.reason.differs", left=Math(left), right=Math(right))
    return Judgement(REFUTED, reason, difference=difference, scalars=scalars, given=given)
