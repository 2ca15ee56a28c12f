"""The sections with numbers: forward pass, backward sweep, parameter gradients, each line worked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Basic, Integer, S

from .. import algebra as A
from ..algebra import nodes as N
from ..algebra.figures import Figure, each
from ..algebra.rounding import Rounding, literal_like
from ..algebra.scalar import to_scalar
from ..errors import RefusedError
from ..model import CELL, LOSS, Network
from ..model.values import figures_of
from .generic import Generic, generic
from .run import order_of, total_loss
from .sections import equation_rule, pass_fact, pass_rule
from .steps import GIVEN, OBSERVATION, REMARK, WORKED, Line, Section, Step
from .structure import role_of
from .tidy import as_written, substitute
from .worked import Worked, work_out

READABLE = 64
"""Arrays of more entries are not printed."""
SHOWN = 12
"""Up to so many steps are all printed; of more, the first two and the last three."""


class Numbers:
    """A derivation carried out with given numbers, line by line; the printed lines are the computation.

    Parameters
    ----------
    network : Network
        With concrete sizes and T.
    values : mapping
        Key -> given numbers.
    rounding : Rounding
    """

    def __init__(self, network: Network, values: Mapping[str, Any], rounding: Rounding) -> None:
        self.network, self.system, self.rounding = network, network.system, rounding
        self.generic: Generic = generic(network)
        self.given = figures_of(network, values)
        self.direction = {
            key: self.given[A.tangent_of(symbol)]
            for key, symbol in network.system.parameters.items()
            if A.tangent_of(symbol) in self.given
        }
        """Parameter -> its part of the direction of second derivatives, where one was given."""
        self.figures: dict[Basic, Any] = {}
        for leaf, value in self.given.items():
            self._store(leaf, value)
        self.count = int(self.system.steps)
        self.lines: dict[str, Worked] = {}
        self.lefts: dict[str, Any] = {}

    # -- bookkeeping ----------------------------------------------------------------------------------
    def in_notation(self, expr: Any) -> Any:
        """Return an expression as it is printed: in scalar notation where all sizes are 1."""
        return to_scalar(expr) if self.system.scalar else expr

    def _store(self, leaf: Basic, value: Any) -> None:
        scalar = self.system.scalar and isinstance(value, np.ndarray)
        self.figures[self.in_notation(leaf)] = value.ravel()[0] if scalar else value

    def every(self) -> list[Integer]:
        """The steps 1..T."""
        return [Integer(t) for t in range(1, self.count + 1)]

    def shown(self) -> list[int]:
        """The steps that are printed."""
        steps = range(1, self.count + 1)
        return list(steps) if self.count <= SHOWN else [1, 2, *steps[-3:]]

    def work(self, key: str, rule: str, left: Any, right: Any, facts: tuple[tuple[str, Any], ...] = ()) -> Step:
        """Work out one line and keep its value for the lines after it."""
        formula, leaf = self.in_notation(right), self.in_notation(left)
        worked = work_out(formula, self.figures, {}, self.rounding)
        self._store(left, worked.value)
        self.lines[key], self.lefts[key] = worked, leaf
        chain = [Line("=", formula)] if _is_formula(formula) else []
        chain += [Line(stage.relation, stage.expr) for stage in worked.stages]
        lines = tuple(line for i, line in enumerate(chain) if i == 0 or line.expr != chain[i - 1].expr)
        return Step(key, rule, WORKED, leaf, lines, (*facts, ("branches", worked.branches)))

    # -- sections -------------------------------------------------------------------------------------
    def given_steps(self) -> tuple[Step, ...]:
        """The numbers that were given; an input that is the same at each of many steps once, large arrays by name."""
        rows: list[tuple[Any, Any]] = []
        large: dict[Any, None] = {}
        zero: dict[Any, None] = {}
        for leaf in self.given:
            over_time = self._over_time(leaf)
            shown = self.in_notation(self.system.at(leaf.name) if over_time else leaf)
            constant = bool(over_time) and all(np.array_equal(value, over_time[0]) for value in over_time)
            if constant and leaf.when != self.system.last:
                continue
            if constant or not self._is_large(leaf, over_time):
                literals = each(self._literal, self.figures[self.in_notation(leaf)])
                rows.append((shown if constant else self.in_notation(leaf), literal_like(literals)))
            elif not over_time and all(figure.number == 0 for figure in self.given[leaf].ravel()):
                zero[shown] = None
            else:
                large[shown] = None
        facts = (("rows", tuple(rows)), ("T", self.system.steps))
        steps = [Step("given", "given.values", GIVEN, facts=facts)]
        if zero:
            steps.append(Step("given.zero", "given.zero", GIVEN, facts=(("rows", ()), ("zero", tuple(zero)))))
        if large:
            steps.append(Step("given.large", "given.large", REMARK, facts=(("large", tuple(large)),)))
        return tuple(steps)

    def _over_time(self, leaf: Any) -> list[Any]:
        """What is given of a variable, step by step, where that is for all of many steps."""
        if not hasattr(leaf, "when") or self.count <= SHOWN:
            return []
        found = [self.given.get(self.system.at(leaf.name, when)) for when in self.every()]
        return [] if any(value is None for value in found) else found

    def _is_large(self, leaf: Any, over_time: list[Any]) -> bool:
        """Whether nobody would read the numbers: those of a large array, or too many of all steps."""
        value = self.given[leaf]
        return max((*np.shape(value), 0)) > SHOWN or sum(map(np.size, over_time)) > READABLE

    def check_readable(self) -> None:
        """Refuse to work out lines that nobody could read.

        Raises
        ------
        RefusedError
            Where an array has too many entries to be printed.
        """
        for leaf in self.given:
            if np.size(self.given[leaf]) > READABLE:
                shape = " x ".join(map(str, np.shape(self.given[leaf])))
                raise RefusedError(
                    f"nobody could read the lines with numbers: {leaf} has {shape} entries; leave the numbers out, or "
                    "ask for sections without worked lines, such as 'products'"
                )

    def _literal(self, figure: Figure) -> Any:
        return self.rounding.show(figure)[0]

    def forward(self) -> Section:
        """Work out every variable of every step, and the loss."""
        system, shown, steps = self.system, self.shown(), []
        for scan, t in order_of(system, self.count):
            for equation in system.equations_of(scan):
                if equation.stage == LOSS and system.reduction == "last":
                    continue
                if equation.stage != CELL and system.reduction == "last" and t != self.count:
                    continue
                moved = {system.t: Integer(t)}
                role = role_of(system, equation.name)
                step = self.work(
                    f"forward.{equation.name}.{t}",
                    "forward.role" if role else f"forward.{equation_rule(system, equation)}",
                    equation.left.xreplace(moved),
                    equation.right.xreplace(moved),
                    (
                        *pass_fact(system, scan),
                        ("step", t),
                        ("variable", self.in_notation(equation.left.xreplace(moved))),
                        ("role", role),
                    ),
                )
                if t in shown:
                    steps.append(step)
        steps.append(self._total())
        return Section("forward", tuple(steps))

    def _total(self) -> Step:
        system = self.system
        right = total_loss(system)
        if system.reduction == "last":
            right = system.by_name["l"].right.xreplace({system.t: system.end})
        return self.work("forward.L", "forward.total", system.L, right)

    def backward(self) -> Section:
        """Work out every adjoint, last step first."""
        g, system, shown, steps = self.generic, self.system, self.shown(), []
        for scan, t in order_of(system, self.count, backward=True):
            found = self._local(t) if scan == system.scans[-1] else []
            for name in g.adjoints_of(scan):
                found += self._slope(name, t)
                left = g.adjoint_of(name, Integer(t))
                right = g.at_step(name, Integer(t))
                if right == left:
                    continue
                ends = t == system.last_of(name) and name in system.states
                rule = pass_rule(system, "backward.boundary") if ends else "backward.adjoint"
                variable = self.in_notation(system.at(name, Integer(t)))
                facts = (*pass_fact(system, scan), ("step", t), ("variable", variable))
                line = self.work(f"backward.{name}.{t}", rule, left, self.with_slopes(right, t), facts)
                found += [] if A.is_zero(right) else [line]
            steps += found if t in shown else []
        for state in system.states:
            left = g.adjoint_of(state, system.start_of(state))
            steps.append(
                self.work(f"backward.{state}.0", "backward.initial", left, g.initial_gradient(state), (("step", 0),))
            )
        return Section("backward", tuple(steps))

    def _local(self, t: int) -> list[Step]:
        g, system = self.generic, self.system
        if system.reduction == "last" and t != self.count:
            return []
        steps = []
        for name in g.local_terms:
            when = Integer(t)
            opaque = A.add(*(term.expr for term in g.local_terms[name]))
            filled = g.local_results[name]
            right = (filled if len(str(filled)) <= len(str(opaque)) else opaque).xreplace({system.t: when})
            steps.append(
                self.work(
                    f"backward.local.{name}.{t}",
                    "backward.local",
                    g.local_of(name, when),
                    right,
                    (
                        *pass_fact(system, system.scans[-1]),
                        ("step", t),
                        ("variable", self.in_notation(system.at(name, when))),
                    ),
                )
            )
        return steps

    def _slope(self, name: str, t: int) -> list[Step]:
        """dh_t/dz_t as a number of its own, where it is one: in scalar models and elementwise equations."""
        found = []
        for left, prime in self._slopes(name, t):
            facts = (*pass_fact(self.system, self.system.scan_of(name)), ("step", t))
            found.append(self.work(f"backward.slope.{name}.{t}", "backward.slope", left, prime, facts))
        return found

    def _slopes(self, name: str, t: int) -> list[tuple[Any, Any]]:
        system = self.system
        if not system.scalar:
            return []
        found = []
        for equation in system.stage(CELL):
            right = equation.right
            if isinstance(right, N.Map | N.Apply) and getattr(right.args[1], "name", None) == name:
                moved = {system.t: Integer(t)}
                prime = as_written(A.apply(right.args[0].prime, right.args[1]), system.equations)
                left = A.derivative(equation.left, right.args[1]).xreplace(moved)
                found.append((left, prime.xreplace(moved)))
        return found

    def with_slopes(self, expr: Any, t: int) -> Any:
        """Write dh_t/dz_t for its formula, whose number is worked out just before."""
        expr = self.in_notation(expr)
        for name in self.generic.adjoints:
            for left, prime in self._slopes(name, t):
                expr = substitute(expr, {self.in_notation(prime): self.in_notation(left)})
        return expr

    def parameters(self) -> Section:
        """Work out the gradient by every parameter and by the inputs."""
        g, system = self.generic, self.system
        steps = [
            self.work(
                f"numbers.{key}",
                "numbers.parameter",
                A.derivative(system.L, symbol),
                g.parameter_sum(key),
                (("parameter", self.in_notation(symbol)),),
            )
            for key, symbol in system.parameters.items()
        ]
        for name in system.inputs:
            for t in self.shown():
                left = g.adjoint_of(name, Integer(t))
                right = g.input_gradient(name).xreplace({system.t: Integer(t)})
                steps.append(self.work(f"numbers.{name}.{t}", "numbers.input", left, right, (("step", t),)))
        return Section("numbers", tuple(steps))

    # -- what the numbers show ------------------------------------------------------------------------
    def norms(self, state: str) -> list[float]:
        """|dL/dh_t| (the 2-norm) for t = 1..T."""
        g = self.generic
        found = []
        for t in range(1, self.count + 1):
            value = self.figures[self.in_notation(g.adjoint_of(state, Integer(t)))]
            entries = [float(v) for v in value.ravel()] if isinstance(value, np.ndarray) else [float(value)]
            found.append(float(np.sqrt(sum(v * v for v in entries))))
        return found

    def observations(self) -> list[Step]:
        """Growth or decay of the gradient from step T back to step 1, by its norms.

        With a loss at every step the gradient gains a part at each of them, so that its growth tells nothing about the
        products of Jacobians; then only the norms are stated. Two steps show no trend.
        """
        steps = []
        for state in self.system.states:
            norms = self.norms(state)
            if len(norms) < 3 or norms[-1] == 0 or self.system.direction_of(state) != 1:
                continue
            ratio = norms[0] / norms[-1]
            rule = "grows" if ratio > 1.0000001 else "decays" if ratio < 0.9999999 else "keeps"
            rule = rule if self.system.reduction == "last" else "several"
            facts = (
                ("first", self.in_notation(self.generic.adjoint_of(state, S.One))),
                ("last", self.in_notation(self.generic.adjoint_of(state, self.system.steps))),
                ("first_norm", self._short(norms[0])),
                ("last_norm", self._short(norms[-1])),
                ("ratio", self._short(ratio)),
                ("rate", self._short(ratio ** (1 / (len(norms) - 1)))),
                ("distance", Integer(len(norms) - 1)),
            )
            steps.append(Step(f"observation.{state}", f"observation.{rule}", OBSERVATION, facts=facts))
        return steps

    def _short(self, value: float) -> Any:
        return self.rounding.show(Figure.parse(float(f"{value:.12g}")))[0]


def _is_formula(expr: Any) -> bool:
    """Whether printing the formula adds something: it is no bare number."""
    return not isinstance(expr, A.Literal | A.LiteralMatrix) and not (
        expr.is_Number if hasattr(expr, "is_Number") else False
    )
