"""The registry of rules, and what they have at hand: the symbols of a note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...notation.tree import Tree
from ..expr import Expr
from ..symbols import Symbols


class FailedError(Exception):
    """A part without a meaning."""

    def __init__(self, key: str, tree: Tree, text: str = "") -> None:
        super().__init__(key)
        self.key, self.tree, self.text = key, tree, text


class Elaboration:
    """One formula on its way from tree to expression; ``count`` numbers its derivatives."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.count = 0

    def expr(self, tree: Tree, bound: frozenset[str]) -> Expr:
        """Return the expression of a part.

        Raises
        ------
        FailedError
            Where it has no meaning.
        """
        known = self.symbols.resolve(tree) if self.symbols.resolve is not None else None
        if known is not None:
            return replace(known, tree=tree)
        rule = RULES.get(type(tree))
        if rule is None:
            raise FailedError("check.reason.no-meaning", tree)
        return replace(rule(self, tree, bound), tree=tree)


Rule = Callable[[Elaboration, Any, frozenset[str]], Expr]

RULES: dict[type[Tree], Rule] = {}
"""Kind of tree -> what makes an expression of it; filled by the modules that :mod:`..elaborate` imports."""


def elaborates(*kinds: type[Tree]) -> Callable[[Rule], Rule]:
    """Register a function of the elaboration, the tree and the index letters around it."""

    def register(rule: Rule) -> Rule:
        for kind in kinds:
            RULES[kind] = rule
        return rule

    return register
