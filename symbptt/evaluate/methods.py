"""Path expansion and the recursion put to the test: both multiplied out, chains counted, costs counted again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import sympy
from sympy import Dummy, Expr, Integer, Symbol

from .. import algebra as A
from ..algebra import nodes as N
from ..algebra.rounding import literals_of
from ..derive.methods import METHODS
from ..derive.steps import Step
from ..model import Network
from .claims import check_equality, instances
from .instance import Instance

Outcome: TypeAlias = "tuple[bool, str]"

# -- multiplying out ----------------------------------------------------------------------------------


class Expander:
    """Multiplies expressions out, to a sum of ordered products of what is not opened up.

    Scalars commute, vectors and matrices do not; equal parts become equal symbols. Two expressions that come out
    equal are equal whatever these parts stand for.

    Examples
    --------
    >>> from symbptt.algebra import Parameter, Variable
    >>> W, h = Parameter("W", 3, 3), Variable("h", 3, 1)
    >>> same = Expander()
    >>> bool(same.expanded(W @ (h[1] + W @ h[2])) == same.expanded(W @ h[1] + W @ W @ h[2]))
    True
    >>> bool(same.expanded(W @ W.T @ h[1]) == same.expanded(W.T @ W @ h[1]))
    False
    """

    def __init__(self) -> None:
        self.symbols: dict[Any, Any] = {}

    def expanded(self, expr: Any) -> Expr:
        """Return an expression multiplied out."""
        return sympy.expand(self._read(expr, False))

    def _read(self, expr: Any, transposed: bool) -> Expr:
        if isinstance(expr, N.Plus | N.MatrixPlus):
            return sympy.Add(*(self._read(a, transposed) for a in expr.args))
        if isinstance(expr, N.Negative | N.MatrixNegative):
            return -self._read(expr.args[0], transposed)
        if isinstance(expr, N.Times | N.Scale):
            return sympy.Mul(*(self._read(a, transposed) for a in expr.args))
        if isinstance(expr, N.MatrixProduct):
            factors = [self._read(a, transposed) for a in expr.args]
            return sympy.Mul(*(reversed(factors) if transposed else factors))
        if isinstance(expr, N.Transposed):
            return self._read(expr.args[0], not transposed)
        if isinstance(expr, N.Power) and expr.args[1].is_Integer and expr.args[1] >= 0:
            return self._read(expr.args[0], transposed) ** expr.args[1]
        if isinstance(expr, Expr) and expr.is_Number:
            return expr
        key = (expr, transposed and bool(A.shape_of(expr)))
        return self.symbols.setdefault(key, Dummy(f"a{len(self.symbols):03d}", commutative=not A.shape_of(expr)))


def proved(step: Step, network: Network, seed: int) -> Outcome:
    """Multiply out both sides of a line, and of the same for other numbers of steps; then put numbers in.

    The numbers are those of an instance of the network with as many steps as the line has.
    """
    facts = dict(step.facts)
    for line in step.chain[1:]:
        if not same_sum(step.chain[0].expr, line.expr):
            return False, f"multiplied out, {line.expr} is not {step.chain[0].expr}"
    for steps, nested, chains in facts["pairs"]:
        if not same_sum(nested, chains):
            return False, f"for T = {steps} the recursion is not the sum of the chains"
    found = instances(replace(network, steps=facts["length"]), seed, count=1)
    for number, line in enumerate(step.chain, start=1):
        if not check_equality(found, step.left, line.expr, {}):
            return False, f"line {number} does not have the value of the left side for T = {facts['length']}"
    known = sorted({int(steps) for steps, _, _ in facts["pairs"]})
    return True, f"multiplied out for T = {known[0]} to {known[-1]}" if known else "multiplied out"


def same_sum(left: Any, right: Any) -> bool:
    """Whether two expressions are equal when they are multiplied out."""
    one = Expander()
    return bool(sympy.expand(one.expanded(left) - one.expanded(right)) == 0)


# -- counts -------------------------------------------------------------------------------------------


def chains_of(steps: int, last: bool) -> Iterator[tuple[int, int]]:
    """Yield (distance from the start of the loss, of the state) for every chain of a network of T steps."""
    for s in range(steps - 1 if last else 0, steps):
        for t in range(s + 1):
            yield s, t


_NUMBERS: dict[str, Callable[[int, bool], int]] = {
    "cost.pairs": lambda steps, last: sum(1 for _ in chains_of(steps, last)),
    "cost.links": lambda steps, last: sum(s - t for s, t in chains_of(steps, last)),
}
"""Key of a step -> the number that it states, counted one by one."""


def counted(step: Step, network: Network, seed: int) -> Outcome:
    """Count again, one by one, and find by measurement which losses depend on which states."""
    last = network.reduction == "last"
    T = network.steps
    for steps in [int(T)] if T.is_Integer else range(1, 9):
        true = _NUMBERS[step.key](steps, last)
        for expr in (step.left, *(line.expr for line in step.chain)):
            value = _arithmetic(expr.xreplace({T: Integer(steps)}) if isinstance(T, Symbol) else expr)
            if value != true:
                return False, f"{expr} is {value} for T = {steps}, but there are {true}"
    return _measured(network, seed, last)


def _arithmetic(expr: Any) -> Any:
    """Evaluate sums, products and powers of whole numbers."""
    if isinstance(expr, N.TimeSum):
        steps = range(int(expr.lower), int(expr.upper) + 1)
        return sum(_arithmetic(expr.body.xreplace({expr.index: Integer(k)})) for k in steps)
    return expr.doit()


def _measured(network: Network, seed: int, last: bool) -> Outcome:
    """Compare the pairs (s, t) that are counted with those for which dl_s/ds_t is not zero."""
    instance = instances(replace(network, steps=Integer(4)), seed, count=1)[0]
    order = instance.base.order()
    wanted = {(order[s], order[t]) for s, t in chains_of(4, last)}
    seen = {(s, t) for s, t in _all_pairs(order, last) if np.any(instance.evaluate(_share(instance, s, t), {}))}
    kinked = np.isfinite(instance.margin)
    if seen == wanted or (kinked and seen < wanted):
        return True, "counted one by one, and found by measurement"
    return False, f"losses depend on states for the pairs {sorted(seen)}, not {sorted(wanted)}"


def _all_pairs(order: list[int], last: bool) -> Iterator[tuple[int, int]]:
    for s in order[-1:] if last else order:
        for t in order:
            yield s, t


def _share(instance: Instance, s: int, t: int) -> Any:
    system = instance.system
    of = system.L if system.reduction == "last" else system.at("l", Integer(s))
    return A.derivative(of, _state(instance, t))


def _state(instance: Instance, t: int) -> Any:
    return A.concat(*(instance.system.at(name, Integer(t)) for name in instance.system.states))


# -- costs --------------------------------------------------------------------------------------------

_COUNTS: dict[str, Callable[[int, bool], int]] = {
    "independent": lambda steps, last: sum(s - t for s, t in chains_of(steps, last)),
    "shared": lambda steps, last: sum(1 for s, t in chains_of(steps, last) if s > t),
    "recursion": lambda steps, last: len({t for s, t in chains_of(steps, last) if t < steps - 1}),
}
"""Method -> its products of a Jacobian with a vector: one for each link of each chain, each chain longer than one
state, each step with a next one."""


def tabulated(step: Step, network: Network, seed: int) -> Outcome:
    """Count all costs again, fit the exponents again, and see that each method gives the gradient."""
    facts = dict(step.facts)
    square, last = int(facts["square"]), network.reduction == "last"
    lengths = [int(t) for t in facts["lengths"]]
    for method, (_, formula, *counts, exponent) in zip(facts["methods"], facts["rows"], strict=True):
        for t in {*lengths, *range(1, 13)}:
            true = square * _COUNTS[method](t, last)
            for stated in (_with(formula, t), *(c for length, c in zip(lengths, counts, strict=False) if length == t)):
                if stated != true:
                    return False, f"{method}, T = {t}: {true} multiplications, not {stated}"
        for t, stated in zip(facts["later"], counts[len(lengths) :], strict=True):
            if stated != _with(formula, t):
                return False, f"{method}, T = {t}: {_with(formula, t)} multiplications, not {stated}"
        fitted = _exponent([(t, int(n)) for t, n in zip(lengths, counts, strict=False) if n])
        if abs(float(literals_of(exponent).value) - fitted) > 0.0051:
            return False, f"{method}: the exponent is {fitted:.4f}, not {exponent}"
    return _gives_the_gradient(network, seed)


def _with(formula: Any, steps: int) -> Any:
    return _arithmetic(formula.xreplace({symbol: Integer(steps) for symbol in formula.free_symbols}))


def _exponent(counts: list[tuple[int, int]]) -> float:
    x, y = np.log(np.array(counts[-3:], dtype=float)).T
    return float(np.polyfit(x, y, 1)[0])


def _gives_the_gradient(network: Network, seed: int) -> Outcome:
    """Carry out each method with the measured derivatives of single steps, and compare with the measured dL/ds_t."""
    instance = instances(replace(network, steps=Integer(4)), seed, count=1)[0]
    system, order = instance.system, instance.base.order()
    states = [_state(instance, t) for t in order]
    links = [np.atleast_2d(instance.evaluate(A.derivative(after, before), {})) for before, after in pairwise(states)]
    last = network.reduction == "last"
    weight = 0.25 if network.reduction == "mean" else 1.0
    locals_ = [weight * np.atleast_1d(instance.evaluate(_share(instance, t, t), {})) for t in order]
    losses = [3] if last else range(4)
    for name, method in METHODS.items():
        for state, value in zip(states, method(links, locals_, losses), strict=True):
            true = np.atleast_1d(instance.evaluate(A.derivative(system.L, state), {}))
            if not np.allclose(value, true, rtol=1e-9, atol=1e-11):
                return False, f"{name}: {value} is not {true}, the gradient by {state}"
    return True, "counted again; each method gives the gradient"
