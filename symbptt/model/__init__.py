"""What is differentiated, as frozen data: cells, readouts, losses, networks, notations."""

from .cells import ACTIVATIONS, CATALOGUE, Cell, Elman, cell, supremum
from .losses import LOSSES, READOUTS, REDUCTIONS, Loss, loss
from .network import CELL, LOSS, READOUT, Equation, Network, System, one_example, whole
from .notations import NOTATIONS, names, names_in
from .rows import COLUMNS, LAYOUTS, ROWS, SAMPLE, check_layout

__all__ = [
    "ACTIVATIONS",
    "CATALOGUE",
    "CELL",
    "COLUMNS",
    "LAYOUTS",
    "LOSS",
    "LOSSES",
    "NOTATIONS",
    "READOUT",
    "READOUTS",
    "REDUCTIONS",
    "ROWS",
    "SAMPLE",
    "Cell",
    "Elman",
    "Equation",
    "Loss",
    "Network",
    "System",
    "cell",
    "check_layout",
    "loss",
    "names",
    "names_in",
    "one_example",
    "supremum",
    "whole",
]
