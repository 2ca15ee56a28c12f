"""What a call was given, in the form in which passes over it are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Symbol

from ... import algebra as A
from ...errors import ValueInputError
from ...evaluate.numbers import Array
from ...model import System, one_example
from ...model.truncation import Randomised, Window
from ..bptt import Bptt, compile_network
from ..cotangents import last_given, paired, read_cotangents
from .equations import Backward, backward_of
from .numbers import Numbers


@dataclass(frozen=True)
class Prepared:
    """A call, ready to be compared with.

    Attributes
    ----------
    right : Backward
        The right equations.
    numbers : Numbers
    out : Result
        What the generated function gives, in the shapes of what was given.
    has_cotangents : bool
        Whether cotangents were given in place of a target.
    """

    right: Backward
    numbers: Numbers
    out: Any
    has_cotangents: bool


def prepared(bptt: Bptt, call: Mapping[str, Any]) -> Prepared:
    """Check the arguments of a call of ``bptt``, or of ``bptt.vjp``, and return what passes over it need.

    Raises
    ------
    ValueInputError, UnknownNameError
        For arguments that do not fit the model, and for random truncation.
    """
    if isinstance(bptt.truncate, Randomised):
        raise ValueInputError("random truncation gives other gradients each time; compare those of a window")
    ends = {name: call[name] for name in ("dh_T", "dc_T", "final") if name in call}
    by_vjp = bool(ends) or "dy" in call
    if by_vjp and "target" in call:
        raise ValueInputError("target and cotangents are both given; cotangents stand in the place of a loss")
    with np.errstate(all="ignore"):
        out = bptt.vjp(**call) if by_vjp else bptt(**{"initial": {}, **call})
    starts = call.get("h0"), call.get("c0"), call.get("initial")
    last: Mapping[str, Any] = {}
    inner = bptt
    if by_vjp:
        inner = compile_network(paired(bptt.network), None, True)
        states_of = tuple(inner._system.states)
        given_ends = last_given(ends.get("dh_T"), ends.get("dc_T"), ends.get("final"), states_of)
        read, params, last = read_cotangents(
            inner, call["params"], call.get("x"), call.get("dy"), given_ends, starts, call.get("steps")
        )
    else:
        more = call.get("steps"), call.get("mask")
        read, params = inner._reader.read(call["params"], call.get("x"), call.get("target"), *starts, *more)
    right = replace(backward_of(one_example(inner.network)), cut=bptt.truncate)
    if isinstance(bptt.truncate, Window) and right.system.mixed:
        raise ValueInputError("a window is for cells of one direction in time; compare the exact gradients")
    given = {name: read.arguments.get(argument) for name, argument in inner._emitted.arguments.items()}
    batch = read.lead.batch if read.lead.batched else None
    numbers = numbers_of(right.system, params, given, int(read.lead.steps or 1), batch, last)
    return Prepared(right, numbers, out, by_vjp)


def numbers_of(
    system: System,
    params: Mapping[str, Array],
    given: Mapping[str, Any],
    steps: int,
    batch: int | None,
    ends: Mapping[str, Array],
) -> Numbers:
    """Return the numbers of a call that has been checked.

    Parameters
    ----------
    system : System
        With symbols for all sizes that differ.
    params : mapping
        Key -> array.
    given : mapping
        Input, target, ``mask``, ``h0`` -> array as the generated function takes it; None or absent where not given.
    steps : int
    batch : int or None
        None where arrays have no axis of batch.
    ends : mapping
        State -> cotangent of its last value.
    """
    reader = _Given(system, params, given, steps, batch)
    last = {state: reader.whole(state, np.asarray(value, dtype=float)) for state, value in ends.items()}
    return Numbers(system, reader.sizes, steps, batch or 1, reader.all(), ends=last)


class _Given:
    def __init__(
        self, system: System, params: Mapping[str, Array], given: Mapping[str, Any], steps: int, batch: int | None
    ) -> None:
        self.system, self.steps, self.batch = system, steps, batch
        self.params = {key: np.asarray(value, dtype=float) for key, value in params.items()}
        self.given = {key: np.asarray(value) for key, value in given.items() if value is not None}
        self.sizes: dict[str, int] = {}
        for key, symbol in system.parameters.items():
            self._bind(symbol, self.params[key].shape)
        for name in system.inputs:
            self._bind(system.at(name), self.given[name].shape[1 + (batch is not None) :])

    def _bind(self, leaf: Any, shape: tuple[int, ...]) -> None:
        for size, value in zip(A.shape_of(leaf), shape, strict=False):
            if isinstance(size, Symbol):
                self.sizes[size.name] = int(value)

    def _shape(self, leaf: Any) -> tuple[int, ...]:
        sizes = A.shape_of(leaf)[: A.rank_of(leaf)]
        return tuple(int(s.xreplace({f: self.sizes[f.name] for f in s.free_symbols})) for s in sizes)

    def all(self) -> dict[str, Array]:
        found = {k: self.params[k].reshape(self._shape(leaf)) for k, leaf in self.system.parameters.items()}
        for name in self.system.inputs:
            found[name] = self._timed(name, self.given[name], self.steps)
        for name in self.system.fixed:
            found[name] = self._fixed(name, self.given[name])
        return {**found, **{state: self._initial(state) for state in self.system.states}}

    def _timed(self, name: str, value: Array, steps: int) -> Array:
        return value.reshape(steps, self.batch or 1, *self._shape(self.system.at(name)))

    def _fixed(self, name: str, value: Array) -> Array:
        """Return a target or a mask; class indices become distributions."""
        steps = 1 if self.system.reduction == "last" else self.steps
        shape, rows = self._shape(self.system.at(name)), steps * (self.batch or 1)
        indices = self.system.targets.get(name) == "distribution" and shape and value.size == rows
        if indices and (value.dtype.kind in "iu" or shape[0] > 1):
            value = np.eye(shape[0])[value.astype(int)]
        if name == "mask" and value.ndim == 1 and self.batch is not None:
            value = np.repeat(value[:, None], self.batch, 1)
        return self._timed(name, value, steps)

    def _initial(self, state: str) -> Array:
        return self.whole(state, self.given.get(f"{state}0", np.zeros(())))

    def whole(self, state: str, value: Array) -> Array:
        """Return a value of a state, or of one for all samples, as (B, ...)."""
        shape = self._shape(self.system.at(state))
        sizes = (_size(shape), _size(shape) * (self.batch or 1))
        if value.ndim in (len(shape), len(shape) + 1) and value.size in sizes:
            value = value.reshape(-1, *shape)
        return np.broadcast_to(value, (self.batch or 1, *shape))


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))
