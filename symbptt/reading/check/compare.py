"""Whether two neighbouring operands of a chain agree in a world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from ..meaning.expr import Bound, Deriv, Expr, Matrix, Num, Ref, Series, letters_of
from ..meaning.index import index_of
from ..notation.tree import Chain, Tree
from ..plain import NotPlainError, TooLargeError, agrees, digits_of
from ..value.evaluator import value
from ..value.quantity import Quantity, UnfitError
from ..value.world import NoStepError, NotEvaluatedError, NoValueError, World
from .statements import Statement

RTOL = 1e-7
NEAR = 0.05
"""How far apart, in proportion, two sides of an approximate relation may be that says nothing more."""
MOST_ASSIGNMENTS = 40
FALSE, TRUE, OPEN = "false", "true", "open"
RELATIONS = {"=": "=", ":=": "=", "equiv": "=", "approx": "approx", "le": "le", "ge": "ge", "<": "le", ">": "ge",
             "ll": "le", "gg": "ge", "propto": "propto", "ne": "ne"}  # fmt: skip
"""Kinds of relations that are put to the test."""


@dataclass(frozen=True)
class Difference:
    """Two operands that do not agree, and where.

    Attributes
    ----------
    place : int
        Number of the relation between them.
    left, right : ndarray or None
        Their values; None where shapes do not fit.
    shapes : str
        Where shapes do not fit: which.
    world : World
    operand : int or None
        The operand within which they do not fit; None where it is the two that do not.
    """

    place: int
    left: Any
    right: Any
    shapes: str
    world: World
    operand: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of testing a statement.

    Attributes
    ----------
    state : {"true", "false", "open"}
        ``open`` where it could not be evaluated.
    tested : int
        At how many assignments of its letters.
    difference : Difference or None
    reason : NotEvaluatedError, NoValueError or None
        Why it is open.
    worlds : int
    """

    state: str
    tested: int = 0
    difference: Difference | None = None
    reason: Exception | None = None
    worlds: int = 0
    decimal: bool = False


def test(statement: Statement, worlds: tuple[World, ...]) -> Outcome:
    """Put a statement to the test at every assignment of its letters in some worlds."""
    tested, used = 0, 0
    for world in worlds:
        outcome = _in_world(statement, world)
        if outcome.state != TRUE:
            if outcome.reason is not None and isinstance(outcome.reason, NoStepError):
                continue
            return replace(outcome, tested=tested)
        tested += outcome.tested
        used += 1
    if not tested:
        return Outcome(OPEN, reason=NotEvaluatedError("check.reason.no-step"))
    return Outcome(TRUE, tested, worlds=used)


def assignments(statement: Statement, world: World) -> list[dict[str, int]]:
    """Return values for the free letters of a statement: all steps, as far as its conditions allow."""
    letters = set().union(*(letters_of(o) for o in statement.operands))
    total = world.steps
    if total is None:
        letters -= set(world.meanings.constants)
    else:
        letters -= {"T", world.meanings.total}
    names = sorted(letters - set(world.counters))
    span = total or 6
    if len(names) > 3:
        return []
    values = product(range(1, span + 1), repeat=len(names))
    choices = [dict(zip(names, chosen, strict=True)) for chosen in values]
    kept = [c for c in choices if _allowed(statement.conditions, world.counting(**c))]
    kept = [c for c in kept if not _backward(statement, world.counting(**c))] or kept
    if len(kept) > MOST_ASSIGNMENTS:
        some = np.random.default_rng(world.seed).choice(len(kept), MOST_ASSIGNMENTS, replace=False)
        kept = [kept[i] for i in sorted(some)]
    return kept


def _backward(statement: Statement, world: World) -> bool:
    """Whether a derivative of something by what comes after it stands in a statement, for these steps alone."""
    found = [d for operand in statement.operands for d in _outside_sums(operand)]
    for derivative in found:
        of, by = derivative.of, derivative.by[0]
        if not (isinstance(of, Ref) and isinstance(by, Ref) and of.when is not None and by.when is not None):
            continue
        try:
            if not (of.when - by.when).is_number and world.at(of.when) < world.at(by.when):
                return True
        except NoValueError:
            continue
    return False


