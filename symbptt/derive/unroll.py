"""The unrolled network: every state, output and loss of T steps in SymPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Basic, Integer

from .. import algebra as A
from ..algebra.names import Names
from ..algebra.scalar import to_scalar
from ..algebra.shown import formula
from ..errors import RefusedError
from ..model import CELL, LOSS, Network
from .run import order_of
from .tidy import substitute


@dataclass(frozen=True)
class Unrolled:
    """A network unrolled over T steps.

    Attributes
    ----------
    equations : tuple of (left, right)
        Every equation at every step, in the order of computation.
    states : dict
        State -> its value at steps 1..T (index 0 is the initial state), as a list.
    outputs : list
        What the loss compares, at steps 1..T.
    loss : node
        L.
    others : dict
        The outputs of further readouts, where there are several.
    nested : bool
        Whether each value is written in inputs and parameters alone.
    total : node or None
        L as a symbol.
    names : Names or None
        How a notebook shows it; a notation changes nothing else.
    """

    equations: tuple[tuple[Any, Any], ...]
    states: Mapping[str, list[Any]]
    outputs: list[Any]
    loss: Any
    nested: bool
    others: Mapping[str, list[Any]] = field(default_factory=dict)
    total: Any = field(default=None, repr=False)
    names: Names | None = field(default=None, repr=False, compare=False)

    def _repr_latex_(self) -> str:
        last = [] if self.total is None else [(self.total, self.loss)]
        return formula([*self.equations, *last], self.names)

    def substitute(self, values: Mapping[Basic, Any]) -> Unrolled:
        """Return the same with leaves replaced, products left as they are written."""

        def put(expr: Any) -> Any:
            return substitute(expr, values)

        return Unrolled(
            tuple((left, put(right)) for left, right in self.equations),
            {k: [put(v) for v in vs] for k, vs in self.states.items()},
            [put(v) for v in self.outputs],
            put(self.loss),
            self.nested,
            {k: [put(v) for v in vs] for k, vs in self.others.items()},
            self.total,
            self.names,
        )


def unroll(network: Network, nested: bool = False) -> Unrolled:
    """Return the unrolled network of a concrete number of steps.

    Parameters
    ----------
    network : Network
        With a concrete T.
    nested : bool
        Write every value in inputs, initial states and parameters alone; otherwise each step names the one
        before it. Nested values grow with t, and share their parts.
    """
    try:
        return _unrolled(network, nested)
    except RecursionError:
        raise RefusedError(
            f"nested values of {network.steps} steps are nested too deeply; leave nested out, or take fewer steps"
        ) from None


def _unrolled(network: Network, nested: bool) -> Unrolled:
    system = network.system
    steps = int(system.steps)
    mapped = to_scalar if system.scalar else _same
    generic = [(equation, mapped(equation.left), mapped(equation.right)) for equation in system.equations]
    values: dict[Any, Any] = {}
    equations = []

    def put(expr: Any) -> Any:
        return substitute(expr, values) if nested else expr

    def at(name: str, when: Any) -> Any:
        return mapped(system.at(name)).xreplace({system.t: when})

    for scan, t in order_of(system, steps):
        moved = {system.t: Integer(t)}
        for equation, left, right in generic:
            if system.scan_of(equation.name) != scan:
                continue
            if equation.stage != CELL and system.reduction == "last" and t != steps:
                continue
            here, value = left.xreplace(moved), right.xreplace(moved)
            values[here] = put(value)
            if equation.stage != LOSS or system.reduction != "last":
                equations.append((here, value))
    order = [Integer(t) for t in range(1, steps + 1)]
    counted = order if system.reduction != "last" else order[-1:]
    total = A.add(*(values[at("l", t)] for t in counted))
    if system.reduction == "mean":
        total = A.product(1 / system.steps, total)
    states = {
        name: [at(name, system.start_of(name)), *(values.get(at(name, t), at(name, t)) for t in order)]
        for name in system.states
    }
    return Unrolled(
        equations=tuple(equations),
        states=states,
        outputs=[values[at(system.prediction, t)] for t in counted],
        others={k: [values[at(k, t)] for t in counted] for k in system.predictions if k != system.prediction},
        loss=total,
        nested=nested,
        total=mapped(system.L),
    )


def _same(expr: Any) -> Any:
    return expr
