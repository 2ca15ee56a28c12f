"""Elementwise functions: any SymPy expression of one variable, with its derivative as people write it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from itertools import product as cartesian
from typing import Any

import sympy
from sympy import Basic, Expr, Lambda, Max, Piecewise, Rational, S, Symbol
from sympy.core.symbol import Str

U = Symbol("u", real=True)
"""The input of an elementwise function."""
Y = Symbol("y", real=True)
"""Its output; a derivative may be written in it (tanh' = 1 - y^2)."""


class ElementwiseFunction(Basic):
    """A function of one real variable that maps and names itself: ``f(name, Lambda(u, f(u)))``.

    >>> tanh = FUNCTIONS["tanh"].function
    >>> tanh.name, tanh(Symbol("a")), tanh.prime.name
    ('tanh', tanh(a), "tanh'")
    """

    def __new__(cls, name: Any, rule: Lambda) -> ElementwiseFunction:
        return Basic.__new__(cls, name if isinstance(name, Str) else Str(name), rule)

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def rule(self) -> Lambda:
        return self.args[1]

    def __call__(self, value: Any) -> Expr:
        return self.rule(value)

    def _xreplace(self, rule: Any) -> tuple[Basic, bool]:
        """Replace nothing inside: the input is bound, whatever else has its name."""
        return (rule[self], True) if self in rule else (self, False)

    @property
    def prime(self) -> ElementwiseFunction:
        """The derivative as a function of the input, named with a prime."""
        return ElementwiseFunction(self.name + "'", Lambda(U, _derivative(self.rule(U))))

    @property
    def written(self) -> Expr | None:
        """The derivative in the output ``Y`` (and the input ``U``), where people write it so."""
        entry = FUNCTIONS.get(self.name)
        return entry.written if entry is not None and entry.function == self else None

    @property
    def kinks(self) -> tuple[Expr, ...]:
        """The points where the function has no derivative and a convention is taken."""
        return _kinks(self.rule(U))


@dataclass(frozen=True)
class Entry:
    """One named function: its rule, its derivative as written, and the supremum of |f'|."""

    function: ElementwiseFunction
    written: Expr | None = None
    supremum: Expr | None = None


def _entry(name: str, rule: Expr, written: Any = None, supremum: Any = None) -> tuple[str, Entry]:
    function = ElementwiseFunction(name, Lambda(U, rule))
    return name, Entry(
        function,
        None if written is None else sympy.sympify(written),
        None if supremum is None else sympy.sympify(supremum),
    )


_SIGMOID = 1 / (1 + sympy.exp(-U))
_GELU_INNER = sympy.sqrt(2 / sympy.pi) * (U + Rational(44715, 1000000) * U**3)

FUNCTIONS: dict[str, Entry] = dict(
    [
        _entry("tanh", sympy.tanh(U), 1 - Y**2, 1),
        _entry("sigmoid", _SIGMOID, Y * (1 - Y), Rational(1, 4)),
        _entry("relu", Max(0, U), None, 1),
        _entry("leaky_relu", Piecewise((U, U > 0), (U / 100, True)), None, 1),
        _entry("linear", U, S.One, 1),
        _entry("softplus", sympy.log(1 + sympy.exp(U)), None, 1),
        _entry("elu", Piecewise((U, U > 0), (sympy.exp(U) - 1, True)), None, 1),
        _entry("gelu", U * (1 + sympy.tanh(_GELU_INNER)) / 2, None, Rational(112900, 100000)),
        _entry("silu", U * _SIGMOID, None, Rational(109984, 100000)),
        _entry("exp", sympy.exp(U), Y, sympy.oo),
        _entry("log", sympy.log(U), None, sympy.oo),
        _entry("sqrt", sympy.sqrt(U), None, sympy.oo),
        _entry("sin", sympy.sin(U), None, 1),
        _entry("cos", sympy.cos(U), None, 1),
        _entry("abs", sympy.Abs(U), None, 1),
        _entry("sign", sympy.sign(U), S.Zero, 0),
    ]
)
"""Named functions as data. ``gelu`` is the tanh form (Hendrycks and Gimpel 2016, section 2)."""


def named(name: str) -> ElementwiseFunction:
    """Return the catalogue function of that name."""
    return FUNCTIONS[name].function


@cache
def _kinks(rule: Expr) -> tuple[Expr, ...]:
    points: list[Expr] = []
    for part in sympy.preorder_traversal(rule):
        meetings: list[Expr] = []
        if isinstance(part, Max | sympy.Min):
            meetings = [a - b for a, b in combinations(_branches(part), 2)]
        elif isinstance(part, sympy.Abs | sympy.sign):
            meetings = _branches(part.args[0])
        elif isinstance(part, Piecewise):
            relations = [r for _, c in part.args for r in c.atoms(sympy.core.relational.Relational)]
            meetings = [b for r in relations for b in _branches(r.lhs - r.rhs)]
        points += [root for meeting in meetings for root in sympy.solve(meeting, U)]
    slope = _derivative(rule)
    return tuple(p for p in dict.fromkeys(points) if not (_joined_at(rule, p) and _joined_at(slope, p)))


def _branches(expr: Expr) -> list[Expr]:
    """Every expression that this one may be between its kinks."""
    if isinstance(expr, Max | sympy.Min):
        return [b for a in expr.args for b in _branches(a)]
    if isinstance(expr, Piecewise):
        return [b for a, _ in expr.args for b in _branches(a)]
    if isinstance(expr, sympy.Abs):
        return [b for a in _branches(expr.args[0]) for b in (a, -a)]
    if not expr.args:
        return [expr]
    return [expr.func(*choice) for choice in cartesian(*map(_branches, expr.args))]


def _joined_at(expr: Expr, point: Expr) -> bool:
    """Whether the expression does not jump at the point."""
    gap = sympy.Float("1e-9")
    left, right = (expr.xreplace({U: sympy.Float(point) + s}).evalf() for s in (-gap, gap))
    return bool(abs(left - right) < 1e-6)


@cache
def _derivative(rule: Expr) -> Expr:
    """Differentiate by the input; a kink takes the slope of the branch whose condition fails (0 for relu at 0)."""
    plain = rule.replace(
        lambda e: isinstance(e, Max | sympy.Min) and len(e.args) == 2,
        lambda e: _as_branches(e),
    )
    plain = plain.replace(sympy.Abs, lambda a: a * sympy.sign(a))
    slope = plain.diff(U).replace(lambda e: isinstance(e, sympy.Derivative), lambda e: S.Zero)
    slope = slope.replace(lambda e: isinstance(e, sympy.DiracDelta), lambda e: S.Zero)
    for name, entry in _TIDY.items():
        if rule == FUNCTIONS[name].function.rule(U):
            return entry
    return slope


def _as_branches(expr: Expr) -> Piecewise:
    constant = [a for a in expr.args if not a.has(U)]
    a, b = expr.args
    low = constant[0] if constant else a
    other = b if low == a else a
    condition = other > low if isinstance(expr, Max) else other < low
    return Piecewise((other, condition), (low, True))


_TIDY: dict[str, Expr] = {
    "sigmoid": _SIGMOID * (1 - _SIGMOID),
    "softplus": _SIGMOID,
}
"""Derivatives that are written better than SymPy writes them."""