def _outside_sums(expr: Expr) -> Iterator[Deriv]:
    """Yield the derivatives that stand under no sum or product over an index."""
    if isinstance(expr, Deriv) and len(expr.by) == 1:
        yield expr
    if not isinstance(expr, Bound | Series):
        for child in expr.children:
            yield from _outside_sums(child)


def _allowed(conditions: tuple[Chain, ...], world: World) -> bool:
    return all(_condition(c, world) for c in conditions)


def _condition(chain: Chain, world: World) -> bool:
    """Whether indices are as a condition says; conditions on anything else do not choose steps."""
    indices = [index_of(o) for o in chain.operands]
    for relation, a, b in zip(chain.relations, indices, indices[1:], strict=False):
        if a is None or b is None:
            continue
        try:
            left, right = world.at(a), world.at(b)
        except NoValueError:
            continue
        holds = {"=": left == right, "le": left <= right, "ge": left >= right, "<": left < right,
                 ">": left > right, "ne": left != right}.get(relation.kind, True)  # fmt: skip
        if relation.kind == "=" and chain is not None and _is_range(chain):
            holds = True
        if not holds:
            return False
    return True


def _is_range(chain: Chain) -> bool:
    """Whether ``t = 1`` is the beginning of ``t = 1, ..., T`` (what follows stands beside it in the listing)."""
    return len(chain.operands) == 2 and index_of(chain.operands[1]) is not None


def _in_world(statement: Statement, world: World) -> Outcome:
    tested = 0
    reason: Exception | None = None
    missing: Exception | None = None
    for letters in assignments(statement, world):
        outcome = at(statement, world.counting(**letters))
        if outcome.state == FALSE:
            return outcome
        if outcome.state == OPEN:
            if isinstance(outcome.reason, NoStepError):
                missing = outcome.reason
                continue
            reason = outcome.reason
            break
        tested += 1
    if reason is not None or not tested:
        return Outcome(OPEN, tested, reason=reason or missing or NoStepError())
    return Outcome(TRUE, tested, worlds=1)


def at(statement: Statement, world: World) -> Outcome:
    """Compare the operands of a statement in one world.

    Where figures go on from rounded figures, a link between symbols alone still has to hold for the exact values.
    """
    found = _values(statement, world)
    if isinstance(found, Outcome):
        return found
    exact = _values(statement, replace(world, as_written=(), stepwise=False)) if world.stepwise else found
    return exact if isinstance(exact, Outcome) else _compared(statement, found, exact, world)


def _values(statement: Statement, world: World) -> list[Quantity | Exception] | Outcome:
    """Return the values of the operands, or that a statement is false because shapes do not fit."""
    values: list[Quantity | Exception] = []
    for operand in statement.operands:
        try:
            values.append(value(operand, world))
        except UnfitError as error:
            if all(r.kind == "approx" for r in statement.relations):
                return Outcome(OPEN, reason=NotEvaluatedError("check.reason.approximate"))
            here = len(values)
            place = max(here - 1, 0)
            return Outcome(FALSE, difference=Difference(place, None, None, error.shapes, world, here))
        except (NoValueError, NoStepError, NotEvaluatedError) as error:
            values.append(error)
        except (ValueError, OverflowError, np.linalg.LinAlgError, FloatingPointError):
            values.append(NotEvaluatedError("check.reason.too-large"))
    return values


def _has_figures(operand: Expr) -> bool:
    return any(isinstance(p, Num) and "." in p.text for p in operand.walk())


