"""The values that generated code computes: against a plain BPTT, differences, torch and jax, and at the extremes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from cells import LARGE
from codegen_networks import CELLS, LOSSES, data, elman_networks, entries, largest_error, network
from hypothesis import given, settings
from hypothesis import strategies as st

from symbptt.codegen import compile_network
from symbptt.codegen.reference import is_elman, reference_bptt
from symbptt.model import ACTIVATIONS, Cell, Loss, cell

U = sympy.Symbol("u")


# -- against the plain BPTT ---------------------------------------------------------------------------


def compare_with_reference(net: Any, T: int, B: int | None, seed: int = 0) -> None:
    bptt = compile_network(net)
    arguments = data(bptt, T, B, seed)
    out = bptt(**arguments)
    widen = _widened if net.system.scalar else (lambda name, array: array)
    right = reference_bptt(
        net,
        {k: widen(k, v) for k, v in arguments["params"].items()},
        widen("x", arguments["x"]) if "x" in arguments else None,
        widen("target", arguments["target"]),
        widen("h0", arguments["initial"]["h"]),
    )
    assert out.loss == pytest.approx(float(right["loss"]), rel=1e-12)
    for key, grad in out.grads.items():
        expected = np.asarray(right[key])
        np.testing.assert_allclose(np.reshape(grad, expected.shape), expected, rtol=1e-9, atol=1e-12, err_msg=key)


def _widened(name: str, array: Any) -> Any:
    """A scalar model's numbers as vectors and matrices of one entry."""
    return np.asarray(array)[..., None, None] if name.startswith("W") else np.asarray(array)[..., None]


@given(elman_networks(), st.integers(1, 5), st.sampled_from((None, 1, 3)), st.integers(0, 1000))
def test_elman_networks_agree_with_the_plain_bptt(net, T, B, seed):
    compare_with_reference(net, T, B, seed)


@pytest.mark.sample(3)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("reduction", ["sum", *(pytest.param(r, marks=pytest.mark.slow) for r in ("mean", "last"))])
def test_every_activation_and_reduction(activation, reduction):
    for readout, name in LOSSES:
        compare_with_reference(network(activation, 3, 2, 2, readout, name, reduction), 4, 2)


def test_the_reference_refuses_other_cells():
    lstm = network(CELLS["lstm"])
    assert not is_elman(lstm)
    with pytest.raises(TypeError, match="Elman"):
        reference_bptt(lstm, {}, None, None)


# -- against central differences ----------------------------------------------------------------------


@pytest.mark.sample(4)
@pytest.mark.parametrize("B", [None, 2])
@pytest.mark.parametrize(
    ("name", "reduction"),
    [
        pytest.param(name, reduction, marks=pytest.mark.slow if name in LARGE or reduction == "mean" else ())
        for name, cell in CELLS.items()
        for reduction in ("sum", "mean", "last")
        if cell.direction == 1 or reduction != "last"  # which the model refuses
    ],
)
def test_cells_written_as_equations_agree_with_differences(name, reduction, B):
    chosen = CELLS[name]
    readout, criterion = ("softmax", "cross_entropy") if name.startswith(("lstm", "gru")) else (None, "mse")
    bptt = compile_network(network(chosen, "n", "m", "q", readout, criterion, reduction))
    assert largest_error(bptt, data(bptt, 4, B)) < 1e-7


ODD = {
    "a parameter in the loss": (
        Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])"], ["h"]),
        {"loss_": Loss("norm2(y[t] - target[t]) + 0.01 * norm2(W_h)")},
    ),
    "a scalar state": (
        Cell(
            ["s[t] = 0.9 * s[t-1] + inner(v, x[t])", "h[t] = tanh(s[t] * (W @ x[t]) + h[t-1])"],
            {"s": (), "h": "n"},
            "h",
            {"v": ("m",)},
        ),
        {},
    ),
    "diagonals and traces": (
        Cell(
            [
                "S[t] = diag(tanh(W @ x[t])) @ S[t-1] @ A.T + (W @ x[t]) @ (W @ x[t]).T",
                "h[t] = diag(S[t]) + trace(S[t]) * (S[t].T @ (W @ x[t])) + max(S[t]) * b + variance(S[t]) * b",
            ],
            {"S": ("n", "n")},
            "h",
            {"b": ("n",)},
        ),
        {},
    ),
    "products of parameters": (
        Cell(
            ["h[t] = tanh(A @ (B @ h[t-1]) + (A @ B) @ h[t-1] + A.T @ h[t-1] + trace(B) * (W @ x[t]))"],
            ["h"],
            shapes={"A": ("n", "n"), "B": ("n", "n")},
        ),
        {},
    ),
    "names that the module uses itself": (
        Cell(
            [
                "np[t] = tanh(dtype @ np[t-1] + B @ x[t] + rows)",
                "h_prev[t] = np[t] * loss[t-1]",
                "loss[t] = sigmoid(h_prev[t]) * dnp",
                "range[t] = T0 @ loss[t]",
            ],
            {"np": "n", "loss": "n"},
            "range",
            {"T0": ("n", "n"), "dnp": ("n",), "B": ("n", "m"), "dtype": ("n", "n"), "rows": ("n",)},
        ),
        {},
    ),
    "a function with the name of a variable": (
        Cell(["f[t] = f(W @ f[t-1] + V @ x[t])"], ["f"], functions={"f": U / (1 + U**2)}),
        {},
    ),
    "a state that is handed on without depending on another": (
        Cell(
            ["h[t] = tanh(W @ h[t-1] + V @ d[t-1] + U @ x[t])", "d[t] = tanh(P @ x[t])"],
            ["h", "d"],
            "h",
        ),
        {},
    ),
    "a state that is never read": (Cell(["h[t] = tanh(W @ x[t])"], ["h"]), {}),
    "neither parameters nor input": (Cell(["h[t] = tanh(h[t-1]) * 0.5"], ["h"]), {"inputs": None, "readout": None}),
}


