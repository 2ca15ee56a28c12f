"""Python names for the quantities of a model, each used once."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

from .functions import TABLE
from .terms import HELPERS

RESERVED = frozenset(
    {
        *keyword.kwlist, *dir(builtins), *HELPERS, *(name for s in TABLE.values() for name, _ in s.helpers),
        "np", "NamedTuple", "Result", "PARAMETERS", "GRADIENTS", "bptt", "gradient_check", "sum_to", "unbatch",
        "params", "wrt", "batched", "dtype", "grads", "loss", "states", "outputs", "adjoints", "steps", "lead", "t",
        "key", "part", "rng", "out", "worst", "array", "where", "kept", "sides", "step", "slope",
    }
)  # fmt: skip
"""Names that the module uses for itself."""


def identifier(name: str) -> str:
    """Return a name as Python can write it: the layer and the direction that it begins with come last.

    >>> identifier("1.forward.W_h"), identifier("h")
    ('W_h_1_forward', 'h')
    """
    prefix, _, last = name.rpartition(".")
    return "_".join([last, *filter(None, prefix.split("."))])


class Allocator:
    """Gives names, adding underscores to what is taken.

    >>> names = Allocator()
    >>> names("h", "h"), names("other h", "h"), names("h")
    ('h', 'h_', 'h')
    """

    def __init__(self, reserved: Iterable[str] = RESERVED) -> None:
        self.taken = set(reserved)
        self.given: dict[str, str] = {}

    def __call__(self, what: str, wish: str = "") -> str:
        """Return the name of a quantity; the first time, as much like the wish as is free."""
        if what not in self.given:
            name = re.sub(r"\W", "_", wish or what)
            name = f"_{name}" if name[:1].isdigit() else name
            while name in self.taken:
                name += "_"
            self.taken.add(name)
            self.given[what] = name
        return self.given[what]
