"""Second order: the equations of the forward pass and of the adjoint recursion, differentiated once more.

The operator R (Pearlmutter 1994) takes the derivative along a direction V in parameter space. Applied to every
equation of the forward pass it gives a forward recursion for R{h_t}; applied to every equation of the adjoint recursion
it gives a backward recursion for R{dL/dh_t}; applied to the gradients it gives the product of the Hessian with V.

References
----------
Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994;
Martens and Sutskever, "Learning recurrent neural networks with Hessian-free optimization", ICML 2011.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy import Basic, Expr

from .. import algebra as A
from ..algebra import nodes as N
from ..model import LOSS, Equation, Network
from .generic import Generic, generic
from .tidy import as_written


class SecondOrder:
    """R of everything, on the generic step.

    Parameters
    ----------
    g : Generic
    """

    def __init__(self, g: Generic) -> None:
        self.generic, self.system, self.t = g, g.system, g.t

    # -- what moves -----------------------------------------------------------------------------------
    @cached_property
    def moving(self) -> frozenset[str]:
        """The variables that depend on a parameter: those of which there is an R."""
        system, found = self.system, set[str]()
        while True:
            more = {e.name for e in system.equations if self._is_moved(e, found)} - found
            if not more:
                return frozenset(found)
            found |= more

    def _is_moved(self, equation: Equation, known: set[str]) -> bool:
        parts = set(sympy.preorder_traversal(equation.right))
        if any(symbol in parts for symbol in self.system.parameters.values()):
            return True
        return any(isinstance(p, A.MatrixAt | A.ScalarAt) and p.name in known for p in parts)

    def of(self, expr: Any) -> Any:
        """Return R of an expression in parameters, variables and adjoints, written as people write it."""
        directions = {leaf: A.tangent_of(leaf) for leaf in self._leaves(expr)}
        return as_written(A.tangent(expr, directions), self.system.equations)

    def _leaves(self, expr: Any) -> list[Basic]:
        parameters = set(self.system.parameters.values())
        return [p for p in dict.fromkeys(sympy.preorder_traversal(expr)) if p in parameters or self._is_moving(p)]

    def _is_moving(self, part: Any) -> bool:
        if isinstance(part, A.MatrixAt | A.ScalarAt):
            return part.name in self.moving
        return isinstance(part, A.Gradient | A.ScalarDerivative)

    # -- the equations --------------------------------------------------------------------------------
    @cached_property
    def forward(self) -> dict[str, Any]:
        """Variable of cell and readout -> R of its equation, in the order of computation."""
        steps = (e for e in self.system.equations if e.stage != LOSS and e.name in self.moving)
        return {e.name: self.of(e.right) for e in steps}

    def adjoint(self, name: str, when: Expr | None = None) -> Any:
        """Return R of the adjoint equation of a variable: the generic one, or that of a step with its boundary."""
        g = self.generic
        return self.of(g.fill_local(g.adjoints[name].expr if when is None else g.at_step(name, when)))

    def parameter(self, key: str) -> Any:
        """Return R{dL/dp}, the part of the Hessian-vector product that belongs to a parameter, as a sum over time."""
        g = self.generic
        return self._within(g.fill_local(g.parameter_sum(key)))

    def _within(self, expr: Any) -> Any:
        """R of a sum over time is the sum of R, over the same index."""
        if isinstance(expr, N.Plus | N.MatrixPlus):
            return A.add(*map(self._within, expr.args))
        if isinstance(expr, N.TimeSum | N.MatrixTimeSum):
            return A.time_sum(self.of(expr.body), expr.index, expr.lower, expr.upper)
        return self.of(expr)


@lru_cache(maxsize=64)
def second_order(network: Network) -> SecondOrder:
    """Return the second-order derivation of a network, derived once.

    >>> from symbptt.model import Network, cell, loss, whole
    >>> n, m = whole("n", "hidden"), whole("m", "inputs")
    >>> net = Network(cell("tanh"), n, m, None, None, loss("half_squared_error", None), "sum", whole("T", "steps"))
    >>> second_order(net).forward["h"]
    (1 - h[t] * h[t]) * R(z[t])
    """
    return SecondOrder(generic(network))
