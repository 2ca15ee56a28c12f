"""Ranks and sizes of every name in a list of equations, by unification.

A capital name is a matrix; a name at a step is a vector (a matrix if capital); a lower-case parameter is a vector
where it is added to a vector, stands behind one in an elementwise product, or is multiplied by a matrix, and a
scalar where it stands as a factor in front of one. ``shapes`` settles the rest. What stays open is an error.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import sympy
from sympy import Expr

from ..algebra import size
from ..errors import RankError, ShapeError
from .constraints import Constraints, Open, transpose_of
from .language import Parsed
from .unification import ONE, Kind, Shape, Size, clash, equal, same, vector


def infer(
    equations: Sequence[Parsed],
    states: Mapping[str, Shape | None],
    shapes: Mapping[str, Shape],
    functions: Mapping[str, Any],
    sizes: Mapping[str, Expr],
) -> dict[str, Shape]:
    """Return the shape of every name in the equations.

    Parameters
    ----------
    equations : sequence of Parsed
    states : mapping
        State -> shape, or None where it is to be found out (it is ``n`` if nothing says otherwise).
    shapes : mapping
        What the user says of any name.
    functions, sizes : mapping
        The user's functions, and size names that may stand in an equation as numbers.

    Raises
    ------
    ShapeError
        Naming the equation and both shapes, where two do not fit.
    RankError
        Where a rank or size stays open, with the readings.

    Examples
    --------
    >>> from symbptt.model.language import parse_equation
    >>> from symbptt.algebra import size
    >>> equations = [parse_equation("h[t] = tanh(W_h @ h[t-1] + W_x @ x[t] + b_h)")]
    >>> shapes = infer(equations, {"h": (size("n"),)}, {}, {}, {})
    >>> shapes["W_x"], shapes["b_h"]
    ((n, m), (n,))
    """
    said, defaults = _taken_in(equations, states, shapes, functions, sizes)
    return _solved(said, defaults)


def open_vectors(
    equations: Sequence[Parsed],
    states: Mapping[str, Shape | None],
    shapes: Mapping[str, Shape],
    functions: Mapping[str, Any],
) -> list[str]:
    """Return the vectors over time whose size nothing settles; the arguments are those of :func:`infer`.

    Examples
    --------
    >>> from symbptt.model.language import parse_equation
    >>> equations = [parse_equation(text) for text in ("h[t] = A @ h[t-1] + B @ u[t]", "o[t] = C @ h[t]")]
    >>> open_vectors(equations, {"h": (size("n"),)}, {}, {})
    ['u', 'o']
    """
    said, defaults = _taken_in(equations, states, shapes, functions, {})
    with suppress(RankError):
        _solved(said, defaults)
    kinds = {name: kind.root() for name, kind in said.names.items() if name in said.timed}
    return [name for name, kind in kinds.items() if kind.rank == 1 and kind.rows.known is None]


def _taken_in(
    equations: Sequence[Parsed],
    states: Mapping[str, Shape | None],
    shapes: Mapping[str, Shape],
    functions: Mapping[str, Any],
    sizes: Mapping[str, Expr],
) -> tuple[Constraints, dict[str, Expr]]:
    """Return what all equations say, and the sizes that hold where nothing else is said."""
    said = Constraints(states, shapes, functions, sizes)
    for parsed in equations:
        said.equation(parsed)
    defaults: dict[str, Expr] = {"x": size("m")}
    defaults.update({name: size("n") for name, shape in states.items() if shape is None})
    return said, defaults


def _solved(said: Constraints, defaults: Mapping[str, Expr]) -> dict[str, Shape]:
    """Settle what is open and return name -> shape: what follows comes first, then what names say, then defaults."""
    while _follows(said):
        pass
    while _follows(said) or _guessed(said):
        pass
    for name in said.timed:
        kind = said.names[name].root()
        if kind.rank is None:
            kind.become(1)
    for name, value in defaults.items():
        kind = said.names.get(name, Kind(0)).root()
        if kind.rank in (1, 2) and kind.rows.known is None:
            kind.rows.root().value = value
    while _follows(said) or _guessed(said):
        pass
    return {name: _settled(name, kind.root()) for name, kind in said.names.items()}


def _follows(said: Constraints) -> bool:
    """Settle what follows from what is known; return whether anything did."""
    waiting: tuple[tuple[list[Any], Callable[..., bool]], ...] = (
        (said.matmuls, _matmul),
        (said.products, _product),
        (said.transposed, _transpose),
        (said.stacks, _stack),
    )
    changed = False
    for items, settles in waiting:
        for item in list(items):
            if settles(*item):
                items.remove(item)
                changed = True
    return changed


def _guessed(said: Constraints) -> bool:
    """Settle one product by the rules for names, or else one transpose as that of a vector."""
    for item in sorted(said.products, key=_is_open):  # a product with one known factor first
        if _product(*item, guess=True):
            said.products.remove(item)
            return True
    if said.transposed:
        p, tree, inner, _ = said.transposed[0]
        equal(p, tree.value, inner, vector(), "as")
    return bool(said.transposed)


def _is_open(product: Open) -> bool:
    return all(factor.root().rank is None for factor in product[2:4])


def _matmul(p: Parsed, tree: ast.BinOp, a: Kind, b: Kind, result: Kind) -> bool:
    """Settle a matrix product where the ranks of both factors are known; a name of unknown rank is a vector."""
    a, b = a.root(), b.root()
    for kind, side in ((a, tree.left), (b, tree.right)):
        if kind.rank is None and isinstance(side, ast.Name | ast.Subscript):
            kind.become(1)
        if kind.rank == 0:
            raise ShapeError(
                f"equation {p.text!r}: {p.segment(side)!r} is a scalar, so {p.segment(tree)!r} cannot be a matrix "
                "product; write * for a scalar multiple"
            )
    if a.rank is None or b.rank is None:
        return False
    if a.rank == 1 and b.rank == 1:
        raise ShapeError(
            f"equation {p.text!r}: {p.segment(tree)!r} is {a.show()} @ {b.show()}; write u.T @ v for the inner "
            "and u @ v.T for the outer product"
        )
    if a.columns.known is not None and b.rows.known is not None and a.columns.known != b.rows.known:
        clash(p, tree, a, b, "@")
    same(p, tree, a.columns, b.rows, a, b, "@")
    row = a.rank == 2 and a.rows.known == ONE
    of_vector = Kind(0) if row else vector(a.rows)
    equal(p, tree, result, of_vector if b.rank == 1 else Kind(2, a.rows, b.columns), "=")
    return True


def _product(p: Parsed, tree: Any, a: Kind, b: Kind, result: Kind, guess: bool = False) -> bool:
    """Settle a product or quotient where the ranks are known; with ``guess``, by the rules for names."""
    a, b = a.root(), b.root()
    if guess and None in (a.rank, b.rank):
        _guess(p, tree, a, b, result)
        a, b = a.root(), b.root()
    if b.rank == 0:
        equal(p, tree, result, a, "=")
    elif a.rank == 0 and (b.rank is not None or result.root().rank in (1, 2)):
        equal(p, tree, result, b, "=")
    elif a.rank is not None and b.rank is not None:
        equal(p, tree, a, b, "/" if isinstance(tree.op, ast.Div) else "*")
        equal(p, tree, result, b, "=")
    else:
        return False
    return a.root().rank is not None and result.root().rank is not None


def _guess(p: Parsed, tree: Any, a: Kind, b: Kind, result: Kind) -> None:
    """A factor in front is a scalar, one behind a vector is a vector, a divisor is a scalar."""
    division = isinstance(tree.op, ast.Div)
    if a.rank is None and b.rank is None:
        if not division and result.root().rank in (1, 2):
            _ambiguous(p, tree)
        b.rank = 0 if division else None
    if a.rank is None and not division:
        a.rank = 0
    elif b.rank is None:
        if division or a.rank == 0:
            b.rank = 0
        else:
            equal(p, tree, a, b, "*")


def _ambiguous(p: Parsed, tree: ast.BinOp) -> None:
    a, b = p.segment(tree.left), p.segment(tree.right)
    raise RankError(
        f"equation {p.text!r}: {p.segment(tree)!r} is ambiguous: {a} a scalar and {b} a vector, {a} a vector and "
        f"{b} a scalar, or both vectors; say which with shapes={{{a!r}: ()}} or shapes={{{a!r}: 'n'}}"
    )


def _transpose(p: Parsed, tree: ast.Attribute, inner: Kind, result: Kind) -> bool:
    """Settle a transpose where the rank of what is transposed is known."""
    known = transpose_of(p, tree, inner)
    if known is not None:
        equal(p, tree, result, known, "=")
    return known is not None


def _stack(p: Parsed, tree: ast.AST, result: Kind, parts: list[Kind]) -> bool:
    """Settle stacked vectors where the sizes of all of them are known."""
    sizes = [part.root().rows.known for part in parts]
    if any(rows is None for rows in sizes):
        return False
    equal(p, tree, result, vector(Size(sympy.Add(*sizes))), "concat")
    return True


def _settled(name: str, kind: Kind) -> Shape:
    if kind.rank is None:
        raise RankError(
            f"the rank of {name!r} is ambiguous: it could be a scalar or a vector; "
            f"say which with shapes={{{name!r}: ()}} or shapes={{{name!r}: 'n'}}"
        )
    sizes = [kind.rows.known, kind.columns.known][: kind.rank]
    if any(s is None for s in sizes):
        example = "'p'" if kind.rank == 1 else "('p', 'n')"
        raise RankError(
            f"the size of {name!r} is not settled: {kind.show()}; say it with shapes={{{name!r}: {example}}}"
        )
    return tuple(sizes)
