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
from .generic import generic
from .influence import direct, forward_gradient, immediate, recurrent_parameters, solved
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
        How many numbers it keeps: states of all steps, or influence matrices of one step.
    step : sympy.Expr
        Multiplications for each step.
    counted : tuple of node
        The expressions whose multiplications are counted, at a step.
    """

    kept: Expr
    step: Expr
    counted: tuple[Any, ...]


def bptt_cost(network: Network) -> Cost:
    """Return the cost of the adjoint recursion and of the shares of the recurrent parameters, as derived.

    >>> from symbptt.model import Network, cell, loss, whole
    >>> n, m, T = whole("n", "hidden"), whole("m", "inputs"), whole("T", "steps")
    >>> network = Network(cell("linear"), n, m, None, None, loss("mse", None), "sum", T)
    >>> bptt_cost(network).kept, bptt_cost(network).step, rtrl_cost(network).kept, rtrl_cost(network).step
    (T*n, m*n + 2*n**2, m*n**2 + n**3 + n**2, m*n**3 + n**4 + n**3)
    """
    g, system = generic(network), network.system
    cell = [e.left for e in system.stage(CELL)]
    kept = system.steps * sum((sympy.Mul(*A.shape_of(left)) for left in cell), start=S.Zero)
    shares = (g.parameters[key].terms for key in recurrent_parameters(network))
    counted = [term.expr for adjoint in g.adjoints.values() for term in adjoint.terms if term.equation is not None]
    counted += [term.expr for terms in shares for term in terms]
    return _cost(kept, counted)


def rtrl_cost(network: Network) -> Cost:
    """Return the cost of carrying the influence matrices: the products of the one-step Jacobian with each of them."""
    from .closed import one_step_jacobian
    from .influence import total

    system = network.system
    carried = [total(network, key, system.previous) for key in recurrent_parameters(network)]
    kept = sum((sympy.Mul(*A.shape_of(p)) for p in carried), start=S.Zero)
    return _cost(kept, [A.matmul(one_step_jacobian(network, system.t), p) for p in carried])


def _cost(kept: Expr, counted: list[Any]) -> Cost:
    step = sum(map(multiplications, counted), start=S.Zero)
    return Cost(sympy.expand(kept), sympy.expand(step), tuple(counted))


def multiplications(expr: Any) -> Expr:
    """Return how many multiplications an expression takes, from the shapes of its parts, products from the right.

    >>> from symbptt.algebra import Parameter, Variable, index, matmul, hadamard, size
    >>> n, t = size("n"), index("t")
    >>> W, h = Parameter("W", n, n), Variable("h", n, 1)
    >>> multiplications(matmul(W, hadamard(h[t], h[t])))
    n**2 + n
    """
    inside = sum((multiplications(a) for a in expr.args if _counts(a)), start=S.Zero)
    rule = _OWN.get(type(expr))
    return inside + rule(expr) if rule else inside


def _counts(expr: Any) -> bool:
    leaves = (A.MatrixAt, A.ScalarAt, A.Gradient, A.Jacobian, A.ScalarDerivative, A.Parameter, A.ElementwiseFunction)
    return not isinstance(expr, leaves)


def _size(expr: Any) -> Expr:
    return sympy.Mul(*A.shape_of(expr))


def _chain(expr: Any) -> Expr:
    """Products from the right: (a x b) times (b x c) takes a b c; by a diagonal matrix a c."""
    columns = A.shape_of(expr.args[-1])[1]
    return sum((columns * _row_cost(factor) for factor in expr.args[:-1]), start=S.Zero)


def _row_cost(factor: Any) -> Expr:
    return A.shape_of(factor)[0] if isinstance(factor, N.Diag) else _size(factor)


_OWN: dict[type, Any] = {
    N.MatrixProduct: _chain,
    N.Hadamard: lambda e: (len(e.args) - 1) * _size(e),
    N.HadamardQuotient: _size,
    N.Scale: _size,
    N.Times: lambda e: sympy.Integer(len(e.args) - 1),
    N.Quotient: lambda e: S.One,
    N.Outer: _size,
    N.Inner: lambda e: _size(e.args[0]),
    N.SquaredNorm: lambda e: _size(e.args[0]),
    N.Power: lambda e: S.One,
    N.HadamardPower: _size,
}
