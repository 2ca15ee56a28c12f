"""Sizes of matrices and vectors: norms, singular values, eigenvalues, angles.

Their values are computed numerically (or exactly as scalars, when all sizes are 1). They are not analytic everywhere,
and nothing differentiates through them, so that they have no rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from .base import MatrixNode, Node, ScalarNode, Shape, shape_of
from .layout import ATOM, Fence, Ident, Item, Number, Operator, Script, row
from .semantics import Domain, evaluate, value_rule


class Norm(ScalarNode):
    """The 2-norm of a vector, or the spectral norm of a matrix (its largest singular value)."""


class FrobeniusNorm(ScalarNode):
    """The root of the sum of the squared entries."""


class SpectralRadius(ScalarNode):
    """The largest modulus of an eigenvalue."""


class SingularValue(ScalarNode):
    """The i-th largest singular value: (X, i)."""


class EigenvalueModulus(ScalarNode):
    """The i-th largest modulus of an eigenvalue: (X, i)."""


class Determinant(ScalarNode):
    """det X."""


class AngleTangent(ScalarNode):
    """The tangent of the angle between the lines that two vectors span."""


class Clipped(MatrixNode):
    """Every entry of X moved into the range from -c to c: (X, c)."""


class DominantEigenvector(MatrixNode):
    """The eigenvector of length 1 for the eigenvalue of largest modulus, where that is one real number.

    Of both directions it is the one whose largest entry (the first of equal ones) is positive.
    """

    rank = 1

    @property
    def shape(self) -> Shape:
        return (shape_of(self.args[0])[0], sympy.S.One)


MEASURES: tuple[type[Node], ...] = (
    Norm, FrobeniusNorm, SpectralRadius, SingularValue, EigenvalueModulus, Determinant, AngleTangent, Clipped,
    DominantEigenvector,
)  # fmt: skip
"""Every node of this module."""


CALLED: tuple[type[Node], ...] = (SpectralRadius, SingularValue, Determinant)
"""Those that are written as a letter with a bracket."""

# -- values -------------------------------------------------------------------------------------------


def _real(value: Any) -> Any:
    """Return numbers as floats."""
    return np.asarray(np.real(np.asarray(value, dtype=complex)), dtype=float)


def tangent(u: Any, v: Any) -> float:
    """Return the tangent of the angle between the lines that two vectors span.

    >>> round(tangent([2.0, 1.0], [1.0, 1.0]), 6)
    0.333333
    """
    a, b = (np.asarray(w, dtype=float) / np.linalg.norm(w) for w in (u, v))
    along = float(a @ b)
    across = float(np.linalg.norm(a - along * b))
    return across / abs(along) if along else float("inf")


def dominant(matrix: Any) -> Any:
    """Return the dominant eigenvector of a matrix, of length 1; NaN where there is no real one.

    >>> dominant([[2.0, 1.0], [1.0, 2.0]]).round(4).tolist()
    [0.7071, 0.7071]
    """
    values, vectors = np.linalg.eig(np.asarray(matrix, dtype=float))
    first = int(np.abs(values).argmax())
    if np.iscomplex(values[first]):
        return np.full(len(values), np.nan)
    vector = np.real(vectors[:, first])
    rounded = np.round(np.abs(vector), 12)
    return vector / np.linalg.norm(vector) * np.sign(vector[rounded.argmax()])


@value_rule(DominantEigenvector)
def _(e: Any, d: Domain) -> Any:
    return dominant(_real(evaluate(e.args[0], d)))


@value_rule(Norm)
def _(e: Any, d: Domain) -> float:
    return float(np.linalg.norm(_real(evaluate(e.args[0], d)), 2))


@value_rule(FrobeniusNorm)
def _(e: Any, d: Domain) -> float:
    return float(np.linalg.norm(_real(evaluate(e.args[0], d)).ravel()))


@value_rule(SpectralRadius)
def _(e: Any, d: Domain) -> float:
    return float(np.abs(np.linalg.eigvals(_real(evaluate(e.args[0], d)))).max())


@value_rule(SingularValue)
def _(e: Any, d: Domain) -> float:
    return float(np.linalg.svd(_real(evaluate(e.args[0], d)), compute_uv=False)[d.size(e.args[1]) - 1])


@value_rule(EigenvalueModulus)
def _(e: Any, d: Domain) -> float:
    moduli = np.sort(np.abs(np.linalg.eigvals(_real(evaluate(e.args[0], d)))))[::-1]
    return float(moduli[d.size(e.args[1]) - 1])


@value_rule(Determinant)
def _(e: Any, d: Domain) -> float:
    return float(np.linalg.det(_real(evaluate(e.args[0], d))))


@value_rule(AngleTangent)
def _(e: Any, d: Domain) -> float:
    return tangent(*(_real(evaluate(a, d)) for a in e.args))


@value_rule(Clipped)
def _(e: Any, d: Domain) -> Any:
    bound = float(evaluate(e.args[1], d))
    return np.clip(_real(evaluate(e.args[0], d)), -bound, bound)


# -- layout -------------------------------------------------------------------------------------------

APPLY = Operator("\u2061", "plain")
"""Function application, which is not seen."""


def layouts(present: Any) -> dict[type, tuple[int, Any]]:
    """Return the rows of the table in :mod:`symbptt.algebra.present`, made with its own functions."""

    def norm(sub: Item) -> Any:
        return lambda e, names: Script(Fence(present(e.args[0], names), "‖", "‖"), sub)

    def call(letter: str) -> Any:
        return lambda e, names: row(Ident(letter), APPLY, Fence(present(e.args[0], names)))

    def singular(e: Any, names: Any) -> Item:
        sub = Ident("max", "upright") if e.args[1] == 1 else present(e.args[1], names)
        return row(Script(Ident("σ"), sub), APPLY, Fence(present(e.args[0], names)))

    def modulus(e: Any, names: Any) -> Item:
        inner = row(Script(Ident("λ"), present(e.args[1], names)), APPLY, Fence(present(e.args[0], names)))
        return Fence(inner, "|", "|")

    def angle(e: Any, names: Any) -> Item:
        u, v = (present(a, names) for a in e.args)
        return row(Ident("tan", "upright"), Operator("∠", "plain"), Fence(row(u, Operator(",", "separator"), v)))

    def clipped(e: Any, names: Any) -> Item:
        name = Script(Ident("clip", "upright"), present(e.args[1], names))
        return row(name, APPLY, Fence(present(e.args[0], names)))

    return {
        Norm: (ATOM, norm(Number("2"))),
        FrobeniusNorm: (ATOM, norm(Ident("F", "upright"))),
        SpectralRadius: (ATOM, call("ρ")),
        SingularValue: (ATOM, singular),
        EigenvalueModulus: (ATOM, modulus),
        Determinant: (ATOM, lambda e, names: row(Ident("det", "upright"), Fence(present(e.args[0], names)))),
        AngleTangent: (ATOM, angle),
        Clipped: (ATOM, clipped),
        DominantEigenvector: (
            ATOM,
            lambda e, names: row(Script(Ident("v"), Number("1")), APPLY, Fence(present(e.args[0], names))),
        ),
    }


SOURCE: dict[type, tuple[str, str]] = {
    Norm: ("norm({0})", "numpy.linalg.norm({0}, 2)"),
    FrobeniusNorm: ("frobenius({0})", "numpy.linalg.norm({0})"),
    SpectralRadius: ("spectral_radius({0})", "numpy.abs(numpy.linalg.eigvals({0})).max()"),
    SingularValue: ("singular_value({0}, {1})", "numpy.linalg.svd({0}, compute_uv=False)[{1} - 1]"),
    EigenvalueModulus: (
        "eigenvalue_modulus({0}, {1})", "numpy.sort(numpy.abs(numpy.linalg.eigvals({0})))[::-1][{1} - 1]",
    ),
    Determinant: ("det({0})", "numpy.linalg.det({0})"),
    AngleTangent: (
        "tan_angle({0}, {1})",
        "numpy.tan(numpy.arccos(min(1.0, abs({0} @ {1}) / (numpy.linalg.norm({0}) * numpy.linalg.norm({1})))))",
    ),
    DominantEigenvector: (
        "dominant_eigenvector({0})",
        "(lambda w, v: v[:, numpy.abs(w).argmax()].real)(*numpy.linalg.eig({0}))",
    ),
    Clipped: ("clip({0}, {1})", "numpy.clip({0}, -({1}), {1})"),
}  # fmt: skip
"""Node -> how it is written in the equation language, and in NumPy."""


def in_scalars(to_scalar: Any, absolute: Any) -> dict[type, Any]:
    """Return the rows of the table in :mod:`symbptt.algebra.scalar`: of one number, every size is its modulus.

    What stays a matrix there (the joint Jacobians of several states) keeps its norm.
    """

    def modulus(e: Any) -> Any:
        inner = to_scalar(e.args[0])
        return e.func(inner, *e.args[1:]) if shape_of(inner) else absolute(inner)

    return {
        **dict.fromkeys((Norm, FrobeniusNorm, SpectralRadius, SingularValue, EigenvalueModulus), modulus),
        Determinant: lambda e: to_scalar(e.args[0]),
        AngleTangent: lambda e: sympy.S.Zero,
        DominantEigenvector: lambda e: sympy.S.One,
        Clipped: lambda e: sympy.Max(-to_scalar(e.args[1]), sympy.Min(to_scalar(e.args[1]), to_scalar(e.args[0]))),
    }
