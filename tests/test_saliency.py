"""Saliency: the derivative of one loss or output by one input, in formulas, in numbers, and drawn."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from cells import GRU_AFTER, LINEAR_ATTENTION, LSTM, PEEPHOLE
from derivation_examples import BACKWARD, with_numbers

import symbptt.algebra as A
from symbptt import RNN, Cell
from symbptt.errors import MissingToolError, OutputError, RefusedError, SizeError, UnknownNameError
from symbptt.evaluate.claims import instances
from symbptt.evaluate.instance import Instance
from symbptt.render.plots_saliency import plot_saliency

DIRECT = Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])", "o[t] = h[t] + W_d @ x[t]"], ["h"], "o", name="direct")
MODELS = {
    "tanh": RNN("tanh", readout="softmax", loss="cross_entropy"),
    "no readout": RNN("relu", reduction="mean"),
    "last": RNN("sigmoid", readout="linear", reduction="last"),
    "scalar": RNN("tanh", 1, 1),
    "lstm": RNN(LSTM, readout="linear"),
    "peephole": RNN(PEEPHOLE),
    "gru": RNN(GRU_AFTER, readout="sigmoid", loss="binary_cross_entropy"),
    "backward": RNN(BACKWARD, readout="linear"),
    "masked": RNN("tanh", mask=True),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_line_of_the_section_is_proved(name):
    report = MODELS[name].derivation(sections=["saliency"]).verify()
    assert report, report.to_text()
    assert report.counts["equality"] >= 3


@pytest.mark.parametrize("name", ["tanh", "lstm", "gru"])
@pytest.mark.parametrize("of", ["l", "y"])
def test_symbols_hold_at_every_pair_of_steps(name, of):
    model = MODELS[name]
    system, one = model.system, instances(model.network)[1]
    t, s = A.index("t"), A.index("s")
    claimed = model.saliency(of)
    observed = system.at("l" if of == "l" else system.prediction, s)
    for later in range(1, one.steps + 1):
        for earlier in range(1, later + 1):
            steps = {"t": earlier, "s": later}
            measured = one.evaluate(A.derivative(observed, system.at("x", t)), **steps)
            np.testing.assert_allclose(np.ravel(one.evaluate(claimed, **steps)), np.ravel(measured), atol=1e-12)


@pytest.mark.parametrize("of", ["l", "y"])
def test_written_out_it_holds_too(of):
    model = RNN("tanh", readout="softmax", loss="cross_entropy", steps=4)
    (one,) = instances(model.network, count=1)
    system = model.system
    for earlier, later in ((1, 4), (2, 3), (3, 3)):
        written = model.saliency(of, at=earlier, of_step=later, form="unrolled")
        assert not written.atoms(A.Jacobian, A.Gradient, A.ScalarDerivative)
        measured = one.value(A.derivative(system.at("l" if of == "l" else "y", later), system.at("x", earlier)))
        np.testing.assert_allclose(one.evaluate(written), measured, atol=1e-12)


def test_a_linear_network_reads_as_it_should():
    model = RNN("linear", readout="linear", steps=5)
    assert str(model.saliency("y", at=2, of_step=4, form="unrolled")) == "W_y @ W_h @ W_h @ W_x"
    assert str(model.saliency("l", at=3, of_step=3)) == "d(h[3])/d(x[3]).T @ d(l[3])/d(h[3])"
    assert str(RNN("linear", 1, 1).saliency(at=2, of_step=3)) == "d(h[2])/d(x[2])*d(h[3])/d(h[2])*d(l[3])/d(h[3])"


def test_nothing_depends_on_a_later_input():
    model = RNN("tanh", 3, 2, 4, readout="linear", steps=4)
    assert A.is_zero(model.saliency("y", at=3, of_step=2)) and A.is_zero(model.saliency("l", at="T", of_step=1))
    assert A.shape_of(model.saliency("y", at=3, of_step=2)) == (4, 2)


@pytest.mark.parametrize("of", ["l", "y"])
@pytest.mark.parametrize("cell", ["tanh", LSTM], ids=["tanh", "lstm"])
def test_norms_are_those_that_complex_steps_measure(cell, of):
    for sizes in ({"hidden": 2, "inputs": 3, "outputs": 2}, {"hidden": 1, "inputs": 1, "outputs": 1}):
        model = with_numbers(RNN(cell, **sizes, readout="linear", steps=3))
        one, system = Instance(model.network, values=_arrays(model)), model.system
        found = model.saliency_norms(of)
        assert found.shape == (3, 3) and not np.triu(found, 1).any()
        for s, t in ((1, 1), (3, 1), (3, 2)):
            measured = one.value(A.derivative(system.at("l" if of == "l" else "y", s), system.at("x", t)))
            np.testing.assert_allclose(found[s - 1, t - 1], np.linalg.norm(np.ravel(measured)), rtol=1e-9)


def _arrays(model: RNN) -> dict[str, Any]:
    return {key: np.array(value, dtype=float) for key, value in model.values.items()}


def test_norms_count_the_mask_and_need_no_target_for_the_output():
    model = with_numbers(RNN("tanh", 2, 1, steps=4, loss_steps=[2]))
    norms = model.saliency_norms("l")
    assert norms[1, 0] > 0 and not norms[[0, 2, 3]].any()
    values = {key: value for key, value in model.values.items() if key != "target"}
    assert model.replace(values=values).saliency_norms("y")[3, 0] > 0


def test_the_heat_map_is_drawn(tmp_path):
    norms = with_numbers(RNN("tanh", 2, 1, steps=4)).saliency_norms()
    if find_spec("matplotlib") is None:
        with pytest.raises(MissingToolError, match="need matplotlib"):
            plot_saliency(norms)
        return
    figure = plot_saliency(norms, tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert figure.axes[0].get_xlabel() == "input $x_t$"
    with pytest.raises(OutputError, match=r"\.svg, \.png, \.pdf"):
        plot_saliency(norms, tmp_path / "map.txt")


def test_the_heat_map_speaks_the_language_and_the_notation_and_stays_the_same(tmp_path):
    pytest.importorskip("matplotlib")
    model = with_numbers(RNN("tanh", 2, 1, steps=4, readout="linear", outputs=2))
    for name in ("a.svg", "b.svg"):
        figure = model.plot_saliency("y", path=tmp_path / name, lang="zh", notation="d2l")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    axes, bar = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) in [
        ("输入 $x_t$", "受影响的量 $o_s$"),
        ("input $x_t$", "what depends on it, $o_s$"),  # without a font for Chinese
    ]
    assert r"\partial o_s" in bar.get_ylabel()
    assert axes.images[0].get_array()[3, 0] == model.saliency_norms("y")[3, 0]


@pytest.mark.parametrize(
    "model, call, error, words",
    [
        (RNN("tanh"), {"by": "u"}, UnknownNameError, "'u' is no input"),
        (RNN("tanh"), {"of": "q"}, UnknownNameError, "give 'l' or 'h'"),
        (RNN("tanh", steps=3), {"at": 4}, SizeError, "at=4: a step from 1 to 3"),
        (RNN("tanh", reduction="last", steps=3), {"of_step": 2}, SizeError, "there is a loss at step 3 only"),
        (RNN("tanh"), {"form": "unrolled"}, SizeError, "needs both steps as numbers"),
        (RNN("tanh"), {"form": "recursive"}, UnknownNameError, "unknown form"),
        (RNN(LINEAR_ATTENTION), {}, RefusedError, "a state is a matrix"),
        (RNN(DIRECT), {"of": "y"}, RefusedError, "beside the state of its step"),
        (RNN(LSTM, steps=3), {"at": 1, "of_step": 2, "form": "unrolled"}, RefusedError, "networks of one state"),
    ],
)
def test_what_there_is_not_is_refused(model, call, error, words):
    with pytest.raises(error, match=words):
        model.saliency(**call)


def test_norms_of_the_last_loss_alone_are_refused():
    with pytest.raises(RefusedError, match="only step T has a loss"):
        with_numbers(RNN("tanh", 1, 1, steps=2, reduction="last")).saliency_norms()
