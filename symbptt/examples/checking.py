"""What is wrong with the data of a model file, by the table of its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import nearest
from .schema import KINDS, STRAY, TOP, Key, number_fault, shown
from .writing import toml

_TOP = {key.name: key for key in TOP}


class Fault(NamedTuple):
    """What is wrong, with which key, and whether a key is missing (which another fault may explain)."""

    path: tuple[str, ...]
    message: str
    missing: bool = False


def faults(data: Mapping[str, Any], keys: tuple[Key, ...] = TOP, above: tuple[str, ...] = ()) -> Iterator[Fault]:
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
            yield Fault(path, f"unknown key {'.'.join(path)!r}{_elsewhere(name, above) or nearest(name, known)}")
    for key in keys:
        if key.required and key.name not in data:
            name = ".".join((*above, key.name))
            yield Fault(above, f"{name} is missing: give {toml(key.name, key.sample)}", missing=True)


def _elsewhere(name: str, above: tuple[str, ...]) -> str:
    """Say where a key belongs that stands in the wrong table."""
    if len(above) == 1 and name in STRAY[above[0]]:
        return f"; it stands under [{above[-1]}]: move it up, above the first [table]"
    return "; it belongs under [cell]" if not above and name in _TOP["cell"].by_name else ""


def _key_faults(key: Key, value: Any, path: tuple[str, ...]) -> Iterator[Fault]:
    if isinstance(value, dict) and key.members:
        yield from faults(value, key.members, path)
    elif isinstance(value, dict) and key.each:
        for name, entry in value.items():
            yield from _entry_faults(key, name, entry, (*path, name))
    elif not key.kind:
        yield Fault(path, f"{'.'.join(path)} must be a table, such as {toml(key.name, key.sample)}, not {shown(value)}")
    elif not KINDS[key.kind].holds(value):
        yield _wrong(key.kind, value, path, " or a table" * bool(key.members or key.each))
    elif key.choices and value not in key.choices:
        yield Fault(path, f"unknown {key.name} {value!r}{nearest(value, key.choices)}")


def _entry_faults(key: Key, name: str, entry: Any, path: tuple[str, ...]) -> Iterator[Fault]:
    stray = _elsewhere(name, path[:-1])
    if stray:
        yield Fault(path, f"unknown key {'.'.join(path)!r}{stray}")
    elif not KINDS[key.each].holds(entry):
        yield _wrong(key.each, entry, path)
    elif name == "notation" and entry not in key.choices:
        yield Fault(path, f"unknown notation {entry!r}{nearest(entry, key.choices)}")


def _wrong(kind: str, value: Any, path: tuple[str, ...], more: str = "") -> Fault:
    name = ".".join(path)
    fault = number_fault(value) if kind == "numbers" and isinstance(value, list) else None
    return Fault(path, f"{name} {fault}" if fault else f"{name} must be {KINDS[kind].words}{more}, not {shown(value)}")
