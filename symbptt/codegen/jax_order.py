"""What of a scan depends on the recurrence: that alone is computed step by step, the rest for all steps at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from .. import algebra as A
from ..algebra import nodes as N

Reads = Callable[[Any], set[str]]
"""Expression -> the names of the arrays that its code reads."""


@dataclass(frozen=True)
class Item:
    """One assignment of a step.

    Attributes
    ----------
    name : str
        What is assigned to.
    expr : node
    shape : tuple
        Of one value.
    say : callable
        Puts the comment down, with an indentation.
    key : str
        What tells it from the others: the name, but of what is carried on.
    """

    name: str
    expr: Any
    shape: tuple[Any, ...]
    say: Callable[[int], None]
    key: str


@dataclass(frozen=True)
class Split:
    """The assignments of a scan before the loop, in it and after it, and what is carried: name -> key of its item."""

    before: list[Item]
    inside: list[Item]
    after: list[Item]
    carried: dict[str, str]


def split(items: list[Item], carried: Mapping[str, str], reads: Reads, kept: bool) -> Split:
    """Return which assignments the loop needs: those that depend on what is carried and that lead to it.

    Parameters
    ----------
    items : list of Item
        In order.
    carried : mapping
        Name of what one step leaves to the next -> key of the item that computes it.
    reads : callable
    kept : bool
        Whether what is carried is there for all steps after the loop, as states are, or only in it.
    """
    names = {item.key: reads(item.expr) for item in items}
    active = dict(carried)
    while True:
        bound = _bound(items, names, set(active))
        free = [name for name, key in active.items() if key not in bound] if kept else []
        if not free:
            break
        for name in free:
            del active[name]
    needed = set(active.values())
    if not kept:
        needed |= {item.key for item in items if names[item.key] & set(active)}
    inside: set[str] = set()
    for item in reversed(items):
        if item.key in needed and (item.key in bound or item.key in active.values()):
            inside.add(item.key)
            needed |= names[item.key]
    return Split(
        [item for item in items if item.key not in inside and item.key not in bound],
        [item for item in items if item.key in inside],
        [item for item in items if item.key not in inside and item.key in bound],
        active,
    )


def _bound(items: list[Item], names: Mapping[str, set[str]], carried: set[str]) -> set[str]:
    """Return the keys of what depends on what is carried."""
    found: set[str] = set()
    for item in items:
        if names[item.key] & (carried | found):
            found.add(item.key)
    return found


_THROUGH = (N.MatrixPlus, N.Hadamard, N.HadamardQuotient, N.MatrixNegative, N.Scale, N.Map)
"""What is looked into for products that do not depend on the recurrence."""

_GROUPED = (N.MatrixPlus, N.Hadamard)
"""What may be carried out in another order."""


class Hoisting:
    """Takes matrix products out of an expression of the loop where they do not depend on the recurrence.

    Parameters
    ----------
    name : str
        Variable whose equation it is.
    t : sympy.Symbol
    reads : callable
    bound : set of str
        The names of what depends on the recurrence.

    Attributes
    ----------
    found : dict
        Leaf -> the expression that it stands for.
    """

    def __init__(self, name: str, t: Any, reads: Reads, bound: set[str]) -> None:
        self.name, self.t, self.reads, self.bound = name, t, reads, bound
        self.found: dict[Any, Any] = {}

    def __call__(self, e: Any) -> Any:
        """Return an expression with leaves in the place of what is computed before the loop."""
        if not isinstance(e, _THROUGH):
            return e
        return self._grouped(e) if isinstance(e, _GROUPED) else e.func(*map(self._argument, e.args))

    def _argument(self, e: Any) -> Any:
        if not isinstance(e, A.Node) or A.rank_of(e) != 1:
            return e
        return self._leaf(e) if self._is_free(e) and self._is_worth(e) else self(e)

    def _grouped(self, e: Any) -> Any:
        """All summands or factors that do not depend on the recurrence, as one."""
        places = [i for i, a in enumerate(e.args) if self._is_free(a)]
        free = [e.args[i] for i in places]
        if A.rank_of(e) != 1 or not any(map(self._is_worth, free)):
            return e.func(*map(self._argument, e.args))
        first = self._leaf(free[0] if len(free) == 1 else e.func(*free))
        return e.func(
            *(first if i == places[0] else self._argument(a) for i, a in enumerate(e.args) if i not in places[1:])
        )

    def _is_free(self, e: Any) -> bool:
        return self.bound.isdisjoint(self.reads(e))

    def _is_worth(self, e: Any) -> bool:
        """Whether it has a matrix product that is another at every step."""
        return any(isinstance(part, N.MatrixProduct) for part in sympy.preorder_traversal(e)) and bool(self.reads(e))

    def _leaf(self, e: Any) -> Any:
        leaf = A.Variable(f"hoisted.{self.name}.{len(self.found)}", *A.shape_of(e))[self.t]
        self.found[leaf] = e
        return leaf
