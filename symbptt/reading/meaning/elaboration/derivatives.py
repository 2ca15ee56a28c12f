"""Derivatives: what is differentiated, by what, and what is held fixed."""

from __future__ import annotations

from dataclasses import replace

from ...notation.tree import Accent, Derivative, Evaluated, Name, Number, Product, Script, Tree, Words
from ..expr import Deriv, Expr
from ..symbols import label_of
from .rules import Elaboration, FailedError, elaborates

LOCAL = ("local", "imm", "direct", "explicit", "局部", "直接", "显式", "fixed", "const", "固定")
"""Beginnings of words at an evaluation bar that make a derivative immediate."""


@elaborates(Derivative)
def _derivative(e: Elaboration, tree: Derivative, bound: frozenset[str]) -> Expr:
    if tree.of is None or not tree.by:
        raise FailedError("check.reason.no-meaning", tree)
    order = 1
    if tree.order is not None:
        if not isinstance(tree.order, Number):
            raise FailedError("check.reason.second-order", tree)
        order = int(tree.order.text)
    mode = ""
    if tree.mark is not None:
        mode = _mode(e, tree.mark, tree)
    by = tuple(e.expr(_without_order(part, order), bound) for part in tree.by)
    e.count += 1
    return Deriv(e.expr(tree.of, bound), by, mode, max(order, len(by)), tree.symbol, number=e.count)


def apply_derivative(
    e: Elaboration, trees: list[Tree], operators: list[str], i: int, bound: frozenset[str]
) -> tuple[Expr, int]:
    """Return a derivative with all that follows its sign, and how many trees that takes."""
    tree = trees[i]
    assert isinstance(tree, Derivative)
    if i + 1 >= len(trees):
        raise FailedError("check.reason.no-meaning", tree)
    rest = trees[i + 1 :]
    joined = rest[0] if len(rest) == 1 else Product(
        tuple(rest), tuple(operators[i + 1 :]), start=rest[0].start, end=rest[-1].end
    )  # fmt: skip
    return e.expr(replace(tree, of=joined, end=joined.end), bound), len(rest) + 1


def _mode(e: Elaboration, mark: Tree, tree: Tree) -> str:
    """Return the mode of a derivative by the mark of its symbol; an accent keeps its name."""
    if isinstance(mark, Accent) and e.symbols.strict:
        return f"mark {mark.mark}"
    if not isinstance(mark, Name) or mark.name not in ("plus", "circ"):
        raise FailedError("check.reason.marked-derivative", tree)
    return "immediate" if mark.name == "plus" else "direct"


def _without_order(tree: Tree, order: int) -> Tree:
    if order > 1 and isinstance(tree, Script) and isinstance(tree.sup, Number) and tree.sup.text == str(order):
        return replace(tree, sup=None) if tree.sub is not None else tree.base
    return tree


@elaborates(Evaluated)
def _evaluated(e: Elaboration, tree: Evaluated, bound: frozenset[str]) -> Expr:
    body = e.expr(tree.body, bound)
    says = tree.sub is not None and (says_local(tree.sub) or _holds_state(tree.sub))
    if isinstance(body, Deriv) and says:
        return replace(body, mode="immediate")
    raise FailedError("check.reason.no-meaning", tree)


def says_local(sub: Tree) -> bool:
    """Whether words below a derivative make it immediate."""
    text = label_of(sub) or (sub.text if isinstance(sub, Words) else "")
    return text.strip().lower().startswith(LOCAL)


def _holds_state(sub: Tree) -> bool:
    """Whether a bar names what is held fixed: ``|_{h_{t-1}}``, or says so in words."""
    parts = list(sub.walk())
    words = [p.text for p in parts if isinstance(p, Words)] + [p.name for p in parts if isinstance(p, Name)]
    return isinstance(sub, Script) or any(w.strip().lower().startswith(LOCAL) for w in words)
