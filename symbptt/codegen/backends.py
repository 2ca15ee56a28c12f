"""The libraries that code is generated for, by name."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import UnknownNameError, nearest
from ..model import Network
from ..model.truncation import Truncation
from .bptt import Bptt, compile_network
from .jax.bptt import compile_jax

BACKENDS: dict[str, Callable[[Network, Truncation | None], Bptt]] = {"numpy": compile_network, "jax": compile_jax}
"""Name -> what makes the function."""


def compile_for(backend: str, network: Network, truncate: Truncation | None = None) -> Bptt:
    """Return the generated function of a network, exact or truncated.

    Raises
    ------
    UnknownNameError
        For a backend that does not exist.
    """
    if backend not in BACKENDS:
        raise UnknownNameError(f"unknown backend {backend!r}{nearest(str(backend), BACKENDS)}")
    return BACKENDS[backend](network, truncate)
