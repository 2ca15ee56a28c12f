"""Sums over the steps of one sequence, whose arrays are matrices as they are."""

from __future__ import annotations

from dataclasses import dataclass

from ..sums import Summation
from ..terms import ATOM, Term


@dataclass(frozen=True)
class FlatSummation(Summation):
    """Sums as products with a vector of ones, and of rows that need not be stacked.

    Parameters
    ----------
    ones : str
        The vector of ones, one for each step.
    """

    ones: str = ""

    def vector(self, term: Term) -> Term:
        """Return the sum of vectors."""
        return Term(f"{self.ones}.dot({self._rows(term)})", ATOM, 1, False)

    def paired(self, u: Term, v: Term) -> Term:
        """Return the sum of u v^T, of all vectors on the last axes."""
        return Term(f"{self._rows(u)}.T.dot({self._rows(v)})", ATOM, 2, False)

    def _rows(self, term: Term) -> str:
        return term.at_least(ATOM) if term.rank == 1 else super()._rows(term)
