"""Statements laid out as ruff and black do: one line where it fits, else one operand or argument to a line."""

from __future__ import annotations

import ast
import textwrap
from itertools import pairwise

WIDTH = 88
_LOOSENESS = (ast.Add | ast.Sub, ast.Mult | ast.Div | ast.MatMult, ast.Pow)


def statement(text: str, indent: int = 0) -> list[str]:
    """Return the lines of one statement.

    >>> statement("h[t] = np.tanh(z[t])", 4)
    ['    h[t] = np.tanh(z[t])']
    """
    margin = " " * indent
    if len(margin + text) <= WIDTH:
        return [margin + text]
    tree = ast.parse(text).body[0]
    value = getattr(tree, "value", None)
    if value is None:
        return [margin + text]
    start = len(text.encode()[: value.col_offset].decode())
    head, body = text[:start], text[start:]
    if isinstance(value, ast.Call):
        return _call(head, body, value, indent)
    if isinstance(value, ast.BinOp):
        return [f"{margin}{head}(", *_operands(body, indent + 4), f"{margin})"]
    return [margin + text]


def _call(head: str, body: str, call: ast.Call, indent: int) -> list[str]:
    """Break after the opening bracket: all arguments on a line of their own, or each on one."""
    margin = " " * indent
    opening = _opening(body)
    arguments, closing = body[opening + 1 : -1], body[-1]
    first = f"{margin}{head}{body[: opening + 1]}"
    if len(margin) + 4 + len(arguments) <= WIDTH:
        return [first, f"{margin}    {arguments}", margin + closing]
    parts = _arguments(arguments)
    if len(parts) == 1:
        return [first, *_operands(arguments, indent + 4), margin + closing]
    return [first, *(f"{margin}    {part}," for part in parts), margin + closing]


def _opening(body: str) -> int:
    """Return the place of the bracket that the last character closes."""
    depth = 0
    for i in range(len(body) - 1, -1, -1):
        depth += (body[i] in ")]}") - (body[i] in "([{")
        if depth == 0:
            return i
    return 0


def _arguments(text: str) -> list[str]:
    tree = ast.parse(f"f({text})").body[0]
    assert isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Call)
    call = tree.value
    return [ast.get_source_segment(f"f({text})", a) or "" for a in [*call.args, *call.keywords]]


def _operands(text: str, indent: int) -> list[str]:
    """Return the operands of the loosest operators, each on a line with its operator in front."""
    margin = " " * indent
    if len(margin + text) <= WIDTH:
        return [margin + text]
    tree = ast.parse(text, mode="eval").body
    if not isinstance(tree, ast.BinOp):
        return statement(text, indent) if isinstance(tree, ast.Call) else [margin + text]
    kind = next(kind for kind in _LOOSENESS if isinstance(tree.op, kind))
    cuts: list[int] = []
    node: ast.expr = tree
    while isinstance(node, ast.BinOp) and isinstance(node.op, kind) and not _bracketed(text, node, tree):
        cuts.append(_operator_before(text, node))
        node = node.left
    edges = [0, *reversed(cuts), len(text)]
    return [margin + text[a:b].strip() for a, b in pairwise(edges)]


def _bracketed(text: str, node: ast.expr, tree: ast.expr) -> bool:
    return node is not tree and text[: node.col_offset].count("(") > text[: node.col_offset].count(")")


def _operator_before(text: str, node: ast.BinOp) -> int:
    """Return the place of the operator between the operands."""
    between = text[node.left.end_col_offset : node.right.col_offset]
    sign = next(c for c in between if c in "+-*/@")
    return (node.left.end_col_offset or 0) + between.index(sign)


def collection(opening: str, items: list[str], closing: str, indent: int = 0) -> list[str]:
    """Return an assignment of a tuple or dict: on one line, or each item on its own.

    >>> collection("KEYS = (", ["1"], ")")
    ['KEYS = (1,)']
    """
    margin = " " * indent
    comma = "," if len(items) == 1 and opening.endswith("(") else ""
    line = f"{margin}{opening}{', '.join(items)}{comma}{closing}"
    if len(line) <= WIDTH or not items:
        return [line]
    return [margin + opening, *(f"{margin}    {item}," for item in items), margin + closing]


def wrapped(text: str, indent: int = 0) -> list[str]:
    """Return a text over lines of that indentation."""
    margin = " " * indent
    return textwrap.wrap(text, WIDTH - 4, initial_indent=margin, subsequent_indent=margin, break_long_words=False)


def comment(text: str, indent: int = 0) -> list[str]:
    """Return a comment, over several lines where it is long.

    >>> comment("zₜ = W_h hₜ₋₁", 4)
    ['    # zₜ = W_h hₜ₋₁']
    """
    margin = " " * indent + "# "
    return textwrap.wrap(
        text, WIDTH, initial_indent=margin, subsequent_indent=margin + "    ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def docstring(parts: list[str], indent: int = 0) -> list[str]:
    """Return a docstring of a summary and more lines."""
    margin = " " * indent
    lines = [f'{margin}"""{parts[0]}', *(margin + line if line else "" for line in parts[1:])]
    return [*lines, f'{margin}"""'] if len(parts) > 1 else [lines[0] + '"""']
