"""Expressions: formulas whose symbols are settled. Data, with the tree that each was read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from ..notation.tree import Empty, Tree, parts_of
from .index import Index


@dataclass(frozen=True)
class Expr:
    """A part of an expression; ``tree`` is where it was read and does not count in comparisons."""

    tree: Tree = field(default_factory=Empty, compare=False, repr=False, kw_only=True)

    @property
    def children(self) -> tuple[Expr, ...]:
        """The expressions it is made of."""
        return tuple(_expressions(getattr(self, name) for name in parts_of(self)))

    def walk(self) -> Iterator[Expr]:
        """Yield it and every part."""
        yield self
        for child in self.children:
            yield from child.walk()

    def rebuilt(self, rule: Callable[[Expr], Expr]) -> Expr:
        """Return it with ``rule`` applied to the expressions it is made of."""
        changed = {name: _mapped(getattr(self, name), rule) for name in parts_of(self)}
        same = all(changed[name] is getattr(self, name) for name in changed)
        return self if same else replace(self, **changed)

    def mapped(self, rule: Callable[[Expr], Expr]) -> Expr:
        """Return it with ``rule`` applied to all its parts, innermost first."""
        return rule(self.rebuilt(lambda part: part.mapped(rule)))


def _expressions(values: Any) -> Iterator[Expr]:
    for value in values:
        if isinstance(value, Expr):
            yield value
        elif isinstance(value, tuple):
            yield from _expressions(value)


def _mapped(value: Any, rule: Callable[[Expr], Expr]) -> Any:
    if isinstance(value, Expr):
        return rule(value)
    if isinstance(value, tuple) and value:
        new = tuple(_mapped(v, rule) for v in value)
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    return value


@dataclass(frozen=True)
class Num(Expr):
    """A number, exactly as it was written."""

    value: Fraction
    text: str = field(default="", compare=False)


@dataclass(frozen=True)
class Ref(Expr):
    """A symbol: its key (``h``, ``W_hh``, ``y_hat``), and the step of what is a variable over time."""

    key: str
    when: Index | None = None


@dataclass(frozen=True)
class Entry(Expr):
    """Components of a vector or matrix: ``y_{t,i}``."""

    of: Expr
    places: tuple[Index, ...]


@dataclass(frozen=True)
class Counter(Expr):
    """A time index, or T, in the place of a number: ``c^t``, ``1/T``."""

    index: Index


@dataclass(frozen=True)
class Infinity(Expr):
    """An infinite number."""


@dataclass(frozen=True)
class Add(Expr):
    """Terms with signs 1 and -1."""

    signs: tuple[int, ...]
    terms: tuple[Expr, ...]


@dataclass(frozen=True)
class Mul(Expr):
    """Factors in their order: a matrix product, or one by scalars. ``kinds[i]`` stands before ``factors[i + 1]``: "",
    "cdot", "times" or "ast"."""

    factors: tuple[Expr, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Hadamard(Expr):
    """Factors multiplied entry by entry."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True)
class Outer(Expr):
    """``a \\otimes b``."""

    left: Expr
    right: Expr


@dataclass(frozen=True)
class Div(Expr):
    """A quotient; ``entrywise`` where it is written so."""

    top: Expr
    bottom: Expr
    entrywise: bool = False


