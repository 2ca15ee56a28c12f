"""What is differentiated, as frozen data: cells, readouts, losses, networks, notations."""

from .cells import ACTIVATIONS, CATALOGUE, Cell, Elman, cell, supremum
from .losses import LOSSES, READOUTS, REDUCTIONS, Loss, loss
from .network import CELL, LOSS, READOUT, Equation, Network, System, whole
from .notations import NOTATIONS, names
from .scans import Scan
from .stacks import Bidirectional, Stack

__all__ = [
    "ACTIVATIONS",
    "CATALOGUE",
    "CELL",
    "LOSS",
    "LOSSES",
    "NOTATIONS",
    "READOUT",
    "READOUTS",
    "REDUCTIONS",
    "Bidirectional",
    "Cell",
    "Elman",
    "Equation",
    "Loss",
    "Network",
    "Scan",
    "Stack",
    "System",
    "cell",
    "loss",
    "names",
    "supremum",
    "whole",
]
