"""The recursion inserted into itself: multiplied out, it is the sum of the chains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, Integer

from ... import algebra as A
from ...algebra.scalar import to_scalar
from ...model import Network
from ..closed import joint, one_step_jacobian
from ..forms import recursive
from ..generic import generic
from ..run import steps_of
from ..tidy import substitute
from .chains import chain, link_of, local_part, losses

PROVED = 6
"""For so many steps the equality of both methods is shown by multiplying out."""


@dataclass(frozen=True)
class Pair:
    """Both methods for one number of steps, at the state that is computed first.

    Attributes
    ----------
    steps : sympy.Integer
        T.
    nested : node
        The recursion inserted into itself until no adjoint is left.
    chains : node
        The sum of all chains.
    """

    steps: Integer
    nested: Any
    chains: Any


def recursion_at(network: Network, when: Expr) -> Any:
    """Return dL/ds_t by the recursion of the joint state: the local part, and what comes back from the next step.

    >>> from symbptt import RNN
    >>> recursion_at(RNN("linear", 1, 1, steps=3).network, Integer(2))
    d(l[2])/d(h[2]) + d(h[3])/d(h[2]).T @ d(L)/d(h[3])
    """
    g, system = generic(network), network.system
    terms = []
    if system.reduction != "last" or when == system.end:
        terms.append(A.product(g.weight, local_part(network, when)))
    if when != system.last:
        following = when + system.direction
        link = one_step_jacobian(network, following)
        terms.append(A.matmul(A.transpose(link), A.derivative(system.L, joint(system, following))))
    return A.add(*terms)


def pair(network: Network, steps: int, filled: bool = False) -> Pair:
    """Return both methods for a number of steps.

    Parameters
    ----------
    network : Network
        Whose number of steps is left aside.
    steps : int
    filled : bool
        With the derivatives of one step filled in, and not as symbols; for scalar models with one link.
    """
    network = replace(network, steps=Integer(steps))
    system, g = network.system, generic(network)
    rule: dict[Any, Any] = {}
    for t in steps_of(system, steps, backward=True):
        when = Integer(t)
        right = recursive(network, system.states[0], when) if filled else recursion_at(network, when)
        rule[A.derivative(system.L, joint(system, when))] = substitute(right, rule)
    nested = rule[A.derivative(system.L, joint(system, system.first))]
    found = [chain(network, s, system.first, written=steps) for s in losses(system, system.first)]
    summed = A.product(g.weight, A.add(*(c.filled if filled else c.product for c in found)))
    if system.scalar:
        nested, summed = to_scalar(nested), to_scalar(summed)
    return Pair(Integer(steps), nested, summed)


def pairs(network: Network) -> tuple[Pair, ...]:
    """Return both methods for T = 1 ... 6: with opaque derivatives, and for scalar models also with them filled in."""
    filled = (False, True) if network.system.scalar and link_of(network) is not None else (False,)
    return tuple(pair(network, steps, how) for how in filled for steps in range(1, PROVED + 1))
