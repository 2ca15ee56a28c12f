"""Nodes as Python: the equation language (for ``str``) and NumPy (for ``lambdify``), from one table.

In NumPy a time-indexed name is its whole array, vectors have shape (n,), matrices (rows, columns).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy
from sympy import Basic
from sympy.printing.numpy import NumPyPrinter

from . import nodes as N
from .base import is_vector, shape_of
from .functions import FUNCTIONS, U
from .leaves import (
    Fill,
    Gradient,
    Identity,
    Jacobian,
    Literal,
    LiteralMatrix,
    MatrixAt,
    MatrixParameter,
    Parameter,
    ScalarAt,
    ScalarDerivative,
    ScalarTangent,
    Tangent,
)

SUM, PRODUCT, POWER, ATOM = range(4)


@dataclass(frozen=True)
class Dialect:
    """What differs between the equation language and NumPy."""

    numpy: bool

    def call(self, name: str, *arguments: str) -> str:
        return f"{self.prefix(name)}({', '.join(arguments)})"

    def prefix(self, name: str) -> str:
        return f"numpy.{name}" if self.numpy else name


LANGUAGE, NUMPY = Dialect(numpy=False), Dialect(numpy=True)


def write(expr: Basic, dialect: Dialect) -> str:
    """Return the expression as Python source.

    >>> from symbptt.algebra import Parameter, Variable, apply, index, matmul
    >>> W, h, t = Parameter("W_h", 3, 3), Variable("h", 3, 1), index("t")
    >>> write(apply("tanh", matmul(W, h[t - 1])), NUMPY)
    'numpy.tanh(W_h @ h[t - 1])'
    """
    return _write(expr, dialect)[1]


def _write(expr: Any, d: Dialect) -> tuple[int, str]:
    rule = _TABLE.get(type(expr))
    if rule is not None:
        return rule(expr, d)
    text = _numpy_text(expr) if d.numpy else sympy.sstr(expr)
    if isinstance(expr, sympy.Add):
        return SUM, text
    if isinstance(expr, sympy.Pow):
        return POWER, text
    fraction = isinstance(expr, sympy.Rational) and not expr.is_Integer
    return (PRODUCT if isinstance(expr, sympy.Mul) or fraction or text.startswith("-") else ATOM), text


def _at_least(expr: Any, level: int, d: Dialect) -> str:
    own, text = _write(expr, d)
    return f"({text})" if own < level else text


def _joined(sign: str, level: int, tighter: bool = False) -> Callable[[Any, Dialect], tuple[int, str]]:
    def rule(e: Any, d: Dialect) -> tuple[int, str]:
        first = _at_least(e.args[0], level, d)
        rest = [_at_least(a, level + (1 if tighter else 0), d) for a in e.args[1:]]
        return level, sign.join([first, *rest])

    return rule


def _sum(e: Any, d: Dialect) -> tuple[int, str]:
    text = ""
    for i, term in enumerate(e.args):
        value = term.value if isinstance(term, Fill) else term
        negative = isinstance(value, N.Negative | N.MatrixNegative)
        if negative:
            value = value.args[0]
        elif i and value.is_Number and value.is_negative:
            negative, value = True, -value
        piece = _at_least(value, PRODUCT, d)
        text += (" - " if negative else " + ") + piece if i else ("-" if negative else "") + piece
    return SUM, text


def _call(language: str, numpy: str) -> Callable[[Any, Dialect], tuple[int, str]]:
    def rule(e: Any, d: Dialect) -> tuple[int, str]:
        arguments = [write(a, d) for a in e.args]
        return ATOM, (numpy if d.numpy else language).format(*arguments)

    return rule


def _matrix_product(e: Any, d: Dialect) -> tuple[int, str]:
    pieces = []
    for i, factor in enumerate(e.args):
        if d.numpy and is_vector(factor) and i < len(e.args) - 1:
            pieces.append(f"{_at_least(factor, ATOM, d)}[:, None]")
        else:
            pieces.append(_at_least(factor, POWER if i else PRODUCT, d))
    return PRODUCT, " @ ".join(pieces)


def _outer(e: Any, d: Dialect) -> tuple[int, str]:
    if d.numpy:
        return ATOM, d.call("outer", *(write(a, d) for a in e.args))
    return PRODUCT, f"{_at_least(e.args[0], PRODUCT, d)} @ {_at_least(e.args[1], ATOM, d)}.T"


def _inner(e: Any, d: Dialect) -> tuple[int, str]:
    transposed = "" if d.numpy else ".T"
    left = _at_least(e.args[0], PRODUCT if d.numpy else ATOM, d)
    return PRODUCT, f"{left}{transposed} @ {_at_least(e.args[1], POWER, d)}"


def _transposed(e: Any, d: Dialect) -> tuple[int, str]:
    body = _at_least(e.args[0], ATOM, d)
    return ATOM, f"{body}[None, :]" if d.numpy and is_vector(e.args[0]) else f"{body}.T"


def _kronecker(e: Any, d: Dialect) -> tuple[int, str]:
    columns = d.numpy and not is_vector(e)
    parts = [f"{_at_least(a, ATOM, d)}[:, None]" if columns and is_vector(a) else write(a, d) for a in e.args]
    return ATOM, d.call("kron", *parts)


def _fill(e: Fill, d: Dialect) -> tuple[int, str]:
    shape = [write(s, d) for s in e.shape]
    if not d.numpy:
        return ATOM, f"fill({write(e.value, d)}, {', '.join(shape)})"
    size = f"({shape[0]},)" if is_vector(e) else f"({', '.join(shape)})"
    return ATOM, f"numpy.full({size}, {write(e.value, d)})"


def _literal(e: Literal, d: Dialect) -> tuple[int, str]:
    return (PRODUCT if "/" in e.text or e.text.startswith("-") else ATOM), e.text


def _literal_matrix(e: LiteralMatrix, d: Dialect) -> tuple[int, str]:
    rows = [[write(x, d) for x in r] for r in e.rows]
    body = ", ".join(r[0] if is_vector(e) else f"[{', '.join(r)}]" for r in rows)
    return ATOM, f"numpy.array([{body}])" if d.numpy else f"[{body}]"


def _function(e: Any, d: Dialect) -> tuple[int, str]:
    function, argument = e.args
    body = write(argument, d)
    if not d.numpy:
        return ATOM, f"{function.name}({body})"
    if _in_numpy(function):
        return ATOM, d.call(function.name, body)
    rule = function.rule(U)
    text = _numpy_text(rule)
    if not rule.has(U):
        return ATOM, f"numpy.full(numpy.shape({body}), {text}, dtype=float)"
    return ATOM, f"(lambda u: {text})({body})"


class _Printer(NumPyPrinter):
    """SymPy's printer, without the module that it needs for Max and Min."""

    def _print_Max(self, expr: Any) -> str:
        return reduce(lambda a, b: f"numpy.maximum({a}, {b})", map(self._print, expr.args))

    def _print_Min(self, expr: Any) -> str:
        return reduce(lambda a, b: f"numpy.minimum({a}, {b})", map(self._print, expr.args))


