"""Every error that a user can meet; each message says what, where, and what to try."""

from __future__ import annotations

from collections.abc import Iterable


class SymbpttError(ValueError):
    """Base of all errors caused by input; its text is one line a user can act on."""


class ShapeError(SymbpttError):
    """Two shapes that must agree do not."""


class RankError(SymbpttError):
    """A name whose rank (scalar, vector, matrix) cannot be settled."""


class EquationError(SymbpttError):
    """A string that is not in the equation language, or equations that contradict each other."""


class UnknownNameError(SymbpttError):
    """A cell, activation, loss, notation, example, option or parameter that does not exist."""


class ValueInputError(SymbpttError):
    """A number that is missing, not finite, of the wrong shape, or out of range."""


class SizeError(SymbpttError):
    """A number of steps or a size that is not a positive integer or a symbol."""


class ModelFileError(SymbpttError):
    """A model file that does not fit the schema; the text names file, line and key."""


class NoteError(SymbpttError):
    """A file that is no note: missing, too large, binary, not UTF-8, or of a format that is not read."""


class RefusedError(SymbpttError):
    """A result that exists but that no person could read, with its estimated size."""


class MissingToolError(SymbpttError):
    """A program or package that is not installed, with what to install."""


class OutputError(SymbpttError):
    """An output file that cannot be written."""


class SymbpttWarning(UserWarning):
    """Something that is allowed but hardly meant, such as a variable that nothing reads; its text is one line."""


def warn(message: str) -> None:
    """Give a :class:`SymbpttWarning` at the line outside the package that led to it."""
    import sys
    import warnings

    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "symbptt":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, SymbpttWarning, stacklevel=level)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known word, else the list of known words.

    >>> nearest("tahn", ["tanh", "relu"])
    "; did you mean 'tanh'?"
    >>> nearest("zzz", ["tanh", "relu"])
    '; known: relu, tanh'
    """
    import difflib

    options = sorted(set(known))
    close = difflib.get_close_matches(str(word), options, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(options)}" if options else ""
