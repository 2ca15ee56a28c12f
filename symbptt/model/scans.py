"""The order in which a step's equations run over time: passes over all steps, each in one direction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import EquationError
from .language import Parsed, uses

BOTH = "both"
"""The direction of a cell whose equations run forward or backward, each as it reads: ``h[t-1]`` or ``h[t+1]``."""


@dataclass(frozen=True)
class Scan:
    """Equations that are carried out together, step by step, before the next scan begins.

    Attributes
    ----------
    direction : int
        1 where step t reads step t - 1 and t runs from 1 to T, -1 where it reads t + 1 and t runs from T to 1.
    names : tuple of str
        The variables that are computed, in order.
    """

    direction: int
    names: tuple[str, ...]


def scans(parsed: Sequence[Parsed], direction: int | str) -> tuple[Scan, ...]:
    """Return the scans of a cell's equations.

    Parameters
    ----------
    parsed : sequence of Parsed
        In the order of computation.
    direction : {1, -1, "both"}
        With "both" the direction of every equation is read off the states that it waits for. An equation that waits
        for none joins the scan before it.

    Raises
    ------
    EquationError
        Where a state is read in both directions, or two directions wait for each other.

    Examples
    --------
    >>> from symbptt.model.language import parse_equation
    >>> texts = ["a[t] = A @ a[t-1] + x[t]", "b[t] = B @ b[t+1] + x[t]", "u[t] = concat(a[t], b[t])"]
    >>> scans([parse_equation(text) for text in texts], "both")
    (Scan(direction=1, names=('a',)), Scan(direction=-1, names=('b', 'u')))
    """
    if direction != BOTH:
        return (Scan(int(direction), tuple(str(p.name) for p in parsed)),)
    return _Scans(parsed).found()


class _Scans:
    """The equations with what each of them reads: (name, step) with the step 0, -1 or +1."""

    def __init__(self, parsed: Sequence[Parsed]) -> None:
        self.parsed = {str(p.name): p for p in parsed}
        self.reads = {
            name: [(u.name, u.lag) for u in uses(p) if u.lag is not None and u.name in self.parsed]
            for name, p in self.parsed.items()
        }
        self.reached = {name: self._reached(name) for name in self.parsed}

    def _reached(self, name: str) -> set[str]:
        """Return all that a variable depends on, at whatever step."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            new = {other for other, _ in self.reads[waiting.pop()]} - found
            found |= new
            waiting += new
        return found

    def found(self) -> tuple[Scan, ...]:
        groups: list[tuple[int, list[str]]] = []
        place: dict[str, int] = {}
        for name in self.parsed:
            wanted = self._direction(name, place)
            if not groups or (wanted and groups[-1][0] and wanted != groups[-1][0]):
                groups.append((wanted, []))
            way, members = groups[-1]
            groups[-1] = (way or wanted, [*members, name])
            place[name] = len(groups) - 1
        result = tuple(Scan(way or 1, tuple(members)) for way, members in groups)
        for name, at in place.items():
            self._check(name, at, place, result)
        return result

    def _direction(self, name: str, known: Iterable[str]) -> int:
        """Return 1 or -1 where an equation waits for a state of that direction, 0 where it waits for none."""
        circle = {other for other in self.reached[name] if name in self.reached[other]}
        lags = {lag for one in circle for other, lag in self.reads[one] if lag and other in circle}
        lags |= {lag for other, lag in self.reads[name] if lag and other not in known}
        if len(lags) > 1:
            between = ", ".join(k for k in self.parsed if k in circle or k == name)
            raise EquationError(
                f"equation {self.parsed[name].text!r}: {between} run forward and backward in time at once; "
                "a direction must be complete before the other reads it"
            )
        return -lags.pop() if lags else 0

    def _check(self, name: str, at: int, place: dict[str, int], found: Sequence[Scan]) -> None:
        where = f"equation {self.parsed[name].text!r}"
        for other, lag in self.reads[name]:
            if place[other] > at:
                raise EquationError(
                    f"{where} reads {other!r} of a later pass over the steps; write the equations of each direction "
                    f"in a row, and that of {other!r} further up"
                )
            if lag and found[place[other]].direction != -lag:
                way = "forward" if found[place[other]].direction == 1 else "backward"
                raise EquationError(f"{where} reads {other}[t{lag:+d}], but {other!r} runs {way} in time")
            if place[other] < at and name in self.reached[other]:
                raise EquationError(
                    f"{where} comes too late; move it up to the other equations of its direction, such as {other!r}"
                )
