"""Eigenvalues and eigenvectors: exact for small rational or symbolic matrices, numeric beyond; power iteration.

References
----------
Golub and Van Loan, *Matrix Computations*, 4th ed., sections 7.1 (Jordan form) and 7.3.1 (power iteration).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Expr, ImmutableDenseMatrix, Symbol

from ...algebra.figures import Figure
from ...algebra.measures import dominant
from ...errors import RefusedError, ShapeError, ValueInputError

LARGEST = 4
"""Up to so many rows a spectrum is found exactly."""
LONGEST = 34
"""Signs of an eigenvalue beyond which nobody wants to read it exactly."""
LAMBDA = Symbol("lambda", real=True)
CLOSE = 1e-9
"""Moduli that differ by less than this, relatively, are taken for equal."""


@dataclass(frozen=True)
class Eigenvalue:
    """An eigenvalue with its eigenvectors.

    Attributes
    ----------
    value : sympy.Expr
    multiplicity : int
        As a root of the characteristic polynomial.
    vectors : tuple of sympy.ImmutableDenseMatrix
        A basis of its eigenvectors; fewer than its multiplicity where the matrix is defective.
    """

    value: Expr
    multiplicity: int
    vectors: tuple[Any, ...]


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of a matrix.

    Attributes
    ----------
    matrix : sympy.ImmutableDenseMatrix or numpy.ndarray
    exact : tuple of Eigenvalue or None
        Largest modulus first where they are numbers; None where they were found numerically only.
    polynomial : sympy.Expr or None
        det(lambda I - M) in ``LAMBDA``.
    values : tuple of complex
        All eigenvalues in floats, largest modulus first; empty for a matrix with symbols.
    """

    matrix: Any
    exact: tuple[Eigenvalue, ...] | None
    polynomial: Expr | None
    values: tuple[complex, ...]

    @property
    def radius(self) -> float:
        """The spectral radius: the largest modulus."""
        return abs(self.values[0])

    @property
    def rate(self) -> float | None:
        """|lambda_2 / lambda_1|, by which power iteration converges; None for one eigenvalue, or where all are 0."""
        return abs(self.values[1]) / self.radius if len(self.values) > 1 and self.radius else None

    @property
    def exact_radius(self) -> Expr | None:
        """The spectral radius exactly, where it can be read."""
        if not self.exact or not self.values:
            return None
        return sympy.radsimp(sympy.simplify(sympy.Abs(self.exact[0].value)))

    @property
    def exact_rate(self) -> Expr | None:
        """|lambda_2 / lambda_1| exactly, where it can be read."""
        if self.exact is None or not self.values or len(self.values) < 2 or not self.radius:
            return None
        moduli = [sympy.Abs(e.value) for e in self.exact for _ in range(e.multiplicity)]
        ratio = sympy.radsimp(sympy.simplify(moduli[1] / moduli[0]))
        return ratio if len(str(ratio)) <= LONGEST // 2 else None

    @property
    def defective(self) -> bool | None:
        """Whether there are too few eigenvectors to diagonalise; None where that is not known exactly."""
        return None if self.exact is None else any(len(e.vectors) < e.multiplicity for e in self.exact)

    @property
    def complex(self) -> bool:
        """Whether some eigenvalue is not real."""
        if self.exact is not None:
            return any(e.value.is_real is False for e in self.exact)
        return any(abs(v.imag) > CLOSE * max(self.radius, 1e-300) for v in self.values)

    def diagonalise(self) -> tuple[Any, Any]:
        """Return (P, D) with M P = P D and D diagonal; see :func:`diagonalise`."""
        return diagonalise(self.matrix)

    @property
    def has_dominant(self) -> bool:
        """Whether one real eigenvalue is larger in modulus than all others."""
        if not self.values or not self.radius:
            return False
        first, rest = self.values[0], self.values[1:]
        return abs(first.imag) <= CLOSE * self.radius and all(abs(v) < self.radius * (1 - CLOSE) for v in rest)


