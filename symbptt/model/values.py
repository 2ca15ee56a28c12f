"""Given numbers: from what a user writes to figures at every leaf of a network, each checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sympy import Basic, Integer

from .. import algebra as A
from ..algebra.figures import Figure
from ..errors import SizeError, UnknownNameError, ValueInputError, nearest
from .network import Network
from .rows import ROWS
from .system import System


def freeze(given: Any) -> Any:
    """Turn nested lists and arrays into nested tuples, so that values can be hashed and compared."""
    if isinstance(given, np.ndarray):
        return freeze(given.tolist())
    if isinstance(given, Mapping):
        return tuple((str(k), freeze(v)) for k, v in given.items())
    return tuple(map(freeze, given)) if isinstance(given, list | tuple) else given


def known_keys(system: System) -> list[str]:
    """Return the keys that can be given: parameters, inputs, initial states and the target."""
    keys = [*system.parameters, *system.inputs, *(f"{s}0" for s in system.states)]
    return [*keys, *system.fixed, *directions(system)]


def directions(system: System) -> dict[str, str]:
    """Return the keys of a direction in parameter space, ``V_W_h``, each with its parameter; all of them optional."""
    return {f"V_{key}": key for key in system.parameters if f"V_{key}" not in system.parameters}


def mask_of(system: System, steps: int) -> list[int]:
    """Return the mask of a network that says which steps count: 1 at those, 0 at all others."""
    return [int(step in system.loss_steps) for step in range(1, steps + 1)]


def with_steps(network: Network, values: Mapping[str, Any], steps: int | None = None) -> Network:
    """Return the network with T settled: by ``steps``, by itself, or by the length of the given inputs.

    Raises
    ------
    SizeError
        When ``steps`` goes beyond the given inputs.
    """
    if steps is None and network.steps.is_Integer:
        return network
    lengths = {
        k: n
        for k in (*network.system.inputs, *network.system.fixed)
        if (n := _length(network.system, k, values)) is not None
    }
    if steps is not None:
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise SizeError(f"steps must be a positive integer, not {steps!r}")
        short = next((k for k, n in lengths.items() if n < steps), None)
        if short is not None:
            raise SizeError(f"steps={steps}, but {short} is given for {lengths[short]} steps only; give more of it")
        return replace(network, steps=Integer(steps))
    if not lengths:
        raise SizeError("the number of steps is open: give steps, or inputs for every step")
    if len(set(lengths.values())) > 1:
        shown = " and ".join(f"{k} for {n} steps" for k, n in lengths.items())
        raise ValueInputError(f"{shown} are given; make them equally long, or say steps")
    return replace(network, steps=Integer(min(lengths.values())))


def _length(system: System, key: str, values: Mapping[str, Any]) -> int | None:
    """The number of steps for which a key is given, or None where it is constant or not given."""
    given = values.get(key)
    if given is None or key not in system.variables or (key in system.targets and system.reduction == "last"):
        return None
    array = np.asarray(given, dtype=object)
    depth = _depth(system, key)
    return array.shape[0] if array.ndim == depth + 1 else None


def _depth(system: System, key: str) -> int:
    if system.scalar:
        return 0
    if system.targets.get(key) == "distribution" and system.layout != ROWS:
        return 1
    return A.rank_of(system.at(key))


def figures_of(network: Network, values: Mapping[str, Any]) -> dict[Basic, Any]:
    """Return a figure or an array of figures for every leaf that was given, initial states zero by default.

    Parameters
    ----------
    network : Network
        With a concrete T.
    values : mapping
        Key -> number, list or nested list; inputs and targets by step, or one constant for all steps.

    Raises
    ------
    UnknownNameError
        For a key that the network does not have.
    ValueInputError
        For a value that is missing, no finite number, of the wrong shape, or out of range.
    """
    system = network.system
    keys = known_keys(system)
    for key in values:
        if key not in keys:
            raise UnknownNameError(f"value for {key!r}: the model has no such name{nearest(key, keys)}")
    if system.loss_steps and "mask" not in values:
        values = {**values, "mask": mask_of(system, int(system.steps))}
    moved = directions(system)
    missing = [k for k in keys if k not in values and not k.endswith("0") and k not in moved]
    if missing:
        raise ValueInputError(
            f"a value is missing for {', '.join(missing)}; give it with --set {missing[0]}=... or in the file"
        )
    found: dict[Basic, Any] = {}
    for key, symbol in system.parameters.items():
        found[symbol] = _array(key, values[key], _shape(system, symbol), system.layout == ROWS)
    if any(key in values for key in moved):
        for key, parameter in moved.items():
            symbol = system.parameters[parameter]
            shape = _shape(system, symbol)
            given = values.get(key)
            found[A.tangent_of(symbol)] = _zeros(system, shape) if given is None else _array(key, given, shape)
    for state in system.states:
        shape = _shape(system, system.at(state))
        given = values.get(f"{state}0")
        found[system.at(state, system.start_of(state))] = (
            _zeros(system, shape) if given is None else _array(f"{state}0", given, shape)
        )
    for key in (*system.inputs, *system.fixed):
        found.update(_by_step(network, key, values[key]))
    return found


def _zeros(system: System, shape: tuple[int, ...]) -> Any:
    zero = Figure.parse("0.0") if system.scalar else Figure.parse(0)
    array = np.empty(shape, dtype=object)
    array.fill(zero)
    return array


def _shape(system: System, leaf: Basic) -> tuple[int, ...]:
    sizes = A.shape_of(leaf)
    if not all(s.is_Integer for s in sizes):
        open_size = next(s for s in sizes if not s.is_Integer)
        wanted = "hidden, inputs, outputs and batch" if system.layout == ROWS else "hidden, inputs and outputs"
        raise ValueInputError(f"numbers need concrete sizes: {open_size} is a symbol; give {wanted} as integers")
    whole = tuple(int(s) for s in sizes)
    return whole[:1] if A.rank_of(leaf) == 1 else whole


def _array(key: str, given: Any, shape: tuple[int, ...], in_rows: bool = False) -> Any:
    """Return an object array of figures; a number is taken for an array of one entry, and in rows a list for a row."""
    raw = np.asarray(given, dtype=object)
    if raw.size == 1 and int(np.prod(shape)) == 1:
        raw = raw.reshape(shape)
    if in_rows and (1, *raw.shape) == shape:
        raw = raw[None, :]
    if raw.shape != shape:
        needed = shape[1:] if in_rows and shape[:1] == (1,) else shape
        wanted = "a number" if int(np.prod(shape)) == 1 else " x ".join(map(str, needed))
        raise ValueInputError(f"value for {key!r} has shape {raw.shape}, but {wanted} is needed")
    figures = np.empty(shape, dtype=object)
    for where, entry in np.ndenumerate(raw):
        try:
            figures[where] = Figure.parse(entry)
        except ValueInputError as error:
            raise ValueInputError(f"value for {key!r}: {error}") from None
    return figures if shape else figures[()]


def _by_step(network: Network, key: str, given: Any) -> dict[Basic, Any]:
    system = network.system
    count = int(system.steps)
    last_only = key in system.targets and system.reduction == "last"
    steps = [count] if last_only else range(1, count + 1)
    shape = _shape(system, system.at(key))
    raw = np.asarray(given, dtype=object)
    classes = _is_classes(system, key, raw) and raw.ndim == 1 + (system.layout == ROWS)
    by_step = raw.ndim == _depth(system, key) + 1 or classes
    if by_step and not (last_only and raw.shape[0] == 1) and raw.shape[0] < count:
        raise ValueInputError(f"{key} is given for {raw.shape[0]} steps, but T = {count}")
    found = {}
    for t in steps:
        entry = raw[min(t, raw.shape[0]) - 1] if by_step else raw
        found[system.at(key, Integer(t))] = (
            _target(system, key, entry, shape, t) if key in system.targets else _array(key, entry, shape)
        )
    return found


def _is_classes(system: System, key: str, raw: Any) -> bool:
    axes = 1 + (system.layout == ROWS)
    return system.targets.get(key) == "distribution" and raw.ndim <= axes and _all_integers(raw)


def _all_integers(raw: Any) -> bool:
    return all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in raw.ravel())


def _target(system: System, key: str, entry: Any, shape: tuple[int, ...], t: int) -> Any:
    raw = np.asarray(entry, dtype=object)
    kind = system.targets[key]
    if kind == "distribution" and raw.ndim == 0 and len(shape) == 1:
        return _one_hot(key, entry, shape[0], t)
    if kind == "distribution" and raw.shape == shape[:1] and len(shape) == 2:
        return np.array([_one_hot(key, one, shape[1], t) for one in raw], dtype=object)
    figures = _array(key, entry, shape)
    entries = list(figures.ravel()) if shape else [figures]
    if kind == "distribution":
        for row in figures if len(shape) == 2 else [entries]:
            total = sum(row[1:], start=row[0])
            if abs(float(total) - 1) > 1e-9 or min(map(float, row)) < 0:
                raise ValueInputError(
                    f"{key} at step {t} sums to {total}; a distribution must sum to 1 and not be negative"
                )
    if kind == "unit" and not all(0 <= float(v) <= 1 for v in entries):
        raise ValueInputError(f"{key} at step {t} must lie between 0 and 1")
    return figures


def _one_hot(key: str, entry: Any, classes: int, t: int) -> Any:
    if not isinstance(entry, int | np.integer) or isinstance(entry, bool) or not 0 <= entry < classes:
        raise ValueInputError(
            f"{key} class {entry!r} at step {t} is out of range; with {classes} outputs it is 0 to {classes - 1}"
        )
    figures = np.empty((classes,), dtype=object)
    figures.fill(Figure.parse(0))
    figures[int(entry)] = Figure.parse(1)
    return figures


# -- from one layout to another -----------------------------------------------------------------------


def laid_out(network: Network, values: Mapping[str, Any], layout: str) -> dict[str, Any]:
    """Return given values in the shapes of another layout; from columns to rows as a batch of one.

    Parameters
    ----------
    network : Network
        In its own layout.
    values : mapping
        In the shapes of that layout.
    layout : {"columns", "rows"}

    Raises
    ------
    ValueInputError
        For a batch of several examples, which has no form in columns.
    """
    system = network.system
    if system.scalar or layout == network.layout or not values:
        return dict(values)
    if layout != ROWS and network.batch != 1:
        raise ValueInputError(f"a batch of {network.batch} examples has no values in columns; give values={{}}")
    return {key: _laid_out(system, key, np.asarray(given, dtype=object)) for key, given in values.items()}


def _laid_out(system: System, key: str, given: Any) -> Any:
    to_rows = system.layout != ROWS
    if key in system.parameters:
        return (given.T if given.ndim == 2 else given).tolist()
    axes = A.rank_of(system.at(key if key in system.variables else key[:-1]))
    axis = given.ndim - axes
    if _is_classes(system, key, given):
        axis = given.ndim - (not to_rows)
    return (np.expand_dims(given, axis) if to_rows else given.take(0, axis)).tolist()
