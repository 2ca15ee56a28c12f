"""The printed results of a derivation as floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..algebra.base import rank_of
from ..derive.derivation import Derived


def printed_results(derived: Derived) -> dict[str, Any]:
    """Return the loss and the gradients by the parameters, rounded as they are printed.

    Parameters
    ----------
    derived : Derived

    Returns
    -------
    dict
        ``L`` and the canonical keys of the parameters; empty where the derivation has no worked lines.
    """
    numbers = derived.numbers
    if numbers is None:
        return {}
    keys = {"L": "forward.L", **{key: f"numbers.{key}" for key in derived.network.system.parameters}}
    return {k: _floats(numbers.lines[key].stages[-1].expr) for k, key in keys.items() if key in numbers.lines}


def _floats(expr: Any) -> Any:
    """Return a literal as a float, or as an array in its shape: (n,) for a vector."""
    explicit = expr.as_explicit()
    if not rank_of(expr):
        return float(explicit)
    array = np.array(explicit.tolist(), dtype=float)
    return array[:, 0] if rank_of(expr) == 1 else array
