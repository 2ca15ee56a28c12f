"""The tanh network of one sequence in plain loops, for a compiler."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def tanh_loops(Wx: Array, Wh: Array, b: Array, Wy: Array, by: Array, x: Array, target: Array) -> Any:
    """Return the loss and the gradients; every sum is over rows, so that it runs along memory."""
    T, m = x.shape
    n, q = Wh.shape[0], Wy.shape[0]
    h, dh, da = np.zeros((T + 1, n)), np.zeros(n), np.empty((T, q))
    loss = 0.0
    for t in range(T):
        for i in range(n):
            z = b[i]
            for j in range(m):
                z += Wx[i, j] * x[t, j]
            for j in range(n):
                z += Wh[i, j] * h[t, j]
            h[t + 1, i] = np.tanh(z)
        top = -np.inf
        for i in range(q):
            a = by[i]
            for j in range(n):
                a += Wy[i, j] * h[t + 1, j]
            da[t, i] = a
            top = max(top, a)
        loss -= da[t, target[t]] - top
        total = 0.0
        for i in range(q):
            da[t, i] = np.exp(da[t, i] - top)
            total += da[t, i]
        loss += np.log(total)
        for i in range(q):
            da[t, i] /= total
        da[t, target[t]] -= 1
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dWy, dby = np.zeros_like(Wy), np.zeros_like(by)
    for t in range(T - 1, -1, -1):
        for i in range(q):
            d = da[t, i]
            dby[i] += d
            for j in range(n):
                dWy[i, j] += d * h[t + 1, j]
                dh[j] += d * Wy[i, j]
        carry = np.zeros(n)
        for i in range(n):
            d = (1 - h[t + 1, i] * h[t + 1, i]) * dh[i]
            db[i] += d
            for j in range(m):
                dWx[i, j] += d * x[t, j]
            for j in range(n):
                dWh[i, j] += d * h[t, j]
                carry[j] += d * Wh[i, j]
        dh = carry
    return loss, (dWx, dWh, db, dWy, dby)
