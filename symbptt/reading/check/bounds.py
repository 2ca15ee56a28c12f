"""Inequalities put to the test where the hypotheses of a note hold, with a counterexample searched for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from ..meaning.expr import Bound, Call, Deriv, Expr, Norm, Ref, Series, letters_of
from ..report import CONDITIONAL, HOLDS, REFUTED, UNCHECKED, Math, Message, message
from ..value.reading import Reading
from ..value.world import NoStepError, NotEvaluatedError, NoValueError, World
from .compare import FALSE, OPEN, TRUE, Difference
from .hypotheses import INEQUALITIES, SLOPE, Hypothesis, Known, constants_in, pairs
from .network import Built
from .one_step import latex_of, one_step
from .readings import immediate_modes
from .statements import Statement
from .supposed import UnusableError, meeting, numbers, places, related
from .variants import FUNCTIONS, KINDS, STEEP, recurrent, scaled, symmetrised, variants, with_functions
from .verdicts import Judgement, Settled, immediate

MOST_NUMBERS = 3
"""So many values of the constants are tried at an instance."""
MOST_MISTAKES = 4
"""So many earlier mistakes are looked at for one from which a claim follows."""
MOST_MODES = 4
"""So many ways to read derivatives as immediate are tried."""
FEWEST = 2
"""At fewer instances nothing is said to hold."""


@dataclass(frozen=True)
class Mistake:
    """A refuted equation: the statement, and what it puts in the place of what."""

    statement: Statement
    written: tuple[Expr, Expr, tuple[str, ...]]


def mistakes(before: Sequence[tuple[Statement, Judgement]]) -> tuple[Mistake, ...]:
    """Return the refuted equations for a derivative among what was judged before, the latest first."""
    found = []
    for statement, judgement in reversed(before):
        left, difference = statement.operands[0], judgement.difference
        if judgement.verdict == REFUTED and difference is not None and isinstance(left, Deriv):
            wrong = statement.operands[difference.place + 1]
            found.append(Mistake(statement, (left, wrong, tuple(sorted(letters_of(left) - {"T"})))))
    return tuple(found[:MOST_MISTAKES])


@dataclass
class Trial:
    """The instances of a model, and what is supposed of them.

    Attributes
    ----------
    built : Built
    known : Known
    settled : Settled
    functions : dict
        What the functions of the note are in the language.
    seed : int
    gentle : bool
        Whether the note names activations, whose slopes are at most 1.
    mistakes : tuple of Mistake
        Equations that were refuted before.
    """

    built: Built
    known: Known
    settled: Settled
    functions: dict[str, str]
    seed: int = 0
    gentle: bool = False
    mistakes: tuple[Mistake, ...] = ()

    def __post_init__(self) -> None:
        self._worlds: dict[tuple[bool, str], list[tuple[World, Built]]] = {}

    @property
    def scalars(self) -> bool:
        """Whether instances have numbers in the place of vectors."""
        return not self.built.networks or (self.settled.scalars and bool(self.built.scalar))

    def worlds(self, scalars: bool, function: str = "") -> list[tuple[World, Built]]:
        """Return the instances; with another function in the place of those that are left open."""
        key = scalars, function
        if key not in self._worlds:
            built = with_functions(self.built, self.functions, function) if function else self.built
            kinds = STEEP if function else KINDS
            self._worlds[key] = [(w, built) for w in variants(built, scalars, self.seed, kinds)]
        return self._worlds[key]

    def meeting(
        self, hypotheses: Sequence[Hypothesis], wanted: set[str], reading: Reading, scalars: bool, function: str = ""
    ) -> Iterator[tuple[World, Built]]:
        """Yield instances at which the hypotheses hold, with numbers for the constants."""
        names = recurrent(self.built)
        for plain, built in self.worlds(scalars, function):
            world = replace(plain, reading=reading)
            for candidate in (world, *self._mended(world, hypotheses, names)):
                found = meeting(candidate, hypotheses, wanted, self.known, built)
                for one in islice(found, MOST_NUMBERS):
                    yield one, built

    def _mended(self, world: World, hypotheses: Sequence[Hypothesis], names: set[str]) -> Iterator[World]:
        """Yield a world whose recurrent matrices have the norm that a hypothesis gives them."""
        for h in hypotheses:
            if h.kind != "=" or constants_in(h.sides, self.known):
                continue
            try:
                x, y = (numbers(side, world, None) for side in h.sides)
            except (UnusableError, NoStepError):
                continue
            if np.size(x) != 1 or np.size(y) != 1 or related(x, "=", y):
                continue
            again = symmetrised(world, names) if y == 0 else scaled(world, names, float(y) / float(x))
            if again is not None:
                yield again


@dataclass(frozen=True)
class Finding:
    """What came of testing a chain under one reading."""

    state: str
    worlds: int = 0
    difference: Difference | None = None
    reason: Exception | None = None


def judge_bound(statement: Statement, hypotheses: Sequence[Hypothesis], trial: Trial) -> Judgement | None:
    """Return the verdict on a chain with inequalities; None where it cannot be tested here."""
    wanted = constants_in(statement.operands, trial.known)
    if not trial.built.networks and not trial.built.scalar:
        return None
    bounded = set().union(*(constants_in(h.sides, trial.known) for h in hypotheses))
    if not wanted <= bounded:
        return None
    if is_pure(statement.operands, trial):
        return _pure(statement, trial)
    wanted |= bounded
    findings = tested(statement, hypotheses, wanted, trial)
    best = next((f for f in findings if f.state == TRUE), None)
    if best is not None and _needs_gentle(statement, hypotheses, wanted, trial):
        condition = message("check.condition.slope-at-most-one")
        return Judgement(CONDITIONAL, message("check.reason.conditional"), condition)
    if best is not None:
        return Judgement(HOLDS, message("check.reason.bound-holds", instances=best.worlds))
    failed = next((f for f in findings if f.state == FALSE), None)
    if failed is None or any(f.state == OPEN and f.reason is not None for f in findings):
        return _open(findings)
    if failed.difference is not None and statement.relations[failed.difference.place].kind not in INEQUALITIES:
        return None
    immediate = _immediate_reading(statement, hypotheses, wanted, trial)
    if immediate is not None:
        return immediate
    needed = _condition(statement, hypotheses, wanted, trial)
    if needed is not None:
        return Judgement(CONDITIONAL, message("check.reason.conditional"), needed)
    symbols = [k for k, n in trial.known.meanings.parameters.items() if n in recurrent(trial.built)]

    def holds(other: Statement) -> bool:
        return any(f.state == TRUE for f in tested(other, hypotheses, wanted, trial))

    cause, right = one_step(statement, symbols, holds)
    if cause is not None:  # an instance whose matrices are not to blame shows the mistake best
        small = next((f for f in tested(statement, hypotheses, wanted, trial, narrowed=True) if f.state == FALSE), None)
        failed = small or failed
    return Judgement(
        REFUTED, message("check.reason.bound-fails"), difference=failed.difference, scalars=trial.scalars,
        cause=cause, right=right, numbers=shown(statement, failed, trial),
        follows=_follows(statement, hypotheses, wanted, trial),
    )  # fmt: skip


def _follows(
    statement: Statement, hypotheses: Sequence[Hypothesis], wanted: set[str], trial: Trial
) -> Statement | None:
    """Return the refuted equation with which a bound would be right."""
    for mistake in trial.mistakes:
        if not any(p == mistake.written[0] for o in statement.operands for p in o.walk()):
            continue
        reading = Reading()
        if _tested(statement, hypotheses, wanted, reading, trial, written=(mistake.written,)).state == TRUE:
            return mistake.statement
    return None


def is_pure(exprs: Sequence[Expr], trial: Trial) -> bool:
    """Whether expressions are about functions of any argument alone."""
    refs = [p for e in exprs for p in e.walk() if isinstance(p, Ref)]
    meanings = trial.known.meanings
    network = any(r.when is not None or r.key in meanings.parameters for r in refs)
    return bool(refs) and not network and not constants_in(exprs, trial.known)


def _pure(statement: Statement, trial: Trial) -> Judgement | None:
    """Return the verdict on what is said of functions for any argument: at a grid of arguments."""
    bases = [World(None, m, seed=trial.seed) for _, m in trial.built.networks] or [World(None, trial.known.meanings)]
    try:
        findings = [compared(statement, base, trial.known, None) for base in bases]
    except UnusableError:
        return None
    wrong = next((f for f in findings if f.state == FALSE), None)
    if wrong is not None:
        return Judgement(REFUTED, message("check.reason.bound-fails"), difference=wrong.difference,
                         numbers=shown(statement, wrong, trial))  # fmt: skip
    tested_at = sum(f.worlds for f in findings)
    return Judgement(HOLDS, message("check.reason.bound-holds", instances=tested_at)) if tested_at else None


def tested(
    statement: Statement, hypotheses: Sequence[Hypothesis], wanted: set[str], trial: Trial,
    scalars: bool | None = None, narrowed: bool = False,
) -> list[Finding]:  # fmt: skip
    """Return what comes of testing a chain under each reading, up to the first under which it is true."""
    findings: list[Finding] = []
    for reading in _readings(statement, hypotheses):
        findings.append(_tested(statement, hypotheses, wanted, reading, trial, scalars, narrowed))
        if findings[-1].state == TRUE:
            break
    return findings


def _open(findings: Sequence[Finding]) -> Judgement:
    reason = next((f.reason for f in findings if f.reason is not None), None)
    if isinstance(reason, NoValueError):
        return Judgement(UNCHECKED, message("check.reason.no-value", symbol=reason.symbol))
    if isinstance(reason, NotEvaluatedError):
        return Judgement(UNCHECKED, Message(reason.key, tuple(reason.values.items())))
    return Judgement(UNCHECKED, message("check.reason.no-instance"))


def _readings(statement: Statement, hypotheses: Sequence[Hypothesis]) -> list[Reading]:
    """Return the readings that make a difference: which norm, which side of a product is newest, how many factors."""
    sides = (*statement.operands, *(s for h in hypotheses for s in h.sides))
    parts = [p for e in sides for p in e.walk()]
    norms = (True, False) if any(isinstance(p, Norm) and not p.kind for p in parts) else (True,)
    newest = (True, False) if any(isinstance(p, Bound) and p.kind == "prod" for p in parts) else (True,)
    found = [Reading(spectral=s, newest_left=n) for n in newest for s in norms]
    if any(isinstance(p, Norm) and p.kind == "abs" and not isinstance(p.of, Deriv) for p in parts):
        found.append(Reading(entrywise=True))
    return found if not any(isinstance(p, Series) for p in parts) else [
        *found, *(replace(r, repeats=n) for r in found for n in range(2, 9))
    ]  # fmt: skip


def _tested(
    statement: Statement, hypotheses: Sequence[Hypothesis], wanted: set[str], reading: Reading, trial: Trial,
    scalars: bool | None = None, narrowed: bool = False,
    written: tuple[tuple[Expr, Expr, tuple[str, ...]], ...] = (),
) -> Finding:  # fmt: skip
    count, functions = 0, ("", *(FUNCTIONS if trial.built.generic_functions else ()))
    for function in functions:
        if function and count:
            break
        try:
            for world, built in trial.meeting(
                hypotheses, wanted, reading, trial.scalars if scalars is None else scalars, function
            ):
                if narrowed and not _at_most_one(world, trial):
                    continue
                outcome = compared(statement, replace(world, as_written=written), trial.known, built)
                if outcome.state == FALSE:
                    return replace(outcome, worlds=count)
                count += outcome.state == TRUE
        except UnusableError as error:
            return Finding(OPEN, reason=error.__cause__ if isinstance(error.__cause__, Exception) else error)
    return Finding(TRUE if count >= FEWEST else OPEN, count)


def compared(statement: Statement, world: World, known: Known, built: Built | None) -> Finding:
    """Compare the operands of a chain at all places of one world; a number with every entry of what is beside it."""
    tested = 0
    for w in places(statement.operands, statement.conditions, world, known):
        try:
            values = [numbers(o, w, built) for o in statement.operands]
        except NoStepError:
            continue
        for place, (_, kind, _) in enumerate(pairs(statement)):
            x, y = values[place : place + 2]
            if np.shape(x) != np.shape(y) and np.size(x) != 1 and np.size(y) != 1:
                raise UnusableError from NotEvaluatedError("check.reason.no-meaning")
            if not related(x, kind, y):
                return Finding(FALSE, difference=Difference(place, x, y, "", w))
        tested += 1
    return Finding(TRUE if tested else OPEN, tested)


# -- what would make it right -------------------------------------------------------------------------


def _at_most_one(world: World, trial: Trial) -> bool:
    data = world.instance.data if world.instance is not None else {}
    return all(np.linalg.norm(np.atleast_2d(data[n]), 2) <= 1 + 1e-9 for n in recurrent(trial.built) if n in data)


def _needs_gentle(statement: Statement, hypotheses: Sequence[Hypothesis], wanted: set[str], trial: Trial) -> bool:
    """Whether a bound fails with a steep activation, where a note says nothing of the one that it has."""
    if trial.gentle or not trial.built.generic_functions:
        return False
    sides = [p for h in hypotheses for s in h.sides for p in s.walk()]
    if any(isinstance(p, Deriv) or (isinstance(p, Call) and (p.primes or p.name == SLOPE)) for p in sides):
        return False
    try:
        for world, built in trial.meeting(hypotheses, wanted, Reading(), trial.scalars, FUNCTIONS[0]):
            if compared(statement, world, trial.known, built).state == FALSE:
                return True
    except UnusableError:
        return False
    return False


def _immediate_reading(
    statement: Statement, hypotheses: Sequence[Hypothesis], wanted: set[str], trial: Trial
) -> Judgement | None:
    """Return that a bound is right where derivatives are immediate, as between the cell states of an LSTM."""
    if len(trial.built.model.states) < 2:
        return None
    for i, modes in enumerate(immediate_modes(statement)):
        if i >= MOST_MODES:
            break
        reading = Reading(modes=modes)
        if _tested(statement, hypotheses, wanted, reading, trial).state == TRUE:
            return immediate(statement, modes, reading)
    return None


def _condition(
    statement: Statement, hypotheses: Sequence[Hypothesis], wanted: set[str], trial: Trial
) -> Message | None:
    """Return what a note leaves open and what would make a bound true."""
    names = recurrent(trial.built)
    symbols = [k for k, n in (trial.known.meanings.parameters).items() if n in names]
    sides = (*statement.operands, *(s for h in hypotheses for s in h.sides))
    said = any(isinstance(p, Ref) and p.key in symbols for e in sides for p in e.walk())
    if len(symbols) == 1 and not said:
        found = tested(statement, hypotheses, wanted, trial, narrowed=True)
        if any(f.state == TRUE and f.worlds > FEWEST for f in found):
            return message("check.condition.norm-at-most-one", symbol=Math(latex_of(symbols[0])))
    if not trial.scalars and trial.built.scalar and not trial.settled.matrices:
        found = tested(statement, hypotheses, wanted, trial, scalars=True)
        if any(f.state == TRUE for f in found):
            return message("check.condition.scalars")
    return None


def shown(statement: Statement, finding: Finding, trial: Trial) -> tuple[tuple[str, Any], ...]:
    """Return the numbers of a counterexample that are worth showing: of its constants, and of recurrent matrices."""
    difference = finding.difference
    if difference is None:
        return ()
    world = difference.world
    own = trial.known.meanings.constants
    constants = {k: v for k, v in world.meanings.constants.items() if k not in own and isinstance(k, str)}
    found: list[tuple[str, Any]] = [(latex_of(k), float(f"{v:.6g}")) for k, v in sorted(constants.items())]
    if world.instance is None:
        return tuple(found)
    data, names = world.instance.data, recurrent(trial.built)
    own_keys = {p.key for o in statement.operands for p in o.walk() if isinstance(p, Ref)}
    for key, name in sorted(world.meanings.parameters.items()):
        if name in names and name in data and (len(names) == 1 or key in own_keys):
            array = np.round(np.asarray(data[name], dtype=float), 4)
            found.append((latex_of(key), array.item() if array.size == 1 else _tuples(array.tolist())))
    return tuple(found)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
