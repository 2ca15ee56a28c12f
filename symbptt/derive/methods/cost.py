"""What both methods cost: they are carried out on numbers that count their multiplications.

The derivatives of single steps, ds_{t+1}/ds_t and dl_t/ds_t, are the same for all methods and are not counted; what is
counted are the scalar multiplications of putting them together to dL/ds_t at every step t.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import sympy
from sympy import Expr, Integer, Poly

from ... import algebra as A
from ...algebra.leaves import Literal
from ...model import Network
from ..closed import joint

Array: TypeAlias = Any

# -- the methods --------------------------------------------------------------------------------------


def by_independent_chains(links: Sequence[Array], locals_: Sequence[Array], losses: Sequence[int]) -> list[Array]:
    """Return dL/ds_t for every step, each chain multiplied out by itself, from its loss back to its state.

    Parameters
    ----------
    links : sequence of array
        ``links[k]`` is the Jacobian that leads from the state of step k to that of step k + 1, (n, n); steps count
        from 0 in the order of computation.
    locals_ : sequence of array
        ``locals_[k]`` is the gradient of the loss of step k by its state, (n,).
    losses : sequence of int
        The steps whose losses count.
    """
    sums: list[Array] = []
    for t in range(len(locals_)):
        total = None
        for s in losses:
            if s >= t:
                share = locals_[s]
                for k in range(s - 1, t - 1, -1):
                    share = links[k].T @ share
                total = share if total is None else total + share
        sums.append(total)
    return sums


def by_shared_chains(links: Sequence[Array], locals_: Sequence[Array], losses: Sequence[int]) -> list[Array]:
    """Return the same, each chain made from the one that ends a step later: one link for each pair.

    Parameters
    ----------
    links, locals_, losses
        As in :func:`by_independent_chains`.
    """
    sums: list[Array] = [None] * len(locals_)
    for s in losses:
        share = locals_[s]
        for t in range(s, -1, -1):
            share = share if t == s else links[t].T @ share
            sums[t] = share if sums[t] is None else sums[t] + share
    return sums


def by_recursion(links: Sequence[Array], locals_: Sequence[Array], losses: Sequence[int]) -> list[Array]:
    """Return the same by the recursion: the shares are added first, and one link carries their sum.

    Parameters
    ----------
    links, locals_, losses
        As in :func:`by_independent_chains`.
    """
    sums: list[Array] = [None] * len(locals_)
    for t in range(max(losses), -1, -1):
        parts = [locals_[t]] if t in losses else []
        parts += [links[t].T @ sums[t + 1]] if t < max(losses) else []
        sums[t] = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    return sums


METHODS: dict[str, Callable[..., list[Array]]] = {
    "independent": by_independent_chains,
    "shared": by_shared_chains,
    "recursion": by_recursion,
}
"""Key -> the method, from the dearest to the cheapest."""


# -- counting -----------------------------------------------------------------------------------------


class Tally:
    """How many multiplications were carried out so far."""

    def __init__(self) -> None:
        self.multiplications = 0


class Counted:
    """A number that counts the multiplications it takes part in."""

    __slots__ = ("tally", "value")

    def __init__(self, value: int, tally: Tally) -> None:
        self.value, self.tally = value, tally

    def __mul__(self, other: Counted) -> Counted:
        self.tally.multiplications += 1
        return Counted(self.value * other.value, self.tally)

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.value + other.value, self.tally)


def carried_out(method: str, steps: int, size: int, last: bool) -> int:
    """Return how many multiplications a method needs.

    Parameters
    ----------
    method : str
        A key of ``METHODS``.
    steps, size : int
        T, and the length of the (joint) state.
    last : bool
        Whether only the last loss counts.

    Examples
    --------
    >>> [carried_out(method, 10, 1, False) for method in METHODS]
    [165, 45, 9]
    """
    tally = Tally()
    links = [_counted((size, size), k, tally) for k in range(steps - 1)]
    locals_ = [_counted((size,), k, tally) for k in range(steps)]
    METHODS[method](links, locals_, [steps - 1] if last else range(steps))
    return tally.multiplications


def _counted(shape: tuple[int, ...], seed: int, tally: Tally) -> Array:
    """Return an array of small whole numbers that count; which numbers they are changes no count."""
    array = np.empty(math.prod(shape), dtype=object)
    array[:] = [Counted((seed + k) % 3 - 1, tally) for k in range(array.size)]
    return array.reshape(shape)


# -- what is reported ---------------------------------------------------------------------------------

MOST = 300_000
"""No method is carried out that would need more multiplications."""
LARGEST = 4
"""Of a longer state only the products of a Jacobian with a vector are counted."""
FITTED = 3
"""The exponent is fitted to the counts for so many of the largest T."""
SMALL = 6
"""The formula is fitted to the counts for T = 1 ... 6, and must reproduce all others."""


@dataclass(frozen=True)
class Cost:
    """What one method needs.

    Attributes
    ----------
    method : str
        A key of ``METHODS``.
    formula : node or None
        The polynomial in T through all counts; None where there is none.
    counts : tuple of int
        For each T of the table.
    exponent : Literal
        The slope of the straight line, by least squares, of log count over log T for the largest T.
    """

    method: str
    formula: Any
    counts: tuple[int, ...]
    exponent: Literal

    def at(self, steps: int) -> int:
        """Return the count for another T, by the formula."""
        return int(self.formula.xreplace({s: Integer(steps) for s in self.formula.free_symbols}).doit())


@dataclass(frozen=True)
class Costs:
    """What all methods need.

    Attributes
    ----------
    lengths : tuple of int
        The numbers of steps T, ascending.
    size : int
        The length of the joint state; 1 also where products of a Jacobian with a vector are counted.
    whole : bool
        Whether scalar multiplications are counted, and not products of a Jacobian with a vector.
    later : int or None
        T where no method was carried out for it, because it is large.
    rows : tuple of Cost
    """

    lengths: tuple[int, ...]
    size: int
    whole: bool
    later: int | None
    rows: tuple[Cost, ...]


def costs(network: Network) -> Costs:
    """Return what both methods need for a network, for its T (10 where T is a symbol) and others beside it."""
    system = network.system
    length = A.shape_of(joint(system, system.t))
    size = length[0] if length else Integer(1)
    whole = bool(size.is_Integer and size <= LARGEST)
    counted = int(size) if whole else 1
    lengths = lengths_for(int(system.steps) if system.steps.is_Integer else 10, counted)
    last = system.reduction == "last"
    rows = tuple(_cost(method, lengths, counted, last, system.steps) for method in METHODS)
    steps = int(system.steps) if system.steps.is_Integer else None
    return Costs(lengths, counted, whole, None if steps in lengths else steps, rows)


def lengths_for(steps: int, size: int) -> tuple[int, ...]:
    """Return the numbers of steps of the table: T, twice, four times and eight times as much; less where that is long.

    >>> lengths_for(10, 1), lengths_for(3, 1), lengths_for(1000, 1)
    ((10, 20, 40, 80), (3, 20, 40, 80), (15, 31, 62))
    """
    doubled = [steps, *(max(steps, 10) * 2**k for k in range(1, 4))]
    halved = [steps // 2**k for k in range(1, 20)]
    longest = round((6 * MOST / size**2) ** (1 / 3))
    fitting = sorted({t for t in (*doubled, *halved) if 0 < t <= longest})
    wanted = [t for t in fitting if t >= steps]
    return tuple(wanted if len(wanted) >= FITTED else fitting[-FITTED:])


def _cost(method: str, lengths: tuple[int, ...], size: int, last: bool, steps: Expr) -> Cost:
    counts = {t: _count(method, t, size, last) for t in (*range(1, SMALL + 1), *lengths)}
    fitted = polynomial(counts)
    T = steps if isinstance(steps, sympy.Symbol) else A.size("T")
    formula = None if fitted is None else as_node(fitted, T)
    exponent = Literal(f"{slope({t: counts[t] for t in lengths}):.2f}")
    return Cost(method, formula, tuple(counts[t] for t in lengths), exponent)


_count = lru_cache(maxsize=512)(carried_out)

_X = sympy.Symbol("x")


def polynomial(counts: dict[int, int]) -> Poly | None:
    """Return the polynomial of least degree through the counts for the smallest T, if it goes through all others.

    >>> polynomial({t: t * (t - 1) // 2 for t in (1, 2, 3, 4, 20)})
    Poly(1/2*x**2 - 1/2*x, x, domain='QQ')
    >>> polynomial({1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32}) is None
    True
    """
    places = sorted(counts)
    for degree in range(4):
        known = [(t, counts[t]) for t in places[: degree + 1]]
        fitted = Poly(sympy.interpolate(known, _X), _X, domain="QQ")
        if all(fitted.eval(t) == counts[t] for t in places):
            return fitted
    return None


def as_node(polynomial: Poly, T: Expr) -> Any:
    """Return a polynomial as a formula in T, highest power first, over a common denominator.

    >>> as_node(Poly(_X**3 / 6 - _X / 6, _X), A.size("T"))
    (T**3 - T)/6
    """
    denominator, whole = polynomial.clear_denoms()
    terms = []
    for (power,), coefficient in whole.terms():
        term = A.product(Integer(abs(coefficient)), A.power(T, Integer(power))) if power else Integer(abs(coefficient))
        terms.append(A.negate(term) if coefficient < 0 else term)
    return A.divide(A.add(*terms), Integer(denominator)) if denominator != 1 else A.add(*terms)


def slope(counts: dict[int, int]) -> float:
    """Return the exponent: the slope of log count over log T, by least squares, for the largest T with a count.

    >>> round(slope({10: 1000, 20: 8000, 40: 64000}), 12)
    3.0
    """
    known = [(math.log(t), math.log(n)) for t, n in sorted(counts.items()) if n][-FITTED:]
    x, y = (np.array(column) for column in zip(*known, strict=True))
    deviation = x - x.mean()
    return float(deviation @ y / (deviation @ deviation))
