"""What each pass of the code generator gains: the fast style, with each pass left out in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from symbptt import RNN
from symbptt.codegen.fast.run import fast_source
from symbptt.codegen.passes.pipeline import FAST, FAST_SINGLE, Pass
from symbptt.model import one_example

from .cases import CASES, Case, data
from .timing import Spread, digits, in_turns, seconds, table

ALL, NONE = "all passes", "no pass"


def variants(single: bool) -> dict[str, tuple[Pass, ...]]:
    """Return what is compared: all passes, all but one, and none."""
    every = FAST_SINGLE if single else FAST
    without = {f"without {own.__name__}": tuple(other for other in every if other != own) for own in every}
    return {ALL: every, **without, NONE: ()}


def functions(case: Case) -> dict[str, Callable[..., Any]]:
    """Return the generated function of each variant; those that are the same text are the same function."""
    network = one_example(RNN(case.cell, readout="softmax", loss="cross_entropy").network)
    found: dict[str, Callable[..., Any]] = {}
    made: dict[str, Callable[..., Any]] = {}
    for name, passes in variants(case.B is None).items():
        text, function, _ = fast_source(network, case.B is None, passes=passes)
        found[name] = made.setdefault(text, function)
    return found


def measured(case: Case, rounds: int, clock: str = "wall") -> dict[str, Any]:
    """Return the times of all variants, and their ratios to all passes."""
    numbers = [data(case, seed) for seed in range(3)]
    starts = (None,) * (2 if case.cell == "lstm" else 1)
    right: dict[int, Any] = {}

    def used(name: str, i: int, result: Any) -> None:
        for key, value in result[1].items():
            known = right.setdefault(i, {}).setdefault(key, value)
            if not np.allclose(value, known, rtol=0, atol=1e-8 * np.abs(known).max()):
                raise AssertionError(f"{case.label}: {name} gives another gradient by {key}")

    def action(function: Callable[..., Any], own: Any) -> Callable[[], Any]:
        wrt, dtype = tuple(own.params), np.dtype(float)
        return lambda: function(own.params, own.x, own.target, *starts, wrt, dtype)

    made = functions(case)
    actions = {name: [action(function, own) for own in numbers] for name, function in made.items()}
    times = in_turns(actions, rounds, used, clock)
    base = np.array(times[ALL])
    rows = {
        name: {
            "seconds": vars(Spread.of(found)),
            "ratio": vars(Spread.of((np.array(found) / base).tolist())),
            "same": name != ALL and made[name] is made[ALL],
        }
        for name, found in times.items()
    }
    return {"case": case.label, "rows": rows}


def text(columns: list[dict[str, Any]]) -> str:
    """Return the table."""
    names = dict.fromkeys(name for column in columns for name in column["rows"])
    lines = [[name, *(_cell(column["rows"].get(name), name) for column in columns)] for name in names]
    return table(["", *(column["case"] for column in columns)], lines)


def _cell(row: dict[str, Any] | None, name: str) -> str:
    if row is None:
        return "-"
    if name == ALL:
        return seconds(row["seconds"]["median"])
    ratio = row["ratio"]
    return "=" if row["same"] else f"{digits(ratio['median'])} [{digits(ratio['low'])}, {digits(ratio['high'])}]"


def main(quick: bool = False, clock: str = "wall") -> list[dict[str, Any]]:
    """Measure and print; return everything as data."""
    chosen = [case for case in CASES if case.n <= (64 if quick else 256)]
    columns = []
    for case in [replace(case, rounds=7 if quick else min(case.rounds, 40)) for case in chosen]:
        print(f"measuring {case.label}: {case.rounds} rounds", flush=True)
        columns.append(measured(case, case.rounds, clock))
    print("\nthe fast style with a pass left out: its time against all passes, with quartiles (= is the same text)")
    print(text(columns), flush=True)
    return columns
