"""Bounds of Jacobian products: what suffices for vanishing gradients, what is only necessary for exploding ones.

References
----------
Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013, section 2.2 (the
bound by the largest singular value); Horn and Johnson, *Matrix Analysis*, 2nd ed., section 5.6 (norms, and Gelfand's
formula).
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer, S

from ... import algebra as A
from ...algebra import nodes as N
from ...algebra.leaves import LiteralMatrix
from ...model import Network, System
from ..closed import joint, one_step_jacobian, step_index
from ..numeric import Numbers
from ..steps import BOUND, EQUALITY, REMARK, Line, Section, Step
from .common import (
    after,
    back_from_end,
    before_end,
    chosen,
    distance_index,
    distances_from,
    has_jacobians,
    number_line,
    recurrent,
    table,
)
from .factors import Factors, NoBoundError, factors
from .floats import Measured, measured

MOST_NORMS = 100
"""Entries of states over all steps beyond which the norms of all one-step Jacobians are not multiplied in a table."""
LIMIT = 200
"""The exponent at which a limit is tried."""


def bounds_section(network: Network, numbers: Numbers | None) -> Section | None:
    """Return the section on bounds, or None where there are no Jacobian matrices."""
    if not has_jacobians(network) or network.steps == 1:
        return None
    try:
        known, missing = factors(network), None
    except NoBoundError as error:
        known, missing = None, error
    steps = [*_one_step(network, known), _several_steps(network, known)]
    steps += _missing(network, missing) if known is None else _meaning(network, known)
    if not network.system.scalar:
        steps += _radius(network, known)
    if numbers is not None:
        steps += _numbers(measured(numbers), numbers, known)
    return Section("bounds", tuple(steps))


# -- the bounds ---------------------------------------------------------------------------------------


def _one_step(network: Network, known: Factors | None) -> list[Step]:
    if known is None:
        return []
    system = network.system
    steps = []
    for function, argument, supremum in known.slopes:
        slope = A.apply("abs", A.apply(function, argument))
        left = A.max_entry(slope) if A.shape_of(slope) else slope
        steps.append(
            Step(f"bounds.slope_{function.name.rstrip(chr(39))}", "bounds.slope", BOUND, left,
                 (Line("≤", supremum),), (("slope", A.apply(function, argument)),), _every(system))
        )  # fmt: skip
    left = A.Norm(one_step_jacobian(network, system.t))
    lines = [Line("=", A.Norm(known.jacobian)), Line("≤", known.norms), Line("=", known.sizes)]
    lines = [line for i, line in enumerate(lines) if i == 0 or line.expr != lines[i - 1].expr]
    if known.bound != lines[-1].expr:
        lines.append(Line("≤", known.bound))
    if system.scalar:
        lines = [Line("=", A.Norm(known.jacobian)), Line("≤", known.bound)]
    diagonal = any(isinstance(part, N.Diag) for part in sympy.preorder_traversal(known.jacobian))
    rule = "bounds.step_scalar" if system.scalar else "bounds.step" if diagonal else "bounds.step_plain"
    steps.append(Step("bounds.step", rule, BOUND, left, tuple(lines), (), _every(system)))
    return steps


def _every(system: System) -> tuple[Any, Any]:
    return (S.One, system.steps)


def _several_steps(network: Network, known: Factors | None) -> Step:
    system = network.system
    k = distance_index(system)
    left = A.Norm(A.derivative(joint(system, after(system, k)), joint(system, system.t)))
    j = step_index(system, k)
    norm = A.Norm(one_step_jacobian(network, j))
    low, high = (system.t + 1, after(system, k)) if system.direction == 1 else (after(system, k), system.t - 1)
    sign = "=" if system.scalar and len(system.states) == 1 else "≤"
    lines = [Line(sign, A.time_product(norm, j, low, high))]
    if known is not None:
        lines.append(Line("≤", A.power(known.bound, k)))
    where = (S.One, system.steps - 1) if system.direction == 1 else (Integer(2), system.steps)
    facts = (("distance", k), ("more_ranges", distances_from(system, k)))
    return Step("bounds.span", "bounds.span", BOUND, left, tuple(lines), facts, where)


def _missing(network: Network, error: NoBoundError | None) -> list[Step]:
    if error is not None and error.function is not None:
        name = error.function.name.rstrip("'")
        return [Step("bounds.none", "bounds.unbounded", REMARK, facts=(("function", name),))]
    return [Step("bounds.none", "bounds.none", REMARK)]


# -- what they mean -----------------------------------------------------------------------------------


def _meaning(network: Network, known: Factors) -> list[Step]:
    system = network.system
    k = distance_index(system)
    facts = (("factor", known.bound), ("power", A.power(known.bound, k)), ("distance", k))
    steps = [Step("bounds.vanish", "bounds.vanish", REMARK, facts=facts)]
    weights = list(recurrent(network).values())
    suprema = [supremum for _, _, supremum in known.slopes]
    plain = len(weights) == 1 and known.bound == A.product(*suprema, A.SingularValue(weights[0], 1))
    if plain:
        threshold = 1 / (suprema[0] if suprema else S.One)
        more = (("size", A.SingularValue(weights[0], 1)), ("threshold", threshold))
        steps.append(Step("bounds.explode", "bounds.explode", REMARK, facts=(*facts, *more)))
    else:
        steps.append(Step("bounds.explode", "bounds.explode_general", REMARK, facts=facts))
    for function, _, supremum in known.slopes:
        name = function.name.rstrip("'")
        about: tuple[tuple[str, Any], ...] = (("function", name), ("supremum", supremum), ("weights", tuple(weights)))
        if name in ("tanh", "sigmoid", "relu") and weights:
            rule = "bounds.kink_slope" if name == "relu" else "bounds.saturating"
            steps.append(Step(f"bounds.{name}", rule, REMARK, facts=about))
    return steps


def _radius(network: Network, known: Factors | None) -> list[Step]:
    """Powers of one matrix: the spectral radius below, the largest singular value above."""
    weights = list(recurrent(network).values())
    if not weights:
        return []
    matrix, k = weights[0], distance_index(network.system)
    left = A.power(A.SpectralRadius(matrix), k)
    norm = A.Norm(A.matrix_power(matrix, k))
    lines = (Line("≤", norm), Line("≤", A.power(A.SingularValue(matrix, 1), k)))
    powers = ("more_ranges", ((k, (S.One, Integer(6))),))
    root = A.power(norm, 1 / k)
    facts = (("matrix", matrix), ("radius", A.SpectralRadius(matrix)), ("size", A.SingularValue(matrix, 1)))
    nilpotent = LiteralMatrix([[A.Literal("0"), A.Literal("9")], [A.Literal("0"), A.Literal("0")]])
    zero = LiteralMatrix([[A.Literal("0")] * 2] * 2)
    size = Step("bounds.nilpotent_size", "bounds.nilpotent_size", EQUALITY, A.SingularValue(nilpotent, 1),
                (Line("=", S(9)),))  # fmt: skip
    linear = known is not None and known.jacobian == matrix
    last = [] if linear else [Step("bounds.different", "bounds.different", REMARK, facts=facts)]
    return [
        Step("bounds.power", "bounds.power", BOUND, left, lines, (*facts, powers)),
        Step("bounds.gelfand", "bounds.gelfand", BOUND, root, (Line("→", A.SpectralRadius(matrix)),),
             (*facts, ("distance", k), ("limit", (k, Integer(LIMIT))))),
        size,
        Step("bounds.nilpotent", "bounds.nilpotent", EQUALITY, A.matrix_power(nilpotent, 2), (Line("=", zero),)),
        *last,
    ]  # fmt: skip


# -- numbers ------------------------------------------------------------------------------------------


def _numbers(run: Measured, numbers: Numbers, known: Factors | None) -> list[Step]:
    system, rounding = run.system, numbers.rounding
    steps: list[Step] = []
    k, j = distance_index(system), step_index(system)
    product = A.time_product(A.Norm(one_step_jacobian(run.network, j)), j, *_last_steps(system, k))
    columns = [A.Norm(back_from_end(system, k))]
    if not system.scalar and (known is None or known.slopes) and run.size_of_state * run.steps <= MOST_NORMS:
        columns.append(product)
    if known is not None:
        value = float(run.value(known.bound))
        sign = "<" if value < 1 else ">" if value > 1 else "="
        rule = "bounds.contracts" if value < 1 else "bounds.open"
        more = (Line(sign, S.One),) if sign != "=" else ()
        steps.append(number_line("bounds.factor", rule, known.bound, value, rounding, *more))
        columns.append(A.power(known.bound, k))
    for key, matrix in recurrent(run.network).items() if not system.scalar else ():
        size = A.SingularValue(matrix, 1)
        if known is None or known.bound != size:
            name = f"bounds.largest_{key}"
            facts = (("matrix", matrix),)
            steps.append(number_line(name, "bounds.largest", size, run.value(size), rounding, facts=facts))
    about = (("product", back_from_end(system, k)), ("distance", k))
    rows = chosen(run.steps, 1)
    steps.append(
        table("bounds.table", "bounds.table", k, rows, columns, lambda e, r: run.value(e, {k: r}), rounding, about)
    )
    return steps


def _last_steps(system: System, distance: Any) -> tuple[Any, Any]:
    """The range of the steps of a product that ends at the last one."""
    if system.direction == 1:
        return before_end(system, distance) + 1, system.last
    return system.last, before_end(system, distance) - 1
