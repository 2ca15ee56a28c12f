"""Derivation time at T = 10, 1,000, 100,000 and a symbolic T: it does not grow.

The runs at the different T alternate, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from symbptt import RNN, Cell
from symbptt.derive.generic import generic
from symbptt.derive.links import links

STEPS: tuple[Any, ...] = (10, 1_000, 100_000, "T")
ROUNDS = 5

LSTM = Cell(
    [
        "i[t] = sigmoid(W_xi @ x[t] + W_hi @ h[t-1] + b_i)",
        "f[t] = sigmoid(W_xf @ x[t] + W_hf @ h[t-1] + b_f)",
        "o[t] = sigmoid(W_xo @ x[t] + W_ho @ h[t-1] + b_o)",
        "g[t] = tanh(W_xc @ x[t] + W_hc @ h[t-1] + b_c)",
        "c[t] = f[t] * c[t-1] + i[t] * g[t]",
        "h[t] = o[t] * tanh(c[t])",
    ],
    states=["h", "c"],
    name="lstm",
)


def gradients(cell: Any, steps: Any, form: str) -> None:
    """Derive the gradients by every parameter and initial state anew."""
    generic.cache_clear()
    links.cache_clear()
    model = RNN(cell, hidden=4, inputs=3, outputs=2, readout="softmax", loss="cross_entropy", steps=steps)
    for key in (*model.system.parameters, *(f"{state}0" for state in model.system.states)):
        model.gradient(key, form=form)


def medians(actions: Sequence[Callable[[], None]], rounds: int = ROUNDS) -> list[float]:
    """Return the median seconds of each action; the actions take turns."""
    for action in actions:
        action()
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, found in zip(actions, times, strict=True):
            start = time.perf_counter()
            action()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def main() -> None:
    """Print the medians side by side, with their ratios to the first."""
    heads = [f"T = {steps:,}" if isinstance(steps, int) else f"T = {steps}" for steps in STEPS]
    print(f"median of {ROUNDS} derivations of all gradients, in milliseconds (in brackets: against T = {STEPS[0]})")
    print(f"{'':<20}" + "".join(f"{head:>18}" for head in heads))
    for name, cell, form in (
        ("tanh, recursive", "tanh", "recursive"),
        ("tanh, closed", "tanh", "closed"),
        ("lstm, closed", LSTM, "closed"),
    ):
        found = medians([lambda steps=steps: gradients(cell, steps, form) for steps in STEPS])  # type: ignore[misc]  # noqa: B023
        cells = (f"{1000 * seconds:.1f} ({seconds / found[0]:.2f})" for seconds in found)
        print(f"{name:<20}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
