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
    "Bidirectional": "model",
    "DeltaRule": "model",
    "Elman": "model",
    "GRU": "model",
    "IndRNN": "model",
    "LSTM": "model",
    "LayerNorm": "model",
    "Leaky": "model",
    "LinearAttention": "model",
    "MGU": "model",
    "Residual": "model",
    "Stack": "model",
    "StateSpace": "model",
    "Randomised": "api",
    "Segments": "api",
    "Window": "api",
    "CompareReport": "api.bptt",
    "Derivation": "api",
    "GradientReport": "api",
    "NoteReport": "api",
    "check_gradients": "api",
    "check_notes": "api",
    "load": "api",
    "params_from_torch": "torch_params",
    "SymbpttError": "errors",
    "SymbpttWarning": "errors",
}

__all__ = [
    "GRU",
    "LSTM",
    "MGU",
    "RNN",
    "Bidirectional",
    "Cell",
    "CompareReport",
    "DeltaRule",
    "Derivation",
    "Elman",
    "GradientReport",
    "IndRNN",
    "LayerNorm",
    "Leaky",
    "LinearAttention",
    "Loss",
    "NoteReport",
    "Randomised",
    "Residual",
    "Segments",
    "Stack",
    "StateSpace",
    "SymbpttError",
    "SymbpttWarning",
    "Window",
    "__version__",
    "check_gradients",
    "check_notes",
    "load",
    "params_from_torch",
]

if TYPE_CHECKING:
    from .api import (
        RNN,
        Cell,
        Derivation,
        GradientReport,
        Loss,
        NoteReport,
        Randomised,
        Segments,
        Window,
        check_gradients,
        check_notes,
        load,
    )  # fmt: skip
    from .api.bptt import CompareReport
    from .errors import SymbpttError, SymbpttWarning
    from .model import (
        GRU,
        LSTM,
        MGU,
        Bidirectional,
        DeltaRule,
        Elman,
        IndRNN,
        LayerNorm,
        Leaky,
        LinearAttention,
        Residual,
        Stack,
        StateSpace,
    )  # fmt: skip
    from .torch_params import params_from_torch


def __getattr__(name: str) -> Any:
    """Import the public names only when they are used: ``import symbptt`` does not import SymPy."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'symbptt' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
