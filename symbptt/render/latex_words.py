"""Words and the formulas between them as LaTeX."""

from __future__ import annotations

import re

from ..algebra.tex import GREEK, SIGNS, escape, to_tex
from .blocks import Inline, Math

_MATHEMATICAL = {**SIGNS, **GREEK, "<": "<", ">": ">", "|": "\\vert"}
_SIGN = re.compile("([" + re.escape("".join(set(_MATHEMATICAL) - set("\u2026\u00b7'\u2032\u2061\u2062"))) + "])")


def inline(words: tuple[Inline, ...]) -> str:
    """Return words and formulas as one line of LaTeX."""
    return "".join(f"${to_tex(w.item)}$" if isinstance(w, Math) else text_tex(w) for w in words)


def text_tex(text: str) -> str:
    r"""Return words for LaTeX's text mode: specials escaped, mathematical signs as formulas.

    >>> print(text_tex("50% \u2248 \u03b1_1"))
    50\% $\approx$ $\alpha$\_1
    """
    pieces = enumerate(_SIGN.split(" ".join(text.split("\n"))))
    return "".join(f"${_MATHEMATICAL[piece]}$" if i % 2 else escape(piece) for i, piece in pieces)
