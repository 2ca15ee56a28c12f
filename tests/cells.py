"""Cells that tests share: those of the catalogue that are no Elman cell, and some that no catalogue has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from symbptt import Bidirectional, Cell, Stack
from symbptt.model import ACTIVATIONS, CATALOGUE

BEYOND_ELMAN: dict[str, Cell] = {name: make() for name, make in CATALOGUE.items() if name not in ACTIVATIONS}
LSTM, PEEPHOLE = BEYOND_ELMAN["lstm"], BEYOND_ELMAN["lstm_peephole"]
GRU_AFTER, GRU_BEFORE, LAYER_NORM = BEYOND_ELMAN["gru"], BEYOND_ELMAN["gru_before"], BEYOND_ELMAN["layer_norm"]
LINEAR_ATTENTION, DELTA_RULE = BEYOND_ELMAN["linear_attention"], BEYOND_ELMAN["delta_rule"]

COUPLED = Cell(
    ["u[t] = tanh(A @ u[t-1] + B @ v[t-1] + W_x @ x[t] + b_u)", "v[t] = sigmoid(C @ v[t-1] + D @ u[t] + b_v)"],
    {"u": "n", "v": "p"}, "v", name="coupled",
)  # fmt: skip
CONCATENATED = Cell(["h[t] = tanh(W @ concat(h[t-1], x[t]) + b)"], ["h"], name="concatenated")
BACKWARD = Cell(["z[t] = W_h @ h[t+1] + W_x @ x[t] + b_h", "h[t] = tanh(z[t])"], ["h"], direction=-1, name="backward")
SCALAR = Cell(
    ["u[t] = tanh(w_u * u[t-1] - 0.5 * v[t-1] + x[t])", "v[t] = w_v * v[t-1] + u[t]"],
    {"u": (), "v": ()}, "v", shapes={"x": ()}, name="scalar pair",
)  # fmt: skip

STACKED = Stack([LSTM, "gru_before"], hidden=["n", "p"], name="stacked")
BIDIRECTIONAL = Bidirectional(COUPLED, name="bidirectional")
STACKED_BIDIRECTIONAL = Stack([Bidirectional("tanh"), Bidirectional(LSTM)], name="stacked bidirectional")

CELLS: dict[str, Cell] = BEYOND_ELMAN | {
    cell.name: cell for cell in (COUPLED, CONCATENATED, BACKWARD, SCALAR, STACKED, BIDIRECTIONAL, STACKED_BIDIRECTIONAL)
}


MIXED = frozenset({"bidirectional", "stacked bidirectional"})
"""Cells that run in both directions of time, which some topics refuse."""


LARGE = frozenset({"stacked", "lstm_peephole", "lstm_coupled", "gru_before", "layer_norm", *MIXED})
"""Cells whose derivations take long; tests that go over all cells leave these to the slow ones."""


def by_size(names: Iterable[str]) -> list[Any]:
    """Names of cells as parameters of a test, those of large cells marked slow."""
    return [pytest.param(n, marks=pytest.mark.slow) if n.partition(",")[0] in LARGE else n for n in names]


def own_sizes(cell: Cell) -> dict[str, int]:
    """Numbers for the sizes of a cell beside n and m."""
    names = {str(s) for _, shape in cell.inferred for part in shape for s in part.free_symbols}
    return {name: size for name, size in (("p", 3), ("d", 2)) if name in names}
