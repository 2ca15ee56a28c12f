"""The notation parser: recursive descent from tokens to a tree.

The rules stand in :mod:`.statements`, :mod:`.sums`, :mod:`.factors` and :mod:`.brackets`, each a class that builds
on the one below it, since formulas nest.
"""

from __future__ import annotations

from .macros import NO_MACROS, Macros, tokens_of
from .marks import marked
from .statements import Statements
from .tokens import NotationError, Token
from .tree import Tree


def parse(latex: str, macros: Macros = NO_MACROS) -> Tree:
    r"""Return the tree of a formula.

    Parameters
    ----------
    latex : str
        Without delimiters.
    macros : mapping
        What ``\newcommand`` defined.

    Raises
    ------
    NotationError
        With the place, where something is not understood.

    Examples
    --------
    >>> parse(r"h_t = f(z_t)").operands[0]
    Script(base=Name(name='h', style=''), sub=Name(name='t', style=''), sup=None, primes=0)
    """
    tokens = marked(tokens_of(latex, macros))
    try:
        return Statements(list(tokens)).whole()
    except RecursionError:
        return _with_room(tokens)


def _with_room(tokens: list[Token]) -> Tree:
    """Read in a thread of its own, whose stack is empty, where the caller has used up the stack."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: Statements(tokens).whole()).result()


__all__ = ["NotationError", "parse"]
