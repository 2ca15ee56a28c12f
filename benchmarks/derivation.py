"""What a derivation costs: it does not grow with T; a fresh process; Markdown of many steps; and other ways.

The runs at the different T alternate, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from symbptt import RNN
from symbptt.derive.generic import generic
from symbptt.derive.links import links

from . import others
from .timing import Spread, digits, in_turns, seconds, table

STEPS: tuple[Any, ...] = (10, 1_000, 1_000_000, "T")
ROUNDS = 9
CELLS = (("tanh", "recursive"), ("tanh", "closed"), ("lstm", "closed"))

FRESH = """
import symbptt
model = symbptt.RNN("lstm", readout="softmax", loss="cross_entropy")
assert model.derivation().to_text()
assert all(model.gradient(key, form="closed") for key in model.system.parameters)
"""
"""The derivation of an LSTM at a symbolic T, its text, and every gradient, from nothing."""


def gradients(cell: str, steps: Any, form: str) -> None:
    """Derive the gradients by every parameter and initial state anew."""
    generic.cache_clear()
    links.cache_clear()
    model = RNN(cell, hidden=4, inputs=3, outputs=2, readout="softmax", loss="cross_entropy", steps=steps)
    for key in (*model.system.parameters, *(f"{state}0" for state in model.system.states)):
        model.gradient(key, form=form)


def constant(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Return the times of a derivation at several T, and their ratios to those at the first."""
    found = []
    for cell, form in CELLS:
        actions = {_head(T): [lambda T=T: gradients(cell, T, form)] for T in STEPS}  # type: ignore[misc]  # noqa: B023
        times = in_turns(actions, rounds, lambda *_: None)
        rows = {name: vars(Spread.of(own)) for name, own in times.items()}
        found.append({"what": f"{cell}, {form}", "seconds": rows})
    return found


def _head(steps: Any) -> str:
    return f"T = {steps:,}" if isinstance(steps, int) else f"T = {steps}"


def fresh(rounds: int = 5) -> dict[str, Any]:
    """Return the times of the whole derivation of an LSTM in a process of its own, imports included."""
    programs = {"import sympy": "import sympy", "import symbptt, derive an LSTM": FRESH}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            times[name].append(time.perf_counter() - start)
    return {name: vars(Spread.of(found)) for name, found in times.items()}


def markdown(steps: Sequence[int] = (250, 500, 1000)) -> list[dict[str, Any]]:
    """Return the times of deriving T unrolled steps and writing them as Markdown, and the lengths of the texts."""
    found = []
    for T in steps:
        own = []
        for _ in range(3):
            start = time.perf_counter()
            text = RNN("tanh", steps=T).derivation(sections=["unrolled"]).to_markdown()
            own.append(time.perf_counter() - start)
        found.append({"T": T, "seconds": statistics.median(own), "characters": len(text)})
    return found


def unrolled(quick: bool) -> dict[str, Any]:
    """Return the times of other ways at several T, and those of this package beside them."""
    steps = (5, 10, 20) if quick else (5, 10, 20, 40, 100, 1000)
    found: dict[str, Any] = others.measured(steps, 2.0 if quick else others.ENOUGH)
    mine = []
    for T in steps:
        start = time.perf_counter()
        _scalar(T)
        mine.append(time.perf_counter() - start)
    return {"steps": list(steps), "seconds": {"symbptt, closed form": mine, **found}}


def _scalar(T: int) -> None:
    generic.cache_clear()
    links.cache_clear()
    model = RNN("tanh", 1, 1, steps=T)
    for key in model.system.parameters:
        model.gradient(key, form="closed")


def main(quick: bool = False) -> dict[str, Any]:
    """Measure and print; return everything as data."""
    rounds = 3 if quick else ROUNDS
    found: dict[str, Any] = {"constant": constant(rounds)}
    print(f"derivation of all gradients, medians of {rounds} (in brackets: against {_head(STEPS[0])})")
    lines = []
    for row in found["constant"]:
        medians = [spread["median"] for spread in row["seconds"].values()]
        lines.append([row["what"], *(f"{seconds(one)} ({digits(one / medians[0])})" for one in medians)])
    print(table(["", *map(_head, STEPS)], lines), flush=True)

    found["fresh"] = fresh(2 if quick else 5)
    print("\nin a fresh process")
    for name, spread in found["fresh"].items():
        limit = ", target 2 s" if "LSTM" in name else ""
        print(f"  {name}: {seconds(spread['median'])} [{seconds(spread['low'])}, {seconds(spread['high'])}]{limit}")

    found["markdown"] = markdown((100, 200) if quick else (250, 500, 1000))
    print("\nMarkdown of T unrolled steps (target for T = 1,000: 5 s, and linear)", flush=True)
    for row in found["markdown"]:
        each = f"{1e6 * row['seconds'] / row['T']:.0f} us and {row['characters'] / row['T']:.0f} characters a step"
        print(f"  {_head(row['T'])}: {seconds(row['seconds'])}, {each}")

    found["others"] = unrolled(quick)
    print("\nthe gradient of a scalar tanh network with squared error, by what can derive it", flush=True)
    heads = [_head(T) for T in found["others"]["steps"]]
    print(table(["", *heads], [_row(name, row, len(heads)) for name, row in found["others"]["seconds"].items()]))
    return found


def _row(name: str, row: list[float | None] | None, count: int) -> list[str]:
    if row is None:
        return [name, *["not installed"] * count]
    return [name, *("-" if one is None else seconds(one) for one in row)]
