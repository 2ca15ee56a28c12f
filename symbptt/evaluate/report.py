"""Verification: every printed line of a derivation put to the test, and the generated function beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from sympy import Symbol

from .. import algebra as A
from ..algebra.figures import Figure, entries
from ..algebra.rounding import literals_of
from ..algebra.semantics import LEAVES
from ..derive.closed import loss_index
from ..derive.derivation import Derived
from ..derive.stages import Stage
from ..derive.steps import (
    BOUND,
    CONVENTION,
    COUNT,
    DEFINITION,
    EQUALITY,
    GIVEN,
    HYPOTHESIS,
    IDENTITY,
    MEASURED,
    OBSERVATION,
    PROOF,
    TABLE,
    VALUE,
    WORKED,
    Step,
)
from ..derive.worked import Worked, work_out
from ..derive.worked_check import first_bad
from ..model import SAMPLE, one_example
from .claims import Verdict, check_equality, instances, written_steps
from .costs import check_costs
from .free import check_free
from .given import given_instance
from .instance import Instance
from .measured import check_bound, check_measured, check_table
from .methods import counted, proved, tabulated
from .other_kinds import check_identity, check_value
from .remedies import check_recipe
from .tangents import tolerances
from .truncated_steps import TruncatedSteps


@dataclass(frozen=True)
class Check:
    """One thing that was put to the test.

    Attributes
    ----------
    key : str
        The step, or the name of the comparison.
    kind : str
        Kind of the step, or ``function`` for a comparison of the generated function.
    ok : bool
    detail : str
        What was compared, or what was found to be wrong.
    """

    key: str
    kind: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """The outcome of a verification; true where nothing failed.

    Attributes
    ----------
    checks : tuple of Check
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def verdicts(self) -> dict[str, bool]:
        """Step key -> verdict, for the kinds that are proved line by line."""
        return {c.key: c.ok for c in self.checks if c.kind in (EQUALITY, WORKED, PROOF, COUNT)}

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.ok)

    @property
    def counts(self) -> dict[str, int]:
        """Kind -> how many were checked; ``equality``, ``worked``, ``proof`` and ``count`` are proved line by line."""
        return dict(Counter(check.kind for check in self.checks))

    def __add__(self, other: Report) -> Report:
        return Report(self.checks + other.checks)

    def __repr__(self) -> str:
        return f"<Report {'ok' if self.ok else 'FAILED'}: {self._summary()}>"

    def _summary(self) -> str:
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items())

    def to_text(self) -> str:
        """Return one line for each check, and a summary."""
        columns = max((len(c.key) for c in self.checks), default=0)
        lines = [
            f"{'✓' if c.ok else '✗'} {c.key:<{columns}}  {c.kind}{': ' + c.detail if c.detail else ''}"
            for c in self.checks
        ]
        failed = len(self.failures)
        verdict = "all checks hold" if not failed else f"{failed} of {len(self.checks)} checks failed"
        return "\n".join([*lines, "", f"{verdict} ({self._summary()})"]) + "\n"


def verify_derivation(derived: Derived, seed: int = 0) -> Report:
    """Prove every step of a derivation.

    Equalities are compared at random instances whose derivatives come from complex steps on the forward pass, and
    never from the derived adjoints. Worked lines are recomputed from their printed figures and compared with the
    derivative at the given numbers. Definitions, hypotheses, conventions and observations are reported as kinds of
    their own.

    Parameters
    ----------
    derived : Derived
    seed : int
        Of the random instances.
    """
    return Report(tuple(_Verifier(derived, seed).checks()))


