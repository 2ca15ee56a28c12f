"""The gradient by the recurrent weights, sorted by the distance between a use of them and a loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import S

from ... import algebra as A
from ...model import CELL, Network, System
from ..closed import joint, local_joint
from ..generic import generic
from ..numeric import Numbers
from ..steps import EQUALITY, REMARK, Line, Section, Step
from ..tidy import substitute
from .common import after, chosen, distance_index, has_jacobians, number_line, recurrent, table
from .floats import Measured, measured

BRACE_NEAR, BRACE_FAR = "brace.near", "brace.far"


def distances_section(network: Network, numbers: Numbers | None) -> Section | None:
    """Return the section on distances, or None where there is more than one state or no Jacobian matrix."""
    system = network.system
    if len(system.states) != 1 or not has_jacobians(network) or network.steps == 1:
        return None
    weights = sortable(network)
    steps = [_sorted(network, key, matrix) for key, matrix in weights.items()]
    if not steps:
        return None
    steps.append(Step("distances.remain", "distances.remain", REMARK, facts=_facts(system)))
    if numbers is not None:
        for key, matrix in weights.items():
            steps += _numbers(measured(numbers), numbers, key, matrix)
    return Section("distances", tuple(steps))


def sortable(network: Network) -> dict[str, Any]:
    """Return the recurrent weights all of whose influence passes through the state, by key."""
    g, system = generic(network), network.system
    if len(system.states) != 1:
        return {}
    beside = [e.right for e in system.stage(CELL) if g.reaches_loss_beside_states(e.name)]
    return {
        key: matrix
        for key, matrix in recurrent(network).items()
        if not any(A.depends(right, matrix) for right in beside)
    }


def _facts(system: System) -> tuple[tuple[str, Any], ...]:
    k = distance_index(system)
    product = A.derivative(joint(system, after(system, k)), joint(system, system.t))
    if system.reduction == "last":
        product = product.xreplace({system.t: system.end - k})
    return (("distance", k), ("product", product))


# -- the sum ------------------------------------------------------------------------------------------


def share_at(network: Network, key: str) -> Any:
    """Return the share of step t in dL/dp, in the adjoint of the state."""
    g = generic(network)
    return g.in_states(g.parameters[key].summand)


def term(network: Network, key: str, distance: Any) -> Any:
    """Return the influence of the use at step t on the loss that many steps later.

    With ``reduction="last"`` the loss is that of the last step, and t is the step that far before it.
    """
    g, system = generic(network), network.system
    (name,) = system.states
    end = after(system, distance)
    between = A.derivative(joint(system, end), joint(system, system.t))
    arrived = local_joint(g, end)
    if system.reduction == "last":
        arrived = local_joint(g, system.end)
        between = A.derivative(joint(system, system.end), joint(system, system.t))
    if distance != 0:
        arrived = A.matmul(A.transpose(between), arrived)
    found = substitute(share_at(network, key), {g.adjoint_of(name): arrived})
    return found.xreplace({system.t: system.end - distance}) if system.reduction == "last" else found


def at_distance(network: Network, key: str, distance: Any) -> Any:
    """Return the part of dL/dp that passes over that many steps."""
    system = network.system
    body = term(network, key, distance)
    if system.reduction == "last":
        return body
    low, high = (S.One, system.steps - distance) if system.direction == 1 else (distance + 1, system.steps)
    return A.time_sum(body, system.t, low, high)


def _sorted(network: Network, key: str, matrix: Any) -> Step:
    """dL/dW as a sum over the distance; then the terms of distance 0 apart, which hold no Jacobian product."""
    system = network.system
    k = distance_index(system)
    whole = A.time_sum(at_distance(network, key, k), k, 0, system.steps - 1)
    far = A.time_sum(at_distance(network, key, k), k, 1, system.steps - 1)
    apart = A.add(at_distance(network, key, S.Zero), far)
    lines = (Line("=", whole), Line("=", apart, (BRACE_NEAR, BRACE_FAR)))
    left = A.derivative(system.L, matrix)
    return Step(f"distances.{key}", "distances.sum", EQUALITY, left, lines, (*_facts(system), ("matrix", matrix)))


# -- numbers ------------------------------------------------------------------------------------------


def _numbers(run: Measured, numbers: Numbers, key: str, matrix: Any) -> list[Step]:
    system, rounding, network = run.system, numbers.rounding, run.network
    k = distance_index(system)
    size = A.FrobeniusNorm(A.derivative(system.L, matrix))
    facts = (("matrix", matrix), ("distance", k))
    steps = [number_line(f"distances.norm_{key}", "distances.norm", size, run.value(size), rounding, facts=facts)]
    last = system.reduction == "last"
    if not last:  # else the distance of the use at step t is T - t, and the shares of the steps say it all
        values = by_distance(run, key)
        column = A.FrobeniusNorm(at_distance(network, key, k))
        rows = chosen(run.steps - 1)
        cells = lambda expr, row: values[row]  # noqa: E731
        steps.append(table(f"distances.table_{key}", "distances.table", k, rows, [column], cells, rounding, facts))
    t = system.t
    adjoint = A.Norm(generic(network).adjoint_of(system.states[0]))
    share = A.FrobeniusNorm(share_at(network, key))
    rows = [run.steps - row for row in chosen(run.steps - 1)][::-1]
    cells = lambda expr, row: run.value(expr, {t: row})  # noqa: E731
    rule = "distances.shares_last" if last else "distances.shares"
    more = (*facts, ("step", t), ("end", system.end - t), ("adjoint", generic(network).adjoint_of(system.states[0])))
    steps.append(table(f"distances.shares_{key}", rule, t, rows, [adjoint, share], cells, rounding, more))
    return steps


def by_distance(run: Measured, key: str) -> np.ndarray[Any, Any]:
    """Return the Frobenius norm of the part of dL/dp at every distance 0..T-1."""
    system, network = run.system, run.network
    k = distance_index(system)
    body = term(network, key, k)
    found = []
    for distance in range(run.steps):
        if system.reduction == "last":
            total = run.value(body, {k: distance})
        else:
            low = 1 if system.direction == 1 else distance + 1
            steps = range(low, low + run.steps - distance)
            total = sum(run.value(body, {k: distance, system.t: t}) for t in steps)
        found.append(float(np.linalg.norm(np.ravel(total))))
    return np.array(found)


def by_step(run: Measured, key: str) -> np.ndarray[Any, Any]:
    """Return the Frobenius norm of the share of every step 1..T in dL/dp."""
    share = sympy.sympify(share_at(run.network, key))
    return np.array(
        [float(np.linalg.norm(np.ravel(run.value(share, {run.system.t: t})))) for t in range(1, run.steps + 1)]
    )
