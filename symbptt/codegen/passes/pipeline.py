"""Which passes prepare a program, in order, for each style of source."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..plan import Plan
from ..program import Program, program_of
from .common import common
from .fuse import fuse
from .hoist import hoist, postpone, stack
from .inline import inline
from .join import join
from .reuse import reuse

Pass = Callable[[Program], Program]

READABLE: tuple[Pass, ...] = (reuse, hoist, postpone)
"""For the source that is read beside the formulas."""

FAST: tuple[Pass, ...] = (reuse, hoist, inline, postpone, common, fuse)
"""For the source that ``lambdify`` runs."""

FAST_SINGLE: tuple[Pass, ...] = (reuse, hoist, inline, postpone, common, stack, fuse, join)
"""For one sequence, where a call costs more than the numbers in it."""


def prepared(plan: Plan, passes: Iterable[Pass]) -> Program:
    """Return the program of a plan after passes; models all of whose sizes are 1 are left as they are derived."""
    program = program_of(plan)
    for change in () if plan.scalar else passes:
        program = change(program)
    return program
