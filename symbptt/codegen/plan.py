"""What a generated module computes, in order: the derived equations with their shared parts named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy import Expr

from .. import algebra as A
from ..algebra import nodes as N
from ..algebra.scalar import to_scalar
from ..derive.generic import LOCAL, NEXT, Generic, generic
from ..derive.run import total_loss
from ..model import CELL, READOUT, Network, Scan, System

Shape = tuple[Expr, ...]


@dataclass(frozen=True)
class Line:
    """One assignment at step t: ``leaf = expr``, which computes ``left = right``; without ``left``, ``right`` alone."""

    name: str
    expr: Any
    leaf: Any
    left: Any
    right: Any
    joins: tuple[Line, ...] = ()
    """The lines that this one carries out together, beside each other."""


@dataclass(frozen=True)
class Sum:
    """One part of a gradient that is summed over steps: all of them, or the last alone."""

    expr: Any
    at_end: bool


def twin(network: Network) -> Network:
    """Return the same network with symbols for T and, unless all sizes are 1, for the sizes."""
    network = network.of_any_length(A.size("T"))
    if network.system.scalar:
        return network
    return replace(
        network,
        hidden=A.size("n"),
        inputs=None if network.inputs is None else A.size("m"),
        outputs=None if network.outputs is None else A.size("q"),
        heads=tuple(replace(head, outputs=A.size(head.size)) for head in network.heads),
        sizes=(),
    )


class Plan:
    """The parts of a module for a network of any sizes.

    Parameters
    ----------
    network : Network
        Its sizes and T do not matter, but for models all of whose sizes are 1, which are written in scalars.

    Notes
    -----
    ``dh_carry`` is what the steps after t contribute to dL/dh_t. Step t computes that of step t - 1, so that no step
    is a special case, and what is left at the end is the gradient by the initial state.
    """

    def __init__(self, network: Network) -> None:
        self.network = twin(network)
        self.generic: Generic = generic(self.network)
        self.system: System = self.generic.system
        self.t = self.system.t
        self.scalar = network.system.scalar and not self._has_blocks()

    def _has_blocks(self) -> bool:
        kinds = N.Concat | N.Part | A.LiteralMatrix
        parts = (p for e in self.system.equations for p in sympy.preorder_traversal(e.right))
        return any(isinstance(p, kinds) for p in parts)

    def notation(self, expr: Any) -> Any:
        """Return an expression as it is computed and printed: in scalars where the model is scalar."""
        return to_scalar(expr) if self.scalar else expr

    # -- shapes ---------------------------------------------------------------------------------------
    def shape(self, name: str) -> Shape:
        """Return the shape of one value of a variable or parameter: () for a scalar."""
        return () if self.scalar else self._shapes.get(name, ())

    @cached_property
    def _shapes(self) -> dict[str, Shape]:
        named = {**self.system.variables, **self.system.parameters}
        ranks = {k: v.rank if isinstance(v, A.Variable) else A.rank_of(v) for k, v in named.items()}
        return {name: tuple(A.shape_of(source)[: ranks[name]]) for name, source in named.items()}

    @property
    def last(self) -> bool:
        return self.system.reduction == "last"

    @property
    def has_target(self) -> bool:
        return bool(self.system.targets)

    @property
    def has_mask(self) -> bool:
        return self.system.masked

    # -- forward --------------------------------------------------------------------------------------
    def stage(self, stage: str) -> list[Line]:
        """Return the equations of a stage."""
        return [self._line(e.name, e.left, e.right) for e in self.system.stage(stage)]

    def _line(self, name: str, left: Any, right: Any) -> Line:
        left, right = self.notation(left), self.notation(right)
        return Line(name, right, left, left, right)

    @cached_property
    def total(self) -> Any:
        """L, in the losses of the steps."""
        return self.notation(total_loss(self.system))

    # -- the loss of a step ---------------------------------------------------------------------------
    @cached_property
    def local(self) -> list[Line]:
        """dl_t/dv_t, of the readout's variables that are needed, then of the cell's."""
        cell = {name: self._terms(name) for name in self.generic.read_by_loss}
        used = [*cell.values(), *(part.expr for parts in self.raw_sums.values() for part in parts)]
        readout = [e.name for e in reversed(self.system.stage(READOUT))]
        needed = [name for name in readout if any(A.depends(expr, self.generic.local_of(name)) for expr in used)]
        results = {**{name: self.generic.local_results[name] for name in needed}, **cell}
        return [self._line(name, self.generic.local_of(name), expr) for name, expr in results.items()]

    def _terms(self, name: str) -> Any:
        return A.add(*(term.expr for term in self.generic.local_terms[name]))

    # -- backward -------------------------------------------------------------------------------------
    @cached_property
    def _raw_adjoints(self) -> dict[str, list[Any]]:
        """Variable -> the terms of its adjoint at t, with the carry in the place of what comes from other steps."""
        return {name: self._adjoint_terms(name) for name in self.generic.adjoints}

    def _adjoint_terms(self, name: str) -> list[Any]:
        terms: list[Any] = []
        adjoint = self.generic.adjoints[name]
        sources = [LOCAL] * (self.last and name in self.generic.read_by_loss)
        for source, term in [(s, None) for s in sources] + [(t.source, t.expr) for t in adjoint.terms]:
            if source == LOCAL:
                terms.append(self.pseudo("local", name))
            elif source != NEXT:
                terms.append(term)
            elif name in self.raw_carries and self.pseudo("carry", name) not in terms:
                terms.append(self.pseudo("carry", name))
        return terms

    def pseudo(self, kind: str, name: str) -> Any:
        """Return a variable of the program that has the shape of a variable of the model."""
        variable = self.system.variables[name]
        return A.Variable(f"{kind}.{name}", *variable.args[1:])[self.t]

    def weighted(self, name: str) -> Any:
        """Return the part of dL/dv_t that comes from the loss of its own step."""
        return self.generic.weighted(self.generic.local_of(name))

    @cached_property
    def raw_carries(self) -> dict[str, Any]:
        """State -> what step t contributes to its adjoint at the step before."""
        carries = {}
        for state in self.system.states:
            terms = [term.expr for term in self.generic.adjoints[state].terms if term.source == NEXT]
            if terms and not A.is_zero(A.add(*terms)):
                carries[state] = A.add(*terms).xreplace({self.t: self.system.previous_of(state)})
        return carries

    @cached_property
    def raw_sums(self) -> dict[str, list[Sum]]:
        """Parameter -> the parts of its gradient, before parts are shared."""
        return {
            key: [
                Sum(term.expr, self.last and (term.equation is None or term.equation.stage != CELL))
                for term in gradient.terms
            ]
            for key, gradient in self.generic.parameters.items()
        }

    @cached_property
    def raw_inputs(self) -> dict[str, Any]:
        """Input -> dL/dx_t."""
        return {name: self.generic.input_gradient(name) for name in self.system.inputs}

    # -- shared parts ---------------------------------------------------------------------------------
    @cached_property
    def shared(self) -> dict[Any, Any]:
        """Expression in adjoints that occurs several times -> the variable that stands for it."""
        found: dict[Any, Any] = {}
        exprs = list(self._backward_expressions())
        while True:
            best = _most_shared(exprs, self._is_shareable)
            if best is None:
                return found
            name = f"shared.{self._adjoint_in(best)}.{len(found)}"
            like = A.shape_of(best)
            rank = A.rank_of(best)
            sizes = (*like, *((2,) if rank == 2 and like[1] == 1 else ()))
            found[best] = A.Variable(name, *sizes)[self.t]
            exprs = [expr.xreplace({best: found[best]}) for expr in exprs]

    def _backward_expressions(self) -> Iterator[Any]:
        for terms in self._raw_adjoints.values():
            yield from terms
        yield from self.raw_carries.values()
        yield from (part.expr for parts in self.raw_sums.values() for part in parts if not part.at_end)
        yield from self.raw_inputs.values()

    def _is_shareable(self, expr: Any) -> bool:
        trivial = isinstance(expr, N.Outer | N.MatrixNegative | N.Negative | A.Fill | N.Transposed)
        return bool(expr.args) and not trivial and A.rank_of(expr) < 2 and self._adjoint_in(expr) is not None

    def _adjoint_in(self, expr: Any) -> str | None:
        for part in sympy.preorder_traversal(expr):
            if part != expr and isinstance(part, _DERIVATIVES) and part.of == self.system.L:
                return str(part.by.name)
        return None

    def _settled(self, expr: Any) -> Any:
        for whole, leaf in self.shared.items():
            if expr != whole:
                expr = expr.xreplace({whole: leaf})
        return expr

    # -- the results ----------------------------------------------------------------------------------
    @cached_property
    def sweep(self) -> list[Line]:
        """The adjoints of step t in order, each shared part as soon as it can be computed."""
        lines: list[Line] = []
        waiting = dict(self._looped)
        for name, terms in self._raw_adjoints.items():
            total = A.add(*map(self._replaced, terms)) if terms else A.zero_like(self.system.at(name))
            left, right = self.generic.adjoint_of(name), self.generic.adjoints[name].expr
            left = self.notation(left)
            lines.append(Line(name, self.notation(total), left, left, self.notation(right)))
            lines += self._ready(waiting, {line.name for line in lines})
        return lines

    @property
    def sweeps(self) -> list[tuple[Scan, list[Line]]]:
        """The lines of the sweep by scan, the last scan first; a shared part goes with what it waits for."""
        found = [(scan, list[Line]()) for scan in reversed(self.system.scans)]
        at = 0
        for line in self.sweep:
            if line.left is not None:
                at = next(i for i, (scan, _) in enumerate(found) if line.name in scan.names)
            found[at][1].append(line)
        return found

    def _replaced(self, expr: Any) -> Any:
        for whole, leaf in self.shared.items():
            expr = expr.xreplace({whole: leaf})
        return expr

    def _ready(self, waiting: dict[Any, Any], known: set[str]) -> list[Line]:
        """Return the shared parts all of whose adjoints and inner parts are known, and note that they are there."""
        lines: list[Line] = []
        for whole, leaf in waiting.items():
            parts = list(sympy.preorder_traversal(self._settled(whole)))
            adjoints = {p.by.name for p in parts if isinstance(p, _DERIVATIVES)}
            if adjoints <= known and not any(p in waiting.values() for p in parts):
                lines.append(self._shared_line(whole, leaf))
        for line in lines:
            waiting.pop(next(whole for whole, leaf in waiting.items() if leaf.name == line.name))
        return lines + self._ready(waiting, known) if lines else []

    def _shared_line(self, whole: Any, leaf: Any) -> Line:
        expr = self.notation(self._settled(whole))
        return Line(leaf.name, expr, self.notation(leaf), None, self.notation(self._unshared(whole)))

    def _unshared(self, expr: Any) -> Any:
        """Fill shared parts in again, for the formula."""
        for whole, leaf in reversed(list(self.shared.items())):
            expr = expr.xreplace({leaf: whole})
        return expr

    @cached_property
    def _looped(self) -> dict[Any, Any]:
        """The shared parts that the backward loop itself reads."""
        inside = [self._replaced(term) for terms in self._raw_adjoints.values() for term in terms]
        inside += [self._replaced(expr) for expr in self.raw_carries.values()]
        inside += [self._settled(whole) for whole in self.shared]
        read = {p for expr in inside for p in sympy.preorder_traversal(expr) if _is_shared(p)}
        return {whole: leaf for whole, leaf in self.shared.items() if leaf in read}

    @cached_property
    def stacked_shared(self) -> list[Line]:
        """The shared parts that only the sums over steps read, for all steps at once."""
        return [self._shared_line(w, leaf) for w, leaf in self.shared.items() if w not in self._looped]

    @cached_property
    def carries(self) -> list[Line]:
        """What step t hands on to the step before, for each state that is read there."""
        lines = []
        for state, raw in self.raw_carries.items():
            terms = self.notation(self._unshared(raw))
            left = self.notation(self.generic.adjoint_of(state, self.system.previous_of(state)))
            leaf = self.notation(self.pseudo("carry", state))
            lines.append(Line(f"carry.{state}", self.notation(self._replaced(raw)), leaf, left, terms))
        return lines

    @cached_property
    def sums(self) -> dict[str, list[Sum]]:
        """Parameter -> the parts of its gradient."""
        return {
            key: [Sum(self.notation(p.expr if p.at_end else self._replaced(p.expr)), p.at_end) for p in parts]
            for key, parts in self.raw_sums.items()
        }

    @cached_property
    def inputs(self) -> dict[str, Line]:
        """Input -> its gradient at step t."""
        lines = {}
        for name, raw in self.raw_inputs.items():
            left = self.notation(A.derivative(self.system.L, self.system.at(name)))
            lines[name] = Line(name, self.notation(self._replaced(raw)), left, left, self.notation(raw))
        return lines


@lru_cache(maxsize=64)
def plan_of(network: Network) -> Plan:
    """Return the plan of a network, made once for all styles and libraries."""
    return Plan(network)


_DERIVATIVES = (A.Gradient, A.ScalarDerivative)


def _is_shared(part: Any) -> bool:
    return isinstance(part, A.MatrixAt | A.ScalarAt) and part.name.startswith("shared.")


def _most_shared(exprs: list[Any], shareable: Callable[[Any], bool]) -> Any:
    """Return the largest shareable part that occurs at least twice, the first of them in order."""
    counts: dict[Any, int] = {}
    for expr in exprs:
        for part in sympy.preorder_traversal(expr):
            counts[part] = counts.get(part, 0) + 1
    repeated = [part for part, count in counts.items() if count > 1 and shareable(part)]
    return max(repeated, key=_size, default=None)


def _size(expr: Any) -> int:
    return sum(1 for _ in sympy.preorder_traversal(expr))