@pytest.mark.sample(3)
@pytest.mark.parametrize("B", [None, 2])
@pytest.mark.parametrize("name", ODD)
def test_odd_cells_agree_with_differences(name, B):
    given_cell, options = ODD[name]
    for reduction in ("sum", "mean", "last"):
        plain = {"readout": "linear", "loss_": "mse", "hidden": "n", "inputs": "m", "outputs": "q"}
        bptt = compile_network(network(given_cell, **{**plain, **options, "reduction": reduction}))
        assert largest_error(bptt, data(bptt, 3, B)) < 1e-7


ACTIVATIONS_IN_SYMPY = {
    "softsign": U / (1 + sympy.Abs(U)),
    "branches": sympy.Piecewise((U, U > 0), (U / 10 - U**2 / sympy.sqrt(3), True)),
    "hard": sympy.Max(0, sympy.Min(U, 1)),
    "constants": sympy.sqrt(1 + U**2) * sympy.exp(-(U**2) / sympy.sqrt(sympy.pi)),
    "logistic": 1 / (1 + sympy.exp(-U)),
}


@pytest.mark.parametrize("name", ACTIVATIONS_IN_SYMPY)
def test_activations_that_are_sympy_expressions(name):
    bptt = compile_network(network(ACTIVATIONS_IN_SYMPY[name], readout="linear", loss_="mse"))
    given_data = data(bptt, 3, 2)
    assert largest_error(bptt, given_data) < 1e-7
    singles = {k: v.astype(np.float32) for k, v in given_data["params"].items()}
    assert bptt(singles, given_data["x"].astype(np.float32), given_data["target"]).grads["W_h"].dtype == np.float32


@settings(max_examples=10)
@given(st.integers(1, 3), st.integers(1, 3), st.sampled_from((None, 1, 2)), st.integers(1, 4))
def test_sizes_of_one_are_nothing_special(n, p, B, T):
    bptt = compile_network(network(CELLS["coupled"], n, 1, 1, "linear", "mse", sizes=(("p", sympy.Integer(p)),)))
    if bptt.network.system.scalar:
        return
    assert largest_error(bptt, data(bptt, T, B, sizes={"p": p})) < 1e-7


# -- against frameworks -------------------------------------------------------------------------------


@pytest.mark.oracle("torch")
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_torch_agrees(require, activation):
    torch = require("torch")
    bptt = compile_network(network(activation, 5, 3, 4))
    given_data = data(bptt, 6, 2)
    classes = np.random.default_rng(1).integers(0, 4, (6, 2))
    out = bptt(given_data["params"], given_data["x"], classes, h0=given_data["initial"]["h"])
    rnn = torch.nn.RNN(3, 5, nonlinearity=activation, dtype=torch.float64)
    tensors = {k: torch.tensor(v, requires_grad=True) for k, v in entries(given_data).items()}
    weights = {"weight_ih_l0": "W_x", "weight_hh_l0": "W_h", "bias_ih_l0": "b_h"}
    swapped = {name: tensors[key] for name, key in weights.items()} | {
        "bias_hh_l0": torch.zeros(5, dtype=torch.float64)
    }
    hidden, _ = torch.func.functional_call(rnn, swapped, (tensors["x"], tensors["h0"][None]))
    logits = hidden @ tensors["W_y"].T + tensors["b_y"]
    loss = torch.nn.functional.cross_entropy(logits.reshape(12, 4), torch.tensor(classes).reshape(12), reduction="sum")
    loss.backward()
    assert out.loss == pytest.approx(loss.item(), rel=1e-12)
    for key, grad in out.grads.items():
        np.testing.assert_allclose(grad, tensors[key].grad.numpy(), rtol=1e-10, atol=1e-10, err_msg=key)


