"""Products that share an operand become one product of stacked matrices; the lines that follow are widened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ..plan import Line
from ..program import VARYING, Program, Stretch, exchanged, leaves, parts, rebuilt
from .merge import Merge


def fuse(program: Program) -> Program:
    """Compute W_1 u, W_2 u, ... of a step as one product W u, and the sum of W_k^T d_k as W^T d.

    The parts of W u lie beside each other, and so do the d_k; lines that do the same with neighbouring parts, such as
    the sigmoids of three gates, become one line over all of them.
    """
    merge = Merge(program.named, dict(program.constants), dict(program.placed))
    forward = [part for stretch in program.forward for part in _fused(program, stretch, merge)]
    forward = _widened_before(forward, merge)
    backward = [_gathered(stretch, merge) for stretch in program.backward]
    inputs = {name: replace(line, expr=_gather(line.expr, merge, False)) for name, line in program.inputs.items()}
    return replace(
        program,
        forward=tuple(forward),
        backward=tuple(backward),
        inputs=inputs,
        constants=merge.constants,
        placed=merge.placed,
    )


# -- forward ------------------------------------------------------------------------------------------


def _fused(program: Program, loop: Stretch, merge: Merge) -> Iterator[Stretch]:
    if not loop.direction:
        yield loop
        return
    lines = list(loop.lines)
    done: set[Any] = set()
    while groups := {operand: found for operand, found in _groups(lines).items() if operand not in done}:
        operand, products = next(iter(groups.items()))  # joined lines may have other products than before
        done.add(operand)
        first = next(i for i, line in enumerate(lines) if any(part in products for part in parts(line.expr)))
        ordered = sorted(products, key=lambda product: _function(lines, product))
        whole = A.matmul(merge.stacked([product.args[0] for product in ordered]), operand)
        base = program.named("wide", str(operand.name), whole)
        slots = merge.slots(base, ordered)
        rule = dict(zip(ordered, slots, strict=True))
        lines = [replace(line, expr=exchanged(line.expr, rule)) for line in lines]
        lines.insert(first, Line(base.name, whole, base, None, whole))
        lines = _widened(lines, slots, merge)
    yield replace(loop, lines=tuple(lines))


def _groups(lines: Sequence[Line]) -> dict[Any, list[Any]]:
    """Return operand -> the different products of constant matrices with it, where there are several."""
    found: dict[Any, list[Any]] = {}
    for line in lines:
        for part in parts(line.expr):
            if isinstance(part, N.MatrixProduct) and len(part.args) == 2 and isinstance(part.args[1], A.MatrixAt):
                matrix, operand = part.args
                if A.rank_of(part) == 1 and not any(leaves(matrix)) and part not in found.setdefault(operand, []):
                    found[operand].append(part)
    return {operand: products for operand, products in found.items() if len(products) > 1}


def _function(lines: Sequence[Line], product: Any) -> str:
    """Return the function that is taken of a product, by which the parts are ordered."""
    for line in lines:
        for part in parts(line.expr):
            if part != product and isinstance(part, N.Map) and any(inner == product for inner in parts(part)):
                return str(part.args[0].name)
    return ""


def _widened(lines: list[Line], slots: Sequence[Any], merge: Merge) -> list[Line]:
    """Join the lines that do the same with neighbouring parts of a product, the longest runs first."""
    users = [next((line for line in lines if slot in set(leaves(line.expr))), None) for slot in slots]
    start = 0
    while start < len(slots):
        for stop in range(len(slots), start + 1, -1):
            run = users[start:stop]
            if None not in run and len({line.leaf for line in run if line}) == stop - start:
                joined = _joined([line for line in run if line], lines, merge)
                if joined is not None:
                    lines = joined
                    start = stop - 1
                    break
        start += 1
    return lines


def _joined(run: Sequence[Line], lines: list[Line], merge: Merge) -> list[Line] | None:
    own = {line.leaf for line in run}
    assigned = {line.leaf for line in lines}
    if any(not merge.free(line.leaf) for line in run):
        return None
    first = min(lines.index(line) for line in run)
    known = {line.leaf for line in lines[:first]}
    for line in run:
        reads = set(leaves(line.expr)) & assigned
        if reads & own or not reads <= known:
            return None
    attempt = merge.copy()
    expr = attempt.merged([line.expr for line in run], assigned)
    if expr is None:
        return None
    base = attempt.joined([line.leaf for line in run])
    merge.take(attempt)
    wide = Line(base.name, expr, base, None, A.concat(*(line.left for line in run)), tuple(run))
    return [new for line in lines for new in ([wide] if line is lines[first] else [] if line in run else [line])]


def _widened_before(stretches: list[Stretch], merge: Merge) -> list[Stretch]:
    """Join the lines before a loop whose results lie beside each other."""
    result = []
    for stretch in stretches:
        lines = list(stretch.lines)
        if not stretch.direction:
            for base in dict.fromkeys(place.base for place in merge.placed.values()):
                run = [line for leaf in merge.order(base) for line in lines if line.leaf == leaf]
                if len(run) > 1 and len(run) == len(merge.order(base)):
                    expr = merge.merged([line.expr for line in run], set())
                    if expr is not None:
                        wide = Line(base.name, expr, base, None, A.concat(*(line.right for line in run)), tuple(run))
                        first = lines.index(run[0])
                        lines = [new for line in lines for new in _in_place(line, wide, lines[first], run)]
        result.append(replace(stretch, lines=tuple(lines)))
    return result


def _in_place(line: Line, wide: Line, first: Line, run: Sequence[Line]) -> list[Line]:
    return [wide] if line is first else [] if line in run else [line]


# -- backward -----------------------------------------------------------------------------------------


def _gathered(loop: Stretch, merge: Merge) -> Stretch:
    if not loop.direction:
        return loop
    return replace(loop, lines=tuple(replace(line, expr=_gather(line.expr, merge, True)) for line in loop.lines))


def _gather(expr: Any, merge: Merge, place: bool) -> Any:
    """Write a sum of W_k^T d_k as W^T d, where the d_k lie beside each other or can be laid so."""
    if isinstance(expr, VARYING):
        return expr
    if not isinstance(expr, N.MatrixPlus):
        return rebuilt(expr, [_gather(arg, merge, place) for arg in expr.args])
    terms = {term.args[1]: term for term in expr.args if _is_transposed_product(term)}
    if len(terms) < 2:
        return expr
    for run in merge.runs({d: A.transpose(term.args[0]) for d, term in terms.items()}, place):
        matrix = merge.stacked([A.transpose(terms[d].args[0]) for d in run])
        whole = A.matmul(A.transpose(matrix), merge.combined(run))
        gathered = [terms[d] for d in run]
        rest = [term for term in expr.args if term not in gathered]
        return A.add(whole, *rest)
    return expr


def _is_transposed_product(term: Any) -> bool:
    return (
        isinstance(term, N.MatrixProduct)
        and len(term.args) == 2
        and isinstance(term.args[1], VARYING)
        and A.rank_of(term.args[1]) == 1
        and isinstance(term.args[0], N.Transposed)
        and isinstance(term.args[0].args[0], A.Parameter)
    )
