"""Tables of what methods cost, put to the test: the methods are carried out once more, at other sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from .. import algebra as A
from ..derive.counting import DEGREE, SMALLEST, bptt_multiplications, open_sizes, rtrl_multiplications
from ..derive.influence import recurrent_parameters
from ..model import Network
from .claims import instances

_METHODS = (bptt_multiplications, rtrl_multiplications)
"""In the order of the columns."""


def check_costs(network: Network, facts: Mapping[str, Any], seed: int = 0) -> tuple[bool, str]:
    """Compare a table with what both methods take and keep at random sizes.

    Multiplications are counted again at sizes of which one is beyond those that the formulas were made from; numbers
    kept are those of a measured influence matrix, and of a forward pass.
    """
    rows = {key: values for key, *values in facts["rows"]}
    rng = np.random.default_rng(seed)
    names = open_sizes(network)
    largest = 0
    for beyond in names or [""]:
        sizes = {name: int(rng.integers(SMALLEST, SMALLEST + 3)) for name in names}
        sizes.update({beyond: SMALLEST + DEGREE + 1} if beyond else {})
        filled = {A.size(name): sympy.Integer(size) for name, size in sizes.items()}
        for method, claimed in zip(_METHODS, rows["cost.step"], strict=True):
            found = method(network, sizes)
            largest = max(largest, found)
            if claimed.xreplace(filled) != found:
                return False, f"{method.__name__} is {found} at {sizes}, not {claimed.xreplace(filled)}"
    for claimed, step in zip(rows["cost.all"], rows["cost.step"], strict=True):
        if sympy.expand(claimed - network.system.steps * step) != 0:
            return False, f"{claimed} is not {network.system.steps} times {step}"
    ok, detail = _kept(network, rows["cost.kept"], seed)
    return ok, detail or f"carried out and counted, up to {largest} multiplications"


def _kept(network: Network, claimed: list[Any], seed: int) -> tuple[bool, str]:
    """Compare the numbers kept with the sizes of what is there in an instance."""
    system = network.system
    instance = instances(network, seed, count=1)[0]
    states = [system.at(name) for name in system.states]
    cell = [e.name for e in system.stage("cell")]
    computed = sum(int(np.size(instance.base.values[name, t])) for name in cell for t in instance.base.order())
    rows = sum(int(np.size(instance.evaluate(state, t=1))) for state in states)
    keys = recurrent_parameters(network)
    carried = sum(rows * int(np.size(instance.base.values[key, None])) for key in keys)
    for expr, found in zip(claimed, (computed, carried), strict=True):
        if round(float(instance.evaluate(expr))) != found:
            return False, f"{expr} numbers are claimed to be kept, {found} are"
    return True, ""
