"""The forward pass of a network in numbers, with perturbations added and variables held fixed on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from sympy import Symbol

from .. import algebra as A
from ..algebra.functions import ElementwiseFunction
from ..algebra.nodes import Concat
from ..errors import ValueInputError
from ..model import CELL, Scan, System
from .numbers import Array, NumberDomain

_AT, _SCALARS = (A.MatrixAt, A.ScalarAt), (A.ScalarAt, Symbol)
Key = tuple[str, "int | None"]
"""A variable at a step, or a parameter (whose step is None)."""


class NoSuchStepError(ValueInputError):
    """A variable at a step at which it has no value."""


@dataclass(frozen=True)
class Injection:
    """What is changed in a forward pass, right after a quantity is known.

    Attributes
    ----------
    add : mapping
        Key -> array that is added to a parameter, an input, an initial state, or to a variable when it is computed;
        whatever is computed later sees the sum.
    hold : frozenset
        Keys of variables that are set back to their unperturbed values when they are computed (before ``add``).
    """

    add: Mapping[Key, Array] = field(default_factory=dict)
    hold: frozenset[Key] = frozenset()


class Trace(NumberDomain):
    """Every quantity of one forward pass.

    Parameters
    ----------
    system : System
    bindings : mapping
        Size and step symbols -> integers, by name.
    given : mapping
        Key -> array: parameters, inputs, targets and initial states.
    base : Trace, optional
        The unperturbed pass, for what is held fixed.
    """

    def __init__(self, system: System, bindings: Mapping[str, int], given: Mapping[Key, Array], base: Any = None):
        super().__init__(bindings)
        self.system, self.base = system, base
        self.values: dict[Key, Array] = dict(given)
        self.steps = self.size(system.steps)
        self.total: Any = None
        self.margin = np.inf
        self.watching = False

    def order(self) -> list[int]:
        """Return the steps in the order of computation, which is that of the last scan."""
        return self._order(self.system.scans[-1])

    def _order(self, scan: Scan) -> list[int]:
        ascending = range(1, self.steps + 1)
        return list(ascending if scan.direction == 1 else reversed(ascending))

    def start(self, state: str) -> int:
        """Return the step of an initial state."""
        return self.size(self.system.start_of(state))

    def run(self, injection: Injection | None = None) -> Trace:
        """Compute every variable at every step, and L."""
        injection = injection or Injection()
        for key in injection.add:
            if key in self.values:
                self.values[key] = self.values[key] + injection.add[key]
        unchanged = self._unchanged(injection)
        for scan in self.system.scans:
            equations = self.system.equations_of(scan)
            for step in self._order(scan):
                self.bind(self.system.t.name, step)
                for equation in equations:
                    key = equation.name, step
                    self.values[key] = (
                        self.base.values[key] if step in unchanged else self._computed(key, equation.right, injection)
                    )
        del self.bindings[self.system.t.name]
        self._sizes.clear()
        losses = [self.values["l", step] for step in range(1, self.steps + 1)]
        self.total = {"sum": sum(losses), "mean": sum(losses) / self.steps, "last": losses[-1]}[self.system.reduction]
        return self

    def _unchanged(self, injection: Injection) -> list[int]:
        """Return the steps before the first that is perturbed, which need not be computed again."""
        changed = [step for _, step in injection.add]
        order = self.order()
        if self.base is None or None in changed or self.system.mixed:
            return []
        first = min((order.index(step) if step in order else 0 for step in changed if step is not None), default=0)
        return order[:first]

    def _computed(self, key: Key, right: Any, injection: Injection) -> Array:
        value = self.base.values[key] if key in injection.hold else A.evaluate(right, self)
        return value + injection.add[key] if key in injection.add else value

    # -- the domain -----------------------------------------------------------------------------------
    def leaf(self, leaf: Any) -> Array:
        """Return a variable at a step, a parameter, L, a size or a time index."""
        if isinstance(leaf, _AT):
            return self.shaped(leaf, self.at(leaf.name, self.size(leaf.when)))
        if isinstance(leaf, Symbol) and leaf.is_integer and leaf.name in self.bindings:
            return float(self.bindings[leaf.name])
        if isinstance(leaf, Symbol) and leaf.name == self.system.L.name:
            return self.total
        if isinstance(leaf, Symbol | sympy.MatrixSymbol) and (leaf.name, None) in self.values:
            return self.shaped(leaf, self.values[leaf.name, None])
        return super().leaf(leaf)

    def at(self, name: str, step: int) -> Array:
        """Return a variable at a step.

        Raises
        ------
        NoSuchStepError
            Where it has no value.
        """
        if (name, step) not in self.values:
            raise NoSuchStepError(f"{name}[{step}] has no value in a network of T = {self.steps} steps")
        return self.values[name, step]

    @staticmethod
    def shaped(leaf: Any, value: Array) -> Array:
        """Return the entry of an array of one entry where the leaf is a scalar (scalar notation)."""
        return value.ravel()[0] if isinstance(leaf, _SCALARS) and np.ndim(value) else value

    # -- distance from kinks --------------------------------------------------------------------------
    def apply(self, function: ElementwiseFunction, value: Array) -> Array:
        if self.watching:
            for kink in kinks_of(function):
                self.margin = min(self.margin, float(np.abs(np.asarray(value) - kink).min()))
        return super().apply(function, value)

    def largest(self, values: list[Any]) -> Any:
        if self.watching and len(values) > 1:
            first, second = sorted(map(np.real, values), reverse=True)[:2]
            self.margin = min(self.margin, float(first - second))
        return super().largest(values)


def kinks_of(function: ElementwiseFunction) -> list[float]:
    """Return the points where a function has no derivative, as numbers; none where SymPy cannot find them.

    >>> kinks_of(A.named("relu")), kinks_of(A.named("tanh"))
    ([0.0], [])
    """
    try:
        return [float(k) for k in function.kinks if k.is_real]
    except NotImplementedError:
        return []


# -- what a derivative by something perturbs and holds ------------------------------------------------


def keys_of(by: Any, trace: Trace, bindings: Any) -> tuple[Key, ...]:
    """Return the keys that a derivative is taken by: a variable at a step, several, or a parameter."""
    if isinstance(by, Concat):
        return tuple(key for part in by.args for key in keys_of(part, trace, bindings))
    if isinstance(by, A.MatrixAt | A.ScalarAt):
        return ((by.name, bindings.size(by.when)),)
    if (getattr(by, "name", None), None) in trace.values:
        return ((by.name, None),)
    raise ValueInputError(f"no derivative is taken by {by}: give a variable at a step, states, or a parameter")


def held_for(of: Any, keys: tuple[Key, ...], mode: str, base: Trace, bindings: Any) -> frozenset[Key]:
    """Return what is held fixed.

    Total: nothing, but of several states at a step each is independent of the others. Immediate: all states but
    those that are differentiated; for a loss, all variables of the cell. Direct: all variables of the cell but those.
    """
    if mode == A.TOTAL:
        return frozenset(keys if len(keys) > 1 else ())
    system = base.system
    of_loss = getattr(of, "name", None) in ("l", system.L.name)
    free = frozenset() if of_loss else frozenset(keys_of(of, base, bindings))
    everything = of_loss or mode == A.DIRECT
    names: Iterable[str] = [e.name for e in system.stage(CELL)] if everything else system.states
    return frozenset((name, step) for name in names for step in base.order()) - free
