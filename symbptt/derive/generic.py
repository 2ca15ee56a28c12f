"""The one generic step: adjoint equations of every variable, and the parameter gradients as sums over time.

The equations of a step are the same at every t, so everything is derived once, for a symbolic t, whatever T is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy import Basic, Expr, S

from .. import algebra as A
from ..model import CELL, LOSS, READOUT, Equation, Network, Scan, System
from .tidy import as_written, substitute, tidy

LOCAL, SAME, NEXT = "local", "same", "next"
"""How a variable reaches the loss: through the loss of its step, another variable of the step, or the next step."""


@dataclass(frozen=True)
class Term:
    """One path of influence into an adjoint.

    Attributes
    ----------
    source : {"local", "same", "next"}
    equation : Equation or None
        The equation that reads the variable; None for the local part.
    expr : node
        The contribution, in the adjoints of what the equation defines.
    """

    source: str
    equation: Equation | None
    expr: Any


@dataclass(frozen=True)
class Adjoint:
    """dL/dv_t as the sum of its terms."""

    variable: Any
    terms: tuple[Term, ...]

    @property
    def expr(self) -> Any:
        """The sum at a generic step; zero where only the loss of the last step reads the variable."""
        return A.add(*(term.expr for term in self.terms)) if self.terms else A.zero_like(self.variable)


@dataclass(frozen=True)
class ParameterGradient:
    """dL/dp = the sum over t of ``summand``; ``terms`` are the uses within a step."""

    parameter: Basic
    terms: tuple[Term, ...]
    summand: Any


class Generic:
    """The derivation on the generic step of a system, each part computed when it is first asked for."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.t = system.t

    # -- derivative symbols ---------------------------------------------------------------------------
    def adjoint_of(self, name: str, when: Any = None) -> Any:
        """Return dL/dv at a step, as a symbol."""
        return A.derivative(self.system.L, self.system.at(name, when))

    def local_of(self, name: str, when: Any = None) -> Any:
        """Return dl_t/dv_t at a step, as a symbol (dL/dv_T where only the last loss counts)."""
        step = self.t if when is None else when
        of = self.system.L if self.system.reduction == "last" else self.system.at("l", step)
        return A.derivative(of, self.system.at(name, step), self._local_mode(name))

    def _local_mode(self, name: str) -> str:
        """Immediate where the variable reaches the loss of its step also through another cell variable."""
        others = [e for e, lag in self.system.uses(name) if lag == 0 and e.stage == CELL]
        return A.IMMEDIATE if name in self.read_by_loss and any(self._reaches_loss(e.name) for e in others) else A.TOTAL

    def _reaches_loss(self, name: str) -> bool:
        if name in self.read_by_loss:
            return True
        return any(self._reaches_loss(e.name) for e, lag in self.system.uses(name) if lag == 0 and e.stage == CELL)

    @cached_property
    def weight(self) -> Expr:
        """The factor of l_t in L: 1, or 1/T."""
        return 1 / self.system.steps if self.system.reduction == "mean" else S.One

    def weighted(self, expr: Any) -> Any:
        """Multiply by the factor of l_t in L."""
        return A.product(self.weight, expr)

    # -- the loss of a step ---------------------------------------------------------------------------
    @cached_property
    def read_by_loss(self) -> tuple[str, ...]:
        """The cell variables that readout or loss read directly."""
        return tuple(
            e.name
            for e in self.system.stage(CELL)
            if any(use.stage in (READOUT, LOSS) for use, _ in self.system.uses(e.name))
        )

    @cached_property
    def local_terms(self) -> dict[str, tuple[Term, ...]]:
        """Variable -> terms of dl_t/dv_t, from the loss back through the readout to the cell."""
        names = [e.name for e in reversed(self.system.stage(READOUT))] + list(self.read_by_loss)
        return {name: self._local(name) for name in names}

    def _local(self, name: str) -> tuple[Term, ...]:
        terms = []
        for equation, _ in self.system.uses(name):
            if equation.stage == CELL:
                continue
            cotangent = S.One if equation.stage == LOSS else self.local_of(equation.name)
            expr = A.pullback(equation.right, cotangent, self.system.at(name))
            terms.append(Term(LOCAL, equation, as_written(expr, self.system.equations)))
        return tuple(terms)

    @cached_property
    def local_results(self) -> dict[str, Any]:
        """Variable -> dl_t/dv_t with everything below it filled in and tidied, under the loss's hypothesis."""
        results: dict[str, Any] = {}
        for name, terms in self.local_terms.items():
            filled = substitute(
                A.add(*(term.expr for term in terms)), {self.local_of(k): v for k, v in results.items()}
            )
            results[name] = self.under_hypothesis(as_written(filled, self.system.equations))
        return results

    def local_unconditional(self, name: str) -> Any:
        """dl_t/dv_t filled in and tidied without the hypothesis on the target."""
        below = {self.local_of(k): v for k, v in self.local_results.items() if k != name}
        filled = substitute(A.add(*(term.expr for term in self.local_terms[name])), below)
        return as_written(filled, self.system.equations)

    def under_hypothesis(self, expr: Any) -> Any:
        """Use that a target that is a distribution sums to 1."""
        kinds = self.system.targets
        totals = dict(self.system.target_total(name) for name, kind in kinds.items() if kind == "distribution")
        return tidy(substitute(expr, totals)) if totals else expr

    def reaches_loss_beside_states(self, name: str) -> bool:
        """Whether a variable is no state and reaches the loss of its step through no state."""
        if name in self.system.states:
            return False
        same_step = (e.name for e, lag in self.system.uses(name) if lag == 0 and e.stage == CELL)
        return name in self.read_by_loss or any(self.reaches_loss_beside_states(other) for other in same_step)

    def ends_apart(self, name: str) -> bool:
        """Whether the adjoint equation of a variable is another at the last step than before it."""
        return name in self.system.states or (self.system.reduction == "last" and name in self.read_by_loss)

    # -- adjoints of the cell -------------------------------------------------------------------------
    @cached_property
    def adjoints(self) -> dict[str, Adjoint]:
        """Variable -> its adjoint equation, in the order of the backward sweep."""
        return {e.name: self._adjoint(e.name) for e in reversed(self.system.stage(CELL))}

    def adjoints_of(self, scan: Scan) -> list[str]:
        """Return the variables whose adjoints are computed when the sweep goes over a scan, in order."""
        return [name for name in self.adjoints if self.system.scan_of(name) == scan]

    def _adjoint(self, name: str) -> Adjoint:
        terms: list[Term] = []
        if name in self.read_by_loss and self.system.reduction != "last":
            terms.append(Term(LOCAL, None, self.weighted(self.local_of(name))))
        terms += [self._through(name, e, lag) for e, lag in self.system.uses(name) if e.stage == CELL]
        terms.sort(key=lambda term: (LOCAL, SAME, NEXT).index(term.source))
        return Adjoint(self.system.at(name), tuple(terms))

    def _through(self, name: str, equation: Equation, lag: int) -> Term:
        when = self.t if lag == 0 else self.system.previous_of(name)
        expr = A.pullback(equation.right, self.adjoint_of(equation.name), self.system.at(name, when))
        expr = as_written(expr, self.system.equations)
        if lag:
            expr = expr.xreplace({self.t: self.system.following_of(name)})
        return Term(NEXT if lag else SAME, equation, expr)

    def at_step(self, name: str, when: Expr) -> Any:
        """Return the right side of the adjoint equation at a step, with the boundary observed."""
        adjoint = self.adjoints[name]
        terms = []
        for term in adjoint.terms:
            if term.source == NEXT and when == self.system.last_of(name):
                continue
            terms.append(term.expr.xreplace({self.t: when}))
        if self.system.reduction == "last" and when == self.system.end and name in self.read_by_loss:
            terms.insert(0, self.local_of(name, when))
        if not terms:
            return A.zero_like(self.system.at(name, when))
        unread = {leaf: A.zero_like(leaf) for leaf in _derivative_leaves(A.add(*terms)) if self._is_unread(leaf)}
        return A.add(*(substitute(term, unread) for term in terms))

    def _is_unread(self, leaf: Any) -> bool:
        """Whether it is dL/dv at a step where nothing reads v, because only the loss of the last step counts."""
        name, when = leaf.by.name, leaf.by.when
        return (
            self.ends_apart(name)
            and name in self.adjoints
            and not self.adjoints[name].terms
            and bool((self.system.end - when).is_positive)
        )

    # -- parameters, inputs, initial states -----------------------------------------------------------
    @cached_property
    def parameters(self) -> dict[str, ParameterGradient]:
        """Key -> gradient as a sum over time."""
        return {key: self._parameter(key, symbol) for key, symbol in self.system.parameters.items()}

    def _parameter(self, key: str, symbol: Basic) -> ParameterGradient:
        terms = []
        for equation in self.system.equations:
            if not A.depends(equation.right, symbol):
                continue
            cotangent = self._cotangent(equation)
            expr = as_written(A.pullback(equation.right, cotangent, symbol), self.system.equations)
            terms.append(Term(SAME, equation, expr))
        return ParameterGradient(symbol, tuple(terms), A.add(*(term.expr for term in terms)))

    def _cotangent(self, equation: Equation) -> Any:
        if equation.stage == CELL:
            return self.adjoint_of(equation.name)
        if equation.stage == LOSS:
            return self.weight
        return self.weighted(self.local_of(equation.name))

    def parameter_sum(self, key: str) -> Any:
        """Return dL/dp in the adjoints at each step: a sum over t (one term for a readout under ``last``)."""
        gradient = self.parameters[key]
        if self.system.reduction != "last":
            return A.time_sum(gradient.summand, self.t, 1, self.system.steps)
        every: list[Any] = []
        final: list[Any] = []
        for term in gradient.terms:
            (every if term.equation and self._feeds_states(term.equation) else final).append(term.expr)
        parts = [A.time_sum(A.add(*every), self.t, 1, self.system.steps)] if every else []
        parts += [expr.xreplace({self.t: self.system.end}) for expr in final]
        return A.add(*parts)

    def _feeds_states(self, equation: Equation) -> bool:
        """Whether a later step can depend on what an equation defines, so that its adjoint is not only local."""
        if equation.stage != CELL or equation.name in self.system.states:
            return equation.stage == CELL
        return any(self._feeds_states(use) for use, _ in self.system.uses(equation.name))

    def input_gradient(self, name: str) -> Any:
        """Return dL/dx_t in the adjoints of the same step, and the part by which the loss reads it directly."""
        terms = []
        for equation, lag in self.system.uses(name):
            if equation.stage == CELL:
                terms.append(self._through(name, equation, lag).expr)
            else:
                expr = A.pullback(equation.right, self._cotangent(equation), self.system.at(name))
                terms.append(as_written(expr, self.system.equations))
        return A.add(*terms) if terms else A.zero_like(self.system.at(name))

    def initial_gradient(self, state: str) -> Any:
        """Return dL/dh_0 in the adjoints of the first step."""
        terms = [t.expr for t in self.adjoints[state].terms if t.source == NEXT]
        total = A.add(*terms) if terms else A.zero_like(self.system.at(state))
        return total.xreplace({self.t: self.system.start_of(state)})

    # -- elimination ----------------------------------------------------------------------------------
    def in_states(self, expr: Any) -> Any:
        """Express adjoints of intermediate variables by those of the states, and local parts by their results."""
        states = set(self.system.states)
        while True:
            rule = {}
            for leaf in _derivative_leaves(expr):
                name, when = leaf.by.name, leaf.by.when
                eliminated = name in self.adjoints and name not in states and self._known_at(name, when)
                if leaf.of == self.system.L and eliminated:
                    result = self.at_step(name, when)
                    if not A.depends(result, leaf):  # dL/dv_T is itself the local part where the last loss counts
                        rule[leaf] = result
            if not rule:
                break
            expr = substitute(expr, rule)
        return self.fill_local(expr)

    def _known_at(self, name: str, when: Expr) -> bool:
        """Whether it is settled if a step is the one whose loss counts; where it matters and is not, dL/dv_t stays."""
        if self.system.reduction != "last" or name not in self.read_by_loss:
            return True
        return bool((self.system.end - when).is_number)

    def fill_local(self, expr: Any) -> Any:
        """Replace the symbols dl_t/dv_t by what was derived for them."""
        rule = {}
        for leaf in _derivative_leaves(expr):
            for name, result in self.local_results.items():
                if leaf == self.local_of(name, leaf.by.when) and not self._is_plain_adjoint(leaf):
                    rule[leaf] = result.xreplace({self.t: leaf.by.when})
        return substitute(expr, rule)

    def _is_plain_adjoint(self, leaf: Any) -> bool:
        """Under ``last``, dL/dh_T stands for the local part only at T."""
        return bool(self.system.reduction == "last" and leaf.by.when != self.system.end)


def _derivative_leaves(expr: Any) -> list[Any]:
    found = [
        p
        for p in sympy.preorder_traversal(expr)
        if isinstance(p, A.Gradient | A.ScalarDerivative) and isinstance(p.by, A.MatrixAt | A.ScalarAt)
    ]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=64)
def generic(network: Network) -> Generic:
    """Return the derivation on the generic step of a network, derived once."""
    return Generic(network.system)
