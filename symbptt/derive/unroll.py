"""The unrolled network: every state, output and loss of T steps in SymPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Integer

from .. import algebra as A
from ..algebra.scalar import to_scalar
from ..model import CELL, LOSS, Network
from .run import steps_of, total_loss
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
    nested : bool
        Whether each value is written in inputs and parameters alone.
    """

    equations: tuple[tuple[Any, Any], ...]
    states: Mapping[str, list[Any]]
    outputs: list[Any]
    loss: Any
    nested: bool

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
    system = network.system
    steps = int(system.steps)
    values: dict[Any, Any] = {}
    equations = []

    def put(expr: Any) -> Any:
        return substitute(expr, values) if nested else expr

    for t in steps_of(system, steps):
        for equation in system.equations:
            if equation.stage != CELL and system.reduction == "last" and t != steps:
                continue
            moved = {system.t: Integer(t)}
            left, right = equation.left.xreplace(moved), equation.right.xreplace(moved)
            values[left] = put(right)
            if equation.stage != LOSS or system.reduction != "last":
                equations.append((left, right))
    mapped = to_scalar if system.scalar else _same
    total = A.expand_bound(total_loss(system)) if _is_sum(total_loss(system)) else total_loss(system)
    order = [Integer(t) for t in range(1, steps + 1)]

    def value(name: str, when: Any) -> Any:
        leaf = system.at(name, when)
        return mapped(values.get(leaf, leaf))

    if system.reduction == "mean":
        total = A.product(1 / system.steps, A.add(*(system.at("l", t) for t in order)))
    outputs = order if system.reduction != "last" else order[-1:]
    return Unrolled(
        equations=tuple((mapped(left), mapped(right)) for left, right in equations),
        states={s: [mapped(system.at(s, system.start)), *(value(s, t) for t in order)] for s in system.states},
        outputs=[value(system.prediction, t) for t in outputs],
        loss=mapped(substitute(total, values)),
        nested=nested,
    )


def _same(expr: Any) -> Any:
    return expr


def _is_sum(expr: Any) -> bool:
    return hasattr(expr, "lower")
