"""What every node of the language shares: operators that keep the order, SymPy hooks, shapes."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Basic, Expr, MatrixExpr
from sympy.matrices.expressions.matexpr import MatrixElement

from ..errors import ShapeError

Shape = tuple[Any, ...]


def shape_of(expr: Basic) -> Shape:
    """Return ``()`` for a scalar, ``(n, 1)`` for a vector, ``(rows, columns)`` for a matrix."""
    shape = getattr(expr, "shape", None)
    return tuple(shape) if shape is not None else ()


def rank_of(expr: Basic) -> int:
    """Return 0 for a scalar, 1 for a vector, 2 for a matrix (an n x 1 matrix included)."""
    if isinstance(expr, Node) and isinstance(expr, MatrixExpr):
        return int(expr.rank)
    return len(shape_of(expr)) if shape_of(expr)[1:] != (1,) else 1


def is_vector(expr: Basic) -> bool:
    """Whether the node is a column vector; a matrix that happens to have one column is none."""
    return rank_of(expr) == 1


def show_shape(shape: Shape) -> str:
    """Return the shape as a user writes it: ``n``, ``n x m``, or ``scalar``.

    >>> show_shape((4, 1)), show_shape((4, 3)), show_shape(())
    ('(4)', '(4 x 3)', 'scalar')
    """
    if not shape:
        return "scalar"
    if shape[1] == 1:
        return f"({shape[0]})"
    return f"({shape[0]} x {shape[1]})"


def need_vector(expr: Any, name: str) -> Any:
    """Return the expression if it is a vector; ``name`` is who needs it.

    Raises
    ------
    ShapeError
        Otherwise.
    """
    if not is_vector(expr):
        raise ShapeError(f"{name}({expr}): a vector is needed, not {show_shape(shape_of(expr))}")
    return expr


def need_array(expr: Any, name: str) -> Any:
    """Return the expression if it is a vector or matrix, as :func:`need_vector` does."""
    if not shape_of(expr):
        raise ShapeError(f"{name}({expr}): a vector or matrix is needed, not a scalar")
    return expr


def need_square(expr: Any, name: str) -> Any:
    """Return the expression if it is a square matrix, as :func:`need_vector` does."""
    expr = need_array(expr, name)
    if expr.shape[0] != expr.shape[1]:
        raise ShapeError(f"{name}({expr}): a square matrix is needed, not {show_shape(expr.shape)}")
    return expr


class Node:
    """Mixin of all nodes: arithmetic that keeps the order in which it was written."""

    _op_priority = 20.0
    rank: Any = 0

    def __add__(self, other: Any) -> Any:
        from .build import add

        return add(self, other)

    def __radd__(self, other: Any) -> Any:
        from .build import add

        return add(other, self)

    def __sub__(self, other: Any) -> Any:
        from .build import subtract

        return subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        from .build import subtract

        return subtract(other, self)

    def __neg__(self) -> Any:
        from .build import negate

        return negate(self)

    def __mul__(self, other: Any) -> Any:
        from .build import sympy_product

        return sympy_product(self, other)

    def __rmul__(self, other: Any) -> Any:
        from .build import sympy_product

        return sympy_product(other, self)

    def __matmul__(self, other: Any) -> Any:
        from .build import matmul

        return matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        from .build import matmul

        return matmul(other, self)

    def __truediv__(self, other: Any) -> Any:
        from .build import divide

        return divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        from .build import divide

        return divide(other, self)

    def __pow__(self, exponent: Any) -> Any:
        from .build import power

        return power(self, exponent)

    # -- SymPy hooks ---------------------------------------------------------------------------
    def _latex(self, printer: Any) -> str:
        from .present import present
        from .tex import to_tex

        return to_tex(present(self))

    def _pretty(self, printer: Any) -> Any:
        from sympy.printing.pretty.stringpict import prettyForm

        from .plain import to_plain
        from .present import present

        return prettyForm(to_plain(present(self)))

    def _sympystr(self, printer: Any) -> str:
        from .pycode import LANGUAGE, write

        return write(self, LANGUAGE)

    def _numpycode(self, printer: Any) -> str:
        from .pycode import NUMPY, write

        return write(self, NUMPY)

    def as_explicit(self) -> Any:
        """Return plain SymPy: an immutable matrix of scalars, or a scalar; sizes must be integers."""
        from .explicit import as_explicit

        return as_explicit(self)


class ScalarNode(Node, Expr):
    """A scalar-valued node."""

    is_commutative = True
    is_number = False

    def __new__(cls, *args: Any) -> ScalarNode:
        return Basic.__new__(cls, *map(sympy.sympify, args))

    def __abs__(self) -> Expr:
        return sympy.Abs(self, evaluate=False)

    def doit(self, **hints: Any) -> Expr:
        """Return the same value as plain SymPy arithmetic, in SymPy's own order; itself where a size is a symbol."""
        from .explicit import explicit_or_none

        explicit = explicit_or_none(self)
        return self if explicit is None else explicit

    def _eval_derivative(self, symbol: Basic) -> Expr:
        if symbol not in self.free_symbols:
            return sympy.S.Zero
        explicit = self.as_explicit()
        return sympy.Derivative(self, symbol, evaluate=False) if explicit == self else explicit.diff(symbol)


class MatrixNode(Node, MatrixExpr):
    """A vector- or matrix-valued node."""

    is_commutative = False
    _like: int | None = 0
    """The argument whose rank it has, or None where it is always a matrix."""

    def __new__(cls, *args: Any) -> MatrixNode:
        return Basic.__new__(cls, *map(sympy.sympify, args))

    @property
    def shape(self) -> Shape:
        return shape_of(self.args[self._like or 0])

    @property
    def rank(self) -> int:
        """1 for a vector, 2 for a matrix."""
        return 2 if self._like is None else rank_of(self.args[self._like])

    @property
    def T(self) -> Any:
        from .build import transpose

        return transpose(self)

    def _eval_transpose(self) -> Any:
        return self.T

    def doit(self, **hints: Any) -> Any:
        return self

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        from .explicit import explicit_or_none

        explicit = explicit_or_none(self)
        return MatrixElement(self, i, j) if explicit is None else explicit[i, j]
