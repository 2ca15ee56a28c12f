"""Notes checked: their models found, every claim put to the test, and the likely mistake of what fails."""

from .note import check_note

__all__ = ["check_note"]
