"""symbptt: backpropagation through time, derived, written out, computed and proved.

>>> from symbptt import RNN
>>> model = RNN(cell="tanh", hidden=4, inputs=3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "RNN": "api",
    "Cell": "api",
    "Loss": "api",
    "Elman": "api",
    "Stack": "api",
    "Bidirectional": "api",
    "Derivation": "api",
    "load": "api",
    "SymbpttError": "errors",
}

__all__ = [
    "RNN", "Bidirectional", "Cell", "Derivation", "Elman", "Loss", "Stack", "SymbpttError", "__version__", "load",
]  # fmt: skip

if TYPE_CHECKING:
    from .api import RNN, Bidirectional, Cell, Derivation, Elman, Loss, Stack, load
    from .errors import SymbpttError


def __getattr__(name: str) -> Any:
    """Import the public names only when they are used: ``import symbptt`` does not import SymPy."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'symbptt' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
