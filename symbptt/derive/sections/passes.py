"""What a network that runs in both directions of time adds to the sections: its passes, and their words."""

from __future__ import annotations

from collections.abc import Iterable

from ...model import Scan, System
from ..steps import REMARK, Step


def pass_rule(system: System, rule: str) -> str:
    """Return the rule of a step, or where there are several passes the one that speaks of them."""
    return f"{rule}_pass" if system.mixed else rule


def number_of(system: System, scan: Scan) -> int:
    """Return the number of a pass over the steps, from 1."""
    return system.scans.index(scan) + 1


def pass_fact(system: System, scan: Scan) -> tuple[tuple[str, int], ...]:
    """Return the fact that says to which pass a line belongs; none where there is one pass alone."""
    return (("pass", number_of(system, scan)),) if system.mixed else ()


def pass_step(section: str, system: System, scan: Scan) -> Step:
    """Return the remark in front of what belongs to a pass."""
    way = "forward" if scan.direction == 1 else "backward"
    number = number_of(system, scan)
    return Step(f"{section}.pass.{number}", f"{section}.pass_{way}", REMARK,
                facts=(("number", number), ("steps", system.steps)))  # fmt: skip


def by_pass(section: str, system: System, steps: Iterable[tuple[str, Step]]) -> list[Step]:
    """Return steps about variables, with a remark wherever another pass begins."""
    found: list[Step] = []
    current: Scan | None = None
    for name, step in steps:
        scan = system.scan_of(name)
        if system.mixed and scan != current:
            found.append(pass_step(section, system, scan))
            current = scan
        found.append(step)
    return found
