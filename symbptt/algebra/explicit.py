"""Plain SymPy out of nodes, for concrete sizes: matrices of scalars, and scalars in SymPy's own arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import Basic, Dummy, Expr, ImmutableDenseMatrix, MatrixExpr, Symbol
from sympy.matrices.expressions.matexpr import MatrixElement

from .base import Node, is_vector, shape_of
from .functions import ElementwiseFunction
from .leaves import Fill, Identity, Literal, LiteralMatrix
from .nodes import NODES
from .semantics import LEAVES, evaluate

OPERATIONS = (
    *NODES,
    Fill,
    Identity,
    Literal,
    LiteralMatrix,
    *(kind for kind in LEAVES if issubclass(kind, MatrixExpr)),
)


class SymbolicSizeError(TypeError):
    """A size or the bound of a sum over time is a symbol, so that entries cannot be listed."""


class SymbolicDomain:
    """Numbers are SymPy scalars; a leaf is an array of its entries.

    A scalar leaf stands as a plain symbol meanwhile: its own arithmetic would make nodes again.
    """

    def __init__(self) -> None:
        self.scalars: dict[Basic, Symbol] = {}

    def leaf(self, leaf: Basic) -> Any:
        if not shape_of(leaf):
            return self.scalars.setdefault(leaf, Dummy(real=True)) if isinstance(leaf, Node) else leaf
        rows, columns = (self.size(s) for s in shape_of(leaf))
        entries = np.empty((rows, columns), dtype=object)
        for i in range(rows):
            for j in range(columns):
                entries[i, j] = MatrixElement(leaf, i, j)
        return entries[:, 0] if is_vector(leaf) else entries

    def number(self, value: Expr) -> Expr:
        return value

    def literal(self, literal: Literal) -> Expr:
        return literal.doit()

    def size(self, value: Expr) -> int:
        if not value.is_Integer:
            raise SymbolicSizeError(f"{value} is not a number; give sizes and T as integers to write the entries out")
        return int(value)

    def apply(self, function: ElementwiseFunction, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return function(value)
        return np.array([function(v) for v in value.ravel()], dtype=object).reshape(value.shape)

    def largest(self, values: list[Any]) -> Expr:
        return sympy.Max(*values)


def as_explicit(expr: Basic) -> Any:
    """Return the expression as plain SymPy: an immutable matrix of scalars, or a scalar.

    Raises
    ------
    SymbolicSizeError
        When a size or the bound of a sum over time is a symbol.
    """
    if not any(isinstance(part, OPERATIONS) for part in sympy.preorder_traversal(expr)):
        return expr
    domain = SymbolicDomain()
    value = evaluate(expr, domain)
    shape = [domain.size(s) for s in shape_of(expr)]
    plain = ImmutableDenseMatrix(*shape, list(value.ravel())) if shape else sympy.sympify(value)
    return plain.xreplace({symbol: leaf for leaf, symbol in domain.scalars.items()})


def explicit_or_none(expr: Basic) -> Any:
    """Return the expression as plain SymPy, or None for an array leaf and where a size is a symbol."""
    if isinstance(expr, LEAVES) and shape_of(expr):
        return None
    try:
        return as_explicit(expr)
    except SymbolicSizeError:
        return None
