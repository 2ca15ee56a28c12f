"""Products of one-step Jacobians: how a state depends on one k steps before it."""

from __future__ import annotations

import sympy
from sympy import Integer, S

from ... import algebra as A
from ...model import Network, System
from ..closed import joint, one_step_jacobian, span, step_index
from ..forms import joint_written
from ..links import is_brief, links
from ..numeric import Numbers
from ..sections.common import chain
from ..steps import EQUALITY, Line, Section, Step
from .common import (
    SMALL,
    after,
    back_from_end,
    before_end,
    chosen,
    distance_index,
    distances_from,
    has_jacobians,
    number_line,
    table,
)
from .floats import Measured, measured


def products_section(network: Network, numbers: Numbers | None) -> Section | None:
    """Return the section on Jacobian products, or None where there are no Jacobian matrices."""
    if not has_jacobians(network) or network.steps == 1:
        return None
    steps = [_one_step(network), _several_steps(network)]
    if numbers is not None:
        steps += _numbers(measured(numbers), numbers)
    return Section("products", tuple(steps))


def _one_step(network: Network) -> Step:
    system = network.system
    left = one_step_jacobian(network, system.t)
    single = len(system.states) == 1
    right = links(network)[0].jacobian if single else joint_written(network, system.t)
    rule = "products.step" if single else "closed.joint"
    where = (S.One, system.steps) if system.direction == 1 else (S.One, system.steps - 1)
    if not single:
        where = (Integer(2), system.steps) if system.direction == 1 else where
    return Step("products.step", rule, EQUALITY, left, (Line("=", right),), _facts(system), where)


def _facts(system: System) -> tuple[tuple[str, object], ...]:
    return (
        ("variable", joint(system, system.previous)),
        ("target", joint(system, system.t)),
        ("state", joint(system, system.t)),
    )


def _several_steps(network: Network) -> Step:
    system = network.system
    k = distance_index(system)
    end = after(system, k)
    left = A.derivative(joint(system, end), joint(system, system.t))
    lines = [span(network, system.t, end)]
    if len(system.states) == 1 and system.direction == 1 and is_brief(links(network)[0].jacobian):
        j = step_index(system, k)
        written = links(network)[0].jacobian
        moved = written.xreplace({system.t: j})
        constant = isinstance(written, A.Parameter)
        lines.append(A.matrix_power(written, k) if constant else A.time_product(moved, j, system.t + 1, end))
    where = (S.One, system.steps - 1) if system.direction == 1 else (Integer(2), system.steps)
    facts = (("distance", k), ("more_ranges", distances_from(system, k)), ("factors", k))
    rule = "products.span_scalar" if system.scalar and len(system.states) == 1 else "products.span"
    return Step("products.span", rule, EQUALITY, left, chain(left, *lines), facts, where)


def _numbers(run: Measured, numbers: Numbers) -> list[Step]:
    system, rounding = run.system, numbers.rounding
    steps = []
    if run.size_of_state <= SMALL and not system.scalar:
        for k in range(1, min(3, run.steps - 1) + 1):
            left = back_from_end(system, k)
            value = run.value(left)
            rule = "products.number" if k == 1 else "products.number_more"
            via = () if k == 1 else (_factors(run.network, k),)
            steps.append(number_line(f"products.{k}", rule, left, value, rounding, via=via))
    k = distance_index(system)
    columns = [A.Norm(back_from_end(system, k))]
    if len(system.states) == 1:
        columns.append(A.Norm(A.derivative(system.L, system.at(system.states[0], before_end(system, k)))))
    if system.scalar and len(system.states) == 1:
        columns[0] = back_from_end(system, k)
    rule = "products.table" if len(columns) > 1 else "products.table_joint"
    facts = (("product", back_from_end(system, k)), ("distance", k))
    rows = chosen(run.steps)
    values = lambda expr, row: sympy.sympify(_entry(run.value(expr, {k: row})))  # noqa: E731
    steps.append(table("products.table", rule, k, rows, columns, values, rounding, facts))
    return steps


def _factors(network: Network, count: int) -> object:
    """The one-step Jacobians of the last steps, newest on the left."""
    system = network.system
    return A.matmul(*(one_step_jacobian(network, before_end(system, k)) for k in range(count)))


def _entry(value: object) -> float:
    import numpy as np

    return float(np.asarray(value).ravel()[0])
