"""Random numbers for a network, and given ones: sizes, parameters, inputs, targets, initial states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Symbol

from .. import algebra as A
from ..errors import ValueInputError, nearest
from ..model import ROWS, Network, System
from ..model.values import mask_of
from .forward import Key
from .numbers import Array

SIZES, STEPS = (2, 3), (3, 4)
"""Smallest and largest random size, and number of steps."""


def size_names(network: Network) -> list[str]:
    """Return the names of the symbolic sizes of a network, without T.

    >>> from symbptt.model import Network, cell, loss, whole
    >>> n, m, T = whole("n", "hidden"), whole(3, "inputs"), whole(2, "steps")
    >>> size_names(Network(cell("tanh"), n, m, None, None, loss("mse", None), "sum", T))
    ['n']
    """
    system = network.system
    shaped = [*system.variables.values(), *system.parameters.values()]
    sizes = [s for leaf in shaped for s in A.shape_of(leaf)]
    sizes += [s for s in (network.hidden, network.inputs, network.outputs) if s is not None]
    sizes += [s for _, s in network.sizes]
    return sorted({s.name for size in sizes for s in size.free_symbols if isinstance(s, Symbol)})


def choose_bindings(
    network: Network, rng: Any, sizes: Mapping[str, int] | None, steps: int | None, values: Mapping[str, Any]
) -> dict[str, int]:
    """Return an integer for every symbolic size and for a symbolic T: as given, as the values have it, or random."""
    found = {**implied(network, values), **{str(k): int(v) for k, v in (sizes or {}).items()}}
    chosen = {n: found.get(n) or int(rng.integers(SIZES[0], SIZES[1] + 1)) for n in size_names(network)}
    total = network.system.steps
    if isinstance(total, Symbol):
        chosen[total.name] = steps or found.get(total.name) or int(rng.integers(STEPS[0], STEPS[1] + 1))
    elif steps is not None and steps != int(total):
        raise ValueInputError(f"the network has {total} steps, not {steps}")
    return chosen


def implied(network: Network, values: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes and T that the shapes of given values show."""
    found: dict[str, int] = {}
    system = network.system
    for key, value in values.items():
        shape: tuple[Any, ...] = np.shape(value)
        symbol = _symbol(system, key)
        if key in (*system.inputs, *system.fixed) and shape:
            if isinstance(system.steps, Symbol) and not (key in system.targets and system.reduction == "last"):
                found[system.steps.name] = shape[0]
            shape = shape[1:]
        wanted = _shape(symbol)
        if len(wanted) == len(shape):
            found.update({w.name: s for w, s in zip(wanted, shape, strict=True) if isinstance(w, Symbol)})
    return found


def _symbol(system: System, key: str) -> Any:
    known: dict[str, Any] = dict(system.parameters)
    known.update({n: system.variables[n] for n in (*system.inputs, *system.fixed)})
    known.update({f"{s}0": system.variables[s] for s in system.states})
    if key not in known:
        raise ValueInputError(f"{key!r} is no parameter, input, target or initial state{nearest(key, known)}")
    return known[key]


def _shape(leaf: Any) -> tuple[Any, ...]:
    """Return (), (n,) or (rows, columns)."""
    shape = A.shape_of(leaf)
    return shape[:1] if shape and _rank(leaf) == 1 else shape


def _rank(leaf: Any) -> int:
    return int(leaf.rank) if hasattr(leaf, "rank") else 0


