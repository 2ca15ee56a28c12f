"""The numbers of an instance, under the names that a note writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from ..meaning.expr import Ref
from ..value.world import World
from .statements import Statement

MOST = 16
"""How many numbers are worth showing."""


def as_written(found: Iterable[Statement]) -> dict[str, str]:
    """Return key -> LaTeX, as the note first writes it; of a variable over time with ``{step}`` for its step."""
    names: dict[str, str] = {}
    for statement in found:
        for operand in statement.operands:
            for part in operand.walk():
                if isinstance(part, Ref) and part.key not in names:
                    latex = statement.source(part)
                    if part.when is not None:
                        latex, count = re.subn(r"_(\{[^{}]*\}|[A-Za-z0-9])$", "_{step}", latex)
                        if not count:
                            continue
                    names[part.key] = latex
    return names


def given_numbers(world: World, names: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
    """Return what the forward pass of an instance of numbers starts from, as (LaTeX, number)."""
    instance = world.instance
    if instance is None or not instance.system.scalar:
        return ()
    found: list[tuple[str, float]] = []
    for key, name in world.meanings.parameters.items():
        if key in names and (name, None) in instance.given:
            found.append((names[key], _number(instance.given[name, None])))
    for key, name in world.meanings.variables.items():
        if key in names:
            steps = sorted(step for n, step in instance.given if n == name and step is not None)
            steps = steps if "{step}" in names[key] else steps[-1:]
            found += [(names[key].replace("{step}", f"{step}"), _number(instance.given[name, step])) for step in steps]
    return tuple(found) if len(found) <= MOST else ()


def _number(value: object) -> float:
    return float(np.real(np.asarray(value)).ravel()[0])
