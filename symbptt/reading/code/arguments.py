"""What the functions of a note are called with, and which of it their gradients may be by."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from .names import is_array

Path: TypeAlias = "tuple[str, ...]"
"""Where an array is: ``("argument", "W")``, ``("self", "params", "W")``, ``("module", "W")``."""


class CannotRunError(Exception):
    """A function that cannot be checked; the key of a phrase, and what fills it."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key, self.values = key, values


@dataclass
class Scope:
    """Where arguments come from.

    Attributes
    ----------
    names : dict
        The variables of the note's code.
    given : mapping
        What the user gave, as :func:`value_of` reads it.
    sizes : mapping
        Numbers that the user gave for the whole note; they come last.
    seed : int
    made : dict
        What was made of ``given``.
    """

    names: dict[str, Any]
    given: Mapping[str, Any]
    sizes: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    made: dict[str, Any] = field(default_factory=dict)

    def value_of(self, spec: Mapping[str, Any]) -> Any:
        """Return what ``{"shape": [...]}``, ``{"value": ...}`` or ``{"name": ...}`` stands for.

        >>> Scope({}, {}, {"n": 2.0}).value_of({"shape": ["n", 3]}).shape
        (2, 3)
        """
        if "shape" in spec:
            self.seed += 1
            return 0.5 * np.random.default_rng(self.seed).standard_normal([self._size(s) for s in spec["shape"]])
        if "name" in spec:
            if spec["name"] not in self.names:
                raise CannotRunError("check.code.no-variable", name=spec["name"])
            return self.names[spec["name"]]
        value = spec["value"]
        return np.array(value) if isinstance(value, list) else value

    def _size(self, size: int | str) -> int:
        if isinstance(size, int):
            return size
        for source in (self.given.get(size, {}).get("value"), self.sizes.get(size), self.names.get(size)):
            if isinstance(source, int | float) and source == int(source) > 0:
                return int(source)
        raise CannotRunError("check.code.no-size", name=size)

    def find(self, parameter: inspect.Parameter, known: Mapping[str, Any]) -> tuple[bool, Any]:
        """Return whether there is a value for a parameter, and the value."""
        name = parameter.name
        if name in known:
            return True, known[name]
        if name in self.given:
            if name not in self.made:  # every function is called with the same
                self.made[name] = self.value_of(self.given[name])
            return True, self.made[name]
        if parameter.default is not inspect.Parameter.empty:
            return True, parameter.default
        if name in self.names and not isinstance(self.names[name], ModuleType) and not callable(self.names[name]):
            return True, self.names[name]
        if name in self.sizes:
            number = self.sizes[name]
            return True, int(number) if number == int(number) else number
        return False, None

    def arguments(self, function: Any, known: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[str]]:
        """Return the arguments of a function by name, and the names of those that there are none for."""
        found: dict[str, Any] = {}
        missing = []
        for parameter in parameters_of(function):
            there, value = self.find(parameter, known or {})
            if there:
                found[parameter.name] = value
            else:
                missing.append(parameter.name)
        return found, missing


def parameters_of(function: Any) -> list[inspect.Parameter]:
    """Return the parameters of a function that can be given one by one."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def call(function: Any, arguments: Mapping[str, Any]) -> Any:
    """Call a function with arguments by name, those that can only be given by their place first."""
    places = [arguments[p.name] for p in parameters_of(function) if p.kind is p.POSITIONAL_ONLY]
    rest = {p.name: arguments[p.name] for p in parameters_of(function) if p.kind is not p.POSITIONAL_ONLY}
    return function(*places, **rest)


# -- leaves ----------------------------------------------------------------------------------------------------
def leaves(arguments: Mapping[str, Any], instance: Any, names: Mapping[str, Any]) -> dict[str, Path]:
    """Return name -> place of every array of floats that a function can see; the nearest of a name counts.

    >>> leaves({"p": {"W": 1.0}, "x": 2.0}, None, {"b": 3.0, "x": 4.0, "_c": 5.0})
    {'W': ('argument', 'p', 'W'), 'x': ('argument', 'x'), 'b': ('module', 'b')}
    """
    found: dict[str, Path] = {}
    for where, holder in (("argument", arguments), ("self", vars(instance) if instance is not None else {}),
                          ("module", names)):  # fmt: skip
        for name, value in holder.items():
            if name.startswith("_"):
                continue
            if _is_leaf(value):
                found.setdefault(name, (where, name))
            elif isinstance(value, dict):
                for key, part in value.items():
                    if isinstance(key, str) and _is_leaf(part):
                        found.setdefault(key, (where, name, key))
            elif isinstance(value, list | tuple) and where != "module" and any(map(_is_leaf, value)):
                for i, part in enumerate(value):
                    if is_array(part):
                        found.setdefault(f"[{i}]" if len(arguments) == 1 else f"{name}[{i}]", (where, name, str(i)))
    return found


def _is_leaf(value: Any) -> bool:
    return is_array(value) and np.size(value) > 0 and bool(np.isfinite(value).all())


def get(path: Path, roots: Mapping[str, Any]) -> Any:
    """Return what is at a place."""
    found = roots[path[0]]
    for key in path[1:]:
        found = found[int(key)] if isinstance(found, list | tuple) else found[key]
    return found


def put(path: Path, roots: Mapping[str, Any], value: Any) -> None:
    """Lay a value at a place: into the array that is there, since others may hold it too."""
    old = get(path, roots)
    if isinstance(old, np.ndarray) and old.flags.writeable and old.dtype == np.asarray(value).dtype:
        old[...] = value
        return
    holder = get(path[:-1], roots)
    value = float(value) if isinstance(old, float) else value
    if isinstance(holder, tuple):
        changed = list(holder)
        changed[int(path[-1])] = value
        put_whole(path[:-1], roots, tuple(changed))
    else:
        holder[int(path[-1]) if isinstance(holder, list) else path[-1]] = value


def put_whole(path: Path, roots: Mapping[str, Any], value: Any) -> None:
    """Replace what is at a place."""
    get(path[:-1], roots)[path[-1]] = value
