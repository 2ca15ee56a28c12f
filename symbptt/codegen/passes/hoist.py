"""Out of the loops: what does not depend on the recurrence is computed before, what nothing in it reads, after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ..plan import Line
from ..program import VARYING, Program, Stretch, factors, leaves, parts, rebuilt
from .dependency import dependent, needed


def hoist(program: Program) -> Program:
    """Compute lines, and shares of sums, that depend on no other step, for all steps at once before the loop.

    Of z_t = W_h h_{t-1} + W_x x_t + b the share W_x x_t + b is one product for all steps. Shares without a product
    stay where they are: they are cheaper beside what they are added to than in a pass over memory of their own.
    """
    change = partial(_hoisted, program)
    return replace(program, forward=_each(program.forward, change), backward=_each(program.backward, change))


def stack(program: Program) -> Program:
    """Compute the factors that an adjoint is multiplied by for all steps at once before the backward loop.

    1 - h_t^2 is known for every t once the forward pass is done. Where arrays are small a call costs more than the
    numbers in it, so that one call for all steps is faster; where they are large, they are better computed in the loop,
    beside what they are multiplied by.
    """
    return replace(program, backward=_each(program.backward, partial(_hoisted, program, shares=_Factors)))


def postpone(program: Program) -> Program:
    """Compute lines that no step of their loop reads, directly or through others, for all steps at once after it."""
    return replace(program, forward=_each(program.forward, _postponed), backward=_each(program.backward, _postponed))


def _each(stretches: tuple[Stretch, ...], change: Callable[[Stretch], tuple[Stretch, ...]]) -> tuple[Stretch, ...]:
    return tuple(new for old in stretches for new in (change(old) if old.direction else (old,)) if new.lines)


def _hoisted(program: Program, loop: Stretch, shares: type[_Shares] | None = None) -> tuple[Stretch, ...]:
    varying = dependent(loop)
    before = [line for line in loop.lines if line.leaf not in varying]
    inside = []
    for line in loop.lines:
        if line.leaf in varying:
            found = (shares or _Shares)(program, line.name, varying)
            inside.append(replace(line, expr=found.cut(line.expr)))
            before += [Line(leaf.name, expr, leaf, None, expr) for expr, leaf in found.found.items()]
    return Stretch(0, tuple(before)), Stretch(loop.direction, tuple(inside))


class _Shares:
    """The largest shares of a line that do not depend on the recurrence, and have a matrix product in them."""

    joins: Any = N.MatrixPlus

    def __init__(self, program: Program, name: str, varying: set[Any]) -> None:
        self.program, self.name, self.varying = program, name, varying
        self.found: dict[Any, Any] = {}

    def cut(self, expr: Any) -> Any:
        """Return the expression with its shares replaced by their names."""
        if self._is_free(expr):
            return self._named(expr) if self.is_worth_it(expr) else expr
        if isinstance(expr, VARYING):
            return expr
        if isinstance(expr, self.joins):
            args = list(factors(expr)) if isinstance(expr, N.Hadamard) else expr.args
            free = [arg for arg in args if self._is_free(arg)]
            if any(map(self.is_worth_it, free)) or (len(free) > 1 and isinstance(expr, N.Hadamard)):
                bound = [self.cut(arg) for arg in args if not self._is_free(arg)]
                join = A.add if isinstance(expr, N.MatrixPlus) else A.hadamard
                return join(self._named(join(*free)), *bound)
        return rebuilt(expr, [self.cut(arg) for arg in expr.args])

    def _is_free(self, expr: Any) -> bool:
        return not any(leaf in self.varying for leaf in leaves(expr))

    def _named(self, expr: Any) -> Any:
        if expr not in self.found:
            self.found[expr] = self.program.named("share", self.name, expr)
        return self.found[expr]

    @staticmethod
    def is_worth_it(expr: Any) -> bool:
        """Whether it is a vector that varies over the steps, with a matrix product in it."""
        if not any(True for _ in leaves(expr)) or A.rank_of(expr) != 1:
            return False
        return any(isinstance(part, N.MatrixProduct) for part in parts(expr))


class _Factors(_Shares):
    """The factors of a line that do not depend on the recurrence."""

    joins = N.Hadamard

    @staticmethod
    def is_worth_it(expr: Any) -> bool:
        """Whether it is a vector that varies over the steps and has to be computed."""
        return bool(expr.args) and not isinstance(expr, VARYING) and _is_vector(expr)


def _is_vector(expr: Any) -> bool:
    return any(True for _ in leaves(expr)) and A.rank_of(expr) == 1


def _postponed(loop: Stretch) -> tuple[Stretch, ...]:
    kept = needed(loop)
    inside = tuple(line for line in loop.lines if line.leaf in kept)
    return Stretch(loop.direction, inside), Stretch(0, tuple(line for line in loop.lines if line.leaf not in kept))
