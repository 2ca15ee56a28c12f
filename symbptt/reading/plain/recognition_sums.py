"""Sums recognised, and sums and products over a range."""

from __future__ import annotations

from fractions import Fraction as Exact

from ..notation.tree import Big, Chain, Name, Plus, Product, Tree
from .names import name_of
from .parts import Add, Mul, Neg, Num, Part, Series, Sym
from .recognition_names import LONGEST_NUMBER
from .recognition_rules import Recogniser, recognises, refuse


@recognises(Plus)
def _plus(r: Recogniser, tree: Plus) -> Part:
    terms: list[Part] = []
    for sign, term in zip(tree.signs, tree.terms, strict=True):
        if sign not in ("", "+", "-"):
            raise refuse(tree, "sign")
        part = r.part(term)
        terms.append(Neg(part, place=part.place) if sign == "-" else part)
    return terms[0] if len(terms) == 1 else Add(tuple(terms), place=(tree.start, tree.end))


# -- over a range -------------------------------------------------------------------------------------


@recognises(Big)
def _series(r: Recogniser, tree: Big) -> Part:
    place = (tree.start, tree.end)
    if tree.kind not in ("sum", "prod"):
        raise refuse(tree, "function")
    sub = tree.sub
    if not isinstance(sub, Chain) or [relation.kind for relation in sub.relations] != ["="] or tree.sup is None:
        raise refuse(tree, "range")
    if not isinstance(sub.operands[0], Name):
        raise refuse(tree, "range")
    index = name_of(sub.operands[0])
    if tree.kind == "prod" and not _ends_clearly(tree.body, sub.operands[0]):
        raise refuse(tree, "argument")
    lower, upper = r.part(sub.operands[1]), r.part(tree.sup)
    first, last = _whole_number(lower), _whole_number(upper)
    if first is not None and last is not None and last - first < r.written_out:
        return _terms(r, tree, index, first, last)
    if index in r.indices or index in r.values or any(s == Sym(index) for p in (lower, upper) for s in p.walk()):
        raise refuse(tree, "range")
    if any(isinstance(bound, Num) and bound.value.denominator != 1 for bound in (lower, upper)):
        raise refuse(tree, "range")
    r.indices.add(index)
    body = r.part(tree.body)
    r.indices.discard(index)
    return Series(tree.kind, index, lower, upper, body, place=place)


def _terms(r: Recogniser, tree: Big, index: str, first: int, last: int) -> Part:
    """Write a sum or product out, also in the subscripts of its names; an empty sum is 0, an empty product 1."""
    place = (tree.start, tree.end)
    if index in r.values or index in r.indices:
        raise refuse(tree, "range")
    found: list[Part] = []
    for k in range(first, last + 1):
        r.values[index] = k
        found.append(r.part(tree.body))
    r.values.pop(index, None)
    if not found:
        return Num(Exact(int(tree.kind == "prod")), place=place)
    if len(found) == 1:
        return found[0]
    return Add(tuple(found), place=place) if tree.kind == "sum" else Mul(tuple(found), place=place)


def _whole_number(part: Part) -> int | None:
    """Return the whole number that sums of numbers are, or None."""
    if isinstance(part, Num):
        return int(part.value) if part.value.denominator == 1 else None
    if isinstance(part, Neg):
        value = _whole_number(part.body)
        return None if value is None else -value
    if isinstance(part, Add | Mul):
        total = int(isinstance(part, Mul))
        for child in part.children:
            value = _whole_number(child)
            if value is None or abs(value) > 10**LONGEST_NUMBER:
                return None
            total = total * value if isinstance(part, Mul) else total + value
        return total
    return None


def _ends_clearly(body: Tree, index: Tree) -> bool:
    """Whether all of what follows a product sign is surely in the product."""
    if not isinstance(body, Product):
        return True
    return "/" not in body.operators and index in body.factors[-1].walk()
