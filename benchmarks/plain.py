"""What a network cannot do without, its matrix products alone; and the way of most tutorials, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .by_hand import rows
from .cases import Case

Array = Any
Params = dict[str, Array]


def products(case: Case, p: Params, x: Array) -> Callable[[], None]:
    """Return a function that computes the products of a gradient, and nothing else, into arrays that are there.

    W_x x and W_y h of all steps, the gradient by h, and the gradients of three matrices are one product each. The
    recurrent products of a batch are made step by step; those of one sequence are stacked as well, because the
    product of one vector takes the time of a call.
    """
    Wx, Wh, Wy = p["Wx"], p["Wh"], p["Wy"]
    rng, flat = np.random.default_rng(0), rows(x)
    h = rng.normal(size=(len(flat), Wh.shape[1]))
    d, da = rng.normal(size=(len(flat), len(Wh))), rng.normal(size=(len(flat), len(Wy)))
    z, a, dh = np.empty_like(d), np.empty_like(da), np.empty_like(h)
    dWx, dWh, dWy = np.empty_like(Wx), np.empty_like(Wh), np.empty_like(Wy)
    stacked = [(flat, Wx.T, z), (h, Wy.T, a), (da, Wy, dh), (d.T, flat, dWx), (d.T, h, dWh), (da.T, h, dWy)]
    if case.B is None:
        stacked += [(h, Wh.T, z), (d, Wh, dh)]
        each = []
    else:
        one, back = np.empty((case.B, len(Wh))), np.empty((case.B, Wh.shape[1]))
        each = [(h_t, Wh.T, one) for h_t in h.reshape(case.T, case.B, -1)]
        each += [(d_t, Wh, back) for d_t in d.reshape(case.T, case.B, -1)]

    def run() -> None:
        dot = np.dot
        for left, right, out in stacked:
            dot(left, right, out)
        for left, right, out in each:
            dot(left, right, out)

    return run


def per_step(case: Case, p: Params, x: Array, target: Array) -> tuple[float, tuple[Array, ...]]:
    """Compute everything step by step, and add up the outer products, as in min-char-rnn."""
    forward, backward = STEPS[case.cell]
    Wy, by = p["Wy"], p["by"]
    state: tuple[Array, ...] = tuple(
        np.zeros((*x.shape[1:-1], p["Wh"].shape[1])) for _ in range(1 + (case.cell == "lstm"))
    )
    kept, ys, hs, loss = [], [], [], 0.0
    for t in range(len(x)):
        before = state
        state, stored = forward(p, x[t], before)
        kept.append((before, stored))
        hs.append(state[0])
        a = state[0] @ Wy.T + by
        e = np.exp(a - a.max(-1, keepdims=True))
        y = e / e.sum(-1, keepdims=True)
        picked = (target[t],) if y.ndim == 1 else (np.arange(len(y)), target[t])
        loss -= np.log(y[picked]).sum()
        y[picked] -= 1
        ys.append(y)
    grads = {key: np.zeros_like(value) for key, value in p.items()}
    carry = tuple(np.zeros_like(part) for part in state)
    for t in reversed(range(len(x))):
        grads["Wy"] += outer(ys[t], hs[t])
        grads["by"] += total(ys[t])
        carry = backward(p, x[t], *kept[t], ys[t] @ Wy + carry[0], carry[1:], grads)
    return float(loss), tuple(grads[key] for key in ("Wx", "Wh", "b", "Wy", "by", *(["bhh"] if "bhh" in p else [])))


def outer(d: Array, v: Array) -> Array:
    return np.outer(d, v) if d.ndim == 1 else d.T @ v


def total(d: Array) -> Array:
    return d if d.ndim == 1 else d.sum(0)


def sigmoid(u: Array) -> Array:
    return 1 / (1 + np.exp(-u))


def _add(grads: Params, d: Array, x: Array, h: Array) -> None:
    grads["Wx"] += outer(d, x)
    grads["Wh"] += outer(d, h)
    grads["b"] += total(d)


def _tanh(p: Params, x: Array, state: Any) -> Any:
    h = np.tanh(x @ p["Wx"].T + state[0] @ p["Wh"].T + p["b"])
    return (h,), h


def _tanh_back(p: Params, x: Array, before: Any, h: Array, dh: Array, more: Any, grads: Params) -> Any:
    dz = (1 - h * h) * dh
    _add(grads, dz, x, before[0])
    return (dz @ p["Wh"],)


def _lstm(p: Params, x: Array, state: Any) -> Any:
    h, c = state
    i, f, g, o = np.split(x @ p["Wx"].T + h @ p["Wh"].T + p["b"], 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c + i * g
    return (o * np.tanh(c), c), (i, f, g, o, np.tanh(c))


def _lstm_back(p: Params, x: Array, before: Any, stored: Any, dh: Array, more: Any, grads: Params) -> Any:
    i, f, g, o, tanh_c = stored
    dc = more[0] + dh * o * (1 - tanh_c**2)
    di, df, dg, do = dc * g * i * (1 - i), dc * before[1] * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)
    d = np.concatenate([di, df, dg, do], axis=-1)
    _add(grads, d, x, before[0])
    return d @ p["Wh"], dc * f


def _gru(p: Params, x: Array, state: Any) -> Any:
    (h,) = state
    r, z, g = np.split(x @ p["Wx"].T + p["b"], 3, axis=-1)
    r_h, z_h, u = np.split(h @ p["Wh"].T, 3, axis=-1)
    r, z, u = sigmoid(r + r_h), sigmoid(z + z_h), u + p["bhh"]
    g = np.tanh(g + r * u)
    return ((1 - z) * g + z * h,), (r, z, g, u)


def _gru_back(p: Params, x: Array, before: Any, stored: Any, dh: Array, more: Any, grads: Params) -> Any:
    (h,), (r, z, g, u) = before, stored
    dg = dh * (1 - z) * (1 - g**2)
    dr, dz, du = dg * u * r * (1 - r), dh * (h - g) * z * (1 - z), dg * r
    d, recurrent = np.concatenate([dr, dz, dg], axis=-1), np.concatenate([dr, dz, du], axis=-1)
    grads["Wx"] += outer(d, x)
    grads["b"] += total(d)
    grads["Wh"] += outer(recurrent, h)
    grads["bhh"] += total(du)
    return (recurrent @ p["Wh"] + dh * z,)


STEPS = {"tanh": (_tanh, _tanh_back), "lstm": (_lstm, _lstm_back), "gru": (_gru, _gru_back)}
