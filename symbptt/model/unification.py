"""Shapes of which not everything is known yet, and what makes two of them equal."""

from __future__ import annotations

import ast
from typing import NoReturn, TypeAlias

import sympy
from sympy import Expr

from ..errors import ShapeError
from .language import Parsed

Shape: TypeAlias = tuple[Expr, ...]
"""``()`` of a scalar, ``(rows,)`` of a vector, ``(rows, columns)`` of a matrix."""
ONE = sympy.S.One


class Size:
    """A size that may be known, or equal to another one."""

    def __init__(self, value: Expr | None = None) -> None:
        self.value, self.link = value, None  # type: tuple[Expr | None, Size | None]

    def root(self) -> Size:
        return self if self.link is None else self.link.root()

    @property
    def known(self) -> Expr | None:
        return self.root().value


class Kind:
    """A shape that may be known: its rank and, for arrays, its rows and columns."""

    def __init__(self, rank: int | None = None, rows: Size | None = None, columns: Size | None = None) -> None:
        self.rank = rank
        self.rows, self.columns = rows or Size(), columns or Size()
        self.link: Kind | None = None

    def root(self) -> Kind:
        return self if self.link is None else self.link.root()

    def become(self, rank: int) -> None:
        """Take a rank; of a vector one column is known."""
        self.rank = rank
        if rank == 1:
            self.columns.root().value = ONE

    def show(self) -> str:
        """Return it as it stands in a message."""
        kind = self.root()
        if kind.rank == 0:
            return "scalar"
        rows, columns = (str(s.known) if s.known is not None else "?" for s in (kind.rows, kind.columns))
        return f"({rows})" if kind.rank == 1 else f"({rows} x {columns})" if kind.rank == 2 else "?"


def vector(rows: Size | None = None) -> Kind:
    """Return the kind of a vector, with so many rows if that is known."""
    return Kind(1, rows, Size(ONE))


def of_shape(shape: Shape) -> Kind:
    """Return the kind that has a shape."""
    if len(shape) == 0:
        return Kind(0)
    rows = Size(shape[0])
    return vector(rows) if len(shape) == 1 else Kind(2, rows, Size(shape[1]))


def equal(p: Parsed, tree: ast.AST, a: Kind, b: Kind, sign: str) -> None:
    """Make two kinds one, with what is known of either.

    Raises
    ------
    ShapeError
        Naming the equation, the part of it and both shapes, where they do not fit.
    """
    a, b = a.root(), b.root()
    if a is b:
        return
    if a.rank is not None and b.rank is not None and a.rank != b.rank:
        clash(p, tree, a, b, sign)
    same(p, tree, a.rows, b.rows, a, b, sign)
    same(p, tree, a.columns, b.columns, a, b, sign)
    rank = a.rank if a.rank is not None else b.rank
    a.link = b
    b.rank = rank


def same(p: Parsed, tree: ast.AST, a: Size, b: Size, ka: Kind, kb: Kind, sign: str) -> None:
    """Make two sizes one; the kinds that they belong to are named where they differ."""
    a, b = a.root(), b.root()
    if a is b:
        return
    if a.value is not None and b.value is not None and a.value != b.value:
        clash(p, tree, ka, kb, sign)
    if a.value is None:
        a.link = b
    else:
        b.link = a


def clash(p: Parsed, tree: ast.AST, a: Kind, b: Kind, sign: str) -> NoReturn:
    """Refuse two shapes that do not fit."""
    raise ShapeError(f"equation {p.text!r}: shapes do not fit in {p.segment(tree)!r}: {a.show()} {sign} {b.show()}")
