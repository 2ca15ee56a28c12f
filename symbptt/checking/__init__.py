"""Gradients that somebody else wrote, compared with differences of the loss; needs NumPy and nothing of the model."""

from .check import check_gradients
from .result import Checked, Comparison

__all__ = ["Checked", "Comparison", "check_gradients"]
