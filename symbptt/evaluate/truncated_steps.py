"""The steps on truncation, compared at instances that are long enough to be cut, and short enough for all masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

from sympy import Integer, S

from .. import algebra as A
from ..algebra import nodes as N
from ..derive.derivation import Derived
from ..derive.steps import Step
from ..model.truncation import Randomised
from .claims import Verdict, check_equality, instances
from .instance import Instance

FEW = 4
"""Steps of networks in which all masks are gone over; lines on random truncation are the same for every T."""
LONG = 8
"""Up to so many steps there are several instances for a window or for segments."""


class TruncatedSteps:
    """Compares the lines of the sections on truncation.

    Parameters
    ----------
    derived : Derived
    seed : int
    """

    def __init__(self, derived: Derived, seed: int) -> None:
        self.network, self.system, self.seed = derived.network, derived.network.system, seed
        self.given = derived.truncate

    @staticmethod
    def are(step: Step) -> bool:
        """Whether a step is on truncation."""
        return step.key.startswith("truncation.")

    def _randomised(self, step: Step) -> Randomised | None:
        return next((h for h in self.given if isinstance(h, Randomised) and f".{h.mode}." in f".{step.key}."), None)

    def drawn(self, step: Step, instance: Instance) -> Instance:
        """Give an instance the probabilities of the truncation that a step is about, if it is random."""
        how = self._randomised(step)
        return instance if how is None else instance.truncate_randomly(how)

    def compare(self, step: Step, expr: Any, ranges: dict[Any, Any]) -> Verdict:
        """Compare a line with the left side of its step."""
        how = self._randomised(step)
        if how is None:
            return check_equality(self._regular, step.left, expr, ranges, keep=self._keeps(step))
        found = [one.truncate_randomly(how) for one in self._few]
        left, right = (self._shorter(side) for side in (step.left, expr))
        bounds = {k: tuple(self._shorter(b) for b in pair) for k, pair in ranges.items()}
        return check_equality(found, left, right, bounds)

    @cached_property
    def _regular(self) -> list[Instance]:
        taus = [how.tau for how in self.given if not isinstance(how, Randomised)]
        longest = max(taus, default=3)
        steps = self.network.steps
        count = 1 if steps.is_Integer and steps > LONG else 3
        return instances(self.network, self.seed, count, (longest + 2, longest + 1, 1))

    @cached_property
    def _few(self) -> list[Instance]:
        steps = self.network.steps
        few = replace(self.network, steps=S(FEW)) if steps.is_Integer and steps > FEW else self.network
        return instances(few, self.seed, 2, (FEW, 3))

    def _keeps(self, step: Step) -> Callable[[Instance, dict[str, int]], bool] | None:
        """Return which steps a line about segments is claimed for; None where it is claimed for all in its range."""
        where = dict(step.facts).get("where")
        if where is None:
            return None

        def keep(instance: Instance, indices: dict[str, int]) -> bool:
            order = instance.base.order()
            return bool(where.holds(order.index(indices[self.system.t.name]) + 1, len(order)))

        return keep

    # -- fewer steps ----------------------------------------------------------------------------------
    def _shorter(self, expr: Any) -> Any:
        """Read a long T as FEW: in steps, bounds and weights, and not in sizes, which may be the same number."""
        steps = self.network.steps
        if not steps.is_Integer or steps <= FEW:
            return expr
        if isinstance(expr, Integer):
            return self._step(expr)
        return self._within(expr)

    def _step(self, when: Any) -> Any:
        steps = self.network.steps
        return when.xreplace({steps: S(FEW), steps - 1: S(FEW - 1)})

    def _within(self, expr: Any) -> Any:
        if isinstance(expr, N.Bound):
            body, index, low, high = expr.args
            return expr.func(self._within(body), index, self._step(low), self._step(high))
        if isinstance(expr, A.MatrixAt | A.ScalarAt):
            return expr.func(expr.variable, self._step(expr.when))
        if isinstance(expr, (*A.CHANCE,)):
            return expr.func(*map(self._step, expr.args))
        if isinstance(expr, A.Gradient | A.Jacobian | A.ScalarDerivative):
            return expr.func(self._within(expr.of), self._within(expr.by), expr.args[2])
        if getattr(expr, "is_Number", False):
            return self._weight(expr)
        if not expr.args or isinstance(expr, A.Parameter | A.Identity | A.Fill | A.ElementwiseFunction):
            return expr
        if isinstance(expr, N.Power):
            base, exponent = expr.args
            return expr.func(self._within(base), self._step(exponent) if isinstance(base, A.Probability) else exponent)
        return expr.func(*(self._within(a) if hasattr(a, "args") else a for a in expr.args))

    def _weight(self, number: Any) -> Any:
        """The factor 1 / T of a mean, its square and twice that."""
        if self.system.reduction != "mean":
            return number
        T = self.network.steps
        return {1 / T: S.One / FEW, 1 / T**2: S.One / FEW**2, 2 / T**2: S(2) / FEW**2}.get(number, number)
