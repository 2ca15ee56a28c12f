"""Closed forms: dL/dh_t as a sum over losses of ordered products of Jacobians, for concrete and symbolic T."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from .. import algebra as A
from ..algebra import nodes as N
from ..errors import RefusedError
from ..model import CELL, ROWS, Network, System
from .generic import Generic, generic
from .links import Link, NoLinksError, couples_within_step, links
from .tidy import as_written


def loss_index(system: System, *used: Any) -> Any:
    """Return the index of the losses in a closed form: s, or a letter that is no name of the system and not used."""
    return _fresh("sruv", system, used)


def step_index(system: System, *used: Any) -> Any:
    """Return the index of the steps in a product of Jacobians: j, or another letter."""
    return _fresh("jikp", system, used)


def _fresh(letters: str, system: System, used: tuple[Any, ...]) -> Any:
    taken = {str(x) for u in used for x in sympy.sympify(u).free_symbols} | {*system.variables, *system.parameters}
    return A.index(next((letter for letter in letters if letter not in taken), letters[0] * 2))


def one_step_jacobian(network: Network, when: Expr) -> Any:
    """Return the symbol of the one-step Jacobian ds_j/ds_{j-1}, of the joint state where there are several."""
    system = network.system
    return A.derivative(joint(system, when), joint(system, when - system.direction))


def joint(system: System, when: Expr) -> Any:
    """Return the state at a step, several states on top of each other."""
    return A.concat(*(system.at(name, when) for name in system.states))


def check_closed(network: Network) -> None:
    """Raise where there is no closed form in Jacobian matrices."""
    if network.system.layout == ROWS:
        raise RefusedError("each row of a batch has its own closed form; use layout='columns', or form='recursive'")
    reason = obstacle(network)
    if reason is not None:
        raise RefusedError(f"no closed form in Jacobian matrices: {reason}; use form='recursive'")


def obstacle(network: Network) -> str | None:
    """Return why the adjoints are no sums of products of Jacobian matrices, or None where they are."""
    if network.system.mixed:
        return "the model runs forward and backward in time"
    if any(A.rank_of(network.system.at(name)) == 2 for name in network.system.states):
        return "a state is a matrix"
    try:
        links(network)
    except NoLinksError as error:
        return str(error)
    read = _read_beside_states(network)
    return None if read is None else f"the loss reads {read}"


def _read_beside_states(network: Network) -> str | None:
    """Return the earlier state that the loss of a step reads otherwise than through the states of the step."""
    system, g = network.system, generic(network)
    for equation in system.stage(CELL):
        if g.reaches_loss_beside_states(equation.name):
            for name in system.states:
                before = system.at(name, system.previous)
                if A.depends(equation.right, before):
                    return f"{before} through {equation.left}, which is no state"
    return None


def local_joint(g: Generic, when: Expr) -> Any:
    """Return the local part of the joint state at a step: its influence on the loss of that step."""
    return A.concat(*(g.weighted(_local(g, name).xreplace({g.t: when})) for name in g.system.states))


def local_unweighted(g: Generic, when: Expr) -> Any:
    """Return dl_t/ds_t of the joint state, without the factor of l_t in L."""
    return A.concat(*(_local(g, name).xreplace({g.t: when}) for name in g.system.states))


def _local(g: Generic, name: str) -> Any:
    """Return dl_t/dv_t through no state: directly, and through variables that lie between the states and the loss."""
    here = g.system.at(name)
    terms = [g.local_of(name)] if name in g.read_by_loss else []
    for equation, lag in g.system.uses(name):
        if lag == 0 and equation.stage == CELL and g.reaches_loss_beside_states(equation.name):
            pulled = A.pullback(equation.right, _local(g, equation.name), here)
            terms.append(as_written(pulled, g.system.equations))
    return A.add(*terms) if terms else A.zero_like(here)


def closed_joint(network: Network, when: Expr, opaque: bool = False, bounds: tuple[Expr, Expr] | None = None) -> Any:
    """Return sum over s of (ds_s/ds_t)^T dl_s/ds_s, the adjoint of the state.

    With ``opaque`` the Jacobian between distant steps is one symbol, else a product of one-step Jacobians; with
    ``bounds`` the sum is over those losses only.
    """

    def between(start: Expr, end: Expr) -> Any:
        if opaque and start != end:
            return A.derivative(joint(system, end), joint(system, start))
        return span(network, start, end)

    g = generic(network)
    system = network.system
    forward = system.direction == 1
    s = loss_index(system, when)
    if system.reduction == "last":
        return A.matmul(A.transpose(between(when, system.end)), local_joint(g, system.end))
    low, high = bounds or ((when, system.steps) if forward else (S.One, when))
    if (high - low) == 0:
        return local_joint(g, when)
    body = A.matmul(A.transpose(between(when, s)), local_joint(g, s))
    return A.time_sum(body, s, low, high)


def span(network: Network, start: Expr, end: Expr) -> Any:
    """Return the ordered product of one-step Jacobians that leads from a step to a later one."""
    system = network.system
    j = step_index(system, start, end)
    if system.direction == 1:
        return A.time_product(one_step_jacobian(network, j), j, start + 1, end)
    flipped = A.transpose(one_step_jacobian(network, j))
    return A.transpose(A.time_product(flipped, j, end, start - 1))


def closed(network: Network, state: str, when: Expr) -> Any:
    """Return the closed form of dL/dh_t for one state.

    With several states it is the rows of that state in the closed form of the joint state.

    Raises
    ------
    RefusedError
        Where a state is a matrix, or the loss reads earlier states otherwise than through the state of its step.
    """
    check_closed(network)
    system = network.system
    if state not in system.states:
        raise RefusedError(f"no closed form for {system.at(state, when)}: it is no state; use form='recursive'")
    return closed_part(network, state, when)


def closed_part(network: Network, state: str, when: Expr, bounds: tuple[Expr, Expr] | None = None) -> Any:
    """Return the rows of a state in the closed form of the joint state, over all losses or those within bounds."""
    check_closed(network)
    system = network.system
    whole = closed_joint(network, when, bounds=bounds)
    if len(system.states) == 1:
        return whole
    if couples_within_step(network):
        whole = A.matmul(A.transpose(within_step(network, when)), whole)
    start = sum((A.shape_of(system.at(n))[0] for n in system.states[: system.states.index(state)]), start=S.Zero)
    return A.part(whole, start, A.shape_of(system.at(state))[0])


def within_step(network: Network, when: Expr) -> Any:
    """Return the total influence of the states of a step on each other, as a block matrix with I on its diagonal.

    The blocks are sums over the chains of same-step links; the states of a step form no cycle.
    """
    system = network.system
    same = {(k.target, k.source): k for k in links(network) if k.lag == "same"}
    rows = []
    for target in system.states:
        rows.append(sympy.Tuple(*(_influence(system, same, target, source, when) for source in system.states)))
    return N.Blocks(sympy.Tuple(*rows))


def _influence(system: System, same: dict[tuple[str, str], Link], target: str, source: str, when: Expr) -> Any:
    rows, columns = (A.shape_of(system.at(name))[0] for name in (target, source))
    if target == source:
        return A.Identity(rows)
    terms = []
    for middle in system.states:
        link = same.get((target, middle))
        if link is not None:
            before = _influence(system, same, middle, source, when)
            if not A.is_zero(before):
                terms.append(A.matmul(link.symbol.xreplace({system.t: when}), before))
    return A.add(*terms) if terms else A.zero_matrix(rows, columns)
