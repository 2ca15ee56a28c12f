"""Saliency in numbers: the derivative of every loss or output by every input, in one call of the generated function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .. import algebra as A
from ..errors import RefusedError, UnknownNameError, ValueInputError, nearest
from ..model import Loss, Network
from ..model.values import figures_of
from .bptt import compile_network
from .checks import Array
from .cotangents import OUTPUT


def saliency_norms(network: Network, values: Mapping[str, Any], of: str = "l", by: str = "x") -> Array:
    """Return ||dl_s/dx_t||, or the Frobenius norm of dy_s/dx_t, as an array (T, T): row s - 1, column t - 1.

    Parameters
    ----------
    network : Network
        With a concrete T.
    values : mapping
        Key -> numbers, as in a model file.
    of, by : str

    Notes
    -----
    The sequence is given as a batch of copies; the mask of each counts the loss of one step alone. For an output there
    is a copy for each step and component, and the loss is that component.
    """
    system = network.system
    if by not in system.inputs:
        raise UnknownNameError(f"saliency: {by!r} is no input of the model{nearest(by, system.inputs)}")
    if network.heads:
        raise RefusedError("norms of saliency are there for one readout; take one of them alone")
    if of not in ("l", "y", system.prediction):
        raise UnknownNameError(f"saliency of {of!r}: give 'l' or 'y'")
    if of == "l" and system.reduction == "last":
        raise RefusedError("with reduction='last' only step T has a loss; take saliency of 'y', or reduction='sum'")
    if of != "l" and A.rank_of(system.at(system.prediction)) == 2:
        raise RefusedError(f"the output {system.prediction} is a matrix; take saliency of 'l'")
    steps = int(system.steps)
    data = _arrays(network, values, of)
    size = 1 if of == "l" else int(np.size(data["output"]))
    copies = steps * size
    mask = np.repeat(np.eye(steps), size, axis=1)
    probe = replace(network, reduction="sum", mask=True, loss_steps=())
    target: Array | None = None
    if of != "l":
        probe = replace(probe, loss=OUTPUT)
        rows = np.ones(copies) if system.scalar else np.tile(np.eye(size), (steps, 1))
        target = np.broadcast_to(rows, (steps, *rows.shape))
    else:
        mask = mask * np.asarray(data.get("mask", np.ones(steps)))[:, None]
        target = _copied(data["target"], copies) if "target" in data else None
    inputs = {name: _copied(data[name], copies) for name in system.inputs}
    states = {state: data[f"{state}0"] for state in system.states}
    params = {key: data[key] for key in system.parameters}
    out = compile_network(probe)(params, inputs, target, initial=states, steps=steps, mask=mask, wrt=[by])
    grads = np.asarray(out.grads[by]).reshape(steps, steps, size, -1)  # input step, step, component, entry
    return np.sqrt((grads**2).sum((2, 3))).T


def _copied(rows: Array, copies: int) -> Array:
    return np.repeat(np.asarray(rows)[:, None], copies, axis=1)


def _arrays(network: Network, values: Mapping[str, Any], of: str) -> dict[str, Array]:
    """Return the given numbers as arrays by key, time first, and an output for its size."""
    system = network.system
    needed = {**values}
    if of != "l":
        needed = {k: v for k, v in values.items() if k not in system.fixed}
        network = replace(network, loss=Loss("sum({y})", "output"), mask=False, loss_steps=(), reduction="sum")
    system = network.system
    figures = figures_of(network, needed)
    steps = range(1, int(system.steps) + 1)
    found = {key: _floats(figures[leaf], system.scalar) for key, leaf in system.parameters.items()}
    found.update({f"{s}0": _floats(figures[system.at(s, system.start)], system.scalar) for s in system.states})
    for name in (*system.inputs, *system.fixed):
        found[name] = np.array([_floats(figures[system.at(name, A.node(t))], system.scalar) for t in steps])
    shape = [int(s) for s in A.shape_of(system.at(system.prediction))[:1]]
    found["output"] = np.zeros(shape)
    if not all(np.isfinite(value).all() for value in found.values()):
        raise ValueInputError("saliency needs finite numbers")
    return found


def _floats(figures: Any, scalar: bool) -> Array:
    array = np.vectorize(float, otypes=[float])(figures)
    return array.reshape(()) if scalar else array
