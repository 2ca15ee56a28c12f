"""Sums, and factors side by side: which of them are applied to others, and how the rest is joined."""

from __future__ import annotations

from dataclasses import replace

from ...notation.tree import Derivative, Dots, Fence, Listing, Name, Plus, Product, Script, Tree
from ..expr import Add, Div, Entry, Expr, Hadamard, Mul, Outer, Ref, Series, Transpose, Unknown
from ..symbols import LOSSES, head_key
from .calls import apply, is_function, known_call
from .derivatives import apply_derivative
from .rules import Elaboration, FailedError, elaborates


@elaborates(Plus)
def _plus(e: Elaboration, tree: Plus, bound: frozenset[str]) -> Expr:
    signs = tuple(-1 if sign == "-" else 1 for sign in tree.signs)
    if any(sign in ("pm", "oplus") for sign in tree.signs):
        raise FailedError("check.reason.no-meaning", tree)
    dots = [i for i, term in enumerate(tree.terms) if isinstance(term, Dots)]
    if not dots:
        return Add(signs, tuple(e.expr(term, bound) for term in tree.terms))
    if len(dots) > 1:
        raise FailedError("check.reason.open-ended", tree)
    where = dots[0]
    before = tuple(e.expr(t, bound) for t in tree.terms[:where])
    after = tuple(e.expr(t, bound) for t in tree.terms[where + 1 :])
    if not before or not after:
        raise FailedError("check.reason.open-ended", tree)
    return Series("sum", before, after, signs[:where] + signs[where + 1 :])


@elaborates(Product)
def _product(e: Elaboration, tree: Product, bound: frozenset[str]) -> Expr:
    factors, operators = _applied(e, list(tree.factors), list(tree.operators), bound)
    return _grouped(factors, operators, tree)


def _applied(
    e: Elaboration, trees: list[Tree], operators: list[str], bound: frozenset[str]
) -> tuple[list[Expr], list[str]]:
    """Apply functions to what follows them, and return the factors that are left."""
    factors: list[Expr] = []
    kept: list[str] = []
    i = 0
    while i < len(trees):
        if i:
            kept.append(operators[i - 1])
        tree = trees[i]
        used = 1
        special = known_call(e, trees, operators, i, bound)
        if isinstance(tree, Dots):
            found: Expr = Unknown("dots", tree=tree)
        elif special is not None:
            found, used = special
        elif not e.symbols.strict and _is_composite(e, trees, operators, i):
            found, used = _composite(e, trees, i, bound), 2
        elif is_function(e, tree):
            found, used = apply(e, trees, operators, i, bound)
        elif isinstance(tree, Derivative) and tree.of is None:
            found, used = apply_derivative(e, trees, operators, i, bound)
        elif _annotates(e, trees, operators, i):
            found, used = e.expr(tree, bound), 2
        else:
            found = e.expr(tree, bound)
        factors.append(found)
        i += used
    return factors, kept


def _is_composite(e: Elaboration, trees: list[Tree], operators: list[str], i: int) -> bool:
    r"""Whether two letters are one symbol: the gradients ``dh_t`` and ``\delta h_t`` of some notes."""
    tree = trees[i]
    if not isinstance(tree, Name) or tree.name not in ("d", "delta", "Delta") or tree.name in e.symbols.timed:
        return False
    if i + 1 >= len(trees) or operators[i] != "":
        return False
    following = trees[i + 1]
    head = head_key(following.base) if isinstance(following, Script) else None
    return head is not None and following.end > 0 and not (i and isinstance(trees[i - 1], Dots))


def _composite(e: Elaboration, trees: list[Tree], i: int, bound: frozenset[str]) -> Expr:
    tree, following = trees[i], trees[i + 1]
    inner = e.expr(following, bound)
    whole = Product((tree, following), ("",), start=tree.start, end=following.end)
    prefix = tree.name if isinstance(tree, Name) else ""

    def rule(part: Expr) -> Expr:
        return replace(part, key=f"{prefix}_{part.key}") if isinstance(part, Ref) else part

    if not isinstance(inner, Ref | Transpose | Entry):
        raise FailedError("check.reason.no-meaning", following)
    return replace(inner.mapped(rule), tree=whole)


