"""How much memory a generated function takes: its arrays over all steps, counted from its text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Integer

ITEM = 8
"""Bytes of a float64."""

_ARRAY = re.compile(r"np\.(?:empty|zeros|full)\(\(([^()]*)\),")


def memory(source: str) -> Expr:
    """Return the bytes of the arrays of float64 over all steps that a generated text lays out.

    Parameters
    ----------
    source : str
        What it lays out, as ``np.empty((T, B, n), dtype)``.

    Returns
    -------
    sympy.Expr
        In T, B and the sizes; linear in T. Arrays of one step, and blocks of a fixed number of rows, do not count.

    Examples
    --------
    >>> memory("h = np.empty((T + 1, B, n), dtype)\\ntmp = np.empty((B, n), dtype)")
    8*B*n*(T + 1)
    """
    total: Any = Integer(0)
    for match in _ARRAY.finditer(source):
        sizes = [size.strip() for size in match[1].split(",") if size.strip()]
        if sizes and re.search(r"\bT_*\b", sizes[0]):
            total += sympy.prod(_size(size) for size in sizes)
    return ITEM * sympy.factor_terms(sympy.collect(sympy.expand(total), sympy.Symbol("T", positive=True)))


@lru_cache(maxsize=1024)
def _size(text: str) -> Any:
    names = {name: sympy.Symbol(name, positive=True) for name in re.findall(r"[A-Za-z_]\w*", text)}
    return sympy.sympify(text, locals=names)
