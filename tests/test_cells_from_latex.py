"""Cells and losses from LaTeX: as textbooks print them, as our own renderer does, and as users invent them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbptt import RNN
from symbptt.algebra.present import present
from symbptt.algebra.tex import to_tex
from symbptt.evaluate.instance import Instance
from symbptt.model import ACTIVATIONS, CATALOGUE, GRU, LSTM, NOTATIONS, Cell, Elman, names_in
from symbptt.reading.cells import cell_from_latex, read_cell

MATRIX_STATES = ("delta_rule", "linear_attention")
VARIANTS = {
    **CATALOGUE,
    "lstm_both": lambda: LSTM(peephole=True, coupled=True),
    "gru_replace": lambda: GRU(update="replace"),
    "gru_before_replace": lambda: GRU(reset="before", update="replace"),
}


def values(cell: Cell, seed: int = 0) -> tuple[list[Any], dict[str, Any], float]:
    """The loss of a cell at an instance whose parameters depend on their places alone, and its gradients, in order."""
    model = RNN(cell, hidden=3, inputs=2, steps=3, sizes={k: 4 for k in sizes(cell)})
    rng = np.random.default_rng(seed)
    system = model.system
    parameters = {}
    for key in cell.parameters:
        shape = tuple(int(s) for s in getattr(system.parameters[key], "shape", ()))
        rank = getattr(system.parameters[key], "rank", 0)
        parameters[key] = rng.normal(size=shape[:rank]) * 0.5 + 0.1 if rank else float(rng.normal() * 0.3 + 0.2)
    x = rng.normal(size=(3, 2))
    width = int(system.variables[system.prediction].shape[0])
    out = model.lambdify()(parameters, x, rng.normal(size=(3, width)))
    return [np.asarray(out.grads[key]) for key in cell.parameters], dict(out.states), out.loss


def sizes(cell: Cell) -> list[str]:
    """The names of sizes of a cell beyond n and m."""
    names = {str(s) for _, shape in cell.inferred for part in shape for s in part.free_symbols}
    return sorted(names - {"n", "m"})


def assert_equal(one: Cell, two: Cell) -> None:
    """Both cells compute the same from parameters that are given in the same order, and have the same gradients."""
    assert len(one.parameters) == len(two.parameters)
    (grads, states, loss), (others, also, other) = values(one), values(two)
    assert loss == pytest.approx(other, rel=1e-12)
    for a, b in zip(grads, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    assert len(states) == len(also)


# -- what our own renderer prints -----------------------------------------------------------------------


def printed(model: RNN, notation: str) -> list[str]:
    """The equations of a model's cell, as documents print them."""
    used = names_in(model.system, notation)
    return [
        f"{to_tex(present(e.left, used))} = {to_tex(present(e.right, used))}"
        for e in model.system.equations
        if e.stage == "cell"
    ]


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", VARIANTS)
def test_what_a_derivation_prints_of_a_cell_is_read_back(name, notation):
    cell = VARIANTS[name]()
    reading = read_cell(printed(RNN(cell, notation=notation), notation))
    assert reading.layout == "columns"
    assert_equal(reading.cell, cell)


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in MATRIX_STATES])
def test_what_a_derivation_prints_in_rows_is_read_back(name, notation):
    cell = VARIANTS[name]()
    reading = read_cell(printed(RNN(cell, layout="rows", notation=notation), notation))
    assert reading.layout == "rows"
    assert_equal(reading.cell, cell)
