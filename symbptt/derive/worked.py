"""Lines with numbers in them: substitution, partly evaluated stages, result.

The promise: whoever evaluates the printed numbers of a stage gets the printed numbers of the next one, to the last
digit. Each stage is therefore computed from the *printed* numbers of the stage before; with ``rounding="carry"``
operands get guard digits until the result so computed is the correctly rounded true one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import sympy
from sympy import Integer, Symbol

from ..algebra import nodes as N
from ..algebra.base import Node, rank_of
from ..algebra.build import add, expand_bound
from ..algebra.figures import (
    CARRY,
    FRACTION,
    SPARE,
    Figure,
    FigureDomain,
    Rounding,
    each,
    entries,
    literal_like,
    literals_of,
)
from ..algebra.functions import ElementwiseFunction
from ..algebra.leaves import (
    Fill,
    Identity,
    Literal,
    LiteralMatrix,
    MatrixParameter,
    Parameter,
)
from ..algebra.present import present
from ..algebra.semantics import LEAVES, evaluate
from ..errors import ValueInputError

Values: TypeAlias = Mapping[Any, Any]
Sizes: TypeAlias = Mapping[Any, int]

LONGEST_SUM = 12
"""A sum or product over time of more terms is not written out."""
MOST_STAGES = 3
"""How many stages there are at most between the substitution and the result."""
_GUARDS = range(2, 31)


# -- what is handed out -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """One link of the chain.

    Attributes
    ----------
    relation : {"=", "≈"}
        How it follows from what is printed before it.
    expr : node
        What is printed: the operations of the formula on literals.
    symbolic : bool
        Whether it is a sum over time written out, still in symbols.
    """

    relation: str
    expr: Any
    symbolic: bool = False


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
    written = _written_out(formula, domain)
    tree = _read(written, domain)
    line = _carried(tree, rounding) if rounding.mode == CARRY else _stepped(tree, rounding)
    opened = [Stage("=", written, True)] if written != formula and len(line.stages) > 1 else []
    return Worked(formula, (*opened, *line.stages), line.value, _branches(line.start, rounding), rounding)


def check(worked: Worked, values: Values | None = None, sizes: Sizes | None = None) -> bool:
    """Whether every stage follows from the printed numbers of the one before; see :func:`first_bad`.

    Examples
    --------
    >>> from symbptt.algebra import Variable, apply
    >>> h = Variable("h")
    >>> line = work_out(apply("tanh", h[1] * h[2]), {h[1]: 0.3, h[2]: 0.7})
    >>> [(stage.relation, stage.expr) for stage in line.stages]
    [('=', tanh(0.3*0.7)), ('=', tanh(0.21)), ('≈', 0.2070)]
    >>> check(line), check(replace(line, stages=(*line.stages[:2], Stage("≈", Literal("0.2071")))))
    (True, False)
    """
    return first_bad(worked, values, sizes) is None


def first_bad(worked: Worked, values: Values | None = None, sizes: Sizes | None = None) -> int | None:
    """Return the place of the first stage that does not follow, or None where all do.

    Every stage is evaluated anew from what is printed. Given the values, the numbers substituted are compared with
    them, and with ``mode="carry"`` the result with the true one.

    Parameters
    ----------
    worked : Worked
    values, sizes : mapping, optional
        As in :func:`work_out`.
    """
    numeric = [i for i, stage in enumerate(worked.stages) if not stage.symbolic]
    first, last = numeric[0], numeric[-1]
    given = None if values is None else FigureDomain(values, sizes or {})
    if given is not None and first != last and not _starts_well(worked, first, given):
        return first
    for i, j in pairwise(numeric):
        if not _follows(worked.stages[i].expr, worked.stages[j], FigureDomain({}, sizes or {}), worked.rounding):
            return j
    if given is not None and (worked.rounding.mode == CARRY or first == last) and not _ends_well(worked, given):
        return last
    return None


# -- trees of numbers ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Number:
    """A number of a line; ``shown`` is None until it is printed."""

    value: Any
    shown: Any = None


@dataclass(frozen=True, eq=False)
class _Op:
    """An operation on numbers; what is no operand (a function, an exponent) is kept as it is."""

    node: Any
    parts: tuple[Any, ...]

    @property
    def operands(self) -> list[_Tree]:
        return [part for part in self.parts if isinstance(part, _Number | _Op)]

    def with_operands(self, change: Callable[[_Tree], _Tree]) -> _Op:
        return replace(self, parts=tuple(change(p) if isinstance(p, _Number | _Op) else p for p in self.parts))


_Tree: TypeAlias = _Number | _Op

_OPERANDS: dict[type, tuple[int, ...]] = {
    N.Apply: (1,),
    N.Map: (1,),
    N.Power: (0,),
    N.HadamardPower: (0,),
    N.Part: (0,),
    N.Transposed: (0,),
    Fill: (0,),
}
"""Which arguments are operands, where not all are."""
_WHOLE: tuple[type, ...] = (*LEAVES, Literal, LiteralMatrix, Identity, N.Blocks, N.Bound)
"""What becomes one number as soon as it is read."""


def _read(expr: Any, domain: FigureDomain) -> _Tree:
    if expr.is_Number and expr.is_Rational:
        return _Number(domain.number(expr), expr)
    if expr in domain.values or isinstance(expr, _WHOLE) or not _is_node(expr):
        return _Number(_fitting(expr, evaluate(expr, domain)))
    operands = _OPERANDS.get(type(expr), range(len(expr.args)))
    fixed = {symbol: Integer(size) for symbol, size in domain.sizes.items()}
    parts = (_read(a, domain) if i in operands else a.xreplace(fixed) for i, a in enumerate(expr.args))
    tree = _Op(expr.func, tuple(parts))
    return _Number(_value(tree)) if isinstance(expr, Fill) and isinstance(tree.parts[0], _Number) else tree


def _is_node(expr: Any) -> bool:
    return isinstance(expr, Node)


def _fitting(expr: Any, value: Any) -> Any:
    rank = rank_of(expr)
    if np.ndim(value) == 2 and rank == 1 and value.shape[1] == 1:
        return value[:, 0]
    if np.ndim(value) != rank:
        kind = ("a number", "a vector", "a matrix")[rank]
        raise ValueInputError(f"{expr} is {kind}, but an array of shape {np.shape(value)} was given")
    return value


@cache
def _slot(place: int, rank: int) -> Any:
    if not rank:
        return Symbol(f"slot{place}", real=True)
    rows, columns = (Symbol(f"{side}{place}", integer=True, positive=True) for side in ("rows", "columns"))
    return Parameter(f"slot{place}", rows, 1) if rank == 1 else MatrixParameter(f"slot{place}", rows, columns)


def _value(tree: _Tree) -> Any:
    """Return the value, by the one table of meanings."""
    if isinstance(tree, _Number):
        return tree.value
    values: dict[Any, Any] = {}
    arguments = []
    for place, part in enumerate(tree.parts):
        if isinstance(part, _Number | _Op):
            value = _value(part)
            slot = _slot(place, np.ndim(value))
            values[slot] = value
            part = slot
        arguments.append(part)
    return evaluate(tree.node(*arguments), FigureDomain(values))


def _printed(tree: _Tree) -> Any:
    """Return the node that is printed."""
    if isinstance(tree, _Number):
        return tree.shown
    return tree.node(*(_printed(part) if isinstance(part, _Number | _Op) else part for part in tree.parts))


def _numbers(tree: _Tree) -> Iterator[_Number]:
    if isinstance(tree, _Number):
        yield tree
    else:
        for operand in tree.operands:
            yield from _numbers(operand)


# -- one pass -----------------------------------------------------------------------------------------

_SUMS = (N.Plus, N.MatrixPlus)
_SIGNS = (N.Negative, N.MatrixNegative)
_LAZY = (N.Transposed, N.Diag)
"""Marks on a factor that stay until the product is evaluated."""
_MARKS = (*_LAZY, *_SIGNS, N.Power, N.HadamardPower, N.SquaredNorm)
"""What a product evaluates in one go with itself."""


def _pass(tree: _Tree, lazy: bool = False) -> _Tree:
    """Evaluate the innermost operations, all at once."""
    if isinstance(tree, _Number) or (lazy and tree.node in _LAZY and _is_factor(tree)):
        return tree
    if _is_ready(tree):
        return _Number(_value(tree))
    lazily = tree.node not in _SUMS
    return _without_zeros(tree.with_operands(lambda operand: _pass(operand, lazily)))


def _is_ready(tree: _Op) -> bool:
    return all(map(_is_term if tree.node in _SUMS else _is_factor, tree.operands))


def _is_term(tree: _Tree) -> bool:
    return isinstance(tree, _Number) or (tree.node in _SIGNS and isinstance(tree.parts[0], _Number))


def _is_factor(tree: _Tree) -> bool:
    return isinstance(tree, _Number) or (tree.node in _MARKS and _is_factor(tree.operands[0]))


def _without_zeros(tree: _Op) -> _Tree:
    """Leave out the zero terms of a sum; a sum of which one number is left is that number."""
    if tree.node not in _SUMS:
        return tree
    kept = tuple(part for part in tree.parts if not _is_nothing(part))
    if len(kept) > 1:
        return replace(tree, parts=kept)
    return kept[0] if kept and isinstance(kept[0], _Op) else _Number(_value(tree))


def _is_nothing(tree: _Tree) -> bool:
    return isinstance(tree, _Number) and not any(map(bool, entries(tree.value)))


def _plan(tree: _Tree) -> list[int]:
    """Return how many passes lie between the stages that are printed."""
    count = 0
    while isinstance(tree, _Op):
        tree, count = _pass(tree), count + 1
    most = MOST_STAGES + 1
    marks = range(count + 1) if count <= most else [round(i * count / most) for i in range(most + 1)]
    return [after - before for before, after in pairwise(marks)]


# -- printing numbers ---------------------------------------------------------------------------------


def _settled(tree: _Tree, show: Callable[[Figure], tuple[Literal, bool]]) -> tuple[_Tree, bool]:
    """Print all numbers that are not printed yet; return (the tree of printed numbers, whether all are exact)."""
    if isinstance(tree, _Op):
        exact = []

        def settle(operand: _Tree) -> _Tree:
            settled, whole = _settled(operand, show)
            exact.append(whole)
            return settled

        return tree.with_operands(settle), all(exact)
    if tree.shown is not None:
        return tree, True
    shown = [show(figure) for figure in entries(tree.value)]
    literals = _shaped([literal for literal, _ in shown], tree.value)
    return _Number(each(_as_printed, literals, tree.value), literal_like(literals)), all(exact for _, exact in shown)


def _shaped(values: list[Any], like: Any) -> Any:
    """Return one value, or an array of them in the shape of another."""
    if not isinstance(like, np.ndarray):
        return values[0]
    array = np.empty(like.size, dtype=object)
    array[:] = values
    return array.reshape(like.shape)


def _as_printed(literal: Literal, figure: Figure) -> Figure:
    """Return a printed number as an exact figure."""
    return figure if figure.exact and figure.number == literal.value else Figure.parse(literal)


@dataclass(frozen=True)
class _Line:
    """Stages, the value to go on with, and the tree whose numbers are in them."""

    stages: tuple[Stage, ...]
    value: Any
    start: _Tree


_Show: TypeAlias = Callable[[Figure], tuple[Literal, bool]]


def _stages(tree: _Tree, show: _Show) -> tuple[list[Stage], Any]:
    """Return the stages before the result, and the result as it follows from the last of them."""
    now, exact = _settled(tree, show)
    stages = [Stage("=" if exact else "≈", _printed(now))]
    *partial, last = _plan(now)
    for passes in partial:
        following = now
        for _ in range(passes):
            following = _pass(following)
        if isinstance(following, _Number):
            return stages, following.value
        now, exact = _settled(following, show)
        _append(stages, Stage("=" if exact else "≈", _printed(now)))
    for _ in range(last):
        now = _pass(now)
    return stages, _value(now)


def _append(stages: list[Stage], stage: Stage) -> None:
    """Append a stage, or put it in the place of one that reads the same."""
    if stages and present(stages[-1].expr) == present(stage.expr):
        before = stages.pop().relation
        stage = replace(stage, relation=before if stage.relation == "=" else stage.relation)
    stages.append(stage)


# -- the two ways of rounding -------------------------------------------------------------------------


def _stepped(tree: _Tree, rounding: Rounding) -> _Line:
    """Each number goes on as it is printed."""
    start, _ = _settled(tree, rounding.show)
    truth = _value(tree)
    try:
        stages, reached = ([], truth) if isinstance(tree, _Number) else _stages(tree, rounding.show)
    except ValueInputError as error:
        raise ValueInputError(
            f"{error} with {rounding.digits} digits printed: give more, or rounding 'carry'"
        ) from None
    now, exact = _settled(_Number(reached), rounding.show)
    _append(stages, Stage("=" if exact else "≈", _printed(now)))
    return _Line(tuple(stages), _value(now), start)


def _carried(tree: _Tree, rounding: Rounding) -> _Line:
    """Operands get guard digits until the printed result is the true one, correctly rounded."""
    truth = _value(tree)
    if isinstance(tree, _Number):
        now, exact = _settled(_Number(truth), rounding.show)
        return _Line((Stage("=" if exact else "≈", _printed(now)),), truth, tree)
    for show in _shows(tree, rounding):
        stages = _reaching(tree, truth, rounding, show)
        if stages is not None:
            return _Line(stages, truth, tree)
    return _carried(_Number(truth), rounding)


def _shows(tree: _Tree, rounding: Rounding) -> Iterator[_Show]:
    """Yield ways of printing operands: more and more guard digits, then fractions for what has no end as a decimal."""
    whole = all(rounding.show(figure)[1] for number in _numbers(tree) for figure in entries(number.value))
    spare = SPARE if whole else 0
    for guard in _GUARDS:
        yield lambda figure, digits=rounding.digits + guard: rounding.show(figure, digits, spare)  # type: ignore[misc]
    for guard in (_GUARDS[0], _GUARDS[-1]):
        yield lambda figure, digits=rounding.digits + guard: rounding.show(_as_fraction(figure), digits)  # type: ignore[misc]


def _as_fraction(figure: Figure) -> Figure:
    if not figure.exact or Rounding(20).show(figure)[1]:
        return figure
    return Figure(figure.number, FRACTION)


def _reaching(tree: _Tree, truth: Any, rounding: Rounding, show: _Show) -> tuple[Stage, ...] | None:
    """Return the stages, if what is printed in them leads to the true result."""
    try:
        stages, seen = _stages(tree, show)
    except ValueInputError:  # a quotient by what is zero to so few digits
        return None
    shown = [_result(*pair, rounding) for pair in zip(entries(truth), entries(seen), strict=True)]
    pairs = [pair for pair in shown if pair is not None]
    if len(pairs) < len(shown):
        return None
    literals = _shaped([literal for literal, _ in pairs], truth)
    _append(stages, Stage("=" if all(exact for _, exact in pairs) else "≈", literal_like(literals)))
    return tuple(stages)


def _result(true: Figure, seen: Figure, rounding: Rounding) -> tuple[Literal, bool] | None:
    """Return (the true result as it is printed, whether it is exact), or None where the printed numbers miss it."""
    literal, exact = rounding.show(true)
    if exact and seen.rational != literal.value:
        literal, exact = rounding.rounded(true), False
    return (literal, exact) if rounding.agrees(seen, literal) else None


# -- sums over time -----------------------------------------------------------------------------------


_BOUND = (N.TimeSum, N.MatrixTimeSum, N.TimeProduct, N.OrderedProduct)


def _written_out(expr: Any, domain: FigureDomain) -> Any:
    """Write sums and products over time out term by term, where they are short."""
    if expr in domain.values or not expr.has(*_BOUND):
        return expr
    if isinstance(expr, N.Bound):
        low, high = domain.size(expr.lower), domain.size(expr.upper)
        written = expand_bound(expr.func(expr.body, expr.index, Integer(low), Integer(high)))
        opened = _written_out(written, domain) if 0 <= high - low < LONGEST_SUM else expr
        return opened if _is_short(opened) else expr
    parts = [_written_out(a, domain) for a in expr.args]
    return add(*parts) if isinstance(expr, _SUMS) else expr.func(*parts)


def _is_short(expr: Any) -> bool:
    return not expr.has(*_BOUND) and _terms(expr) <= LONGEST_SUM


def _terms(expr: Any) -> int:
    """Return the number of terms of a sum, with those of the sums in them."""
    if isinstance(expr, _SUMS):
        return sum(map(_terms, expr.args))
    return max(map(_terms, expr.args), default=1)


# -- kinks --------------------------------------------------------------------------------------------


def _branches(tree: _Tree, rounding: Rounding) -> tuple[Branch, ...]:
    if isinstance(tree, _Number):
        return ()
    found = [branch for operand in tree.operands for branch in _branches(operand, rounding)]
    if tree.node in (N.Apply, N.Map):
        found += _taken(tree.parts[0], _value(tree.parts[1]), _value(tree), rounding)
    return tuple(dict.fromkeys(found))


def _taken(function: ElementwiseFunction, arguments: Any, results: Any, rounding: Rounding) -> Iterator[Branch]:
    for point in function.kinks:
        kink = FigureDomain({}).number(point)
        for place in np.ndindex(np.shape(arguments)):
            argument, value = (a[place] if isinstance(a, np.ndarray) else a for a in (arguments, results))
            side = "kink" if argument == kink else "above" if argument > kink else "below"
            a, v, k = (rounding.show(figure)[0] for figure in (argument, value, kink))
            yield Branch(function.name, a, v, side, k, place)


# -- checking -----------------------------------------------------------------------------------------


def _follows(before: Any, stage: Stage, domain: FigureDomain, rounding: Rounding) -> bool:
    """Whether a stage is what some passes make of the one before, to the digits printed."""
    now, then = _read(before, domain), _read(stage.expr, domain)
    while isinstance(now, _Op):
        try:
            now = _pass(now)
        except ValueInputError:
            return False
        if _matches(now, then, stage.expr, rounding, stage.relation == "="):
            return True
    return False


def _matches(tree: _Tree, printed: _Tree, expr: Any, rounding: Rounding, exactly: bool) -> bool:
    if isinstance(tree, _Number) and isinstance(printed, _Number):
        return _is_shown_as(tree.value, expr, rounding, exactly)
    if not isinstance(tree, _Op) or not isinstance(printed, _Op) or tree.node != printed.node:
        return False
    if len(tree.parts) != len(printed.parts):
        return False
    return all(
        _matches(a, b, e, rounding, exactly) if isinstance(a, _Number | _Op) else a == b
        for a, b, e in zip(tree.parts, printed.parts, expr.args, strict=True)
    )


def _is_shown_as(value: Any, expr: Any, rounding: Rounding, exactly: bool) -> bool:
    if not isinstance(expr, Literal | LiteralMatrix):
        return bool(Figure.parse(expr) == value)
    literals = literals_of(expr)
    if np.shape(literals) != np.shape(value):
        return False
    pairs = zip(entries(value), entries(literals), strict=True)
    return all(v.exact and v.number == t.value if exactly else rounding.agrees(v, t) for v, t in pairs)


def _starts_well(worked: Worked, place: int, domain: FigureDomain) -> bool:
    """Whether the numbers of the first numeric stage are the values given."""
    stage = worked.stages[place]
    tree = _read(_written_out(worked.formula, domain), domain)
    return _matches(tree, _read(stage.expr, domain), stage.expr, worked.rounding, stage.relation == "=")


def _ends_well(worked: Worked, domain: FigureDomain) -> bool:
    truth = _value(_read(_written_out(worked.formula, domain), domain))
    return _is_shown_as(truth, worked.result, worked.rounding, False)
