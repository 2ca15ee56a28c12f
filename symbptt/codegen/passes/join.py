"""Operands side by side in one array, so that a step of the recurrence is one product."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import S

from ... import algebra as A
from ...algebra import nodes as N
from ..plan import Line
from ..program import VARYING, Program, Row, Stretch, leaves


def join(program: Program) -> Program:
    """Write W_h h_{t-1} + W_x x_t + b as one product [W_h W_x b] [h_{t-1}; x_t; 1], and the adjoint likewise.

    dL/dh_t = W_h^T dL/dz_{t+1} + W_y^T dl_t/da_t becomes [W_h^T W_y^T] [dL/dz_{t+1}; dl_t/da_t]. It costs more numbers
    than a product for all steps before the loop, and fewer calls in it: for one sequence and small sizes calls are what
    counts.
    """
    program = replace(program, constants=dict(program.constants))
    rows: dict[Any, Row] = {}
    forward = _forward(program, rows)
    backward = tuple(_backward(program, stretch, rows) for stretch in program.backward)
    return replace(program, forward=forward, backward=backward, rows=rows)


# -- forward ------------------------------------------------------------------------------------------


def _forward(program: Program, rows: dict[Any, Row]) -> tuple[Stretch, ...]:
    lines = {line.leaf: line for stretch in program.forward for line in stretch.lines}
    reads = [leaf for line in program.lines() for leaf in leaves(line.expr)]
    dropped: set[Any] = set()
    result = []
    for stretch in program.forward:
        new = []
        for line in stretch.lines:
            match = _affine(program, line, lines) if stretch.direction == 1 else None
            if match is not None and reads.count(match[0]) == 1 and not _has_row(rows, match[1].args[1]):
                share, product = match
                terms = lines[share].expr.args if isinstance(lines[share].expr, N.MatrixPlus) else (lines[share].expr,)
                line = replace(line, expr=_one_product(program, line.name, (product, *terms), rows))
                dropped.add(share)
            new.append(line)
        result.append(replace(stretch, lines=tuple(new)))
    kept = (replace(s, lines=tuple(line for line in s.lines if line.leaf not in dropped)) for s in result)
    return tuple(stretch for stretch in kept if stretch.lines)


def _affine(program: Program, line: Line, lines: dict[Any, Line]) -> tuple[Any, Any] | None:
    """Return the share and the product of a line that is their sum, where the share is made of inputs."""
    if not isinstance(line.expr, N.MatrixPlus) or len(line.expr.args) != 2:
        return None
    share, product = line.expr.args
    if share not in lines or share in program.placed or not _is_product(product):
        return None
    state = product.args[1]
    if state.when == A.index("t") or state.name not in program.plan.system.states:
        return None
    terms = lines[share].expr.args if isinstance(lines[share].expr, N.MatrixPlus) else (lines[share].expr,)
    inputs = program.plan.system.inputs
    fit = all(isinstance(t, A.Parameter) or (_is_product(t) and t.args[1].name in inputs) for t in terms)
    return (share, product) if fit and str(share.name).startswith("share.") else None


def _is_product(expr: Any) -> bool:
    """Whether it is a constant matrix times a variable at one step."""
    if not isinstance(expr, N.MatrixProduct) or len(expr.args) != 2 or A.rank_of(expr) != 1:
        return False
    return isinstance(expr.args[1], A.MatrixAt) and not any(True for _ in leaves(expr.args[0]))


def _has_row(rows: dict[Any, Row], operand: Any) -> bool:
    return any(operand in row.operands for row in rows.values())


def _one_product(program: Program, name: str, terms: tuple[Any, ...], rows: dict[Any, Row]) -> Any:
    one = A.Fill(S.One, S.One, S.One)
    operands = tuple(one if isinstance(term, A.Parameter) else term.args[-1] for term in terms)
    matrices = [A.transpose(term) if isinstance(term, A.Parameter) else A.transpose(term.args[0]) for term in terms]
    leaf = program.named("row", name, A.concat(*operands))
    rows[leaf] = Row(operands)
    whole = A.concat(*matrices)
    symbol = A.MatrixParameter(f"side.{len(program.constants)}", whole.shape[1], whole.shape[0])
    program.constants[symbol] = A.transpose(whole)
    return A.matmul(symbol, leaf)


# -- backward -----------------------------------------------------------------------------------------


def _backward(program: Program, stretch: Stretch, rows: dict[Any, Row]) -> Stretch:
    if stretch.direction != -1:
        return stretch
    plan = program.plan
    local = {plan.pseudo("local", line.name): line for line in plan.local}
    reads = [leaf for line in program.lines() for leaf in leaves(line.expr)]
    reads += [leaf for parts in program.sums.values() for part in parts for leaf in leaves(part.expr)]
    reads += [leaf for line in program.inputs.values() for leaf in leaves(line.expr)]
    for line in stretch.lines:
        own: tuple[Any, ...] = line.expr.args if isinstance(line.expr, N.MatrixPlus) else ()
        carry = next((other for other in stretch.lines if other.name == f"carry.{line.name}"), None)
        if carry is None or len(own) != 2 or own[0] not in local or own[1] != carry.leaf or reads.count(own[0]) != 1:
            continue
        if plan.last or plan.generic.weight != 1 or not isinstance(local[own[0]].expr, N.MatrixProduct):
            continue
        terms = (carry.expr, local[own[0]].expr)
        if all(_is_adjoint_product(term) for term in terms) and _may_lie(program, terms[0].args[1], stretch):
            joined = replace(line, expr=_one_product(program, f"d.{line.name}", terms, rows))
            leaf = joined.expr.args[1]
            rows[leaf] = replace(rows[leaf], carry=carry, local=local[own[0]].leaf)
            return replace(stretch, lines=tuple(joined if x is line else x for x in stretch.lines if x is not carry))
    return stretch


def _is_adjoint_product(expr: Any) -> bool:
    if not isinstance(expr, N.MatrixProduct) or len(expr.args) != 2 or A.rank_of(expr) != 1:
        return False
    return isinstance(expr.args[1], VARYING) and not any(True for _ in leaves(expr.args[0]))


def _may_lie(program: Program, leaf: Any, stretch: Stretch) -> bool:
    """Whether the array of an adjoint can lie in that of a row."""
    assigned = {line.leaf for line in stretch.lines}
    bases = {place.base for place in program.placed.values()}
    inside = leaf in assigned or any(p.base == leaf and part in assigned for part, p in program.placed.items())
    return inside and leaf not in program.placed and (leaf in bases or not isinstance(leaf, A.MatrixAt))
