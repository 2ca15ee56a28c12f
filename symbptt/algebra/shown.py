"""Equations as one formula that a notebook shows: no words, so that every layer may use it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .names import Names
from .present import present
from .tex import to_tex

MOST = 60
"""Of more equations the first and the last are shown."""


def formula(rows: Iterable[tuple[Any, ...]], names: Names | None = None) -> str:
    r"""Return equations below each other as ``_repr_latex_`` gives a formula: ``$\displaystyle ...$``.

    Parameters
    ----------
    rows : iterable of (left, right, ...)
        Each is ``left = right = ...``; an empty one stands for those that are left out.
    names : Names, optional
        How names are written; by their keys where it is missing.

    Examples
    --------
    >>> from symbptt.algebra import Variable
    >>> h, z = Variable("h"), Variable("z")
    >>> print(formula([(h[1], z[1])]))
    $\displaystyle h_1 = z_1$
    >>> print(formula([(h[1], z[1]), (h[2], z[2])]))
    $\displaystyle \begin{aligned}
    h_1 &= z_1 \\
    h_2 &= z_2
    \end{aligned}$
    """
    used = names or Names()
    sides = [[to_tex(present(side, used)) for side in row] for row in _ends(list(rows))]
    if len(sides) == 1:
        return f"$\\displaystyle {' = '.join(sides[0])}$"
    lines = [f"{row[0]} &= {' = '.join(row[1:])}" if row else "&\\vdots" for row in sides]
    body = " \\\\\n".join(lines)
    return f"$\\displaystyle \\begin{{aligned}}\n{body}\n\\end{{aligned}}$"


def _ends(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows, or of many the first and the last with an empty one between."""
    return rows if len(rows) <= MOST else [*rows[: MOST // 2], (), *rows[-MOST // 2 :]]
