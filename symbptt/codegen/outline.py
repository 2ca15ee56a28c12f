"""The parts of a generated function outside its loops, in every library: first line, readout, loss, gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from .. import algebra as A
from ..model import CELL, LOSS, READOUT, Network
from .layout import collection, definition
from .page import Page
from .passes.pipeline import READABLE, prepared
from .plan import Line
from .program import Program
from .sums import Summation
from .terms import ATOM, Term, signed
from .writer import Writer


class Outline(Page, ABC):
    """A module whose parts outside the loops are put down in the words of its dialect.

    Attributes
    ----------
    one, lead : tuple of str
        The leading axes of what has one value, and of what has one at each step.
    laid : list of str
        The arrays over all steps that expressions make, as NumPy would lay them out.
    """

    summation = Summation

    def __init__(self, network: Network, last: bool = False) -> None:
        super().__init__(network, last)
        self.program = self._program()
        self.one: tuple[str, ...] = (self.B,)
        self.lead: tuple[str, ...] = (self.T, self.B)
        self.laid: list[str] = []

    def _program(self) -> Program:
        return prepared(self.plan, READABLE)

    def lay(self, steps: str, shape: tuple[Any, ...]) -> None:
        """Note an array over all steps."""
        self.laid.append(f"np.empty(({', '.join([steps, *self.lead[1:], *map(str, shape)])}), dtype)")

    def _signature(self) -> list[str]:
        given = (*self.system.inputs, *self.system.fixed)
        required = ["params", *(self.arguments[name] for name in given), *(["steps"] if self.needs_steps else [])]
        required += self.masks
        optional = [f"{self.arguments[f'{s}0']}=None" for s in self.system.states]
        optional += [f"{name}=None" for name in self.cotangents.values()]
        return definition("bptt", [*required, *optional, "wrt=None"])

    # -- readout and loss -----------------------------------------------------------------------------
    def _losses(self) -> None:
        self.section("readout and loss, all steps at once")
        for line in self.plan.stage(READOUT):
            self.equals(line.left, line.right)
            self.lay(self.T, self.plan.shape(line.name))
            self.put(f"{self.names(line.name)} = {self._stacked(self.all, line.expr, self.plan.shape(line.name)).text}")
        (line,) = self.plan.stage(LOSS)
        final = self.plan.last
        self.equals(line.left, line.right, at=self.system.end if final else None)
        writer = self.end if final else self.all
        self.put(f"{self.names('l')} = {self._stacked(writer, line.expr, ()).text}")
        self.equals(self.system.L, self.plan.total)
        mean = f" / {self.T}" if self.system.reduction == "mean" else ""
        total = f"{self.names('l')}.sum(){mean}"
        self.put(f"loss = {self.dialect.number.format(total)}")
        shown = [f'"{s}": unbatch({self.whole_array(s)}, batched)' for s in self.system.states]
        self.lines += collection("states = {", shown, "}", 4)
        outputs = {name: f"unbatch({self.names(name)}, batched)" for name in self.system.predictions}
        self.reads(self.names(name) for name in outputs)
        if len(outputs) == 1:
            self.put(f"outputs = {outputs[self.system.prediction]}")
        else:
            self.lines += collection("outputs = {", [f'"{name}": {text}' for name, text in outputs.items()], "}", 4)
        self.put("if len(wrt) == 0:")
        self.put("return Result(loss, {}, states, outputs, {})", 8)

    def _stacked(self, writer: Writer, expr: Any, shape: tuple[Any, ...]) -> Term:
        """Return an expression over all steps, with its leading axes also where it is constant."""
        return self._filled(writer, expr, shape, *(self.one if writer is self.end else self.lead))

    def _filled(self, writer: Writer, expr: Any, shape: tuple[Any, ...], *lead: str) -> Term:
        term = writer.full(expr)
        if term.varies:
            return term
        text = f"{self.dialect.module}.full({self.array(*lead, shape=shape)}, {term.text}, dtype)"
        return Term(text, ATOM, term.rank, True)

    def _local(self) -> None:
        self.section("derivatives of the loss of a step, all steps at once")
        final = self.plan.last
        for line in self.plan.local:
            name, shape = self.local(line.name), self.plan.shape(line.name)
            is_cell = line.name in self.plan.generic.adjoints
            if is_cell or not final:
                self.lay(self.T, shape)
            self.equals(line.left, line.right, at=self.system.end if final else None)
            text = self._stacked(self.end if final else self.all, line.expr, shape).text
            if final and is_cell:
                zeros = f"{self.dialect.module}.zeros({self.array(*self.lead, shape=shape)}, dtype)"
                for form in self.dialect.only_last:
                    self.put(form.format(name=name, zeros=zeros, value=text))
                continue
            self.put(f"{name} = {text}")
            if is_cell:
                self._weight(line)

    def _weight(self, line: Line) -> None:
        if self.plan.generic.weight != 1:
            part, whole = self.plan.generic.weighted(line.left), self.plan.generic.adjoint_of(line.name)
            self.say(f"{self.formula(part)}, its part in {self.formula(self.plan.notation(whole))}")
            self.put(f"{self.weighted(line.name)} = {self.local(line.name)} / {self.T}")

    # -- gradients ------------------------------------------------------------------------------------
    def _gradients(self) -> None:
        self.section("gradients: sums over steps and batch")
        self.put("grads = {}")
        self._after(self.program.after)
        for key, parts in self.program.sums.items():
            first, *rest = (self._summation(part.at_end).total(part.expr) for part in parts)
            symbol = self.plan.notation(self.system.parameters[key])
            right = self.plan.notation(self.plan.generic.parameter_sum(key))
            self._gradient(key, symbol, right, signed(first.text, list(rest)))
        for name, line in self.program.inputs.items():
            term = self.all.full(line.expr)
            text = term.text if term.varies else f"{self.dialect.module}.zeros_like({self.arguments[name]})"
            self.lay(self.T, self.plan.shape(name))
            self._gradient(name, line.left.by, line.right, f"unbatch({text}, batched)")
        for state in self.system.states:
            self._initial(state)
        names = [line.name for line in self.plan.stage(CELL)]
        self.reads(map(self.adjoint, names))
        shown = [f'"{name}": unbatch({self.adjoint(name)}, batched)' for name in names]
        self.lines += collection("adjoints = {", shown, "}", 4)
        self.put("return Result(loss, grads, states, outputs, adjoints)")

    @abstractmethod
    def _after(self, lines: Iterable[Line]) -> None:
        """Put down what is computed for the sums alone."""

    def reads(self, names: Iterable[str]) -> None:
        """Take note of arrays that the code reads outside expressions."""

    def _summation(self, at_end: bool) -> Summation:
        if at_end:
            return self.summation(self.end, "0", self.B)
        return self.summation(self.all, "(0, 1)", f"{self.T} * {self.B}")

    def _gradient(self, key: str, by: Any, right: Any, text: str) -> None:
        self.equals(A.derivative(self.system.L, by), right)
        self.put(f'if "{key}" in wrt:')
        self.put(f'grads["{key}"] = {text}', 8)

    def _initial(self, state: str) -> None:
        start = self.arguments[f"{state}0"]
        carried, zeros = state in self.plan.raw_carries, f"{self.dialect.module}.zeros_like({start})"
        text = f"sum_to({self.pseudo(f'carry.{state}')}, {start}.shape)" if carried else zeros
        by = self.plan.notation(self.system.at(state, self.system.start_of(state)))
        self._gradient(f"{state}0", by, self.plan.notation(self.plan.generic.initial_gradient(state)), text)
