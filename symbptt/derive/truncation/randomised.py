"""Random truncation: the estimator, its expectation by rules, and its variance.

References
----------
Tallec and Ollivier, "Unbiasing truncated backpropagation through time", arXiv:1705.08209, 2017.
"""

from __future__ import annotations

from typing import Any

from sympy import S

from ... import algebra as A
from ...algebra import nodes as N
from ...model import Network
from ...model.truncation import Randomised, written
from ..closed import step_index
from ..generic import LOCAL, NEXT, generic
from ..sections.common import chain
from ..steps import DEFINITION, EQUALITY, REMARK, Line, Step
from .common import Reach, before, loss_of, marked, of_loss, over_losses, reads_adjoints, share, within_steps
from .expectation import by_independence, by_linearity, by_probability, by_unbiasedness, by_unity
from .variance import variance_steps


def randomised_steps(network: Network, how: Randomised, bounds: bool = True) -> list[Step]:
    """Return the steps for random truncation: estimator, unbiasedness, variance and, on demand, its bounds."""
    if network.system.steps == 1:
        return [Step(key(how, "nothing"), "truncation.nothing", REMARK)]
    return [
        *_masks(network, how),
        *_estimator(network, how),
        *within_steps(network, how.mode, key(how, "within")),
        *_weights(network, how),
        *_unbiased(network, how),
        *_parameters(network, how),
        *variance_steps(network, how, bounds),
    ]


def key(how: Randomised, name: str) -> str:
    """Return the key of a step."""
    return f"truncation.{how.mode}.{name}"


def mask(how: Randomised, when: Any, loss: Any) -> Any:
    """Return xi_t, with the loss where each has its own."""
    return A.Mask(when) if how.shared else A.Mask(when, loss)


def probability(how: Randomised, when: Any) -> Any:
    """Return p, or p_t."""
    return A.Probability(when) if how.varies else A.Probability()


def weight(network: Network, how: Randomised, loss: Any) -> Any:
    """Return the product of xi_j / p_j over the steps from t to that of a loss."""
    system = network.system
    j = step_index(system)
    factor = A.divide(mask(how, j, loss), probability(how, j))
    return A.time_product(factor, j, *before(system, system.t, loss))


def _masks(network: Network, how: Randomised) -> list[Step]:
    system = network.system
    symbol = A.derivative(system.L, system.at(system.states[0]), how.mode)
    loss, at = loss_of(system)
    one = mask(how, system.t, at)
    masks = (S(2), system.steps) if system.direction == 1 else (S.One, system.steps - 1)
    facts = (
        ("mask", one),
        ("probability", probability(how, system.t)),
        ("symbol", symbol),
        ("loss", loss),
        ("before", system.previous),
        ("t", system.t),
    )
    rule = f"truncation.masks_{'shared' if how.shared else 'independent'}"
    ranges: tuple[tuple[Any, Any], ...] = ((system.t, masks),)
    if not how.shared and system.reduction != "last":
        ranges = (*ranges, (at, Reach(system).kept(system.t)))
    steps = [
        Step(
            key(how, "masks"),
            rule,
            DEFINITION,
            A.expectation(one),
            (Line("=", probability(how, system.t)),),
            (*facts, ("ranges", ranges)),
            masks,
        )
    ]
    if how.is_numeric:
        given = tuple(A.Literal(written(p)) for p in how.probabilities)
        steps.append(
            Step(
                key(how, "given"),
                "truncation.given_each" if how.varies else "truncation.given",
                REMARK,
                facts=(("probability", probability(how, system.t)), ("values", given)),
            )
        )
    return steps


# -- the estimator ------------------------------------------------------------------------------------


def _estimator(network: Network, how: Randomised) -> list[Step]:
    """The recursion with masks: one for all losses, or one for each."""
    g, system = generic(network), network.system
    following, (shown, loss) = system.following, loss_of(system)
    factor = A.divide(mask(how, following, loss), probability(how, following))
    steps: list[Step] = []
    for name in system.states:
        own = share(g, name, system.t, loss, how.mode) if not how.shared else None
        left = own if own is not None else A.derivative(system.L, system.at(name), how.mode)
        terms = []
        for term in g.adjoints[name].terms:
            if term.source == LOCAL and not how.shared:
                continue
            expr = term.expr if term.source != NEXT else A.product(factor, term.expr)
            terms.append(marked(g, expr, how.mode) if how.shared else of_loss(g, expr, loss, how.mode))
        right = A.add(*terms) if terms else A.zero_like(left)
        ranges = _ranges(network, how)
        facts = (("variable", system.at(name)), ("loss", shown), ("ranges", ranges))
        rule = "truncation.estimator" if how.shared else "truncation.estimator_each"
        steps.append(
            Step(
                key(how, f"estimator.{name}"),
                rule if not steps else "truncation.more",
                EQUALITY,
                left,
                (Line("=", right),),
                facts,
                ranges[0][1],
            )
        )
    return steps


