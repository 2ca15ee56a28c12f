"""Cells from equations in LaTeX, as papers and textbooks print them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import EquationError, RankError, ShapeError, SymbpttError, nearest, warn
from ..model import COLUMNS, ROWS, Cell, check_layout
from ..model.cells import open_sizes
from ..model.language import known_functions
from .defined import Definitions, definitions
from .meaning.equation import CannotWriteError, equation
from .meaning.expr import Add, Expr, Hadamard, Ref
from .meaning.ranks import MATRIX, SCALAR, VECTOR, MisfitError, OpenProductError, Ranks, is_capital
from .order import in_order, lag_of, output_of
from .statements import Equation

FREE_SIZES = ("p", "d", "r", "s", "k", "u", "v")
"""Letters of sizes that nothing settles, in order of preference."""
_RANK_WORDS = {SCALAR: "a number", VECTOR: "a vector", MATRIX: "a matrix", -1: "a row"}


@dataclass(frozen=True)
class CellReading:
    """A cell and how its equations were understood.

    Attributes
    ----------
    cell : Cell
    layout : str
        ``rows`` where the equations are in the row convention with weights behind the vectors (``X_t W``): the cell is
        the same, and a model with this layout has the weights in the shapes of the equations.
    written : mapping
        Key -> LaTeX.
    """

    cell: Cell
    layout: str
    written: Mapping[str, str]


def cell_from_latex(equations: str | Sequence[str], layout: str | None = None, **given: Any) -> Cell:
    r"""Return the cell that equations in LaTeX define; the parameters are those of :meth:`Cell.from_latex`.

    Raises
    ------
    EquationError, RankError, ShapeError
        In one line, with the place in the LaTeX, and where something is ambiguous the readings.

    Examples
    --------
    >>> cell_from_latex(r"h_t = \tanh(W_{hh} h_{t-1} + W_{xh} x_t)", keys={"W_{hh}": "W_h"}).equations
    ('h[t] = tanh(W_h @ h[t-1] + W_xh @ x[t])',)
    """
    reading = read_cell(equations, **given)
    if layout is not None and check_layout(layout) != reading.layout:
        raise EquationError(f"layout={layout!r}, but the products are in the convention of {reading.layout!r}")
    if layout is None and reading.layout == ROWS:
        warn(
            "the equations are in the row convention: a model needs layout='rows' for weights in their shapes; "
            "say that you know with layout='rows' here"
        )
    return reading.cell


def read_cell(
    equations: str | Sequence[str],
    states: Any = None,
    output: str | None = None,
    shapes: Mapping[str, Any] | None = None,
    functions: Mapping[str, Any] | None = None,
    name: str = "cell",
    keys: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
) -> CellReading:
    r"""Return the cell with how it was understood; the parameters are those of :meth:`Cell.from_latex`.

    Examples
    --------
    >>> reading = read_cell(r"H_t = \tanh(X_t W_x + H_{t-1} W_h + b_h)")
    >>> reading.layout, reading.cell.equations
    ('rows', ('h[t] = tanh(W_x @ x[t] + W_h @ h[t-1] + b_h)',))
    """
    spelled, own = function_names(functions or {})
    found = definitions(equations, spelled, keys or {})
    behind = found.rows and not found.transposed
    given = _named(shapes or {}, found, "shapes")
    carried = _states(states, found)
    sized = {k: v for k, v in carried.items() if v is not None}
    found, ranks = _with_ranks(found, {**found.shapes, **given, **sized}, carried)
    ordered = in_order(found.equations)
    texts = [_text(e, ranks) for e in ordered]
    _check_steps(ordered, carried, ranks)
    parts = {
        "states": list(carried) if all(v is None for v in carried.values()) else dict(carried),
        "output": _named({output: None}, found, "output").popitem()[0] if output else output_of(ordered, carried),
        "name": name,
        "functions": own,
        "direction": _direction(ordered, carried),
        "roles": _named(roles or {}, found, "roles"),
    }
    cell = _cell(ordered, texts, {k: v for k, v in given.items() if k not in carried}, ranks, **parts)
    return CellReading(cell, ROWS if behind else COLUMNS, found.written)


def _named(given: Mapping[str, Any], found: Definitions, what: str) -> dict[str, Any]:
    """Return a mapping by keys; a name whose key has an underscore more, such as ``a_``, may be given without."""
    named = {}
    for key, value in given.items():
        new = next((k for k in (key, f"{key}_", key[:1].lower() + key[1:]) if k in found.written), None)
        if new is None:
            raise EquationError(f"{what} names {key!r}, which is in no equation{nearest(key, found.written)}")
        named[new] = value
    return named


# -- what is given --------------------------------------------------------------------------------------


def function_names(given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return (letter -> name in the language, functions of the cell's own)."""
    spelled, own = {}, {}
    for letter, what in given.items():
        key = letter.lstrip("\\").replace("{", "").replace("}", "")
        if isinstance(what, str) and what in known_functions():
            spelled[key] = what
        else:
            spelled[key] = key
            own[key] = what
    for key, what in own.items():
        if isinstance(what, str) and what.isidentifier():
            raise EquationError(f"functions: {key!r} is {what!r}, which is not known{nearest(what, known_functions())}")
    return spelled, own


