"""Path expansion: from each loss one chain of Jacobians leads back to a state; the chains, and their sum.

For a loss l_s and a state s_t of an earlier step (the joint state where there are several) the chain is

    dl_s/ds_t = (ds_{t+1}/ds_t)^T ... (ds_s/ds_{s-1})^T dl_s/ds_s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, Integer, S

from ... import algebra as A
from ...algebra.names import Names
from ...algebra.scalar import to_scalar
from ...algebra.shown import formula
from ...errors import RefusedError, SizeError
from ...model import Network, System
from ..closed import joint, local_unweighted, loss_index, obstacle, one_step_jacobian, span, step_index
from ..generic import Generic, generic
from ..links import links
from ..tidy import substitute

LISTED = 60
"""More chains than this are not listed one by one."""
WRITTEN = 3
"""A chain of at most so many links is written out link by link."""


@dataclass(frozen=True)
class Chain:
    """The share of one loss in the gradient by one state, as a product along the path between them.

    Attributes
    ----------
    loss, at : sympy.Expr
        The steps s of the loss and t of the state.
    share : node
        dl_s/ds_t as a symbol (dL/ds_t where only the last loss counts).
    product : node
        One Jacobian symbol for each link, and the local part of the loss.
    filled : node
        The same with what was derived for the links and the local part filled in, where that can be read.
    """

    loss: Expr
    at: Expr
    share: Any
    product: Any
    filled: Any


@dataclass(frozen=True)
class Paths:
    """The chains that lead to a state.

    Attributes
    ----------
    chains : tuple of Chain
        C_1 ... C_T; of an elided listing the first two and the last two.
    left_out : int
        How many chains lie between these.
    pairs : int
        How many pairs of a loss and a step of the state that it reaches the whole network has: as many chains.
    total : node
        dL/ds_t as the sum of the shares of all chains.
    left : node or None
        dL/ds_t as a symbol.
    names : Names or None
        How a notebook shows it; a notation changes nothing else.
    """

    chains: tuple[Chain, ...]
    left_out: int
    pairs: int
    total: Any
    left: Any = field(default=None, repr=False)
    names: Names | None = field(default=None, repr=False, compare=False)

    def _repr_latex_(self) -> str:
        rows: list[tuple[Any, ...]] = [tuple(dict.fromkeys((c.share, c.product, c.filled))) for c in self.chains]
        if self.left_out:
            rows.insert(len(rows) // 2, ())
        if self.left is not None and all(self.left != chain.share for chain in self.chains):
            rows.append((self.left, self.total))
        return formula(rows, self.names)

    def __iter__(self) -> Iterator[Chain]:
        return iter(self.chains)

    def __len__(self) -> int:
        return len(self.chains)


def no_chains(network: Network) -> str | None:
    """Return why there are no chains of Jacobian matrices, or None where there are."""
    return obstacle(network)


def paths(network: Network, at: Any = None, elide: bool = False) -> Paths:
    """Return the chains from every loss to the state at a step.

    Parameters
    ----------
    network : Network
        With a concrete number of steps.
    at : int, optional
        The step of the state; by default the one that is computed first, which every loss depends on.
    elide : bool
        Of many chains return the first two and the last two.

    Raises
    ------
    SizeError
        Where T is a symbol, or the step is none of the network.
    RefusedError
        Where there are no Jacobian matrices, or more chains than anybody reads.
    """
    reason = no_chains(network)
    if reason is not None:
        raise RefusedError(f"no path expansion in Jacobian matrices: {reason}; use gradient(form='recursive')")
    system = network.system
    if not system.steps.is_Integer:
        raise SizeError(f"paths needs a number of steps, not {system.steps}; give steps=10, or use form='closed'")
    when = _checked(system, at)
    steps = losses(system, when)
    if len(steps) > LISTED and not elide:
        count = pair_count(system, system.steps)
        raise RefusedError(
            f"{len(steps)} chains lead to step {when}, and {count} to all steps (a chain for each pair of a loss and a "
            "state that it depends on), which nobody reads; use elide=True for the first two and the last two, "
            "or fewer steps"
        )
    shown = shortened(steps) if elide else steps
    chains = tuple(_in_notation(chain(network, s, when), system) for s in shown)
    whole = total(network, when)
    left = A.derivative(system.L, joint(system, when))
    left, whole = map(to_scalar, (left, whole)) if system.scalar else (left, whole)
    return Paths(chains, len(steps) - len(shown), int(pair_count(system, system.steps)), whole, left)


def _in_notation(found: Chain, system: System) -> Chain:
    """Return a chain in scalar notation where all sizes are 1."""
    if not system.scalar:
        return found
    return Chain(found.loss, found.at, *map(to_scalar, (found.share, found.product, found.filled)))


def _checked(system: System, at: Any) -> Expr:
    if at is None:
        return system.first
    if isinstance(at, bool) or not isinstance(at, int | Integer) or not 1 <= at <= system.steps:
        raise SizeError(f"at={at!r}: a step from 1 to {system.steps} is needed")
    return Integer(at)


def losses(system: System, when: Any) -> list[Expr]:
    """Return the steps of the losses that a state reaches, nearest first."""
    if system.reduction == "last":
        return [system.end]
    last = int(system.last)
    return [Integer(s) for s in range(int(when), last + system.direction, system.direction)]


def shortened(steps: list[Any], most: int = 6) -> list[Any]:
    """Return the first two and the last two of many."""
    return steps if len(steps) <= most else [*steps[:2], *steps[-2:]]


def pair_count(system: System, steps: Expr) -> Expr:
    """Return the number of pairs of a loss and a step that it reaches: T(T+1)/2, or T where only the last counts."""
    return steps if system.reduction == "last" else steps * (steps + 1) / 2


def loss_of(system: System, step: Expr) -> Any:
    """Return l_s as a symbol; L where only the last loss counts."""
    return system.L if system.reduction == "last" else system.at("l", step)


def chain(network: Network, loss: Expr, at: Expr, written: int = WRITTEN) -> Chain:
    """Return the chain from a loss to the state at a step; either step may be a symbol.

    Parameters
    ----------
    network : Network
    loss, at : sympy.Expr
    written : int
        A chain of more links is a product of Jacobians from j = ... to ...

    Examples
    --------
    >>> from symbptt import RNN
    >>> two = chain(RNN("linear", 1, 1, steps=3).network, Integer(3), Integer(1))
    >>> to_scalar(two.product)
    d(h[2])/d(h[1])*d(h[3])/d(h[2])*d(l[3])/d(h[3])
    """
    g, system = generic(network), network.system
    share = A.derivative(loss_of(system, loss), joint(system, at))
    local = local_part(network, loss)
    length = (loss - at) * system.direction
    if length == 0:
        return Chain(loss, at, share, local, g.fill_local(local_unweighted(g, loss)))
    if length.is_Integer and length <= written:
        steps = [at + (k + 1) * system.direction for k in range(int(length))]
        product = A.matmul(*(A.transpose(one_step_jacobian(network, step)) for step in steps), local)
    else:
        product = A.matmul(A.transpose(span(network, at, loss)), local)
    return Chain(loss, at, share, product, _filled(network, g, loss, at, product, written))


def local_part(network: Network, step: Expr) -> Any:
    """Return dl_s/ds_s as symbols: of the joint state one symbol."""
    g, system = generic(network), network.system
    several = len(system.states) > 1
    return A.derivative(loss_of(system, step), joint(system, step)) if several else local_unweighted(g, step)


def link_of(network: Network) -> Any:
    """Return the Jacobian of one step written out, at t, where one state has one link; else None."""
    found = links(network)
    return found[0].jacobian if len(network.system.states) == len(found) == 1 else None


def _filled(network: Network, g: Generic, loss: Expr, at: Expr, product: Any, written: int) -> Any:
    system, link = network.system, link_of(network)
    symbol, local = local_part(network, loss), g.fill_local(local_unweighted(g, loss))
    length = (loss - at) * system.direction
    same_at_every_step = link is not None and system.t not in link.free_symbols
    short = length.is_Integer and length <= written
    if link is None or (same_at_every_step and not short and not system.scalar):
        return substitute(product, {symbol: local})
    if same_at_every_step and system.scalar:
        return A.product(A.power(to_scalar(link), length), to_scalar(local))
    if short:
        steps = [at + (k + 1) * system.direction for k in range(int(length))]
        factors = (A.expand_transpose(link.xreplace({system.t: step})) for step in steps)
        return A.matmul(*factors, local)
    j = step_index(system, loss, at)
    moved = link.xreplace({system.t: j})
    if system.direction == 1:
        return A.matmul(A.transpose(A.time_product(moved, j, at + 1, loss)), local)
    return A.matmul(A.time_product(A.transpose(moved), j, loss, at - 1), local)


def total(network: Network, at: Expr) -> Any:
    """Return dL/ds_t as the sum of the shares of all chains: term by term where they are few."""
    g, system = generic(network), network.system
    if system.reduction == "last":
        return chain(network, system.end, at).product
    low, high = reach(system, at)
    if (high - low).is_Integer and high - low < 6:
        shares = (chain(network, s, at).share for s in losses(system, at))
        return A.product(g.weight, A.add(*shares))
    s = loss_index(system, at)
    return A.product(g.weight, A.time_sum(chain(network, s, at).share, s, low, high))


def total_filled(network: Network, at: Expr) -> Any:
    """Return dL/ds_t as the sum of all chains, written with the step s of the loss."""
    g, system = generic(network), network.system
    s = loss_index(system, at)
    low, high = reach(system, at)
    if (high - low) == 0:
        return A.product(g.weight, chain(network, at, at).filled)
    return A.product(g.weight, A.time_sum(chain(network, s, at).filled, s, low, high))


def reach(system: System, at: Expr) -> tuple[Expr, Expr]:
    """Return the first and last step of the losses that a state reaches, in ascending order."""
    return (at, system.steps) if system.direction == 1 else (S.One, at)
