"""Fractions, roots, brackets and tables."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ...notation.tree import Annotated, Chain, Dots, Empty, Fence, Grid, Listing, Name, Root, Tree, Words
from ...notation.tree import Fraction as FractionTree
from ..expr import Call, Cases, Condition, Div, Expr, Matrix, Norm, Num, Pow
from .rules import Elaboration, FailedError, elaborates


@elaborates(FractionTree)
def _fraction(e: Elaboration, tree: FractionTree, bound: frozenset[str]) -> Expr:
    return Div(e.expr(tree.top, bound), e.expr(tree.bottom, bound))


@elaborates(Root)
def _root(e: Elaboration, tree: Root, bound: frozenset[str]) -> Expr:
    degree = e.expr(tree.degree, bound) if tree.degree is not None else Num(Fraction(2))
    return Pow(e.expr(tree.body, bound), Div(Num(Fraction(1)), degree))


@elaborates(Fence)
def _fence(e: Elaboration, tree: Fence, bound: frozenset[str]) -> Expr:
    if tree.left in ("|", "||"):
        body = e.expr(tree.body, bound)
        return Norm(body, "abs" if tree.left == "|" else "")
    if tree.left in ("floor", "ceil"):
        return Call(tree.left, (e.expr(tree.body, bound),))
    if isinstance(tree.body, Listing):
        return _listed(e, tree, bound)
    if isinstance(tree.body, Chain | Empty | Words):
        raise FailedError("check.reason.no-meaning", tree)
    return e.expr(tree.body, bound)


def _listed(e: Elaboration, tree: Fence, bound: frozenset[str]) -> Expr:
    body = tree.body
    assert isinstance(body, Listing)
    if set(body.separators) <= {",", ";"} and not any(isinstance(i, Dots | Words) for i in body.items):
        if ";" in body.separators or tree.left != "[":
            return Matrix(tuple((e.expr(item, bound),) for item in body.items))
        return Matrix((tuple(e.expr(item, bound) for item in body.items),))
    items = [item for item in body.items if not isinstance(item, Words)]
    if len(items) == 1:
        return e.expr(items[0], bound)
    raise FailedError("check.reason.no-meaning", tree)


@elaborates(Grid)
def _grid(e: Elaboration, tree: Grid, bound: frozenset[str]) -> Expr:
    if tree.kind == "cases":
        return Cases(tuple((e.expr(row[0], bound), _condition(e, row[1:], bound)) for row in tree.rows))
    if any(isinstance(cell, Dots) for row in tree.rows for cell in row):
        raise FailedError("check.reason.open-ended", tree)
    return Matrix(tuple(tuple(e.expr(cell, bound) for cell in row) for row in tree.rows))


def _condition(e: Elaboration, cells: tuple[Tree, ...], bound: frozenset[str]) -> Any:
    """Return the condition of a case: relations between expressions, None for "otherwise", or as it is written."""
    if not cells or (isinstance(cells[0], Name) and cells[0].name == "otherwise"):
        return None
    if isinstance(cells[0], Chain):
        operands = tuple(e.expr(operand, bound) for operand in cells[0].operands)
        return Condition(operands, tuple(relation.kind for relation in cells[0].relations), tree=cells[0])
    return cells[0]


@elaborates(Annotated)
def _annotated(e: Elaboration, tree: Annotated, bound: frozenset[str]) -> Expr:
    return e.expr(tree.body, bound)
