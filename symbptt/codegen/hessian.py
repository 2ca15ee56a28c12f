"""Hessian-vector products in numbers: the derived second-order equations, carried out over arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import Basic, Integer, Symbol

from .. import algebra as A
from ..derive.run import steps_of
from ..derive.second_order import SecondOrder, second_order
from ..errors import ValueInputError
from ..evaluate.numbers import NumberDomain
from ..model import LOSS, Network
from .checks import Array
from .target import Lead


def hessian_products(
    network: Network,
    params: Mapping[str, Array],
    direction: Mapping[str, Array],
    given: Mapping[str, Any],
    lead: Lead,
) -> dict[str, Array]:
    """Return the product of the Hessian with a direction, summed over the batch.

    Parameters
    ----------
    network : Network
    params, direction : mapping
        Parameter -> array.
    given : mapping
        Input, ``target`` and initial state -> array, as the generated function takes them, or None.
    lead : Lead
        The number of steps, and the batch.
    """
    steps = int(lead.steps or 1)
    second = second_order(replace(network, steps=Integer(steps)))
    total: dict[str, Array] = {}
    for sample in range(lead.batch or 1):
        run = _Run(second, params, direction, _sample(network, given, sample, lead))
        with np.errstate(over="ignore"):
            found = run.products()
        total = {key: total.get(key, 0.0) + value for key, value in found.items()}
    if not all(np.isfinite(value).all() for value in total.values()):
        raise ValueInputError("the Hessian-vector product is not finite: the numbers are too large")
    return {key: np.asarray(total[key]).reshape(params[key].shape) for key in total}


def _sample(network: Network, given: Mapping[str, Any], sample: int, lead: Lead) -> dict[str, Any]:
    """Return what belongs to one sequence of the batch: inputs and targets by step, initial states alone."""
    system, found = network.system, dict[str, Any]()
    final = system.reduction == "last"
    for name, value in given.items():
        if value is None:
            continue
        timed = name in system.inputs or (name in system.fixed and not final)
        if timed or name in system.fixed:
            axis = 1 if timed else 0
            shared = name not in system.inputs and name == "mask" and np.ndim(value) == 1
            found[name] = np.take(value, sample, axis) if lead.batched and not shared else value
        else:
            rank = A.rank_of(system.at(name[:-1])) if not system.scalar else 0
            found[name] = value[sample] if np.ndim(value) > rank else value
    return found


class _Run(NumberDomain):
    """One sequence: the forward pass with R beside it, the sweep with R beside it, and the sums."""

    def __init__(
        self, second: SecondOrder, params: Mapping[str, Array], direction: Mapping[str, Array], given: dict[str, Any]
    ) -> None:
        self.second, self.system = second, second.system
        self.steps = int(second.system.steps)
        self.values: dict[Any, Any] = {}
        super().__init__(self._sizes_of(params, given))
        for key, symbol in self.system.parameters.items():
            self._store(symbol, params[key])
            self._store(A.tangent_of(symbol), direction[key])
        for state in self.system.states:
            start = self.system.at(state, self.system.start)
            value = given.get(f"{state}0")
            self._store(start, 0.0 if value is None else value)
            self._store(A.tangent_of(start), 0.0)
        for name in (*self.system.inputs, *self.system.fixed):
            self._store_steps(name, given[name])

    def _sizes_of(self, params: Mapping[str, Array], given: Mapping[str, Any]) -> dict[str, int]:
        """Return the values of symbolic sizes, from the shapes of all that is given."""
        system, found = self.system, {k: int(v) for k, v in self.system.sizes.items() if v.is_Integer}
        shaped = [(system.parameters[k], np.shape(v)) for k, v in params.items()]
        shaped += [(system.variables[k], np.shape(v)[1:]) for k, v in given.items() if k in system.inputs]
        for leaf, shape in shaped:
            for size, value in zip(A.shape_of(leaf), shape, strict=False):
                if isinstance(size, Symbol):
                    found[size.name] = int(value)
        return found

    def _store(self, leaf: Any, value: Any) -> None:
        shape = tuple(self.size(s) for s in A.shape_of(leaf)[: A.rank_of(leaf)])
        array = np.asarray(value, dtype=float)
        whole = array.reshape(shape) if array.size == int(np.prod(shape, dtype=int)) else np.broadcast_to(array, shape)
        self.values[leaf] = whole if shape else float(whole)

    def _store_steps(self, name: str, rows: Any) -> None:
        leaf = self.system.at(name)
        if name in self.system.targets and self.system.reduction == "last":
            self._store(self.system.at(name, self.system.end), self._target(name, rows))
            return
        for step, row in enumerate(rows, start=1):
            value = self._target(name, row) if name in self.system.targets else row
            self._store(leaf.xreplace({self.system.t: Integer(step)}), value)

    def _target(self, name: str, row: Any) -> Any:
        if self.system.targets[name] != "distribution" or np.ndim(row) or self.system.scalar:
            return row
        return np.eye(self.size(A.shape_of(self.system.at(name))[0]))[int(row)]

    # -- the domain -----------------------------------------------------------------------------------
    def leaf(self, leaf: Any) -> Any:
        if leaf in self.values:
            return self.values[leaf]
        return super().leaf(leaf)

    def _put(self, leaf: Basic, expr: Any) -> None:
        self.values[leaf] = A.evaluate(expr, self)

    # -- the sweeps -----------------------------------------------------------------------------------
    def products(self) -> dict[str, Array]:
        """Return R{dL/dp} for every parameter."""
        second, system = self.second, self.system
        for step in steps_of(system, self.steps):
            moved = {system.t: Integer(step)}
            for equation in system.equations:
                if equation.stage == LOSS:
                    continue
                here = equation.left.xreplace(moved)
                self._put(here, equation.right.xreplace(moved))
                if equation.name in second.forward:
                    self._put(A.tangent_of(here), second.forward[equation.name].xreplace(moved))
        for step in steps_of(system, self.steps, backward=True):
            for name in second.generic.adjoints:
                left, right, moved_right = _adjoint(second, name, step)
                self._put(left, right)
                self._put(A.tangent_of(left), moved_right)
        return {key: A.evaluate(_sum(second, key), self) for key in system.parameters}


@lru_cache(maxsize=4096)
def _adjoint(second: SecondOrder, name: str, step: int) -> tuple[Any, Any, Any]:
    """Return dL/dv at a step, its equation, and R of its equation."""
    g, system = second.generic, second.system
    when = sympy.Integer(step)
    left = g.adjoint_of(name, when)
    if when in (system.last, system.end):
        return left, g.fill_local(g.at_step(name, when)), second.adjoint(name, when)
    moved = {system.t: when}
    return left, g.fill_local(g.adjoints[name].expr).xreplace(moved), _generic(second, name).xreplace(moved)


@lru_cache(maxsize=256)
def _generic(second: SecondOrder, name: str) -> Any:
    return second.adjoint(name)


@lru_cache(maxsize=256)
def _sum(second: SecondOrder, key: str) -> Any:
    return second.parameter(key)
