"""What a note assumes, taken in order, and the verdicts on what it claims under its assumptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..meaning.expr import Call, Deriv, Norm, Unknown
from ..meaning.symbols import Symbols
from ..note import Note
from ..report import ASSUMPTION, DEFINITION, UNCHECKED, message
from ..value.world import Alias, Meanings
from .approximate import judge_approximation
from .bounds import Trial, judge_bound
from .eigen import Decomposition, decomposition, judge_eigen
from .hypotheses import (
    ANEW,
    INEQUALITIES,
    LOCAL,
    Hypothesis,
    Known,
    Scope,
    constants_in,
    is_supposed,
    pairs,
    sentence_before,
)
from .judge import Judgement, Settled
from .limits import is_arrow, judge_limit
from .network import Built
from .prose import Prose
from .statements import Read, Statement

_Judge = Callable[[Statement, Sequence[Hypothesis], Trial], "Judgement | None"]


class Assumptions:
    """The hypotheses of a note, statement by statement.

    Parameters
    ----------
    note : Note
    reads : list of Read
    symbols : Symbols
    seed : int
        Of the random instances.
    """

    def __init__(self, note: Note, reads: list[Read], symbols: Symbols, seed: int = 0) -> None:
        self.note, self.symbols, self.seed = note, symbols, seed
        self.scope = Scope()
        self.said = Prose(note, reads, symbols).said()
        self.named: list[Decomposition] = []
        self._trials: dict[int, Trial] = {}

    def judge(self, statement: Statement, built: Built, settled: Settled) -> Judgement | None:
        """Return the verdict on a statement about bounds, limits or eigenvalues, or on a hypothesis; else None.

        Statements have to come in the order of the note.
        """
        trial = self._trial(built, settled)
        self.scope.move(self.note, statement.start)
        while self.said and self.said[0].end <= statement.end + 1:
            said = self.said.pop(0)
            self.scope.add([said.hypothesis], trial.known, said.anew)
        if any(isinstance(p, Unknown) for o in statement.operands for p in o.walk()):
            return None
        return self._eigen(statement, trial) or self._supposed(statement, trial) or self._claim(statement, trial)

    def _trial(self, built: Built, settled: Settled) -> Trial:
        if id(built) not in self._trials:
            known = Known(_meanings(built), frozenset(built.model.equations))
            self._trials[id(built)] = Trial(built, known, settled, dict(self.symbols.functions), self.seed)
        return self._trials[id(built)]

    # -- what is supposed -----------------------------------------------------------------------------
    def _supposed(self, statement: Statement, trial: Trial) -> Judgement | None:
        known = trial.known
        bounded = set().union(*(constants_in(h.sides, known) for h in self.scope.active))
        if not is_supposed(statement, self.note, known, bounded):
            return None
        before = sentence_before(self.note, statement.read.formula.start)
        line = self.note.place(statement.start)[0]
        local = bool(LOCAL.search(before))
        new = [
            Hypothesis(a, kind, b, line, statement.start, statement.conditions, local)
            for a, kind, b in pairs(statement)
        ]
        anew = bool(ANEW.search(before))
        self.scope.add(new, known, anew)
        return Judgement(ASSUMPTION, message("check.reason.assumption"))

    # -- what is claimed ------------------------------------------------------------------------------
    def _claim(self, statement: Statement, trial: Trial) -> Judgement | None:
        if is_arrow(statement):
            return self._limit(statement, trial)
        kinds = {r.kind for r in statement.relations}
        if "approx" in kinds:
            return judge_approximation(statement, self.scope.active, trial)
        if not kinds & INEQUALITIES or not kinds <= INEQUALITIES | {"=", ":=", "equiv"}:
            return None
        if not _is_tested_here(statement, trial):
            return None
        exact = [h for h in self.scope.active if h.kind != "approx"]
        return self._first(statement, trial, exact, judge_bound)

    def _limit(self, statement: Statement, trial: Trial) -> Judgement | None:
        exact = [h for h in self.scope.active if h.kind != "approx"]
        return self._first(statement, trial, exact, judge_limit)

    def _first(self, statement: Statement, trial: Trial, hypotheses: list[Hypothesis], judge: _Judge) -> Judgement | None:
        """Judge under all hypotheses; where they leave no instance, under those about the constants of the claim."""
        keys = constants_in(statement.operands, trial.known)
        near = [h for h in self.scope.about(keys, trial.known) if h in hypotheses and constants_in(h.sides, trial.known)]
        found = judge(statement, hypotheses, trial)
        if found is not None and found.verdict == UNCHECKED and len(near) < len(hypotheses):
            again = judge(statement, near, trial)
            return again if again is not None and again.verdict != UNCHECKED else found
        return found

    # -- eigenvalues ----------------------------------------------------------------------------------
    def _eigen(self, statement: Statement, trial: Trial) -> Judgement | None:
        found = decomposition(statement)
        constants = set(trial.known.meanings.constants)
        if found is not None and not found.names & constants and found not in self.named:
            self.named.append(found)
            verdict = DEFINITION if found.single else ASSUMPTION
            return Judgement(verdict, message(f"check.reason.{verdict}"))
        if found is not None or any(r.kind not in ("=", ":=", "equiv") for r in statement.relations):
            return None
        return judge_eigen(statement, self.named, trial) if self.named else None


def _is_tested_here(statement: Statement, trial: Trial) -> bool:
    """Whether a chain is about constants, norms, or functions of any argument; other inequalities are judged as usual."""
    parts = [p for o in statement.operands for p in o.walk()]
    if constants_in(statement.operands, trial.known):
        return True
    return any(isinstance(p, Norm | Deriv) or (isinstance(p, Call) and p.primes) for p in parts)


def _meanings(built: Built) -> Meanings:
    """Return what the symbols of a model are, also of one without a network."""
    if built.networks:
        return built.networks[0][1]
    model = built.model
    aliases = {k: Alias(d.right, None if d.step is None else "t") for k, d in (*model.abstract.items(), *model.aliases.items())}
    return Meanings(aliases=aliases, constants=dict(model.constants))
