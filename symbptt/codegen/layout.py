"""Statements laid out as ruff and black do: one line where it fits, else one operand or argument to a line."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
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
    if isinstance(value, ast.UnaryOp) and isinstance(value.operand, ast.Call):
        return _call(head + body[:1], body[1:], value.operand, indent)
    if isinstance(value, ast.Call):
        return _call(head, body, value, indent)
    if isinstance(value, ast.BinOp):
        if _hugs(value, f"{margin}{head}{body}", len(margin)):
            return _call(head, body, value, indent, last=True)
        return [f"{margin}{head}(", *_operands(body, indent + 4), f"{margin})"]
    return [margin + text]


def _call(head: str, body: str, value: ast.expr, indent: int, last: bool = False) -> list[str]:
    """Break inside the widest brackets, or the last: all arguments on a line of their own, or each on one."""
    margin = " " * indent
    opening, closing = (_opening(body), len(body) - 1) if last else _widest(body)
    inside, rest = body[opening + 1 : closing], body[closing:]
    first = f"{margin}{head}{body[: opening + 1]}"
    if indent + 4 + len(inside) <= WIDTH:
        return [first, f"{margin}    {inside}", margin + rest]
    parts = _arguments(inside)
    if len(parts) == 1:
        return [first, *_operands(inside, indent + 4), margin + rest]
    return [first, *(line for part in parts for line in _argument(part, indent + 4)), margin + rest]


def _argument(text: str, indent: int) -> list[str]:
    *lines, last = _operands(text, indent)
    return [*lines, last + ","]


def _widest(body: str) -> tuple[int, int]:
    """Return the places of the outermost pair of round brackets that holds most, the last of them."""
    pairs, stack = [], []
    for i, char in enumerate(body):
        if char in "([{":
            stack.append(i)
        elif char in ")]}":
            start = stack.pop()
            if not stack and char == ")":
                pairs.append((start, i))
    return max(reversed(pairs), key=lambda pair: pair[1] - pair[0])


def _hugs(value: ast.BinOp, line: str, indent: int) -> bool:
    """Whether two operands stay on a line, broken inside the last one's brackets alone."""
    kind = next(kind for kind in _LOOSENESS if isinstance(value.op, kind))
    single = not (isinstance(value.left, ast.BinOp) and isinstance(value.left.op, kind))
    if not single or line[-1] != ")":
        return False
    opening = _opening(line)
    return opening + 1 <= WIDTH and indent + 4 + len(line) - opening - 2 <= WIDTH


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


def _operands(text: str, indent: int, before: int = 0) -> list[str]:
    """Return the operands of the loosest operators, each on a line with its operator in front.

    ``before`` is the width of what stands in front of the first.
    """
    margin = " " * indent
    if before + len(margin + text) <= WIDTH:
        return [margin + text]
    if text.startswith("(") and _opening(text) == 0:
        return [f"{margin}(", *_operands(text[1:-1], indent + 4), f"{margin})"]
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
    return [line for a, b in pairwise(edges) for line in _operand(text[a:b].strip(), indent)]


def _operand(text: str, indent: int) -> list[str]:
    """Return an operand with its operator, broken again where it is too long for a line."""
    sign = re.match(r"[-+*/@] ", text)
    if indent + len(text) <= WIDTH or not sign:
        return [" " * indent + text] if sign or indent + len(text) <= WIDTH else _operands(text, indent)
    first, *rest = _operands(text[2:], indent, before=2)
    return [" " * indent + sign[0] + first.strip(), *rest]


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


def definition(name: str, arguments: list[str]) -> list[str]:
    """Return the first line of a function: in one, with its arguments on a line of their own, or each on one.

    >>> definition("f", ["x", "y=None"])
    ['def f(x, y=None):']
    """
    inside = ", ".join(arguments)
    line = f"def {name}({inside}):"
    if len(line) <= WIDTH:
        return [line]
    lines = [f"    {inside}"] if len(inside) + 4 <= WIDTH else [f"    {argument}," for argument in arguments]
    return [f"def {name}(", *lines, "):"]


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


def loop(views: dict[str, str], turned: str, indent: int) -> list[str]:
    """Return the head of a loop over arrays side by side, each with the name of its part.

    >>> loop({"h": "h_t", "z": "z_t"}, "[::-1]", 4)
    ['    for h_t, z_t in zip(h[::-1], z[::-1]):']
    """
    margin = " " * indent
    arrays, names = [f"{name}{turned}" for name in views], [*views.values()]
    if len(views) == 1:
        return [f"{margin}for {names[0]} in {arrays[0]}:"]
    whole = f"{margin}for {', '.join(names)} in zip({', '.join(arrays)}):"
    if len(whole) <= WIDTH:
        return [whole]
    inside = " " * (indent + 4)
    left = [f"{inside}{name}," for name in names]
    return [f"{margin}for (", *left, f"{margin}) in zip(", *(f"{inside}{name}," for name in arrays), f"{margin}):"]


def span(low: str, high: str) -> str:
    """Return a slice as it is written between square brackets.

    >>> span("", "n"), span("n", "2 * n")
    (':n', 'n : 2 * n')
    """
    simple = all(re.fullmatch(r"\w*", bound) for bound in (low, high))
    return f"{low}:{high}" if simple else f"{low} : {high}".strip()


def without_unused(lines: list[str]) -> list[str]:
    """Return the lines of a function without assignments, on one line, to names that nothing reads.

    >>> without_unused(["    a = x[:2]", "    b = a", "    c = f(a)", "    return a"])
    ['    a = x[:2]', '    f(a)', '    return a']
    """
    counts = Counter(word for line in lines for word in re.findall(r"\w+", line))
    kept = []
    for line in lines:
        match = re.fullmatch(r"(\s+)(\w+) = (.*[^(\[{])", line)
        if match is None or counts[match[2]] > 1:
            kept.append(line)
        elif not re.fullmatch(r"[\w.]+(\[[^()]*\])?|np\..*", match[3]):
            kept.append(match[1] + match[3])  # it may do more than give a value
    return kept if kept == lines else without_unused(kept)
