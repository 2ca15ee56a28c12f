"""Derivations as data: sections of steps, no prose and no TeX in them.

A step says which rule it uses; the words for the rule are in the phrase catalogues of :mod:`symbptt.render`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sympy import Basic, Expr

from ..algebra import shape_of

DEFINITION, EQUALITY, WORKED = "definition", "equality", "worked"
HYPOTHESIS, CONVENTION, OBSERVATION, GIVEN, REMARK = "hypothesis", "convention", "observation", "given", "remark"
PROOF, COUNT, TABLE = "proof", "count", "table"
BOUND, MEASURED, IDENTITY, VALUE = "bound", "measured", "identity", "value"

KINDS = (
    DEFINITION, EQUALITY, WORKED, HYPOTHESIS, CONVENTION, OBSERVATION, GIVEN, REMARK,
    PROOF, COUNT, TABLE, BOUND, MEASURED, IDENTITY, VALUE,
)  # fmt: skip
"""What a step claims. Equalities, worked lines, proofs and counts are proved line by line; the other kinds are checked
in ways of their own, and a remark is not checked.

A bound is a chain with inequalities. What is measured is the value of an expression at the given numbers. A table has
``columns`` and ``rows``; with an ``index`` the entries are the values of the columns' expressions at that index. An
identity holds for all numbers in the place of its symbols, whatever the network. A value is the number that a symbol
has at the given numbers.
"""


@dataclass(frozen=True)
class Named:
    """A variable and what it is called: ``role`` is one of :data:`symbptt.model.ROLES`."""

    role: str
    expr: Any


@dataclass(frozen=True)
class Line:
    """One link of a chain: a relation sign and what stands behind it.

    Attributes
    ----------
    sign : str
        A key of :data:`symbptt.algebra.tex.RELATIONS`: ``=``, ``≈``, ``≤``, ...
    expr : node
    braces : tuple of str
        Phrase keys of notes under the terms of a sum, in order; empty for none.
    """

    sign: str
    expr: Any
    braces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phrase:
    """Words in a cell of a table, by their key, with what they mention."""

    key: str
    facts: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of a derivation: ``left = chain[0] = chain[1] = ...``.

    Attributes
    ----------
    key : str
        Unique in the derivation, such as ``recursion.h``.
    rule : str
        Phrase key of the reason.
    kind : str
        One of :data:`KINDS`.
    left : node or None
    chain : tuple of Line
    facts : tuple of (str, value)
        What the phrase mentions: expressions, numbers, or keys. ``called`` is a name for the left side, printed in
        front of it. A table has ``columns`` and ``rows``, tuples of cells: expressions, numbers, or a
        :class:`Phrase`. With ``whole`` a line is tested for the very T of the network, also where that is large.
    steps : (low, high) or None
        The steps t for which a symbolic line holds; None where no free index occurs.
    substeps : tuple of Step
    """

    key: str
    rule: str
    kind: str
    left: Any = None
    chain: tuple[Line, ...] = ()
    facts: tuple[tuple[str, Any], ...] = ()
    steps: tuple[Expr, Expr] | None = None
    substeps: tuple[Step, ...] = ()

    @property
    def result(self) -> Any:
        """The last right-hand side: the answer of the step."""
        return self.chain[-1].expr if self.chain else None

    @property
    def shape(self) -> tuple[Any, ...]:
        """The shape of the left side."""
        return shape_of(self.left) if isinstance(self.left, Basic) else ()

    def walk(self) -> Iterator[Step]:
        """Yield the step and its substeps, in printed order."""
        yield self
        for step in self.substeps:
            yield from step.walk()


@dataclass(frozen=True)
class Section:
    """A heading and its steps."""

    key: str
    steps: tuple[Step, ...]
    facts: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Worksheet:
    """A whole derivation as data.

    Attributes
    ----------
    sections : tuple of Section
    facts : tuple of (str, value)
        What the head of the document mentions.
    """

    sections: tuple[Section, ...]
    facts: tuple[tuple[str, Any], ...] = field(default=())

    def walk(self) -> Iterator[Step]:
        """Yield every step of every section, in printed order."""
        for section in self.sections:
            for step in section.steps:
                yield from step.walk()

    def __getitem__(self, key: str) -> Step:
        return next(step for step in self.walk() if step.key == key)
