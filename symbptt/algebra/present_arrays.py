"""The layout of what is made of arrays: norms, sums of entries, parts, blocks, constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import nodes as N
from .base import is_vector
from .layout import ATOM, HADAMARD, POWER, PRODUCT, Fence, Grid, Ident, Item, Number, Operator, Script, row
from .leaves import Fill, Identity, LiteralMatrix
from .names import Names
from .present_rules import lays_out, present, wrapped

_INVERSE_VEC = Script(Ident("vec", "upright"), sup=row(Operator("−", "prefix"), Number("1")))


def _call(word: str) -> Callable[[Any, Names], Item]:
    return lambda e, names: row(Ident(word, "upright"), Fence(present(e.args[0], names)))


@lays_out(POWER, N.SquaredNorm)
def _norm(e: Any, names: Names) -> Item:
    return Script(Fence(present(e.args[0], names), "‖", "‖"), sup=Number("2"))


@lays_out(HADAMARD, N.EntrySum)
def _entry_sum(e: Any, names: Names) -> Item:
    if is_vector(e.args[0]):
        return row(Script(Ident("1", "bold"), sup=Operator("⊤", "plain")), wrapped(e.args[0], PRODUCT, names))
    return row(Ident("sum", "upright"), Fence(present(e.args[0], names)))


@lays_out(HADAMARD, N.ColumnSums)
def _column_sums(e: Any, names: Names) -> Item:
    ones = Script(Ident("1", "bold"), sup=Operator("⊤", "plain"))
    return row(ones, wrapped(e.args[0], PRODUCT, names))


@lays_out(ATOM, N.MaxIndicator)
def _indicator(e: Any, names: Names) -> Item:
    x = present(e.args[0], names)
    equation = row(x, Operator("="), Ident("max", "upright"), Fence(x))
    return row(Ident("1", "bold"), Fence(equation, "[", "]"))


@lays_out(ATOM, N.Concat)
def _concat(e: Any, names: Names) -> Item:
    return Grid(tuple((present(a, names),) for a in e.args))


@lays_out(ATOM, N.Part)
def _part(e: Any, names: Names) -> Item:
    x, start, length = e.args
    rows = present(start + 1, names)
    if length != 1:
        rows = row(rows, Operator(":", "separator"), present(start + length, names))
    return Script(Fence(present(x, names), "[", "]"), rows)


@lays_out(ATOM, N.Blocks)
def _blocks(e: N.Blocks, names: Names) -> Item:
    return Grid(tuple(tuple(present(b, names) for b in r) for r in e.rows))


@lays_out(ATOM, Fill)
def _fill(e: Fill, names: Names) -> Item:
    ones = Ident("1", "bold")
    if e.value == 1:
        return ones
    return Number("0") if e.value == 0 else row(wrapped(e.value, PRODUCT, names), ones)


@lays_out(ATOM, LiteralMatrix)
def _literal_matrix(e: LiteralMatrix, names: Names) -> Item:
    return Grid(tuple(tuple(present(x, names) for x in r) for r in e.rows))


@lays_out(HADAMARD, N.Kronecker)
def _kronecker(e: Any, names: Names) -> Item:
    items: list[Item] = []
    for i, factor in enumerate(e.args):
        items += [*([Operator("⊗")] if i else []), wrapped(factor, POWER, names)]
    return row(*items)


for _kind, _word in {
    N.Trace: "tr",
    N.Vec: "vec",
    N.Diag: "diag",
    N.DiagonalOf: "diag",
    N.Mean: "mean",
    N.RowMean: "mean",
    N.Variance: "var",
    N.RowVariance: "var",
    N.MaxEntry: "max",
    N.Softmax: "softmax",
    N.RowSoftmax: "softmax",
}.items():
    lays_out(ATOM, _kind)(_call(_word))


@lays_out(POWER, N.Unvec)
def _unvec(e: Any, names: Names) -> Item:
    return row(_INVERSE_VEC, Fence(present(e.args[0], names)))


@lays_out(ATOM, Identity)
def _identity(e: Any, names: Names) -> Item:
    return Ident("I")
