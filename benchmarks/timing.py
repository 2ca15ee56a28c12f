"""Timing side by side: all take turns, so that a busy machine slows them alike; medians, quartiles, tables."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

BATCH = 2e-3
"""Seconds that one measurement takes at least, of calls that are shorter; at most 20 of them."""


@dataclass(frozen=True)
class Spread:
    """Median and quartiles.

    Attributes
    ----------
    median, low, high : float
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Any) -> Spread:
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
        return cls(float(median), float(low), float(high))


CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
"""What time is: what passes, or what all threads of the process spend, for a machine that others use as well."""


def in_turns(
    actions: Mapping[str, Sequence[Callable[[], Any]]],
    rounds: int,
    used: Callable[[str, int, Any], None],
    clock: str = "wall",
) -> dict[str, list[float]]:
    """Time actions in turns, and return the seconds of each in every round.

    Parameters
    ----------
    actions : mapping
        Name -> the same action with different numbers, which take turns as well.
    rounds : int
    used : callable
        Gets name, which numbers and the result of every call that was timed, after the clock was read.
    clock : str
        Of :data:`CLOCKS`.
    """
    now = CLOCKS[clock]
    calls = {name: _calls(variants) for name, variants in actions.items()}
    found: dict[str, list[float]] = {name: [] for name in actions}
    gc.collect()
    gc.disable()
    try:
        for i in range(rounds):
            for name in _turned(list(actions), i):
                variants = actions[name]
                if calls[name] > 1:
                    variants[i % len(variants)]()  # a short one would pay for what the one before left in the caches
                spent = 0.0
                for k in range(calls[name]):
                    chosen = (i + k) % len(variants)
                    action = variants[chosen]
                    start = now()
                    result = action()
                    spent += now() - start
                    used(name, chosen, result)
                    del result  # so that the next call finds the memory free, as in training
                found[name].append(spent / calls[name])
            gc.collect()
    finally:
        gc.enable()
    return found


def _turned(names: list[str], i: int) -> list[str]:
    """Return names in an order that begins with another one in each round."""
    first = i % len(names)
    return names[first:] + names[:first]


def _calls(variants: Sequence[Callable[[], Any]]) -> int:
    for action in variants:
        action()  # compiled, and everything touched once
    start = time.perf_counter()
    variants[0]()
    return int(min(20, max(1, BATCH / (time.perf_counter() - start))))


def seconds(value: float) -> str:
    """Return a time in its unit, with three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def digits(value: float) -> str:
    """Return a ratio with two or three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return lines of text in columns."""
    widths = [max(len(line[i]) for line in (head, *lines)) for i in range(len(head))]
    shown = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (head, *lines)
    ]
    return "\n".join([shown[0], "-" * len(shown[0]), *shown[1:]])
