"""The variance of random truncation, in closed form: what each loss adds, and what shared masks add to that.

The weights of two losses (or of two uses of a parameter) have in common the masks of the steps that both products
go over; with A and B the two sets of steps, Cov is the product of 1 / p_j over the steps in both, less 1.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import S

from ... import algebra as A
from ...model import Network
from ...model.truncation import Randomised
from ..closed import loss_index, step_index
from ..generic import generic
from ..sections.common import chain
from ..steps import EQUALITY, IDENTITY, REMARK, Line, Step
from .common import Reach, before, distance, further, of_loss, reads_adjoints, share, use_of

BRACE_OWN, BRACE_BETWEEN = "brace.variances", "brace.covariances"


def variance_steps(network: Network, how: Randomised, bounds: bool = True) -> list[Step]:
    """Return the covariance of weights, the variances of adjoints and parameters, and when they stay bounded."""
    return [
        *_covariance(network, how),
        *_of_states(network, how),
        *(_of_parameters(network, how) if network.system.scalar else []),
        *(_bounded(how) if bounds and not how.varies else []),
    ]


def _key(how: Randomised, name: str) -> str:
    return f"truncation.{how.mode}.{name}"


def _excess(network: Network, how: Randomised, t: Any, loss: Any) -> Any:
    """Return the product of 1 / p_j over the steps from t to a loss, less 1."""
    system = network.system
    if how.varies:
        j = step_index(system, t, loss)
        product = A.time_product(A.divide(1, A.Probability(j)), j, *before(system, t, loss))
    else:
        product = A.divide(1, A.power(A.Probability(), distance(system, t, loss)))
    return A.subtract(product, 1)


def _covariance(network: Network, how: Randomised) -> list[Step]:
    from .randomised import weight

    system = network.system
    inverse = A.divide(1, A.Probability(step_index(system)) if how.varies else A.Probability())
    if system.reduction == "last":
        product = weight(network, how, system.end)
        left: Any = A.variance_of(product)
        facts = (("ranges", ((system.t, (S.One, system.steps)),)), ("inverse", inverse))
        right = _excess(network, how, system.t, system.end)
        return [
            Step(
                _key(how, "covariance"),
                "truncation.weight_variance",
                EQUALITY,
                left,
                chain(left, right),
                facts,
                (S.One, system.steps),
            )
        ]
    s = Reach(system).loss
    r = loss_index(system, s)
    one, other = (weight(network, how, loss) for loss in (s, r))
    own: tuple[Any, ...] = ((system.t, (S.One, system.steps)), (s, Reach(system).kept(system.t)))
    left, right = A.variance_of(one), _excess(network, how, system.t, s)
    pair = (("loss", system.at("l", s)), ("other", system.at("l", r)), ("inverse", inverse))
    steps = [
        Step(
            _key(how, "variance"),
            "truncation.weight_variance",
            EQUALITY,
            left,
            chain(left, right),
            (*pair, ("ranges", own)),
            (S.One, system.steps),
        )
    ]
    between = A.CovarianceOf(one, other)
    value = right if how.shared else S.Zero
    rule = "truncation.weight_covariance" + ("" if how.shared else "_none")
    steps.append(
        Step(
            _key(how, "covariance"),
            rule,
            EQUALITY,
            between,
            (Line("=", value),),
            (*pair, ("ranges", (*own, (r, further(system, s))))),
            (S.One, system.steps),
        )
    )
    return steps


# -- adjoints -----------------------------------------------------------------------------------------


def _times(a: Any, b: Any) -> Any:
    return A.elementwise_product(a, b)


def _square(a: Any) -> Any:
    return A.power(a, 2)


def _of_states(network: Network, how: Randomised) -> list[Step]:
    g, system = generic(network), network.system
    reach = Reach(system)
    s = reach.loss
    steps: list[Step] = []
    for name in system.states:
        left = A.variance_of(A.derivative(system.L, system.at(name), how.mode))
        if system.reduction == "last":
            right = A.product(_excess(network, how, system.t, system.end), _square(g.adjoint_of(name)))
            line = Line("=", right)
        else:
            line = _adjoint_line(network, how, name)
        facts = (("variable", system.at(name)), ("loss", system.at("l", s)))
        first = "truncation.variance" if network.system.scalar else "truncation.variance_entries"
        rule = "truncation.more" if steps else first
        key = _key(how, f"variance.{name}")
        steps.append(Step(key, rule, EQUALITY, left, (line,), facts, (S.One, system.steps)))
    return steps


def _adjoint_line(network: Network, how: Randomised, name: str) -> Line:
    g, system = generic(network), network.system
    reach = Reach(system)
    s = reach.loss
    r = loss_index(system, s)
    mine, other = share(g, name, system.t, s), share(g, name, system.t, r)
    excess = _excess(network, how, system.t, s)
    own = A.time_sum(A.product(excess, _square(mine)), s, *reach.kept(system.t))
    factor = g.weight**2
    if not how.shared:
        return Line("=", A.product(factor, own))
    cross = A.time_sum(_times(mine, other), r, *further(system, s))
    cross = A.time_sum(A.product(excess, cross), s, *reach.kept(system.t))
    terms = A.product(factor, own), A.product(2 * factor, cross)
    return Line("=", A.add(*terms), (BRACE_OWN, BRACE_BETWEEN))


# -- parameters ---------------------------------------------------------------------------------------


def _of_parameters(network: Network, how: Randomised) -> list[Step]:
    """Uses at t and u, losses at s and r have the masks of max(t, u) + 1, ..., min(s, r) in common, else none."""
    g, system = generic(network), network.system
    if system.direction != 1:
        return []
    s = Reach(system).loss
    r = loss_index(system, s)
    u = loss_index(system, s, r)
    t, T = system.t, system.steps
    steps: list[Step] = []
    for name, gradient in g.parameters.items():
        if not reads_adjoints(g, gradient):
            continue
        left = A.variance_of(A.derivative(system.L, gradient.parameter, how.mode))
        use = use_of(gradient)
        mine = of_loss(g, use, s)
        last = system.reduction == "last"
        theirs = of_loss(g, use, s if last or not how.shared else r).xreplace({t: u})
        later = T if last else s if not how.shared else sympy.Min(s, r)
        gap = sympy.Max(t, u)
        body = A.product(_common(network, how, gap, later), _times(mine, theirs))
        if last:
            right = A.time_sum(A.time_sum(body, u, 1, T), t, 1, T)
        elif how.shared:
            right = A.time_sum(A.time_sum(A.time_sum(A.time_sum(body, r, gap, T), s, gap, T), u, 1, T), t, 1, T)
        else:
            right = A.time_sum(A.time_sum(A.time_sum(body, u, 1, s), t, 1, s), s, 1, T)
        right = A.product(g.weight**2, right)
        facts = (("parameter", gradient.parameter), ("first", t), ("second", u))
        rule = "truncation.more" if steps else "truncation.variance_parameter"
        steps.append(Step(_key(how, f"variance.{name}"), rule, EQUALITY, left, (Line("=", right),), facts))
    return steps


def _common(network: Network, how: Randomised, low: Any, high: Any) -> Any:
    """Return the product of 1 / p_j over low + 1, ..., high, less 1."""
    if how.varies:
        j = step_index(network.system)
        return A.subtract(A.time_product(A.divide(1, A.Probability(j)), j, low + 1, high), 1)
    return A.subtract(A.divide(1, A.power(A.Probability(), A.subtract(high, low))), 1)


# -- when it stays bounded ----------------------------------------------------------------------------


def _bounded(how: Randomised) -> list[Step]:
    """Constant Jacobian J and probability p, every loss with the local gradient 1: geometric sums."""
    J, p = A.scalar_parameter("J"), A.Probability()
    n, d, e = map(A.index, "nde")
    ratio = A.divide(A.power(J, 2), p)
    excess = A.subtract(A.divide(1, A.power(p, d)), 1)
    own = A.time_sum(A.product(excess, A.power(J, 2 * d)), d, 0, n)
    square = A.power(J, 2)
    sums = [
        A.divide(A.subtract(1, top), A.subtract(1, x))
        for top, x in ((A.power(ratio, n + 1), ratio), (A.power(J, 2 * n + 2), square))
    ]

    def limit(x: Any) -> Any:
        return A.divide(1, A.subtract(1, x))

    facts = (("jacobian", J), ("ratio", ratio), ("probability", p), ("n", n))
    steps = [
        Step(
            _key(how, "bounded"),
            "truncation.bounded",
            IDENTITY,
            own,
            (Line("=", A.subtract(*sums)), Line("≤", A.subtract(limit(ratio), limit(square)))),
            facts,
        )
    ]
    if how.shared:
        far = A.time_sum(A.power(J, e), e, d + 1, n)
        cross = A.product(2, A.time_sum(A.product(excess, A.power(J, d), far), d, 0, n))
        two = A.divide(A.product(2, J), A.subtract(1, J))
        steps.append(
            Step(
                _key(how, "bounded_shared"),
                "truncation.bounded_shared",
                IDENTITY,
                cross,
                (Line("≤", A.product(two, A.subtract(limit(ratio), limit(square)))),),
                facts,
            )
        )
    steps.append(Step(_key(how, "unbounded"), "truncation.unbounded", REMARK, facts=facts))
    return steps
