"""Tangents measured: the derivative of anything along a direction in parameter space.

Of a variable it is a complex step along the direction on the forward pass. Of a derivative it is a central difference
of eighth order along the direction, of derivatives that are complex steps themselves; so both orders of
differentiation come from forward passes alone, and nothing of :mod:`symbptt.derive` is used.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from .. import algebra as A
from ..errors import ValueInputError
from .forward import Injection, Key, Trace
from .numbers import Array, value_of

if TYPE_CHECKING:
    from .instance import Instance

IMAGINARY = 1e-30
DISTANCE = 1e-3
"""The real step of the differences; shorter where a kink is near."""
WEIGHTS = tuple((sign * k, sign * w) for k, w in enumerate((4 / 5, -1 / 5, 4 / 105, -1 / 280), 1) for sign in (-1, 1))
"""Multiples of the step and their weights: an error of the eighth power of the step."""
RTOL, ATOL = 1e-7, 1e-9
"""How far two sides with tangents of derivatives in them may differ: differences lose digits to rounding."""


def direction_of(instance: Instance) -> dict[str, Array]:
    """Return the direction of an instance: what was given, or random numbers, for every parameter."""
    if not instance.direction:
        rng = np.random.default_rng([instance.seed, 2])
        for key in instance.system.parameters:
            shape = np.shape(instance.base.values[key, None])
            instance.direction[key] = np.asarray(rng.uniform(-1, 1, shape))[()]
    return instance.direction


def tangent_value(instance: Instance, leaf: Any, reader: Any) -> Array:
    """Return R of a parameter, of a variable at a step, of L, or of a derivative.

    Examples
    --------
    >>> from symbptt.evaluate.claims import instances
    >>> from symbptt.model import Network, cell, loss, whole
    >>> one, T = whole(1, "size"), whole(2, "steps")
    >>> net = Network(cell("linear"), one, one, None, None, loss("squared_error", None), "sum", T)
    >>> instance = instances(net)[0]
    >>> instance.direction = {"W_h": 0.0, "W_x": 0.0, "b_h": 1.0}
    >>> instance.tangent(A.tangent_of(net.system.variables["h"][1]))
    array([1.])
    """
    direction, of = direction_of(instance), leaf.of
    if isinstance(of, sympy.Symbol | sympy.MatrixSymbol) and of.name in direction:
        return Trace.shaped(of, direction[of.name])
    if isinstance(of, A.Gradient | A.Jacobian | A.ScalarDerivative):
        return _difference(instance, of, reader)
    steps: dict[Key, Array] = {(key, None): 1j * IMAGINARY * value for key, value in direction.items()}
    return np.imag(value_of(of, reader.over(instance.forward(Injection(steps))))) / IMAGINARY


def _difference(instance: Instance, of: Any, reader: Any) -> Array:
    passes = _moved(instance)
    return sum(weight * value_of(of, reader.elsewhere(one)) for weight, one in passes)


def _moved(instance: Instance) -> list[tuple[float, Instance]]:
    """Return instances on both sides along the direction, with their weights, at a distance that meets no kink."""
    memo: dict[Any, Any] = instance.__dict__.setdefault("_neighbours", {})
    key = tuple((k, np.asarray(v).tobytes()) for k, v in direction_of(instance).items())
    if key not in memo:
        memo.clear()
        memo[key] = _neighbours(instance)
    found: list[tuple[float, Instance]] = memo[key]
    return found


def _neighbours(instance: Instance) -> list[tuple[float, Instance]]:
    step = DISTANCE
    for _ in range(20):
        found = [(weight / step, _shifted(instance, multiple * step)) for multiple, weight in WEIGHTS]
        if all(one.margin > instance.margin / 2 for _, one in found) or not np.isfinite(instance.margin):
            return found
        step /= 2
    raise ValueInputError("no second derivatives: the numbers are at a kink")


def _shifted(instance: Instance, distance: float) -> Instance:
    """Return the instance with its parameters moved along the direction."""
    twin = copy.copy(instance)
    direction = direction_of(instance)
    given = {k: v + distance * direction[k[0]] if k[1] is None else v for k, v in instance.given.items()}
    trace = Trace(instance.system, instance.bindings, given)
    trace.watching = True
    twin.base = trace.run()
    trace.watching = False
    twin.margin = trace.margin
    twin._passes = {}
    twin.__dict__.pop("_neighbours", None)
    return twin


def tolerances(*sides: Any) -> dict[str, float]:
    """Return the tolerances of a comparison: wider ones where a tangent of a derivative is in it."""
    parts = (p for side in sides for p in sympy.preorder_traversal(side))
    return {"rtol": RTOL, "atol": ATOL} if any(map(_is_difference, parts)) else {}


def _is_difference(part: Any) -> bool:
    tangents, derivatives = A.Tangent | A.ScalarTangent, A.Gradient | A.Jacobian | A.ScalarDerivative
    return isinstance(part, tangents) and isinstance(part.of, derivatives)
