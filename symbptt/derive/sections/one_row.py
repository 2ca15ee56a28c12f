"""What holds for one row of a batch: links between states, the chain rule over them, and closed forms.

The examples of a batch do not influence each other, so that every row of dL/dH_t has the chain rule and the closed form
of a single example. Jacobians are in numerator layout, and a gradient is a row that they are multiplied to from the
right: dL/dh_t = sum over s of dl_s/dh_s (dh_s/dh_t), the transpose of the formula for columns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ...model import ROWS, SAMPLE, Network, one_example
from ..closed import closed_joint, joint
from ..generic import generic
from ..steps import EQUALITY, REMARK, Section, Step
from .closed_form import closed_section
from .common import chain, every_step
from .local import equation_derivatives, state_jacobians
from .paths import dependency_section

ONE_ROW = ("layout", SAMPLE)
"""The fact of a step that is about one row, whose equations are those of ``layout="sample"``."""


def one_row(network: Network) -> Network | None:
    """Return the network of one row, or None where the network is not in rows."""
    return one_example(network) if network.system.layout == ROWS else None


def row_dependency(network: Network) -> Section | None:
    """Return the ways in which one row of a state reaches the loss, with the chain rule; None in columns."""
    sample = one_row(network)
    if sample is None:
        return None
    return Section("dependency", _about_one_row(network, "dependency", dependency_section(sample).steps))


def row_derivatives(network: Network) -> tuple[Step, ...]:
    """Return the derivatives of elementwise equations and of state by state, for one row; nothing in columns."""
    sample = one_row(network)
    if sample is None:
        return ()
    return _about_one_row(network, "local", (*equation_derivatives(sample), *state_jacobians(sample)))


def closed_rows(network: Network) -> Section | None:
    """Return the closed form of one row of the adjoint, of the joint state where there are several."""
    sample = one_row(network)
    whole = None if sample is None else closed_section(sample)
    if sample is None or whole is None:
        return None
    g, system = generic(sample), sample.system
    products = [step for step in whole.steps if step.key in ("closed.span", "closed.joint")]
    state = joint(system, system.t)
    left = A.derivative(system.L, state) if len(system.states) > 1 else g.adjoint_of(system.states[0])
    lines = (closed_joint(sample, system.t, opaque=opaque) for opaque in (True, False))
    final = Step("closed.state", "closed.state", EQUALITY, left, chain(left, *lines),
                 (("variable", state), ("state", state)), every_step(system))  # fmt: skip
    return Section("closed", _about_one_row(network, "closed", (*products, final)))


def _about_one_row(network: Network, section: str, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Write steps for vectors that are rows, and say before them what the letters stand for."""
    if not steps:
        return ()
    system = one_example(network).system
    states = tuple(system.at(name) for name in system.states)
    remark = Step(f"{section}.row", "rows.one_row", REMARK, facts=(("row", states),))
    return tuple(map(_in_a_row, steps if network.batch == 1 else (remark, *steps)))


def _in_a_row(step: Step) -> Step:
    left = step.left
    if left is not None and A.is_vector(left):
        left, lines = as_row(left), tuple(replace(line, expr=as_row(line.expr)) for line in step.chain)
        step = replace(step, left=left, chain=lines)
    return replace(step, key=step.key.replace(".", ".row.", step.rule != "rows.one_row"), facts=(*step.facts, ONE_ROW))


def as_row(expr: Any) -> Any:
    """Return a vector as a row: products in reverse order, sums term by term.

    >>> from symbptt.algebra import Parameter, Variable, index, matmul
    >>> W, h, t = Parameter("W", 3, 3), Variable("h", 3, 1), index("t")
    >>> as_row(matmul(W.T, h[t]))
    h[t].T @ W
    """
    if isinstance(expr, N.MatrixTimeSum):
        return A.time_sum(as_row(expr.body), expr.index, expr.lower, expr.upper)
    if isinstance(expr, N.MatrixPlus):
        return A.add(*map(as_row, expr.args))
    if isinstance(expr, N.MatrixNegative):
        return A.negate(as_row(expr.args[0]))
    if isinstance(expr, N.Scale):
        return A.product(expr.args[0], as_row(expr.args[1]))
    return A.expand_transpose(expr)
