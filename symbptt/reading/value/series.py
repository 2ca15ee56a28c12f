"""Sums and products with dots: what stands between the terms that are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

from ..meaning.expr import Counter, Deriv, Entry, Expr, Mul, Num, Ref, Series
from ..meaning.index import Index

Path = tuple[Any, ...]


class OpenEndedError(Exception):
    """Dots that do not say what they stand for."""


class TooShortError(Exception):
    """A progression with fewer terms than are written before its dots."""


def _at(path: Path, *steps: Any) -> Path:
    return (*path, *steps)


def indices_of(expr: Expr, path: Path = ()) -> dict[Path, Index]:
    """Return every index in an expression, and every whole number, by its place."""
    found: dict[Path, Index] = {}
    if isinstance(expr, Ref) and expr.when is not None:
        found[_at(path, "when")] = expr.when
    elif isinstance(expr, Counter):
        found[_at(path, "whole")] = expr.index
    elif isinstance(expr, Num) and expr.value.denominator == 1 and "." not in expr.text:
        found[_at(path, "whole")] = Index((), int(expr.value))
    elif isinstance(expr, Entry):
        found.update({(*path, "places", i): p for i, p in enumerate(expr.places)})
    for i, child in enumerate(expr.children):
        found.update(indices_of(child, (*path, i)))
    return found


def skeleton(expr: Expr) -> Any:
    """Return an expression without its indices, for comparison."""
    if isinstance(expr, Counter) or (isinstance(expr, Num) and expr.value.denominator == 1 and "." not in expr.text):
        return "whole"
    own = []
    for f in fields(expr):
        value = getattr(expr, f.name)
        if f.name in ("tree", "text", "when", "index", "places", "number") or isinstance(value, Expr):
            continue
        if isinstance(value, tuple) and value and isinstance(value[0], Expr | tuple):
            continue
        own.append(value)
    return type(expr).__name__, tuple(map(str, own)), tuple(skeleton(child) for child in expr.children)


def at_places(expr: Expr, values: Mapping[Path, int], path: Path = ()) -> Expr:
    """Return an expression with whole numbers at some of its places."""
    if isinstance(expr, Ref) and (*path, "when") in values:
        return replace(expr, when=Index((), values[_at(path, "when")]))
    if isinstance(expr, Counter) and (*path, "whole") in values:
        return replace(expr, index=Index((), values[_at(path, "whole")]))
    if isinstance(expr, Num) and (*path, "whole") in values:
        return Num(Fraction(values[_at(path, "whole")]), str(values[_at(path, "whole")]), tree=expr.tree)
    if isinstance(expr, Entry):
        places = tuple(Index((), values.get((*path, "places", i), 0)) if (*path, "places", i) in values else p
                       for i, p in enumerate(expr.places))  # fmt: skip
        expr = replace(expr, places=places)
    order = iter(range(len(expr.children)))
    return expr.rebuilt(lambda child: at_places(child, values, (*path, next(order))))


def terms_of(series: Series, at: Callable[[Index], int], repeats: int | None) -> list[tuple[int, Expr]]:
    """Return every term or factor with its sign.

    Parameters
    ----------
    series : Series
    at : callable
        The value of an index.
    repeats : int, optional
        How often in all a factor stands whose copies are all alike.

    Raises
    ------
    OpenEndedError
        Where the terms that are written do not show a progression.

    Examples
    --------
    >>> ten, nine, one = (Num(Fraction(n), str(n)) for n in (10, 9, 1))
    >>> [
    ...     int(term.value)
    ...     for _, term in terms_of(Series("sum", (ten, nine), (one,), (1, 1, 1)), lambda i: i.at({}), None)
    ... ]
    [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    """
    grouped = _grouped(series)
    if grouped is not None:
        return terms_of(grouped, at, repeats)
    signs = series.signs or (1,) * (len(series.before) + len(series.after))
    before = list(zip(signs, series.before, strict=False))
    after = list(zip(signs[len(before) :], series.after, strict=True))
    (sign, last), (next_sign, first) = before[-1], after[0]
    if skeleton(last) != skeleton(first):
        return [*before, *_links(last, first, at), *after]
    if sign != next_sign:
        raise OpenEndedError
    here, there = _numbers(last, at), _numbers(first, at)
    steps = {place: there[place] - here[place] for place in here}
    distance = max((abs(d) for d in steps.values()), default=0)
    if distance == 0 and all(indices_of(last)[p] == indices_of(first)[p] for p in steps):
        if repeats is None:
            raise OpenEndedError
        alike = sum(skeleton(e) == skeleton(last) for _, e in (*before, *after))
        return [*before, *[(sign, last)] * max(repeats - alike, 0), *after]
    stride = _stride(before, here, at)
    if stride is not None:
        return _with_stride(before, after, here, steps, stride, sign)
    if any(d and abs(d) != distance for d in steps.values()):
        raise OpenEndedError
    if distance == 0:
        return [*before, *after[1:]]
    backwards = _backwards(last, first, steps)
    if backwards:
        if distance == 1 and isinstance(last, Deriv):
            return [*before[:-1], *after[1:]]  # a chain from a step to itself
        raise TooShortError
    middle = [
        (sign, at_places(last, {place: here[place] + (j if d > 0 else -j if d else 0) for place, d in steps.items()}))
        for j in range(1, distance)
    ]
    return [*before, *middle, *after]


def _backwards(last: Expr, first: Expr, steps: dict[Path, int]) -> bool:
    """Whether the terms after the dots come before those in front of them, so that there is nothing in between.

    The factors of a chain rule go from what is differentiated to what it is differentiated by. Where no derivative
    says so, and letters stand in the indices, ascending neighbours are taken for an empty product of matrices.
    """
    growing = any(d > 0 for d in steps.values())
    if isinstance(last, Deriv) and isinstance(first, Deriv) and len(last.by) == 1:
        of, by = last.of, last.by[0]
        if isinstance(of, Ref) and isinstance(by, Ref) and of.when is not None and by.when is not None:
            step = by.when - of.when
            if step.is_number and step.constant:
                return growing == (step.constant < 0)
    letters = any(index.letters for index in (*indices_of(last).values(), *indices_of(first).values()))
    return letters and growing and max(steps.values()) == 1 and not isinstance(last, Ref | Num | Counter)


def _grouped(series: Series) -> Series | None:
    """Return a product of pairs, A_1 B A_2 B ... A_n B, as one of the products of each pair."""
    if series.kind != "product" or skeleton(series.before[-1]) != skeleton(series.after[-1]):
        return None
    for period in range(2, min(len(series.after), len(series.before)) + 1):
        after = series.after[:period]
        first = len(series.before) - period
        if len(series.after) % period or list(map(skeleton, series.before[first:])) != list(map(skeleton, after)):
            continue
        before: list[Expr] = []
        while first >= 0 and list(map(skeleton, series.before[first : first + period])) == list(map(skeleton, after)):
            before.insert(0, _together(series.before[first : first + period]))
            first -= period
        rest = series.before[: first + period]
        groups = tuple(_together(series.after[i : i + period]) for i in range(0, len(series.after), period))
        return Series("product", (*rest, *before), groups, tree=series.tree)
    return None


def _together(factors: tuple[Expr, ...]) -> Expr:
    return Mul(factors, ("",) * (len(factors) - 1))


def _links(last: Expr, first: Expr, at: Callable[[Index], int]) -> list[tuple[int, Expr]]:
    """Return the links of a chain rule between a derivative by h_i and a derivative of h_j by its neighbour."""
    if not (isinstance(last, Deriv) and isinstance(first, Deriv) and len(last.by) == len(first.by) == 1):
        raise OpenEndedError
    start, goal, beyond = last.by[0], first.of, first.by[0]
    refs = [part for part in (start, goal, beyond) if isinstance(part, Ref) and part.when is not None]
    if len(refs) != 3 or len({part.key for part in refs}) != 1:
        raise OpenEndedError
    here, there, after = (at(part.when) for part in refs if part.when is not None)
    step = after - there
    if abs(step) != 1 or (there - here) * step < 0:
        raise OpenEndedError
    key = refs[0].key
    return [
        (1, replace(first, of=Ref(key, Index((), i)), by=(Ref(key, Index((), i + step)),)))
        for i in range(here, there, step)
    ]


def _numbers(expr: Expr, at: Callable[[Index], int]) -> dict[Path, int]:
    return {place: at(index) for place, index in indices_of(expr).items()}


def _stride(
    before: list[tuple[int, Expr]], here: dict[Path, int], at: Callable[[Index], int]
) -> dict[Path, int] | None:
    """Return by how much each index grows from the last but one term to the last before the dots."""
    if len(before) < 2 or skeleton(before[-2][1]) != skeleton(before[-1][1]):
        return None
    previous = _numbers(before[-2][1], at)
    found = {place: here[place] - previous[place] for place in here}
    return found if any(found.values()) else None


def _with_stride(
    before: list[tuple[int, Expr]],
    after: list[tuple[int, Expr]],
    here: dict[Path, int],
    steps: dict[Path, int],
    stride: dict[Path, int],
    sign: int,
) -> list[tuple[int, Expr]]:
    counts = {steps[p] // s if s and steps[p] % s == 0 else None for p, s in stride.items() if s or steps[p]}
    if len(counts) != 1 or None in counts:
        raise OpenEndedError
    count = counts.pop()
    assert count is not None
    if count < -1:
        raise TooShortError
    if count <= 0:  # the last term is among those before the dots
        return [*before[: len(before) - 1 + count], *after]
    last = before[-1][1]
    middle = [(sign, at_places(last, {p: here[p] + j * s for p, s in stride.items()})) for j in range(1, count)]
    return [*before, *middle, *after]
