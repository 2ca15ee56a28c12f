"""A JAX module in the making: what its code reads, and scans over the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ... import algebra as A
from ...model import Network
from ..layout import WIDTH, collection
from ..names import RESERVED
from ..outline import Outline
from ..plan import Line
from .functions import JAX, JaxSummation


@dataclass(frozen=True)
class Item:
    """One assignment of a step.

    Attributes
    ----------
    name : str
        What is assigned to.
    expr : node
    shape : tuple
        Of one value.
    say : callable
        Puts the comment down, with an indentation.
    key : str
        What tells it from the others: the name, but of what is carried on.
    """

    name: str
    expr: Any
    shape: tuple[Any, ...]
    say: Callable[[int], None]
    key: str


class JaxPage(Outline):
    """The plan of a network with the names of its quantities, which are the same for one step and for all of them.

    Attributes
    ----------
    used : dict
        The arrays that the lines read that are put down so far, as keys: what a scan must bring out.
    passes : list of pair of str
        For each scan the names of the bodies, forward and backward.
    """

    dialect = JAX
    reserved = RESERVED | {"jax", "jnp", "partial", "carry", "now", "start", "after", "moved", "expected", "outer_sum"}
    library, oracle = "JAX", "jax.grad"
    number, array_type = "jax.Array", "jax.Array"
    summation = JaxSummation

    def __init__(self, network: Network, last: bool = False) -> None:
        super().__init__(network, last)
        self.step = self.all  # in the body of a scan the names are those of one step
        self.used: dict[str, None] = {}
        several = len(self.system.scans) > 1
        endings = [f"_{i + 1}" if several else "" for i in range(len(self.system.scans))]
        self.passes = [
            (self.names(f"pass{ending}", f"forward{ending}"), self.names(f"sweep{ending}", f"backward{ending}"))
            for ending in endings
        ]

    def apart(self, part: Callable[[], None]) -> list[str]:
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

    def reads(self, names: Iterable[str]) -> None:
        """Take note of arrays that the code reads outside expressions."""
        self.used |= dict.fromkeys(names)

    def reading(self, write: Callable[[], Any]) -> dict[str, None]:
        """Return the arrays that are read where something is written, in order; they are not noted as used."""
        outside, self.used = self.used, {}
        write()
        found, self.used = self.used, outside
        return found

    # -- a scan ---------------------------------------------------------------------------------------
    def assign(self, item: Item, indent: int, *lead: str) -> None:
        """Put an assignment down, with its formula."""
        if lead[0] == self.T:
            self.lay(self.T, item.shape)
        item.say(indent)
        self.put(f"{item.name} = {self._filled(self.all, item.expr, item.shape, *lead).text}", indent)

    def assign_all(self, items: list[Item], indent: int, *lead: str) -> None:
        """Put assignments down."""
        for item in items:
            self.assign(item, indent, *lead)

    def item(self, line: Line) -> Item:
        """Return the assignment that carries out a line."""
        shape = () if self.plan.scalar else tuple(A.shape_of(line.leaf)[: A.rank_of(line.leaf)])
        (name,) = self.reading(partial(self.all.leaf, line.leaf))
        carry = line.name.startswith("carry.")
        return Item(name, line.expr, shape, partial(self._explained, line), line.name if carry else name)

    def _explained(self, line: Line, indent: int) -> None:
        if line.left is None:
            self.say(self.formula(self.program.meaning(line.right)), indent)
        elif line.name.startswith("carry."):
            what = f"the part of {self.formula(line.left)} that comes from this step"
            self.say(f"{self.formula(line.right)}, {what}", indent)
        else:
            self.equals(line.left, line.right, indent)

    def loop(
        self, name: str, items: list[Item], carried: dict[str, tuple[str, str]], reverse: bool, bring: bool
    ) -> None:
        """Put down the body of a scan and its call.

        Parameters
        ----------
        name : str
            Of the body.
        items : list of Item
        carried : dict
            Name of what one step leaves to the next -> key of the item that computes it, and what the first step finds.
        reverse : bool
            Whether the last step comes first.
        bring : bool
            Whether what is left at the end is wanted.
        """
        left = [next(item.name for item in items if item.key == key) for key, _ in carried.values()]
        made = [item.name for item in items if item.key == item.name]
        kept = [name for name in made if name in self.used]
        for item in items:
            if item.key == item.name in kept:
                self.lay(self.T, item.shape)
        lines: list[str] = []

        def write() -> None:
            nonlocal lines
            lines = self.apart(lambda: self.assign_all(items, 8, self.B))

        given = [text for text in self.reading(write) if text not in (*carried, *made)]
        self.used |= dict.fromkeys(given)
        self.lines += ["", f"    def {name}({_one([*carried], 'carry')}, {_one(given, 'now')}):"]
        for parts, whole in (([*carried], "carry"), (given, "now")):
            if len(parts) > 1:
                self.lines += _unpacked(parts, whole, 8)
        first, last, packing = self._two(left, kept, len("        return "), 8)
        self.lines += [*lines, *packing, f"        return {first}, {last}", ""]
        self._call(name, given, [start for _, start in carried.values()], [*carried] if bring else ["_"], kept, reverse)

    def _two(self, carry: list[str], values: list[str], before: int, indent: int) -> tuple[str, str, list[str]]:
        """Return what a scan carries and what it collects as text, and the lines that pack up what is too long."""
        first, last, lines = _packed(carry), _packed(values), list[str]()
        if before + len(first) + len(last) + 2 > WIDTH and len(values) > 1:
            lines += collection("after = (", values, ")", indent)
            last = "after"
        if before + len(first) + len(last) + 2 > WIDTH and len(carry) > 1:
            lines += collection("carry = (", carry, ")", indent)
            first = "carry"
        return first, last, lines

    def _call(
        self, name: str, given: list[str], starts: list[str], ends: list[str], kept: list[str], reverse: bool
    ) -> None:
        """Put down the call of a scan; what is too long for a line is packed up before it, or unpacked after it."""
        more = ["reverse=True"] * reverse + [f"length={self.T}"] * (not given)

        def text(result: list[str], arguments: list[str]) -> str:
            return f"{', '.join(result)} = jax.lax.scan({', '.join([name, *arguments, *more])})"

        result, arguments = [_packed(ends), _packed(kept or ["_"])], [_packed(starts), _packed(given)]
        places = (
            (arguments, 1, given, "now"), (arguments, 0, starts, "start"),
            (result, 1, kept, "after"), (result, 0, ends, "carry"),
        )  # fmt: skip
        unpacking: list[str] = []
        for where, place, names, word in places:
            if len(text(result, arguments)) + 4 <= WIDTH:
                break
            if len(names) > 1:
                where[place] = word
                if where is arguments:
                    self.lines += collection(f"{word} = (", names, ")", 4)
                else:
                    unpacking += _unpacked(names, word, 4)
        self.put(text(result, arguments))
        self.lines += unpacking


def _one(names: list[str], several: str) -> str:
    """Return the name of a parameter: that of the one thing in it, or a word for several."""
    return {0: "_", 1: names[0] if names else ""}.get(len(names), several)


def _packed(names: list[str]) -> str:
    """Return names as a tuple, one as itself, none as None."""
    return {0: "None", 1: names[0] if names else ""}.get(len(names), f"({', '.join(names)})")


def _unpacked(names: list[str], whole: str, indent: int) -> list[str]:
    line = f"{' ' * indent}{', '.join(names)} = {whole}"
    return [line] if len(line) <= WIDTH else collection("(", names, f") = {whole}", indent)
