"""The keys of the names in equations: ``W_{xu}`` is ``W_xu``, and a layer above is ``1.h``."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..model.cells import RESERVED, RESERVED_PARAMETERS
from .meaning.expr import Expr, Ref
from .notation.tree import Tree
from .statements import Equation, Source

SIZES = frozenset({"n", "m"})
"""Keys that are sizes of every cell; a variable of that name is written with an underscore, which is not printed."""
ARROWS = {"overrightarrow": "forward", "overleftarrow": "backward"}
"""Arrows over letters -> the direction that their keys begin with."""


class Keys:
    """Gives every name the key that the cell knows it by."""

    def __init__(self, chosen: Mapping[str, str]) -> None:
        self.chosen = chosen
        self.seen: dict[str, None] = {}
        self.written: dict[str, str] = {}
        self.of: dict[tuple[str, bool], str] = {}

    def take(self, equations: Sequence[Equation], rows: bool) -> None:
        names: dict[tuple[str, bool], tuple[Source, Tree]] = {}
        for e in equations:
            names.setdefault((e.key, True), (e.source, e.left))
        for e in equations:
            for part in e.right.walk():
                if isinstance(part, Ref):
                    names.setdefault((part.key, part.when is not None), (e.source, part.tree))
        exponential = Ref("e")
        for (key, timed), (source, tree) in names.items():
            if not timed and (key, True) in names and not rows:
                source.fail(tree, f"{key!r} stands here without a step, and elsewhere with one; write {key}_t")
            self.seen[key] = None
            if key == exponential.key and not timed:
                self.of[key, timed] = key
                continue
            new = self._key(key, timed, rows, {k for k, _ in names} if rows else set())
            while new in self.of.values():
                new += "_"
            self.of[key, timed] = new
            self.written[new] = source.piece(tree)

    def _key(self, key: str, timed: bool, rows: bool, taken: set[str]) -> str:
        if key in self.chosen:
            return self.chosen[key]
        prefix, name = "", key
        for mark, direction in ARROWS.items():
            if f"_{mark}" in name:
                prefix, name = f"{direction}.", name.replace(f"_{mark}", "", 1)
        match = re.fullmatch(r"(\w+?)_?\^(\w+)(.*)", name)
        if match:
            name = match[1] + match[3]
            if match[2].isdigit() and match[2] != "0":
                prefix = f"{match[2]}.{prefix}"
            else:
                name = f"{match[1]}_{match[2]}{match[3]}"
        name = re.sub(r"\W", "_", name.replace("'", "_prime"))
        if rows and timed and name[:1].isupper():
            lower = name[0].lower() + name[1:]
            name = lower if lower not in taken else lower + "_"
        reserved = RESERVED if timed else RESERVED_PARAMETERS
        if keyword.iskeyword(name) or name in reserved or name in SIZES or (name[0].isdigit()):
            name += "_"
        return prefix + name

    def declared(self, key: str) -> str:
        return self.of.get((key, False)) or self.of[key, True]

    def renamed(self, equation: Equation) -> Equation:
        def rule(part: Expr) -> Expr:
            if isinstance(part, Ref):
                return replace(part, key=self.of[part.key, part.when is not None])
            return part

        return replace(equation, key=self.of[equation.key, True], right=equation.right.mapped(rule))
