"""Sums, products, powers and transposes: the constructor functions that operators need.

They check shapes, choose the scalar or matrix node, and leave out what is empty. Order is never changed. What is
dropped or folded: zero terms, factors of one, double negation, numeric coefficients that meet, the transpose of a
transpose, products with the identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import sympy
from sympy import Basic, Expr, S

from ..errors import ShapeError
from .base import Node, is_vector, need_square, shape_of, show_shape
from .leaves import Fill, Identity, Parameter, fill_like
from .nodes import (
    Diag,
    Hadamard,
    HadamardPower,
    HadamardQuotient,
    Inner,
    MatrixNegative,
    MatrixPlus,
    MatrixProduct,
    Negative,
    Outer,
    Plus,
    Power,
    Quotient,
    Scale,
    Times,
    Trace,
    Transposed,
)


def node(value: Any) -> Any:
    """Turn numbers and SymPy's own matrix nodes into nodes of the language.

    >>> import sympy
    >>> A = sympy.MatrixSymbol("A", 2, 2)
    >>> node(A.T)
    A.T
    """
    expr = sympy.sympify(value)
    if isinstance(expr, Node) or not isinstance(expr, sympy.MatrixExpr):
        return expr
    if isinstance(expr, sympy.MatrixSymbol):
        return Parameter(*expr.args)
    if isinstance(expr, sympy.Identity):
        return Identity(expr.shape[0])
    if isinstance(expr, sympy.ZeroMatrix):
        return zero_matrix(*expr.shape)
    convert = _FROM_SYMPY.get(type(expr).__name__)
    return convert(*map(node, expr.args)) if convert else expr


# -- sums ---------------------------------------------------------------------------------------------


def is_zero(expr: Basic) -> bool:
    """Whether the expression is the number 0 or a matrix filled with it."""
    return bool(expr == 0 or (isinstance(expr, Fill) and expr.value == 0))


def zero_like(expr: Basic) -> Expr:
    """Return the zero of the same shape."""
    return fill_like(S.Zero, expr) if shape_of(expr) else S.Zero


def zero_matrix(rows: Any, columns: Any) -> Fill:
    """Return a matrix of zeros, a matrix also where it has one column."""
    return Fill(S.Zero, rows, columns, *((2,) if columns == 1 else ()))


def add(*terms: Any) -> Any:
    """Return the sum in the order given; numbers are broadcast over vectors and matrices.

    >>> from symbptt.algebra import Variable, index
    >>> h, t = Variable("h", 3, 1), index("t")
    >>> add(1, negate(h[t]))
    1 - h[t]
    """
    flat: list[Any] = []
    for term in map(node, terms):
        flat += term.args if isinstance(term, Plus | MatrixPlus) else (term,)
    flat = broadcast(flat, "+")
    kept = [term for term in flat if not is_zero(term)]
    if not kept:
        return flat[0] if flat else S.Zero
    if len(kept) == 1:
        return kept[0]
    return MatrixPlus(*kept) if shape_of(kept[0]) else Plus(*kept)


def broadcast(terms: list[Any], sign: str) -> list[Any]:
    """Return the terms in one shape, numbers spread over it; ``sign`` stands in the message where shapes differ."""
    shapes = list(dict.fromkeys(shape_of(term) for term in terms if shape_of(term)))
    if not shapes:
        return terms
    if len(shapes) > 1:
        raise ShapeError(f"{show_shape(shapes[0])} {sign} {show_shape(shapes[1])}: the shapes differ")
    like = next(term for term in terms if shape_of(term))
    return [term if shape_of(term) else _fill(term, like, sign) for term in terms]


def _fill(value: Any, like: Any, sign: str) -> Fill:
    if isinstance(value, sympy.Symbol):
        shape = show_shape(shape_of(like))
        raise ShapeError(f"scalar {value} {sign} {shape}: only numbers and scalar results are broadcast")
    return fill_like(value, like)


def subtract(a: Any, b: Any) -> Any:
    """Return a - b."""
    return add(a, negate(b))


def negate(a: Any) -> Any:
    """Return -a; the negative of a difference a - b is b - a, and of a number the number.

    >>> from symbptt.algebra import Variable, index
    >>> y, h, t = Variable("y"), Variable("h"), index("t")
    >>> negate(subtract(y[t], h[t]))
    h[t] - y[t]
    """
    a = node(a)
    if isinstance(a, Negative | MatrixNegative):
        return a.args[0]
    if isinstance(a, Fill):
        return fill_like(negate(a.value), a)
    if isinstance(a, Scale | Times) and a.args[0].is_Number and a.args[0].is_negative:
        return product(-a.args[0], *a.args[1:])
    if isinstance(a, Plus | MatrixPlus):
        signs = [is_negative(term) for term in a.args]
        if any(signs):
            negated = [negate(term) for term in a.args]
            positive_first = sorted(range(len(negated)), key=lambda i: not signs[i])
            return add(*(negated[i] for i in positive_first))
    if not isinstance(a, Node):
        return -a if a.is_Number else Negative(a)
    return MatrixNegative(a) if shape_of(a) else Negative(a)


def is_negative(term: Any) -> bool:
    """Whether a term is written with a minus sign."""
    value = term.value if isinstance(term, Fill) else term
    return isinstance(value, Negative | MatrixNegative) or bool(value.is_Number and value.is_negative)


# -- products -----------------------------------------------------------------------------------------


def product(*factors: Any) -> Any:
    """Return the product of scalars and at most one vector or matrix (the last), in order.

    >>> from symbptt.algebra import Variable, index
    >>> h, t = Variable("h"), index("t")
    >>> product(2, 3, h[t]), product(-1, h[t]), product(0, h[t])
    (6*h[t], -h[t], 0)
    """
    number: Any = S.One
    scalars: list[Any] = []
    matrices: list[Any] = []
    for factor in _flatten(map(node, factors)):
        if shape_of(factor):
            matrices.append(factor)
        elif factor.is_Number:
            number *= factor
        elif isinstance(factor, Negative):
            number, scalars = -number, [*scalars, *_flatten([factor.args[0]])]
        else:
            scalars.append(factor)
    if len(matrices) > 1:
        raise ShapeError(f"{show_shape(matrices[0].shape)} times {show_shape(matrices[1].shape)}: use @ or hadamard")
    if number == 0 or (matrices and is_zero(matrices[0])):
        return zero_like(matrices[0]) if matrices else S.Zero
    if matrices and isinstance(matrices[0], MatrixNegative):
        number, matrices = -number, [matrices[0].args[0]]
    negative = number < 0
    coefficient = [abs(number)] if abs(number) != 1 else []
    scalar = _times([*coefficient, *scalars])
    result = (
        (scalar if scalar is not None else S.One)
        if not matrices
        else (matrices[0] if scalar is None else Scale(scalar, matrices[0]))
    )
    return negate(result) if negative else result


def _flatten(factors: Iterable[Any]) -> list[Any]:
    flat: list[Any] = []
    for factor in factors:
        flat += _flatten(factor.args) if isinstance(factor, Times | Scale) else [factor]
    return flat


def _times(factors: list[Any]) -> Any:
    if not factors:
        return None
    return factors[0] if len(factors) == 1 else Times(*factors)


def hadamard(*factors: Any) -> Any:
    """Return the elementwise product of arrays of one shape, scalars in front.

    >>> from symbptt.algebra import Variable, index
    >>> f, c, t = Variable("f", 3, 1), Variable("c", 3, 1), index("t")
    >>> hadamard(f[t], c[t - 1])
    f[t] * c[t - 1]
    """
    scalars: list[Any] = []
    arrays: list[Any] = []
    negative = False
    nodes = [node(factor) for factor in factors]
    shaped = [factor for factor in nodes if shape_of(factor)]
    broadcast(shaped, "*")
    for factor in nodes:
        if isinstance(factor, MatrixNegative):
            negative, factor = not negative, factor.args[0]
        if isinstance(factor, Scale):
            scalars, factor = [*scalars, factor.args[0]], factor.args[1]
        if isinstance(factor, Hadamard):
            arrays += factor.args
        elif isinstance(factor, Fill):
            scalars.append(factor.value)
        else:
            (arrays if shape_of(factor) else scalars).append(factor)
    if not arrays:
        value = product(-1 if negative else 1, *scalars)
        return fill_like(value, shaped[0]) if shaped else value
    result = product(*scalars, arrays[0] if len(arrays) == 1 else Hadamard(*arrays))
    return negate(result) if negative else result


def sympy_product(a: Any, b: Any) -> Any:
    """Return what ``a * b`` means in SymPy: the matrix product of matrices, else the scalar multiple."""
    a, b = node(a), node(b)
    if shape_of(a) and shape_of(b):
        return matmul(a, b)
    return product(a, b) if not shape_of(a) else product(b, a)


def elementwise_product(a: Any, b: Any) -> Any:
    """Return what ``a * b`` means in the equation language: elementwise, or a scalar multiple."""
    a, b = node(a), node(b)
    return hadamard(a, b) if shape_of(a) and shape_of(b) else product(a, b)


def matmul(*factors: Any) -> Any:
    """Return the matrix product in order: u^T v becomes an inner, u v^T an outer product.

    Raises
    ------
    ShapeError
        When the inner sizes differ, or a factor is a scalar.

    Examples
    --------
    >>> from symbptt.algebra import Parameter, Variable, index
    >>> W, h, t = Parameter("W", 3, 3), Variable("h", 3, 1), index("t")
    >>> matmul(W.T, h[t]), matmul(h[t], transpose(h[t - 1])), matmul(transpose(h[t]), h[t])
    (W.T @ h[t], h[t] @ h[t - 1].T, h[t].T @ h[t])
    """
    flat: list[Any] = []
    scalars: list[Any] = []
    for factor in map(node, factors):
        if not shape_of(factor):
            raise ShapeError(f"@ with the scalar {factor}: write * for a scalar multiple")
        if isinstance(factor, MatrixNegative):
            scalars, factor = [*scalars, S.NegativeOne], factor.args[0]
        if isinstance(factor, Scale):
            scalars, factor = [*scalars, factor.args[0]], factor.args[1]
        flat += factor.args if isinstance(factor, MatrixProduct) else (factor,)
    for left, right in pairwise(flat):
        if left.shape[1] != right.shape[0]:
            raise ShapeError(
                f"{show_shape(left.shape)} @ {show_shape(right.shape)}: {left.shape[1]} is not {right.shape[0]}"
            )
    if any(is_zero(factor) for factor in flat):
        rows, columns = flat[0].shape[0], flat[-1].shape[1]
        return Fill(S.Zero, rows, columns) if is_vector(flat[-1]) else zero_matrix(rows, columns)
    return product(*scalars, _matrix_product([f for f in flat if not isinstance(f, Identity)] or flat[:1]))


def _matrix_product(flat: list[Any]) -> Any:
    if len(flat) == 1:
        return flat[0]
    first, last = flat[0], flat[-1]
    if _is_row(first) and is_vector(last):
        inner = last if len(flat) == 2 else _matrix_product(flat[1:])
        return Inner(transpose(first), inner)
    if _is_row(last) and is_vector(flat[-2]):
        return Outer(_matrix_product(flat[:-1]), transpose(last))
    for i, factor in enumerate(flat[1:-1], start=1):
        if _is_row(factor) and is_vector(flat[i - 1]):
            return MatrixProduct(*flat[: i - 1], Outer(flat[i - 1], transpose(factor)), *flat[i + 1 :])
    return MatrixProduct(*flat)


def _is_row(expr: Any) -> bool:
    return isinstance(expr, Transposed) and is_vector(expr.args[0])


def transpose(a: Any) -> Any:
    """Return the transpose; of a transpose, what was transposed; of a scalar or diagonal, itself."""
    a = node(a)
    if isinstance(a, Transposed):
        return a.args[0]
    if not shape_of(a) or isinstance(a, Diag | Identity):
        return a
    if isinstance(a, MatrixProduct) and _is_row(a.args[0]):
        return expand_transpose(a)
    if isinstance(a, Outer):
        return Outer(a.args[1], a.args[0])
    return Transposed(a)


def expand_transpose(a: Any, vector: bool = False) -> Any:
    """Return the transpose with products and sums opened: (AB)^T = B^T A^T; on demand that of a row as a vector."""
    if isinstance(a, MatrixProduct):
        first, *rest = a.args
        return matmul(*map(expand_transpose, reversed(rest)), expand_transpose(first, vector))
    if isinstance(a, MatrixPlus):
        return add(*(expand_transpose(term, vector) for term in a.args))
    if isinstance(a, MatrixNegative):
        return negate(expand_transpose(a.args[0], vector))
    if isinstance(a, Scale):
        return product(a.args[0], expand_transpose(a.args[1], vector))
    if vector and isinstance(a, Fill):
        return Fill(a.value, *a.shape[::-1])
    result = transpose(a)
    return Transposed(a, 1) if vector and not is_vector(result) else result


def divide(a: Any, b: Any) -> Any:
    """Return a / b: of scalars, by a scalar, or elementwise."""
    a, b = node(a), node(b)
    if not shape_of(b):
        if b == 1:
            return a
        if shape_of(a):
            return product(1 / b if b.is_Number else Quotient(S.One, b), a)
        return a / b if a.is_Number and b.is_Number else Quotient(a, b)
    if not shape_of(a):
        a = _fill(a, b, "/")
    broadcast([a, b], "/")
    return negate(HadamardQuotient(a.args[0], b)) if isinstance(a, MatrixNegative) else HadamardQuotient(a, b)


def power(a: Any, exponent: Any) -> Any:
    """Return a ** exponent, elementwise for arrays, with a constant exponent."""
    a, exponent = node(a), node(exponent)
    if exponent == 1:
        return a
    if exponent == 0:
        return fill_like(S.One, a) if shape_of(a) else S.One
    if a.is_Number and exponent.is_Number:
        return a**exponent
    return HadamardPower(a, exponent) if shape_of(a) else Power(a, exponent)


def trace(a: Any) -> Any:
    """Return the trace of a square matrix."""
    return Trace(need_square(node(a), "trace"))


_FROM_SYMPY: dict[str, Callable[..., Any]] = {
    "Transpose": transpose,
    "MatMul": lambda *factors: _mixed_product(factors),
    "MatAdd": add,
    "HadamardProduct": hadamard,
    "Trace": trace,
}


def _mixed_product(factors: tuple[Any, ...]) -> Any:
    scalars = [f for f in factors if not shape_of(f)]
    return product(*scalars, matmul(*(f for f in factors if shape_of(f))))
