"""Derivatives as people write them: 1 - h * h for tanh'(z), y - target for a softmax under its loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import sympy
from sympy import Basic, Dummy, Expr

from .. import algebra as A
from ..algebra import nodes as N
from ..algebra.functions import FUNCTIONS, U, Y
from ..algebra.leaves import Fill
from ..algebra.semantics import LEAVES
from ..model import Equation

_AT, _QUOTIENTS = (A.MatrixAt, A.ScalarAt), (N.HadamardQuotient, N.Quotient)


def as_written(expr: Any, equations: tuple[Equation, ...]) -> Any:
    """Name results and write derivatives in them: f'(z_t) becomes an expression in h_t where h_t = f(z_t).

    Parameters
    ----------
    expr : node
        At any steps.
    equations : tuple of Equation
        The equations of the step.

    Notes
    -----
    At the steps from which the equations read states, only states are named: the first step reads the initial state,
    and no other variable has a value there.
    """
    before, states = _lags(equations)
    skipped = {equation: frozenset() if equation.name in states else before for equation in equations}
    for equation in equations:
        expr = _fold(expr, equation, skipped[equation])
    written = _generic_derivatives(expr)
    if written != expr:
        for equation in equations:
            written = _fold(written, equation, skipped[equation])
    return tidy(written)


@lru_cache(maxsize=64)
def _lags(equations: tuple[Equation, ...]) -> tuple[frozenset[Any], frozenset[str]]:
    """Return the steps other than its own that a step reads, and the names of what it reads there."""
    read = {part for e in equations for part in _occurrences(e.right) if part.when != e.left.when}
    return frozenset(part.when for part in read), frozenset(part.name for part in read)


def _fold(expr: Any, equation: Equation, skipped: frozenset[Any]) -> Any:
    """Replace the right side of an equation by its left side, and its derivative by the written form, at all steps."""
    if not isinstance(equation.right, N.Map | N.Apply | N.Softmax | N.RowSoftmax | N.Mean | N.Variance):
        return expr
    steps = {part.when for part in _occurrences(expr)}
    for when in sorted(steps - skipped, key=str):
        right, left, prime, written = _at(equation.right, equation.left, when)
        expr = expr.xreplace({right: left})
        if prime is not None:
            expr = _replace(expr, prime, written)
    return expr


@lru_cache(maxsize=1024)
def _at(right: Any, left: Any, when: Any) -> tuple[Any, Any, Any, Any]:
    """Return right and left side at a step; then its derivative and what is written for it, or twice None."""
    moved = {left.when: when}
    right, left = right.xreplace(moved), left.xreplace(moved)
    if not isinstance(right, N.Map | N.Apply) or right.args[0].written is None:
        return right, left, None, None
    function, argument = right.args
    prime = A.apply(function.prime, argument)
    return right, left, prime, _like(elementwise(function.written, {U: argument, Y: left}), prime)


def _parts(expr: Any) -> Iterator[Any]:
    """Yield an expression and all its parts, sooner than SymPy's traversal."""
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(part.args)


def _occurrences(expr: Any) -> list[Any]:
    return [p for p in _parts(expr) if isinstance(p, _AT)]


def _like(value: Any, model: Any) -> Any:
    return A.fill_like(value, model) if A.shape_of(model) and not A.shape_of(value) else value


def _replace(expr: Any, old: Basic, new: Any) -> Any:
    """Replace and rebuild through the constructors, so that brackets and factors of one are settled anew."""
    if expr == old:
        return new
    if not A.depends(expr, old):
        return expr
    return rebuild(expr, [_replace(a, old, new) for a in expr.args])


_REBUILD: dict[type, Callable[..., Any]] = {
    N.Plus: A.add,
    N.MatrixPlus: A.add,
    N.Negative: A.negate,
    N.MatrixNegative: A.negate,
    N.Times: A.product,
    N.Scale: A.product,
    N.MatrixProduct: A.matmul,
    N.Hadamard: A.hadamard,
    N.Quotient: A.divide,
    N.HadamardQuotient: A.divide,
    N.Diag: lambda a: A.negate(A.diag(a.args[0])) if isinstance(a, N.MatrixNegative) else A.diag(a),
    N.ColumnSums: A.column_sums,
    N.RowBroadcast: A.row_broadcast,
    N.Outer: A.outer,
    N.Inner: A.inner,
    N.EntrySum: A.entry_sum,
    N.Transposed: A.expand_transpose,
    N.TimeSum: A.time_sum,
    N.MatrixTimeSum: A.time_sum,
}


