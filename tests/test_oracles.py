"""The derived gradients agree with torch, jax and HIPS autograd on the same equations."""

from __future__ import annotations

import numpy as np
import pytest

from symbptt import RNN, Cell, Loss
from symbptt.derive.generic import generic
from symbptt.evaluate.instance import Instance
from symbptt.evaluate.oracles import FRAMEWORKS, oracle_gradients
from symbptt.model import ACTIVATIONS

COUPLED = Cell(
    ["u[t] = tanh(A @ u[t-1] + B @ v[t-1] + W_x @ x[t])", "v[t] = sigmoid(C @ v[t-1] + D @ u[t])"],
    {"u": "n", "v": "p"},
    output="v",
    name="coupled",
)
MEMORY = Cell(
    ["k[t] = W_k @ x[t]", "v[t] = W_v @ x[t]", "S[t] = S[t-1] + v[t] @ k[t].T", "u[t] = S[t] @ k[t]"],
    {"S": ("p", "n")},
    output="u",
    name="memory",
)
NORMED = Cell(
    [
        "z[t] = W_h @ concat(h[t-1], x[t])",
        "h[t] = tanh((z[t] - mean(z[t])) / sqrt(variance(z[t]) + 0.001) * g + b)",
    ],
    ["h"],
    name="normed",
)

MODELS = {
    **{name: RNN(name, readout="linear", reduction="mean") for name in ACTIVATIONS},
    "softmax": RNN("tanh", readout="softmax", loss="cross_entropy"),
    "sigmoid readout": RNN("relu", readout="sigmoid", loss="binary_cross_entropy", reduction="last"),
    "scalar": RNN("tanh", 1, 1, steps=4),
    "coupled": RNN(COUPLED),
    "matrix state": RNN(MEMORY, reduction="last"),
    "normed": RNN(NORMED),
    "largest entry": RNN("tanh", loss=Loss("max(h[t]) ** 2 + sum(abs(target[t] - h[t]))")),
}


@pytest.mark.oracle
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", MODELS)
def test_every_gradient_agrees_with_the_framework(name, framework, require):
    require(framework)
    network = MODELS[name].network
    instance = Instance(network, seed=3)
    found = oracle_gradients(instance, framework)
    derivation, system = generic(network), network.system
    for key in system.parameters:
        right = instance.evaluate(derivation.parameter_sum(key))
        np.testing.assert_allclose(np.ravel(found[key, None]), np.ravel(right), rtol=1e-10, atol=1e-12)
    for name in system.inputs:
        for t in range(1, instance.steps + 1):
            right = instance.evaluate(derivation.input_gradient(name), t=t)
            np.testing.assert_allclose(np.ravel(found[name, t]), np.ravel(right), rtol=1e-10, atol=1e-12)
    for state in system.states:
        right = instance.evaluate(derivation.initial_gradient(state))
        start = int(instance.evaluate(system.start + 0))
        np.testing.assert_allclose(np.ravel(found[state, start]), np.ravel(right), rtol=1e-10, atol=1e-12)
