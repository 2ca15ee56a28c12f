"""A JAX module in the making: what its code reads, and scans over the steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .. import algebra as A
from ..model import Network
from .jax_functions import JAX
from .jax_order import Hoisting, Item
from .layout import WIDTH, collection
from .names import RESERVED
from .page import Page
from .terms import ATOM, Term


class JaxPage(Page):
    """The plan of a network with the names of its quantities, which are the same for one step and for all of them.

    Attributes
    ----------
    used : dict
        The arrays that the lines read that are put down so far, as keys: what a scan must bring out.
    laid : list of str
        The arrays over all steps, as NumPy would lay them out.
    passes : list of pair of str
        For each scan the names of the bodies, forward and backward.
    """

    dialect = JAX
    reserved = RESERVED | {"jax", "jnp", "partial", "carry", "now", "start", "after", "moved", "expected", "outer_sum"}
    library, oracle = "JAX", "jax.grad"
    number, array_type = "jax.Array", "jax.Array"

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.step = self.all  # in the body of a scan the names are those of one step
        self.used: dict[str, None] = {}
        self.laid: list[str] = []
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

    def lay(self, steps: str, shape: tuple[Any, ...]) -> None:
        """Note an array over all steps; the code does not read its sizes for that."""
        read = dict(self.sizes)
        self.laid.append(f"np.empty({self.array(steps, self.B, shape=shape)}, dtype)")
        self.sizes = read

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

    def reads(self, expr: Any) -> set[str]:
        """Return the arrays that the code of an expression reads."""
        return set(self._reading(lambda: self.all.full(expr)))

    def pseudo(self, name: str) -> str:
        """Name a variable that the plan made, or what is computed before a loop: ``hoisted.z.0``."""
        kind, _, rest = name.partition(".")
        if kind != "hoisted":
            return super().pseudo(name)
        return self.names(name, f"{rest.rpartition('.')[0]}_in")

    # -- a scan ---------------------------------------------------------------------------------------
    def _whole(self, expr: Any, shape: tuple[Any, ...], *lead: str) -> Term:
        """Return an expression with its leading axes also where it is constant."""
        term = self.all.full(expr)
        if term.varies:
            return term
        return Term(f"jnp.full({self.array(*lead, shape=shape)}, {term.text}, dtype)", ATOM, term.rank, True)

    def assign(self, item: Item, indent: int, *lead: str) -> None:
        """Put an assignment down, with its formula."""
        if lead[0] == self.T:
            self.lay(self.T, item.shape)
        item.say(indent)
        self.put(f"{item.name} = {self._whole(item.expr, item.shape, *lead).text}", indent)

    def assign_all(self, items: list[Item], indent: int, *lead: str) -> None:
        """Put assignments down."""
        for item in items:
            self.assign(item, indent, *lead)

    def hoisted(self, items: list[Item], carried: set[str]) -> tuple[list[Item], list[str]]:
        """Return the assignments of a loop without what can be computed before it, and the lines that do so."""
        bound = carried | {item.name for item in items}
        found, lines = [], list[str]()
        for item in items:
            hoisting = Hoisting(item.name, self.system.t, self.reads, bound)
            found.append(Item(item.name, hoisting(item.expr), item.shape, item.say, item.key))
            lines += self.apart(partial(self._put_hoisted, hoisting.found))
        return found, lines

    def _put_hoisted(self, found: dict[Any, Any]) -> None:
        for leaf, expr in found.items():
            self.lay(self.T, tuple(A.shape_of(leaf)[: A.rank_of(leaf)]))
            self.say(f"{self.formula(self._shown(expr))}, for all steps at once")
            self.put(f"{self.pseudo(leaf.name)} = {self.all.full(expr).text}")

    def _shown(self, expr: Any) -> Any:
        """Return an expression with what the plan's own variables stand for."""
        generic = self.plan.generic
        for whole, leaf in reversed(self.plan.shared.items()):
            expr = expr.xreplace({leaf: whole})
        local = {self.plan.pseudo("local", name): generic.local_of(name) for name in generic.read_by_loss}
        return expr.xreplace({leaf: generic.weighted(part) for leaf, part in local.items()})

    def loop(
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
        left = [next(item.name for item in items if item.key == key) for key in carried.values()]
        made = [item.name for item in items if item.key == item.name]
        kept = [name for name in made if name in self.used]
        for item in items:
            if item.key == item.name in kept:
                self.lay(self.T, item.shape)
        lines: list[str] = []

        def write() -> None:
            nonlocal lines
            lines = self.apart(lambda: self.assign_all(items, 8, self.B))

        given = [text for text in self._reading(write) if text not in (*carried, *made)]
        self.used |= dict.fromkeys(given)
        self.lines += ["", f"    def {name}({_one([*carried], 'carry')}, {_one(given, 'now')}):"]
        for parts, whole in (([*carried], "carry"), (given, "now")):
            if len(parts) > 1:
                self.lines += _unpacked(parts, whole, 8)
        first, last, packing = self._two(left, kept, len("        return "), 8)
        self.lines += [*lines, *packing, f"        return {first}, {last}", ""]
        self._call(name, given, [starts[c] for c in carried], [*carried] if bring else ["_"], kept, reverse)

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