def matrix_of(given: Any) -> Any:
    """Return a square matrix of exact SymPy entries.

    Raises
    ------
    ShapeError
        For what is not a square matrix.
    ValueInputError
        For entries that are no numbers or symbols.
    """
    rows = given.tolist() if hasattr(given, "tolist") else given
    if not isinstance(rows, list | tuple) or not rows or any(not isinstance(r, list | tuple) for r in rows):
        raise ShapeError(f"a square matrix is needed, such as [[2, 1], [1, 2]], not {given!r}")
    if any(len(r) != len(rows) for r in rows):
        raise ShapeError(f"a square matrix is needed, not one of {len(rows)} rows and {len(rows[0])} columns")
    return ImmutableDenseMatrix([[_entry(x) for x in r] for r in rows])


def _entry(value: Any) -> Expr:
    if isinstance(value, Expr) and not value.is_Float:
        return value
    figure = Figure.parse(value)
    if not figure.exact:
        raise ValueInputError(f"{value!r} has too many digits for an exact spectrum")
    return sympy.Rational(figure.number.numerator, figure.number.denominator)


def spectrum(given: Any) -> Spectrum:
    """Return the eigenvalues of a matrix: exactly for up to four rows where they can be read, else in floats.

    Parameters
    ----------
    given : nested list, array or SymPy matrix
        Numbers, or SymPy expressions with symbols.

    Examples
    --------
    >>> found = spectrum([[2, 1], [1, 2]])
    >>> found.polynomial, [(e.value, list(e.vectors[0])) for e in found.exact], found.exact_rate
    (lambda**2 - 4*lambda + 3, [(3, [1, 1]), (1, [-1, 1])], 1/3)
    >>> spectrum([[1, 1], [0, 1]]).defective, spectrum([[0, -1], [1, 0]]).complex
    (True, True)
    """
    rows = given.tolist() if hasattr(given, "tolist") else given
    if len(rows) > LARGEST:
        floats = np.asarray(rows, dtype=float)
        return Spectrum(floats, None, None, _numeric(floats))
    matrix = matrix_of(given)
    numbers = not matrix.free_symbols
    values = _numeric(np.array(matrix.evalf(20).tolist(), dtype=float)) if numbers else ()
    found = matrix.charpoly(LAMBDA)
    polynomial = found.as_expr().xreplace({found.gen: LAMBDA})
    _, parts = sympy.factor_list(polynomial, LAMBDA)
    readable = all(sympy.degree(part, LAMBDA) <= 2 for part, _ in parts)
    exact = _exact(matrix) if readable else None
    if exact is not None and numbers:
        values = tuple(complex(e.value) for e in exact for _ in range(e.multiplicity))
    if exact is not None and numbers and any(len(str(e.value)) > LONGEST for e in exact):
        exact = None
    return Spectrum(matrix, exact, polynomial, values)


def _numeric(matrix: Any) -> tuple[complex, ...]:
    values = [complex(v) for v in np.linalg.eigvals(matrix)]
    return tuple(sorted(values, key=lambda v: (-round(abs(v), 12), -v.real, -v.imag)))


def _exact(matrix: Any) -> tuple[Eigenvalue, ...]:
    found = [
        Eigenvalue(sympy.simplify(value), int(count), tuple(_whole(v) for v in vectors))
        for value, count, vectors in matrix.eigenvects()
    ]
    if matrix.free_symbols:
        return tuple(sorted(found, key=lambda e: sympy.default_sort_key(e.value)))
    return tuple(sorted(found, key=lambda e: (-round(abs(complex(e.value)), 12), -complex(e.value).real,
                                              -complex(e.value).imag)))  # fmt: skip


def _whole(vector: Any) -> Any:
    """Multiply a rational vector so that its entries are whole numbers."""
    vector = vector.applyfunc(lambda x: sympy.radsimp(sympy.simplify(x)))
    if all(x.is_Rational for x in vector):
        vector = vector * sympy.ilcm(1, *(x.q for x in vector))
        vector = vector / max(sympy.igcd(0, *(int(x) for x in vector)), 1)
    return ImmutableDenseMatrix(vector)


