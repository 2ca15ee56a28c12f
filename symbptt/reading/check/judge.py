"""The verdict on a statement: every reading tried, at every kind of instance, in the order of what they concede."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from ...algebra import FUNCTIONS
from ..meaning.expr import Call, Counter, Deriv, Expr, Matrix, Num, Ref
from ..report import ASSUMPTION, CONDITIONAL, HOLDS, UNCHECKED, Message, message
from ..value.evaluator import value
from ..value.quantity import UnfitError
from ..value.reading import DENOMINATOR, Reading
from ..value.world import NoStepError, NotEvaluatedError, NoValueError, World
from .compare import FALSE, OPEN, RELATIONS, TRUE, Outcome, test
from .definitions import number_in
from .identities import is_proved
from .readings import CONCEDING, PLAIN, first_outcome, immediate_modes, matters, read_as
from .statements import Statement
from .verdicts import Judgement, Settled, holds, immediate, refuted
from .worlds import Worlds


def judge(statement: Statement, worlds: Worlds, settled: Settled) -> Judgement:
    """Return the verdict on a statement with relations that can be tested."""
    if not any(r.kind in RELATIONS for r in statement.relations):
        return Judgement(UNCHECKED, message("check.reason.mapping"))
    found = _at_given_numbers(statement, worlds)
    if found is not None:
        return found
    if not any(isinstance(p, Ref) for o in statement.operands for p in o.walk()):
        return _arithmetic(statement, worlds)
    if not worlds.vectors and not worlds.scalars:
        return _free(statement, worlds) or Judgement(UNCHECKED, message("check.reason.no-model"))
    if _needs_numbers(statement) and not _has_loss_number(statement):
        return _numbers_without_model(statement, worlds)
    return _at_random(statement, worlds, settled)


# -- at the note's own numbers ------------------------------------------------------------------------


def _at_given_numbers(statement: Statement, worlds: Worlds) -> Judgement | None:
    if worlds.given is None:
        return None
    outcome, reading = first_outcome(statement, (worlds.given,), PLAIN)
    if outcome.state == TRUE:
        return Judgement(HOLDS, message("check.reason.holds-numbers"), reading=reading, given=True)
    if outcome.state == OPEN:
        return None
    if worlds.printed:
        stepwise = replace(worlds.given, as_written=(*worlds.printed, *worlds.equations), stepwise=True)
        if test(statement, (stepwise,)).state == TRUE:
            return Judgement(HOLDS, message("check.reason.holds-rounded"), given=True)
    for modes in immediate_modes(statement):
        again = test(statement, read_as((worlds.given,), Reading(modes=modes)))
        if again.state == TRUE:
            return immediate(statement, modes, Reading(modes=modes))
    if not worlds.complete:
        return None
    return _special(statement, (worlds.given,)) or refuted(statement, outcome, given=True)


def _needs_numbers(statement: Statement) -> bool:
    """Whether an operand is a number that only the note's own numbers could give: not 0 and not 1."""
    numbers = [number_in(o) for o in statement.operands]
    symbols = any(isinstance(p, Ref) for o in statement.operands for p in o.walk())
    return symbols and any(n is not None and n not in (0, 1) for n in numbers)


def _has_loss_number(statement: Statement) -> bool:
    return all(number_in(o) is not None for o in statement.operands)


def _numbers_without_model(statement: Statement, worlds: Worlds) -> Judgement:
    outcome = test(statement, worlds.vectors or worlds.scalars)
    if outcome.state == TRUE:
        return holds(outcome)
    free = _free(statement, worlds)
    if free is not None and free.verdict == HOLDS:
        return free
    arithmetic = _arithmetic_alone(statement, worlds)
    if arithmetic is not None:
        return arithmetic
    if len(statement.operands) == 2:
        return Judgement(ASSUMPTION, message("check.reason.assumption"))
    return Judgement(UNCHECKED, message("check.reason.no-numbers"))


def _arithmetic_alone(statement: Statement, worlds: Worlds) -> Judgement | None:
    """Return that a chain is wrong where two neighbouring operands are numbers and differ."""
    pairs = [(number_in(a), number_in(b)) for a, b in zip(statement.operands, statement.operands[1:], strict=False)]
    if not worlds.free or not any(a is not None and b is not None for a, b in pairs):
        return None
    outcome = test(statement, worlds.free[:1])
    difference = outcome.difference
    if outcome.state == FALSE and difference is not None and None not in pairs[difference.place]:
        return refuted(statement, outcome)
    return None


# -- at random instances ------------------------------------------------------------------------------


