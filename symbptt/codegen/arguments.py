"""Numbers of a model as arguments of its generated function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..algebra.rounding import Rounding
from ..derive.numeric import Numbers
from ..evaluate.given import arrays
from ..model import Network, System


def given_arguments(network: Network, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given numbers as keyword arguments of :class:`symbptt.codegen.bptt.Bptt`.

    Parameters
    ----------
    network : Network
        With a concrete T.
    values : mapping
        Key -> numbers, as in a model file.

    Raises
    ------
    ValueInputError
        For numbers that are missing or do not fit the model.
    """
    return call_arguments(network.system, as_taken(network.system, arrays(Numbers(network, values, Rounding()))))


def as_taken(system: System, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays by key as the function takes them: plain floats for a scalar model."""
    if not system.scalar:
        return dict(data)
    timed = {*system.inputs, *system.fixed}
    return {k: np.ravel(v) if k in timed else float(np.ravel(v)[0]) for k, v in data.items()}


def call_arguments(system: System, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays by key as keyword arguments; T is the length of what is given for every step."""
    inputs = {name: data[name] for name in system.inputs}
    targets = {name.removeprefix("target_"): data[name] for name in system.targets}
    timed = [*inputs.values(), *targets.values()]
    found = {
        "params": {key: data[key] for key in system.parameters},
        "x": inputs.get("x") if list(inputs) in (["x"], []) else inputs,
        "target": targets.get("target", targets or None),
        "initial": {state: data[f"{state}0"] for state in system.states},
        "steps": None if timed else int(system.steps),
        "mask": None if system.loss_steps else data.get("mask"),
    }
    return {key: value for key, value in found.items() if value is not None}
