"""The forms in which a gradient can be asked for: recursive, closed, unrolled, explicit."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Basic, Expr, Integer, S
from sympy.matrices.expressions.matexpr import MatrixElement

from .. import algebra as A
from ..algebra import nodes as N
from ..algebra.scalar import to_scalar
from ..errors import RefusedError, SizeError, UnknownNameError, nearest
from ..model import Network
from .closed import closed, within_step
from .generic import Generic, generic
from .links import links
from .run import CountDomain, NestedDomain, Run, operations, order_of
from .tidy import rebuild, substitute

FORMS = ("recursive", "closed", "unrolled", "explicit")
READABLE = 5000
"""Operations beyond which nobody can read an explicit gradient."""


def gradient(network: Network, wrt: str, at: Any = None, form: str = "recursive") -> Any:
    """Return dL/d(wrt) as a SymPy expression, in scalar notation when all sizes are 1.

    Parameters
    ----------
    network : Network
    wrt : str
        A parameter key, ``h0`` (an initial state), or a variable or input with ``at``.
    at : int or sympy.Expr, optional
        The step, for a variable.
    form : {"recursive", "closed", "unrolled", "explicit"}

    Raises
    ------
    UnknownNameError
        For a name or a form that does not exist.
    SizeError
        For a step outside 1..T, or a symbolic T where a concrete one is needed.
    RefusedError
        For an explicit gradient that no person could read, with its estimated size.
    """
    if form not in FORMS:
        raise UnknownNameError(f"unknown form {form!r}{nearest(form, FORMS)}")
    if form in ("unrolled", "explicit") and at is None and wrt in network.system.variables:
        raise SizeError(f"form={form!r} of a gradient by {wrt}[t] needs the step, such as at=1")
    result = _MAKERS[form](network, wrt, _when(network, wrt, at))
    return to_scalar(result) if network.system.scalar and form != "explicit" else result


def gradient_symbol(network: Network, wrt: str, at: Any = None) -> Any:
    """Return the derivative dL/d(wrt) itself, the left side of an equation whose right side is :func:`gradient`.

    Parameters
    ----------
    network, wrt, at
        As for :func:`gradient`; a variable without a step is at t.
    """
    system = network.system
    return A.derivative(system.L, system.leaf(wrt, _when(network, wrt, at)))


def _when(network: Network, wrt: str, at: Any) -> Expr | None:
    """Return the step as an expression, checked; None where none is given."""
    if at is None:
        return None
    system = network.system
    if wrt in system.parameters or wrt in {f"{state}0" for state in system.states}:
        raise SizeError(f"{wrt} has no step; leave at={at!r} out")
    low, high = S.One, system.steps
    if wrt in system.states:
        start = system.start_of(wrt)
        low, high = (min(low, start), high) if system.direction_of(wrt) == 1 else (low, start)
    wanted = f"at={at!r}: a step from {low} to {high} is needed"
    at = system.steps if at in ("T", str(system.steps)) else at
    try:
        when = A.index(at) if isinstance(at, str) and at.isidentifier() else sympy.sympify(at, strict=True)
    except (sympy.SympifyError, TypeError):
        raise SizeError(wanted) from None
    if isinstance(at, bool) or not isinstance(when, Expr):
        raise SizeError(wanted)
    outside = (when - low).is_negative or (when - high).is_positive
    if outside or (when.is_number and not when.is_Integer):
        raise SizeError(wanted)
    return when


def recursive(network: Network, wrt: str, when: Expr | None) -> Any:
    """Return the gradient in the adjoints of the states."""
    g = generic(network)
    step = network.system.t if when is None else when
    if wrt in network.system.states and step != network.system.start_of(wrt):
        return g.fill_local(_recursion_in_states(g, wrt, step))
    return g.in_states(_in_adjoints(g, wrt, when))


def _recursion_in_states(g: Generic, name: str, when: Expr) -> Any:
    expr = g.at_step(name, when)
    rule = {}
    for leaf in _adjoint_leaves(g, expr):
        if leaf.by.name not in g.system.states:
            rule[leaf] = g.in_states(leaf)
    return substitute(expr, rule)


def _in_adjoints(g: Generic, wrt: str, when: Expr | None) -> Any:
    """Return the gradient in adjoints of any variable, as derived."""
    system = g.system
    initial = {f"{s}0": s for s in system.states}
    if wrt in system.parameters:
        return g.parameter_sum(wrt)
    if wrt in initial or (wrt in system.states and when is not None and when == system.start_of(wrt)):
        return g.initial_gradient(initial.get(wrt, wrt))
    step = system.t if when is None else when
    if wrt in g.adjoints:
        return g.adjoint_of(wrt, step)
    if wrt in system.inputs:
        return g.input_gradient(wrt).xreplace({system.t: step})
    if wrt in g.local_terms:
        return g.weighted(g.local_of(wrt, step))
    known = [*system.parameters, *initial, *g.adjoints, *system.inputs, *g.local_terms]
    raise UnknownNameError(f"unknown name {wrt!r} to differentiate by{nearest(wrt, known)}")


def _adjoint_leaves(g: Generic, expr: Any) -> list[Any]:
    return [
        p
        for p in dict.fromkeys(sympy.preorder_traversal(expr))
        if isinstance(p, A.Gradient | A.ScalarDerivative)
        and p.of == g.system.L
        and isinstance(p.by, A.MatrixAt | A.ScalarAt)
        and p.by.name in g.adjoints
    ]


def closed_form(network: Network, wrt: str, when: Expr | None) -> Any:
    """Return the gradient in Jacobian products and local parts."""
    g = generic(network)
    expr = recursive(network, wrt, None) if wrt in network.system.parameters else _in_adjoints(g, wrt, when)
    return _close(network, g.in_states(expr))


def _close(network: Network, expr: Any) -> Any:
    g = generic(network)
    rule = {leaf: closed(network, leaf.by.name, leaf.by.when) for leaf in _adjoint_leaves(g, expr)}
    return substitute(expr, rule)


def unrolled(network: Network, wrt: str, when: Expr | None) -> Any:
    """Return the gradient for concrete T with every sum and product written out.

    Raises
    ------
    SizeError
        When T is a symbol.
    """
    steps = network.system.steps
    if not steps.is_Integer:
        raise SizeError(f"form='unrolled' needs a number of steps, not {steps}; give steps=3")
    if int(steps) > 60:
        raise RefusedError(f"form='unrolled' with T = {steps} has {steps}*({steps}+1)/2 products; use form='closed'")
    if network.system.mixed:
        return _swept(network, wrt, when)
    return written_out(network, closed_form(network, wrt, when))


def _swept(network: Network, wrt: str, when: Expr | None) -> Any:
    """Return the gradient with every adjoint replaced by its equation, along the sweep over the scans."""
    g = generic(network)
    values: dict[Any, Any] = {}
    for scan, t in order_of(network.system, int(network.system.steps), backward=True):
        for name in g.adjoints_of(scan):
            values[g.adjoint_of(name, Integer(t))] = substitute(g.at_step(name, Integer(t)), values)
    result = g.fill_local(substitute(written_out(network, _in_adjoints(g, wrt, when)), values))
    if length(result) > LONGEST:
        raise RefusedError(
            f"the unrolled gradient by {wrt} would have more than {LONGEST} parts; use form='recursive', or fewer steps"
        )
    return result


LONGEST = 50_000
"""Parts of an unrolled gradient beyond which it is refused."""


def length(expr: Any) -> int:
    """Return the number of parts of an expression as it is written out; shared parts are counted wherever they stand.

    >>> length(sympy.Symbol("a") + 1)
    3
    """
    sizes: dict[Any, int] = {}

    def size(part: Any) -> int:
        if part not in sizes:
            sizes[part] = 1 + sum(map(size, part.args))
        return sizes[part]

    return size(expr)


def written_out(network: Network, expr: Any) -> Any:
    """Expand sums and products over steps, with Jacobians and local parts filled in, innermost last."""
    g = generic(network)
    if isinstance(expr, N.TimeSum | N.MatrixTimeSum | N.TimeProduct | N.OrderedProduct):
        lower, upper = expr.lower, expr.upper
        if lower.is_Integer and upper.is_Integer:
            pieces = [
                written_out(network, expr.body.xreplace({expr.index: Integer(k)})) for k in range(lower, upper + 1)
            ]
            if isinstance(expr, N.OrderedProduct):
                return A.matmul(*reversed(pieces)) if pieces else A.Identity(expr.shape[0])
            return A.add(*pieces) if pieces else A.zero_like(expr.body)
    if isinstance(expr, A.Jacobian):
        return _jacobian_written(network, expr)
    if isinstance(expr, A.Gradient | A.ScalarDerivative):
        return g.fill_local(expr)
    if not expr.args or isinstance(expr, A.MatrixAt | A.ScalarAt):
        return expr
    return rebuild(expr, [written_out(network, a) for a in expr.args])


def _jacobian_written(network: Network, leaf: Any) -> Any:
    system = network.system
    t = system.t
    for link in links(network):
        moved = {t: leaf.of.when} if hasattr(leaf.of, "when") else {}
        if moved and link.symbol.xreplace(moved) == leaf:
            return link.jacobian.xreplace(moved)
    return joint_written(network, leaf.of.args[0].when) if isinstance(leaf.of, N.Concat) else leaf


def joint_in_links(network: Network, when: Expr) -> Any:
    """Return the one-step Jacobian of the joint state in blocks of state-to-state Jacobians, same-step links first."""
    system = network.system
    t = system.t
    step = {(k.target, k.source): k.symbol for k in links(network) if k.lag == "next"}
    rows = []
    for target in system.states:
        row = []
        for source in system.states:
            shape = [A.shape_of(system.at(name))[0] for name in (target, source)]
            row.append(step.get((target, source), A.zero_matrix(*shape)).xreplace({t: when}))
        rows.append(sympy.Tuple(*row))
    blocks = N.Blocks(sympy.Tuple(*rows))
    if not any(k.lag == "same" for k in links(network)):
        return blocks
    return A.matmul(within_step(network, when), blocks)


def joint_written(network: Network, when: Expr) -> Any:
    """Return the one-step Jacobian of the joint state with every block written out."""
    moved = {network.system.t: when}
    rule = {k.symbol.xreplace(moved): k.jacobian.xreplace(moved) for k in links(network)}
    return substitute(joint_in_links(network, when), rule)


def explicit(network: Network, wrt: str, when: Expr | None) -> Any:
    """Return the gradient in inputs, targets, initial states and parameters alone, as plain SymPy scalars.

    Raises
    ------
    SizeError
        When a size or T is a symbol.
    RefusedError
        When it would have more than ``READABLE`` operations.
    """
    system = network.system
    open_sizes = [v for v in [*system.sizes.values(), system.steps, *_open(network)] if not v.is_Integer]
    if open_sizes:
        raise SizeError(f"form='explicit' needs numbers for all sizes and T; {open_sizes[0]} is a symbol")
    g = generic(network)
    counted = _evaluated(g, CountDomain, wrt, when)
    count = operations(counted)
    if count > READABLE:
        raise RefusedError(
            f"the explicit gradient by {wrt} would have about {count:.3g} operations, which nobody can read; "
            "use form='recursive' or 'closed', or fewer steps"
        )
    value = _evaluated(g, NestedDomain, wrt, when)
    if hasattr(value, "shape"):
        matrix = sympy.ImmutableDenseMatrix(value)
        return _plain(matrix[0, 0], network) if system.scalar else matrix
    return _plain(sympy.sympify(value), network)


def _open(network: Network) -> list[Expr]:
    return [s for v in network.system.variables.values() for s in v.shape if not s.is_Integer]


def _evaluated(g: Generic, kind: Any, wrt: str, when: Expr | None) -> Any:
    values: dict[Basic, Any] = {}
    run = Run(g, kind(values), values)
    run.forward()
    run.backward()
    return run.value(_in_adjoints(g, wrt, S(when) if when is not None else None))


def _plain(expr: Expr, network: Network) -> Expr:
    """Turn the entries of a model of sizes 1 into plain scalar symbols at their steps."""
    if not network.system.scalar:
        return expr
    return expr.xreplace({e: to_scalar(e.args[0]) for e in expr.atoms(MatrixElement)})


_MAKERS = {"recursive": recursive, "closed": closed_form, "unrolled": unrolled, "explicit": explicit}
