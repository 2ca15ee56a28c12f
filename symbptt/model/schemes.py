"""Schemes of initialisation: the weight matrix that each draws, from a seed.

References
----------
Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010;
He et al., "Delving deep into rectifiers", ICCV 2015; Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear
dynamics of learning in deep linear neural networks", ICLR 2014 (orthogonal matrices).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

SCHEMES: dict[str, Callable[[int, int], float] | None] = {
    "small": lambda rows, columns: 0.1 / np.sqrt(columns),
    "xavier": lambda rows, columns: np.sqrt(2 / (rows + columns)),
    "he": lambda rows, columns: np.sqrt(2 / columns),
    "large": lambda rows, columns: 2 / np.sqrt(columns),
    "orthogonal": None,
}
"""Scheme -> standard deviation of an entry of a matrix of so many rows and columns; None for an orthogonal matrix."""


def initial_matrix(scheme: str, rows: int, columns: int, seed: int = 0) -> Any:
    """Return the matrix of a scheme, (rows, columns); of one seed, all are multiples or the factor Q of one matrix.

    >>> Q = initial_matrix("orthogonal", 3, 3)
    >>> bool(np.allclose(Q.T @ Q, np.eye(3)))
    True
    """
    drawn = np.random.default_rng(seed).standard_normal((rows, columns))
    deviation = SCHEMES[scheme]
    if deviation is not None:
        return deviation(rows, columns) * drawn
    wide = rows < columns
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.sign(np.diag(r))
    return q.T if wide else q
