"""The same program as calls on arrays that are laid out before: what ``lambdify`` runs."""

from __future__ import annotations

from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ...model import CELL, LOSS, READOUT
from ..emit import SUM_TO, Module
from ..layout import collection, docstring, without_unused, wrapped
from ..memory import memory
from ..plan import Line
from ..program import VARYING, leaves
from ..prologue import size_source
from . import softmax
from .frames import BLOCK
from .gradients import Gradients
from .statements import UFUNCS, Target


class FastModule(Gradients):
    """Builds the text; every array has its place before the loops begin, and a step only calls functions.

    It is made of a network and of the parameters of :class:`symbptt.codegen.frames.Frames`.
    """

    # -- the module -----------------------------------------------------------------------------------
    def text(self) -> str:
        """Return the module."""
        self._forward()
        self._losses()
        self._local()
        self._sweep()
        self._gradients()
        body, self.lines = self.lines, []
        self._beginning()
        self.all.helpers["laid_out"], head, body = self.workspace.divided(
            self.lines, body, [*self.lead, *self.sizes.values()], self.handed_out
        )
        calls = [name for name in UFUNCS if any(f" {name}(" in line for line in body)]
        names = [f"    {name} = np.{name}" for name in calls]
        definition = f"def bptt({', '.join(self._parameters())}):"
        needed = memory("\n".join([*head, *body, *self.laid, self.all.helpers["laid_out"]]))
        about = ["Return loss, gradients, states, outputs and adjoints of arrays that were checked.", ""]
        about += wrapped(f"Memory, in bytes, of the arrays over all steps in float64: {needed}.")
        definition = "\n".join([definition, *docstring(about, 4)])
        lines = without_unused([*names, *head, *body])
        function = "\n".join([definition, *lines])
        parts = ["import numpy as np", *(text.rstrip("\n") for text in self._called(function)), function]
        return "\n\n\n".join(parts) + "\n"

    def _called(self, function: str) -> list[str]:
        """Return the functions that are called."""
        known = {"sum_to": SUM_TO, **self.helpers}
        read = "\n".join([function, *known.values()])
        return [text for name, text in known.items() if read.count(f"{name}(") > 1]

    def _parameters(self) -> list[str]:
        given = [self.arguments[name] for name in (*self.system.inputs, *self.system.fixed)]
        states = [self.arguments[f"{s}0"] for s in self.system.states]
        return [
            "params",
            *given,
            *(["steps"] if self.needs_steps else []),
            *states,
            *self.cotangents.values(),
            "wrt",
            "dtype",
        ]

    def _beginning(self) -> None:
        for key in self.system.parameters:
            self.put(f'{self.names(key)} = params["{key}"]')
        self._sizes_and_lead()
        for symbol, expr in self.program.constants.items():
            self.put(f"{self.all.term(symbol).text} = {self._joined(expr)}")
        for name, text in self.prepared.items():
            self.put(f"{name} = {text}")
        for shape, names in self.pool.items():
            for name in names if "size" not in shape else ():
                self.lay_out(f"{name} = np.empty({shape}, dtype)")

    def _joined(self, expr: Any) -> str:
        """Return matrices on top of each other, or side by side."""
        if not isinstance(expr, N.Transposed):
            return f"np.concatenate(({', '.join(self.all.term(a).text for a in expr.args)}))"
        sides = [self.all.term(A.transpose(a)).text for a in expr.args[0].args]
        vectors = [A.rank_of(A.transpose(a)) == 1 for a in expr.args[0].args]
        shown = (f"{text}[:, None]" if vector else text for text, vector in zip(sides, vectors, strict=True))
        return f"np.concatenate(({', '.join(shown)}), 1)"

    def _sizes_and_lead(self) -> None:
        first = self.arguments[next(iter(self.system.inputs))]
        self.put(f"{', '.join(self.lead)} = {first}.shape[:2]" if not self.single else f"{self.T} = len({first})")
        for symbol, name in self.sizes.items():
            self.put(f"{name} = {size_source(self, symbol)}")

    # -- forward --------------------------------------------------------------------------------------
    def _forward(self) -> None:
        self.section("forward")
        self._allocate(self.program.forward)
        for stretch in self.program.forward:
            self._stretch(stretch)

    # -- readout and loss -----------------------------------------------------------------------------
    def _losses(self) -> None:
        """Put down readout, loss and its derivatives, in blocks of steps while they are in a cache."""
        self.section("readout, loss and its derivatives")
        (line,) = self.plan.stage(LOSS)
        losses, last = self.names("l"), self.plan.last
        for readout in self.plan.stage(READOUT):
            if self._is_stored(readout.leaf):
                shape = self._array(self.lead, self._shape_of(readout.leaf))
                returned = readout.name in self.system.predictions
                (self.put if returned else self.lay_out)(f"{self.names(readout.name)} = np.empty({shape}, dtype)")
        if not last:
            self.lay_out(f"{losses} = np.empty({self._array(self.lead, ())}, dtype)")
            self._allocate_local()
        with self._framed(self._stacked_kind, 1, self._width(line.leaf)):
            for readout in self.plan.stage(READOUT):
                self._readout(readout)
            if not last:
                here = self._here(losses)
                self._by_kind(line.expr, lambda writer: self.put(f"{here}[...] = {writer.term(line.expr).text}"))
                self._local_here()
        if last:
            self.put(f"{losses} = {self._stacked(self.end, line.expr, ()).text}")
        self._outcome(losses)
        if last:
            Module._local(self)

    def _outcome(self, losses: str) -> None:
        mean = f" / {self.T}" if self.system.reduction == "mean" else ""
        total = f"{self._ones()}.dot({losses})" if self.single and not self.plan.last else f"{losses}.sum()"
        self.put(f"loss = float({total}){mean}")
        shown = [f'"{state}": {self._returned(state)}' for state in self.system.states]
        self.lines += collection("states = {", shown, "}", 4)
        outputs = {name: self._fresh(self.names(name)) for name in self.system.predictions}
        if len(outputs) == 1:
            self.put(f"outputs = {outputs[self.system.prediction]}")
        else:
            self.lines += collection("outputs = {", [f'"{name}": {array}' for name, array in outputs.items()], "}", 4)
        self.put("if not wrt:")
        self.put("    return loss, {}, states, outputs, {}")

    def _returned(self, state: str) -> str:
        inside = any(self._is_previous(row.operands[0], state) for row in self.program.rows.values())
        if inside:
            self.lay(f"{self.T} + 1", self.plan.shape(state))
        array = self.whole_array(state)
        return f"{array}.copy()" if inside else self._fresh(array)

    def _is_stored(self, leaf: Any) -> bool:
        """Whether a variable of the readout is returned, or read after its block."""
        return self.plan.last or leaf.name in self.system.predictions or self.storage.is_read_later(leaf)

    def _readout(self, line: Line) -> None:
        shape = self._shape_of(line.leaf)
        if self._is_stored(line.leaf) or self.single:
            name = self._here(self.names(line.name))
            if not self._is_stored(line.leaf):
                self.lay_out(f"{name} = np.empty({self._array(self.lead, shape)}, dtype)")
        else:
            array = self.names(line.name)
            name = self.frame.own[array] = self.names(f"s of {array}", f"{array}_s")
            self.put(f"{name} = np.empty({self._array(('size', self.B), shape)}, dtype)")
        if isinstance(line.expr, N.Softmax) and self._overwritable(line.expr.args[0]):
            self._softmax(line, name)
        else:
            self._statements().into(line.expr, Target(name, shape))

    def _softmax(self, line: Line, name: str) -> None:
        """Put down a softmax that takes the place of its logits."""
        logits = self._here(self.names(line.expr.args[0].name))
        log = self.names(f"logarithms of {name}", f"log_{name}")
        arguments = [logits, name, log]
        if not self.single:
            steps = "size" if self.frame.kind == BLOCK else self.T
            self.put(f"{log} = np.empty(({steps}, {self.B}, 1), dtype)")
        else:
            self.lay_out(f"{log} = np.empty(({self.T}, 1), dtype)")
            q = self.all.number(self._shape_of(line.leaf)[0])
            arguments.append(self._constant(f"ones of classes {q}", "ones_of_classes", f"np.ones({q}, dtype)"))
        self.all.helpers["softmax_into"] = softmax.SINGLE if self.single else softmax.BATCH
        self.put(f"softmax_into({', '.join(arguments)})")
        self.storage.logs[line.leaf] = logits, log

    def _overwritable(self, leaf: Any) -> bool:
        """Whether an array of the readout is read for the softmax alone, and for its logarithm."""
        if not isinstance(leaf, A.MatrixAt) or leaf.name in self.system.predictions or self.plan.last:
            return False
        used = [line.expr for stage in (CELL, READOUT, LOSS) for line in self.plan.stage(stage)]
        used += [line.expr for line in (*self.plan.local, *self.program.lines(), *self.program.inputs.values())]
        used += [part.expr for every in self.program.sums.values() for part in every]
        reads = [expr for expr in used for read in leaves(expr) if read == leaf]
        names = {line.name for line in self.plan.stage(READOUT)}
        return len(reads) == 1 and leaf.name in names

    def _local(self) -> None:
        """Nothing: the derivatives of a loss are put down beside it."""

    def _allocate_local(self) -> None:
        for leaf in self._adjoint_rows:
            self._allocate_adjoint_row(leaf)
        arrays = []
        for line in self._local_lines():
            if not any(line.leaf in row.operands for row in self._adjoint_rows.values()):
                shape = self._array(self.lead, self.plan.shape(line.name))
                names = [self.local(line.name), *([self.weighted(line.name)] if self._is_weighted(line) else [])]
                arrays += [f"{name} = np.empty({shape}, dtype)" for name in names]
        for text in arrays:
            self.lay_out(text)

    def _local_lines(self) -> list[Line]:
        """Return the derivatives of the loss, without those whose product a row contains."""
        contained = {row.local for row in self._adjoint_rows.values()}
        return [line for line in self.plan.local if line.leaf not in contained]

    def _is_weighted(self, line: Line) -> bool:
        return line.name in self.plan.generic.adjoints and self.plan.generic.weight != 1

    def _local_here(self) -> None:
        before, views = self.lines, dict(self.frame.views)
        self.lines, self.indent = [], self.indent + 4
        for line in self._local_lines():
            name = self._here(self.local(line.name))
            self._derived(line, Target(name, self.plan.shape(line.name)))
            if self._is_weighted(line):
                self.put(f"np.divide({name}, {self.T}, {self._here(self.weighted(line.name))})")
        body, self.lines, self.indent = self.lines, before, self.indent - 4
        if body:
            self.put("if wrt:")
            new = {array: view for array, view in self.frame.views.items() if array not in views}
            if self.frame.kind == BLOCK and new:
                self.frame.views = views
                self.put(f"    {', '.join(new.values())} = {', '.join(f'{array}[part]' for array in new)}")
            self.lines += body

    # -- backward -------------------------------------------------------------------------------------
    def _sweep(self) -> None:
        self.section("backward sweep")
        for row in self._adjoint_rows.values():
            self.storage.done.add(self.all.leaf(row.operands[0]))
            self._views(row.operands[0])
        self._allocate(self.program.backward)
        for stretch in self.program.backward:
            self._stretch(stretch)
        for row in self._adjoint_rows.values():
            text = self.all.with_leaf(self._first).term(row.carry.expr).text
            self.put(f"{self.all.leaf(row.carry.leaf)} = {text}")

    def _first(self, leaf: Any) -> str:
        """Name the value of a quantity at the first step."""
        return self.all.leaf(leaf) + ("[0]" if isinstance(leaf, VARYING) else "")
