"""What the sections on stability share: indices, which distances are shown, and lines with measured numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sympy import Basic, Expr, Integer, S

from ... import algebra as A
from ...algebra import nodes as N
from ...algebra.figures import Figure
from ...algebra.rounding import SPARE, Rounding, literal_like
from ...errors import RefusedError
from ...model import Network, System
from ..closed import check_closed, joint
from ..links import links
from ..steps import MEASURED, TABLE, Line, Step

FEW = 12
"""Up to so many rows are all printed."""
SMALL = 4
"""Matrices of up to so many rows are printed."""


def distance_index(system: System) -> Any:
    """Return the index of a distance in time: k, or a letter that is no name of the system."""
    sizes = {s.name for v in (*system.variables.values(), *system.parameters.values()) for s in _symbols(v)}
    taken = {*system.variables, *system.parameters, *sizes}
    return A.index(next(letter for letter in ("k", "d", "r", "kk") if letter not in taken))


def _symbols(leaf: Any) -> set[Any]:
    return {s for size in A.shape_of(leaf) for s in size.free_symbols}


def has_jacobians(network: Network) -> bool:
    """Whether the states are vectors that reach each other through Jacobian matrices."""
    try:
        check_closed(network)
    except RefusedError:
        return False
    return True


def check_jacobians(network: Network) -> None:
    """Raise where a state reaches the next one otherwise than through Jacobian matrices."""
    try:
        check_closed(network)
    except RefusedError as error:
        reason = str(error).partition(": ")[2].partition(";")[0]
        raise RefusedError(f"no Jacobian products to study: {reason}") from None


def after(system: System, distance: Any) -> Expr:
    """Return the step that many steps after t."""
    return system.t + system.direction * distance


def before_end(system: System, distance: Any) -> Expr:
    """Return the step that many steps before the last one."""
    return system.last - system.direction * distance


def back_from_end(system: System, distance: Any) -> Any:
    """Return the Jacobian of the last state by the state that many steps before it, as a symbol."""
    return A.derivative(joint(system, system.last), joint(system, before_end(system, distance)))


def distances_from(system: System, distance: Any) -> tuple[tuple[Any, tuple[Any, Any]], ...]:
    """Return the values of the distance at a step t: from 1 to what is left of the sequence."""
    left = system.steps - system.t if system.direction == 1 else system.t - 1
    return ((distance, (S.One, left)),)


def recurrent(network: Network) -> dict[str, Any]:
    """Return the square parameters that are factors of the Jacobian between two steps: the recurrent weights, by key.

    >>> from symbptt import RNN
    >>> list(recurrent(RNN("tanh", 2, 2).network))
    ['W_h']
    """
    found = {part for link in links(network) for part in _factors(link.jacobian)}
    return {
        key: symbol
        for key, symbol in network.system.parameters.items()
        if symbol in found and A.rank_of(symbol) == 2 and symbol.shape[0] == symbol.shape[1]
    }


def _factors(expr: Any) -> Iterator[Any]:
    """Yield the parameters in an expression that are in no diagonal and in no argument of a function."""
    if isinstance(expr, A.Parameter):
        yield expr
    elif not isinstance(expr, N.Diag | N.Map | N.Apply | N.Outer):
        for a in expr.args:
            yield from _factors(a)


def chosen(count: int, first: int = 0) -> list[int]:
    """Return the rows of a table: all of few, else a growing choice with both ends.

    >>> chosen(4), chosen(100, 1)
    ([0, 1, 2, 3, 4], [1, 2, 3, 5, 10, 20, 30, 50, 70, 100])
    """
    if count - first < FEW:
        return list(range(first, count + 1))
    found = [first, first + 1, 2, 3]
    unit = 1
    while unit <= count:
        found += [m * unit for m in (5, 10, 20, 30)] if unit == 1 else [m * unit for m in (5, 7, 10, 20)]
        unit *= 10
    return sorted({k for k in found if first <= k <= count} | {count})


# -- numbers ------------------------------------------------------------------------------------------


def literal(value: float, rounding: Rounding, spare: int = SPARE) -> tuple[Any, bool]:
    """Return (a number as it is printed, whether that is all of it).

    >>> literal(3.0000000000000004, Rounding()), literal(1 / 3, Rounding())
    ((3, True), (0.3333, False))
    """
    if not np.isfinite(value):
        return S.Infinity, True
    return rounding.show(Figure.parse(f"{value:.12g}"), spare=spare)


def printed(value: Any, rounding: Rounding) -> tuple[Any, bool]:
    """Return (a number or an array as it is printed, whether that is all of it)."""
    if not np.ndim(value):
        return literal(float(value), rounding)
    shown = [literal(float(v), rounding) for v in np.ravel(value)]
    literals = np.empty(len(shown), dtype=object)
    literals[:] = [one for one, _ in shown]
    return literal_like(literals.reshape(np.shape(value))), all(exact for _, exact in shown)


def number_line(
    key: str, rule: str, left: Basic, value: Any, rounding: Rounding, *more: Line, via: Sequence[Any] = (),
    facts: tuple[tuple[str, Any], ...] = (),
) -> Step:  # fmt: skip
    """Return a step ``left = via = ... = number``, and what else is said of it, such as ``< 1``."""
    shown, exact = printed(value, rounding)
    lines = (*(Line("=", expr) for expr in via), Line("=" if exact else "≈", shown), *more)
    return Step(key, rule, MEASURED, left, lines, facts)


def table(
    key: str, rule: str, index: Any, rows: Sequence[int], columns: Sequence[Any], values: Any, rounding: Rounding,
    facts: tuple[tuple[str, Any], ...] = (),
) -> Step:  # fmt: skip
    """Return a table: the index, and the value of each column's expression at it.

    Parameters
    ----------
    values : function of (expression, index)
        The number in a cell.
    """
    body = tuple(
        (Integer(row), *(literal(float(values(column, row)), rounding, spare=0)[0] for column in columns))
        for row in rows
    )
    return Step(key, rule, TABLE, facts=(*facts, ("index", index), ("columns", tuple(columns)), ("rows", body)))
