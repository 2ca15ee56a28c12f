"""The symbolic sections of a derivation: model, dependency, local derivatives, recursion, parameters, closed form."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from .. import algebra as A
from ..algebra import nodes as N
from ..errors import RefusedError
from ..model import CELL, LOSS, READOUT, Equation, Network, System
from .closed import closed, closed_joint, joint, loss_index, span, step_index
from .forms import joint_written
from .generic import LOCAL, NEXT, Generic, generic
from .links import Link, NoLinksError, couples_within_step, links
from .run import total_loss
from .steps import CONVENTION, DEFINITION, EQUALITY, HYPOTHESIS, REMARK, Line, Section, Step
from .tidy import as_written

BRACE_LOCAL, BRACE_NEXT, BRACE_SAME = "brace.local", "brace.next", "brace.same"


def _chain(left: Any, *exprs: Any) -> tuple[Line, ...]:
    """Make a chain of equal right-hand sides without repeats and without the left side itself."""
    lines: list[Line] = []
    for given in exprs:
        line = given if isinstance(given, Line) else Line("=", given)
        if line.expr != left and (not lines or line.expr != lines[-1].expr):
            lines.append(line)
    return tuple(lines)


def every_step(system: System) -> tuple[Expr, Expr]:
    """The range 1..T."""
    return (S.One, system.steps)


def before_last(system: System) -> tuple[Expr, Expr]:
    """The steps that another one follows."""
    return (S.One, system.steps - 1) if system.direction == 1 else (sympy.Integer(2), system.steps)


# -- model --------------------------------------------------------------------------------------------


def model_section(network: Network) -> Section:
    """Return the equations, the loss, and the layout convention."""
    system = network.system
    last = system.reduction == "last"
    steps = [
        Step(
            f"model.{e.name}",
            f"model.{equation_rule(system, e)}",
            DEFINITION,
            e.left,
            _chain(e.left, e.right),
            facts=(("symbol", e.left),),
            steps=every_step(system),
        )
        for e in system.equations
        if not (e.stage == LOSS and last)
    ]
    steps.append(_total_step(system))
    if system.target == "distribution":
        target = system.at("target")
        steps.append(
            Step("model.target", "model.target", HYPOTHESIS, A.entry_sum(target), (Line("=", S.One),),
                 facts=(("target", target),), steps=_loss_steps(system))
        )  # fmt: skip
    convention = "model.scalar" if system.scalar else "model.layout"
    steps.append(Step(convention, convention, REMARK, facts=(("h", system.at(system.states[0])), ("L", system.L))))
    return Section("model", tuple(steps), (("states", tuple(system.at(s, system.start) for s in system.states)),))


def _loss_steps(system: System) -> tuple[Expr, Expr]:
    return (system.end, system.end) if system.reduction == "last" else every_step(system)


def equation_rule(system: System, equation: Equation) -> str:
    """Return what an equation is: ``affine``, ``intermediate``, ``state``, ``readout``, ``prediction`` or ``loss``."""
    if equation.stage == LOSS:
        return "loss"
    if equation.stage == READOUT:
        return "prediction" if equation.name == system.prediction else "readout"
    if equation.name in system.states:
        return "state"
    if not _is_pre_activation(system, equation):
        return "intermediate"
    reads_input = any(A.depends(equation.right, system.at(name)) for name in system.inputs)
    return "affine" if reads_input else "affine_state"


def _is_pre_activation(system: System, equation: Equation) -> bool:
    """Whether it is affine in a vector state of the step before, and an activation reads it."""
    states = [system.at(name, system.previous) for name in system.states]
    if any(isinstance(p, N.Map | N.Apply | N.Hadamard) for p in sympy.preorder_traversal(equation.right)):
        return False
    carries = any(A.is_vector(s) and A.depends(equation.right, s) for s in states)
    activates = (isinstance(use.right, N.Map | N.Apply) for use, _ in system.uses(equation.name))
    return carries and any(activates)


def _total_step(system: System) -> Step:
    loss = system.by_name["l"]
    if system.reduction == "last":
        right = loss.right.xreplace({system.t: system.end})
        return Step("model.total", "model.total_last", DEFINITION, system.L, (Line("=", right),))
    rule = f"model.total_{system.reduction}"
    return Step("model.total", rule, DEFINITION, system.L, (Line("=", total_loss(system)),))


# -- dependency ---------------------------------------------------------------------------------------


def dependency_section(network: Network) -> Section:
    """Return, for each state, the ways in which it reaches the loss, and the chain rule over them."""
    g, system = generic(network), network.system
    steps = []
    for name in reversed(system.states):
        ways = _ways(network, name)
        facts = (("variable", system.at(name)), ("ways", tuple(ways)), ("count", len(ways)))
        line = _chain_rule(network, name)
        left = g.adjoint_of(name)
        if line is None:
            steps.append(Step(f"dependency.{name}", "dependency.words", REMARK, facts=facts))
        else:
            steps.append(
                Step(f"dependency.{name}", "dependency.state", EQUALITY, left, (line,), facts, before_last(system))
            )
    return Section("dependency", tuple(steps))


def _ways(network: Network, name: str) -> list[Any]:
    g, system = generic(network), network.system
    found: list[Any] = []
    if name in g.read_by_loss and system.reduction != "last":
        found.append(system.at("l"))
    known = _links(network)
    if known is not None and name in system.states:
        found += [
            system.at(k.target, system.following if k.lag == NEXT else system.t) for k in known if k.source == name
        ]
        return found
    for term in g.adjoints[name].terms:
        if term.source != LOCAL and term.equation is not None:
            found.append(system.at(term.equation.name, system.following if term.source == NEXT else system.t))
    return found


def _links(network: Network) -> tuple[Link, ...] | None:
    try:
        return links(network)
    except NoLinksError:
        return None


def _chain_rule(network: Network, name: str) -> Line | None:
    """dL/dh_t = dl_t/dh_t + (dh_{t+1}/dh_t)^T dL/dh_{t+1}, in Jacobian symbols, or None for matrix states."""
    known = _links(network)
    if known is None:
        return None
    g, system = generic(network), network.system
    terms, braces = [], []
    for term in g.adjoints[name].terms:
        if term.source == LOCAL:
            terms.append(term.expr)
            braces.append(BRACE_LOCAL)
    for link in known:
        if link.source != name:
            continue
        following = link.lag == NEXT
        symbol, adjoint = link.symbol, g.adjoint_of(link.target)
        if following:
            moved = {system.t: system.following}
            symbol, adjoint = symbol.xreplace(moved), adjoint.xreplace(moved)
        terms.append(A.matmul(A.transpose(symbol), adjoint))
        braces.append(BRACE_NEXT if following else BRACE_SAME)
    if not terms:
        return None
    return Line("=", A.add(*terms), tuple(braces) if len(terms) > 1 else ())


# -- local derivatives --------------------------------------------------------------------------------


def local_section(network: Network) -> Section:
    """Return the derivatives within a step: of the loss, of the equations, and of state by state."""
    steps = [*_loss_derivatives(network), *_equation_derivatives(network), *_state_jacobians(network)]
    return Section("local", tuple(steps))


def _loss_derivatives(network: Network) -> list[Step]:
    g, system = generic(network), network.system
    last = system.reduction == "last"
    steps = []
    for name in g.local_terms:
        left = g.local_of(name)
        opaque = A.add(*(term.expr for term in g.local_terms[name]))
        lines = _chain(
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
                "local.loss_hypothesis" if uses_hypothesis else "local.loss",
                EQUALITY,
                left.xreplace(moved),
                lines,
                facts=(("variable", system.at(name).xreplace(moved)), ("target", _target(system, moved))),
                steps=None if last else every_step(system),
            )
        )
    return steps


def _target(system: System, moved: dict[Any, Any]) -> Any:
    return system.at("target").xreplace(moved) if "target" in system.variables else S.Zero


def _generic_local(g: Generic, name: str) -> Any:
    """(dy_t/da_t)^T dl_t/dy_t for a variable that reaches the loss through one readout equation."""
    terms = g.local_terms[name]
    if len(terms) != 1 or terms[0].equation is None or terms[0].equation.stage != READOUT:
        return g.local_of(name)
    system = g.system
    above = terms[0].equation.name
    symbol = A.derivative(system.at(above), system.at(name))
    return A.matmul(A.transpose(symbol), g.local_of(above))


def _equation_derivatives(network: Network) -> list[Step]:
    """dh_t/dz_t = diag(f'(z_t)) of elementwise equations, and the convention at a kink."""
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
        steps.append(
            Step(f"local.d{equation.name}_d{argument.name}", "local.elementwise", EQUALITY, left,
                 _chain(left, raw, as_written(raw, system.equations)),
                 facts=(("variable", equation.left), ("argument", argument)), steps=every_step(system))
        )  # fmt: skip
        steps += _conventions(function, argument, equation)
    return steps


def _conventions(function: Any, argument: Any, equation: Equation) -> list[Step]:
    found = []
    for point in function.kinks:
        slope = sympy.nsimplify(function.prime(point))
        left = N.Apply(function.prime, point)
        found.append(
            Step(f"local.kink_{equation.name}", "local.kink", CONVENTION, left, (Line("=", slope),),
                 facts=(("argument", argument), ("point", point)))
        )  # fmt: skip
    return found


def _state_jacobians(network: Network) -> list[Step]:
    known = _links(network)
    if known is None:
        return []
    system = network.system
    several = couples_within_step(network)
    steps = []
    for link in known:
        moved = {system.t: system.following} if link.lag == NEXT else {}
        left = link.symbol.xreplace(moved)
        right = link.jacobian.xreplace(moved)
        middle = _through_intermediates(network, link)
        lines = _chain(left, *([middle.xreplace(moved)] if middle is not None else []), right)
        where = before_last(system) if link.lag == NEXT else every_step(system)
        rule = "local.state_immediate" if several else "local.state"
        facts = (("variable", left.by), ("target", left.of))
        steps.append(Step(f"local.d{link.target}_d{link.source}_{link.lag}", rule, EQUALITY, left, lines, facts, where))
    return steps


def _through_intermediates(network: Network, link: Link) -> Any:
    """(dh_t/dz_t) (dz_t/dh_{t-1}) where the path passes through exactly one intermediate variable."""
    system = network.system
    target = system.by_name[link.target]
    source = system.at(link.source, system.previous if link.lag == NEXT else system.t)
    middles = [
        e
        for e in system.stage(CELL)
        if e.name not in system.states and A.depends(target.right, e.left) and A.depends(e.right, source)
    ]
    if len(middles) != 1 or A.depends(target.right, source) or couples_within_step(network):
        return None
    middle = middles[0].left
    return A.matmul(A.derivative(target.left, middle), A.derivative(middle, source))


# -- recursion ----------------------------------------------------------------------------------------


def recursion_section(network: Network) -> Section:
    """Return the boundary, the recursion of every state, and the adjoints of the intermediate variables."""
    g, system = generic(network), network.system
    steps = []
    for name in g.adjoints:
        if name in system.states:
            steps += [_boundary(g, name), _recursion(network, name)]
        else:
            steps.append(_intermediate(network, name))
    return Section("recursion", tuple(steps))


def _boundary(g: Generic, name: str) -> Step:
    system = g.system
    end = system.last
    left = g.adjoint_of(name, end)
    expr = g.at_step(name, end)
    lines = _chain(left, expr, g.fill_local(expr))
    return Step(f"boundary.{name}", "recursion.boundary", EQUALITY, left, lines,
                (("variable", system.at(name)), ("end", end)))  # fmt: skip


def _recursion(network: Network, name: str) -> Step:
    g, system = generic(network), network.system
    left = g.adjoint_of(name)
    adjoint = g.adjoints[name]
    braces = tuple({LOCAL: BRACE_LOCAL, NEXT: BRACE_NEXT}.get(t.source, BRACE_SAME) for t in adjoint.terms)
    opaque = Line("=", adjoint.expr, braces if len(braces) > 1 and _splits(adjoint.expr, len(braces)) else ())
    rule = _chain_rule(network, name)
    filled = g.fill_local(adjoint.expr)
    lines = _chain(left, *([rule] if rule else []), opaque, filled, _in_states(g, filled))
    if rule is not None and rule.braces:
        lines = tuple(Line(k.sign, k.expr, k.braces if k.expr == rule.expr else ()) for k in lines)
    rule_key = "recursion.state" if any(t.source == LOCAL for t in adjoint.terms) else "recursion.state_only"
    return Step(f"recursion.{name}", rule_key, EQUALITY, left, lines,
                (("variable", system.at(name)), ("start", system.last)), before_last(system))  # fmt: skip


def _splits(expr: Any, count: int) -> bool:
    return isinstance(expr, N.Plus | N.MatrixPlus) and len(expr.args) == count


def _in_states(g: Generic, expr: Any) -> Any:
    """Express the adjoints of intermediates at t + 1 by those of the states, where that is short."""
    if len(g.adjoints) > 3:
        return expr
    result = g.in_states(expr)
    return result if g.adjoint_of(g.system.states[0]) not in _leaves(result) else expr


def _leaves(expr: Any) -> set[Any]:
    return set(sympy.preorder_traversal(expr))


def _intermediate(network: Network, name: str) -> Step:
    g, system = generic(network), network.system
    left = g.adjoint_of(name)
    expr = g.adjoints[name].expr
    lines = _chain(left, _generic_intermediate(network, name), expr, g.fill_local(expr))
    return Step(f"recursion.{name}", "recursion.intermediate", EQUALITY, left, lines,
                (("variable", system.at(name)), ("ways", tuple(_ways(network, name)))),
                every_step(system))  # fmt: skip


def _generic_intermediate(network: Network, name: str) -> Any:
    """(dh_t/dz_t)^T dL/dh_t for a variable that one other vector variable of its step reads."""
    g, system = generic(network), network.system
    terms = g.adjoints[name].terms
    vectors = A.is_vector(system.at(name)) or system.scalar
    if len(terms) != 1 or terms[0].equation is None or terms[0].source == NEXT or not vectors:
        return g.adjoint_of(name)
    above = terms[0].equation.left
    if not A.is_vector(above):
        return g.adjoint_of(name)
    mode = A.IMMEDIATE if couples_within_step(network) else A.TOTAL
    return A.matmul(A.transpose(A.derivative(above, system.at(name), mode)), g.adjoint_of(above.name))


# -- parameters ---------------------------------------------------------------------------------------


def parameter_section(network: Network) -> Section:
    """Return the gradients by the parameters, the inputs and the initial states."""
    g, system = generic(network), network.system
    steps = []
    for key, gradient in g.parameters.items():
        left = A.derivative(system.L, gradient.parameter)
        total = g.parameter_sum(key)
        uses = tuple(term.equation.left for term in gradient.terms if term.equation is not None)
        steps.append(
            Step(f"parameter.{key}", "parameter.sum", EQUALITY, left, _chain(left, total, g.in_states(total)),
                 (("parameter", gradient.parameter), ("uses", uses), ("count", len(uses))))
        )  # fmt: skip
    for name in system.inputs:
        left = g.adjoint_of(name)
        steps.append(
            Step(f"input.{name}", "parameter.input", EQUALITY, left,
                 _chain(left, g.input_gradient(name), g.in_states(g.input_gradient(name))),
                 (("variable", system.at(name)),), every_step(system))
        )  # fmt: skip
    for name in system.states:
        left = g.adjoint_of(name, system.start)
        right = g.initial_gradient(name)
        steps.append(
            Step(f"initial.{name}", "parameter.initial", EQUALITY, left, _chain(left, right, g.in_states(right)),
                 (("variable", system.at(name, system.start)),))
        )  # fmt: skip
    return Section("parameters", tuple(steps))


# -- closed form --------------------------------------------------------------------------------------


def closed_section(network: Network) -> Section | None:
    """Return the closed form of every state's adjoint, or None where a state is a matrix."""
    system = network.system
    try:
        exprs = {name: closed(network, name, system.t) for name in system.states}
    except RefusedError:
        return None
    s = loss_index(system)
    left = A.derivative(joint(system, s), joint(system, system.t))
    steps = []
    if system.direction == 1:
        link = links(network)
        product = span(network, system.t, s)
        lines = [product]
        if len(system.states) == 1 and len(link) == 1:
            j = step_index(system)
            moved = link[0].jacobian.xreplace({system.t: j})
            lines.append(A.time_product(moved, j, system.t + 1, s))
        steps.append(
            Step("closed.span", "closed.span", EQUALITY, left, _chain(left, *lines),
                 (("variable", joint(system, system.t)),), (S.One, system.steps))
        )  # fmt: skip
    if len(system.states) > 1:
        steps.append(_joint_step(network))
    g = generic(network)
    for name, expr in exprs.items():
        left = g.adjoint_of(name)
        with_span = expr if len(system.states) > 1 else closed_joint(network, system.t, opaque=True)
        steps.append(
            Step(f"closed.{name}", "closed.state", EQUALITY, left, _chain(left, with_span, expr),
                 (("variable", system.at(name)), ("state", joint(system, system.t))), every_step(system))
        )  # fmt: skip
    return Section("closed", tuple(steps))


def _joint_step(network: Network) -> Step:
    system = network.system
    left = A.derivative(joint(system, system.t), joint(system, system.previous))
    where = (sympy.Integer(2), system.steps) if system.direction == 1 else (S.One, system.steps - 1)
    return Step("closed.joint", "closed.joint", EQUALITY, left, (Line("=", joint_written(network, system.t)),),
                (("state", joint(system, system.t)),), where)  # fmt: skip
