"""``Cell.from_latex`` and ``Loss.from_latex``: what reads LaTeX is loaded where it is used."""

from __future__ import annotations

from typing import Any

from ..model import Cell, Loss


def read_cell(*arguments: Any, **given: Any) -> Cell:
    """Return the cell of equations in LaTeX; the arguments are those of :meth:`Cell.from_latex`."""
    from ..reading.cells import cell_from_latex

    return cell_from_latex(*arguments, **given)


def read_loss(*arguments: Any) -> Loss:
    """Return the loss of a formula in LaTeX; the arguments are those of :meth:`Loss.from_latex`."""
    from ..reading.losses import loss_from_latex

    return loss_from_latex(*arguments)
