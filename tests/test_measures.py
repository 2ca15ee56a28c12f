"""Norms, singular values, eigenvalues and angles as nodes: values, scalar notation, printing, SymPy's habits."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import sympy
from algebra_examples import Instance, W, h, t, v, value_of
from sympy.core.symbol import Str

import symbptt.algebra as A
from symbptt.algebra import nodes as N
from symbptt.algebra.plain import to_plain
from symbptt.algebra.scalar import to_scalar
from symbptt.algebra.tex import to_tex

k = A.index("k")
EXAMPLES: dict[type, Any] = {
    A.Norm: A.Norm(W),
    A.FrobeniusNorm: A.FrobeniusNorm(W),
    A.SpectralRadius: A.SpectralRadius(W),
    A.SingularValue: A.SingularValue(W, 2),
    A.EigenvalueModulus: A.EigenvalueModulus(W, 2),
    A.Determinant: A.Determinant(W),
    A.AngleTangent: A.AngleTangent(h[t], v[t]),
    A.Clipped: A.Clipped(W, A.Literal("0.5")),
    A.DominantEigenvector: A.DominantEigenvector(A.matmul(A.transpose(W), W)),
}
every = pytest.mark.parametrize("expr", list(EXAMPLES.values()), ids=lambda e: type(e).__name__)


def test_every_measure_has_an_example():
    assert set(EXAMPLES) == set(A.MEASURES)


def by_hand(expr: Any, instance: Instance) -> Any:
    """The value by another route than the node's own."""
    if isinstance(expr, A.AngleTangent):
        a, b = instance.leaf(h[t]), instance.leaf(v[t])
        return np.tan(np.arccos(abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)))
    M = instance.leaf(W)
    if isinstance(expr, A.Clipped):
        return np.sign(M) * np.minimum(np.abs(M), 0.5)
    stretch = np.sqrt(np.sort(np.linalg.eigvalsh(M.T @ M))[::-1])
    moduli = np.sort(np.abs(np.roots(np.poly(M))))[::-1]
    if isinstance(expr, A.DominantEigenvector):
        vector = np.linalg.eigh(M.T @ M)[1][:, -1]
        return vector * np.sign(vector[np.abs(vector).argmax()])
    return {
        A.Norm: stretch[0], A.FrobeniusNorm: np.sqrt((M * M).sum()), A.SpectralRadius: moduli[0],
        A.SingularValue: stretch[1], A.EigenvalueModulus: moduli[1], A.Determinant: np.linalg.det(M),
    }[type(expr)]  # fmt: skip


@every
@pytest.mark.parametrize("seed", range(3))
def test_its_value_is_that_of_another_route(expr, seed):
    instance = Instance(seed)
    np.testing.assert_allclose(value_of(expr, instance), by_hand(expr, instance), rtol=1e-8)


@every
def test_its_numpy_source_has_its_value(expr):
    instance = Instance(1)
    source = A.pycode.write(expr, A.pycode.NUMPY)
    names = {"numpy": np, "W": instance.leaf(W), "t": 0, "h": [instance.leaf(h[t])], "v": [instance.leaf(v[t])]}
    found = eval(source, names)
    if isinstance(expr, A.DominantEigenvector):
        found = found * np.sign(found @ value_of(expr, instance))
    np.testing.assert_allclose(found, value_of(expr, instance), rtol=1e-8)


@every
def test_it_is_a_good_citizen_of_sympy(expr):
    assert expr.func(*expr.args) == expr and pickle.loads(pickle.dumps(expr)) == expr
    names = {**vars(sympy), **vars(A), **vars(N), "Str": Str}
    assert eval(sympy.srepr(expr), names) == expr
    for printed in (sympy.latex(expr), str(expr), sympy.pretty(expr), to_plain(A.present(expr))):
        assert printed and type(expr).__name__ not in printed


def test_of_one_number_every_size_is_its_modulus():
    w = A.MatrixParameter("W_h", 1, 1)
    for kind in (A.Norm, A.FrobeniusNorm, A.SpectralRadius):
        assert to_scalar(kind(w)) == A.apply("abs", A.scalar_parameter("W_h"))
    assert to_scalar(A.matrix_power(w, k)) == A.power(A.scalar_parameter("W_h"), k)


def test_a_norm_of_a_joint_jacobian_stays_a_norm_in_scalar_notation():
    c, g = A.Variable("c", 1, 1), A.Variable("g", 1, 1)
    jacobian = A.derivative(A.concat(c[t], g[t]), A.concat(c[t - 1], g[t - 1]))
    assert isinstance(to_scalar(A.Norm(jacobian)), A.Norm)


def test_how_they_are_written():
    shown = {
        A.Norm(W): r"\lVert W \rVert_2",
        A.power(A.SingularValue(W, 1), k): r"\sigma_{\max}(W)^k",
        A.EigenvalueModulus(W, 2): r"\lvert \lambda_2(W) \rvert",
        A.FrobeniusNorm(W): r"\lVert W \rVert_{\mathrm{F}}",
        A.matrix_power(A.transpose(W), k): r"(W^\top)^k",
        A.SpectralRadius(W): r"\rho(W)",
    }
    assert {expr: to_tex(A.present(expr)) for expr in shown} == shown
