"""The backward pass as data: the derived equations, in parts that a mistake can drop or change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ... import algebra as A
from ...derive.generic import LOCAL, NEXT, SAME, Generic, generic
from ...model import CELL, LOSS, READOUT, Equation, Network, System
from ...model.truncation import Segments, Window
from ..plan import twin

ALL, LAST, FIRST, NOT_LAST, NOT_FIRST = "all", "last", "first", "not_last", "not_first"
"""Which steps count, or which samples of a batch."""
SUMS = "sums"
"""The place of a part of a parameter's gradient."""


@dataclass(frozen=True)
class Part:
    """One path into an adjoint, or one use of a parameter.

    Attributes
    ----------
    place : {"local", "same", "next", "sums"}
    through : str or None
        The variable whose equation is gone through; None for the loss of the step.
    expr : node
        As the rules of differentiation give it, not tidied: derivatives of functions stand in it as such.
    at_end : bool
        Whether it counts at the last step alone.
    """

    place: str
    through: str | None
    expr: Any
    at_end: bool = False


@dataclass(frozen=True)
class Backward:
    """A backward pass, right or mistaken.

    Attributes
    ----------
    system : System
    local : mapping
        Variable that readout or loss read, and those of the readout -> dl_t/dv_t; in the order of computation.
    adjoints : mapping
        Variable of the cell -> its parts, in the order of the backward sweep.
    parameters, inputs : mapping
        Key -> its parts.
    share, samples : str
        Which steps and samples the sums of the parameters go over.
    losses : str
        At which steps the loss enters the sweep.
    cut : Truncation or None
        A window, or segments.
    ends : bool
        Whether the given cotangents of the last states enter the sweep.
    initial : str
        With "first", the adjoint of a state at its first step is taken for that of its initial value.
    """

    system: System
    local: dict[str, Any]
    adjoints: dict[str, tuple[Part, ...]]
    parameters: dict[str, tuple[Part, ...]]
    inputs: dict[str, tuple[Part, ...]]
    share: str = ALL
    samples: str = ALL
    losses: str = ALL
    cut: Window | Segments | None = None
    initial: str = ALL
    ends: bool = True

    def mapped(self, change: Callable[[str, Part], Part | None]) -> Backward:
        """Return the same with every part replaced; None leaves a part out. The change sees (name, part)."""

        def over(parts: dict[str, tuple[Part, ...]]) -> dict[str, tuple[Part, ...]]:
            changed = {k: [change(k, part) for part in group] for k, group in parts.items()}
            return {k: tuple(part for part in group if part is not None) for k, group in changed.items()}

        adjoints, parameters, inputs = map(over, (self.adjoints, self.parameters, self.inputs))
        return replace(self, adjoints=adjoints, parameters=parameters, inputs=inputs)

    def exprs(self, change: Callable[[Part], Any], *places: str) -> Backward:
        """Return the same with the expressions of all parts in some places replaced."""
        return self.mapped(lambda name, p: replace(p, expr=change(p)) if p.place in places else p)


@lru_cache(maxsize=64)
def backward_of(network: Network) -> Backward:
    """Return the right backward pass of a network, derived once.

    Examples
    --------
    >>> from symbptt import RNN
    >>> found = backward_of(RNN("tanh").network)
    >>> for name, parts in found.adjoints.items():
    ...     for part in parts:
    ...         print(name, part.place, part.expr)
    h local d(l[t])/d(h[t])
    h next W_h.T @ d(L)/d(z[t + 1])
    z same tanh'(z[t]) * d(L)/d(h[t])
    """
    g = generic(twin(network))
    return Backward(
        g.system,
        _local(g),
        {name: _adjoint(g, name) for name in g.adjoints},
        {key: tuple(_uses(g, key)) for key in g.parameters},
        {name: tuple(_input(g, name)) for name in g.system.inputs},
    )


def _local(g: Generic) -> dict[str, Any]:
    """Return dl_t/dv_t: of the readout's variables as they were tidied, of the cell's through the readout's."""
    readout = [e.name for e in reversed(g.system.stage(READOUT))]
    found = {name: g.local_results[name] for name in readout}
    for name in g.read_by_loss:
        uses = [e for e, _ in g.system.uses(name) if e.stage != CELL]
        by_loss = any(e.stage == LOSS for e in uses)
        parts = [A.pullback(e.right, g.local_of(e.name), g.system.at(name)) for e in uses if e.stage == READOUT]
        found[name] = g.local_results[name] if by_loss else A.add(*parts)
    used = [part.expr for key in g.parameters for part in _uses(g, key)]
    needed: dict[str, Any] = {}
    for name in reversed(found):  # the cell's first: they say which of the readout's are needed
        readers = [*used, *needed.values()]
        if name in g.read_by_loss or any(A.depends(expr, g.local_of(name)) for expr in readers):
            needed[name] = found[name]
    return {name: needed[name] for name in found if name in needed}


def _adjoint(g: Generic, name: str) -> tuple[Part, ...]:
    parts = []
    if name in g.read_by_loss:
        local = g.local_of(name) if g.system.reduction == "last" else g.weighted(g.local_of(name))
        parts.append(Part(LOCAL, None, local, g.system.reduction == "last"))
    parts += [_through(g, name, e, lag) for e, lag in g.system.uses(name) if e.stage == CELL]
    return tuple(sorted(parts, key=lambda part: (LOCAL, SAME, NEXT).index(part.place)))


def _through(g: Generic, name: str, equation: Equation, lag: int) -> Part:
    when = g.system.previous_of(name) if lag else g.t
    expr = A.pullback(equation.right, g.adjoint_of(equation.name), g.system.at(name, when))
    if not lag:
        return Part(SAME, equation.name, expr)
    return Part(NEXT, equation.name, expr.xreplace({g.t: g.system.following_of(name)}))


def _uses(g: Generic, key: str) -> list[Part]:
    symbol, last = g.system.parameters[key], g.system.reduction == "last"
    return [
        Part(SUMS, e.name, A.pullback(e.right, _cotangent(g, e), symbol), last and e.stage != CELL)
        for e in g.system.equations
        if A.depends(e.right, symbol)
    ]


def _input(g: Generic, name: str) -> list[Part]:
    parts = []
    for equation, lag in g.system.uses(name):
        if equation.stage == CELL:
            parts.append(_through(g, name, equation, lag))
        else:
            expr = A.pullback(equation.right, _cotangent(g, equation), g.system.at(name))
            parts.append(Part(SAME, equation.name, expr, g.system.reduction == "last"))
    return parts


def _cotangent(g: Generic, equation: Equation) -> Any:
    if equation.stage == CELL:
        return g.adjoint_of(equation.name)
    return g.weight if equation.stage == LOSS else g.weighted(g.local_of(equation.name))
