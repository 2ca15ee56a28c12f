"""Stacks of cells: names of layers, sizes, and gradients against independent routes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from cells import BACKWARD, COUPLED, LSTM
from codegen_networks import compile_network, data, largest_error, network
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_weights import gradients, prefixes

from symbptt import RNN, Bidirectional, Cell, Elman, Stack, params_from_torch
from symbptt.algebra import size
from symbptt.errors import EquationError, ShapeError, SymbpttError, UnknownNameError
from symbptt.model import cell as find_cell
from symbptt.model.language import parse_equation, renamed, uses

# -- names with dots ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1.h[t] = tanh(1.W_h @ 1.h[t-1])", [("1.W_h", None), ("1.h", -1)]),
        ("h[t] = 1.5 * x[t] + 2.x1 + 1.e5 + 1.5e-3", [("x", 0), ("2.x1", None)]),
        ("h[t] = 1.e5[t] + 1.e5", [("1.e5", 0)]),
        ("h[t] = 1.forward.W_h.T @ forward.T @ 12.backward.h[t+1]",
         [("1.forward.W_h", None), ("forward", None), ("12.backward.h", 1)]),
        ("h[t] = other @ x1.T", [("other", None), ("x1", None)]),
    ],
)  # fmt: skip
def test_names_with_dots_are_names_and_numbers_stay_numbers(text: str, names: list[Any]) -> None:
    assert [(use.name, use.lag) for use in uses(parse_equation(text))] == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.h[t] = 1._W @ x[t]", r"the name '1._W' starts with an underscore"),
        ("1.h[t] = 1.W.x", r"the attribute .x is not in the language"),
        ("1.h[t] = 1.2.3 + )", "not in the equation language at column 18"),
        ("h[t] = side.W_h @ x[t]", "the attribute .W_h is not in the language"),
    ],
)
def test_what_is_no_name_is_told_in_the_users_own_text(text: str, message: str) -> None:
    with pytest.raises(EquationError, match=message):
        parse_equation(text)


def test_renaming_changes_names_and_nothing_else() -> None:
    text = "h[t] = sigma(0.50 * (W.T @ h[t-1]) ** 2) + t1 - x[t]"
    told = renamed(parse_equation(text), lambda name, called: name if called else f"3.{name}", mirror=True)
    assert told == "3.h[t] = sigma(0.50 * (3.W.T @ 3.h[t+1]) ** 2) + 3.t1 - 3.x[t]"


def test_a_capital_behind_the_layer_is_a_matrix() -> None:
    cell = Cell(["1.S[t] = 1.S[t-1] + x[t] @ x[t].T", "o[t] = 1.S[t] @ x[t]"], {"1.S": ("m", "m")}, "o")
    assert dict(cell.inferred)["1.S"] == (size("m"), size("m"))


# -- what a stack is ----------------------------------------------------------------------------------


def test_a_layer_reads_the_output_of_the_layer_below() -> None:
    stack = Stack(["tanh", LSTM])
    assert stack.output == "2.h" and stack.state_names == ("1.h", "2.h", "2.c")
    assert stack.equations[2] == "2.i[t] = sigmoid(2.W_xi @ 1.h[t] + 2.W_hi @ 2.h[t-1] + 2.b_i)"
    assert stack.inputs == ("x",)
    assert eval(repr(stack)) == stack


def test_a_layer_runs_in_its_own_direction() -> None:
    assert Stack([BACKWARD, BACKWARD]).direction == -1
    mixed = Stack(["tanh", BACKWARD, "tanh"])
    assert [scan.direction for scan in mixed.scans] == [1, -1, 1]
    assert eval(repr(mixed)) == mixed


def test_sizes_of_layers() -> None:
    shapes = dict(Stack([COUPLED, "tanh"], hidden=[4, "k"]).inferred)
    assert shapes["2.W_x"] == (size("k"), size("p")) and shapes["1.W_x"] == (4, size("m"))
    model = RNN(Stack(["tanh", "relu"], hidden=[4, 3]), inputs=2, steps=2)
    assert model.system.parameters["2.W_x"].shape == (3, 4)


def test_functions_of_the_same_name_stay_apart() -> None:
    u = sympy.Symbol("u")
    stack = Stack([Elman(u**3), Elman(sympy.sin(u)), Elman(u**3)])
    assert stack.equations[1] == "1.h[t] = 1.f(1.z[t])"
    assert [function.rule(u) for _, function in stack.functions] == [u**3, sympy.sin(u), u**3]
    latex = RNN(stack, 1, 1).derivation(sections="model").to_latex()
    assert "f^{(2)}(z_t^{(2)})" in latex
    assert RNN(stack, 2, 2).derivation().verify().ok


def test_a_stack_of_stacks() -> None:
    assert Stack([Stack(["tanh", "linear"]), "linear"]).parameters[0] == "1.1.W_h"
    names = RNN(Stack([Stack(["tanh", "linear"]), "linear"])).derivation(sections="model").to_latex()
    assert "W_h^{(1,2)}" in names.replace(" ", "")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Stack([]), EquationError, "a stack needs at least one layer"),
        (lambda: Stack("tanh"), EquationError, r"Stack takes a list of cells, such as Stack\(\['tanh', 'tanh'\]\)"),
        (lambda: Stack(["tanh", 3]), EquationError, "layer 2 of the stack: a cell or the name of one is needed, not 3"),
        (lambda: Stack(["tanh", "tahn"]), UnknownNameError, "layer 2 of the stack: unknown cell 'tahn'; did you mean"),
        (lambda: Stack(["tanh", Cell(["h[t] = tanh(W @ h[t-1])"], ["h"], name="deaf")]), EquationError,
         r"layer 2 of the stack: the cell 'deaf' has no input x\[t\] to read layer 1 by"),
        (lambda: Stack([Bidirectional("tanh"), Cell(["h[t] = h[t-1] + x[t]"], ["h"], name="sum")]), ShapeError,
         r"layer 2 of the stack \('sum'\) reads x of shape \(n,\), but layer 1 \('bidirectional tanh'\) puts out 1.h "
         r"of shape \(2\*n,\)"),
        (lambda: Stack(["tanh", Cell(["h[t] = h[t-1] + x[t]"], ["h"])], hidden=[4, 3]), ShapeError,
         r"layer 2 .* reads x of shape \(3,\), but layer 1 .* shape \(4,\)"),
        (lambda: Stack(["tanh", "tanh"], hidden=[4]), ShapeError, "2 layers, but the number of hidden sizes is 1"),
        (lambda: Stack(["tanh"], hidden=4), ShapeError, "a list with a size for each layer, not 4"),
        (lambda: Stack(["tanh"], hidden=[0]), SymbpttError, "hidden of layer 1 must be a positive integer"),
    ],
)  # fmt: skip
def test_what_makes_no_stack_is_answered_in_one_line(make: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


# -- on the page --------------------------------------------------------------------------------------


def test_layers_are_raised_numbers_on_the_page() -> None:
    model = RNN(Stack(["tanh", "relu"]))
    latex = model.derivation(sections=["model", "recursion"]).to_latex()
    assert "W_h^{(1)} h_{t-1}^{(1)}" in latex and r"W_x^{(2)\top}" in latex
    text = model.derivation(sections="model", lang="zh").to_text()
    assert "zₜ⁽²⁾ = W_h⁽²⁾ hₜ₋₁⁽²⁾ + W_x⁽²⁾ hₜ⁽¹⁾ + b_h⁽²⁾" in text


def test_a_notation_names_every_layer_and_a_full_key_wins() -> None:
    notation = {"notation": "hh", "2.W_h": "U", "b_h": "b"}
    latex = RNN(Stack(["tanh", "tanh"]), notation=notation).derivation(sections="model").to_latex()
    assert "W_{hh}^{(1)} h_{t-1}^{(1)}" in latex and "U h_{t-1}^{(2)}" in latex and "b^{(2)}" in latex


# -- gradients ----------------------------------------------------------------------------------------

SMALL: list[Any] = ["tanh", "linear", "softplus", "leaky", "gru_before", COUPLED, "delta_rule", "lstm_peephole"]


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    layers=st.lists(st.sampled_from(SMALL), min_size=2, max_size=3),
    reduction=st.sampled_from(["sum", "mean", "last"]),
    steps=st.integers(1, 4),
    batch=st.none() | st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_generated_code_of_random_stacks_agrees_with_differences(layers, reduction, steps, batch, seed):
    bptt = compile_network(network(Stack(layers), 3, 2, 2, "linear", "mse", reduction, sizes=_sizes(layers)))
    assert largest_error(bptt, data(bptt, steps, batch, seed, {"n": 3, "m": 2, "p": 3, "d": 2})) < 1e-6


def _sizes(layers: list[Any]) -> tuple[Any, ...]:
    names = {str(s) for cell in map(find_cell, layers) for _, shape in cell.inferred for part in shape
             for s in part.free_symbols}  # fmt: skip
    return tuple((name, sympy.Integer(value)) for name, value in (("p", 3), ("d", 2)) if name in names)


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param(["tanh", "softplus"], marks=pytest.mark.slow),
        pytest.param([COUPLED, "linear"], marks=pytest.mark.slow),
        pytest.param(["tanh", BACKWARD, "linear"], marks=pytest.mark.slow),
    ],
)
def test_every_line_and_the_code_of_a_stack_are_proved(layers: list[Any]) -> None:
    report = RNN(Stack(layers), readout="softmax", loss="cross_entropy").verify()
    assert report.ok, report.failures


def test_a_derivation_in_numbers_is_proved() -> None:
    values = {"1.W_h": "0.5", "1.W_x": "2", "1.b_h": "0", "2.W_h": "0.25", "2.W_x": "1.5", "2.b_h": "0.1"}
    model = RNN(Stack(["relu", "linear"]), 1, 1, steps=2, values={**values, "x": [1, "0.5"], "target": [0, 0]})
    derivation = model.derivation()
    assert derivation.verify().ok
    assert "h₂⁽²⁾" in derivation.to_text()


def test_initial_states_of_layers() -> None:
    bptt = RNN(Stack(["linear", "linear"]), 1, 1, loss="squared_error").lambdify()
    params = {"1.W_h": 2.0, "1.W_x": 1.0, "1.b_h": 0.0, "2.W_h": 3.0, "2.W_x": 5.0, "2.b_h": 0.0}
    out = bptt(params, [0.0], [0.0], initial={"1.h": 1.0, "2.h0": 10.0})
    assert out.loss == (3 * 10 + 5 * 2 * 1) ** 2 and out.grads["2.h0"] == 2 * 40 * 3


# -- torch --------------------------------------------------------------------------------------------

MODULES = {"RNN": "tanh", "LSTM": "lstm", "GRU": "gru"}


def compare_with_torch(torch: Any, kind: str, seed: int, layers: int, bidirectional: bool) -> None:
    """Compare loss, outputs and every gradient with those of torch's own module, its weights copied over."""
    rng = np.random.default_rng(seed)
    n, m, steps, batch = (int(k) for k in rng.integers(1, 6, 4))
    torch.manual_seed(seed)
    module = getattr(torch.nn, kind)(m, n, num_layers=layers, bidirectional=bidirectional).double()
    places = prefixes(module)
    x, target = rng.normal(size=(steps, batch, m)), rng.normal(size=(steps, batch, n * (1 + bidirectional)))
    states = ("h", "c") if kind == "LSTM" else ("h",)
    initial = {s: torch.tensor(rng.normal(size=(len(places), batch, n)), requires_grad=True) for s in states}
    given = torch.tensor(x, requires_grad=True)
    start = tuple(initial.values()) if kind == "LSTM" else initial["h"]
    out, _ = module(given, start)
    loss = ((out - torch.tensor(target)) ** 2).sum() / 2
    loss.backward()

    cell: Any = MODULES[kind]
    cell = Bidirectional(cell) if bidirectional else cell
    model = RNN(Stack([cell] * layers) if layers > 1 else cell, n, m)
    here = model.lambdify()(
        params_from_torch(module), x, target,
        initial={f"{key}{s}": initial[s].detach().numpy()[i] for i, (key, _) in enumerate(places) for s in states},
    )  # fmt: skip
    truth = {**gradients(module), "x": given.grad.numpy()}
    truth.update({f"{key}{s}0": initial[s].grad.numpy()[i] for i, (key, _) in enumerate(places) for s in states})
    assert set(truth) == set(here.grads)
    np.testing.assert_allclose(here.loss, loss.item(), rtol=1e-12)
    np.testing.assert_allclose(here.outputs, out.detach().numpy(), rtol=1e-10, atol=1e-12)
    for key, gradient in truth.items():
        np.testing.assert_allclose(here.grads[key], gradient, rtol=1e-10, atol=1e-10, err_msg=key)


@pytest.mark.oracle("torch")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("kind", MODULES)
def test_stacks_agree_with_torch(require: Any, kind: str, layers: int, seed: int) -> None:
    compare_with_torch(require("torch"), kind, seed, layers, bidirectional=False)
