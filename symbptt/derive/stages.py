"""The stages between a formula with numbers in it and its result, and what is printed in each.

The promise: whoever evaluates the printed numbers of a stage gets the printed numbers of the next one, to the last
digit. Each stage is therefore computed from the *printed* numbers of the stage before; with ``rounding="carry"``
operands get guard digits until the result so computed is the correctly rounded true one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from ..algebra.figures import Figure, each, entries
from ..algebra.leaves import Literal
from ..algebra.number_text import FRACTION
from ..algebra.present import present
from ..algebra.rounding import SPARE, Rounding, literal_like
from ..errors import ValueInputError
from .number_trees import Number, Operation, Tree, numbers_in, one_pass, printed, value_of

MOST_STAGES = 3
"""How many stages there are at most between the substitution and the result."""
_GUARDS = range(2, 31)
_Show: TypeAlias = Callable[[Figure], tuple[Literal, bool]]


@dataclass(frozen=True)
class Stage:
    """One link of the chain.

    Attributes
    ----------
    relation : {"=", "≈"}
        How it follows from what is printed before it.
    expr : node
        What is printed: the operations of the formula on literals.
    symbolic : bool
        Whether it is a sum over time written out, still in symbols.
    """

    relation: str
    expr: Any
    symbolic: bool = False


# -- printing numbers ---------------------------------------------------------------------------------


def _settled(tree: Tree, show: _Show) -> tuple[Tree, bool]:
    """Print all numbers that are not printed yet; return (the tree of printed numbers, whether all are exact)."""
    if isinstance(tree, Operation):
        exact = []

        def settle(operand: Tree) -> Tree:
            settled, whole = _settled(operand, show)
            exact.append(whole)
            return settled

        return tree.with_operands(settle), all(exact)
    if tree.shown is not None:
        return tree, True
    shown = [show(figure) for figure in entries(tree.value)]
    literals = _shaped([literal for literal, _ in shown], tree.value)
    return Number(each(_as_printed, literals, tree.value), literal_like(literals)), all(exact for _, exact in shown)


def _shaped(values: list[Any], like: Any) -> Any:
    """Return one value, or an array of them in the shape of another."""
    if not isinstance(like, np.ndarray):
        return values[0]
    array = np.empty(like.size, dtype=object)
    array[:] = values
    return array.reshape(like.shape)


def _as_printed(literal: Literal, figure: Figure) -> Figure:
    """Return a printed number as an exact figure."""
    return figure if figure.exact and figure.number == literal.value else Figure.parse(literal)


def _plan(tree: Tree) -> list[int]:
    """Return how many passes lie between the stages that are printed."""
    count = 0
    while isinstance(tree, Operation):
        tree, count = one_pass(tree), count + 1
    most = MOST_STAGES + 1
    marks = range(count + 1) if count <= most else [round(i * count / most) for i in range(most + 1)]
    return [after - before for before, after in pairwise(marks)]


@dataclass(frozen=True)
class WorkedLine:
    """Stages, the value to go on with, and the tree whose numbers are in them."""

    stages: tuple[Stage, ...]
    value: Any
    start: Tree


def _stages(tree: Tree, show: _Show) -> tuple[list[Stage], Any]:
    """Return the stages before the result, and the result as it follows from the last of them."""
    now, exact = _settled(tree, show)
    stages = [Stage("=" if exact else "≈", printed(now))]
    *partial, last = _plan(now)
    for passes in partial:
        following = now
        for _ in range(passes):
            following = one_pass(following)
        if isinstance(following, Number):
            return stages, following.value
        now, exact = _settled(following, show)
        _append(stages, Stage("=" if exact else "≈", printed(now)))
    for _ in range(last):
        now = one_pass(now)
    return stages, value_of(now)


def _append(stages: list[Stage], stage: Stage) -> None:
    """Append a stage, or put it in the place of one that reads the same."""
    if stages and present(stages[-1].expr) == present(stage.expr):
        before = stages.pop().relation
        stage = replace(stage, relation=before if stage.relation == "=" else stage.relation)
    stages.append(stage)


# -- the two ways of rounding -------------------------------------------------------------------------


def stepped(tree: Tree, rounding: Rounding) -> WorkedLine:
    """Each number goes on as it is printed."""
    start, _ = _settled(tree, rounding.show)
    truth = value_of(tree)
    try:
        stages, reached = ([], truth) if isinstance(tree, Number) else _stages(tree, rounding.show)
    except ValueInputError as error:
        raise ValueInputError(
            f"{error} with {rounding.digits} digits printed: give more, or rounding 'carry'"
        ) from None
    now, exact = _settled(Number(reached), rounding.show)
    _append(stages, Stage("=" if exact else "≈", printed(now)))
    return WorkedLine(tuple(stages), value_of(now), start)


def carried(tree: Tree, rounding: Rounding) -> WorkedLine:
    """Operands get guard digits until the printed result is the true one, correctly rounded."""
    truth = value_of(tree)
    if isinstance(tree, Number):
        now, exact = _settled(Number(truth), rounding.show)
        return WorkedLine((Stage("=" if exact else "≈", printed(now)),), truth, tree)
    for show in _shows(tree, rounding):
        stages = _reaching(tree, truth, rounding, show)
        if stages is not None:
            return WorkedLine(stages, truth, tree)
    return carried(Number(truth), rounding)


def _shows(tree: Tree, rounding: Rounding) -> Iterator[_Show]:
    """Yield ways of printing operands: more and more guard digits, then fractions for what has no end as a decimal."""
    whole = all(rounding.show(figure)[1] for number in numbers_in(tree) for figure in entries(number.value))
    spare = SPARE if whole else 0
    for guard in _GUARDS:
        yield partial(rounding.show, digits=rounding.digits + guard, spare=spare)
    for guard in (_GUARDS[0], _GUARDS[-1]):
        yield partial(_show_fraction, rounding, rounding.digits + guard)


def _show_fraction(rounding: Rounding, digits: int, figure: Figure) -> tuple[Literal, bool]:
    return rounding.show(_as_fraction(figure), digits)


def _as_fraction(figure: Figure) -> Figure:
    if not figure.exact or Rounding(20).show(figure)[1]:
        return figure
    return Figure(figure.number, FRACTION)


def _reaching(tree: Tree, truth: Any, rounding: Rounding, show: _Show) -> tuple[Stage, ...] | None:
    """Return the stages, if what is printed in them leads to the true result."""
    try:
        stages, seen = _stages(tree, show)
    except ValueInputError:  # a quotient by what is zero to so few digits
        return None
    shown = [_result(*pair, rounding) for pair in zip(entries(truth), entries(seen), strict=True)]
    pairs = [pair for pair in shown if pair is not None]
    if len(pairs) < len(shown):
        return None
    literals = _shaped([literal for literal, _ in pairs], truth)
    _append(stages, Stage("=" if all(exact for _, exact in pairs) else "≈", literal_like(literals)))
    return tuple(stages)


def _result(true: Figure, seen: Figure, rounding: Rounding) -> tuple[Literal, bool] | None:
    """Return (the true result as it is printed, whether it is exact), or None where the printed numbers miss it."""
    literal, exact = rounding.show(true)
    if exact and seen.rational != literal.value:
        literal, exact = rounding.rounded(true), False
    return (literal, exact) if rounding.agrees(seen, literal) else None
