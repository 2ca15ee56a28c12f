"""What calls of the same sizes have in common: arrays that are used again, and the views that loops go through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..layout import collection, statement, without_unused

KEPT = 32768
"""How many numbers the vectors of all steps may have whose arrays are kept for the next call."""

HELPERS = f'''KEPT = {{}}


def is_kept(steps, *sizes):
    """Whether arrays are kept for the next call: small ones, where a view of a step counts as 16 numbers."""
    return steps * (16 + sum(sizes)) <= {KEPT}


def borrowed(*sizes):
    """Return the arrays that a call of these sizes has given back, or new ones; and whether to give them back."""
    try:
        return KEPT[sizes].pop(), True
    except (KeyError, IndexError):
        return laid_out(*sizes), is_kept(*sizes[:-1])


def give_back(arrays, *sizes):
    """Keep the arrays of a call for the next one of the same sizes, of the last eight sizes at most."""
    if sizes not in KEPT and len(KEPT) == 8:
        KEPT.clear()
    KEPT.setdefault(sizes, []).append(arrays)


def listed(*arrays):
    """Return the parts of several arrays, step by step."""
    return list(zip(*arrays))
'''

HAND_BACK = ["    if kept:", "        give_back(arrays, *sizes)"]
RESERVED = {"sizes", "kept", "fresh", "arrays", "every", "listed", "is_kept", "borrowed", "give_back", "laid_out"}


class Workspace:
    """The lines that lay out arrays before a function does anything, and the names that they give.

    What is laid out depends on nothing but sizes and the type of the numbers. It is handed from call to call, each of
    which has it for itself alone; so it is never returned, but copied.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, None] = {}
        self.loops = 0

    def put(self, text: str) -> None:
        """Put an assignment down; what it assigns to, if it is not a part of an array, belongs to the workspace."""
        left = text.partition(" = ")[0]
        self.names |= dict.fromkeys(re.findall(r"\w+", left) if "[" not in left else ())
        self.lines += statement(text, 4)

    def loop(self, views: Mapping[str, str], turned: str, indent: int) -> list[str]:
        """Put down the views of arrays side by side, and return the head of the loop that goes through them."""
        name = f"steps_{self.loops}"
        self.loops += 1
        self.put(f"{name} = every({', '.join(array + turned for array in views)})")
        margin, parts = " " * indent, ", ".join(views.values())
        if len(views) == 1:
            return [f"{margin}for ({parts},) in {name}:"]
        if len(margin + parts) + len(name) + 9 <= 88:
            return [f"{margin}for {parts} in {name}:"]
        return [f"{margin}for (", *(f"{margin}    {part}," for part in views.values()), f"{margin}) in {name}:"]

    def read(self, lines: Iterable[str]) -> list[str]:
        """Return the names that lines read, in the order in which they were given."""
        words = set(re.findall(r"\w+", re.sub(r'"[^"\n]*"', "", "\n".join(lines))))
        return [name for name in self.names if name in words]

    def definition(self, names: list[str], sizes: list[str]) -> str:
        """Return the functions that lay out what has these names, and hand it from call to call."""
        made = [
            f"    every = listed if is_kept({', '.join(sizes)}) else zip",
            *self.lines,
            *collection("return (", names, ")", 4),
        ]
        head = f"def laid_out({', '.join([*sizes, 'dtype'])}):"
        about = '    """Return the arrays of a call, and what its loops go through."""'
        return "\n".join([HELPERS, "", head, about, *without_unused(made)])
