"""Ranks and sizes of every name in a list of equations, by unification.

A capital name is a matrix; a name at a step is a vector (a matrix if capital); a lower-case parameter is a vector
where it is added to a vector, stands behind one in an elementwise product, or is multiplied by a matrix, and a
scalar where it stands as a factor in front of one. ``shapes`` settles the rest. What stays open is an error.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import sympy
from sympy import Expr

from ..algebra import size
from ..errors import RankError, ShapeError
from .language import ALIASES, REDUCTIONS, Parsed, bare

Shape = tuple[Expr, ...]


class _Size:
    """A size that may be known, or equal to another one."""

    def __init__(self, value: Expr | None = None) -> None:
        self.value, self.link = value, None  # type: tuple[Expr | None, _Size | None]

    def root(self) -> _Size:
        return self if self.link is None else self.link.root()

    @property
    def known(self) -> Expr | None:
        return self.root().value


class _Kind:
    """A shape that may be known: its rank and, for arrays, its rows and columns."""

    def __init__(self, rank: int | None = None, rows: _Size | None = None, columns: _Size | None = None) -> None:
        self.rank = rank
        self.rows, self.columns = rows or _Size(), columns or _Size()
        self.link: _Kind | None = None

    def root(self) -> _Kind:
        return self if self.link is None else self.link.root()

    def show(self) -> str:
        kind = self.root()
        if kind.rank == 0:
            return "scalar"
        rows, columns = (str(s.known) if s.known is not None else "?" for s in (kind.rows, kind.columns))
        return f"({rows})" if kind.rank == 1 else f"({rows} x {columns})" if kind.rank == 2 else "?"


ONE = sympy.S.One


def vector(rows: _Size | None = None) -> _Kind:
    return _Kind(1, rows, _Size(ONE))


class Inference:
    """Collects what the equations say about ranks and sizes; ``solve`` gives the shapes."""

    def __init__(
        self,
        states: Mapping[str, Shape | None],
        shapes: Mapping[str, Shape],
        functions: Mapping[str, Any],
        sizes: Mapping[str, Expr],
    ) -> None:
        self.functions, self.sizes = functions, sizes
        self.names: dict[str, _Kind] = {}
        self.timed: set[str] = set()
        self.products: list[tuple[Parsed, ast.BinOp, _Kind, _Kind, _Kind]] = []
        self.matmuls: list[tuple[Parsed, ast.BinOp, _Kind, _Kind, _Kind]] = []
        self.stacks: list[tuple[Parsed, ast.AST, _Kind, list[_Kind]]] = []
        self.transposed: list[tuple[Parsed, ast.Attribute, _Kind, _Kind]] = []
        self.inners: list[_Kind] = []
        for name, shape in {**states, **shapes}.items():
            if shape is not None:
                self.names[name] = self._of_shape(shape)

    @staticmethod
    def _of_shape(shape: Shape) -> _Kind:
        if len(shape) == 0:
            return _Kind(0)
        rows = _Size(shape[0])
        return vector(rows) if len(shape) == 1 else _Kind(2, rows, _Size(shape[1]))

    # -- walking -------------------------------------------------------------------------------------
    def equation(self, parsed: Parsed) -> _Kind:
        """Take in one equation; the left side has the shape of the right."""
        kind = self._visit(parsed, parsed.tree)
        if parsed.name is not None:
            self.timed.add(parsed.name)
            left = self.names.setdefault(parsed.name, _Kind(2 if bare(parsed.name)[0].isupper() else None))
            self._equal(parsed, parsed.tree, left, kind, sign="=")
        return kind

    def _visit(self, p: Parsed, tree: Any) -> _Kind:
        return _VISITORS[type(tree)](self, p, tree)

    def _name(self, p: Parsed, tree: ast.Name) -> _Kind:
        if tree.id in self.sizes and tree.id not in self.names:
            return _Kind(0)
        return self.names.setdefault(tree.id, _Kind(2 if bare(tree.id)[0].isupper() else None))

    def _at(self, p: Parsed, tree: Any) -> _Kind:
        name = tree.value.id
        self.timed.add(name)
        if name not in self.names:
            self.names[name] = _Kind(2) if bare(name)[0].isupper() else vector()
        return self.names[name]

    def _constant(self, p: Parsed, tree: ast.Constant) -> _Kind:
        return _Kind(0)

    def _unary(self, p: Parsed, tree: ast.UnaryOp) -> _Kind:
        return self._visit(p, tree.operand)

    def _transposed(self, p: Parsed, tree: ast.Attribute) -> _Kind:
        inner = self._visit(p, tree.value).root()
        if inner.rank is None and isinstance(tree.value, ast.Name):
            self._become(p, tree.value, inner, vector())
            inner = inner.root()
        if inner.rank == 0:
            raise ShapeError(f"equation {p.text!r}: {p.segment(tree.value)!r} is a scalar, which has no transpose")
        if inner.rank is not None:
            return _Kind(2, inner.columns, inner.rows)
        result = _Kind()  # of a product, of which it is not known yet if it is a vector or a matrix
        self.transposed.append((p, tree, inner, result))
        return result

    def _binary(self, p: Parsed, tree: ast.BinOp) -> _Kind:
        left, right = self._visit(p, tree.left), self._visit(p, tree.right)
        if isinstance(tree.op, ast.MatMult):
            result = _Kind()
            self.matmuls.append((p, tree, left, right, result))
            return result
        if isinstance(tree.op, ast.Pow):
            return left
        if isinstance(tree.op, ast.Mult | ast.Div):
            result = _Kind()
            self.products.append((p, tree, left, right, result))
            return result
        for one, other, side in ((left, right, tree.left), (right, left, tree.right)):
            if _is_number(side) or (one.root().rank == 0 and not isinstance(side, ast.Name)):
                return other
        self._equal(p, tree, left, right, "+" if isinstance(tree.op, ast.Add) else "-")
        return left

    def _call(self, p: Parsed, tree: Any) -> _Kind:
        name = ALIASES.get(tree.func.id, tree.func.id)
        arguments = [self._visit(p, a) for a in tree.args]
        if tree.func.id in self.functions:
            return arguments[0]
        if name in REDUCTIONS:
            if name == "trace":
                side = _Size()
                self._equal(p, tree, arguments[0], _Kind(2, side, side), "trace of")
            return _Kind(0)
        special = _SPECIAL.get(name)
        return special(self, p, tree, arguments) if special else arguments[0]

    def _softmax(self, p: Parsed, tree: Any, arguments: list[_Kind]) -> _Kind:
        self._equal(p, tree, arguments[0], vector(), "softmax of")
        return arguments[0]

    def _diag(self, p: Parsed, tree: Any, arguments: list[_Kind]) -> _Kind:
        inner = arguments[0].root()
        if inner.rank == 2:
            self._same(p, tree, inner.rows, inner.columns, inner, inner, "diag of")
            return vector(inner.rows)
        self._equal(p, tree, inner, vector(), "diag of")
        rows = inner.root().rows
        return _Kind(2, rows, rows)

    def _inner(self, p: Parsed, tree: Any, arguments: list[_Kind]) -> _Kind:
        self._equal(p, tree, arguments[0], arguments[1], "inner")
        return _Kind(0)

    def _outer(self, p: Parsed, tree: Any, arguments: list[_Kind]) -> _Kind:
        for argument in arguments:
            self._equal(p, tree, argument, vector(), "outer of")
        return _Kind(2, arguments[0].root().rows, arguments[1].root().rows)

    def _concat(self, p: Parsed, tree: Any, arguments: list[_Kind]) -> _Kind:
        for argument in arguments:
            self._equal(p, tree, argument, vector(), "concat of")
        result = vector()
        self.stacks.append((p, tree, result, arguments))
        return result

    # -- unification ---------------------------------------------------------------------------------
    def _equal(self, p: Parsed, tree: ast.AST, a: _Kind, b: _Kind, sign: str) -> None:
        a, b = a.root(), b.root()
        if a is b:
            return
        if a.rank is not None and b.rank is not None and a.rank != b.rank:
            self._clash(p, tree, a, b, sign)
        self._same(p, tree, a.rows, b.rows, a, b, sign)
        self._same(p, tree, a.columns, b.columns, a, b, sign)
        rank = a.rank if a.rank is not None else b.rank
        a.link = b
        b.rank = rank

    def _become(self, p: Parsed, tree: ast.AST, a: _Kind, b: _Kind) -> None:
        self._equal(p, tree, a, b, "as")

    def _same(self, p: Parsed, tree: ast.AST, a: _Size, b: _Size, ka: _Kind, kb: _Kind, sign: str) -> None:
        a, b = a.root(), b.root()
        if a is b:
            return
        if a.value is not None and b.value is not None and a.value != b.value:
            self._clash(p, tree, ka, kb, sign)
        if a.value is None:
            a.link = b
        else:
            b.link = a

    @staticmethod
    def _clash(p: Parsed, tree: ast.AST, a: _Kind, b: _Kind, sign: str) -> None:
        raise ShapeError(f"equation {p.text!r}: shapes do not fit in {p.segment(tree)!r}: {a.show()} {sign} {b.show()}")

    # -- solving -------------------------------------------------------------------------------------
    def solve(self, defaults: Mapping[str, Expr]) -> dict[str, Shape]:
        """Settle what is open and return name -> shape (``()``, ``(rows,)`` or ``(rows, columns)``)."""
        for guess in (False, True):
            while self._round(guess):
                pass
        for name in self.timed:
            kind = self.names[name].root()
            if kind.rank is None:
                self._become_rank(kind, 1)
        for name, value in defaults.items():
            kind = self.names.get(name, _Kind(0)).root()
            if kind.rank in (1, 2) and kind.rows.known is None:
                kind.rows.root().value = value
        while self._round(True):
            pass
        return {name: self._settled(name, kind.root()) for name, kind in self.names.items()}

    @staticmethod
    def _become_rank(kind: _Kind, rank: int) -> None:
        kind.rank = rank
        if rank == 1:
            kind.columns.root().value = ONE

    def _round(self, guess: bool) -> bool:
        changed = False
        for product in list(self.matmuls):
            p, tree, a, b, result = product
            if self._matmul(p, tree, a.root(), b.root(), result):
                self.matmuls.remove(product)
                changed = True
        for item in list(self.products):
            if self._product(*item, guess=False):
                self.products.remove(item)
                changed = True
        for turned in list(self.transposed):
            if self._turn(*turned):
                self.transposed.remove(turned)
                changed = True
        for stack in list(self.stacks):
            where, place, made, parts = stack
            sizes = [k.root().rows.known for k in parts]
            if all(s is not None for s in sizes):
                self._equal(where, place, made, vector(_Size(sympy.Add(*sizes))), "concat")
                self.stacks.remove(stack)
                changed = True
        if changed or not guess:
            return changed
        for item in sorted(self.products, key=_is_open):  # a product with one known factor first
            if self._product(*item, guess=True):
                self.products.remove(item)
                return True
        if self.transposed:
            where, turned_tree, inner, _ = self.transposed[0]
            self._become(where, turned_tree.value, inner, vector())
        return bool(self.transposed)

    def _turn(self, p: Parsed, tree: ast.Attribute, inner: _Kind, result: _Kind) -> bool:
        """Settle a transpose where the rank of what is transposed is known."""
        inner = inner.root()
        if inner.rank == 0:
            raise ShapeError(f"equation {p.text!r}: {p.segment(tree.value)!r} is a scalar, which has no transpose")
        if inner.rank is None:
            return False
        self._equal(p, tree, result, _Kind(2, inner.columns, inner.rows), "=")
        return True

    def _matmul(self, p: Parsed, tree: ast.BinOp, a: _Kind, b: _Kind, result: _Kind) -> bool:
        for kind, side in ((a, tree.left), (b, tree.right)):
            if kind.rank is None and isinstance(side, ast.Name | ast.Subscript):
                self._become_rank(kind, 1)
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
            self._clash(p, tree, a, b, "@")
        self._same(p, tree, a.columns, b.rows, a, b, "@")
        row = a.rank == 2 and a.rows.known == ONE
        of_vector = _Kind(0) if row else vector(a.rows)
        self._equal(p, tree, result, of_vector if b.rank == 1 else _Kind(2, a.rows, b.columns), "=")
        return True

    def _product(self, p: Parsed, tree: Any, a: _Kind, b: _Kind, result: _Kind, guess: bool) -> bool:
        """Settle a product or quotient where the ranks are known; with ``guess``, by the rules for names."""
        a, b = a.root(), b.root()
        if guess and None in (a.rank, b.rank):
            self._guess(p, tree, a, b, result)
            a, b = a.root(), b.root()
        if b.rank == 0:
            self._equal(p, tree, result, a, "=")
        elif a.rank == 0 and (b.rank is not None or result.root().rank in (1, 2)):
            self._equal(p, tree, result, b, "=")
        elif a.rank is not None and b.rank is not None:
            self._equal(p, tree, a, b, "/" if isinstance(tree.op, ast.Div) else "*")
            self._equal(p, tree, result, b, "=")
        else:
            return False
        return a.root().rank is not None and result.root().rank is not None

    def _guess(self, p: Parsed, tree: Any, a: _Kind, b: _Kind, result: _Kind) -> None:
        """A factor in front is a scalar, one behind a vector is a vector, a divisor is a scalar."""
        division = isinstance(tree.op, ast.Div)
        if a.rank is None and b.rank is None:
            if not division and result.root().rank in (1, 2):
                self._ambiguous(p, tree)
            b.rank = 0 if division else None
        if a.rank is None and not division:
            a.rank = 0
        elif b.rank is None:
            if division or a.rank == 0:
                b.rank = 0
            else:
                self._equal(p, tree, a, b, "*")

    @staticmethod
    def _ambiguous(p: Parsed, tree: ast.BinOp) -> None:
        a, b = p.segment(tree.left), p.segment(tree.right)
        raise RankError(
            f"equation {p.text!r}: {p.segment(tree)!r} is ambiguous: {a} a scalar and {b} a vector, {a} a vector and "
            f"{b} a scalar, or both vectors; say which with shapes={{{a!r}: ()}} or shapes={{{a!r}: 'n'}}"
        )

    def _settled(self, name: str, kind: _Kind) -> Shape:
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


def _is_open(product: tuple[Parsed, ast.BinOp, _Kind, _Kind, _Kind]) -> bool:
    return all(factor.root().rank is None for factor in product[2:4])


def _is_number(tree: Any) -> bool:
    if isinstance(tree, ast.UnaryOp):
        return _is_number(tree.operand)
    if isinstance(tree, ast.BinOp):
        return _is_number(tree.left) and _is_number(tree.right)
    return isinstance(tree, ast.Constant)


_VISITORS: dict[type, Any] = {
    ast.Name: Inference._name,
    ast.Subscript: Inference._at,
    ast.Constant: Inference._constant,
    ast.UnaryOp: Inference._unary,
    ast.Attribute: Inference._transposed,
    ast.BinOp: Inference._binary,
    ast.Call: Inference._call,
}
_SPECIAL: dict[str, Any] = {
    "softmax": Inference._softmax,
    "diag": Inference._diag,
    "inner": Inference._inner,
    "outer": Inference._outer,
    "concat": Inference._concat,
}


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
    inference, defaults = _taken_in(equations, states, shapes, functions, sizes)
    return inference.solve(defaults)


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
    inference, defaults = _taken_in(equations, states, shapes, functions, {})
    with suppress(RankError):
        inference.solve(defaults)
    kinds = {name: kind.root() for name, kind in inference.names.items() if name in inference.timed}
    return [name for name, kind in kinds.items() if kind.rank == 1 and kind.rows.known is None]


def _taken_in(
    equations: Sequence[Parsed],
    states: Mapping[str, Shape | None],
    shapes: Mapping[str, Shape],
    functions: Mapping[str, Any],
    sizes: Mapping[str, Expr],
) -> tuple[Inference, dict[str, Expr]]:
    """Return the inference with all equations in it, and the sizes that hold where nothing else is said."""
    inference = Inference(states, shapes, functions, sizes)
    for parsed in equations:
        inference.equation(parsed)
    defaults: dict[str, Expr] = {"x": size("m")}
    defaults.update({name: size("n") for name, shape in states.items() if shape is None})
    return inference, defaults
