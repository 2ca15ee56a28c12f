"""Hessian-vector products: derived, proved line by line, and computed, against differences of the gradient and jax."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cells import LAYER_NORM, LSTM
from derivation_examples import FAST_WEIGHTS, along, with_numbers
from hypothesis import given, settings
from hypothesis import strategies as st

import symbptt.algebra as A
from symbptt import RNN, Loss
from symbptt.errors import RefusedError, UnknownNameError, ValueInputError
from symbptt.evaluate.claims import instances
from symbptt.evaluate.report import verify_derivation

MODELS = {
    "tanh": RNN("tanh"),
    "softmax": RNN("tanh", readout="softmax", loss="cross_entropy", reduction="mean"),
    "softmax, last": RNN("sigmoid", readout="softmax", loss="cross_entropy", reduction="last"),
    "binary": RNN("gelu", readout="sigmoid", loss="binary_cross_entropy"),
    "relu": RNN("relu", readout="linear", loss="mse"),
    "scalar": RNN("tanh", 1, 1, reduction="last"),
    "lstm": RNN(LSTM, reduction="last"),
    "matrix state": RNN(FAST_WEIGHTS),
    "layer norm": RNN(LAYER_NORM),
    "no input": RNN("tanh", inputs=None),
    "largest entry": RNN("tanh", loss=Loss("max(h[t]) ** 2 + sum(abs(h[t] - target[t]))")),
}
POINTS = [(i * s, w * s) for i, w in ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280)) for s in (1, -1)]
"""Steps and weights of a central difference of eighth order."""


def numbers(model: RNN, seed: int = 5) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Parameters, a direction, and what else a call takes."""
    data = instances(model.network, seed)[0].data
    params = {key: data[key] for key in model.system.parameters}
    rng = np.random.default_rng(seed)
    v = {key: 0.3 * rng.standard_normal(np.shape(value)) for key, value in params.items()}
    rest: dict[str, Any] = {"target": data["target"], "initial": {s: data[f"{s}0"] for s in model.system.states}}
    if model.system.inputs:
        rest["x"] = data["x"]
    return params, v, rest


LONG = ("lstm", "layer norm", "matrix state")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in MODELS])
def test_every_line_of_the_section_is_proved(name):
    report = MODELS[name].derivation(sections=["hessian"]).verify()
    assert report, report.to_text()
    assert report.counts["equality"] > 4


@pytest.mark.parametrize("name", MODELS)
def test_the_product_is_the_difference_of_the_gradient_along_the_direction(name):
    model = MODELS[name]
    params, v, rest = numbers(model)
    bptt, step = model.lambdify(), 1e-3
    out = bptt.hvp(params, v, **rest)
    moved = [(w / step, bptt({k: p + i * step * v[k] for k, p in params.items()}, **rest).grads) for i, w in POINTS]
    for key in params:
        expected = sum(w * np.asarray(grads[key]) for w, grads in moved)
        assert np.shape(out.products[key]) == np.shape(params[key])
        np.testing.assert_allclose(out.products[key], expected, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(out.grads[key], bptt(params, **rest).grads[key])


@pytest.mark.oracle("jax")
@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
def test_the_product_is_that_of_jax(reduction, require):
    jax = require("jax")

    model = RNN("tanh", readout="softmax", loss="cross_entropy", reduction=reduction)
    params, v, rest = numbers(model)
    weights = {"sum": np.ones, "mean": lambda T: np.ones(T) / T, "last": lambda T: np.eye(T)[-1]}[reduction]

    def loss(p: Any) -> Any:
        h, total = rest["initial"]["h"], 0.0
        for x, target, weight in zip(rest["x"], rest["target"], weights(len(rest["x"])), strict=True):
            h = jax.numpy.tanh(p["W_h"] @ h + p["W_x"] @ x + p["b_h"])
            total = total - weight * target @ jax.nn.log_softmax(p["W_y"] @ h + p["b_y"])
        return total

    with jax.enable_x64(True):
        _, expected = jax.jvp(jax.grad(loss), (params,), (v,))
        found = model.lambdify().hvp(params, v, **rest)
        for key in params:
            np.testing.assert_allclose(found.products[key], expected[key], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.curvature, sum(np.sum(v[k] * expected[k]) for k in v), rtol=1e-9)


@pytest.mark.oracle("jax")
def test_the_product_of_an_lstm_is_that_of_jax(require):
    jax = require("jax")

    model = RNN(LSTM)
    params, v, rest = numbers(model)

    def loss(p: Any) -> Any:
        h, c, total = rest["initial"]["h"], rest["initial"]["c"], 0.0
        for x, target in zip(rest["x"], rest["target"], strict=True):
            i, f, o = (jax.nn.sigmoid(p[f"W_x{k}"] @ x + p[f"W_h{k}"] @ h + p[f"b_{k}"]) for k in "ifo")
            c = f * c + i * jax.numpy.tanh(p["W_xc"] @ x + p["W_hc"] @ h + p["b_c"])
            h = o * jax.numpy.tanh(c)
            total = total + 0.5 * jax.numpy.sum((h - target) ** 2)
        return total

    with jax.enable_x64(True):
        _, expected = jax.jvp(jax.grad(loss), (params,), (v,))
        found = model.lambdify().hvp(params, v, **rest).products
        for key in params:
            np.testing.assert_allclose(found[key], expected[key], rtol=1e-9, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(["tanh", "softmax", "scalar", "relu"]))
def test_the_hessian_is_symmetric(seed, name):
    model = MODELS[name]
    params, v, rest = numbers(model)
    rng = np.random.default_rng(seed)
    w = {key: rng.standard_normal(np.shape(value)) for key, value in params.items()}
    bptt = model.lambdify()
    Hv, Hw = (bptt.hvp(params, direction, **rest).products for direction in (v, w))
    left, right = (sum(np.sum(a[k] * b[k]) for k in params) for a, b in ((w, Hv), (v, Hw)))
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-11)


