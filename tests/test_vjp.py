"""Vector-Jacobian products: cotangents of outputs and of the last states in place of a loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codegen_networks import CELLS, data, network

from symbptt import RNN, Bidirectional, Stack
from symbptt.codegen.bptt import compile_network
from symbptt.errors import SymbpttError
from symbptt.model.truncation import Window

PLAIN = ["tanh", "lstm", "gru", "relu"]


def cotangents(bptt: Any, given: dict[str, Any], seed: int = 1) -> dict[str, Any]:
    """Return dy of the shape of the outputs, and cotangents of all last states."""
    rng = np.random.default_rng(seed)
    out = bptt(**given, wrt=())
    last = {state: rng.normal(size=np.shape(start)) for state, start in given["initial"].items()}
    return {"dy": rng.normal(size=out.outputs.shape), "final": last}


def without_target(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != "target"}


@pytest.mark.sample(8)
@pytest.mark.parametrize("batch", [None, 1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_the_gradients_are_those_of_the_inner_products(name: str, batch: int | None) -> None:
    bptt = compile_network(network(CELLS[name], readout="linear", loss_="mse"))
    given = data(bptt, 3, batch)
    ends = cotangents(bptt, given)
    given = without_target(given)
    out = bptt.vjp(**given, **ends)
    moved = {**given["params"], **{f"{s}0": a for s, a in given["initial"].items()}, "x": given["x"]}
    rng = np.random.default_rng(2)
    for key, array in moved.items():
        way, sides = rng.normal(size=array.shape), []
        kept = array.copy()
        for step in (1e-5, -1e-5):
            array[...] = kept + step * way
            sides.append(bptt.vjp(**given, **ends, wrt=()).loss)
        array[...] = kept
        slope = (sides[0] - sides[1]) / 2e-5
        assert np.sum(out.grads[key] * way) == pytest.approx(slope, rel=1e-5, abs=1e-7), key


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("cell", PLAIN)
def test_two_stretches_joined_by_cotangents_are_one_sequence(cell: str, batch: int | None) -> None:
    bptt = compile_network(network(cell, readout="linear", loss_="half_squared_error"))
    given = data(bptt, 6, batch)
    whole = bptt(**given)
    params, x, target = given["params"], given["x"], given["target"]
    states = given["initial"]
    middle = {state: whole.states[state][4] for state in states}
    late = bptt(params, x=x[4:], target=target[4:], initial=middle)
    handed = {state: late.grads[f"{state}0"] for state in states}
    early = bptt.vjp(params, x[:4], dy=whole.outputs[:4] - target[:4], final=handed, initial=states)
    for key in params:
        np.testing.assert_allclose(early.grads[key] + late.grads[key], whole.grads[key], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(early.grads["x"], whole.grads["x"][:4], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(early.grads["h0"], whole.grads["h0"], rtol=1e-9, atol=1e-12)


def test_a_network_without_a_readout_takes_cotangents_of_its_states() -> None:
    bptt = compile_network(network("tanh", readout=None, loss_="mse", outputs=None))
    given = without_target(data(bptt, 3, None))
    by_state = bptt.vjp(**given, dh_T=np.ones(4))
    by_output = bptt.vjp(**given, dy=np.vstack([np.zeros((2, 4)), np.ones(4)]))
    np.testing.assert_allclose(by_state.grads["W_h"], by_output.grads["W_h"])
    assert by_state.loss == pytest.approx(by_state.states["h"][-1].sum())


def test_a_scalar_model_takes_and_gives_floats() -> None:
    bptt = RNN("linear", 1, 1, steps=2).lambdify()
    out = bptt.vjp({"W_h": 3.0, "W_x": 1.0, "b_h": 0.0}, x=[1.0, 1.0], dh_T=1.0)
    assert out.grads["W_h"] == 1.0 and out.grads["h0"] == 9.0


def test_scalar_models_with_layers_take_cotangents_by_layer() -> None:
    bptt = RNN(Stack(["tanh", "tanh"]), 1, 1, loss="mse", steps=2).lambdify()
    params = dict.fromkeys(bptt.network.system.parameters, 0.5)
    by_state = bptt.vjp(params, x=[1.0, -1.0], final={"2.h": 1.0})
    by_output = bptt.vjp(params, x=[1.0, -1.0], dy=[0.0, 1.0])
    assert by_state.loss == by_output.loss
    for key in params:
        assert by_state.grads[key] == by_output.grads[key], key


def test_both_directions_take_cotangents() -> None:
    bptt = RNN(Bidirectional("tanh"), 2, 2, 2, readout="linear", loss="mse").lambdify()
    given = without_target(data(bptt, 3, None, sizes={"n": 2, "m": 2}))
    out = bptt.vjp(**given, final={"backward.h": np.ones(2)})
    assert not out.grads["forward.W_h"].any() and out.grads["backward.W_h"].any()
    assert out.loss == pytest.approx(out.states["backward.h"][0].sum())


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"dy": np.zeros((3, 5))}, r"dy has shape \(3, 5\); expected \(T, q\) = \(3, 2\)"),
        ({"dy": np.full((3, 2), np.nan)}, "dy has a value that is not finite"),
        ({"dh_T": np.zeros(3)}, r"dh_T has shape \(3,\); expected \(n,\) = \(4,\)"),
        ({"dh_T": np.zeros((2, 4))}, r"dh_T has shape \(2, 4\); expected \(n,\) = \(4,\)"),
        ({"dc_T": np.zeros(4)}, "'c' is no state"),
        ({"dh_T": np.zeros(4), "final": {"h": np.zeros(4)}}, "h is given twice: as dh_T= and in final"),
        ({"x": None}, "x is missing"),
    ],
)
def test_bad_input_has_one_line(wrong: dict[str, Any], message: str) -> None:
    bptt = compile_network(network("tanh", readout="linear", loss_="mse"))
    given = without_target(data(bptt, 3, None))
    with pytest.raises(SymbpttError, match=message) as caught:
        bptt.vjp(**{**given, **wrong})
    assert "\n" not in str(caught.value)


def test_truncated_gradients_are_no_products() -> None:
    bptt = compile_network(network("tanh"), Window(2))
    with pytest.raises(SymbpttError, match="truncated gradients are no vector-Jacobian products"):
        bptt.vjp({}, dh_T=1.0)
