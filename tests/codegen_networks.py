"""Networks and random data that the tests of generated code share."""

from __future__ import annotations

from typing import Any

import numpy as np
from cells import BEYOND_ELMAN
from hypothesis import strategies as st

from symbptt.codegen import Bptt, compile_network
from symbptt.model import ACTIVATIONS, Bidirectional, Cell, Loss, Network, Stack, cell, loss, whole

COUPLED = Cell(
    ["u[t] = tanh(A @ u[t-1] + B @ v[t-1] + C @ x[t])", "v[t] = sigmoid(D @ v[t-1] + E @ u[t]) / 2"],
    states={"u": "n", "v": "p"},
    name="coupled",
)
MEMORY = Cell(
    ["k[t] = W_k @ x[t]", "v[t] = W_v @ x[t]", "S[t] = S[t-1] + v[t] @ k[t].T", "o[t] = S[t] @ (W_q @ x[t])"],
    states={"S": ("p", "n")},
    output="o",
    name="matrix memory",
)
MIXING = Cell(
    ["k[t] = tanh(W_k @ x[t])", "S[t] = alpha * (A @ S[t-1]) + k[t] @ k[t].T @ S[t-1].T", "o[t] = S[t] @ k[t]"],
    states={"S": ("n", "n")},
    output="o",
    shapes={"alpha": ()},
    name="matrices times matrix states",
)
BACKWARD = Cell(["h[t] = tanh(W_h @ h[t+1] + W_x @ x[t] + b_h)"], states=["h"], direction=-1, name="from right to left")
REDUCING = Cell(
    [
        "w[t] = concat(h[t-1], x[t])",
        "s[t] = inner(p, h[t-1]) / 2 + mean(h[t-1]) + max(x[t]) + variance(h[t-1]) - norm2(h[t-1]) / 9",
        "h[t] = s[t] * tanh(W @ w[t] + b) + softmax(h[t-1]) / (2 + h[t-1] ** 2) + beta * h[t-1] ** 3",
    ],
    states=["h"],
    shapes={"beta": (), "p": ("n",)},
    name="reductions",
)  # fmt: skip
STACKED = Stack([MEMORY, "lstm", "gru"], name="stacked")
BIDIRECTIONAL = Bidirectional("gru", name="both ways")
DEEP = Stack([Bidirectional("tanh"), BACKWARD, Bidirectional(COUPLED), "linear"], name="deep in both directions")
CELLS = BEYOND_ELMAN | {c.name: c for c in (COUPLED, MEMORY, MIXING, BACKWARD, REDUCING, STACKED, BIDIRECTIONAL, DEEP)}


def network(
    given: Any,
    hidden: Any = 4,
    inputs: Any = 3,
    outputs: Any = 2,
    readout: str | None = "softmax",
    loss_: Any = "cross_entropy",
    reduction: str = "sum",
    steps: Any = "T",
    **more: Any,
) -> Network:
    """Return a network; sizes may be numbers, names or None."""
    q = None if outputs is None or readout is None else whole(outputs, "outputs")
    m = None if inputs is None else whole(inputs, "inputs")
    criterion = loss(loss_, readout)
    sizes = whole(hidden, "hidden"), m, q
    return Network(cell(given), *sizes, readout, criterion, reduction, whole(steps, "steps"), **more)


def data(bptt: Bptt, T: int, B: int | None, seed: int = 0, sizes: dict[str, int] | None = None) -> dict[str, Any]:
    """Return random arguments for a network: ``params``, ``x``, ``target`` and ``initial``."""
    rng = np.random.default_rng(seed)
    plan, system = bptt._plan, bptt.network.system
    known = {
        "n": 4,
        "m": 3,
        "q": 2,
        "p": 5,
        "d": 2,
        **{k: int(v) for k, v in system.sizes.items() if v.is_Integer},
        **(sizes or {}),
    }
    lead = () if B is None else (B,)

    def shape(name: str) -> tuple[int, ...]:
        return tuple(int(s.subs({u: known[str(u)] for u in s.free_symbols})) for s in plan.shape(name))

    def normal(*sizes: int) -> Any:
        return np.asarray(rng.normal(0, 0.6, sizes))

    given: dict[str, Any] = {"params": {key: normal(*shape(key)) for key in system.parameters}}
    if system.inputs:
        given["x"] = normal(T, *lead, *shape("x"))
    else:
        given["steps"] = T
    if plan.has_target:
        given["target"] = normal(T, *lead, *shape("target"))
        if system.target == "distribution":
            given["target"] = rng.dirichlet(np.ones(shape("target")[0] if plan.shape("target") else 1), (T, *lead))
            given["target"] = given["target"] if plan.shape("target") else given["target"][..., 0]
        elif system.target == "unit":
            given["target"] = rng.uniform(size=(T, *lead, *shape("target")))
    given["initial"] = {s: normal(*lead, *shape(s)) for s in system.states}
    return given


def entries(given: dict[str, Any]) -> dict[str, Any]:
    """Return every array that there is a gradient by, under the key of its gradient."""
    inputs = {"x": given["x"]} if "x" in given else {}
    return {**given["params"], **inputs, **{f"{s}0": array for s, array in given["initial"].items()}}


def largest_error(bptt: Bptt, given: dict[str, Any], step: float = 1e-5) -> float:
    """Return the largest difference from central differences, relative to the largest gradient or 1."""
    out = bptt(**given)
    errors = []
    for key, array in entries(given).items():
        for where in np.ndindex(array.shape):
            kept = array[where]
            sides = []
            for move in (step, -step):
                array[where] = kept + move
                sides.append(bptt(**given, wrt=[]).loss)
            array[where] = kept
            errors.append(abs((sides[0] - sides[1]) / (2 * step) - np.asarray(out.grads[key])[where]))
    scale = max(1.0, *(float(np.abs(grad).max()) for grad in out.grads.values()))
    return float(max(errors)) / scale


LOSSES = (
    (None, "half_squared_error"),
    (None, "mse"),
    ("linear", "squared_error"),
    ("linear", "mse"),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
    ("softmax", "half_squared_error"),
    ("sigmoid", "squared_error"),
)


@st.composite
def elman_networks(draw: Any) -> Network:
    """Elman networks of every activation, readout, loss, reduction and size, with and without biases and input."""
    readout, name = draw(st.sampled_from(LOSSES))
    size = st.integers(1, 4)
    return network(
        draw(st.sampled_from(ACTIVATIONS)),
        draw(size),
        draw(st.one_of(st.none(), size)),
        draw(size),
        readout,
        name,
        draw(st.sampled_from(("sum", "mean", "last"))),
        bias=draw(st.booleans()),
        readout_bias=draw(st.booleans()),
    )


__all__ = [
    "CELLS",
    "LOSSES",
    "Loss",
    "compile_network",
    "data",
    "elman_networks",
    "entries",
    "largest_error",
    "network",
]