def _states(given: Any, found: Definitions) -> dict[str, Any]:
    """Return state -> size or None."""
    defined = [e.key for e in found.equations]
    if given is not None:
        names = [given] if isinstance(given, str) else given
        pairs = _named(given if isinstance(given, Mapping) else dict.fromkeys(names), found, "states")
        for key in pairs:
            if key not in defined:
                raise EquationError(f"state {key!r} is defined by no equation{nearest(key, defined)}")
        return pairs
    read = {p.key for e in found.equations for p in e.right.walk() if isinstance(p, Ref) and lag_of(p)}
    states = [key for key in dict.fromkeys(defined) if key in read]
    if not states:
        for e in found.equations:
            for p in e.right.walk():
                if isinstance(p, Ref) and lag_of(p):
                    e.source.fail(p.tree, f"'{e.source.piece(p.tree)}' is read, but no equation defines {p.key}_t")
        first = found.equations[0]
        first.source.fail(
            first.left, "nothing is carried from step to step: no equation reads a variable of step t-1 that another "
            "one defines"
        )  # fmt: skip
    # the hidden state first, as it is what carries the size n: h, else the state that is an output of the step
    return dict.fromkeys(sorted(states, key=lambda key: key.rpartition(".")[2] != "h"))


# -- ranks ----------------------------------------------------------------------------------------------


def _with_ranks(
    found: Definitions, given: Mapping[str, Any], carried: dict[str, Any]
) -> tuple[Definitions, Ranks]:  # fmt: skip
    """Return the definitions with small letters for capitals that are vectors, and their ranks."""
    known = {key: _rank(shape) for key, shape in given.items()}
    for key in carried:
        if not is_capital(key):
            known.setdefault(key, VECTOR)
    ranks = Ranks([(e.key, e.right) for e in found.equations], known)
    used = set(found.written)
    new: dict[str, str] = {}
    for key in sorted(ranks.timed):
        prefix, _, bare = key.rpartition(".")
        if is_capital(key) and ranks.of.get(key) in (SCALAR, VECTOR):
            lower = (f"{prefix}." if prefix else "") + bare[0].lower() + bare[1:]
            while lower in used:
                lower += "_"
            new[key] = lower
            used.add(lower)
    if not new:
        return found, ranks

    def rule(part: Expr) -> Expr:
        return replace(part, key=new.get(part.key, part.key)) if isinstance(part, Ref) else part

    equations = tuple(replace(e, key=new.get(e.key, e.key), right=e.right.mapped(rule)) for e in found.equations)
    written = {new.get(k, k): v for k, v in found.written.items()}
    for key in [k for k in carried if k in new]:
        carried[new[key]] = carried.pop(key)
    known = {new.get(k, k): v for k, v in known.items()}
    for key in carried:
        if not is_capital(key):
            known.setdefault(key, VECTOR)
    ranks = Ranks([(e.key, e.right) for e in equations], known)
    return replace(found, equations=equations, written=written), ranks


