"""What a model is made from, checked, and how it is written out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Basic, srepr

from ..algebra import size
from ..derive.remedies import Remedies
from ..errors import UnknownNameError, nearest
from ..model import LOSSES, Loss, System
from ..model.language import bare
from ..model.values import freeze


def check_notation(system: System, notation: Mapping[str, str]) -> None:
    """Refuse a key that the model has no name for."""
    keys = [*system.variables, *system.parameters]
    known = [
        *keys,
        *map(bare, keys),
        "L",
        "l",
        "t",
        "T",
        "n",
        "m",
        "q",
        "y",
        "a",
        "target",
        "notation",
    ]
    for key in notation:
        if key not in known and not key.endswith("()"):
            raise UnknownNameError(f"notation for {key!r}: the model has no such name{nearest(key, known)}")


def settings_of(given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: (int if k == "seed" else float)(v) for k, v in given.items() if k != "before"}


def check_remedies(given: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    known = ("clip", "rate", "seed", "before")
    for key in given:
        if key not in known:
            raise UnknownNameError(f"remedies: unknown key {key!r}{nearest(key, known)}")
    Remedies(**settings_of(given))
    return tuple(freeze(given))


def named_loss(given: Loss) -> str | Loss:
    """Return the name of a loss of the catalogue, and any other as it is."""
    return given.name if LOSSES.get(given.name) == given else given


def bare_number(value: Any) -> Any:
    return int(value) if getattr(value, "is_Integer", False) else str(value)


def pasted(value: Any) -> str:
    if isinstance(value, Basic):
        short = bare_number(value)
        return repr(short) if isinstance(short, int) or value == size(short) else srepr(value)
    return repr(value)


def thawed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: thawed(v) for k, v in value.items()}
    return [thawed(v) for v in value] if isinstance(value, tuple) else value
