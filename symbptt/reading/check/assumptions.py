"""What a note assumes, taken in order, and the verdicts on what it claims under its assumptions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from fractions import Fraction

from ..meaning.expr import Call, Expr, Norm, Ref, Unknown
from ..meaning.symbols import Symbols
from ..note import Note
from ..report import ASSUMPTION, DEFINITION, UNCHECKED, message
from ..value.world import Alias, Meanings
from .anywhere import judge_anywhere
from .approximate import judge_approximation
from .bounds import Trial, is_pure, judge_bound, mistakes
from .definitions import number_in
from .eigen import Decomposition, decomposition, judge_eigen
from .hypotheses import (
    ANEW,
    INEQUALITIES,
    LOCAL,
    SIZES,
    Hypothesis,
    Known,
    Scope,
    constants_in,
    factorwise,
    is_supposed,
    key_of,
    pairs,
    sentence_before,
    sentence_start,
)
from .hypothetical import is_hypothesis
from .limits import is_arrow, judge_limit
from .network import Built
from .prose import Prose
from .statements import Read, Statement
from .supposed import prepared
from .verdicts import Judgement, Settled

GENTLE = re.compile(r"tanh|sigmoid|relu|logistic|双曲正切", re.I)
"""Names of activations whose slope is at most 1."""
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
        self.in_words = tuple(Prose(note, reads, symbols).said())
        self.said = list(self.in_words)
        self.named: list[Decomposition] = []
        self.given: set[str] = set()
        self.general: frozenset[str] = frozenset()
        self.before: Sequence[tuple[Statement, Judgement]] = ()
        self._trials: dict[tuple[int, frozenset[str]], Trial] = {}

    def judge(
        self, statement: Statement, built: Built, settled: Settled, before: Sequence[tuple[Statement, Judgement]] = ()
    ) -> Judgement | None:
        """Return the verdict on a statement about bounds, limits or eigenvalues, or on a hypothesis; else None.

        Statements have to come in the order of the note; ``before`` are those that are judged.
        """
        self.before = before
        trial = self._trial(built, settled)
        self.scope.move(self.note, statement.start)
        while self.said and self.said[0].end <= statement.end + 1:
            said = self.said.pop(0)
            self.scope.add([said.hypothesis], trial.known, said.hypothesis.start if said.anew else None)
        if any(isinstance(p, Unknown) for o in statement.operands for p in o.walk()):
            return None
        operands = tuple(prepared(o, self.symbols.functions, trial.known) for o in statement.operands)
        statement = replace(statement, operands=operands)
        found = self._eigen(statement, trial) or self._supposed(statement, trial)
        if found is None:
            found = self._claim(statement, self._trial(built, settled))
        left = statement.operands[0]
        if isinstance(left, Ref) and number_in(statement.operands[-1]) is not None:
            self.given.add(key_of(left) or "")
        return found

    def _trial(self, built: Built, settled: Settled) -> Trial:
        general = self.general | self._later(built)
        key = id(built), general
        if key not in self._trials:
            built = _changed(built, general, self.symbols.functions)
            known = Known(_meanings(built), frozenset(built.model.equations))
            gentle = bool(GENTLE.search(self.note.text))
            self._trials[key] = Trial(built, known, settled, dict(self.symbols.functions), self.seed, gentle)
        return self._trials[key]

    def _later(self, built: Built) -> frozenset[str]:
        """Return the constants that are supposed to be something here, and whose numbers come later in the note."""
        refs = {p.key for h in self.scope.active for s in h.sides for p in s.walk() if isinstance(p, Ref)}
        parameters = {k for _, meanings in built.networks for k in meanings.parameters}
        return frozenset(k for k in refs & set(built.model.constants) if k not in self.given | parameters)

    def _generalise(self, statement: Statement, trial: Trial) -> None:
        """Forget the number of a constant of which a condition is supposed: "if |lambda_1| > 1", with 3 elsewhere."""
        constants = trial.known.meanings.constants
        for a, _, b in pairs(statement):
            for side, other in ((a, b), (b, a)):
                inner = side.of if isinstance(side, Norm) else side
                key = key_of(inner) if isinstance(inner, Ref) else None
                if key in constants and key is not None and isinstance(number_in(other), Fraction):
                    self.general |= {key}

    # -- what is supposed -----------------------------------------------------------------------------
    def _supposed(self, statement: Statement, trial: Trial) -> Judgement | None:
        known = trial.known
        if not is_supposed(statement, self.note, known, self._bounded(trial)) or _is_fact(statement, trial):
            return None
        before = sentence_before(self.note, statement.read.formula.start)
        if LOCAL.search(before):
            self._generalise(statement, trial)
        line = self.note.place(statement.start)[0]
        local = bool(LOCAL.search(before))
        new = [
            Hypothesis(a, kind, b, line, statement.start, statement.conditions, local)
            for a, kind, b in pairs(statement)
        ]
        start = statement.read.formula.start
        self.scope.add(new, known, sentence_start(self.note, start) if ANEW.search(before) else None)
        return Judgement(ASSUMPTION, message("check.reason.assumption"))

    # -- what is claimed ------------------------------------------------------------------------------
    def _claim(self, statement: Statement, trial: Trial) -> Judgement | None:
        if is_arrow(statement):
            return self._limit(statement, trial)
        kinds = {r.kind for r in statement.relations}
        if "approx" in kinds:
            return judge_approximation(statement, self.scope.active, trial)
        if not kinds <= INEQUALITIES | {"=", ":=", "equiv"}:
            return None
        if not kinds & INEQUALITIES and not self._bears_on(statement, trial):
            return None
        constants = constants_in(statement.operands, trial.known)
        if not constants and not _is_tested_here(statement, trial):
            return None
        self.scope.active += factorwise(statement, self._bounded(trial), trial.known, self.note)
        exact = [h for h in self.scope.active if h.kind != "approx"]
        trial.mistakes = mistakes(self.before)
        found = self._first(statement, trial, exact, judge_bound)
        if found is None and constants - self._bounded(trial) and kinds & INEQUALITIES:
            if is_hypothesis(statement, self.note):
                return None
            return judge_anywhere(statement, constants, trial)
        return None if found is not None and found.verdict == UNCHECKED and not constants else found

    def _bounded(self, trial: Trial) -> set[str]:
        """Return the constants of which something is supposed."""
        return set().union(*(constants_in(h.sides, trial.known) for h in self.scope.active))

    def _bears_on(self, statement: Statement, trial: Trial) -> bool:
        """Whether something is supposed of a matrix whose norm or spectral radius an equation is about."""
        if isinstance(statement.operands[0], Ref):
            return False
        sizes = [p for o in statement.operands for p in o.walk() if isinstance(p, Norm) or _is_size(p)]
        keys = {p.key for size in sizes for p in size.walk() if isinstance(p, Ref) and p.when is None}
        supposed = {p.key for h in self.scope.active for s in h.sides for p in s.walk() if isinstance(p, Ref)}
        return bool(keys & supposed)

    def _limit(self, statement: Statement, trial: Trial) -> Judgement | None:
        exact = [h for h in self.scope.active if h.kind != "approx"]
        return self._first(statement, trial, exact, judge_limit)

    def _first(
        self, statement: Statement, trial: Trial, hypotheses: list[Hypothesis], judge: _Judge
    ) -> Judgement | None:
        """Judge under all hypotheses; where they leave no instance, under those about the constants of the claim."""
        keys = constants_in(statement.operands, trial.known)
        near = [
            h for h in self.scope.about(keys, trial.known) if h in hypotheses and constants_in(h.sides, trial.known)
        ]
        start = sentence_start(self.note, statement.read.formula.start)
        recent = [h for h in hypotheses if not h.local or h.start >= start]
        found = judge(statement, hypotheses, trial)
        for fewer in (recent, near):
            if found is not None and found.verdict == UNCHECKED and len(fewer) < len(hypotheses):
                again = judge(statement, fewer, trial)
                found = again if again is not None and again.verdict != UNCHECKED else found
        return found

    # -- eigenvalues ----------------------------------------------------------------------------------
    def _eigen(self, statement: Statement, trial: Trial) -> Judgement | None:
        found = decomposition(statement)
        if found is not None and not found.names & self.given and found not in self.named:
            self.named.append(found)
            verdict = DEFINITION if found.single else ASSUMPTION
            return Judgement(verdict, message(f"check.reason.{verdict}"))
        if found is not None or any(r.kind not in ("=", ":=", "equiv") for r in statement.relations):
            return None
        return judge_eigen(statement, self.named, trial) if self.named else None


def _is_fact(statement: Statement, trial: Trial) -> bool:
    """Whether a statement is about functions that are known, so that it can only be true or false."""
    calls = [p for o in statement.operands for p in o.walk() if isinstance(p, Call)]
    named = all(c.name not in trial.built.generic_functions for c in calls)
    return bool(calls) and named and is_pure(statement.operands, trial)


def _is_size(part: Expr) -> bool:
    return isinstance(part, Call) and part.name in SIZES


def _is_tested_here(statement: Statement, trial: Trial) -> bool:
    """Whether a chain is about the variables of a model whose numbers a note leaves open."""
    meanings, refs = trial.known.meanings, [p for o in statement.operands for p in o.walk() if isinstance(p, Ref)]
    given = any(k in meanings.parameters for k in meanings.constants)
    return bool(refs) and not given


def _changed(built: Built, keys: frozenset[str], functions: Collection[str]) -> Built:
    """Return a model without the numbers of some constants, its definitions as claims are."""
    known = Known(_meanings(built), frozenset(built.model.equations))

    def changed(meanings: Meanings) -> Meanings:
        constants = {k: v for k, v in meanings.constants.items() if k not in keys}
        aliases = {k: replace(a, expr=prepared(a.expr, functions, known)) for k, a in meanings.aliases.items()}
        return replace(meanings, constants=constants, aliases=aliases)

    constants = {k: v for k, v in built.model.constants.items() if k not in keys}
    networks, scalar = (tuple((n, changed(m)) for n, m in pairs_) for pairs_ in (built.networks, built.scalar))
    return replace(built, model=replace(built.model, constants=constants), networks=networks, scalar=scalar)


def _meanings(built: Built) -> Meanings:
    """Return what the symbols of a model are, also of one without a network."""
    if built.networks:
        return built.networks[0][1]
    model = built.model
    aliases = {
        k: Alias(d.right, None if d.step is None else "t") for k, d in (*model.abstract.items(), *model.aliases.items())
    }
    return Meanings(aliases=aliases, constants=dict(model.constants))
