"""Where what reads LaTeX is registered: this layer knows that there is such a thing, and nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import MissingToolError

_READERS: dict[str, Callable[..., Any]] = {}


def register(what: str, reader: Callable[..., Any]) -> None:
    """Say what reads a ``cell`` or a ``loss``; :mod:`symbptt.api` does it."""
    _READERS[what] = reader


def reader(what: str) -> Callable[..., Any]:
    """Return what reads it.

    Raises
    ------
    MissingToolError
        Where only this layer was imported.
    """
    if what not in _READERS:
        raise MissingToolError(f"nothing that reads LaTeX is loaded; take {what.capitalize()} from symbptt")
    return _READERS[what]