class _Verifier:
    def __init__(self, derived: Derived, seed: int) -> None:
        self.derived, self.seed = derived, seed
        self.network = derived.network
        self.system = derived.network.system
        self.shorter = _shorter(derived)
        steps = self.shorter.get(self.system.steps, self.system.steps)
        self.random = instances(replace(self.network, steps=steps), seed)
        self.truncated = TruncatedSteps(derived, seed)
        self._exact: Instance | None = None

    def checks(self) -> Iterator[Check]:
        for step in self.derived.worksheet.walk():
            test = _TESTS.get(step.kind)
            if test is None:
                continue
            try:
                ok, detail = test(self, step)
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                ok, detail = False, f"cannot be evaluated: {error}"
            yield Check(step.key, step.kind, ok, detail)

    @property
    def given(self) -> Instance:
        """The instance at the given numbers."""
        if self._exact is None:
            assert self.derived.numbers is not None
            self._exact = given_instance(self.derived.numbers)
        return self._exact

    # -- the kinds ------------------------------------------------------------------------------------
    def equality(self, step: Step) -> tuple[bool, str]:
        worst = 0.0
        for number, line in enumerate(step.chain, start=1):
            verdict = self._compare(step, line.expr)
            if not verdict:
                return False, _contradiction(number, verdict)
            worst = max(worst, verdict.error)
        how = ", by differences along a direction" if tolerances(step.left) else ""
        return True, f"largest difference {worst:.0e}{how}"

    def _compare(self, step: Step, expr: Any) -> Verdict:
        """Compare a line with the left side at random instances, a long network read with fewer steps."""
        ranges = self._ranges(step, expr)
        if dict(step.facts).get("layout") == SAMPLE:
            return check_equality(self.one_row, step.left, expr, ranges)
        if self.truncated.are(step):
            return self.truncated.compare(step, expr, ranges)
        if self.shorter and not dict(step.facts).get("whole"):
            left, right = (side.xreplace(self.shorter) for side in (step.left, expr))
            if written_steps(left, right) <= SHORT:
                bounds = {k: tuple(b.xreplace(self.shorter) for b in pair) for k, pair in ranges.items()}
                return check_equality(self.random, left, right, bounds, **tolerances(left, right))
            return check_equality(self.long, step.left, expr, ranges, **tolerances(step.left, expr))
        known = self.long if self.shorter else self.random
        return check_equality(known, step.left, expr, ranges, **tolerances(step.left, expr))

    @cached_property
    def one_row(self) -> list[Instance]:
        """Instances of one example, for what is said of one row of a batch."""
        return instances(one_example(self.network), self.seed)

    @cached_property
    def long(self) -> list[Instance]:
        """One instance with all steps, for lines at a step in the middle of a long network."""
        return instances(self.network, self.seed, count=1)

    def _ranges(self, step: Step, expr: Any) -> dict[Any, Any]:
        own = dict(step.facts).get("ranges")
        if own is not None:
            return dict(own)
        free = {s.name for side in (step.left, expr) for s in side.free_symbols if isinstance(s, Symbol)}
        ranges: dict[Any, Any] = {}
        if step.steps is not None and self.system.t.name in free:
            ranges[self.system.t] = step.steps
        later = loss_index(self.system)
        if later.name in free:
            ahead = (self.system.t, self.system.steps)
            ranges[later] = ahead if self.system.direction == 1 else (sympy.S.One, self.system.t)
        ranges.update(dict(step.facts).get("more_ranges") or ())
        return ranges

    def bound(self, step: Step) -> tuple[bool, str]:
        """Try inequalities at random instances, a long network read with fewer steps."""
        if "free" in dict(step.facts):
            return check_free(step, self.seed)
        ranges = self._ranges(step, step.chain[-1].expr)
        short = {k: tuple(b.xreplace(self.shorter) for b in pair) for k, pair in ranges.items()}
        lines = tuple(replace(line, expr=line.expr.xreplace(self.shorter)) for line in step.chain)
        return check_bound(self.random, replace(step, left=step.left.xreplace(self.shorter), chain=lines), short)

    def measured(self, step: Step) -> tuple[bool, str]:
        return check_measured(self.given, step, self._digits())

    def identity(self, step: Step) -> tuple[bool, str]:
        """Try an identity at random values of what its fact ``free`` names, or of its scalar symbols."""
        test = check_free if "free" in dict(step.facts) else check_identity
        return test(step, self.seed)

    def value(self, step: Step) -> tuple[bool, str]:
        return check_value(step, self.truncated.drawn(step, self.given))

    def worked(self, step: Step) -> tuple[bool, str]:
        numbers = self.derived.numbers
        assert numbers is not None
        stages = [Stage(line.sign, line.expr, _is_symbolic(line.expr)) for line in step.chain]
        printed = tuple(stage for stage in stages if not stage.symbolic)
        formula = next((stage.expr for stage in stages if stage.symbolic), step.left)
        bad = first_bad(Worked(formula, printed, None, (), numbers.rounding), numbers.figures)
        if bad is not None:
            wrong = printed[bad]
            return False, f"{wrong.relation} {wrong.expr} does not follow from the line before it"
        for stage in stages:
            limits = tolerances(step.left, stage.expr)
            if stage.symbolic and not check_equality(self.given, step.left, stage.expr, {}, **limits):
                return False, f"the formula {stage.expr} does not have the value of the left side"
        branches = dict(step.facts).get("branches") or ()
        if branches and branches != work_out(formula, numbers.figures, {}, numbers.rounding).branches:
            return False, "a branch at a kink is not the one that was taken"
        return self._figures(step, stages)

    def _figures(self, step: Step, stages: list[Stage]) -> tuple[bool, str]:
        """Compare the substituted and final figures with the values at the given numbers."""
        numbers = self.derived.numbers
        assert numbers is not None
        if numbers.rounding.mode != "carry":
            return self._loosely(step, stages[-1])
        truth, exact = self.given.evaluate(step.left, {}), True
        for stage in (s for s in stages if not s.symbolic):
            exact = exact and stage.relation == "="
            printed = self.given.evaluate(stage.expr, {})
            least = tolerances(step.left).get("rtol", 1e-10)
            allowed = least if exact else 0.51 * 10.0 ** (1 - numbers.rounding.digits)
            if not np.allclose(printed, truth, rtol=allowed, atol=1e-12 + allowed * _size(truth)):
                return False, f"{stage.relation} {stage.expr} is not the value of the left side, {_show(truth)}"
        return True, "the printed figures reproduce the result"

    def _loosely(self, step: Step, final: Stage) -> tuple[bool, str]:
        """With rounding at every step errors add up: only the lines themselves are exact."""
        truth, printed = (self.given.evaluate(side, {}) for side in (step.left, final.expr))
        error = float(np.max(np.abs(np.asarray(printed) - truth))) if np.size(truth) else 0.0
        return True, f"rounding at each step: {error:.0e} from the true value"

    def definition(self, step: Step) -> tuple[bool, str]:
        return self.equality(step)[0], ""

    def hypothesis(self, step: Step) -> tuple[bool, str]:
        if self.derived.numbers is None:
            ok, detail = self.equality(step)
            return ok, "assumed; the instances satisfy it" if ok else detail
        for line in step.chain:
            verdict = check_equality(self.given, step.left, line.expr, self._ranges(step, line.expr))
            if not verdict:
                return False, _contradiction(1, verdict)
        return True, "holds at the numbers"

    def convention(self, step: Step) -> tuple[bool, str]:
        function, point = step.left.args
        stated = step.chain[-1].expr
        at = Figure.parse(str(point))
        gap = Fraction(1, 10**9)
        sides = [function(sympy.Rational(at.rational + s * gap)) for s in (-1, 1)]
        whole = dict(step.facts)["function"].args[0]
        values = [whole(sympy.Rational(at.rational + s * gap)) for s in (-1, 1)]
        if all(abs(float(a) - float(b)) < 1e-6 for a, b in (sides, values)):
            return False, f"{whole.name} has no kink at {point}"
        ok = bool(sympy.nsimplify(function(point)) == sympy.nsimplify(stated))
        return ok, f"slopes {float(sides[0]):.4g} and {float(sides[1]):.4g} on both sides"

    def observation(self, step: Step) -> tuple[bool, str]:
        """Recompute the norms of the gradient at the given numbers."""
        facts = dict(step.facts)
        first, last = (_size(self.given.evaluate(facts[k], {})) for k in ("first", "last"))
        ratio = first / last
        true = {"first_norm": first, "last_norm": last, "ratio": ratio, "rate": ratio ** (1 / int(facts["distance"]))}
        printed = [float(literals_of(facts[k]).value) for k in true]
        if not np.allclose(printed, list(true.values()), rtol=2 * 10.0 ** (1 - self._digits())):
            return False, f"norms {first:.6g} and {last:.6g}"
        said = step.rule.rpartition(".")[2]
        if said == "several" or self.derived.network.system.reduction != "last":
            return said == "several", "every step has a loss of its own"
        ok = {"grows": ratio > 1, "decays": ratio < 1}.get(said, abs(ratio - 1) < 1e-6)
        return bool(ok), f"norms {first:.6g} and {last:.6g}"

    def table(self, step: Step) -> tuple[bool, str]:
        """Have a table made again by what its fact ``table`` names."""
        return _TABLES[dict(step.facts).get("table", "values")](self, step)

    def _digits(self) -> int:
        assert self.derived.numbers is not None
        return int(self.derived.numbers.rounding.digits)

    def given_numbers(self, step: Step) -> tuple[bool, str]:
        numbers = self.derived.numbers
        assert numbers is not None
        for leaf in dict(step.facts).get("zero") or ():
            if np.any(self.given.evaluate(leaf, {})):
                return False, f"{leaf} is not zero"
        for leaf, value in self._given_rows(step):
            truth, printed = (self.given.evaluate(side, {}) for side in (leaf, value))
            pairs = zip(entries(numbers.figures[leaf]), entries(literals_of(value)), strict=True)
            exact = all(numbers.rounding.agrees(figure, literal) for figure, literal in pairs)
            if not exact or not np.allclose(printed, truth, rtol=10.0 ** (1 - self._digits())):
                return False, f"{leaf} is {_show(truth)}, not {value}"
        return True, ""

    def _given_rows(self, step: Step) -> Iterator[tuple[Any, Any]]:
        """The rows; one of an input that is the same at every step stands for all steps."""
        assert self.derived.numbers is not None
        t = self.system.t
        for leaf, value in dict(step.facts)["rows"]:
            if getattr(leaf, "when", None) != t:
                yield leaf, value
                continue
            for when in self.derived.numbers.every():
                yield leaf.xreplace({t: when}), value


