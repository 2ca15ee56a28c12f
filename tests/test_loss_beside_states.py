"""A loss that reads a variable which is no state: the state then reaches the next loss beside the next state."""

from __future__ import annotations

from typing import Any

import pytest

from symbptt import RNN, Cell, Loss

READS_Z = Loss("1/2 * norm2(h[t] - target[t]) + norm2(z[t])")
BESIDE = Cell(
    ["z[t] = W @ h[t-1] + U @ x[t]", "h[t] = tanh(z[t])", "o[t] = V @ z[t] + D @ h[t]"],
    states=["h"],
    output="o",
    shapes={"V": ("p", "n")},
)


@pytest.mark.parametrize(
    "options",
    [{"cell": "tanh"}, {"cell": "tanh", "hidden": 1, "inputs": 1}, {"cell": "tanh", "layout": "rows"},
     {"cell": "tanh", "reduction": "last"}, {"cell": "lstm"}],
    ids=["vectors", "scalars", "rows", "last", "lstm"],
)  # fmt: skip
def test_every_line_holds_where_the_loss_reads_an_intermediate_variable(options: dict[str, Any]) -> None:
    loss = Loss(READS_Z.equation.replace("z[t]", "g[t]")) if options["cell"] == "lstm" else READS_Z
    assert RNN(loss=loss, **options).derivation().verify().failures == ()


def test_every_line_holds_where_the_output_reads_an_intermediate_variable() -> None:
    assert RNN(BESIDE, readout="linear").derivation().verify().failures == ()


def test_the_chain_rule_goes_through_the_variable_and_not_from_state_to_state() -> None:
    line = RNN("tanh", loss=READS_Z).derivation(sections=["dependency"]).to_text()
    assert "(∂zₜ₊₁/∂hₜ)ᵀ ∂L/∂zₜ₊₁" in line
    assert "∂hₜ₊₁/∂hₜ" not in line


def test_what_a_variable_takes_over_from_the_state_before_is_marked_as_immediate() -> None:
    """v_t = h_t - h_{t-1} reads both states, so that its derivative by h_{t-1} has two meanings."""
    cell = Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])", "v[t] = h[t] - h[t-1]"], states=["h"])
    derivation = RNN(cell, loss=Loss("1/2 * norm2(h[t]) + 1/2 * norm2(v[t])")).derivation()
    assert derivation.verify().failures == ()
    assert "∂⁺vₜ₊₁/∂hₜ" in derivation.to_text()


RATE = Cell(["h[t] = W @ h[t-1] + V @ tanh(h[t-1]) + U @ x[t]", "e[t] = tanh(h[t])"], states=["h"], output="e")
"""e_{t-1} has the value tanh(h_{t-1}), and no value at the initial step, where h_0 is given."""


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": 1, "inputs": 1, "steps": 2},
        *(pytest.param(p, marks=pytest.mark.slow) for p in ({}, {"layout": "rows"})),
    ],
    ids=str,
)
def test_no_variable_but_a_state_is_read_at_the_initial_step(options: dict[str, Any]) -> None:
    model = RNN(RATE, **options)
    assert "e[0]" not in str(model.gradient("h0")) + str(model.gradient("V"))
    assert model.verify().failures == ()


def test_a_jacobian_through_one_variable_is_written_so_only_where_all_paths_go_through_it() -> None:
    cell = Cell(
        ["e[t] = sigmoid(W @ h[t-1])", "d[t] = V @ e[t]", "b[t] = U @ h[t-1]", "h[t] = tanh(d[t]) + tanh(b[t])"],
        states=["h"],
        shapes={"e": "n"},
    )
    derivation = RNN(cell, inputs=0).derivation(sections=["local"])
    assert derivation.verify().failures == ()
    assert "∂bₜ₊₁/∂hₜ" not in derivation.to_text()
