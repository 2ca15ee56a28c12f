"""What all truncations share: adjoints with another mode, adjoints of one loss, and how far a loss reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, S

from ... import algebra as A
from ...model import CELL, Network, System
from ...model.truncation import Segments, Window
from ..closed import loss_index
from ..generic import Generic, ParameterGradient, generic
from ..sections.common import chain
from ..steps import EQUALITY, Step
from ..tidy import substitute

ENDS, STARTS, INSIDE = "ends", "starts", "inside"


@dataclass(frozen=True)
class Places:
    """The steps for which a line about segments is claimed; positions are counted in the order of computation.

    Attributes
    ----------
    tau : int
    kind : {"ends", "starts", "inside"}
        The last steps of segments; the first steps of segments but the very first; steps that are not the last of
        theirs.
    """

    tau: int
    kind: str

    def holds(self, position: int, count: int) -> bool:
        """Whether a position, from 1 to ``count``, is among them.

        >>> (
        ...     [k for k in range(1, 8) if Places(3, ENDS).holds(k, 7)],
        ...     [k for k in range(1, 8) if Places(3, STARTS).holds(k, 7)],
        ... )
        ([3, 6, 7], [4, 7])
        """
        if self.kind == STARTS:
            return position > 1 and position % self.tau == 1 % self.tau
        end = position % self.tau == 0 or position == count
        return end == (self.kind == ENDS)


# -- symbols ------------------------------------------------------------------------------------------


def adjoint_leaves(g: Generic, expr: Any) -> list[Any]:
    """Return the symbols dL/dv of variables of the cell in an expression."""
    parts = dict.fromkeys(sympy.preorder_traversal(expr))
    return [
        p
        for p in parts
        if isinstance(p, A.Gradient | A.ScalarDerivative)
        and p.of == g.system.L
        and isinstance(p.by, A.MatrixAt | A.ScalarAt)
        and p.by.name in g.adjoints
        and p.mode == A.TOTAL
    ]


def marked(g: Generic, expr: Any, mode: str) -> Any:
    """Return the expression with truncated adjoints in the place of exact ones."""
    return substitute(expr, {leaf: A.derivative(leaf.of, leaf.by, mode) for leaf in adjoint_leaves(g, expr)})


def of_loss(g: Generic, expr: Any, loss: Expr, mode: str = A.TOTAL) -> Any:
    """Return the expression with the derivatives of the loss of one step in the place of those of L."""
    single = g.system.L if g.system.reduction == "last" else g.system.at("l", loss)
    return substitute(expr, {leaf: A.derivative(single, leaf.by, mode) for leaf in adjoint_leaves(g, expr)})


def share(g: Generic, name: str, when: Expr, loss: Expr, mode: str = A.TOTAL) -> Any:
    """Return dl_s/dv_t, or dL/dv_t where only the last loss counts."""
    return of_loss(g, g.adjoint_of(name, when), loss, mode)


def over_losses(g: Generic, body: Any, loss: Any, low: Expr, high: Expr) -> Any:
    """Return the weighted sum over losses; where only the last counts, the body alone."""
    if g.system.reduction == "last":
        return body
    if high == low:
        return g.weighted(substitute_step(body, loss, low))
    return g.weighted(A.time_sum(body, loss, low, high))


def substitute_step(expr: Any, index: Any, when: Expr) -> Any:
    """Return the expression at one step."""
    return expr.xreplace({index: when})


def reads_adjoints(g: Generic, gradient: ParameterGradient) -> bool:
    """Whether a parameter is used in the cell, so that truncation changes its gradient."""
    return any(term.equation is not None and term.equation.stage == CELL for term in gradient.terms)


def use_of(gradient: ParameterGradient) -> Any:
    """Return what step t contributes to dL/dp through the equations of the cell, in adjoints."""
    return A.add(*(t.expr for t in gradient.terms if t.equation is not None and t.equation.stage == CELL))


# -- how far a loss reaches ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Reach:
    """Bounds of sums over losses, for a truncation that is not random (None: exact).

    Attributes
    ----------
    system : System
    how : Window, Segments or None
    """

    system: System
    how: Window | Segments | None = None

    @property
    def loss(self) -> Any:
        return loss_index(self.system)

    def horizon(self, t: Expr) -> Expr:
        """Return the last loss that reaches step t, were there no end."""
        forward = self.system.direction == 1
        if isinstance(self.how, Window):
            return t + self.how.tau - 1 if forward else t - self.how.tau + 1
        assert self.how is not None
        tau, steps = self.how.tau, self.system.steps
        position = t if forward else steps + 1 - t
        end = tau * sympy.ceiling(position / tau)
        return end if forward else steps + 1 - end

    def kept(self, t: Expr) -> tuple[Expr, Expr]:
        """Return the losses that reach step t, lowest and highest."""
        forward, steps = self.system.direction == 1, self.system.steps
        if self.how is None or (steps.is_Integer and self.how.tau >= steps):
            return (t, steps) if forward else (S.One, t)
        if self.how.tau == 1:
            return (t, t)
        edge = self.horizon(t)
        return (t, sympy.Min(steps, edge)) if forward else (sympy.Max(1, edge), t)

    def dropped(self, t: Expr) -> tuple[Expr, Expr]:
        """Return the losses behind step t that do not reach it."""
        forward = self.system.direction == 1
        edge = self.horizon(t)
        return (edge + 1, self.system.steps) if forward else (S.One, edge - 1)

    def cut(self) -> tuple[Expr, Expr]:
        """Return the steps that some loss does not reach."""
        assert self.how is not None
        forward, steps, tau = self.system.direction == 1, self.system.steps, self.how.tau
        count = steps - tau if isinstance(self.how, Window) else tau * (sympy.ceiling(steps / tau) - 1)
        return (S.One, count) if forward else (steps + 1 - count, steps)

    def reached_by_end(self) -> tuple[Expr, Expr]:
        """Return the steps that the loss of step T reaches."""
        return (sympy.Max(1, self.cut()[1] + 1), self.system.steps)


def loss_of(system: System) -> tuple[Any, Any]:
    """Return the loss that is spoken of, and its step: l_s and s, or L and T where only the last loss counts."""
    if system.reduction == "last":
        return system.L, system.end
    return system.at("l", loss_index(system)), loss_index(system)


def further(system: System, loss: Expr) -> tuple[Expr, Expr]:
    """Return the losses computed after one."""
    return (loss + 1, system.steps) if system.direction == 1 else (S.One, loss - 1)


def before(system: System, t: Expr, loss: Expr) -> tuple[Expr, Expr]:
    """Return the steps after t up to that of a loss, lowest and highest."""
    return (t + 1, loss) if system.direction == 1 else (loss, t - 1)


def distance(system: System, t: Expr, loss: Expr) -> Any:
    """Return how many steps a loss is after step t."""
    return A.subtract(loss, t) if system.direction == 1 else A.subtract(t, loss)


def within_steps(network: Network, mode: str, key: str) -> list[Step]:
    """Return the truncated adjoints of intermediate variables: within a step nothing is cut off."""
    g, system = generic(network), network.system
    steps: list[Step] = []
    for name, adjoint in g.adjoints.items():
        late = system.reduction == "last" and name in g.read_by_loss
        if name in system.states or late:
            continue
        left = A.derivative(system.L, system.at(name), mode)
        lines = chain(left, marked(g, adjoint.expr, mode), marked(g, g.fill_local(adjoint.expr), mode))
        rule = "truncation.more" if steps else "truncation.within"
        facts = (("variable", system.at(name)),)
        steps.append(Step(f"{key}.{name}", rule, EQUALITY, left, lines, facts, (S.One, system.steps)))
    return steps
