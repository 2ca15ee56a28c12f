"""The layout of columns on a page where vectors are rows."""

from __future__ import annotations

from typing import Any

from . import nodes as N
from .base import is_vector
from .build import expand_transpose
from .layout import ATOM, HADAMARD, PRODUCT, Grid, Ident, Operator, row
from .leaves import Fill
from .names import Names
from .present_rules import Signed, as_rows, present, raised, signed, wrapped


@as_rows(N.Transposed)
def _vector(e: Any, names: Names) -> Signed | None:
    """v^T is v; parts that stand on top of each other stand beside each other."""
    vector = e.args[0]
    if not is_vector(vector):
        return None
    if isinstance(vector, N.Concat):
        return False, Grid((tuple(present(a, names) for a in vector.args),)), ATOM
    return signed(vector, names)


@as_rows(N.MatrixProduct)
def _product(e: Any, names: Names) -> Signed | None:
    """A v is v A^T."""
    return signed(expand_transpose(e), names) if is_vector(e) else None


@as_rows(N.Outer)
def _outer(e: Any, names: Names) -> Signed | None:
    """u v^T is u^T v; ones stand for a column everywhere."""
    u, v = e.args
    if isinstance(u, Fill) and isinstance(v, Fill):
        return None
    return False, row(raised(u, Operator("⊤", "plain"), names), wrapped(v, PRODUCT, names)), PRODUCT


@as_rows(N.Inner)
def _inner(e: Any, names: Names) -> Signed | None:
    """u^T v is u v^T."""
    u, v = e.args
    return False, row(wrapped(u, PRODUCT, names), raised(v, Operator("⊤", "plain"), names)), HADAMARD


@as_rows(N.EntrySum)
def _sum(e: Any, names: Names) -> Signed | None:
    """1^T v is v 1."""
    x = e.args[0]
    return (False, row(wrapped(x, PRODUCT, names), Ident("1", "bold")), HADAMARD) if is_vector(x) else None
