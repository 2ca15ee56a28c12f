"""Influence matrices and forward mode against complex step, generated BPTT, and counts by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from cells import CELLS, MIXED, by_size, own_sizes
from hypothesis import given, settings
from hypothesis import strategies as st

import symbptt.algebra as A
from symbptt import RNN, Cell, load
from symbptt.algebra import nodes as N
from symbptt.derive.counting import bptt_multiplications, rtrl_multiplications
from symbptt.derive.forward_mode import equality_with_bptt
from symbptt.derive.influence import (
    check_influence,
    forward_gradient,
    immediate,
    immediate_written,
    recurrent_parameters,
    recursive_written,
    solved_written,
    total,
)
from symbptt.derive.steps import TABLE, Line
from symbptt.errors import RefusedError, SizeError, UnknownNameError, ValueInputError
from symbptt.evaluate.claims import check_equality
from symbptt.evaluate.instance import Instance
from symbptt.evaluate.report import verify_derivation
from symbptt.model import CATALOGUE

REFUSED = {"delta_rule", "linear_attention", "scalar pair", *MIXED}


def cells() -> dict[str, Any]:
    return {**{name: name for name in CATALOGUE}, **CELLS}


def has_influence(model: RNN) -> bool:
    try:
        check_influence(model.network)
    except RefusedError:
        return False
    return True


def of_random_sizes(model: RNN, steps: int | None = None) -> Instance:
    """An instance whose sizes differ, so that a wrong order of Kronecker factors shows."""
    names = sorted({str(s) for p in model.system.parameters.values() for k in A.shape_of(p) for s in k.free_symbols})
    sizes = dict(zip(names, random.Random(len(names)).sample(range(2, 2 + len(names)), len(names)), strict=True))
    return Instance(model.network, seed=4, sizes=sizes, steps=steps)


MODELS = {name: RNN(cell, readout="linear") for name, cell in cells().items() if name not in REFUSED}
MODELS = {name: model for name, model in MODELS.items() if has_influence(model)}
every_model = pytest.mark.parametrize("name", MODELS)


def test_all_cells_of_vectors_have_influence_matrices():
    assert set(CELLS) - set(MODELS) == REFUSED


@pytest.mark.parametrize("name", by_size(MODELS))
def test_immediate_and_total_influence_are_the_complex_step(name):
    network = MODELS[name].network
    instance, t = of_random_sizes(MODELS[name]), network.system.t
    for key in recurrent_parameters(network):
        pairs = [
            (immediate(network, key, t), immediate_written(network, key)),
            (total(network, key, t), recursive_written(network, key)),
        ]
        for left, right in pairs:
            assert A.shape_of(left) == A.shape_of(right)
            assert A.rank_of(left) == A.rank_of(right)
            assert check_equality(instance, left, right), (key, right)


@every_model
@pytest.mark.parametrize("steps", [1, *(pytest.param(steps, marks=pytest.mark.slow) for steps in (2, 5))])
def test_the_solved_form_holds_at_every_step_of_short_and_longer_sequences(name, steps):
    network = MODELS[name].network
    instance, t = of_random_sizes(MODELS[name], steps), network.system.t
    for key in recurrent_parameters(network)[:3]:
        assert check_equality(instance, total(network, key, t), solved_written(network, key)).checked == steps
        assert check_equality(instance, total(network, key, t), solved_written(network, key)), key


@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
@pytest.mark.parametrize("name", by_size(["tanh", "linear", "lstm", "lstm_peephole", "leaky", "coupled"]))
@pytest.mark.parametrize("steps", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_every_line_from_forward_mode_to_bptt_is_the_gradient(name, reduction, steps):
    network = RNN(CELLS.get(name, name), reduction=reduction).network
    instance = Instance(network, seed=2, steps=steps)
    for key in recurrent_parameters(network):
        gradient = A.vec(A.derivative(network.system.L, network.system.parameters[key]))
        lines = equality_with_bptt(network, key)
        assert lines[0] == forward_gradient(network, key)
        for line in lines:
            assert check_equality(instance, gradient, line), (key, line)


def test_a_parameter_of_states_and_readout_counts_in_both_places():
    cell = Cell(["h[t] = tanh(W @ h[t-1] + x[t])", "o[t] = W @ h[t] + D @ x[t]"], ["h"], output="o", name="shared")
    network = RNN(cell).network
    instance = Instance(network, seed=1)
    gradient = A.vec(A.derivative(network.system.L, network.system.parameters["W"]))
    assert recurrent_parameters(network) == ("W",)
    for line in equality_with_bptt(network, "W"):
        assert check_equality(instance, gradient, line), line


# -- the public functions -------------------------------------------------------------------------------


def test_influence_has_the_shape_of_the_design():
    model = RNN("tanh", hidden=4, inputs=3)
    h, t, symbols = model.symbols["h"], model.symbols["t"], model.symbols
    assert A.derivative(h[t], symbols["W_h"]).shape == (4, 16)
    assert model.influence("W_h").shape == (4, 16)
    assert model.influence("W_x", form="closed").shape == (4, 12)
    assert model.influence("b_h").shape == (4, 4)
    assert sympy.latex(A.derivative(h[t], symbols["W_h"])) == r"\frac{\partial h_t}{\partial\mathrm{vec}(W_h)}"
    assert sympy.latex(A.derivative(h[t], symbols["b_h"])) == r"\frac{\partial h_t}{\partial b_h}"


def test_influence_at_the_edges():
    model = RNN("tanh", hidden=2, inputs=2)
    start, first = model.influence("W_h", at=0), model.influence("W_h", at=1)
    assert A.is_zero(start)
    assert start.shape == (2, 4)
    assert str(first) == "diag(1 - h[1] * h[1]) @ kron(h[0].T, I(2))"
    scalar = RNN("linear", 1, 1)
    assert str(scalar.influence("W_h")) == "h[t - 1] + W_h*d(h[t - 1])/d(W_h)"
    assert str(scalar.influence("W_h", form="closed")) == "sum(W_h**(-s + t)*h[s - 1], s=1..t)"


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda m: m.influence("W_y"), RefusedError, "no state depends on W_y"),
        (lambda m: m.influence("W_hh"), UnknownNameError, "did you mean"),
        (lambda m: m.influence("W_h", form="unrolled"), UnknownNameError, "unknown form"),
        (lambda m: m.influence("W_h", at=-1), SizeError, "a step from 0"),
        (lambda m: RNN(CELLS["delta_rule"]).influence("W_k"), RefusedError, "every state must be a vector"),
        (lambda m: m.rtrl({"W_h": [[1.0]]}, x=[[1.0]]), ValueInputError, "missing"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(call, error, message):
    with pytest.raises(error, match=message):
        call(RNN("tanh", readout="linear"))


def gradients_of_both(model: RNN, instance: Instance) -> tuple[Any, Any]:
    data, system = instance.data, model.system
    params = {key: data[key] for key in system.parameters}
    initial = {state: data[f"{state}0"] for state in system.states}
    x = {name: data[name] for name in system.inputs} or None
    return (
        model.rtrl(params, x, data["target"], initial=initial),
        model.lambdify()(params, x=x, target=data["target"], initial=initial),
    )


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(["tanh", "linear", "lstm", "gru", "leaky", "coupled", "backward", "layer_norm"]),
    st.sampled_from([(None, "half_squared_error"), ("linear", "mse"), ("softmax", "cross_entropy")]),
    st.sampled_from(["sum", "mean", "last"]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 6),
    st.integers(0, 99),
)
def test_forward_mode_computes_the_gradients_of_bptt(name, readout, reduction, n, m, steps, seed):
    cell = CELLS.get(name, name)
    reduction = "sum" if name == "backward" else reduction
    sizes = own_sizes(cell) if name in CELLS else {}
    model = RNN(cell, readout=readout[0], loss=readout[1], reduction=reduction, sizes=sizes)
    known = {str(s) for s in model.network.system.at("h").shape[0].free_symbols} if name != "coupled" else {"n"}
    instance = Instance(model.network, seed=seed, sizes=dict.fromkeys(known, n) | {"m": m}, steps=steps)
    forward, bptt = gradients_of_both(model, instance)
    assert forward.loss == pytest.approx(bptt.loss, rel=1e-12)
    for key, grad in bptt.grads.items():
        if key in forward.grads:
            np.testing.assert_allclose(forward.grads[key], grad, rtol=1e-10, atol=1e-10)
    for state, values in bptt.states.items():
        np.testing.assert_allclose(forward.states[state], values, rtol=1e-12, atol=1e-12)
    for key, values in forward.influence.items():
        symbol = total(model.network, key, model.system.t)
        np.testing.assert_allclose(values[-1], instance.evaluate(symbol, t=steps), rtol=1e-10, atol=1e-12)


def test_forward_mode_takes_plain_numbers_and_class_indices():
    scalar = RNN("linear", 1, 1)
    out = scalar.rtrl({"W_h": 2.0, "W_x": 1.0, "b_h": 0.0}, x=[1.0, 1.0], target=[0.0, 0.0])
    assert (out.loss, out.grads["W_h"]) == (5.0, 3.0)
    rng = np.random.default_rng(0)
    model = RNN("tanh", 3, 2, 4, readout="softmax", loss="cross_entropy")
    params = {key: rng.normal(size=A.shape_of(p)[: A.rank_of(p)]) for key, p in model.system.parameters.items()}
    params = {key: np.asarray(value, dtype=float) for key, value in params.items()}
    x, target = rng.normal(size=(5, 2)), [0, 3, 1, 1, 2]
    forward, bptt = model.rtrl(params, x, target), model.lambdify()(params, x=x, target=target)
    for key in params:
        np.testing.assert_allclose(forward.grads[key], bptt.grads[key], rtol=1e-10, atol=1e-12)


# -- cost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n, m", [(2, 3), (5, 2), (7, 4)])
def test_multiplications_are_those_counted_by_hand(n, m):
    """W^T g, g h^T, g x^T; and W P for the three influence matrices, with P^T g for the loss of the step."""
    network = RNN("linear").network
    parameters = n * n + n * m + n
    assert bptt_multiplications(network, {"n": n, "m": m}) == 2 * n * n + n * m
    assert rtrl_multiplications(network, {"n": n, "m": m}) == n * n * parameters + n * parameters


def cost_table(model: RNN) -> Any:
    derived = model.derivation(sections=["forward_mode"]).derived
    step = derived.worksheet["forward_mode.cost"]
    assert step.kind == TABLE
    return derived, step


def test_the_cost_table_of_an_elman_network_is_quartic_against_quadratic():
    rows = {phrase.key: values for phrase, *values in dict(cost_table(RNN("tanh"))[1].facts)["rows"]}
    n, m, T = (RNN("tanh").symbols[key] for key in "nmT")
    assert rows["cost.kept"] == [2 * T * n, n * (n**2 + n * m + n)]
    assert rows["cost.order"] == [n**2, n**4]


@pytest.mark.parametrize("row, place", [("cost.kept", 0), ("cost.kept", 1), ("cost.step", 0), ("cost.step", 1)])
def test_a_wrong_count_is_caught(row, place):
    derived, step = cost_table(RNN("tanh", reduction="last"))
    facts = dict(step.facts)
    n = A.size("n")
    wrong = [
        (phrase, *(v + n if (phrase.key, i) == (row, place) else v for i, v in enumerate(values)))
        for phrase, *values in facts["rows"]
    ]
    broken = replaced(derived, step, facts=tuple({**facts, "rows": tuple(wrong)}.items()))
    assert verify_derivation(derived).ok
    assert [check.key for check in verify_derivation(broken).failures] == ["forward_mode.cost"]


# -- corruption -----------------------------------------------------------------------------------------


def replaced(derived: Any, step: Any, **changes: Any) -> Any:
    """The derivation with one step changed."""

    def changed(section: Any) -> Any:
        return replace(section, steps=tuple(replace(s, **changes) if s.key == step.key else s for s in section.steps))

    worksheet = replace(derived.worksheet, sections=tuple(map(changed, derived.worksheet.sections)))
    return replace(derived, worksheet=worksheet)


def swapped_kronecker(expr: Any) -> Any:
    if isinstance(expr, N.Kronecker):
        return N.Kronecker(*reversed(expr.args))
    if not expr.args or isinstance(expr, A.MatrixAt | A.Jacobian | A.Gradient):
        return expr
    return expr.func(*map(swapped_kronecker, expr.args))


def without_products(expr: Any) -> Any:
    if isinstance(expr, N.OrderedProduct):
        return A.Identity(expr.shape[0])
    if not expr.args or isinstance(expr, A.MatrixAt | A.Jacobian | A.Gradient):
        return expr
    return expr.func(*map(without_products, expr.args))


@pytest.mark.parametrize(
    "key, corrupt",
    [
        ("influence.immediate.W_h", swapped_kronecker),
        ("influence.immediate.W_x", swapped_kronecker),
        ("influence.closed.W_h", without_products),
        ("influence.induction.W_h.step", without_products),
        ("forward_mode.update.W_x", swapped_kronecker),
        ("forward_mode.equal.W_h", without_products),
        ("closed.induction.step", without_products),
    ],
)
def test_a_corrupted_line_is_refuted(key, corrupt):
    derived = RNN("tanh").derivation(sections=["closed", "influence", "forward_mode"]).derived
    step = derived.worksheet[key]
    lines = tuple(Line(line.sign, corrupt(line.expr)) for line in step.chain)
    assert lines != step.chain
    report = verify_derivation(replaced(derived, step, chain=lines))
    assert [check.key for check in report.failures] == [key]


HEAVY = [
    pytest.param(name, marks=pytest.mark.slow) for name in ("lstm", "lstm_peephole", "gru", "coupled", "layer_norm")
]


@pytest.mark.parametrize("name", ["tanh", "relu", "linear", "leaky", *HEAVY])
@pytest.mark.parametrize("steps", [1, "T"])
def test_the_sections_are_verified_line_by_line(name, steps):
    model = RNN(CELLS.get(name, name), steps=steps)
    report = model.derivation(sections=["closed", "influence", "forward_mode"]).verify(seed=3)
    assert report.ok, report.failures
    assert report.counts["table"] == 1


def test_numbers_are_carried_forward_to_the_gradients_of_bptt():
    model = load("rtrl")
    derivation = model.derivation(sections=["forward_numbers", "numbers"])
    assert derivation.verify().ok
    for key in ("W_h", "W_x", "b_h"):
        assert derivation[f"forward_numbers.{key}"].result == derivation[f"numbers.{key}"].result
    assert [str(derivation[f"forward_numbers.W_h.{t}"].result) for t in (1, 2, 3)] == ["0.0", "0.3811", "0.6065"]


def test_a_cell_that_runs_backward_has_the_same_proofs_in_the_other_direction():
    linear = Cell(["h[t] = W_h @ h[t+1] + W_x @ x[t]"], ["h"], direction=-1, name="backward linear")
    for cell, steps in ((linear, "T"), (linear, 1), (CELLS["backward"], 4)):
        derivation = RNN(cell, steps=steps).derivation(sections=["closed", "influence", "forward_mode"])
        assert derivation.verify().ok
    assert (
        str(RNN(linear).influence("W_x", form="closed")) == "sum(matrix_power(W_h, s - t) @ kron(x[s].T, I(n)), s=t..T)"
    )


@pytest.mark.parametrize("cell, n", [("lstm", 1), ("tanh", 1), ("lstm", 2)])
def test_influence_on_the_initial_state_is_zero_in_every_notation(cell, n):
    model = RNN(CELLS.get(cell, cell), hidden=n, inputs=n)
    key = recurrent_parameters(model.network)[0]
    derivation = model.derivation(sections=["influence"])
    assert derivation.verify().ok
    assert not np.any(Instance(model.network, seed=1).evaluate(derivation[f"influence.start.{key}"].result))