def _numpy_text(expr: Any) -> str:
    return str(_Printer({"fully_qualified_modules": True}).doprint(expr))


def _in_numpy(function: Any) -> bool:
    """Whether NumPy has this function; one that only shares the name is another function."""
    entry = FUNCTIONS.get(function.name)
    return entry is not None and entry.function == function and hasattr(__import__("numpy"), function.name)


def _at(e: Any, d: Dialect) -> tuple[int, str]:
    return ATOM, f"{e.name}[{sympy.sstr(e.when)}]"


def _derivative(e: Any, d: Dialect) -> tuple[int, str]:
    of, by = (write(a, d) for a in (e.of, e.by))
    if not d.numpy:
        return ATOM, f"d({of})/d({by})"
    return ATOM, derivative_name(e)


def _tangent(e: Any, d: Dialect) -> tuple[int, str]:
    if isinstance(e.of, Parameter | sympy.Symbol):
        return ATOM, f"V_{e.of.name}"
    return ATOM, tangent_name(e) if d.numpy else f"R({write(e.of, d)})"


def tangent_name(e: Any) -> str:
    """Return the NumPy name of an opaque tangent: ``R_h[t]``, ``R_dL_dh[t]``, or ``V_W_h`` of a parameter."""
    return _tangent(e, NUMPY)[1] if isinstance(e.of, Parameter | sympy.Symbol) else "R_" + write(e.of, NUMPY)


