"""Networks that run in both directions of time: their passes, and gradients against independent routes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cells import BACKWARD, COUPLED, LINEAR_ATTENTION
from codegen_networks import compile_network, data, largest_error, network
from hypothesis import given, settings
from hypothesis import strategies as st
from test_stack import MODULES, compare_with_torch

from symbptt import RNN, Bidirectional, Cell, Stack
from symbptt.errors import EquationError, RefusedError
from symbptt.evaluate.instance import Instance
from symbptt.evaluate.report import verify_derivation

BOTH = RNN(Bidirectional("tanh"), readout="linear")
DEEP = Stack([Bidirectional("tanh"), Bidirectional("softplus")])

# -- what it is ---------------------------------------------------------------------------------------


def test_each_direction_has_its_own_names_and_the_output_joins_them() -> None:
    cell = Bidirectional("linear")
    assert cell.equations == (
        "forward.h[t] = forward.W_h @ forward.h[t-1] + forward.W_x @ x[t] + forward.b_h",
        "backward.h[t] = backward.W_h @ backward.h[t+1] + backward.W_x @ x[t] + backward.b_h",
        "h[t] = concat(forward.h[t], backward.h[t])",
    )
    assert [str(s) for s in dict(cell.inferred)["h"]] == ["2*n"]
    assert eval(repr(cell)) == cell


def test_a_layer_is_complete_before_the_next_begins() -> None:
    assert [scan.direction for scan in DEEP.scans] == [1, -1, 1, -1]
    assert DEEP.scans[1].names == ("1.backward.z", "1.backward.h", "1.h")
    assert Bidirectional(Stack(["tanh", "relu"])).scans[0].names == (
        "forward.1.z", "forward.1.h", "forward.2.z", "forward.2.h",
    )  # fmt: skip


def test_the_output_has_a_name_that_is_free() -> None:
    cell = Cell(["1.h[t] = tanh(W @ 1.h[t-1] + h[t])"], {"1.h": "n"})
    assert Bidirectional(cell).output == "h_out"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bidirectional(BACKWARD), "takes a cell that runs forward in time; 'backward' does not"),
        (lambda: Bidirectional(Bidirectional("tanh")), "'bidirectional tanh' does not"),
        (lambda: Bidirectional(3), "Bidirectional: a cell or the name of one is needed, not 3"),
        (lambda: Bidirectional(Cell(["S[t] = S[t-1] + x[t] @ x[t].T"], {"S": ("m", "m")})),
         r"joins two vectors, but the output 'S' of 'cell' has shape \(m, m\)"),
        (lambda: RNN(Bidirectional("tanh"), reduction="last"), "reduction='last' reads step T, .*; use 'sum'"),
        (lambda: Cell(["u[t] = tanh(A @ u[t-1] + B @ v[t+1])", "v[t] = tanh(C @ v[t+1] + u[t])"], ["u", "v"],
                      direction="both"), "u, v run forward and backward in time at once"),
        (lambda: Cell(["u[t] = tanh(A @ u[t-1] + B @ u[t+1])"], ["u"], direction="both"), "run forward and backward"),
        (lambda: Cell(["u[t] = tanh(A @ u[t-1])", "v[t] = u[t+1]"], ["u"], "v", direction="both"),
         r"reads u\[t\+1\], but 'u' runs forward in time"),
        (lambda: Cell(["z[t] = A @ u[t-1]", "w[t] = B @ v[t+1]", "u[t] = tanh(z[t])", "v[t] = tanh(w[t])"], ["u", "v"],
                      direction="both"), "write the equations of each direction in a row"),
        (lambda: Cell(["u[t] = tanh(A @ u[t-1])"], ["u"], direction="up"), "must be 1 .* or 'both', not 'up'"),
    ],
)  # fmt: skip
def test_what_cannot_run_both_ways_is_answered_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(EquationError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_what_is_for_one_direction_is_refused_and_left_out() -> None:
    with pytest.raises(RefusedError, match="use form='recursive'"):
        BOTH.gradient("forward.W_h", form="closed")
    with pytest.raises(RefusedError, match="one direction"):
        _ = BOTH.system.direction
    assert "closed" not in {section.key for section in BOTH.derivation().sections}


# -- the forward pass ---------------------------------------------------------------------------------


def test_the_forward_pass_is_that_of_two_networks() -> None:
    """The backward half is the forward cell on the reversed sequence."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(5, 2, 3)), rng.normal(size=(5, 2, 8))
    params = {
        f"{way}.{key}": rng.normal(size=shape)
        for way in ("forward", "backward")
        for key, shape in (("W_h", (4, 4)), ("W_x", (4, 3)), ("b_h", (4,)))
    }
    both = RNN(Bidirectional("tanh"), 4, 3).lambdify()(params, x, target)
    single = RNN("tanh", 4, 3).lambdify()
    halves = []
    for way, turn in (("forward", 1), ("backward", -1)):
        own = {key: params[f"{way}.{key}"] for key in ("W_h", "W_x", "b_h")}
        part = target[..., :4] if way == "forward" else target[..., 4:]
        out = single(own, x[::turn], part[::turn])
        halves.append(out.outputs[::turn])
        for key in own:
            np.testing.assert_allclose(both.grads[f"{way}.{key}"], out.grads[key], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(both.outputs, np.concatenate(halves, -1), rtol=1e-14)


def test_unrolling_goes_pass_by_pass() -> None:
    unrolled = RNN(Bidirectional("linear"), steps=2).unroll()
    lefts = [str(left) for left, _ in unrolled.equations]
    assert lefts[:6] == ["forward.h[1]", "forward.h[2]", "backward.h[2]", "h[2]", "l[2]", "backward.h[1]"]
    assert str(unrolled.states["backward.h"][0]) == "backward.h[3]"


# -- gradients ----------------------------------------------------------------------------------------

CASES = {
    "tanh": Bidirectional("tanh"),
    "coupled": Bidirectional(COUPLED),
    "matrix state": Bidirectional(LINEAR_ATTENTION),
    "deep": DEEP,
    "bidirectional under a layer": Stack([Bidirectional("tanh"), "linear"]),
    "layer under a bidirectional": Stack(["tanh", Bidirectional("linear")]),
    "bidirectional stack": Bidirectional(Stack(["tanh", "linear"])),
    "backward between": Stack(["tanh", BACKWARD, "gru_before"]),
    "reads the other direction at its neighbour": Cell(
        ["u[t] = tanh(A @ u[t-1] + W_x @ x[t])", "v[t] = tanh(B @ v[t+1] + C @ u[t-1] + D @ u[t])"],
        {"u": "n", "v": "n"}, "v", direction="both", name="neighbour",
    ),
}  # fmt: skip


SOON = ("tanh", "coupled", "bidirectional stack", "reads the other direction at its neighbour")


@pytest.mark.parametrize("name", [n if n in SOON else pytest.param(n, marks=pytest.mark.slow) for n in CASES])
def test_every_line_is_proved(name: str) -> None:
    reduction = "mean" if name in ("tanh", "deep") else "sum"
    report = RNN(CASES[name], readout="softmax", loss="cross_entropy", reduction=reduction).derivation().verify()
    assert report.ok, report.failures


@pytest.mark.sample(3)
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_generated_code_agrees_with_differences(name: str, steps: int) -> None:
    bptt = compile_network(network(CASES[name], 2, 3, 2, "linear", "mse"))
    sizes = {"n": 2, "m": 3, "p": 3, "d": 2}
    assert largest_error(bptt, data(bptt, steps, 2, 1, sizes)) < 1e-6


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    layers=st.lists(
        st.sampled_from(["tanh", "linear", BACKWARD, *map(Bidirectional, ("tanh", COUPLED, "gru_before"))]),
        min_size=2,
        max_size=3,
    ),
    steps=st.integers(1, 4),
    batch=st.none() | st.integers(1, 3),
)  # fmt: skip
def test_generated_code_of_random_networks_agrees_with_differences(layers, steps, batch):
    bptt = compile_network(network(Stack(layers), 2, 3, 2, "softmax", "cross_entropy"))
    assert largest_error(bptt, data(bptt, steps, batch, sizes={"n": 2, "p": 3})) < 1e-6


