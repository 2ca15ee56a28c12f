"""Which lines of a loop depend on the recurrence, and which ones it needs."""

from __future__ import annotations

from typing import Any

from ... import algebra as A
from ..program import Stretch, leaves


def carried(stretch: Stretch) -> set[Any]:
    """Return what a step of a loop reads from another step: states at their neighbour, and carries.

    A leaf is carried where it is read before the line that assigns it, or at another step than t.
    """
    order = {line.leaf: i for i, line in enumerate(stretch.lines)}
    variables = {_variable(leaf) for leaf in order} - {None}
    found = set()
    for i, line in enumerate(stretch.lines):
        for leaf in leaves(line.expr):
            if leaf in order:
                if order[leaf] >= i:
                    found.add(leaf)
            elif _variable(leaf) in variables:
                found.add(leaf)
    return found


def dependent(stretch: Stretch) -> set[Any]:
    """Return what depends on another step of the loop: what is carried, and all that is computed from it."""
    found = carried(stretch)
    while True:
        more = {line.leaf for line in stretch.lines if line.leaf not in found and found & set(leaves(line.expr))}
        if not more:
            return found
        found |= more


def needed(stretch: Stretch) -> set[Any]:
    """Return the leaves that the loop must assign step by step: those from which what is carried is computed.

    What reads a carry is among them: unlike a state, a carry is there for one step alone.
    """
    assigned = {line.leaf: line for line in stretch.lines}
    variables = {_variable(leaf): leaf for leaf in assigned if _variable(leaf) is not None}
    waiting = [leaf if leaf in assigned else variables[_variable(leaf)] for leaf in carried(stretch)]
    carries = carried(stretch) & set(assigned)
    waiting += [line.leaf for line in stretch.lines if carries & set(leaves(line.expr))]
    found: set[Any] = set()
    while waiting:
        leaf = waiting.pop()
        if leaf not in found:
            found.add(leaf)
            waiting += [read for read in leaves(assigned[leaf].expr) if read in assigned]
    return found


def _variable(leaf: Any) -> Any:
    return leaf.variable if isinstance(leaf, A.MatrixAt | A.ScalarAt) else None
