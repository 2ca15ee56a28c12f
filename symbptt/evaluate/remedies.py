"""The tables of remedies computed again, with gradients by complex steps on the forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import algebra as A
from ..algebra.leaves import Literal
from ..algebra.rounding import Rounding
from ..derive.numeric import Numbers
from ..derive.steps import Step
from ..model import Network
from ..model.schemes import SCHEMES, initial_matrix
from .given import given_instance
from .instance import Instance

Rows = list[list[float]]


def check_recipe(given: Instance, step: Step, digits: int) -> tuple[bool, str]:
    """Compare the numbers of a table with those of an independent route, to the digits printed."""
    facts = dict(step.facts)
    name, *settings = facts["recipe"]
    expected = RECIPES[name](given, facts, *settings)
    for cells, row in zip(facts["rows"], expected, strict=True):
        printed = [float(cell.value) if isinstance(cell, Literal) else float(cell) for cell in cells[-len(row) :]]
        for shown, true in zip(printed, row, strict=True):
            if not abs(shown - true) <= 0.51 * 10.0 ** (1 - digits) * abs(true) + 1e-30:
                return False, f"{true:.8g} is printed as {shown:.8g}"
    return True, f"{len(expected)} rows agree with gradients by complex steps"


def _clipping(given: Instance, facts: Mapping[str, Any], ways: Any, threshold: float, rate: float) -> Rows:
    system = given.system
    parts = {k: np.asarray(given.value(A.derivative(system.L, p)), dtype=float) for k, p in system.parameters.items()}
    norm = np.sqrt(sum(float((g * g).sum()) for g in parts.values()))
    clip: dict[str, Callable[[Any], Any]] = {
        "none": lambda g: g,
        "norm": lambda g: g * threshold / max(norm, threshold),
        "value": lambda g: np.minimum(np.maximum(g, -threshold), threshold),
    }
    rows = []
    for way in ways:
        clipped = {k: clip[way](g) for k, g in parts.items()}
        size = np.sqrt(sum(float((g * g).sum()) for g in clipped.values()))
        along = sum(float((clipped[k] * parts[k]).sum()) for k in parts)
        data = given.data
        moved = {k: data[k] - rate * clipped[k].reshape(np.shape(data[k])) for k in parts}
        loss = Instance(given.network, values={**data, **moved}, steps=None).loss
        rows.append([size, along / (size * norm) if size and norm else 1.0, loss])
    return rows


def _at(network: Network, values: Any) -> Instance:
    return given_instance(Numbers(network, dict(values), Rounding()))


def _norms(given: Instance, facts: Mapping[str, Any], network: Network, values: Any) -> Rows:
    other = _at(network, values)
    return [[_norm(one, int(cells[0])) for one in (other, given)] for cells in facts["rows"]]


def _ratios(given: Instance, facts: Mapping[str, Any], network: Network, values: Any) -> Rows:
    other = _at(network, values)
    return [[_norm(one, 1) / _norm(one, one.steps) for one in (other, given)]]


def _norm(one: Instance, when: int) -> float:
    state = one.system.at(one.system.states[0], when)
    return float(np.linalg.norm(np.ravel(one.value(A.derivative(one.system.L, state)))))


def _schemes(given: Instance, facts: Mapping[str, Any], key: str, seed: int) -> Rows:
    rows = []
    for scheme in SCHEMES:
        height, width = np.shape(given.data[key])
        matrix = initial_matrix(scheme, height, width, seed)
        other = Instance(given.network, values={**given.data, key: matrix})
        largest = np.sqrt(np.linalg.eigvalsh(matrix.T @ matrix).max())
        rows.append([float(largest), _norm(other, 1) / _norm(other, other.steps)])
    return rows


RECIPES: dict[str, Callable[..., Rows]] = {
    "clipping": _clipping,
    "norms": _norms,
    "ratios": _ratios,
    "schemes": _schemes,
}
"""What a table says that it shows -> what computes it."""
