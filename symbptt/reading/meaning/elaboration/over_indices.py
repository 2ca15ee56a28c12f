"""Sums, products and extremes over indices."""

from __future__ import annotations

from typing import Any

from ...notation.tree import Big, Chain, Empty, Listing, Name
from ..expr import Bound, Expr, Extreme, Over
from ..index import Index, index_of
from .rules import Elaboration, FailedError, elaborates


@elaborates(Big)
def _big(e: Elaboration, tree: Big, bound: frozenset[str]) -> Expr:
    if isinstance(tree.body, Empty):
        raise FailedError("check.reason.no-meaning", tree)
    if tree.kind in ("sum", "prod"):
        return _over(e, tree, bound)
    if tree.kind in ("max", "min", "sup", "inf", "lim", "argmax", "argmin"):
        return _extreme(e, tree, bound)
    raise FailedError("check.reason.no-meaning", tree)


def _over(e: Elaboration, tree: Big, bound: frozenset[str]) -> Expr:
    sub = tree.sub
    high = None if tree.sup is None else index_of(tree.sup)
    if sub is None:
        raise FailedError("check.reason.no-bounds", tree)
    if isinstance(sub, Name):
        return Bound(tree.kind, sub.name, None, high, e.expr(tree.body, bound | {sub.name}))
    if isinstance(sub, Listing) and all(isinstance(item, Name) for item in sub.items):
        body = e.expr(tree.body, bound | {item.name for item in sub.items if isinstance(item, Name)})
        for item in reversed(sub.items):
            assert isinstance(item, Name)
            body = Bound(tree.kind, item.name, None, None, body, tree=tree)
        return body
    chain = sub.items[0] if isinstance(sub, Listing) else sub
    if not isinstance(chain, Chain):
        raise FailedError("check.reason.no-meaning", tree)
    return _bounded(e, tree, chain, high, bound)


def _bounded(e: Elaboration, tree: Big, chain: Chain, high: Index | None, bound: frozenset[str]) -> Expr:
    kinds = [r.kind for r in chain.relations]
    indices = [index_of(o) for o in chain.operands]
    if kinds == ["="] and isinstance(chain.operands[0], Name):
        name = chain.operands[0].name
        low = indices[1]
        if (low is None or high is None) and tree.sup is not None:
            ends = e.expr(chain.operands[1], bound), e.expr(tree.sup, bound)
            return Over(tree.kind, name, *ends, e.expr(tree.body, bound | {name}))
        if low is None:
            raise FailedError("check.reason.no-meaning", tree)
        return Bound(tree.kind, name, low, high, e.expr(tree.body, bound | {name}))
    if all(k in ("<", "le", ">", "ge", "ne") for k in kinds) and None not in indices:
        names = [o.name for o in chain.operands if isinstance(o, Name)]
        free = [n for n in names if n not in bound | {"t", "T"}] or names
        if free:
            conditions: Any = tuple(zip(kinds, indices, indices[1:], strict=False))
            return Bound(tree.kind, free[0], None, high, e.expr(tree.body, bound | {free[0]}), conditions)
    raise FailedError("check.reason.no-meaning", tree)


def _extreme(e: Elaboration, tree: Big, bound: frozenset[str]) -> Expr:
    if tree.kind == "lim" and isinstance(tree.sub, Chain) and isinstance(tree.sub.operands[0], Name):
        name = tree.sub.operands[0].name
        return Extreme("lim", name, e.expr(tree.body, bound | {name}), e.expr(tree.sub.operands[-1], bound))
    over = tree.sub.name if isinstance(tree.sub, Name) else None
    return Extreme(tree.kind, over, e.expr(tree.body, bound | ({over} if over else set())))
