"""The section that sets path expansion beside the recursion: the chains, their sum, and why both agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sympy import Expr, Integer, S

from ... import algebra as A
from ...model import Network, System
from ..closed import joint, local_unweighted, loss_index, one_step_jacobian
from ..forms import recursive
from ..generic import generic
from ..methods.chains import (
    Chain,
    chain,
    link_of,
    local_part,
    loss_of,
    losses,
    no_chains,
    shortened,
    total,
    total_filled,
)
from ..methods.insertion import PROVED, Pair, pair, pairs, recursion_at
from ..steps import EQUALITY, PROOF, REMARK, WORKED, Line, Section, Step
from ..tidy import substitute
from ..worked import work_out
from .common import before_last, every_step
from .common import chain as lines

if TYPE_CHECKING:
    from ..numeric import Numbers

SHOWN = 3
"""The number of steps for which the recursion is written out inserted into itself."""
EXACT = 40
"""Up to so many steps, lines with numbers of links in them are printed, and tested with all steps."""


def methods_section(network: Network, numbers: Numbers | None) -> Section | None:
    """Return the chains to the first state, their sum, the recursion, and the proof that both agree.

    None where there are no Jacobian matrices to make chains of.
    """
    if no_chains(network) is not None:
        return None
    steps = [*_chains(network), *_sum(network), *_recursion(network), *_proofs(network)]
    return Section("methods", (*steps, *(_values(network, numbers) if numbers is not None else ())))


def chain_name(system: System, loss: Any) -> Any:
    """Return the name C_s of a chain; another letter where the model has a C of its own."""
    taken = {*system.variables, *system.parameters}
    return A.Variable(next(letter for letter in ("C", "P", "K", "C'") if letter not in taken))[loss]


# -- the chains ---------------------------------------------------------------------------------------


def _chains(network: Network) -> list[Step]:
    system = network.system
    several = len(system.states) > 1
    if not system.steps.is_Integer:
        return [_generic_chain(network)]
    at = system.first
    every = losses(system, at)
    state = joint(system, at)
    if system.reduction == "last":
        found = _listed(network, every[-1], at)
        return [Step(f"methods.chain.{every[-1]}", "methods.only", EQUALITY, found.share, _product_lines(found),
                     (("state", state), ("loss", system.L), *_whole(system)))]  # fmt: skip
    s = loss_index(system)
    facts = (("state", state), ("loss", loss_of(system, s)))
    steps: list[Step] = []
    for place, loss in enumerate(shortened(every)):
        found = _listed(network, loss, at)
        rule = "methods.next" if steps else "methods.chain_joint" if several else "methods.chain"
        if place == 2 and len(every) > 6:
            left_out = Integer(len(every) - 4)
            steps.append(Step("methods.elided", "methods.elided", REMARK, facts=(("count", left_out),)))
        steps.append(
            Step(f"methods.chain.{loss}", rule, EQUALITY, found.share, _product_lines(found),
                 (("called", chain_name(system, loss)), *facts, *_whole(system)))
        )  # fmt: skip
    return steps


def _listed(network: Network, loss: Expr, at: Expr) -> Chain:
    """Return a chain; of a long network without what was derived for its links, which has numbers of links in it."""
    found = chain(network, loss, at)
    short = network.system.steps <= EXACT
    return found if short else Chain(loss, at, found.share, found.product, found.product)


def _product_lines(found: Chain) -> tuple[Line, ...]:
    """The product and what it is with the links filled in; the share itself, where it is a product of one factor."""
    printed = lines(found.share, found.product, found.filled)
    return printed or (Line("=", found.product),)


def _whole(system: System) -> tuple[tuple[str, Any], ...]:
    return (("whole", True),) if system.steps <= EXACT else ()


def _generic_chain(network: Network) -> Step:
    system = network.system
    s = loss_index(system)
    only = system.reduction == "last"
    found = chain(network, system.end if only else s, system.t)
    facts = (("state", joint(system, system.t)), ("loss", loss_of(system, s)))
    rule = "methods.only" if only else "methods.generic"
    return Step("methods.chain.s", rule, EQUALITY, found.share, _product_lines(found), facts, every_step(system))


# -- their sum, and the recursion ---------------------------------------------------------------------


def _where(system: System) -> tuple[Expr, Any]:
    """Return the step that is looked at, and the range of the lines about it."""
    return (system.first, None) if system.steps.is_Integer else (system.t, every_step(system))


def _sum(network: Network) -> list[Step]:
    system = network.system
    if system.reduction == "last":
        return []
    at, where = _where(system)
    left = A.derivative(system.L, joint(system, at))
    printed = lines(left, total(network, at), total_filled(network, at))
    return [Step("methods.sum", "methods.sum", EQUALITY, left, printed, (("state", joint(system, at)),), where)]


def _recursion(network: Network) -> list[Step]:
    g, system = generic(network), network.system
    at, where = _where(system)
    if at == system.last:
        return []
    left = A.derivative(system.L, joint(system, at))
    opaque = recursion_at(network, at)
    if len(system.states) == 1:
        filled = recursive(network, system.states[0], at)
    else:
        filled = substitute(opaque, {local_part(network, at): g.fill_local(local_unweighted(g, at))})
    facts = (("state", joint(system, at)), ("following", joint(system, at + system.direction)))
    printed = lines(left, opaque, filled)
    rule = "methods.recursion_only" if system.reduction == "last" else "methods.recursion"
    return [Step("methods.recursion", rule, EQUALITY, left, printed, facts,
                 None if where is None else before_last(system))]  # fmt: skip


# -- why both agree -----------------------------------------------------------------------------------


def _proofs(network: Network) -> list[Step]:
    """The recursion inserted into itself, multiplied out; where one chain is all there is, nothing is to be shown."""
    system = network.system
    if system.reduction == "last":
        return []
    proved = pairs(network)
    steps = [_proof(network, "methods.proof", pair(network, SHOWN), proved)]
    link = link_of(network)
    if system.scalar and link is not None and system.t not in link.free_symbols:
        steps.append(_proof(network, "methods.filled", pair(network, PROVED, filled=True), ()))
    return [*steps, Step("methods.proved", "methods.proved", REMARK, facts=(("most", Integer(PROVED)),))]


def _proof(network: Network, key: str, shown: Pair, proved: tuple[Pair, ...]) -> Step:
    system = network.system
    first = S.One if system.direction == 1 else shown.steps
    left = A.derivative(system.L, joint(system, first))
    facts = (
        ("length", shown.steps),
        ("pairs", tuple((p.steps, p.nested, p.chains) for p in proved)),
    )
    return Step(key, key, PROOF, left, (Line("=", shown.nested), Line("=", shown.chains)), facts)


# -- in numbers ---------------------------------------------------------------------------------------


def _values(network: Network, numbers: Numbers) -> list[Step]:
    """The chains of a scalar model worked out in numbers, and their sum; of long chains only powers of one number."""
    system, link = network.system, link_of(network)
    at = system.first
    every = losses(system, at)
    if not system.scalar or link is None or system.reduction != "sum":
        return []
    powers = system.t not in link.free_symbols
    if not powers and len(every) > 6:
        return []
    steps = [] if powers else _link_values(network, numbers, every[1:])
    shown = shortened(every)
    for loss in every:
        found = chain(network, loss, at, written=len(every))
        rule = "methods.value" if loss == at else "methods.more"
        right = found.filled if powers else found.product
        facts = (("called", chain_name(system, loss)),)
        step = _work(numbers, f"methods.value.{loss}", rule, found.share, right, facts)
        if loss in shown:
            steps.append(step)
    left = A.derivative(system.L, joint(system, at))
    s = loss_index(system)
    whole = A.time_sum(chain(network, s, at).share, s, *sorted((at, system.last)))
    return [*steps, _work(numbers, "methods.values", "methods.values", left, whole)]


def _link_values(network: Network, numbers: Numbers, steps: list[Expr]) -> list[Step]:
    """The links of the chains, which differ from step to step."""
    system, link = network.system, link_of(network)
    return [
        _work(numbers, f"methods.link.{when}", "methods.more" if place else "methods.link",
              one_step_jacobian(network, when), link.xreplace({system.t: when}))
        for place, when in enumerate(steps)
    ]  # fmt: skip


def _work(numbers: Numbers, key: str, rule: str, left: Any, right: Any, facts: tuple[Any, ...] = ()) -> Step:
    """Work out a line, and keep its value for the lines after it where it is a new one."""
    leaf, formula = numbers.in_notation(left), numbers.in_notation(right)
    worked = work_out(formula, numbers.figures, {}, numbers.rounding)
    numbers.figures.setdefault(leaf, worked.value)
    printed = lines(leaf, formula, *(Line(stage.relation, stage.expr) for stage in worked.stages))
    return Step(key, rule, WORKED, leaf, printed, (*facts, ("branches", worked.branches)))
