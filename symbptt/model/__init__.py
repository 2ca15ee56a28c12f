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
from .network import CELL, LOSS, READOUT, Equation, Network, System, whole
from .notations import NOTATIONS, names

__all__ = [
    "ACTIVATIONS",
    "CATALOGUE",
    "CELL",
    "GRU",
    "LOSS",
    "LOSSES",
    "LSTM",
    "MGU",
    "NOTATIONS",
    "READOUT",
    "READOUTS",
    "REDUCTIONS",
    "ROLES",
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
    "StateSpace",
    "System",
    "cell",
    "loss",
    "names",
    "supremum",
    "whole",
]
