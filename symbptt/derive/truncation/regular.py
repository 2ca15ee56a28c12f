"""Windows and segments: the truncated adjoint, how it is computed, and the terms that it leaves out."""

from __future__ import annotations

from typing import Any

from sympy import Expr, S

from ... import algebra as A
from ...model import CELL, Network
from ...model.truncation import Segments, Window
from ..closed import closed_joint, closed_part
from ..generic import LOCAL, NEXT, generic
from ..links import NoLinksError, links
from ..sections.common import BRACE_LOCAL, BRACE_NEXT, BRACE_SAME, chain
from ..steps import DEFINITION, EQUALITY, REMARK, Line, Step
from .common import (
    ENDS,
    INSIDE,
    STARTS,
    Places,
    Reach,
    loss_of,
    marked,
    of_loss,
    over_losses,
    reads_adjoints,
    share,
    use_of,
    within_steps,
)

Regular = Window | Segments


def regular_steps(network: Network, how: Regular) -> list[Step]:
    """Return the steps for a window or for segments."""
    own = _window_steps(network, how) if isinstance(how, Window) else _segment_steps(network, how)
    return [
        _opening(network, how),
        *own,
        *within_steps(network, how.mode, _key(how, "within")),
        *_parameters(network, how),
        *_bias(network, how),
    ]


def _key(how: Regular, name: str) -> str:
    return f"truncation.{how}.{name}"


def _opening(network: Network, how: Regular) -> Step:
    system = network.system
    kind = "window" if isinstance(how, Window) else "segments"
    exact = system.steps.is_Integer and how.tau == system.steps
    symbol = A.derivative(system.L, system.at(system.states[0]), how.mode)
    facts = (("tau", how.tau), ("symbol", symbol), ("loss", loss_of(system)[0]), ("use", loss_of(system)[1]))
    rule = f"truncation.{kind}" + (".exact" if exact else ".one" if how.tau == 1 else "")
    return Step(_key(how, "opening"), rule, REMARK, facts=facts)


# -- sums over the losses that reach a step -----------------------------------------------------------


def _sums(network: Network, how: Regular) -> list[Step]:
    """dL/dv_t as the sum over the losses that are kept, for every state."""
    g, system = generic(network), network.system
    reach = Reach(system, how)
    steps: list[Step] = []
    for name in system.states:
        left = A.derivative(system.L, system.at(name), how.mode)
        low, high = reach.kept(system.t)
        total = over_losses(g, share(g, name, system.t, reach.loss), reach.loss, low, high)
        facts = (("variable", system.at(name)), ("loss", system.at("l", reach.loss)))
        if system.reduction != "last":
            steps.append(
                Step(
                    _key(how, f"sum.{name}"),
                    "truncation.sum",
                    EQUALITY,
                    left,
                    chain(left, total, *_closed(network, how, name)),
                    facts,
                    (S.One, system.steps),
                )
            )
            continue
        steps.append(
            Step(
                _key(how, f"sum.{name}"),
                "truncation.sum_last",
                EQUALITY,
                left,
                chain(left, total),
                facts,
                reach.reached_by_end(),
            )
        )
        zero = A.zero_like(system.at(name))
        steps.append(
            Step(
                _key(how, f"zero.{name}"), "truncation.zero_last", EQUALITY, left, chain(left, zero), facts, reach.cut()
            )
        )
    return steps


def _closed(network: Network, how: Regular, name: str) -> list[Any]:
    """The same in Jacobians, where there are any."""
    system = network.system
    bounds = Reach(system, how).kept(system.t)
    try:
        if len(system.states) > 1:
            return [closed_part(network, name, system.t, bounds)]
        links(network)
        opaque = closed_joint(network, system.t, opaque=True, bounds=bounds)
        return [opaque, closed_part(network, name, system.t, bounds)]
    except (NoLinksError, ValueError):
        return []


# -- windows ------------------------------------------------------------------------------------------


def _window_steps(network: Network, how: Window) -> list[Step]:
    return [*_sums(network, how), *_passes(network, how)]


