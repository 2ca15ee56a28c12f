"""Truncated backpropagation through time: windows, segments, and unbiased random truncation."""

from .common import Places
from .section import truncation_section
from .worked import truncated_section

__all__ = ["Places", "truncated_section", "truncation_section"]
