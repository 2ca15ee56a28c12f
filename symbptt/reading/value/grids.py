"""The value of matrices that are written out, and of cases."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np

from ..meaning.expr import (
    Cases,
    Condition,
    Matrix,
    Pick,
)
from .arrays import ARRAYS, blocks
from .quantity import (
    Quantity,
    UnfitError,
    column,
    scalar,
)
from .rules import evaluates, value
from .world import NotEvaluatedError, NoValueError, World


@evaluates(Matrix)
def _matrix(e: Matrix, w: World) -> Quantity:
    rows = [[value(cell, w) for cell in row] for row in e.rows]
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise UnfitError(" / ".join(str(len(row)) for row in rows))
    if all(q.is_scalar and not q.fill for row in rows for q in row):
        array = np.array([[q.array for q in row] for row in rows])
        if width == 1 and len(rows) > 1:
            return column(array[:, 0])
        return Quantity(array[0], (), (width,)) if len(rows) == 1 and width > 1 else (
            scalar(array[0, 0]) if array.size == 1 else column(array)
        )  # fmt: skip
    if len(rows) == 1 and all(q.rows and not q.columns for q in rows[0]):
        return ARRAYS["concat"](rows[0])
    if w.units is None and _leaves_sizes_open(rows):
        raise NotEvaluatedError("check.reason.no-meaning")
    return blocks(rows, w.units)


def _leaves_sizes_open(rows: list[list[Quantity]]) -> bool:
    """Whether a number stands among blocks, and nothing beside it says its size."""
    numbers = [[q.is_scalar for q in row] for row in rows]
    lonely = any(map(all, numbers)) or any(all(column) for column in zip(*numbers, strict=True))
    square = len(rows) == len(rows[0]) and any(q.fill for row in rows for q in row)
    return lonely and not square and not all(map(all, numbers))


@evaluates(Cases)
def _cases(e: Cases, w: World) -> Quantity:
    for result, condition in e.pieces:
        if condition is not None and not isinstance(condition, Condition):
            raise NotEvaluatedError("check.reason.cases")
        if condition is None or _holds(condition, w):
            return value(result, w)
    raise NotEvaluatedError("check.reason.cases")


@evaluates(Pick)
def _pick(e: Pick, w: World) -> Quantity:
    whole, chosen = value(e.of, w), value(e.chosen, w)
    if whole.shape != chosen.shape:
        raise NoValueError("class")
    return scalar((whole.array * chosen.array).sum())


def _holds(condition: Condition, w: World) -> bool:
    values = [value(operand, w) for operand in condition.operands]
    if any(not q.is_scalar for q in values) or not set(condition.relations) <= set(_RELATIONS):
        raise NotEvaluatedError("check.reason.cases")
    numbers = [float(np.real(q.array)) for q in values]
    pairs = zip(condition.relations, numbers, numbers[1:], strict=False)
    return all(_RELATIONS[relation](a, b) for relation, a, b in pairs)


_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "le": operator.le, ">": operator.gt, "ge": operator.ge, "=": operator.eq, "ne": operator.ne,
}  # fmt: skip
