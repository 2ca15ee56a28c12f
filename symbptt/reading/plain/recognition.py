"""Which trees are plain algebra, and what they say; anything that could be something else is refused."""

from __future__ import annotations

from collections.abc import Container

from ..notation.tree import Tree
from . import (  # noqa: F401 - they register their rules
    recognition_names,
    recognition_powers,
    recognition_products,
    recognition_sums,
)
from .parts import Part
from .recognition_rules import Recogniser

LONGEST_SUM = 64
"""How many terms of a sum, or factors of a product, are written out."""


def recognised(
    tree: Tree, names: Container[str] = (), *, log: str | None = "e", written_out: int = LONGEST_SUM
) -> Part:
    r"""Return the plain algebra that a tree is.

    A name stands for a number: whether ``W h`` is a product of matrices cannot be seen, and is the caller's to know.

    Parameters
    ----------
    tree : Tree
        From :func:`symbptt.reading.notation.parse`.
    names : container of str
        Names, as :func:`.name_of` prints them, that are known to stand for a number: one before a bracket is then a
        factor, a bold one no vector, and ``e`` no constant.
    log : str or None
        The base of ``\log`` without one: "e", a whole number such as "10", or None, which refuses it.
    written_out : int
        How many terms of a sum are written out; a longer one becomes a :class:`.Series`.

    Raises
    ------
    NotPlainError
        For anything else, with its place.
    TooLargeError
        Where the sums in it have too many terms.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> recognised(parse(r"2 w_1 - \tanh(z)")).terms[0]
    Mul(factors=(Num(value=Fraction(2, 1)), Sym(name='w_{1}')))
    >>> recognised(parse("f(x)"))
    Traceback (most recent call last):
    ...
    symbptt.reading.plain.parts.NotPlainError: not plain algebra at 0: a name before a bracket, which may be a function or a factor
    """  # noqa: E501
    return Recogniser(names, log, written_out).part(tree)