def _passes(network: Network, how: Window) -> list[Step]:
    """The recursion of a single loss, which a window needs in the place of one recursion for all."""
    g, system = generic(network), network.system
    if how.tau == 1:
        return []
    loss = Reach(system).loss
    steps: list[Step] = []
    for name in system.states:
        left = share(g, name, system.t, loss)
        kept = [term for term in g.adjoints[name].terms if term.source != LOCAL]
        raw = A.add(*(term.expr for term in kept)) if kept else A.zero_like(left)
        rule = _through_links(network, name, A.TOTAL, loss, None)
        lines = chain(left, *([rule] if rule else []), of_loss(g, raw, loss))
        last = system.reduction == "last"
        after = (system.steps, system.steps) if last else _after(network)
        facts = (
            ("variable", system.at(name)),
            ("loss", system.at("l", loss)),
            ("tau", how.tau),
            ("ranges", ((system.t, _before_last(network)), (loss, after))),
        )
        key = "truncation.pass_last" if last else "truncation.pass"
        steps.append(Step(_key(how, f"pass.{name}"), key, EQUALITY, left, lines, facts, _before_last(network)))
    if system.reduction != "last":
        cost = (("products", how.tau * system.steps), ("tau", how.tau), ("T", system.steps))
        steps.append(Step(_key(how, "cost"), "truncation.cost", REMARK, facts=cost))
    return steps


def _after(network: Network) -> tuple[Expr, Expr]:
    system = network.system
    return (system.t + 1, system.steps) if system.direction == 1 else (S.One, system.t - 1)


def _before_last(network: Network) -> tuple[Expr, Expr]:
    system = network.system
    return (S.One, system.steps - 1) if system.direction == 1 else (S(2), system.steps)


def _through_links(network: Network, name: str, mode: str, loss: Any, factor: Any) -> Any:
    """(dh_{t+1}/dh_t)^T dl_s/dh_{t+1}, the recursion of one loss in Jacobian symbols; None for matrix states."""
    g, system = generic(network), network.system
    try:
        known = links(network)
    except NoLinksError:
        return None
    terms = []
    for link in known:
        if link.source == name:
            moved = {system.t: system.following} if link.lag == NEXT else {}
            adjoint = of_loss(g, g.adjoint_of(link.target), loss, mode)
            term = A.matmul(A.transpose(link.symbol.xreplace(moved)), adjoint.xreplace(moved))
            terms.append(A.product(factor, term) if factor is not None and link.lag == NEXT else term)
    return A.add(*terms) if terms else None


# -- segments -----------------------------------------------------------------------------------------


def _segment_steps(network: Network, how: Segments) -> list[Step]:
    return [*_forward(network, how), *_recursions(network, how), *_sums(network, how)]


def _forward(network: Network, how: Segments) -> list[Step]:
    """The equations of the first step of a segment, with the gradient stopped."""
    system = network.system
    stopped = {system.at(s, system.previous): A.held(system.at(s, system.previous)) for s in system.states}
    steps: list[Step] = []
    for equation in system.stage(CELL):
        right = equation.right.xreplace(stopped)
        if right != equation.right and not _nothing_cut(network, how):
            state = next(iter(stopped))
            facts = (
                ("starts", _list(network, how, 1)),
                ("where", Places(how.tau, STARTS)),
                ("stopped", stopped[state]),
                ("state", state),
            )
            rule = "truncation.stopped_on" if not system.steps.is_Integer else "truncation.stopped"
            first = not steps
            steps.append(
                Step(
                    _key(how, f"forward.{equation.name}"),
                    rule if first else "truncation.more",
                    DEFINITION,
                    equation.left,
                    (Line("=", right),),
                    facts,
                    (S.One, system.steps),
                )
            )
    return steps


def _nothing_cut(network: Network, how: Segments) -> bool:
    steps = network.system.steps
    return bool(steps.is_Integer and how.tau >= steps)


