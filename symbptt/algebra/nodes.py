"""The operations of the language. Arguments keep the order in which they were written.

Each operation has one node for scalars and one for vectors and matrices where both exist. Nodes do not simplify and
check no shapes, so that ``node.func(*node.args) == node`` always holds; the constructor functions do, those of
:mod:`symbptt.algebra.build`, :mod:`symbptt.algebra.reductions` and :mod:`symbptt.algebra.over_time`.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Basic, Expr, Tuple

from .base import MatrixNode, Node, ScalarNode, Shape, rank_of, shape_of

# -- arithmetic --------------------------------------------------------------------------------------


class Plus(ScalarNode):
    """a + b + ..., in order."""


class MatrixPlus(MatrixNode):
    """A + B + ..., in order."""


class Negative(ScalarNode):
    """-a."""


class MatrixNegative(MatrixNode):
    """-A."""


class Times(ScalarNode):
    """a b ..., scalars in order."""


class Scale(MatrixNode):
    """a X: a scalar in front of a vector or matrix."""

    _like = 1


class MatrixProduct(MatrixNode):
    """A B ... x, in order."""

    _like = -1

    @property
    def shape(self) -> Shape:
        return (shape_of(self.args[0])[0], shape_of(self.args[-1])[1])


class Hadamard(MatrixNode):
    """A elementwise B elementwise ..., in order."""


class Quotient(ScalarNode):
    """a / b."""


class HadamardQuotient(MatrixNode):
    """A / B elementwise."""


class Power(ScalarNode):
    """a ** k with a constant exponent."""


class HadamardPower(MatrixNode):
    """A ** k elementwise, with a constant exponent."""


# -- linear algebra ----------------------------------------------------------------------------------


class Outer(MatrixNode):
    """u v^T: (len u, len v)."""

    _like = None

    @property
    def shape(self) -> Shape:
        return (shape_of(self.args[0])[0], shape_of(self.args[1])[0])


class Inner(ScalarNode):
    """u^T v."""


class Transposed(MatrixNode):
    """X^T; its arguments are X, and 1 where the transpose of a row is a vector and not an n x 1 matrix."""

    @property
    def rank(self) -> int:
        return 1 if len(self.args) == 2 else 2

    @property
    def shape(self) -> Shape:
        return shape_of(self.args[0])[::-1]


class Trace(ScalarNode):
    """tr X."""


class Kronecker(MatrixNode):
    """A kron B: the blocks a_ij B; of two vectors a vector, else a matrix."""

    @property
    def rank(self) -> int:
        return max(map(rank_of, self.args))

    @property
    def shape(self) -> Shape:
        (a, b), (c, d) = map(shape_of, self.args)
        return (a * c, b * d)


class Vec(MatrixNode):
    """vec(X): the columns of X on top of each other."""

    rank = 1

    @property
    def shape(self) -> Shape:
        rows, columns = shape_of(self.args[0])
        return (rows * columns, sympy.S.One)


class Unvec(MatrixNode):
    """The matrix X of which a vector is vec(X): (v, rows, columns)."""

    _like = None

    @property
    def shape(self) -> Shape:
        return self.args[1:]


class MatrixPower(MatrixNode):
    """A^k of a square matrix, with an integer exponent, a number or in symbols; A^0 is I."""

    _like = None

    @property
    def shape(self) -> Shape:
        return shape_of(self.args[0])


class Diag(MatrixNode):
    """diag(v): the square matrix with the entries of v on its diagonal."""

    _like = None

    @property
    def shape(self) -> Shape:
        return (shape_of(self.args[0])[0],) * 2


class DiagonalOf(MatrixNode):
    """The diagonal of a square matrix, as a vector."""

    rank = 1

    @property
    def shape(self) -> Shape:
        return (shape_of(self.args[0])[0], sympy.S.One)


class SquaredNorm(ScalarNode):
    """||X||^2, the sum of the squared entries."""


class EntrySum(ScalarNode):
    """The sum of all entries."""


class Mean(ScalarNode):
    """The mean of all entries."""


class Variance(ScalarNode):
    """The mean squared deviation of the entries from their mean (divided by their number)."""


class MaxEntry(ScalarNode):
    """The largest entry; its derivative goes to the first entry that attains it."""


class MaxIndicator(MatrixNode):
    """1 at the first entry that attains the maximum, 0 elsewhere: the derivative of :class:`MaxEntry`."""


class Concat(MatrixNode):
    """[u; v; ...]: vectors, or scalars, on top of each other."""

    @property
    def shape(self) -> Shape:
        columns = shape_of(self.args[0])[1] if shape_of(self.args[0]) else sympy.S.One
        return (sum(map(_rows, self.args), start=sympy.S.Zero), columns)

    @property
    def rank(self) -> int:
        """1 also where the parts are scalars."""
        return max(rank_of(self.args[0]), 1)


class Part(MatrixNode):
    """The rows ``start .. start + length - 1`` (from 0) of a matrix or vector: (X, start, length)."""

    @property
    def shape(self) -> Shape:
        return (self.args[2], shape_of(self.args[0])[1])


class Blocks(MatrixNode):
    """A matrix made of blocks; its argument is a Tuple of row Tuples of matrices."""

    _like = None

    @property
    def rows(self) -> Tuple:
        return self.args[0]

    @property
    def shape(self) -> Shape:
        rows = sum((_rows(row[0]) for row in self.rows), start=sympy.S.Zero)
        columns = sum((_columns(block) for block in self.rows[0]), start=sympy.S.Zero)
        return (rows, columns)


def _rows(expr: Basic) -> Expr:
    return shape_of(expr)[0] if shape_of(expr) else sympy.S.One


def _columns(expr: Basic) -> Expr:
    return shape_of(expr)[1] if shape_of(expr) else sympy.S.One


# -- functions ---------------------------------------------------------------------------------------


class Apply(ScalarNode):
    """f(a) for a scalar: (function, a)."""


class Map(MatrixNode):
    """f applied to every entry: (function, X)."""

    _like = 1


class Softmax(MatrixNode):
    """exp(v) / sum(exp(v)) of a vector."""


# -- rows, one for each example of a batch -------------------------------------------------------------


class RowBroadcast(MatrixNode):
    """1 b: the row b (1, n) below itself B times, (B, n); its arguments are b and B. Printed as b."""

    _like = None

    @property
    def shape(self) -> Shape:
        return (self.args[1], shape_of(self.args[0])[1])


class ColumnSums(MatrixNode):
    """1^T X: the row (1, n) of the sums over the rows of X."""

    _like = None

    @property
    def shape(self) -> Shape:
        return (sympy.S.One, shape_of(self.args[0])[1])


class RowSoftmax(MatrixNode):
    """The softmax of every row of a matrix."""


class _OfRows:
    """What has a number for each row of a matrix: a vector."""

    args: tuple[Any, ...]
    rank = 1

    @property
    def shape(self) -> Shape:
        return (shape_of(self.args[0])[0], sympy.S.One)


class RowMean(_OfRows, MatrixNode):
    """The mean of every row of a matrix."""


class RowVariance(_OfRows, MatrixNode):
    """The mean squared deviation of the entries of every row from its mean."""


# -- over time ---------------------------------------------------------------------------------------


class Bound:
    """A node with a bound time index: (body, index, lower, upper); the index is not free in it."""

    args: tuple[Any, ...]
    func: Any

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def index(self) -> Expr:
        return self.args[1]

    @property
    def lower(self) -> Expr:
        return self.args[2]

    @property
    def upper(self) -> Expr:
        return self.args[3]

    @property
    def free_symbols(self) -> set[Basic]:
        bounds: set[Basic] = self.lower.free_symbols | self.upper.free_symbols
        return (self.body.free_symbols - {self.index}) | bounds

    @property
    def bound_symbols(self) -> list[Basic]:
        return [self.index]

    def _xreplace(self, rule: dict[Basic, Basic]) -> tuple[Basic, bool]:
        """Replace free occurrences only; rename the index where a replacement would be captured."""
        body, index, lower, upper = self.args
        inner = {k: v for k, v in rule.items() if k != index}
        if any(index in v.free_symbols for v in inner.values() if isinstance(v, Basic)):
            fresh = fresh_index(index, body, *inner.values())
            body, index = body.xreplace({index: fresh}), fresh
        new = (body.xreplace(inner), index, lower.xreplace(rule), upper.xreplace(rule))
        return (self, False) if new == self.args else (self.func(*new), True)

    def _eval_subs(self, old: Basic, new: Basic) -> Basic:
        return self._xreplace({old: new})[0]


def fresh_index(index: Basic, *inside: Basic) -> Basic:
    taken = {s.name for part in inside for s in part.free_symbols if hasattr(s, "name")} | {index.name}
    name = next(c for c in "sjkrpquvw" if c not in taken)
    return sympy.Symbol(name, integer=True)


class TimeSum(Bound, ScalarNode):
    """The sum of a scalar over steps; 0 where the range is empty."""


class MatrixTimeSum(Bound, MatrixNode):
    """The sum of vectors or matrices over steps; 0 where the range is empty."""


class TimeProduct(Bound, ScalarNode):
    """The product of a scalar over steps; 1 where the range is empty."""


class OrderedProduct(Bound, MatrixNode):
    """J_upper ... J_lower: a product of square matrices, newest on the left; I where the range is empty."""


NODES: tuple[type[Node], ...] = tuple(
    value
    for value in list(globals().values())
    if getattr(value, "__module__", None) == __name__
    and isinstance(value, type)
    and issubclass(value, ScalarNode | MatrixNode)
)
"""Every operation, for tests that go over all of them."""
