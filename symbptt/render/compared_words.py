"""The words of a comparison with the true gradients: phrases filled with numbers, names and formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sympy import Basic

from ..algebra import derivative
from ..algebra.layout import Operator, Row
from ..algebra.present import present
from ..codegen.comparing.result import ADJOINT, GRADIENT, STATE, UNDECIDED, WRONG, Cause, Compared, First, Item
from ..model import System, names_in
from .phrases import PLACEHOLDER, catalogue

Part: TypeAlias = Any
"""Words, or a formula as it lies on the page."""
Writer: TypeAlias = Callable[[Part], str]


class Name(str):
    """The name of an array, which some writers set as code."""


BETWEEN = {"en": "; ", "zh": "；"}
LIST = {"en": ", ", "zh": "、"}


class Words:
    """Fills the phrases of a language, formulas in the notation of a model.

    Parameters
    ----------
    data : Compared
    system : System
    lang : str
    notation : str or mapping
    """

    def __init__(self, data: Compared, system: System, lang: str, notation: Any = "textbook") -> None:
        self.data, self.system, self.lang = data, system, lang
        self.names = names_in(system, notation)

    def formula(self, expr: Any) -> Part:
        """Return an expression as it lies on the page."""
        return present(expr, self.names)

    def phrase(self, key: str, **values: Any) -> list[Part]:
        """Return a phrase as words and formulas."""
        parts: list[Part] = []
        text, end = catalogue(self.lang)[key], 0
        for found in PLACEHOLDER.finditer(text):
            value = values[found[1]]
            if not isinstance(value, list):
                value = [self.formula(value) if isinstance(value, Basic) else str(value)]
            parts += [text[end : found.start()], *value]
            end = found.end()
        return [part for part in [*parts, text[end:]] if part != ""]

    # -- all --------------------------------------------------------------------------------------------------
    def summary(self) -> list[Part]:
        """Return how many arrays are wrong, and at which sizes they were compared."""
        verdicts = [item.verdict for item in self.data.items]
        counts = {"wrong": verdicts.count(WRONG), "open": verdicts.count(UNDECIDED), "count": len(verdicts)}
        key = "wrong" if counts["wrong"] else "open" if counts["open"] else "right"
        sizes = [f"T = {self.data.steps}", *([] if self.data.batch is None else [f"B = {self.data.batch}"])]
        sizes += [] if self.data.reduction is None else [f"reduction = {self.data.reduction}"]
        return self.phrase(f"compare.summary_{key}", **counts, sizes=", ".join(sizes))

    def verdict(self, item: Item) -> str:
        """Return the word for a verdict."""
        verdict = item.verdict
        return catalogue(self.lang)[f"compare.{verdict}"]

    def name(self, item: Item) -> list[Part]:
        """Return what an item is called, as a formula, with its own name where that is another."""
        if item.kind == ADJOINT:
            symbol = derivative(self.system.L, self.system.at(item.key))
        elif item.kind == STATE:
            symbol = self.system.at(item.key)
        else:
            return [Name(item.name if item.name == item.key else f"{item.name} ({item.key})")]
        return [self.formula(symbol)]

    def named(self, items: tuple[Item, ...]) -> list[Part]:
        """Return what several items are called."""
        parts: list[Part] = []
        for i, item in enumerate(items):
            parts += [LIST[self.lang]] * bool(i) + self.name(item)
        return parts

    def shape(self, item: Item) -> str:
        """Return a shape in symbols and in numbers; that of what was given where it is another."""
        if not item.shape:
            return ""
        numbers = f"({', '.join(map(str, item.shape))}{',' if len(item.shape) == 1 else ''})"
        symbols = f"({', '.join(item.symbols)}{',' if len(item.symbols) == 1 else ''})"
        return numbers if len(item.symbols) != len(item.shape) or symbols == numbers else f"{symbols} = {numbers}"

    def details(self, item: Item) -> list[Part]:
        """Return what was found about one array, without its causes."""
        given, true = _pair(item.given, item.true)
        values: dict[str, Any] = {
            "given": given, "true": true, "error": f"{item.error:.2g}", "entry": str(list(item.entry)),
            "wrong": item.wrong, "count": item.compared, "step": item.step,
        }  # fmt: skip
        if item.verdict != WRONG:
            return self.phrase("compare.agrees" if item.verdict != UNDECIDED else "compare.hidden", **values)
        if item.kind != GRADIENT:
            return self.phrase("compare.first_step" if len(item.entry) > 1 else "compare.first_number", **values)
        return self.phrase("compare.entries" if item.entry else "compare.number", **values)

    def first(self, first: First) -> list[Part]:
        """Return where the given arrays first go wrong."""
        key = "compare.first_forward" if first.item.kind == STATE else "compare.first_backward"
        return self.phrase(key, name=self.name(first.item), step=first.item.step)

    def equation(self, first: First) -> Part:
        """Return the equation of the first wrong value, as it lies on the page."""
        return Row((self.formula(first.left), Operator("="), self.formula(first.right)))

    def causes(self, causes: tuple[Cause, ...]) -> list[Part]:
        """Return causes in words."""
        parts: list[Part] = []
        for i, cause in enumerate(causes):
            name, values = cause.name, {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in cause.values}
            parts += [BETWEEN[self.lang]] * bool(i) + self.phrase(f"compare.cause_{name}", **values)
        return parts


def written(parts: list[Part], writer: Writer, code: Callable[[str], str] = str) -> str:
    """Return words with their formulas as a writer writes them, and names as code."""
    return "".join(code(p) if isinstance(p, Name) else p if isinstance(p, str) else writer(p) for p in parts)


def _pair(left: float, right: float) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to tell them apart."""
    shown = ("", "")
    for digits in range(4, 18):
        shown = (f"{left:.{digits}g}", f"{right:.{digits}g}")
        if shown[0] != shown[1]:
            break
    else:
        shown = (f"{left:.6g}", f"{right:.6g}")
    return shown
