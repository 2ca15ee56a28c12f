"""The unrolled network: every equation at every step, by name, nested, or with numbers put in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from cells import BACKWARD, CELLS, LSTM

from symbptt import RNN, load
from symbptt import algebra as A
from symbptt.errors import SizeError
from symbptt.evaluate.instance import Instance

SCALAR = RNN("relu", 1, 1, steps=2)


def lines(unrolled: Any) -> list[str]:
    return [f"{left} = {right}" for left, right in unrolled.equations]


def test_every_equation_is_there_at_every_step_in_the_order_of_computation() -> None:
    assert lines(SCALAR.unroll()) == [
        "z[1] = W_h*h[0] + W_x*x[1] + b_h",
        "h[1] = relu(z[1])",
        "l[1] = 1/2*(h[1] - target[1])**2",
        "z[2] = W_h*h[1] + W_x*x[2] + b_h",
        "h[2] = relu(z[2])",
        "l[2] = 1/2*(h[2] - target[2])**2",
    ]


def test_a_vector_model_is_unrolled_in_matrices() -> None:
    unrolled = RNN("tanh", readout="linear", steps=1).unroll()
    assert lines(unrolled) == [
        "z[1] = W_h @ h[0] + W_x @ x[1] + b_h",
        "h[1] = tanh(z[1])",
        "y[1] = W_y @ h[1] + b_y",
        "l[1] = 1/2*norm2(y[1] - target[1])",
    ]


def test_states_begin_with_the_given_one_and_outputs_at_step_1() -> None:
    unrolled = RNN(LSTM, steps=3).unroll()
    assert set(unrolled.states) == {"h", "c"}
    assert [len(values) for values in unrolled.states.values()] == [4, 4]
    assert str(unrolled.states["h"][0]) == "h[0]"
    assert str(unrolled.states["c"][2]) == "f[2] * c[1] + i[2] * g[2]"
    assert len(unrolled.outputs) == 3


def test_a_backward_cell_is_computed_from_the_last_step() -> None:
    unrolled = RNN(BACKWARD, steps=2).unroll()
    assert [str(left) for left, _ in unrolled.equations if left.name == "h"] == ["h[2]", "h[1]"]
    assert str(unrolled.states["h"][0]) == "h[3]"


@pytest.mark.parametrize("name", CELLS)
def test_nested_values_are_in_inputs_and_parameters_alone(name: str) -> None:
    model = RNN(CELLS[name], steps=2)
    unrolled = model.unroll(nested=True)
    given = {*model.system.inputs, "target"}
    leaves = {p for value in [unrolled.loss, *unrolled.outputs] for p in sympy.preorder_traversal(value)
              if isinstance(p, A.MatrixAt | A.ScalarAt)}  # fmt: skip
    first = {(state, model.system.start_of(state).subs(model.system.steps, 2)) for state in model.system.states}
    assert {leaf.name for leaf in leaves if (leaf.name, leaf.when) not in first} <= given


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
@pytest.mark.parametrize("name", ["lstm", "gru", "coupled", "delta_rule", "scalar pair"])
def test_the_loss_of_the_unrolled_network_has_the_value_of_the_forward_pass(
    name: str, reduction: str, nested: bool
) -> None:
    model = RNN(CELLS[name], reduction=reduction, steps=3)
    instance = Instance(model.network, seed=1)
    unrolled = model.unroll(nested=nested)
    np.testing.assert_allclose(instance.evaluate(unrolled.loss), instance.loss)
    state = model.system.states[0]
    for step in (1, 2, 3):
        value = instance.evaluate(unrolled.states[state][step])
        np.testing.assert_allclose(value, instance.base.values[state, step])


@pytest.mark.parametrize(
    ("reduction", "loss"),
    [
        ("sum", "1/2*(h[1] - target[1])**2 + 1/2*(h[2] - target[2])**2"),
        ("mean", "1/2*(1/2*(h[1] - target[1])**2 + 1/2*(h[2] - target[2])**2)"),
        ("last", "1/2*(h[2] - target[2])**2"),
    ],
)
def test_the_loss_is_reduced_over_time(reduction: str, loss: str) -> None:
    unrolled = RNN("relu", 1, 1, reduction=reduction, steps=2).unroll()
    assert str(unrolled.loss) == loss
    assert len(unrolled.outputs) == (1 if reduction == "last" else 2)


def test_only_the_loss_that_counts_is_written() -> None:
    names = [str(left) for left, _ in RNN("relu", 1, 1, 1, "linear", reduction="last", steps=3).unroll().equations]
    assert "y[3]" in names
    assert not {"y[1]", "l[1]", "y[2]", "l[2]"} & set(names)


def test_numbers_can_be_put_in_and_products_stay_as_written() -> None:
    symbols = SCALAR.symbols
    put = SCALAR.unroll().substitute({symbols["W_h"]: A.Literal("2.0"), symbols["x"][1]: A.Literal("1.0")})
    assert lines(put)[0] == "z[1] = 2.0*h[0] + W_x*1.0 + b_h"
    assert (
        SCALAR.unroll().equations[0][1]
        == symbols["W_h"] * symbols["h"][0] + symbols["W_x"] * symbols["x"][1] + (symbols["b_h"])
    )


def test_the_number_of_steps_is_that_of_the_model_of_the_call_or_of_the_inputs() -> None:
    assert len(RNN(steps=4).unroll().outputs) == 4
    assert len(RNN().unroll(3).outputs) == 3
    assert len(load("relu-explosion").unroll().states["h"]) == 4
    with pytest.raises(SizeError, match="steps"):
        RNN().unroll()
    for bad in (0, -1, 2.5, True):
        with pytest.raises(SizeError, match="steps must be a positive integer"):
            RNN().unroll(bad)
    with pytest.raises(SizeError):
        RNN().unroll(A.size("T"))


@pytest.mark.parametrize("steps", [50, 400])
def test_nested_values_share_their_parts(steps: int) -> None:
    loss = RNN("relu", 1, 1, reduction="last", steps=steps).unroll(nested=True).loss
    unique, stack = set(), [loss]
    while stack:
        part = stack.pop()
        if id(part) not in unique:
            unique.add(id(part))
            stack += part.args
    assert len(unique) < 30 * steps
