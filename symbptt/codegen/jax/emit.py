"""The source of one standalone JAX module: scans forward and back, and gradients of a network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sympy import Expr, S

from ... import algebra as A
from ...model import CELL, LOSS, READOUT, Network
from ..document import check_function, module_docstring, parameters_docstring, result_class
from ..emit import SUM_TO, UNBATCH, Emitted, quoted
from ..layout import collection, definition
from ..memory import memory
from ..names import identifier
from ..passes.dependency import carried
from ..program import Stretch
from ..terms import signed
from ..writer import Writer
from .functions import JaxSummation
from .prologue import prologue
from .scan import JaxPage


@dataclass(frozen=True)
class JaxEmitted(Emitted):
    """A module's text, and what its function takes.

    Attributes
    ----------
    memory : sympy.Expr
        Bytes of the arrays over all steps.
    """

    memory: Expr = S.Zero


@lru_cache(maxsize=64)
def emit_jax(network: Network, last: bool = False) -> JaxEmitted:
    """Return the JAX module that computes the loss and all gradients of a network.

    Parameters
    ----------
    network : Network
    last : bool
        Whether the function takes cotangents of the last states, as if steps after T handed them back.

    Examples
    --------
    >>> from symbptt.model import Network, cell, loss, whole
    >>> sizes, T = (whole("n", "hidden"), whole("m", "inputs"), None), whole("T", "steps")
    >>> elman = Network(cell("tanh"), *sizes, None, loss("mse", None), "sum", T)
    >>> print(emit_jax(elman).source.splitlines()[0])
    \"\"\"Loss and gradients of the recurrent network "tanh", by backpropagation through time.
    """
    module = JaxModule(network, last)
    text = module.text()
    return JaxEmitted(
        text, module.plan, module.arguments, module.needs_steps, cotangents=module.cotangents, memory=module.memory
    )


class JaxModule(JaxPage):
    """Builds the text, from its end to its beginning: what a scan returns depends on what is read after it."""

    def __init__(self, network: Network, last: bool = False) -> None:
        super().__init__(network)
        states = self.system.states if last else ()
        self.cotangents = {s: self.names(f"cotangent of {s}", identifier(f"d{s}_T")) for s in states}

    # -- the module -----------------------------------------------------------------------------------
    def text(self) -> str:
        """Return the module."""
        body = self._function_body()
        keys = [*self.system.inputs, *(f"{s}0" for s in self.system.states)]
        head = [
            *module_docstring(self),
            "",
            "from functools import partial",
            "from typing import NamedTuple",
            "",
            "import jax",
            "import jax.numpy as jnp",
            "import numpy as np",
            "",
            *collection("PARAMETERS = (", quoted(self.system.parameters), ")"),
            *collection("GRADIENTS = (", ["*PARAMETERS", *quoted(keys)], ")"),
            *result_class(self),
        ]
        parts = [head, *(text.rstrip("\n").split("\n") for text in (SUM_TO, UNBATCH, *self.helpers.values()))]
        parts += [body, check_function(self, self._ending())]
        return "\n\n\n".join("\n".join(part) for part in [*parts, _MAIN]) + "\n"

    def _function_body(self) -> list[str]:
        written: list[str] = []
        for part in (self._gradients, self._sweep, self._local, self._losses, self._forward):
            written = [*self.apart(part), *written]
        code = "\n".join(line.partition("#")[0] for line in written)
        self.counts = self.plan.has_mask or re.search(rf"(?<!\.)\b{self.T}\b", code) is not None
        opening = self.apart(partial(prologue, self))
        static = '("wrt", "steps")' if self.needs_steps else '("wrt",)'
        jitted = f"@partial(jax.jit, static_argnames={static})"
        given = (*self.system.inputs, *self.system.fixed)
        required = ["params", *(self.arguments[name] for name in given), *(["steps"] if self.needs_steps else [])]
        optional = [f"{self.arguments[f'{s}0']}=None" for s in self.system.states]
        optional += [f"{name}=None" for name in self.cotangents.values()]
        signature = definition("bptt", [*required, *optional, "wrt=None"])
        return [jitted, *signature, *parameters_docstring(self, str(self.memory)), *opening, *written]

    @property
    def memory(self) -> Expr:
        """The bytes of the arrays over all steps."""
        return memory("\n".join(self.laid))

    def _ending(self) -> list[str]:
        """Return the comparison of the check."""
        names = [*self.system.inputs, *(f"{s}0" for s in self.system.states)]
        return [
            "    out = bptt(params, **given)",
            "",
            "    def loss(arrays):",
            "        params = {key: arrays[key] for key in PARAMETERS}",
            "        moved = {",
            "            **given,",
            *(f'            "{self.arguments[name]}": arrays["{name}"],' for name in names),
            "        }",
            "        return bptt(params, **moved, wrt=()).loss",
            "",
            "    expected = jax.grad(loss)(arrays)",
            "    errors = [jnp.abs(out.grads[key] - expected[key]).max() for key in arrays]",
            "    return float(max(errors))",
        ]

    # -- forward --------------------------------------------------------------------------------------
    def _forward(self) -> None:
        bodies = iter(reversed([forward for forward, _ in self.passes]))
        written: list[str] = []
        for stretch in reversed(self.program.forward):
            name = next(bodies) if stretch.direction else ""
            written = [*self.apart(partial(self._pass, stretch, name)), *written]
        self.section("forward: entry t of an array belongs to step t + 1")
        for state in self.system.states:
            self._start(state)
        self.lines += written

    def _start(self, state: str) -> None:
        start, shape = self.arguments[f"{state}0"], self.plan.shape(state)
        one, many = self.array(shape=shape), self.array(self.B, shape=shape)
        self.put(f"if {start} is None:")
        self.put(f"{start} = jnp.zeros({many} if batched else {one or '()'}, dtype)", 8)
        self.put(f"{start} = jnp.asarray({start}, dtype)")
        self.put(f"{self._first(state)} = jnp.broadcast_to({start}, {many})")

    def _first(self, state: str) -> str:
        """Name the initial state with its axis of batch."""
        return self.names(f"first {state}", f"{self.names(state)}_start")

    def _pass(self, stretch: Stretch, name: str) -> None:
        """Put down a stretch of the forward pass, a loop under a name."""
        names = [line.name for line in stretch.lines]
        states = [state for state in self.system.states if state in names]
        if not stretch.direction:
            self.used |= self.reading(lambda: [self.all.full(line.expr) for line in stretch.lines])
            for line in stretch.lines:
                self.assign_all([self.item(line)], 4, self.T, self.B)
                self._join([state for state in states if state == line.name])
            return
        joined = self.apart(partial(self._join, states))
        self.used |= {self.names(state): None for state in states}
        waiting = {leaf.name for leaf in carried(stretch)}
        starts = {self.neighbour(s): (self.names(s), self._first(s)) for s in states if s in waiting}
        self.loop(name, [self.item(line) for line in stretch.lines], starts, stretch.direction == -1, bring=False)
        self.lines += joined

    def _join(self, states: list[str]) -> None:
        """Put states together with their initial values."""
        for state in states:
            first, name, whole = f"{self._first(state)}[None]", self.names(state), self.whole_array(state)
            forward = self.system.direction_of(state) == 1
            self.lay(f"{self.T} + 1", self.plan.shape(state))
            self.put(f"{whole} = jnp.concatenate([{f'{first}, {name}' if forward else f'{name}, {first}'}])")
            if self.neighbour(state) in self.used:
                self.put(f"{self.neighbour(state)} = {whole}[{':-1' if forward else '1:'}]")

    # -- readout and loss -----------------------------------------------------------------------------
    def _losses(self) -> None:
        self.section("readout and loss, all steps at once")
        final = self.plan.last
        for line in self.plan.stage(READOUT):
            self.lay(self.T, self.plan.shape(line.name))
            self.equals(line.left, line.right)
            self.put(f"{self.names(line.name)} = {self._stacked(self.all, line.expr, line.name)}")
        (line,) = self.plan.stage(LOSS)
        self.equals(line.left, line.right, at=self.system.end if final else None)
        self.put(f"{self.names('l')} = {self._stacked(self.end if final else self.all, line.expr, 'l')}")
        self.equals(self.system.L, self.plan.total)
        mean = f" / {self.T}" if self.system.reduction == "mean" else ""
        self.put(f"loss = {self.names('l')}.sum(){mean}")
        shown = [f'"{s}": unbatch({self.whole_array(s)}, batched)' for s in self.system.states]
        self.lines += collection("states = {", shown, "}", 4)
        outputs = {name: f"unbatch({self.names(name)}, batched)" for name in self.system.predictions}
        self.used |= {self.names(name): None for name in outputs}
        if len(outputs) == 1:
            self.put(f"outputs = {outputs[self.system.prediction]}")
        else:
            self.lines += collection("outputs = {", [f'"{name}": {text}' for name, text in outputs.items()], "}", 4)
        self.put("if len(wrt) == 0:")
        self.put("return Result(loss, {}, states, outputs, {})", 8)

    def _stacked(self, writer: Writer, expr: Any, name: str) -> str:
        """Return an expression over all steps, with its leading axes also where it is constant."""
        term = writer.full(expr)
        if term.varies:
            return term.text
        lead = [self.B] if writer is self.end else [self.T, self.B]
        return f"jnp.full({self.array(*lead, shape=self.plan.shape(name))}, {term.text}, dtype)"

    def _local(self) -> None:
        self.section("derivatives of the loss of a step, all steps at once")
        final = self.plan.last
        for line in self.plan.local:
            name, is_cell = self.local(line.name), line.name in self.plan.generic.adjoints
            if is_cell or not final:
                self.lay(self.T, self.plan.shape(line.name))
            self.equals(line.left, line.right, at=self.system.end if final else None)
            text = self._stacked(self.end if final else self.all, line.expr, line.name)
            if final and is_cell:
                shape = self.array(self.T, self.B, shape=self.plan.shape(line.name))
                self.put(f"{name} = jnp.zeros({shape}, dtype).at[-1].set({text})")
                continue
            self.put(f"{name} = {text}")
            if is_cell and self.plan.generic.weight != 1:
                whole = self.plan.notation(self.plan.generic.adjoint_of(line.name))
                self.say(f"{self.formula(self.plan.generic.weighted(line.left))}, its part in {self.formula(whole)}")
                self.put(f"{self.weighted(line.name)} = {name} / {self.T}")

    # -- backward -------------------------------------------------------------------------------------
    def _sweep(self) -> None:
        bodies = iter([backward for _, backward in self.passes])
        written: list[str] = []
        for stretch in reversed(self.program.backward):
            name = next(bodies) if stretch.direction else ""
            written = [*self.apart(partial(self._sweep_of, stretch, name)), *written]
        self.section("backward sweep")
        self.lines += written

    def _sweep_of(self, stretch: Stretch, name: str) -> None:
        """Put down a stretch of the backward sweep, a loop under a name."""
        items = [self.item(line) for line in stretch.lines]
        if not stretch.direction:
            self.assign_all(items, 4, self.T, self.B)
            return
        carries = {self.pseudo(line.name): line.name for line in stretch.lines if line.name.startswith("carry.")}
        for carry, key in carries.items():
            state = key.partition(".")[2]
            self.put(f"{carry} = jnp.zeros({self.array(self.B, shape=self.plan.shape(state))}, dtype)")
            if state in self.cotangents:
                self.put(f"if {self.cotangents[state]} is not None:")
                self.put(f"{carry} += jnp.asarray({self.cotangents[state]}, dtype)", 8)
        starts = {carry: (key, carry) for carry, key in carries.items()}
        self.loop(name, items, starts, stretch.direction == -1, bring=True)

    # -- gradients ------------------------------------------------------------------------------------
    def _gradients(self) -> None:
        self.section("gradients: sums over steps and batch")
        self.put("grads = {}")
        self.assign_all([self.item(line) for line in self.program.after], 4, self.T, self.B)
        for key, parts in self.program.sums.items():
            first, *rest = (self._summation(part.at_end).total(part.expr) for part in parts)
            symbol = self.plan.notation(self.system.parameters[key])
            right = self.plan.notation(self.plan.generic.parameter_sum(key))
            self._gradient(key, symbol, right, signed(first.text, list(rest)))
        for name, line in self.program.inputs.items():
            term = self.all.full(line.expr)
            text = term.text if term.varies else f"jnp.zeros_like({self.arguments[name]})"
            self._gradient(name, line.left.by, line.right, f"unbatch({text}, batched)")
        for state in self.system.states:
            self._initial(state)
        names = [line.name for line in self.plan.stage(CELL)]
        self.used |= {self.adjoint(name): None for name in names}
        shown = [f'"{name}": unbatch({self.adjoint(name)}, batched)' for name in names]
        self.lines += collection("adjoints = {", shown, "}", 4)
        self.put("return Result(loss, grads, states, outputs, adjoints)")

    def _summation(self, at_end: bool) -> JaxSummation:
        if at_end:
            return JaxSummation(self.end, "0", self.B)
        return JaxSummation(self.all, "(0, 1)", f"{self.T} * {self.B}")

    def _gradient(self, key: str, by: Any, right: Any, text: str) -> None:
        self.equals(A.derivative(self.system.L, by), right)
        self.put(f'if "{key}" in wrt:')
        self.put(f'grads["{key}"] = {text}', 8)

    def _initial(self, state: str) -> None:
        start = self.arguments[f"{state}0"]
        carried = state in self.plan.raw_carries
        text = f"sum_to({self.pseudo(f'carry.{state}')}, {start}.shape)" if carried else f"jnp.zeros_like({start})"
        by = self.plan.notation(self.system.at(state, self.system.start_of(state)))
        self._gradient(f"{state}0", by, self.plan.notation(self.plan.generic.initial_gradient(state)), text)


_MAIN = (
    'if __name__ == "__main__":',
    '    jax.config.update("jax_enable_x64", True)',
    '    print(f"largest error against jax.grad: {gradient_check():.1e}")',
)
