"""Environments of LaTeX in which formulas stand."""

from __future__ import annotations

import re

DISPLAYS = frozenset(
    # fmt: off
    ["equation", "align", "alignat", "xalignat", "flalign", "gather", "multline", "eqnarray", "displaymath", "dmath",
     "math"]
    # fmt: on
)
"""Those that are a formula of their own; a formula in ``math`` stands within a line."""

PARTS = frozenset(
    # fmt: off
    ["aligned", "alignedat", "gathered", "split", "cases", "dcases", "array", "matrix", "bmatrix", "pmatrix", "vmatrix",
     "Bmatrix", "Vmatrix"]
    # fmt: on
)
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
