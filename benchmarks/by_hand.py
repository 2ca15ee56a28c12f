"""Backpropagation through time in NumPy, written by hand with care: what the generated code is held against.

Input products of all steps before the loop; gates beside each other; a step does only what depends on the recurrence,
into arrays that are there already; each weight gradient is one product of stacked steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = Any


def rows(v: Array) -> Array:
    """Return a stack of vectors as the rows of one matrix."""
    return v.reshape(-1, v.shape[-1])


def blocks(count: int, size: int = 512) -> Iterator[slice]:
    """Yield slices of rows that fit into a cache."""
    return (slice(start, start + size) for start in range(0, count, size))


def inputs(x: Array, W: Array, b: Array) -> Array:
    """Return W x_t + b for all steps."""
    z, x = np.empty((*x.shape[:-1], len(W))), rows(x)
    for part in blocks(len(x)):
        here = rows(z)[part]
        np.dot(x[part], W.T, here)
        here += b
    return z


def readout(Wy: Array, by: Array, h: Array, target: Array) -> tuple[float, Array, Array]:
    """Return the loss, its derivatives by the logits as rows, and by h."""
    loss, da, dh = 0.0, np.empty((target.size, len(by))), np.empty(h.shape)
    h_rows, dh_rows, target = rows(h), rows(dh), target.ravel()
    for part in blocks(target.size):
        a = da[part]
        np.dot(h_rows[part], Wy.T, a)
        a += by
        a -= a.max(-1, keepdims=True)
        picked = np.arange(len(a)), target[part]
        loss -= a[picked].sum()
        np.exp(a, a)
        total = a.sum(-1, keepdims=True)
        loss += np.log(total).sum()
        a /= total
        a[picked] -= 1
        np.dot(a, Wy, dh_rows[part])
    return float(loss), da, dh


def states(x: Array, n: int) -> Array:
    """Return room for the states 0, ..., T; the first is zero."""
    h = np.empty((len(x) + 1, *x.shape[1:-1], n))
    h[0] = 0
    return h


def tanh_batch(p: dict[str, Array], x: Array, target: Array) -> tuple[float, tuple[Array, ...]]:
    """The tanh network over a batch."""
    dot, add, mul, sub, tanh = np.dot, np.add, np.multiply, np.subtract, np.tanh
    Wh, n = p["Wh"], len(p["Wh"])
    WhT, h = np.ascontiguousarray(Wh.T), states(x, n)
    z = inputs(x, p["Wx"], p["b"])
    product = np.empty(z.shape[1:])
    for z_t, before, after in zip(z, h, h[1:], strict=False):
        dot(before, WhT, product)
        add(product, z_t, product)
        tanh(product, after)
    loss, da, dh = readout(p["Wy"], p["by"], h[1:], target)
    carry = np.zeros(z.shape[1:])
    for dh_t, h_t, dz_t in zip(dh[::-1], h[:0:-1], z[::-1], strict=True):
        add(dh_t, carry, dh_t)
        mul(h_t, h_t, dz_t)
        sub(1, dz_t, dz_t)
        mul(dz_t, dh_t, dz_t)
        dot(dz_t, Wh, carry)
    dz = rows(z)
    return loss, (dz.T @ rows(x), dz.T @ rows(h[:-1]), dz.sum(0), da.T @ rows(h[1:]), da.sum(0))


def tanh_single(p: dict[str, Array], x: Array, target: Array) -> tuple[float, tuple[Array, ...]]:
    """The tanh network of one sequence: a step is one product with [h, x, 1] and one call of tanh, likewise back."""
    dot, mul, tanh = np.dot, np.multiply, np.tanh
    (T, m), n = x.shape, len(p["Wh"])
    W = np.concatenate([p["Wh"], p["Wx"], p["b"][:, None]], 1)
    joined = np.empty((T + 1, n + m + 1))
    joined[0, :n], joined[:-1, n:-1], joined[:, -1] = 0, x, 1
    h, z = joined[1:, :n], np.empty(n)
    for before, after in zip(joined, h, strict=False):
        dot(W, before, z)
        tanh(z, after)
    h = np.ascontiguousarray(h)
    loss, da, _ = readout(p["Wy"], p["by"], h, target)
    slopes = h * h
    np.subtract(1, slopes, slopes)
    back = np.concatenate([p["Wh"], p["Wy"]]).T.copy()
    both, dh = np.empty((T + 1, n + len(p["by"]))), np.empty(n)
    both[-1, :n], both[1:, n:] = 0, da
    for late, slope, dz_t in zip(both[:0:-1], slopes[::-1], both[-2::-1, :n], strict=True):
        dot(back, late, dh)
        mul(dh, slope, dz_t)
    dz = np.ascontiguousarray(both[:-1, :n])
    whole = dz.T @ joined[:-1]
    return loss, (whole[:, n:-1], whole[:, :n], whole[:, -1], da.T @ h, da.sum(0))


def lstm(p: dict[str, Array], x: Array, target: Array) -> tuple[float, tuple[Array, ...]]:
    """The LSTM over a batch, with its gates in the order i, f, o, g, so that one call takes the sigmoid of three."""
    dot, add, mul, sub, tanh = np.dot, np.add, np.multiply, np.subtract, np.tanh
    Wh, n = p["Wh"], p["Wh"].shape[1]
    WhT, h, c = np.ascontiguousarray(Wh.T), states(x, n), states(x, n)
    s = inputs(x, p["Wx"], p["b"])
    tanh_c, product, work = np.empty(c[1:].shape), np.empty(s.shape[1:]), np.empty(c.shape[1:])
    gates, i, f, o, g = s[..., : 3 * n], s[..., :n], s[..., n : 2 * n], s[..., 2 * n : 3 * n], s[..., 3 * n :]
    for s_t, h_, c_, gates_t, i_t, f_t, o_t, g_t, c_t, tanh_c_t, h_t in zip(
        s, h, c, gates, i, f, o, g, c[1:], tanh_c, h[1:], strict=False
    ):
        dot(h_, WhT, product)
        add(s_t, product, s_t)
        mul(gates_t, 0.5, gates_t)
        tanh(s_t, s_t)
        mul(gates_t, 0.5, gates_t)
        add(gates_t, 0.5, gates_t)
        mul(f_t, c_, c_t)
        mul(i_t, g_t, work)
        add(c_t, work, c_t)
        tanh(c_t, tanh_c_t)
        mul(o_t, tanh_c_t, h_t)
    loss, da, dh = readout(p["Wy"], p["by"], h[1:], target)
    ds = np.empty(s.shape)
    dgates, di, df, do, dg = ds[..., : 3 * n], ds[..., :n], ds[..., n : 2 * n], ds[..., 2 * n : 3 * n], ds[..., 3 * n :]
    dh_carry, dc = np.zeros(work.shape), np.zeros(work.shape)
    backwards = (dh, ds, gates, dgates, i, f, o, g, di, df, do, dg, c[:-1], tanh_c)
    for dh_t, ds_t, gates_t, dgates_t, i_t, f_t, o_t, g_t, di_t, df_t, do_t, dg_t, c_, tanh_c_t in zip(
        *(array[::-1] for array in backwards), strict=True
    ):
        add(dh_t, dh_carry, dh_t)
        sub(1, gates_t, dgates_t)
        mul(dgates_t, gates_t, dgates_t)
        mul(do_t, tanh_c_t, do_t)
        mul(do_t, dh_t, do_t)
        mul(tanh_c_t, tanh_c_t, work)
        sub(1, work, work)
        mul(work, o_t, work)
        mul(work, dh_t, work)
        add(dc, work, dc)
        mul(g_t, g_t, dg_t)
        sub(1, dg_t, dg_t)
        mul(dg_t, i_t, dg_t)
        mul(dg_t, dc, dg_t)
        mul(df_t, c_, df_t)
        mul(df_t, dc, df_t)
        mul(di_t, g_t, di_t)
        mul(di_t, dc, di_t)
        dot(ds_t, Wh, dh_carry)
        mul(f_t, dc, dc)
    d = rows(ds)
    return loss, (d.T @ rows(x), d.T @ rows(h[:-1]), d.sum(0), da.T @ rows(h[1:]), da.sum(0))


def gru(p: dict[str, Array], x: Array, target: Array) -> tuple[float, tuple[Array, ...]]:
    """The GRU over a batch. Inputs enter in the order g, r, z, the state in r, z, g: the shared gates lie together."""
    dot, add, mul, sub, tanh = np.dot, np.add, np.multiply, np.subtract, np.tanh
    Wh, n = p["Wh"], p["Wh"].shape[1]
    WhT, h = np.ascontiguousarray(Wh.T), states(x, n)
    s = inputs(x, p["Wx"], p["b"])
    u, product = np.empty(h[1:].shape), np.empty(s.shape[1:])
    halves, last = product[..., : 2 * n], product[..., 2 * n :]
    g, gates, r, z = s[..., :n], s[..., n:], s[..., n : 2 * n], s[..., 2 * n :]
    work = np.empty(u.shape[1:])
    for h_, g_t, gates_t, r_t, z_t, u_t, h_t in zip(h, g, gates, r, z, u, h[1:], strict=False):
        dot(h_, WhT, product)
        add(gates_t, halves, gates_t)
        mul(gates_t, 0.5, gates_t)
        tanh(gates_t, gates_t)
        mul(gates_t, 0.5, gates_t)
        add(gates_t, 0.5, gates_t)
        add(last, p["bhh"], u_t)
        mul(r_t, u_t, work)
        add(g_t, work, g_t)
        tanh(g_t, g_t)
        sub(h_, g_t, h_t)
        mul(h_t, z_t, h_t)
        add(h_t, g_t, h_t)
    loss, da, dh = readout(p["Wy"], p["by"], h[1:], target)
    d = np.empty((*s.shape[:-1], 4 * n))  # g, r, z, and the recurrent share of g
    dg, dgates, dr, dz, du = d[..., :n], d[..., n : 3 * n], d[..., n : 2 * n], d[..., 2 * n : 3 * n], d[..., 3 * n :]
    carry, recurrent = np.zeros(work.shape), d[..., n:]
    backwards = (dh, h[:-1], g, gates, r, z, u, dg, dgates, dr, dz, du, recurrent)
    for dh_t, h_, g_t, gates_t, r_t, z_t, u_t, dg_t, dgates_t, dr_t, dz_t, du_t, d_t in zip(
        *(array[::-1] for array in backwards), strict=True
    ):
        add(dh_t, carry, dh_t)
        sub(1, gates_t, dgates_t)
        mul(dgates_t, gates_t, dgates_t)
        sub(h_, g_t, work)
        mul(work, dh_t, work)
        mul(dz_t, work, dz_t)
        mul(dh_t, z_t, work)  # what goes straight to the state before
        sub(dh_t, work, dh_t)
        mul(g_t, g_t, dg_t)
        sub(1, dg_t, dg_t)
        mul(dg_t, dh_t, dg_t)
        mul(dg_t, r_t, du_t)
        mul(dr_t, u_t, dr_t)
        mul(dr_t, dg_t, dr_t)
        dot(d_t, Wh, carry)
        add(carry, work, carry)
    before, flat = rows(h[:-1]), rows(d)
    by_input, by_state = flat[:, : 3 * n], flat[:, n:]
    dWx, dWh = by_input.T @ rows(x), by_state.T @ before
    return loss, (dWx, dWh, by_input.sum(0), da.T @ rows(h[1:]), da.sum(0), by_state[:, 2 * n :].sum(0))
