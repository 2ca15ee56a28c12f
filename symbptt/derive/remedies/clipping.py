"""Gradient clipping, by norm and by value: what it does to length and direction, and what it cannot do.

References
----------
Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013, section 3.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import algebra as A
from ...model import Network, System
from ..numeric import Numbers
from ..stability.common import literal, number_line
from ..stability.floats import Measured, measured
from ..steps import BOUND, IDENTITY, REMARK, TABLE, Line, Phrase, Section, Step
from .settings import Remedies

WAYS = ("none", "norm", "value")
"""The gradient as it is, clipped by norm, clipped by value."""


def clipping_section(network: Network, numbers: Numbers | None, settings: Remedies) -> Section:
    """Return the section on clipping: general vectors first, then the gradient of the model at its numbers."""
    steps = _general(network.system)
    if numbers is not None and settings.clip is not None:
        steps += _numbers(measured(numbers), numbers, settings)
    return Section("clipping", tuple(steps))


# -- any vector ---------------------------------------------------------------------------------------


def _general(system: System) -> list[Step]:
    """What holds for every vector g and threshold c; ``longer`` where the norm of g exceeds c."""
    g, near, far = (A.Parameter(_free(name, system), _size(system), 1) for name in ("g", "u", "v"))
    c = A.scalar_parameter(_free("c", system))
    facts = (("gradient", g), ("threshold", c))
    free, longer = ("free", (g, c)), ("assume", (A.Norm(g), ">", c))
    scaled = A.product(A.divide(c, A.Norm(g)), g)
    kept = A.divide(c, A.Norm(g))
    pair = A.divide(A.Norm(A.product(kept, far)), A.Norm(A.product(kept, near)))
    return [
        Step("clipping.norm", "clipping.norm", IDENTITY, A.Norm(scaled),
             (Line("=", A.product(kept, A.Norm(g))), Line("=", c)), (*facts, ("clipped", scaled), free, longer)),
        Step("clipping.direction", "clipping.direction", IDENTITY, _unit(scaled), (Line("=", _unit(g)),),
             (*facts, free, longer)),
        Step("clipping.value", "clipping.value", BOUND, A.Norm(A.Clipped(g, c)),
             (Line("≤", A.product(c, A.apply("sqrt", _size(system)))),), (*facts, ("clipped", A.Clipped(g, c)), free)),
        Step("clipping.shorter", "clipping.shorter", BOUND, A.Norm(A.Clipped(g, c)), (Line("≤", A.Norm(g)),),
             (*facts, free)),
        Step("clipping.ratio", "clipping.ratio", IDENTITY, pair, (Line("=", A.divide(A.Norm(far), A.Norm(near))),),
             (("near", near), ("far", far), ("free", (g, near, far, c)))),
        Step("clipping.vanishing", "clipping.vanishing", REMARK, facts=facts),
    ]  # fmt: skip


def _free(name: str, system: System) -> str:
    """Return a name that the model does not use."""
    taken = {*system.variables, *system.parameters}
    return name if name not in taken else f"{name}_c"


def _size(system: System) -> Any:
    """Return the size of the stacked gradient, a letter that the model does not use."""
    taken = {*system.variables, *system.parameters}
    return A.size("N" if "N" not in taken else "N_g")


def _unit(vector: Any) -> Any:
    return A.divide(vector, A.Norm(vector))


# -- the gradient of the model ------------------------------------------------------------------------


def gradient_norm(system: System) -> Any:
    """Return the norm of the gradient by all parameters, stacked: the root of the sum of the squared norms."""
    squares = []
    for symbol in system.parameters.values():
        leaf = A.derivative(system.L, symbol)
        squares.append(A.squared_norm(leaf))
    return A.apply("sqrt", A.add(*squares))


def stacked(run: Measured) -> Any:
    """Return the gradients by all parameters, one after the other."""
    return np.concatenate([np.ravel(run.parameter(key)) for key in run.system.parameters])


def clip(way: str, gradient: Any, threshold: float) -> Any:
    """Return a gradient, or the same clipped by norm or by value.

    >>> clip("norm", np.array([3.0, 4.0]), 1.0), clip("value", np.array([3.0, 0.5]), 1.0)
    (array([0.6, 0.8]), array([1. , 0.5]))
    """
    if way == "norm":
        return gradient * min(1.0, threshold / float(np.linalg.norm(gradient)))
    return np.clip(gradient, -threshold, threshold) if way == "value" else gradient


def _numbers(run: Measured, numbers: Numbers, settings: Remedies) -> list[Step]:
    system, rounding = run.system, numbers.rounding
    assert settings.clip is not None
    whole = stacked(run)
    length = float(np.linalg.norm(whole))
    threshold, _ = literal(settings.clip, rounding)
    rate, _ = literal(settings.rate, rounding)
    facts = (("threshold", threshold), ("rate", rate))
    left = numbers.in_notation(gradient_norm(system))
    steps = [number_line("clipping.length", "clipping.length", left, length, rounding, facts=facts)]
    rows = []
    for way in WAYS:
        clipped = clip(way, whole, settings.clip)
        size = float(np.linalg.norm(clipped))
        cosine = float(clipped @ whole) / (size * length) if size and length else 1.0
        loss = run.replaced(_moved(run, clipped, settings.rate)).loss
        shown = [literal(value, rounding)[0] for value in (size, cosine, loss)]
        rows.append((Phrase(f"clipping.way_{way}"), *shown))
    columns = tuple(Phrase(f"clipping.column_{name}") for name in ("way", "length", "cosine", "loss"))
    recipe = ("recipe", ("clipping", WAYS, settings.clip, settings.rate))
    before = ("loss", literal(float(run.loss), rounding)[0])
    held = (*facts, before, ("columns", columns), ("rows", tuple(rows)), ("table", "remedies"), recipe)
    return [*steps, Step("clipping.table", "clipping.table", TABLE, facts=held)]


def _moved(run: Measured, gradient: Any, rate: float) -> dict[str, Any]:
    """Return the parameters after a step against a stacked gradient."""
    moved, start = {}, 0
    for key in run.system.parameters:
        value = np.asarray(run.values[key, None], dtype=float)
        moved[key] = value - rate * gradient[start : start + value.size].reshape(value.shape)
        start += value.size
    return moved