def test_a_system_that_is_built_anew_has_the_same_passes() -> None:
    """Systems are kept in a cache of limited size, apart from what was derived from them."""
    from symbptt.derive.generic import generic
    from symbptt.model import network

    generic.cache_clear()  # of other networks that are equal
    system = generic(BOTH.network).system
    network._system.cache_clear()
    again = BOTH.network.system
    assert again is not system and again.scans[0] is system.scans[0]
    rebuilt = Bidirectional("tanh").scans
    assert rebuilt[0] is not system.scans[0]
    assert [e.name for e in system.equations_of(rebuilt[0])] == ["forward.z", "forward.h"]
    assert generic(BOTH.network).adjoints_of(rebuilt[0]) == ["forward.h", "forward.z"]


@pytest.mark.parametrize("form", ["recursive", "unrolled"])
def test_forms_have_the_measured_value(form: str) -> None:
    model = RNN(Stack([Bidirectional("tanh"), Bidirectional("linear")]), 2, 2, steps=3)
    instance, system = Instance(model.network, seed=2), model.system
    for key in ("1.forward.W_h", "1.backward.W_x", "2.backward.b_h"):
        found = instance.evaluate(model.gradient(key, form=form))
        truth = instance.value(_by(system, system.parameters[key]))
        np.testing.assert_allclose(np.reshape(found, np.shape(truth)), truth, rtol=1e-9, atol=1e-12)
    found = instance.evaluate(model.gradient("1.backward.h0", form=form))
    truth = instance.value(_by(system, system.at("1.backward.h", system.start_of("1.backward.h"))))
    np.testing.assert_allclose(np.ravel(found), np.ravel(truth), rtol=1e-9, atol=1e-12)


