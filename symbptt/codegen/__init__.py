"""From a derivation to readable NumPy source, to a callable."""

from .backends import BACKENDS, compile_for
from .bptt import Bptt, Result, compile_network
from .emit import emit

__all__ = ["BACKENDS", "Bptt", "Result", "compile_for", "compile_network", "emit"]
