"""Forward mode with numbers: influence matrices worked out step by step, and the gradients accumulated from them."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer

from .. import algebra as A
from ..errors import RefusedError
from .closed import joint, one_step_jacobian
from .induction import written
from .influence import (
    check_influence,
    forward_gradient,
    immediate,
    immediate_written,
    recurrent_parameters,
    total,
)
from .numeric import Numbers
from .run import steps_of
from .steps import Section, Step
from .tidy import substitute

COLUMNS = 6
"""An influence matrix of more columns is worked out, but not printed."""


def forward_numbers(numbers: Numbers) -> Section | None:
    """Work out ds_t/dvec(W) for t = 1..T and the gradients; None for several states, and without influence matrices.

    Parameters
    ----------
    numbers : Numbers
        After its forward pass and its backward sweep.
    """
    network, system = numbers.network, numbers.system
    try:
        check_influence(network)
    except RefusedError:
        return None
    if len(system.states) > 1:
        return None
    keys = [key for key in recurrent_parameters(network) if _columns(numbers, key) <= COLUMNS]
    steps: list[Step] = []
    for when in steps_of(system, numbers.count):
        found = _updates(numbers, keys, Integer(when))
        steps += found if when in numbers.shown() else []
    for key in keys:
        symbol = system.parameters[key]
        left = A.vec(A.derivative(system.L, symbol))
        facts = (("parameter", numbers.in_notation(symbol)),)
        steps.append(numbers.work(f"forward_numbers.{key}", "forward_numbers.gradient", left,
                                  forward_gradient(network, key), facts))  # fmt: skip
    return Section("forward_numbers", tuple(steps)) if steps else None


def _columns(numbers: Numbers, key: str) -> int:
    return int(sympy.Mul(*A.shape_of(numbers.system.parameters[key])))


def _updates(numbers: Numbers, keys: list[str], when: Integer) -> list[Step]:
    """The lines of one step: in a scalar model one for each parameter, else Jacobian and immediate influence first."""
    network, system = numbers.network, numbers.system
    first = when == system.first
    steps: list[Step] = []
    if not system.scalar and not first:
        jacobian = one_step_jacobian(network, when)
        right = written(network, one_step_jacobian(network, system.t)).xreplace({system.t: when})
        facts = (("step", int(when)), ("state", joint(system, when)))
        steps.append(
            numbers.work(f"forward_numbers.jacobian.{when}", "forward_numbers.jacobian", jacobian, right, facts)
        )
    for key in keys:
        facts = (("step", int(when)), ("parameter", numbers.in_notation(system.parameters[key])))
        rule = "forward_numbers.first" if first else "forward_numbers.update"
        name, left = f"forward_numbers.{key}.{when}", total(network, key, when)
        fresh = immediate_written(network, key).xreplace({system.t: when})
        carried = A.matmul(one_step_jacobian(network, when), total(network, key, when - system.direction))
        if first or system.scalar:
            slopes = [numbers.with_slopes(fresh, int(when))]
            if not first:
                slopes.append(numbers.with_slopes(_written_at(numbers, carried, when), int(when)))
            steps.append(numbers.work(name, rule, left, A.add(*slopes), facts))
            continue
        free = immediate(network, key, when)
        steps.append(numbers.work(f"{name}.immediate", rule, free, fresh, facts))
        steps.append(numbers.work(name, "forward_numbers.carried", left, A.add(free, carried), facts))
    return steps


def _written_at(numbers: Numbers, expr: Any, when: Integer) -> Any:
    """Write the one-step Jacobian at a step out."""
    network, system = numbers.network, numbers.system
    jacobian = written(network, one_step_jacobian(network, system.t)).xreplace({system.t: when})
    return substitute(expr, {one_step_jacobian(network, when): jacobian})
