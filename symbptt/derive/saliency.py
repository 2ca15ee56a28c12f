"""Saliency: how much the loss or the output of one step depends on the input of an earlier one."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from .. import algebra as A
from ..algebra.scalar import to_scalar
from ..errors import RefusedError, SizeError, UnknownNameError, nearest
from ..model import LOSS, Network, System
from .closed import check_closed, joint, loss_index, span
from .forms import written_out
from .tidy import as_written, substitute

FORMS = ("closed", "unrolled")


def saliency(
    network: Network, of: str = "l", by: str = "x", at: Any = None, of_step: Any = None, form: str = "closed"
) -> Any:
    """Return dl_s/dx_t, a vector like x_t, or dy_s/dx_t, a Jacobian, in ordered products of Jacobians.

    Parameters
    ----------
    network : Network
    of : str
        ``"l"``, the loss of a step, or ``"y"``, the output (or the name of what the loss reads).
    by : str
        An input.
    at, of_step : int or sympy.Expr, optional
        t, the step of the input, and s, the step of the loss or output; symbols with s >= t by default.
    form : {"closed", "unrolled"}
        With the Jacobians as symbols, or with all of them written out, for concrete steps.

    Raises
    ------
    UnknownNameError, SizeError
        For names and steps that do not exist.
    RefusedError
        Where influence passes through a matrix-valued state, or reaches the output beside the state.
    """
    system = network.system
    if form not in FORMS:
        raise UnknownNameError(f"unknown form {form!r}{nearest(form, FORMS)}")
    if by not in system.inputs:
        raise UnknownNameError(f"saliency: {by!r} is no input of the model{nearest(by, system.inputs)}")
    t = system.t if at is None else _step(system, "at", at)
    s = _default_step(system, of) if of_step is None else _step(system, "of_step", of_step)
    if form == "unrolled" and not ((s - t).is_Integer and t.is_Integer):
        raise SizeError("form='unrolled' needs both steps as numbers, such as at=1, of_step=3")
    left = symbol(network, of, by, s, t)
    if ((s - t) * system.direction).is_negative:
        result = A.zero_like(left)
    else:
        result = product(network, of, by, s, t)
        result = _filled(network, of, by, result) if form == "unrolled" else result
    return to_scalar(result) if system.scalar else result


def _step(system: System, what: str, given: Any) -> Expr:
    wanted = f"{what}={given!r}: a step from 1 to {system.steps} is needed"
    if isinstance(given, bool):
        raise SizeError(wanted)
    if isinstance(given, str) and given.isidentifier():
        return system.steps if given == "T" else A.index(given)
    try:
        when = sympy.sympify(given, strict=True)
    except (sympy.SympifyError, TypeError):
        raise SizeError(wanted) from None
    outside = (when - 1).is_negative or (when - system.steps).is_positive
    if not isinstance(when, Expr) or outside or (when.is_number and not when.is_Integer):
        raise SizeError(wanted)
    return when


def _default_step(system: System, of: str) -> Expr:
    return system.end if of == "l" and system.reduction == "last" else loss_index(system)


def observed(system: System, of: str, s: Expr) -> Any:
    """Return the loss or the output at a step as a symbol; L where only the last loss counts."""
    if of == "l":
        if system.reduction != "last":
            return system.at("l", s)
        if s != system.end:
            raise SizeError(f"with reduction='last' there is a loss at step {system.end} only, not at {s}")
        return system.L
    own = {name: name for name in system.predictions}
    names = {"y": system.prediction, **own, system.prediction: system.prediction, system.output: system.output}
    if of not in names:
        raise UnknownNameError(f"saliency of {of!r}: give 'l' or {system.prediction!r}{nearest(of, ['l', *names])}")
    return system.at(names[of], s)


def symbol(network: Network, of: str, by: str, s: Expr, t: Expr) -> Any:
    """Return the derivative as a symbol."""
    return A.derivative(observed(network.system, of, s), network.system.at(by, t))


def product(network: Network, of: str, by: str, s: Expr, t: Expr, opaque: bool = False) -> Any:
    """Return (of by state at s) (state at s by state at t) (state at t by input), transposed for the loss.

    With ``opaque`` the Jacobian between the two steps is one symbol.
    """
    _check(network, of, by)
    system = network.system
    end, start = joint(system, s), joint(system, t)
    seen = observed(system, of, s)
    local = A.Identity(A.shape_of(end)[0]) if seen == end else A.derivative(seen, end)
    between = A.derivative(end, start) if opaque and s != t else span(network, t, s)
    entry = A.derivative(start, system.at(by, t))
    if of == "l":
        return A.matmul(A.transpose(entry), A.transpose(between), local)
    return A.matmul(local, between, entry)


def _check(network: Network, of: str, by: str) -> None:
    check_closed(network)
    system = network.system
    x = system.at(by)
    if A.rank_of(x) == 2:
        raise RefusedError(f"no saliency in Jacobian matrices: the input {by} is a matrix")
    if A.rank_of(system.at(system.prediction)) == 2:
        raise RefusedError(f"no saliency in Jacobian matrices: the output {system.prediction} is a matrix")
    name = "l" if of == "l" else observed(system, of, system.t).name
    if name not in system.states and _reads_beside_states(system, system.by_name[name].right, x):
        raise RefusedError(f"no saliency as one product: {name}[t] reads {by}[t] beside the state of its step")


def _reads_beside_states(system: System, expr: Any, x: Any) -> bool:
    if A.depends(expr, x):
        return True
    inner = (e for e in system.equations if e.name not in system.states and A.depends(expr, e.left))
    return any(_reads_beside_states(system, e.right, x) for e in inner)


# -- the local factors, written out -------------------------------------------------------------------


def output_jacobian(network: Network, of: str) -> Any:
    """Return d(of)_t/dh_t written out, for a network of one state: a gradient for the loss, else a Jacobian."""
    system = network.system
    state = system.at(system.states[0])
    if of == "l":
        return as_written(_through(system, system.by_name["l"].right, state, S.One), system.equations)
    leaf = observed(system, of, system.t)
    if leaf == state:
        return A.Identity(A.shape_of(state)[0])
    return as_written(_jacobian(system, system.by_name[leaf.name].right, state), system.equations)


def input_jacobian(network: Network, by: str) -> Any:
    """Return dh_t/dx_t written out, for a network of one state."""
    system = network.system
    right = system.by_name[system.states[0]].right
    return as_written(_jacobian(system, right, system.at(by)), system.equations)


def carried_back(network: Network, source: Any, cotangent: Any) -> Any:
    """Return (dh_t/dsource)^T times a cotangent of h_t, for a network of one state, as people write it."""
    system = network.system
    right = system.by_name[system.states[0]].right
    return as_written(_through(system, right, source, cotangent), system.equations)


def _jacobian(system: System, expr: Any, source: Any) -> Any:
    """d expr / d source through the variables of the step that are no states."""
    terms = [A.jacobian(expr, source)] if A.depends(expr, source) else []
    for equation in _between(system, expr, source):
        inner = _jacobian(system, equation.right, source)
        if not A.is_zero(inner):
            terms.append(A.matmul(A.jacobian(expr, equation.left), inner))
    rows = A.shape_of(expr)[0]
    return A.add(*terms) if terms else A.zero_matrix(rows, A.shape_of(source)[0])


def _through(system: System, expr: Any, source: Any, cotangent: Any) -> Any:
    """The gradient of expr by source through the variables of the step that are no states."""
    terms = [A.pullback(expr, cotangent, source)] if A.depends(expr, source) else []
    for equation in _between(system, expr, source):
        terms.append(_through(system, equation.right, source, A.pullback(expr, cotangent, equation.left)))
    return A.add(*terms) if terms else A.zero_like(source)


def _between(system: System, expr: Any, source: Any) -> list[Any]:
    inner = (e for e in system.equations if e.stage != LOSS and e.name not in system.states and e.left != source)
    return [e for e in inner if A.depends(expr, e.left)]


def _filled(network: Network, of: str, by: str, expr: Any) -> Any:
    """Write out the products, the links between states, and the factors at both ends."""
    system = network.system
    if len(system.states) > 1:
        raise RefusedError("form='unrolled' of saliency is there for networks of one state; use form='closed'")
    rule = {}
    for leaf in dict.fromkeys(sympy.preorder_traversal(expr)):
        if isinstance(leaf, A.Jacobian | A.Gradient | A.ScalarDerivative):
            when = leaf.by.when
            if leaf.by.name == by:
                rule[leaf] = input_jacobian(network, by).xreplace({system.t: when})
            elif leaf.of == observed(system, of, when if leaf.of != system.L else system.end):
                rule[leaf] = output_jacobian(network, of).xreplace({system.t: when})
    return written_out(network, substitute(expr, rule))
