"""The section that states the model: its equations, its loss, its conventions."""

from __future__ import annotations

import sympy
from sympy import Expr, S

from ... import algebra as A
from ...algebra import nodes as N
from ...model import CELL, LOSS, READOUT, ROWS, Equation, Network, System
from ..run import total_loss
from ..steps import DEFINITION, EQUALITY, HYPOTHESIS, REMARK, Line, Section, Step
from ..structure import role_of
from .common import chain, every_step, in_layout
from .passes import by_pass


def model_section(network: Network) -> Section:
    """Return the equations, the loss, and the layout convention."""
    system = network.system
    last = system.reduction == "last"
    cell: list[tuple[str, Step]] = []
    rest: list[Step] = []
    for e in system.equations:
        if e.stage == LOSS and last:
            continue
        step = Step(
            f"model.{e.name}",
            f"model.{_model_rule(system, e)}",
            DEFINITION,
            e.left,
            chain(e.left, e.right),
            facts=(("symbol", e.left),),
            steps=every_step(system),
        )
        if e.stage == CELL:
            cell.append((e.name, step))
        else:
            rest.append(step)
    after = [Step("model.after_passes", "model.after_passes", REMARK)] if system.mixed else []
    steps = [*by_pass("model", system, cell), *after, *rest]
    steps.append(_total_step(system))
    if system.masked:
        steps.append(_mask_step(system))
    for name in (name for name, kind in system.targets.items() if kind == "distribution"):
        target, (total, value) = system.at(name), system.target_total(name)
        rule = in_layout(system, "model.target") if len(system.targets) == 1 else "model.target_of"
        steps.append(
            Step(f"model.{name}", rule, HYPOTHESIS, total, (Line("=", value),),
                 facts=(("target", target),), steps=_loss_steps(system))
        )  # fmt: skip
    convention = "model.scalar" if system.scalar else in_layout(system, "model.layout")
    steps.append(Step(convention, convention, REMARK, facts=(("h", system.at(system.states[0])), ("L", system.L))))
    return Section("model", tuple(steps), (("states", tuple(system.at(s, system.start_of(s)) for s in system.states)),))


def _loss_steps(system: System) -> tuple[Expr, Expr]:
    return (system.end, system.end) if system.reduction == "last" else every_step(system)


def _model_rule(system: System, equation: Equation) -> str:
    """The rule of an equation; of a readout that reads another variable than a state, a rule of its own."""
    rule = equation_rule(system, equation)
    first = equation.stage == READOUT and A.depends(equation.right, system.at(system.output))
    return f"{rule}_output" if first and rule == "readout" and system.output not in system.states else rule


def equation_rule(system: System, equation: Equation) -> str:
    """Return what an equation is, the end of a phrase key.

    ``affine``, ``affine_state``, ``affine_layer``, ``intermediate``, ``joined``, ``state``, ``readout``,
    ``prediction``, ``loss``, or the role that the cell or its structure gives it.
    """
    if equation.stage == LOSS:
        return "loss"
    if equation.stage == READOUT:
        return "prediction" if equation.name in system.predictions else "readout"
    role = role_of(system, equation.name)
    if role is not None:
        return role
    if equation.name in system.states:
        return "state"
    if not _is_pre_activation(system, equation):
        return "joined" if _joins_directions(system, equation) else "intermediate"
    reads_input = any(A.depends(equation.right, system.at(name)) for name in system.inputs)
    if not reads_input and _reads_layer_below(system, equation):
        return "affine_layer"
    return "affine" if reads_input else "affine_state"


def _joins_directions(system: System, equation: Equation) -> bool:
    """Whether an equation puts variables of both directions of time on top of each other."""
    joined = equation.right.args if isinstance(equation.right, N.Concat) else ()
    return system.mixed and {system.direction_of(p.name) for p in joined if isinstance(p, A.MatrixAt)} == {1, -1}


def _reads_layer_below(system: System, equation: Equation) -> bool:
    """Whether an equation of a layer reads what another layer computes at the same step."""
    layer, _, _ = equation.name.rpartition(".")
    others = (e for e in system.stage(CELL) if layer and e.name.rpartition(".")[0] != layer)
    return any(A.depends(equation.right, e.left) for e in others)


def _is_pre_activation(system: System, equation: Equation) -> bool:
    """Whether it is affine in a vector state of the step before, and an activation reads it."""
    states = [system.at(name, system.previous_of(name)) for name in system.states]
    if any(isinstance(p, N.Map | N.Apply | N.Hadamard) for p in sympy.preorder_traversal(equation.right)):
        return False
    in_rows = system.layout == ROWS
    carries = any((in_rows or A.is_vector(s)) and A.depends(equation.right, s) for s in states)
    activates = (isinstance(use.right, N.Map | N.Apply) for use, _ in system.uses(equation.name))
    return carries and any(activates)


def _mask_step(system: System) -> Step:
    """Say what the mask is: given numbers, or 1 at the steps whose losses count, so that L is the sum of those."""
    mask = system.at("mask")
    if not system.loss_steps:
        return Step("model.mask", "model.mask", REMARK, facts=(("mask", mask), ("loss", system.at("l"))))
    counted = A.add(*(system.at("l", sympy.Integer(step)) for step in system.loss_steps))
    weight = 1 / system.steps if system.reduction == "mean" else S.One
    facts = (("mask", mask), ("steps", tuple(map(sympy.Integer, system.loss_steps))))
    chain_of = (Line("=", A.product(weight, counted)),)
    return Step("model.mask", "model.loss_steps", EQUALITY, system.L, chain_of, facts)


def _total_step(system: System) -> Step:
    loss = system.by_name["l"]
    if system.reduction == "last":
        right = loss.right.xreplace({system.t: system.end})
        return Step("model.total", "model.total_last", DEFINITION, system.L, (Line("=", right),))
    rule = f"model.total_{system.reduction}"
    return Step("model.total", rule, DEFINITION, system.L, (Line("=", total_loss(system)),))
