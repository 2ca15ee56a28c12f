"""The domain of worked lines: expressions are evaluated in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Basic, Expr

from ..errors import ValueInputError
from .exact_functions import apply_figure
from .figures import DIGITS, Figure, each, figures, inexact_figure
from .functions import ElementwiseFunction
from .leaves import Literal
from .number_text import INTEGER


@dataclass(frozen=True)
class FigureDomain:
    """Numbers are figures: the domain of worked lines.

    Parameters
    ----------
    values : mapping of leaves to Figure, or arrays of Figure
        Vectors are arrays of shape (n,), matrices of shape (rows, columns). Other numbers are parsed.
    sizes : mapping of symbols to int
        The sizes, and T.

    Examples
    --------
    >>> from symbptt.algebra import Variable, evaluate, apply
    >>> h = Variable("h")
    >>> evaluate(apply("relu", 2 * h[1]), FigureDomain({h[1]: Figure.parse("3.0")}))
    Figure('6.0')
    """

    values: Mapping[Any, Any]
    sizes: Mapping[Any, int] = field(default_factory=dict)

    def leaf(self, leaf: Basic) -> Any:
        """Return the value given for a leaf."""
        if leaf in self.values:
            return figures(self.values[leaf])
        if leaf in self.sizes:
            return Figure(int(self.sizes[leaf]), INTEGER)
        known = ", ".join(sorted(map(str, self.values))[:8])
        raise ValueInputError(f"no value is given for {leaf}" + (f"; given: {known}" if known else ""))

    def number(self, value: Expr) -> Figure:
        """Return a SymPy number, or an expression in sizes alone, as a figure."""
        value = self._sized(value)
        if value.is_Rational or value.is_Float:
            return Figure.parse(value)
        if not value.is_number or not value.is_real:
            raise ValueInputError(f"{value} is not a real number")
        return inexact_figure(sympy.N(value, DIGITS + 6)._mpf_)

    def literal(self, literal: Literal) -> Figure:
        """Return a number as it was written."""
        return Figure.parse(literal)

    def size(self, value: Expr) -> int:
        """Return a size or a step as an integer."""
        value = self._sized(value)
        if not value.is_Integer:
            raise ValueInputError(f"no value is given for the size {value}")
        return int(value)

    def apply(self, function: ElementwiseFunction, value: Any) -> Any:
        """Apply an elementwise function."""
        return each(lambda entry: apply_figure(function, entry), value)

    def largest(self, values: list[Figure]) -> Figure:
        """Return the largest of some scalars."""
        return max(values)

    def _sized(self, value: Any) -> Any:
        return sympy.sympify(value).xreplace({k: sympy.Integer(v) for k, v in self.sizes.items()})
