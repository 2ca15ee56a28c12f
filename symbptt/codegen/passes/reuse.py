"""What the forward pass has computed is kept for the backward sweep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ..plan import Line
from ..program import VARYING, Program, Stretch, exchanged, leaves, parts


def reuse(program: Program) -> Program:
    """Keep what the forward pass computes on the way and the backward sweep reads again.

    Of h_t = o_t * tanh(c_t) the factor tanh(c_t) is kept: it is also the derivative by o_t, and 1 - tanh(c_t)^2 that of
    the tanh. Functions of a variable and shares with a matrix product are kept; other products and sums are cheap.
    """
    later = [line.expr for stretch in program.backward for line in stretch.lines]
    later += [line.expr for line in (*program.after, *program.inputs.values())]
    later += [part.expr for every in program.sums.values() for part in every]
    again = {part for expr in later for part in parts(expr) if _is_costly(part)}
    keeper = _Keeper(program, again)
    forward = tuple(map(keeper.stretch, program.forward))
    return replace(program.rewritten(lambda expr: exchanged(expr, keeper.kept)), forward=forward)


def _is_costly(expr: Any) -> bool:
    if not any(True for _ in leaves(expr)) or A.rank_of(expr) != 1:
        return False
    if isinstance(expr, N.Map):
        return isinstance(expr.args[1], A.MatrixAt)
    terms = expr.args if isinstance(expr, N.MatrixPlus) else (expr,)
    return any(_is_product(term) for term in terms)


def _is_product(expr: Any) -> bool:
    """Whether it is a constant matrix times a variable of the model."""
    constant = isinstance(expr, N.MatrixProduct) and not any(leaves(A.matmul(*expr.args[:-1])))
    return constant and isinstance(expr.args[-1], A.MatrixAt)


class _Keeper:
    """Takes what is read again out of the lines of the forward pass."""

    def __init__(self, program: Program, again: set[Any]) -> None:
        self.program, self.again = program, again
        self.kept: dict[Any, Any] = {}

    def stretch(self, old: Stretch) -> Stretch:
        lines: list[Line] = []
        for line in old.lines:
            if not _is_costly(line.expr):
                lines += [self._line(line, part) for part in self._found(line.expr)]
            lines.append(replace(line, expr=exchanged(line.expr, self.kept)))
        return replace(old, lines=tuple(lines))

    def _found(self, expr: Any) -> list[Any]:
        """Return the largest parts that are read again and not yet kept."""
        if expr in self.again:
            return [] if expr in self.kept else [expr]
        return [] if isinstance(expr, VARYING) else [part for arg in expr.args for part in self._found(arg)]

    def _line(self, line: Line, part: Any) -> Line:
        """Return the line of what is kept, named after the function, or after the line whose share it is."""
        name = f"{part.args[0].name}.{part.args[1].name}" if isinstance(part, N.Map) else f"linear.{line.name}"
        leaf = self.kept[part] = self.program.named("kept", name, part)
        return Line(leaf.name, part, leaf, None, part)
