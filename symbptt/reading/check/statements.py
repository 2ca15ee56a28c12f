"""The statements of a note: its formulas taken apart into chains of relations, with what stands around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..meaning.elaborate import elaborate
from ..meaning.expr import Counter, Deriv, Expr, Unknown
from ..meaning.symbols import Symbols, find_symbols
from ..notation import NotationError, parse
from ..notation.tree import Chain, Empty, Fence, Listing, Name, Relation, Tree, Words
from ..note import Formula, Note


@dataclass(frozen=True)
class Read:
    """A formula with its tree, or with the reason why there is none."""

    formula: Formula
    tree: Tree | None
    error: NotationError | None = None


@dataclass(frozen=True)
class Statement:
    """A chain of relations.

    Attributes
    ----------
    number : int
        Its place among the statements of the note.
    read : Read
        The formula in which it stands.
    tree : Chain
    operands : tuple of Expr
    relations : tuple of Relation
    conditions : tuple of Chain
        What stands behind it in the same formula and says when it holds.
    """

    number: int
    read: Read
    tree: Chain
    operands: tuple[Expr, ...]
    relations: tuple[Relation, ...]
    conditions: tuple[Chain, ...] = ()
    words: tuple[str, ...] = ()
    whole: bool = field(default=True)

    @property
    def start(self) -> int:
        """Its offset in the note."""
        return self.read.formula.offset(self.tree.start)

    @property
    def end(self) -> int:
        return self.read.formula.offset(self.tree.end)

    @property
    def latex(self) -> str:
        return self.read.formula.latex[self.tree.start : self.tree.end]

    def source(self, expr: Expr | Tree) -> str:
        """Return the LaTeX of a part."""
        tree = expr.tree if isinstance(expr, Expr) else expr
        return self.read.formula.latex[tree.start : tree.end].strip()


def read_formulas(note: Note) -> list[Read]:
    """Return every formula of a note with its tree."""
    found = []
    for formula in note.formulas:
        try:
            found.append(Read(formula, parse(formula.latex, note.macros)))
        except NotationError as error:
            found.append(Read(formula, None, error))
    return found


def symbols_of(reads: Iterable[Read], functions: Mapping[str, str] = {}) -> Symbols:
    """Return what all formulas together say about the symbols."""
    return find_symbols([read.tree for read in reads if read.tree is not None], functions)


def statements(reads: Iterable[Read], symbols: Symbols) -> list[Statement]:
    """Return the statements of formulas, in order.

    Examples
    --------
    >>> from symbptt.reading.note import Note, Formula
    >>> reads = read_formulas(Note("n", "", (Formula(r"h_t = f(z_t), \\quad z_t = W h_{t-1}, \\quad t < T", 0),)))
    >>> [(s.latex, len(s.conditions)) for s in statements(reads, symbols_of(reads))]
    [('h_t = f(z_t)', 1), ('z_t = W h_{t-1}', 1)]
    """
    found: list[Statement] = []
    for read in reads:
        if read.tree is None:
            continue
        chains, conditions, words = _sorted(read.tree)
        for chain in chains:
            operands = tuple(numbered(elaborate(operand, symbols), 100 * i) for i, operand in enumerate(chain.operands))
            found.append(
                Statement(len(found), read, chain, operands, chain.relations, tuple(conditions), tuple(words),
                          len(chains) == 1)
            )  # fmt: skip
    return found


def numbered(expr: Expr, first: int) -> Expr:
    """Tell the derivatives of all operands apart."""
    return expr.mapped(lambda p: replace(p, number=first + p.number) if isinstance(p, Deriv) else p)


def _sorted(tree: Tree) -> tuple[list[Chain], list[Chain], list[str]]:
    """Return the chains of a formula that are claims, those that are conditions, and its words."""
    items = list(_items(tree))
    chains = _continued([item for item in items if isinstance(item, Chain)])
    words = [part.text for item in items for part in item.walk() if isinstance(part, Words)]
    if len(chains) <= 1:
        return chains, [], words
    claims = [chains[0]]
    conditions: list[Chain] = []
    for chain in chains[1:]:
        (conditions if _is_condition(chain, items) else claims).append(chain)
    return claims, conditions, words


def _items(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Listing):
        for item in tree.items:
            yield from _items(item)
    elif (
        isinstance(tree, Fence)
        and isinstance(tree.body, Listing)
        and any(isinstance(item, Words | Chain) for item in tree.body.items)
    ):
        yield from (item if not isinstance(item, Chain) else _Aside.of(item) for item in _items(tree.body))
    elif isinstance(tree, Fence) and tree.right == "." and isinstance(tree.body, Chain | Listing):
        yield from _items(tree.body)
    else:
        yield tree


class _Aside(Chain):
    """A chain in brackets beside another."""

    @classmethod
    def of(cls, chain: Chain) -> Chain:
        return cls(chain.operands, chain.relations, start=chain.start, end=chain.end)


def _continued(chains: list[Chain]) -> list[Chain]:
    """Join a chain that begins with a relation to the one before it."""
    found: list[Chain] = []
    for chain in chains:
        if isinstance(chain.operands[0], Empty) and found:
            last = found.pop()
            operands = last.operands[:-1] if isinstance(last.operands[-1], Empty) else last.operands
            relations = last.relations[: len(operands) - 1]
            found.append(
                Chain(operands + chain.operands[1:], relations + chain.relations, start=last.start, end=chain.end)
            )
        else:
            found.append(chain)
    return found


def _is_condition(chain: Chain, items: list[Tree]) -> bool:
    """Whether a chain only says for what a claim before it holds: t = 1..T, k < t, c < 1, (because z_3 = 14)."""
    if isinstance(chain, _Aside):
        return True
    first = chain.operands[0]
    if isinstance(first, Name) and first.name in ("t", "k", "i", "j", "s", "tau", "T"):
        return True
    return all(r.kind in ("<", ">", "in", "ne") for r in chain.relations)


def is_setting(statement: Statement) -> bool:
    """Whether a statement gives a counter its value: ``t = 3``, ``T = 100``."""
    return isinstance(statement.operands[0], Counter) and len(statement.operands) == 2


def unknown_in(statement: Statement) -> Unknown | None:
    """Return the first part of a statement that has no meaning."""
    for operand in statement.operands:
        for part in operand.walk():
            if isinstance(part, Unknown):
                return part
    return None
