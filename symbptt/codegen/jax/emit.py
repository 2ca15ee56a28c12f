"""The source of one standalone JAX module: scans forward and back, and gradients of a network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial

from sympy import Expr, S

from ...model import Network
from ..document import check_function, module_docstring, parameters_docstring, result_class
from ..emit import SUM_TO, UNBATCH, Emitted, quoted
from ..layout import collection
from ..memory import memory
from ..passes.dependency import carried
from ..plan import Line
from ..program import Stretch
from ..prologue import prologue
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
        return [jitted, *self._signature(), *parameters_docstring(self, str(self.memory)), *opening, *written]

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
    def _after(self, lines: Iterable[Line]) -> None:
        self.assign_all([self.item(line) for line in lines], 4, self.T, self.B)


_MAIN = (
    'if __name__ == "__main__":',
    '    jax.config.update("jax_enable_x64", True)',
    '    print(f"largest error against jax.grad: {gradient_check():.1e}")',
)
