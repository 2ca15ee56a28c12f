"""Where the quantities of a program are kept: over all steps, for one step, or not at all until they are asked for."""

from __future__ import annotations

from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ..program import Program, leaves

STATE, STORED, LOCAL = "state", "stored", "local"


class Storage:
    """Kinds of arrays, and which of them need no memory of their own.

    Attributes
    ----------
    alias : dict
        Leaf -> the leaf whose array it takes over, because nothing else reads that.
    lazy : dict
        Adjoint that nothing reads -> its line; it is computed when it is asked for.
    again : dict
        Adjoint that a step needs for itself alone, and that is one product for all steps when it is asked for.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.done: set[str] = set()
        self.free: dict[Any, list[str]] = {}
        self.logs: dict[Any, tuple[str, str]] = {}
        self._reads = self._all_reads()
        self.again = dict(self._computed_again())
        self._carries = {row.carry.leaf for row in program.rows.values() if row.carry is not None}
        self._kinds = {leaf: self._kind(leaf) for leaf in self._assigned()}
        self.alias = dict(self._aliases())
        self.lazy = dict(self._lazy())

    def kind(self, leaf: Any) -> str:
        """Return how a quantity is kept; a part as the whole in which it lies."""
        while leaf in self.program.placed:
            leaf = self.program.placed[leaf].base
        return self._kinds.get(leaf, STORED)

    def is_read_later(self, leaf: Any) -> bool:
        """Whether a variable of the readout is read by the sweep, or by sums over steps."""
        later = [line.expr for line in (*self.program.lines(), *self.program.inputs.values())]
        later += [part.expr for every in self.program.sums.values() for part in every]
        return any(read == leaf for expr in later for read in leaves(expr))

    def is_only_read_forward(self, leaf: Any) -> bool:
        """Whether an array over all steps is of no use once the forward pass is done, and no part of another."""
        if self.kind(leaf) != STORED or leaf in self.program.placed or not isinstance(leaf, A.MatrixAt | A.ScalarAt):
            return False
        whole = {leaf, *(part for part, place in self.program.placed.items() if place.base == leaf)}
        reads = [where for part in whole for where in self._reads.get(part, [])]
        return bool(reads) and all(0 <= where < len(self.program.forward) for where in reads)

    def _assigned(self) -> set[Any]:
        bases = {place.base for place in self.program.placed.values()}
        return {line.leaf for line in self.program.lines()} | bases

    def _kind(self, leaf: Any) -> str:
        system = self.program.plan.system
        if isinstance(leaf, A.MatrixAt | A.ScalarAt) and leaf.name in system.states:
            return STATE
        if not isinstance(leaf, A.MatrixAt | A.ScalarAt):
            return LOCAL if leaf in self.again else STORED  # adjoints are returned
        whole = {leaf, *(part for part, place in self.program.placed.items() if place.base == leaf)}
        for i, stretch in enumerate((*self.program.forward, *self.program.backward)):
            assigned = {line.leaf for line in stretch.lines}
            if stretch.direction and whole & assigned:
                elsewhere = [where for part in whole for where in self._reads.get(part, ()) if where != i]
                inside = whole & assigned
                return LOCAL if not elsewhere and inside and self._one_stretch(whole, i) else STORED
        return STORED

    def _one_stretch(self, whole: set[Any], own: int) -> bool:
        stretches = (*self.program.forward, *self.program.backward)
        return all(i == own or not whole & {line.leaf for line in s.lines} for i, s in enumerate(stretches))

    def _all_reads(self) -> dict[Any, list[int]]:
        """Leaf -> the stretches that read it; -1 stands for readout, loss, sums and whatever else comes outside."""
        found: dict[Any, list[int]] = {}
        stretches = (*self.program.forward, *self.program.backward)
        for i, stretch in enumerate(stretches):
            for line in stretch.lines:
                for leaf in leaves(line.expr):
                    found.setdefault(leaf, []).append(i)
        for expr in outside(self.program):
            for leaf in leaves(expr):
                found.setdefault(leaf, []).append(-1)
        return found

    def _computed_again(self) -> Any:
        """Yield the adjoints that are products of rows, and that only their loop reads, with their lines."""
        rows = {leaf for leaf, row in self.program.rows.items() if row.carry is not None}
        for i, stretch in enumerate((*self.program.forward, *self.program.backward)):
            for line in stretch.lines:
                if rows & set(leaves(line.expr)) and all(where == i for where in self._reads.get(line.leaf, [])):
                    yield line.leaf, line

    def _aliases(self) -> Any:
        for stretch in self.program.backward:
            for line in stretch.lines if stretch.direction else ():
                if isinstance(line.expr, N.MatrixPlus) and not isinstance(line.leaf, A.MatrixAt):
                    first = line.expr.args[0]
                    simple = all(isinstance(arg, A.MatrixAt) for arg in line.expr.args)
                    own = isinstance(first, A.MatrixAt) and first.name.startswith("local.")
                    if own and simple and len(self._reads[first]) == 1:
                        yield line.leaf, first

    def _lazy(self) -> Any:
        for stretch in self.program.backward:
            for line in () if stretch.direction else stretch.lines:
                adjoint = isinstance(line.leaf, A.Gradient | A.ScalarDerivative)
                if adjoint and not self._reads.get(line.leaf) and line.leaf not in self.program.placed:
                    yield line.leaf, line


def outside(program: Program) -> list[Any]:
    """Return the expressions that are computed outside the stretches."""
    plan = program.plan
    exprs = [line.expr for stage in ("readout", "loss") for line in plan.stage(stage)]
    exprs += [line.expr for line in (*plan.local, *program.after, *program.inputs.values())]
    return exprs + [part.expr for every in program.sums.values() for part in every]
