"""Multiplications counted by carrying expressions out, with numbers that count."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from .. import algebra as A
from ..model import Network
from .draw import size_names
from .numbers import Array, NumberDomain


class Tally:
    """A number that counts the multiplications it takes part in; 0 and 1 from a written matrix cost nothing."""

    __slots__ = ("counter", "plain")

    def __init__(self, counter: list[int], plain: int | None = None) -> None:
        self.counter, self.plain = counter, plain

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        for one, two in ((self, other), (other, self)):
            if one.plain == 0:
                return one
            if one.plain == 1:
                return two
        self.counter[0] += 1
        return Tally(self.counter)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        if other.plain == 0:
            return self
        return other if self.plain == 0 else Tally(self.counter)

    __sub__ = __add__
    __truediv__ = __mul__

    def __pow__(self, exponent: Any) -> Tally:
        self.counter[0] += 1
        return Tally(self.counter)

    def __neg__(self) -> Tally:
        return Tally(self.counter, 0 if self.plain == 0 else None)


class CountingDomain(NumberDomain):
    """Every leaf is an array of numbers that count."""

    def __init__(self, bindings: dict[str, int]) -> None:
        super().__init__(bindings)
        self.counter = [0]

    def leaf(self, leaf: Any) -> Array:
        shape = tuple(self.size(s) for s in A.shape_of(leaf))[: A.rank_of(leaf)]
        if not A.shape_of(leaf):
            return Tally(self.counter)
        array = np.empty(shape, dtype=object)
        for place in np.ndindex(shape):
            array[place] = Tally(self.counter)
        return array

    def number(self, value: Any) -> Any:
        return Tally(self.counter, int(value) if value in (0, 1) else None)

    def literal(self, literal: Any) -> Any:
        return Tally(self.counter)

    def apply(self, function: Any, value: Array) -> Array:
        if not isinstance(value, np.ndarray):
            return Tally(self.counter)
        flat = [Tally(self.counter) for _ in range(value.size)]
        array = np.empty(value.size, dtype=object)
        array[:] = flat
        return array.reshape(value.shape)

    def largest(self, values: list[Any]) -> Any:
        return Tally(self.counter)


def counted(network: Network, exprs: tuple[Any, ...], sizes: dict[str, int]) -> int:
    """Return how many multiplications some expressions take at given sizes, by carrying them out.

    >>> from symbptt.model import Network, cell, loss, whole
    >>> n, m, T = whole("n", "hidden"), whole("m", "inputs"), whole("T", "steps")
    >>> network = Network(cell("tanh"), n, m, None, None, loss("mse", None), "sum", T)
    >>> W, h, t = network.system.parameters["W_h"], network.system.variables["h"], network.system.t
    >>> counted(network, (W @ h[t],), {"n": 5, "m": 2})
    25
    """
    domain = CountingDomain({**sizes, "T": 3})
    for expr in exprs:
        A.evaluate(expr, domain)
    return domain.counter[0]


def check_count(network: Network, facts: dict[str, Any], seed: int = 0) -> tuple[bool, str]:
    """Compare the multiplications per step that a table claims with those that carrying the methods out takes."""
    rows = {key: values for key, *values in facts["rows"]}
    rng = np.random.default_rng(seed)
    worst = 0
    for _ in range(2):
        sizes = {name: int(rng.integers(2, 5)) for name in size_names(network)}
        filled = {A.size(name): sympy.Integer(size) for name, size in sizes.items()}
        for place, method in enumerate(("bptt", "rtrl")):
            claimed = int(rows["cost.step"][place].xreplace(filled))
            found = counted(network, facts[method], sizes)
            if claimed != found:
                return False, f"{method} takes {found} multiplications at {sizes}, not {claimed}"
            worst = max(worst, found)
            over_time = rows["cost.all"][place] - network.system.steps * rows["cost.step"][place]
            if sympy.expand(over_time) != 0:
                return False, f"{method}: {rows['cost.all'][place]} is not T times {rows['cost.step'][place]}"
    return True, f"carried out and counted, up to {worst} multiplications"

