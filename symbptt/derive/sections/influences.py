"""The sections on influence matrices, their closed form and its proof, and on forward mode beside BPTT."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from ... import algebra as A
from ...errors import RefusedError
from ...model import Network
from ..closed import joint
from ..counting import leading
from ..forward_mode import bptt_cost, equality_with_bptt, rtrl_cost
from ..influence import (
    check_influence,
    forward_gradient,
    immediate,
    immediate_written,
    influence_proof,
    recurrent_parameters,
    recursive,
    recursive_written,
    solved,
    solved_written,
    through_middle,
    total,
)
from ..steps import EQUALITY, REMARK, TABLE, Phrase, Section, Step
from .common import chain, every_step
from .proofs import proof_steps

LONGEST = 60
"""Of counts that are longer, in characters, only the terms of the highest degree are shown."""


def _keys(network: Network) -> tuple[str, ...]:
    """The parameters that the states depend on; none where there are no influence matrices."""
    try:
        check_influence(network)
    except RefusedError:
        return ()
    return recurrent_parameters(network)


def _facts(network: Network, key: str) -> tuple[tuple[str, Any], ...]:
    system = network.system
    return (("parameter", system.parameters[key]), ("state", joint(system, system.t)))


def influence_section(network: Network) -> Section | None:
    """Return immediate and total influence of every recurrent parameter, solved, with its proof; None for none."""
    keys, system = _keys(network), network.system
    if not keys:
        return None
    t = system.t
    steps = []
    for key in keys:
        left, middle = immediate(network, key, t), through_middle(network, key)
        lines = chain(left, *([] if middle is None else [middle]), immediate_written(network, key))
        rule = f"influence.immediate{'' if key == keys[0] else '_more'}"
        steps.append(Step(f"influence.immediate.{key}", rule, EQUALITY, left, lines,
                          _facts(network, key), every_step(system)))  # fmt: skip
    first, *others = keys
    steps.append(_start(network, first, "influence"))
    left = total(network, first, t)
    lines = chain(left, recursive(network, first, t))
    steps.append(Step(f"influence.recursion.{first}", "influence.recursion", EQUALITY, left, lines,
                      _facts(network, first), every_step(system)))  # fmt: skip
    steps.append(_solution(network, first, "influence.closed", _recurrence(t, system.previous)))
    proof = influence_proof(network, first)
    facts = (*_facts(network, first), ("before", system.previous), ("here", t))
    where = (sympy.Integer(2), system.steps) if system.direction == 1 else (S.One, system.steps - 1)
    steps += proof_steps(f"influence.induction.{first}", "influence.induction", proof, where, facts)
    steps += [_solution(network, key, "influence.closed_more") for key in others]
    return Section("influence", tuple(steps))


def _start(network: Network, key: str, section: str) -> Step:
    system = network.system
    left = total(network, key, system.start)
    zero = A.no_influence(joint(system, system.start), system.parameters[key])
    facts = (("initial", joint(system, system.start)),)
    return Step(f"{section}.start.{key}", "influence.start", EQUALITY, left, chain(left, zero), facts)


def _recurrence(t: Any, previous: Any) -> tuple[tuple[str, Any], ...]:
    """p_t = b_t + c_t p_{t-1}, for the words."""
    p, b, c = (A.Variable(name) for name in "pbc")
    return (("unknown", p[t]), ("recurrence", A.add(b[t], A.product(c[t], p[previous]))))


def _solution(network: Network, key: str, rule: str, facts: tuple[tuple[str, Any], ...] = ()) -> Step:
    system = network.system
    left = total(network, key, system.t)
    lines = chain(left, solved(network, key, system.t), solved_written(network, key))
    return Step(f"influence.closed.{key}", rule, EQUALITY, left, lines, (*_facts(network, key), *facts),
                every_step(system))  # fmt: skip


def forward_section(network: Network) -> Section | None:
    """Return real-time recurrent learning: what is carried, the gradients, the equality with BPTT, the cost of both."""
    keys, system = _keys(network), network.system
    if not keys:
        return None
    t = system.t
    steps = [_start(network, keys[0], "forward_mode")]
    for key in keys:
        left = total(network, key, t)
        lines = chain(left, recursive(network, key, t), recursive_written(network, key))
        steps.append(Step(f"forward_mode.update.{key}", f"forward_mode.update{'' if key == keys[0] else '_more'}",
                          EQUALITY, left, lines, _facts(network, key), every_step(system)))  # fmt: skip
    for key in keys:
        left = A.vec(A.derivative(system.L, system.parameters[key]))
        rule = "forward_mode.gradient" if key == keys[0] else "forward_mode.gradient_more"
        steps.append(Step(f"forward_mode.gradient.{key}", rule, EQUALITY, left,
                          chain(left, forward_gradient(network, key)), _facts(network, key)))  # fmt: skip
    others = tuple(symbol for key, symbol in system.parameters.items() if key not in keys)
    if others:
        steps.append(Step("forward_mode.others", "forward_mode.others", REMARK, facts=(("parameters", others),)))
    left = A.vec(A.derivative(system.L, system.parameters[keys[0]]))
    rule = "forward_mode.equal_last" if system.reduction == "last" else "forward_mode.equal"
    steps.append(Step(f"forward_mode.equal.{keys[0]}", rule, EQUALITY, left,
                      chain(left, *equality_with_bptt(network, keys[0])), _facts(network, keys[0])))  # fmt: skip
    steps.append(_cost(network))
    return Section("forward_mode", tuple(steps))


def _cost(network: Network) -> Step:
    """Numbers kept and multiplications for each step, of both methods, in sizes and T."""
    costs = (bptt_cost(network), rtrl_cost(network))
    long = any(len(str(cost.step)) > LONGEST for cost in costs)
    counts = tuple(leading(cost.step) if long else cost.step for cost in costs)
    rows: list[tuple[Any, ...]] = [
        (Phrase("cost.kept"), *(cost.kept for cost in costs)),
        (Phrase("cost.leading" if long else "cost.step"), *counts),
    ]
    orders = tuple(_order(cost.step) for cost in costs)
    if None not in orders:
        rows.append((Phrase("cost.order"), *orders))
    columns = tuple(map(Phrase, ("cost.what", "cost.bptt", "cost.rtrl")))
    facts = (("table", "costs"), ("columns", columns), ("rows", tuple(rows)))
    return Step("forward_mode.cost", "forward_mode.cost", TABLE, facts=facts)


def _order(count: Expr) -> Expr | None:
    """The leading power of a count where all sizes are n; None where they are numbers."""
    n = A.size("n")
    same = count.xreplace(dict.fromkeys(count.free_symbols, n))
    degree = sympy.degree(same, n) if same.has(n) else 0
    return n**degree if degree else None