def _compared(
    statement: Statement, stepwise: list[Quantity | Exception], exact: list[Quantity | Exception], world: World
) -> Outcome:
    reason: Exception | None = None
    for place, relation in enumerate(statement.relations):
        kind = RELATIONS.get(relation.kind)
        figures = _has_figures(statement.operands[place]) or _has_figures(statement.operands[place + 1])
        values = stepwise if figures else exact
        a, b = values[place], values[place + 1]
        if isinstance(a, Exception) or isinstance(b, Exception):
            if not isinstance(reason, NoValueError):
                reason = next(v for v in (a, b) if isinstance(v, Exception))
            continue
        if kind is None:
            reason = reason or NotEvaluatedError("check.reason.mapping")
            continue
        earlier = [v for v in values[:place] if isinstance(v, Quantity)]
        verdict, shapes = related(a, b, kind, statement.operands[place + 1], earlier, world, statement.operands[place])
        if verdict is False:
            fits = shapes == ""
            return Outcome(FALSE, difference=Difference(place, a.array if fits else None, b.array if fits else None,
                                                        shapes, world))  # fmt: skip
        if verdict is None:
            finite = np.isfinite(a.array).all() and np.isfinite(b.array).all()
            reason = reason or NotEvaluatedError(f"check.reason.{'approximate' if finite else 'too-large'}")
    if reason is not None:
        return Outcome(OPEN, reason=reason)
    return Outcome(TRUE, 1)


def related(
    a: Quantity, b: Quantity, kind: str, right: Expr, earlier: list[Quantity], world: World, left: Expr
) -> tuple[bool | None, str]:
    """Whether two values are related as a sign says; None where it does not say enough; and shapes that do not fit."""
    if kind in ("=", "approx"):
        written = _agrees_with_digits(a, right, earlier, kind)
        if written is None:
            written = _agrees_with_digits(b, left, [], kind)
        if written is not None:
            return written, ""
        if _within_rounding(a, b, left, right, world) or (
            world.stepwise and _off_in_the_last_digits(a, b, left, right)
        ):
            return True, ""
    if kind == "propto":
        return _proportional(a, b), ""
    pair = _fitted(a, b, world.reading.loose)
    if pair is None and kind == "approx":
        return None, ""
    if pair is None:
        return False, f"({a.shown}) = ({b.shown})"
    x, y = pair
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None, ""
    scale = max(float(np.abs(x).max(initial=0)), float(np.abs(y).max(initial=0)))
    gap = float(np.abs(x - y).max(initial=0))
    if kind == "=":
        return gap <= RTOL * scale + 1e-12, ""
    if kind == "ne":
        return gap > RTOL * scale, ""
    if kind == "approx":
        figures = a.is_scalar and any(not any(isinstance(p, Ref) for p in side.walk()) for side in (left, right))
        near = min(NEAR, 10.0 ** (1 - _longest(left, right))) if figures else NEAR
        far = figures and gap > near * scale and world.instance is not None and bool(world.meanings.constants)
        return True if gap <= near * scale else False if far else None, ""
    slack = RTOL * scale
    ordered = (x <= y + slack).all() if kind == "le" else (x >= y - slack).all()
    return bool(ordered), ""


def _within_rounding(a: Quantity, b: Quantity, left: Expr, right: Expr, world: World) -> bool:
    """Whether two numbers differ by no more than the figures in them were rounded.

    A figure that the note gives as the value of a symbol is exact; any other with a decimal point is rounded.
    """
    if not a.is_scalar or not b.is_scalar:
        return False
    exact = {abs(float(v)) for v in world.meanings.constants.values() if not isinstance(v, list)}
    room = 0.0
    for side in (left, right):
        if not any(isinstance(p, Ref) for p in side.walk()):
            room += _room(side, exact, world)
    gap = abs(float(np.real(a.array)) - float(np.real(b.array)))
    return room > 0 and gap <= room * (1 + 1e-9)


def _off_in_the_last_digits(a: Quantity, b: Quantity, left: Expr, right: Expr) -> bool:
    """Whether figures agree with a value but for what the rounding of earlier ones leaves: ten units of the last."""
    longest = _longest(left, right)
    if longest < 3 or not a.is_scalar or not b.is_scalar:
        return False
    x, y = float(np.real(a.array)), float(np.real(b.array))
    return abs(x - y) <= 10.0 ** (1 - longest) * max(abs(x), abs(y))


def _longest(left: Expr, right: Expr) -> int:
    """Return how many digits the longest figure on two sides has; 0 where there is none."""
    texts = [p.text for side in (left, right) for p in side.walk() if isinstance(p, Num) and "." in p.text]
    return max((len(text.replace(".", "").lstrip("0")) for text in texts), default=0)