def rebuild(expr: Any, args: list[Any]) -> Any:
    """Make a node of new arguments through its constructor function."""
    if tuple(args) == expr.args:
        return expr
    return _REBUILD.get(type(expr), expr.func)(*args)


def substitute(expr: Any, rule: Mapping[Basic, Any]) -> Any:
    """Replace leaves and rebuild through the constructors.

    >>> from symbptt.algebra import Parameter, Variable, Fill, index, matmul
    >>> W, h, t = Parameter("W", 3, 3), Variable("h", 3, 1), index("t")
    >>> substitute(matmul(W, h[t]) + h[t], {h[t]: h[t] - h[t - 1]})
    W @ (h[t] - h[t - 1]) + h[t] - h[t - 1]
    """
    if expr in rule:
        return rule[expr]
    if not expr.args or isinstance(expr, LEAVES):
        return expr
    return rebuild(expr, [substitute(a, rule) for a in expr.args])


def _generic_derivatives(expr: Any) -> Any:
    """Write f'(x) in f(x) or in x, where it is simple: tanh'(c) is 1 - tanh(c) * tanh(c), log'(x) is 1/x."""
    if isinstance(expr, N.Map | N.Apply) and expr.args[0].name.endswith("'"):
        slope, argument = expr.args
        if slope.name in _SIMPLE:
            return _SIMPLE[slope.name](argument)
        entry = FUNCTIONS.get(slope.name[:-1])
        if entry is not None and entry.written is not None and entry.function.prime == slope:
            written = elementwise(entry.written, {U: argument, Y: A.apply(entry.function, argument)})
            return _like(written, expr)
    if not expr.args:
        return expr
    return rebuild(expr, [_generic_derivatives(a) for a in expr.args])


_SIMPLE: dict[str, Callable[[Any], Any]] = {
    "log'": lambda x: A.divide(1, x),
    "exp'": lambda x: A.apply("exp", x),
    "sin'": lambda x: A.apply("cos", x),
    "cos'": lambda x: A.negate(A.apply("sin", x)),
    "sqrt'": lambda x: A.divide(1, A.product(2, A.apply("sqrt", x))),
}


def elementwise(expr: Expr, names: Mapping[Basic, Any]) -> Any:
    """Turn a SymPy expression of one entry into nodes, positive terms first, sums as the last factors.

    >>> from symbptt.algebra import Variable, index
    >>> h, t = Variable("h", 3, 1), index("t")
    >>> elementwise(1 - Y**2, {Y: h[t]}), elementwise(Y * (1 - Y), {Y: h[t]})
    (1 - h[t] * h[t], h[t] * (1 - h[t]))
    """
    if expr in names:
        return names[expr]
    if isinstance(expr, sympy.Add):
        terms = sorted(expr.as_ordered_terms(), key=lambda a: (a.could_extract_minus_sign(), not a.is_number))
        return A.add(*(elementwise(a, names) for a in terms))
    top, bottom = sympy.fraction(expr)
    if bottom != 1:
        return A.divide(elementwise(top, names), elementwise(bottom, names))
    if isinstance(expr, sympy.Mul):
        factors = sorted(expr.as_ordered_factors(), key=lambda a: isinstance(a, sympy.Add))
        result = elementwise(factors[0], names)
        for factor in factors[1:]:
            result = A.elementwise_product(result, elementwise(factor, names))
        return result
    if isinstance(expr, sympy.Pow) and expr.exp.is_Integer and 0 < expr.exp <= 3:
        base = elementwise(expr.base, names)
        return A.hadamard(*[base] * int(expr.exp)) if A.shape_of(base) else A.power(base, expr.exp)
    return A.node(expr)


