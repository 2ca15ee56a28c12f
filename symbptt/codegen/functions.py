"""Elementwise functions in NumPy that neither overflow nor divide by zero: name -> source, for values and slopes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr
from sympy.printing.numpy import NumPyPrinter

from ..algebra import FUNCTIONS, ElementwiseFunction, present
from ..algebra.functions import U
from ..algebra.plain import to_plain
from .layout import statement


@dataclass(frozen=True)
class Source:
    """How a function is called, and the helpers that the call needs.

    Attributes
    ----------
    call : str
        Python with ``{u}`` for the argument.
    helpers : tuple of pairs
        Name -> definition, in the order in which they are written.
    """

    call: str
    helpers: tuple[tuple[str, str], ...] = ()


def _helper(name: str, text: str) -> tuple[str, str]:
    return name, f"def {name}{text}"


SIGMOID = _helper(
    "sigmoid",
    '''(u):
    """Return the logistic function; the exponential cannot overflow."""
    e = np.exp(-np.abs(u))
    return np.where(u >= 0, 1.0, e) / (1.0 + e)
''',
)

LOG_SIGMOID = _helper(
    "log_sigmoid",
    '''(u):
    """Return log(sigmoid(u)) without rounding the sigmoid to 0."""
    return -np.logaddexp(0.0, -u)
''',
)

SOFTMAX = _helper(
    "softmax",
    '''(a):
    """Return exp(a) / sum(exp(a)) along the last axis; the largest entry is subtracted first."""
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
''',
)

LOG_SOFTMAX = _helper(
    "log_softmax",
    '''(a):
    """Return log(softmax(a)) without rounding the softmax to 0."""
    shifted = a - a.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
''',
)


def _slope(name: str, body: str, *needs: tuple[str, str], doc: str = "") -> Source:
    text = doc or f"Return the derivative of {name}."
    helper = _helper(f"{name}_prime", f'(u):\n    """{text}"""\n{body}')
    return Source(f"{name}_prime({{u}})", (*needs, helper))


def _value(name: str, body: str, *needs: tuple[str, str]) -> Source:
    helper = _helper(name, f'(u):\n    """Return {name}, elementwise."""\n{body}')
    return Source(f"{name}({{u}})", (*needs, helper))


_GELU = "    inner = 0.7978845608028654 * (u + 0.044715 * u * u * u)\n"

TABLE: dict[str, Source] = {
    "tanh": Source("np.tanh({u})"),
    "tanh'": _slope("tanh", "    y = np.tanh(u)\n    return 1.0 - y * y\n"),
    "sigmoid": Source("sigmoid({u})", (SIGMOID,)),
    "sigmoid'": _slope("sigmoid", "    y = sigmoid(u)\n    return y * (1.0 - y)\n", SIGMOID),
    "relu": Source("np.maximum({u}, 0.0)"),
    "relu'": _slope("relu", "    return (u > 0).astype(u.dtype)\n", doc="Return the derivative of relu; 0 at 0."),
    "leaky_relu": _value("leaky_relu", "    return np.where(u > 0, u, u / 100)\n"),
    "leaky_relu'": _slope("leaky_relu", "    return np.where(u > 0, 1.0, 0.01).astype(u.dtype)\n"),
    "linear": Source("{u}"),
    "softplus": Source("np.logaddexp(0.0, {u})"),
    "softplus'": Source("sigmoid({u})", (SIGMOID,)),
    "elu": _value("elu", "    return np.where(u > 0, u, np.expm1(np.minimum(u, 0.0)))\n"),
    "elu'": _slope("elu", "    return np.exp(np.minimum(u, 0.0))\n"),
    "gelu": _value("gelu", f"{_GELU}    return 0.5 * u * (1.0 + np.tanh(inner))\n"),
    "gelu'": _slope(
        "gelu",
        f"{_GELU}    y = np.tanh(inner)\n"
        "    slope = 0.7978845608028654 * (1.0 + 0.134145 * u * u)\n"
        "    return 0.5 * (1.0 + y) + 0.5 * u * (1.0 - y * y) * slope\n",
    ),
    "silu": _value("silu", "    return u * sigmoid(u)\n", SIGMOID),
    "silu'": _slope("silu", "    y = sigmoid(u)\n    return y * (1.0 + u * (1.0 - y))\n", SIGMOID),
    "exp": Source("np.exp({u})"),
    "exp'": Source("np.exp({u})"),
    "log": Source("np.log({u})"),
    "log'": _slope("log", "    return 1.0 / u\n"),
    "sqrt": Source("np.sqrt({u})"),
    "sqrt'": _slope("sqrt", "    return 0.5 / np.sqrt(u)\n"),
    "sin": Source("np.sin({u})"),
    "sin'": Source("np.cos({u})"),
    "cos": Source("np.cos({u})"),
    "cos'": _slope("cos", "    return -np.sin(u)\n"),
    "abs": Source("np.abs({u})"),
    "abs'": Source("np.sign({u})"),
    "sign": Source("np.sign({u})"),
    "sign'": Source("np.zeros_like({u})"),
}
"""Function (or its derivative, with a prime) -> source, for the functions of :data:`symbptt.algebra.FUNCTIONS`."""


def python_name(function: ElementwiseFunction) -> str:
    """Return the function's name as an identifier: f' becomes f_prime, and 2.f' of layer 2 f_prime_2."""
    prefix, _, last = function.name.replace("'", "_prime").rpartition(".")
    return re.sub(r"\W", "_", ".".join(filter(None, (last, prefix))))