def diagonalise(given: Any) -> tuple[Any, Any]:
    """Return (P, D) with M P = P D and D diagonal, exactly.

    Raises
    ------
    RefusedError
        For a defective matrix, and for one whose eigenvalues cannot be written in square roots.

    Examples
    --------
    >>> P, D = diagonalise([[2, 1], [1, 2]])
    >>> D
    Matrix([
    [3, 0],
    [0, 1]])
    >>> diagonalise([[1, 1], [0, 1]])
    Traceback (most recent call last):
        ...
    symbptt.errors.RefusedError: the matrix [[1, 1], [0, 1]] cannot be diagonalised: its eigenvalue 1 is a root of \
multiplicity 2, but has only 1 independent eigenvector; use jordan() instead
    """
    found = spectrum(given)
    if found.exact is None:
        raise RefusedError(
            "the eigenvalues of this matrix cannot be written in square roots; use spectrum() for floats"
        )
    for e in found.exact:
        if len(e.vectors) < e.multiplicity:
            number = len(e.vectors)
            raise RefusedError(
                f"the matrix {found.matrix.tolist()} cannot be diagonalised: its eigenvalue {e.value} is a root of "
                f"multiplicity {e.multiplicity}, but has only {number} independent eigenvector{'s' * (number > 1)}; "
                "use jordan() instead"
            )
    columns = [v for e in found.exact for v in e.vectors]
    values = [e.value for e in found.exact for _ in e.vectors]
    return ImmutableDenseMatrix.hstack(*columns), ImmutableDenseMatrix(sympy.diag(*values))


def jordan(given: Any) -> tuple[Any, Any]:
    """Return (P, J) with M P = P J and J in Jordan form, exactly.

    >>> jordan([[3, 1], [-1, 1]])[1]
    Matrix([
    [2, 1],
    [0, 2]])
    """
    P, J = matrix_of(given).jordan_form()
    return ImmutableDenseMatrix(P), ImmutableDenseMatrix(J)


def rotation(e: Eigenvalue) -> tuple[Any, Any]:
    """Return real (P, R) with M P = P R for a complex eigenvalue a + bi: R = [[a, b], [-b, a]] turns and stretches.

    >>> rotation(spectrum([[0, -1], [1, 0]]).exact[0])[1]
    Matrix([
    [ 0, 1],
    [-1, 0]])
    """
    a, b = e.value.as_real_imag()
    vector = e.vectors[0]
    parts = [vector.applyfunc(lambda x, k=k: sympy.simplify(x.as_real_imag()[k])) for k in (0, 1)]
    return ImmutableDenseMatrix.hstack(*parts), ImmutableDenseMatrix([[a, b], [-b, a]])


def power_iteration(given: Any, start: Any, count: int) -> list[Any]:
    """Return x_0, x_1 = M x_0, ..., x_count, exactly where the numbers are.

    >>> [tuple(x) for x in power_iteration([[2, 1], [1, 2]], [1, 0], 3)]
    [(1, 0), (2, 1), (5, 4), (14, 13)]
    """
    matrix = matrix_of(given)
    found = [ImmutableDenseMatrix([_entry(x) for x in start])]
    for _ in range(count):
        found.append(ImmutableDenseMatrix(matrix * found[-1]))
    return found


def has_component(matrix: Any, start: Any) -> bool:
    """Whether a start has a part along the dominant eigenvector: whether the dominant one of the transpose sees it.

    >>> has_component([[2, 1], [1, 2]], [1, 0]), has_component([[2, 1], [1, 2]], [1, -1])
    (True, False)
    """
    across = dominant(np.asarray(matrix, dtype=float).T)
    vector = np.asarray(start, dtype=float)
    return bool(abs(across @ vector) > CLOSE * np.linalg.norm(vector))
