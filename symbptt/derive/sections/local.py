"""The section of derivatives within one step: of the loss, of the equations, of state by state."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import S

from ... import algebra as A
from ...algebra import nodes as N
from ...model import CELL, READOUT, Equation, Network, System
from ..generic import NEXT, Generic, generic
from ..links import Link, couples_within_step
from ..steps import CONVENTION, EQUALITY, REMARK, Line, Section, Step
from ..tidy import as_written
from .common import before_last, chain, every_step, in_layout, known_links
from .flow import flow_steps


def local_section(network: Network) -> Section:
    """Return the derivatives within a step: of the loss, of the equations, and of state by state."""
    steps = [
        *_loss_derivatives(network),
        *equation_derivatives(network),
        *_conventions(network.system),
        *state_jacobians(network),
        *flow_steps(network),
    ]
    return Section("local", tuple(steps))


def _loss_derivatives(network: Network) -> list[Step]:
    g, system = generic(network), network.system
    last = system.reduction == "last"
    steps = []
    for name in g.local_terms:
        left = g.local_of(name)
        opaque = A.add(*(term.expr for term in g.local_terms[name]))
        lines = chain(
            left,
            _generic_local(g, name),
            opaque,
            g.local_unconditional(name),
            g.local_results[name],
        )
        moved = {system.t: system.end} if last else {}
        lines = tuple(Line(k.sign, k.expr.xreplace(moved)) for k in lines)
        uses_hypothesis = g.local_unconditional(name) != g.local_results[name]
        steps.append(
            Step(
                f"local.{name}",
                in_layout(system, "local.loss_hypothesis") if uses_hypothesis else "local.loss",
                EQUALITY,
                left.xreplace(moved),
                lines,
                facts=(("variable", system.at(name).xreplace(moved)), ("target", _target(system, moved))),
                steps=None if last else every_step(system),
            )
        )
    return steps


def _target(system: System, moved: dict[Any, Any]) -> Any:
    kinds = system.targets
    sums = [name for name in kinds if kinds[name] == "distribution"] or list(kinds)
    return tuple(system.at(name).xreplace(moved) for name in sums) if len(sums) > 1 else _first(system, sums, moved)


def _first(system: System, names: list[str], moved: dict[Any, Any]) -> Any:
    return system.at(names[0]).xreplace(moved) if names else S.Zero


def _generic_local(g: Generic, name: str) -> Any:
    """(dy_t/da_t)^T dl_t/dy_t for a variable that reaches the loss through one readout equation."""
    terms = g.local_terms[name]
    if len(terms) != 1 or terms[0].equation is None or terms[0].equation.stage != READOUT:
        return g.local_of(name)
    system = g.system
    above = terms[0].equation.name
    if A.rank_of(system.at(name)) == 2 or A.rank_of(system.at(above)) == 2:
        return g.local_of(name)
    symbol = A.derivative(system.at(above), system.at(name))
    return A.matmul(A.transpose(symbol), g.local_of(above))


def equation_derivatives(network: Network) -> list[Step]:
    """dh_t/dz_t = diag(f'(z_t)) of elementwise equations."""
    system = network.system
    steps: list[Step] = []
    for equation in system.stage(CELL):
        right = equation.right
        if not isinstance(right, N.Map | N.Apply) or not isinstance(right.args[1], A.MatrixAt | A.ScalarAt):
            continue
        function, argument = right.args
        if A.rank_of(argument) == 2:
            continue
        prime = A.apply(function.prime, argument)
        raw = A.diag(prime) if A.shape_of(prime) else prime
        left = A.derivative(equation.left, argument)
        rule = "local.slope" if system.scalar else "local.elementwise"
        steps.append(
            Step(f"local.d{equation.name}_d{argument.name}", rule, EQUALITY, left,
                 chain(left, raw, as_written(raw, system.equations)),
                 facts=(("variable", equation.left), ("argument", argument)), steps=every_step(system))
        )  # fmt: skip
    return steps


def _conventions(system: System) -> list[Step]:
    """What is taken for the derivative where there is none: at each kink of each function, and at equal maxima."""
    parts = [p for e in system.equations for p in sympy.preorder_traversal(e.right)]
    found = []
    for function in dict.fromkeys(p.args[0] for p in parts if isinstance(p, N.Map | N.Apply)):
        for place, point in enumerate(function.kinks, start=1):
            slope = sympy.nsimplify(function.prime(point))
            left = N.Apply(function.prime, point)
            found.append(
                Step(f"local.kink_{function.name}.{place}", "local.kink", CONVENTION, left, (Line("=", slope),),
                     facts=(("point", point), ("function", N.Apply(function, point))))
            )  # fmt: skip
    if any(isinstance(p, N.MaxEntry) for p in parts):
        found.append(Step("local.largest", "local.largest", REMARK))
    return found


def state_jacobians(network: Network) -> list[Step]:
    """dh_{t+1}/dh_t, link by link, where no path passes through a matrix."""
    known = known_links(network)
    if known is None:
        return []
    system = network.system
    several = couples_within_step(network)
    steps = []
    for link in known:
        moved = {system.t: system.following_of(link.source)} if link.lag == NEXT else {}
        left = link.symbol.xreplace(moved)
        right = link.jacobian.xreplace(moved)
        middle = _through_intermediates(network, link)
        lines = chain(left, *([middle.xreplace(moved)] if middle is not None else []), right)
        where = before_last(system, link.source) if link.lag == NEXT else every_step(system)
        rule = "local.state_immediate" if several else "local.state_scalar" if system.scalar else "local.state"
        facts = (("variable", left.by), ("target", left.of))
        steps.append(Step(f"local.d{link.target}_d{link.source}_{link.lag}", rule, EQUALITY, left, lines, facts, where))
    return steps


def _through_intermediates(network: Network, link: Link) -> Any:
    """(dh_t/dz_t) (dz_t/dh_{t-1}) where every path passes through the same intermediate variable."""
    system = network.system
    target = system.by_name[link.target]
    source = system.at(link.source, system.previous_of(link.source) if link.lag == NEXT else system.t)
    middles = [
        e
        for e in system.stage(CELL)
        if e.name not in system.states and A.depends(target.right, e.left) and A.depends(e.right, source)
    ]
    if len(middles) != 1 or couples_within_step(network) or _bypasses(system, target.right, middles[0], source):
        return None
    middle = middles[0].left
    return A.matmul(A.derivative(target.left, middle), A.derivative(middle, source))


def _bypasses(system: System, expr: Any, middle: Equation, source: Any) -> bool:
    """Whether an expression depends on a variable, in the same step, otherwise than through ``middle``."""
    inner = (e for e in system.stage(CELL) if e.name not in system.states and e != middle and A.depends(expr, e.left))
    return A.depends(expr, source) or any(_bypasses(system, e.right, middle, source) for e in inner)
