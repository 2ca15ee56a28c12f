"""A function of one variable from its text, parsed and never evaluated: how ``repr`` of a cell is read back."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr, Symbol

from ..algebra import FUNCTIONS
from ..errors import EquationError, nearest

_SYMPY = (
    *("exp", "log", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh"),
    *("acosh", "atanh", "sec", "csc", "cot", "sinc", "erf", "erfc", "gamma", "loggamma", "LambertW", "Abs", "sign"),
    *("Max", "Min", "Piecewise", "Heaviside"),
)
CALLS: dict[str, Any] = {
    **{name: entry.function for name, entry in FUNCTIONS.items()},
    **{name: getattr(sympy, name) for name in _SYMPY},
}
"""What can be called: the functions of the equation language, and SymPy's own."""
CONSTANTS = {"pi": sympy.pi, "E": sympy.E, "EulerGamma": sympy.EulerGamma, "True": sympy.true, "False": sympy.false}
LARGEST_BASE, LARGEST_EXPONENT, LONGEST, DEEPEST = 10**20, 100, 2000, 60

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type, Any] = {
    ast.Lt: sympy.Lt,
    ast.LtE: sympy.Le,
    ast.Gt: sympy.Gt,
    ast.GtE: sympy.Ge,
}
_JOINED: dict[type, Any] = {ast.BitAnd: sympy.And, ast.BitOr: sympy.Or}


def read_function(text: str) -> Expr:
    """Return the SymPy expression that a text stands for; its variables are real symbols.

    Raises
    ------
    EquationError
        Where it is no expression of numbers, variables and known functions; nothing is ever executed.

    Examples
    --------
    >>> read_function("u / (1 + Abs(u))")
    u/(Abs(u) + 1)
    """
    try:
        if len(text) > LONGEST:
            raise ValueError
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise EquationError(f"{text[:60]!r} is not an expression of one variable, such as 'u / (1 + abs(u))'") from None
    result = _read(tree, text, 0)
    if not isinstance(result, Expr) or result.has(sympy.zoo, sympy.nan, sympy.oo):
        raise EquationError(f"{text!r} is not an expression of one variable")
    return result


def _read(tree: ast.AST, text: str, depth: int) -> Any:
    def inner(part: ast.AST) -> Any:
        return _read(part, text, depth + 1)

    if depth > DEEPEST:
        raise EquationError(f"{text[:60]!r} is nested too deeply")
    if isinstance(tree, ast.Constant) and type(tree.value) in (int, float, bool):
        return sympy.sympify(tree.value) if not isinstance(tree.value, float) else _float(tree, text)
    if isinstance(tree, ast.Name) and not tree.id.startswith("_"):
        return CONSTANTS.get(tree.id, Symbol(tree.id, real=True))
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub | ast.UAdd):
        return -inner(tree.operand) if isinstance(tree.op, ast.USub) else inner(tree.operand)
    if isinstance(tree, ast.BinOp) and type(tree.op) in _BINARY:
        left, right = inner(tree.left), inner(tree.right)
        numbers = isinstance(tree.op, ast.Pow) and left.is_number and right.is_number
        if numbers and not (abs(left) <= LARGEST_BASE and abs(right) <= LARGEST_EXPONENT):
            raise EquationError(f"{text[:60]!r}: a power of such numbers is too large")
        return _BINARY[type(tree.op)](left, right)
    if isinstance(tree, ast.BinOp) and type(tree.op) in _JOINED:
        return _JOINED[type(tree.op)](inner(tree.left), inner(tree.right))
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1 and type(tree.ops[0]) in _COMPARISONS:
        return _COMPARISONS[type(tree.ops[0])](inner(tree.left), inner(tree.comparators[0]))
    if isinstance(tree, ast.Tuple):
        return sympy.Tuple(*map(inner, tree.elts))
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.keywords:
        return _call(tree.func.id, [inner(a) for a in tree.args], text)
    raise EquationError(f"{text[:60]!r}: {ast.get_source_segment(text.strip(), tree)!r} cannot be part of a function")


def _float(tree: ast.Constant, text: str) -> Any:
    return sympy.Float(ast.get_source_segment(text.strip(), tree) or repr(tree.value))


def _call(name: str, arguments: list[Any], text: str) -> Any:
    if name not in CALLS:
        raise EquationError(f"{text!r}: the function {name!r} is not known{nearest(name, CALLS)}")
    try:
        return CALLS[name](*arguments)
    except (TypeError, ValueError, AttributeError):
        raise EquationError(f"{text!r}: {name} does not take these {len(arguments)} arguments") from None
