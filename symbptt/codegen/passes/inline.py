"""Adjoints on the way, read once in the loop, go into what reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...algebra import nodes as N
from ..plan import Line
from ..program import VARYING, Program, Stretch, exchanged, leaves


def inline(program: Program) -> Program:
    """Put an adjoint that is a product of factors, and is read once, into the line that reads it.

    dL/df_t = c_{t-1} * dL/dc_t is read for the pre-activation of the gate alone; with its factors there, the loop
    needs no step of its own for it, and it can be computed for all steps at once, or when it is asked for.
    """
    return replace(program, backward=tuple(_inlined(s) if s.direction else s for s in program.backward))


def _inlined(loop: Stretch) -> Stretch:
    lines = list(loop.lines)
    for line in loop.lines:
        readers = [other for other in lines for leaf in leaves(other.expr) if leaf == line.leaf]
        if len(readers) == 1 and _is_factors(line) and _reads_by_entry(readers[0].expr, line.leaf):
            own = next(old for old in lines if old.leaf == line.leaf)
            changed = replace(readers[0], expr=exchanged(readers[0].expr, {line.leaf: own.expr}))
            lines = [changed if other is readers[0] else other for other in lines]
    return replace(loop, lines=tuple(lines))


def _is_factors(line: Line) -> bool:
    carried = line.name.startswith("carry.")
    return not carried and isinstance(line.expr, N.Hadamard) and not any(_has_product(a) for a in line.expr.args)


def _has_product(expr: Any) -> bool:
    if isinstance(expr, VARYING):
        return False
    return isinstance(expr, N.MatrixProduct) or any(_has_product(arg) for arg in expr.args)


def _reads_by_entry(expr: Any, leaf: Any) -> bool:
    """Whether an expression reads a quantity entry by entry."""
    if expr == leaf or not any(read == leaf for read in leaves(expr)):
        return True
    if not isinstance(expr, N.Hadamard | N.MatrixPlus | N.MatrixNegative):
        return False
    return all(_reads_by_entry(arg, leaf) for arg in expr.args)
