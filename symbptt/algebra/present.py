"""From an expression to its layout: where signs, brackets and dots go. One table, node by node."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import sympy
from sympy import Basic

from . import nodes as N
from .base import is_vector, rank_of
from .build import expand_transpose
from .functions import ElementwiseFunction
from .layout import (
    ATOM,
    HADAMARD,
    POWER,
    PRODUCT,
    SUM,
    BigOperator,
    Fence,
    Fraction,
    Grid,
    Ident,
    Item,
    Number,
    Operator,
    Root,
    Row,
    Script,
    row,
)
from .leaves import (
    DIRECT,
    IMMEDIATE,
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
    Variable,
)
from .measures import CALLED, layouts
from .names import Names
from .present_random import CHANCE_TABLE, stroke
from .present_sympy import Writer, own_level, own_product, present_own

DEFAULT = Names()


def present(expr: Basic, names: Names = DEFAULT) -> Item:
    """Return the layout of an expression in a notation.

    >>> from symbptt.algebra import Parameter, Variable, index, matmul
    >>> from symbptt.algebra.tex import to_tex
    >>> W, h, t = Parameter("W_h", 3, 3), Variable("h", 3, 1), index("t")
    >>> to_tex(present(matmul(W.T, h[t - 1])))
    'W_h^\\\\top h_{t-1}'
    """
    negative, item, _ = _signed(expr, names)
    return row(Operator("−", "prefix"), item) if negative else item


_Signed: TypeAlias = "tuple[bool, Item, int]"
"""Is it negative, the layout without its sign, how tightly it binds."""
KEPT = 4096
"""How many layouts are kept for each notation; a document has the same parts in many of its formulas."""


def _signed(expr: Any, names: Names) -> _Signed:
    known = names.layouts
    found: _Signed | None = known.get(expr)
    if found is None:
        if len(known) >= KEPT:
            known.clear()
        found = known[expr] = _laid_out(expr, names)
    return found


def _laid_out(expr: Any, names: Names) -> _Signed:
    if isinstance(expr, N.Negative | N.MatrixNegative):
        negative, item, level = _signed(expr.args[0], names)
        if negative or level == SUM:
            return True, Fence(present(expr.args[0], names)), PRODUCT
        return True, item, level
    if isinstance(expr, N.RowBroadcast):
        return _signed(expr.args[0], names)
    if names.rows and type(expr) in _AS_ROWS:
        turned = _AS_ROWS[type(expr)](expr, names)
        if turned is not None:
            return turned
    if isinstance(expr, N.Times | N.Scale | N.Hadamard) and not isinstance(expr.args[0], N.Negative):
        negative, _, _ = _signed(expr.args[0], names)
        if negative and not isinstance(expr, N.Hadamard):
            return True, _product(expr.args, names, unsigned=True), PRODUCT
    if isinstance(expr, Literal) and expr.text.startswith("-"):
        return True, _number(expr.text[1:]), _number_level(expr.text)
    if isinstance(expr, Literal):
        return False, _number(expr.text), _number_level(expr.text)
    if expr.is_Number and expr.is_negative:
        return True, present_own(-expr, names, _WRITER), ATOM
    if isinstance(expr, sympy.Mul) and expr.could_extract_minus_sign():
        return True, own_product(-expr, names, _WRITER), PRODUCT
    rule = _TABLE.get(type(expr))
    if rule is not None:
        level, make = rule
        return False, make(expr, names), level
    return False, present_own(expr, names, _WRITER), own_level(expr)


def _wrapped(expr: Any, level: int, names: Names) -> Item:
    """Return the layout, in brackets where it binds less than ``level`` or carries a sign."""
    negative, item, own = _signed(expr, names)
    if negative:
        return Fence(row(Operator("−", "prefix"), item))
    return Fence(item) if own < level else item


def _number(text: str) -> Item:
    top, slash, bottom = text.partition("/")
    return Fraction(Number(top), Number(bottom)) if slash else Number(text)


def _number_level(text: str) -> int:
    return PRODUCT if "/" in text else ATOM


# -- arithmetic ---------------------------------------------------------------------------------------


def _sum(e: Any, names: Names) -> Item:
    items: list[Item] = []
    for i, term in enumerate(e.args):
        if isinstance(term, Fill):
            term = term.value
        negative, item, level = _signed(term, names)
        if negative or i:
            items.append(Operator("−" if negative else "+", "infix" if i else "prefix"))
        items.append(Fence(item) if level == SUM else item)
    return row(*items)


def _product(factors: Any, names: Names, unsigned: bool = False) -> Item:
    items: list[Item] = []
    for i, factor in enumerate(factors):
        if unsigned and i == 0:
            _, item, level = _signed(factor, names)
            item = Fence(item) if level < PRODUCT else item
        else:
            item = _wrapped(factor, PRODUCT, names)
            if isinstance(factor, N.TimeSum | N.TimeProduct) and i + 1 < len(factors):
                item = Fence(item)
        if i and _needs_dot(factors[i - 1], factor):
            items.append(Operator("⋅"))
        items.append(item)
    return row(*items)


def _is_numeral(expr: Any) -> bool:
    return isinstance(expr, Literal) or bool(expr.is_Number)


def _needs_dot(left: Any, right: Any) -> bool:
    if isinstance(left, ScalarDerivative) and isinstance(right, ScalarDerivative):
        return True
    if isinstance(right, N.Power):
        right = right.args[0]
    if isinstance(right, LiteralMatrix) or isinstance(left, LiteralMatrix):
        return False
    if isinstance(left, sympy.Rational) and not left.is_Integer:
        return isinstance(right, Literal) and not right.text.startswith("-")
    return _is_numeral(right) or (isinstance(left, Literal) and _has_literal(right))


def _has_literal(expr: Any) -> bool:
    return isinstance(expr, Literal) or any(_has_literal(a) for a in expr.args)


def _times(e: Any, names: Names) -> Item:
    return _product(e.args, names)


def _scale(e: Any, names: Names) -> Item:
    scalar, array = e.args
    if isinstance(scalar, N.Quotient) and scalar.args[0] == 1:
        return Fraction(present(array, names), present(scalar.args[1], names))
    return _product(e.args, names)


def _hadamard(e: Any, names: Names) -> Item:
    items: list[Item] = []
    for i, factor in enumerate(e.args):
        if i:
            items.append(Operator("⊙"))
        items.append(_tight(factor, names))
    return row(*items)


def _tight(factor: Any, names: Names) -> Item:
    """A factor of an elementwise product or quotient: products of other kinds are in brackets."""
    item = _wrapped(factor, HADAMARD + 1, names)
    is_product = isinstance(factor, N.MatrixProduct | N.Scale | N.Outer)
    return Fence(item) if is_product and not isinstance(item, Fence) else item


def _matrix_product(e: Any, names: Names) -> Item:
    return row(*(_wrapped(factor, PRODUCT, names) for factor in e.args))


def _outer(e: Any, names: Names) -> Item:
    u, v = e.args
    return row(_wrapped(u, PRODUCT, names), _raised(v, Operator("⊤", "plain"), names))


def _inner(e: Any, names: Names) -> Item:
    u, v = e.args
    return row(_raised(u, Operator("⊤", "plain"), names), _wrapped(v, PRODUCT, names))


def _raised(base: Any, sup: Item, names: Names) -> Item:
    """Put a superscript on a base, sharing the place of its subscript."""
    negative, item, level = _signed(base, names)
    if negative:
        return Script(Fence(row(Operator("−", "prefix"), item)), sup=sup)
    if isinstance(item, Script) and item.sup is None:
        return Script(item.base, item.sub, sup)
    if isinstance(item, Script) and isinstance(item.sup, Fence) and sup == Operator("⊤", "plain"):
        return Script(item.base, item.sub, row(item.sup, sup))  # of a layer's matrix; a number would look like a power
    if level < ATOM or isinstance(item, Row | Script | Fraction):
        return Script(Fence(item), sup=sup)
    return Script(item, sup=sup)


def _fraction(e: Any, names: Names) -> Item:
    return Fraction(*(present(a, names) for a in e.args))


def _elementwise_quotient(e: Any, names: Names) -> Item:
    top, bottom = (_tight(a, names) for a in e.args)
    if isinstance(e.args[0], Fill):
        top = present(e.args[0].value, names)
    return row(top, Operator("⊘"), bottom)


def _power(e: Any, names: Names) -> Item:
    base = present(e.args[0], names)
    if type(e.args[0]) in CALLED and isinstance(base, Row):  # the exponent of a call stands behind its bracket
        return row(*base.items[:-1], Script(base.items[-1], sup=present(e.args[1], names)))
    return _raised(e.args[0], present(e.args[1], names), names)


def _hadamard_power(e: Any, names: Names) -> Item:
    base, exponent = e.args
    return _raised(base, row(Operator("⊙", "plain"), present(exponent, names)), names)


# -- linear algebra -----------------------------------------------------------------------------------


def _call(word: str) -> Callable[[Any, Names], Item]:
    return lambda e, names: row(Ident(word, "upright"), Fence(present(e.args[0], names)))


def _norm(e: Any, names: Names) -> Item:
    return Script(Fence(present(e.args[0], names), "‖", "‖"), sup=Number("2"))


def _entry_sum(e: Any, names: Names) -> Item:
    if is_vector(e.args[0]):
        return row(Script(Ident("1", "bold"), sup=Operator("⊤", "plain")), _wrapped(e.args[0], PRODUCT, names))
    return row(Ident("sum", "upright"), Fence(present(e.args[0], names)))


def _column_sums(e: Any, names: Names) -> Item:
    ones = Script(Ident("1", "bold"), sup=Operator("⊤", "plain"))
    return row(ones, _wrapped(e.args[0], PRODUCT, names))


def _indicator(e: Any, names: Names) -> Item:
    x = present(e.args[0], names)
    equation = row(x, Operator("="), Ident("max", "upright"), Fence(x))
    return row(Ident("1", "bold"), Fence(equation, "[", "]"))


def _concat(e: Any, names: Names) -> Item:
    return Grid(tuple((present(a, names),) for a in e.args))


def _part(e: Any, names: Names) -> Item:
    x, start, length = e.args
    rows = present(start + 1, names)
    if length != 1:
        rows = row(rows, Operator(":", "separator"), present(start + length, names))
    return Script(Fence(present(x, names), "[", "]"), rows)


def _blocks(e: N.Blocks, names: Names) -> Item:
    return Grid(tuple(tuple(present(b, names) for b in r) for r in e.rows))


def _fill(e: Fill, names: Names) -> Item:
    ones = Ident("1", "bold")
    if e.value == 1:
        return ones
    return Number("0") if e.value == 0 else row(_wrapped(e.value, PRODUCT, names), ones)


def _literal_matrix(e: LiteralMatrix, names: Names) -> Item:
    return Grid(tuple(tuple(present(x, names) for x in r) for r in e.rows))


# -- functions ----------------------------------------------------------------------------------------


def _map(e: Any, names: Names) -> Item:
    function, argument = e.args
    return call_layout(function, present(argument, names), names)


def call_layout(function: ElementwiseFunction, argument: Item, names: Names) -> Item:
    """Return the layout of f(argument)."""
    if function.name == "abs":
        return Fence(argument, "|", "|")
    if function.name == "sqrt":
        return Root(argument)
    return row(names.function(function.name), Fence(argument))


# -- over time ----------------------------------------------------------------------------------------


def _time_sum(e: Any, names: Names) -> Item:
    body = present(e.body, names)
    negative, _, level = _signed(e.body, names)
    lower = row(present(e.index, names), Operator("="), present(e.lower, names))
    return BigOperator("∑", lower, present(e.upper, names), Fence(body) if level == SUM or negative else body)


def _time_product(e: Any, names: Names) -> Item:
    lower = row(present(e.index, names), Operator("="), present(e.lower, names))
    return BigOperator("∏", lower, present(e.upper, names), _wrapped(e.body, PRODUCT, names))


def _ordered_product(e: Any, names: Names) -> Item:
    gap = e.upper - e.lower
    if gap.is_negative:
        return Ident("I")
    if e.index not in e.body.free_symbols and gap != 0 and gap != 1:
        return _raised(e.body, present(gap + 1, names), names)  # dots would not say how many there are
    newest, oldest = (_fenced_factor(e.body.xreplace({e.index: when}), names) for when in (e.upper, e.lower))
    if gap == 0:
        return newest
    return row(newest, oldest) if gap == 1 else row(newest, Operator("⋯", "plain"), oldest)


def _fenced_factor(expr: Any, names: Names) -> Item:
    item = _wrapped(expr, PRODUCT, names)
    return Fence(item) if isinstance(expr, N.MatrixProduct) else item


# -- columns on a page where vectors are rows ------------------------------------------------------------


def _row_vector(e: Any, names: Names) -> _Signed | None:
    """v^T is v; parts that stand on top of each other stand beside each other."""
    vector = e.args[0]
    if not is_vector(vector):
        return None
    if isinstance(vector, N.Concat):
        return False, Grid((tuple(present(a, names) for a in vector.args),)), ATOM
    return _signed(vector, names)


def _row_product(e: Any, names: Names) -> _Signed | None:
    """A v is v A^T."""
    return _signed(expand_transpose(e), names) if is_vector(e) else None


def _row_outer(e: Any, names: Names) -> _Signed | None:
    """u v^T is u^T v; ones stand for a column everywhere."""
    u, v = e.args
    if isinstance(u, Fill) and isinstance(v, Fill):
        return None
    return False, row(_raised(u, Operator("⊤", "plain"), names), _wrapped(v, PRODUCT, names)), PRODUCT


def _row_inner(e: Any, names: Names) -> _Signed | None:
    """u^T v is u v^T."""
    u, v = e.args
    return False, row(_wrapped(u, PRODUCT, names), _raised(v, Operator("⊤", "plain"), names)), HADAMARD


def _row_sum(e: Any, names: Names) -> _Signed | None:
    """1^T v is v 1."""
    x = e.args[0]
    return (False, row(_wrapped(x, PRODUCT, names), Ident("1", "bold")), HADAMARD) if is_vector(x) else None


_AS_ROWS: dict[type, Callable[[Any, Names], _Signed | None]] = {
    N.Transposed: _row_vector,
    N.MatrixProduct: _row_product,
    N.Outer: _row_outer,
    N.Inner: _row_inner,
    N.EntrySum: _row_sum,
}
"""Node -> its layout where columns are written as rows; None where it is no matter of columns."""


# -- derivatives and names ----------------------------------------------------------------------------


MODE_MARKS = {IMMEDIATE: "+", DIRECT: "∘"}
"""Mode of a derivative -> the mark on the upper ∂; a total one has none."""


def _derivative(e: Any, names: Names) -> Item:
    sign: Item = Operator("∂", "plain")
    mark = MODE_MARKS.get(e.mode)
    top = Script(sign, sup=Operator(mark, "plain")) if mark else stroke(e.mode, sign)
    of, by = (joint(x, names) for x in (e.of, e.by))
    if isinstance(e, Jacobian):
        of, by = (_vec(x, item) for x, item in ((e.of, of), (e.by, by)))
    return Fraction(row(top, of), row(sign, by))


def _vec(expr: Any, item: Item) -> Item:
    """A matrix in a Jacobian stands for its columns on top of each other."""
    return row(Ident("vec", "upright"), Fence(item)) if rank_of(expr) == 2 else item


def _kronecker(e: Any, names: Names) -> Item:
    items: list[Item] = []
    for i, factor in enumerate(e.args):
        items += [*([Operator("⊗")] if i else []), _wrapped(factor, POWER, names)]
    return row(*items)


def joint(expr: Any, names: Names) -> Item:
    """Return a joint state as a tuple, (h_t, c_t); anything else as it is."""
    if not isinstance(expr, N.Concat):
        return present(expr, names)
    items: list[Item] = []
    for i, a in enumerate(expr.args):
        items += [*([Operator(",", "separator")] if i else []), present(a, names)]
    return Fence(row(*items))


def _tangent(e: Any, names: Names) -> Item:
    """R{h_t}; of a parameter its part of the direction, V_{W_h} or v_{b_h}."""
    of = present(e.of, names)
    if isinstance(e.of, Parameter | sympy.Symbol):
        return Script(Ident("V" if rank_of(e.of) == 2 else "v"), of)
    return row(Ident("R", "calligraphic"), Fence(of, "{", "}"))


def _at(e: Any, names: Names) -> Item:
    return names.at(e.name, present(e.when, names))


_WRITER = Writer(present, _product, _wrapped)
_INVERSE_VEC = Script(Ident("vec", "upright"), sup=row(Operator("−", "prefix"), Number("1")))

_TABLE: dict[type, tuple[int, Callable[[Any, Names], Item]]] = {
    N.Plus: (SUM, _sum),
    N.MatrixPlus: (SUM, _sum),
    N.Times: (PRODUCT, _times),
    N.Scale: (PRODUCT, _scale),
    N.MatrixProduct: (PRODUCT, _matrix_product),
    N.Hadamard: (HADAMARD, _hadamard),
    N.Quotient: (PRODUCT, _fraction),
    N.HadamardQuotient: (HADAMARD, _elementwise_quotient),
    N.Power: (POWER, _power),
    N.HadamardPower: (POWER, _hadamard_power),
    N.Outer: (PRODUCT, _outer),
    N.Inner: (HADAMARD, _inner),
    N.Transposed: (POWER, lambda e, names: _raised(e.args[0], Operator("⊤", "plain"), names)),
    N.Trace: (ATOM, _call("tr")),
    N.Kronecker: (HADAMARD, _kronecker),
    N.Vec: (ATOM, _call("vec")),
    N.Unvec: (POWER, lambda e, names: row(_INVERSE_VEC, Fence(present(e.args[0], names)))),
    N.MatrixPower: (POWER, _power),
    N.Diag: (ATOM, _call("diag")),
    N.DiagonalOf: (ATOM, _call("diag")),
    N.SquaredNorm: (POWER, _norm),
    N.EntrySum: (HADAMARD, _entry_sum),
    N.Mean: (ATOM, _call("mean")),
    N.Variance: (ATOM, _call("var")),
    N.MaxEntry: (ATOM, _call("max")),
    N.MaxIndicator: (ATOM, _indicator),
    N.Concat: (ATOM, _concat),
    N.Part: (ATOM, _part),
    N.Blocks: (ATOM, _blocks),
    N.Apply: (ATOM, _map),
    N.Map: (ATOM, _map),
    N.Softmax: (ATOM, _call("softmax")),
    N.ColumnSums: (HADAMARD, _column_sums),
    N.RowSoftmax: (ATOM, _call("softmax")),
    N.RowMean: (ATOM, _call("mean")),
    N.RowVariance: (ATOM, _call("var")),
    N.TimeSum: (PRODUCT, _time_sum),
    N.MatrixTimeSum: (PRODUCT, _time_sum),
    N.TimeProduct: (PRODUCT, _time_product),
    N.OrderedProduct: (PRODUCT, _ordered_product),
    Fill: (ATOM, _fill),
    Identity: (ATOM, lambda e, names: Ident("I")),
    LiteralMatrix: (ATOM, _literal_matrix),
    MatrixAt: (ATOM, _at),
    ScalarAt: (ATOM, _at),
    Parameter: (ATOM, lambda e, names: names.key(e.name)),
    MatrixParameter: (ATOM, lambda e, names: names.key(e.name)),
    Variable: (ATOM, lambda e, names: names.key(e.name)),
    Gradient: (ATOM, _derivative),
    Jacobian: (ATOM, _derivative),
    ScalarDerivative: (ATOM, _derivative),
    Tangent: (ATOM, _tangent),
    ScalarTangent: (ATOM, _tangent),
    **layouts(present),
    **{kind: (level, partial(make, write=present)) for kind, (level, make) in CHANCE_TABLE.items()},
}