def tidy(expr: Any) -> Any:
    """Cancel quotients elementwise and put a positive term first.

    >>> from symbptt.algebra import Variable, index, hadamard, divide, negate
    >>> p, y, t = Variable("p", 3, 1), Variable("y", 3, 1), index("t")
    >>> tidy(hadamard(p[t], negate(divide(y[t], p[t]))))
    -y[t]
    """
    if isinstance(expr, N.Inner) and any(map(_has_quotient, expr.args)):
        product = tidy(A.hadamard(*expr.args))
        if not _has_quotient(product):
            return tidy(A.entry_sum(product))
    if _has_quotient(expr) and _is_elementwise(expr):
        cancelled = _cancel(expr)
        if not _has_quotient(cancelled):
            return cancelled
    if not expr.args or isinstance(expr, A.MatrixAt | A.ScalarAt):
        return expr
    args = [tidy(a) for a in expr.args]
    result = rebuild(expr, args)
    for rule in _RULES:
        result = rule(result)
    if isinstance(result, N.Plus | N.MatrixPlus):
        return _positive_first(result)
    return result


def _one_quotient(expr: Any) -> Any:
    """(1 / b) * a is a / b, and -((a - c) / b) is (c - a) / b."""
    if isinstance(expr, N.Hadamard | N.Times):
        for i, factor in enumerate(expr.args):
            if isinstance(factor, N.HadamardQuotient | N.Quotient) and _is_one(factor.args[0]):
                rest = [a for k, a in enumerate(expr.args) if k != i]
                top = A.hadamard(*rest) if A.shape_of(factor) else A.product(*rest)
                return A.divide(top, factor.args[1])
    if isinstance(expr, N.MatrixNegative | N.Negative) and isinstance(expr.args[0], N.HadamardQuotient | N.Quotient):
        top, bottom = expr.args[0].args
        if isinstance(top, N.MatrixPlus | N.Plus):
            return A.divide(A.negate(top), bottom)
    return expr


def _one_fraction(expr: Any) -> Any:
    """(2 (a / (2 b))) / c is a / (b c): products and quotients of scalars as one quotient, numbers cancelled."""
    if not isinstance(expr, N.Times | N.Quotient) or not any(isinstance(a, N.Quotient) for a in _factors(expr)):
        return expr
    number, top, bottom = _fraction(expr)
    nested = any(isinstance(a, N.Quotient) for a in _factors(expr)[1:])
    if isinstance(expr, N.Quotient) and not nested and 1 in [abs(_fraction(a)[0]) for a in expr.args]:
        return expr
    above, below = sympy.fraction(number) if number.is_Rational else (number, sympy.S.One)
    under = A.product(below, *bottom)
    over = A.product(abs(above), *top)
    result = A.divide(over, under) if under != 1 else over
    return A.negate(result) if above < 0 else result


def _factors(expr: Any) -> list[Any]:
    """The parts of a scalar product or quotient, itself first."""
    if isinstance(expr, N.Times | N.Quotient | N.Negative):
        return [expr, *(factor for a in expr.args for factor in _factors(a))]
    return [expr]


def _fraction(expr: Any) -> tuple[Any, list[Any], list[Any]]:
    """A number, the factors above and the factors below the line."""
    if isinstance(expr, N.Quotient):
        (m, a, b), (n, c, d) = map(_fraction, expr.args)
        return m / n, [*a, *d], [*b, *c]
    if isinstance(expr, N.Times | N.Negative):
        number: Any = sympy.Integer(-1 if isinstance(expr, N.Negative) else 1)
        top: list[Any] = []
        bottom: list[Any] = []
        for factor in expr.args:
            n, a, b = _fraction(factor)
            number, top, bottom = number * n, [*top, *a], [*bottom, *b]
        return number, top, bottom
    return (expr, [], []) if expr.is_Number else (sympy.S.One, [expr], [])


def _bilinear(expr: Any) -> Any:
    """The sum of the entries of M * (u v^T) is u^T M v."""
    if isinstance(expr, N.EntrySum) and isinstance(expr.args[0], N.Hadamard) and len(expr.args[0].args) == 2:
        for matrix, outer in (expr.args[0].args, expr.args[0].args[::-1]):
            if isinstance(outer, N.Outer):
                return A.inner(outer.args[0], A.matmul(matrix, outer.args[1]))
    return expr


def _constant_outer(expr: Any) -> Any:
    """u (c 1)^T is c u 1^T."""
    if isinstance(expr, N.Outer) and any(isinstance(a, Fill) and a.value not in (0, 1) for a in expr.args):
        numbers = [a.value for a in expr.args if isinstance(a, Fill)]
        ones = [A.fill_like(sympy.S.One, a) if isinstance(a, Fill) else a for a in expr.args]
        return A.product(*map(_one_fraction, numbers), A.outer(*ones))
    return expr


