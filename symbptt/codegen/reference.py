"""Backpropagation through time of an Elman network, plainly written by hand: what the generated code is held against.

Nothing here comes from :mod:`symbptt.derive`: one sample and one step at a time, with outer products, as in textbooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model import ACTIVATIONS, LOSSES, Elman, Network

Array = Any


def _sigmoid(u: Array) -> Array:
    return 1 / (1 + np.exp(-u))


def _gelu_slope(u: Array) -> Array:
    c = np.sqrt(2 / np.pi)
    th = np.tanh(c * (u + 0.044715 * u**3))
    return (1 + th) / 2 + u / 2 * (1 - th**2) * c * (1 + 3 * 0.044715 * u**2)


FUNCTIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda u: 1 - np.tanh(u) ** 2),
    "sigmoid": (_sigmoid, lambda u: _sigmoid(u) * (1 - _sigmoid(u))),
    "relu": (lambda u: np.where(u > 0, u, 0.0), lambda u: np.where(u > 0, 1.0, 0.0)),
    "leaky_relu": (lambda u: np.where(u > 0, u, u / 100), lambda u: np.where(u > 0, 1.0, 0.01)),
    "linear": (lambda u: u, lambda u: np.ones_like(u)),
    "softplus": (lambda u: np.log(1 + np.exp(u)), _sigmoid),
    "elu": (lambda u: np.where(u > 0, u, np.exp(u) - 1), lambda u: np.where(u > 0, 1.0, np.exp(u))),
    "gelu": (lambda u: u / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u**3))), _gelu_slope),
    "silu": (lambda u: u * _sigmoid(u), lambda u: _sigmoid(u) * (1 + u * (1 - _sigmoid(u)))),
}
"""Activation -> its value and its derivative."""


def _softmax(a: Array) -> Array:
    e = np.exp(a - np.max(a))
    return e / np.sum(e)


LOSSES_AT_OUTPUT: dict[str, tuple[Callable[[Array, Array], Any], Callable[[Array, Array], Array]]] = {
    "half_squared_error": (lambda y, g: np.sum((y - g) ** 2) / 2, lambda y, g: y - g),
    "squared_error": (lambda y, g: np.sum((y - g) ** 2), lambda y, g: 2 * (y - g)),
    "mse": (lambda y, g: np.mean((y - g) ** 2), lambda y, g: 2 * (y - g) / y.size),
    "cross_entropy": (lambda y, g: -np.sum(g * np.log(y)), lambda y, g: -g / y),
    "binary_cross_entropy": (
        lambda y, g: -np.sum(g * np.log(y) + (1 - g) * np.log(1 - y)),
        lambda y, g: (1 - g) / (1 - y) - g / y,
    ),
}
"""Loss -> its value and its gradient by the output, at an output and a target."""

READOUTS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "linear": (lambda a: a, lambda y: np.eye(len(y))),
    "sigmoid": (_sigmoid, lambda y: np.diag(y * (1 - y))),
    "softmax": (_softmax, lambda y: np.diag(y) - np.outer(y, y)),
}
"""Readout -> its function, and its Jacobian in terms of its value."""


def is_elman(network: Network) -> bool:
    """Whether the network is of the kind that :func:`reference_bptt` is written for."""
    known = any(network.cell == Elman(activation) for activation in ACTIVATIONS)
    return known and network.loss in LOSSES.values() and not network.masked and not network.heads


def reference_bptt(
    network: Network, params: Mapping[str, Any], x: Any = None, target: Any = None, h0: Any = None
) -> dict[str, Any]:
    """Return the loss (as ``"loss"``) and the gradients by parameters, ``x`` and ``h0``, summed over the batch.

    Parameters
    ----------
    network : Network
        With an Elman cell of the catalogue, and a loss of the catalogue.
    params : mapping
        Key -> array; a bias that is not there is zero.
    x : array
        (T, m) or (T, B, m); None where the network has no input.
    target : array
        (T, q) or (T, B, q), of every step also with ``reduction="last"``.
    h0 : array, optional
        (n,) or (B, n); zero by default.

    Raises
    ------
    TypeError
        For another network.
    """
    if not is_elman(network):
        raise TypeError(f"the reference knows Elman cells of the catalogue with its losses, not {network.cell.name!r}")
    target = np.asarray(target, dtype=float)
    size = np.shape(params["W_h"])[0]
    if target.ndim == 2:
        return _Sample(network, params, x, target, np.zeros(size) if h0 is None else np.asarray(h0)).gradients()
    batch = target.shape[1]
    starts = np.zeros((batch, size)) if h0 is None else np.broadcast_to(h0, (batch, size))
    inputs = [None if x is None else np.asarray(x)[:, b] for b in range(batch)]
    parts = [_Sample(network, params, inputs[b], target[:, b], starts[b]).gradients() for b in range(batch)]
    total = {key: sum(part[key] for part in parts) for key in parts[0] if key not in ("x", "h0")}
    return {**total, "x": np.stack([p["x"] for p in parts], 1), "h0": np.stack([p["h0"] for p in parts])}


@dataclass
class _Sample:
    """One sequence."""

    network: Network
    params: Mapping[str, Any]
    x: Any
    target: Array
    h0: Array

    def gradients(self) -> dict[str, Any]:
        """Forward, and back again."""
        f, slope = FUNCTIONS[self.network.cell.name]
        W_h, T = np.asarray(self.params["W_h"], dtype=float), len(self.target)
        W_x = np.asarray(self.params.get("W_x", np.zeros((len(W_h), 1))), dtype=float)
        x = np.zeros((T, 1)) if self.x is None else np.asarray(self.x, dtype=float)
        b_h = self.params.get("b_h", np.zeros(len(W_h)))
        hs, zs = [np.asarray(self.h0, dtype=float)], []
        for t in range(T):
            zs.append(W_h @ hs[-1] + W_x @ x[t] + b_h)
            hs.append(f(zs[-1]))
        out = self._loss(hs)
        grads = {"W_h": np.zeros_like(W_h), "W_x": np.zeros_like(W_x), "b_h": np.zeros(len(W_h)), "x": np.zeros_like(x)}
        later = np.zeros(len(W_h))
        for t in reversed(range(T)):
            dz = slope(zs[t]) * (out["h"][t] + later)
            grads["W_h"] += np.outer(dz, hs[t])
            grads["W_x"] += np.outer(dz, x[t])
            grads["b_h"] += dz
            grads["x"][t] = W_x.T @ dz
            later = W_h.T @ dz
        del out["h"]
        return {**grads, **out, "h0": later}

    def _loss(self, hs: list[Array]) -> dict[str, Any]:
        """The loss, and its direct gradients by the states and the readout."""
        T, reduction = len(self.target), self.network.reduction
        weights = {"sum": np.ones(T), "mean": np.ones(T) / T, "last": np.eye(T)[-1]}[reduction]
        out: dict[str, Any] = {"loss": 0.0, "h": [], "W_y": 0.0, "b_y": 0.0}
        for t in range(T):
            loss, dh, dW, db = self._step(hs[t + 1], self.target[t])
            out["loss"] += weights[t] * loss
            out["h"].append(weights[t] * dh)
            out["W_y"] += weights[t] * dW
            out["b_y"] += weights[t] * db
        return out

    def _step(self, h: Array, target: Array) -> tuple[Any, Array, Array, Array]:
        value, gradient = LOSSES_AT_OUTPUT[self.network.loss.name]
        if self.network.readout is None:
            return value(h, target), gradient(h, target), np.zeros(1), np.zeros(1)
        g, jacobian = READOUTS[self.network.readout]
        W_y = np.asarray(self.params["W_y"], dtype=float)
        y = g(W_y @ h + self.params.get("b_y", np.zeros(len(W_y))))
        da = jacobian(y).T @ gradient(y, target)
        return value(y, target), W_y.T @ da, np.outer(da, h), da
