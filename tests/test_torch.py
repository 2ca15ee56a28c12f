"""The cells of PyTorch: weights under canonical keys, and every gradient of nn.RNN, nn.LSTM and nn.GRU."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from symbptt import RNN, SymbpttError, params_from_torch

MODULES = {
    "tanh": ("RNN", {"nonlinearity": "tanh"}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {}),
}


def randoms(seed: int):
    rng = np.random.default_rng(seed)
    return rng, (int(s) for s in rng.integers(1, 6, 10))


@pytest.mark.oracle("torch")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cell", MODULES)
def test_every_gradient_is_that_of_the_module(cell, seed, bias, require):
    torch = require("torch")
    rng, sizes = randoms(seed)
    T, B, n, m = next(sizes) + 1, next(sizes), next(sizes) + 1, next(sizes)
    name, options = MODULES[cell]
    torch.manual_seed(seed)
    module = getattr(torch.nn, name)(m, n, bias=bias, dtype=torch.float64, **options)
    given = {"x": (T, B, m), "target": (T, B, n), "h0": (B, n), **({"c0": (B, n)} if cell == "lstm" else {})}
    arrays = {key: rng.normal(size=shape) for key, shape in given.items()}
    leaf = {key: torch.tensor(value, requires_grad=key != "target") for key, value in arrays.items()}
    initial = leaf["h0"][None] if cell != "lstm" else (leaf["h0"][None], leaf["c0"][None])
    outputs, _ = module(leaf["x"], initial)
    total = ((outputs - leaf["target"]) ** 2).sum() / 2
    total.backward()

    bptt = RNN(cell, n, m, steps=T, bias=bias).lambdify()
    out = bptt(params_from_torch(module), **arrays)
    assert out.loss == pytest.approx(float(total.detach()), rel=1e-12)
    np.testing.assert_allclose(out.outputs, outputs.detach().numpy(), rtol=1e-10, atol=1e-12)
    right = {key: leaf[key].grad.numpy() for key in leaf if key != "target"}
    right |= gradients(module)
    assert set(right) == set(out.grads)
    for key, gradient in right.items():
        np.testing.assert_allclose(out.grads[key], gradient, rtol=1e-10, atol=1e-10, err_msg=key)


def gradients(module):
    """The gradients of the weights under canonical keys; both biases of a sum have the gradient of the sum."""
    found = {name: weight.grad.numpy() for name, weight in module.named_parameters()}
    if "bias_hh_l0" in found and len(found["bias_hh_l0"]) == 3 * found["weight_hh_l0"].shape[1]:
        rows = 2 * found["weight_hh_l0"].shape[1]
        found["bias_hh_l0"] = np.concatenate([0 * found["bias_hh_l0"][:rows], found["bias_hh_l0"][rows:]])
    elif "bias_hh_l0" in found:
        found["bias_hh_l0"] = 0 * found["bias_hh_l0"]
    return params_from_torch(found)


@pytest.mark.oracle("torch")
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize(("layers", "both"), list(itertools.product((1, 2, 3), (False, True))))
def test_keys_of_layers_and_directions(name, layers, both, require):
    torch = require("torch")
    module = getattr(torch.nn, name)(3, 2, num_layers=layers, bidirectional=both)
    params = params_from_torch(module)
    prefixes = [
        (f"{layer}." if layers > 1 else "") + direction
        for layer in range(1, layers + 1)
        for direction in (("forward.", "backward.") if both else ("",))
    ]
    single = params_from_torch(getattr(torch.nn, name)(3, 2))
    assert set(params) == {prefix + key for prefix in prefixes for key in single}
    for k, prefix in enumerate(prefixes):
        tail = "_reverse" if prefix.endswith("backward.") else ""
        own = getattr(module, f"weight_hh_l{k // (1 + both)}{tail}").detach().numpy()
        assert any(np.array_equal(params[prefix + key], own[:2]) for key in ("W_h", "W_hi", "W_hr") if key in single)
    assert all(key.endswith(tuple(single)) for key in params)


def state(rows: int = 2, n: int = 2, m: int = 3, bias: bool = True):
    """What ``state_dict()`` gives, as arrays with entries that tell where they come from."""
    weights = {"weight_ih_l0": np.arange(rows * m).reshape(rows, m), "weight_hh_l0": np.ones((rows, n))}
    biases = {"bias_ih_l0": np.arange(rows), "bias_hh_l0": 100 * np.arange(rows)}
    return weights | (biases if bias else {})


def test_the_blocks_of_the_gru_and_its_biases():
    params = params_from_torch(state(rows=6))
    assert list(params) == ["W_xr", "W_hr", "b_r", "W_xz", "W_hz", "b_z", "W_xh", "W_hh", "b_h", "b_hh"]
    assert params["W_xz"].tolist() == [[6, 7, 8], [9, 10, 11]]
    assert params["b_z"].tolist() == [202, 303]
    assert (params["b_h"].tolist(), params["b_hh"].tolist()) == ([4, 5], [400, 500])


def test_the_blocks_of_the_lstm():
    params = params_from_torch(state(rows=8, bias=False))
    assert list(params) == ["W_xi", "W_hi", "W_xf", "W_hf", "W_xc", "W_hc", "W_xo", "W_ho"]
    assert params["W_xc"].tolist() == [[12, 13, 14], [15, 16, 17]]


def test_the_arrays_are_copies():
    given = state()
    params_from_torch(given)["W_x"][:] = -1
    assert given["weight_ih_l0"][0, 1] == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weight": np.ones((2, 2))}, "'weight' is no weight of nn.RNN"),
        (state() | {"weight_hr_l0": np.ones((1, 2))}, "proj_size"),
        ({"weight_ih_l0": np.ones((2, 3))}, "weight_hh is missing"),
        ({k: v for k, v in state().items() if k != "bias_hh_l0"}, "bias_hh is missing"),
        (state(rows=4), "(4, 2); (n, n), (3n, n) or (4n, n)"),
        ({"weight_ih_l0": np.ones((3, 3)), "weight_hh_l0": np.ones((2, 2))}, "as many"),
        (7, "not int"),
        ({}, "not dict"),
    ],
)  # fmt: skip
def test_other_things_are_refused_in_one_line(given, message):
    with pytest.raises(SymbpttError) as error:
        params_from_torch(given)
    assert message in str(error.value) and "\n" not in str(error.value)
