"""Lines with numbers in them put to the test: every stage evaluated anew from what is printed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..algebra.figure_domain import FigureDomain
from ..algebra.figures import Figure, entries
from ..algebra.leaves import Fill, Literal, LiteralMatrix
from ..algebra.rounding import CARRY, Rounding, literals_of
from ..errors import ValueInputError
from .number_trees import Number, Operation, Tree, one_pass, read, value_of, written_out
from .stages import Stage
from .worked import Sizes, Values, Worked


def check(worked: Worked, values: Values | None = None, sizes: Sizes | None = None) -> bool:
    """Whether every stage follows from the printed numbers of the one before; see :func:`first_bad`.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from symbptt.algebra import Variable, apply
    >>> from symbptt.derive.worked import work_out
    >>> h = Variable("h")
    >>> line = work_out(apply("tanh", h[1] * h[2]), {h[1]: 0.3, h[2]: 0.7})
    >>> [(stage.relation, stage.expr) for stage in line.stages]
    [('=', tanh(0.3*0.7)), ('=', tanh(0.21)), ('≈', 0.2070)]
    >>> check(line), check(replace(line, stages=(*line.stages[:2], Stage("≈", Literal("0.2071")))))
    (True, False)
    """
    return first_bad(worked, values, sizes) is None


def first_bad(worked: Worked, values: Values | None = None, sizes: Sizes | None = None) -> int | None:
    """Return the place of the first stage that does not follow, or None where all do.

    Every stage is evaluated anew from what is printed. Given the values, the numbers substituted are compared with
    them, and with ``mode="carry"`` the result with the true one.

    Parameters
    ----------
    worked : Worked
    values, sizes : mapping, optional
        As in :func:`~symbptt.derive.worked.work_out`.
    """
    numeric = [i for i, stage in enumerate(worked.stages) if not stage.symbolic]
    first, last = numeric[0], numeric[-1]
    given = None if values is None else FigureDomain(values, sizes or {})
    if given is not None and first != last and not _starts_well(worked, first, given):
        return first
    for i, j in pairwise(numeric):
        if not _follows(worked.stages[i].expr, worked.stages[j], FigureDomain({}, sizes or {}), worked.rounding):
            return j
    if given is not None and (worked.rounding.mode == CARRY or first == last) and not _ends_well(worked, given):
        return last
    return None


def _follows(before: Any, stage: Stage, domain: FigureDomain, rounding: Rounding) -> bool:
    """Whether a stage is what some passes make of the one before, to the digits printed."""
    now, then = read(before, domain), read(stage.expr, domain)
    while isinstance(now, Operation):
        try:
            now = one_pass(now)
        except ValueInputError:
            return False
        if _matches(now, then, stage.expr, rounding, stage.relation == "="):
            return True
    return False


def _matches(tree: Tree, printed: Tree, expr: Any, rounding: Rounding, exactly: bool) -> bool:
    if isinstance(tree, Operation) and tree.node is Fill and isinstance(tree.parts[0], Number):
        tree = Number(value_of(tree))  # a number spread over an array is written as the number
    if isinstance(tree, Number) and isinstance(printed, Number):
        return _is_shown_as(tree.value, expr, rounding, exactly)
    if not isinstance(tree, Operation) or not isinstance(printed, Operation) or tree.node != printed.node:
        return False
    if len(tree.parts) != len(printed.parts):
        return False
    return all(
        _matches(a, b, e, rounding, exactly) if isinstance(a, Number | Operation) else a == b
        for a, b, e in zip(tree.parts, printed.parts, expr.args, strict=True)
    )


def _is_shown_as(value: Any, expr: Any, rounding: Rounding, exactly: bool) -> bool:
    if isinstance(expr, Fill):
        return all(_is_shown_as(entry, expr.value, rounding, exactly) for entry in entries(value))
    if not isinstance(expr, Literal | LiteralMatrix):
        return bool(Figure.parse(expr) == value)
    literals = literals_of(expr)
    if np.shape(literals) != np.shape(value):
        return False
    pairs = zip(entries(value), entries(literals), strict=True)
    return all(v.exact and v.number == t.value if exactly else rounding.agrees(v, t) for v, t in pairs)


def _starts_well(worked: Worked, place: int, domain: FigureDomain) -> bool:
    """Whether the numbers of the first numeric stage are the values given."""
    stage = worked.stages[place]
    tree = read(written_out(worked.formula, domain), domain)
    return _matches(tree, read(stage.expr, domain), stage.expr, worked.rounding, stage.relation == "=")


def _ends_well(worked: Worked, domain: FigureDomain) -> bool:
    truth = value_of(read(written_out(worked.formula, domain), domain))
    return _is_shown_as(truth, worked.result, worked.rounding, False)
