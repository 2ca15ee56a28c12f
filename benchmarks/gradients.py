"""Loss and gradients of recurrent networks, by this package and by others, against the matrix products alone.

Float64, one thread for everybody, three sets of numbers in turn. Each implementation returns finished NumPy arrays;
before the clock starts, its gradients are compared with those of the others, and after it was read, all entries of
every gradient of each timed call are summed and compared again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .cases import CASES, Case, data
from .implementations import HAND, IMPLEMENTATIONS, JAX, LAMBDIFY, PRODUCTS, TORCH, Implementation
from .timing import Spread, digits, in_turns, seconds, table

SETS = 3
Column = dict[str, Any]


class UnequalError(Exception):
    """Two implementations disagree; the text says which, and where."""


def prepared(case: Case, chosen: Sequence[Implementation]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Return what is timed, and what reads the gradients, of each implementation, for each set of numbers."""
    numbers = [data(case, seed) for seed in range(SETS)]
    made = {one.name: [one.make(case, own) for own in numbers] for one in chosen}
    runs = {name: [run for run, _ in both] for name, both in made.items()}
    return runs, {name: [read for _, read in both] for name, both in made.items()}


def compare(case: Case, runs: dict[str, list[Any]], reads: dict[str, list[Any]]) -> list[dict[str, float]]:
    """Compare all gradients entry by entry with those by symbptt, and return the sums of their entries by set.

    Raises
    ------
    UnequalError
        Where one differs by more than 1e-8 of the largest entry.
    """
    sums = []
    for i in range(SETS):
        right = reads[LAMBDIFY][i](runs[LAMBDIFY][i]())
        for name in (name for name in runs if name not in (LAMBDIFY, PRODUCTS)):
            found = reads[name][i](runs[name][i]())
            if sorted(found) != sorted(right):
                raise UnequalError(f"{case.label}: {name} has gradients by {sorted(found)}")
            for key, value in right.items():
                if not np.allclose(found[key], value, rtol=0, atol=1e-8 * np.abs(value).max()):
                    raise UnequalError(
                        f"{case.label}: {name} differs by {np.abs(found[key] - value).max():.1e} in {key}"
                    )
        sums.append({key: float(value.sum()) for key, value in right.items()})
    return sums


def measured(
    case: Case, rounds: int, chosen: Sequence[Implementation] = IMPLEMENTATIONS, clock: str = "wall"
) -> Column:
    """Return the times of all implementations that are there for a case, and their ratios to the products."""
    there = [one for one in chosen if one.installed and one.takes(case)]
    runs, reads = prepared(case, there)
    sums = compare(case, runs, reads)

    def used(name: str, i: int, result: Any) -> None:
        for key, value in reads[name][i](result).items():
            if not np.isclose(value.sum(), sums[i][key], rtol=1e-5, atol=1e-5):
                raise UnequalError(f"{case.label}: {name} returned another gradient by {key} while it was timed")

    times = in_turns(runs, rounds, used, clock)
    rows = {}
    for name, found in times.items():
        # Of each round by itself: what slows a round down slows all of it.
        own = np.array(found)
        rows[name] = {
            "seconds": vars(Spread.of(found)),
            "ratio": vars(Spread.of(own / times[PRODUCTS])),
            "lambdify": vars(Spread.of(times[LAMBDIFY] / own)),
        }
    about = {"case": case.label, "cell": case.cell, "n": case.n, "batched": case.B is not None, "rounds": rounds}
    return {**about, "rows": rows}


# -- targets ------------------------------------------------------------------------------------------


def targets(column: Column) -> list[dict[str, Any]]:
    """Return what a column is held to: what is compared, the limit, and what was measured."""
    rows = column["rows"]
    found = [_target(column, "the products", rows[LAMBDIFY]["ratio"], _limit(column))]
    others = {HAND: 1.0, JAX: 1.0}
    if column["cell"] == "tanh":
        others[TORCH] = {16: 0.1, 64: 0.25}.get(column["n"], 1.0)
    elif column["cell"] == "lstm":
        others[TORCH] = 1.0
    for name, limit in others.items():
        if name in rows:
            found.append(_target(column, name, rows[name]["lambdify"], limit))
    return found


