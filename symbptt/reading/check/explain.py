"""Why a refuted statement is wrong: the likely mistake, the right formula, and the earlier mistake it follows from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from ..meaning.expr import Deriv, Expr, Mul, Norm, Ref, Series, Transpose, letters_of
from ..meaning.index import Index
from ..meaning.symbols import Symbols
from ..note import Note
from ..report import REFUTED
from ..value.evaluator import value
from ..value.quantity import UnfitError
from ..value.series import skeleton
from ..value.world import NoStepError, NotEvaluatedError, NoValueError, World
from .compare import TRUE, assignments, at
from .definitions import T, number_in
from .derived import right_sides
from .edits import Edit, Trial, applied, is_arithmetic, without_macros
from .figures import figures
from .network import Built
from .repairs import PAIRED, TABLE
from .repairs_sums import bounds, lost_sums
from .sites import Site, timed
from .statements import Statement
from .verdicts import Judgement, Settled
from .wording import Wording
from .worlds import Worlds

MOST_TESTS = 400
FEWEST_TESTS = 40
INEQUALITIES = ("le", "ge", "<", ">", "ll", "gg")
MOST_PARTS = 12_000
"""How many edits of one operand are tried: fewer of one that has many parts."""
MOST_PAIRS = 24
"""Of how many edits two are tried together."""


@dataclass(frozen=True)
class Explanation:
    """What is wrong with a statement.

    Attributes
    ----------
    cause : str or None
        A word of :data:`symbptt.reading.report.CAUSES`.
    right : str or None
        The right formula as LaTeX, with its left side.
    consequence_of : Statement or None
        The earlier statement from whose mistake this one follows.
    """

    cause: str | None = None
    right: str | None = None
    consequence_of: Statement | None = None


@dataclass(frozen=True)
class _Past:
    """A mistake that was found."""

    statement: Statement
    built: Built
    place: int
    explanation: Explanation
    mended: Statement | None


class Explainer:
    """Explains the refuted statements of a note, in their order.

    Parameters
    ----------
    note : Note
    found : iterable of Statement
        All its statements.
    symbols : Symbols
    """

    def __init__(self, note: Note, found: Iterable[Statement], symbols: Symbols) -> None:
        self.note, self.found, self.symbols = note, tuple(found), symbols
        self.wording = Wording.of(self.found)
        self.past: list[_Past] = []

    def explain(
        self, statement: Statement, judgement: Judgement, worlds: Worlds, settled: Settled, built: Built
    ) -> Explanation:
        """Return why a refuted statement is wrong."""
        if judgement.verdict != REFUTED or judgement.difference is None:
            return Explanation(judgement.cause, judgement.right)
        trial = Trial(statement, judgement, worlds, settled, self.symbols, self.note.macros)
        if not trial.worlds:
            return Explanation()
        plain = without_macros(statement.latex, self.note.macros)
        whole = statement if plain == statement.latex else trial.read(plain) or statement
        search = _Search(whole, judgement, trial, built, settled, self.wording, self.found, self.past)
        found = search.run()
        found = replace(found, cause=judgement.cause or found.cause, right=judgement.right or found.right)
        earlier = self._earlier(statement, found, trial, built)
        if earlier is not None:
            cause = earlier.explanation.cause or found.cause
            found = replace(found, cause=cause, consequence_of=earlier.statement)
        place = judgement.difference.place
        self.past.append(_Past(statement, built, place, found, search.mended))
        return found

    def _earlier(self, statement: Statement, found: Explanation, trial: Trial, built: Built) -> _Past | None:
        """Return the earlier mistake without which a statement would be right."""
        for past in self.past:
            if past.built is not built:
                continue
            again = found.cause == past.explanation.cause and _repeats(past, statement)
            left = statement.operands[0]
            bounded = isinstance(left, Norm) and left.of == past.statement.operands[0]
            if again or bounded or _follows(past, statement, trial, built):
                return past
        return None


# -- what follows from an earlier mistake -------------------------------------------------------------


def _repeats(past: _Past, statement: Statement) -> bool:
    """Whether a longer formula contains the wrong side of an earlier one."""
    wrong = past.statement.operands[past.place + 1]
    if not isinstance(wrong, Mul | Series) or not isinstance(past.statement.operands[0], Deriv):
        return False
    form = skeleton(wrong)
    own = [skeleton(o) for o in statement.operands]
    inside = [skeleton(p) for o in statement.operands[1:] for p in o.walk()]
    return form in inside and form not in own


def _follows(past: _Past, statement: Statement, trial: Trial, built: Built) -> bool:
    """Whether every step of a chain is right, or right with what an earlier claim wrongly says."""
    left = past.statement.operands[0]
    if not isinstance(left, Ref | Deriv | Norm):
        return False
    form = skeleton(left)
    wrong = past.statement.operands[-1] if number_in(past.statement.operands[-1]) is not None else (
        past.statement.operands[past.place + 1]
    )  # fmt: skip
    operands = statement.operands
    mentioned = any(skeleton(p) == form for o in operands for p in o.walk())
    own = skeleton(operands[0]) == form and not trial.given
    reached = trial.given is not None and isinstance(operands[0], Ref)
    if own or not (mentioned or reached):
        return False
    letters = tuple(sorted(letters_of(left) - {"T"}))
    rules: list[tuple[Expr, Expr, tuple[str, ...]]] = [(left, wrong, letters)]
    if trial.given is not None:
        rules += _equations_as_written(built, trial.given, rules)
    used = False
    for i in range(len(operands) - 1):
        link = replace(statement, operands=operands[i : i + 2], relations=statement.relations[i : i + 1])
        if all(_true(link, w, ()) for w in trial.worlds):
            continue
        if not all(_true(link, w, tuple(rules)) for w in trial.worlds):
            return False
        used = True
    return used


def _equations_as_written(built: Built, world: World, rules: list[Any]) -> list[Any]:
    """Return the equations of the model at every step, so that a wrong figure is carried on."""
    steps = range(1, (world.steps or 0) + 1)
    from ..meaning.expr import with_index

    wrong = [r[0] for r in rules]
    found = []
    for key, definition in built.model.equations.items():
        for step in steps:
            left = Ref(key, Index((), step))
            if left not in wrong:
                found.append((left, with_index(definition.right, T, Index((), step)), ()))
    if built.model.loss is not None:
        found.append((Ref(built.model.loss.key), built.model.loss.right, ()))
    return found


def _true(statement: Statement, world: World, rules: tuple[Any, ...]) -> bool:
    inner = replace(world, as_written=rules)
    tested = False
    for letters in assignments(statement, inner):
        outcome = at(statement, inner.counting(**letters))
        if outcome.state != TRUE:
            if isinstance(outcome.reason, NoStepError):
                continue
            return False
        tested = True
    return tested


# -- the search for the mistake -----------------------------------------------------------------------


class _Search:
    def __init__(
        self, statement: Statement, judgement: Judgement, trial: Trial, built: Built, settled: Settled,
        wording: Wording, found: tuple[Statement, ...], past: list[_Past],
    ) -> None:  # fmt: skip
        self.statement, self.judgement, self.trial, self.built = statement, judgement, trial, built
        self.wording, self.found, self.past = wording, found, past
        self.scalars = settled.scalars or (judgement.given and not built.networks) or (
            trial.worlds[0].instance is not None and trial.worlds[0].instance.system.scalar
        ) or trial.worlds[0].instance is None  # fmt: skip
        self.plain = not settled.transposes
        self.mended: Statement | None = None

    def run(self) -> Explanation:
        """Mend one operand after another until the whole chain holds."""
        current, cause = self.statement, None
        for _ in range(4):
            difference = self._difference(current)
            if difference is None:
                break
            target = self._target(current, difference)
            fixed = self._mend(current, target, cause is not None)
            if fixed is None:
                return Explanation(cause or self._guess(current, target))
            cause, current = cause or fixed[0], fixed[1]
        else:
            return Explanation(cause)
        if current is self.statement:
            return Explanation()
        self.mended = current
        return Explanation(cause, current.latex.strip())

    def _difference(self, statement: Statement) -> int | None:
        if statement is self.statement and self.judgement.difference is not None:
            return self.judgement.difference.place
        outcome = self.trial.outcome(statement)
        return None if outcome.difference is None else outcome.difference.place

    def _target(self, statement: Statement, place: int) -> int:
        a, b = statement.operands[place : place + 2]
        simple = isinstance(b, Ref | Deriv) and not isinstance(a, Ref | Deriv) and number_in(a) is None
        return place if place == 0 and simple and len(statement.operands) == 2 else place + 1

    def _mend(self, statement: Statement, target: int, mended: bool) -> tuple[str, Statement] | None:
        site = Site(statement, target, self.wording, self.built, self.scalars, self.plain, self.found)
        tried: set[str] = set()
        size = sum(1 for o in (statement.operands[target - 1], site.operand) for _ in o.walk())
        most = max(FEWEST_TESTS, min(MOST_TESTS, MOST_PARTS // size))
        for edit in self._edits(site, mended):
            if len(tried) > most:
                break
            latex = applied(site.latex, edit.spans, statement.tree.start, statement.tree.end)
            if latex in tried:
                continue
            tried.add(latex)
            if self._may_hold(site, edit):
                new = self.trial.read(latex)
                if new is not None and len(new.operands) == len(statement.operands) and self._holds(new, target):
                    return edit.cause, new
        return None if is_arithmetic(site.operand) else self._derive(site)

    def _holds(self, new: Statement, target: int) -> bool:
        last = max(target + 1, 2)
        return self.trial.holds(replace(new, operands=new.operands[:last], relations=new.relations[: last - 1]))

    def _may_hold(self, site: Site, edit: Edit) -> bool:
        """Whether a statement holds with an operand edited; where the edit is not within it, that is left open."""
        tree = site.operand.tree
        if any(a < tree.start or b > tree.end for a, b, _ in edit.spans):
            return True
        new = self.trial.with_operand(
            site.statement, site.target, applied(site.latex, edit.spans, tree.start, tree.end)
        )
        if new is None:
            return False
        first = max(site.target - 1, 0)  # one link of the chain; the whole of it is tested once the link holds
        link = replace(new, operands=new.operands[first : first + 2], relations=new.relations[first : first + 1])
        return self.trial.holds(link)

    def _edits(self, site: Site, mended: bool) -> Iterator[Edit]:
        world = self.trial.worlds[0]
        if is_arithmetic(site.operand):
            yield from figures(site, world, mended)
            return
        if site.statement.relations[site.target - 1].kind in INEQUALITIES:
            yield from bounds(site)  # anything small enough would do for the rest
            return
        if self.trial.given is not None:  # at a single instance, one path may be a multiple of all by chance
            yield from lost_sums(site)
        yield from self._multiple(site)
        once = [edit for repair in TABLE for edit in repair(site)]
        yield from sorted(once, key=lambda e: e.cost)
        some = sorted((e for repair in PAIRED for e in repair(site)), key=lambda e: e.cost)[:MOST_PAIRS]
        for a, b in combinations(some, 2):
            if not a.clashes(b):
                yield a.joined(b)

    def _multiple(self, site: Site) -> Iterator[Edit]:
        """Yield a number in front, where an operand is a multiple of what it should be."""
        ratio = _ratio(site, self.trial)
        if ratio is None:
            return
        start, end, text = site.operand.tree.start, site.operand.tree.end, site.text(site.operand)
        if ratio == -1:
            return  # signs are repaired where they stand
        shown = {0.5: r"\frac{1}{2}", 0.25: r"\frac{1}{4}"}.get(abs(ratio), f"{abs(ratio):g}")
        sign = "-" if ratio < 0 else ""
        yield Edit("wrong-factor", ((start, end, f"{sign}{shown} {text}"),))

    def _derive(self, site: Site) -> tuple[str, Statement] | None:
        """Return the formula that the model gives, and a guess at the mistake."""
        for text in right_sides(site.left, self.wording, self.built, self.scalars) if site.target == 1 else ():
            relation = site.statement.source(site.statement.relations[0]) or "="
            new = self.trial.read(f"{site.text(site.left)} {relation} {text}")
            if new is not None and self.trial.holds(new):
                return self._guess(site.statement, site.target), new
        return None

    def _guess(self, statement: Statement, target: int) -> str:
        left, right = statement.operands[0], statement.operands[target]
        if is_arithmetic(right):
            return "arithmetic"
        sums = any(
            type(p).__name__ in ("Bound", "Add") or (isinstance(p, Series) and p.kind == "sum") for p in right.walk()
        )
        inner = left.of if isinstance(left, Norm | Transpose) else left
        by_parameter = isinstance(inner, Deriv) and isinstance(inner.by[0], Ref) and inner.by[0].when is None
        if by_parameter and not sums:
            return "lost-sum"
        if isinstance(left, Norm):
            return "one-step-bound"
        difference = self.judgement.difference
        if difference is not None and difference.shapes and not timed(right):
            return "scalar-formula"
        if by_parameter:
            return "missing-term"
        return "scalar-formula" if self.judgement.scalars else "wrong-factor"


def _ratio(site: Site, trial: Trial) -> float | None:
    """Return the number by which an operand has to be multiplied, where it is the same everywhere and simple."""
    found: float | None = None
    for world in trial.worlds[:2]:
        for letters in assignments(site.statement, world)[:3]:
            inner = world.counting(**letters)
            try:
                a, b = (value(site.statement.operands[i], inner) for i in (site.target - 1, site.target))
            except (NoValueError, NoStepError, NotEvaluatedError, UnfitError, ValueError, ArithmeticError):
                continue
            x, y = np.real(a.array), np.real(b.array)
            if x.shape != y.shape or not np.isfinite(y).all() or not np.abs(y).max(initial=0) > 0:
                return None
            ratio = float((x * y).sum() / (y * y).sum())
            if not np.allclose(x, ratio * y, rtol=1e-6) or (found is not None and not np.isclose(found, ratio)):
                return None
            found = ratio
    if found is None or not any(np.isclose(abs(found), r) for r in (0.25, 0.5, 1, 2, 3, 4)):
        return None
    return float(round(found, 6)) if abs(found) != 1 else float(round(found))


__all__ = ["Explainer", "Explanation"]
