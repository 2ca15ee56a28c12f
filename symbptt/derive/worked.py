"""Lines with numbers in them: substitution, partly evaluated stages, result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import sympy

from ..algebra import nodes as N
from ..algebra.figure_domain import FigureDomain
from ..algebra.functions import ElementwiseFunction
from ..algebra.leaves import Literal
from ..algebra.rounding import CARRY, Rounding
from .number_trees import Number, Tree, read, value_of, written_out
from .stages import Stage, carried, stepped

Values: TypeAlias = Mapping[Any, Any]
Sizes: TypeAlias = Mapping[Any, int]


@dataclass(frozen=True)
class Branch:
    """Which side of a kink a function was evaluated on.

    Attributes
    ----------
    function : str
        Its name; a derivative's ends with a prime.
    argument, value, kink : Literal
        The argument, f(argument), and the point where the function has the kink.
    side : {"above", "below", "kink"}
    entry : tuple of int
        Which entry of a vector or matrix the argument is, from 0.
    """

    function: str
    argument: Literal
    value: Literal
    side: str
    kink: Literal
    entry: tuple[int, ...] = ()


@dataclass(frozen=True)
class Worked:
    """A formula worked out in numbers.

    Attributes
    ----------
    formula : node
        The right-hand side as it was given.
    stages : tuple of Stage
        What follows it: a written-out sum, the substitution, partial results, the result.
    value : Figure or array of Figure
        The result that later lines go on from: unrounded, or with ``mode="step"`` exactly what is printed.
    branches : tuple of Branch
        For every function with kinks, where its argument was.
    rounding : Rounding
    """

    formula: Any
    stages: tuple[Stage, ...]
    value: Any
    branches: tuple[Branch, ...] = ()
    rounding: Rounding = field(default_factory=Rounding)

    @property
    def result(self) -> Any:
        """The last stage's literal, or matrix of literals."""
        return self.stages[-1].expr


def work_out(expr: Any, values: Values, sizes: Sizes | None = None, rounding: Rounding | None = None) -> Worked:
    """Work out a formula in numbers, stage by stage.

    Parameters
    ----------
    expr : node
        A right-hand side at concrete steps.
    values : mapping
        The numbers of its leaves: figures or arrays of figures, or what they are parsed from.
    sizes : mapping, optional
        Sizes and T, where they are symbols.
    rounding : Rounding, optional

    Returns
    -------
    Worked

    Raises
    ------
    ValueInputError
        When a number is missing, or an operation is not defined for it.

    Examples
    --------
    >>> from symbptt.algebra import Variable, scalar_parameter
    >>> W, V, b, h, x = *map(scalar_parameter, ("W_h", "W_x", "b")), Variable("h"), Variable("x")
    >>> line = work_out(W * h[1] + V * x[2] + b, {W: 2.0, V: 2.0, b: 0.0, h[1]: 2.0, x[2]: 1.0})
    >>> [(stage.relation, stage.expr) for stage in line.stages]
    [('=', 2.0*2.0 + 2.0*1.0 + 0.0), ('=', 4.0 + 2.0), ('=', 6.0)]
    """
    rounding = rounding or Rounding()
    formula = sympy.sympify(expr)
    domain = FigureDomain(values, sizes or {})
    written = written_out(formula, domain)
    tree = read(written, domain)
    line = carried(tree, rounding) if rounding.mode == CARRY else stepped(tree, rounding)
    opened = [Stage("=", written, True)] if written != formula and len(line.stages) > 1 else []
    return Worked(formula, (*opened, *line.stages), line.value, _branches(line.start, rounding), rounding)


def _branches(tree: Tree, rounding: Rounding) -> tuple[Branch, ...]:
    if isinstance(tree, Number):
        return ()
    found = [branch for operand in tree.operands for branch in _branches(operand, rounding)]
    if tree.node in (N.Apply, N.Map):
        found += _taken(tree.parts[0], value_of(tree.parts[1]), value_of(tree), rounding)
    return tuple(dict.fromkeys(found))


def _taken(function: ElementwiseFunction, arguments: Any, results: Any, rounding: Rounding) -> Iterator[Branch]:
    for point in function.kinks:
        kink = FigureDomain({}).number(point)
        for place in np.ndindex(np.shape(arguments)):
            argument, value = (a[place] if isinstance(a, np.ndarray) else a for a in (arguments, results))
            side = "kink" if argument == kink else "above" if argument > kink else "below"
            a, v, k = (rounding.show(figure)[0] for figure in (argument, value, kink))
            yield Branch(function.name, a, v, side, k, place)
