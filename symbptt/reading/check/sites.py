"""The place where a formula is mended: one operand of a chain, and what is known around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..meaning.expr import Add, Bound, Call, Deriv, Expr, Hadamard, Mul, Num, Ref, Transpose
from ..meaning.index import Index
from ..notation.tree import Script
from .definitions import T, same
from .network import Built
from .statements import Statement
from .wording import Wording, transposed, untransposed

STYLES = (Mul, Hadamard)


@dataclass(frozen=True)
class Site:
    """An operand that is to be mended.

    Attributes
    ----------
    statement : Statement
    target : int
        Number of the operand.
    wording : Wording
    built : Built
    scalars : bool
        Whether all variables are numbers.
    plain : bool
        Whether the note writes no transposes, so that a missing one is a formula of the scalar case.
    found : tuple of Statement
        All statements of the note.
    """

    statement: Statement
    target: int
    wording: Wording
    built: Built
    scalars: bool
    plain: bool
    found: tuple[Statement, ...] = ()

    @property
    def operand(self) -> Expr:
        """The operand."""
        return self.statement.operands[self.target]

    @property
    def left(self) -> Expr:
        """What the chain is about: its first operand."""
        return self.statement.operands[0]

    def text(self, e: Expr) -> str:
        """Return the LaTeX of a part."""
        return self.statement.source(e)

    @property
    def latex(self) -> str:
        """The LaTeX of the whole formula."""
        return self.statement.read.formula.latex

    def toggled(self, part: Expr) -> str:
        """Return the LaTeX of a part transposed, or without the transpose that it has."""
        text = self.text(part)
        if not isinstance(part, Transpose):
            return transposed(text, self.wording.top)
        plain = untransposed(text)
        if plain is None and isinstance(part.tree, Script) and part.tree.sup is not None:
            tree = part.tree
            end = max(tree.base.end, tree.sub.end if tree.sub is not None else 0)
            plain = self.latex[tree.start : end]
        return plain if plain is not None else transposed(text, self.wording.top)

    @cached_property
    def places(self) -> tuple[tuple[Expr, tuple[Expr, ...]], ...]:
        """Every part of the operand with what it stands in, outermost first."""
        return tuple(_places(self.operand, ()))

    @cached_property
    def steps(self) -> tuple[Index, ...]:
        """The steps that occur in the statement, those on the left first."""
        refs = [p for o in (self.left, self.operand) for p in o.walk() if isinstance(p, Ref) and p.when is not None]
        found = dict.fromkeys(r.when for r in refs if r.when is not None)
        numbers = [w.constant for w in found if w.is_number]
        between = range(min(numbers) + 1, min(max(numbers), min(numbers) + 5)) if numbers else ()
        return tuple(dict.fromkeys((*found, *(Index((), n) for n in between))))

    @cached_property
    def terms(self) -> tuple[Expr, ...]:
        """The operand, its terms, and the bodies of its sums."""
        found: list[Expr] = []

        def add(e: Expr) -> None:
            found.append(e)
            if isinstance(e, Add):
                for term in e.terms:
                    add(term)
            elif isinstance(e, Bound):
                add(e.body)
            elif isinstance(e, Mul | Hadamard):
                for factor in e.factors:
                    if isinstance(factor, Add | Bound | Call):
                        add(factor)
            elif isinstance(e, Call) and e.name == "diag":
                add(e.arguments[0])

        add(self.operand)
        return tuple(found)


def _places(e: Expr, above: tuple[Expr, ...]) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    yield e, above
    for child in e.children:
        yield from _places(child, (*above, e))


def is_slope(e: Expr) -> bool:
    """Whether an expression is, or contains, the slope of an activation: f'(z), 1 - h^2, h (1 - h)."""
    for part in e.walk():
        if isinstance(part, Bound) or (isinstance(part, Ref) and part.when is None):
            return False
        if isinstance(part, Call) and part.primes:
            return True
        if isinstance(part, Add) and len(part.terms) == 2 and part.signs == (1, -1) and isinstance(part.terms[0], Num):
            return True
    return False


def shifted(text: str, by: int) -> str | None:
    """Return the LaTeX of an index a little later or earlier; None below 0.

    >>> shifted("t-1", 1), shifted("{t}", 1), shifted("2", -1), shifted("t+k", -1)
    ('{t}', '{t+1}', '1', '{t+k-1}')
    """
    inner = re.sub(r"^\{(.*)\}$", r"\1", text.strip(), flags=re.S)
    round_ = inner.startswith("(") and inner.endswith(")")
    inner = inner[1:-1] if round_ else inner
    if inner.isdigit():
        number = int(inner) + by
        found = str(number) if number >= 0 else None
    else:
        match = re.fullmatch(r"(.*?)\s*([+-])\s*(\d+)\s*", inner, re.S)
        base, constant = (match[1], int(match[2] + match[3])) if match else (inner, 0)
        constant += by
        found = f"{base}{constant:+d}" if constant else base
    if found is None:
        return None
    found = f"({found})" if round_ else found
    return found if len(found) == 1 and found.isdigit() else f"{{{found}}}"


def timed(e: Expr) -> list[Ref]:
    """Return the variables over time in an expression."""
    return [p for p in e.walk() if isinstance(p, Ref) and p.when is not None]


def is_factor(e: Expr) -> bool:
    """Whether a part is one symbol or derivative, or stands in brackets, so that it can be transposed as it is."""
    return isinstance(e, Ref | Deriv) or type(e.tree).__name__ == "Fence"


def named(argument: Expr, built: Built) -> Expr:
    """Return the symbol that the note has for the argument of a function, or the argument."""
    if isinstance(argument, Ref):
        return argument
    named = {
        **{k: d.right for k, d in built.model.aliases.items()},
        **{k: d.right for k, d in built.model.equations.items()},
    }
    for key, right in named.items():
        if isinstance(key, str) and same(right, argument):
            return Ref(key, Index(((T, 1),)))
    return argument
