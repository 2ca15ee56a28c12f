"""A whole derivation: which sections, in which order, and the results collected at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from .. import algebra as A
from ..algebra.rounding import Rounding
from ..algebra.scalar import to_scalar
from ..errors import RefusedError, UnknownNameError, nearest
from ..model import Network
from ..model.truncation import Truncation
from .curvature import curvature_section
from .forward_numbers import forward_numbers
from .generic import generic
from .numeric import Numbers
from .remedies import REMEDIES, Remedies
from .sections import (
    before_last,
    closed_rows,
    closed_section,
    cost_section,
    dependency_section,
    every_step,
    forward_section,
    hessian_section,
    influence_section,
    local_section,
    methods_section,
    model_section,
    parameter_section,
    recursion_section,
    row_dependency,
    row_derivatives,
    unrolled_section,
)
from .sections.saliency import saliency_section
from .stability import STABILITY
from .steps import EQUALITY, REMARK, WORKED, Line, Named, Section, Step, Worksheet
from .truncation import truncated_section, truncation_section

DETAILS: dict[str, tuple[str, ...]] = {
    "full": (
        "model", "dependency", "local", "recursion", "parameters", "closed", "unrolled",
        "given", "forward", "backward", "numbers", "results",
    ),
    "brief": ("model", "recursion", "parameters", "given", "results"),
    "results": ("results",),
    "numbers": ("model", "given", "forward", "backward", "numbers", "results"),
}  # fmt: skip
"""Detail -> the sections it has, in order."""

TRUNCATION = {"truncation": "closed", "truncated": "numbers"}
"""Section on truncation -> the section that it follows. A derivation has them where a truncation is given."""
TOPICS: dict[str, str] = {
    **TRUNCATION,
    "influence": "truncation",
    "forward_mode": "influence",
    **dict(zip(STABILITY, ("given", *STABILITY), strict=False)),
    "forward_numbers": "truncated",
    "methods": "forward_numbers",
    "cost": "methods",
    **dict(zip(REMEDIES, ("numbers", *REMEDIES), strict=False)),
    "saliency": "results",
    "hessian": "saliency",
    "curvature": "hessian",
}
"""A section that a full derivation does not have -> the section that it stands behind where it is asked for."""


def _with_topics(sections: tuple[str, ...]) -> tuple[str, ...]:
    every = list(sections)
    for topic, before in TOPICS.items():
        every.insert(every.index(before) + 1, topic)
    return tuple(every)


SECTIONS = _with_topics(DETAILS["full"])
"""Every section that can be asked for, in printed order: those of a full derivation, and topics of their own."""


@dataclass(frozen=True)
class Options:
    """What a derivation shows.

    Parameters
    ----------
    detail : str
    sections : tuple of str or None
        Keep only these.
    rounding : Rounding
    random : tuple of (str, value)
        What was drawn at random among the numbers: ``seed``, and key -> standard deviation.
    truncate : tuple of Truncation
        The truncations whose mathematics, and numbers where there are any, are shown.
    remedies : Remedies
    """

    detail: str = "full"
    sections: tuple[str, ...] | None = None
    rounding: Rounding = field(default_factory=Rounding)
    random: tuple[tuple[str, Any], ...] = ()
    truncate: tuple[Truncation, ...] = ()
    remedies: Remedies = field(default_factory=Remedies)

    def __post_init__(self) -> None:
        if self.detail not in DETAILS:
            raise UnknownNameError(f"unknown detail {self.detail!r}{nearest(self.detail, DETAILS)}")
        for key in self.sections or ():
            if key not in SECTIONS:
                raise UnknownNameError(f"unknown section {key!r}{nearest(key, SECTIONS)}")

    @property
    def is_brief(self) -> bool:
        """Whether formulas stand without a sentence for each."""
        return self.detail in ("brief", "results")

    @property
    def keys(self) -> tuple[str, ...]:
        """The sections asked for, in order."""
        if self.sections is None:
            topics = TRUNCATION if self.truncate and self.detail != "results" else {}
            return tuple(key for key in SECTIONS if key in DETAILS[self.detail] or key in topics)
        return tuple(key for key in SECTIONS if key in self.sections)


@dataclass(frozen=True)
class Derived:
    """A worksheet with what is needed to verify it: the network and the worked numbers."""

    network: Network
    worksheet: Worksheet
    numbers: Numbers | None
    truncate: tuple[Truncation, ...] = ()


def derive(network: Network, options: Options = Options(), values: Mapping[str, Any] | None = None) -> Derived:
    """Derive the gradients of a network and lay the derivation out in steps.

    Parameters
    ----------
    network : Network
    options : Options
    values : mapping, optional
        Given numbers; then T and all sizes must be concrete.

    Raises
    ------
    RefusedError
        If nothing of what is asked for exists for this network.
    """
    numbers = Numbers(network, values, options.rounding) if values else None
    worked: dict[str, Section] = {}
    if numbers is not None:
        worked = {"given": Section("given", (*numbers.given_steps(), *_drawn(network, options)))}
        if {*options.keys} & _WORKED:
            numbers.check_readable()
            worked["forward"], worked["backward"] = numbers.forward(), numbers.backward()
            worked["numbers"] = numbers.parameters()
        if "curvature" in options.keys and numbers.direction:
            worked["curvature"] = curvature_section(numbers)
        truncated = truncated_section(network, numbers, options.truncate) if "truncated" in options.keys else None
        worked.update({"truncated": truncated} if truncated else {})
    sections = []
    for key in options.keys:
        section = worked.get(key) or (_SYMBOLIC[key](network, numbers, options) if key in _SYMBOLIC else None)
        if section is not None:
            section = replace(section, steps=tuple(filter(_holds_somewhere, section.steps)))
        if section is not None and section.steps:
            own = {*worked, *_NUMERIC, *REMEDIES}
            symbolic = network.system.scalar and key not in own
            sections.append(_scalar(section) if symbolic else section)
    if not sections:
        raise RefusedError(
            f"nothing to print in {', '.join(map(repr, options.keys))}: worked lines need a concrete T and given"
            " values, 'truncation' a truncation, 'curvature' a direction, products of Jacobians states that are vectors"
        )
    facts = (("cell", network.cell.name), ("T", network.steps), ("scalar", network.system.scalar))
    return Derived(network, Worksheet(tuple(sections), facts), numbers, options.truncate)


def _drawn(network: Network, options: Options) -> list[Step]:
    """Say which numbers were drawn, with one step for each standard deviation."""
    found: dict[float, list[Any]] = {}
    for key, deviation in options.random:
        if key != "seed" and deviation:
            found.setdefault(deviation, []).append(network.system.leaf(key))
    seed = dict(options.random).get("seed", 0)
    return [
        Step(f"given.random.{i}", "given.random", REMARK,
             facts=(("drawn", tuple(leaves)), ("deviation", A.Literal(f"{deviation:g}")), ("seed", A.Literal(seed))))
        for i, (deviation, leaves) in enumerate(found.items(), start=1)
    ]  # fmt: skip


def _holds_somewhere(step: Step) -> bool:
    """Whether there is a step for which a line is claimed: with T = 1 no step follows another."""
    return step.steps is None or not (step.steps[1] - step.steps[0]).is_negative


def _scalar(section: Section) -> Section:
    return replace(section, steps=tuple(map(_scalar_step, section.steps)))


def _scalar_step(step: Step) -> Step:
    """Put a step into scalar notation: the same data, with every expression mapped; figures are in it already."""
    if step.kind == WORKED:
        return step
    left = None if step.left is None else to_scalar(step.left)
    lines: list[Line] = []
    for line in step.chain:
        expr = to_scalar(line.expr)
        if expr != left and (not lines or expr != lines[-1].expr):
            lines.append(replace(line, expr=expr))
    facts = tuple((name, _scalar_fact(value)) for name, value in step.facts)
    return replace(step, left=left, chain=tuple(lines), facts=facts, substeps=tuple(map(_scalar_step, step.substeps)))


def _scalar_fact(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_scalar_fact, value))
    if isinstance(value, Named):
        return Named(value.role, _scalar_fact(value.expr))
    return to_scalar(value) if isinstance(value, A.Node) else value


def results_section(network: Network, numbers: Numbers | None) -> Section:
    """Collect the final results: with numbers where there are any, else the formulas."""
    g, system = generic(network), network.system
    steps: list[Step] = []
    if numbers is None:
        for name in g.adjoints:
            if g.ends_apart(name):
                end = system.last_of(name)
                steps.append(_result(f"result.{name}.end", g.adjoint_of(name, end), g.fill_local(g.at_step(name, end))))
            where = before_last(system, name) if g.ends_apart(name) else every_step(system)
            steps.append(_result(f"result.{name}", g.adjoint_of(name), g.fill_local(g.adjoints[name].expr), where))
        for key, symbol in system.parameters.items():
            steps.append(_result(f"result.{key}", A.derivative(system.L, symbol), g.parameter_sum(key)))
        return Section("results", tuple(steps))
    states = {
        numbers.in_notation(g.adjoint_of(name, when))
        for name in system.states
        for when in [*numbers.every(), system.start_of(name)]
    }
    for key, worked in numbers.lines.items():
        if key == "forward.L" or key.startswith("numbers.") or numbers.lefts[key] in states:
            steps.append(_worked_result(numbers, key, worked))
    return Section("results", (*steps, *numbers.observations()))


def _result(key: str, left: Any, right: Any, where: Any = None) -> Step:
    return Step(key, "result", EQUALITY, left, (Line("=", right),), steps=where)


def _worked_result(numbers: Numbers, key: str, worked: Any) -> Step:
    last = worked.stages[-1]
    left = numbers.lefts[key]
    exact = all(stage.relation == "=" for stage in worked.stages)
    return Step(f"result.{key}", "result", WORKED, left, (Line("=" if exact else "≈", last.expr),))


def _unrolled(network: Network, numbers: Numbers | None, options: Options) -> Section | None:
    """All steps where the section was asked for by name, else those of a short network without numbers."""
    if options.sections is not None:
        return unrolled_section(network, most=None)
    return None if numbers else unrolled_section(network)


def _results(network: Network, numbers: Numbers | None, options: Options) -> Section | None:
    """The results; a brief derivation without numbers ends with them and does not repeat them."""
    brief = options.detail == "brief" and options.sections is None
    return None if brief and numbers is None else results_section(network, numbers)


def _local(network: Network, *_: Any) -> Section:
    section = local_section(network)
    return replace(section, steps=(*section.steps, *row_derivatives(network)))


def _topic(make: Any, network: Network, numbers: Numbers | None, options: Options) -> Section | None:
    section: Section | None = make(network, numbers)
    return section


def _remedy(make: Any, network: Network, numbers: Numbers | None, options: Options) -> Section | None:
    section: Section | None = make(network, numbers, options.remedies)
    return section


_SYMBOLIC: dict[str, Callable[[Network, Numbers | None, Options], Section | None]] = {
    "model": lambda network, *_: model_section(network),
    "dependency": lambda network, *_: row_dependency(network) or dependency_section(network),
    "local": _local,
    "recursion": lambda network, *_: recursion_section(network),
    "parameters": lambda network, *_: parameter_section(network),
    "closed": lambda network, *_: closed_rows(network) or closed_section(network),
    "truncation": lambda network, numbers, options: truncation_section(network, options.truncate),
    "influence": lambda network, *_: influence_section(network),
    "forward_mode": lambda network, *_: forward_section(network),
    "forward_numbers": lambda network, numbers, _: None if numbers is None else forward_numbers(numbers),
    "unrolled": _unrolled,
    "methods": lambda network, numbers, _: methods_section(network, numbers),
    "cost": lambda network, *_: cost_section(network),
    "results": _results,
    "saliency": lambda network, numbers, _: saliency_section(network, numbers),
    "hessian": lambda network, *_: hessian_section(network),
    **{key: partial(_topic, make) for key, make in STABILITY.items()},
    **{key: partial(_remedy, make) for key, make in REMEDIES.items()},
}
_WORKED = frozenset(
    {"forward", "backward", "numbers", "results", "forward_numbers", "methods", "saliency", "curvature", "truncated"}
)
"""Sections that use the worked lines of the forward pass and the backward sweep."""
_NUMERIC = frozenset({"forward_numbers"})
"""Topics whose lines are numbers already, in the notation of the model."""