@dataclass(frozen=True)
class Pow(Expr):
    """A power."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True)
class Transpose(Expr):
    """``a^\\top``; ``settled`` is False where the T may be the number of steps."""

    of: Expr


@dataclass(frozen=True)
class Call(Expr):
    """A function of one or more arguments; ``primes`` is the order of its derivative."""

    name: str
    arguments: tuple[Expr, ...]
    primes: int = 0


@dataclass(frozen=True)
class Norm(Expr):
    """A norm: "2", "F", "1", "inf", "abs" for an absolute value, or "" where it is not said."""

    of: Expr
    kind: str = ""


@dataclass(frozen=True)
class Deriv(Expr):
    """A derivative. ``mode`` is "total", "immediate", or "" where the notation leaves it open; ``number`` tells
    occurrences in one formula apart."""

    of: Expr
    by: tuple[Expr, ...]
    mode: str = ""
    order: int = 1
    symbol: str = "partial"
    number: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Bound(Expr):
    """A sum or product over an index; ``low`` and ``high`` are None where they are not written.

    ``condition`` holds what a subscript says beyond bounds, as pairs (relation, index, index).
    """

    kind: str
    index: str
    low: Index | None
    high: Index | None
    body: Expr
    conditions: tuple[tuple[str, Index, Index], ...] = ()


@dataclass(frozen=True)
class Over(Expr):
    """A sum or product over an index whose bounds are more than an index: ``\\min(t + 2, T)``."""

    kind: str
    index: str
    low: Expr
    high: Expr
    body: Expr


@dataclass(frozen=True)
class Condition(Expr):
    """``a \\le b < c``, as a condition: the operands, and the kinds of the relations between them."""

    operands: tuple[Expr, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Extreme(Expr):
    """``\\max_t a``, ``\\lim_{t \\to \\infty} a``."""

    kind: str
    index: str | None
    body: Expr
    towards: Expr | None = None


@dataclass(frozen=True)
class Series(Expr):
    """A sum or product with an ellipsis: what stands before the dots, and after them.

    ``kind`` is "sum", "product" or "list". ``signs`` of a sum are those of ``before`` and ``after``.
    """

    kind: str
    before: tuple[Expr, ...]
    after: tuple[Expr, ...]
    signs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Matrix(Expr):
    """Rows of entries; ``bare`` where it is a list in round brackets, which is a column."""

    rows: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True)
class Cases(Expr):
    """A function in pieces: pairs (value, condition); the condition is a tree, or None for "otherwise", or settled."""

    pieces: tuple[tuple[Expr, Any], ...]


@dataclass(frozen=True)
class Pick(Expr):
    """The component of a vector that a class names: ``(p_t)_{k_t}``."""

    of: Expr
    chosen: Expr


@dataclass(frozen=True)
class OneHot(Expr):
    """The vector that is 1 at a class and 0 elsewhere: ``e_{k_t}``."""

    chosen: Expr


@dataclass(frozen=True)
class Constant(Expr):
    """A matrix or vector whose size is that of what stands beside it: "ones" or "identity"."""

    kind: str


@dataclass(frozen=True)
class Unknown(Expr):
    """A part that has no meaning here, and why: a phrase key and a text."""

    key: str
    text: str = ""


def letters_of(expr: Expr) -> frozenset[str]:
    """Return the index letters that are free in an expression."""
    if isinstance(expr, Bound):
        inner = letters_of(expr.body)
        for bound in (expr.low, expr.high, *(part for c in expr.conditions for part in c[1:])):
            inner |= bound.letters if bound is not None else frozenset()
        return inner - {expr.index}
    if isinstance(expr, Over):
        return letters_of(expr.low) | letters_of(expr.high) | (letters_of(expr.body) - {expr.index})
    own: frozenset[str] = frozenset()
    if isinstance(expr, Ref) and expr.when is not None:
        own = expr.when.letters
    elif isinstance(expr, Counter):
        own = expr.index.letters
    elif isinstance(expr, Entry):
        own = frozenset(name for place in expr.places for name in place.letters)
    return own.union(*(letters_of(child) for child in expr.children))


def with_index(expr: Expr, name: str, value: Index) -> Expr:
    """Return an expression with an index in the place of a letter.

    >>> with_index(Ref("h", Index((("t", 1),), -1)), "t", Index((), 3)).when
    2
    """

    if isinstance(expr, Ref) and expr.when is not None:
        return replace(expr, when=expr.when.replaced(name, value))
    if isinstance(expr, Counter):
        return replace(expr, index=expr.index.replaced(name, value))
    if isinstance(expr, Bound):
        low = None if expr.low is None else expr.low.replaced(name, value)
        high = None if expr.high is None else expr.high.replaced(name, value)
        captured = expr.index == name
        conditions = tuple((r, a.replaced(name, value), b.replaced(name, value)) for r, a, b in expr.conditions)
        body = expr.body if captured else with_index(expr.body, name, value)
        return replace(expr, low=low, high=high, body=body, conditions=expr.conditions if captured else conditions)
    if isinstance(expr, Entry):
        expr = replace(expr, places=tuple(p.replaced(name, value) for p in expr.places))
    return expr.rebuilt(lambda part: with_index(part, name, value))