def known_as(function: ElementwiseFunction) -> str | None:
    """Return the name in :data:`TABLE` of the same function, or None."""
    rule = function.rule(U)
    for name, entry in FUNCTIONS.items():
        if rule == entry.function.rule(U):
            return name
    for name, entry in FUNCTIONS.items():
        if name != "linear" and rule.has(U) and rule == entry.function.prime.rule(U):
            return name + "'"
    return None


def own(function: ElementwiseFunction, name: str, module: str = "np") -> Source:
    """Return the source of a function of the user's own, for the library that is called ``module``."""
    rule = function.rule(U)
    formula = to_plain(present(rule)).replace("\\", "/")
    body = _spaced(_Printer(module).doprint(_rounded(rule)))
    if not rule.has(U):
        body = f"{module}.full_like(u, {body})"
    ignored = 'over="ignore", invalid="ignore", divide="ignore"' if rule.has(sympy.Piecewise) else 'over="ignore"'
    guard = f"    with np.errstate({ignored}):\n" if module == "np" else ""  # others give no warnings
    lines = "\n".join(statement(f"return {body}", 8 if guard else 4))
    text = f'(u):\n    """Return {formula}."""\n{guard}{lines}\n'
    return Source(f"{name}({{u}})", (_helper(name, text),))


def _spaced(text: str) -> str:
    """Return an expression with the spaces that black gives it."""
    text = ast.unparse(ast.parse(text, mode="eval"))
    return re.sub(r"(?<![\w.])(\w+(?:\.\d+)?) \*\* (-?\w+(?:\.\d+)?)(?![\w.(\[])", r"\1**\2", text)


def _rounded(expr: Expr) -> Expr:
    """Turn constants such as sqrt(2/pi) into floats, which keep single precision single."""
    if expr.is_number and not expr.is_Rational:
        return sympy.N(expr, 17)
    if isinstance(expr, sympy.Mul | sympy.Add):
        constant, rest = expr.as_independent(U, as_Add=isinstance(expr, sympy.Add))
        if not constant.is_Rational and constant.is_number:
            return expr.func(sympy.N(constant, 17), _rounded(rest))
    return expr.func(*map(_rounded, expr.args)) if expr.args and not expr.is_Boolean else expr


class _Printer(NumPyPrinter):
    """SymPy's NumPy code under a short name, with branches that keep the precision of their input."""

    def __init__(self, module: str) -> None:
        super().__init__({"fully_qualified_modules": False, "user_functions": {}})
        self._module = module

    def _module_format(self, fqn: str, register: bool = True) -> str:
        return f"{self._module}.{fqn.rsplit('.', 1)[-1]}"

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Max(self, expr: Any) -> str:
        return self._folded(f"{self._module}.maximum", expr.args)

    def _print_Min(self, expr: Any) -> str:
        return self._folded(f"{self._module}.minimum", expr.args)

    def _folded(self, name: str, args: Any) -> str:
        first, *rest = args
        return f"{name}({self._print(first)}, {self._folded(name, rest)})" if rest else str(self._print(first))

    def _print_Piecewise(self, expr: Any) -> str:
        where, text = f"{self._module}.where", f"{self._module}.nan"
        for value, condition in reversed(expr.args):
            body = self._print(value)
            text = body if condition == sympy.true else f"{where}({self._print(condition)}, {body}, {text})"
        return text if all(value.has(U) for value, _ in expr.args) else f"{text}.astype(u.dtype)"

    def _print_sign(self, expr: Any) -> str:
        return f"{self._module}.sign({self._print(expr.args[0])})"

    def _print_Abs(self, expr: Any) -> str:
        return f"{self._module}.abs({self._print(expr.args[0])})"