def _limit(column: Column) -> float:
    if column["cell"] != "tanh":
        return 1.45
    return {16: 11.0, 64: 3.7}.get(column["n"], 1.15)


def _target(column: Column, against: str, spread: dict[str, float], limit: float) -> dict[str, Any]:
    """Return one target; it is level where the limit is within the quartiles, and no more than 5 % away."""
    reported = against == TORCH and column["n"] >= 512  # OpenBLAS against MKL
    value = spread["median"]
    level = spread["low"] <= limit and value <= 1.05 * limit
    verdict = "met" if value <= limit else "level" if level else "reported" if reported else "NOT MET"
    return {"case": column["case"], "against": against, "limit": limit, "value": value, "verdict": verdict}


# -- what is printed ----------------------------------------------------------------------------------


def text(columns: Sequence[Column]) -> str:
    """Return the table of ratios, that of times with quartiles, and the targets."""
    names = [one.name for one in IMPLEMENTATIONS]
    head = ["", *(column["case"] for column in columns)]
    ratios, times = [], []
    for one in IMPLEMENTATIONS:
        ratios.append([one.name, *(_cell(one, column, "ratio") for column in columns)])
        times.append([one.name, *(_cell(one, column, "seconds") for column in columns)])
    verdicts = [target for column in columns for target in targets(column)]
    width = max(len(target["case"]) for target in verdicts), max(map(len, names))
    return "\n".join(
        [
            "times of the products (medians of the ratios in each round; the first row in seconds)",
            table(head, ratios),
            "",
            "medians, and quartiles of the calls",
            table(head, times),
            "",
            "targets of symbptt, lambdify()",
            *(_verdict(target, *width) for target in verdicts),
        ]
    )


def _cell(one: Implementation, column: Column, what: str) -> str:
    row = column["rows"].get(one.name)
    if row is None:
        return "-" if one.installed else "not installed"
    spread = row["seconds" if one.name == PRODUCTS else what]
    if what == "seconds":
        return f"{seconds(spread['median'])} [{seconds(spread['low'])}, {seconds(spread['high'])}]"
    return seconds(spread["median"]) if one.name == PRODUCTS else digits(spread["median"])


def _verdict(target: dict[str, Any], case: int, name: int) -> str:
    share = target["value"] / target["limit"] - 1
    how = f"{abs(share):.0%} {'under' if share <= 0 else 'over'}"
    limit = f"{digits(target['value'])} of at most {digits(target['limit'])}"
    return (
        f"  {target['case']:<{case}}  against {target['against']:<{name}}  {limit:<22}  {target['verdict']:<8}  {how}"
    )


def main(quick: bool = False, only: Sequence[str] = (), clock: str = "wall") -> dict[str, Any]:
    """Measure and print; return everything as data.

    Parameters
    ----------
    quick : bool
        Leave the large networks out, with few rounds.
    only : sequence of str
        Words of the labels of cases, such as ``n=64`` or ``LSTM``; all by default.
    clock : {"wall", "cpu"}
    """
    chosen = [case for case in CASES if not only or any(word.lower() in case.label.lower().split() for word in only)]
    if quick:
        chosen = [replace(case, rounds=min(case.rounds, 7)) for case in chosen if case.n <= 128]
    columns = []
    for case in chosen:
        print(f"measuring {case.label}: {case.rounds} rounds", flush=True)
        columns.append(measured(case, case.rounds, clock=clock))
    print()
    print(text(columns), flush=True)
    return {"clock": clock, "columns": columns, "targets": [t for column in columns for t in targets(column)]}
