"""A module in the making: names for all quantities, writers of expressions, and the lines put down so far."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sympy import Expr

from .. import algebra as A
from ..algebra import present
from ..algebra.functions import ElementwiseFunction
from ..algebra.plain import to_plain
from ..model import CELL, READOUT, SAMPLE, Network
from .dialect import NUMPY
from .functions import python_name
from .layout import comment, statement
from .names import RESERVED, Allocator, identifier
from .plan import plan_of
from .writer import Writer


def formula(expr: Any, names: A.Names) -> str:
    """Return an expression as one line of Unicode."""
    return to_plain(present(expr, names))


class Page:
    """The plan of a network with the names of its quantities; what is used is noted on the way.

    ``counts`` says whether the code reads T. With ``last``, the function takes cotangents of the last states, as if
    steps after T handed them back.
    """

    dialect = NUMPY
    reserved = RESERVED
    library, oracle = "NumPy", "central differences"
    number, array_type = "float", "np.ndarray"

    def __init__(self, network: Network, last: bool = False) -> None:
        self.network, self.plan = network, plan_of(network)
        self.system = self.plan.system
        self.formula = partial(formula, names=A.Names(rows=network.layout == SAMPLE))
        self.names = Allocator(self.reserved)
        self.arguments = self._arguments()
        self.needs_steps = not self.system.inputs and (self.plan.last or not self.plan.has_target)
        for name in [*self.system.variables, *self.system.parameters]:
            self.names(name, "losses" if name == "l" else identifier(name))
        self.T, self.B = self.names("number of steps", "T"), self.names("size of the batch", "B")
        self.sizes: dict[Any, str] = {}
        defined = {line.name: line.right for stage in (CELL, READOUT) for line in self.plan.stage(stage)}
        base = Writer(str, self._size, defined, self._function_name, dialect=self.dialect)
        self.step, self.all, self.end = (base.with_leaf(self._leaf(s)) for s in ("[t]", "", "[-1]"))
        self.helpers = base.helpers
        self.lines: list[str] = []
        self.counts = True
        self.masks: list[str] = []
        self.about: list[str] = []
        self.mask_words: list[str] = []
        states = self.system.states if last else ()
        self.cotangents = {s: self.names(f"cotangent of {s}", identifier(f"d{s}_T")) for s in states}

    # -- names ----------------------------------------------------------------------------------------
    def _arguments(self) -> dict[str, str]:
        wanted = [*self.system.inputs, *self.system.fixed]
        named = {name: self.names(name) for name in wanted}
        return {**named, **{f"{s}0": self.names(f"initial {s}", identifier(f"{s}0")) for s in self.system.states}}

    def _size(self, symbol: Any) -> str:
        if symbol == self.system.steps:
            return self.T
        return self.sizes.setdefault(symbol, self.names(f"size {symbol}", str(symbol)))

    def _function_name(self, function: ElementwiseFunction) -> str:
        return self.names(f"function {function.name}", python_name(function))

    def whole_array(self, state: str) -> str:
        """Name the array of a state over all steps and the initial one."""
        return self.names(f"whole {state}", f"{self.names(state)}_all")

    def neighbour(self, state: str) -> str:
        """Name the view whose entry t is the state that step t reads."""
        suffix = "prev" if self.system.direction_of(state) == 1 else "next"
        return self.names(f"neighbour {state}", f"{self.names(state)}_{suffix}")

    def adjoint(self, name: str) -> str:
        return self.names(f"adjoint {name}", f"d{self.names(name)}")

    def local(self, name: str) -> str:
        return self.names(f"local {name}", f"dl_d{self.names(name)}")

    def weighted(self, name: str) -> str:
        """Name the part of an adjoint that comes from the loss of its own step."""
        if self.plan.generic.weight == 1:
            return self.local(name)
        return self.names(f"weighted {name}", f"d{self.names(name)}_local")

    def pseudo(self, name: str) -> str:
        """Name a quantity that the plan or a pass made: ``carry.h``, ``local.h``, ``shared.h.0``, ``share.z``."""
        kind, _, rest = name.partition(".")
        if kind == "local":
            return self.weighted(rest)
        return self.names(name, _WISHES[kind](self.names, rest))

    def _leaf(self, suffix: str) -> Callable[[Any], str]:
        def write(leaf: Any) -> str:
            if isinstance(leaf, A.Gradient | A.ScalarDerivative):
                cell = leaf.by.name in self.plan.generic.adjoints and leaf.of == self.system.L
                name = self.adjoint(leaf.by.name) if cell else self.local(leaf.by.name)
                return name + ("" if suffix == "[-1]" and not cell else suffix)
            if not isinstance(leaf, A.MatrixAt | A.ScalarAt):
                return self.names(str(leaf.name))
            if "." in leaf.name and leaf.name not in self.system.variables:
                return self.pseudo(leaf.name) + ("" if leaf.name.startswith("carry.") else suffix)
            if leaf.when != self.system.t:
                return self.neighbour(leaf.name) + suffix
            return self.names(leaf.name) + ("" if suffix == "[-1]" and leaf.name in self.system.targets else suffix)

        return write

    # -- putting lines down ---------------------------------------------------------------------------
    def say(self, text: str, indent: int = 4) -> None:
        self.lines += comment(text, indent)

    def put(self, text: str, indent: int = 4) -> None:
        self.lines += statement(text, indent)

    def section(self, title: str) -> None:
        self.lines += ["", f"    # -- {title} --"]

    def equals(self, left: Any, right: Any, indent: int = 4, at: Expr | None = None) -> None:
        """Put a formula down as a comment, at a generic step or a given one."""
        if at is not None:
            left, right = (e.xreplace({self.system.t: at}) for e in (left, right))
        self.say(f"{self.formula(left)} = {self.formula(right)}", indent)

    def array(self, *sizes: str, shape: tuple[Any, ...]) -> str:
        """Return the shape of an array as a Python tuple."""
        every = [*sizes, *(self.all.number(s) for s in shape)]
        return f"({', '.join(every)}{',' if len(every) == 1 else ''})"


_WISHES: dict[str, Callable[[Allocator, str], str]] = {
    "carry": lambda names, rest: f"d{names(rest)}_carry",
    "shared": lambda names, rest: f"g_{identifier(rest.rpartition('.')[0])}",
    "share": lambda names, rest: f"{_numbered(names, rest)}_in",
    "kept": lambda names, rest: f"{rest.partition('.')[0]}_{_numbered(names, rest.partition('.')[2])}",
    "wide": lambda names, rest: f"products_{identifier(rest)}",
    "joined": lambda names, rest: f"{_numbered(names, rest)}_and_on" if rest in names.given else f"{rest}_and_on",
    "common": lambda names, rest: f"common_{identifier(rest)}",
    "row": lambda names, rest: f"row_{identifier(rest)}",
    "slot": lambda names, rest: f"part_{rest}",
    "span": lambda names, rest: f"span_{rest}",
}
"""Kind of a quantity -> what it would best be called."""


def _numbered(names: Allocator, rest: str) -> str:
    """Name a variable, of which there may be several shares: ``z``, ``z.1``."""
    base, _, number = rest.rpartition(".")
    return f"{names(base)}_{number}" if number.isdigit() else names(rest)
