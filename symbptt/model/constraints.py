"""What equations say about ranks and sizes: each is walked once, and what it does not settle waits for the others."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from sympy import Expr

from ..errors import ShapeError
from .language import ALIASES, REDUCTIONS, Parsed, bare
from .unification import Kind, Shape, Size, equal, of_shape, same, vector

Open = tuple[Parsed, ast.BinOp, Kind, Kind, Kind]
"""Where a product stands, both factors, and the result."""


class Constraints:
    """The kind of every name, and the products, transposes and stacks whose kinds are still open.

    Parameters
    ----------
    states, shapes : mapping
        Name -> shape that is given, or None.
    functions, sizes : mapping
        The user's functions, and size names that may stand in an equation as numbers.
    """

    def __init__(
        self,
        states: Mapping[str, Shape | None],
        shapes: Mapping[str, Shape],
        functions: Mapping[str, Any],
        sizes: Mapping[str, Expr],
    ) -> None:
        self.functions, self.sizes = functions, sizes
        given = {**states, **shapes}
        self.names = {name: of_shape(shape) for name, shape in given.items() if shape is not None}
        self.timed: set[str] = set()
        self.products: list[Open] = []
        self.matmuls: list[Open] = []
        self.stacks: list[tuple[Parsed, ast.AST, Kind, list[Kind]]] = []
        self.transposed: list[tuple[Parsed, ast.Attribute, Kind, Kind]] = []

    def equation(self, parsed: Parsed) -> Kind:
        """Take in one equation; the left side has the shape of the right."""
        kind = self._visit(parsed, parsed.tree)
        if parsed.name is not None:
            self.timed.add(parsed.name)
            left = self.names.setdefault(parsed.name, Kind(2 if bare(parsed.name)[0].isupper() else None))
            equal(parsed, parsed.tree, left, kind, sign="=")
        return kind

    def _visit(self, p: Parsed, tree: Any) -> Kind:
        return _VISITORS[type(tree)](self, p, tree)

    def _name(self, p: Parsed, tree: ast.Name) -> Kind:
        if tree.id in self.sizes and tree.id not in self.names:
            return Kind(0)
        return self.names.setdefault(tree.id, Kind(2 if bare(tree.id)[0].isupper() else None))

    def _at(self, p: Parsed, tree: Any) -> Kind:
        name = tree.value.id
        self.timed.add(name)
        if name not in self.names:
            self.names[name] = Kind(2) if bare(name)[0].isupper() else vector()
        return self.names[name]

    def _constant(self, p: Parsed, tree: ast.Constant) -> Kind:
        return Kind(0)

    def _unary(self, p: Parsed, tree: ast.UnaryOp) -> Kind:
        return self._visit(p, tree.operand)

    def _transposed(self, p: Parsed, tree: ast.Attribute) -> Kind:
        inner = self._visit(p, tree.value).root()
        if inner.rank is None and isinstance(tree.value, ast.Name):
            equal(p, tree.value, inner, vector(), "as")
            inner = inner.root()
        known = transpose_of(p, tree, inner)
        if known is not None:
            return known
        result = Kind()  # of a product, of which it is not known yet if it is a vector or a matrix
        self.transposed.append((p, tree, inner, result))
        return result

    def _binary(self, p: Parsed, tree: ast.BinOp) -> Kind:
        left, right = self._visit(p, tree.left), self._visit(p, tree.right)
        if isinstance(tree.op, ast.MatMult):
            result = Kind()
            self.matmuls.append((p, tree, left, right, result))
            return result
        if isinstance(tree.op, ast.Pow):
            return left
        if isinstance(tree.op, ast.Mult | ast.Div):
            result = Kind()
            self.products.append((p, tree, left, right, result))
            return result
        for one, other, side in ((left, right, tree.left), (right, left, tree.right)):
            if _is_number(side) or (one.root().rank == 0 and not isinstance(side, ast.Name)):
                return other
        equal(p, tree, left, right, "+" if isinstance(tree.op, ast.Add) else "-")
        return left

    def _call(self, p: Parsed, tree: Any) -> Kind:
        name = ALIASES.get(tree.func.id, tree.func.id)
        arguments = [self._visit(p, a) for a in tree.args]
        if tree.func.id in self.functions:
            return arguments[0]
        if name in REDUCTIONS:
            if name == "trace":
                side = Size()
                equal(p, tree, arguments[0], Kind(2, side, side), "trace of")
            return Kind(0)
        special = _SPECIAL.get(name)
        return special(self, p, tree, arguments) if special else arguments[0]

    def _softmax(self, p: Parsed, tree: Any, arguments: list[Kind]) -> Kind:
        equal(p, tree, arguments[0], vector(), "softmax of")
        return arguments[0]

    def _diag(self, p: Parsed, tree: Any, arguments: list[Kind]) -> Kind:
        inner = arguments[0].root()
        if inner.rank == 2:
            same(p, tree, inner.rows, inner.columns, inner, inner, "diag of")
            return vector(inner.rows)
        equal(p, tree, inner, vector(), "diag of")
        rows = inner.root().rows
        return Kind(2, rows, rows)

    def _inner(self, p: Parsed, tree: Any, arguments: list[Kind]) -> Kind:
        equal(p, tree, arguments[0], arguments[1], "inner")
        return Kind(0)

    def _outer(self, p: Parsed, tree: Any, arguments: list[Kind]) -> Kind:
        for argument in arguments:
            equal(p, tree, argument, vector(), "outer of")
        return Kind(2, arguments[0].root().rows, arguments[1].root().rows)

    def _concat(self, p: Parsed, tree: Any, arguments: list[Kind]) -> Kind:
        for argument in arguments:
            equal(p, tree, argument, vector(), "concat of")
        result = vector()
        self.stacks.append((p, tree, result, arguments))
        return result


def transpose_of(p: Parsed, tree: ast.Attribute, inner: Kind) -> Kind | None:
    """Return the kind of a transpose, or None where the rank of what is transposed is not known.

    Raises
    ------
    ShapeError
        Where that is a scalar.
    """
    inner = inner.root()
    if inner.rank == 0:
        raise ShapeError(f"equation {p.text!r}: {p.segment(tree.value)!r} is a scalar, which has no transpose")
    return None if inner.rank is None else Kind(2, inner.columns, inner.rows)


def _is_number(tree: Any) -> bool:
    if isinstance(tree, ast.UnaryOp):
        return _is_number(tree.operand)
    if isinstance(tree, ast.BinOp):
        return _is_number(tree.left) and _is_number(tree.right)
    return isinstance(tree, ast.Constant)


_VISITORS: dict[type, Any] = {
    ast.Name: Constraints._name,
    ast.Subscript: Constraints._at,
    ast.Constant: Constraints._constant,
    ast.UnaryOp: Constraints._unary,
    ast.Attribute: Constraints._transposed,
    ast.BinOp: Constraints._binary,
    ast.Call: Constraints._call,
}
_SPECIAL: dict[str, Any] = {
    "softmax": Constraints._softmax,
    "diag": Constraints._diag,
    "inner": Constraints._inner,
    "outer": Constraints._outer,
    "concat": Constraints._concat,
}
