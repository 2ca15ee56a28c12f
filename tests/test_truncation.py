"""Regular truncation: windows and segments, against gradients put together pair by pair, and against torch."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cells import CELLS, MIXED
from click.testing import CliRunner
from derivation_examples import with_numbers
from hypothesis import given, settings
from hypothesis import strategies as st

from symbptt import RNN, Segments, Window, load
from symbptt import algebra as A
from symbptt.cli import app
from symbptt.codegen.verify import verify_function
from symbptt.derive.steps import VALUE, Line, Section, Worksheet
from symbptt.errors import RefusedError, SizeError, SymbpttError, UnknownNameError, ValueInputError
from symbptt.evaluate.instance import Instance
from symbptt.evaluate.report import verify_derivation
from symbptt.model.truncation import Truncation, truncation, truncations

REGULAR = (Window, Segments)


def drawn(T: int, n: int, m: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shapes = {"W_h": (n, n), "W_x": (n, m), "b_h": (n,), "x": (T, m), "target": (T, n), "h0": (n,)}
    return {key: rng.normal(0, 0.6, shape) for key, shape in shapes.items()}


def by_pairs(data: dict[str, Any], reaches: Any) -> dict[str, Any]:
    """Gradients of a tanh network by hand: for each loss and each use that it reaches, along the states between."""
    T, W = len(data["x"]), data["W_h"]
    h = [data["h0"]]
    for t in range(T):
        h.append(np.tanh(W @ h[-1] + data["W_x"] @ data["x"][t] + data["b_h"]))
    grads = {key: np.zeros_like(data[key]) for key in ("W_h", "W_x", "b_h", "x", "h0")}
    for s in range(1, T + 1):
        delta = h[s] - data["target"][s - 1]
        for k in range(s, 0, -1):
            dz = (1 - h[k] ** 2) * delta
            if reaches(s, k):
                grads["W_h"] += np.outer(dz, h[k - 1])
                grads["W_x"] += np.outer(dz, data["x"][k - 1])
                grads["b_h"] += dz
                grads["x"][k - 1] += data["W_x"].T @ dz
                grads["h0"] += W.T @ dz if k == 1 else 0
            delta = W.T @ dz
    return grads


def generated(model: RNN, data: dict[str, Any], how: Any = None) -> dict[str, Any]:
    params = {key: data[key] for key in model.system.parameters}
    return model.lambdify(how)(params, data["x"], data["target"], h0=data["h0"]).grads


def agree(left: dict[str, Any], right: dict[str, Any]) -> None:
    for key, value in right.items():
        np.testing.assert_allclose(left[key], value, rtol=1e-10, atol=1e-12, err_msg=key)


# -- what is computed ---------------------------------------------------------------------------------


@given(T=st.integers(1, 7), n=st.integers(1, 3), m=st.integers(1, 3), cut=st.data())
@settings(max_examples=25, deadline=None)
def test_the_generated_code_adds_up_the_pairs_that_are_kept(T: int, n: int, m: int, cut: Any) -> None:
    tau, kind = cut.draw(st.integers(1, T)), cut.draw(st.sampled_from(REGULAR))
    data = drawn(T, n, m)
    agree(generated(RNN("tanh"), data, kind(tau)), by_pairs(data, kind(tau).reaches))


@pytest.mark.parametrize("kind", REGULAR)
def test_a_truncation_as_long_as_the_sequence_is_exact(kind: Any) -> None:
    data, model = drawn(5, 3, 2), RNN("tanh")
    agree(generated(model, data, kind(5)), generated(model, data))


@pytest.mark.parametrize("kind", REGULAR)
def test_tau_1_leaves_what_a_step_does_to_its_own_loss(kind: Any) -> None:
    data = drawn(4, 2, 2)
    found, T = generated(RNN("tanh"), data, kind(1)), 4
    states = RNN("tanh").lambdify()({k: data[k] for k in ("W_h", "W_x", "b_h")}, data["x"], data["target"], data["h0"])
    h = states.states["h"]
    dz = (1 - h[1:] ** 2) * (h[1:] - data["target"])
    np.testing.assert_allclose(found["W_h"], sum(np.outer(dz[t], h[t]) for t in range(T)), rtol=1e-12)


def test_a_window_and_segments_of_one_length_differ() -> None:
    data = drawn(6, 2, 2)
    window, segments = (generated(RNN("tanh"), data, kind(3))["W_h"] for kind in REGULAR)
    assert np.abs(window - segments).max() > 1e-3


def test_a_window_beyond_the_sequence_of_a_call_is_exact() -> None:
    data = drawn(3, 2, 2)
    agree(generated(RNN("tanh"), data, Window(9)), generated(RNN("tanh"), data))


@pytest.mark.parametrize("how", ["window:2", "segments:2"])
@pytest.mark.parametrize(
    ("name", "reduction"), [("gru", "sum"), ("layer_norm", "mean"), ("coupled", "last"), ("delta_rule", "sum")]
)
def test_the_generated_code_of_other_cells_is_what_gated_complex_steps_measure(
    name: str, reduction: str, how: str
) -> None:
    report = verify_function(RNN(CELLS[name], reduction=reduction).network, 0, truncation(how))
    assert report.ok and report.checks, report.failures


@pytest.mark.parametrize("how", ["window:2", "segments:2"])
def test_a_batch_is_the_sum_of_its_sequences(how: str) -> None:
    one, two = drawn(5, 2, 2, 1), drawn(5, 2, 2, 2)
    both = {**one, **{key: np.stack([one[key], two[key]], 1) for key in ("x", "target")},
            "h0": np.stack([one["h0"], two["h0"]])}  # fmt: skip
    model = RNN("tanh")
    other = {**two, **{key: one[key] for key in ("W_h", "W_x", "b_h")}}
    parts = generated(model, one, how)["W_h"] + generated(model, other, how)["W_h"]
    np.testing.assert_allclose(generated(model, both, how)["W_h"], parts, rtol=1e-12)


@pytest.mark.parametrize("how", ["window:3", "segments:3", "randomised:0.7", "randomised:0.7:independent"])
@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
def test_the_module_finds_its_own_gradients_right_and_a_wrong_one_wrong(how: str, reduction: str) -> None:
    source = RNN("tanh", 1, 1, reduction=reduction).lambdify(how).source
    assert own_check(source) < 1e-6
    broken = source.replace("dh_carry = W_h * dz", "dh_carry = 0.5 * W_h * dz")
    assert broken != source and own_check(broken) > 1e-3


def own_check(source: str) -> float:
    space: dict[str, Any] = {"__name__": "module"}
    exec(compile(source, "module", "exec"), space)
    return float(space["gradient_check"]())


# -- against torch ------------------------------------------------------------------------------------


@pytest.mark.oracle("torch")
@pytest.mark.parametrize("tau", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", REGULAR)
def test_torch_with_detached_states_agrees(kind: Any, tau: int, require: Any) -> None:
    torch = require("torch")
    data, T = drawn(7, 3, 2), 7
    t = {key: torch.tensor(value, requires_grad=key != "target") for key, value in data.items()}

    def losses(cut: Any) -> list[Any]:
        h, found = t["h0"], []
        for k in range(T):
            h = torch.tanh(t["W_h"] @ (h.detach() if k in cut else h) + t["W_x"] @ t["x"][k] + t["b_h"])
            found.append(((h - t["target"][k]) ** 2).sum() / 2)
        return found

    if kind is Segments:
        total = sum(losses(range(tau, T, tau)))
    else:  # for each loss the state that its window starts from is detached
        total = sum(losses([s - tau + 1] if s >= tau else [])[s] for s in range(T))
    total.backward()
    agree(generated(RNN("tanh"), data, kind(tau)), {k: v.grad.numpy() for k, v in t.items() if k != "target"})


# -- what is printed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
@pytest.mark.parametrize("steps", ["T", *(pytest.param(steps, marks=pytest.mark.slow) for steps in (5, 10))])
def test_every_line_on_a_window_and_on_segments_is_proved(reduction: str, steps: Any) -> None:
    report = proved(RNN("tanh", reduction=reduction, steps=steps), ["window:3", "segments:3"])
    assert report.counts["equality"] >= 13


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CELLS if name not in MIXED])
def test_every_line_on_truncation_of_any_cell_is_proved(name: str) -> None:
    proved(RNN(CELLS[name], steps=5), ["window:2", "segments:2"])


def test_networks_that_run_both_ways_are_refused() -> None:
    with pytest.raises(RefusedError, match="cells of one direction in time"):
        RNN(CELLS["bidirectional"], steps=4).derivation(truncate="window:2")


def test_matrix_states_are_truncated_as_well() -> None:
    proved(RNN(CELLS["delta_rule"], steps=4), ["window:2", "segments:2"])


def test_a_cell_that_runs_backward_is_truncated_in_its_own_order() -> None:
    proved(RNN(CELLS["backward"], steps=5), ["window:2", "segments:2"])


def proved(model: RNN, how: Any) -> Any:
    derivation = model.derivation(sections=["truncation", "truncated"], truncate=how)
    report = derivation.verify()
    assert report.ok, [(check.key, check.detail) for check in report.failures]
    return report


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("truncation.window:3.sum.h", lambda e: e.func(e.body, e.index, e.lower, e.upper + 1)),
        ("truncation.window:3.bias.W_h", lambda e: e.func(e.body, e.index, e.lower, e.upper - 1)),
        ("truncation.segments:3.ends.h", lambda e: A.product(2, e)),
        ("truncation.segments:3.inside.h", lambda e: A.product(2, e)),
        ("truncation.segments:3.bias.b_h", lambda e: e.func(e.body, e.index, e.lower, e.upper - 3)),
    ],
)
def test_a_corrupted_line_is_refuted(key: str, wrong: Any) -> None:
    derived = RNN("tanh", steps=6).derivation(sections=["truncation"], truncate=["window:3", "segments:3"]).derived
    step = derived.worksheet[key]
    bad = replace(step, chain=(*step.chain[:-1], Line("=", wrong(step.chain[-1].expr))))
    sheet = Worksheet((Section("truncation", (bad,)),))
    assert not verify_derivation(replace(derived, worksheet=sheet)).ok


def test_the_bias_is_the_exact_gradient_less_the_truncated_one() -> None:
    model = with_numbers(RNN("tanh", 2, 1, steps=6), 0.5).replace(truncate=["window:2", "segments:2"])
    derivation = model.derivation(sections=["truncated"])
    data = Instance(model.network, values=model.values).data
    shown = {step.key: step for step in derivation.steps if step.kind == VALUE}
    for how in ("window:2", "segments:2"):
        missing = by_pairs(data, lambda s, k, how=how: not truncation(how).reaches(s, k))["W_h"]
        printed = [[float(entry.value) for entry in row] for row in shown[f"truncated.{how}.W_h.bias"].result.rows]
        np.testing.assert_allclose(printed, missing, rtol=2e-3, atol=1e-4)
    assert derivation.verify().ok


def test_a_value_that_is_off_in_its_last_digit_is_refuted() -> None:
    model = load("truncation-regular")
    derived = model.derivation(sections=["truncated"]).derived
    step = derived.worksheet["truncated.window:3.W_h"]
    bad = replace(step, chain=(Line("≈", A.Literal("1.868")),))
    good = verify_derivation(replace(derived, worksheet=Worksheet((Section("truncated", (step,)),))))
    assert good.ok and good.counts == {VALUE: 1}
    assert not verify_derivation(replace(derived, worksheet=Worksheet((Section("truncated", (bad,)),)))).ok


def test_dropped_pairs_are_counted() -> None:
    facts = dict(load("truncation-regular").derivation()["truncation.window:3.bias.W_h"].facts)
    assert (facts["dropped"], facts["pairs"]) == (28, 55)


def test_the_cost_of_many_passes_is_only_told_where_there_are_many_losses() -> None:
    keys = [step.key for step in RNN("tanh", steps=5).derivation(truncate=2).steps]
    last = [step.key for step in RNN("tanh", steps=5, reduction="last").derivation(truncate=2).steps]
    assert "truncation.window:2.cost" in keys and "truncation.window:2.cost" not in last


# -- how it is asked for ------------------------------------------------------------------------------


def test_an_integer_is_a_window_and_a_string_is_as_on_the_command_line() -> None:
    assert truncations([3, "segments:4", "3"]) == (Window(3), Segments(4))
    for how in (Window(3), Segments(2)):
        assert truncation(str(how)) == how
    assert truncations(None) == ()


def test_a_derivation_has_the_sections_where_a_truncation_is_given() -> None:
    model = with_numbers(RNN("tanh", 1, 1, steps=3))
    keys = [section.key for section in model.derivation(truncate=2).sections]
    assert keys.index("truncation") == keys.index("parameters") + 2 and "truncated" in keys
    plain = [section.key for section in model.derivation().sections]
    assert plain == [key for key in keys if not key.startswith("trunc")]


def test_truncation_is_shown_and_not_part_of_the_model() -> None:
    model = RNN("tanh", truncate=[2, "segments:3"])
    assert model == RNN("tanh") and hash(model) == hash(RNN("tanh"))
    assert model.truncate == (Window(2), Segments(3)) == pickle.loads(pickle.dumps(model)).truncate
    assert model.replace(steps=7).truncate == model.truncate
    assert "truncation" in [section.key for section in model.derivation().sections]
    assert "truncation" not in [section.key for section in model.derivation(truncate=[]).sections]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (0, SizeError, "positive integer"),
        (-2, SizeError, "positive integer"),
        (2.5, ValueInputError, "Window"),
        (True, ValueInputError, "Window"),
        ("window:x", SizeError, "window:TAU"),
        ("widow:3", UnknownNameError, "window"),
        ("segments", SizeError, "segments:3"),
    ],
)
def test_what_is_no_truncation_is_refused(given: Any, error: type[SymbpttError], words: str) -> None:
    with pytest.raises(error, match=words):
        truncation(given)


@pytest.mark.parametrize("how", [Window(4), Segments(4)])
def test_tau_beyond_T_is_refused_with_both(how: Truncation) -> None:
    with pytest.raises(SizeError, match=r"from 1 to T = 3"):
        RNN("tanh", steps=3).derivation(truncate=how)


def test_the_command_line_derives_and_generates() -> None:
    runner = CliRunner()
    derived = runner.invoke(app, ["derive", "tanh", "--steps", "4", "--truncate", "2", "--truncate", "segments:2",
                                  "--section", "truncation", "--to", "text", "--lang", "en"])  # fmt: skip
    assert derived.exit_code == 0 and "∂̃L/∂hₜ" in derived.output and "∂̄L/∂hₜ" in derived.output
    written = runner.invoke(app, ["codegen", "tanh", "--truncate", "window:2"])
    assert written.exit_code == 0 and "TAU = 2" in written.output


def test_a_model_file_says_its_truncations(tmp_path: Any) -> None:
    path = tmp_path / "cut.toml"
    path.write_text('cell = "tanh"\nsteps = 4\ntruncate = ["window:2", "segments:2"]\n', encoding="utf-8")
    assert load(str(path)).truncate == (Window(2), Segments(2))
    path.write_text('cell = "tanh"\nsteps = 4\ntruncate = 9\n', encoding="utf-8")
    with pytest.raises(SizeError, match="T = 4"):
        load(str(path))


def test_the_example_shows_both_truncations_beside_the_exact_gradient() -> None:
    model = load("truncation-regular")
    shown = {step.key: float(step.result.value) for step in model.derivation().steps if step.kind == VALUE}
    given = {"b_h": 0.0, **Instance(model.network, values=model.values).data}
    shapes = {"W_h": (1, 1), "W_x": (1, 1), "b_h": (1,), "x": (10, 1), "target": (10, 1), "h0": (1,)}
    data = {key: np.reshape(given[key], shape).astype(float) for key, shape in shapes.items()}
    for key, how in (("", Window(10)), (".window:3", Window(3)), (".segments:3", Segments(3))):
        right = float(by_pairs(data, how.reaches)["W_h"][0, 0])
        assert shown[f"truncated{key}.W_h"] == pytest.approx(right, rel=1e-3)
