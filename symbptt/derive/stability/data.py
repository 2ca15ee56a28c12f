"""Stability as data: arrays and numbers instead of lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ... import algebra as A
from ...errors import ValueInputError
from ..numeric import Numbers
from .common import recurrent
from .distances import by_distance, by_step, sortable
from .eigen import Spectrum, spectrum
from .factors import NoBoundError, factors
from .floats import Measured, measured
from .power import gradient_at_end
from .spectrum import given_matrix

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bound:
    """The bound of a one-step Jacobian.

    Attributes
    ----------
    slope : float or None
        sup |f'|, where there is one activation.
    sigma_max : mapping
        Key of a recurrent matrix -> its largest singular value.
    factor : float or None
        What ||dh_t/dh_{t-1}|| never exceeds; None where the weights alone do not bound it.
    """

    slope: float | None
    sigma_max: dict[str, float]
    factor: float | None

    @property
    def vanishes(self) -> bool:
        """Whether the bound is enough for every long Jacobian product to vanish."""
        return self.factor is not None and self.factor < 1

    def over(self, distance: int) -> float | None:
        """Return what the norm of a product of that many Jacobians never exceeds."""
        return None if self.factor is None else float(self.factor**distance)


class Stability:
    """How gradients of a network with numbers grow or shrink over time.

    Steps index all arrays: row or entry t is step t, from 0 (the initial state) to T.

    Attributes
    ----------
    run : Measured
        The network at the numbers: values, one-step Jacobians, adjoints.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self.run: Measured = measured(numbers)

    @property
    def steps(self) -> int:
        """T."""
        return self.run.steps

    def jacobian(self, end: int, start: int) -> Floats:
        """Return dh_end/dh_start, all states of a step on top of each other; zero where end is the earlier one."""
        order = self.run.order
        if start not in order or end not in order:
            raise ValueInputError(f"steps {start} and {end}: T = {self.steps}, so that steps run from {min(order)} to "
                                  f"{max(order)}")  # fmt: skip
        if order.index(end) < order.index(start):
            return np.zeros((self.run.size_of_state,) * 2)
        return self.run.span(start, end)

    @cached_property
    def norms(self) -> Floats:
        """||dh_s/dh_t||_2 at [s, t]; 0 where h_t comes after h_s."""
        order = self.run.order
        found = np.zeros((self.steps + 2, self.steps + 2))
        for i, start in enumerate(order):
            spans = np.array([self.run.span(start, end) for end in order[i:]])
            found[order[i:], start] = np.linalg.norm(spans, 2, axis=(1, 2))
        return found[: max(order) + 1, : max(order) + 1]

    @cached_property
    def gradient_norms(self) -> Floats:
        """||dL/dh_t||_2 at t, of all states of the step together."""
        found = np.zeros(max(self.run.order) + 1)
        for t, adjoint in self.run.adjoints.items():
            found[t] = np.linalg.norm(adjoint)
        return found

    @cached_property
    def distances(self) -> dict[str, Floats]:
        """Recurrent matrix -> the Frobenius norm of its gradient's part at distance k, for k = 0..T-1."""
        return {key: by_distance(self.run, key) for key in sortable(self.run.network)}

    @cached_property
    def shares(self) -> dict[str, Floats]:
        """Recurrent matrix -> the Frobenius norm of the share of step t in its gradient, for t = 1..T at t - 1."""
        return {key: by_step(self.run, key) for key in sortable(self.run.network)}

    @cached_property
    def spectra(self) -> dict[str, Spectrum]:
        """Recurrent matrix -> its eigenvalues."""
        symbols = recurrent(self.run.network)
        return {key: spectrum(given_matrix(self._numbers, symbol)) for key, symbol in symbols.items()}

    @property
    def spectrum(self) -> Spectrum:
        """The spectrum of the first recurrent matrix."""
        if not self.spectra:
            raise ValueInputError("the network has no square recurrent matrix")
        return next(iter(self.spectra.values()))

    @cached_property
    def bounds(self) -> Bound:
        """What bounds the one-step Jacobian."""
        symbols = recurrent(self.run.network)
        largest = {key: float(self.run.value(A.SingularValue(symbol, 1))) for key, symbol in symbols.items()}
        try:
            known = factors(self.run.network)
        except NoBoundError:
            return Bound(None, largest, None)
        slope = float(known.slopes[0][2]) if len(known.slopes) == 1 else None
        return Bound(slope, largest, float(self.run.value(known.bound)))

    def power_iteration(self, count: int | None = None) -> Floats:
        """Return (W^T)^k dL/dh_T for k = 0..count (T by default), one row each, for the first recurrent matrix."""
        symbols = recurrent(self.run.network)
        if not symbols or len(self.run.system.states) != 1:
            raise ValueInputError("power iteration needs one state and a square recurrent matrix")
        matrix = np.asarray(self.run.value(A.transpose(next(iter(symbols.values())))), dtype=float)
        found = [np.asarray(self.run.value(gradient_at_end(self.run.network)), dtype=float)]
        for _ in range(self.steps if count is None else count):
            found.append(matrix @ found[-1])
        return np.array(found)


def stability(numbers: Numbers) -> Stability:
    """Return the stability of a network at given numbers as data."""
    return Stability(numbers)