def _at_random(statement: Statement, worlds: Worlds, settled: Settled) -> Judgement:
    main = worlds.vectors if worlds.vectors and not settled.scalars else worlds.scalars or worlds.vectors
    first = test(statement, main)
    if first.state == TRUE:
        return holds(first, main is worlds.scalars)
    if first.state == OPEN and not _may_open(first):
        return _open(statement, first, worlds)
    outcome, reading = first_outcome(statement, main, PLAIN[1:])
    if outcome.state == TRUE:
        return replace(holds(outcome, main is worlds.scalars), reading=reading)
    conceded = _conceding(statement, main, settled) or _with_modes(statement, main, settled)
    if conceded is not None:
        return conceded
    if main is worlds.vectors and worlds.scalars:
        scalar = _for_scalars(statement, worlds, settled, first)
        if scalar is not None:
            return scalar
    special = _special(statement, main) or _from_zero(statement, worlds)
    if special is not None:
        return special
    failed = first if first.state == FALSE else outcome
    if failed.state != FALSE:
        return _open(statement, failed, worlds)
    if worlds.open_loss and _says_the_loss(statement, main):
        return Judgement(UNCHECKED, message("check.reason.open-loss"))
    if _has_figures(statement):
        return Judgement(UNCHECKED, message("check.reason.no-numbers"))
    simplest = test(statement, worlds.scalars) if main is worlds.vectors and worlds.scalars else failed
    by_hand = simplest.state == FALSE and simplest.difference is not None and not simplest.difference.shapes
    return refuted(statement, simplest if by_hand else failed, by_hand or main is worlds.scalars)


def _says_the_loss(statement: Statement, worlds: tuple[World, ...]) -> bool:
    """Whether a statement gives a derivative of a loss that the note leaves open, without one on the right."""
    if not worlds:
        return False
    meanings = worlds[0].meanings
    losses = meanings.loss | meanings.losses
    left, *others = statement.operands
    reads = [any(isinstance(p, Ref) and p.key in losses for p in o.walk()) for o in (left, *others)]
    aliased = any(isinstance(p, Ref) and p.key in meanings.aliases for o in others for p in o.walk())
    zero = any(number_in(o) == 0 for o in others)
    return reads[0] and not all(reads[1:]) and not aliased and not zero


def _has_figures(statement: Statement) -> bool:
    """Whether figures stand in a statement that can only come from numbers that the note does not give."""
    parts = [p for o in statement.operands for p in o.walk()]
    return any(isinstance(p, Num) and "." in p.text for p in parts) or any(
        isinstance(p, Matrix) and isinstance(number_in(p), list) for p in parts
    )


def _may_open(outcome: Outcome) -> bool:
    """Whether another reading may evaluate what this one did not."""
    return isinstance(outcome.reason, NotEvaluatedError) and outcome.reason.key == "check.reason.open-ended"


def _conceding(statement: Statement, worlds: tuple[World, ...], settled: Settled) -> Judgement | None:
    repeats = (None, *range(2, 13)) if matters(Reading(repeats=2), statement) else (None,)
    for (key, plain), count in product(CONCEDING, repeats):
        reading = replace(plain, repeats=count)
        if key in settled.excluded or not matters(plain, statement):
            continue
        outcome = test(statement, read_as(worlds, reading))
        if outcome.state == TRUE:
            if key == settled.layout or (key == "transposed-vectors" and not settled.transposes):
                return replace(holds(outcome), reading=reading)
            condition = message(f"check.condition.{key}")
            return Judgement(CONDITIONAL, message("check.reason.conditional"), condition, reading=reading)
    return None


def _with_modes(statement: Statement, worlds: tuple[World, ...], settled: Settled) -> Judgement | None:
    for plain in (Reading(), Reading(newest_left=False), Reading(entrywise=True), Reading(layout=DENOMINATOR)):
        if plain == Reading() or matters(plain, statement):
            for modes in immediate_modes(statement):
                reading = replace(plain, modes=modes)
                if test(statement, read_as(worlds[:1], reading)).state != TRUE:
                    continue
                if test(statement, read_as(worlds, reading)).state == TRUE:
                    return immediate(statement, modes, reading)
    return None


def _for_scalars(statement: Statement, worlds: Worlds, settled: Settled, first: Outcome) -> Judgement | None:
    outcome, reading = first_outcome(statement, worlds.scalars, PLAIN)
    if outcome.state != TRUE:
        for modes in immediate_modes(statement):
            reading = Reading(modes=modes)
            outcome = test(statement, read_as(worlds.scalars, reading))
            if outcome.state == TRUE:
                break
        else:
            return None
    if settled.matrices and first.state == FALSE and not _is_shorthand(statement, worlds):
        return replace(refuted(statement, first), scalars=True)
    condition = message("check.condition.scalars")
    return Judgement(CONDITIONAL, message("check.reason.conditional"), condition, reading=reading, scalars=True)


def _is_shorthand(statement: Statement, worlds: Worlds) -> bool:
    """Whether the derivative of a vector by a matrix is given as a vector, the factor behind it in a product."""
    left = statement.operands[0]
    if not isinstance(left, Deriv) or len(statement.operands) != 2 or not worlds.vectors:
        return False
    try:
        a, b = (value(o, worlds.vectors[0].counting(t=1)) for o in statement.operands)
    except (NoValueError, NoStepError, NotEvaluatedError, UnfitError):
        return False
    return len(a.shape) == 3 and len(b.shape) == 1


