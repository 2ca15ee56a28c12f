"""Carry out the derived equations over any kind of numbers: forward pass, backward sweep, parameter gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Basic, Expr, Integer

from .. import algebra as A
from ..algebra.explicit import SymbolicDomain
from ..algebra.functions import ElementwiseFunction
from ..model import CELL, Scan, System
from .generic import Generic


def steps_of(system: System, steps: int, backward: bool = False) -> list[int]:
    """Return the steps in the order of the forward pass, or of the backward sweep, of a cell of one direction."""
    return _steps(system.direction, steps, backward)


def _steps(direction: int, steps: int, backward: bool) -> list[int]:
    ascending = (direction == 1) != backward
    return list(range(1, steps + 1) if ascending else range(steps, 0, -1))


def order_of(system: System, steps: int, backward: bool = False) -> list[tuple[Scan, int]]:
    """Return the scans and their steps in the order of the forward pass.

    The backward sweep goes over the scans from the last to the first, each against its own direction.
    """
    scans = reversed(system.scans) if backward else system.scans
    return [(scan, t) for scan in scans for t in _steps(scan.direction, steps, backward)]


class Run:
    """The derived equations, carried out: every variable and every adjoint at every step.

    Parameters
    ----------
    generic : Generic
        With a concrete number of steps.
    domain : Domain
        Kind of numbers; its ``values`` are filled in by the run.
    values : dict
        Leaf -> value; holds parameters, inputs, targets and initial states at the start.
    """

    def __init__(self, generic: Generic, domain: Any, values: dict[Basic, Any]) -> None:
        self.generic, self.system, self.domain, self.values = generic, generic.system, domain, values
        self.steps = int(self.system.steps)

    def value(self, expr: Basic) -> Any:
        """Evaluate an expression at what is known so far."""
        return A.evaluate(expr, self.domain)

    def forward(self) -> None:
        """Compute every variable of cell, readout and loss, and L."""
        system = self.system
        for scan, t in order_of(system, self.steps):
            for equation in system.equations_of(scan):
                if equation.stage == CELL or system.reduction != "last" or t == self.steps:
                    moved = {system.t: Integer(t)}
                    self.values[equation.left.xreplace(moved)] = self.value(equation.right.xreplace(moved))
        self.values[system.L] = self.value(total_loss(system))

    def backward(self) -> None:
        """Compute every adjoint from the derived recursion, last step first."""
        generic, system = self.generic, self.system
        for scan, t in order_of(system, self.steps, backward=True):
            when = Integer(t)
            if scan == system.scans[-1] and (system.reduction != "last" or t == self.steps):
                for name, result in generic.local_results.items():
                    self.values[generic.local_of(name, when)] = self.value(result.xreplace({system.t: when}))
            for name in generic.adjoints_of(scan):
                self.values[generic.adjoint_of(name, when)] = self.value(generic.at_step(name, when))

    def gradients(self) -> dict[str, Any]:
        """Return the gradient by every parameter."""
        return {key: self.value(self.generic.parameter_sum(key)) for key in self.system.parameters}


def total_loss(system: System) -> Expr:
    """Return L in the losses of the steps, with the sum written over t."""
    loss = system.at("l")
    if system.reduction == "last":
        return loss.xreplace({system.t: system.end})
    total = A.time_sum(loss, system.t, 1, system.steps)
    return A.product(1 / system.steps, total) if system.reduction == "mean" else total


class NestedDomain(SymbolicDomain):
    """Plain SymPy scalars in which variables that were computed stand for their expressions."""

    def __init__(self, values: Mapping[Basic, Any]) -> None:
        self.values = values

    def leaf(self, leaf: Basic) -> Any:
        return self.values[leaf] if leaf in self.values else super().leaf(leaf)


class Count:
    """A number that only counts the operations needed to write it out, to refuse in time what is too long."""

    __slots__ = ("operations",)

    def __init__(self, operations: int = 0) -> None:
        self.operations = operations

    def _with(self, other: Any) -> Any:
        if hasattr(other, "ravel"):
            return NotImplemented  # the array does it, entry by entry
        return Count(self.operations + getattr(other, "operations", 0) + 1)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = _with

    def __neg__(self) -> Count:
        return Count(self.operations + 1)


class CountDomain(NestedDomain):
    """Counts operations where :class:`NestedDomain` would write them out."""

    def leaf(self, leaf: Basic) -> Any:
        if leaf in self.values:
            return self.values[leaf]
        return self._count(super(NestedDomain, self).leaf(leaf))

    def number(self, value: Expr) -> Any:
        return Count()

    def literal(self, literal: A.Literal) -> Any:
        return Count()

    def apply(self, function: ElementwiseFunction, value: Any) -> Any:
        return self._count(value, function.rule.expr.count_ops() + 1)

    def largest(self, values: list[Any]) -> Any:
        return Count(sum(v.operations for v in values) + 1)

    @staticmethod
    def _count(value: Any, extra: int = 0) -> Any:
        if not isinstance(value, np.ndarray):
            return Count(getattr(value, "operations", 0) + extra)
        counted = np.empty(value.shape, dtype=object)
        for where, entry in np.ndenumerate(value):
            counted[where] = Count(getattr(entry, "operations", 0) + extra)
        return counted


def operations(value: Any) -> int:
    """Return the number of operations in a counted value or array."""
    return int(sum(v.operations for v in value.ravel())) if hasattr(value, "ravel") else int(value.operations)
