"""What a note defines: equations of its model, numbers it gives, and symbols of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ..meaning.expr import (
    Add,
    Call,
    Counter,
    Deriv,
    Div,
    Expr,
    Matrix,
    Mul,
    Num,
    Pow,
    Ref,
    Series,
    Unknown,
    letters_of,
    with_index,
)
from ..meaning.index import Index, letter
from .statements import Statement

T = "t"
EQUALITIES = ("=", ":=", "equiv")


@dataclass(frozen=True)
class Definition:
    """A symbol and what it is.

    Attributes
    ----------
    statement : Statement
    key : str
    step : Index or None
        t for an equation over time, a number for one step, None for a symbol without a step.
    right : Expr
        In t, where it is over time.
    general : bool
        Whether it is the equation of every step, or follows from that of one step.
    """

    statement: Statement
    key: str
    step: Index | None
    right: Expr
    general: bool = True


def number_in(expr: Expr) -> object | None:
    """Return the number or the array of numbers that an expression is, as nested lists of fractions; else None.

    >>> number_in(Add((-1,), (Num(Fraction(2)),)))
    Fraction(-2, 1)
    """
    if isinstance(expr, Num):
        return expr.value
    if isinstance(expr, Add) and len(expr.terms) == 1:
        inner = number_in(expr.terms[0])
        return expr.signs[0] * inner if isinstance(inner, Fraction) else None
    if isinstance(expr, Div):
        top, bottom = number_in(expr.top), number_in(expr.bottom)
        return top / bottom if isinstance(top, Fraction) and isinstance(bottom, Fraction) and bottom else None
    if isinstance(expr, Pow):
        base, exponent = number_in(expr.base), number_in(expr.exponent)
        small = isinstance(exponent, Fraction) and exponent.denominator == 1 and abs(exponent) < 400
        return base ** int(exponent) if isinstance(base, Fraction) and isinstance(exponent, Fraction) and small and (
            base or exponent > 0
        ) else None  # fmt: skip
    if isinstance(expr, Mul):
        total = Fraction(1)
        for factor in expr.factors:
            part = number_in(factor)
            if not isinstance(part, Fraction):
                return None
            total *= part
        return total
    if isinstance(expr, Matrix):
        rows = [[number_in(cell) for cell in row] for row in expr.rows]
        if any(not isinstance(cell, Fraction) for row in rows for cell in row):
            return None
        return [row[0] for row in rows] if all(len(row) == 1 for row in rows) else rows
    return None


def definition_of(statement: Statement) -> Definition | None:
    """Return what a statement defines if its symbol is new, or None where it cannot define anything.

    Equations at t + 1 are written for t, and those with another letter for their step too.
    """
    left = statement.operands[0]
    if statement.relations[0].kind not in EQUALITIES or not isinstance(left, Ref):
        return None
    right = statement.operands[1]
    if any(isinstance(part, Unknown) for part in right.walk()):
        return None
    if left.when is None:
        return Definition(statement, left.key, None, right)
    if left.when.is_number:
        return Definition(statement, left.key, left.when, right, general=False)
    if len(left.when.terms) != 1 or left.when.terms[0][1] != 1 or left.when.terms[0][0] == "T":
        return None
    name, shift = left.when.terms[0][0], left.when.constant
    right = with_index(right, name, Index(((T, 1),), -shift)) if (name, shift) != (T, 0) else right
    return Definition(statement, left.key, letter(T), right)


def named_argument(statement: Statement) -> Definition | None:
    r"""Return what ``h_t = \\phi(a_t) = \\phi(W x_t + b)`` defines beside h: a_t."""
    calls = [o for o in statement.operands if isinstance(o, Call) and len(o.arguments) == 1]
    if len(calls) < 2 or calls[0].name != calls[1].name or any(r.kind not in EQUALITIES for r in statement.relations):
        return None
    name, argument = calls[0].arguments[0], calls[1].arguments[0]
    if not isinstance(name, Ref) or isinstance(argument, Ref) or name.when != letter(T) or has_derivative(argument):
        return None
    return Definition(statement, name.key, letter(T), argument)


def given_together(statement: Statement) -> list[Definition]:
    """Return the numbers of ``(x_1, x_2) = (1, 2)``."""
    left, right = statement.operands[0], statement.operands[1]
    if not isinstance(left, Matrix) or not isinstance(right, Matrix) or len(statement.operands) != 2:
        return []
    names = [cell for row in left.rows for cell in row]
    numbers = [cell for row in right.rows for cell in row]
    refs = [name for name in names if isinstance(name, Ref)]
    if len(refs) != len(names) or len(names) != len(numbers) or None in [number_in(n) for n in numbers]:
        return []
    return [Definition(statement, r.key, r.when, n, general=False) for r, n in zip(refs, numbers, strict=True)]


def generalised(definition: Definition) -> Definition | None:
    """Return the equation of every step that the equation of one step stands for; None where it stands for none.

    >>> from symbptt.reading.note import Note, Formula
    >>> from symbptt.reading.check.statements import read_formulas, statements, symbols_of
    >>> reads = read_formulas(Note("n", "", (Formula("z_2 = W h_1 + U x_2", 0), Formula("h_0, x_1, z_1", 50))))
    >>> found = definition_of(statements(reads, symbols_of(reads))[0])
    >>> generalised(found).right.terms[0].factors[1].when
    t-1
    """
    step = definition.step
    if step is None or not step.is_number or not _is_symbolic(definition.right):
        return None
    base = step.constant

    def rule(part: Expr) -> Expr:
        if isinstance(part, Ref) and part.when is not None and part.when.is_number:
            return replace(part, when=Index(((T, 1),), part.when.constant - base))
        return part

    if letters_of(definition.right):
        return None
    return replace(definition, step=letter(T), right=definition.right.mapped(rule), general=False)


def _is_symbolic(expr: Expr) -> bool:
    return any(isinstance(part, Ref) for part in expr.walk()) and not any(
        isinstance(part, Deriv | Series) for part in expr.walk()
    )


def has_derivative(expr: Expr) -> bool:
    """Whether a derivative occurs in an expression."""
    return any(isinstance(part, Deriv) or (isinstance(part, Call) and part.primes) for part in expr.walk())


def refs_in(expr: Expr) -> list[Ref]:
    """Return the symbols of an expression."""
    return [part for part in expr.walk() if isinstance(part, Ref)]


def same(a: Expr, b: Expr) -> bool:
    """Whether two expressions are the same but for the order of terms and the kind of dots between factors."""
    return _normal(a) == _normal(b)


def _normal(expr: Expr) -> object:
    if isinstance(expr, Num):
        return expr.value
    if isinstance(expr, Counter):
        return "counter", repr(expr.index)
    children = [_normal(child) for child in expr.children]
    if isinstance(expr, Add):
        parts = sorted(zip(expr.signs, children, strict=True), key=repr)
        return "add", tuple(parts)
    own: tuple[object, ...] = ()
    if isinstance(expr, Ref):
        own = (expr.key, repr(expr.when))
    elif isinstance(expr, Call):
        own = (expr.name, expr.primes)
    return type(expr).__name__, own, tuple(children)