def _annotates(e: Elaboration, trees: list[Tree], operators: list[str], i: int) -> bool:
    """Whether a bracket after a variable over time only says what it depends on: ``L_t(y_t, \\hat{y}_t)``."""
    if e.symbols.strict or i + 1 >= len(trees) or operators[i] != "" or not isinstance(trees[i + 1], Fence):
        return False
    tree, body = trees[i], trees[i + 1]
    head = tree.base if isinstance(tree, Script) else tree
    assert isinstance(body, Fence)
    stepped = isinstance(tree, Script) and tree.sub is not None and head_key(head) in e.symbols.timed
    if stepped and isinstance(tree, Script) and tree.sup is None and body.left == "(" and head_key(head) in LOSSES:
        return True
    listed = isinstance(body.body, Listing) and set(body.body.separators) <= {",", ";", "|"}
    known = head_key(head) in e.symbols.timed or head_key(head) in LOSSES
    return isinstance(tree, Script | Name) and known and body.left == "(" and listed


def _grouped(factors: list[Expr], operators: list[str], tree: Tree) -> Expr:
    """Join factors: products first, then quotients by ``/`` from left to right, then entrywise products."""
    groups: list[tuple[list[Expr], list[str]]] = [([factors[0]], [])]
    between: list[str] = []
    for operator, factor in zip(operators, factors[1:], strict=True):
        if operator in ("odot", "circ", "oslash", "otimes"):
            between.append(operator)
            groups.append(([factor], []))
        elif operator == "oplus":
            raise FailedError("check.reason.no-meaning", tree)
        else:
            groups[-1][0].append(factor)
            groups[-1][1].append("" if operator == "at" else operator)
    if between and any(isinstance(f, Unknown) for group in groups for f in group[0]):
        raise FailedError("check.reason.open-ended", tree)
    joined = [_multiplied(group, kinds, tree) for group, kinds in groups]
    result = joined[0]
    for operator, part in zip(between, joined[1:], strict=True):
        span = Product((), (), start=result.tree.start, end=part.tree.end)
        if operator == "otimes":
            result = Outer(result, part, tree=span)
        elif operator == "oslash":
            result = Div(result, part, True, tree=span)
        elif isinstance(result, Hadamard) and result.tree.start == joined[0].tree.start:
            result = Hadamard((*result.factors, part), tree=span)
        else:
            result = Hadamard((result, part), tree=span)
    return result


def _multiplied(factors: list[Expr], kinds: list[str], tree: Tree) -> Expr:
    """Join factors, with quotients by ``/``."""
    while "/" in kinds:
        i = kinds.index("/")
        top = factors[0] if i == 0 else _side_by_side(factors[: i + 1], kinds[:i])
        bottom = factors[i + 1]
        joined = Div(top, bottom, tree=Product((), (), start=top.tree.start, end=bottom.tree.end))
        factors[: i + 2] = [joined]
        kinds[: i + 1] = []
    return factors[0] if len(factors) == 1 else _side_by_side(factors, kinds)


def _side_by_side(factors: list[Expr], kinds: list[str]) -> Expr:
    """Join factors without quotients; dots among them make a series."""
    span = Product((), (), start=factors[0].tree.start, end=factors[-1].tree.end)
    dots = [i for i, f in enumerate(factors) if isinstance(f, Unknown) and f.key == "dots"]
    if not dots:
        return factors[0] if len(factors) == 1 else Mul(tuple(factors), tuple(kinds), tree=span)
    where = dots[0]
    if len(dots) > 1 or where == 0 or where == len(factors) - 1:
        raise FailedError("check.reason.open-ended", factors[where].tree)
    return Series("product", tuple(factors[:where]), tuple(factors[where + 1 :]), tree=span)
