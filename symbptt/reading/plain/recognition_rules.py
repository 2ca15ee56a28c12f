"""The registry of what recognises plain algebra, and what its rules have at hand: known names, limits, refusals."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..notation.tree import Chain, Derivative, Dots, Empty, Evaluated, Grid, Listing, Tree, Words
from .names import name_of
from .parts import NotPlainError, Part, TooLargeError

MOST_PARTS = 20_000
"""How many parts a formula may have once its sums are written out."""

_NOT_PLAIN: dict[type[Tree], str] = {
    Chain: "relation",
    Derivative: "derivative",
    Dots: "dots",
    Empty: "empty",
    Evaluated: "evaluated",
    Grid: "matrix",
    Listing: "list",
    Words: "words",
}


@dataclass
class Recogniser:
    """One formula on its way from tree to plain algebra.

    Attributes
    ----------
    names : container of str
        Names that are known to stand for a number.
    log : str or None
        The base of a logarithm without one; None refuses it.
    written_out : int
        How many terms of a sum are written out.
    values : dict
        Index of a sum that is being written out -> the number that it stands for.
    indices : set of str
        Indices of the sums around it that are not.
    count, nested : int
        How many parts there are so far, and how many functions before other functions.
    """

    names: Container[str]
    log: str | None
    written_out: int
    values: dict[str, int] = field(default_factory=dict)
    indices: set[str] = field(default_factory=set)
    count: int = 0
    nested: int = 0

    def part(self, tree: Tree) -> Part:
        """Return the plain algebra that a part is.

        Raises
        ------
        NotPlainError
            Where it is none.
        TooLargeError
            Where there are too many parts.
        """
        self.count += 1
        if self.count > MOST_PARTS:
            raise TooLargeError((tree.start, tree.end), f"more than {MOST_PARTS} parts")
        rule = RULES.get(type(tree))
        if rule is None:
            raise refuse(tree, _NOT_PLAIN.get(type(tree), "symbol"))
        return rule(self, tree)

    def known(self, tree: Tree) -> bool:
        """Whether it is a name that is known to stand for a number."""
        try:
            return name_of(tree, self.values, self.indices) in self.names
        except NotPlainError:
            return False


def refuse(tree: Tree, what: str) -> NotPlainError:
    """Return the error that a part is no plain algebra."""
    return NotPlainError((tree.start, tree.end), what)


Rule: TypeAlias = Callable[[Recogniser, Any], Part]

RULES: dict[type[Tree], Rule] = {}
"""Kind of tree -> what makes plain algebra of it; filled by the modules that :mod:`.recognition` imports."""


def recognises(*kinds: type[Tree]) -> Callable[[Rule], Rule]:
    """Register a function of the recogniser and the tree."""

    def register(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return register