def derivative_name(e: Any) -> str:
    """Return the NumPy name of an opaque derivative: ``dL_dh[t]``, an array over steps.

    >>> from symbptt.algebra import Variable, derivative, index
    >>> import sympy
    >>> derivative_name(derivative(sympy.Symbol("L"), Variable("h", 3, 1)[index("t") + 1]))
    'dL_dh[t + 1]'
    """

    def base(x: Any) -> str:
        if isinstance(x, N.Concat):
            return "_".join(base(a) for a in x.args)
        return x.name if hasattr(x, "name") else str(x)

    steps = [x.when for x in (e.of, e.by) if isinstance(x, MatrixAt | ScalarAt)]
    name = f"d{base(e.of)}_d{base(e.by)}"
    return name + (f"[{sympy.sstr(steps[-1])}]" if steps else "")


def _over_time(numpy: str, language: str) -> Callable[[Any, Dialect], tuple[int, str]]:
    def rule(e: Any, d: Dialect) -> tuple[int, str]:
        body, i, low, high = (write(a, d) for a in e.args)
        if not d.numpy:
            return ATOM, f"{language}({body}, {i}={low}..{high})"
        sizes = [write(s, d) for s in shape_of(e)[: 1 if is_vector(e) else 2]]
        shape = f"({', '.join(sizes)},)" if sizes else ""
        return ATOM, numpy.format(body=body, i=i, low=low, high=high, shape=shape, size=sizes[0] if sizes else "")

    return rule


_SUM = "numpy.sum([{body} for {i} in range({low}, {high} + 1)])"
_ARRAY_SUM = (
    "(numpy.sum([{body} for {i} in range({low}, {high} + 1)], axis=0) if {low} <= {high} else numpy.zeros({shape}))"
)
_PRODUCT = "numpy.prod([{body} for {i} in range({low}, {high} + 1)])"
_CHAIN = (
    "(__import__('functools').reduce(numpy.matmul, [{body} for {i} in range({high}, {low} - 1, -1)])"
    " if {low} <= {high} else numpy.eye({size}))"
)

