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
from ...model import ROWS, SAMPLE, Network
from ..closed import closed_joint, joint
from ..generic import generic
from ..steps import EQUALITY, REMARK, Section, Step
from .closed_form import closed_section
from .common import before_last, chain, chain_rule, every_step
from .local import equation_derivatives, state_jacobians

ONE_ROW = ("layout", SAMPLE)
"""The fact of a step that is about one row, whose equations are those of ``layout="sample"``."""


def one_row(network: Network) -> Network | None:
    """Return the network of one row, or None where the network is not in rows."""
    return replace(network, layout=SAMPLE, batch=None) if network.system.layout == ROWS else None


def chain_rules(network: Network) -> list[Step]:
    """Return the chain rule over the links between states, for one row."""
    sample = one_row(network)
    if sample is None:
        return []
    g, system, steps = generic(sample), sample.system, []
    for name in reversed(system.states):
        line = chain_rule(sample, name)
        if line is not None:
            left, line = as_row(g.adjoint_of(name)), replace(line, expr=as_row(line.expr))
            facts = (("variable", system.at(name)),)
            steps.append(
                Step(f"dependency.row.{name}", "rows.chain", EQUALITY, left, (line,), facts, before_last(system))
            )
    return _about_one_row(sample, "dependency", steps)


def row_derivatives(network: Network) -> list[Step]:
    """Return the derivatives of elementwise equations and of state by state, for one row."""
    sample = one_row(network)
    if sample is None:
        return []
    steps = [*equation_derivatives(sample), *state_jacobians(sample)]
    renamed = [replace(step, key=step.key.replace("local.", "local.row.", 1)) for step in steps]
    return _about_one_row(sample, "local", renamed)


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
    lines = (as_row(closed_joint(sample, system.t, opaque=opaque)) for opaque in (True, False))
    final = Step("closed.row", "rows.closed", EQUALITY, as_row(left), chain(as_row(left), *lines),
                 (("variable", state), ("state", state)), every_step(system))  # fmt: skip
    return Section("closed", tuple(_about_one_row(sample, "closed", [*products, final])))


def _about_one_row(sample: Network, section: str, steps: list[Step]) -> list[Step]:
    """Mark steps as being about one row, and say so before them."""
    system = sample.system
    states = tuple(system.at(name) for name in system.states)
    remark = Step(f"{section}.row", "rows.one_row", REMARK, facts=(("variable", states),))
    return [replace(step, facts=(*step.facts, ONE_ROW)) for step in (remark, *steps)] if steps else []


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
