"""The source of one standalone NumPy module: forward pass, backward sweep and gradients of a network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .. import algebra as A
from ..model import Network
from ..model.truncation import Truncation
from .document import MAIN, check_function, module_docstring, parameters_docstring, result_class
from .layout import collection, statement
from .memory import memory
from .outline import Outline
from .plan import Line, Plan
from .program import Stretch
from .prologue import prologue
from .terms import Term


@dataclass(frozen=True)
class Emitted:
    """A module's text, and what its function takes.

    Attributes
    ----------
    source : str
    plan : Plan
    arguments : dict
        Input, ``target`` or ``h0`` -> name of the argument.
    needs_steps : bool
        Whether T must be given, because no array says it.
    masks : str
        Name of the argument for the masks of random truncation; empty where there is none.
    cotangents : dict
        State -> name of the argument for the cotangent of its last value, where the function takes them.
    """

    source: str
    plan: Plan
    arguments: dict[str, str]
    needs_steps: bool
    masks: str = ""
    cotangents: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=64)
def emit(network: Network, truncate: Truncation | None = None, last: bool = False) -> Emitted:
    """Return the module that computes the loss and all gradients of a network, exact or truncated.

    Parameters
    ----------
    network : Network
    truncate : Truncation, optional
    last : bool
        Whether the function takes cotangents of the last states, as if steps after T handed them back.

    Examples
    --------
    >>> from symbptt.model import Network, cell, loss, whole
    >>> sizes, T = (whole("n", "hidden"), whole("m", "inputs"), None), whole("T", "steps")
    >>> elman = Network(cell("tanh"), *sizes, None, loss("mse", None), "sum", T)
    >>> print(emit(elman).source.splitlines()[0])
    \"\"\"Loss and gradients of the recurrent network "tanh", by backpropagation through time.
    """
    if truncate is None:
        module = Module(network, last)
    else:
        from .truncated import TruncatedModule

        module = TruncatedModule(network, truncate)
    text, masks = module.text(), "".join(module.masks)
    return Emitted(text, module.plan, module.arguments, module.needs_steps, masks, module.cotangents)


class Module(Outline):
    """Builds the text, section by section."""

    # -- the module -----------------------------------------------------------------------------------
    def text(self) -> str:
        body = self._function_body()
        keys = [*self.system.parameters, *self.system.inputs, *(f"{s}0" for s in self.system.states)]
        head = [
            *module_docstring(self),
            "",
            "from typing import NamedTuple",
            "",
            "import numpy as np",
            "",
            *collection("PARAMETERS = (", quoted(self.system.parameters), ")"),
            *statement(f"GRADIENTS = (*PARAMETERS, {', '.join(quoted(keys[len(self.system.parameters) :]))})"),
            *self._constants(),
            *result_class(self),
        ]
        parts = [head, *(text.rstrip("\n").split("\n") for text in self._definitions()), body, self._check()]
        return "\n\n\n".join("\n".join(part) for part in [*parts, MAIN]) + "\n"

    def _definitions(self) -> list[str]:
        return [SUM_TO, UNBATCH, *self.helpers.values()]

    def _function_body(self) -> list[str]:
        self._forward()
        self._losses()
        self._local()
        self._sweep()
        self._gradients()
        written, self.lines = self.lines, []
        prologue(self)
        needed = memory("\n".join([*written, *self.laid]))
        return [*self._signature(), *parameters_docstring(self, str(needed)), *self.lines, *written]

    # -- the lines of stretches -------------------------------------------------------------------------
    def _stretch(self, stretch: Stretch) -> None:
        """Put down lines for all steps at once, or a loop of them."""
        if not stretch.direction:
            for line in stretch.lines:
                self._at_once(line)
            return
        steps = f"range({self.T})"
        self.put(f"for t in {steps if stretch.direction == 1 else f'reversed({steps})'}:")
        for line in stretch.lines:
            self._explained(line, 8)
            self.put(f"{self.step.leaf(line.leaf)} = {self._at_step(line).text}", 8)
        self._end_of_step([line.name for line in stretch.lines if line.name.startswith("carry.")])

    def _at_once(self, line: Line) -> None:
        self._explained(line, 4)
        whole = "[...]" if self._is_state(line.leaf) else ""
        text = self._stacked(self.all, line.expr, self._shape_of(line.leaf)).text
        self.lay(self.T, self._shape_of(line.leaf))
        self.put(f"{self.all.leaf(line.leaf)}{whole} = {text}")

    def _is_state(self, leaf: Any) -> bool:
        return isinstance(leaf, A.MatrixAt | A.ScalarAt) and leaf.name in self.system.states

    def _at_step(self, line: Line) -> Term:
        # A carry is an array of its own at every step; what is stored is broadcast.
        return (self.step.full if line.name.startswith("carry.") else self.step.term)(line.expr)

    def _explained(self, line: Line, indent: int) -> None:
        if line.left is None:
            self.say(self.formula(self.program.meaning(line.right)), indent)
        elif line.name.startswith("carry."):
            what = f"the part of {self.formula(line.left)} that comes from this step"
            self.say(f"{self.formula(line.right)}, {what}", indent)
        else:
            self.equals(line.left, line.right, indent)

    def _allocate(self, stretches: Iterable[Stretch]) -> None:
        """Put down the arrays that loops fill, and those of the states."""
        for stretch in stretches:
            for line in stretch.lines:
                if self._is_state(line.leaf):
                    self._allocate_state(line.name)
                elif stretch.direction:
                    carried = line.name.startswith("carry.")
                    shape = self.array(*(self.one if carried else self.lead), shape=self._shape_of(line.leaf))
                    self.put(f"{self.all.leaf(line.leaf)} = np.{'zeros' if carried else 'empty'}({shape}, dtype)")
                    self._begin_carry(line.name)

    def _begin_carry(self, name: str) -> None:
        """Begin with what steps after the last would hand back."""
        cotangent = self.cotangents.get(name.partition(".")[2])
        if cotangent and name.startswith("carry."):
            self.put(f"if {cotangent} is not None:")
            self.put(f"    {self.pseudo(name)}[...] = {cotangent}")

    def _shape_of(self, leaf: Any) -> tuple[Any, ...]:
        return () if self.plan.scalar else tuple(A.shape_of(leaf)[: A.rank_of(leaf)])

    # -- forward --------------------------------------------------------------------------------------
    def _forward(self) -> None:
        outside, self.lines = self.lines, []
        for stretch in self.program.forward:
            self._stretch(stretch)
        written, self.lines = self.lines, outside
        self.section("forward: entry t of an array belongs to step t + 1")
        self._allocate(self.program.forward)
        self.lines += written

    def _allocate_state(self, name: str) -> None:
        shape = self.plan.shape(name)
        start, array = self.arguments[f"{name}0"], self.whole_array(name)
        one, many = self.array(shape=shape), self.array(self.B, shape=shape)
        self.put(f"if {start} is None:")
        self.put(f"{start} = np.zeros({many} if batched else {one or '()'}, dtype)", 8)
        self.put(f"{start} = np.asarray({start}, dtype)")
        self.put(f"{array} = np.empty({self.array(f'{self.T} + 1', self.B, shape=shape)}, dtype)")
        forward = self.system.direction_of(name) == 1
        self.put(f"{array}[{0 if forward else -1}] = {start}")
        early, late = f"{array}[:-1]", f"{array}[1:]"
        own, other = (late, early) if forward else (early, late)
        if f"neighbour {name}" in self.names.given:
            self.put(f"{self.neighbour(name)}, {self.names(name)} = {other}, {own}")
        else:
            self.put(f"{self.names(name)} = {own}")

    # -- backward -------------------------------------------------------------------------------------
    def _sweep(self) -> None:
        self.section("backward sweep")
        self._allocate(self.program.backward)
        for stretch in self.program.backward:
            self._stretch(stretch)

    # -- what a truncated module changes --------------------------------------------------------------
    def _constants(self) -> list[str]:
        """Return more lines at the head of the module."""
        return []

    def _check(self) -> list[str]:
        """Return the function that checks the gradients."""
        return check_function(self)

    def _end_of_step(self, carries: list[str]) -> None:
        """Put down what happens to the carries of a step of the backward sweep."""

    # -- gradients ------------------------------------------------------------------------------------
    def _after(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._at_once(line)


SUM_TO = '''def sum_to(grad, shape):
    """Sum a gradient over the axes along which its argument was broadcast."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    ones = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=ones, keepdims=True)
'''

UNBATCH = '''def unbatch(array, batched):
    """Return an array without its axis of batch (the second) where the input had none."""
    return array if batched else array[:, 0]
'''


def quoted(keys: Any) -> list[str]:
    """Return keys as Python writes them."""
    return [f'"{key}"' for key in keys]
