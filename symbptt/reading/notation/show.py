"""A tree on one line, for tests and for whoever wants to see how a formula was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .tree import (
    Accent,
    Annotated,
    Big,
    Chain,
    Derivative,
    Dots,
    Empty,
    Evaluated,
    Fence,
    Fraction,
    Grid,
    Listing,
    Name,
    Number,
    Plus,
    Product,
    Relation,
    Root,
    Script,
    Tree,
    Words,
)


def outline(tree: Tree) -> str:
    r"""Return a tree on one line; braces stand around what belongs together, unless it is a single name.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> outline(parse(r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \delta_t h_{t-1}^\top"))
    'partial(L; W) = sum_{t = 1}^T{delta_t h_{t - 1}^top}'
    """
    text = _show(tree)
    return text[1:-1] if isinstance(tree, Chain | Listing | Product | Plus) else text


def _show(tree: Tree | None) -> str:
    return "" if tree is None else _SHOWN[type(tree)](tree)


def _scripted(tree: Script) -> str:
    sub = f"_{_show(tree.sub)}" if tree.sub else ""
    sup = f"^{_show(tree.sup)}" if tree.sup else ""
    return f"{_show(tree.base)}{chr(39) * tree.primes}{sub}{sup}"


def _signed(tree: Plus) -> str:
    parts: list[str] = []
    for sign, term in zip(tree.signs, tree.terms, strict=True):
        parts += [sign, _show(term)] if sign else [_show(term)]
    return "{" + " ".join(parts) + "}"


def _multiplied(tree: Product) -> str:
    parts = [_show(tree.factors[0])]
    for operator, factor in zip(tree.operators, tree.factors[1:], strict=True):
        parts += [operator, _show(factor)] if operator else [_show(factor)]
    return "{" + " ".join(parts) + "}"


def _derived(tree: Derivative) -> str:
    sup = "".join(f"^{_show(part)}" for part in (tree.mark, tree.order) if part)
    return f"{tree.symbol}{sup}({_show(tree.of)}; {', '.join(_show(b) for b in tree.by)})"


def _chained(tree: Chain) -> str:
    parts = [_show(tree.operands[0])]
    for relation, operand in zip(tree.relations, tree.operands[1:], strict=True):
        parts += [_show(relation), _show(operand)]
    return "{" + " ".join(parts) + "}"


def _listed(tree: Listing) -> str:
    parts = [_show(tree.items[0])]
    for separator, item in zip(tree.separators, tree.items[1:], strict=True):
        parts += [f"<{separator}>", _show(item)]
    return "{" + " ".join(parts) + "}"


def _large(tree: Big) -> str:
    sub = f"_{_show(tree.sub)}" if tree.sub else ""
    sup = f"^{_show(tree.sup)}" if tree.sup else ""
    body = _show(tree.body)
    return f"{tree.kind}{sub}{sup}{body if body.startswith('{') else '{' + body + '}'}"


def _noted(what: Callable[[Any], str], *names: str) -> Callable[[Any], str]:
    """Return what writes ``what(first; second)``, without what is not there."""

    def written(tree: Tree) -> str:
        parts = [_show(getattr(tree, name)) for name in names if getattr(tree, name) is not None]
        return f"{what(tree)}({'; '.join(parts)})"

    return written


def _fenced(tree: Fence) -> str:
    body = _show(tree.body)
    plain = body[1:-1] if isinstance(tree.body, Chain | Listing | Product | Plus) else body
    return f"{_BRACKETS.get(tree.left, tree.left)}{plain}{_BRACKETS.get(tree.right, tree.right)}"


_BRACKETS = {"{": "\\{", "}": "\\}"}
_SHOWN: dict[type[Tree], Callable[[Any], str]] = {
    Number: lambda tree: f"{tree.text}:{tree.style}" if tree.style else tree.text,
    Name: lambda tree: f"{tree.name}:{tree.style}" if tree.style else tree.name,
    Words: lambda tree: f'"{tree.text}"',
    Dots: lambda tree: "...",
    Empty: lambda tree: "{}",
    Accent: _noted(lambda tree: str(tree.mark), "body"),
    Script: _scripted,
    Fence: _fenced,
    Fraction: _noted(lambda tree: "frac", "top", "bottom"),
    Root: _noted(lambda tree: "sqrt", "body", "degree"),
    Grid: lambda tree: f"{tree.kind}[{' // '.join(' & '.join(map(_show, row)) for row in tree.rows)}]",
    Annotated: _noted(lambda tree: str(tree.kind), "body", "note"),
    Big: _large,
    Product: _multiplied,
    Plus: _signed,
    Derivative: _derived,
    Evaluated: _noted(lambda tree: "at", "body", "sub", "sup"),
    Relation: lambda tree: tree.kind + (f"[{_show(tree.note)}]" if tree.note else ""),
    Chain: _chained,
    Listing: _listed,
}
