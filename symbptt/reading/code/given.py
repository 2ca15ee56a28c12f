"""What a user says about functions to run: their names, and what they are called with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

from ...errors import ValueInputError

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)?")
_PAIR = re.compile(rf"{_NAME.pattern}(?::{_NAME.pattern})?")
_SHAPE = re.compile(r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*,?)?\s*\)")
_LARGEST = 1_000_000


def read_names(names: Iterable[str]) -> list[str]:
    """Return the names of functions.

    >>> read_names(["f", "RNN.forward:RNN.backward"])
    ['f', 'RNN.forward:RNN.backward']

    Raises
    ------
    ValueInputError
        For what cannot be the name of a function.
    """
    found = [names] if isinstance(names, str) else list(names)
    for name in found:
        if not isinstance(name, str) or not _PAIR.fullmatch(name):
            raise ValueInputError(f"--run-code {name}: write f, Class.method or FORWARD:BACKWARD")
    return found


def specs(arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what arguments are, in a form that can be handed to another process.

    >>> specs({"x": "(2, n)", "n": 3, "y": "[0, 1]", "W": "U"})
    {'x': {'shape': [2, 'n']}, 'n': {'value': 3}, 'y': {'value': [0, 1]}, 'W': {'name': 'U'}}

    Raises
    ------
    ValueInputError
        For what is no number, list, shape or name.
    """
    return {name: _spec(name, value) for name, value in arguments.items()}


def _spec(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, tuple):
        value = f"({','.join(map(str, value))},)"
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | int | float):
        return {"value": value}
    text = str(value).strip()
    if _SHAPE.fullmatch(text):
        sizes = [int(s) if s.isdigit() else s for s in re.findall(r"\w+", text)]
        numbers = [s for s in sizes if isinstance(s, int)]
        if not all(numbers) or prod(numbers) > _LARGEST:
            raise ValueInputError(f"--with {name}={text}: a shape of positive sizes, with at most {_LARGEST:,} entries")
        return {"shape": sizes}
    if _NAME.fullmatch(text) and text not in ("NaN", "Infinity", "true", "false", "null"):
        return {"name": text}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list | int | float) or isinstance(found, bool):
        hint = "(2,3) for random numbers of a shape, a number, a list, or a variable of the note"
        raise ValueInputError(f"--with {name}={text}: give {hint}")
    return {"value": found}