SHORT, LONG = 5, 8
"""A network of more than LONG steps is verified with SHORT ones: its lines are the same for every T."""


def _shorter(derived: Derived) -> dict[Any, Any]:
    """Return the replacements that read T as SHORT, where T is long and no size is confused with it."""
    steps = derived.network.steps
    if not steps.is_Integer or steps <= LONG or derived.network.loss_steps:
        return {}
    system = derived.network.system
    sizes = {s for v in (*system.variables.values(), *system.parameters.values()) for s in A.shape_of(v)}
    if sizes & {steps, steps - 1}:
        return {}
    one = sympy.S.One
    return {steps: one * SHORT, steps - 1: one * (SHORT - 1), one / steps: one / SHORT}


def _is_symbolic(expr: Any) -> bool:
    """Whether a line still names something: a variable, a parameter or a derivative."""
    return any(isinstance(p, (*LEAVES, Symbol)) for p in _parts(expr))


def _parts(expr: Any) -> Iterator[Any]:
    if isinstance(expr, A.ElementwiseFunction):
        return
    yield expr
    for a in expr.args:
        yield from _parts(a)


def _size(value: Any) -> float:
    return float(np.sqrt(np.sum(np.asarray(value, dtype=float) ** 2)))


def _show(value: Any) -> str:
    return np.array2string(np.asarray(value), precision=8, separator=", ").replace("\n", "")


