"""The same program as calls on arrays that are laid out before: what ``lambdify`` runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .. import algebra as A
from ..algebra import nodes as N
from ..model import CELL, LOSS, READOUT, Network
from .classes import ClassStatements, ClassWriter
from .emit import Module
from .memory import memory
from .passes.join import join
from .passes.merge import Merge
from .passes.pipeline import FAST, FAST_SINGLE, Pass, prepared
from .plan import Line, Sum
from .program import VARYING, Program, Stretch, leaves
from .prologue import size_source
from .statements import UFUNCS, Statements, Target
from .storage import LOCAL, STATE, Storage
from .sums import Summation

HELPERS = {
    "blocks": '''def blocks(steps, batch):
    """Yield slices of steps with about 512 rows each, and how many steps they have."""
    size = max(1, 512 // batch)
    for start in range(0, steps, size):
        yield slice(start, start + size), min(size, steps - start)
''',
    "softmax": '''def softmax(a, y):
    """Write softmax(a) into y and its logarithm into a, in blocks that fit into a cache."""
    a, y = rows(a), rows(y)
    size = max(1, 32768 // a.shape[1])
    for start in range(0, len(a), size):
        u, v = a[start : start + size], y[start : start + size]
        np.subtract(u, u.max(-1, keepdims=True), u)
        np.exp(u, v)
        total = v.sum(-1, keepdims=True)
        np.divide(v, total, v)
        np.subtract(u, np.log(total), u)
''',
}


ALL, BLOCK, STEP = "all", "block", "step"


@dataclass
class Frame:
    """What lines are put down for: all steps, a block of them, or one; and the views of arrays that they read."""

    kind: str
    views: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    """Arrays that are made for the frame alone."""


class FastModule(Module):
    """Builds the text; every array has its place before the loops begin, and a step only calls functions.

    Parameters
    ----------
    network : Network
    single : bool
        Whether there is one sequence, whose arrays have no axis of batch.
    passes : tuple of Pass, optional
        Those of the style by default; without any, every line is carried out where it was derived.
    """

    def __init__(
        self, network: Network, single: bool, passes: tuple[Pass, ...] | None = None, last: bool = False
    ) -> None:
        self.single = single
        chosen = (FAST_SINGLE if single else FAST) if passes is None else passes
        self.passes = tuple(p for p in chosen if not (last and p is join))  # the carry begins with something
        super().__init__(network, last)
        self.lead = (self.T,) if single else (self.T, self.B)
        self.one = () if single else (self.B,)
        self.storage = Storage(self.program)
        self.prepared: dict[str, str] = {}
        self.pool: dict[str, list[str]] = {}
        self.dead: dict[str, list[str]] = {}
        self.frame = Frame(ALL)
        self.indent = 4
        self.here = self.all.with_leaf(self._leaf_here)

    def _program(self) -> Program:
        return prepared(self.plan, self.passes)

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
        head = self.lines
        calls = ", ".join(name for name in UFUNCS if any(f" {name}(" in line for line in body))
        names = [f"    {calls} = {', '.join(f'np.{name}' for name in calls.split(', '))}"] if calls else []
        definition = f"def bptt({', '.join(self._parameters())}):"
        needed = memory("\n".join([*head, *body, *self.kept]))
        definition += f'\n    """Memory, in bytes, of the arrays over all steps in float64: {needed}."""'
        parts = ["import numpy as np", *(text.rstrip("\n") for text in self._definitions())]
        return "\n\n\n".join([*parts, "\n".join([definition, *names, *head, *body])]) + "\n"

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
            self.put(f"{self.all.term(symbol).text} = {self._constant(expr)}")
        for name, text in self.prepared.items():
            self.put(f"{name} = {text}")
        for shape, names in self.pool.items():
            for name in names if "size" not in shape else ():
                self.put(f"{name} = np.empty({shape}, dtype)")

    def _constant(self, expr: Any) -> str:
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

    def put(self, text: str, indent: int | None = None) -> None:
        self.lines.append(" " * (self.indent if indent is None else indent) + text)

    def say(self, text: str, indent: int = 4) -> None:
        """Say nothing: the readable module explains each line."""

    def section(self, title: str) -> None:
        self.lines.append(f"    # {title}")

    # -- arrays ---------------------------------------------------------------------------------------
    def _array(self, lead: Iterable[str], shape: tuple[Any, ...]) -> str:
        return self.array(*lead, shape=shape)

    def _leaf_here(self, leaf: Any) -> str:
        """Name a quantity as the lines of the present frame read it."""
        leaf = self.storage.alias.get(leaf, leaf)
        name = self.all.leaf(leaf)
        carry = leaf.__class__ in (A.MatrixAt, A.ScalarAt) and leaf.name.startswith("carry.")
        alone = carry or self.storage.kind(leaf) == LOCAL
        return name if alone or not isinstance(leaf, VARYING) else self._here(name)

    def _here(self, array: str) -> str:
        """Name the part of an array over all steps that belongs to the present frame."""
        if self.frame.kind == ALL:
            return array
        if array in self.frame.own:
            return self.frame.own[array]
        suffix = "t" if self.frame.kind == STEP else "s"
        return self.frame.views.setdefault(array, self.names(f"{suffix} of {array}", f"{array}_{suffix}"))

    @contextmanager
    def _framed(self, kind: str, direction: int = 1) -> Iterator[None]:
        """Put down what is done inside in a loop over steps, or over blocks of steps."""
        outside, self.lines = self.lines, []
        self.frame, self.indent = Frame(kind), self.indent + 4 * (kind != ALL)
        yield
        body, self.lines = self.lines, outside
        views, self.frame = self.frame.views, Frame(ALL)
        self.indent -= 4 * (kind != ALL)
        if not body:
            return
        left = ", ".join(views.values())
        turned = "" if direction == 1 else "[::-1]"
        if kind == STEP:
            arrays = ", ".join(f"{name}{turned}" for name in views)
            self.put(f"for {left} in zip({arrays}):" if len(views) > 1 else f"for {left} in {arrays}:")
        elif kind == BLOCK:
            self.all.helpers["blocks"] = HELPERS["blocks"]
            self.put(f"for part, size in blocks({self.T}, {self.B}):")
            if views:
                self.put(f"    {left} = {', '.join(f'{name}[part]' for name in views)}")
        self.lines += body

    @property
    def _stacked_kind(self) -> str:
        return ALL if self.single else BLOCK

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
            self.put(f"{name} = {self.all.leaf(self.storage.alias[leaf])}")
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
        if self.storage.is_only_read_forward(leaf):
            self.dead.setdefault(shape, []).append(name)
        elif self.dead.get(shape) and not isinstance(leaf, A.MatrixAt | A.ScalarAt):
            self.put(f"{name} = {self.dead[shape].pop(0)}")
            return
        self.put(f"{name} = np.{'zeros' if carry else 'empty'}({shape}, dtype)")

    def _views(self, base: Any) -> None:
        """Name the parts of an array."""
        for leaf, place in self.program.placed.items():
            name = self.all.leaf(leaf)
            if place.base == base and name not in self.storage.done:
                self.storage.done.add(name)
                start, stop = (self.all.number(x) for x in (place.start, place.start + place.length))
                self.put(f"{name} = {self.all.leaf(base)}[..., {start}:{stop}]")

    def _allocate_state(self, name: str) -> None:
        shape = self.plan.shape(name)
        start, array = self.arguments[f"{name}0"], self.whole_array(name)
        row = next((r for r, own in self.program.rows.items() if self._is_previous(own.operands[0], name)), None)
        if row is None:
            self.put(f"{array} = np.empty({self._array((f'{self.T} + 1', *self.one), shape)}, dtype)")
        else:
            self._allocate_row(row, array)
        forward = self.system.direction_of(name) == 1
        self.put(f"{array}[{0 if forward else -1}] = 0.0 if {start} is None else {start}")
        early, late = f"{array}[:-1]", f"{array}[1:]"
        own, other = (late, early) if forward else (early, late)
        self.put(f"{self.neighbour(name)}, {self.names(name)} = {other}, {own}")

    @staticmethod
    def _is_previous(leaf: Any, state: str) -> bool:
        return isinstance(leaf, A.MatrixAt) and leaf.name == state and leaf.when != A.index("t")

    def _allocate_row(self, leaf: Any, state: str) -> None:
        """Put down the array in which a state lies beside what is constant in the recurrence."""
        row, first, *rest = self.all.leaf(leaf), *self.program.rows[leaf].operands
        whole = f"{row}_all"
        self.put(f"{whole} = np.empty({self._array((f'{self.T} + 1',), self._shape_of(leaf))}, dtype)")
        stop = A.shape_of(first)[0]
        self.put(f"{state} = {whole}[:, :{self.all.number(stop)}]")
        for operand in rest:
            start, stop = stop, stop + A.shape_of(operand)[0]
            value = "1.0" if isinstance(operand, A.Fill) else self.all.leaf(operand)
            self.put(f"{whole}[:-1, {self.all.number(start)}:{self.all.number(stop)}] = {value}")
        self.put(f"{row} = {whole}[:-1]")

    def _allocate_adjoint_row(self, leaf: Any) -> None:
        """Put down the array in which an adjoint lies beside the derivative of the loss of the step before."""
        row, (first, second) = self.all.leaf(leaf), self.program.rows[leaf].operands
        whole, size = f"{row}_all", self.all.number(A.shape_of(first)[0])
        self.put(f"    {whole} = np.empty({self._array((f'{self.T} + 1',), self._shape_of(leaf))}, dtype)")
        self.put(f"    {whole}[-1, :{size}] = 0.0")
        self.put(f"    {row}, {self.all.leaf(first)} = {whole}[1:], {whole}[:-1, :{size}]")
        self.put(f"    {self.all.leaf(second)} = {row}[:, {size}:]")

    @property
    def _adjoint_rows(self) -> dict[Any, Any]:
        return {leaf: row for leaf, row in self.program.rows.items() if row.carry is not None}

    # -- lines ----------------------------------------------------------------------------------------
    def _statements(self, kind: type[Statements] = Statements, writer: Any = None) -> Any:
        return kind(writer or self.here, self.put, self._scratch, self._release, self._product)

    def _scratch(self, shape: tuple[Any, ...]) -> str:
        lead = {STEP: self.one, ALL: self.lead, BLOCK: ("size", self.B)}[self.frame.kind]
        key = self._array(lead, shape)
        free = self.storage.free.setdefault(key, [])
        if free and self.frame.kind != BLOCK:
            return free.pop()
        names = self.pool.setdefault(key, [])
        names.append(self.names(f"scratch {key} {len(names)}", f"work_{sum(map(len, self.pool.values()))}"))
        if self.frame.kind == BLOCK:
            self.put(f"{names[-1]} = np.empty({key}, dtype)")
        return names[-1]

    def _release(self, name: str) -> None:
        key = next(key for key, names in self.pool.items() if name in names)
        self.storage.free[key].append(name)

    def _product(self, vector: str, matrix: Any, target: str, _: str) -> str:
        transposed = isinstance(matrix, N.Transposed)
        text = self.all.term(matrix.args[0] if transposed else A.transpose(matrix)).text
        if not text.isidentifier():
            text = self._once(text)
        if self.frame.kind == STEP or self.single:
            return f"{vector}.dot({text}, {target})"
        self.all.need("rows")
        return f"rows({vector}).dot({text}, rows({target}))"

    def _once(self, text: str) -> str:
        """Name what is computed of parameters, before everything else."""
        name = self.names(f"constant {text}", text.replace(".T", "_T") if text.endswith(".T") else "constant")
        self.prepared[name] = text
        return name

    def _target(self, leaf: Any) -> Target:
        return Target(self.here.leaf(leaf), self._shape_of(leaf), leaf not in self.program.placed)

    def _stretch(self, stretch: Stretch) -> None:
        lines = [line for line in stretch.lines if line.leaf not in self.storage.lazy]
        if lines:
            with self._framed(STEP if stretch.direction else self._stacked_kind, stretch.direction or 1):
                for line in lines:
                    self._line(line)

    def _line(self, line: Line) -> None:
        statements, target = self._statements(), self._target(line.leaf)
        if line.leaf in set(leaves(line.expr)):
            name = self._scratch(target.shape)
            statements.into(line.expr, Target(name, target.shape))
            self.put(f"np.copyto({target.name}, {name})")
            self._release(name)
        else:
            statements.into(line.expr, target)

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
                self.put(f"{self.names(readout.name)} = np.empty({shape}, dtype)")
        if not last:
            self.put(f"{losses} = np.empty({self._array(self.lead, ())}, dtype)")
            self._allocate_local()
        with self._framed(self._stacked_kind):
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
        self.put(f"loss = float({losses}.sum()){mean}")
        shown = ", ".join(f'"{s}": {self._returned(s)}' for s in self.system.states)
        self.put(f"states = {{{shown}}}")
        outputs = ", ".join(f'"{name}": {self.names(name)}' for name in self.system.predictions)
        single = len(self.system.predictions) == 1
        self.put(f"outputs = {self.names(self.system.prediction) if single else f'{{{outputs}}}'}")
        self.put("if not wrt:")
        self.put("    return loss, {}, states, outputs, {}")

    def _returned(self, state: str) -> str:
        inside = any(self._is_previous(row.operands[0], state) for row in self.program.rows.values())
        if inside:
            self.kept.append(f"np.empty({self._array((f'{self.T} + 1',), self.plan.shape(state))}, dtype)")
        return self.whole_array(state) + (".copy()" if inside else "")

    def _is_stored(self, leaf: Any) -> bool:
        """Whether a variable of the readout is returned, or read after its block."""
        return self.plan.last or leaf.name in self.system.predictions or self.storage.is_read_later(leaf)

    def _readout(self, line: Line) -> None:
        shape = self._shape_of(line.leaf)
        if self._is_stored(line.leaf) or self.single:
            name = self._here(self.names(line.name))
            if not self._is_stored(line.leaf):
                self.put(f"{name} = np.empty({self._array(self.lead, shape)}, dtype)")
        else:
            array = self.names(line.name)
            name = self.frame.own[array] = self.names(f"s of {array}", f"{array}_s")
            self.put(f"{name} = np.empty({self._array(('size', self.B), shape)}, dtype)")
        if isinstance(line.expr, N.Softmax) and self._overwritable(line.expr.args[0]):
            self.all.need("rows")
            self.all.helpers["softmax"] = HELPERS["softmax"]
            logits = self._here(self.names(line.expr.args[0].name))
            self.put(f"softmax({logits}, {name})")
            self.storage.logs[line.leaf] = logits
        else:
            self._statements().into(line.expr, Target(name, shape))

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

    def _by_kind(self, expr: Any, write: Any) -> None:
        """Put a line down for class indices, and for distributions."""
        reads = [read for read in leaves(expr) if read.__class__ is A.MatrixAt and read.name in self._class_targets()]
        if not reads:
            write(self._logs(self.here))
            return
        name = self._here(self.arguments[reads[0].name])
        self.put(f'if {name}.dtype.kind in "iu":')
        self.indent += 4
        write(ClassWriter.of(self._logs(self.here), reads[0], name, self.single))
        self.indent -= 4
        self.put("else:")
        self.indent += 4
        write(self._logs(self.here))
        self.indent -= 4

    def _class_targets(self) -> list[str]:
        kinds = self.system.targets
        return [name for name, kind in kinds.items() if kind == "distribution" and self.plan.shape(name)]

    def _logs(self, writer: Any) -> Any:
        """Return a writer that knows the logarithms of a softmax."""
        return ClassWriter.with_logs(writer, self.storage.logs)

    def _local(self) -> None:
        """Nothing: the derivatives of a loss are put down beside it."""

    def _allocate_local(self) -> None:
        self.put("if wrt:")
        for leaf in self._adjoint_rows:
            self._allocate_adjoint_row(leaf)
        for line in self._local_lines():
            if any(line.leaf in row.operands for row in self._adjoint_rows.values()):
                continue
            shape = self._array(self.lead, self.plan.shape(line.name))
            self.put(f"    {self.local(line.name)} = np.empty({shape}, dtype)")
            if self._is_weighted(line):
                self.put(f"    {self.weighted(line.name)} = np.empty({shape}, dtype)")
        if not self.plan.local:
            self.put("    pass")

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

    def _derived(self, line: Line, target: Target) -> None:
        """Put down a line that may read a target."""
        self._by_kind(line.expr, lambda writer: self._statements(ClassStatements, writer).into(line.expr, target))

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

    # -- gradients ------------------------------------------------------------------------------------
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
        shown = ", ".join(f'"{line.name}": {self._adjoint(line.name)}' for line in self.plan.stage(CELL))
        self.put(f"adjoints = {{{shown}}}")
        self.put("return loss, grads, states, outputs, adjoints")

    def _input(self, name: str, line: Line) -> None:
        array, shape = self.names(f"gradient of {name}", f"d{self.arguments[name]}"), self.plan.shape(name)
        self.put(f'if "{name}" in wrt:')
        self.indent += 4
        self.put(f"{array} = np.empty({self._array(self.lead, shape)}, dtype)")
        with self._framed(self._stacked_kind):
            self._derived(line, Target(self._here(array), shape))
        self.put(f'grads["{name}"] = {array}')
        self.indent -= 4

    def _adjoint(self, name: str) -> str:
        leaf = self.plan.generic.adjoint_of(name)
        line = self.storage.lazy.get(leaf)
        return (
            f"lambda: {self._stacked(self.all, line.expr, self._shape_of(leaf)).text}" if line else self.adjoint(name)
        )

    def _initial(self, state: str) -> None:
        start, shape = self.arguments[f"{state}0"], self.plan.shape(state)
        carry = self.pseudo(f"carry.{state}") if state in self.plan.raw_carries else None
        text = carry or f"np.zeros({self._array(self.one, shape) or '()'}, dtype)"
        self.put(f'if "{state}0" in wrt:')
        self.put(f"    own = {self._array(self.one, shape) or '()'} if {start} is None else {start}.shape")
        self.put(f'    grads["{state}0"] = sum_to({text}, own)')

    def _summation(self, at_end: bool) -> Summation:
        if at_end:
            return Summation(self.end, "()" if self.single else "0", "1" if self.single else self.B)
        axes = "0" if self.single else "(0, 1)"
        return Summation(self.all, axes, " * ".join(self.lead), self.single)

    def _alone(self) -> dict[str, list[Sum]]:
        """Put down the sums that are one product of stacked rows for several parameters; return the others."""
        merge = Merge(self.program.named, dict(self.program.constants), self.program.placed)
        rest = dict(self.program.sums)
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

    def _together(self, keys: list[str], run: list[Any], other: Any, merge: Merge) -> None:
        """Put down one sum for several parameters, and its parts."""
        before = {*merge.placed}
        whole = merge.combined(run)
        for leaf in [leaf for leaf in merge.placed if leaf not in before]:
            self._views(merge.placed[leaf].base)
        total = self._summation(False).total(whole if other is None else N.Outer(whole, other)).text
        name = self.names(f"sum of {keys[0]}", f"d{self.names(keys[0])}_and_on")
        self.put(f"if {' or '.join(f'{chr(34)}{key}{chr(34)} in wrt' for key in keys)}:")
        self.put(f"{name} = {total}", 8)
        start: Any = merge.placed[run[0]].start
        for key, leaf in zip(keys, run, strict=True):
            place = merge.placed[leaf]
            low, high = (self.all.number(x) for x in (place.start - start, place.start - start + place.length))
            self.put(f'if "{key}" in wrt:', 8)
            self.put(f'grads["{key}"] = {name}[{low}:{high}]', 12)
