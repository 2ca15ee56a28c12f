"""Equalities that are put to the test at numeric instances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Symbol

from .. import algebra as A
from ..model import Network
from .draw import size_names
from .forward import NoSuchStepError
from .instance import Instance
from .numbers import Array, NumberDomain

RTOL, ATOL = 1e-9, 1e-11
"""How far two sides may differ: relative to their largest entry, and absolutely."""

Range = tuple[Any, Any]
"""Lowest and highest value of a time index, as expressions."""


@dataclass(frozen=True)
class Verdict:
    """What came of a test.

    Attributes
    ----------
    ok : bool
        Whether no instance contradicts the equality.
    error : float
        The largest difference seen, relative to the larger side; infinite where the shapes differ.
    where : str
        The instance and indices of the first contradiction; empty where there is none.
    left_value, right_value : array or None
        Both sides there.
    checked : int
        In how many cases both sides were compared; with none, ``ok`` means nothing.
    reason : str
        Why a side has no value, or that the shapes differ.
    """

    ok: bool
    error: float = 0.0
    where: str = ""
    left_value: Array | None = None
    right_value: Array | None = None
    checked: int = 0
    reason: str = ""

    def __bool__(self) -> bool:
        return self.ok and self.checked > 0


@dataclass(frozen=True)
class Claim:
    """``left == right`` for all values of the free time indices in their ranges.

    Attributes
    ----------
    left, right : node
    ranges : tuple of (index, (low, high))
        Empty: every free time index from 1 to T. A range may use the indices before it.

    Examples
    --------
    >>> from symbptt.model import Network, cell, loss, whole
    >>> sizes = whole("n", "hidden"), whole("m", "inputs"), whole("q", "outputs")
    >>> net = Network(cell("tanh"), *sizes, "linear", loss("mse", "linear"), "sum", whole("T", "steps"))
    >>> W, h, z, t = net.system.parameters["W_h"], *(net.system.variables[v] for v in "hz"), net.system.t
    >>> slope = A.diag(1 - A.hadamard(h[t], h[t]))
    >>> bool(Claim(A.derivative(h[t], h[t - 1]), slope @ W).check(instances(net)))
    True
    >>> Claim(A.derivative(h[t], h[t - 1]), W @ slope).check(instances(net)).where
    'n = 2, m = 4, q = 3, T = 3, t = 1'
    """

    left: Any
    right: Any
    ranges: tuple[tuple[Any, Range], ...] = ()

    def check(self, instances: Iterable[Instance] | Instance) -> Verdict:
        """Put both sides to the test at some instances."""
        return check_equality(instances, self.left, self.right, dict(self.ranges) or None)


def instances(network: Network, seed: int = 0, count: int = 3, steps: Sequence[int] = (3, 4, 1)) -> list[Instance]:
    """Return random instances with different sizes (at least 2, so that a wrong transpose shows) and numbers of steps.

    Parameters
    ----------
    network : Network
    seed : int
    count : int
    steps : sequence of int
        Values of a symbolic T, in turn.
    """
    names = size_names(network)
    made = []
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        sizes = dict(zip(names, (int(s) + 2 for s in rng.permutation(len(names))), strict=True))
        total = steps[k % len(steps)] if isinstance(network.system.steps, Symbol) else None
        made.append(Instance(network, seed=seed * 1000 + k, sizes=sizes, steps=total))
    return made


def check_equality(
    instances: Iterable[Instance] | Instance,
    left: Any,
    right: Any,
    free_indices: Mapping[Any, Range] | Sequence[Any] | None = None,
    rtol: float = RTOL,
    atol: float = ATOL,
    keep: Callable[[Instance, dict[str, int]], bool] | None = None,
) -> Verdict:
    """Compare two sides at every admissible value of the free time indices.

    Parameters
    ----------
    instances : Instance or iterable of Instance
    left, right : node
    free_indices : mapping or sequence, optional
        Index -> (low, high), expressions in sizes, T and the indices before it; or indices, which then run from
        1 to T. Every free index of both sides by default.
    rtol, atol : float
    keep : callable, optional
        Which values of the indices are admissible, of those in their ranges.

    Notes
    -----
    An instance with fewer steps than a step that is written out as a number (``h[3]``) does not count.
    """
    worst, checked = 0.0, 0
    for instance in [instances] if isinstance(instances, Instance) else instances:
        after = any(scan.direction == -1 for scan in instance.system.scans)
        if written_steps(left, right) > instance.steps + after:
            continue
        for indices in _cases(instance, _ranges(instance, left, right, free_indices)):
            if keep is not None and not keep(instance, indices):
                continue
            verdict = _compare(instance, left, right, indices, rtol, atol)
            worst, checked = max(worst, verdict.error), checked + 1
            if not verdict.ok:
                return Verdict(**{**verdict.__dict__, "error": worst, "checked": checked})
    return Verdict(True, worst, checked=checked)


def _ranges(instance: Instance, left: Any, right: Any, given: Any) -> list[tuple[str, Range]]:
    whole = (sympy.S.One, instance.system.steps)
    if isinstance(given, Mapping):
        return [(str(k), v) for k, v in given.items()]
    names = map(str, given) if given is not None else _free_indices(instance, left, right)
    return [(name, whole) for name in names]


def _free_indices(instance: Instance, *sides: Any) -> list[str]:
    known = {*instance.bindings, *instance.system.parameters, instance.system.L.name}
    free = {s for side in sides for s in side.free_symbols if isinstance(s, Symbol) and s.is_integer}
    return sorted({s.name for s in free} - known)


def _cases(instance: Instance, ranges: list[tuple[str, Range]], fixed: Any = None) -> Iterator[dict[str, int]]:
    fixed = fixed or {}
    if not ranges:
        yield fixed
        return
    (name, bounds), rest = ranges[0], ranges[1:]
    domain = NumberDomain({**instance.bindings, **fixed})
    low, high = (domain.size(sympy.sympify(b)) for b in bounds)
    for step in range(low, high + 1):
        yield from _cases(instance, rest, {**fixed, name: step})


def written_steps(*sides: Any) -> int:
    """Return the largest step that is written out as a number."""
    parts = [p for side in sides for p in sympy.preorder_traversal(side) if isinstance(p, A.MatrixAt | A.ScalarAt)]
    return max((int(p.when) for p in parts if p.when.is_Integer), default=0)


def _compare(instance: Instance, left: Any, right: Any, indices: dict[str, int], rtol: float, atol: float) -> Verdict:
    where = _where(instance, indices)
    try:
        a, b = (instance.evaluate(side, indices) for side in (left, right))
    except NoSuchStepError as error:
        return Verdict(False, np.inf, where, reason=str(error))
    x, y = _as_columns(a), _as_columns(b)
    if x.shape != y.shape:
        return Verdict(False, np.inf, where, a, b, reason=f"the shapes differ: {np.shape(a)} and {np.shape(b)}")
    difference = float(np.abs(x - y).max(initial=0.0))
    scale = float(max(np.abs(x).max(initial=0.0), np.abs(y).max(initial=0.0)))
    if difference <= atol + rtol * scale:
        return Verdict(True, difference / max(scale, 1.0))
    return Verdict(False, difference / scale if scale else np.inf, where, a, b)


def _as_columns(value: Array) -> Array:
    """Return a matrix; a vector is a column."""
    array = np.asarray(value, dtype=float)
    return array.reshape(-1, 1) if array.ndim < 2 else array


def _where(instance: Instance, indices: dict[str, int]) -> str:
    order = {"n": 0, "m": 1, "q": 2, "T": 4}
    sizes = sorted(instance.bindings.items(), key=lambda item: (order.get(item[0], 3), item[0]))
    shown = {**dict(sizes), **indices}
    return ", ".join(f"{k} = {v}" for k, v in shown.items())
