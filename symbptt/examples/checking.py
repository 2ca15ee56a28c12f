"""What is wrong with the data of a model file, by the table of its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import nearest
from .keys import Key
from .kinds import KINDS, number_fault, shown
from .schema import STRAY, TOP
from .schema_tables import CELL
from .writing import toml

_TOP = {key.name: key for key in TOP}


class Fault(NamedTuple):
    """What is wrong, with which key, and whether a key is missing (which another fault may explain)."""

    path: tuple[str | int, ...]
    message: str
    missing: bool = False


def faults(data: Mapping[str, Any], keys: tuple[Key, ...] = TOP, above: tuple[Any, ...] = ()) -> Iterator[Fault]:
    """Yield what does not fit the schema.

    >>> [fault.message for fault in faults({"cell": "tanh", "hiden": 3, "steps": 0})]
    ["unknown key 'hiden'; did you mean 'hidden'?", 'steps must be a positive integer or the name of a symbol, not 0']
    """
    known = {key.name: key for key in keys}
    for name, value in data.items():
        path = (*above, name)
        if name in known:
            yield from _key_faults(known[name], value, path)
        else:
            yield Fault(path, f"unknown key {_shown(path)!r}{_elsewhere(name, above) or nearest(name, known)}")
    for key in keys:
        if key.required and key.name not in data and not any(name in data for name in key.unless):
            name = _shown((*above, key.name))
            yield Fault(above, f"{name} is missing: give {toml(key.name, key.sample)}", missing=True)


def _shown(path: tuple[Any, ...]) -> str:
    """Return a path as it stands in messages: ``cell.stack.2.states``, where layers are counted from 1."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def _elsewhere(name: str, above: tuple[Any, ...]) -> str:
    """Say where a key belongs that stands in the wrong table."""
    if len(above) == 1 and name in STRAY[above[0]]:
        return f"; it stands under [{above[-1]}]: move it up, above the first [table]"
    return "; it belongs under [cell]" if not above and name in _TOP["cell"].by_name else ""


def _key_faults(key: Key, value: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    if isinstance(value, dict) and key.members:
        yield from faults(value, key.members, path)
    elif isinstance(value, dict) and key.each:
        for name, entry in value.items():
            yield from _entry_faults(key, name, entry, (*path, name))
    elif not key.kind:
        yield Fault(
            path,
            f"{_shown(path)} must be a table, such as {toml(key.name, key.sample)}, not {shown(value)}",
        )
    elif key.kind in ("cell", "cells"):
        yield from _cell_faults(key, value, path)
    elif not KINDS[key.kind].holds(value):
        yield _wrong(key.kind, value, path, " or a table" * bool(key.members or key.each))
    elif key.choices and value not in key.choices:
        yield Fault(path, f"unknown {key.name} {value!r}{nearest(value, key.choices)}")


def _cell_faults(key: Key, value: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    """Yield what is wrong with the cells that a cell is made of."""
    if not KINDS[key.kind].holds(value):
        yield _wrong(key.kind, value, path, " or a table" * (key.kind == "cell"))
        return
    entries = [((*path, i), entry) for i, entry in enumerate(value)] if isinstance(value, list) else [(path, value)]
    for where, entry in entries:
        if isinstance(entry, dict):
            yield from faults(entry, CELL, where)


def _entry_faults(key: Key, name: str, entry: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    stray = _elsewhere(name, path[:-1])
    if stray:
        yield Fault(path, f"unknown key {_shown(path)!r}{stray}")
    elif isinstance(entry, dict) and key.name in ("values", "notation"):
        inner = _shown(path[1:]) + "." + next(iter(entry), "W_h")
        yield Fault(path, f"{_shown(path)} is a table; put a key with dots in quotes: {json.dumps(inner)} = ...")
    elif not KINDS[key.each].holds(entry):
        yield _wrong(key.each, entry, path)
    elif name == "notation" and entry not in key.choices:
        yield Fault(path, f"unknown notation {entry!r}{nearest(entry, key.choices)}")


def _wrong(kind: str, value: Any, path: tuple[Any, ...], more: str = "") -> Fault:
    name = _shown(path)
    fault = number_fault(value) if kind == "numbers" and isinstance(value, list) else None
    return Fault(path, f"{name} {fault}" if fault else f"{name} must be {KINDS[kind].words}{more}, not {shown(value)}")
