"""Lines of a program as statements: of a loop, or of blocks of steps, and twice where a target may be class indices."""

from __future__ import annotations

from typing import Any

import sympy

from ... import algebra as A
from ...model import CELL, READOUT
from ..plan import Line
from ..program import Stretch, leaves
from .arrays import Arrays
from .classes import ClassStatements, ClassWriter
from .frames import STEP
from .statements import Target


class Lines(Arrays):
    """A module that carries out lines in arrays that are laid out."""

    def _target(self, leaf: Any) -> Target:
        return Target(self.here.leaf(leaf), self._shape_of(leaf), leaf not in self.program.placed)

    def _stretch(self, stretch: Stretch) -> None:
        lines = [line for line in stretch.lines if line.leaf not in self.storage.lazy]
        if lines:
            kind = STEP if stretch.direction else self._stacked_kind
            with self._framed(kind, stretch.direction or 1, self._width(lines[0].leaf)):
                for line in lines:
                    self._line(line)

    def _width(self, leaf: Any) -> Any:
        """Return how many numbers a quantity has at a step of one sequence."""
        return sympy.prod(self._shape_of(leaf)) if self._shape_of(leaf) else self._shape_of(self._widest())[0]

    def _widest(self) -> Any:
        """Return a vector of the model, for what has no size of its own."""
        variables = [line.leaf for stage in (READOUT, CELL) for line in self.plan.stage(stage)]
        return next(leaf for leaf in variables if A.rank_of(leaf))

    def _line(self, line: Line) -> None:
        statements, target = self._statements(), self._target(line.leaf)
        if line.leaf in set(leaves(line.expr)):
            name = self._scratch(target.shape)
            statements.into(line.expr, Target(name, target.shape))
            self.put(f"np.copyto({target.name}, {name})")
            self._release(name)
        else:
            statements.into(line.expr, target)

    def _by_kind(self, expr: Any, write: Any) -> None:
        """Put a line down for class indices, and for distributions."""
        reads = [read for read in leaves(expr) if read.__class__ is A.MatrixAt and read.name in self._class_targets()]
        if not reads:
            write(self._logs(self.here))
            return
        name = self._here(self.arguments[reads[0].name])
        self.put(f'if {name}.dtype.kind in "iu":')
        self.indent += 4
        every = self._constant("numbers of steps", "each", f"np.arange({self.T})") if self.single else ""
        write(ClassWriter.of(self._logs(self.here), reads[0], name, every))
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

    def _derived(self, line: Line, target: Target) -> None:
        """Put down a line that may read a target."""
        self._by_kind(line.expr, lambda writer: self._statements(ClassStatements, writer).into(line.expr, target))
