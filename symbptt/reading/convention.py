"""The row convention of equations: ``X_t W`` in the place of ``W x_t``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .meaning.expr import Expr, Mul, Ref, Transpose
from .meaning.ranks import STEP_SIZE, is_capital
from .statements import Equation


def convention(equations: Sequence[Equation]) -> tuple[bool, bool]:
    """Return whether products are in the row convention, and then whether all weights in them are transposed."""
    rows: list[tuple[Equation, Expr]] = []
    columns: list[tuple[Equation, Expr]] = []
    for equation in equations:
        for part in equation.right.walk():
            if not isinstance(part, Mul) or len(part.factors) < 2:
                continue
            weights = [is_weight(f) for f in part.factors]
            varies = [_varies(f) for f in part.factors]
            turned = any(isinstance(f, Transpose) and _varies(f) for f in part.factors)  # x_t^T W of columns
            if weights[-1] and any(varies) and not turned:
                rows.append((equation, part))
            elif any(weights) and varies[-1]:
                columns.append((equation, part))
    if rows and columns:
        (e, one), (f, two) = rows[0], columns[0]
        e.source.fail(
            one.tree, f"'{e.source.piece(one.tree)}' has its weight behind the vector, and "
            f"'{f.source.piece(two.tree)}' has it in front: one order is expected in all equations"
        )  # fmt: skip
    transposed = all(isinstance(f, Transpose) for _, p in rows for f in getattr(p, "factors", ()) if is_weight(f))
    return bool(rows), bool(rows) and transposed


def is_weight(e: Expr) -> bool:
    """Whether it is a matrix of parameters, or its transpose."""
    inner = e.of if isinstance(e, Transpose) else e
    return isinstance(inner, Ref) and inner.when is None and is_capital(inner.key) and inner.key != STEP_SIZE


def _varies(e: Expr) -> bool:
    return any(isinstance(p, Ref) and p.when is not None for p in e.walk())


def flipped(e: Expr, transposed: bool) -> Expr:
    """Return an expression with the products of the column convention."""

    def rule(part: Expr) -> Expr:
        if isinstance(part, Mul) and any(map(is_weight, part.factors)):
            order = sorted(range(len(part.factors)), key=lambda i: (is_weight(part.factors[i]), i))
            first = [part.factors[i] for i in order if not is_weight(part.factors[i])]
            weights = [part.factors[i] for i in reversed(order) if is_weight(part.factors[i])]
            if transposed:
                weights = [w.of if isinstance(w, Transpose) else w for w in weights]
            factors = (*first[:-1], *weights, first[-1]) if first else tuple(weights)
            return replace(part, factors=factors, kinds=("",) * (len(factors) - 1))
        return part

    return e.mapped(rule)
