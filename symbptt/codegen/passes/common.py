"""What a step computes several times is computed once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ..plan import Line
from ..program import Program, Stretch, exchanged, leaves, parts


def common(program: Program) -> Program:
    """Compute elementwise expressions that occur several times in the lines of a loop once, the largest first.

    In the GRU, 1 - z_t is in the adjoints of the candidate and of the gate, 1 - g_t^2 in two more.
    """
    change = _Common(program)
    return replace(
        program,
        forward=tuple(map(change.stretch, program.forward)),
        backward=tuple(map(change.stretch, program.backward)),
    )


class _Common:
    def __init__(self, program: Program) -> None:
        self.program = program

    def stretch(self, old: Stretch) -> Stretch:
        lines = list(old.lines)
        while old.direction and (best := _most_common(lines)) is not None:
            first = next(i for i, line in enumerate(lines) if best in set(parts(line.expr)))
            leaf = self.program.named("common", lines[first].name, best)
            lines = [replace(line, expr=exchanged(line.expr, {best: leaf})) for line in lines]
            lines.insert(first, Line(leaf.name, best, leaf, None, best))
        return replace(old, lines=tuple(lines))


def _most_common(lines: list[Line]) -> Any:
    counts: dict[Any, int] = {}
    for line in lines:
        for part in parts(line.expr):
            if _is_elementwise(part):
                counts[part] = counts.get(part, 0) + 1
    repeated = [part for part, count in counts.items() if count > 1]
    return max(repeated, key=lambda part: sum(1 for _ in parts(part)), default=None)


def _is_elementwise(expr: Any) -> bool:
    kinds = N.MatrixPlus | N.Hadamard | N.Map
    return isinstance(expr, kinds) and A.rank_of(expr) == 1 and any(True for _ in leaves(expr))
