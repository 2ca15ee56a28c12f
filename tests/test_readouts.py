"""Several readouts of one cell: their losses are added, each has a target and parameters of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cells import LSTM
from derivation_examples import TWO_LOSSES, TWO_READOUTS

import symbptt.algebra as A
from symbptt import RNN, Cell, Loss
from symbptt.codegen.verify import verify_function
from symbptt.errors import EquationError, UnknownNameError, ValueInputError

TWO: dict[str, Any] = {"readout": TWO_READOUTS, "loss": TWO_LOSSES}
MODELS = {
    "two": RNN("tanh", **TWO),
    "mean": RNN("tanh", **TWO, reduction="mean", mask=True),
    "last": RNN("sigmoid", **TWO, reduction="last"),
    "lstm": RNN(LSTM, readout={"u": "sigmoid", "v": "linear"}, loss={"u": "binary_cross_entropy", "v": "mse"}),
    "three": RNN("tanh", readout={"y": "softmax", "p": "softmax", "v": "linear"},
                 loss={"y": "cross_entropy", "p": "cross_entropy", "v": Loss("norm2(v[t] - {target}) / size")}),
    "scalar": RNN("relu", 1, 1, readout={"u": "linear", "v": "sigmoid"}, loss="squared_error", outputs=1),
}  # fmt: skip


def numbers(model: RNN, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shapes = {k: [int(s) for s in A.shape_of(p)[: A.rank_of(p)]] for k, p in model.system.parameters.items()}
    return {key: rng.normal(0, 0.6, shape) for key, shape in shapes.items()}


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", MODELS)
def test_every_line_is_proved(name):
    report = MODELS[name].derivation().verify()
    assert report, report.to_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_function_agrees_with_every_other_route(name):
    report = verify_function(MODELS[name].network)
    assert report, report.to_text()


@pytest.mark.parametrize("reduction", ["sum", "last"])
def test_gradients_are_the_sums_of_those_of_each_readout_alone(reduction):
    sizes = {"hidden": 4, "inputs": 2}
    model = RNN("tanh", **sizes, **TWO, outputs={"y": 3, "v": 2}, reduction=reduction)
    params, rng = numbers(model), np.random.default_rng(1)
    x, classes, real = rng.standard_normal((5, 2, 2)), rng.integers(0, 3, (5, 2)), rng.standard_normal((5, 2, 2))
    out = model.lambdify()(params, x, {"y": classes, "v": real})
    total: dict[str, Any] = {"loss": 0.0}
    for name, target, outputs in (("y", classes, 3), ("v", real, 2)):
        kind = {"readout": TWO_READOUTS[name], "loss": TWO_LOSSES[name]}
        alone = RNN("tanh", **sizes, **kind, outputs=outputs, reduction=reduction)
        own = {**{k: params[k] for k in ("W_h", "W_x", "b_h")}, "W_y": params[f"W_{name}"], "b_y": params[f"b_{name}"]}
        found = alone.lambdify()(own, x, target)
        total["loss"] += found.loss
        for key in ("W_h", "W_x", "b_h", "x", "h0"):
            total[key] = total.get(key, 0.0) + found.grads[key]
        np.testing.assert_allclose(out.grads[f"W_{name}"], found.grads["W_y"], atol=1e-12)
        np.testing.assert_allclose(out.outputs[name], found.outputs, atol=1e-12)
    np.testing.assert_allclose(out.loss, total["loss"])
    for key in ("W_h", "W_x", "b_h", "x", "h0"):
        np.testing.assert_allclose(out.grads[key], total[key], atol=1e-12)


def test_second_order_and_saliency_follow():
    model = MODELS["two"]
    assert model.derivation(sections=["hessian", "saliency"]).verify()
    small = model.replace(hidden=3, inputs=2, outputs={"y": 3, "v": 2})
    params, rng = numbers(small), np.random.default_rng(2)
    x, target = rng.standard_normal((4, 2)), {"y": rng.integers(0, 3, 4), "v": rng.standard_normal((4, 2))}
    bptt, step = small.lambdify(), 1e-4
    moved = [bptt({**params, "b_v": params["b_v"] + s}, x, target).grads["W_h"] for s in (step, -step)]
    product = bptt.hvp(params, {"b_v": np.ones(2)}, x, target).products["W_h"]
    np.testing.assert_allclose(product, (moved[0] - moved[1]) / (2 * step), rtol=1e-5, atol=1e-8)
    assert str(model.saliency("v", at=1, of_step=1)) == "d(v[1])/d(h[1]) @ d(h[1])/d(x[1])"


def test_numbers_are_worked_out_with_a_target_for_each():
    values = {"W_h": 0.5, "W_x": 1.0, "b_h": 0.0, "W_u": 2.0, "b_u": 0.0, "W_v": 1.0, "b_v": 0.0, "x": [1.0, 0.5]}
    model = RNN("linear", 1, 1, readout={"u": "linear", "v": "linear"}, outputs=1, steps=2,
                values={**values, "target_u": [1.0, 1.0], "target_v": [0.0, 2.0]})  # fmt: skip
    derivation = model.derivation()
    assert derivation.verify()
    assert str(derivation["forward.L"].result) == "2.0"
    assert [str(v) for v in model.unroll().others["v"]] == ["W_v*h[1] + b_v", "W_v*h[2] + b_v"]


def test_a_model_is_a_value_and_its_targets_have_hats():
    model = MODELS["three"]
    assert isinstance(model.network.cell, Cell) and eval(repr(model)) == model
    assert model.replace(steps=3).network.heads == model.network.heads
    assert r"\hat{v}" in model.derivation().to_latex()


@pytest.mark.parametrize(
    "parts, error, words",
    [
        ({"readout": {}}, EquationError, "has no readouts"),
        (
            {"readout": {"y": "softmax"}, "loss": {"v": "mse"}},
            UnknownNameError,
            "loss of 'v': there is no such readout",
        ),
        ({"readout": {"h": "linear"}}, EquationError, "needs the name 'h', which is taken"),
        ({"readout": {"a_b": "linear"}}, EquationError, "named by letters and digits"),
        ({"readout": {"y": None}}, EquationError, "linear, sigmoid or softmax, not None"),
        ({"readout": {"y": "linear"}, "loss": "cross_entropy"}, EquationError, "needs readout='softmax'"),
        ({"readout": "linear", "loss": {"y": "mse"}}, EquationError, "for several readouts"),
    ],
)
def test_what_makes_no_sense_is_refused(parts, error, words):
    with pytest.raises(error, match=words):
        RNN("tanh", **parts)


@pytest.mark.parametrize(
    "target, error, words",
    [
        ([1.0], ValueInputError, "target must be a mapping of readouts"),
        ({"u": [1.0]}, ValueInputError, "target_v is missing"),
        ({"u": [1.0], "w": [1.0]}, UnknownNameError, "unknown readout 'w'"),
    ],
)
def test_targets_that_do_not_fit_are_refused(target, error, words):
    model = RNN("linear", 1, 1, readout={"u": "linear", "v": "linear"}, outputs=1)
    with pytest.raises(error, match=words):
        model.lambdify()(numbers(model), [1.0], target)
