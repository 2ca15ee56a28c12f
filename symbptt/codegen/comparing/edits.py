"""Changes of derived equations that mistakes are made of: derivatives, transposes, steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import sympy
from sympy import Lambda, S

from ... import algebra as A
from ...algebra import nodes as N
from ...algebra.functions import FUNCTIONS, U, Y
from .equations import Backward

Slope = Callable[[Any], Any]
"""From a derivative in its place, f'(u), to what stands there by mistake."""


def slopes_in(expr: Any) -> list[Any]:
    """Return the derivatives of elementwise functions in an expression, as nodes f'(u)."""
    parts = (p for p in sympy.preorder_traversal(expr) if isinstance(p, N.Map | N.Apply))
    return list(dict.fromkeys(part for part in parts if _original(part) is not None))


@lru_cache(maxsize=1024)
def _original(slope: Any) -> Any:
    """Return f of f'(u), or None where the function is no derivative."""
    name = slope.args[0].name
    if not name.endswith("'"):
        return None
    entry = FUNCTIONS.get(name[:-1])
    return entry.function if entry is not None and entry.function.prime == slope.args[0] else slope.args[0]


def with_slopes(expr: Any, change: Slope) -> Any:
    """Return an expression with other derivatives in it."""
    return expr.xreplace({slope: found for slope in slopes_in(expr) if (found := change(slope)) is not None})


def missing(slope: Any) -> Any:
    """1 in the place of f'(u)."""
    return A.fill_like(S.One, slope) if A.shape_of(slope) else S.One


def squared(slope: Any) -> Any:
    """f'(u) f'(u)."""
    return N.HadamardPower(slope, S(2)) if A.shape_of(slope) else N.Power(slope, S(2))


def of_output(slope: Any) -> Any:
    """f'(f(u)): the derivative is taken at the output."""
    original = _original(slope)
    if original == slope.args[0]:
        return None
    return slope.func(slope.args[0], slope.func(original, slope.args[1]))


def of_input(slope: Any) -> Any:
    """The derivative as it is written in the output (1 - y^2), with the input in it: 1 - u^2."""
    entry = FUNCTIONS.get(_original(slope).name)
    if entry is None or entry.written is None or not entry.written.has(Y) or entry.written.has(U):
        return None
    rule = A.ElementwiseFunction(f"{entry.function.name} written", Lambda(U, entry.written.xreplace({Y: U})))
    return slope.func(rule, slope.args[1])


def shifted(expr: Any, by: int, which: Callable[[Any], bool]) -> Any:
    """Return an expression that reads some of its variables at a later step."""
    leaves = [p for p in _leaves(expr) if which(p)]
    return expr.xreplace({leaf: leaf.variable[leaf.when + by] for leaf in leaves})


def _leaves(expr: Any) -> Iterator[Any]:
    """Yield the variables that an expression reads, and not those that it differentiates by."""
    if isinstance(expr, A.MatrixAt | A.ScalarAt):
        yield expr
    elif not isinstance(expr, A.Gradient | A.ScalarDerivative):
        for part in expr.args:
            yield from _leaves(part)


def reads(expr: Any, which: Callable[[Any], bool]) -> bool:
    """Whether an expression reads a variable of a kind."""
    return any(which(leaf) for leaf in _leaves(expr))


def transposed_away(expr: Any, matrix: Any) -> Any:
    """Return an expression in which a matrix stands where its transpose should."""
    return expr.xreplace({p: matrix for p in sympy.preorder_traversal(expr) if p == A.transpose(matrix)})


def inlined(expr: Any, equations: Backward, change: Slope) -> Any:
    """Return an expression in adjoints, each with its parts of the same step in its place, and other slopes in them.

    Only adjoints all of whose parts are of the same step, and have slopes in them: dL/dz_t = f'(z_t) * dL/dh_t.
    """
    rule = {}
    for leaf in sympy.preorder_traversal(expr):
        if not isinstance(leaf, A.Gradient | A.ScalarDerivative) or leaf.of != equations.system.L:
            continue
        parts = equations.adjoints.get(leaf.by.name, ())
        if parts and all(p.place == "same" for p in parts) and any(slopes_in(p.expr) for p in parts):
            whole = A.add(*(with_slopes(p.expr, change) for p in parts))
            rule[leaf] = whole.xreplace({equations.system.t: leaf.by.when})
    return with_slopes(expr, change).xreplace(rule) if rule else with_slopes(expr, change)
