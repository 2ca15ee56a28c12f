"""The value of an expression in a world, with the rules of all kinds of expressions."""

from . import arithmetic, calls, derivatives, grids, leaves, over_indices  # noqa: F401 - they register their rules
from .rules import value

__all__ = ["value"]
