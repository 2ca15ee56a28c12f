"""From notation trees to expressions, with the symbols of a note at hand."""

from __future__ import annotations

from ..notation.tree import Tree
from .elaboration import (  # noqa: F401 - they register their rules
    brackets,
    derivatives,
    leaves,
    over_indices,
    products,
)
from .elaboration.rules import Elaboration, FailedError
from .expr import Expr, Unknown
from .symbols import Symbols


def elaborate(tree: Tree, symbols: Symbols, bound: frozenset[str] = frozenset()) -> Expr:
    r"""Return the expression that a tree stands for.

    Parameters
    ----------
    tree : Tree
        One operand of a chain; no relations.
    symbols : Symbols
    bound : frozenset of str
        Index letters of sums around it.

    Returns
    -------
    Expr
        :class:`Unknown` where it has no meaning, with the reason.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> from symbptt.reading.meaning.symbols import find_symbols
    >>> tree = parse(r"f(W_h h_{t-1})")
    >>> elaborate(tree, find_symbols([tree])).arguments[0].factors
    (Ref(key='W_h', when=None), Ref(key='h', when=t-1))
    """
    try:
        return Elaboration(symbols).expr(tree, bound)
    except FailedError as failed:
        return Unknown(failed.key, failed.text, tree=failed.tree)
    except RecursionError:
        return Unknown("check.reason.too-large", tree=tree)
