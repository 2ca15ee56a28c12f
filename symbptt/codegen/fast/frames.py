"""What lines are put down for: all steps at once, a block of them that fits into a cache, or one step of a loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ...model import Network
from ..emit import Module
from ..layout import loop, statement
from ..passes.join import join
from ..passes.pipeline import FAST, FAST_SINGLE, Pass, prepared
from ..program import VARYING, Program
from .statements import UFUNCS, Statements
from .storage import LOCAL, Storage
from .workspace import RESERVED, BatchWorkspace, SequenceWorkspace, Workspace

BLOCKS = '''def blocks(steps, batch, width):
    """Yield slices of steps whose arrays fit into a cache, and how many steps they have."""
    size = max(1, max(128, 32768 // width) // batch)
    for start in range(0, steps, size):
        yield slice(start, start + size), min(size, steps - start)
'''

ALL, BLOCK, STEP = "all", "block", "step"


@dataclass
class Frame:
    """What lines are put down for: all steps, a block of them, or one; and the views of arrays that they read."""

    kind: str
    views: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    """Arrays that are made for the frame alone."""


class Frames(Module):
    """A module whose lines are put down in frames.

    Parameters
    ----------
    network : Network
    single : bool
        Whether there is one sequence, whose arrays have no axis of batch.
    passes : tuple of Pass, optional
        Those of the style by default; without any, every line is carried out where it was derived.
    last : bool
        Whether there are cotangents of the last states.
    """

    reserved = Module.reserved | RESERVED | {*UFUNCS, "blocks", "size", "softmax_into"}

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
        self.workspace: Workspace = SequenceWorkspace() if single else BatchWorkspace()
        self.handed_out: list[str] = []
        """Expressions of what the function returns."""
        self.prepared: dict[str, str] = {}
        self.pool: dict[str, list[str]] = {}
        self.dead: dict[str, list[str]] = {}
        self.frame = Frame(ALL)
        self.indent = 4
        self.here = self.all.with_leaf(self._leaf_here)

    def _program(self) -> Program:
        return prepared(self.plan, self.passes)

    def put(self, text: str, indent: int | None = None) -> None:
        margin = self.indent if indent is None else indent
        inner = len(text) - len(text.lstrip())
        self.lines += statement(text.lstrip(), margin + inner)

    def say(self, text: str, indent: int = 4) -> None:
        """Say nothing: the readable module explains each line."""

    def section(self, title: str) -> None:
        self.lines += ["", f"    # -- {title} --"]

    # -- arrays ---------------------------------------------------------------------------------------
    def lay_out(self, text: str) -> None:
        """Put down what depends on sizes alone, which may be done once for many calls."""
        self.workspace.lay_out(text, self.put)

    def _constant(self, what: str, wish: str, text: str) -> str:
        """Lay out an array that does not change, and return its name."""
        name = self.names(what, wish)
        if not self.workspace.holds(name):
            self.lay_out(f"{name} = {text}")
        return name

    def _ones(self) -> str:
        """Name a vector with 1 for each step."""
        return self._constant("ones of steps", "ones", f"np.ones({self.T}, dtype)")

    def _fresh(self, name: str) -> str:
        """Return an array as it may be handed out."""
        self.handed_out.append(name)
        return f"fresh({name})" if self.workspace.holds(name) else name

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
    def _framed(self, kind: str, direction: int = 1, width: Any = 1) -> Iterator[None]:
        """Put down what is done inside in a loop over steps, or over blocks of steps with vectors of some width."""
        outside, self.lines = self.lines, []
        self.frame, self.indent = Frame(kind), self.indent + 4 * (kind != ALL)
        yield
        body, self.lines = self.lines, outside
        views, self.frame = self.frame.views, Frame(ALL)
        self.indent -= 4 * (kind != ALL)
        if not body:
            return
        if kind == STEP:
            turned = "" if direction == 1 else "[::-1]"
            shared = self.workspace
            if isinstance(shared, SequenceWorkspace) and all(map(shared.holds, views)):
                number = sum(what.startswith("loop over steps ") for what in self.names.given)
                name = self.names(f"loop over steps {number}", f"steps_{number}")
                self.lines += shared.loop(name, views, turned, self.indent)
            else:
                self.lines += loop(views, turned, self.indent)
        elif kind == BLOCK:
            self.all.helpers["blocks"] = BLOCKS
            self.put(f"for part, size in blocks({self.T}, {self.B}, {self.all.number(width)}):")
            for name, view in views.items():
                self.put(f"    {view} = {name}[part]")
        self.lines += body

    @property
    def _stacked_kind(self) -> str:
        return ALL if self.single else BLOCK

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

    def _product(self, vector: str, matrix: Any, target: str) -> str:
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
