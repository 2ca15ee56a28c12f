"""The layout of sums, products, quotients, powers and functions."""

from __future__ import annotations

from typing import Any

from . import nodes as N
from .functions import ElementwiseFunction
from .layout import ATOM, HADAMARD, POWER, PRODUCT, SUM, Fence, Fraction, Item, Operator, Root, Row, Script, row
from .leaves import Fill
from .measures import CALLED
from .names import Names
from .present_rules import lays_out, present, product, raised, signed, wrapped


@lays_out(SUM, N.Plus, N.MatrixPlus)
def _sum(e: Any, names: Names) -> Item:
    items: list[Item] = []
    for i, term in enumerate(e.args):
        if isinstance(term, Fill):
            term = term.value
        negative, item, level = signed(term, names)
        if negative or i:
            items.append(Operator("−" if negative else "+", "infix" if i else "prefix"))
        items.append(Fence(item) if level == SUM else item)
    return row(*items)


@lays_out(PRODUCT, N.Times)
def _times(e: Any, names: Names) -> Item:
    return product(e.args, names)


@lays_out(PRODUCT, N.Scale)
def _scale(e: Any, names: Names) -> Item:
    scalar, array = e.args
    if isinstance(scalar, N.Quotient) and scalar.args[0] == 1:
        return Fraction(present(array, names), present(scalar.args[1], names))
    return product(e.args, names)


@lays_out(HADAMARD, N.Hadamard)
def _hadamard(e: Any, names: Names) -> Item:
    items: list[Item] = []
    for i, factor in enumerate(e.args):
        if i:
            items.append(Operator("⊙"))
        items.append(_tight(factor, names))
    return row(*items)


def _tight(factor: Any, names: Names) -> Item:
    """A factor of an elementwise product or quotient: products of other kinds are in brackets."""
    item = wrapped(factor, HADAMARD + 1, names)
    is_product = isinstance(factor, N.MatrixProduct | N.Scale | N.Outer)
    return Fence(item) if is_product and not isinstance(item, Fence) else item


@lays_out(PRODUCT, N.MatrixProduct)
def _matrix_product(e: Any, names: Names) -> Item:
    return row(*(wrapped(factor, PRODUCT, names) for factor in e.args))


@lays_out(PRODUCT, N.Outer)
def _outer(e: Any, names: Names) -> Item:
    u, v = e.args
    return row(wrapped(u, PRODUCT, names), raised(v, Operator("⊤", "plain"), names))


@lays_out(HADAMARD, N.Inner)
def _inner(e: Any, names: Names) -> Item:
    u, v = e.args
    return row(raised(u, Operator("⊤", "plain"), names), wrapped(v, PRODUCT, names))


@lays_out(PRODUCT, N.Quotient)
def _fraction(e: Any, names: Names) -> Item:
    return Fraction(*(present(a, names) for a in e.args))


@lays_out(HADAMARD, N.HadamardQuotient)
def _elementwise_quotient(e: Any, names: Names) -> Item:
    top, bottom = (_tight(a, names) for a in e.args)
    if isinstance(e.args[0], Fill):
        top = present(e.args[0].value, names)
    return row(top, Operator("⊘"), bottom)


@lays_out(POWER, N.Power, N.MatrixPower)
def _power(e: Any, names: Names) -> Item:
    base = present(e.args[0], names)
    if type(e.args[0]) in CALLED and isinstance(base, Row):  # the exponent of a call stands behind its bracket
        return row(*base.items[:-1], Script(base.items[-1], sup=present(e.args[1], names)))
    return raised(e.args[0], present(e.args[1], names), names)


@lays_out(POWER, N.HadamardPower)
def _hadamard_power(e: Any, names: Names) -> Item:
    base, exponent = e.args
    return raised(base, row(Operator("⊙", "plain"), present(exponent, names)), names)


@lays_out(ATOM, N.Apply, N.Map)
def _map(e: Any, names: Names) -> Item:
    function, argument = e.args
    return call_layout(function, present(argument, names), names)


def call_layout(function: ElementwiseFunction, argument: Item, names: Names) -> Item:
    """Return the layout of f(argument)."""
    if function.name == "abs":
        return Fence(argument, "|", "|")
    if function.name == "sqrt":
        return Root(argument)
    return row(names.function(function.name), Fence(argument))


@lays_out(POWER, N.Transposed)
def _transposed(e: Any, names: Names) -> Item:
    return raised(e.args[0], Operator("⊤", "plain"), names)