def _contradiction(number: int, verdict: Any) -> str:
    if verdict.reason:
        return f"line {number}: {verdict.reason} ({verdict.where})"
    if not verdict.checked:
        return f"line {number} could not be tried at any instance"
    return f"line {number}: {_show(verdict.left_value)} is not {_show(verdict.right_value)} ({verdict.where})"


_TESTS: dict[str, Callable[[_Verifier, Step], tuple[bool, str]]] = {
    EQUALITY: _Verifier.equality,
    WORKED: _Verifier.worked,
    DEFINITION: _Verifier.definition,
    HYPOTHESIS: _Verifier.hypothesis,
    CONVENTION: _Verifier.convention,
    OBSERVATION: _Verifier.observation,
    GIVEN: _Verifier.given_numbers,
    PROOF: lambda verifier, step: proved(step, verifier.network, verifier.seed),
    COUNT: lambda verifier, step: counted(step, verifier.network, verifier.seed),
    BOUND: _Verifier.bound,
    MEASURED: _Verifier.measured,
    TABLE: _Verifier.table,
    IDENTITY: _Verifier.identity,
    VALUE: _Verifier.value,
}

_TABLES: dict[str, Callable[[_Verifier, Step], tuple[bool, str]]] = {
    "chains": lambda verifier, step: tabulated(step, verifier.network, verifier.seed),
    "costs": lambda verifier, step: check_costs(verifier.network, dict(step.facts), verifier.seed),
    "remedies": lambda verifier, step: check_recipe(verifier.given, step, verifier._digits()),
    "values": lambda verifier, step: check_table(verifier.given, step, verifier._digits()),
}
"""What a table shows -> its test."""
