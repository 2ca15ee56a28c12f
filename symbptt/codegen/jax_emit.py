"""The source of one standalone JAX module: scans forward and back, and gradients of a network."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .. import algebra as A
from ..model import CELL, LOSS, READOUT, Network, Scan
from .document import check_function, module_docstring, parameters_docstring, result_class
from .emit import _ALWAYS, Emitted, _definition, _quoted
from .jax_functions import JAX, JaxSummation
from .jax_order import Hoisting, Item, split
from .jax_prologue import prologue
from .layout import WIDTH, collection, statement
from .names import RESERVED
from .page import Page
from .plan import Line
from .terms import ATOM, Term, signed
from .writer import Writer


@lru_cache(maxsize=64)
def emit_jax(network: Network) -> Emitted:
    """Return the JAX module that computes the loss and all gradients of a network.

    Examples
    --------
    >>> from symbptt.model import Network, cell, loss, whole
    >>> sizes, T = (whole("n", "hidden"), whole("m", "inputs"), None), whole("T", "steps")
    >>> elman = Network(cell("tanh"), *sizes, None, loss("mse", None), "sum", T)
    >>> print(emit_jax(elman).source.splitlines()[0])
    \"\"\"Loss and gradients of the recurrent network "tanh", by backpropagation through time.
    """
    module = JaxModule(network)
    return Emitted(module.text(), module.plan, module.arguments, module.needs_steps)


class JaxModule(Page):
    """Builds the text, from its end to its beginning: what a scan returns depends on what is read after it."""

    dialect = JAX
    reserved = RESERVED | {"jax", "jnp", "partial", "carry", "now", "after", "outer_sum", "normal", "expected"}
    library, oracle = "JAX", "jax.grad"
    number, array_type = "jax.Array", "jax.Array"

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.step = self.all  # in the body of a scan the names are those of one step
        self.used: dict[str, None] = {}
        scans = len(self.system.scans)
        self.passes = [
            (
                self.names(f"pass {i}", _numbered("forward", i, scans)),
                self.names(f"sweep {i}", _numbered("backward", i, scans)),
            )
            for i in range(scans)
        ]

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
            *collection("PARAMETERS = (", _quoted(self.system.parameters), ")"),
            *statement(f"GRADIENTS = (*PARAMETERS, {', '.join(_quoted(keys))})"),
            *result_class(self),
        ]
        parts = [head, *(text.rstrip("\n").split("\n") for text in (*_ALWAYS, *self.helpers.values()))]
        parts += [body, check_function(self, self._ending())]
        return "\n\n\n".join("\n".join(part) for part in [*parts, _MAIN]) + "\n"

    def _function_body(self) -> list[str]:
        written: list[str] = []
        for part in (self._gradients, self._sweep, self._local, self._losses, self._forward):
            written = [*self._apart(part), *written]
        code = "\n".join(line.partition("#")[0] for line in written)
        self.counts = re.search(rf"(?<!\.)\b{self.T}\b", code) is not None
        opening = self._apart(lambda: prologue(self))
        static = '("wrt", "steps")' if self.needs_steps else '("wrt",)'
        jitted = f"@partial(jax.jit, static_argnames={static})"
        given = (*self.system.inputs, *self.system.fixed)
        required = ["params", *(self.arguments[name] for name in given), *(["steps"] if self.needs_steps else [])]
        optional = [f"{self.arguments[f'{s}0']}=None" for s in self.system.states]
        signature = "\n".join(_definition("bptt", [*required, *optional, "wrt=None"]))
        return [jitted, signature, *parameters_docstring(self), *opening, *written]

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

    def _apart(self, part: Callable[[], None]) -> list[str]:
        """Return the lines that a method puts down."""
        outside, self.lines = self.lines, []
        part()
        written, self.lines = self.lines, outside
        return written

    # -- what is read ---------------------------------------------------------------------------------
    def _leaf(self, suffix: str) -> Callable[[Any], str]:
        write = super()._leaf(suffix)

        def noted(leaf: Any) -> str:
            text = write(leaf)
            if isinstance(leaf, A.MatrixAt | A.ScalarAt | A.Gradient | A.ScalarDerivative):
                self.used.setdefault(text.partition("[")[0])
            return text

        return noted

    def _reading(self, write: Callable[[], Any]) -> dict[str, None]:
        """Return the arrays that are read where something is written, in order; they are not noted as used."""
        outside, self.used = self.used, {}
        write()
        found, self.used = self.used, outside
        return found

    def _reads(self, expr: Any) -> set[str]:
        return set(self._reading(lambda: self.all.full(expr)))

    def pseudo(self, name: str) -> str:
        """Name a variable that the plan made, or what is computed before a loop: ``hoisted.z.0``."""
        kind, _, rest = name.partition(".")
        if kind != "hoisted":
            return super().pseudo(name)
        return self.names(name, f"{self.names(rest.rpartition('.')[0])}_in")

    # -- a scan ---------------------------------------------------------------------------------------
    def _whole(self, expr: Any, shape: tuple[Any, ...], *lead: str) -> Term:
        """Return an expression with its leading axes also where it is constant."""
        term = self.all.full(expr)
        if term.varies:
            return term
        return Term(f"jnp.full({self.array(*lead, shape=shape)}, {term.text}, dtype)", ATOM, term.rank, True)

    def _assign(self, item: Item, indent: int, *lead: str) -> None:
        item.say(indent)
        self.put(f"{item.name} = {self._whole(item.expr, item.shape, *lead).text}", indent)

    def _hoisted(self, items: list[Item], carried: set[str]) -> tuple[list[Item], list[str]]:
        """Return the assignments of a loop without what can be computed before it, and the lines that do so."""
        bound = carried | {item.name for item in items}
        found, lines = [], list[str]()
        for item in items:
            hoisting = Hoisting(item.key, self.system.t, self._reads, bound)
            found.append(Item(item.name, hoisting(item.expr), item.shape, item.say, item.key))
            for leaf, expr in hoisting.found.items():
                lines += self._apart(lambda leaf=leaf, expr=expr: self._put_hoisted(leaf, expr))  # type: ignore[misc]
        return found, lines

    def _put_hoisted(self, leaf: Any, expr: Any) -> None:
        self.say(f"{self.formula(expr)}, which does not wait for another step")
        self.put(f"{self.pseudo(leaf.name)} = {self.all.full(expr).text}")

    def _loop(
        self, name: str, items: list[Item], carried: dict[str, str], starts: dict[str, str], reverse: bool, bring: bool
    ) -> None:
        """Put down the body of a scan and its call.

        Parameters
        ----------
        name : str
            Of the body.
        items : list of Item
        carried : dict
            Name of what one step leaves to the next -> key of the item that computes it.
        starts : dict
            The same names -> what the first step finds.
        reverse : bool
            Whether the last step comes first.
        bring : bool
            Whether what is left at the end is wanted.
        """
        names = {item.key: item.name for item in items}
        left = [names[key] for key in carried.values()]
        kept = [item.name for item in items if item.key == item.name and (item.name in self.used)]
        lines: list[str] = []

        def write() -> None:
            nonlocal lines
            lines = self._apart(lambda: [self._assign(item, 8, self.B) for item in items] and None)

        own = {*carried, *(item.name for item in items if item.key == item.name)}
        given = [text for text in self._reading(write) if text not in own]
        self.used |= dict.fromkeys(given)
        parameters = [_one(list(carried), "carry"), _one(given, "now")]
        self.lines += ["", f"    def {name}({', '.join(parameters)}):"]
        for parts, whole in ((list(carried), "carry"), (given, "now")):
            if len(parts) > 1:
                self.lines += _unpacked(parts, whole, 8)
        self.lines += lines
        first, last = _packed(left), _packed(kept)
        if len(f"        return {first}, {last}") > WIDTH:
            self.lines += collection("after = (", kept, ")", 8)
            last = "after"
        self.lines += [f"        return {first}, {last}", ""]
        ends = _packed(list(carried)) if bring else "_"
        stacked = _packed(kept) if kept else "_"
        call = [name, _packed([starts[c] for c in carried]), _packed(given)]
        if len(given) > 1 and len(call[-1]) > WIDTH - 12:
            self.lines += collection("now = (", given, ")", 4)
            call[-1] = "now"
        call += ["reverse=True"] * reverse + [f"length={self.T}"] * (not given)
        text = f"{ends}, {stacked} = jax.lax.scan({', '.join(call)})"
        if len(text) + 4 > WIDTH and len(kept) > 1:
            self.put(f"{ends}, after = jax.lax.scan({', '.join(call)})")
            self.lines += _unpacked(kept, "after", 4)
        else:
            self.put(text)

    # -- forward --------------------------------------------------------------------------------------
    def _forward(self) -> None:
        written: list[str] = []
        for index in reversed(range(len(self.system.scans))):
            written = [*self._apart(lambda: self._pass(index)), *written]  # noqa: B023
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

    def _pass(self, index: int) -> None:
        scan, name = self.system.scans[index], self.passes[index][0]
        items = [self._equation(line) for line in self.plan.stage(CELL) if line.name in scan.names]
        states = [s for s in self.system.states if s in scan.names]
        carried = {self.neighbour(s): self.names(s) for s in states}
        found = split(items, carried, self._reads, kept=True)
        after = self._apart(lambda: [self._equal(item, states) for item in found.after] and None)
        inside = {item.name for item in found.inside}
        joined = self._apart(lambda: [self._join(s) for s in states if self.names(s) in inside] and None)
        loop, hoisted = list[str](), list[str]()
        if found.inside:
            self.used |= {self.names(s): None for s in states}
            body, hoisted = self._hoisted(found.inside, set(found.carried))
            starts = {self.neighbour(s): self._first(s) for s in states}
            reverse = scan.direction == -1
            loop = self._apart(lambda: self._loop(name, body, found.carried, starts, reverse, bring=False))
        before = self._apart(lambda: [self._equal(item, states) for item in found.before] and None)
        self.lines += [*before, *hoisted, *loop, *joined, *after]

    def _equation(self, line: Line) -> Item:
        name = self.names(line.name)
        shape = self.plan.shape(line.name)
        return Item(name, line.expr, shape, lambda indent: self.equals(line.left, line.right, indent), name)

    def _equal(self, item: Item, states: list[str]) -> None:
        """Put an equation down for all steps at once."""
        self._assign(item, 4, self.T, self.B)
        for state in states:
            if self.names(state) == item.name:
                self._join(state)

    def _join(self, state: str) -> None:
        """Put a state together with its initial value."""
        first, name, whole = f"{self._first(state)}[None]", self.names(state), self.whole_array(state)
        forward = self.system.direction_of(state) == 1
        self.put(f"{whole} = jnp.concatenate([{f'{first}, {name}' if forward else f'{name}, {first}'}])")
        if self.neighbour(state) in self.used:
            self.put(f"{self.neighbour(state)} = {whole}[{':-1' if forward else '1:'}]")

    # -- readout and loss -----------------------------------------------------------------------------
    def _losses(self) -> None:
        self.section("readout and loss, all steps at once")
        final = self.plan.last
        for line in self.plan.stage(READOUT):
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
        written: list[str] = []
        sweeps = self.plan.sweeps
        for place in reversed(range(len(sweeps))):
            scan, lines = sweeps[place]
            name = self.passes[self.system.scans.index(scan)][1]
            written = [*self._apart(lambda: self._sweep_of(name, scan, lines)), *written]  # noqa: B023
        self.section("backward sweep")
        self.lines += written

    def _sweep_of(self, name: str, scan: Scan, lines: list[Line]) -> None:
        items = [self._adjoint_item(line) for line in lines]
        carries = [line for line in self.plan.carries if line.name.partition(".")[2] in scan.names]
        carried = {self.pseudo(line.name): f"next {line.name}" for line in carries}
        items += [self._carry_item(line) for line in carries]
        found = split(items, carried, self._reads, kept=False)
        after = self._apart(lambda: [self._assign(item, 4, self.T, self.B) for item in found.after] and None)
        loop: list[str] = []
        if found.inside:
            loop = self._apart(lambda: self._backward_loop(name, found.inside, found.carried, carries, scan))
        before = self._apart(lambda: [self._assign(item, 4, self.T, self.B) for item in found.before] and None)
        self.lines += [*before, *loop, *after]

    def _backward_loop(
        self, name: str, items: list[Item], carried: dict[str, str], carries: list[Line], scan: Scan
    ) -> None:
        for line in carries:
            shape = self.array(self.B, shape=self.plan.shape(line.name.partition(".")[2]))
            self.put(f"{self.pseudo(line.name)} = jnp.zeros({shape}, dtype)")
        self._loop(name, items, carried, {c: c for c in carried}, scan.direction == 1, bring=True)

    def _adjoint_item(self, line: Line) -> Item:
        if line.left is None:
            leaf = next(leaf for leaf in self.plan.shared.values() if leaf.name == line.name)
            shape = () if self.plan.scalar else tuple(A.shape_of(leaf)[: A.rank_of(leaf)])
            name = self.pseudo(line.name)
            return Item(name, line.expr, shape, lambda indent: self.say(self.formula(line.right), indent), name)
        name, shape = self.adjoint(line.name), self.plan.shape(line.name)
        return Item(name, line.expr, shape, lambda indent: self.equals(line.left, line.right, indent), name)

    def _carry_item(self, line: Line) -> Item:
        def say(indent: int) -> None:
            whole = self.formula(line.left)
            self.say(f"{self.formula(line.right)}, the part of {whole} that comes from this step", indent)

        shape = self.plan.shape(line.name.partition(".")[2])
        return Item(self.pseudo(line.name), line.expr, shape, say, f"next {line.name}")

    # -- gradients ------------------------------------------------------------------------------------
    def _gradients(self) -> None:
        self.section("gradients: sums over steps and batch")
        self.put("grads = {}")
        for line in self.plan.stacked_shared:
            self.say(self.formula(line.right))
            self.put(f"{self.pseudo(line.name)} = {self.all.full(line.expr).text}")
        for key, parts in self.plan.sums.items():
            first, *rest = (self._summation(part.at_end).total(part.expr) for part in parts)
            symbol = self.plan.notation(self.system.parameters[key])
            right = self.plan.notation(self.plan.generic.parameter_sum(key))
            self._gradient(key, symbol, right, signed(first.text, list(rest)))
        for name, line in self.plan.inputs.items():
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


def _numbered(word: str, index: int, count: int) -> str:
    return word if count == 1 else f"{word}_{index + 1}"


def _one(names: list[str], several: str) -> str:
    """Return the name of a parameter: that of the one thing in it, or a word for several."""
    return {0: "_", 1: names[0] if names else ""}.get(len(names), several)


def _packed(names: list[str]) -> str:
    """Return names as a tuple, one as itself, none as None."""
    return {0: "None", 1: names[0] if names else ""}.get(len(names), f"({', '.join(names)})")


def _unpacked(names: list[str], whole: str, indent: int) -> list[str]:
    line = f"{' ' * indent}{', '.join(names)} = {whole}"
    return [line] if len(line) <= WIDTH else collection("(", names, f") = {whole}", indent)


_MAIN = (
    'if __name__ == "__main__":',
    '    jax.config.update("jax_enable_x64", True)',
    '    print(f"largest error against jax.grad: {gradient_check():.1e}")',
)
