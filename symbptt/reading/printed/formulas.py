"""Reading back the formulas that are printed of a model in a notation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy import Basic

from ... import algebra as A
from ...algebra.functions import ElementwiseFunction
from ...algebra.names import Names
from ...evaluate.instance import Instance
from ...model import System
from ..meaning.elaborate import elaborate
from ..meaning.expr import Call, Deriv, Expr, Matrix, Norm, Outer, Ref
from ..meaning.index import LETTERS
from ..meaning.symbols import Symbols
from ..notation import parse
from ..notation.tree import Chain, Empty, Listing, Tree
from ..value.reading import Reading
from ..value.world import Meanings, World
from .calls import angles, call
from .known import PLAIN_FUNCTIONS, Known, names_on_page

_MARKS = {"tilde": "window", "bar": "segments", "hat": "randomised:shared", "check": "randomised:independent"}
"""Mark over the sign of a derivative -> how the mode of the truncation begins."""


@dataclass(frozen=True)
class Printed:
    """What is needed to read the formulas of a model back.

    Parameters
    ----------
    system : System
    names : Names
        Those of the notation that they are printed in.
    leaves : tuple
        Symbols of formulas that are not about the network, such as the W and u of an identity.
    modes : tuple of str
        The modes of truncated derivatives.
    apart : bool
        Whether the formulas are about the leaves alone, which may have the letters of parameters.
    """

    system: System
    names: Names
    leaves: tuple[Any, ...] = ()
    modes: tuple[str, ...] = ()
    apart: bool = False

    @cached_property
    def known(self) -> Known:
        """The names of the page."""
        system = self.system
        own = {leaf.name for leaf in self.leaves if not isinstance(leaf, A.Variable) and not leaf.is_integer}
        sizes = {s.name for v in (*system.variables.values(), *system.parameters.values()) for s in _symbols(v)}
        parameters = set() if self.apart else set(system.parameters)
        plain = {*parameters, str(system.L), *sizes, *own} - {str(system.steps)}
        timed = {*system.variables, *(leaf.name for leaf in self.leaves if isinstance(leaf, A.Variable))}
        functions = sorted(self._functions())
        return names_on_page(self.names, sorted(timed), sorted(plain), functions, sorted(parameters))

    def _functions(self) -> set[str]:
        sides = [e.right for e in self.system.equations] + list(self.leaves)
        found = {p.name.rstrip("'") for side in sides for p in _parts(side) if isinstance(p, ElementwiseFunction)}
        return found | {*PLAIN_FUNCTIONS}

    @cached_property
    def symbols(self) -> Symbols:
        """The symbols, as the formulas are read with them."""
        known = self.known
        return Symbols(
            known.heads,
            known.functions,
            letters=LETTERS,
            resolve=known.resolve,
            calls=lambda head, fence: call(head, fence, known.resolve),
            strict=True,
        )

    def read(self, latex: str, macros: Mapping[str, Any] = {}) -> Expr:
        """Return the expression that a formula without relations stands for.

        Raises
        ------
        NotationError
            Where the notation is not understood.
        """
        return self.meaning(parse(latex, macros))

    def meaning(self, tree: Tree) -> Expr:
        """Return the expression that a tree stands for."""
        return elaborate(_mapped(tree), self.symbols).mapped(self._settled)

    def _settled(self, expr: Expr) -> Expr:
        """Settle what other notations leave open: marks of derivatives, bars, norms and Kronecker products."""
        if isinstance(expr, Deriv) and expr.mode.startswith("mark "):
            start = _MARKS.get(expr.mode.removeprefix("mark "), "?")
            return replace(expr, mode=next((mode for mode in self.modes if mode.startswith(start)), expr.mode))
        if isinstance(expr, Norm) and expr.kind == "abs":
            return Call("moduli", (expr.of,), tree=expr.tree)
        if isinstance(expr, Norm) and not expr.kind:
            return replace(expr, kind="F")
        if isinstance(expr, Matrix) and self.names.rows and all(isinstance(part, Ref) for part in expr.children):
            return replace(expr, rows=(expr.children,))  # (h_t, c_t), whose parts are rows
        if isinstance(expr, Outer):
            return Call("kron", (expr.left, expr.right), tree=expr.tree)
        if isinstance(expr, Call) and self.system.layout == "rows" and expr.name in ("mean", "variance"):
            return replace(expr, name=f"row_{expr.name}")
        return expr

    @staticmethod
    def units(instance: Instance) -> list[tuple[int, int, int] | None]:
        """Return the sizes that identities, zeros and ones may have that nothing settles; None comes first."""
        sizes = sorted({int(size) for array in instance.base.values.values() for size in np.shape(array)})
        return [None, *((a, b, 0) for a, b in product(sizes, repeat=2)), *((size, size, size) for size in sizes)]

    def world(self, instance: Instance | None, constants: Mapping[str, Any] = {}, **letters: int) -> World:
        """Return the world in which the formulas have their values at an instance.

        Parameters
        ----------
        instance : Instance or None
        constants : mapping
            Values of symbols that do not belong to the network.
        **letters : int
            Values of the free indices.
        """
        system = self.system
        bindings = {} if instance is None else dict(instance.bindings)
        meanings = Meanings(
            variables={key: key for key in system.variables},
            parameters={key: key for key in system.parameters},
            loss=frozenset({str(system.L)}),
            losses=frozenset({"l"}),
            constants={"i": 1j, **bindings, **constants},  # i is the imaginary unit where it is no index
        )
        if instance is None:
            meanings = Meanings(constants={"i": 1j, **constants})
        reading = Reading(gradients=True, rows=self.names.rows, spectral=False, empty=True)
        return World(instance, meanings, reading, {**bindings, **letters})


def _symbols(leaf: Any) -> Iterable[Any]:
    return {s for size in A.shape_of(leaf) for s in sympy.sympify(size).free_symbols}


def _parts(expr: Any) -> Iterable[Any]:
    yield expr
    if isinstance(expr, Basic) and not isinstance(expr, ElementwiseFunction):
        for argument in expr.args:
            yield from _parts(argument)


def _mapped(tree: Tree) -> Tree:
    def of(value: Any) -> Any:
        if isinstance(value, Tree):
            return _mapped(value)
        return tuple(of(v) for v in value) if isinstance(value, tuple) else value

    new = {f.name: of(getattr(tree, f.name)) for f in fields(tree)}
    return angles(type(tree)(**new))


def operands_of(tree: Tree) -> list[tuple[Tree, ...]]:
    """Return the operands of each chain of a display: ``left = right = ...``, in lines below or beside each other."""
    if isinstance(tree, Chain):
        return [tree.operands]
    if isinstance(tree, Listing):
        return [chain for item in tree.items for chain in operands_of(item)]
    return [] if isinstance(tree, Empty) else [(tree,)]
