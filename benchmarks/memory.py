"""Memory of a gradient: the peak of what a call allocates, at several T, against the formula in the docstring."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from symbptt import RNN

from .cases import Case, data
from .timing import table

CELLS = ("tanh", "lstm", "gru")
STEPS = (200, 400, 800, 1600)
WIDTH, BATCH = 64, 16


def peak(bptt: Any, case: Case) -> int:
    """Return the bytes that are allocated at most during the first call of a length, without what it is given."""
    numbers, short = data(case, 0), data(replace(case, T=2), 0)
    bptt(short.params, x=short.x, target=short.target)  # generated, and imported
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    out = bptt(numbers.params, x=numbers.x, target=numbers.target)
    _, top = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert out.grads
    return top - before


def measured(cell: str, steps: Sequence[int] = STEPS, n: int = WIDTH, batch: int | None = BATCH) -> dict[str, Any]:
    """Return the peaks of a cell, the formula and its values, and the bytes that each further step takes."""
    bptt = RNN(cell, readout="softmax", loss="cross_entropy").lambdify()
    peaks = [peak(bptt, Case(cell, n, T, batch, 1)) for T in steps]
    formula = bptt.memory(batch is not None)
    sizes = {"B": batch or 1, "n": n, "m": n, "q": n}
    promised = [
        int(formula.subs({symbol: {**sizes, "T": T}[symbol.name] for symbol in formula.free_symbols})) for T in steps
    ]
    return {
        "cell": cell if batch else f"{cell}, B = 1",
        "formula": str(formula),
        "steps": list(steps),
        "bytes": peaks,
        "by_formula": promised,
        "bytes_per_step": [(b - a) / (t - s) for a, b, s, t in zip(peaks, peaks[1:], steps, steps[1:], strict=False)],
    }


def main(quick: bool = False) -> list[dict[str, Any]]:
    """Measure and print; return everything as data."""
    steps = STEPS[:3] if quick else STEPS
    columns = [measured(cell, steps) for cell in CELLS] + [measured("tanh", steps, batch=None)]
    print(
        f"peak of a call with all gradients, m = q = n = {WIDTH}, B = {BATCH}, float64, in MB; in brackets against the"
    )
    print("formula for the arrays over all steps; then the kB of each further step between neighbouring T")
    lines = []
    for column in columns:
        pairs = zip(column["bytes"], column["by_formula"], strict=True)
        shown = [f"{size / 1e6:.3f} ({size / promised:.3f})" for size, promised in pairs]
        lines.append([column["cell"], *shown, *(f"{slope / 1e3:.2f}" for slope in column["bytes_per_step"])])
    ranges = [f"{a} to {b}" for a, b in pairwise(steps)]
    print(table(["", *(f"T = {T}" for T in steps), *ranges], lines))
    for column in columns:
        print(f"  {column['cell']}: {column['formula']}")
    return columns
