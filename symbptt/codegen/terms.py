"""Pieces of Python with how tightly they bind, and the functions of arrays that a module may define."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .functions import LOG_SIGMOID, LOG_SOFTMAX, SOFTMAX

SUM, PRODUCT, UNARY, POWER, ATOM = range(5)


@dataclass(frozen=True)
class Term:
    """A piece of Python: how tightly it binds, the rank of its value, and whether that varies and is complete.

    ``full`` is false for a number that stands for a whole array and is broadcast.
    """

    text: str
    level: int
    rank: int
    varies: bool
    full: bool = True

    def at_least(self, level: int) -> str:
        """Return the text, in brackets where it binds less tightly."""
        return f"({self.text})" if self.level < level else self.text


HELPERS: dict[str, str] = {
    "matvec": '''def matvec(A, v):
    """Return A v for stacks of matrices and vectors."""
    return (A @ v[..., None])[..., 0]
''',
    "outer": '''def outer(u, v):
    """Return u v^T for stacks of vectors."""
    return u[..., :, None] * v[..., None, :]
''',
    "rows": '''def rows(v):
    """Return a stack of vectors as the rows of one matrix."""
    return v.reshape(-1, v.shape[-1])
''',
    "pick": '''def pick(v, classes):
    """Return the entry of each vector of a stack that its class names."""
    picked = rows(v)[np.arange(classes.size), classes.ravel()]
    return picked.reshape(classes.shape)
''',
    "concat": '''def concat(*parts, axis):
    """Return parts joined along an axis, with all leading axes broadcast."""
    lead = np.broadcast_shapes(*(part.shape[:axis] for part in parts))
    whole = [np.broadcast_to(part, lead + part.shape[axis:]) for part in parts]
    return np.concatenate(whole, axis)
''',
    "max_indicator": '''def max_indicator(v, axes):
    """Return 1 at the first largest entry of each vector (axes=1) or matrix (axes=2), and 0 elsewhere."""
    flat = v.reshape(*v.shape[: v.ndim - axes], -1)
    hit = np.arange(flat.shape[-1]) == flat.argmax(-1)[..., None]
    return hit.reshape(v.shape).astype(v.dtype)
''',
    **dict((SOFTMAX, LOG_SOFTMAX, LOG_SIGMOID)),
}
"""Functions of arrays that a module may need."""


def rational(value: Any) -> Term:
    """Return a rational number: an integer, a short decimal, or a quotient."""
    if value < 0:
        return Term(f"-{rational(-value).at_least(PRODUCT)}", UNARY if value.is_Integer else PRODUCT, 0, False)
    if value.is_Integer:
        return Term(str(value), ATOM, 0, False)
    decimal = repr(float(value))
    if len(decimal) <= 6:
        return Term(decimal, ATOM, 0, False)
    return Term(f"{value.p} / {value.q}", PRODUCT, 0, False)


def minus(term: Term) -> Term:
    """Return -x."""
    return replace(term, text=f"-{term.at_least(PRODUCT)}", level=min(max(term.level, PRODUCT), UNARY))


def raised(base: Term, exponent: Term) -> Term:
    """Return base ** exponent, spaced as black does."""
    left, right = base.at_least(ATOM), exponent.at_least(UNARY)
    simple = all(re.fullmatch(r"-?[\w.]+", text) for text in (left, right))
    return replace(base, text=f"{left}**{right}" if simple else f"{left} ** {right}", level=POWER)


def signed(first: str, rest: Sequence[Term | str]) -> str:
    """Return a sum; a term that starts with a minus sign is subtracted."""
    text = first
    for term in rest:
        piece = term if isinstance(term, str) else term.at_least(SUM)
        text += f" - {piece[1:]}" if piece.startswith("-") else f" + {piece}"
    return text
