"""Gradients of torch's recurrent modules by canonical key."""

from __future__ import annotations

from typing import Any

import numpy as np

GATES = {
    "RNN": (("W_x", "W_h", "b_h", None),),
    "LSTM": tuple((f"W_x{k}", f"W_h{k}", f"b_{k}", None) for k in "ifco"),
    "GRU": (("W_xr", "W_hr", "b_r", None), ("W_xz", "W_hz", "b_z", None), ("W_xh", "W_hh", "b_h", "b_hh")),
}
"""Module -> keys of the input's weight, the state's weight, the bias and a second bias, in torch's order of gates."""


def prefixes(module: Any) -> list[tuple[str, str]]:
    """Layer and direction of each cell, as its keys begin, and as the names of torch's weights end."""
    found = []
    for layer in range(module.num_layers):
        for way in range(1 + module.bidirectional):
            key = f"{layer + 1}." if module.num_layers > 1 else ""
            key += ("forward.", "backward.")[way] if module.bidirectional else ""
            found.append((key, f"_l{layer}" + ("_reverse" if way else "")))
    return found


def gradients(module: Any) -> dict[str, Any]:
    """The gradients by the weights of a module, by canonical key."""
    found = {}
    for key, end in prefixes(module):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        arrays = {name: getattr(module, f"{name}{end}").grad.numpy() for name in names}
        gates = GATES[type(module).__name__]
        for i, (of_x, of_h, bias, second) in enumerate(gates):
            part = {name: np.split(array, len(gates))[i] for name, array in arrays.items()}
            found.update({key + of_x: part["weight_ih"], key + of_h: part["weight_hh"], key + bias: part["bias_ih"]})
            if second:
                found[key + second] = part["bias_hh"]
    return found
