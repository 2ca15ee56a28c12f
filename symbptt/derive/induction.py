"""Closed forms and their proofs by induction, carried out move by move.

A proof has a base, the formula at the first step for which it is claimed, and a step, from one t to the next. Every
line is computed from the one before by the moves of :mod:`symbptt.derive.ordered`, and the last one is compared with
the formula; a proof that does not arrive there raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from .. import algebra as A
from ..algebra import nodes as N
from ..model import Network
from .closed import closed_joint, joint, local_joint, one_step_jacobian
from .forms import joint_written
from .generic import generic
from .links import links
from .ordered import absorbed, joined, need_equal, opened_first, powers, pull_in, settled
from .tidy import substitute


@dataclass(frozen=True)
class Proof:
    """A proof by induction of ``left = formula`` at every t.

    Attributes
    ----------
    left, formula : node
        What is claimed at t.
    index : sympy.Symbol
        t.
    start : sympy.Expr
        The t of the base.
    base : tuple of node
        Right sides at ``start``, the last one what the recursion gives there.
    step : tuple of node
        Right sides at t: the recursion, the formula inserted for its neighbour, and so on up to the formula.
    """

    left: Any
    formula: Any
    index: Any
    start: Expr
    base: tuple[Any, ...]
    step: tuple[Any, ...]


def induction(
    left: Any,
    formula: Any,
    t: Any,
    start: Expr,
    neighbour: Expr,
    free: Callable[[Expr], Any],
    carried: Callable[[Any], Any],
) -> Proof:
    """Prove that ``formula`` solves a(t) = free(t) + carried(a(neighbour)), a(start) = free(start).

    Parameters
    ----------
    left, formula : node
        At t.
    t : sympy.Symbol
    start, neighbour : sympy.Expr
        The step of the base, and the step before or after t whose a(t) is known by then.
    free : function of a step
        What is added at each step; where the formula is no sum (the last loss alone counts), only at ``start``.
    carried : function of node
        The product with the Jacobian at t, which is linear.

    Raises
    ------
    NoMatchError
        When the formula is no solution.
    """
    at_start = formula.xreplace({t: start})
    opened = opened_first(at_start)
    need_equal(opened, free(start), "base")
    known = formula.xreplace({t: neighbour})
    if isinstance(formula, N.TimeSum | N.MatrixTimeSum):
        term = free(t)
        factor = carried(None)
        inside = pull_in(factor, known)
        following = joined(inside)
        whole = absorbed(term, following)
        need_equal(whole, formula, "step")
        step = [A.add(term, carried(left.xreplace({t: neighbour}))), A.add(term, A.matmul(factor, known))]
        step += [A.add(term, inside), A.add(term, following), formula]
        base = [at_start, opened, settled(opened)]
    else:
        following = joined(carried(known))
        need_equal(following, formula, "step")
        step = [carried(left.xreplace({t: neighbour})), carried(known), formula]
        base = [opened, settled(opened)]
    return Proof(left, formula, t, start, tuple(base), tuple(step))


def adjoint_proof(network: Network) -> Proof:
    """Prove dL/ds_t = sum over s = t..T of (J_s ... J_{t+1})^T dl_s/ds_s, s_t the state or the joint state."""
    g, system = generic(network), network.system
    jacobian = A.transpose(one_step_jacobian(network, system.following))
    return induction(
        A.derivative(system.L, joint(system, system.t)),
        closed_joint(network, system.t),
        system.t,
        system.last,
        system.following,
        lambda when: local_joint(g, when),
        lambda known: jacobian if known is None else A.matmul(jacobian, known),
    )


def constant_jacobian(network: Network) -> Any:
    """Return the one-step Jacobian where it is one and the same matrix at every step, else None.

    >>> from symbptt.model import Network, cell, loss, whole
    >>> n, m, T = whole("n", "hidden"), whole("m", "inputs"), whole("T", "steps")
    >>> def network(name):
    ...     return Network(cell(name), n, m, None, None, loss("mse", None), "sum", T)
    >>> constant_jacobian(network("linear")), constant_jacobian(network("tanh"))
    (W_h, None)
    """
    system, known = network.system, links(network)
    if len(system.states) > 1 or len(known) != 1 or A.rank_of(system.at(system.states[0])) != 1:
        return None
    jacobian = known[0].jacobian
    plain = not isinstance(jacobian, N.MatrixProduct | N.Scale | N.MatrixNegative | A.Identity)
    return jacobian if plain and not _over_time(jacobian) else None


def _over_time(expr: Any) -> bool:
    return isinstance(expr, A.MatrixAt | A.ScalarAt) or any(_over_time(a) for a in expr.args)


def in_powers(network: Network, expr: Any, matrix: Any) -> Any:
    """Write products of one-step Jacobians as powers of the matrix that they all are, local parts filled in."""

    def filled(e: Any) -> Any:
        if isinstance(e, A.Jacobian) and isinstance(e.of, A.MatrixAt):
            return matrix if e == one_step_jacobian(network, e.of.when) else e
        if not e.args or isinstance(e, A.MatrixAt | A.ScalarAt | A.Gradient | A.ScalarDerivative):
            return e
        if isinstance(e, N.Bound):
            return e.func(filled(e.body), e.index, e.lower, e.upper)
        return e.func(*map(filled, e.args))

    return powers(filled(expr))


def power_proof(network: Network) -> Proof | None:
    """Prove the closed form in powers of the transposed Jacobian, where that is constant, local parts filled in."""
    matrix = constant_jacobian(network)
    if matrix is None:
        return None
    g, system = generic(network), network.system
    back = A.expand_transpose(matrix)
    formula = in_powers(network, closed_joint(network, system.t), matrix)
    formula = _bodywise(formula, g.fill_local)
    return induction(
        A.derivative(system.L, joint(system, system.t)),
        formula,
        system.t,
        system.last,
        system.following,
        lambda when: g.fill_local(local_joint(g, when)),
        lambda known: back if known is None else A.matmul(back, known),
    )


def _bodywise(expr: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(expr, N.TimeSum | N.MatrixTimeSum):
        return expr.func(change(expr.body), expr.index, expr.lower, expr.upper)
    return change(expr)


def written(network: Network, expr: Any) -> Any:
    """Return the one-step Jacobian of the state or the joint state at t, written out, for its symbol."""
    system = network.system
    symbol = one_step_jacobian(network, system.t)
    if len(system.states) == 1 and len(links(network)) == 1:
        return substitute(expr, {symbol: links(network)[0].jacobian})
    return substitute(expr, {symbol: joint_written(network, system.t)})