def test_a_batch_is_the_sum_of_its_sequences():
    model = RNN("tanh", 3, 2, 4, readout="softmax", loss="cross_entropy")
    rng = np.random.default_rng(0)
    params = {
        k: rng.standard_normal([int(s) for s in A.shape_of(p)[: A.rank_of(p)]])
        for k, p in model.system.parameters.items()
    }
    x, target, h0 = rng.standard_normal((5, 2, 2)), rng.integers(0, 4, (5, 2)), rng.standard_normal((2, 3))
    v, bptt = {"W_h": rng.standard_normal((3, 3))}, model.lambdify()
    whole = bptt.hvp(params, v, x=x, target=target, h0=h0)
    parts = [bptt.hvp(params, v, x=x[:, b], target=target[:, b], h0=h0[b]) for b in range(2)]
    for key in params:
        np.testing.assert_allclose(whole.products[key], parts[0].products[key] + parts[1].products[key], atol=1e-12)


def test_the_hessian_of_a_network_that_is_linear_in_its_readout_has_no_part_there():
    model = RNN("tanh", 1, 1, 1, readout="linear", steps=1)
    params = {"W_h": 0.5, "W_x": 1.0, "b_h": 0.1, "W_y": 2.0, "b_y": 0.0}
    out = model.lambdify().hvp(params, {"b_y": 1.0}, x=[1.0], target=[0.0])
    assert out.products["b_y"] == out.curvature == 1.0
    assert isinstance(out.products["W_y"], float)


def test_worked_lines_are_proved_and_a_wrong_figure_is_found():
    derivation = along(with_numbers(RNN("tanh", 1, 1, steps=2))).derivation(sections=["curvature"])
    assert derivation.verify(), derivation.verify().to_text()
    derived = derivation.derived
    (section,) = derived.worksheet.sections
    step = section.steps[-1]
    wrong = replace(step, chain=(*step.chain[:-1], replace(step.chain[-1], expr=A.Literal("7.5"))))
    broken = replace(section, steps=(*section.steps[:-1], wrong))
    report = verify_derivation(replace(derived, worksheet=replace(derived.worksheet, sections=(broken,))))
    assert [check.key for check in report.failures] == [step.key]


@pytest.mark.parametrize("key", ["hessian.forward.h", "hessian.h", "hessian.product.W_h"])
def test_a_lost_term_is_found(key):
    derivation = RNN("tanh").derivation(sections=["hessian"])
    derived = derivation.derived
    (section,) = derived.worksheet.sections
    step = derivation[key]
    right = A.product(2, step.result)
    steps = tuple(replace(s, chain=(replace(s.chain[0], expr=right),)) if s.key == key else s for s in section.steps)
    broken = replace(section, steps=steps)
    report = verify_derivation(replace(derived, worksheet=replace(derived.worksheet, sections=(broken,))))
    assert [check.key for check in report.failures] == [key]


def test_without_a_direction_there_is_nothing_to_work_out():
    with pytest.raises(RefusedError, match="nothing to print in 'curvature'"):
        with_numbers(RNN("tanh", 1, 1, steps=2)).derivation(sections=["curvature"])


@pytest.mark.parametrize(
    "v, error, words",
    [
        ({"W_q": 1.0}, UnknownNameError, "v: unknown parameter 'W_q'"),
        ({"W_h": [1.0, 2.0]}, ValueInputError, r"v\['W_h'\] has shape \(2,\)"),
        ([1.0], ValueInputError, "v must map parameters to arrays"),
    ],
)
def test_a_direction_that_does_not_fit_is_refused(v, error, words):
    bptt = RNN("linear", 1, 1, steps=1).lambdify()
    with pytest.raises(error, match=words):
        bptt.hvp({"W_h": 1.0, "W_x": 1.0, "b_h": 0.0}, v, x=[1.0], target=[0.0])
