"""Equations in LaTeX as data: one source may hold several, and every part knows its place in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from ..errors import EquationError, SymbpttError
from .meaning.expr import Expr
from .meaning.index import index_of
from .notation import NotationError, parse
from .notation.tree import (
    Annotated,
    Big,
    Chain,
    Dots,
    Empty,
    Fence,
    Grid,
    Listing,
    Name,
    Number,
    Product,
    Script,
    Tree,
    Words,
)  # fmt: skip

UNREAD = {
    "unexpected": "{what} is not expected here",
    "too-deep": "brackets and scripts are nested more than {limit} deep",
    "too-long": "it is longer than {limit} characters or signs",
    "double-script": "a second subscript or superscript on one letter; put braces around the first",
    "missing-argument": "something is missing here",
    "brace": "this brace is never closed",
    "bracket": "this bracket is never closed",
    "command": "the command {what} is not known",
    "environment": "the environment {what} is not known",
    "environment-open": "the environment {what} is never closed",
    "macro-loop": "the macro {name} uses itself",
    "incomplete": "something is missing here",
}
"""What the notation parser complains about, as words of an error."""
DEFINES = ("=", ":=", "equiv", "gets")
"""Relations that define what stands before them."""


@dataclass(frozen=True)
class Source:
    """One string of LaTeX as the user gave it.

    Attributes
    ----------
    latex : str
    what : str
        What messages call it: ``latex 2``.
    """

    latex: str
    what: str = "latex"

    def fail(self, place: Tree | int, reason: str, kind: type[SymbpttError] = EquationError) -> NoReturn:
        """Raise an error that names the place.

        >>> Source("h_t = a").fail(6, "it is a joke")
        Traceback (most recent call last):
            ...
        symbptt.errors.EquationError: latex, column 7: it is a joke in 'h_t = a'
        """
        start = place if isinstance(place, int) else place.start
        start = min(start, len(self.latex))
        line = self.latex.count("\n", 0, start)
        column = start - (self.latex.rfind("\n", 0, start) + 1) + 1
        where = f"line {line + 1}, column {column}" if "\n" in self.latex else f"column {column}"
        raise kind(f"{self.what}, {where}: {reason} in '{self._around(start)}'") from None

    def _around(self, start: int) -> str:
        """Return the line with the place, cut where it is long."""
        begin = self.latex.rfind("\n", 0, start) + 1
        end = self.latex.find("\n", start)
        text = self.latex[begin : len(self.latex) if end < 0 else end]
        if len(text) <= 160:
            return text.strip()
        low = max(0, start - begin - 30)
        return ("..." if low else "") + text[low : low + 60] + "..."

    def piece(self, tree: Tree) -> str:
        """Return the LaTeX of a part."""
        return " ".join(self.latex[tree.start : tree.end].split())


@dataclass(frozen=True)
class Statement:
    """``left = right``, with where it was written; ``relation`` is "=" or "in"."""

    source: Source
    left: Tree
    right: Tree
    relation: str = "="


@dataclass(frozen=True)
class Equation:
    """One defining equation: the key of its variable, the right side, and where it stands."""

    key: str
    right: Expr
    source: Source
    left: Tree


def sources_of(given: str | Sequence[str]) -> list[Source]:
    """Return the sources of what a user gave: one string or several.

    Raises
    ------
    EquationError
        For what is no text.
    """
    texts = [given] if isinstance(given, str) else list(given)
    for text in texts:
        if not isinstance(text, str):
            raise EquationError(f"an equation is a string of LaTeX, not {str(text)[:40]!r}")
    if not any(text.strip() for text in texts):
        raise EquationError(r"no equation is given; write one such as r'h_t = \tanh(W_h h_{t-1} + W_x x_t + b_h)'")
    return [Source(text, "latex" if len(texts) == 1 else f"latex {i}") for i, text in enumerate(texts, 1)]


def read(source: Source, macros: Mapping[str, tuple[int, str | None, str]] = {}) -> Tree:
    """Return the tree of a source.

    Raises
    ------
    EquationError
        With the column, where it is not understood.
    """
    text = source.latex
    for left, right in (("$$", "$$"), ("$", "$"), (r"\[", r"\]"), (r"\(", r"\)")):
        inside = text.strip()
        if inside.startswith(left) and inside.endswith(right) and len(inside) > len(left) + len(right):
            begin, end = text.index(left), text.rindex(right)
            text = " " * (begin + len(left)) + text[begin + len(left) : end]
            break
    try:
        return _prepared(parse(text, macros))
    except NotationError as error:
        place = error.start
        reason = UNREAD.get(error.key.rpartition(".")[2], "it is not understood").format(**_shown(error.values))
    except RecursionError:
        place, reason = 0, "it is nested too deeply"
    source.fail(place, reason)


def _shown(values: Mapping[str, str]) -> dict[str, str]:
    names = {"finish": "the end", "close": "a closing brace", "end": r"\end", "row": r"\\", "cell": "&"}
    return {k: v if k == "limit" else names.get(v, f"'{v}'") for k, v in values.items()}


def _prepared(tree: Tree) -> Tree:
    """Join what is one symbol or one vector but looks like a product: ``\\Delta t``, ``W (h_{t-1}, x_t)``."""
    if isinstance(tree, Product):
        factors = [_prepared(f) for f in tree.factors]
        operators = list(tree.operators)
        for i in range(len(factors) - 2, -1, -1):
            one, two = factors[i], factors[i + 1]
            if operators[i] != "":
                continue
            if one == Name("Delta") and two == Name("t"):
                factors[i : i + 2] = [Name("Delta_t", start=one.start, end=two.end)]
                del operators[i]
            elif one == Name("max") and isinstance(two, Fence):
                factors[i : i + 2] = [Big("max", None, None, two, start=one.start, end=two.end)]
                del operators[i]
            elif isinstance(two, Fence) and two.left == "(" and isinstance(two.body, Listing) and _is_matrix(one):
                factors[i + 1] = replace(two, left="[", right="]")
        return factors[0] if len(factors) == 1 else replace(tree, factors=tuple(factors), operators=tuple(operators))
    power = tree.sup if isinstance(tree, Script) else None
    entrywise = isinstance(power, Product) and power.operators in (("odot",), ("circ",))
    if isinstance(tree, Script) and isinstance(power, Product) and entrywise and isinstance(power.factors[0], Empty):
        tree = replace(tree, sup=power.factors[1])  # as all powers of vectors are
    changed: dict[str, Any] = {}
    for name, value in vars(tree).items():
        if isinstance(value, Tree):
            changed[name] = _prepared(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Tree):
            changed[name] = tuple(_prepared(v) for v in value)
        elif isinstance(value, tuple) and value and isinstance(value[0], tuple):
            changed[name] = tuple(tuple(_prepared(v) for v in row) for row in value)
    return replace(tree, **changed) if changed else tree


def _is_matrix(tree: Tree) -> bool:
    base = tree.base if isinstance(tree, Script) else tree
    return isinstance(base, Name) and base.name[:1].isupper() and len(base.name) == 1


def statements(source: Source, tree: Tree) -> Iterator[Statement]:
    """Yield the equations and declarations of a source; words, ranges of t and the values h_0 = 0 are left out.

    Raises
    ------
    EquationError
        For what is none of these.
    """
    if isinstance(tree, Listing):
        for item in tree.items:
            yield from statements(source, item)
    elif isinstance(tree, Annotated) or (isinstance(tree, Fence) and tree.right in (".", "") and tree.left == "{"):
        yield from statements(source, tree.body)
    elif isinstance(tree, Grid):
        for row in tree.rows:
            yield from statements(source, _joined(row))
    elif isinstance(tree, Chain):
        yield from _of_chain(source, tree)
    elif not isinstance(tree, Words | Dots | Empty) and index_of(tree) is None:
        source.fail(tree, f"'{source.piece(tree)}' is no equation; write one variable, = and an expression")


def _joined(row: tuple[Tree, ...]) -> Tree:
    """Join ``h_t & = ...``, which a table of cases has in two cells."""
    if len(row) > 1 and isinstance(row[1], Chain) and isinstance(row[1].operands[0], Empty):
        chain = replace(row[1], operands=(row[0], *row[1].operands[1:]), start=row[0].start)
        return Listing((chain, *row[2:]), ("words",) * len(row[2:])) if row[2:] else chain
    return Listing(row, ("words",) * (len(row) - 1)) if len(row) > 1 else row[0]


def _of_chain(source: Source, chain: Chain) -> Iterator[Statement]:
    left, kinds = chain.operands[0], [r.kind for r in chain.relations]
    if index_of(left) is not None or isinstance(left, Number):
        return  # t = 1, ..., T; 1 <= t <= T
    if kinds == ["in"]:
        yield Statement(source, left, chain.operands[1], "in")
        return
    if kinds[0] not in DEFINES:
        source.fail(chain.relations[0], f"'{source.piece(chain.relations[0])}' defines nothing; write = ")
    if len(kinds) > 1:
        source.fail(chain.relations[1], "a second = ; write one equation for each variable")
    if isinstance(left, Empty):
        source.fail(chain, "nothing stands before the = ")
    if isinstance(chain.operands[1], Empty):
        source.fail(chain.relations[0], "nothing stands after the = ")
    yield Statement(source, left, chain.operands[1])
