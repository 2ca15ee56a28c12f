"""The names of the language: time-indexed variables, parameters, literals and derivatives.

Vectors are columns, so a vector of length ``n`` has the SymPy shape ``(n, 1)``; a scalar is a plain
:class:`sympy.Expr` and has the shape ``()`` here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy
from sympy import Basic, Expr, MatrixExpr, MatrixSymbol, Rational, Symbol, Tuple
from sympy.core.symbol import Str

from .base import MatrixNode, Node, ScalarNode, Shape, rank_of, shape_of

TOTAL, IMMEDIATE, DIRECT = "total", "immediate", "direct"


def size(name: str) -> Symbol:
    """Return the size symbol of that name, a positive integer (``n``, ``m``, ``q``, ``T``)."""
    return Symbol(name, integer=True, positive=True)


def index(name: str = "t") -> Symbol:
    """Return a time index of that name, an integer."""
    return Symbol(name, integer=True)


def scalar_parameter(name: str) -> Symbol:
    """Return a scalar parameter, a real symbol."""
    return Symbol(name, real=True)


class Parameter(Node, MatrixSymbol):
    """A matrix or vector that is the same at every step (``W_h``, ``b_h``).

    >>> W = Parameter("W_h", 4, 4)
    >>> W.shape, W.name
    ((4, 4), 'W_h')
    """

    @property
    def T(self) -> Any:
        from .build import transpose

        return transpose(self)

    @property
    def rank(self) -> int:
        return _rank(self.args[1:])


class MatrixParameter(Parameter):
    """A parameter that is a matrix whatever its sizes, also where it has one column.

    >>> from symbptt.algebra.base import is_vector
    >>> is_vector(Parameter("b_h", 4, 1)), is_vector(MatrixParameter("W_x", 4, 1))
    (True, False)
    """

    rank = 2


class Variable(Basic):
    """A quantity that has a value at every step; ``variable[t]`` is its value at step t.

    Parameters
    ----------
    name : str
        Canonical name, such as ``h``.
    *shape : int or sympy.Expr
        Nothing for a scalar, ``n, 1`` for a vector, ``p, n`` for a matrix; ``p, 1, 2`` is a matrix of one column.

    Examples
    --------
    >>> h = Variable("h", 4, 1)
    >>> h[index("t") - 1]
    h[t - 1]
    """

    def __new__(cls, name: Any, *shape: Any) -> Variable:
        return Basic.__new__(cls, name if isinstance(name, Str) else Str(name), *map(sympy.sympify, shape))

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def shape(self) -> Shape:
        return tuple(self.args[1:3])

    @property
    def free_symbols(self) -> set[Basic]:
        return {self}

    __iter__ = None  # it has a value at every step, so going over them would never end

    def __getitem__(self, when: Any) -> Expr:
        cls = MatrixAt if self.shape else ScalarAt
        return cls(self, sympy.sympify(when))

    @property
    def rank(self) -> int:
        """0 for a scalar, 1 for a vector, 2 for a matrix."""
        return _rank(self.args[1:])

    def _sympystr(self, printer: Any) -> str:
        return self.name

    _numpycode = _latex = _pythoncode = _sympystr


class _At:
    """What scalars and matrices at one time step have in common."""

    args: tuple[Any, ...]

    @property
    def variable(self) -> Variable:
        return self.args[0]

    @property
    def when(self) -> Expr:
        return self.args[1]

    @property
    def name(self) -> str:
        return str(self.args[0].args[0].name)  # asked for at every value that is read

    @property
    def free_symbols(self) -> set[Basic]:
        return {self.variable} | self.when.free_symbols


class ScalarAt(_At, ScalarNode):
    """A time-indexed scalar, ``l[t]``."""

    is_real = True


class MatrixAt(_At, MatrixNode):
    """A time-indexed vector or matrix, ``h[t]``."""

    @property
    def shape(self) -> Shape:
        return self.variable.shape

    @property
    def rank(self) -> int:
        return self.variable.rank


class Literal(ScalarNode):
    """A number as it is written: ``Literal("2.0")`` prints 2.0 and is exactly 2.

    >>> Literal("2.0"), Literal("2.50").value, Literal("-1/3").value
    (2.0, Fraction(5, 2), Fraction(-1, 3))
    """

    is_real = True

    def __new__(cls, text: Any) -> Literal:
        return Basic.__new__(cls, text if isinstance(text, Str) else Str(str(text)))

    @property
    def text(self) -> str:
        return str(self.args[0].name)

    @property
    def value(self) -> Fraction:
        return Fraction(self.text)

    @property
    def free_symbols(self) -> set[Basic]:
        return set()

    def doit(self, **hints: Any) -> Expr:
        return Rational(self.value.numerator, self.value.denominator)


class LiteralMatrix(MatrixNode):
    """A matrix or vector of numbers as they are written: a Tuple of row Tuples, and 2 for an n x 1 matrix."""

    def __new__(cls, rows: Any, *rank: Any) -> LiteralMatrix:
        return Basic.__new__(cls, Tuple(*(Tuple(*row) for row in rows)), *map(sympy.sympify, rank))

    @property
    def rank(self) -> int:
        return _rank((*self.shape, *self.args[1:]))

    @property
    def rows(self) -> Tuple:
        return self.args[0]

    @property
    def shape(self) -> Shape:
        return (sympy.Integer(len(self.rows)), sympy.Integer(len(self.rows[0])))


class Fill(MatrixNode):
    """A vector or matrix all of whose entries are one number: the 1 in ``1 - f[t]``.

    Its arguments are the number, rows and columns, and 2 for a matrix that has one column.
    """

    @property
    def value(self) -> Expr:
        return self.args[0]

    @property
    def shape(self) -> Shape:
        return self.args[1:3]

    @property
    def rank(self) -> int:
        return _rank(self.args[1:])


def fill_like(value: Any, expr: Any) -> Fill:
    """Return an array of one number with the shape and rank of another."""
    shape = shape_of(expr)
    return Fill(value, *shape, *((2,) if shape[1] == 1 and rank_of(expr) == 2 else ()))


def _rank(sizes: tuple[Any, ...]) -> int:
    if not sizes:
        return 0
    return 1 if sizes[1] == 1 and len(sizes) == 2 else 2


class Identity(MatrixNode):
    """The identity matrix of a size."""

    _like = None

    @property
    def shape(self) -> Shape:
        return (self.args[0], self.args[0])


class _DerivativeLeaf:
    args: tuple[Any, ...]

    @property
    def of(self) -> Basic:
        return self.args[0]

    @property
    def by(self) -> Basic:
        return self.args[1]

    @property
    def mode(self) -> str:
        """``total`` (through all that depends on it), ``immediate`` (other states fixed) or ``direct`` (all else)."""
        return str(self.args[2].name)


def _mode(mode: Any) -> Str:
    return mode if isinstance(mode, Str) else Str(mode)


class ScalarDerivative(_DerivativeLeaf, ScalarNode):
    """The derivative of a scalar by a scalar, kept opaque: ``dL/dh_t`` when all sizes are 1."""

    is_real = True

    def __new__(cls, of: Any, by: Any, mode: Any = TOTAL) -> ScalarDerivative:
        return Basic.__new__(cls, of, by, _mode(mode))


class Gradient(_DerivativeLeaf, MatrixNode):
    """The gradient of a scalar by a vector or matrix, kept opaque; it has the shape of ``by``."""

    def __new__(cls, of: Any, by: Any, mode: Any = TOTAL) -> Gradient:
        return Basic.__new__(cls, of, by, _mode(mode))

    _like = 1


class Jacobian(_DerivativeLeaf, MatrixNode):
    """The Jacobian of a vector by a vector, numerator layout, kept opaque: (len of, len by).

    Matrices stand for their columns on top of each other, so that dh_t/dvec(W) is n x n^2. By a scalar it is a vector.

    >>> h, W = Variable("h", 4, 1), Parameter("W_h", 4, 4)
    >>> Jacobian(h[2], W).shape
    (4, 16)
    """

    def __new__(cls, of: Any, by: Any, mode: Any = TOTAL) -> Jacobian:
        return Basic.__new__(cls, of, by, _mode(mode))

    @property
    def rank(self) -> int:
        return 2 if shape_of(self.by) else 1

    @property
    def shape(self) -> Shape:
        return (_entries(self.of), _entries(self.by))


def _entries(expr: Basic) -> Any:
    return sympy.Mul(*shape_of(expr))


def derivative(of: Basic, by: Basic, mode: str = TOTAL) -> Expr | MatrixExpr:
    """Return the opaque derivative of ``of`` by ``by``: scalar, gradient or Jacobian by their ranks."""
    if shape_of(of) == ():
        return ScalarDerivative(of, by, mode) if shape_of(by) == () else Gradient(of, by, mode)
    return Jacobian(of, by, mode)


class _TangentLeaf:
    args: tuple[Any, ...]

    @property
    def of(self) -> Basic:
        return self.args[0]

    @property
    def free_symbols(self) -> set[Basic]:
        return self.of.free_symbols


class ScalarTangent(_TangentLeaf, ScalarNode):
    """R{a}: the derivative of a scalar along a direction in parameter space, kept opaque; of a parameter, its part."""

    is_real = True


class Tangent(_TangentLeaf, MatrixNode):
    """R{X} of a vector, a matrix or a gradient, kept opaque; it has the shape of ``of``.

    For a direction V in parameter space, R{X}(W) is d/dr X(W + r V) at r = 0, and R{W} is V itself.

    References
    ----------
    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.
    """


def tangent_of(of: Basic) -> Any:
    """Return the opaque tangent of a variable at a step, a parameter, or a derivative: scalar or array by its shape.

    >>> tangent_of(Variable("h", 3, 1)[index("t")]), tangent_of(Parameter("W_h", 3, 3))
    (R(h[t]), V_W_h)
    """
    return Tangent(of) if shape_of(of) else ScalarTangent(of)
