"""Tables of what methods cost, put to the test: the methods are carried out once more, at other sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy

from .. import algebra as A
from ..derive.counting import (
    DEGREE,
    SMALLEST,
    bptt_multiplications,
    leading,
    open_sizes,
    polynomial,
    rtrl_multiplications,
)
from ..derive.influence import recurrent_parameters
from ..model import CELL, Network
from .claims import instances
from .instance import Instance

_METHODS: dict[str, Callable[[Network, Mapping[str, int]], int]] = {
    "BPTT": bptt_multiplications,
    "forward mode": rtrl_multiplications,
}


def check_costs(network: Network, facts: Mapping[str, Any], seed: int = 0) -> tuple[bool, str]:
    """Compare a table with what both methods take and keep.

    Multiplications are counted again at sizes of which one is beyond those that the formulas were made from; numbers
    kept are compared with the sizes of what is there in a numeric instance.
    """
    largest = 0
    rows = {phrase.key: values for phrase, *values in facts["rows"]}
    instance = instances(network, seed, count=1)[0]
    for place, (name, method) in enumerate(_METHODS.items()):
        whole = polynomial(method, network)
        shown, true = ("cost.step", whole) if "cost.step" in rows else ("cost.leading", leading(whole))
        if rows[shown][place] != true:
            return False, f"{name}: {whole} multiplications, not {rows[shown][place]}"
        for sizes in _sizes(network, seed):
            found = method(network, sizes)
            largest = max(largest, found)
            expected = whole.xreplace({A.size(key): sympy.Integer(size) for key, size in sizes.items()})
            if expected != found:
                return False, f"{name}: {found} multiplications at {sizes}, not {expected}"
        kept, there = rows["cost.kept"][place], _kept(network, instance)[place]
        if round(float(instance.evaluate(kept))) != there:
            return False, f"{name}: {there} numbers are kept, not {kept}"
    return True, f"carried out and counted, up to {largest} multiplications"


def _sizes(network: Network, seed: int) -> list[dict[str, int]]:
    """Random sizes, each in turn beyond those that counts are made from."""
    rng, names = np.random.default_rng(seed), open_sizes(network)
    drawn = {name: int(rng.integers(SMALLEST, SMALLEST + 3)) for name in names}
    return [{**drawn, beyond: SMALLEST + DEGREE + 1} for beyond in names] or [{}]


def _kept(network: Network, instance: Instance) -> tuple[int, int]:
    """How many numbers there are in all variables of the cell at all steps, and in the influence matrices of one."""
    system, values = network.system, instance.base.values
    computed = sum(int(np.size(values[e.name, t])) for e in system.stage(CELL) for t in instance.base.order())
    rows = sum(int(np.size(values[name, 1])) for name in system.states)
    carried = rows * sum(int(np.size(values[key, None])) for key in recurrent_parameters(network))
    return computed, carried
