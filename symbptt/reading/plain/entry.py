"""The one entry: through latex2sympy2 where it can be, and by our own conversion otherwise."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ...errors import warn
from ..notation.tree import Tree
from . import latex2sympy
from .conversion import whole
from .recognition import recognised

_NOTICE = threading.Lock()
_noticed = False


def plain(tree: Tree, symbols: Mapping[str, Any] | None = None, *, log: str | None = "e") -> Any:
    r"""Convert plain algebra to SymPy, through latex2sympy2 where the extra ``latex`` is installed.

    What latex2sympy2 is not trusted with, and everything where it is not installed, is converted by
    :func:`.to_sympy`; that it is not installed is said once, by a :class:`~symbptt.errors.SymbpttWarning`.

    Parameters
    ----------
    tree, symbols, log
        As for :func:`.to_sympy`.

    Returns
    -------
    sympy.Expr

    Raises
    ------
    NotPlainError
        For anything that is not recognised as plain algebra.
    TooLargeError
        For arithmetic that is too large.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> plain(parse(r"(1 - \alpha) h_{t-1} + 0.5 \tanh(z_t)"))
    h_{t-1}*(1 - \alpha) + tanh(z_{t})/2
    """
    part = recognised(tree, symbols or (), log=log)
    # Ours first: it refuses what must not be worked out at all.
    own = whole(part, symbols)
    if latex2sympy.missing():
        _notice(latex2sympy.missing())
        return own
    try:
        return latex2sympy.convert(part, symbols)
    except latex2sympy.NotConvertedError:
        return own


def _notice(reason: str) -> None:
    global _noticed
    with _NOTICE:
        said, _noticed = _noticed, True
    if not said:
        warn(f"{reason}: formulas are read by symbptt's own conversion; pip install 'symbptt[latex]' adds the other")
