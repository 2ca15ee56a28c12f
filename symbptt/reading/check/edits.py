"""Edits of a formula, and whether the formula holds after them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..meaning.elaborate import elaborate
from ..meaning.expr import Call, Counter, Deriv, Expr, Matrix, Num, Ref, Unknown
from ..meaning.symbols import Symbols
from ..notation import NotationError, parse
from ..notation.macros import tokens_of
from ..notation.tree import Chain, Listing
from ..note import Formula
from ..value.series import indices_of, skeleton
from .compare import FALSE, TRUE, Outcome, assignments, at, test
from .readings import CONCEDING, PLAIN, first_outcome, matters
from .statements import Read, Statement, numbered, statements, unknown_in
from .verdicts import Judgement, Settled
from .worlds import Worlds

Span = tuple[int, int, str]
SPACED = frozenset(["=", "+", "-", r"\odot", r"\cdot", r"\le", r"\ge", r"\approx", "&", "\\\\"])


@dataclass(frozen=True)
class Edit:
    """What is put in the place of parts of a formula, and the mistake that it undoes.

    Attributes
    ----------
    cause : str
    spans : tuple of (int, int, str)
        Begin and end in the formula's LaTeX, and the new text; they do not overlap.
    cost : int
        How far-fetched it is.
    """

    cause: str
    spans: tuple[Span, ...]
    cost: int = 0

    def clashes(self, other: Edit) -> bool:
        """Whether two edits touch the same place.

        >>> Edit("sign", ((0, 2, ""),)).clashes(Edit("sign", ((2, 3, ""),)))
        False
        """
        return any((a < d and c < b) or (a, b) == (c, d) for a, b, _ in self.spans for c, d, _ in other.spans)

    def joined(self, other: Edit) -> Edit:
        """Return both edits as one, named after the first."""
        return Edit(self.cause, (*self.spans, *other.spans), self.cost + other.cost)


def applied(latex: str, spans: tuple[Span, ...], start: int, end: int) -> str:
    """Return a piece of LaTeX with new text in the place of parts of it.

    >>> applied("a = b c", ((4, 5, "d"), (6, 6, "e ")), 0, 7)
    'a = d e c'
    """
    text = latex
    shift = 0
    for a, b, new in sorted(spans, key=lambda s: (s[0], s[1]), reverse=True):
        text = text[:a] + new + text[b:]
        shift += len(new) - (b - a)
    return text[start : end + shift]


def without_macros(latex: str, macros: Mapping[str, Any]) -> str:
    r"""Return LaTeX with the macros of the note written out, where it uses any.

    >>> without_macros(r"\h = W", {"h": (0, None, "h_t")})
    'h_t = W'
    """
    if not macros or not any(re.search(rf"\\{re.escape(name)}(?![A-Za-z])", latex) for name in macros):
        return latex
    text, depth = "", 0
    for token in tokens_of(latex, macros):
        letter = token.text[:1].isalpha() and re.search(r"\\[A-Za-z]+$", text)
        depth += (token.text == "{") - (token.text == "}")
        spaced = depth == 0 and token.text in SPACED
        text += f" {token.text} " if spaced else f" {token.text}" if letter else token.text
    try:
        return text if parse(text) == parse(latex, macros) else latex
    except NotationError:
        return latex


def read_again(latex: str, original: Statement, symbols: Symbols, macros: Mapping[str, Any]) -> Statement | None:
    """Return LaTeX as a statement under the conditions of another; None where it cannot be read as one."""
    try:
        tree = parse(latex, macros)
    except NotationError:
        return None
    found = statements([Read(Formula(latex, 0), tree)], symbols)
    if len(found) != 1 or unknown_in(found[0]) is not None:
        return None
    return replace(found[0], conditions=original.conditions)


class Trial:
    """Formulas put to the test in the place of a statement.

    Parameters
    ----------
    statement : Statement
    judgement : Judgement
    worlds : Worlds
    settled : Settled
    symbols : Symbols
    macros : mapping
    """

    def __init__(
        self, statement: Statement, judgement: Judgement, worlds: Worlds, settled: Settled, symbols: Symbols,
        macros: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.original, self.settled, self.symbols, self.macros = statement, settled, symbols, macros
        random = worlds.vectors if worlds.vectors and not settled.scalars else worlds.scalars or worlds.vectors
        self.given = worlds.given if judgement.given else None
        if self.given is not None and self.given.instance is not None and self.given.instance.system.scalar:
            random = worlds.scalars
        difference = judgement.difference
        free = difference is not None and difference.world.instance is None
        self.worlds = (self.given,) if self.given is not None else worlds.free if free or not random else random
        self.random, self.printed = random, worlds.printed
        readings = [*(r for r in PLAIN if r.repeats is None), *(r for key, r in CONCEDING if key == settled.layout)]
        if not settled.transposes:
            readings += [r for key, r in CONCEDING if key == "transposed-vectors"]
        self.readings = tuple(readings)
        self.tested = 0

    def read(self, latex: str) -> Statement | None:
        """Return LaTeX as a statement under the conditions of the original one; None where it cannot be read."""
        return read_again(latex, self.original, self.symbols, self.macros)

    def with_operand(self, statement: Statement, target: int, latex: str) -> Statement | None:
        """Return a statement with other LaTeX for one operand; its places no longer count."""
        try:
            tree = parse(latex, self.macros)
        except NotationError:
            return None
        if isinstance(tree, Chain | Listing):
            return None
        operand = numbered(elaborate(tree, self.symbols), 100 * target)
        if any(isinstance(part, Unknown) for part in operand.walk()):
            return None
        operands = (*statement.operands[:target], operand, *statement.operands[target + 1 :])
        return replace(statement, operands=operands)

    def outcome(self, statement: Statement) -> Outcome:
        """Return what comes of testing a statement."""
        self.tested += 1
        outcome = first_outcome(statement, self.worlds, self.readings)[0]
        if outcome.state == FALSE and self.given is not None and self.printed:
            carried = test(statement, (replace(self.given, as_written=self.printed),))
            return carried if carried.state == TRUE else outcome
        return outcome

    def refuted_at_once(self, statement: Statement) -> bool:
        """Whether a statement fails at the first step of the first instance, where it can be read in one way."""
        if any(matters(reading, statement) for reading in self.readings[1:]):
            return False
        world = self.worlds[0]
        letters = assignments(statement, world)
        return bool(letters) and at(statement, world.counting(**letters[len(letters) // 2])).state == FALSE

    def holds(self, statement: Statement) -> bool:
        """Whether a statement is true, and says something."""
        if says_nothing(statement) or self.refuted_at_once(statement):
            return False
        if self.outcome(statement).state != TRUE:
            return False
        if self.given is not None and self.random and not any(is_arithmetic(o) for o in statement.operands):
            return test(statement, self.random).state != FALSE
        return True


def is_arithmetic(e: Expr) -> bool:
    """Whether an operand is made of numbers alone."""
    parts = list(e.walk())
    return any(isinstance(p, Num) for p in parts) and not any(
        isinstance(p, Ref | Deriv | Counter | Call | Matrix) for p in parts
    )


def says_nothing(statement: Statement) -> bool:
    """Whether two neighbouring operands are the same."""
    pairs = zip(statement.operands, statement.operands[1:], strict=False)
    return any(
        skeleton(a) == skeleton(b)
        and list(map(repr, indices_of(a).values())) == list(map(repr, indices_of(b).values()))
        for a, b in pairs
    )
