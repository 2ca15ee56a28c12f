"""Arrays beside each other: which quantities are parts of which, and several expressions as one over all parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import sympy

from ... import algebra as A
from ...algebra import nodes as N
from ..program import VARYING, Place, leaves

Named = Callable[[str, str, Any], Any]


class Merge:
    """Places of quantities in larger ones, and matrices that are stacked.

    Parameters
    ----------
    named : callable
        Makes a quantity: :meth:`symbptt.codegen.program.Program.named`.
    constants : dict
        Stacked matrix or vector -> its expression in parameters.
    placed : dict
        Leaf -> :class:`Place`.
    """

    def __init__(self, named: Named, constants: dict[Any, Any], placed: dict[Any, Place]) -> None:
        self.named, self.constants, self.placed = named, constants, placed

    def copy(self) -> Merge:
        return Merge(self.named, dict(self.constants), dict(self.placed))

    def take(self, other: Merge) -> None:
        """Take over what was tried on a copy."""
        self.constants, self.placed = other.constants, other.placed

    # -- constants ------------------------------------------------------------------------------------
    def stacked(self, arrays: Sequence[Any]) -> Any:
        """Return matrices, or vectors, on top of each other as one parameter."""
        expr = A.concat(*arrays)
        for symbol, known in self.constants.items():
            if known == expr:
                return symbol
        kind = A.MatrixParameter if A.rank_of(expr) == 2 else A.Parameter
        symbol = kind(f"stack.{len(self.constants)}", *expr.shape)
        self.constants[symbol] = expr
        return symbol

    # -- places ---------------------------------------------------------------------------------------
    def free(self, leaf: Any) -> bool:
        """Whether a quantity may still be laid anywhere: it is no state, and has no place."""
        return leaf not in self.placed and all(place.base != leaf for place in self.placed.values())

    def slots(self, base: Any, exprs: Sequence[Any]) -> list[Any]:
        """Return new quantities for consecutive parts of a base, one for each expression."""
        found = [self.named("slot", f"{base.name}.{i}", expr) for i, expr in enumerate(exprs)]
        self._lay(base, found)
        return found

    def joined(self, run: Sequence[Any]) -> Any:
        """Lay free quantities beside each other and return the whole."""
        whole = A.concat(*run)
        base = self.named("joined", _name(run[0]), whole)
        self._lay(base, run)
        return base

    def _lay(self, base: Any, run: Sequence[Any]) -> None:
        start: Any = sympy.S.Zero
        for leaf in run:
            length = A.shape_of(leaf)[0]
            self.placed[leaf] = Place(base, start, length)
            start += length

    def order(self, base: Any) -> list[Any]:
        """Return what lies in a base, in order."""
        return [leaf for leaf, place in self.placed.items() if place.base == base]

    def combined(self, run: Sequence[Any]) -> Any:
        """Return consecutive parts of a base as one quantity."""
        places = [self.placed[leaf] for leaf in run]
        base = places[0].base
        length = sum((place.length for place in places), sympy.S.Zero)
        if places[0].start == 0 and length == A.shape_of(base)[0]:
            return base
        whole = self.named("span", _name(run[0]), A.concat(*run))
        self.placed.setdefault(whole, Place(base, places[0].start, length))
        return whole

    def consecutive(self, run: Sequence[Any]) -> bool:
        """Whether quantities lie beside each other in one base, in order."""
        places = [self.placed.get(leaf) for leaf in run]
        if None in places:
            return False
        return all(a and b and a.base == b.base and a.start + a.length == b.start for a, b in pairwise(places))

    def runs(self, matrices: Mapping[Any, Any], place: bool) -> Iterator[list[Any]]:
        """Yield orders in which quantities lie, or with ``place`` can be laid, as their matrices are stacked."""
        if not place:
            bases = dict.fromkeys(self.placed[leaf].base for leaf in matrices if leaf in self.placed)
            for base in bases:
                run = [leaf for leaf in self.order(base) if leaf in matrices]
                if len(run) > 1 and self.consecutive(run):
                    yield run
            return
        for expr in list(self.constants.values()):
            wanted = expr.args if isinstance(expr, N.Concat) else ()
            run = [next((leaf for leaf, m in matrices.items() if m == matrix), None) for matrix in wanted]
            if len(run) > 1 and None not in run and all(self.free(leaf) for leaf in run):
                self.joined(run)
                yield run

    # -- several expressions as one -------------------------------------------------------------------
    def merged(self, exprs: Sequence[Any], fixed: set[Any]) -> Any:
        """Return one expression over the parts beside each other of what the given ones read, or None.

        Parameters
        ----------
        exprs : sequence of expressions
            Of the same form.
        fixed : set
            Quantities that cannot be laid elsewhere.
        """
        first = exprs[0]
        if any(type(e) is not type(first) or A.rank_of(e) != 1 for e in exprs):
            return None
        if not any(leaf for e in exprs for leaf in leaves(e)):
            return self.stacked(exprs) if all(isinstance(e, A.Parameter) for e in exprs) else None
        if isinstance(first, VARYING):
            return self._beside(exprs, fixed)
        if isinstance(first, N.MatrixProduct):
            return self._product(exprs)
        if any(len(e.args) != len(first.args) for e in exprs):
            return None
        if isinstance(first, N.Map):
            inner = self.merged([e.args[1] for e in exprs], fixed)
            same = all(e.args[0] == first.args[0] for e in exprs)
            return A.apply(first.args[0], inner) if same and inner is not None else None
        if isinstance(first, N.MatrixPlus | N.Hadamard | N.MatrixNegative):
            args = [self.merged([e.args[i] for e in exprs], fixed) for i in range(len(first.args))]
            return None if None in args else first.func(*args)
        return None

    def _beside(self, run: Sequence[Any], fixed: set[Any]) -> Any:
        if self.consecutive(run):
            return self.combined(run)
        if len(set(run)) == len(run) and all(self.free(leaf) and leaf not in fixed for leaf in run):
            return self.joined(run) if all(leaf.name.startswith("share.") for leaf in run) else None
        return None

    def _product(self, exprs: Sequence[Any]) -> Any:
        pairs = [e.args for e in exprs]
        one = len({pair[-1] for pair in pairs}) == 1 and all(len(pair) == 2 for pair in pairs)
        if not one or any(True for matrix, _ in pairs for _ in leaves(matrix)):
            return None
        return A.matmul(self.stacked([matrix for matrix, _ in pairs]), pairs[0][1])


def _name(leaf: Any) -> str:
    return str(leaf.by.name if hasattr(leaf, "by") else leaf.name)
