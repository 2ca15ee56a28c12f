"""Plain SymPy out of nodes: matrices of scalars for concrete sizes, SymPy sums and products for scalars."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import Basic, Expr, ImmutableDenseMatrix, MatrixExpr
from sympy.matrices.expressions.matexpr import MatrixElement

from .base import is_vector, shape_of
from .functions import ElementwiseFunction
from .leaves import Fill, Identity, Literal, LiteralMatrix
from .nodes import NODES, Bound
from .semantics import LEAVES, evaluate

OPERATIONS = (*NODES, Fill, Identity, Literal, LiteralMatrix, *(kind for kind in LEAVES if issubclass(kind, MatrixExpr)))


class SymbolicDomain:
    """Numbers are SymPy scalars; a leaf is an array of its entries."""

    def leaf(self, leaf: Basic) -> Any:
        if not shape_of(leaf):
            return leaf
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
            raise TypeError(f"{value} is not a number; give sizes and T as integers to write the entries out")
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
    TypeError
        When a size or the bound of a sum over time is a symbol.
    """
    if not any(isinstance(part, OPERATIONS) for part in sympy.preorder_traversal(expr)):
        return expr
    value = evaluate(expr, SymbolicDomain())
    if not shape_of(expr):
        return sympy.sympify(value)
    return ImmutableDenseMatrix(value)


def has_entries(expr: Basic) -> bool:
    """Whether the node can be written out entry by entry: it is no leaf and its sizes are integers."""
    if isinstance(expr, LEAVES):
        return False
    return all(getattr(s, "is_Integer", False) for s in shape_of(expr))


def is_concrete(expr: Basic) -> bool:
    """Whether every size and every bound of a sum in the expression is an integer."""
    for part in sympy.preorder_traversal(expr):
        bounds = (part.lower, part.upper) if isinstance(part, Bound) else ()
        if not all(getattr(s, "is_Integer", False) for s in (*shape_of(part), *bounds)):
            return False
    return True
