"""How far rounding may take right gradients from the true ones: measured, not bounded.

A bound multiplies norms over all steps and soon says nothing. Instead the passes are made again, some times, with a
random relative error of one rounding in everything that is read or computed (Monte Carlo arithmetic; Parker 1997); what
comes out differs by what the recurrence makes of these errors, growth and cancellation included. To this the rounding
of the sums over steps and batch is added, by the sums of the magnitudes of what is summed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy

from ...algebra import nodes as N
from ...evaluate.forward import kinks_of
from ...evaluate.numbers import Array
from .equations import Backward
from .numbers import Gradients, Numbers
from .reader import Noise

RUNS = 10
"""So many passes are made with rounding errors."""
_LEAST = 1e-8
"""Smaller errors are measured at this size, where the exact passes' own rounding is small beside them."""
_WIDER = 4
"""Where functions have kinks, errors are this many times larger, so that all that may fall on the other side does."""
_NEIGHBOURS = 0.25
"""Of the mean error of an array every entry has at least this share: ten runs may find one too small."""


@dataclass(frozen=True)
class Expected:
    """Errors that rounding explains, in the shapes of :class:`symbptt.codegen.comparing.numbers.Gradients`.

    Attributes
    ----------
    grads, adjoints, values : dict
        Of gradients, of adjoints (T + 2, B, ...), and of the variables of the forward pass.
    """

    grads: dict[str, Array]
    adjoints: dict[str, Array]
    values: dict[str, Array]


def expected_errors(numbers: Numbers, equations: Backward, exact: Gradients, unit: float) -> Expected:
    """Return the errors that arithmetic with a rounding error is expected to have.

    Parameters
    ----------
    numbers : Numbers
    equations : Backward
        The right ones.
    exact : Gradients
    unit : float
        The relative error of one rounding, 2^-24 for float32.
    """
    with np.errstate(all="ignore"):
        return _measured(numbers, equations, exact, unit)


def _measured(numbers: Numbers, equations: Backward, exact: Gradients, unit: float) -> Expected:
    random = np.random.default_rng(0)
    size = _WIDER * max(unit, _LEAST) if _has_kinks(equations) else max(unit, _LEAST)
    grads = {k: np.zeros_like(v) for k, v in exact.grads.items()}
    adjoints = {k: np.zeros_like(v) for k, v in exact.adjoints.items()}
    values = {k: np.zeros_like(v) for k, v in numbers.values.items()}
    for _ in range(RUNS):
        noisy = numbers.noisy(Noise(random, size))
        found = noisy.backward(equations)
        for total, now, then in (
            (grads, found.grads, exact.grads),
            (adjoints, found.adjoints, exact.adjoints),
            (values, noisy.values, numbers.values),
        ):
            for key in total:
                total[key] += np.square(now[key] - then[key])
    scale = min(1.0, unit / _LEAST)
    scale = scale / 2 if _has_kinks(equations) else scale
    sums = numbers.magnitudes(equations, exact)
    return Expected(
        {k: _error(v, exact.grads[k], scale, unit, 0) + unit * sums.get(k, 0.0) for k, v in grads.items()},
        {k: _error(v, exact.adjoints[k], scale, unit, 1) for k, v in adjoints.items()},
        {k: _error(v, numbers.values[k], scale, unit, 1) for k, v in values.items()},
    )


def _has_kinks(equations: Backward) -> bool:
    maps = (part for e in equations.system.equations for part in sympy.preorder_traversal(e.right))
    return any(kinks_of(part.args[0]) for part in maps if isinstance(part, N.Map | N.Apply))


def _error(squares: Array, exact: Array, scale: float, unit: float, timed: int) -> Array:
    """Return errors by entry from the sums of their squares; what has a time axis is averaged by step."""
    own = scale * np.sqrt(squares / RUNS)
    axes = tuple(range(timed, own.ndim))
    mean = np.sqrt(np.mean(own**2, axis=axes, keepdims=True)) if axes else own
    return np.maximum(own, _NEIGHBOURS * mean) + unit * np.abs(exact)