def _one_factor(expr: Any) -> Any:
    """a * d - b * d is (a - b) * d, and diag(a) - diag(b) is diag(a - b)."""
    if not isinstance(expr, N.MatrixPlus):
        return expr
    signs = [isinstance(term, N.MatrixNegative) for term in expr.args]
    terms = [term.args[0] if negative else term for term, negative in zip(expr.args, signs, strict=True)]
    if all(isinstance(term, N.Diag) for term in terms):
        return A.diag(_signed_sum([term.args[0] for term in terms], signs))
    if all(isinstance(term, N.Hadamard) and term.args[-1] == terms[0].args[-1] for term in terms):
        return A.hadamard(_signed_sum([A.hadamard(*term.args[:-1]) for term in terms], signs), terms[0].args[-1])
    return expr


def _signed_sum(terms: list[Any], signs: list[bool]) -> Any:
    return A.add(*(A.negate(term) if negative else term for term, negative in zip(terms, signs, strict=True)))


def _one_diagonal(expr: Any) -> Any:
    """diag(a) diag(b) is diag(a * b), and diag(a) (diag(b) U + diag(c) V) is diag(a * b) U + diag(a * c) V."""
    if not isinstance(expr, N.MatrixProduct):
        return expr
    factors: list[Any] = []
    for factor in expr.args:
        if factors and isinstance(factor, N.Diag) and isinstance(factors[-1], N.Diag):
            factors[-1] = A.diag(A.hadamard(factors[-1].args[0], factor.args[0]))
        else:
            factors.append(factor)
    if len(factors) == 2 and isinstance(factors[0], N.Diag) and isinstance(factors[1], N.MatrixPlus):
        terms = factors[1].args
        if all(isinstance(term.args[0] if isinstance(term, N.MatrixProduct) else term, N.Diag) for term in terms):
            return A.add(*(_one_diagonal(A.matmul(factors[0], term)) for term in terms))
    return A.matmul(*factors)


_RULES = (_one_quotient, _one_fraction, _bilinear, _constant_outer, _one_factor, _one_diagonal)


def _is_one(expr: Any) -> bool:
    return bool(expr == 1 or (isinstance(expr, Fill) and expr.value == 1))


def _positive_first(expr: Any) -> Any:
    negative = [isinstance(a, N.Negative | N.MatrixNegative) for a in expr.args]
    if not negative[0] or all(negative):
        return expr
    order = sorted(range(len(negative)), key=lambda i: negative[i])
    return expr.func(*(expr.args[i] for i in order))


def _has_quotient(expr: Any) -> bool:
    return any(isinstance(p, _QUOTIENTS) for p in _parts(expr))


_ELEMENTWISE = (
    N.MatrixPlus, N.MatrixNegative, N.Hadamard, N.HadamardQuotient, N.HadamardPower, N.Plus, N.Negative, N.Times,
    N.Quotient, N.Power,
)  # fmt: skip


def _is_elementwise(expr: Any) -> bool:
    return isinstance(expr, _ELEMENTWISE)


def _cancel(expr: Any) -> Any:
    atoms: dict[Any, Dummy] = {}

    def scalar(e: Any) -> Any:
        if isinstance(e, Fill):
            return e.value
        if e.is_Number if isinstance(e, Expr) else False:
            return e
        if isinstance(e, _ELEMENTWISE):
            return _ENTRY[type(e)](*(scalar(a) for a in e.args))
        return atoms.setdefault(e, Dummy(f"a{len(atoms):03d}", real=True))

    value = sympy.cancel(scalar(expr))
    if sympy.fraction(value)[1] == 1:
        value = sympy.expand(value)
    return _like(elementwise(value, {v: k for k, v in atoms.items()}), expr)


_ENTRY: dict[type, Callable[..., Any]] = {
    N.MatrixPlus: lambda *a: sympy.Add(*a),
    N.Plus: lambda *a: sympy.Add(*a),
    N.MatrixNegative: lambda a: -a,
    N.Negative: lambda a: -a,
    N.Hadamard: lambda *a: sympy.Mul(*a),
    N.Times: lambda *a: sympy.Mul(*a),
    N.HadamardQuotient: lambda a, b: a / b,
    N.Quotient: lambda a, b: a / b,
    N.HadamardPower: lambda a, b: a**b,
    N.Power: lambda a, b: a**b,
}
