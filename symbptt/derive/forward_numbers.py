"""Forward mode with numbers: influence matrices worked out step by step, and the gradients accumulated from them."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer

from .. import algebra as A
from ..errors import RefusedError
from .closed import joint
from .influence import check_influence, forward_gradient, recurrent_parameters, recursive_written, total
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
        for key in keys:
            step = _update(numbers, key, Integer(when))
            steps += [step] if when in numbers.shown() else []
    for key in keys:
        symbol = system.parameters[key]
        left = A.vec(A.derivative(system.L, symbol))
        facts = (("parameter", numbers.in_notation(symbol)),)
        steps.append(numbers.work(f"forward_numbers.{key}", "forward_numbers.gradient", left,
                                  forward_gradient(network, key), facts))  # fmt: skip
    return Section("forward_numbers", tuple(steps)) if steps else None


def _columns(numbers: Numbers, key: str) -> int:
    return int(sympy.Mul(*A.shape_of(numbers.system.parameters[key])))


def _update(numbers: Numbers, key: str, when: Integer) -> Step:
    """The line for one step; at the first one, the influence on the initial state is 0."""
    network, system = numbers.network, numbers.system
    left, symbol = total(network, key, when), system.parameters[key]
    right: Any = recursive_written(network, key).xreplace({system.t: when})
    before = total(network, key, when - system.direction)
    if when == system.first:
        right = substitute(right, {before: A.no_influence(joint(system, when), symbol)})
    facts = (("step", int(when)), ("parameter", numbers.in_notation(symbol)))
    rule = "forward_numbers.first" if when == system.first else "forward_numbers.update"
    return numbers.work(f"forward_numbers.{key}.{when}", rule, left, numbers._with_slopes(right, int(when)), facts)
