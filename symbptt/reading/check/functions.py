"""Which function a letter is, where a note says so in a formula: ``f = \\tanh``, ``f'(z) = f(z)(1 - f(z))``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ...algebra import FUNCTIONS
from ..meaning.expr import Add, Call, Expr, Ref
from ..meaning.symbols import FUNCTION_NAMES, Symbols
from ..note import Note
from ..value.world import Meanings, World
from .compare import TRUE, test
from .hypothetical import is_hypothesis
from .statements import Statement

CANDIDATES = ("sigmoid", "tanh", "relu", "linear", "softplus", "leaky_relu", "elu", "silu")
"""Functions that a letter may be."""

SUPPOSES = re.compile(r"若|如果|假如|当|没有|\b(if|when|with|without|were|suppose)\b", re.I)
"""Words of a sentence about a case that is only supposed."""


def functions_said(found: Iterable[Statement], symbols: Symbols, note: Note) -> tuple[dict[str, str], dict[int, str]]:
    """Return letter -> name in the language, and number of a statement -> the functions of which it is true.

    A formula about a function alone settles what the letter is where it is true of a single function of the
    catalogue, and no other formula says something else.
    """
    said: dict[str, set[str]] = {}
    true_of: dict[int, str] = {}
    for statement in found:
        if is_hypothesis(statement, note):
            continue
        named = _named(statement)
        if named is not None:
            said.setdefault(named[0], set()).add(named[1])
            continue
        letter = _letter(statement, symbols)
        if letter is None:
            continue
        true = [name for name in CANDIDATES if _holds(statement, letter, name)]
        if true:
            true_of[statement.number] = ", ".join(true)
        if len(true) == 1 and not _is_supposed(statement, note):
            said.setdefault(letter, set()).add(true[0])
    return {letter: next(iter(names)) for letter, names in said.items() if len(names) == 1}, true_of


def _is_supposed(statement: Statement, note: Note) -> bool:
    """Whether its sentence supposes something, so that it speaks of that case alone: "without activation, f(z) = z"."""
    before = re.split(r"[。；;]|\.\s|\n\s*\n", note.text[max(statement.start - 200, 0) : statement.start])[-1]
    return bool(SUPPOSES.search(before))


def _named(statement: Statement) -> tuple[str, str] | None:
    """``f = \\tanh``, ``\\sigma(x) = \\tanh(x)``."""
    left, right = statement.operands[0], statement.operands[1]
    if statement.relations[0].kind not in ("=", ":=", "equiv"):
        return None
    if isinstance(left, Ref) and isinstance(right, Ref) and left.when is None and len(left.key) < 8:
        name = FUNCTION_NAMES.get(right.key)
        return (left.key, name) if name is not None and left.key not in FUNCTIONS else None
    if isinstance(left, Call) and isinstance(right, Call) and left.arguments == right.arguments and not left.primes:
        letter = _head(statement, left)
        plain = all(isinstance(a, Ref) and a.when is None for a in left.arguments)
        if plain and not right.primes and right.name in FUNCTIONS and letter not in FUNCTIONS and letter != right.name:
            return letter, right.name
    return None


def _head(statement: Statement, call: Call) -> str:
    """Return the letter by which a function is called in the note."""
    return statement.source(call).partition("(")[0].strip().lstrip("\\").rstrip("'").strip()


def _letter(statement: Statement, symbols: Symbols) -> str | None:
    """Return the letter of a statement about one function that has only a name, and any number."""
    calls = {p.name for o in statement.operands for p in o.walk() if isinstance(p, Call) and not _of_matrix(p)}
    open_ = {name for name in calls if not symbols.functions.get(name) and name not in FUNCTIONS}
    refs = [p for o in statement.operands for p in o.walk() if isinstance(p, Ref)]
    if len(open_) != 1 or any(r.when is not None for r in refs) or len({r.key for r in refs} - {"e"}) != 1:
        return None
    return open_.pop() if isinstance(statement.operands[0], Call) else None


def _of_matrix(e: Call) -> bool:
    """Whether a function is one of matrices: the spectral radius, an eigenvalue."""
    return any(isinstance(p, Ref) and p.when is None and p.key[:1].isupper() for a in e.arguments for p in a.walk())


def _holds(statement: Statement, letter: str, name: str) -> bool:
    def rule(part: Expr) -> Expr:
        return replace(part, name=name) if isinstance(part, Call) and part.name == letter else part

    def opposite(part: Expr) -> Expr:
        return Add((-1,), (part,)) if isinstance(part, Ref) and part.key != "e" else part

    changed = replace(statement, operands=tuple(o.mapped(rule) for o in statement.operands))
    mirrored = replace(changed, operands=tuple(o.mapped(opposite) for o in changed.operands))
    worlds = tuple(World(None, Meanings(), seed=seed, guess=True) for seed in range(3))
    return all(test(one, worlds).state == TRUE for one in (changed, mirrored))
