"""Sums over steps and batch: one matrix product of stacked rows where the summand is an outer product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import algebra as A
from ..algebra import nodes as N
from .expressions import as_outer
from .terms import ATOM, POWER, PRODUCT, SUM, UNARY, Term, signed
from .writer import Writer


@dataclass(frozen=True)
class Summation:
    """Writes the sum of an expression over the leading axes.

    Parameters
    ----------
    writer : Writer
    axes : str
        The axes that are summed, as Python.
    count : str
        How many summands there are, as Python.
    """

    writer: Writer
    axes: str
    count: str

    def total(self, expr: Any) -> Term:
        """Return the sum as Python."""
        rank = A.rank_of(expr)
        if rank == 2:
            return self._matrix(expr)
        term = self.writer.full(expr)
        if not term.varies:
            return self._repeated(term)
        if rank == 0:
            return Term(f"{term.at_least(ATOM)}.sum()", ATOM, 0, False)
        return self.vector(term)

    def _repeated(self, term: Term) -> Term:
        return Term(f"{self.count} * {term.at_least(UNARY)}", PRODUCT, term.rank, False)

    def vector(self, term: Term) -> Term:
        """Return the sum of vectors."""
        return Term(f"{self._rows(term)}.sum(0)", ATOM, 1, False)

    def paired(self, u: Term, v: Term) -> Term:
        """Return the sum of u v^T, of all vectors on the last axes."""
        return Term(f"{self._rows(u)}.T @ {self._rows(v)}", PRODUCT, 2, False)

    def _rows(self, term: Term) -> str:
        self.writer.need("rows")
        return f"rows({term.text})"

    def _matrix(self, e: Any) -> Term:
        rule = _RULES.get(type(e))
        result = rule(self, e) if rule else None
        return self._plain(e) if result is None else result

    def _plain(self, e: Any) -> Term:
        term = self.writer.full(e)
        if not term.varies:
            return self._repeated(term)
        return Term(f"{term.at_least(ATOM)}.sum({self.axes})", ATOM, 2, False)

    def _varies(self, e: Any) -> bool:
        return self.writer.term(e).varies

    def outer(self, e: Any) -> Term | None:
        """The sum of u v^T: U^T V with the vectors as rows."""
        u, v = (self.writer.full(a) for a in e.args)
        if not (u.varies and v.varies):
            return None
        return self.paired(u, v)

    def scale(self, e: Any) -> Term | None:
        """The sum of s X: s goes in front where it is constant, else into the first vector of an outer product."""
        s, x = e.args
        if self._varies(s):
            return self.outer(N.Outer(N.Scale(s, x.args[0]), x.args[1])) if isinstance(x, N.Outer) else None
        whole = self._matrix(x)
        factor = self.writer.term(s)
        if factor.text.startswith("1 / "):
            return Term(f"{whole.at_least(PRODUCT)} / {factor.text[4:]}", PRODUCT, 2, False)
        return Term(f"{factor.at_least(PRODUCT)} * {whole.at_least(UNARY)}", PRODUCT, 2, False)

    def plus(self, e: Any) -> Term:
        """The sum of A + B."""
        first, *rest = (self._matrix(a) for a in e.args)
        return Term(signed(first.text, list(rest)), SUM, 2, False)

    def negative(self, e: Any) -> Term:
        """The sum of -X."""
        return Term(f"-{self._matrix(e.args[0]).at_least(POWER)}", UNARY, 2, False)

    def transposed(self, e: Any) -> Term | None:
        """The sum of X^T."""
        if A.rank_of(e.args[0]) != 2:
            return None
        return Term(f"{self._matrix(e.args[0]).at_least(ATOM)}.T", ATOM, 2, False)

    def product(self, e: Any) -> Term | None:
        """The sum of A X: constant factors go outside; of X Y: again one product of stacked rows."""
        first, *rest = e.args
        whole = as_outer(e)
        if whole is not None:
            return self.outer(whole)
        if any(A.rank_of(a) != 2 for a in e.args):
            return None
        right = rest[0] if len(rest) == 1 else N.MatrixProduct(*rest)
        if not self._varies(first):
            return self._at(self.writer.full(first), self._matrix(right))
        *front, last = e.args
        left = front[0] if len(front) == 1 else N.MatrixProduct(*front)
        if not self._varies(last):
            return self._at(self._matrix(left), self.writer.full(last))
        first = self.writer.term(A.expand_transpose(first))
        return self.paired(first, self.writer.full(right))

    @staticmethod
    def _at(left: Term, right: Term) -> Term:
        return Term(f"{left.at_least(PRODUCT)} @ {right.at_least(UNARY)}", PRODUCT, 2, False)


_RULES = {
    N.Outer: Summation.outer,
    N.Scale: Summation.scale,
    N.MatrixPlus: Summation.plus,
    N.MatrixNegative: Summation.negative,
    N.Transposed: Summation.transposed,
    N.MatrixProduct: Summation.product,
}
