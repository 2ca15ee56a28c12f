"""Time indices: whole numbers plus multiples of letters, such as t - 1 or t + k."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..notation.tree import Fence, Name, Number, Plus, Product, Tree

LETTERS = frozenset(
    ["t", "T", "k", "i", "j", "s", "r", "l", "m", "n", "p", "q", "u", "v", "N", "K", "tau", "l", "tprime"]
)
"""Names that can be an index."""


@dataclass(frozen=True)
class Index:
    """A sum of letters with whole coefficients and a whole number.

    >>> Index((("t", 1),), -1)
    t-1
    """

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    def __add__(self, other: Index) -> Index:
        return _index({**dict(self.terms)}, self.constant, other, 1)

    def __sub__(self, other: Index) -> Index:
        return _index({**dict(self.terms)}, self.constant, other, -1)

    def at(self, values: Mapping[str, int]) -> int:
        """Return its value.

        Raises
        ------
        KeyError
            For a letter that has none.
        """
        return self.constant + sum(c * values[name] for name, c in self.terms)

    @property
    def letters(self) -> frozenset[str]:
        """The letters in it."""
        return frozenset(name for name, _ in self.terms)

    @property
    def is_number(self) -> bool:
        """Whether it is a number alone."""
        return not self.terms

    def replaced(self, name: str, by: Index) -> Index:
        """Return it with an index in the place of a letter."""
        rest = Index(tuple(t for t in self.terms if t[0] != name), self.constant)
        factor = dict(self.terms).get(name, 0)
        return rest + Index(tuple((n, c * factor) for n, c in by.terms), by.constant * factor) if factor else self

    def __repr__(self) -> str:
        text = ""
        for name, c in self.terms:
            text += f"{'-' if c < 0 else '+' if text else ''}{'' if abs(c) == 1 else abs(c)}{name}"
        if self.constant or not text:
            text += f"{self.constant:+d}" if text else str(self.constant)
        return text


def _index(terms: dict[str, int], constant: int, other: Index, sign: int) -> Index:
    for name, c in other.terms:
        terms[name] = terms.get(name, 0) + sign * c
    kept = sorted((n, c) for n, c in terms.items() if c)
    return Index(tuple(kept), constant + sign * other.constant)


def letter(name: str) -> Index:
    """Return the index that is a letter."""
    return Index(((name, 1),))


def index_of(tree: Tree | None) -> Index | None:
    """Return the index that a subscript is, or None where it is something else (a label).

    >>> from symbptt.reading.notation import parse
    >>> index_of(parse("t+k-1")), index_of(parse("hh"))
    (k+t-1, None)
    """
    if isinstance(tree, Number):
        return Index((), int(tree.text)) if tree.text.isdigit() and len(tree.text) < 7 else None
    if isinstance(tree, Name):
        return letter(tree.name) if tree.name in LETTERS and tree.style in ("", "upright") else None
    if isinstance(tree, Fence) and tree.left in "(<[":
        return index_of(tree.body)
    if isinstance(tree, Plus):
        total = Index()
        for sign, term in zip(tree.signs, tree.terms, strict=True):
            part = index_of(term)
            if part is None or sign not in ("", "+", "-"):
                return None
            total = total - part if sign == "-" else total + part
        return total
    if isinstance(tree, Product) and len(tree.factors) == 2 and tree.operators[0] in ("", "cdot"):
        head, tail = tree.factors
        part = index_of(tail)
        if isinstance(head, Number) and head.text.isdigit() and len(head.text) < 5 and part is not None:
            return Index(tuple((n, c * int(head.text)) for n, c in part.terms), part.constant * int(head.text))
    return None
