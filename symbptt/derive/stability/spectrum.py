"""The spectrum of the recurrent weights, with given numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import Integer, S

from ... import algebra as A
from ...algebra.leaves import LiteralMatrix
from ...algebra.rounding import Rounding
from ...model import Network
from ..numeric import Numbers
from ..steps import MEASURED, Line, Section, Step
from .common import chosen, has_jacobians, number_line, printed, recurrent, table
from .eigen import LAMBDA, LARGEST, Eigenvalue, Spectrum, jordan, rotation, spectrum
from .floats import measured


def given_matrix(numbers: Numbers, symbol: Any) -> list[list[Any]]:
    """Return the given numbers of a matrix: exact where they are, and floats where the matrix is large."""
    figures = numbers.given[symbol]
    if len(figures) > LARGEST or not all(f.exact for f in figures.ravel()):
        return [[float(f) for f in row] for row in figures]
    return [[sympy.Rational(f.number.numerator, f.number.denominator) for f in row] for row in figures]


def spectrum_section(network: Network, numbers: Numbers | None) -> Section | None:
    """Return the section on the spectrum, or None without numbers or for a scalar network."""
    if numbers is None or network.system.scalar or not has_jacobians(network):
        return None
    steps: list[Step] = []
    for key, symbol in recurrent(network).items():
        if int(A.shape_of(symbol)[0]) < 2:
            continue
        found = spectrum(given_matrix(numbers, symbol))
        steps += _exact(key, symbol, found) if found.exact is not None else _numeric(numbers, key, symbol)
        steps.append(_radius(numbers, key, symbol, found))
    return Section("spectrum", tuple(steps)) if steps else None


# -- exactly ------------------------------------------------------------------------------------------


def written(matrix: Any) -> LiteralMatrix:
    """Return a matrix of exact numbers as a node."""
    rows = [[_number(matrix[i, j]) for j in range(matrix.shape[1])] for i in range(matrix.shape[0])]
    return LiteralMatrix(rows)


def exact_lines(value: Any, rounding: Rounding) -> tuple[Line, ...]:
    """Return ``= value``, and its decimals where it is no fraction."""
    lines = (Line("=", value),)
    return lines if value.is_Rational else (*lines, Line("≈", printed(float(value), rounding)[0]))


def _number(value: Any) -> Any:
    return A.Literal(str(value)) if value.is_Rational else value


def _exact(key: str, symbol: Any, found: Spectrum) -> list[Step]:
    assert found.exact is not None
    assert found.polynomial is not None
    shifted = A.subtract(A.product(LAMBDA, A.Identity(symbol.shape[0])), symbol)
    factored = sympy.factor(found.polynomial)
    ordered = A.add(*found.polynomial.as_ordered_terms())  # by falling powers, as a sum of SymPy is not printed
    lines = [Line("=", ordered)] + ([Line("=", factored)] if factored != found.polynomial else [])
    facts = (("matrix", symbol), ("free", (LAMBDA,)))
    steps = [Step(f"spectrum.{key}", "spectrum.polynomial", MEASURED, A.Determinant(shifted), tuple(lines), facts)]
    if found.defective and not found.complex:
        return [*steps, _defective(key, symbol, found)]
    for place, e in enumerate(found.exact, start=1):
        imaginary = e.value.as_real_imag()[1]
        if imaginary == 0:
            steps += [_pair(f"spectrum.{key}.{place}.{i}", symbol, e, v, i) for i, v in enumerate(e.vectors, start=1)]
        elif imaginary > 0:
            steps.append(_turning(f"spectrum.{key}.{place}", symbol, e))
    return steps


def _pair(key: str, symbol: Any, e: Eigenvalue, vector: Any, which: int) -> Step:
    """M v = lambda v."""
    v = written(vector)
    product = written(times(e.value, vector))
    right = A.negate(v) if e.value == -1 else A.product(_number(e.value), v)
    lines = [Line("=", product)] + ([Line("=", right)] if e.value not in (S.Zero, S.One) else [])
    rule = "spectrum.pair" if which == 1 else "spectrum.pair_more"
    return Step(key, rule, MEASURED, A.matmul(symbol, v), tuple(lines), (("value", _number(e.value)),))


def times(value: Any, vector: Any) -> Any:
    """Return a number times a vector, simplified."""
    return (value * vector).applyfunc(lambda x: sympy.radsimp(sympy.expand(x)))


def _turning(key: str, symbol: Any, e: Eigenvalue) -> Step:
    """M [a b] = [a b] [[alpha, beta], [-beta, alpha]] for the eigenvalues alpha +- beta i."""
    P, R = rotation(e)
    a, b = e.value.as_real_imag()
    degrees = abs(np.degrees(np.angle(complex(e.value))))
    facts = (
        ("values", (a - sympy.I * b, a + sympy.I * b)), ("matrix", symbol),
        ("modulus", _number(sympy.simplify(sympy.sqrt(a**2 + b**2)))), ("degrees", A.Literal(f"{degrees:.4g}")),
    )  # fmt: skip
    P_, R_ = written(P), written(R)
    return Step(key, "spectrum.rotation", MEASURED, A.matmul(symbol, P_), (Line("=", A.matmul(P_, R_)),), facts)


def _defective(key: str, symbol: Any, found: Spectrum) -> Step:
    """M P = P J."""
    P, J = jordan(found.matrix)
    assert found.exact is not None
    e = next(e for e in found.exact if len(e.vectors) < e.multiplicity)
    facts = (
        ("matrix", symbol), ("value", _number(e.value)), ("multiplicity", Integer(e.multiplicity)),
        ("number", Integer(len(e.vectors))),
    )  # fmt: skip
    P_, J_ = written(P), written(J)
    lines = (Line("=", A.matmul(P_, J_)),)
    return Step(f"spectrum.{key}.jordan", "spectrum.defective", MEASURED, A.matmul(symbol, P_), lines, facts)


# -- in floats ----------------------------------------------------------------------------------------


def _numeric(numbers: Numbers, key: str, symbol: Any) -> list[Step]:
    run = measured(numbers)
    i = A.index("i")
    columns = [A.EigenvalueModulus(symbol, i), A.SingularValue(symbol, i)]
    rows = chosen(int(A.shape_of(symbol)[0]), 1)
    facts = (("matrix", symbol),)
    cells = lambda expr, row: run.value(expr, {i: row})  # noqa: E731
    return [table(f"spectrum.{key}", "spectrum.table", i, rows, columns, cells, numbers.rounding, facts)]


def _radius(numbers: Numbers, key: str, symbol: Any, found: Spectrum) -> Step:
    size, facts = A.SpectralRadius(symbol), (("matrix", symbol),)
    exact, name = found.exact_radius, f"spectrum.radius_{key}"
    if exact is None:
        return number_line(name, "spectrum.radius", size, found.radius, numbers.rounding, facts=facts)
    return Step(name, "spectrum.radius", MEASURED, size, exact_lines(exact, numbers.rounding), facts)
