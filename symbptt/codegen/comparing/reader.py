"""What an expression of a backward pass reads: variables, derivatives and parameters, with rounding on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import S

from ... import algebra as A
from ...algebra.functions import FUNCTIONS
from ...evaluate.numbers import Array
from ...model import CELL, System

if TYPE_CHECKING:
    from .numbers import Numbers

_COPIES = 7
"""No divisor of the steps, most often."""


@dataclass(frozen=True)
class Noise:
    """Rounding, imitated: whatever is read or computed is off by a random relative error of about ``unit``."""

    random: np.random.Generator
    unit: float

    def __call__(self, value: Array) -> Array:
        return value * (1 + self.unit * self.random.standard_normal(np.shape(value)))

    def copies(self, value: Array) -> list[Array]:
        """Return some copies with errors: a parameter is read at every step, and drawing anew each time takes long."""
        return [self(value) for _ in range(_COPIES)]

    def slope(self, value: Array) -> Array:
        """Return a derivative that is a difference of numbers up to 1, and has their rounding error."""
        return value + self.unit * self.random.standard_normal(np.shape(value))


class Reader:
    """Reads variables, derivatives and parameters at one step, or at all steps at once where it is None."""

    def __init__(
        self,
        numbers: Numbers,
        t: int | None,
        adjoints: Mapping[str, Array] | None = None,
        local: Mapping[str, Array] | None = None,
        only_local: bool = False,
    ) -> None:
        self.numbers, self.t, self.size = numbers, t, numbers.size
        self.stores: dict[str, Any] = {
            "value": numbers.values,
            "adjoint": local if only_local else adjoints,
            "local": local,
            "parameter": numbers.parameters,
        }

    def applied(self, function: Any, value: Array) -> Array:
        """Return what a function gives; a derivative such as 1 - y^2 loses digits where it is small."""
        noise = self.numbers.noise
        return noise.slope(value) if noise is not None and _is_difference(function) else value

    def leaf(self, leaf: Any) -> Array:
        kind, name, shift = _place(leaf, self.numbers.system)
        whole = self.stores[kind][name]
        if kind == "parameter":
            return self.numbers.parameter(name)
        all_steps = slice(1 + shift, self.numbers.steps + 1 + shift)
        value = whole[all_steps if self.t is None else self.t + shift]
        return value if self.numbers.noise is None else self.numbers.noise(value)


@lru_cache(maxsize=256)
def _is_difference(function: Any) -> bool:
    """Whether a function is a derivative that is computed as a difference, as 1 - y^2 and y (1 - y) are."""
    entries = ((entry.function, entry.written) for entry in FUNCTIONS.values() if entry.written is not None)
    differences = (known for known, written in entries if written.has(S.One) and not written.is_number)
    return any(function == known.prime for known in differences)


@lru_cache(maxsize=8192)
def _shift(when: Any) -> int:
    return int(when - A.index("t"))


def _place(leaf: Any, system: System) -> tuple[str, str, int]:
    """Return where a leaf is read: the kind, the name, and the step relative to t."""
    if isinstance(leaf, A.Gradient | A.ScalarDerivative):
        name = leaf.by.name
        in_cell = leaf.of == system.L and system.by_name[name].stage == CELL
        return "adjoint" if in_cell else "local", name, _shift(leaf.by.when)
    if isinstance(leaf, A.MatrixAt | A.ScalarAt):
        return "value", leaf.name, _shift(leaf.when)
    return "parameter", str(leaf.name), 0