def _ranges(network: Network, how: Randomised) -> tuple[tuple[Any, Any], ...]:
    system = network.system
    forward = system.direction == 1
    steps = (S.One, system.steps - 1) if forward else (S(2), system.steps)
    if how.shared or system.reduction == "last":
        return ((system.t, steps),)
    later = (system.t + 1, system.steps) if forward else (S.One, system.t - 1)
    return (system.t, steps), (Reach(system).loss, later)


def weighted_sum(network: Network, how: Randomised, name: str) -> Any:
    """Return the sum over losses of their weights times dl_s/dv_t."""
    g, system = generic(network), network.system
    reach = Reach(system)
    if system.reduction == "last":
        return A.product(weight(network, how, system.end), g.adjoint_of(name))
    body = A.product(weight(network, how, reach.loss), share(g, name, system.t, reach.loss))
    return over_losses(g, body, reach.loss, *reach.kept(system.t))


def _weights(network: Network, how: Randomised) -> list[Step]:
    """The adjoint as a sum over losses, each with the product of its weights."""
    system = network.system
    steps: list[Step] = []
    for name in system.states:
        left = A.derivative(system.L, system.at(name), how.mode)
        facts = (("variable", system.at(name)), ("loss", system.at("l", Reach(system).loss)))
        rule = "truncation.weights_last" if system.reduction == "last" else "truncation.weights"
        steps.append(
            Step(
                key(how, f"weights.{name}"),
                rule if not steps else "truncation.more",
                EQUALITY,
                left,
                chain(left, weighted_sum(network, how, name)),
                facts,
                (S.One, system.steps),
            )
        )
    return steps


# -- unbiasedness, by the rules of expectation --------------------------------------------------------


def _unbiased(network: Network, how: Randomised) -> list[Step]:
    g, system = generic(network), network.system
    reach = Reach(system)
    last = system.reduction == "last"
    end = system.end if last else reach.loss
    product = weight(network, how, end)
    independent = by_independence(A.expectation(product))
    known = by_probability(independent, how.varies)
    left = A.expectation(product)
    ranges = ((system.t, (S.One, system.steps)), *([] if last else [(reach.loss, reach.kept(system.t))]))
    steps = [
        Step(
            key(how, "one"),
            "truncation.one",
            EQUALITY,
            left,
            chain(left, independent, known, by_unity(known)),
            (("probability", probability(how, system.t)), ("ranges", ranges)),
            (S.One, system.steps),
        )
    ]
    for name in system.states:
        truncated = A.derivative(system.L, system.at(name), how.mode)
        left = A.expectation(truncated)
        linear = by_linearity(weighted_sum(network, how, name))
        one = by_unity(by_probability(_inside(linear), how.varies))
        steps.append(
            Step(
                key(how, f"unbiased.{name}"),
                "truncation.unbiased" if len(steps) == 1 else "truncation.more",
                EQUALITY,
                left,
                chain(left, linear, one, g.adjoint_of(name)),
                (("variable", system.at(name)),),
                (S.One, system.steps),
            )
        )
    return steps


def _inside(expr: Any) -> Any:
    """Use independence inside sums over losses."""
    if isinstance(expr, N.TimeSum | N.MatrixTimeSum):
        return A.time_sum(_inside(expr.body), expr.index, expr.lower, expr.upper)
    return by_independence(expr)


def _parameters(network: Network, how: Randomised) -> list[Step]:
    g, system = generic(network), network.system
    steps: list[Step] = []
    means: list[Step] = []
    for name, gradient in g.parameters.items():
        if not reads_adjoints(g, gradient):
            continue
        symbol = A.derivative(system.L, gradient.parameter, how.mode)
        estimate = marked(g, g.parameter_sum(name), how.mode)
        facts = (("parameter", gradient.parameter),)
        rules = ("truncation.parameter_random", "truncation.parameter_unbiased")
        first, second = ("truncation.more", "truncation.more") if steps else rules
        steps.append(Step(key(how, f"parameter.{name}"), first, EQUALITY, symbol, chain(symbol, estimate), facts))
        left, linear = A.expectation(symbol), by_linearity(estimate)
        exact = A.derivative(system.L, gradient.parameter)
        means.append(
            Step(
                key(how, f"mean.{name}"),
                second,
                EQUALITY,
                left,
                chain(left, linear, by_unbiasedness(linear), exact),
                facts,
            )
        )
    return [*steps, *means]
