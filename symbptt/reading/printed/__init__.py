"""Formulas that the package prints itself, read back: the symbols of a model in a notation, and their values."""

from .formulas import Printed, operands_of
from .same import same

__all__ = ["Printed", "operands_of", "same"]