def _rank(shape: Any) -> int:
    return len(shape) if isinstance(shape, tuple | list) else VECTOR


def _text(e: Equation, ranks: Ranks) -> str:
    source = e.source
    try:
        return equation(e.key, e.right, ranks)
    except CannotWriteError as error:
        source.fail(error.part.tree, error.reason)
    except OpenProductError as error:
        a, b = (source.piece(x.tree) for x in (error.left, error.right))
        refs = [p for x in (error.left, error.right) for p in x.walk() if isinstance(p, Ref)]
        key = next((p.key for p in refs if ranks.rank(p) is None), "").rstrip("_")
        both = f"both vectors (then write {a} \\odot {b})"
        if ranks.rank(error.left) == VECTOR and ranks.rank(error.right) == VECTOR:
            readings = f"the entrywise product (then write {a} \\odot {b}) or the inner product ({a}^\\top {b})"
            source.fail(error.product.tree, f"the product of '{a}' and '{b}' is ambiguous: {readings}", RankError)
        source.fail(
            error.left.tree, f"the product of '{a}' and '{b}' is ambiguous: {a} a number and {b} a vector, {a} a "
            f"vector and {b} a number, or {both}; say which with shapes={{{key!r}: ()}} or shapes={{{key!r}: 'n'}}",
            RankError,
        )  # fmt: skip
    except MisfitError as error:
        a, b = (source.piece(x.tree) for x in (error.left, error.right))
        one, two = (_RANK_WORDS[r] for r in error.ranks)
        source.fail(error.left.tree, f"'{a}' is {one} and '{b}' is {two}, which no product joins here", ShapeError)


# -- the cell -------------------------------------------------------------------------------------------


def _check_steps(equations: Sequence[Equation], states: Mapping[str, Any], ranks: Ranks) -> None:
    """Refuse what is read at another step and carried on by no equation."""
    for e in equations:
        for p in e.right.walk():
            if isinstance(p, Ref) and lag_of(p) and p.key not in states:
                piece = e.source.piece(p.tree)
                if p.key in ranks.defined:
                    e.source.fail(p.tree, f"'{piece}' is read, but {p.key!r} is no state; add it to states")
                e.source.fail(p.tree, f"'{piece}' is read, but no equation defines {p.key}_t")


def _direction(equations: Sequence[Equation], states: Mapping[str, Any]) -> Any:
    """Return the direction in which the states are read."""
    refs = [p for e in equations for p in e.right.walk() if isinstance(p, Ref) and p.key in states]
    lags = {lag_of(p) for p in refs} - {0, None}
    return "both" if len(lags) > 1 else -1 if lags == {1} else 1


def _cell(
    equations: Sequence[Equation], texts: Sequence[str], shapes: Mapping[str, Any], ranks: Ranks, **parts: Any
) -> Cell:  # fmt: skip
    """Return the cell; where its own rules would give a name another rank, its shape is said."""
    used = {p.key for e in equations for p in e.right.walk() if isinstance(p, Ref)} | ranks.defined
    numbers = {key: () for key in sorted(used) if ranks.of.get(key) == SCALAR and key not in shapes}
    said = dict(shapes)
    try:
        cell = _sized(equations, texts, said, ranks, parts)
    except (RankError, ShapeError) as error:
        if not numbers:
            raise _placed(error, equations, texts) from None
        said.update(numbers)
        cell = _sized(equations, texts, said, ranks, parts, error)
    wrong = _wrong(cell, equations, ranks)
    if wrong:
        cell = _sized(equations, texts, {**said, **wrong}, ranks, parts)
        if _wrong(cell, equations, ranks):
            raise RankError(f"the shape of {next(iter(wrong))!r} is not settled; say it with shapes=")
    return cell


