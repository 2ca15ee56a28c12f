"""Plain algebra: arithmetic over numbers and names, converted to SymPy exactly and in bounded time.

:func:`plain` converts through latex2sympy2 where the extra ``latex`` is installed, and by our own conversion
(:func:`to_sympy`) elsewhere; both give the same values. :func:`number_of`, :func:`digits_of` and :func:`agrees` judge
figures by the digits that they are written with.
"""

from .arithmetic import number_of
from .conversion import to_matrix, to_sympy
from .entry import plain
from .figures import Digits, agrees, digits_of
from .names import name_of
from .parts import NotPlainError, TooLargeError
from .recognition import recognised

__all__ = [
    "Digits",
    "NotPlainError",
    "TooLargeError",
    "agrees",
    "digits_of",
    "name_of",
    "number_of",
    "plain",
    "recognised",
    "to_matrix",
    "to_sympy",
]
