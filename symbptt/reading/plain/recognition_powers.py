"""Powers, roots and brackets recognised."""

from __future__ import annotations

import re

from ..notation.tree import Accent, Annotated, Fence, Name, Number, Plus, Script, Tree
from ..notation.tree import Root as RootTree
from ..notation.words import NAMED_FUNCTIONS
from .names import is_label
from .parts import FUNCTIONS, Abs, Call, Const, Part, Pow, Root
from .recognition_names import name
from .recognition_rules import Recogniser, recognises, refuse


@recognises(Script)
def _script(r: Recogniser, tree: Script) -> Part:
    place = (tree.start, tree.end)
    if tree.primes:
        raise refuse(tree, "prime")
    base, sup = tree.base, tree.sup
    named = isinstance(base, Name | Accent | Script)
    if named and (sup is None or is_label(sup) or r.known(tree)):
        return name(r, tree)
    if sup is None or (tree.sub is not None and not named):
        raise refuse(tree, "subscript")
    if not isinstance(base, Number) and is_transpose(sup):
        raise refuse(tree, "transpose")
    if isinstance(base, Name) and base.name in FUNCTIONS and "\\" + base.name in NAMED_FUNCTIONS:
        raise refuse(tree, "argument")
    if is_label(sup) and not isinstance(sup, Fence):
        raise refuse(tree, "superscript")
    if named and tree.sub is not None:
        below: Part = name(r, Script(base, tree.sub, start=tree.start, end=tree.sub.end))
    else:
        below = r.part(base)
    exponent = r.part(sup)
    if below == Const("e"):
        return Call("exp", exponent, place=place)
    return Pow(below, exponent, place=place)


def is_transpose(sup: Tree) -> bool:
    """Whether a superscript may say that a matrix is transposed, also that its inverse is."""
    if isinstance(sup, Plus) and len(sup.terms) == 1:
        sup = sup.terms[0]
    return isinstance(sup, Name) and sup.name in ("T", "top", "dagger", "H")


@recognises(RootTree)
def _root(r: Recogniser, tree: RootTree) -> Part:
    return Root(r.part(tree.body), _degree(tree), place=(tree.start, tree.end))


def _degree(tree: RootTree) -> int:
    if tree.degree is None:
        return 2
    if isinstance(tree.degree, Number) and re.fullmatch("[2-9]|[1-9][0-9]{1,2}", tree.degree.text):
        return int(tree.degree.text)
    raise refuse(tree, "operator")


@recognises(Annotated)
def _annotated(r: Recogniser, tree: Annotated) -> Part:
    return r.part(tree.body)


@recognises(Fence)
def _fence(r: Recogniser, tree: Fence) -> Part:
    if (tree.left, tree.right) == ("|", "|"):
        return Abs(r.part(tree.body), place=(tree.start, tree.end))
    if (tree.left, tree.right) in (("(", ")"), ("[", "]"), ("{", "}"), (".", ".")):
        return r.part(tree.body)
    raise refuse(tree, "brackets")
