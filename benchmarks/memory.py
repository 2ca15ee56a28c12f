"""Memory of a gradient: the peak of what a call allocates, at several T; it is linear."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any

from symbptt import RNN

from .cases import Case, data
from .timing import table

CELLS = ("tanh", "lstm", "gru")
STEPS = (100, 200, 400, 800)
WIDTH, BATCH = 64, 16


def peak(bptt: Any, case: Case) -> int:
    """Return the bytes that are allocated at most during a call, without what it is given."""
    numbers = data(case, 0)
    wrt = tuple(numbers.params)
    bptt(numbers.params, x=numbers.x, target=numbers.target, wrt=wrt)  # generated, and imported
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    out = bptt(numbers.params, x=numbers.x, target=numbers.target, wrt=wrt)
    _, top = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert out.grads
    return top - before


def measured(cell: str, steps: Sequence[int] = STEPS, n: int = WIDTH, batch: int = BATCH) -> dict[str, Any]:
    """Return the peaks of a cell, and how many numbers each step of each sequence costs, in units of n."""
    bptt = RNN(cell, n, n, n, readout="softmax", loss="cross_entropy").lambdify()
    peaks = [peak(bptt, Case(cell, n, T, batch, 1)) for T in steps]
    slopes = [(b - a) / (t - s) for a, b, s, t in zip(peaks, peaks[1:], steps, steps[1:], strict=False)]
    return {
        "cell": cell,
        "steps": list(steps),
        "bytes": peaks,
        "bytes_per_step": slopes,
        "vectors_per_step": [slope / (8 * batch * n) for slope in slopes],
    }


def main(quick: bool = False) -> list[dict[str, Any]]:
    """Measure and print; return everything as data."""
    columns = [measured(cell, STEPS[:3] if quick else STEPS) for cell in CELLS]
    steps = columns[0]["steps"]
    print(f"peak of a call, m = q = n = {WIDTH}, B = {BATCH}, float64, in MB; and what each further step costs,")
    print("in vectors of n numbers for each sequence (between neighbouring T: linear where they are equal)")
    lines = [
        [
            column["cell"],
            *(f"{size / 1e6:.2f}" for size in column["bytes"]),
            *(f"{slope:.2f}" for slope in column["vectors_per_step"]),
        ]
        for column in columns
    ]
    ranges = [f"{a} to {b}" for a, b in zip(steps, steps[1:], strict=False)]
    print(table(["", *(f"T = {T}" for T in steps), *ranges], lines), flush=True)
    return columns
