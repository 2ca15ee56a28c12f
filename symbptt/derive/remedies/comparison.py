"""Before and after: the gradient norms of the same network without and with a remedy, side by side."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from sympy import Integer

from ... import algebra as A
from ...algebra.rounding import Rounding
from ...model import Network
from ..generic import generic
from ..numeric import Numbers
from ..stability.common import chosen, literal
from ..stability.floats import Measured
from ..steps import REMARK, TABLE, Phrase, Section, Step
from .settings import Remedies

SIDES = ("before", "after")


def comparison_section(network: Network, numbers: Numbers | None, settings: Remedies) -> Section | None:
    """Return the table of gradient norms by the distance from the end, or None without a network to compare with.

    The state that is compared is the first one; the networks may differ in cell and in numbers.
    """
    if numbers is None or settings.before is None:
        return None
    other, values = settings.before
    runs = dict(zip(SIDES, (_run(other, values, numbers.rounding), Measured(numbers)), strict=True))
    rows = []
    for when in _shown(runs["after"]):
        shown = [literal(norm_at(runs[side], when), numbers.rounding)[0] for side in SIDES]
        rows.append((Integer(when), *shown))
    state = network.system.states[0]
    adjoint = numbers.in_notation(A.Norm(generic(network).adjoint_of(state)))
    columns = (network.system.t, *(Phrase(f"comparison.{side}", (("adjoint", adjoint),)) for side in SIDES))
    ratios = {side: literal(ratio(runs[side]), numbers.rounding)[0] for side in SIDES}
    known = (("adjoint", adjoint), ("table", "remedies"))
    steps = [
        Step("comparison.table", "comparison.table", TABLE,
             facts=(*known, ("columns", columns), ("rows", tuple(rows)), ("recipe", ("norms", other, values)))),
        Step("comparison.ratio", "comparison.ratio", TABLE,
             facts=(*known, ("columns", columns[1:]), ("rows", (tuple(ratios.values()),)),
                    ("recipe", ("ratios", other, values)))),
    ]  # fmt: skip
    return Section("comparison", (*_changes(numbers, Numbers(other, dict(values), numbers.rounding)), *steps))


def _changes(after: Numbers, before: Numbers) -> list[Step]:
    """Return what was changed: equations of variables that both networks have, and given numbers that are shown."""
    found = []
    for name, now in after.system.by_name.items():
        was = before.system.by_name.get(name)
        if was is not None and was.right != now.right:
            sides = (after.in_notation(now.left), before.in_notation(was.right), after.in_notation(now.right))
            found.append(("comparison.equation", name, sides))
    old = _shown_numbers(before)
    for leaf, value in _shown_numbers(after).items():
        if leaf in old and old[leaf] != value:
            found.append(("comparison.number", str(leaf), (leaf, old[leaf], value)))
    return [
        Step(f"comparison.changed.{name}", rule, REMARK, facts=tuple(zip(("variable", *SIDES), sides, strict=True)))
        for rule, name, sides in found
    ]


def _shown_numbers(numbers: Numbers) -> dict[Any, Any]:
    """Return the given numbers that are printed, symbol -> value."""
    return dict(row for step in numbers.given_steps() for row in dict(step.facts).get("rows", ()))


@lru_cache(maxsize=8)
def _run(network: Network, values: tuple[tuple[str, Any], ...], rounding: Rounding) -> Measured:
    return Measured(Numbers(network, dict(values), rounding))


def _shown(run: Measured) -> list[int]:
    """Return the steps of the table, the first to the last."""
    return [run.steps - k for k in reversed(chosen(run.steps - 1))]


def norm_at(run: Measured, when: int) -> float:
    """Return the norm of dL/dh_t, of the first state."""
    size = np.size(run.values[run.system.states[0], when])
    return float(np.linalg.norm(run.adjoints[when][:size]))


def ratio(run: Measured) -> float:
    """Return the norm at the first step, as a multiple of that at the last."""
    return norm_at(run, 1) / norm_at(run, run.steps)
