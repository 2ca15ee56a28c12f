"""The derived equations carried out in floats: states, one-step Jacobians, their products, adjoints."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Basic, Expr, Integer, Symbol

from ... import algebra as A
from ...algebra.functions import ElementwiseFunction, U
from ...algebra.nodes import Concat
from ...algebra.pycode import _Printer
from ...errors import ValueInputError
from ...model import CELL
from ..closed import local_joint
from ..forms import joint_written
from ..generic import generic
from ..links import links
from ..numeric import Numbers
from ..run import steps_of, total_loss
from ..tidy import substitute
from .common import check_jacobians

Floats = NDArray[np.float64]


class Measured:
    """A network at given numbers, in floats.

    Parameters
    ----------
    numbers : Numbers
        The given numbers; sizes and T are concrete.

    Attributes
    ----------
    values : dict
        (name, step) -> array, for variables; (name, None) for parameters.
    steps : int
        T.

    Raises
    ------
    RefusedError
        Where a state is a matrix, so that there are no Jacobian matrices.
    ValueInputError
        Where a number overflows.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.network, self.system = numbers.network, numbers.network.system
        check_jacobians(self.network)
        self.generic = generic(self.network)
        self.steps = int(self.system.steps)
        self.bindings: dict[str, int] = {}
        self.values: dict[tuple[str, int | None], Any] = {}
        for leaf, figures in numbers.given.items():
            if not hasattr(leaf, "name"):  # a direction, which no forward pass reads
                continue
            key = (leaf.name, int(leaf.when) if hasattr(leaf, "when") else None)
            self.values[key] = np.vectorize(float, otypes=[float])(figures)
        with np.errstate(all="ignore"):
            self._forward()

    def _forward(self) -> None:
        system = self.system
        for t in steps_of(system, self.steps):
            for equation in system.equations:
                if equation.stage == CELL or system.reduction != "last" or t == self.steps:
                    self.values[equation.name, t] = self.value(equation.right, {system.t: t})
        if not all(np.isfinite(value).all() for value in self.values.values()):
            raise ValueInputError("the forward pass overflows at these numbers; take smaller weights or fewer steps")

    @property
    def loss(self) -> float:
        """L."""
        return float(self.value(total_loss(self.system)))

    def replaced(self, parameters: Mapping[str, Any]) -> Measured:
        """Return the same with other values of some parameters."""
        other = object.__new__(type(self))
        for name in ("network", "system", "generic", "steps"):
            setattr(other, name, getattr(self, name))
        other.bindings = {}
        other.values = {**self.values, **{(key, None): value for key, value in parameters.items()}}
        with np.errstate(all="ignore"):
            other._forward()
        return other

    # -- the domain -----------------------------------------------------------------------------------
    def value(self, expr: Any, indices: Mapping[Any, int] | None = None) -> Any:
        """Return the value of an expression at time indices."""
        before = self.bindings
        self.bindings = {**before, **{str(k): int(v) for k, v in (indices or {}).items()}}
        try:
            return A.evaluate(expr, self)
        finally:
            self.bindings = before

    def leaf(self, leaf: Basic) -> Any:
        """Return a variable at a step, a parameter, a time index, or a derivative."""
        if isinstance(leaf, A.MatrixAt | A.ScalarAt):
            return self.values[leaf.name, self.size(leaf.when)]
        if isinstance(leaf, A.Jacobian):
            return self.span(self._when(leaf.by), self._when(leaf.of))
        if isinstance(leaf, A.Gradient | A.ScalarDerivative):
            return self._gradient(leaf)
        if isinstance(leaf, Symbol) and leaf.name in self.bindings:
            return float(self.bindings[leaf.name])
        return self.values[leaf.name, None]

    def _when(self, state: Any) -> int:
        part = state.args[0] if isinstance(state, Concat) else state
        return self.size(part.when)

    def _gradient(self, leaf: Any) -> Any:
        if not hasattr(leaf.by, "when"):
            return self.parameter(leaf.by.name)
        name, when = leaf.by.name, self.size(leaf.by.when)
        if leaf.of == self.system.L:
            adjoint = self.adjoints[when]
            return adjoint[self._rows(name)]
        return self.value(self.generic.local_results[name], {self.system.t: when})

    def _rows(self, name: str) -> slice:
        states = self.system.states
        sizes = [int(A.shape_of(self.system.at(s))[0]) for s in states]
        start = sum(sizes[: states.index(name)])
        return slice(start, start + sizes[states.index(name)])

    def number(self, value: Expr) -> float:
        """Return a number, or an expression in time indices, as a float."""
        return float(self._bound(value))

    def literal(self, literal: A.Literal) -> float:
        """Return a number as it was written."""
        return float(literal.value)

    def size(self, value: Expr) -> int:
        """Return a size or a step as an integer."""
        return int(self._bound(value))

    def _bound(self, value: Expr) -> Expr:
        if value.is_Number:
            return value
        known = tuple((s, self.bindings[s.name]) for s in value.free_symbols if getattr(s, "name", "") in self.bindings)
        return _filled(value, known)

    def apply(self, function: ElementwiseFunction, value: Any) -> Any:
        """Apply an elementwise function."""
        return np.broadcast_to(_compiled(function)(value), np.shape(value))[()]

    def largest(self, values: list[Any]) -> Any:
        """Return the largest of some numbers."""
        return max(values)

    # -- Jacobians ------------------------------------------------------------------------------------
    @property
    def order(self) -> list[int]:
        """The steps in the order of time, the initial state's first."""
        return [int(self.system.start), *steps_of(self.system, self.steps)]

    @cached_property
    def one_step(self) -> dict[int, Floats]:
        """Step -> Jacobian of the state there by the state before it."""
        system, known = self.system, links(self.network)
        single = len(system.states) == 1
        expr = known[0].jacobian if single and known else joint_written(self.network, system.t)
        return {t: np.asarray(self.value(expr, {system.t: t}), dtype=float) for t in self.order[1:]}

    @cached_property
    def _spans(self) -> dict[tuple[int, int], Floats]:
        return {}

    def span(self, start: int, end: int) -> Floats:
        """Return the Jacobian of the state at step ``end`` by the state at an earlier step."""
        if start == end:
            return np.eye(self.size_of_state)
        if (start, end) not in self._spans:
            before = end - self.system.direction
            self._spans[start, end] = self.one_step[end] @ self.span(start, before)
        return self._spans[start, end]

    @property
    def size_of_state(self) -> int:
        """The number of entries of all states of a step."""
        return sum(int(A.shape_of(self.system.at(s))[0]) for s in self.system.states)

    @cached_property
    def locals(self) -> dict[int, Floats]:
        """Step -> influence of the state there on L through the loss of that step alone."""
        g, system = self.generic, self.system
        filled = {g.local_of(name): g.local_results[name] for name in g.read_by_loss}
        expr = substitute(local_joint(g, system.t), filled)
        last = system.reduction == "last"
        return {
            t: np.zeros(self.size_of_state) if last and t != self.steps else self._vector(expr, t)
            for t in self.order[1:]
        }

    def _vector(self, expr: Any, t: int) -> Floats:
        return np.asarray(self.value(expr, {self.system.t: t}), dtype=float).reshape(-1)

    @cached_property
    def adjoints(self) -> dict[int, Floats]:
        """Step -> dL/dh, of all states of the step on top of each other; the initial step too."""
        found: dict[int, Floats] = {}
        backward = self.order[::-1]
        for t in backward:
            total = self.locals[t] if t in self.locals else np.zeros(self.size_of_state)
            after = t + self.system.direction
            found[t] = total + self.one_step[after].T @ found[after] if after in found else total
        return found

    def parameter(self, key: str) -> Any:
        """Return dL/dp, the sum of the shares of all steps."""
        return self.value(self.generic.in_states(self.generic.parameter_sum(key)))


@lru_cache(maxsize=8)
def measured(numbers: Numbers) -> Measured:
    """Return a network at given numbers, computed once."""
    return Measured(numbers)


@lru_cache(maxsize=65536)
def _filled(value: Expr, known: tuple[tuple[Any, int], ...]) -> Expr:
    return value.xreplace({symbol: Integer(number) for symbol, number in known})


@lru_cache(maxsize=256)
def _compiled(function: ElementwiseFunction) -> Any:
    rule = function.rule(U)
    names = [{"numpy": np}, "numpy"]
    printer = _Printer({"fully_qualified_modules": True, "allow_unknown_functions": True})
    if not rule.atoms(sympy.Function) <= rule.atoms(sympy.tanh, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.Max,
                                                    sympy.Min, sympy.Abs, sympy.sign, sympy.Piecewise):  # fmt: skip
        return np.vectorize(lambda v: float(rule.xreplace({U: sympy.Float(v, 17)})), otypes=[float])
    return sympy.lambdify(U, rule, modules=names, printer=printer)
