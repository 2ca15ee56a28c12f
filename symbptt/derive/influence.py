"""Influence matrices ds_t/dvec(W): how the state, or the joint state, of a step depends on a parameter.

The total influence obeys ds_t/dvec(W) = b_t + c_t ds_{t-1}/dvec(W), with the immediate influence b_t, all earlier
states held fixed, and the one-step Jacobian c_t. Solved, it is the sum over s = 1..t of c_t ... c_{s+1} b_s. Matrices
are stacked by columns; by a scalar parameter the influence is a vector.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sympy import Expr, S

from .. import algebra as A
from ..algebra import nodes as N
from ..algebra.scalar import to_scalar
from ..errors import RefusedError, UnknownNameError, nearest
from ..model import CELL, LOSS, READOUT, Network, System
from .closed import _local, check_closed, joint, local_joint, loss_index, one_step_jacobian, span, within_step
from .forms import _when
from .generic import generic
from .induction import Proof, constant_jacobian, in_powers, induction, written
from .links import links, with_numbers_filled
from .ordered import powers
from .tidy import as_written, substitute

FORMS = ("recursive", "closed")


def check_influence(network: Network) -> None:
    """Raise where there are no influence matrices: a state is a matrix, or none of the forms of ``closed`` is known.

    Raises
    ------
    RefusedError
    """
    system = network.system
    if any(A.rank_of(system.at(name)) != 1 for name in system.states):
        raise RefusedError("no influence matrices: every state must be a vector; use model.gradient")
    check_closed(network)
    try:
        for key in recurrent_parameters(network):
            immediate_written(network, key)
    except A.NoJacobianError as error:
        raise RefusedError(f"no influence matrices: {error}; use model.gradient") from None


@lru_cache(maxsize=64)
def recurrent_parameters(network: Network) -> tuple[str, ...]:
    """Return the parameters that the states depend on; the others act on the loss of their own step alone."""
    system = network.system
    return tuple(
        key
        for key, symbol in system.parameters.items()
        if any(_reaches(system, system.by_name[name].right, symbol) for name in system.states)
    )


def _reaches(system: System, expr: Any, symbol: Any) -> bool:
    inner = (e for e in system.stage(CELL) if e.name not in system.states and A.depends(expr, e.left))
    return A.depends(expr, symbol) or any(_reaches(system, e.right, symbol) for e in inner)


def total(network: Network, key: str, when: Expr) -> Any:
    """Return the symbol ds_t/dvec(W)."""
    system = network.system
    return A.derivative(joint(system, when), system.parameters[key])


def immediate(network: Network, key: str, when: Expr) -> Any:
    """Return the symbol of the immediate influence, all earlier states held fixed."""
    system = network.system
    return A.derivative(joint(system, when), system.parameters[key], A.IMMEDIATE)


@lru_cache(maxsize=256)
def immediate_written(network: Network, key: str) -> Any:
    """Return the immediate influence at t, through the intermediate variables of the step: diag(f') (h^T kron I).

    Raises
    ------
    NoJacobianError
        Where a path passes through a matrix.
    """
    system, symbol = network.system, network.system.parameters[key]
    rows = []
    for name in system.states:
        path = _path(system, system.by_name[name].right, symbol)
        found = A.no_influence(system.at(name), symbol) if path is None else path
        rows.append(as_written(found, system.equations))
    whole = A.concat(*rows)
    same = [k for k in links(network) if k.lag == "same"]
    if not same:
        return whole
    within = substitute(within_step(network, system.t), {k.symbol: k.jacobian for k in same})
    return A.matmul(within, whole)


def _path(system: System, expr: Any, symbol: Any) -> Any:
    """d expr / d vec(symbol), through intermediate variables of the step and no state."""
    expr = with_numbers_filled(system, expr)
    terms = [A.influence(expr, symbol)] if A.depends(expr, symbol) else []
    for equation in system.stage(CELL):
        if equation.name in system.states or not A.depends(expr, equation.left):
            continue
        inner = _path(system, equation.right, symbol)
        if inner is None:
            continue
        if A.rank_of(equation.left) != 1:
            raise A.NoJacobianError(f"the influence of {symbol} passes through {equation.left}, which is no vector")
        terms.append(A.matmul(A.jacobian(expr, equation.left), inner))
    return A.add(*terms) if terms else None


def through_middle(network: Network, key: str) -> Any:
    """Return (dh_t/dz_t) (dz_t/dvec(W)) where the one path passes through one intermediate variable, else None."""
    system, symbol = network.system, network.system.parameters[key]
    if len(system.states) > 1:
        return None
    state = system.by_name[system.states[0]]
    middles = [
        e
        for e in system.stage(CELL)
        if e.name not in system.states and A.depends(state.right, e.left) and _reaches(system, e.right, symbol)
    ]
    if len(middles) != 1 or A.depends(state.right, symbol) or A.rank_of(middles[0].left) != 1:
        return None
    middle = middles[0].left
    return A.matmul(A.derivative(state.left, middle), A.derivative(middle, symbol, A.IMMEDIATE))


def recursive(network: Network, key: str, when: Expr) -> Any:
    """Return b_t + c_t ds_{t-1}/dvec(W), b_t and c_t as symbols; at the first step b_t alone."""
    system = network.system
    free = immediate(network, key, when)
    if when == system.first:
        return free
    carried = A.matmul(one_step_jacobian(network, when), total(network, key, when - system.direction))
    return A.add(free, carried)


def recursive_written(network: Network, key: str) -> Any:
    """Return the recursion at t with b_t and c_t written out."""
    t = network.system.t
    expr = substitute(recursive(network, key, t), {immediate(network, key, t): immediate_written(network, key)})
    return written(network, expr)


def solved(network: Network, key: str, when: Expr) -> Any:
    """Return the sum over the steps s up to t of (ds_t/ds_s) b_s, products of one-step Jacobians as such."""
    system = network.system
    s = loss_index(system, when)
    low, high = (S.One, when) if system.direction == 1 else (when, system.steps)
    body = A.matmul(span(network, s, when), immediate(network, key, s))
    return N.MatrixTimeSum(body, s, low, high)


def influence_proof(network: Network, key: str) -> Proof:
    """Prove the solved form by induction from the first step on."""
    system = network.system
    jacobian = one_step_jacobian(network, system.t)
    return induction(
        total(network, key, system.t),
        solved(network, key, system.t),
        system.t,
        system.first,
        system.previous,
        lambda when: immediate(network, key, when),
        lambda known: jacobian if known is None else A.matmul(jacobian, known),
    )


def solved_written(network: Network, key: str) -> Any:
    """Return the solved form at t with b_s written out, in powers where the one-step Jacobian is constant."""
    system = network.system
    expr = solved(network, key, system.t)
    s, t = expr.index, system.t
    there = immediate_written(network, key).xreplace({t: s})
    body = substitute(expr.body, {immediate(network, key, s): there})
    matrix = constant_jacobian(network)
    if matrix is None:
        return N.MatrixTimeSum(body, s, expr.lower, expr.upper)
    return powers(in_powers(network, N.MatrixTimeSum(body, s, expr.lower, expr.upper), matrix))


def direct(network: Network, key: str, when: Expr) -> Any:
    """Return what a parameter does to the loss of a step beside the states, as the gradient's share; 0 for none."""
    g, system = generic(network), network.system
    symbol = system.parameters[key]
    terms = []
    for equation in system.equations:
        if not A.depends(equation.right, symbol) or equation.name in system.states:
            continue
        cotangent = _direct_cotangent(network, equation)
        if cotangent is not None:
            terms.append(as_written(A.pullback(equation.right, cotangent, symbol), system.equations))
    return A.add(*terms).xreplace({g.t: when}) if terms else A.zero_like(symbol)


def _direct_cotangent(network: Network, equation: Any) -> Any:
    g = generic(network)
    if equation.stage == LOSS:
        return g.weight
    if equation.stage == READOUT:
        return g.weighted(g.local_of(equation.name))
    if not g.reaches_loss_beside_states(equation.name):
        return None
    return g.weighted(_local(g, equation.name))


def gradient_term(network: Network, key: str, when: Expr) -> Any:
    """Return the share of the loss of a step: (ds_t/dvec(W))^T dl_t/ds_t, and what acts beside the states, as a vec."""
    g = generic(network)
    through = A.matmul(A.transpose(total(network, key, when)), local_joint(g, when))
    return A.add(through, A.vec(direct(network, key, when)))


def forward_gradient(network: Network, key: str) -> Any:
    """Return vec(dL/dW) accumulated forward in time, from influence matrices and local parts."""
    system = network.system
    if system.reduction == "last":
        return gradient_term(network, key, system.end)
    return A.time_sum(gradient_term(network, key, system.t), system.t, S.One, system.steps)


def influence(network: Network, wrt: str, at: Any = None, form: str = "recursive") -> Any:
    """Return ds_t/dvec(wrt) of the state, several states on top of each other, as a SymPy expression.

    Parameters
    ----------
    network : Network
    wrt : str
        A parameter that the states depend on.
    at : int or sympy.Expr, optional
        The step; t by default.
    form : {"recursive", "closed"}
        In the influence matrix of the step before, or as a sum of ordered products.

    Raises
    ------
    UnknownNameError
        For a name or a form that does not exist.
    RefusedError
        Where a state is a matrix, or the parameter reaches no state.
    """
    if form not in FORMS:
        raise UnknownNameError(f"unknown form {form!r}{nearest(form, FORMS)}")
    system = network.system
    if wrt not in system.parameters:
        raise UnknownNameError(f"unknown parameter {wrt!r}{nearest(wrt, system.parameters)}")
    check_influence(network)
    if wrt not in recurrent_parameters(network):
        raise RefusedError(f"no state depends on {wrt}; it acts on the loss of its own step alone, see model.gradient")
    when = _when(network, system.states[0], system.t if at is None else at)
    if when == system.start:
        result = A.no_influence(joint(system, when), system.parameters[wrt])
    elif form == "closed":
        expr = solved_written(network, wrt)
        result = expr.xreplace({system.t: when})
    elif when == system.first:
        result = immediate_written(network, wrt).xreplace({system.t: when})
    else:
        result = recursive_written(network, wrt).xreplace({system.t: when})
    return to_scalar(result) if system.scalar else result