def _list(network: Network, how: Segments, offset: int) -> tuple[Any, ...]:
    """Return the first steps of segments (1), or the last (0), but for the start and the end of the sequence."""
    system = network.system
    count = int((system.steps - 1) // how.tau) if system.steps.is_Integer else 3
    positions = [how.tau * k + offset for k in range(1, count + 1)]
    return tuple(S(k) if system.direction == 1 else system.steps + 1 - k for k in positions)


def _recursions(network: Network, how: Segments) -> list[Step]:
    g, system = generic(network), network.system
    steps: list[Step] = []
    for name in system.states:
        left = A.derivative(system.L, system.at(name), how.mode)
        terms = g.adjoints[name].terms
        inner = A.add(*(t.expr for t in terms)) if terms else A.zero_like(left)
        braces = tuple({LOCAL: BRACE_LOCAL, NEXT: BRACE_NEXT}.get(t.source, BRACE_SAME) for t in terms)
        line = Line(
            "=", marked(g, inner, how.mode), braces if len(braces) > 1 and len(inner.args) == len(braces) else ()
        )
        facts = (("variable", system.at(name)), ("ends", _list(network, how, 0)))
        if how.tau > 1:
            steps.append(
                Step(
                    _key(how, f"inside.{name}"),
                    "truncation.inside",
                    EQUALITY,
                    left,
                    (line, *chain(left, marked(g, g.fill_local(inner), how.mode)))
                    if g.fill_local(inner) != inner
                    else (line,),
                    (*facts, ("where", Places(how.tau, INSIDE))),
                    (S.One, system.steps),
                )
            )
        if system.reduction == "last":
            steps += _last_ends(network, how, name)
            continue
        kept = [t.expr for t in terms if t.source != NEXT]
        edge = A.add(*kept) if kept else A.zero_like(left)
        on = "" if system.steps.is_Integer else "_on"
        rule = "truncation.ends" + ("_none" if _nothing_cut(network, how) else on)
        steps.append(
            Step(
                _key(how, f"ends.{name}"),
                rule,
                EQUALITY,
                left,
                chain(left, marked(g, edge, how.mode), marked(g, g.fill_local(edge), how.mode)),
                (*facts, ("where", Places(how.tau, ENDS))),
                (S.One, system.steps),
            )
        )
    return steps


def _last_ends(network: Network, how: Segments, name: str) -> list[Step]:
    """Where only the last loss counts, the sweep starts at T; nothing else enters the segments before the last."""
    g, system = generic(network), network.system
    left = A.derivative(system.L, system.at(name, system.end), how.mode)
    start = g.at_step(name, system.end)
    kept = [t.expr.xreplace({system.t: system.end}) for t in g.adjoints[name].terms if t.source != NEXT]
    local = [g.local_of(name, system.end)] if name in g.read_by_loss else []
    opaque = A.add(*local, *(marked(g, e, how.mode) for e in kept)) if local or kept else start
    filled = A.add(*(g.fill_local(e) for e in local), *(marked(g, e, how.mode) for e in kept)) if local else opaque
    return [
        Step(
            _key(how, f"end.{name}"),
            "truncation.start_last",
            EQUALITY,
            left,
            chain(left, opaque, filled),
            (("variable", system.at(name)), ("end", system.end)),
        )
    ]


# -- parameters, and what is left out -----------------------------------------------------------------


def _parameters(network: Network, how: Regular) -> list[Step]:
    g, system = generic(network), network.system
    steps: list[Step] = []
    for key, gradient in g.parameters.items():
        if reads_adjoints(g, gradient):
            left = A.derivative(system.L, gradient.parameter, how.mode)
            right = marked(g, g.parameter_sum(key), how.mode)
            facts = (("parameter", gradient.parameter),)
            rule = "truncation.parameter" if not steps else "truncation.more"
            steps.append(Step(_key(how, f"parameter.{key}"), rule, EQUALITY, left, chain(left, right), facts))
    return steps


def _bias(network: Network, how: Regular) -> list[Step]:
    """The exact gradient less the truncated one: the sum over the pairs of a use and a loss that are left out."""
    g, system = generic(network), network.system
    reach = Reach(system, how)
    low, high = reach.cut()
    if (high - low).is_negative:
        return [Step(_key(how, "unbiased"), "truncation.nothing", REMARK)]
    steps: list[Step] = []
    for key, gradient in g.parameters.items():
        if not reads_adjoints(g, gradient):
            continue
        left = A.subtract(*(A.derivative(system.L, gradient.parameter, m) for m in (A.TOTAL, how.mode)))
        body = of_loss(g, use_of(gradient), reach.loss)
        inner = body if system.reduction == "last" else A.time_sum(body, reach.loss, *reach.dropped(system.t))
        right = g.weighted(A.time_sum(inner, system.t, low, high))
        facts = (("parameter", gradient.parameter), *_counts(network, how))
        rule = "truncation.more" if steps else "truncation.bias"
        if not steps and not system.steps.is_Integer:
            rule = "truncation.bias_symbolic"
        steps.append(Step(_key(how, f"bias.{key}"), rule, EQUALITY, left, chain(left, right), facts))
    return steps


def _counts(network: Network, how: Regular) -> tuple[tuple[str, int], ...]:
    """Return how many pairs of a use and a loss there are, and how many are left out."""
    system = network.system
    if not system.steps.is_Integer:
        return ()
    T = int(system.steps)
    losses = [T] if system.reduction == "last" else range(1, T + 1)
    pairs = [(s, k) for s in losses for k in range(1, s + 1)]
    return ("pairs", len(pairs)), ("dropped", sum(not how.reaches(s, k) for s, k in pairs))
