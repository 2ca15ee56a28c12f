"""Functions of a matrix to a number, by its eigenvalues or singular values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .quantity import Quantity, UnfitError, as_matrix, scalar


def _rule(function: Callable[[Any], Any], square: bool = True) -> Callable[[list[Quantity]], Quantity]:
    def rule(values: list[Quantity]) -> Quantity:
        matrix = np.real(as_matrix(values[0]))
        if square and matrix.shape[0] != matrix.shape[1]:
            raise UnfitError(f"({values[0].shown})")
        return scalar(function(matrix))

    return rule


def _radius(matrix: Any) -> Any:
    return np.abs(np.linalg.eigvals(matrix)).max()


def _singular(pick: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda matrix: pick(np.linalg.svd(matrix, compute_uv=False))


def _eigenvalue(pick: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The largest or smallest eigenvalue where all are real, else by absolute value."""

    def rule(matrix: Any) -> Any:
        found = np.linalg.eigvals(matrix)
        return pick(np.real(found) if np.abs(np.imag(found)).max() < 1e-12 else np.abs(found))

    return rule


SPECTRA: dict[str, Callable[[list[Quantity]], Quantity]] = {
    "rho": _rule(_radius),
    "sigma_max": _rule(_singular(np.max), square=False),
    "sigma_min": _rule(_singular(np.min), square=False),
    "lambda_max": _rule(_eigenvalue(np.max)),
    "lambda_min": _rule(_eigenvalue(np.min)),
}
"""Name of a function -> its value: of a matrix, the spectral radius, its extreme singular values and eigenvalues."""
