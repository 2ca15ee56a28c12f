"""Power iteration: the direction of a gradient that is multiplied by the same matrix again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import S

from ... import algebra as A
from ...model import Network
from ..generic import generic
from ..links import links
from ..numeric import Numbers
from ..steps import EQUALITY, MEASURED, REMARK, Line, Section, Step
from .common import SMALL, before_end, chosen, distance_index, has_jacobians, number_line, printed, recurrent, table
from .eigen import CLOSE, Spectrum, has_component, spectrum
from .floats import Measured, measured
from .spectrum import exact_lines, given_matrix

MOST = 6
"""So many iterates are printed one by one."""
ROWS = 12
"""Up to so many iterations are in the table; more would show the rounding of floats only."""


def power_section(network: Network, numbers: Numbers | None) -> Section | None:
    """Return the section on power iteration, or None where there is not exactly one recurrent matrix."""
    system = network.system
    if len(system.states) != 1 or system.scalar or not has_jacobians(network):
        return None
    weights = recurrent(network)
    (rows, _) = A.shape_of(system.at(system.states[0]))
    if len(weights) != 1 or rows == 1:
        return None
    (symbol,) = weights.values()
    steps = [_identity(network, symbol) if is_linear(network, symbol) else _frozen(network, symbol)]
    if numbers is not None:
        steps += _numbers(measured(numbers), numbers, symbol)
    return Section("power", tuple(steps))


def is_linear(network: Network, symbol: Any) -> bool:
    """Whether every gradient is exactly a power of the matrix times the last one: no slopes, and one loss."""
    return network.system.reduction == "last" and links(network)[0].jacobian == symbol


def gradient_at_end(network: Network, distance: Any = S.Zero) -> Any:
    """The adjoint of the state that many steps before the last one."""
    system = network.system
    return generic(network).adjoint_of(system.states[0], before_end(system, distance))


def _iterate(network: Network, symbol: Any, distance: Any) -> Any:
    """(W^T)^k dL/dh_T."""
    M, start = A.transpose(symbol), gradient_at_end(network)
    if distance == 0:
        return start
    return A.matmul(M, start) if distance == 1 else A.matmul(A.matrix_power(M, distance), start)


def _identity(network: Network, symbol: Any) -> Step:
    k = distance_index(network.system)
    facts = (("distance", k), ("matrix", symbol), ("more_ranges", ((k, (S.Zero, network.steps)),)))
    right = A.matmul(A.matrix_power(A.transpose(symbol), k), gradient_at_end(network))
    return Step("power.identity", "power.identity", EQUALITY, gradient_at_end(network, k), (Line("=", right),), facts)


def _frozen(network: Network, symbol: Any) -> Step:
    facts = (("matrix", A.transpose(symbol)), ("start", gradient_at_end(network)))
    return Step("power.frozen", "power.frozen", REMARK, facts=facts)


# -- numbers ------------------------------------------------------------------------------------------


def _numbers(run: Measured, numbers: Numbers, symbol: Any) -> list[Step]:
    network, rounding = run.network, numbers.rounding
    M, start = A.transpose(symbol), gradient_at_end(network)
    matrix = np.asarray(run.value(M), dtype=float)
    vector = np.asarray(run.value(start), dtype=float)
    if not vector.any() or not matrix.any():
        return []
    steps: list[Step] = []
    small = len(vector) <= SMALL
    count = min(run.steps, MOST)
    if small:
        steps.append(number_line("power.start", "power.start", start, vector, rounding, facts=(("start", start),)))
        steps += [_one(run, numbers, symbol, k) for k in range(1, count + 1)]
    found = spectrum(given_matrix(numbers, symbol))
    rate = A.divide(A.EigenvalueModulus(symbol, 2), A.EigenvalueModulus(symbol, 1))
    facts = (("matrix", symbol), ("transposed", M), ("rate", rate), ("start", start))
    if not found.has_dominant:
        if found.rate is None:
            return steps
        repeated = abs(found.values[0] - found.values[1]) < 1e-6 * found.radius
        turning = abs(found.values[0].imag) > CLOSE * found.radius
        rule = "power.pair" if turning else "power.repeated" if repeated else "power.no_dominant"
        return [*steps, _rate(rule, rate, found, rounding, facts)]
    if not has_component(matrix, vector):
        across = A.inner(A.DominantEigenvector(symbol), start)
        return [*steps, Step("power.rate", "power.orthogonal", MEASURED, across, (Line("=", S.Zero),), facts)]
    steps.append(_rate("power.rate", rate, found, rounding, facts))
    normal = np.allclose(matrix @ matrix.T, matrix.T @ matrix, rtol=0, atol=CLOSE * np.abs(matrix).max() ** 2)
    if small:
        which = [(M, "power.dominant")] if normal else [(M, "power.left"), (symbol, "power.right")]
        for one, rule in which:
            node = A.DominantEigenvector(one)
            steps.append(number_line(rule, rule, node, run.value(node), rounding, facts=facts))
    return [*steps, _table(run, numbers, symbol, normal, facts)]


def _rate(rule: str, rate: Any, found: Spectrum, rounding: Any, facts: tuple[tuple[str, Any], ...]) -> Step:
    """|lambda_2| / |lambda_1|, exactly where it can be read."""
    exact = found.exact_rate
    if exact is None:
        return number_line("power.rate", rule, rate, found.rate or 0.0, rounding, facts=facts)
    return Step("power.rate", rule, MEASURED, rate, exact_lines(exact, rounding), facts)


def _one(run: Measured, numbers: Numbers, symbol: Any, k: int) -> Step:
    """One iteration, with its numbers."""
    network, rounding = run.network, numbers.rounding
    M = A.transpose(symbol)
    linear = is_linear(network, symbol)
    left = gradient_at_end(network, S(k)) if linear else _iterate(network, symbol, k)
    before = gradient_at_end(network, S(k - 1)) if linear else _iterate(network, symbol, k - 1)
    lines = [Line("=", A.matmul(M, before))] if linear else []
    operands = [printed(run.value(e), rounding) for e in (M, before)]
    if all(exact for _, exact in operands):
        lines.append(Line("=", A.matmul(*(shown for shown, _ in operands))))
    shown, exact = printed(run.value(left), rounding)
    lines.append(Line("=" if exact else "≈", shown))
    return Step(f"power.{k}", "power.iterate" if k == 1 else "power.again", MEASURED, left, tuple(lines))


def _table(run: Measured, numbers: Numbers, symbol: Any, normal: bool, facts: tuple[tuple[str, Any], ...]) -> Step:
    """Length, growth and direction of the iterates."""
    network = run.network
    k, M = distance_index(run.system), A.transpose(symbol)
    x = (
        gradient_at_end(network, k)
        if is_linear(network, symbol)
        else A.matmul(A.matrix_power(M, k), gradient_at_end(network))
    )
    columns = [A.Norm(x), A.divide(A.Norm(A.matmul(M, x)), A.Norm(x)), A.AngleTangent(x, A.DominantEigenvector(M))]
    if not normal:
        columns.append(A.AngleTangent(x, A.DominantEigenvector(symbol)))

    def cell(expr: Any, row: int) -> float:
        value = float(run.value(expr, {k: row}))
        if isinstance(expr, A.AngleTangent):
            return 0.0 if value < CLOSE else value if value < 1 / CLOSE else float("inf")
        return value

    rule = "power.table" if normal else "power.table_left"
    rows = chosen(min(run.steps, ROWS))
    return table("power.table", rule, k, rows, columns, cell, numbers.rounding, (*facts, ("distance", k)))