def _sized(
    equations: Sequence[Equation],
    texts: Sequence[str],
    shapes: Mapping[str, Any],
    ranks: Ranks,
    parts: Mapping[str, Any],
    before: SymbpttError | None = None,
) -> Cell:
    """Return the cell with letters for the sizes that nothing settles."""
    shapes = dict(shapes)
    inputs = _inputs(equations, ranks)
    free = iter([letter for letter in FREE_SIZES if letter not in ranks.of])
    while True:
        try:
            return Cell(tuple(texts), shapes=shapes, **parts)
        except SymbpttError as error:
            unsettled = str(error).startswith("the size of ")
            found = open_sizes(texts, parts["states"], shapes, parts["functions"]) if unsettled else []
            inner = re.match(r"the size of '([\w.]+)' is not settled: \((\w+|\?) x (\w+|\?)\)", str(error))
            if inner and not found and before is None:  # W_1 W_2 h: what lies between two matrices
                shapes[inner[1]] = tuple(s if s != "?" else next(free, "w") for s in inner.groups()[1:])
                continue
            only = bool(found) and found[0] in inputs[:1] and "x" not in inputs
            letter = "m" if only else next(free, "") if found else ""
            if not letter:
                raise _placed(before or error, equations, texts) from None
            shapes[found[0]] = letter


def _inputs(equations: Sequence[Equation], ranks: Ranks) -> list[str]:
    """Return what is read at each step and defined by no equation."""
    found = (p.key for e in equations for p in e.right.walk() if isinstance(p, Ref) and p.when is not None)
    return [key for key in dict.fromkeys(found) if key not in ranks.defined]


def _wrong(cell: Cell, equations: Sequence[Equation], ranks: Ranks) -> dict[str, Any]:
    """Return shapes for the names whose rank the cell would take for another one."""
    inferred = dict(cell.inferred)
    found: dict[str, Any] = {}
    for key, shape in inferred.items():
        rank = ranks.of.get(key)
        if rank == SCALAR and shape:
            found[key] = ()
        elif rank == VECTOR and not shape:
            found[key] = next((s for e in equations if (s := _beside(key, e.right, inferred))), None) or "n"
    return found


def _beside(key: str, e: Expr, inferred: Mapping[str, Any]) -> Any:
    """Return the size of what stands beside a name in a sum or an entrywise product."""
    for part in e.walk():
        sides = part.factors if isinstance(part, Hadamard) else part.terms if isinstance(part, Add) else ()
        if any(isinstance(p, Ref) and p.key == key for p in sides):
            for side in sides:
                for p in side.walk():
                    shape = inferred.get(p.key) if isinstance(p, Ref) and p.key != key else None
                    if shape:
                        return shape[0]
    return None


def _placed(error: SymbpttError, equations: Sequence[Equation], texts: Sequence[str]) -> SymbpttError:
    """Return an error of the cell with the place of the equation that it is about."""
    message = str(error)
    if any(message.startswith(f"{e.source.what}, ") for e in equations):
        return error
    place = next(((e.source, e.left) for e, text in zip(equations, texts, strict=True) if repr(text) in message), None)
    about = re.match(r"the (?:size|rank) of '([\w.]+)'", message)
    if place is None and about:
        refs = ((e.source, p) for e in equations for p in e.right.walk() if isinstance(p, Ref))
        place = next(((source, p.tree) for source, p in refs if p.key == about[1]), None)
    if place is None:
        return error
    for text in texts:
        message = message.replace(f"equation {text!r}: ", f"read as {text!r}: ")
    try:
        place[0].fail(place[1], message, type(error))
    except SymbpttError as placed:
        return placed
