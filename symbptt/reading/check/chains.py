r"""Remarks about the shape of formulas: factors of a chain that are upside down, sums whose bounds are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from ..meaning.elaborate import elaborate
from ..meaning.expr import Entry, Ref, Unknown, letters_of
from ..meaning.index import Index, index_of
from ..meaning.symbols import LOSSES, Symbols, head_key
from ..notation.tree import Big, Chain, Derivative, Dots, Empty, Listing, Name, Product, Script, Tree
from ..note import Note
from .statements import Read

MOST_FACTORS = 8
Pair = tuple[Tree, Tree]


# -- chains -------------------------------------------------------------------------------------------
def upside_down(reads: Sequence[Read]) -> Iterator[tuple[int, str, str]]:
    """Yield the factors of chains that are upside down: offset in the note, LaTeX, LaTeX of what it should be.

    A chain is right if the denominator of each factor is the numerator of the next, or, in denominator layout, the
    other way round throughout. Only where turning factors over makes it right, and it is plain which, is there a
    remark.
    """
    for read in reads:
        if read.tree is None:
            continue
        ends = {id(p): _ends(p, chain) for chain in _chains(read.tree) for p in chain.operands}
        for part in read.tree.walk():
            if isinstance(part, Product):
                for run in _runs(part):
                    for factor in _turned(run, ends.get(id(part)) if len(run) == len(part.factors) else None):
                        yield _shown(read, factor)


def _chains(tree: Tree) -> list[Chain]:
    return [p for p in tree.walk() if isinstance(p, Chain)]


def _ends(operand: Tree, chain: Chain) -> Pair | None:
    """Return what a chain of relations says that an operand is the derivative of, and by what."""
    first = chain.operands[0]
    if first is operand or not isinstance(first, Derivative):
        return None
    return _pair(first)


def _runs(product: Product) -> Iterator[list[Derivative]]:
    """Yield the derivatives that stand side by side in a product, dots left out."""
    run: list[Derivative] = []
    for factor in (*product.factors, Empty()):
        if isinstance(factor, Derivative) and _pair(factor) is not None:
            run.append(factor)
            continue
        if 2 <= len(run) <= MOST_FACTORS:
            yield run
        run = []
        if isinstance(factor, Dots):
            continue


def _pair(factor: Derivative) -> Pair | None:
    return (factor.of, factor.by[0]) if factor.of is not None and len(factor.by) == 1 and factor.order is None else None


def _turned(run: list[Derivative], ends: Pair | None) -> list[Derivative]:
    pairs = [pair for pair in map(_pair, run) if pair is not None]
    if _linked(pairs) or _linked(pairs[::-1]):
        return []
    for many in range(1, len(run)):
        fits = [chosen for chosen in combinations(range(len(run)), many) if _right(pairs, chosen, ends)]
        if fits:
            backward = [chosen for chosen in fits if all(_goes_back(pairs[i]) for i in chosen)]
            chosen_one = backward if backward else fits if ends is not None else []
            return [run[i] for i in chosen_one[0]] if len(chosen_one) == 1 else []
    return []


def _right(pairs: list[Pair], chosen: tuple[int, ...], ends: Pair | None) -> bool:
    turned = [(b, a) if i in chosen else (a, b) for i, (a, b) in enumerate(pairs)]
    for ordered in (turned, turned[::-1]):
        if _linked(ordered) and (ends is None or (ordered[0][0], ordered[-1][1]) == ends):
            return True
    return False


def _linked(pairs: list[Pair]) -> bool:
    return all(a[1] == b[0] for a, b in pairwise(pairs))


def _goes_back(pair: Pair) -> bool:
    """Whether something is differentiated by what comes after it: a state by a later one, anything by the loss."""
    of, by = pair
    if _head(by) in LOSSES and _head(of) not in LOSSES:
        return True
    first, second = _step(of), _step(by)
    if first is None or second is None or _head(of) != _head(by):
        return False
    lag = first - second
    return lag.is_number and lag.constant < 0


def _head(tree: Tree) -> str | None:
    return head_key(tree.base if isinstance(tree, Script) else tree)


def _step(tree: Tree) -> Index | None:
    return index_of(tree.sub) if isinstance(tree, Script) else None


def _shown(read: Read, factor: Derivative) -> tuple[int, str, str]:
    latex = read.formula.latex
    assert factor.of is not None
    of, by = (latex[t.start : t.end].strip() for t in (factor.of, factor.by[0]))
    sign = {"d": r"\mathrm{d}", "delta": r"\delta"}.get(factor.symbol, r"\partial")
    right = rf"\frac{{{sign} {by}}}{{{sign} {of}}}"
    return read.formula.offset(factor.start), latex[factor.start : factor.end].strip(), right


# -- sums ---------------------------------------------------------------------------------------------
def loose_sums(note: Note, reads: Sequence[Read], symbols: Symbols) -> Iterator[tuple[int, str]]:
    """Yield the sums and products whose bounds are left out though they matter: offset in the note, LaTeX.

    A sum over all steps, or over components, can be read without them; one whose terms have another index beside
    its own has bounds that depend on it, and so has a product over steps.
    """
    for read in reads:
        if read.tree is None or not _chains(read.tree):
            continue
        for part in read.tree.walk():
            if isinstance(part, Big) and part.kind in ("sum", "prod") and _is_loose(part, symbols):
                index = part.sub.name if isinstance(part.sub, Name) else ""
                if index and _said(index, note, read):
                    continue
                yield read.formula.offset(part.start), _short(read, part)


def _is_loose(part: Big, symbols: Symbols) -> bool:
    if part.sup is not None or not (part.sub is None or isinstance(part.sub, Name)):
        return False
    index = frozenset({part.sub.name}) if isinstance(part.sub, Name) else frozenset[str]()
    body = elaborate(part.body, symbols, index)
    if isinstance(body, Unknown):
        return False
    refs = [p for p in body.walk() if isinstance(p, Ref) and p.when is not None]
    places = {letter for p in body.walk() if isinstance(p, Entry) for place in p.places for letter in place.letters}
    counted = {letter for r in refs if r.when is not None for letter in r.when.letters}
    if not index:
        return bool(counted)
    if not index <= counted or index <= places:
        return False
    others = letters_of(body) - index - {"T"} - places
    return part.kind == "prod" or bool(others)


def _said(index: str, note: Note, read: Read) -> bool:
    """Whether bounds of an index stand beside the formula: ``1 \\le k \\le t``, k = 1, ..., t, "over all k"."""
    pattern = re.compile(rf"\s*(?:1\s*\\leq?\s*)?{index}\s*(=|\\leq?|<|≤|\\in|$)")
    inline = [f for f in note.formulas if f is not read.formula and not f.display]
    if any(pattern.match(f.latex) for f in inline if abs(f.start - read.formula.start) < 300):
        return True
    around = note.text[max(read.formula.start - 100, 0) : read.formula.start], note.text[read.formula.end :][:100]
    if any(re.search(rf"(?<![A-Za-z\\_]){index}\s*(从|遍历|取遍|runs|ranges)", text) for text in around):
        return True
    assert read.tree is not None
    items = read.tree.items if isinstance(read.tree, Listing) else ()
    return any(isinstance(i, Chain) and any(o == Name(index) for o in i.operands) for i in items)


def _short(read: Read, part: Big) -> str:
    """Return the sign with its index and the first factors behind it."""
    latex = read.formula.latex[part.start : part.end].strip()
    return latex if len(latex) <= 80 else read.formula.latex[part.start : part.body.start].strip() + r" \cdots"


__all__ = ["loose_sums", "upside_down"]
