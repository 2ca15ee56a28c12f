"""Which earlier equations turn one line of a step into the next, for references in papers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sympy import Basic, Expr, preorder_traversal

from ..algebra.leaves import Gradient, Jacobian, MatrixAt, ScalarAt, ScalarDerivative, index
from ..derive.steps import PROOF, WORKED

MOST = 4
"""A line that rests on more equations than this refers to none: the reference would be longer than the formula."""
_DERIVATIVES = (ScalarDerivative, Gradient, Jacobian)
_VARIABLES = (ScalarAt, MatrixAt)


def uses(derivation: Any) -> dict[str, tuple[str, ...]]:
    """Return step key -> keys of the earlier steps that it uses, in printed order.

    A step uses an earlier one where the left side of that one, a derivative or the number of a variable, stands in one
    of its lines and is gone in the next: it was replaced there by what it equals. A step for every t is used at t + 1
    and at 1 as well.

    >>> from symbptt import RNN
    >>> found = uses(RNN("tanh", readout="linear").derivation())
    >>> found["local.h"], found["parameter.W_h"]
    (('local.y',), ('recursion.z',))
    """
    known: dict[Basic, str] = {}
    order: dict[str, int] = {}
    found: dict[str, tuple[str, ...]] = {}
    for step in derivation.steps:
        if not step.chain or step.kind == PROOF:  # what a proof rearranges is not replaced
            continue
        keys = {key for leaf in _replaced(step) if (key := _key(leaf, step, known)) is not None}
        if 0 < len(keys) <= MOST:
            found[step.key] = tuple(sorted(keys, key=lambda key: order[key]))
        if isinstance(step.left, _DERIVATIVES) or _is_number_of(step.left):
            known[step.left] = step.key
            if index() in step.left.atoms():
                known[_at_zero(step.left)] = step.key
            order[step.key] = len(order)
    return found


def _key(leaf: Any, step: Any, known: dict[Basic, str]) -> str | None:
    """Return the step that a leaf is the left side of, at its own t or, where it holds for every t, at another."""
    if step.kind == WORKED:
        return None if index() in leaf.atoms() else known.get(leaf)
    other = _at_zero(leaf)
    return known.get(leaf) or (None if other == _at_zero(step.left) else known.get(other))


def _replaced(step: Any) -> set[Basic]:
    """Return what stands in a line of a step and no longer in the next."""
    lines = [_leaves(line.expr) for line in step.chain]
    gone = {leaf for line, after in pairwise(lines) for leaf in line - after}
    return gone - {step.left}


def _leaves(expr: Any) -> set[Basic]:
    """Return the derivatives and the variables with a number for their step; nothing inside of derivatives."""
    found: set[Basic] = set()
    if isinstance(expr, Basic):
        walk = preorder_traversal(expr)
        for part in walk:
            if isinstance(part, _DERIVATIVES):
                walk.skip()
            if isinstance(part, _DERIVATIVES) or _is_number_of(part):
                found.add(part)
    return found


def _is_number_of(part: Any) -> bool:
    return isinstance(part, _VARIABLES) and bool(part.when.is_Integer)


def _at_zero(leaf: Any) -> Basic:
    """Return a derivative with its steps counted from that of what it is taken by.

    >>> from symbptt.algebra.leaves import Variable, derivative
    >>> h, t = Variable("h", 4, 1), index()
    >>> _at_zero(derivative(h[t + 1], h[t])) == _at_zero(derivative(h[3], h[2]))
    True
    """
    every = [part for part in preorder_traversal(leaf) if isinstance(part, _VARIABLES)]
    if not every:
        return leaf
    start: Expr = every[-1].when
    return leaf.xreplace({part: part.variable[part.when - start] for part in every})