class Draw:
    """Draws or takes the numbers of one instance.

    Parameters
    ----------
    system : System
    domain : NumberDomain
        Knows the sizes and T.
    rng : numpy.random.Generator
    values : mapping
        Canonical key -> number, list or array, for what is given.
    positive : bool
        Draw no negative numbers.
    """

    def __init__(
        self, system: System, domain: Any, rng: Any, values: Mapping[str, Any], positive: bool = False
    ) -> None:
        self.system, self.domain, self.rng, self.values, self.positive = system, domain, rng, values, positive
        self.steps = domain.size(system.steps)
        for key in values:
            _symbol(system, key)

    def all(self) -> dict[Key, Array]:
        """Return parameters, inputs and targets at every step, and initial states."""
        system = self.system
        result: dict[Key, Array] = {(key, None): self._parameter(key, p) for key, p in system.parameters.items()}
        for state in system.states:
            result[state, self.domain.size(system.start_of(state))] = self._initial(state)
        for name in (*system.inputs, *system.fixed):
            rows = self._over_time(name)
            result.update({(name, t): rows[t - 1] for t in range(1, self.steps + 1)})
        return result

    def shape(self, leaf: Any) -> tuple[int, ...]:
        """Return the shape of the array of a leaf."""
        return tuple(self.domain.size(s) for s in _shape(leaf))

    def _normal(self, shape: tuple[int, ...], scale: float = 1.0) -> Array:
        drawn = scale * self.rng.standard_normal(shape)
        return np.abs(drawn) if self.positive else drawn

    def _parameter(self, key: str, leaf: Any) -> Array:
        shape = self.shape(leaf)
        if key in self.values:
            return self._given(key, shape)
        if not shape:
            return np.asarray(self.rng.uniform(0.2, 0.9))[()]
        return self._normal(shape, 0.7 / np.sqrt(shape[1]) if len(shape) == 2 else 0.5)

    def _initial(self, state: str) -> Array:
        shape = self.shape(self.system.variables[state])
        if f"{state}0" in self.values:
            return self._given(f"{state}0", shape)
        return np.zeros(shape) if self.values else self._normal(shape, 0.5)

    def _over_time(self, name: str) -> Array:
        shape = self.shape(self.system.variables[name])
        if name in self.values:
            return self._given_over_time(name, shape)
        if name == "mask" and self.system.loss_steps:
            return np.array(mask_of(self.system, self.steps), dtype=float)
        return np.array([self._row(name, shape) for _ in range(self.steps)])

    def _row(self, name: str, shape: tuple[int, ...]) -> Array:
        if name == "mask" and self.system.masked:
            return self.rng.uniform(0.2, 1.5)
        drawn, kind = self._normal(shape), self.system.targets.get(name, "real")
        if kind == "real":
            return drawn
        if kind == "unit":
            return self.rng.uniform(0.1, 0.9, shape)
        powers = np.exp(drawn)
        return powers / powers.sum(-1, keepdims=True)

    # -- given numbers --------------------------------------------------------------------------------
    def _given(self, key: str, shape: tuple[int, ...]) -> Array:
        value = floats(key, self.values[key])
        if self.system.layout == ROWS and (1, *value.shape) == shape:
            return value[None, :]  # a row is given as a list
        if value.shape == shape or (value.size == 1 and np.prod(shape, dtype=int) == 1):
            return value.reshape(shape)[()]
        raise ValueInputError(f"{key} must have shape {shape}, not {value.shape}")

    def _given_over_time(self, name: str, shape: tuple[int, ...]) -> Array:
        value, whole = floats(name, self.values[name]), (self.steps, *shape)
        last = name in self.system.targets and self.system.reduction == "last"
        if self.system.targets.get(name) == "distribution":
            value = self._distribution(name, value, shape, last)
        if last and value.shape == shape:
            return np.broadcast_to(value, whole)  # the target of the last step alone
        if value.shape == whole or (value.size == self.steps and np.prod(shape, dtype=int) == 1):
            return value.reshape(whole)
        raise ValueInputError(f"{name} must have shape {whole}, not {value.shape}")

    def _distribution(self, name: str, value: Array, shape: tuple[int, ...], last: bool) -> Array:
        rows = value.ndim > len(shape) or (last and value.shape == shape and np.isclose(value.sum(-1), 1).all())
        value = value if rows else self._one_hot(name, value, shape[-1])
        if (value < 0).any() or not np.allclose(value.sum(axis=-1), 1, rtol=0, atol=1e-9):
            raise ValueInputError(f"{name}: each must be non-negative and sum to 1, or be a class index")
        return value

    @staticmethod
    def _one_hot(name: str, indices: Array, count: int) -> Array:
        whole = indices.astype(int)
        if (whole != indices).any() or (whole < 0).any() or (whole >= count).any():
            raise ValueInputError(f"{name}: class indices must be integers from 0 to {count - 1}")
        return np.eye(count)[whole]


def floats(key: str, value: Any) -> Array:
    """Return numbers (fractions and SymPy's included) as an array of floats.

    >>> import sympy
    >>> floats("W_h", [sympy.Rational(1, 2), 2])
    array([0.5, 2. ])
    """
    try:
        result = np.array(value, dtype=object).astype(float)
    except (TypeError, ValueError) as error:
        raise ValueInputError(f"{key}: numbers are needed ({error})") from None
    if not np.isfinite(result).all():
        raise ValueInputError(f"{key}: all numbers must be finite")
    return result
