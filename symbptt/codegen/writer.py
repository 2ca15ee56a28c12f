"""The writer of expressions: what is known about leaves, sizes and plain numbers; the rules of nodes register here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy
from sympy import Rational

from .. import algebra as A
from ..algebra.functions import ElementwiseFunction
from .dialect import NUMPY, Dialect
from .functions import python_name
from .terms import ATOM, PRODUCT, SUM, Term, minus, raised, rational, signed

RULES: dict[type, Callable[[Any, Any], Term]] = {}
"""Node -> how it is written; filled by :mod:`symbptt.codegen.expressions`."""


@dataclass
class Writer:
    """Writes expressions; collects the helpers that they need.

    Parameters
    ----------
    leaf : callable
        Variable at a step, derivative or parameter -> Python.
    size : callable
        Size symbol or T -> Python.
    defined : mapping
        Variable name -> the right side of its equation at t.
    function_name : callable
        Function -> the name of its helper.
    dialect : Dialect
        The library that the code is for.
    """

    leaf: Callable[[Any], str]
    size: Callable[[Any], str]
    defined: Mapping[str, Any]
    function_name: Callable[[ElementwiseFunction], str] = python_name
    helpers: dict[str, str] = field(default_factory=dict)
    dialect: Dialect = NUMPY

    @property
    def np(self) -> str:
        """The name of the library."""
        return self.dialect.module

    def with_leaf(self, leaf: Callable[[Any], str]) -> Writer:
        """Return a writer for another stretch of the module, with the same helpers."""
        return replace(self, leaf=leaf)

    def need(self, *names: str) -> str:
        """Note that helpers are needed where the library does not have them itself; return how the last is called."""
        offered = self.dialect.offered
        for name in names:
            if name not in offered:
                self.helpers.setdefault(name, self.dialect.helpers[name])
        return offered.get(names[-1], names[-1])

    # -- the parts ------------------------------------------------------------------------------------
    def term(self, expr: Any) -> Term:
        """Return an expression as Python.

        Raises
        ------
        TypeError
            For a node that has no meaning in one step.
        """
        rule = RULES.get(type(expr))
        if rule is not None:
            return rule(self, expr)
        if isinstance(expr, _VARYING):
            return Term(self.leaf(expr), ATOM, A.rank_of(expr), True)
        if isinstance(expr, A.Parameter):
            return Term(self.leaf(expr), ATOM, A.rank_of(expr), False)
        return self._plain(expr)

    def full(self, expr: Any) -> Term:
        """Return an expression as Python whose value has all its entries, also where they are one number."""
        term = self.term(expr)
        return self.materialised(term, expr)

    def materialised(self, term: Term, expr: Any) -> Term:
        """Write out a number that stands for an array."""
        if term.full or not term.rank:
            return term
        shape = self.shape(expr)
        if not term.varies:
            return Term(f"{self.np}.full({shape}, {term.text}, dtype)", ATOM, term.rank, False)
        return Term(f"{term.at_least(PRODUCT)} * {self.np}.ones({shape}, dtype)", PRODUCT, term.rank, True)

    def shape(self, expr: Any) -> str:
        """Return the shape of one value as a Python tuple."""
        sizes = [self.number(s) for s in A.shape_of(expr)[: A.rank_of(expr)]]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    def number(self, expr: Any) -> str:
        """Return an expression in sizes as Python."""
        return self._plain(sympy.sympify(expr)).text

    def lifted(self, term: Term, rank: int, level: int) -> str:
        """Return a scalar so that it can be combined with arrays of a rank."""
        if term.rank or not rank or not term.varies:
            return term.at_least(level)
        return f"{term.at_least(ATOM)}[{', '.join(['...', *['None'] * rank])}]"

    # -- SymPy's own scalars --------------------------------------------------------------------------
    def _plain(self, expr: Any) -> Term:
        if isinstance(expr, sympy.Symbol):
            name = self.size(expr) if expr.is_integer else self.leaf(expr)
            return Term(name, ATOM, 0, False)
        if isinstance(expr, Rational):
            return rational(expr)
        for kind, write in _PLAIN:
            if isinstance(expr, kind):
                return write(self, expr)
        raise TypeError(f"no NumPy is known for {type(expr).__name__}: {expr}")


_VARYING = (A.MatrixAt, A.ScalarAt, A.Gradient, A.Jacobian, A.ScalarDerivative)


def joined(w: Writer, terms: list[Term], sign: str, level: int) -> Term:
    """Join operands of one rank (and scalars), the first as loose as the sign allows."""
    rank = max(term.rank for term in terms)
    texts = [w.lifted(term, rank, level + (i > 0)) for i, term in enumerate(terms)]
    full = any(term.full and term.rank == rank for term in terms)
    return Term(sign.join(texts), level, rank, any(t.varies for t in terms), full)


def _plain_sum(w: Writer, e: Any) -> Term:
    return signed_sum(w, list(e.as_ordered_terms()))


def _plain_product(w: Writer, e: Any) -> Term:
    top, bottom = sympy.fraction(e)
    if bottom != 1:
        return joined(w, [w.term(top), w.term(bottom)], " / ", PRODUCT)
    if e.could_extract_minus_sign():
        return minus(w.term(-e))
    return joined(w, [w.term(a) for a in e.as_ordered_factors()], " * ", PRODUCT)


def _plain_power(w: Writer, e: Any) -> Term:
    if e.exp.could_extract_minus_sign():
        return joined(w, [Term("1", ATOM, 0, False), w.term(e.base**-e.exp)], " / ", PRODUCT)
    return raised(w.term(e.base), w.term(e.exp))


def _plain_function(w: Writer, e: Any) -> Term:
    u = sympy.Symbol("u", real=True)
    return called(w, ElementwiseFunction(e.func.__name__, sympy.Lambda(u, e.func(u))), w.term(e.args[0]))


_PLAIN: tuple[tuple[Any, Callable[[Writer, Any], Term]], ...] = (
    (sympy.Add, _plain_sum),
    (sympy.Mul, _plain_product),
    (sympy.Pow, _plain_power),
    (sympy.Float, lambda w, e: Term(repr(float(e)), ATOM, 0, False)),
    (sympy.NumberSymbol, lambda w, e: Term(repr(float(e)), ATOM, 0, False)),
    (sympy.Function, _plain_function),
)


def signed_sum(w: Writer, terms: list[Any]) -> Term:
    """Return the sum of expressions, with minus signs where they are negative."""
    rank = max(A.rank_of(term) for term in terms)
    written = [w.term(term) for term in terms]
    first, *rest = (w.lifted(term, rank, SUM) for term in written)
    text = signed(first, rest)
    full = any(term.full and term.rank == rank for term in written)
    return Term(text, SUM, rank, any(t.varies for t in written), full)


def called(w: Writer, function: ElementwiseFunction, argument: Term) -> Term:
    """Return f(x), and note the helper that f needs."""
    source = w.dialect.source_of(function, w.function_name(function))
    for name, text in source.helpers:
        w.helpers.setdefault(name, text)
    if source.call == "{u}":
        return argument
    return replace(argument, text=source.call.format(u=argument.text), level=ATOM)