_TABLE: dict[type, Callable[[Any, Dialect], tuple[int, str]]] = {
    N.Plus: _sum,
    N.MatrixPlus: _sum,
    N.Negative: lambda e, d: (PRODUCT, "-" + _at_least(e.args[0], PRODUCT, d)),
    N.MatrixNegative: lambda e, d: (PRODUCT, "-" + _at_least(e.args[0], PRODUCT, d)),
    N.Times: _joined("*", PRODUCT),
    N.Scale: _joined("*", PRODUCT, tighter=True),
    N.Hadamard: _joined(" * ", PRODUCT, tighter=True),
    N.MatrixProduct: _matrix_product,
    N.Quotient: _joined("/", PRODUCT, tighter=True),
    N.HadamardQuotient: _joined(" / ", PRODUCT, tighter=True),
    N.Power: lambda e, d: (POWER, f"{_at_least(e.args[0], ATOM, d)}**{_at_least(e.args[1], ATOM, d)}"),
    N.HadamardPower: lambda e, d: (POWER, f"{_at_least(e.args[0], ATOM, d)}**{_at_least(e.args[1], ATOM, d)}"),
    N.Outer: _outer,
    N.Inner: _inner,
    N.Transposed: _transposed,
    N.Trace: _call("trace({0})", "numpy.trace({0})"),
    N.Kronecker: _kronecker,
    N.Vec: _call("vec({0})", "numpy.ravel({0}, order='F')"),
    N.Unvec: _call("unvec({0}, {1}, {2})", "numpy.reshape({0}, ({1}, {2}), order='F')"),
    N.MatrixPower: _call("matrix_power({0}, {1})", "numpy.linalg.matrix_power({0}, {1})"),
    N.Diag: _call("diag({0})", "numpy.diag({0})"),
    N.DiagonalOf: _call("diag({0})", "numpy.diag({0})"),
    N.SquaredNorm: _call("norm2({0})", "numpy.sum(({0})**2)"),
    N.EntrySum: _call("sum({0})", "numpy.sum({0})"),
    N.Mean: _call("mean({0})", "numpy.mean({0})"),
    N.Variance: _call("variance({0})", "numpy.var({0})"),
    N.MaxEntry: _call("max({0})", "numpy.max({0})"),
    N.MaxIndicator: _call(
        "argmax_indicator({0})", "(lambda x: (numpy.arange(x.size) == x.argmax()).reshape(x.shape) * 1.0)({0})"
    ),
    N.Concat: lambda e, d: (
        ATOM,
        f"numpy.concatenate([{', '.join(write(a, d) for a in e.args)}])"
        if d.numpy
        else f"concat({', '.join(write(a, d) for a in e.args)})",
    ),
    N.Part: lambda e, d: (
        ATOM,
        f"{_at_least(e.args[0], ATOM, d)}[{write(e.args[1], d)}:{write(e.args[1] + e.args[2], d)}]",
    ),
    N.Blocks: lambda e, d: (
        ATOM,
        f"{d.prefix('block')}([{', '.join('[' + ', '.join(write(b, d) for b in r) + ']' for r in e.rows)}])",
    ),
    N.Apply: _function,
    N.Map: _function,
    N.Softmax: _call("softmax({0})", "(lambda p: p / p.sum())(numpy.exp({0} - numpy.max({0})))"),
    N.RowBroadcast: _call("row_broadcast({0}, {1})", "numpy.tile({0}, ({1}, 1))"),
    N.ColumnSums: _call("column_sums({0})", "numpy.sum({0}, axis=0, keepdims=True)"),
    N.RowSoftmax: _call(
        "row_softmax({0})",
        "(lambda p: p / p.sum(-1, keepdims=True))(numpy.exp({0} - numpy.max({0}, axis=-1, keepdims=True)))",
    ),
    N.RowMean: _call("row_mean({0})", "numpy.mean({0}, axis=-1)"),
    N.RowVariance: _call("row_variance({0})", "numpy.var({0}, axis=-1)"),
    N.TimeSum: _over_time(_SUM, "sum"),
    N.MatrixTimeSum: _over_time(_ARRAY_SUM, "sum"),
    N.TimeProduct: _over_time(_PRODUCT, "prod"),
    N.OrderedProduct: _over_time(_CHAIN, "prod"),
    Fill: _fill,
    Identity: lambda e, d: (ATOM, f"numpy.eye({write(e.args[0], d)})" if d.numpy else f"I({write(e.args[0], d)})"),
    Literal: _literal,
    LiteralMatrix: _literal_matrix,
    MatrixAt: _at,
    ScalarAt: _at,
    Parameter: lambda e, d: (ATOM, e.name),
    MatrixParameter: lambda e, d: (ATOM, e.name),
    Gradient: _derivative,
    Jacobian: _derivative,
    ScalarDerivative: _derivative,
    Tangent: _tangent,
    ScalarTangent: _tangent,
}
