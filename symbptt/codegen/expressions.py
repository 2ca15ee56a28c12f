"""Expressions as NumPy over rows: a vector is the last axis of its array, a matrix the last two.

What comes before (the batch, or steps and batch) is the same for all that varies, so that one text serves a single
step and all steps at once. Parameters and numbers have no such axes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sympy
from sympy import Basic, Rational

from .. import algebra as A
from ..algebra import nodes as N
from ..algebra.leaves import Fill, Identity, Literal, LiteralMatrix
from .layout import span
from .terms import ATOM, PRODUCT, UNARY, Term, minus, raised, rational
from .writer import RULES, Writer, called, joined, signed_sum

# -- arithmetic ---------------------------------------------------------------------------------------


def _sum(w: Writer, e: Any) -> Term:
    return signed_sum(w, list(e.args))


def _negative(w: Writer, e: Any) -> Term:
    return minus(w.term(e.args[0]))


def _product(w: Writer, e: Any) -> Term:
    first = e.args[0]
    if isinstance(first, sympy.Expr) and not isinstance(first, A.Node):
        top, bottom = sympy.fraction(first)
        if top == 1 and bottom != 1:
            rest = joined(w, [w.term(a) for a in e.args[1:]], " * ", PRODUCT)
            return joined(w, [rest, w.term(bottom)], " / ", PRODUCT)
    return joined(w, [w.term(a) for a in e.args], " * ", PRODUCT)


def _quotient(w: Writer, e: Any) -> Term:
    return joined(w, [w.term(a) for a in e.args], " / ", PRODUCT)


def _power(w: Writer, e: Any) -> Term:
    base, exponent = w.term(e.args[0]), e.args[1]
    if exponent == 2:
        return replace(base, text=f"{w.np}.square({base.text})", level=ATOM)
    return raised(base, w.term(exponent))


# -- linear algebra -----------------------------------------------------------------------------------


def _matrix_product(w: Writer, e: Any) -> Term:
    *factors, last = e.args
    if A.rank_of(last) == 1:
        result = w.full(last)
        for factor in reversed(factors):
            result = _times_vector(w, factor, result)
        return result
    whole = as_outer(e)
    if whole is not None:
        return _outer(w, whole)
    terms = [_as_matrix(w, factor) for factor in e.args]
    return joined(w, terms, " @ ", PRODUCT)


def as_outer(e: Any) -> Any:
    """Return A u v^T B as the outer product of A u and B^T v, or None for another product."""
    places = [i for i, factor in enumerate(e.args) if isinstance(factor, N.Outer)]
    if len(places) != 1 or any(A.rank_of(factor) != 2 for factor in e.args):
        return None
    before, (u, v), after = e.args[: places[0]], e.args[places[0]].args, e.args[places[0] + 1 :]
    result = A.outer(A.matmul(*before, u), A.matmul(*map(A.transpose, reversed(after)), v))
    return result if isinstance(result, N.Outer) else None


def _as_matrix(w: Writer, factor: Any) -> Term:
    term = w.full(factor)
    return term if term.rank == 2 else Term(f"{term.at_least(ATOM)}[..., None]", ATOM, 2, term.varies)


def _times_vector(w: Writer, factor: Any, v: Term) -> Term:
    """A v, as rows: v A^T."""
    if isinstance(factor, N.Outer):
        scalar = _inner_text(w.full(factor.args[1]), v)
        return joined(w, [w.full(factor.args[0]), scalar], " * ", PRODUCT)
    term = w.full(factor)
    if term.rank == 1:
        return joined(w, [term, v], " * ", PRODUCT)
    if term.varies:
        w.need("matvec")
        return Term(f"matvec({term.text}, {v.text})", ATOM, 1, True)
    left = v.at_least(ATOM) if " * " in v.text or " / " in v.text else v.at_least(PRODUCT)
    return Term(f"{left} @ {_transpose(w, factor).at_least(UNARY)}", PRODUCT, 1, v.varies)


def _transpose(w: Writer, e: Any) -> Term:
    if isinstance(e, N.Transposed) and A.rank_of(e.args[0]) == 2:
        return w.full(e.args[0])
    term = w.full(e)
    return replace(term, text=f"{term.at_least(ATOM)}{'.swapaxes(-1, -2)' if term.varies else '.T'}", level=ATOM)


def _transposed(w: Writer, e: Any) -> Term:
    term = w.full(e.args[0])
    if term.rank == 1:
        return Term(f"{term.at_least(ATOM)}[..., None, :]", ATOM, 2, term.varies)
    if A.rank_of(e) == 1:
        return Term(f"{term.at_least(ATOM)}[..., 0, :]", ATOM, 1, term.varies)
    return _transpose(w, e.args[0])


def _outer(w: Writer, e: Any) -> Term:
    u, v = (w.full(a) for a in e.args)
    w.need("outer")
    return Term(f"outer({u.text}, {v.text})", ATOM, 2, u.varies or v.varies)


def _inner(w: Writer, e: Any) -> Term:
    return _inner_text(*(w.full(a) for a in e.args))


def _inner_text(u: Term, v: Term) -> Term:
    if u.varies and v.varies:
        return Term(f"({u.at_least(PRODUCT)} * {v.at_least(UNARY)}).sum(-1)", ATOM, 0, True)
    first, second = (v, u) if v.varies else (u, v)
    return Term(f"{first.at_least(ATOM)} @ {second.at_least(UNARY)}", PRODUCT, 0, first.varies)


def _reduced(name: str, square: bool = False) -> Callable[[Writer, Any], Term]:
    """Return the rule of a reduction over the entries of a vector or matrix."""

    def rule(w: Writer, e: Any) -> Term:
        term = w.full(e.args[0])
        body = f"{w.np}.square({term.text})" if square else term.at_least(ATOM)
        return Term(f"{body}.{name}({_AXES[term.rank]})", ATOM, 0, term.varies)

    return rule


_AXES = {0: "", 1: "-1", 2: "(-2, -1)"}


def _over_axes(name: str) -> Callable[[Writer, Any], Term]:
    def rule(w: Writer, e: Any) -> Term:
        term = w.full(e.args[0])
        return Term(f"{w.np}.{name}({term.text}, axis1=-2, axis2=-1)", ATOM, A.rank_of(e), term.varies)

    return rule


def _diag(w: Writer, e: Any) -> Term:
    term = w.full(e.args[0])
    size = w.number(A.shape_of(e)[0])
    return Term(f"{term.at_least(ATOM)}[..., None] * {w.np}.eye({size}, dtype=dtype)", PRODUCT, 2, term.varies)


def _identity(w: Writer, e: Any) -> Term:
    return Term(f"{w.np}.eye({w.number(e.args[0])}, dtype=dtype)", ATOM, 2, False)


def _indicator(w: Writer, e: Any) -> Term:
    w.need("max_indicator")
    term = w.full(e.args[0])
    return Term(f"max_indicator({term.text}, {term.rank})", ATOM, term.rank, term.varies)


def _concat(w: Writer, e: Any) -> Term:
    w.need("concat")
    terms = [w.full(a) for a in e.args]
    rank = A.rank_of(e)
    text = f"concat({', '.join(t.text for t in terms)}, axis={-rank})"
    return Term(text, ATOM, rank, any(t.varies for t in terms))


def _part(w: Writer, e: Any) -> Term:
    x, start, length = e.args
    term = w.full(x)
    low, high = ("" if bound == 0 else w.number(bound) for bound in (start, start + length))
    return Term(
        f"{term.at_least(ATOM)}[..., {span(low, high)}{', :' if term.rank == 2 else ''}]", ATOM, term.rank, term.varies
    )


# -- leaves and functions -----------------------------------------------------------------------------


def _fill(w: Writer, e: Any) -> Term:
    value, rank = w.term(e.value), A.rank_of(e)
    if not value.varies:
        return replace(value, rank=rank, full=False)
    return Term(w.lifted(value, rank, ATOM), ATOM, rank, True, full=False)


def _literal(w: Writer, e: Any) -> Term:
    if "/" in e.text:
        return rational(Rational(e.value.numerator, e.value.denominator))
    return Term(e.text, UNARY if e.text.startswith("-") else ATOM, 0, False)


def _literal_matrix(w: Writer, e: Any) -> Term:
    rank = A.rank_of(e)
    rows = [[w.term(x).text for x in row] for row in e.rows]
    body = ", ".join(row[0] if rank == 1 else f"[{', '.join(row)}]" for row in rows)
    return Term(f"{w.np}.array([{body}], dtype)", ATOM, rank, False)


def _softmax(w: Writer, e: Any) -> Term:
    term = w.full(e.args[0])
    return Term(f"{w.need('softmax')}({term.text})", ATOM, 1, term.varies)


def _map(w: Writer, e: Any) -> Term:
    function, argument = e.args
    if function == A.named("log"):
        stable = _log(w, argument)
        if stable is not None:
            return stable
    return called(w, function, w.term(argument))


def _log(w: Writer, argument: Any) -> Term | None:
    """log p of p = softmax(a), log s and log(1 - s) of s = sigmoid(a), from a: log 0 never occurs."""
    name = _defined_name(w, argument, N.Softmax)
    if name is not None:
        inner = w.term(w.defined[name].args[0])
        return Term(f"{w.need('log_softmax')}({inner.text})", ATOM, 1, inner.varies)
    for expr, sign in ((argument, 1), (_complement(argument), -1)):
        name = _defined_name(w, expr, N.Map, N.Apply)
        if name is not None and w.defined[name].args[0] == A.named("sigmoid"):
            inner = w.term(w.defined[name].args[1])
            inner = inner if sign == 1 else minus(inner)
            return replace(inner, text=f"{w.need('log_sigmoid')}({inner.text})", level=ATOM)
    return None


def _defined_name(w: Writer, expr: Any, *kinds: Any) -> str | None:
    if not isinstance(expr, A.MatrixAt | A.ScalarAt) or expr.when != A.index("t"):
        return None
    return expr.name if isinstance(w.defined.get(expr.name), kinds) else None


def _complement(expr: Any) -> Basic | None:
    """Return s of 1 - s."""
    if isinstance(expr, N.MatrixPlus | N.Plus) and len(expr.args) == 2:
        one, rest = expr.args
        is_one = one == 1 or (isinstance(one, Fill) and one.value == 1)
        if is_one and isinstance(rest, N.MatrixNegative | N.Negative):
            return rest.args[0]
    return None


RULES.update(
    {
        N.Plus: _sum,
        N.MatrixPlus: _sum,
        N.Negative: _negative,
        N.MatrixNegative: _negative,
        N.Times: _product,
        N.Scale: _product,
        N.Hadamard: _product,
        N.MatrixProduct: _matrix_product,
        N.Quotient: _quotient,
        N.HadamardQuotient: _quotient,
        N.Power: _power,
        N.HadamardPower: _power,
        N.Outer: _outer,
        N.Inner: _inner,
        N.Transposed: _transposed,
        N.Trace: _over_axes("trace"),
        N.Diag: _diag,
        N.DiagonalOf: _over_axes("diagonal"),
        N.SquaredNorm: _reduced("sum", square=True),
        N.EntrySum: _reduced("sum"),
        N.Mean: _reduced("mean"),
        N.Variance: _reduced("var"),
        N.MaxEntry: _reduced("max"),
        N.MaxIndicator: _indicator,
        N.Concat: _concat,
        N.Part: _part,
        N.Apply: _map,
        N.Map: _map,
        N.Softmax: _softmax,
        Fill: _fill,
        Identity: _identity,
        Literal: _literal,
        LiteralMatrix: _literal_matrix,
    }
)
