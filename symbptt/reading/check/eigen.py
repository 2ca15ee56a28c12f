"""Eigenvalues: ``M v = \\lambda v`` says what its letters are, and what follows is tested with such letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..meaning.expr import Counter, Expr, Mul, Norm, Num, Pow, Ref, Transpose
from ..report import HOLDS, REFUTED, Math, message
from ..value.world import World
from .bounds import Trial
from .compare import FALSE, TRUE, test
from .definitions import EQUALITIES, number_in
from .statements import Statement
from .supposed import with_constants
from .variants import replaced
from .verdicts import Judgement


@dataclass(frozen=True)
class Decomposition:
    """What an equation of eigenvalues names.

    Attributes
    ----------
    matrix : str
        W or M.
    vectors : str
        Q or v.
    values : str
        Lambda or lambda.
    single : bool
        Whether one eigenvector is named, and not all of them.
    orthogonal : bool
        Whether the inverse of Q is its transpose.
    """

    matrix: str
    vectors: str
    values: str
    single: bool = False
    orthogonal: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.vectors, self.values})


def decomposition(statement: Statement) -> Decomposition | None:
    """Return what a statement names; None where it is no equation of eigenvalues."""
    if len(statement.operands) != 2 or statement.relations[0].kind not in EQUALITIES:
        return None
    left, right = statement.operands
    if _is_symbol(left) and isinstance(right, Mul) and len(right.factors) == 3:
        first, middle, last = right.factors
        inverse = isinstance(last, Pow) and _is_minus_one(last.exponent)
        inner = last.base if isinstance(last, Pow) and inverse else last.of if isinstance(last, Transpose) else None
        if _is_symbol(first) and inner == first and _is_symbol(middle) and middle != first:
            return Decomposition(_key(left), _key(first), _key(middle), orthogonal=not inverse)
    if isinstance(left, Mul) and isinstance(right, Mul) and len(left.factors) == len(right.factors) == 2:
        (m, v), (value, again) = left.factors, right.factors
        symbols = all(_is_symbol(s) for s in (m, v, value)) and v == again and m != value
        if symbols and _key(m)[:1].isupper() and not _key(value)[:1].isupper():
            return Decomposition(_key(m), _key(v), _key(value), single=True)
    return None


def _is_symbol(e: Expr) -> bool:
    return isinstance(e, Ref) and e.when is None


def _key(e: Expr) -> str:
    return e.key if isinstance(e, Ref) else ""


def _is_minus_one(e: Expr) -> bool:
    return number_in(e) == -1


def judge_eigen(statement: Statement, named: Sequence[Decomposition], trial: Trial) -> Judgement | None:
    """Return the verdict on an equation with eigenvalues or eigenvectors that are named before; None without them."""
    refs = {p.key for o in statement.operands for p in o.walk() if isinstance(p, Ref)}
    own = next((d for d in reversed(named) if refs & d.names), None)
    if own is None or any(k in trial.known.meanings.constants for k in own.names | {own.matrix}):
        return None
    if any(
        isinstance(p, Norm) and not isinstance(p.of, Ref | Num | Counter) for o in statement.operands for p in o.walk()
    ):
        return None
    worlds = tuple(_worlds(own, trial))
    outcome = test(statement, worlds)
    if outcome.state == TRUE:
        return Judgement(HOLDS, message("check.reason.holds-vectors", instances=outcome.worlds, tested=outcome.tested))
    difference = outcome.difference
    if outcome.state == FALSE and difference is not None and not difference.shapes:
        left, right = (statement.source(o) for o in statement.operands[difference.place : difference.place + 2])
        reason = message("check.reason.differs", left=Math(left), right=Math(right))
        return Judgement(REFUTED, reason, difference=difference)
    return None


def _worlds(own: Decomposition, trial: Trial) -> Iterator[World]:
    """Yield worlds with a matrix that has real eigenvalues."""
    name = trial.known.meanings.parameters.get(own.matrix)
    bases = [w for w, _ in trial.worlds(False)][:3] if name is not None and trial.built.networks else []
    for i, base in enumerate(bases or [World(None, trial.known.meanings, seed=trial.seed + j) for j in range(3)]):
        rng = np.random.default_rng(trial.seed + 70 + i)
        data: Any = base.instance.data if base.instance is not None else {}
        n = len(data[name]) if name in data and np.ndim(data[name]) == 2 else 2 + i % 2
        q = rng.normal(size=(n, n)) + 2 * np.eye(n)
        if own.orthogonal:
            q = np.linalg.qr(q)[0]
        values = rng.uniform(-1.2, 1.2, n)
        matrix = q @ np.diag(values) @ np.linalg.inv(q)
        chosen = (
            {own.vectors: q[:, 0], own.values: values[0]}
            if own.single
            else {own.vectors: q, own.values: np.diag(values)}
        )
        if name is None:
            yield with_constants(base, {**chosen, own.matrix: matrix})
            continue
        again = replaced(base, {name: matrix})
        if again is not None:
            yield with_constants(again, chosen)
