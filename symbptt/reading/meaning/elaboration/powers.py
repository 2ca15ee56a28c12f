"""What stands above an expression: a power, a transpose, a mark."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from ...notation.tree import Empty, Name, Plus, Product, Script, Tree
from ..expr import Call, Counter, Expr, Norm, Num, Pow, Ref, Transpose
from .rules import Elaboration, FailedError

TRANSPOSES = frozenset({"top", "T"})


def raised(e: Elaboration, base: Expr, tree: Script, bound: frozenset[str]) -> Expr:
    """Return an expression with what stands above it."""
    sup = tree.sup
    if sup is None:
        return base
    if isinstance(sup, Name) and sup.name == "top":
        return Transpose(base)
    if isinstance(sup, Name) and sup.name == "T" and not _is_scalar(e, base, sup):
        return Transpose(base)
    if isinstance(sup, Product) and isinstance(sup.factors[0], Empty) and sup.operators[0] == "odot":
        power = sup.factors[1] if len(sup.factors) == 2 else replace(
            sup, factors=sup.factors[1:], operators=sup.operators[1:]
        )  # fmt: skip
        return Call("entrywise_power", (base, e.expr(power, bound)))
    if isinstance(sup, Product) and not any(sup.operators) and transposes(sup.factors[-1]):
        rest = sup.factors[0] if len(sup.factors) == 2 else replace(
            sup, factors=sup.factors[:-1], operators=sup.operators[:-1]
        )  # fmt: skip
        return Transpose(Pow(base, e.expr(rest, bound), tree=tree))
    if isinstance(sup, Name) and sup.name in ("ast", "star", "plus", "minus", "dagger", "circ"):
        if isinstance(base, Ref):
            return replace(base, key=f"{base.key}_{sup.name}")
        raise FailedError("check.reason.no-meaning", tree)
    if isinstance(sup, Plus) and sup.signs == ("-",) and transposes(sup.terms[0]):
        return Transpose(Pow(base, Num(Fraction(-1))))
    return Pow(base, e.expr(sup, bound))


def transposes(tree: Tree) -> bool:
    """Whether it is the sign of a transpose."""
    return isinstance(tree, Name) and tree.name in TRANSPOSES


def _is_scalar(e: Elaboration, base: Expr, sup: Name) -> bool:
    """Whether a T above something is the number of steps: above a number, or a letter known to be one."""
    if sup.style:
        return False
    if e.symbols.strict:
        return True
    if isinstance(base, Num | Counter | Norm):
        return True
    return isinstance(base, Ref) and base.key in e.symbols.scalars
