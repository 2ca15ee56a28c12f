"""Environments of LaTeX in which formulas stand."""

from __future__ import annotations

import re

_ALIGNED = frozenset(["align", "alignat", "xalignat", "flalign", "gather", "multline", "eqnarray"])
_MATRICES = frozenset(["matrix", "bmatrix", "pmatrix", "vmatrix", "Bmatrix", "Vmatrix"])

DISPLAYS = _ALIGNED | frozenset(["equation", "displaymath", "dmath", "math"])
"""Those that are a formula of their own; a formula in ``math`` stands within a line."""

PARTS = _MATRICES | frozenset(["aligned", "alignedat", "gathered", "split", "cases", "dcases", "array"])
"""Those that belong into a formula, but are found alone in Markdown: they stay in the LaTeX of the formula."""

BEGIN = r"\\begin\{([A-Za-z]+)\*?\}"
"""The beginning of an environment, starred or not, as a pattern."""

_ARGUMENT = re.compile(r"\s{0,9}\{\d+\}")


def edges(name: str) -> str:
    """Return the pattern of where an environment begins or ends."""
    return rf"\\(?:begin|end)\{{{name}\*?\}}"


def body_of(text: str, name: str, content: int) -> int:
    r"""Return where the formula of an environment begins: behind the number of columns of ``alignat``.

    >>> body_of(r"\begin{alignat}{2}a&=b", "alignat", 15)
    18
    """
    if name in ("alignat", "xalignat") and (argument := _ARGUMENT.match(text, content)):
        return argument.end()
    return content
