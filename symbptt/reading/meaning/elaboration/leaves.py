"""Letters and numbers, and names with what stands below and above them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from ...notation.tree import Accent, Annotated, Chain, Fence, Listing, Name, Number, Product, Script, Tree
from ..expr import Call, Constant, Counter, Deriv, Entry, Expr, Infinity, Norm, Num, OneHot, Pick, Ref
from ..index import Index, index_of, letter
from ..symbols import head_key, label_of, split_subscript
from .calls import is_function
from .derivatives import says_local
from .powers import raised, transposes
from .rules import Elaboration, FailedError, elaborates

INFINITE = frozenset({"infty"})


@elaborates(Number)
def _number(e: Elaboration, tree: Number, bound: frozenset[str]) -> Expr:
    if tree.text == "1" and tree.style in ("bold", "bb"):
        return Constant("ones")
    return Num(Fraction(tree.text), tree.text)


@elaborates(Name, Accent)
def _name(e: Elaboration, tree: Name | Accent, bound: frozenset[str]) -> Expr:
    key = head_key(tree)
    if key is None:
        if isinstance(tree, Accent) and isinstance(tree.body, Script) and head_key(tree.body.base) is not None:
            return _script(e, replace(tree.body, base=replace(tree, body=tree.body.base)), bound)
        raise FailedError("check.reason.no-meaning", tree)
    if key in INFINITE:
        return Infinity()
    if key == "I" and "I" not in e.symbols.timed:
        return Constant("identity")
    if key in bound or key in ("t", "T") or (key in e.symbols.letters and len(key) == 1 and key in "kijsn"):
        return Counter(letter(key))
    return Ref(key)


@elaborates(Script)
def _script(e: Elaboration, tree: Script, bound: frozenset[str]) -> Expr:
    known = _known(e, tree)
    if known is not None:
        return raised(e, known[0], known[1], bound)
    head = head_key(tree.base)
    if head is not None and not is_function(e, tree.base):
        return _named(e, tree, head, bound)
    if tree.sub is not None and isinstance(tree.base, Fence) and tree.base.left in ("|", "||"):
        norm = e.expr(tree.base, bound)
        if isinstance(norm, Norm):
            norm = replace(norm, kind=_norm_kind(tree.sub), tree=tree)
        return raised(e, norm, tree, bound)
    base = e.expr(tree.base, bound)
    if isinstance(base, Ref) and tree.primes:
        base = replace(base, key=base.key + "'" * tree.primes)
    if isinstance(base, Constant) and isinstance(tree.sub, Chain):
        return _indicator(e, tree.sub, tree, bound)
    if tree.sub is not None:
        if isinstance(tree.sub, Listing) and tree.sub.separators == (":",):
            ends = tuple(e.expr(end, bound) for end in tree.sub.items)
            return raised(e, Call("part", (base, *ends)), tree, bound)
        if isinstance(tree.base, Annotated):
            return raised(e, base, tree, bound)
        if isinstance(base, Deriv) and says_local(tree.sub):
            return raised(e, replace(base, mode="immediate"), tree, bound)
        base = _entry(e, base, tree.sub, tree)
    return raised(e, base, tree, bound)


def _known(e: Elaboration, tree: Script) -> tuple[Expr, Script] | None:
    """Return what is known of a symbol without what is raised above it, and the rest; None if nothing is."""
    resolve, sup = e.symbols.resolve, tree.sup
    if resolve is None or sup is None:
        return None
    if isinstance(sup, Product) and not any(sup.operators):
        known = resolve(replace(tree, sup=sup.factors[0]))
        if known is not None:
            rest = sup.factors[1] if len(sup.factors) == 2 else replace(
                sup, factors=sup.factors[1:], operators=sup.operators[1:]
            )  # fmt: skip
            return known, replace(tree, sup=rest)
    bare = replace(tree, sup=None) if tree.sub is not None or tree.primes else tree.base
    known = resolve(bare)
    return None if known is None else (known, tree)


def _indicator(e: Elaboration, chain: Chain, tree: Script, bound: frozenset[str]) -> Expr:
    r"""``\mathbf{1}_{i = y}`` is component i of the vector that is 1 at the class y."""
    if len(chain.operands) == 2 and chain.relations[0].kind == "=":
        for place, chosen in (chain.operands, chain.operands[::-1]):
            index = index_of(place)
            if index is not None and isinstance(chosen, Script):
                return Entry(OneHot(e.expr(chosen, bound)), (index,))
    raise FailedError("check.reason.no-meaning", tree)


def _is_class(e: Elaboration, sub: Tree | None) -> bool:
    """Whether a subscript is a variable over time, which can only be a class: ``p_{k_t}``."""
    return (isinstance(sub, Script) and head_key(sub.base) in e.symbols.timed and sub.sub is not None) or (
        isinstance(sub, Script) and head_key(sub.base) in e.symbols.above and sub.sup is not None
    )


def _entry(e: Elaboration, base: Expr, sub: Tree, tree: Tree) -> Expr:
    if _is_class(e, sub):
        return Pick(base, e.expr(sub, frozenset()))
    pieces = sub.items if isinstance(sub, Listing) else sub.factors if isinstance(sub, Product) else (sub,)
    places = [index_of(piece) for piece in pieces]
    if None in places:
        raise FailedError("check.reason.no-meaning", tree)
    return Entry(base, tuple(p for p in places if p is not None))


def _norm_kind(sub: Tree) -> str:
    text = label_of(sub) or ""
    return {"F": "F", "Fro": "F", "2": "2", "1": "1", "infty": "inf", "op": "2"}.get(text, "")


def _named(e: Elaboration, tree: Script, head: str, bound: frozenset[str]) -> Expr:
    symbols = e.symbols
    if _is_class(e, tree.sub) and tree.sub is not None:
        chosen = e.expr(tree.sub, bound)
        if tree.sup is None:
            return OneHot(chosen)
        whole = _named(e, replace(tree, sub=None), head, bound)
        return Pick(whole, chosen)
    label, when, places = split_subscript(head, tree.sub, symbols)
    sup = tree.sup
    if sup is not None and isinstance(sup, Fence) and sup.left in "(<[":
        inner = index_of(sup.body)
        if head in symbols.above and inner is not None:
            when, sup = inner, None
        elif inner is None or not (inner.letters and tree.primes):
            label = f"{label}^{label_of(sup.body) or inner}" if label_of(sup.body) or inner else label
            sup = None
    elif isinstance(sup, Product) and head in symbols.above and _turned_step(e, sup) is not None:
        when, sup = _turned_step(e, sup), sup.factors[-1]
    elif sup is not None and head in symbols.above and when is None and index_of(sup) is not None:
        when, sup = index_of(sup), None
    elif _is_label_above(e, sup, head, when):
        label, sup = f"{label}_{label_of(sup) if sup is not None else ''}".lstrip("_"), None
    elif isinstance(sup, Name) and sup.name in ("ast", "star", "plus", "minus", "dagger"):
        label, sup = f"{label}_{sup.name}".lstrip("_"), None
    if head in symbols.above and len(label) == 1 and (label in bound or label in "ijk") and tree.sub is not None:
        component = index_of(tree.sub)
        label, places = ("", (component,)) if component is not None else (label, places)
    key = head if not label else f"{head}_{label}"
    key = f"{key}{chr(39) * tree.primes}" if tree.primes else key
    if head in bound and not label and when is None:
        base: Expr = Counter(letter(head))
    elif when is None and not label and head in ("t", "T") and sup is None:
        base = Counter(letter(head))
    else:
        base = Ref(key, when)
    if places:
        base = Entry(base, places)
    return raised(e, replace(base, tree=replace(tree, sup=None, end=tree.end)), replace(tree, sup=sup), bound)


def _turned_step(e: Elaboration, sup: Product) -> Index | None:
    r"""Return the step of ``h^{(t)\top}``."""
    first = sup.factors[0]
    if len(sup.factors) != 2 or not isinstance(first, Fence) or not transposes(sup.factors[1]):
        return None
    return index_of(first.body)


def _is_label_above(e: Elaboration, sup: Tree | None, head: str, when: Index | None) -> bool:
    """Whether a letter above a variable at a step is a label: the f of ``z^f_t``."""
    if not isinstance(sup, Name) or when is None or head not in e.symbols.timed:
        return False
    return (len(sup.name) == 1 and sup.name not in "TtknmpK") or sup.style == "text"
