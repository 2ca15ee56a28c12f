"""What a note leaves for its reader to complete: pre-activations named later, and symbols for any parameter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..meaning.expr import Call, Deriv, Expr, Ref
from ..meaning.index import letter
from .definitions import Definition, T, refs_in, same
from .discover import Model
from .statements import Statement

NOW = letter(T)


def completed(model: Model, found: Iterable[Statement]) -> Model:
    r"""Return a model whose equations read the pre-activations that the note names.

    Where a note has ``f_t = \sigma(W x_t + b)`` and, later, ``\hat f_t = W x_t + b``, then f_t is
    ``\sigma(\hat f_t)``, so that a derivative by ``\hat f_t`` is what its author means. What it names in the same way
    for one gate, and mentions for the others, is completed for these.
    """
    mentioned = {r.key for s in found for o in s.operands for r in refs_in(o) if r.when is not None}
    equations = dict(model.equations)
    inner = {k: d for k, d in equations.items() if not isinstance(d.right, Ref) and d.general}
    for key, definition in inner.items():
        for other, target in list(equations.items()):
            if other != key:
                equations[other] = replace(target, right=_with_name(target.right, definition))
    patterns = {_pattern(key, other) for key in inner for other, d in equations.items() if _reads(d.right, key)}
    for pattern in sorted(p for p in patterns if p):
        _complete(pattern, equations, mentioned)
    return replace(model, equations=equations)


def _with_name(right: Expr, definition: Definition) -> Expr:
    """Put the name of a variable where its right side stands as the argument of a function."""

    def rule(part: Expr) -> Expr:
        if isinstance(part, Call) and len(part.arguments) == 1 and same(part.arguments[0], definition.right):
            return replace(part, arguments=(Ref(definition.key, NOW, tree=part.arguments[0].tree),))
        return part

    return right.mapped(rule)


def _reads(right: Expr, key: str) -> bool:
    return isinstance(right, Call) and right.arguments == (Ref(key, NOW),)


def _pattern(key: str, other: str) -> str:
    """Return how a pre-activation is named after its gate: ``{}_hat``, ``z_{}``; empty where it is not."""
    parts = key.split("_")
    return "_".join("{}" if part == other else part for part in parts) if other in parts and len(parts) > 1 else ""


def _complete(pattern: str, equations: dict[str, Definition], mentioned: set[str]) -> None:
    for key, definition in list(equations.items()):
        name = pattern.format(key)
        right = definition.right
        plain = isinstance(right, Call) and len(right.arguments) == 1 and not isinstance(right.arguments[0], Ref)
        if plain and isinstance(right, Call) and name in mentioned and name not in equations:
            before = {k: d for k, d in equations.items() if k != key}
            new = Definition(definition.statement, name, NOW, right.arguments[0])
            equations.clear()
            equations.update(before)
            equations[name] = new
            equations[key] = replace(definition, right=replace(right, arguments=(Ref(name, NOW),)))


def any_parameters(found: Iterable[Statement], known: set[str]) -> set[str]:
    """Return the symbols by which derivatives are taken and that stand for any parameter: w, \\theta."""
    by = [
        part.by[0]
        for s in found
        for o in s.operands
        for part in o.walk()
        if isinstance(part, Deriv) and len(part.by) == 1
    ]
    return {r.key for r in by if isinstance(r, Ref) and r.when is None and r.key not in known}
