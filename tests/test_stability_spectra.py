"""Eigenvalues, eigenvectors and power iteration: exact results against NumPy, and what is not diagonalisable."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from derivation_examples import linear_network, stability_models
from hypothesis import given, settings
from hypothesis import strategies as st

from symbptt import load
from symbptt.derive.stability import diagonalise, jordan, power_iteration, spectrum
from symbptt.derive.stability.eigen import LAMBDA, rotation
from symbptt.errors import RefusedError, ShapeError

small = st.integers(-4, 4)


def matrices(size: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(small, min_size=size, max_size=size), min_size=size, max_size=size)


@settings(max_examples=15)
@given(st.one_of(matrices(2), matrices(3)))
def test_eigenvalues_are_those_of_numpy_and_eigenvectors_are_only_stretched(matrix):
    found = spectrum(matrix)
    true = np.sort_complex(np.round(np.poly(np.array(matrix, dtype=float)), 6))
    poly = [float(c) for c in sympy.Poly(found.polynomial, LAMBDA).all_coeffs()]
    np.testing.assert_allclose(np.sort_complex(np.round(poly, 6)), true, atol=1e-5)
    radius = np.abs(np.linalg.eigvals(np.array(matrix, dtype=float))).max()
    assert found.radius == pytest.approx(radius, abs=1e-3)
    for e in found.exact or ():
        for v in e.vectors:
            assert (sympy.Matrix(matrix) * v - e.value * v).applyfunc(sympy.simplify).is_zero_matrix


@settings(max_examples=15)
@given(matrices(2))
def test_a_matrix_is_diagonalised_or_refused(matrix):
    M = sympy.Matrix(matrix)
    try:
        P, D = diagonalise(matrix)
    except RefusedError as error:
        assert "cannot be diagonalised" in str(error) and not M.is_diagonalizable()
        P, D = jordan(matrix)
        assert not D.is_diagonal()
    assert (M * P - P * D).applyfunc(sympy.simplify).is_zero_matrix
    assert sympy.simplify(P.det()) != 0


def test_a_defective_matrix_is_one_clear_error():
    with pytest.raises(RefusedError, match=r"eigenvalue 2 is a root of multiplicity 2, but has only 1 independent"):
        diagonalise([[3, 1], [-1, 1]])
    assert spectrum([[3, 1], [-1, 1]]).defective


def test_a_rotation_has_no_real_eigenvector_but_a_plane_that_it_turns():
    found = spectrum([[0, -1], [1, 0]])
    assert found.complex and not found.has_dominant
    M = sympy.Matrix([[1, -2], [2, 1]])
    e = next(e for e in spectrum(M).exact if sympy.im(e.value) > 0)
    P, R = rotation(e)
    assert M * P == P * R and sympy.Matrix([[1, 2], [-2, 1]]) == R and not P.has(sympy.I)


def test_a_symbolic_matrix_has_symbolic_eigenvalues():
    a, b = sympy.symbols("a b", real=True)
    found = spectrum(sympy.Matrix([[a, b], [b, a]]))
    assert {e.value for e in found.exact} == {a + b, a - b}


def test_a_matrix_without_square_roots_is_left_to_floats():
    companion = [[0, 0, 1], [1, 0, 1], [0, 1, 0]]  # x^3 - x - 1 has one real root, the plastic number
    found = spectrum(companion)
    assert found.exact is None and found.radius == pytest.approx(1.324717957244746)
    with pytest.raises(RefusedError, match="square roots"):
        diagonalise(companion)


@pytest.mark.parametrize("given", [[[1, 2]], [1, 2], [[1], [2]]])
def test_what_is_no_square_matrix_is_refused(given):
    with pytest.raises(ShapeError, match="square"):
        diagonalise(given)


# -- power iteration ----------------------------------------------------------------------------------


def test_the_figures_of_the_worked_example():
    assert [tuple(x) for x in power_iteration([[2, 1], [1, 2]], [1, 0], 3)] == [(1, 0), (2, 1), (5, 4), (14, 13)]
    data = load("power-iteration").stability().data
    assert data.power_iteration(5)[-1].tolist() == [122, 121]
    assert data.spectrum.exact_rate == sympy.Rational(1, 3)
    text = load("power-iteration").stability().to_text()
    assert "= [14; 13]" in text and "|λ₂(W_h)|/|λ₁(W_h)| = 1/3" in text


@settings(max_examples=15)
@given(matrices(3), st.lists(small, min_size=3, max_size=3))
def test_power_iteration_turns_to_the_dominant_eigenvector_at_its_rate(matrix, start):
    from symbptt.algebra.measures import dominant, tangent
    from symbptt.derive.stability.eigen import has_component

    found = spectrum(matrix)
    if not any(start) or not found.has_dominant or found.rate > 0.7 or not has_component(matrix, start):
        return
    x = np.array(power_iteration(matrix, start, 60)[-1].evalf(), dtype=float).ravel()
    assert tangent(x, dominant(matrix)) < 1e-5


def test_the_gradient_turns_to_the_left_eigenvector_and_not_to_the_right_one():
    matrix, start = np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([1.0, 0.0])
    data = linear_network(matrix.tolist(), start.tolist(), steps=30).stability().data
    gradient = data.run.adjoints[0]
    values, left = np.linalg.eig(matrix.T)
    _, right = np.linalg.eig(matrix)
    cosine = lambda v: abs(gradient @ v) / np.linalg.norm(gradient)  # noqa: E731
    assert cosine(left[:, values.argmax()]) == pytest.approx(1)
    assert cosine(right[:, np.linalg.eig(matrix)[0].argmax()]) == pytest.approx(np.sqrt(0.5), abs=1e-6)
    np.testing.assert_allclose(gradient, np.linalg.matrix_power(matrix.T, 30) @ start)


@pytest.mark.parametrize(
    "name, rule",
    [("symmetric", "power.rate"), ("not normal", "power.left"), ("turning", "power.pair"),
     ("defective", "power.repeated"), ("two eigenvectors", "power.no_dominant"), ("orthogonal", "power.orthogonal")],
)  # fmt: skip
def test_each_case_is_said(name, rule):
    derivation = stability_models()[f"stability, {name}"].derivation()
    assert rule in {step.rule for step in derivation.steps}
    assert derivation.verify().ok
