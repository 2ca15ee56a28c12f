"""From a file or a text to a note: its formulas with their places, its passages, its macros, its code.

Nothing is rendered, fetched or executed, and the time is proportional to the length of the text.
"""

from .files import LIMIT, SUFFIXES, note_of, read_note

__all__ = ["LIMIT", "SUFFIXES", "note_of", "read_note"]
