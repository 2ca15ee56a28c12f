"""The section on truncation: every truncation that was asked for, one after the other."""

from __future__ import annotations

from ...model import Network
from ...model.truncation import Randomised, Truncation, check_steps
from ..steps import Section, Step
from .randomised import randomised_steps
from .regular import regular_steps


def truncation_section(network: Network, given: tuple[Truncation, ...]) -> Section | None:
    """Return the mathematics of truncations, or None where none is given.

    Raises
    ------
    SizeError
        Where one does not fit the number of steps.
    """
    steps: list[Step] = []
    seen: set[str] = set()
    for how in given:
        check_steps(how, network.steps)
        if how.mode in seen:
            continue
        if isinstance(how, Randomised):
            steps += randomised_steps(network, how, not any(mode.startswith("randomised") for mode in seen))
        else:
            steps += regular_steps(network, how)
        seen.add(how.mode)
    return Section("truncation", tuple(steps)) if steps else None
