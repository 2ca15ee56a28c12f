"""Truncation in numbers: exact and truncated gradients, and what is left out or varies."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from sympy import Basic, Integer

from ... import algebra as A
from ...algebra.figure_domain import FigureDomain
from ...algebra.figures import Figure, each
from ...algebra.rounding import literal_like
from ...model import CELL, Network
from ...model.truncation import Randomised, Truncation
from ..generic import NEXT, SAME, generic
from ..numeric import Numbers
from ..run import steps_of
from ..steps import VALUE, Line, Section, Step
from .common import of_loss, reads_adjoints, share, use_of

MOST = 10
"""Up to so many steps variances are printed: they are verified by going over all masks."""


class Shares:
    """What each loss adds to the adjoint of each variable at each step, carried out with the given numbers.

    Parameters
    ----------
    numbers : Numbers
        With the forward pass and the backward sweep done.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers, self.network = numbers, numbers.network
        self.g, self.system = generic(numbers.network), numbers.network.system
        self.values: dict[Basic, Any] = dict(numbers.figures)
        order = steps_of(self.system, numbers.count)
        self.losses = [numbers.count] if self.system.reduction == "last" else order
        for loss in self.losses:
            for t in reversed(order[: order.index(loss) + 1]):
                self._step(loss, t)

    def _step(self, loss: int, t: int) -> None:
        """Carry the recursion of one loss from the step after t to t."""
        g, system = self.g, self.system
        for name, adjoint in g.adjoints.items():
            sources = (SAME,) if t == loss else (SAME, NEXT)
            terms = [term.expr for term in adjoint.terms if term.source in sources]
            total = A.add(*terms) if terms else A.zero_like(system.at(name))
            expr = self._single(total, loss).xreplace({system.t: Integer(t)})
            if t == loss and name in g.read_by_loss:
                expr = A.add(self._local(name, t), expr)
            key = self._leaf(share(g, name, Integer(t), Integer(loss), _PER_LOSS))
            self.values[key] = self.value(expr)

    def _local(self, name: str, t: int) -> Any:
        return self.g.local_of(name, Integer(t))

    def _single(self, expr: Any, loss: int) -> Any:
        return of_loss(self.g, expr, Integer(loss), _PER_LOSS)

    def _leaf(self, leaf: Any) -> Any:
        return self.numbers.in_notation(leaf)

    def value(self, expr: Any) -> Any:
        """Return the value of an expression in what has been carried out."""
        result = A.evaluate(self.numbers.in_notation(expr), FigureDomain(self.values))
        return result.ravel()[0] if self.system.scalar and isinstance(result, np.ndarray) else result

    @cached_property
    def order(self) -> dict[int, int]:
        """Step -> its place in the order of computation, from 1."""
        return {t: i for i, t in enumerate(steps_of(self.system, self.numbers.count), start=1)}

    def pairs(self) -> list[tuple[int, int]]:
        """Return (step of a use, step of a loss that it can reach)."""
        return [(t, s) for s in self.losses for t in self.order if self.order[t] <= self.order[s]]

    def use(self, key: str, t: int, loss: int) -> Any:
        """Return what the use of a parameter at a step adds to its gradient through one loss."""
        g = self.g
        expr = self._single(use_of(g.parameters[key]), loss).xreplace({self.system.t: Integer(t)})
        return self.value(g.weighted(expr))

    def truncated(self, key: str, how: Any) -> tuple[Any, Any]:
        """Return the sums over the pairs that are kept and over those that are left out."""
        kept: list[Any] = []
        dropped: list[Any] = []
        for t, s in self.pairs():
            (kept if how.reaches(self.order[s], self.order[t]) else dropped).append(self.use(key, t, s))
        zero = self.value(A.zero_like(self.g.parameters[key].parameter))
        return sum(kept, start=zero) + self._beside(key), sum(dropped, start=zero)

    def _beside(self, key: str) -> Any:
        """Return what readout and loss add to the gradient: no truncation changes it."""
        g, system = self.g, self.system
        terms = [t.expr for t in g.parameters[key].terms if t.equation is not None and t.equation.stage != CELL]
        at = [system.end] if system.reduction == "last" else [Integer(t) for t in self.order]
        parts = [self.value(term.xreplace({system.t: when})) for term in terms for when in at]
        return sum(parts, start=self.value(A.zero_like(g.parameters[key].parameter)))

    def variance(self, key: str, how: Randomised) -> Any:
        """Return the variance of a random estimate, entry by entry."""
        found = {(t, s): self.use(key, t, s) for t, s in self.pairs()}
        total = self.value(A.zero_like(self.g.parameters[key].parameter))
        for (t, s), mine in found.items():
            for (u, r), other in found.items():
                if how.shared or s == r:
                    low, high = max(self.order[t], self.order[u]), min(self.order[s], self.order[r])
                    factor = self._excess(how, low, high)
                    total = total + mine * other * factor
        return total

    @staticmethod
    def _excess(how: Randomised, low: int, high: int) -> Any:
        odds = Figure.parse(Integer(1))
        for position in range(low + 1, high + 1):
            odds = odds / Figure.parse(how.probability(position))
        return odds - Figure.parse(Integer(1))


_PER_LOSS = "share"
"""Mode of the symbols under which the shares are kept, apart from the derivatives that are printed."""


def truncated_section(network: Network, numbers: Numbers | None, given: tuple[Truncation, ...]) -> Section | None:
    """Return exact and truncated gradients side by side, or None without numbers or truncations."""
    numeric = [how for how in given if not isinstance(how, Randomised) or how.is_numeric]
    if numbers is None or not numeric or numbers.count == 1:
        return None
    shares, g = Shares(numbers), generic(network)
    steps: list[Step] = []
    for key, gradient in g.parameters.items():
        if reads_adjoints(g, gradient):
            steps += _rows(shares, key, numeric, not steps)
    return Section("truncated", tuple(steps))


def _rows(shares: Shares, key: str, given: list[Truncation], first: bool) -> list[Step]:
    numbers, system = shares.numbers, shares.system
    symbol = system.parameters[key]
    exact = A.derivative(system.L, symbol)
    rows = [
        _value(
            numbers,
            f"truncated.{key}",
            "truncated.exact",
            exact,
            numbers.figures[numbers.in_notation(exact)],
            (("parameter", symbol),),
        )
    ]
    for how in given:
        leaf = A.derivative(system.L, symbol, how.mode)
        if isinstance(how, Randomised):
            if numbers.count > MOST:
                continue
            left, value = A.variance_of(leaf), shares.variance(key, how)
            rows.append(_value(numbers, f"truncated.{how.mode}.{key}", "truncated.variance", left, value))
            continue
        kept, dropped = shares.truncated(key, how)
        rows.append(_value(numbers, f"truncated.{how}.{key}", "truncated.kept", leaf, kept))
        rows.append(_value(numbers, f"truncated.{how}.{key}.bias", "truncated.bias", A.subtract(exact, leaf), dropped))
    return rows


def _value(numbers: Numbers, key: str, rule: str, left: Any, value: Any, facts: Any = ()) -> Step:
    shown = literal_like(each(lambda figure: numbers.rounding.show(figure)[0], value))
    exact = all(numbers.rounding.show(figure)[1] for figure in np.ravel(value))
    facts = tuple((name, numbers.in_notation(fact)) for name, fact in facts)
    return Step(key, rule, VALUE, numbers.in_notation(left), (Line("=" if exact else "≈", shown),), facts)
