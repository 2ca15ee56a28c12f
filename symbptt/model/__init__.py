"""What is differentiated, as frozen data: cells, readouts, losses, networks, notations."""

from .catalogue import (
    ACTIVATIONS,
    CATALOGUE,
    GRU,
    LSTM,
    MGU,
    DeltaRule,
    Elman,
    IndRNN,
    LayerNorm,
    Leaky,
    LinearAttention,
    Residual,
    StateSpace,
    cell,
    supremum,
)
from .cells import ROLES, Cell
from .losses import LOSSES, READOUTS, REDUCTIONS, Loss, loss
from .network import Network, one_example, whole
from .notations import NOTATIONS, names, names_in
from .rows import COLUMNS, LAYOUTS, ROWS, SAMPLE, check_layout
from .scans import Scan
from .stacks import Bidirectional, Stack
from .system import CELL, LOSS, READOUT, Equation, System

__all__ = [
    "ACTIVATIONS",
    "CATALOGUE",
    "CELL",
    "COLUMNS",
    "GRU",
    "LAYOUTS",
    "LOSS",
    "LOSSES",
    "LSTM",
    "MGU",
    "NOTATIONS",
    "READOUT",
    "READOUTS",
    "REDUCTIONS",
    "ROLES",
    "ROWS",
    "SAMPLE",
    "Bidirectional",
    "Cell",
    "DeltaRule",
    "Elman",
    "Equation",
    "IndRNN",
    "LayerNorm",
    "Leaky",
    "LinearAttention",
    "Loss",
    "Network",
    "Residual",
    "Scan",
    "Stack",
    "StateSpace",
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
