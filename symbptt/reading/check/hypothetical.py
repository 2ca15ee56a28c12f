"""What a note only supposes: "when z_t = 0, h_t = h_{t-1}"."""

from __future__ import annotations

import re

from ..meaning.expr import Counter, Deriv, Ref
from ..notation.tree import Empty
from ..note import Note
from ..report import ASSUMPTION, UNCHECKED, message
from .definitions import number_in
from .judge import Judgement
from .statements import Statement
from .worlds import Worlds

STRONG = re.compile(
    r"(若|如果|当|假如|假设|假定|要求|if|when|whenever|suppose|assume|assuming|provided(?: that)?|unless|as long as)"
    r"[^。.;；，,\n]{0,14}$",
    re.I,
)
"""What stands before a formula that is supposed."""
WEAK = re.compile(r"(设|令|取|即|for|where|let|with|so that|都有)[^。.;；，,\n]{0,8}$", re.I)
"""What stands before a formula that may be supposed, and may be said."""


def is_fragment(statement: Statement) -> bool:
    """Whether a side of a relation is left out, as in "values $\\\\le 1$"."""
    return any(isinstance(operand, Empty) for operand in statement.tree.operands)


def is_hypothesis(statement: Statement, note: Note) -> bool:
    """Whether the words before a formula in a line of text make it a supposition."""
    parts = [p for o in statement.operands for p in o.walk()]
    if statement.read.formula.display or not any(isinstance(p, Ref | Counter) for p in parts):
        return False
    before = note.text[max(statement.start - 40, 0) : statement.start]
    before = re.sub(r"(\\\\?[(\[]|\$+|:math:`)\s*$", "", before.rpartition("\n\n")[2])
    if STRONG.search(before.rstrip()):
        return True
    return bool(WEAK.search(before.rstrip())) and not any(isinstance(p, Deriv) for p in parts)


INITIAL = re.compile(r"初始|initiali[sz]|start(?:ing)? with|从零", re.I)


def is_initialisation(statement: Statement, note: Note) -> bool:
    """Whether an algorithm sets a gradient to 0 before it begins to add."""
    right = number_in(statement.operands[-1])
    zero = right == 0 or statement.source(statement.operands[-1]) in ("\\mathbf{0}", "\\mathbf 0", "\\boldsymbol{0}")
    if not zero or len(statement.operands) != 2:
        return False
    before = note.text[max(statement.start - 200, 0) : statement.start]
    return bool(INITIAL.search("\n".join(before.rsplit("\n", 6)[1:] or [before])))


def under_hypotheses(
    statement: Statement, judgement: Judgement, worlds: Worlds, note: Note, before: list[tuple[Statement, Judgement]]
) -> Judgement:
    """Return a verdict on what was refuted in general, where its sentence supposes something.

    Tried with what is supposed put in; where that cannot be done, it is not decided.
    """
    near = [s for s, j in before if j.verdict == ASSUMPTION and _same_sentence(note, s, statement)]
    symbols = any(isinstance(p, Ref) for o in statement.operands for p in o.walk())
    if not near or judgement.given or not symbols:
        return judgement
    lines = ", ".join(str(note.place(s.start)[0]) for s in near)
    return Judgement(UNCHECKED, message("check.reason.under-assumption", lines=lines))


def _same_sentence(note: Note, a: Statement, b: Statement) -> bool:
    between = note.text[a.end : b.start]
    return a.end <= b.start and len(between) < 200 and not re.search(r"[。；]|\.\s|\n\s*\n", between)
