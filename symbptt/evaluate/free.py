"""Claims about any vectors and matrices, put to the test at random ones; no network is in them.

A step names them in the fact ``free``. With ``assume`` it claims something only where a relation holds; with ``laws``
a matrix is not arbitrary but orthogonal, or has random entries over which expectations are taken: independent, with
mean 0 and one variance. Such an expectation of a quadratic expression depends on nothing else, so that it is taken
exactly, over all choices of signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import numpy as np
import sympy
from sympy import Symbol

from .. import algebra as A
from ..derive.steps import Line, Step
from .measured import _HOLDS
from .numbers import NumberDomain, value_of

TRIALS = 12
SIZES = (2, 3)
"""Smallest and largest size; all sign matrices of 3 x 3 are 512."""

ORTHOGONAL, SIGNS = "orthogonal", "signs"


class FreeDomain(NumberDomain):
    """Values for the free leaves; expectations go over all sign matrices of those that are random."""

    def __init__(self, values: dict[Any, Any], bindings: dict[str, int], signs: dict[Any, Any]) -> None:
        super().__init__(bindings)
        self.values, self.signs = values, signs

    def leaf(self, leaf: Any) -> Any:
        return self.values[leaf] if leaf in self.values else super().leaf(leaf)

    def moment(self, expectation: Any) -> Any:
        """Return an expectation: the mean over all signs of the entries of the random matrices."""
        inner = expectation.args[0]
        total, count = 0.0, 0
        for chosen in self._choices():
            domain = FreeDomain({**self.values, **chosen}, self.bindings, {})
            total, count = total + value_of(inner, domain), count + 1
        return total / count

    def _choices(self) -> Iterator[dict[Any, Any]]:
        leaves = list(self.signs)
        sizes = [int(np.prod(self.signs[leaf][1])) for leaf in leaves]
        for signs in product((-1.0, 1.0), repeat=sum(sizes)):
            found, start = {}, 0
            for leaf, size in zip(leaves, sizes, strict=True):
                deviation, shape = self.signs[leaf]
                found[leaf] = deviation * np.reshape(signs[start : start + size], shape)
                start += size
            yield found


def check_free(step: Step, seed: int) -> tuple[bool, str]:
    """Put every relation of a chain to the test at random values of the free leaves.

    Parameters
    ----------
    step : Step
    seed : int

    Returns
    -------
    ok : bool
    detail : str
    """
    rng = np.random.default_rng(seed)
    facts = dict(step.facts)
    lines = (Line("=", step.left), *step.chain)
    checked = 0
    for _ in range(20 * TRIALS):
        domain = _drawn(facts, rng)
        if "assume" in facts and not _holds(domain, *facts["assume"]):
            continue
        for before, line in pairwise(lines):
            if not _holds(domain, before.expr, line.sign, line.expr):
                a, b = (np.round(value_of(e, domain), 6) for e in (before.expr, line.expr))
                return False, f"{a} {line.sign} {b} does not hold"
        checked += 1
        if checked == TRIALS:
            break
    return checked > 0, f"tried at {checked} random values" if checked else "could not be tried"


def _holds(domain: FreeDomain, left: Any, sign: str, right: Any) -> bool:
    a, b = (np.asarray(value_of(side, domain), dtype=float) for side in (left, right))
    if a.shape != b.shape:
        return False
    return all(bool(_HOLDS[sign](x, y)) for x, y in zip(a.ravel(), b.ravel(), strict=True))


def _drawn(facts: dict[str, Any], rng: Any) -> FreeDomain:
    leaves = facts["free"]
    laws = dict(facts.get("laws") or ())
    names = sorted({s.name for leaf in leaves for size in A.shape_of(leaf) for s in size.free_symbols})
    bindings = {name: int(rng.integers(SIZES[0], SIZES[1] + 1)) for name in names}
    values: dict[Any, Any] = {}
    signs: dict[Any, Any] = {}
    for leaf in leaves:
        shape = tuple(int(sympy.sympify(size).xreplace(_sizes(size, bindings))) for size in A.shape_of(leaf))
        shape = shape[: A.rank_of(leaf)] if shape else ()
        law = laws.get(leaf)
        if law == ORTHOGONAL:
            values[leaf] = np.linalg.qr(rng.standard_normal(shape))[0]
        elif law is not None:
            signs[leaf] = (law, shape)
        else:
            values[leaf] = rng.standard_normal(shape) if shape else float(rng.uniform(0.2, 2.0))
    found = {leaf: (values[deviation], shape) for leaf, (deviation, shape) in signs.items()}
    return FreeDomain(values, bindings, found)


def _sizes(size: Any, bindings: dict[str, int]) -> dict[Any, Any]:
    return {s: sympy.Integer(bindings[s.name]) for s in size.free_symbols if isinstance(s, Symbol)}