def _special(statement: Statement, worlds: tuple[World, ...]) -> Judgement | None:
    """Return that a statement holds at t = T alone, or everywhere but at the last or the first step."""
    letters = {name for o in statement.operands for p in o.walk() for name in _letters(p)}
    if "t" not in letters:
        return None
    for key, steps in (("last-step", _last), ("before-last", _before_last), ("after-first", _after_first)):
        some = tuple(w.counting(t=step) for w in worlds if w.steps for step in steps(w.steps))
        if some and test(statement, some).state == TRUE:
            condition = message(f"check.condition.{key}")
            return Judgement(CONDITIONAL, message("check.reason.conditional"), condition)
    return None


def _from_zero(statement: Statement, worlds: Worlds) -> Judgement | None:
    """Return that a statement holds where all states start from zero."""
    if not worlds.from_zero or test(statement, worlds.from_zero).state != TRUE:
        return None
    return Judgement(CONDITIONAL, message("check.reason.conditional"), message("check.condition.zero-start"))


def _last(steps: int) -> range:
    return range(steps, steps + 1)


def _before_last(steps: int) -> range:
    return range(1, steps)


def _after_first(steps: int) -> range:
    return range(2, steps + 1)


def _letters(part: Expr) -> frozenset[str]:
    if isinstance(part, Ref) and part.when is not None:
        return part.when.letters
    return part.index.letters if isinstance(part, Counter) else frozenset()


# -- without symbols -----------------------------------------------------------------------------------


def _arithmetic(statement: Statement, worlds: Worlds) -> Judgement:
    """Return the verdict on numbers, and on sums and powers that only count."""
    outcome, reading = first_outcome(statement, worlds.free, PLAIN)
    if outcome.state == TRUE:
        key = "holds-proved" if is_proved(statement) else "holds-everywhere"
        return Judgement(HOLDS, message(f"check.reason.{key}"), reading=reading)
    if outcome.state == FALSE:
        return refuted(statement, outcome, given=True)
    error = outcome.reason
    if isinstance(error, NotEvaluatedError):
        return Judgement(UNCHECKED, Message(error.key, tuple(error.values.items())))
    return Judgement(UNCHECKED, message("check.reason.no-step"))


# -- without a network --------------------------------------------------------------------------------


def _free(statement: Statement, worlds: Worlds) -> Judgement | None:
    """Return that a statement is an identity, or true at the numbers that it needs."""
    if not worlds.free or not _is_timeless(statement, worlds.free[0]):
        return None
    outcome, reading = first_outcome(statement, worlds.free, PLAIN)
    if outcome.state == TRUE:
        key = "holds-proved" if is_proved(statement) else "holds-everywhere"
        return Judgement(HOLDS, message(f"check.reason.{key}"), reading=reading)
    if outcome.state == FALSE and _is_about_a_function(statement):
        return refuted(statement, outcome)
    if outcome.state == FALSE and _only_known(statement, worlds.free[0]):
        return refuted(statement, outcome, given=True)
    return None


def _is_about_a_function(statement: Statement) -> bool:
    """Whether a statement says what a known function is for any argument: \\sigma'(x) = ..."""
    left = statement.operands[0]
    if not isinstance(left, Call) or len(left.arguments) != 1 or left.name not in FUNCTIONS:
        return False
    variables = {p.key for p in left.walk() if isinstance(p, Ref)}
    others = {p.key for o in statement.operands[1:] for p in o.walk() if isinstance(p, Ref)}
    return len(variables) == 1 and others <= variables | {"e"} and isinstance(left.arguments[0], Ref)


def _is_timeless(statement: Statement, world: World) -> bool:
    """Whether no variable over time stands in a statement, and no derivative of what is not defined."""
    parts = [p for o in statement.operands for p in o.walk()]
    if any(isinstance(p, Ref) and p.when is not None for p in parts):
        return False
    known = world.meanings.aliases
    return all(isinstance(p.of, Ref) and p.of.key in known for p in parts if isinstance(p, Deriv)) or all(
        not isinstance(p.of, Ref) for p in parts if isinstance(p, Deriv)
    )


def _only_known(statement: Statement, world: World) -> bool:
    """Whether every symbol of a statement has a value that the note gives."""
    refs = [p for o in statement.operands for p in o.walk() if isinstance(p, Ref)]
    known = world.meanings.constants
    return all(r.key in known and r.when is None for r in refs) and all(
        not isinstance(p, Counter | Deriv) for o in statement.operands for p in o.walk()
    )


# -- what stays open -----------------------------------------------------------------------------------


def _open(statement: Statement, outcome: Outcome, worlds: Worlds) -> Judgement:
    free = _free(statement, worlds)
    if free is not None:
        return free
    error = outcome.reason
    if isinstance(error, NoValueError):
        return Judgement(UNCHECKED, message("check.reason.no-value", symbol=error.symbol))
    if isinstance(error, NotEvaluatedError):
        return Judgement(UNCHECKED, Message(error.key, tuple(error.values.items())))
    return Judgement(UNCHECKED, message("check.reason.no-step"))
