"""What a note only supposes: "when z_t = 0, h_t = h_{t-1}"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..meaning.expr import Add, Counter, Deriv, Expr, Norm, Ref, Transpose
from ..notation.tree import Empty
from ..note import Note
from ..report import ASSUMPTION, HOLDS, UNCHECKED, message
from .compare import TRUE, test
from .definitions import number_in
from .prose import Said
from .statements import Statement
from .variants import symmetrised
from .verdicts import Judgement
from .worlds import Worlds

STRONG = re.compile(
    r"(若|如果|当|假如|假设|假定|要求|if|when|whenever|suppose|assume|assuming|provided(?: that)?|unless|as long as)"
    r"[^。.;；，,\n]{0,40}$",
    re.I,
)
"""What stands before a formula that is supposed."""
WEAK = re.compile(r"(设|令|取|即|for|where|let|with|so that|都有)[^。.;；，,\n]{0,8}$", re.I)
"""What stands before a formula that may be supposed, and may be said."""


def is_fragment(statement: Statement) -> bool:
    """Whether a side of a relation is left out, as in "values $\\\\le 1$"."""
    return any(isinstance(operand, Empty) for operand in statement.tree.operands)


def is_range(statement: Statement) -> bool:
    """Whether a statement says which steps there are: ``1 \\le t \\le T``."""
    parts = [p for o in statement.operands for p in o.walk()]
    ordered = all(r.kind in ("le", "ge", "<", ">") for r in statement.relations)
    return ordered and any(isinstance(p, Counter) for p in parts) and not any(isinstance(p, Ref) for p in parts)


def is_hypothesis(statement: Statement, note: Note) -> bool:
    """Whether the words before a formula in a line of text make it a supposition."""
    parts = [p for o in statement.operands for p in o.walk()]
    if statement.read.formula.display or not any(isinstance(p, Ref | Counter) for p in parts):
        return False
    before = note.text[max(statement.start - 80, 0) : statement.start]
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


def symmetric_in(e: Expr, other: Expr) -> str | None:
    """Return the key of W where two sides say that W is its own transpose."""
    if isinstance(e, Transpose):
        e, other = other, e
    matrix = isinstance(e, Ref) and e.when is None and isinstance(other, Transpose) and other.of == e
    return e.key if matrix and isinstance(e, Ref) else None


def is_symmetry(statement: Statement) -> bool:
    """Whether a statement says that a matrix is symmetric."""
    return len(statement.operands) == 2 and symmetric_in(*statement.operands) is not None


def _symmetric(
    note: Note, before: list[tuple[Statement, Judgement]], said: Sequence[Said], start: int
) -> dict[str, int]:
    """Return the matrices that were said to be symmetric, in formulas or in words, and the lines where that was."""
    found = {
        key: note.place(s.start)[0]
        for s, _ in before
        if is_symmetry(s) and (key := symmetric_in(*s.operands)) is not None
    }
    for one in said:
        left = one.hypothesis.left
        if one.end <= start and isinstance(left, Norm) and isinstance(left.of, Add):
            key = symmetric_in(*left.of.terms) if len(left.of.terms) == 2 else None
            if key is not None:
                found.setdefault(key, one.hypothesis.line)
    return found


def under_hypotheses(
    statement: Statement,
    judgement: Judgement,
    worlds: Worlds,
    note: Note,
    before: list[tuple[Statement, Judgement]],
    said: Sequence[Said] = (),
) -> Judgement:
    """Return a verdict on what was refuted in general, where its sentence or section supposes something.

    It is tried with what is supposed put in its place, and at symmetric matrices where they were said to be; where a
    supposition does not help, it is not decided.
    """
    symbols = any(isinstance(p, Ref) for o in statement.operands for p in o.walk())
    if judgement.given or not symbols:
        return judgement
    symmetric = _symmetric(note, before, said, statement.start)
    if symmetric and worlds.vectors:
        names = [{w.meanings.parameters[k] for k in symmetric if k in w.meanings.parameters} for w in worlds.vectors]
        moved = [symmetrised(w, n) for w, n in zip(worlds.vectors, names, strict=True)]
        if all(moved) and test(statement, tuple(w for w in moved if w is not None)).state == TRUE:
            return Judgement(HOLDS, message("check.reason.holds-assumed", lines=_listed(symmetric.values())))
    supposed = [s for s, j in before if j.verdict == ASSUMPTION and _bears_on(s, statement, note)]
    if not supposed:
        return judgement
    lines = _listed(note.place(s.start)[0] for s in supposed)
    put = tuple((s.operands[0], s.operands[-1], ()) for s in supposed if _is_equation(s))
    main = worlds.vectors or worlds.scalars
    for some in (main, worlds.scalars):
        if put and some and test(statement, tuple(replace(w, as_written=put) for w in some)).state == TRUE:
            return Judgement(HOLDS, message("check.reason.holds-assumed", lines=lines))
    return Judgement(UNCHECKED, message("check.reason.under-assumption", lines=lines))


def _listed(lines: Iterable[int]) -> str:
    return ", ".join(dict.fromkeys(str(line) for line in lines))


def _is_equation(statement: Statement) -> bool:
    return len(statement.operands) == 2 and statement.relations[0].kind in ("=", "approx", "equiv", ":=")


def _bears_on(supposed: Statement, statement: Statement, note: Note) -> bool:
    """Whether a supposition is of the same sentence, or of the same section and about what stands in the statement."""
    if _same_sentence(note, supposed, statement):
        return True
    left = supposed.operands[0]
    if supposed.end > statement.start or not isinstance(left, Deriv):
        return False
    headings = any(p.kind == "heading" and supposed.end < p.start < statement.start for p in note.passages)
    return not headings and any(part == left for o in statement.operands for part in o.walk())


def _same_sentence(note: Note, a: Statement, b: Statement) -> bool:
    between = note.text[a.end : b.start]
    return a.end <= b.start and len(between) < 200 and not re.search(r"[。；]|\.\s|\n\s*\n", between)
