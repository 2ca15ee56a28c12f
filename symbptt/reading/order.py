"""The order in which the equations of a step are computed, and what comes out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .meaning.expr import Expr, Ref
from .statements import Equation


def lag_of(part: Expr) -> int | None:
    """Return how far from t a variable is read; None for what is no variable, or is read at one step alone."""
    if not isinstance(part, Ref) or part.when is None or part.when.is_number:
        return None
    return part.when.constant


def in_order(equations: Sequence[Equation]) -> list[Equation]:
    """Return the equations in an order in which they can be computed, otherwise as they were written."""
    seen: dict[str, Equation] = {}
    for e in equations:
        if e.key in seen:
            if seen[e.key].right == e.right:
                continue
            e.source.fail(e.left, f"a second equation for '{e.source.piece(e.left)}'; keep one")
        seen[e.key] = e
    left, ordered = list(seen.values()), list[Equation]()
    while left:
        placed = {e.key for e in ordered}
        ready = next((e for e in left if all(k in placed or k not in seen for k in same_step(e))), None)
        if ready is None:
            e = left[0]
            names = " and ".join(repr(x.key) for x in left)
            e.source.fail(e.left, f"the equations of {names} need each other within a step; read one of them at t-1")
        left.remove(ready)
        ordered.append(ready)
    return ordered


def same_step(e: Equation) -> set[str]:
    return {p.key for p in e.right.walk() if isinstance(p, Ref) and lag_of(p) == 0}


def output_of(equations: Sequence[Equation], states: Mapping[str, Any]) -> str:
    """Return what no equation of the step reads and is no state; without such a variable h, or the last state."""
    read = {key for e in equations for key in same_step(e)}
    ends = [e.key for e in equations if e.key not in read]
    beyond = [key for key in ends if key not in states]
    return beyond[-1] if beyond else "h" if "h" in states else ends[-1]
