"""What a generated module carries out: stretches of lines, each for all steps at once or in one loop over the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import S

from .. import algebra as A
from ..algebra import nodes as N
from ..model import CELL
from .plan import Line, Plan, Sum

VARYING = (A.MatrixAt, A.ScalarAt, A.Gradient, A.Jacobian, A.ScalarDerivative)
"""What has a value at every step."""


@dataclass(frozen=True)
class Stretch:
    """Lines that are carried out together.

    Attributes
    ----------
    direction : int
        1 for a loop over t = 1, ..., T, -1 for one over t = T, ..., 1, and 0 for all steps at once.
    lines : tuple of Line
    """

    direction: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Place:
    """Where an array lies as a part of a larger one: rows ``start`` to ``start + length`` of each of its vectors."""

    base: Any
    start: Any
    length: Any


@dataclass(frozen=True)
class Row:
    """Quantities side by side in one array, of which a step has one product.

    Attributes
    ----------
    operands : tuple
        The first is assigned by another step of the loop: the state at the step before, or the adjoint at the step
        after; a :class:`symbptt.algebra.Fill` stands for the constant 1.
    carry : Line, optional
        What the first step hands on, in the backward sweep.
    local : leaf, optional
        The derivative of the loss whose product is contained in that of the row.
    """

    operands: tuple[Any, ...]
    carry: Line | None = None
    local: Any = None

    def places(self) -> Iterator[tuple[Any, Any, Any]]:
        """Yield each operand with the entries of the row that it takes: the first, and the one after the last."""
        start: Any = S.Zero
        for operand in self.operands:
            stop = start + A.shape_of(operand)[0]
            yield operand, start, stop
            start = stop


@dataclass(frozen=True)
class Program:
    """The stretches of a module, before and after the readout, and the sums over steps.

    Attributes
    ----------
    plan : Plan
    constants : dict
        Matrix or vector that is made of parameters -> its expression.
    forward, backward : tuple of Stretch
    after : tuple of Line
        For all steps at once, after the backward sweep.
    sums : dict
        Parameter -> the parts of its gradient.
    inputs : dict
        Input -> its gradient at step t.
    placed : dict
        Leaf -> :class:`Place`, of arrays that are parts of others.
    rows : dict
        Leaf -> :class:`Row`.
    meanings : dict
        Quantity that a pass made -> the expression that it stands for.
    """

    plan: Plan
    forward: tuple[Stretch, ...]
    backward: tuple[Stretch, ...]
    after: tuple[Line, ...]
    sums: dict[str, list[Sum]]
    inputs: dict[str, Line]
    constants: dict[Any, Any] = field(default_factory=dict)
    placed: dict[Any, Place] = field(default_factory=dict)
    rows: dict[Any, Row] = field(default_factory=dict)
    meanings: dict[Any, Any] = field(default_factory=dict)

    def named(self, kind: str, name: str, expr: Any) -> Any:
        """Return a new quantity that stands for an expression, of its shape, at step t; ``meanings`` grows by it."""
        shape, rank = A.shape_of(expr), A.rank_of(expr)
        sizes = (*shape, *((2,) if rank == 2 and shape[1] == 1 else ()))
        taken = {leaf.name: expr for leaf, expr in self.meanings.items()}
        own, number = f"{kind}.{name}", 0
        while taken.get(own, expr) != expr:
            number += 1
            own = f"{kind}.{name}.{number}"
        leaf = A.Variable(own, *sizes)[A.index("t")]
        self.meanings[leaf] = expr
        return leaf

    def meaning(self, expr: Any) -> Any:
        """Return an expression in the quantities of the model."""
        found = exchanged(expr, self.meanings)
        return expr if found == expr else self.meaning(found)

    def lines(self) -> Iterator[Line]:
        """Yield every line, in the order in which they are carried out."""
        for stretch in (*self.forward, *self.backward):
            yield from stretch.lines
        yield from self.after

    def rewritten(self, change: Callable[[Any], Any]) -> Program:
        """Return the program with every expression changed."""

        def line(old: Line) -> Line:
            return replace(old, expr=change(old.expr))

        def stretches(old: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
            return tuple(replace(stretch, lines=tuple(map(line, stretch.lines))) for stretch in old)

        return replace(
            self,
            forward=stretches(self.forward),
            backward=stretches(self.backward),
            after=tuple(map(line, self.after)),
            sums={key: [replace(part, expr=change(part.expr)) for part in parts] for key, parts in self.sums.items()},
            inputs={name: line(old) for name, old in self.inputs.items()},
        )


def program_of(plan: Plan) -> Program:
    """Return the program as it is derived: a loop for each scan forward, and one back."""
    cell = plan.stage(CELL)
    forward = tuple(
        Stretch(scan.direction, tuple(line for line in cell if line.name in scan.names)) for scan in plan.system.scans
    )
    backward = []
    for scan, lines in plan.sweeps:
        carries = [line for line in plan.carries if line.name.partition(".")[2] in scan.names]
        backward.append(Stretch(-scan.direction, (*lines, *carries)))
    meanings = {line.leaf: line.right for line in (*plan.sweep, *plan.stacked_shared) if line.left is None}
    meanings |= {plan.pseudo("local", name): plan.weighted(name) for name in plan.generic.read_by_loss}
    after = tuple(plan.stacked_shared)
    return Program(plan, forward, tuple(backward), after, plan.sums, plan.inputs, meanings=meanings)


# -- what an expression reads -------------------------------------------------------------------------


def leaves(expr: Any) -> Iterator[Any]:
    """Yield the quantities with a value at every step that an expression reads, one by one.

    >>> h, t = A.Variable("h", 2, 1), A.index("t")
    >>> list(leaves(A.add(h[t - 1], A.hadamard(h[t], h[t]))))
    [h[t - 1], h[t], h[t]]
    """
    if isinstance(expr, VARYING):
        yield expr
    else:
        for arg in expr.args:
            yield from leaves(arg)


def parts(expr: Any) -> Iterator[Any]:
    """Yield an expression and what it consists of, down to the quantities that it reads."""
    yield expr
    if not isinstance(expr, VARYING):
        for arg in expr.args:
            yield from parts(arg)


def factors(product: Any) -> Iterator[Any]:
    """Yield the factors of an elementwise product, those of products among them as well."""
    for arg in product.args:
        if isinstance(arg, N.Hadamard):
            yield from factors(arg)
        else:
            yield arg


def exchanged(expr: Any, rule: dict[Any, Any]) -> Any:
    """Replace parts of an expression, but nothing inside the symbol of a derivative."""
    if expr in rule:
        return rule[expr]
    if isinstance(expr, VARYING):
        return expr
    return rebuilt(expr, [exchanged(arg, rule) for arg in expr.args])


def rebuilt(expr: Any, args: list[Any]) -> Any:
    """Return an expression with other arguments; itself where they are the same."""
    same = all(new is old for new, old in zip(args, expr.args, strict=True))
    return expr if same else expr.func(*args)
