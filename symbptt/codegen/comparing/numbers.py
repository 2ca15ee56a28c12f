"""A backward pass carried out in numbers: every variable at every step of every sample, and the sweep over them."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from typing import Any

import numpy as np
import sympy

from ... import algebra as A
from ...derive.generic import LOCAL, NEXT
from ...evaluate.batched import Compiled, compiled, summed
from ...evaluate.numbers import Array
from ...model import CELL, READOUT, Scan, System
from ...model.truncation import Window
from .equations import ALL, FIRST, LAST, NOT_FIRST, NOT_LAST, Backward, Part
from .reader import Noise, Reader

_compiled = lru_cache(maxsize=4096)(compiled)
_summed = lru_cache(maxsize=4096)(summed)


@dataclass(frozen=True)
class Gradients:
    """What a backward pass gives.

    Attributes
    ----------
    grads : dict
        Parameter, input and initial state -> gradient, in the shapes of the equations; inputs are (T, B, ...), initial
        states (B, ...).
    adjoints : dict
        Variable -> (T + 2, B, ...), by step.
    """

    grads: dict[str, Array]
    adjoints: dict[str, Array]


@dataclass(frozen=True)
class Swept:
    """What a sweep leaves behind: dl_t/dv_t, the adjoints (T + 2, B, ...), and what comes back to initial states."""

    local: dict[str, Array]
    adjoints: dict[str, Array]
    early: dict[str, Array]


class Numbers:
    """The numbers of one call, and passes over them.

    Parameters
    ----------
    system : System
        With symbols for all sizes that differ.
    sizes : mapping
        Size -> integer, by name.
    steps, batch : int
        T and B.
    given : mapping
        Parameters in their shapes; inputs, targets and masks (T, B, ...), or the last step's alone; initial states by
        state, (B, ...).
    noise : Noise, optional
        None for exact numbers.
    ends : mapping, optional
        State -> cotangent of its last value, (B, ...), where it is given in place of a loss.
    """

    def __init__(
        self,
        system: System,
        sizes: Mapping[str, int],
        steps: int,
        batch: int,
        given: Mapping[str, Array],
        noise: Noise | None = None,
        ends: Mapping[str, Array] | None = None,
    ) -> None:
        self.system, self.steps, self.batch, self.noise = system, steps, batch, noise
        self.sizes = {**sizes, str(system.steps): steps}
        self.given, self.ends = given, ends or {}
        self.parameters = {key: given[key] for key in system.parameters}
        self.values: dict[str, Array] = {}
        self._copies: dict[str, Iterator[Array]] = {}
        for name in (*system.inputs, *system.fixed):
            self.values[name] = self._empty(name)
            self.values[name][1 + steps - len(given[name]) : -1] = given[name]
        for equation in system.equations:
            if equation.stage in (CELL, READOUT):
                self.values[equation.name] = self._empty(equation.name)
        for state in system.states:
            self.values[state][self._start(state)] = given[state]
        with np.errstate(all="ignore"):
            self._forward()

    def noisy(self, noise: Noise) -> Numbers:
        """Return the same with rounding errors in everything."""
        return Numbers(self.system, self.sizes, self.steps, self.batch, self.given, noise, self.ends)

    def parameter(self, name: str) -> Array:
        """Return a parameter; with noise, one of its copies, in turn."""
        if self.noise is None:
            return self.parameters[name]
        if name not in self._copies:
            self._copies[name] = cycle(self.noise.copies(self.parameters[name]))
        return next(self._copies[name])

    # -- sizes and steps --------------------------------------------------------------------------------------
    def size(self, value: Any) -> int:
        """Return a size, or T, as an integer."""
        if isinstance(value, sympy.Integer):
            return int(value)
        return int(value.xreplace({s: sympy.Integer(self.sizes[s.name]) for s in value.free_symbols}))

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a variable at one step."""
        leaf = self.system.at(name)
        return tuple(self.size(s) for s in A.shape_of(leaf)[: A.rank_of(leaf)])

    def _empty(self, name: str) -> Array:
        return np.zeros((self.steps + 2, self.batch, *self.shape(name)))

    def _start(self, state: str) -> int:
        return 0 if self.system.direction_of(state) == 1 else self.steps + 1

    def order(self, scan: Scan) -> list[int]:
        """Return the steps as a scan goes over them."""
        return list(range(1, self.steps + 1))[:: scan.direction]

    # -- forward ----------------------------------------------------------------------------------------------
    def _forward(self) -> None:
        readout = self.system.stage(READOUT)
        for scan in self.system.scans:
            lines = [(e.name, _compiled(e.right)) for e in self.system.equations_of(scan) if e.stage == CELL]
            for t in self.order(scan):
                reader = Reader(self, t)
                for name, line in lines:
                    self.values[name][t] = self._rounded(line(reader))
        reader = Reader(self, None)
        for equation in readout:
            self.values[equation.name][1:-1] = self._rounded(_compiled(equation.right)(reader))

    def _rounded(self, value: Array) -> Array:
        return value if self.noise is None else self.noise(value)

    # -- backward ---------------------------------------------------------------------------------------------
    def backward(self, equations: Backward) -> Gradients:
        """Carry out a backward pass."""
        swept = self.swept(equations)
        return Gradients(self.sums(equations, swept), swept.adjoints)

    def swept(self, equations: Backward) -> Swept:
        """Carry out the sweep of a backward pass."""
        if isinstance(equations.cut, Window):
            *_, found = self.windows(equations, equations.cut.tau)
            return found
        with np.errstate(all="ignore"):
            local = self.local(equations)
            return Swept(local, *self._sweep(equations, local))

    def local(self, equations: Backward) -> dict[str, Array]:
        """Return the derivatives of the losses of the steps: (T + 2, B, ...)."""
        found: dict[str, Array] = {}
        for name, expr in equations.local.items():
            found[name] = self._empty(name)
            found[name][1:-1] = self._rounded(_compiled(expr)(Reader(self, None, local=found)))
            if self.system.reduction == "last":
                found[name][:-2] = 0
        return found

    def _entering(self, equations: Backward, local: dict[str, Array]) -> dict[str, Array]:
        """Return the parts by which the loss enters the sweep: variable of the cell -> (T + 2, B, ...)."""
        counts = _chosen(list(range(1, self.steps + 1)), equations.losses)
        reader = Reader(self, None, local=local, only_local=True)
        found: dict[str, Any] = {}
        for name, parts in equations.adjoints.items():
            for part in parts:
                if part.place == LOCAL:
                    whole = self._empty(name)
                    whole[1:-1] = _compiled(part.expr)(reader)
                    found[name] = found.get(name, 0) + whole * _aligned(np.array([0, *counts, 0]), whole)
        for state, cotangent in self.ends.items() if equations.ends else ():
            whole = self._empty(state)
            whole[self.size(self.system.last_of(state))] = cotangent
            found[state] = found.get(state, 0) + whole
        return found

    def _sweep(self, equations: Backward, local: dict[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return the adjoints by step, and what comes back to the initial states."""
        entering = self._entering(equations, local)
        adjoints = {name: self._empty(name) for name in equations.adjoints}
        early: dict[str, Array] = {}
        for scan in reversed(self.system.scans):
            names = [name for name in equations.adjoints if self.system.scan_of(name) == scan]
            lines = [(name, _parts(equations.adjoints[name])) for name in names]
            order = self.order(scan)
            for place in range(len(order) - 1, -1, -1):
                reader = Reader(self, order[place], adjoints, local)
                goes_on = place + 1 < len(order) and not self._is_cut(equations, place)
                for name, parts in lines:
                    total = entering[name][order[place]] if name in entering else 0.0
                    for kind, part in parts:
                        if kind != NEXT or goes_on:
                            total = total + part(reader)
                    adjoints[name][order[place]] = self._rounded(np.asarray(total))
            for state in (name for name in names if name in self.system.states):
                reader = Reader(self, self._start(state), adjoints, local)
                early[state] = self._early(equations, state, reader)
        return adjoints, early

    def _early(self, equations: Backward, state: str, reader: Any) -> Array:
        found = np.zeros((self.batch, *self.shape(state)))
        for part in equations.adjoints[state]:
            if part.place == NEXT:
                found = found + _compiled(part.expr)(reader)
        return self._rounded(found)

    def _is_cut(self, equations: Backward, place: int) -> bool:
        """Whether nothing comes back to a step from the one after it; steps are counted from 0."""
        return equations.cut is not None and not equations.cut.reaches(place + 2, place + 1)

    def windows(self, equations: Backward, longest: int) -> Iterator[Swept]:
        """Yield the sweeps of windows of 1, 2, ... steps: each loss goes back over one step more.

        For cells of one scan.
        """
        local = self.local(equations)
        arriving = self._entering(equations, local)
        total = {name: self._empty(name) for name in equations.adjoints}
        early = {state: np.zeros((self.batch, *self.shape(state))) for state in self.system.states}
        for _ in range(longest):
            now = {name: self._empty(name) for name in equations.adjoints}
            reader = Reader(self, None, now, local)
            for name, parts in equations.adjoints.items():
                whole = arriving.get(name, np.zeros(1))[1:-1] if name in arriving else np.zeros(1)
                for part in parts:
                    if part.place not in (NEXT, LOCAL):
                        whole = whole + _compiled(part.expr)(reader)
                now[name][1:-1] = whole
                total[name] = total[name] + now[name]
            arriving = {}
            for state in self.system.states:
                end = self.size(self.system.last_of(state))
                for part in equations.adjoints.get(state, ()):
                    if part.place == NEXT:
                        whole = self._empty(state)
                        whole[1:-1] = _compiled(part.expr)(reader)
                        whole[end] = 0
                        arriving[state] = arriving.get(state, 0) + whole
                early[state] = early[state] + self._early(equations, state, Reader(self, self._start(state), now))
            yield Swept(local, total, early)

    # -- sums -------------------------------------------------------------------------------------------------
    def sums(self, equations: Backward, swept: Swept, keys: Container[str] | None = None) -> dict[str, Array]:
        """Return the gradients by parameters, inputs and initial states in the adjoints: all, or some keys."""
        with np.errstate(all="ignore"):
            reader = Reader(self, None, swept.adjoints, swept.local)
            found: dict[str, Array] = {}
            for key, parts in equations.parameters.items():
                if keys is not None and key not in keys:
                    continue
                found[key] = np.zeros(np.shape(self.parameters[key]))
                for part in parts:
                    found[key] = found[key] + _summed(part.expr)(reader, self._weights(equations, part), _same)
            for name, parts in equations.inputs.items():
                if keys is not None and name not in keys:
                    continue
                found[name] = self._empty(name)[1:-1]
                for part in parts:
                    value = np.broadcast_to(_compiled(part.expr)(reader), found[name].shape)
                    found[name] = found[name] + (value * _aligned(self._end(), value) if part.at_end else value)
            early = swept.early
            if equations.initial == FIRST:
                early = {k: swept.adjoints[k][self._start(k) + self.system.direction_of(k)] for k in early}
            return {**found, **{f"{state}0": early[state] for state in self.system.states}}

    def magnitudes(self, equations: Backward, found: Gradients) -> dict[str, Array]:
        """Return the sums of the magnitudes of what is summed to the gradients by parameters."""
        with np.errstate(all="ignore"):
            reader = Reader(self, None, found.adjoints, self.local(equations))
            sizes = {key: np.zeros(np.shape(self.parameters[key])) for key in equations.parameters}
            for key, parts in equations.parameters.items():
                for part in parts:
                    sizes[key] = sizes[key] + _summed(part.expr)(reader, self._weights(equations, part), np.abs)
            return sizes

    def _end(self) -> Array:
        return np.array([0.0] * (self.steps - 1) + [1.0])

    def _weights(self, equations: Backward, part: Part) -> Array:
        scan = self.system.scan_of(str(part.through))
        steps = np.array(_chosen(self.order(scan), equations.share))[:: scan.direction]
        if part.at_end:
            steps = steps * self._end()
        return np.outer(steps, _chosen(list(range(self.batch)), equations.samples)).astype(float)


def _parts(parts: tuple[Part, ...]) -> list[tuple[str, Compiled]]:
    return [(part.place, _compiled(part.expr)) for part in parts if part.place != LOCAL]


def _same(value: Array) -> Array:
    return value


_CHOICES = {
    ALL: lambda i, n: 1.0,
    LAST: lambda i, n: float(i == n - 1),
    FIRST: lambda i, n: float(i == 0),
    NOT_LAST: lambda i, n: float(i != n - 1),
    NOT_FIRST: lambda i, n: float(i != 0),
}


def _chosen(steps: list[int], which: str) -> list[float]:
    """Return 1 for what counts, in order.

    >>> _chosen([3, 2, 1], "not_first")
    [0.0, 1.0, 1.0]
    """
    return [_CHOICES[which](i, len(steps)) for i in range(len(steps))]


def _aligned(weights: Array, like: Array) -> Array:
    """Return weights of steps with axes for all that follows."""
    return weights.reshape(-1, *(1,) * (like.ndim - 1))
