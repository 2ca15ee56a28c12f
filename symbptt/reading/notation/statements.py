"""Rules for chains of relations and for parts behind one another."""

from __future__ import annotations

from dataclasses import replace

from .cursor import STACKING, worded
from .sums import Sums
from .tree import Annotated, Chain, Empty, Fence, Listing, Name, Relation, Tree, Words
from .words import BARS, FILLERS, IMPLICATIONS, NOTED_RELATIONS, PUNCTUATION, QUADS, RELATIONS

_COLONS = (":", "\\colon")
_STRENGTH = ("", "words", "quad", ":", "|", ",", ".", ";", "implies", "row")


class Statements(Sums):
    """Reads whole formulas."""

    def whole(self) -> Tree:
        """Read all there is."""
        tree = self.listing()
        if self.token.kind != "finish":
            raise self.unexpected()
        return tree

    def listing(self) -> Tree:
        """Read parts behind one another, up to something that closes."""
        start = self.token.start
        items: list[Tree] = []
        separators: list[str] = []
        pending = ""
        while not self.closes():
            separator = self._separates()
            if separator is not None:
                self.take()
                pending = max(pending, separator, key=_STRENGTH.index)
                continue
            item = self.chain()
            if not (items and pending != "implies" and _merged(items, separators, item)):
                separators += [pending or "words"] if items else []
                _append(items, separators, item)
            pending = ""
        if not items:
            return self.placed(Empty(), start)
        if len(items) == 1:
            return items[0]
        return self.placed(Listing(tuple(worded(item) for item in items), tuple(separators)), start)

    def _separates(self) -> str | None:
        """Return the kind of separator that is here."""
        token = self.token
        if token.kind == "row":
            return "row"
        if token.kind == "middle":
            return "|" if token.text in BARS else "words"
        if token.kind == "bar":
            return "|" if token.role == "mid" else None
        if not token.signed or (token.text == "." and self.following.text == "." and self.following.signed):
            return None
        text = token.text
        if text in PUNCTUATION:
            return text
        if text in _COLONS:
            return ":"
        named = (("quad", QUADS), ("implies", IMPLICATIONS), ("|", ("\\mid",)), ("words", FILLERS))
        return next((name for name, table in named if text in table), None)

    # -- chains -------------------------------------------------------------------------------------------
    def chain(self) -> Tree:
        """Read operands with relations between them."""
        start = self.token.start
        ahead = self.relation_ahead()
        operands = [Empty(start=start, end=start) if ahead else self.plus()]
        relations: list[Relation] = []
        while self.relation_ahead():
            relation = self.relation()
            self.skip_line_ends()
            if self.relation_ahead():
                # "= \\le" is two signs for one; "=" at the end of a line comes again at the beginning of the next.
                again = self.relation()
                relation = replace(again, start=relation.start)
                self.skip_line_ends()
            relations.append(relation)
            ends = self.closes() or self._separates() is not None
            here = self.last_end()
            operand = Empty(start=here, end=here) if ends else _unboxed(self.plus())
            if isinstance(operand, Chain):
                relations += operand.relations
                operands += operand.operands
            else:
                operands.append(operand)
        if not relations:
            return operands[0]
        first = _unboxed(operands[0])
        if isinstance(first, Chain):
            operands[:1], relations[:0] = first.operands, first.relations
        return self.placed(Chain(tuple(operands), tuple(relations)), start)

    def relation(self) -> Relation:
        """Read a relation sign with what is written over it."""
        start = self.token.start
        if not self.at(STACKING):
            token = self.take()
            note = None
            if token.text in NOTED_RELATIONS:
                self.skip_bracket()
                note = self.argument()
            return self.placed(Relation(RELATIONS[token.text], note), start)
        self.take()
        note = self.argument()
        opening = self.take() if self.token.kind == "open" else None
        if not self.at(RELATIONS):
            raise self.unexpected()
        kind = RELATIONS[self.take().text]
        if opening is not None and self.take().kind != "close":
            raise self.fail("brace", opening)
        if kind == "=" and _defines(note):
            kind = ":="
        return self.placed(Relation(kind, note), start)


def _defines(note: Tree) -> bool:
    """Whether what is written over an equality says that it is a definition."""
    letters = "".join(tree.name for tree in note.walk() if isinstance(tree, Name))
    return letters in ("def", "Delta", "triangle", "define", "definition")


def _unboxed(tree: Tree) -> Tree:
    """A box around a chain is no part of it."""
    while isinstance(tree, Annotated) and tree.kind == "box" and isinstance(tree.body, Chain | Listing):
        tree = tree.body
    return tree


def _append(items: list[Tree], separators: list[str], item: Tree) -> None:
    """Append an item; the parts of a listing one by one."""
    item = _unboxed(item)
    if isinstance(item, Listing):
        items += item.items
        separators += item.separators
    else:
        items.append(item)


def _merged(items: list[Tree], separators: list[str], item: Tree) -> bool:
    """Join a chain that begins with its relation to the one that it goes on from, and say whether there is one.

    What stands between them, at the end of the line before, becomes an aside of the last operand there.
    """
    if not isinstance(item, Chain) or not isinstance(item.operands[0], Empty):
        return False
    first = len(items) - 1
    while first > 0 and separators[first - 1] != "row":
        first -= 1
    line = range(first, len(items))
    k = next((i for i in line if isinstance(items[i], Chain)), None)
    if k is None:
        k = next((i for i in line if not isinstance(items[i], Words | Fence)), None)
    if k is None:
        return False
    left, asides = items[k], items[k + 1 :]
    operands = left.operands if isinstance(left, Chain) else (left,)
    relations = left.relations if isinstance(left, Chain) else ()
    last = operands[-1]
    if asides:
        note = asides[0]
        if len(asides) > 1:
            note = Listing(tuple(asides), tuple(separators[k + 1 :]), start=asides[0].start, end=asides[-1].end)
        last = Annotated("aside", last, note, start=last.start, end=note.end)
    chain = Chain(
        (*operands[:-1], last, *item.operands[1:]), (*relations, *item.relations), start=left.start, end=item.end
    )
    items[k:] = [chain]
    del separators[k:]
    return True
