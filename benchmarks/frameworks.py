"""The same gradients by torch, JAX, HIPS autograd and numba, as one writes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .cases import Case, Data, read, stacked

Array = Any
Made = tuple[Callable[[], Any], Callable[[Any], dict[str, Array]]]
"""A function that computes, and one that gives the gradients in what it returned under the keys of symbptt."""


def weights(case: Case, numbers: Data) -> dict[str, Array]:
    """Return the stacked parameters, in the order of torch."""
    p, gates = numbers.params, case.gates
    found = {name: stacked(p, kind, gates) for name, kind in (("Wx", "x"), ("Wh", "h"), ("b", "b"))}
    found |= {"Wy": p["W_y"], "by": p["b_y"]}
    return found | ({"bhh": p["b_hh"]} if "b_hh" in p else {})


# -- torch --------------------------------------------------------------------------------------------


def torch_nn(case: Case, numbers: Data) -> Made:
    """``torch.nn.RNN``, ``LSTM`` or ``GRU``, ``Linear`` and ``CrossEntropyLoss``, in float64."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    p, n = weights(case, numbers), case.n
    cell = {"tanh": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[case.cell](n, n).double()
    linear, loss_of = nn.Linear(n, n).double(), nn.CrossEntropyLoss(reduction="sum")
    values = {"weight_ih_l0": p["Wx"], "weight_hh_l0": p["Wh"], "bias_ih_l0": p["b"], "bias_hh_l0": 0 * p["b"]}
    if "bhh" in p:
        values["bias_hh_l0"][2 * n :] = p["bhh"]
    with torch.no_grad():
        for name, value in values.items():
            getattr(cell, name).copy_(torch.from_numpy(value))
        linear.weight.copy_(torch.from_numpy(p["Wy"]))
        linear.bias.copy_(torch.from_numpy(p["by"]))
    x, target = torch.from_numpy(numbers.x), torch.from_numpy(numbers.target)
    order = [cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, linear.weight, linear.bias, cell.bias_hh_l0]

    def run() -> Any:
        for part in order:
            part.grad = None
        states, _ = cell(x)
        logits = linear(states)
        loss = loss_of(logits.reshape(-1, n), target.reshape(-1))
        loss.backward()
        return loss.item(), [part.grad.numpy() for part in order]

    def result(found: Any) -> dict[str, Array]:
        *grads, recurrent = found[1]
        return read(case.gates, (*grads, *([recurrent[2 * n :]] if "bhh" in p else [])))

    return run, result


# -- cells for JAX and autograd -----------------------------------------------------------------------


def _sigmoid(np_: Any, u: Array) -> Array:
    return 0.5 * np_.tanh(0.5 * u) + 0.5


def _step(np_: Any, cell: str, p: Any, state: Any, u: Array) -> Any:
    """Return the next state of a cell, from W_x x_t + b."""
    h = state[0]
    v = h @ p["Wh"].T
    if cell == "tanh":
        return (np_.tanh(u + v),)
    n = h.shape[-1]
    if cell == "lstm":
        s = u + v
        i, f = _sigmoid(np_, s[..., :n]), _sigmoid(np_, s[..., n : 2 * n])
        g, o = np_.tanh(s[..., 2 * n : 3 * n]), _sigmoid(np_, s[..., 3 * n :])
        c = f * state[1] + i * g
        return o * np_.tanh(c), c
    r = _sigmoid(np_, u[..., :n] + v[..., :n])
    z = _sigmoid(np_, u[..., n : 2 * n] + v[..., n : 2 * n])
    g = np_.tanh(u[..., 2 * n :] + r * (v[..., 2 * n :] + p["bhh"]))
    return ((1 - z) * g + z * h,)


def _start(np_: Any, case: Case) -> Any:
    zero = np_.zeros((*case.lead[1:], case.n))
    return (zero, zero) if case.cell == "lstm" else (zero,)


# -- JAX ----------------------------------------------------------------------------------------------


def jax_scan(case: Case, numbers: Data) -> Made:
    """``jit(value_and_grad)`` of a ``lax.scan`` that does everything step by step, as one writes it."""
    return _jax(case, numbers, _scanned(case))


def jax_hoisted(case: Case, numbers: Data) -> Made:
    """The same, with the products of inputs and readout taken out of the scan by hand."""
    return _jax(case, numbers, _hoisted(case))


def _jax(case: Case, numbers: Data, function: Any) -> Made:
    import jax

    arrays = [jax.device_put(value) for value in (weights(case, numbers), numbers.x, numbers.target)]

    def run() -> Any:
        loss, grads = function(*arrays)
        return float(loss), {key: np.asarray(value) for key, value in grads.items()}

    return run, lambda found: read(case.gates, _ordered(found[1]))


def _ordered(grads: dict[str, Array]) -> tuple[Array, ...]:
    return tuple(grads[key] for key in ("Wx", "Wh", "b", "Wy", "by", "bhh") if key in grads)


@lru_cache
def _scanned(case: Case) -> Any:
    import jax
    import jax.numpy as jnp

    def loss(p: Any, x: Array, target: Array) -> Array:
        def step(state: Any, given: Any) -> Any:
            x_t, target_t = given
            state = _step(jnp, case.cell, p, state, x_t @ p["Wx"].T + p["b"])
            logs = jax.nn.log_softmax(state[0] @ p["Wy"].T + p["by"])
            return state, -jnp.take_along_axis(logs, target_t[..., None], -1).sum()

        _, losses = jax.lax.scan(step, _start(jnp, case), (x, target))
        return losses.sum()

    return jax.jit(jax.value_and_grad(loss))


@lru_cache
def _hoisted(case: Case) -> Any:
    import jax
    import jax.numpy as jnp

    def loss(p: Any, x: Array, target: Array) -> Array:
        def step(state: Any, u: Array) -> Any:
            state = _step(jnp, case.cell, p, state, u)
            return state, state[0]

        _, h = jax.lax.scan(step, _start(jnp, case), x @ p["Wx"].T + p["b"])
        logs = jax.nn.log_softmax(h @ p["Wy"].T + p["by"])
        return -jnp.take_along_axis(logs, target[..., None], -1).sum()

    return jax.jit(jax.value_and_grad(loss))


# -- HIPS autograd ------------------------------------------------------------------------------------


def autograd(case: Case, numbers: Data) -> Made:
    """``value_and_grad`` of a loop over the steps; the readout of all of them at once."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    p, one_hot = weights(case, numbers), np.eye(case.n)[numbers.target]

    def loss(p: Any) -> Array:
        state, states = _start(anp, case), []
        for t in range(case.T):
            state = _step(anp, case.cell, p, state, anp.dot(numbers.x[t], p["Wx"].T) + p["b"])
            states.append(state[0])
        a = anp.dot(anp.stack(states), p["Wy"].T) + p["by"]
        a = a - anp.max(a, axis=-1, keepdims=True)
        return anp.sum(anp.log(anp.sum(anp.exp(a), axis=-1))) - anp.sum(a * one_hot)

    both = value_and_grad(loss)
    return lambda: both(p), lambda found: read(case.gates, _ordered(found[1]))


# -- numba --------------------------------------------------------------------------------------------


def numba_loops(case: Case, numbers: Data) -> Made:
    """Plain loops over the entries, compiled by numba; the tanh network of one sequence."""
    function, p = _compiled(), weights(case, numbers)
    arrays = [np.ascontiguousarray(p[key]) for key in ("Wx", "Wh", "b", "Wy", "by")]
    return lambda: function(*arrays, numbers.x, numbers.target), lambda found: read(case.gates, found[1])


@lru_cache
def _compiled() -> Any:
    from numba import njit

    from .loops import tanh_loops

    return njit(fastmath=True)(tanh_loops)
