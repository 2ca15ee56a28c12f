"""The end of a function of the fast style: gradients, several by one product where that can be, and adjoints."""

from __future__ import annotations

from typing import Any

from sympy import S

from ... import algebra as A
from ...algebra import nodes as N
from ...model import CELL
from ..layout import WIDTH, collection, span
from ..passes.merge import Merge
from ..plan import Line, Sum
from ..program import VARYING, Row, Stretch
from ..sums import Summation
from .lines import Lines
from .statements import Target
from .sums import FlatSummation

_ONE = A.Fill(S.One, S.One, S.One)


class Gradients(Lines):
    """A module that sums gradients over steps and batch."""

    def _gradients(self) -> None:
        self.section("gradients")
        self.put("grads = {}")
        for line in self.program.after:
            self._allocate_one(line)
        if self.program.after:
            self._stretch(Stretch(0, self.program.after))
        for key, parts in self._alone().items():
            first, *rest = (self._summation(part.at_end).total(part.expr) for part in parts)
            self.put(f'if "{key}" in wrt:')
            self.put(f'grads["{key}"] = {" + ".join([first.text, *(f"({term.text})" for term in rest)])}', 8)
        for name, line in self.program.inputs.items():
            self._input(name, line)
        for state in self.system.states:
            self._initial(state)
        adjoints = {line.name: self._adjoint(line.name) for line in self.plan.stage(CELL)}
        shown = [_entry(name, text) for name, text in adjoints.items()]
        self.handed_out += adjoints.values()
        for name in self.workspace.names_in(adjoints.values()):
            self.put(f"{name} = fresh({name})")
        self.lines += collection("adjoints = {", shown, "}", 4)
        self.put("return loss, grads, states, outputs, adjoints")

    def _input(self, name: str, line: Line) -> None:
        array, shape = self.names(f"gradient of {name}", f"d{self.arguments[name]}"), self.plan.shape(name)
        self.put(f'if "{name}" in wrt:')
        self.indent += 4
        self.put(f"{array} = np.empty({self._array(self.lead, shape)}, dtype)")
        with self._framed(self._stacked_kind, 1, self._width(line.leaf)):
            self._derived(line, Target(self._here(array), shape))
        self.put(f'grads["{name}"] = {array}')
        self.indent -= 4

    def _adjoint(self, name: str) -> str:
        leaf = self.plan.generic.adjoint_of(name)
        line = self.storage.lazy.get(leaf) or self.storage.again.get(leaf)
        return (
            f"lambda: {self._stacked(self.all, line.expr, self._shape_of(leaf)).text}" if line else self.adjoint(name)
        )

    def _initial(self, state: str) -> None:
        start, shape = self.arguments[f"{state}0"], self.plan.shape(state)
        carry = self.pseudo(f"carry.{state}") if state in self.plan.raw_carries else None
        text = carry or f"np.zeros({self._array(self.one, shape) or '()'}, dtype)"
        self.put(f'if "{state}0" in wrt:')
        if self.single:  # an initial state that is given has the shape of the state
            self.put(f'    grads["{state}0"] = {text}')
            return
        self.put(f"    own = {self._array(self.one, shape) or '()'} if {start} is None else {start}.shape")
        self.put(f'    grads["{state}0"] = sum_to({text}, own)')

    def _summation(self, at_end: bool) -> Summation:
        if at_end:
            return Summation(self.end, "()" if self.single else "0", "1" if self.single else self.B)
        if not self.single:
            return Summation(self.all, "(0, 1)", " * ".join(self.lead))
        return FlatSummation(self.all, "0", self.T, self._ones())

    def _alone(self) -> dict[str, list[Sum]]:
        """Put down the sums that are one product of stacked rows for several parameters; return the others."""
        merge = Merge(self.program.named, dict(self.program.constants), self.program.placed)
        rest = dict(self.program.sums)
        for leaf, row in self.program.rows.items():
            if row.carry is None:
                self._by_row(leaf, row, rest)
        groups: dict[Any, dict[Any, str]] = {}
        for key, parts in rest.items():
            if len(parts) == 1 and not parts[0].at_end and parts[0].expr is not None:
                expr = parts[0].expr
                if isinstance(expr, N.Outer) and expr.args[0] in merge.placed:
                    groups.setdefault(expr.args[1], {})[expr.args[0]] = key
                elif expr in merge.placed:
                    groups.setdefault(None, {})[expr] = key
        for other, keys in groups.items():
            for run in merge.runs(dict.fromkeys(keys), False):
                self._together([keys[leaf] for leaf in run], run, other, merge)
                for leaf in run:
                    rest.pop(keys[leaf])
        return rest

    def _by_row(self, leaf: Any, row: Row, sums: dict[str, list[Sum]]) -> None:
        """Put down, and take away, the sums of u v^T whose vectors v lie side by side in a row, with those of u."""
        found: dict[Any, dict[Any, str]] = {}
        for key, parts in sums.items():
            if len(parts) == 1 and not parts[0].at_end:
                u, v = parts[0].expr.args if isinstance(parts[0].expr, N.Outer) else (parts[0].expr, _ONE)
                if v in row.operands and isinstance(u, VARYING) and A.rank_of(u) == 1:
                    found.setdefault(u, {})[v] = key
        for u, keys in found.items():
            if len(keys) > 1:
                total = self._summation(False).total(N.Outer(u, leaf)).text
                self._one_sum(total, [(keys[v], self._columns(v, *at)) for v, *at in row.places() if v in keys])
                for key in keys.values():
                    sums.pop(key)

    def _columns(self, operand: Any, low: Any, high: Any) -> str:
        return f":, {self.all.number(low) if operand == _ONE else self._span(low, high)}"

    def _span(self, low: Any, high: Any) -> str:
        return span(self.all.number(low), self.all.number(high))

    def _together(self, keys: list[str], run: list[Any], other: Any, merge: Merge) -> None:
        """Put down one sum for several parameters, and its parts."""
        before = {*merge.placed}
        whole = merge.combined(run)
        for leaf in [leaf for leaf in merge.placed if leaf not in before]:
            self._views(merge.placed[leaf].base)
        total = self._summation(False).total(whole if other is None else N.Outer(whole, other)).text
        start: Any = merge.placed[run[0]].start
        places = [merge.placed[leaf] for leaf in run]
        spans = [self._span(place.start - start, place.start - start + place.length) for place in places]
        self._one_sum(total, list(zip(keys, spans, strict=True)))

    def _one_sum(self, total: str, parts: list[tuple[str, str]]) -> None:
        """Put down a sum with the gradients that are parts of it."""
        keys = [key for key, _ in parts]
        name = self.names(f"sum of {keys[0]}", f"d{self.names(keys[0])}_and_on")
        self.lines += collection("keys = (", [f'"{key}"' for key in keys], ")", 4)
        self.put("if any(key in wrt for key in keys):")
        self.put(f"{name} = {total}", 8)
        for key, part in parts:
            self.put(f'if "{key}" in wrt:', 8)
            self.put(f'grads["{key}"] = {name}[{part}]', 12)


def _entry(name: str, text: str) -> str:
    """Return an entry of a dict, a long function in brackets."""
    entry = f'"{name}": {text}'
    if len(entry) + 9 <= WIDTH or not text.startswith("lambda: "):
        return entry
    return f'"{name}": lambda: (\n            {text.removeprefix("lambda: ")}\n        )'
