"""The one-step equations of a network: what is differentiated, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy
from sympy import Basic, Expr, Symbol

from .. import algebra as A
from ..algebra.scalar import to_scalar
from ..errors import RefusedError
from .rows import COLUMNS, ROWS
from .scans import Scan

CELL, READOUT, LOSS = "cell", "readout", "loss"
"""The stages of a step."""


@dataclass(frozen=True)
class Equation:
    """One equation of the step: ``left`` is a variable at t, ``right`` an expression at t and t - 1."""

    left: Any
    right: Any
    stage: str
    text: str

    @property
    def name(self) -> str:
        return str(self.left.name)


@dataclass(frozen=True)
class System:
    """The one-step equations of a network with concrete or symbolic sizes: what is differentiated.

    Attributes
    ----------
    equations : tuple of Equation
        Cell, readout and loss, in the order of computation.
    states, inputs : tuple of str
    output : str
        The cell's output; ``prediction`` is what the loss compares (the readout's output, or the same).
    variables, parameters : mapping
        Name -> time-indexed variable, and canonical key -> symbol.
    reduction : str
        ``sum``, ``mean`` or ``last``.
    steps : sympy.Expr
        T.
    scans : tuple of Scan
        The passes over all steps that compute the cell's variables, in order; one for most cells. Readout and loss
        belong to the last.
    scalar : bool
        Whether all sizes are 1, so that everything is printed in scalar notation.
    layout : str
        ``columns``, or ``rows`` where the variables have a row for each example of a batch.
    roles : mapping
        Variable -> what it is called; see :data:`symbptt.model.ROLES`.
    targets : mapping
        Name of a target -> what it may be.
    masked : bool
        Whether the loss of each step has a given weight, the variable ``mask``.
    loss_steps : tuple of int
        The steps whose losses count, where the model says so.
    predictions : tuple of str
        What the losses compare: ``prediction`` alone, or the outputs of several readouts.
    """

    equations: tuple[Equation, ...]
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str
    prediction: str
    variables: Mapping[str, A.Variable]
    parameters: Mapping[str, Basic]
    reduction: str
    steps: Expr
    scans: tuple[Scan, ...]
    scalar: bool
    sizes: Mapping[str, Expr]
    target: str = "real"
    layout: str = COLUMNS
    roles: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    masked: bool = False
    loss_steps: tuple[int, ...] = ()
    predictions: tuple[str, ...] = ()
    t: Symbol = field(default_factory=lambda: A.index("t"))
    L: Symbol = field(default_factory=lambda: Symbol("L", real=True))

    @cached_property
    def by_name(self) -> dict[str, Equation]:
        """Variable name -> its equation."""
        return {e.name: e for e in self.equations}

    @cached_property
    def fixed(self) -> tuple[str, ...]:
        """What is given at every step and is not differentiated by: targets, and the mask."""
        return (*self.targets, *(("mask",) if self.masked else ()))

    def at(self, name: str, when: Any = None) -> Any:
        """Return a variable at a step (t by default)."""
        return self.variables[name][self.t if when is None else when]

    def leaf(self, key: str, when: Any = None) -> Any:
        """Return what a key stands for, in scalar notation where all sizes are 1.

        Parameters
        ----------
        key : str
            A parameter, ``h0`` and the like for the initial value of a state, or a variable.
        when : optional
            The step of a variable; t by default.
        """
        initial = {f"{state}0": state for state in self.states}
        if key in self.parameters:
            found = self.parameters[key]
        elif key in initial:
            found = self.at(initial[key], self.start_of(initial[key]))
        else:
            found = self.at(key, when)
        return to_scalar(found) if self.scalar else found

    # -- directions -----------------------------------------------------------------------------------
    @property
    def mixed(self) -> bool:
        """Whether some variables run forward and some backward in time, in several scans."""
        return len(self.scans) > 1

    @property
    def direction(self) -> int:
        """1 where step t reads t - 1, -1 where it reads t + 1.

        Raises
        ------
        RefusedError
            Where there are both: ask for the direction of a variable.
        """
        if self.mixed:
            raise RefusedError(
                "this is for cells of one direction in time; the model runs forward and backward: ask one of its cells"
            )
        return self.scans[0].direction

    def direction_of(self, name: str | None) -> int:
        """Return the direction of a variable (of all, without a name)."""
        return self.direction if name is None or not self.mixed else self.scan_of(name).direction

    def scan_of(self, name: str) -> Scan:
        """Return the scan that computes a variable; readout and loss belong to the last."""
        return next((scan for scan in self.scans if name in scan.names), self.scans[-1])

    def equations_of(self, scan: Scan) -> list[Equation]:
        """Return the equations that are carried out in a scan, in order."""
        return [e for e in self.equations if self.scan_of(e.name) == scan]

    def previous_of(self, name: str | None = None) -> Expr:
        """Return the step of a state that step t reads: t - 1 of a forward one."""
        return self.t - self.direction_of(name)

    def following_of(self, name: str | None = None) -> Expr:
        """Return the step that reads this one of a state: t + 1 of a forward one."""
        return self.t + self.direction_of(name)

    def first_of(self, name: str | None = None) -> Expr:
        """Return the step of a variable that is computed first: 1 of a forward one."""
        return sympy.S.One if self.direction_of(name) == 1 else self.steps

    def last_of(self, name: str | None = None) -> Expr:
        """Return the step that is computed last, where the gradient of a state starts: T of a forward one."""
        return self.steps if self.direction_of(name) == 1 else sympy.S.One

    def start_of(self, name: str | None = None) -> Expr:
        """Return the step of an initial state: 0 of a forward one."""
        return self.first_of(name) - self.direction_of(name)

    @property
    def previous(self) -> Expr:
        return self.previous_of()

    @property
    def following(self) -> Expr:
        """The step that reads this one: t + 1 for a forward cell."""
        return self.following_of()

    @property
    def first(self) -> Expr:
        """The step computed first: 1 for a forward cell."""
        return self.first_of()

    @property
    def last(self) -> Expr:
        """The step computed last, where the gradient starts: T for a forward cell."""
        return self.last_of()

    @property
    def start(self) -> Expr:
        """The step of the initial state: 0 for a forward cell."""
        return self.start_of()

    @property
    def end(self) -> Expr:
        """The step whose loss counts with ``reduction="last"``: T."""
        return self.steps

    def uses(self, name: str) -> list[tuple[Equation, int]]:
        """Return the equations that read a variable, with 0 (same step) or 1 (the following step)."""
        if name not in self._readers:
            steps = ((0, self.at(name)), (1, self.at(name, self.previous_of(name))))
            found = [(e, lag) for e in self.equations for lag, read in steps if A.depends(e.right, read)]
            self._readers[name] = found
        return list(self._readers[name])

    @cached_property
    def _readers(self) -> dict[str, list[tuple[Equation, int]]]:
        """What :meth:`uses` has found."""
        return {}

    def target_total(self, name: str) -> tuple[Any, Any]:
        """Return the sum of the entries of a target, in rows that of each row, and what it is for a distribution."""
        target = self.at(name)
        if self.layout == ROWS:
            batch, size = target.shape
            return A.matmul(target, A.Fill(sympy.S.One, size, 1)), A.Fill(sympy.S.One, batch, 1)
        return A.entry_sum(target), sympy.S.One

    def stage(self, stage: str) -> list[Equation]:
        """Return the equations of a stage, in order."""
        return [e for e in self.equations if e.stage == stage]
