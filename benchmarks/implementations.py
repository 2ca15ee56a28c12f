"""The rows of the table: each makes, of a case and its numbers, what is timed and what reads the gradients in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symbptt import RNN

from . import by_hand, frameworks, plain
from .cases import Case, Data, read, stacked
from .environment import has
from .frameworks import Made, weights


@dataclass(frozen=True)
class Implementation:
    """One way to compute loss and gradients.

    Attributes
    ----------
    name : str
    make : callable
        Of a case and its numbers.
    needs : str, optional
        The module without which it is not installed.
    takes : callable
        Whether it is there for a case.
    """

    name: str
    make: Callable[[Case, Data], Made]
    needs: str | None = None
    takes: Callable[[Case], bool] = lambda case: True

    @property
    def installed(self) -> bool:
        return has(self.needs)


@lru_cache
def _bptt(cell: str, n: int) -> Any:
    return RNN(cell, n, n, n, readout="softmax", loss="cross_entropy").lambdify()


def _lambdify(case: Case, numbers: Data) -> Made:
    bptt, p, wrt = _bptt(case.cell, case.n), numbers.params, tuple(numbers.params)
    return lambda: bptt(p, x=numbers.x, target=numbers.target, wrt=wrt), lambda out: out.grads


def _source(case: Case, numbers: Data) -> Made:
    function, p, wrt = _readable(case.cell, case.n), numbers.params, tuple(numbers.params)
    return lambda: function(p, x=numbers.x, target=numbers.target, wrt=wrt), lambda out: out.grads


@lru_cache
def _readable(cell: str, n: int) -> Any:
    namespace: dict[str, Any] = {"__name__": "readable"}
    exec(_bptt(cell, n).source, namespace)
    return namespace["bptt"]


def _products(case: Case, numbers: Data) -> Made:
    return plain.products(case, weights(case, numbers), numbers.x), lambda _: {}


def _per_step(case: Case, numbers: Data) -> Made:
    p = weights(case, numbers)
    return lambda: plain.per_step(case, p, numbers.x, numbers.target), lambda found: read(case.gates, found[1])


ORDERS = {"tanh": ("", ""), "lstm": ("ifoc", "ifoc"), "gru": ("hrz", "rzh")}
"""Cell -> the gates as they are stacked by hand, for inputs and for the state."""


def _by_hand(case: Case, numbers: Data) -> Made:
    by_input, by_state = (tuple(order) or ("",) for order in ORDERS[case.cell])
    p = weights(case, numbers) | {"Wx": stacked(numbers.params, "x", by_input)}
    p |= {"Wh": stacked(numbers.params, "h", by_state), "b": stacked(numbers.params, "b", by_input)}
    name = ("tanh_single" if case.B is None else "tanh_batch") if case.cell == "tanh" else case.cell
    function = getattr(by_hand, name)
    return lambda: function(p, numbers.x, numbers.target), lambda found: read(by_input, found[1], by_state)


PRODUCTS = "the products alone (np.dot)"
LAMBDIFY = "symbptt, lambdify()"
READABLE = "symbptt, bptt.source"
HAND = "NumPy by hand, with care"
TORCH = "torch.nn, autograd"
JAX = "JAX, lax.scan as one writes it"

IMPLEMENTATIONS = (
    Implementation(PRODUCTS, _products),
    Implementation(LAMBDIFY, _lambdify),
    Implementation(READABLE, _source),
    Implementation(HAND, _by_hand),
    Implementation("NumPy, outer products per step", _per_step),
    Implementation(TORCH, frameworks.torch_nn, "torch"),
    Implementation(JAX, frameworks.jax_scan, "jax"),
    Implementation("JAX, products hoisted by hand", frameworks.jax_hoisted, "jax"),
    Implementation("HIPS autograd", frameworks.autograd, "autograd", lambda case: case.n < 512),
    Implementation("numba, plain loops", frameworks.numba_loops, "numba", lambda case: case.B is None),
)
