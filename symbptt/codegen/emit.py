"""The source of one standalone NumPy module: forward pass, backward sweep and gradients of a network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .. import algebra as A
from ..model import CELL, LOSS, READOUT, Network
from ..model.truncation import Truncation
from .document import MAIN, check_function, module_docstring, parameters_docstring, result_class
from .layout import WIDTH, collection, statement
from .memory import memory
from .names import identifier
from .page import Page
from .passes.pipeline import READABLE, prepared
from .plan import Line, Plan
from .program import Program, Stretch
from .prologue import prologue
from .sums import Summation
from .terms import ATOM, Term, signed
from .writer import Writer


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


class Module(Page):
    """Builds the text, section by section."""

    def __init__(self, network: Network, last: bool = False) -> None:
        super().__init__(network)
        self.cotangents = {
            s: self.names(f"cotangent of {s}", identifier(f"d{s}_T")) for s in self.system.states if last
        }
        self.program = self._program()
        self.one: tuple[str, ...] = (self.B,)
        self.lead: tuple[str, ...] = (self.T, self.B)
        self.kept: list[str] = []
        """Shapes of the arrays over all steps that expressions make, beside those that are laid out."""

    def _program(self) -> Program:
        return prepared(self.plan, READABLE)

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
        needed = memory("\n".join([*written, *self.kept]))
        return [self._signature(), *parameters_docstring(self, str(needed)), *self.lines, *written]

    def _signature(self) -> str:
        given = (*self.system.inputs, *self.system.fixed)
        required = ["params", *(self.arguments[name] for name in given), *(["steps"] if self.needs_steps else [])]
        required += self.masks
        optional = [f"{self.arguments[f'{s}0']}=None" for s in self.system.states]
        optional += [f"{name}=None" for name in self.cotangents.values()]
        return "\n".join(_definition("bptt", [*required, *optional, "wrt=None"]))

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
        self._keep(self._shape_of(line.leaf))
        self.put(f"{self.all.leaf(line.leaf)}{whole} = {text}")

    def _keep(self, shape: tuple[Any, ...]) -> None:
        self.kept.append(f"np.empty(({', '.join([*self.lead, *map(str, shape)])}), dtype)")

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

    # -- readout and loss -----------------------------------------------------------------------------
    def _losses(self) -> None:
        self.section("readout and loss, all steps at once")
        for line in self.plan.stage(READOUT):
            self.equals(line.left, line.right)
            self._keep(self.plan.shape(line.name))
            self.put(f"{self.names(line.name)} = {self._stacked(self.all, line.expr, self.plan.shape(line.name)).text}")
        (line,) = self.plan.stage(LOSS)
        final = self.plan.last
        self.equals(line.left, line.right, at=self.system.end if final else None)
        writer = self.end if final else self.all
        self.put(f"{self.names('l')} = {self._stacked(writer, line.expr, ()).text}")
        self.equals(self.system.L, self.plan.total)
        mean = f" / {self.T}" if self.system.reduction == "mean" else ""
        self.put(f"loss = float({self.names('l')}.sum(){mean})")
        shown = [f'"{s}": unbatch({self.whole_array(s)}, batched)' for s in self.system.states]
        self.lines += collection("states = {", shown, "}", 4)
        outputs = {name: f"unbatch({self.names(name)}, batched)" for name in self.system.predictions}
        if len(outputs) == 1:
            self.put(f"outputs = {outputs[self.system.prediction]}")
        else:
            self.lines += collection("outputs = {", [f'"{name}": {text}' for name, text in outputs.items()], "}", 4)
        self.put("if len(wrt) == 0:")
        self.put("return Result(loss, {}, states, outputs, {})", 8)

    def _stacked(self, writer: Writer, expr: Any, shape: tuple[Any, ...]) -> Term:
        """Return an expression over all steps, with its leading axes also where it is constant."""
        term = writer.full(expr)
        if term.varies:
            return term
        lead = self.one if writer is self.end else self.lead
        return Term(f"np.full({self.array(*lead, shape=shape)}, {term.text}, dtype)", ATOM, term.rank, True)

    def _local(self) -> None:
        self.section("derivatives of the loss of a step, all steps at once")
        final = self.plan.last
        for line in self.plan.local:
            is_cell = line.name in self.plan.generic.adjoints
            self.equals(line.left, line.right, at=self.system.end if final else None)
            self._keep(self.plan.shape(line.name))
            if not final:
                self.put(
                    f"{self.local(line.name)} = {self._stacked(self.all, line.expr, self.plan.shape(line.name)).text}"
                )
                self._weight(line, is_cell)
                continue
            text = self._stacked(self.end, line.expr, self.plan.shape(line.name)).text
            if is_cell:
                shape = self.array(*self.lead, shape=self.plan.shape(line.name))
                self.put(f"{self.local(line.name)} = np.zeros({shape}, dtype)")
            self.put(f"{self.local(line.name)}{'[-1]' if is_cell else ''} = {text}")

    def _weight(self, line: Line, is_cell: bool) -> None:
        if is_cell and self.plan.generic.weight != 1:
            part, whole = self.plan.generic.weighted(line.left), self._total(line.name)
            self.say(f"{self.formula(part)}, its part in {self.formula(whole)}")
            self.put(f"{self.weighted(line.name)} = {self.local(line.name)} / {self.T}")

    def _total(self, name: str) -> Any:
        return self.plan.notation(self.plan.generic.adjoint_of(name))

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
    def _gradients(self) -> None:
        self.section("gradients: sums over steps and batch")
        self.put("grads = {}")
        for line in self.program.after:
            self._at_once(line)
        for key, parts in self.program.sums.items():
            first, *rest = (self._summation(part.at_end).total(part.expr) for part in parts)
            text = signed(first.text, list(rest))
            symbol = self.plan.notation(self.system.parameters[key])
            self._gradient(key, symbol, self.plan.notation(self.plan.generic.parameter_sum(key)), text)
        for name, line in self.program.inputs.items():
            term = self.all.full(line.expr)
            text = term.text if term.varies else f"np.zeros_like({self.arguments[name]})"
            self._keep(self.plan.shape(name))
            self._gradient(name, line.left.by, line.right, f"unbatch({text}, batched)")
        for state in self.system.states:
            self._initial(state)
        shown = [f'"{line.name}": unbatch({self.adjoint(line.name)}, batched)' for line in self.plan.stage(CELL)]
        self.lines += collection("adjoints = {", shown, "}", 4)
        self.put("return Result(loss, grads, states, outputs, adjoints)")

    def _summation(self, at_end: bool) -> Summation:
        if at_end:
            return Summation(self.end, "0", self.B)
        return Summation(self.all, "(0, 1)", f"{self.T} * {self.B}")

    def _gradient(self, key: str, by: Any, right: Any, text: str) -> None:
        self.equals(A.derivative(self.system.L, by), right)
        self.put(f'if "{key}" in wrt:')
        self.put(f'grads["{key}"] = {text}', 8)

    def _initial(self, state: str) -> None:
        start = self.arguments[f"{state}0"]
        carried = state in self.plan.raw_carries
        text = f"sum_to({self.pseudo(f'carry.{state}')}, {start}.shape)" if carried else f"np.zeros_like({start})"
        by = self.plan.notation(self.system.at(state, self.system.start_of(state)))
        right = self.plan.notation(self.plan.generic.initial_gradient(state))
        self._gradient(f"{state}0", by, right, text)


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


def _definition(name: str, arguments: list[str]) -> list[str]:
    text = f"def {name}({', '.join(arguments)}):"
    if len(text) <= WIDTH:
        return [text]
    return [f"def {name}(", f"    {', '.join(arguments)}", "):"]