def _by(system: Any, leaf: Any) -> Any:
    from symbptt import algebra as A

    return A.derivative(system.L, leaf)


def test_the_explicit_gradient_is_written_in_parameters_alone() -> None:
    model = RNN(Bidirectional("linear"), 1, 1, steps=2, bias=False)
    gradient = model.gradient("backward.W_h", form="explicit")
    names = {str(symbol) for symbol in gradient.free_symbols}
    assert "backward.W_h" in str(gradient) and not any(name.startswith("d(") for name in names)


def test_a_wrong_direction_would_be_found() -> None:
    """The proof has teeth: a boundary at the other end of time is refuted."""
    derived = BOTH.derivation().derived
    swapped = Bidirectional("tanh")
    other = RNN(Cell([text.replace("[t+1]", "[t-1]") for text in swapped.equations], ["forward.h", "backward.h"], "h",
                     shapes={"backward.h": "n"}), readout="linear")  # fmt: skip
    from dataclasses import replace

    report = verify_derivation(replace(derived, network=other.network))
    assert {c.key for c in report.failures} >= {"boundary.backward.h", "parameter.backward.W_h"}


# -- numbers and words --------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_numbers_go_pass_by_pass(lang: str) -> None:
    keys = {"W_h": [[0.5]], "W_x": [[1.0]], "b_h": [0.0]}
    values = {f"{way}.{key}": value for way in ("forward", "backward") for key, value in keys.items()}
    values |= {"x": [[1.0], [0.0]], "target": [[0.0, 0.0]] * 2}
    derivation = RNN(Bidirectional("relu"), 1, 1, steps=2, values=values).derivation(lang)
    assert derivation.verify().ok
    keys_in_order = [step.key for step in derivation.steps if step.key.startswith("backward.backward.h.")]
    assert keys_in_order == ["backward.backward.h.1", "backward.backward.h.2", "backward.backward.h.0"]
    heading = {"en": "Pass 2, step t = 2", "zh": "第 2 遍，第 t = 2 步"}[lang]
    assert derivation.to_text().count(heading) == 2


def test_directions_are_arrows_on_the_page() -> None:
    latex = BOTH.derivation(sections=["model", "recursion"]).to_latex()
    assert r"\overleftarrow{W}_h \overleftarrow{h}_{t+1}" in latex
    assert r"\overrightarrow{W}_h^\top" in latex
    html = RNN(DEEP).derivation(sections="model").to_html()
    assert "←" in html and "→" in html


def test_a_direction_by_hand() -> None:
    """Users write such cells themselves, under names of their own."""
    cell = Cell(
        ["a1[t] = tanh(A @ a1[t-1] + x[t])", "b1[t] = tanh(B @ b1[t+1] + x[t])", "s[t] = a1[t] + b1[t]"],
        {"a1": "n", "b1": "n"}, "s", direction="both",
    )  # fmt: skip
    assert RNN(cell, readout="linear").derivation().verify().ok


# -- torch --------------------------------------------------------------------------------------------


@pytest.mark.oracle("torch")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", MODULES)
def test_bidirectional_networks_agree_with_torch(require: Any, kind: str, layers: int, seed: int) -> None:
    compare_with_torch(require("torch"), kind, seed, layers, bidirectional=True)
