"""The unrolled computational graph as data: variables at steps, what depends on what, and where gradients flow.

Only inputs, states, the cell's output, readouts, targets and losses are vertices. What lies between them (gates,
pre-activations) is contracted: an edge says that one vertex depends on another on a path without vertices between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Expr, S

from .. import algebra as A
from ..algebra import nodes as N
from ..errors import SizeError
from ..model import CELL, READOUT, Equation, System
from ..model.truncation import Randomised, Segments, Truncation, Window, check_steps

INPUT, STATE, INITIAL, OUTPUT, READ, GIVEN, LOSS, TOTAL, GAP = (
    "input", "state", "initial", "output", "readout", "given", "loss", "total", "gap",
)  # fmt: skip
"""Kinds of vertices; a gap stands for a state at the steps that are left out."""
FLOW, CUT, RANDOM, NONE = "flow", "cut", "random", ""
"""What becomes of the gradient on the way back along an edge."""
MOST = 6
"""More steps than this are not all drawn."""
_PRODUCTS = (N.Times, N.Scale, N.MatrixProduct, N.Hadamard, N.Inner, N.Outer)


@dataclass(frozen=True)
class Dependency:
    """A vertex of step t depends on ``source`` at step t + ``offset``; ``parameters`` multiply it on the way."""

    source: str
    target: str
    offset: int
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Vertex:
    """A variable at a step; ``column`` counts from 0, an initial state stands outside. A total has no step."""

    name: str
    kind: str
    column: int
    step: Any = None


@dataclass(frozen=True)
class Edge:
    """``target`` is computed from ``source``; ``gradient`` is what becomes of the gradient on the way back."""

    source: Vertex
    target: Vertex
    parameters: tuple[str, ...] = ()
    gradient: str = NONE

    @property
    def is_recurrent(self) -> bool:
        """Whether it leads from one step to another."""
        return self.source.column != self.target.column and self.target.kind != TOTAL


def vertices_of(system: System) -> dict[str, str]:
    """Return name -> kind of everything that is drawn of a step, from the input to the loss.

    >>> from symbptt import RNN
    >>> vertices_of(RNN("lstm").system)
    {'x': 'input', 'c': 'state', 'h': 'state', 'target': 'given', 'l': 'loss'}
    """
    found = dict.fromkeys(system.inputs, INPUT)
    for equation in system.equations:
        name = equation.name
        if name in system.states:
            found[name] = STATE
        elif equation.stage == CELL and (name == system.output or _joins_states(system, equation)):
            found[name] = OUTPUT
        elif equation.stage == READOUT and name in system.predictions:
            found[name] = READ
    return {**found, **dict.fromkeys(system.fixed, GIVEN), "l": LOSS}


def _joins_states(system: System, equation: Equation) -> bool:
    """Whether an equation puts states on top of each other, as the output of a layer that runs both ways does."""
    parts = equation.right.args if isinstance(equation.right, N.Concat) else ()
    return bool(parts) and all(isinstance(p, A.MatrixAt) and p.name in system.states for p in parts)


def dependencies(system: System) -> tuple[Dependency, ...]:
    """Return what each vertex of step t reads, with the parameters that multiply it directly.

    >>> from symbptt import RNN
    >>> dependencies(RNN("tanh").system)[0]
    Dependency(source='h', target='h', offset=-1, parameters=('W_h',))
    """
    return _Dependencies(system).found()


class _Dependencies:
    def __init__(self, system: System) -> None:
        self.system = system
        self.vertices = vertices_of(system)
        self.keys = {symbol: key for key, symbol in system.parameters.items()}

    def found(self) -> tuple[Dependency, ...]:
        merged: dict[tuple[str, str, int], dict[str, None]] = {}
        for equation in self.system.equations:
            if equation.name in self.vertices:
                for source, offset, keys in self._sources(equation):
                    merged.setdefault((source, equation.name, offset), {}).update(dict.fromkeys(keys))
        order = [*self.system.parameters]
        return tuple(Dependency(*pair, tuple(sorted(keys, key=order.index))) for pair, keys in merged.items())

    def _sources(self, equation: Equation) -> Iterator[tuple[str, int, tuple[str, ...]]]:
        """Yield the vertices that an equation reads, through whatever lies between."""
        for leaf in _leaves(equation.right):
            name, offset = str(leaf.name), int(leaf.when - self.system.t)
            if name in self.vertices:
                keys = dict.fromkeys(key for use in self._uses(equation.right, leaf) for key in use)
                yield name, offset, tuple(keys)
            else:
                for source, more, found in self._sources(self.system.by_name[name]):
                    yield source, offset + more, found

    def _uses(self, expr: Any, leaf: Any) -> Iterator[tuple[str, ...]]:
        """Yield, for each place of a leaf in an expression, the parameters among the factors next to it."""
        if expr == leaf:
            yield ()
            return
        for place, part in enumerate(expr.args):
            for use in self._uses(part, leaf):
                beside = expr.args[:place] + expr.args[place + 1 :] if isinstance(expr, _PRODUCTS) else ()
                yield use or tuple(self.keys[_bare(b)] for b in beside if _bare(b) in self.keys)


def _bare(expr: Any) -> Any:
    return expr.args[0] if isinstance(expr, N.Transposed) else expr


def _leaves(expr: Any) -> list[Any]:
    """Return the variables at steps in an expression, in order, each once."""
    if isinstance(expr, A.MatrixAt | A.ScalarAt):
        return [expr]
    return list(dict.fromkeys(leaf for part in expr.args for leaf in _leaves(part)))


# -- which steps are shown ----------------------------------------------------------------------------


def shown_steps(system: System, how: Truncation | None = None, most: int = MOST) -> tuple[Expr | None, ...]:
    """Return the steps of a picture from left to right, None for those that are left out.

    Raises
    ------
    SizeError
        For segments of an unknown number of steps.

    >>> from symbptt import RNN
    >>> shown_steps(RNN("tanh", steps=100).system)
    (1, 2, None, 99, 100)
    """
    last = system.steps
    known = bool(last.is_Integer)
    if known and last <= most:
        return tuple(S(k) for k in range(1, int(last) + 1))
    if isinstance(how, Window):
        inside = last - how.tau + 1
        wanted = [S.One, inside - 1, inside, inside + 1, last - 1, last]
        wanted = [step for step in wanted if not (step - last).is_positive]
    elif isinstance(how, Segments):
        if not known:
            raise SizeError(f"a picture of {how} needs a number of steps: give steps, such as steps={2 * how.tau + 1}")
        late = how.tau * ((last - 1) // how.tau)
        wanted = [S.One, S(how.tau), S(how.tau + 1), late, late + 1, last]
    else:
        wanted = [S.One, S(2), last - 1, last]
    wanted = [step for step in dict.fromkeys(wanted) if not known or step >= 1]
    wanted = sorted(wanted) if known else wanted
    if how is not None and system.direction == -1:
        wanted = [last + 1 - step for step in reversed(wanted)]
    return _with_gaps(wanted)


def _with_gaps(wanted: list[Expr]) -> tuple[Expr | None, ...]:
    found: list[Expr | None] = []
    for before, step in zip([None, *wanted], wanted, strict=False):
        apart = S.One if before is None else step - before
        if apart == 2:
            found.append(step - 1)
        elif apart != 1:
            found.append(None)
        found.append(step)
    return tuple(found)


# -- the graph ----------------------------------------------------------------------------------------


class UnrolledGraph:
    """The unrolled graph of a system.

    Parameters
    ----------
    system : System
    how : Window, Segments, Randomised, optional
        A truncation that leaves everything as it is counts as none.
    most : int
        More steps than this are not all shown.

    Attributes
    ----------
    columns : tuple of (sympy.Expr or None)
        The steps shown, from left to right, None for those left out.
    vertices : tuple of Vertex
    edges : tuple of Edge

    Raises
    ------
    SizeError, RefusedError
        For a truncation that does not fit the steps, or a cell that runs in both directions of time.

    Examples
    --------
    >>> from symbptt import load
    >>> graph = UnrolledGraph(load("relu-explosion").system)
    >>> [(e.source.name, e.target.name, e.gradient) for e in graph.edges if e.target.column == 2]
    [('h', 'h', 'flow'), ('x', 'h', ''), ('target', 'l', ''), ('h', 'l', 'flow')]
    """

    def __init__(self, system: System, how: Truncation | None = None, most: int = MOST) -> None:
        self.system = system
        if how is not None:
            check_steps(how, system.steps)
            _ = system.direction
        self.how = None if isinstance(how, Window | Segments) and how.tau == system.steps else how
        self.columns = shown_steps(system, self.how, most)
        self.kinds = vertices_of(system)
        self.reads = dependencies(system)
        self.by_place = self._placed()
        bare = [Edge(s, t, keys) for s, t, keys in self._links()]
        reached = self._reached(bare)
        self.edges = tuple(Edge(e.source, e.target, e.parameters, self._gradient(e, reached)) for e in bare)

    @property
    def only_last_counts(self) -> bool:
        """Whether the loss is that of step T alone."""
        return self.system.reduction == "last"

    @property
    def of_one_loss(self) -> bool:
        """Whether the gradient that is drawn is that of a single l_s: so it is for a window, where each has its own."""
        return isinstance(self.how, Window) and not self.only_last_counts

    @property
    def vertices(self) -> tuple[Vertex, ...]:
        return tuple(self.by_place.values())

    @cached_property
    def reached(self) -> frozenset[Vertex]:
        """The vertices at which the gradient that is drawn arrives, and where it begins."""
        arrived = {e.source for e in self.edges if e.gradient in (FLOW, RANDOM)}
        return frozenset(arrived | {v for v in self.vertices if v in self._starts})

    @cached_property
    def _carried(self) -> set[str]:
        """The names that a later step can depend on; inputs count among them."""
        return self._lead_to(STATE) | set(self.system.inputs)

    # -- vertices and edges ---------------------------------------------------------------------------
    def _placed(self) -> dict[tuple[str, int], Vertex]:
        found: dict[tuple[str, int], Vertex] = {}
        for column, step in enumerate(self.columns):
            for name, kind in self.kinds.items():
                if step is None and kind == STATE:
                    found[name, column] = Vertex(name, GAP, column)
                elif step is not None and self._is_there(name, step):
                    total = kind == LOSS and self.only_last_counts
                    found[name, column] = Vertex(name, TOTAL if total else kind, column, step)
        for name in self.system.states:
            column = -1 if self.system.direction_of(name) == 1 else len(self.columns)
            found[name, column] = Vertex(name, INITIAL, column, self.system.start_of(name))
        if not self.only_last_counts:
            found["L", 0] = Vertex("L", TOTAL, 0)
        return found

    def _is_there(self, name: str, step: Expr) -> bool:
        """Whether a variable exists at a step: where the last loss alone counts, most of a step is not computed."""
        return not self.only_last_counts or step == self.system.end or name in self._carried

    def _links(self) -> Iterator[tuple[Vertex, Vertex, tuple[str, ...]]]:
        for column in range(len(self.columns)):
            for read in self.reads:
                target = self.by_place.get((read.target, column))
                source = self.by_place.get((read.source, column + read.offset))
                within = target is not None and target.kind == GAP and not read.offset
                if target is not None and source is not None and not within:
                    yield source, target, read.parameters
        total = self.by_place.get(("L", 0))
        for vertex in self.vertices:
            if vertex.kind == LOSS and total is not None:
                yield vertex, total, ()

    # -- gradients ------------------------------------------------------------------------------------
    def _position(self, step: Any) -> Any:
        """Return the place of a step in the order of computation."""
        return step if self.how is None or self.system.direction == 1 else self.system.steps + 1 - step

    def is_cut(self, edge: Edge) -> bool:
        """Whether a truncation lets no gradient of what is drawn back along an edge."""
        if not edge.is_recurrent or edge.source.kind == INITIAL or not isinstance(self.how, Window | Segments):
            return False
        near, offset = (edge.source, 0) if edge.source.step is not None else (edge.target, -1)
        position = self._position(near.step) + offset
        if isinstance(self.how, Window):
            return bool(self.system.steps - position == self.how.tau)
        return bool(position % self.how.tau == 0)

    def _has_hidden_losses(self) -> bool:
        return not self.only_last_counts and not self.of_one_loss

    @cached_property
    def _starts(self) -> frozenset[Vertex]:
        if not self.of_one_loss:
            return frozenset(v for v in self.vertices if v.kind == TOTAL)
        last = self.system.last
        return frozenset(v for v in self.vertices if v.kind == LOSS and v.step == last)

    def _is_blocked(self, vertex: Vertex) -> bool:
        """Whether nothing comes through the steps that are left out: a segment ends there, and no loss begins."""
        if vertex.kind != GAP or not isinstance(self.how, Segments) or self._has_hidden_losses():
            return False
        before, after = self.columns[vertex.column - 1], self.columns[vertex.column + 1]
        first, last = sorted((self._position(before), self._position(after)))
        return any(position % self.how.tau == 0 for position in range(int(first) + 1, int(last) - 1))

    def _reached(self, edges: list[Edge]) -> set[Vertex]:
        """Return the vertices from which a gradient goes on."""
        leads = self._lead_to(LOSS)
        waiting = [*self._starts]
        if self._has_hidden_losses():
            waiting += [v for v in self.vertices if v.kind == GAP and v.name in leads]
        reached = set(waiting)
        into: dict[Vertex, list[Edge]] = {}
        for edge in edges:
            into.setdefault(edge.target, []).append(edge)
        while waiting:
            vertex = waiting.pop()
            for edge in () if self._is_blocked(vertex) else into.get(vertex, ()):
                if edge.source not in reached and not self.is_cut(edge) and edge.source.kind not in (INPUT, GIVEN):
                    reached.add(edge.source)
                    waiting.append(edge.source)
        return reached

    def _lead_to(self, kind: str) -> set[str]:
        """Return the names on which something of a kind depends at whatever step, and those of the kind."""
        found = {name for name, own in self.kinds.items() if own == kind}
        while more := {read.source for read in self.reads if read.target in found} - found:
            found |= more
        return found

    def _gradient(self, edge: Edge, reached: set[Vertex]) -> str:
        if edge.target not in reached or self._is_blocked(edge.target) or edge.source.kind in (INPUT, GIVEN):
            return NONE
        if self.is_cut(edge):
            return CUT
        is_drawn_by_lot = isinstance(self.how, Randomised) and edge.is_recurrent and edge.source.kind != INITIAL
        return RANDOM if is_drawn_by_lot else FLOW
