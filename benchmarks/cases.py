"""The networks that are timed: their sizes, their numbers, and the stacked weights that people write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
Params = dict[str, Array]


@dataclass(frozen=True)
class Case:
    """A network with softmax and cross-entropy, m = q = n.

    Attributes
    ----------
    cell : str
        ``tanh``, ``lstm`` or ``gru``.
    n, T : int
    B : int or None
        None for one sequence without an axis of batch.
    rounds : int
        How often each implementation is timed.
    """

    cell: str
    n: int
    T: int
    B: int | None
    rounds: int

    @property
    def label(self) -> str:
        kind = "" if self.cell == "tanh" else f"{self.cell.upper()} "
        return f"{kind}n={self.n} T={self.T} B={self.B or 1}"

    @property
    def gates(self) -> tuple[str, ...]:
        """The ends of the keys ``W_x.`` and ``W_h.``, in the order of torch."""
        return GATES[self.cell]

    @property
    def lead(self) -> tuple[int, ...]:
        return (self.T,) if self.B is None else (self.T, self.B)


GATES = {"tanh": ("",), "lstm": ("i", "f", "c", "o"), "gru": ("r", "z", "h")}

CASES = (
    Case("tanh", 16, 50, None, 200),
    Case("tanh", 64, 100, None, 100),
    Case("tanh", 128, 100, 32, 40),
    Case("tanh", 256, 200, 32, 11),
    Case("tanh", 512, 100, 64, 9),
    Case("lstm", 128, 100, 32, 21),
    Case("gru", 128, 100, 32, 21),
)


@dataclass(frozen=True)
class Data:
    """Numbers for one call: parameters by the keys of symbptt, inputs, and targets as class indices."""

    params: Params
    x: Array
    target: Array


def data(case: Case, seed: int) -> Data:
    """Return random numbers for a case."""
    rng, n = np.random.default_rng(seed), case.n
    params = {}
    for gate in case.gates:
        params[f"W_x{gate}"] = rng.normal(0, n**-0.5, (n, n))
        params[f"W_h{gate}"] = rng.normal(0, n**-0.5, (n, n))
        params[bias(gate)] = rng.normal(0, 0.1, n)
    if case.cell == "gru":
        params["b_hh"] = rng.normal(0, 0.1, n)
    params |= {"W_y": rng.normal(0, n**-0.5, (n, n)), "b_y": rng.normal(0, 0.1, n)}
    return Data(params, rng.normal(0, 1, (*case.lead, n)), rng.integers(0, n, case.lead))


def bias(gate: str) -> str:
    return f"b_{gate or 'h'}"


def stacked(params: Params, kind: str, gates: Iterable[str]) -> Array:
    """Return W_x, W_h or b of all gates on top of each other, as one writes it by hand."""
    keys = [bias(gate) if kind == "b" else f"W_{kind}{gate}" for gate in gates]
    return np.concatenate([params[key] for key in keys])


def parts(kind: str, gates: Iterable[str], whole: Array) -> Params:
    """Return the parts of a stacked gradient under the keys of symbptt."""
    gates = tuple(gates)
    keys = [bias(gate) if kind == "b" else f"W_{kind}{gate}" for gate in gates]
    return dict(zip(keys, np.split(np.asarray(whole), len(gates)), strict=True))


def read(gates: Iterable[str], grads: tuple[Array, ...], recurrent: Iterable[str] | None = None) -> Params:
    """Return gradients (dW_x, dW_h, db, dW_y, db_y, and db_hh of a GRU) under the keys of symbptt.

    Parameters
    ----------
    gates : sequence of str
        The order in which W_x and b are stacked.
    recurrent : sequence of str, optional
        That of W_h, where it is another.
    """
    dWx, dWh, db, dWy, dby, *dbhh = grads
    found = parts("x", gates, dWx) | parts("h", recurrent or gates, dWh) | parts("b", gates, db)
    found |= {"W_y": np.asarray(dWy), "b_y": np.asarray(dby)}
    return found | ({"b_hh": np.asarray(dbhh[0])} if dbhh else {})
