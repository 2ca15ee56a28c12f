"""From a derivation to readable NumPy source, to a callable."""

from .bptt import Bptt, Result, compile_network
from .emit import emit

__all__ = ["Bptt", "Result", "compile_network", "emit"]
