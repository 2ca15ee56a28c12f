"""Identities of plain algebra, proved exactly."""

from __future__ import annotations

from ..plain import NotPlainError, TooLargeError, plain
from .statements import Statement


def is_proved(statement: Statement) -> bool:
    """Whether all operands of a statement are plain algebra and SymPy shows that they are equal.

    Plain algebra goes through latex2sympy2 where it is installed, and through our own conversion elsewhere.

    Examples
    --------
    >>> from symbptt.reading.note import Formula, Note
    >>> from symbptt.reading.check.statements import read_formulas, statements, symbols_of
    >>> reads = read_formulas(Note("n", "", (Formula(r"(a + b)^2 = a^2 + 2 a b + b^2", 0),)))
    >>> is_proved(statements(reads, symbols_of(reads))[0])
    True
    """
    import sympy

    if any(relation.kind not in ("=", ":=", "equiv") for relation in statement.relations):
        return False
    try:
        first, *others = (plain(operand) for operand in statement.tree.operands)
    except (NotPlainError, TooLargeError):
        return False
    if any(len(e.free_symbols) > 6 or sympy.count_ops(e) > 200 for e in (first, *others)):
        return False
    return all(sympy.expand(first - other) == 0 or sympy.simplify(first - other) == 0 for other in others)
