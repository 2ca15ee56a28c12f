"""Links between states: the Jacobian of a state by another, through the intermediate variables of one step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .. import algebra as A
from ..algebra import nodes as N
from ..model import CELL, Equation, Network, System
from .generic import NEXT, SAME
from .tidy import as_written, substitute


@dataclass(frozen=True)
class Link:
    """The influence of state ``source`` on state ``target`` through no other state.

    Attributes
    ----------
    source, target : str
    lag : {"next", "same"}
        Whether the source is at t - 1 or at t, with the target at t.
    symbol : node
        The Jacobian as a symbol.
    jacobian : node or None
        The Jacobian written out, (len target, len source); None where a path passes through a matrix.
    """

    source: str
    target: str
    lag: str
    symbol: Any
    jacobian: Any


def is_brief(jacobian: Any) -> bool:
    """Whether products of a written Jacobian can be read: it has no more than two summands."""
    return not isinstance(jacobian, N.Plus | N.MatrixPlus) or len(jacobian.args) <= 2


class NoLinksError(TypeError):
    """A path between states passes through a matrix-valued variable, so that there is no Jacobian matrix."""


def with_numbers_filled(system: System, expr: Any) -> Any:
    """Return an expression with the intermediate variables that are numbers (a mean, say) written out."""
    for equation in reversed(system.stage(CELL)):
        if equation.name not in system.states and not A.shape_of(equation.left) and A.depends(expr, equation.left):
            expr = substitute(expr, {equation.left: equation.right})
    return expr


def _path(system: System, expr: Any, source: Any) -> Any:
    """d expr / d source, through intermediate variables of the step and no state.

    Variables that are numbers (a mean, say) are filled in, so that every factor is a Jacobian matrix.
    """
    expr, terms = with_numbers_filled(system, expr), []
    if A.depends(expr, source):
        terms.append(A.jacobian(expr, source))
    for equation in system.stage(CELL):
        if equation.name in system.states or not A.depends(expr, equation.left) or equation.left == source:
            continue
        inner = _path(system, equation.right, source)
        if inner is not None:
            terms.append(A.matmul(A.jacobian(expr, equation.left), inner))
    return A.add(*terms) if terms else None


@lru_cache(maxsize=64)
def links(network: Network) -> tuple[Link, ...]:
    """Return the links between the states of a network.

    Raises
    ------
    NoLinksError
        Where a state is a matrix or a path passes through one.
    """
    system = network.system
    found = []
    several = _couples_within_step(system)
    for target in system.states:
        for source in system.states:
            for lag, when in ((NEXT, system.previous_of(source)), (SAME, system.t)):
                if lag == SAME and source == target:
                    continue
                try:
                    path = _path(system, system.by_name[target].right, system.at(source, when))
                except (A.NoJacobianError, KeyError):
                    raise NoLinksError(f"{source} reaches {target} through a matrix") from None
                if path is None:
                    continue
                mode = A.IMMEDIATE if several else A.TOTAL
                symbol = A.derivative(system.at(target), system.at(source, when), mode)
                found.append(Link(source, target, lag, symbol, as_written(path, system.equations)))
    return tuple(sorted(found, key=lambda link: (SAME, NEXT).index(link.lag)))


def _couples_within_step(system: System) -> bool:
    """Whether a state reads another state of the same step, so that immediate and total derivatives differ."""
    return any(
        _reads(system, system.by_name[target].right, system.at(source))
        for target in system.states
        for source in system.states
        if source != target
    )


def _reads(system: System, expr: Any, leaf: Any) -> bool:
    if A.depends(expr, leaf):
        return True
    return any(
        _reads(system, e.right, leaf)
        for e in system.stage(CELL)
        if e.name not in system.states and A.depends(expr, e.left)
    )


def reads_states(system: System, reader: Equation, but: str | None = None) -> bool:
    """Whether a variable reads, through no state, a state of its own step (other than ``but``)."""
    return any(_reads(system, reader.right, system.at(state)) for state in system.states if state != but)


def couples_within_step(network: Network) -> bool:
    """Whether some state reads another state of the same step."""
    return _couples_within_step(network.system)


def raw_jacobian(network: Network) -> Any:
    """Return the one-step Jacobian of the only state as the chain rule gives it, f'(z_t) not yet written in h_t."""
    system = network.system
    (name,) = system.states
    return _path(system, system.by_name[name].right, system.at(name, system.previous))
