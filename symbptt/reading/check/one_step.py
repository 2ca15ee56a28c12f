"""A bound of many steps beside the Jacobian of one step: the commonest mistake about bounds, and what is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..meaning.expr import Call, Deriv, Expr, Mul, Norm, Pow, Ref, Transpose, letters_of
from ..meaning.index import Index
from .hypotheses import INEQUALITIES, pairs
from .statements import Statement

Holds = Callable[[Statement], bool]


def one_step(statement: Statement, symbols: Sequence[str], holds: Holds) -> tuple[str | None, str | None]:
    """Return the cause and the right formula where a bound of many steps stands beside the Jacobian of one step.

    Parameters
    ----------
    statement : Statement
    symbols : sequence of str
        Keys of the recurrent matrices.
    holds : callable
        Whether another statement holds in its place.
    """
    for place, (a, kind, b) in enumerate(pairs(statement)):
        for jacobian, bound in ((a, b), (b, a)):
            derivative = _of_one_step(jacobian)
            powers = [p for p in bound.walk() if isinstance(p, Pow) and letters_of(p.exponent)]
            if derivative is not None and powers and kind in INEQUALITIES:
                return "one-step-bound", _right(statement, place, jacobian, derivative, powers[0], symbols, holds)
    return None, None


def latex_of(key: str) -> str:
    """Return the LaTeX of a symbol by its key.

    >>> latex_of("W_hh"), latex_of("gamma"), latex_of("lambda_1")
    ('W_{hh}', '\\\\gamma', '\\\\lambda_{1}')
    """
    head, _, label = key.partition("_")
    text = f"\\{head}" if len(head) > 1 and head.isalpha() else head
    return f"{text}_{{{label}}}" if label else text


def _of_one_step(e: Expr) -> Deriv | None:
    inner = e.of if isinstance(e, Norm) else None
    while isinstance(inner, Transpose):
        inner = inner.of
    if not isinstance(inner, Deriv) or len(inner.by) != 1:
        return None
    of, by = inner.of, inner.by[0]
    if not (isinstance(of, Ref) and isinstance(by, Ref) and of.when is not None and by.when is not None):
        return None
    return inner if of.key == by.key and of.when - by.when == Index((), 1) else None


def _with(e: Expr, old: Expr, new: Expr) -> Expr:
    return e.mapped(lambda part: new if part == old else part)


def _right(
    statement: Statement, place: int, jacobian: Expr, derivative: Deriv, power: Pow, symbols: Sequence[str],
    holds: Holds,
) -> str | None:  # fmt: skip
    """Return the bound on the Jacobian over t steps, with the norm of the recurrent matrix where it needs that."""
    by = derivative.by[0]
    assert isinstance(by, Ref)
    start = replace(by, when=Index())
    many = _with(jacobian, derivative, replace(derivative, by=(start,)))
    chain = tuple(many if o is jacobian else o for o in statement.operands)
    head, stepped, _ = statement.source(by).partition("_")
    tries: list[tuple[Expr | None, str]] = [(None, "")]
    lower = any(k in (">", "ge") for _, k, _ in pairs(statement)) == (statement.operands[place] is jacobian)
    for symbol in symbols[:1]:
        size: Expr = Call("sigma_min", (Ref(symbol),)) if lower else Norm(Ref(symbol))
        name = f"\\sigma_{{\\min}}({latex_of(symbol)})" if lower else f"\\|{latex_of(symbol)}\\|"
        tries.append((size, name))
    for factor, name in tries:
        operands = chain
        if factor is not None:
            larger = replace(power, base=Mul((power.base, factor), ("",)))
            operands = tuple(_with(o, power, larger) for o in chain)
        changed = replace(statement, operands=operands)
        if stepped and holds(changed):
            spans = [(by.tree.start, by.tree.end, f"{head.strip()}_0")]
            if name:
                begin, source = power.base.tree.start, _base(statement.source(power.base))
                spans.append((begin, begin + len(source), f"({source} {name})"))
            return _edited(statement, spans)
    return None


def _base(latex: str) -> str:
    r"""Return what stands before an exponent.

    >>> _base("c^t"), _base(r"c_{a^2}^{t}")
    ('c', 'c_{a^2}')
    """
    depth = 0
    for i, sign in enumerate(latex):
        depth += (sign == "{") - (sign == "}")
        if sign == "^" and depth == 0:
            return latex[:i].strip()
    return latex


def _edited(statement: Statement, spans: list[tuple[int, int, str]]) -> str:
    text, shift = statement.read.formula.latex, 0
    first, last = statement.tree.start, statement.tree.end
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
        shift += len(new) - (end - start)
    return text[first : last + shift].strip()
