"""What the equations of a cell say about its structure: gates, readers of a variable, the direct path of a state."""

from __future__ import annotations

from typing import Any

import sympy

from .. import algebra as A
from ..algebra import nodes as N
from ..model import CELL, Equation, System
from .tidy import as_written

GATE = "gate"
"""The role of a gate that its cell does not name."""


def role_of(system: System, name: str) -> str | None:
    """Return what a variable is called: as its cell says, or ``gate`` where the equations make it one."""
    return system.roles.get(name) or (GATE if is_gate(system, name) else None)


def is_gate(system: System, name: str) -> bool:
    """Whether a variable lies between 0 and 1 by a sigmoid and is a factor of something, entry by entry."""
    equation = system.by_name[name]
    if equation.stage != CELL or name in system.states or not _is_sigmoid(equation.right):
        return False
    gate = system.at(name)
    return any(
        isinstance(part, N.Hadamard | N.Scale | N.Times) and any(_is_share(factor, gate) for factor in part.args)
        for reader, lag in system.uses(name)
        if lag == 0 and reader.stage == CELL
        for part in sympy.preorder_traversal(reader.right)
    )


def _is_sigmoid(expr: Any) -> bool:
    return isinstance(expr, N.Map | N.Apply) and expr.args[0] == A.named("sigmoid")


def _is_share(expr: Any, gate: Any) -> bool:
    """Whether an expression is a gate g, or 1 - g."""
    return bool(expr == gate or expr == A.subtract(1, gate))


def readers(system: System, name: str) -> list[tuple[Equation, int]]:
    """Return the cell's equations that read a variable, with 0 (same step) or 1 (the following step)."""
    found = [(equation, lag) for equation, lag in system.uses(name) if equation.stage == CELL]
    return sorted(found, key=lambda use: use[1])


def has_many_readers(system: System, name: str) -> bool:
    """Whether the influence of a state is told variable by variable, and not by one Jacobian from state to state.

    So it is where several variables beside the states read it, where one of the same step does, or where it is a
    matrix.
    """
    if A.rank_of(system.at(name)) == 2:
        return True
    beside = [lag for equation, lag in readers(system, name) if equation.name not in system.states]
    return len(beside) > 1 or 0 in beside


def is_read_once(system: System, source: Any, reader: Equation) -> bool:
    """Whether a variable reaches one of its readers on no other path within the step."""
    return not any(
        A.depends(reader.right, between.left) and _reaches(system, source, between)
        for between in system.stage(CELL)
        if between != reader
    )


def _reaches(system: System, source: Any, equation: Equation) -> bool:
    """Whether an equation depends on a variable through this step; a state of the step counts as given."""
    if A.depends(equation.right, source):
        return equation.name not in system.states
    return equation.name not in system.states and any(
        A.depends(equation.right, between.left) and _reaches(system, source, between)
        for between in system.stage(CELL)
        if between != equation
    )


def direct_jacobian(system: System, state: str) -> Any:
    """Return the Jacobian of a vector state by itself at the step before, all other variables of the step held fixed.

    None where its own equation does not read it, or where it is no vector.
    """
    before = system.at(state, system.previous_of(state))
    equation = system.by_name[state]
    if not A.is_vector(before) or not A.depends(equation.right, before):
        return None
    try:
        return as_written(A.jacobian(equation.right, before), system.equations)
    except A.NoJacobianError:
        return None


IDENTITY, GATED, CONSTANT = "identity", "gated", "constant"


def flow(system: System, state: str) -> str | None:
    """Return how a state flows directly from step to step.

    ``identity``: v_t = v_{t-1} + ...; ``gated``: v_t = g_t * v_{t-1} + ..., with gates alone in the way; ``constant``:
    v_t = a v_{t-1} + ... with a number a that is the same at every step. None where there is no such path.
    """
    if A.rank_of(system.at(state)) == 2:
        return IDENTITY if _is_carried_on(system, state) else None
    jacobian = direct_jacobian(system, state)
    if isinstance(jacobian, A.Identity):
        return IDENTITY
    if isinstance(jacobian, N.Scale) and isinstance(jacobian.args[1], A.Identity):
        timed = (isinstance(part, A.MatrixAt | A.ScalarAt) for part in sympy.preorder_traversal(jacobian.args[0]))
        return None if any(timed) else CONSTANT
    if isinstance(jacobian, N.Diag):
        inner = jacobian.args[0]
        factors = inner.args if isinstance(inner, N.Hadamard) else (inner,)
        gates = [e.left for e in system.stage(CELL) if _is_sigmoid(e.right) and A.is_vector(e.left)]
        return GATED if all(any(_is_share(factor, gate) for gate in gates) for factor in factors) else None
    return None


def _is_carried_on(system: System, state: str) -> bool:
    """Whether a matrix state is the one before it plus something that does not depend on it."""
    cotangent = A.derivative(system.L, system.at(state))
    return bool(
        A.pullback(system.by_name[state].right, cotangent, system.at(state, system.previous_of(state))) == cotangent
    )
