"""The notation parser: recursive descent from tokens to a tree.

The rules stand in :mod:`.statements`, :mod:`.sums`, :mod:`.factors` and :mod:`.brackets`, each a class that builds
on the one below it, since formulas nest.
"""

from __future__ import annotations

from .macros import NO_MACROS, Macros, tokens_of
from .marks import marked
from .statements import Statements
from .tokens import NotationError
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
    try:
        return _parsed(latex, macros)
    except RecursionError:
        # The caller has used up the stack; a thread has one of its own, and that is enough for DEEPEST.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(_parsed, latex, macros).result()


def _parsed(latex: str, macros: Macros) -> Tree:
    return Statements(marked(tokens_of(latex, macros))).whole()


__all__ = ["NotationError", "parse"]
