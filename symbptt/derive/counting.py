"""Multiplications counted by carrying methods out, with numbers that count, and the polynomials that they make."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from .. import algebra as A
from ..model import CELL, Network
from .closed import one_step_jacobian
from .generic import generic
from .induction import written
from .influence import immediate_written, recurrent_parameters, total

DEGREE = 4
"""The highest degree of a count in the sizes: a Jacobian, N x N, times an influence matrix, N x n^2."""


SMALLEST = 2
"""Sizes of 1 are left out: a mean over one entry divides by nothing."""


class Tally:
    """A number that counts the multiplications it takes part in; a 0 or 1 written in a formula costs nothing."""

    __slots__ = ("counter", "plain")

    def __init__(self, counter: list[int], plain: int | None = None) -> None:
        self.counter, self.plain = counter, plain

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        for one, two in ((self, other), (other, self)):
            if one.plain == 0:
                return one
            if one.plain == 1:
                return two
        self.counter[0] += 1
        return Tally(self.counter)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        if other.plain == 0:
            return self
        return other if self.plain == 0 else Tally(self.counter)

    __sub__ = __add__
    __truediv__ = __mul__

    def __pow__(self, exponent: Any) -> Tally:
        self.counter[0] += 1
        return Tally(self.counter)

    def __neg__(self) -> Tally:
        return Tally(self.counter, 0 if self.plain == 0 else None)


class CountingDomain:
    """Numbers are tallies, whatever the leaves are; values of functions are not counted."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.counter = [0]
        self.sizes = {A.size(name): sympy.Integer(size) for name, size in sizes.items()}

    def array(self, shape: tuple[int, ...]) -> Any:
        """Return an array of that shape, or a number."""
        array = np.empty(shape, dtype=object)
        for place in np.ndindex(shape):
            array[place] = Tally(self.counter)
        return array if shape else array[()]

    def leaf(self, leaf: Any) -> Any:
        return self.array(tuple(self.size(s) for s in A.shape_of(leaf))[: A.rank_of(leaf)])

    def number(self, value: Any) -> Tally:
        return Tally(self.counter, int(value) if value in (0, 1) else None)

    def literal(self, literal: Any) -> Tally:
        return Tally(self.counter)

    def size(self, value: Any) -> int:
        return int(sympy.sympify(value).xreplace(self.sizes))

    def apply(self, function: Any, value: Any) -> Any:
        return self.array(np.shape(value))

    def largest(self, values: list[Any]) -> Tally:
        return Tally(self.counter)


def bptt_multiplications(network: Network, sizes: Mapping[str, int]) -> int:
    """Return how many multiplications one step of the backward sweep takes: adjoints, and shares of the parameters.

    Parameters that no state depends on are left out, as are the derivatives of the loss: both methods need them.

    >>> from symbptt.model import Network, cell, loss, whole
    >>> n, m, T = whole("n", "hidden"), whole("m", "inputs"), whole("T", "steps")
    >>> linear = Network(cell("linear"), n, m, None, None, loss("mse", None), "sum", T)
    >>> bptt_multiplications(linear, {"n": 5, "m": 2}), rtrl_multiplications(linear, {"n": 5, "m": 2})
    (60, 1200)
    """
    g, domain = generic(network), CountingDomain(sizes)
    terms = [term for adjoint in g.adjoints.values() for term in adjoint.terms if term.equation is not None]
    terms += [term for key in recurrent_parameters(network) for term in g.parameters[key].terms]
    for term in terms:
        if term.equation is not None and term.equation.stage == CELL:
            A.evaluate(term.expr, domain)
    return domain.counter[0]


def rtrl_multiplications(network: Network, sizes: Mapping[str, int]) -> int:
    """Return how many multiplications one step of forward mode takes.

    The one-step Jacobian is made once and multiplied by every influence matrix, which is full (only the immediate
    influence has known zeros): each entry that is neither 0 nor 1 takes a multiplication for every column. Where every
    step has a loss, its derivative is multiplied by the transposed matrices.
    """
    system, domain = network.system, CountingDomain(sizes)
    jacobian = A.evaluate(written(network, one_step_jacobian(network, system.t)), domain)
    for key in recurrent_parameters(network):
        A.evaluate(immediate_written(network, key), domain)
        rows, columns = (domain.size(s) for s in A.shape_of(total(network, key, system.previous)))
        domain.counter[0] += columns * sum(entry.plain is None for entry in jacobian.ravel())
        if system.reduction != "last":
            domain.counter[0] += rows * columns
    return domain.counter[0]


@lru_cache(maxsize=64)
def polynomial(count: Callable[[Network, Mapping[str, int]], int], network: Network) -> Expr:
    """Return a count as a polynomial in the sizes, from counts at small sizes.

    Parameters
    ----------
    count : function of a network and its sizes
        :func:`bptt_multiplications` or :func:`rtrl_multiplications`.
    network : Network

    Examples
    --------
    >>> from symbptt.model import Network, cell, loss, whole
    >>> n, m, T = whole("n", "hidden"), whole("m", "inputs"), whole("T", "steps")
    >>> linear = Network(cell("linear"), n, m, None, None, loss("mse", None), "last", T)
    >>> polynomial(bptt_multiplications, linear), polynomial(rtrl_multiplications, linear)
    (m*n + 2*n**2, m*n**3 + n**4 + n**3)
    """
    names = open_sizes(network)
    powers = [p for p in itertools.product(range(DEGREE + 1), repeat=len(names)) if sum(p) <= DEGREE]
    rows, counts = [], []
    for place in powers:  # as many places as unknowns, on a simplex, where they settle the polynomial
        sizes = dict(zip(names, (k + SMALLEST for k in place), strict=True))
        rows.append([sympy.prod(sizes[name] ** k for name, k in zip(names, p, strict=True)) for p in powers])
        counts.append(count(network, sizes))
    found = sympy.Matrix(rows).LUsolve(sympy.Matrix(counts))
    monomials = (sympy.prod(A.size(name) ** k for name, k in zip(names, p, strict=True)) for p in powers)
    return sympy.Add(*(c * monomial for c, monomial in zip(found, monomials, strict=True)))


def open_sizes(network: Network) -> list[str]:
    """Return the names of the symbolic sizes of cell and recurrent parameters."""
    system = network.system
    shaped = [e.left for e in system.stage(CELL)] + [system.parameters[key] for key in recurrent_parameters(network)]
    return sorted({s.name for leaf in shaped for size in A.shape_of(leaf) for s in size.free_symbols})


def leading(count: Expr) -> Expr:
    """Return the terms of the highest degree, as a product where that is shorter.

    >>> n, m = A.size("n"), A.size("m")
    >>> leading(n**2 + 3 * n * m + 7 * m + 1), leading(n**2 + 2 * n * m + m**2 + 7 * m)
    (n*(3*m + n), (m + n)**2)
    """
    terms = sympy.Add.make_args(count)
    degrees = [sympy.Poly(term, *term.free_symbols).total_degree() if term.free_symbols else 0 for term in terms]
    found = sympy.Add(*(term for term, degree in zip(terms, degrees, strict=True) if degree == max(degrees)))
    return min(found, sympy.factor(found), key=lambda expr: len(str(expr)))
