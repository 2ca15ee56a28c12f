"""The equations of a cell as a notebook shows them."""

from __future__ import annotations

from ..algebra import size
from ..algebra.shown import formula
from .cells import Cell
from .losses import Loss
from .network import Network
from .system import CELL


def cell_formula(cell: Cell) -> str:
    r"""Return the equations of a cell, aligned, with their sizes as symbols.

    >>> print(cell_formula(Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])"], states=["h"])))
    $\displaystyle h_t = \tanh(W_h h_{t-1} + W_x x_t)$
    """
    network = Network(
        cell=cell,
        hidden=size("n"),
        inputs=size("m") if cell.inputs else None,
        outputs=None,
        readout=None,
        loss=Loss("sum({y})", "output"),  # a network has a loss; it is not shown
        reduction="sum",
        steps=size("T"),
        bias=True,
        readout_bias=True,
    )
    return formula((e.left, e.right) for e in network.system.equations if e.stage == CELL)
