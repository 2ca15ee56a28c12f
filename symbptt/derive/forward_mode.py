"""Forward mode (real-time recurrent learning) beside BPTT: their equality, and what both cost.

References
----------
Williams and Zipser, "A learning algorithm for continually running fully recurrent neural networks", Neural
Computation 1, 1989.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, S

from .. import algebra as A
from ..algebra import nodes as N
from ..model import CELL, Network
from .closed import closed_joint, joint, local_joint, loss_index
from .counting import bptt_multiplications, polynomial, rtrl_multiplications
from .generic import generic
from .influence import direct, forward_gradient, immediate, recurrent_parameters, solved, total
from .ordered import exchanged, need_equal, pulled_out


def equality_with_bptt(network: Network, key: str) -> tuple[Any, ...]:
    """Return the lines from the gradient of forward mode to that of BPTT, each computed from the one before.

    The solved influence matrices are inserted, the order of summation is exchanged, and what is left inside is the
    closed form of the adjoint.

    Raises
    ------
    NoMatchError
        When the two do not agree.
    """
    g, system = generic(network), network.system
    t = system.t
    s = loss_index(system, t)
    last = system.reduction == "last"
    when = system.end if last else t
    inserted = solved(network, key, when)
    body = A.matmul(_transposed(inserted.body), local_joint(g, when))
    inner = A.time_sum(body, inserted.index, inserted.lower, inserted.upper)
    back = _transposed(immediate(network, key, s))
    adjoint = A.derivative(system.L, joint(system, s))
    after = A.time_sum(A.matmul(back, adjoint), s, S.One, system.steps)
    if last:
        need_equal(body, A.matmul(back, closed_joint(network, s)), "adjoint")
        lines = [inner, after]
    else:
        double = A.time_sum(inner, t, S.One, system.steps)
        swapped = exchanged(double)
        outside = A.time_sum(pulled_out(swapped.body), s, S.One, system.steps)
        need_equal(outside.body, A.matmul(back, closed_joint(network, s)), "adjoint")
        lines = [double, swapped, outside, after]
    beside = _beside(network, key)
    bptt = A.vec(g.parameter_sum(key))
    return (forward_gradient(network, key), *(A.add(line, beside) for line in lines), bptt)


def _transposed(expr: Any) -> Any:
    """(A B)^T = B^T A^T, ordered products as they are."""
    if isinstance(expr, N.MatrixProduct):
        return A.matmul(*map(A.transpose, reversed(expr.args)))
    return A.transpose(expr)


def _beside(network: Network, key: str) -> Any:
    """The sum of what a parameter does to the losses beside the states."""
    system = network.system
    share = direct(network, key, system.end if system.reduction == "last" else system.t)
    if A.is_zero(share):
        return A.zero_like(A.vec(share))
    return A.vec(share) if system.reduction == "last" else A.time_sum(A.vec(share), system.t, S.One, system.steps)


# -- cost ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What a method costs, in sizes and T.

    Attributes
    ----------
    kept : sympy.Expr
        How many numbers it keeps: what the cell computes at all steps, or the influence matrices of one step.
    step : sympy.Expr
        Multiplications for each step, counted by carrying it out.
    """

    kept: Expr
    step: Expr


def bptt_cost(network: Network) -> Cost:
    """Return the cost of the backward sweep.

    >>> from symbptt.model import Network, cell, loss, whole
    >>> n, m, T = whole("n", "hidden"), whole("m", "inputs"), whole("T", "steps")
    >>> linear = Network(cell("linear"), n, m, None, None, loss("mse", None), "last", T)
    >>> bptt_cost(linear)
    Cost(kept=T*n, step=m*n + 2*n**2)
    >>> rtrl_cost(linear)
    Cost(kept=n*(m*n + n**2 + n), step=m*n**3 + n**4 + n**3)
    """
    system = network.system
    computed = sum((sympy.Mul(*A.shape_of(e.left)) for e in system.stage(CELL)), start=S.Zero)
    return Cost(system.steps * computed, polynomial(bptt_multiplications, network))


def rtrl_cost(network: Network) -> Cost:
    """Return the cost of carrying the influence matrices of all parameters that the states depend on."""
    shapes = [A.shape_of(total(network, key, network.system.t)) for key in recurrent_parameters(network)]
    entries = sum((columns for _, columns in shapes), start=S.Zero)
    return Cost(sympy.Mul(shapes[0][0], entries), polynomial(rtrl_multiplications, network))
