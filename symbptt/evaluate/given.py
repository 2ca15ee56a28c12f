"""The instance of a network at given numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..derive.numeric import Numbers
from .instance import Instance


def given_instance(numbers: Numbers) -> Instance:
    """Return the instance at the numbers of a derivation."""
    found = Instance(numbers.network, values=arrays(numbers))
    found.direction = {key: as_floats(value)[()] for key, value in numbers.direction.items()}
    return found


def arrays(numbers: Numbers) -> dict[str, Any]:
    """Return the given figures as arrays by key, time first; a target of the last step alone is repeated."""
    system = numbers.system
    values = {key: as_floats(numbers.given[leaf]) for key, leaf in system.parameters.items()}
    values.update({f"{s}0": as_floats(numbers.given[system.at(s, system.start_of(s))]) for s in system.states})
    for name in (*system.inputs, *system.fixed):
        rows = [numbers.given.get(system.at(name, when)) for when in numbers.every()]
        values[name] = np.array([as_floats(rows[-1] if row is None else row) for row in rows])
    return values


def as_floats(figures: Any) -> Any:
    """Return a figure or an array of figures as floats."""
    return np.vectorize(float, otypes=[float])(figures)