def _room(side: Expr, exact: set[float], world: World) -> float:
    """Return by how much an arithmetic expression changes when each of its rounded figures does by half a unit."""
    base = float(np.real(value(side, world).array))
    room = 0.0
    figures = [p for p in side.walk() if isinstance(p, Num) and _is_rounded(p) and abs(float(p.value)) not in exact]
    if figures == [side]:
        return 0.0
    for figure in dict.fromkeys(figures):
        half = Fraction(1, 2 * 10 ** len(figure.text.partition(".")[2]))
        larger = replace(figure, value=figure.value + half)
        changed = side.mapped(_Swap(figure, larger))
        room += abs(float(np.real(value(changed, world).array)) - base)
    return room


def _is_rounded(number: Num) -> bool:
    """Whether a figure looks rounded: one of fewer than three digits is taken to be exact."""
    return "." in number.text and len(number.text.replace(".", "").lstrip("0")) > 2


@dataclass(frozen=True)
class _Swap:
    """Puts one part of an expression in the place of another."""

    old: Expr
    new: Expr

    def __call__(self, part: Expr) -> Expr:
        return self.new if part == self.old else part


def _fitted(a: Quantity, b: Quantity, loose: bool) -> tuple[Any, Any] | None:
    """Return two arrays of one shape, or None where their axes do not fit."""
    if a.is_scalar and b.is_scalar:
        return np.real(a.array), np.real(b.array)
    for q, other in ((a, b), (b, a)):
        if q.fill and not other.is_scalar:
            pair = _filled(q, other)
            return pair if pair is None or q is a else pair[::-1]
        if q.is_scalar and not other.is_scalar:
            return (np.zeros(other.shape), np.real(other.array)) if q.array == 0 else None
    if a.shape != b.shape:
        return None
    same = (a.rows, a.columns) == (b.rows, b.columns)
    gradient = len(a.shape) == 2 and (not a.rows or not b.rows or not a.columns or not b.columns)
    if same or a.free or b.free or gradient or (loose and a.is_vector) or len(a.shape) > 2:
        return np.real(a.array), np.real(b.array)
    return None


def _filled(q: Quantity, other: Quantity) -> tuple[Any, Any] | None:
    """Return an identity, or ones, of the size of what is beside it."""
    if q.fill in ("identity", "one") and not other.is_vector:
        square = len(other.rows) == 1 and other.rows == other.columns
        return (np.real(q.array) * np.eye(other.rows[0]), np.real(other.array)) if square else None
    return np.real(q.array) * np.ones(other.shape), np.real(other.array)


def _proportional(a: Quantity, b: Quantity) -> bool | None:
    x, y = np.real(a.array).ravel(), np.real(b.array).ravel()
    if x.size != y.size or x.size == 1 or not x.any() or not y.any():
        return None
    return bool(np.linalg.norm(np.outer(x, y) - np.outer(y, x)) <= 1e-7 * np.linalg.norm(x) * np.linalg.norm(y))


def _agrees_with_digits(a: Quantity, right: Expr, earlier: list[Quantity], kind: str) -> bool | None:
    """Whether a value is a written number to the digits given; None where none is written.

    A figure may be rounded from the operand beside it, or from the unrounded value at the beginning of the chain.
    """
    if isinstance(right, Matrix) and not a.is_scalar:
        cells = [cell for row in right.rows for cell in row]
        array = np.real(a.array).ravel()
        if len(cells) != array.size:
            return None
        found = [_one_figure(float(x), cell.tree, kind) for x, cell in zip(array, cells, strict=True)]
        return None if None in found else all(found)
    if not a.is_scalar:
        return None
    found_one = _one_figure(float(np.real(a.array)), right.tree, kind)
    if found_one is False and earlier and earlier[0].is_scalar:
        return _one_figure(float(np.real(earlier[0].array)), right.tree, kind)
    return found_one


def _one_figure(number: float, tree: Tree, kind: str) -> bool | None:
    try:
        digits = digits_of(tree)
        if digits is None or not np.isfinite(number):
            return None
        whole = kind == "=" and digits.unit is not None and digits.unit >= 1
        return agrees(number, tree, exact=whole)
    except (NotPlainError, TooLargeError):
        return None
