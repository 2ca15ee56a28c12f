"""What truncation needs of the language: stopped gradients, random masks, and their moments.

The moments (:class:`Expectation`, :class:`VarianceOf`, :class:`CovarianceOf`) are over all masks; a domain that knows
the masks says what they are, by going over all of them.
"""

from __future__ import annotations

from typing import Any

from .base import MatrixNode, ScalarNode, shape_of


class Held(ScalarNode):
    """sg(a): the value of a, through which no derivative passes."""


class MatrixHeld(MatrixNode):
    """sg(X): the value of X, through which no derivative passes."""


class Mask(ScalarNode):
    """xi_t: 1 where the gradient goes on from step t to the step before it, else 0.

    Its arguments are the step, and the loss, where each loss has masks of its own.

    >>> from symbptt.algebra import index
    >>> t, s = index("t"), index("s")
    >>> Mask(t + 1), Mask(t + 1, s)
    (xi[t + 1], xi[t + 1, s])
    """

    is_real = True

    @property
    def when(self) -> Any:
        return self.args[0]

    @property
    def loss(self) -> Any:
        """The loss that the mask belongs to, or None where all losses share it."""
        return self.args[1] if len(self.args) > 1 else None


class Probability(ScalarNode):
    """p, or p_t with the step as its argument: the probability that a mask is 1."""

    is_real = True
    is_positive = True

    @property
    def when(self) -> Any:
        """The step, or None where all steps have one probability."""
        return self.args[0] if self.args else None


class Expectation(ScalarNode):
    """E[a], over all masks."""


class MatrixExpectation(MatrixNode):
    """E[X], over all masks, entry by entry."""


class VarianceOf(ScalarNode):
    """Var[a], over all masks."""


class MatrixVarianceOf(MatrixNode):
    """Var[X], over all masks, entry by entry."""


class CovarianceOf(ScalarNode):
    """Cov[a, b], over all masks."""


def held(expr: Any) -> Any:
    """Return sg(expr)."""
    return MatrixHeld(expr) if shape_of(expr) else Held(expr)


def expectation(expr: Any) -> Any:
    """Return E[expr], as a symbol."""
    return MatrixExpectation(expr) if shape_of(expr) else Expectation(expr)


def variance_of(expr: Any) -> Any:
    """Return Var[expr], as a symbol."""
    return MatrixVarianceOf(expr) if shape_of(expr) else VarianceOf(expr)


HELD = (Held, MatrixHeld)
CHANCE = (Mask, Probability)
MOMENTS = (Expectation, MatrixExpectation, VarianceOf, MatrixVarianceOf, CovarianceOf)
