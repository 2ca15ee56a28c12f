"""The Hessian-vector product in numbers: R of every line of the forward pass and of the backward sweep, worked out."""

from __future__ import annotations

from typing import Any

from sympy import Integer

from .. import algebra as A
from .numeric import Numbers
from .run import steps_of
from .second_order import SecondOrder, second_order
from .steps import Section, Step


def curvature_section(numbers: Numbers) -> Section:
    """Work out R of every variable, of every adjoint, and of the gradient, along the given direction.

    Parameters
    ----------
    numbers : Numbers
        Whose forward pass and backward sweep were carried out.
    """
    second = second_order(numbers.network)
    steps = [*_forward(numbers, second), *_backward(numbers, second)]
    for key, symbol in numbers.system.parameters.items():
        left = A.tangent_of(A.derivative(numbers.system.L, symbol))
        facts = (("parameter", numbers.in_notation(symbol)),)
        steps.append(numbers.work(f"curvature.{key}", "curvature.product", left, second.parameter(key), facts))
    return Section("curvature", tuple(steps))


def _forward(numbers: Numbers, second: SecondOrder) -> list[Step]:
    system, shown, steps = numbers.system, numbers.shown(), []
    for state in system.states:
        start = system.at(state, system.start)
        rule = "hessian.initial"
        facts = (("variable", numbers.in_notation(start)),)
        line = numbers.work(f"curvature.{state}.0", rule, A.tangent_of(start), A.zero_like(start), facts)
        steps.append(line)
    for t in steps_of(system, numbers.count):
        moved = {system.t: Integer(t)}
        for name, expr in second.forward.items():
            if name in {e.name for e in system.equations if e.stage != "cell"} and not _counts(numbers, t):
                continue
            left = A.tangent_of(system.at(name, Integer(t)))
            line = numbers.work(f"curvature.{name}.{t}", "curvature.forward", left, expr.xreplace(moved), _step(t))
            steps += [line] if t in shown else []
    return steps


def _counts(numbers: Numbers, t: int) -> bool:
    """Whether the loss of a step counts, so that its readout was worked out."""
    return numbers.system.reduction != "last" or t == numbers.count


def _backward(numbers: Numbers, second: SecondOrder) -> list[Step]:
    g, system, shown, steps = numbers.generic, numbers.system, numbers.shown(), []
    for t in steps_of(system, numbers.count, backward=True):
        when = Integer(t)
        for name in g.adjoints:
            left = A.tangent_of(g.adjoint_of(name, when))
            edge = when in (system.last, system.end)
            right = second.adjoint(name, when) if edge else second.adjoint(name).xreplace({system.t: when})
            line = numbers.work(f"curvature.adjoint.{name}.{t}", "curvature.adjoint", left, right, _step(t))
            steps += [line] if t in shown else []
    return steps


def _step(t: int) -> tuple[tuple[str, Any], ...]:
    return (("step", t),)