@pytest.mark.oracle("torch")
def test_torch_agrees_on_the_lstm(require):
    torch = require("torch")
    bptt = compile_network(network(CELLS["lstm"], 4, 3, None, None, "half_squared_error"))
    given_data = data(bptt, 7, 3)
    out = bptt(**given_data)
    tensors = {k: torch.tensor(v, requires_grad=True) for k, v in entries(given_data).items()}
    order = "ifco"  # torch's order of the gates; its g is our c
    stacked = {
        "weight_ih_l0": torch.cat([tensors[f"W_x{g}"] for g in order]),
        "weight_hh_l0": torch.cat([tensors[f"W_h{g}"] for g in order]),
        "bias_ih_l0": torch.cat([tensors[f"b_{g}"] for g in order]),
        "bias_hh_l0": torch.zeros(16, dtype=torch.float64),
    }
    lstm = torch.nn.LSTM(3, 4, dtype=torch.float64)
    start = (tensors["h0"][None], tensors["c0"][None])
    hidden, _ = torch.func.functional_call(lstm, stacked, (tensors["x"], start))
    loss = ((hidden - torch.tensor(given_data["target"])) ** 2).sum() / 2
    loss.backward()
    assert out.loss == pytest.approx(loss.item(), rel=1e-12)
    for key, grad in out.grads.items():
        np.testing.assert_allclose(grad, tensors[key].grad.numpy(), rtol=1e-10, atol=1e-10, err_msg=key)


@pytest.mark.oracle("jax")
def test_jax_agrees_on_adjoints_of_states(require):
    jax = require("jax")
    bptt = compile_network(network("sigmoid", 4, 3, 2, "sigmoid", "binary_cross_entropy", "mean"))
    given_data = data(bptt, 5, None)
    out = bptt(**given_data)
    with jax.enable_x64(True):
        jnp = jax.numpy
        p = {k: jnp.asarray(v) for k, v in given_data["params"].items()}

        def total(nudges: Any) -> Any:
            h, loss = jnp.asarray(given_data["initial"]["h"]), 0.0
            for t in range(5):
                z = p["W_h"] @ h + p["W_x"] @ given_data["x"][t] + p["b_h"]
                h = jax.nn.sigmoid(z) + nudges[t]
                y = jax.nn.sigmoid(p["W_y"] @ h + p["b_y"])
                g = given_data["target"][t]
                loss = loss - jnp.sum(g * jnp.log(y) + (1 - g) * jnp.log(1 - y)) / 5
            return loss

        value, grads = jax.value_and_grad(total)(jnp.zeros((5, 4)))
        np.testing.assert_allclose(out.adjoints["h"], grads, rtol=1e-10, atol=1e-12)
        assert out.loss == pytest.approx(float(value), rel=1e-12)


# -- the extremes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_neither_overflow_nor_divide_by_zero(activation):
    bptt = compile_network(network(activation, 1, 1, None, None, "half_squared_error", steps=1))
    with np.errstate(all="raise", under="ignore"):
        for z in (-1e3, -30.0, 0.0, 30.0, 1e3):
            out = bptt({"W_h": 1.0, "W_x": 1.0, "b_h": 0.0}, [z], [0.0])
            assert all(np.isfinite(value).all() for value in (out.loss, *out.grads.values()))


def test_the_slope_of_relu_at_zero_is_zero():
    bptt = compile_network(network("relu", 1, 1, None, None, "half_squared_error", steps=1))
    assert bptt({"W_h": 1.0, "W_x": 1.0, "b_h": 0.0}, [0.0], [5.0]).grads["b_h"] == 0


@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
def test_cross_entropy_at_extreme_logits(reduction):
    bptt = compile_network(network("linear", 2, 2, 2, reduction=reduction))
    eye, zero = np.eye(2), np.zeros(2)
    params = {"W_h": 0 * eye, "W_x": eye, "b_h": zero, "W_y": eye, "b_y": zero}
    x = np.array([[1e4, -1e4]])
    with np.errstate(all="raise", under="ignore"):
        right, wrong = bptt(params, x, [0]), bptt(params, x, [1])
    assert right.loss == 0
    assert wrong.loss == 2e4
    np.testing.assert_array_equal(wrong.grads["b_y"], [1, -1])


def test_binary_cross_entropy_at_extreme_logits():
    bptt = compile_network(network("linear", 1, 1, 1, "sigmoid", "binary_cross_entropy"))
    params = {"W_h": 0.0, "W_x": 1.0, "b_h": 0.0, "W_y": 1.0, "b_y": 0.0}
    with np.errstate(all="raise", under="ignore"):
        losses = [bptt(params, [a], [g]).loss for a, g in ((1e4, 1.0), (1e4, 0.0), (-1e4, 1.0), (-1e4, 0.0))]
    assert losses == [0, 1e4, 1e4, 0]


def test_work_is_linear_in_the_number_of_steps():
    """Twice the steps, twice the memory that is kept: nothing of size T^2 is made."""
    import tracemalloc

    bptt = compile_network(network("tanh", 4, 3, 2))
    peaks = []
    for T in (500, 1000):
        given_data = data(bptt, T, None)
        bptt(**given_data)
        tracemalloc.start()
        bptt(**given_data)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2.5 * peaks[0]


def test_the_cell_can_be_given_by_name():
    assert compile_network(network(cell("tanh"))) is compile_network(network("tanh"))
