"""Losses on some of the steps: masks, sequences of different lengths, subsets of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cells import LSTM
from derivation_examples import with_numbers

import symbptt.algebra as A
from symbptt import RNN, Cell
from symbptt.errors import EquationError, SizeError, ValueInputError

LENGTHS = (5, 2, 4)
SOFTMAX: dict[str, Any] = {"readout": "softmax", "loss": "cross_entropy"}


def parameters(model: RNN, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shapes = {k: [int(s) for s in A.shape_of(p)[: A.rank_of(p)]] for k, p in model.system.parameters.items()}
    return {key: rng.normal(0, 0.6, shape) for key, shape in shapes.items()}


def padded(seed: int = 1) -> tuple[Any, Any, Any]:
    """Inputs, classes and the mask of a batch of sequences of different lengths."""
    rng = np.random.default_rng(seed)
    mask = np.array([[float(t < length) for length in LENGTHS] for t in range(max(LENGTHS))])
    return rng.standard_normal((*mask.shape, 2)), rng.integers(0, 3, mask.shape), mask


@pytest.mark.parametrize("cell", ["tanh", "relu", LSTM], ids=["tanh", "relu", "lstm"])
def test_a_padded_batch_has_the_gradients_of_its_sequences(cell):
    model, plain = RNN(cell, 4, 2, 3, mask=True, **SOFTMAX), RNN(cell, 4, 2, 3, **SOFTMAX)
    params, (x, target, mask) = parameters(model), padded()
    out = model.lambdify()(params, x, target, mask=mask)
    parts = [plain.lambdify()(params, x[:n, b], target[:n, b]) for b, n in enumerate(LENGTHS)]
    np.testing.assert_allclose(out.loss, sum(part.loss for part in parts))
    for key in params:
        np.testing.assert_allclose(out.grads[key], sum(part.grads[key] for part in parts), rtol=1e-11, atol=1e-13)
    for b, (part, length) in enumerate(zip(parts, LENGTHS, strict=True)):
        np.testing.assert_allclose(out.grads["x"][:length, b], part.grads["x"], rtol=1e-11, atol=1e-13)
        assert not out.grads["x"][length:, b].any()


@pytest.mark.oracle("torch")
def test_a_padded_batch_has_the_gradients_of_torch_with_packed_sequences(require):
    torch = require("torch")
    model = RNN("tanh", 4, 2, 3, mask=True, **SOFTMAX)
    params, (x, target, mask) = parameters(model), padded()
    rnn, readout = torch.nn.RNN(2, 4, dtype=torch.float64), torch.nn.Linear(4, 3, dtype=torch.float64)
    places = {"W_x": rnn.weight_ih_l0, "W_h": rnn.weight_hh_l0, "b_h": rnn.bias_ih_l0}
    places |= {"W_y": readout.weight, "b_y": readout.bias}
    with torch.no_grad():
        rnn.bias_hh_l0.zero_()
        for key, place in places.items():
            place.copy_(torch.tensor(params[key]))
    pack = torch.nn.utils.rnn
    h, _ = rnn(pack.pack_padded_sequence(torch.tensor(x), torch.tensor(LENGTHS), enforce_sorted=False))
    h, _ = pack.pad_packed_sequence(h)
    classes = torch.tensor(np.where(mask > 0, target, -100))
    torch.nn.functional.cross_entropy(readout(h).flatten(0, 1), classes.flatten(), reduction="sum").backward()
    out = model.lambdify()(params, x, target, mask=mask)
    for key, place in places.items():
        np.testing.assert_allclose(out.grads[key], place.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reduction, scale", [("sum", 1.0), ("mean", 1 / 6)])
def test_a_subset_of_steps_is_the_sum_of_their_losses(reduction, scale):
    model = RNN("tanh", 3, 2, steps=6, loss_steps=[3, 5], reduction=reduction)
    plain = RNN("tanh", 3, 2, reduction="last")
    params, rng = parameters(model), np.random.default_rng(2)
    x, target = rng.standard_normal((6, 2)), rng.standard_normal((6, 3))
    out = model.lambdify()(params, x, target)
    parts = [plain.lambdify()(params, x[:s], target[s - 1]) for s in (3, 5)]
    np.testing.assert_allclose(out.loss, scale * sum(p.loss for p in parts))
    for key in params:
        np.testing.assert_allclose(out.grads[key], scale * sum(p.grads[key] for p in parts), rtol=1e-11, atol=1e-13)


def test_weights_may_be_any_numbers_and_one_for_all_sequences():
    model = RNN("tanh", 4, 2, 3, mask=True, **SOFTMAX)
    params, (x, target, _) = parameters(model), padded()
    weights, bptt = np.array([0.5, 2.0, 0.0, -1.0, 0.25]), model.lambdify()
    shared = bptt(params, x, target, mask=weights)
    each = bptt(params, x, target, mask=np.tile(weights[:, None], 3))
    np.testing.assert_allclose(shared.grads["W_h"], each.grads["W_h"])
    moved = [bptt({**params, "b_h": params["b_h"] + step}, x, target, mask=weights).loss for step in (1e-6, -1e-6)]
    np.testing.assert_allclose(shared.grads["b_h"].sum(), (moved[0] - moved[1]) / 2e-6, rtol=1e-7)


def test_a_target_at_a_step_of_weight_zero_does_not_matter():
    model = RNN("tanh", 4, 2, 3, mask=True, **SOFTMAX)
    params, (x, target, mask) = parameters(model), padded()
    other = np.where(mask > 0, target, (target + 1) % 3)
    first, second = (model.lambdify()(params, x, given, mask=mask) for given in (target, other))
    assert first.loss == second.loss
    np.testing.assert_array_equal(first.grads["W_x"], second.grads["W_x"])


@pytest.mark.parametrize(
    "model",
    [
        RNN("tanh", mask=True, reduction="mean"),
        RNN("sigmoid", mask=True, **SOFTMAX),
        RNN("relu", 1, 1, mask=True),
        RNN(LSTM, mask=True),
        RNN("tanh", steps=4, loss_steps=[2, 4]),
        RNN("tanh", 1, 1, steps=11, loss_steps=[2, 10], reduction="mean"),
    ],
    ids=["mean", "softmax", "scalar", "lstm", "subset", "long subset"],
)
def test_every_line_is_proved(model):
    report = model.derivation().verify()
    assert report, report.to_text()


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["tanh", LSTM], ids=["tanh", "lstm"])
def test_the_function_agrees_with_every_other_route(cell):
    for model in (RNN(cell, mask=True, reduction="mean"), RNN(cell, steps=4, loss_steps=[2, 4])):
        report = model.verify()
        assert report, report.to_text()


def test_a_masked_model_in_numbers_and_along_a_direction():
    assert with_numbers(RNN("tanh", 2, 1, steps=3, loss_steps=[1, 3])).derivation().verify()
    model = RNN("tanh", 4, 2, 3, mask=True, **SOFTMAX)
    params, (x, target, mask) = parameters(model), padded()
    v, bptt, step = {"W_h": np.ones((4, 4))}, model.lambdify(), 1e-4
    moved = [bptt({**params, "W_h": params["W_h"] + s}, x, target, mask=mask).grads["W_x"] for s in (step, -step)]
    product = bptt.hvp(params, v, x, target, mask=mask).products["W_x"]
    np.testing.assert_allclose(product, (moved[0] - moved[1]) / (2 * step), rtol=1e-5, atol=1e-7)


def test_a_subset_says_which_losses_count():
    derivation = RNN("tanh", 1, 1, steps=5, loss_steps=[5, 3]).derivation()
    assert str(derivation["model.mask"].result) == "l[3] + l[5]"


def test_an_input_may_have_the_name_where_there_is_no_mask():
    cell = Cell(["h[t] = tanh(W_h @ h[t-1] + mask[t] * b_h)"], ["h"], shapes={"mask": ()}, name="gated")
    model = RNN(cell)
    assert model.system.fixed == ("target",) and "mask" in model.lambdify().gradients
    assert model.derivation().verify()
    with pytest.raises(EquationError, match="the cell uses 'mask'"):
        RNN(cell, mask=True)


def test_there_is_no_gradient_by_the_mask_and_the_model_is_a_value():
    model = RNN("tanh", mask=True)
    assert "mask" not in model.lambdify().gradients
    subset = RNN("tanh", steps=5, loss_steps=[3, 5])
    assert isinstance(model.network.cell, Cell)  # which the text of a model names
    assert eval(repr(model)) == model != RNN("tanh") and eval(repr(subset)) == subset != subset.replace(loss_steps=[3])


@pytest.mark.parametrize(
    "parts, error, words",
    [
        ({"mask": True, "reduction": "last"}, EquationError, "reduction='last', which counts the loss of step T alone"),
        ({"loss_steps": [2], "reduction": "last", "steps": 3}, EquationError, "leave loss_steps out"),
        ({"mask": True, "loss_steps": [2], "steps": 3}, EquationError, "give one of them"),
        ({"loss_steps": [2]}, SizeError, "loss_steps needs a number of steps, not T"),
        ({"loss_steps": [2, 4], "steps": 3}, SizeError, "has step 4, but there are 3 steps"),
        ({"loss_steps": [0], "steps": 3}, SizeError, "a positive integer, not 0"),
    ],
)
def test_what_makes_no_sense_is_refused(parts, error, words):
    with pytest.raises(error, match=words):
        RNN("tanh", **parts)


@pytest.mark.parametrize(
    "model, mask, words",
    [
        (RNN("linear", 1, 1, mask=True), None, r"mask is missing; expected \(2,\)"),
        (RNN("linear", 1, 1, mask=True), [1, 1, 0], r"mask has shape \(3,\); expected \(2,\)"),
        (RNN("linear", 1, 1, mask=True), [1, np.nan], "not finite"),
        (RNN("linear", 1, 1), [1, 0], "the model has no mask"),
        (RNN("linear", 1, 1, steps=2, loss_steps=[1]), [1, 0], "leave mask out"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(model, mask, words):
    with pytest.raises(ValueInputError, match=words):
        model.lambdify()({"W_h": 1.0, "W_x": 1.0, "b_h": 0.0}, [1.0, 1.0], [0.0, 0.0], mask=mask)
