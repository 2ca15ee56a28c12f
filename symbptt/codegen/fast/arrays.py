"""Where the arrays of the fast style are laid out: alone, as parts of others, or over those of no further use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import algebra as A
from ..layout import span
from ..plan import Line
from ..program import Stretch
from .frames import Frames
from .storage import LOCAL, STATE


class Arrays(Frames):
    """A module that lays out its arrays before the loops that fill them."""

    def _allocate(self, stretches: Iterable[Stretch]) -> None:
        for stretch in stretches:
            for line in stretch.lines:
                self._allocate_one(line)

    def _allocate_one(self, line: Line) -> None:
        leaf, name = line.leaf, self.all.leaf(line.leaf)
        kind = self.storage.kind(leaf)
        if leaf in self.storage.lazy or name in self.storage.done:
            return
        if kind == STATE:
            self._allocate_state(line.name)
        elif leaf in self.storage.alias:
            self._named(name, self.all.leaf(self.storage.alias[leaf]))
        elif leaf in self.program.placed:
            base = self.program.placed[leaf].base
            self._allocate_base(base)
        else:
            self._new(name, kind, leaf, line.name.startswith("carry."))
            self._begin_carry(line.name)
        self._views(leaf)

    def _allocate_base(self, base: Any) -> None:
        name = self.all.leaf(base)
        if name not in self.storage.done:
            self.storage.done.add(name)
            self._new(name, self.storage.kind(base), base, False)
            self._views(base)

    def _new(self, name: str, kind: str, leaf: Any, carry: bool) -> None:
        lead = self.one if carry or kind == LOCAL else self.lead
        shape = self._array(lead, self._shape_of(leaf))
        again = self.storage.is_only_read_forward(leaf)
        if again:
            self.dead.setdefault(shape, []).append(name)
        if not again and self.dead.get(shape) and not isinstance(leaf, A.MatrixAt | A.ScalarAt):
            self._named(name, self.dead[shape].pop(0))
        elif carry:
            self.put(f"{name} = np.zeros({shape}, dtype)")
        else:
            self.lay_out(f"{name} = np.empty({shape}, dtype)")

    def _named(self, name: str, array: str) -> None:
        """Give an array, or a part of one, another name, where that is laid out."""
        laid = not self.single or self.workspace.holds(array.partition("[")[0])
        (self.lay_out if laid else self.put)(f"{name} = {array}")

    def _views(self, base: Any) -> None:
        """Name the parts of an array."""
        for leaf, place in self.program.placed.items():
            name = self.all.leaf(leaf)
            if place.base == base and name not in self.storage.done:
                self.storage.done.add(name)
                start, stop = (self.all.number(x) for x in (place.start, place.start + place.length))
                self._named(name, f"{self.all.leaf(base)}[..., {span(start, stop)}]")

    def _allocate_state(self, name: str) -> None:
        shape = self.plan.shape(name)
        start, array = self.arguments[f"{name}0"], self.whole_array(name)
        row = next((r for r, own in self.program.rows.items() if self._is_previous(own.operands[0], name)), None)
        if row is None:
            self.lay_out(f"{array} = np.empty({self._array((f'{self.T} + 1', *self.one), shape)}, dtype)")
        else:
            self._allocate_row(row, array)
        forward = self.system.direction_of(name) == 1
        self.put(f"{array}[{0 if forward else -1}] = 0.0 if {start} is None else {start}")
        early, late = f"{array}[:-1]", f"{array}[1:]"
        own, other = (late, early) if forward else (early, late)
        self.lay_out(f"{self.neighbour(name)} = {other}")
        self.lay_out(f"{self.names(name)} = {own}")

    @staticmethod
    def _is_previous(leaf: Any, state: str) -> bool:
        return isinstance(leaf, A.MatrixAt) and leaf.name == state and leaf.when != A.index("t")

    def _allocate_row(self, leaf: Any, state: str) -> None:
        """Put down the array in which a state lies beside what is constant in the recurrence."""
        row, ((_, _, end), *rest) = self.all.leaf(leaf), self.program.rows[leaf].places()
        whole = f"{row}_all"
        self.lay_out(f"{whole} = np.empty({self._array((f'{self.T} + 1',), self._shape_of(leaf))}, dtype)")
        self.lay_out(f"{state} = {whole}[:, {span('', self.all.number(end))}]")
        for operand, start, stop in rest:
            place = f"{whole}[:-1, {span(self.all.number(start), self.all.number(stop))}]"
            if isinstance(operand, A.Fill):
                self.lay_out(f"{place} = 1.0")
            else:
                self.put(f"{place} = {self.all.leaf(operand)}")
        self.lay_out(f"{row} = {whole}[:-1]")

    def _allocate_adjoint_row(self, leaf: Any) -> None:
        """Put down the array in which an adjoint lies beside the derivative of the loss of the step before."""
        row, (first, second) = self.all.leaf(leaf), self.program.rows[leaf].operands
        whole, size = f"{row}_all", self.all.number(A.shape_of(first)[0])
        self.lay_out(f"{whole} = np.empty({self._array((f'{self.T} + 1',), self._shape_of(leaf))}, dtype)")
        self.lay_out(f"{whole}[-1, {span('', size)}] = 0.0")
        self.lay_out(f"{row}, {self.all.leaf(first)} = {whole}[1:], {whole}[:-1, {span('', size)}]")
        self.lay_out(f"{self.all.leaf(second)} = {row}[:, {span(size, '')}]")

    @property
    def _adjoint_rows(self) -> dict[Any, Any]:
        return {leaf: row for leaf, row in self.program.rows.items() if row.carry is not None}
