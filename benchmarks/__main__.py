"""``python -m benchmarks [NAMES]``: run benchmarks, all by default."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

from .environment import machine, one_thread

NAMES = ("gradients", "passes", "memory", "derivation")


def main() -> None:
    """Read the command line, and run what it names with one thread."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Times and memory, measured.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (all by default)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="of gradients: such as n=64 or LSTM")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="of gradients; cpu for a busy machine")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured into a file as well")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    one_thread()
    print(", ".join(f"{key} {value}" for key, value in machine()["versions"].items()))
    print(f"{machine()['processor']}; Python {machine()['python']}; {machine()['blas']}; one thread\n")
    found = {}
    for name in given.names or NAMES:
        module = importlib.import_module(f".{name}", __package__)
        more = {"clock": given.clock} if name in ("gradients", "passes") else {}
        more |= {"only": given.only} if name == "gradients" else {}
        found[name] = module.main(given.quick, **more)
        print()
        if given.json:
            given.json.write_text(
                json.dumps(rounded({"machine": machine(), **found}), indent=1) + "\n", encoding="utf-8"
            )


def rounded(found: Any) -> Any:
    """Return data with four digits of each number."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return float(f"{found:.4g}") if isinstance(found, float) else found


if __name__ == "__main__":
    main()
