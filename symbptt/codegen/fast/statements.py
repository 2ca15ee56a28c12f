"""Expressions as calls that write into given arrays: ``add(a, b, out)`` and nothing that is made at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ..program import VARYING, factors, leaves
from ..terms import ATOM
from ..writer import Writer


@dataclass(frozen=True)
class Target:
    """An array that is written: its name, the shape of one value, and whether its memory is in one piece."""

    name: str
    shape: tuple[Any, ...]
    whole: bool = True


FUNCTIONS: dict[str, tuple[str, ...]] = {
    "tanh": ("tanh({u}, {d})",),
    "sigmoid": ("multiply({u}, 0.5, {d})", "tanh({d}, {d})", "multiply({d}, 0.5, {d})", "add({d}, 0.5, {d})"),
    "relu": ("maximum({u}, 0.0, out={d})",),
    "exp": ("exp({u}, {d})",),
    "sin": ("sin({u}, {d})",),
    "cos": ("cos({u}, {d})",),
    "sqrt": ("sqrt({u}, {d})",),
}
"""Function -> calls from an array u into an array d, which may be the same.

The logistic function is (1 + tanh(u / 2)) / 2: no overflow, and one pass of a vectorised function.
"""

UFUNCS = ("add", "subtract", "multiply", "divide", "negative", "copyto", "tanh", "maximum", "exp", "sin", "cos", "sqrt")


class Statements:
    """Writes expressions as statements, for one step or for all of them.

    Parameters
    ----------
    writer : Writer
        For what has no statements of its own: it is written as an expression and copied.
    put : callable
        Takes a line of Python.
    scratch : callable
        Shape -> name of an array to work in, which is free again after the ``with`` block.
    product : callable
        (vector, matrix, target) -> the call that computes a matrix product: it depends on how vectors are stacked.
    """

    def __init__(
        self,
        writer: Writer,
        put: Callable[[str], None],
        scratch: Callable[[tuple[Any, ...]], str],
        release: Callable[[str], None],
        product: Callable[[str, Any, str], str],
    ) -> None:
        self.writer, self.put = writer, put
        self._take, self._release, self._call_product = scratch, release, product

    @contextmanager
    def _scratch(self, shape: tuple[Any, ...]) -> Iterator[Target]:
        name = self._take(shape)
        yield Target(name, shape)
        self._release(name)

    # -- into an array --------------------------------------------------------------------------------
    def into(self, expr: Any, target: Target) -> None:
        """Write the value of an expression into an array, which the expression must not read."""
        rule = RULES.get(type(expr))
        if self._operand(expr, len(target.shape)) is not None:
            self.put(f"copyto({target.name}, {self._operand(expr, len(target.shape))})")
        elif rule is None or A.rank_of(expr) != len(target.shape) or not getattr(self, rule)(expr, target):
            self._copied(expr, target)

    def _copied(self, expr: Any, target: Target) -> None:
        self.put(f"{target.name}[...] = {self.writer.term(expr).text}")

    def _operand(self, expr: Any, rank: int) -> str | None:
        """Return what can be an operand as it stands: an array, a vector of parameters, a number."""
        if isinstance(expr, (*VARYING, A.Parameter)):
            return self.writer.lifted(self.writer.term(expr), rank, ATOM) if A.rank_of(expr) in (0, rank) else None
        term = self.writer.term(expr) if not any(True for _ in leaves(expr)) else None
        return term.at_least(ATOM) if term is not None and (not term.full or term.rank == 0) else None

    @contextmanager
    def _value(self, expr: Any, shape: tuple[Any, ...]) -> Iterator[str]:
        """Give an operand, in an array to work in where it has to be computed."""
        simple = self._operand(expr, len(shape))
        if simple is not None:
            yield simple
        else:
            with self._scratch(shape) as target:
                self.into(expr, target)
                yield target.name

    # -- rules ----------------------------------------------------------------------------------------
    def sum(self, e: Any, target: Target) -> bool:
        """a + b - c ...: what has to be computed first, so that it is computed in place."""
        signed = [(term, 1) if not isinstance(term, N.MatrixNegative) else (term.args[0], -1) for term in e.args]
        ordered = sorted(signed, key=lambda pair: self._operand(pair[0], len(target.shape)) is not None)
        (first, sign), *rest = ordered
        simple = self._operand(first, len(target.shape))
        if simple is None:
            self.into(first, target)
            simple = target.name
        for term, own in rest:
            with self._value(term, target.shape) as operand:
                if sign < 0 and own < 0:
                    self.put(f"add({simple}, {operand}, {target.name})")
                elif sign < 0:
                    self.put(f"subtract({operand}, {simple}, {target.name})")
                    sign = 1
                else:
                    self.put(f"{'add' if own > 0 else 'subtract'}({simple}, {operand}, {target.name})")
            simple = target.name
        if sign < 0:
            self.put(f"negative({target.name}, {target.name})")
        return True

    def product(self, e: Any, target: Target) -> bool:
        """A * b * ..., entry by entry; what has to be computed comes first."""
        ordered = sorted(factors(e), key=lambda a: self._operand(a, len(target.shape)) is not None)
        first, *rest = ordered
        simple = self._operand(first, len(target.shape))
        if simple is None:
            if A.rank_of(first) != len(target.shape):
                return False
            self.into(first, target)
            simple = target.name
        for factor in rest:
            if A.rank_of(factor) not in (len(target.shape), 0):
                return False
            with self._value(factor, target.shape) as operand:
                self.put(f"multiply({simple}, {operand}, {target.name})")
            simple = target.name
        return True

    def negative(self, e: Any, target: Target) -> bool:
        """-x."""
        with self._value(e.args[0], target.shape) as operand:
            self.put(f"negative({operand}, {target.name})")
        return True

    def quotient(self, e: Any, target: Target) -> bool:
        """A / b, entry by entry."""
        if any(A.rank_of(arg) not in (0, len(target.shape)) for arg in e.args):
            return False
        with self._value(e.args[0], target.shape) as top, self._value(e.args[1], target.shape) as bottom:
            self.put(f"divide({top}, {bottom}, {target.name})")
        return True

    def function(self, e: Any, target: Target) -> bool:
        """f(x), where f has calls of its own."""
        calls = FUNCTIONS.get(e.args[0].name)
        if calls is None or e.args[0] != A.named(e.args[0].name):
            return False
        source = self._operand(e.args[1], len(target.shape))
        if source is None:
            self.into(e.args[1], target)
            source = target.name
        for call in calls:
            self.put(call.format(u=source, d=target.name))
            source = target.name
        return True

    def matrix_product(self, e: Any, target: Target) -> bool:
        """M v with a constant matrix."""
        *matrices, vector = e.args
        if A.rank_of(e) != 1 or len(matrices) != 1 or any(True for _ in leaves(matrices[0])):
            return False
        if A.rank_of(matrices[0]) != 2 or isinstance(matrices[0], N.Outer) or A.rank_of(vector) != 1:
            return False
        with self._value(vector, (A.shape_of(vector)[0],)) as operand:
            if target.whole:
                self.put(self._call_product(operand, matrices[0], target.name))
            else:
                with self._scratch(target.shape) as own:
                    self.put(self._call_product(operand, matrices[0], own.name))
                    self.put(f"copyto({target.name}, {own.name})")
        return True


RULES = {
    N.MatrixPlus: "sum",
    N.MatrixNegative: "negative",
    N.Hadamard: "product",
    N.Scale: "product",
    N.HadamardQuotient: "quotient",
    N.Map: "function",
    N.MatrixProduct: "matrix_product",
}
"""Node -> the method of :class:`Statements` that computes it into an array, and says whether it could."""
