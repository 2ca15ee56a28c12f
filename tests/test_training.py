"""Training on a text: the loss falls, the first step is what the gradients say, and bad settings are one line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from symbptt import RNN, load
from symbptt.errors import ModelFileError, SymbpttError, ValueInputError
from symbptt.training import Trainer, Training, training_of

TEXT = "the cat sat on the mat and the rat sat on the cat. "


def small(text: str = TEXT, **changes) -> RNN:
    count = len(set(text))
    parts = {"cell": "tanh", "hidden": 6, "inputs": count, "outputs": count, "readout": "softmax"}
    return RNN(**{**parts, "loss": "cross_entropy", "steps": 10, **changes})


def test_the_loss_of_the_example_starts_near_that_of_guessing_and_falls():
    trainer = Trainer(load("char-rnn"), training_of("char-rnn"))
    losses = [found.loss for found in trainer.passes(10)]
    assert losses[0] < np.log(trainer.count)
    assert losses[9] < 0.75 * losses[0]


def test_the_sizes_of_the_example_are_those_of_its_text():
    model, text = load("char-rnn"), training_of("char-rnn").text
    assert model.network.inputs == model.network.outputs == len(set(text))


def test_the_first_step_is_that_of_adagrad_with_a_gradient_from_differences():
    text = TEXT[:12]  # one window, so that a pass is one step
    training = Training(text, rate=0.1, clip=0.05)
    trainer = Trainer(small(text, steps=11), training)
    before, after = trainer.initial(), next(iter(trainer.passes(1))).params
    codes, eye = trainer.codes, np.eye(trainer.count)

    def loss(shift: float) -> float:
        params = {**before, "W_h": before["W_h"] + shift * np.eye(6)[1][:, None] * np.eye(6)[2]}
        return trainer.bptt(params, eye[codes[:-1]], codes[1:], wrt=()).loss

    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    clipped = np.clip(slope, -0.05, 0.05)
    step = (after["W_h"] - before["W_h"])[1, 2]
    assert step == pytest.approx(-0.1 * clipped / np.sqrt(clipped**2 + 1e-8), rel=1e-3)


def test_the_state_is_carried_from_window_to_window():
    text = "abbabaabbbabaababbaab"  # two windows of ten
    model = small(text)
    trainer = Trainer(model, Training(text, rate=1e-12))
    whole = model.replace(steps=20).lambdify()
    eye, codes = np.eye(2), trainer.codes
    expected = whole(trainer.initial(), eye[codes[:-1]], codes[1:], wrt=()).loss / 20
    assert next(iter(trainer.passes(1))).loss == pytest.approx(expected, rel=1e-6)


def test_a_run_is_the_same_every_time_and_another_seed_makes_another():
    def last(seed):
        return list(Trainer(small(), Training(TEXT, seed=seed)).passes(3))[-1]

    assert last(0).loss == last(0).loss != last(1).loss


def test_a_sample_goes_on_from_its_start_in_characters_of_the_text():
    trainer = Trainer(small(), Training(TEXT))
    written = trainer.sample(trainer.initial(), 30, start="the ")
    assert written.startswith("the ") and len(written) == 34 and set(written) <= set(TEXT)
    with pytest.raises(ValueInputError, match="'q' is not in the text"):
        trainer.sample(trainer.initial(), 3, start="q")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"readout": "linear", "loss": "mse"}, "softmax"),
        ({"inputs": 3}, "different characters, but the model has inputs = 3"),
        ({"reduction": "mean"}, "reduction 'sum', not 'mean'"),
        ({"steps": 500}, "not 500"),
        ({"steps": "T"}, "not T"),
        ({"hidden": "n"}, "hidden units, not n"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueInputError, match=message):
        Trainer(small(**changes), Training(TEXT))


@pytest.mark.parametrize("settings", [{"rate": 0.0}, {"clip": -1.0}, {"text": "aaa"}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(SymbpttError, match="training"):
        replace(Training(TEXT), **settings)


def test_a_source_without_a_text_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="nothing to train on"):
        training_of("tanh")
    path = tmp_path / "mine.toml"
    path.write_text('cell = "tanh"\n[training]\ntext = "none.txt"\n', encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"mine.toml:3: text 'none.txt' cannot be read"):
        training_of(path)
    (tmp_path / "none.txt").write_text(TEXT, encoding="utf-8")
    assert training_of(path).text == TEXT


def test_the_command_trains_and_writes_the_parameters(tmp_path, monkeypatch, capfdbinary):
    from symbptt import cli

    monkeypatch.chdir(tmp_path)
    assert cli.run(["train", "char-rnn", "--passes", "2", "--lang", "zh", "-o", "p.npz"]) == 0
    out = capfdbinary.readouterr().out.decode()
    assert out.startswith("第 1 遍") and "第 2 遍" in out and "网络写出的文本" in out
    assert np.load(tmp_path / "p.npz")["W_h"].shape == (32, 32)
