"""What the notation parser returns: the formula as it is written, with the place of every part.

Nothing here knows what a symbol means: ``f(x)`` and ``W(x)`` are both a product of a name and a bracket, ``b_h`` and
``b_i`` both a name with a subscript. What they are is settled by :mod:`symbptt.reading.meaning`, with the symbols of a
note at hand.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, cast


def parts_of(whole: Any) -> tuple[str, ...]:
    """Return the names of what a data class is made of: its fields but those given by keyword, such as places.

    >>> parts_of(Name("h"))
    ('name', 'style')
    """
    return _parts_of(cast(Hashable, type(whole)))


@cache
def _parts_of(kind: Hashable) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cast(Any, kind)) if not field.kw_only)


@dataclass(frozen=True)
class Tree:
    """A part of a formula; ``start`` and ``end`` are its place in the LaTeX and do not count in comparisons."""

    start: int = field(default=0, compare=False, repr=False, kw_only=True)
    end: int = field(default=0, compare=False, repr=False, kw_only=True)

    @property
    def children(self) -> tuple[Tree, ...]:
        """The parts it is made of, in the order in which they are written."""
        return tuple(sorted(_trees(getattr(self, name) for name in parts_of(self)), key=lambda tree: tree.start))

    def walk(self) -> Iterator[Tree]:
        """Yield it and every part of it, each before its own parts."""
        waiting: list[Tree] = [self]
        while waiting:
            tree = waiting.pop()
            yield tree
            waiting += reversed(tree.children)


def _trees(values: Any) -> Iterator[Tree]:
    for value in values:
        if isinstance(value, Tree):
            yield value
        elif isinstance(value, tuple):
            yield from _trees(value)


@dataclass(frozen=True)
class Number(Tree):
    """A number as it was written, without marks of thousands: ``2.0``, ``1e-5``; style as in :class:`Name`."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Name(Tree):
    """A letter, a Greek letter (``sigma``) or a word (``softmax``).

    A sign that stands alone is one too: ``plus``, ``cdot``; and so are ``percent`` and ``factorial``, which stand
    behind a number.
    ``style`` is "", "bold", "cal", "frak", "bb", "upright" or "text".
    """

    name: str
    style: str = ""


@dataclass(frozen=True)
class Accent(Tree):
    """``\\hat{y}``: the mark and what is under it."""

    mark: str
    body: Tree


@dataclass(frozen=True)
class Script(Tree):
    """``h_{t-1}^\\top``, ``f'``: a base with a subscript, a superscript and primes."""

    base: Tree
    sub: Tree | None = None
    sup: Tree | None = None
    primes: int = 0


@dataclass(frozen=True)
class Fence(Tree):
    """Something in brackets; ``left`` and ``right`` are ``(``, ``[``, ``{``, ``|``, ``||``, ``<`` or ``.`` (none)."""

    left: str
    right: str
    body: Tree


@dataclass(frozen=True)
class Fraction(Tree):
    """``\\frac{a}{b}``, where it is not a derivative."""

    top: Tree
    bottom: Tree


@dataclass(frozen=True)
class Root(Tree):
    """``\\sqrt[3]{x}``."""

    body: Tree
    degree: Tree | None = None


@dataclass(frozen=True)
class Grid(Tree):
    """Rows of cells: ``matrix`` (any brackets), ``cases`` or ``aligned``."""

    kind: str
    rows: tuple[tuple[Tree, ...], ...]


@dataclass(frozen=True)
class Words(Tree):
    """Words between formulas: ``\\text{if }``, 因为."""

    text: str


@dataclass(frozen=True)
class Annotated(Tree):
    """``\\underbrace{a}_{b}``, ``\\underset{b}{a}``, ``\\boxed{a}``: the note changes nothing in the value.

    ``kind`` is "under", "over", "set", "box", or "aside": what stands at the end of a line, behind an operand of a
    chain that goes on in the next line.
    """

    kind: str
    body: Tree
    note: Tree | None = None


@dataclass(frozen=True)
class Big(Tree):
    """A large operator over what follows it: ``sum``, ``prod``, ``int``, ``max``, ``lim``, ..., with its bounds."""

    kind: str
    sub: Tree | None
    sup: Tree | None
    body: Tree


@dataclass(frozen=True)
class Dots(Tree):
    """An ellipsis."""


@dataclass(frozen=True)
class Product(Tree):
    """Factors side by side; ``operators[i]`` stands before ``factors[i + 1]``.

    An operator is "" (juxtaposition), "cdot", "times", "ast", "odot", "oslash", "circ", "otimes",
    "oplus", "at" or "/".
    """

    factors: tuple[Tree, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Plus(Tree):
    """Terms with their signs ("+", "-", or "" for a first one without); one term with "-" is a negative."""

    signs: tuple[str, ...]
    terms: tuple[Tree, ...]


@dataclass(frozen=True)
class Derivative(Tree):
    """``\\frac{\\partial a}{\\partial b}``, ``\\nabla_b a``.

    Attributes
    ----------
    of : Tree or None
        None for an operator that stands before what it differentiates.
    by : tuple of Tree
        Several for mixed derivatives; as written, so ``h^2`` under a second derivative.
    symbol : str
        "partial", "d", "delta", "nabla" or "D".
    mark : Tree or None
        A superscript of the symbol that is no number, ``\\partial^+``, or the symbol itself under an accent,
        ``\\hat{\\partial}``.
    order : Tree or None
        A superscript of the symbol that is a number.
    """

    of: Tree | None
    by: tuple[Tree, ...]
    symbol: str
    mark: Tree | None = None
    order: Tree | None = None


@dataclass(frozen=True)
class Evaluated(Tree):
    """``a \\big|_{b}``: a, where b."""

    body: Tree
    sub: Tree | None = None
    sup: Tree | None = None


@dataclass(frozen=True)
class Relation(Tree):
    """A relation sign: its kind (a word of :data:`RELATIONS`) and what is written over it."""

    kind: str
    note: Tree | None = None


@dataclass(frozen=True)
class Chain(Tree):
    """``a = b \\le c``, over as many lines as it goes on.

    An operand that is not there, as in ``= 3``, is :class:`Empty`.
    """

    operands: tuple[Tree, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True)
class Listing(Tree):
    """Parts behind one another: ``separators[i]`` (a comma, ``;``, "quad", "|", "row", "implies", "words") stands
    before ``items[i + 1]``."""

    items: tuple[Tree, ...]
    separators: tuple[str, ...]


@dataclass(frozen=True)
class Empty(Tree):
    """Nothing: ``{}``, or an operand that is left out."""
