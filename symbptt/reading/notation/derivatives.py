"""Fractions that are derivatives: ``\\frac{\\partial a}{\\partial b}``, ``da/db``, ``\\nabla_b a``."""

from __future__ import annotations

from dataclasses import replace

from .tree import Accent, Big, Derivative, Empty, Evaluated, Fence, Name, Number, Product, Script, Tree
from .words import NAMED_FUNCTIONS

_SYMBOLS = ("partial", "d", "delta", "D")


def _head(tree: Tree) -> tuple[str, Tree | None] | None:
    """Return the symbol that a tree is, with its superscript or accent: ``\\partial``, ``\\partial^2``, ``d``."""
    name, sup = tree, None
    if isinstance(tree, Script) and tree.sub is None and not tree.primes:
        name, sup = tree.base, tree.sup
    if isinstance(name, Name) and name.name in _SYMBOLS:
        return name.name, sup
    if sup is None and isinstance(name, Accent) and name.body == Name("partial"):
        return "partial", name
    return None


def _split(tree: Tree) -> tuple[str, Tree | None, Tree | None] | None:
    """Return (symbol, superscript, the rest) of what begins with a symbol of derivatives."""
    head = _head(tree)
    if head is not None:
        return (*head, None)
    if not isinstance(tree, Product) or tree.operators[0] != "":
        return None
    head = _head(tree.factors[0])
    return None if head is None else (*head, _part(tree.factors, tree.operators, 1, len(tree.factors)))


def _part(factors: tuple[Tree, ...] | list[Tree], operators: tuple[str, ...] | list[str], first: int, end: int) -> Tree:
    """Return some factors of a product."""
    if end == first + 1:
        return factors[first]
    return Product(
        tuple(factors[first:end]),
        tuple(operators[first : end - 1]),
        start=factors[first].start,
        end=factors[end - 1].end,
    )


def as_derivative(top: Tree, bottom: Tree) -> Derivative | None:
    """Return the derivative that a fraction is, or None.

    >>> L, W, d = Name("L"), Name("W"), Name("partial")
    >>> as_derivative(Product((d, L), ("",)), Product((d, W), ("",))).by
    (Name(name='W', style=''),)
    """
    upper, lower = _split(top), _split(bottom)
    if upper is None or lower is None or upper[0] != lower[0] or lower[2] is None:
        return None
    symbol, sup, of = upper
    if symbol == "delta" and of is None:
        return None
    assert isinstance(bottom, Product)
    heads = [i for i, f in enumerate(bottom.factors) if (head := _head(f)) is not None and head[0] == symbol]
    spans = zip(heads, [*heads[1:], len(bottom.factors)], strict=True)
    by = [_part(bottom.factors, bottom.operators, i + 1, end) for i, end in spans if end > i + 1]
    return _derivative(of, tuple(by), symbol, sup)


def _derivative(of: Tree | None, by: tuple[Tree, ...], symbol: str, sup: Tree | None) -> Derivative:
    order = sup if isinstance(sup, Number) or (isinstance(sup, Name) and sup.name in ("n", "k", "m")) else None
    return Derivative(of, by, symbol, None if order is not None else sup, order)


# -- among the factors of a product ----------------------------------------------------------------------
def with_inline_derivatives(tree: Tree) -> Tree:
    """Find ``\\partial a / \\partial b`` and ``\\nabla_b a`` among the factors of a product.

    >>> d, h, x = Name("partial"), Name("h"), Name("x")
    >>> with_inline_derivatives(Product((d, h, d, x), ("", "/", ""))).of
    Name(name='h', style='')
    """
    if not isinstance(tree, Product):
        return tree
    # From the last to the first, so that an operator finds what it stands before already read.
    factors, operators = list(tree.factors), list(tree.operators)
    for i in reversed(range(len(factors))):
        if not _slashed(factors, operators, i):
            _gradient(factors, operators, i)
        _operator(factors, operators, i)
    if len(factors) == 1:
        return replace(factors[0], start=tree.start, end=tree.end)
    return replace(tree, factors=tuple(factors), operators=tuple(operators))


def _put(factors: list[Tree], operators: list[str], first: int, end: int, new: Derivative) -> None:
    """Put a derivative in the place of some factors; a bar at its end evaluates all of it."""
    start, stop = factors[first].start, factors[end - 1].end
    placed: Tree = replace(new, start=start, end=stop)
    last = new.of if new.of is not None and new.of.end == stop else new.by[-1] if new.by else None
    if isinstance(last, Evaluated):
        inner = last.body
        whole = replace(new, of=inner) if last is new.of else replace(new, by=(*new.by[:-1], inner))
        placed = replace(last, body=replace(whole, start=start, end=inner.end), start=start, end=stop)
    factors[first:end] = [placed]
    del operators[first : end - 1]


def _slashed(factors: list[Tree], operators: list[str], i: int) -> bool:
    """Replace the factors of ``\\partial a / \\partial b`` from position i on by a derivative."""
    head = _head(factors[i])
    if head is None:
        return False
    slash = i
    while slash < len(operators) and operators[slash] == "" and not (slash > i and _head(factors[slash])):
        slash += 1
    if len(operators) <= slash + 1 or operators[slash] != "/" or operators[slash + 1] != "":
        return False
    lower = _head(factors[slash + 1])
    if lower is None or lower[0] != head[0]:
        return False
    of = _part(factors, operators, i + 1, slash + 1) if slash > i else None
    by, end = [factors[slash + 2]], slash + 3
    while head[1] is not None and operators[end - 1 : end + 1] == ["", ""] and _head(factors[end]) == (head[0], None):
        by.append(factors[end + 1])
        end += 2
    _put(factors, operators, i, end, _derivative(of, tuple(by), *head))
    return True


def _gradient(factors: list[Tree], operators: list[str], i: int) -> None:
    """Replace ``\\nabla_b a`` and ``\\partial_b a`` from position i on by a derivative."""
    tree = factors[i]
    base, by, sup = (tree.base, tree.sub, tree.sup) if isinstance(tree, Script) else (tree, None, None)
    if not isinstance(base, Name) or not (base.name == "nabla" or (base.name == "partial" and by is not None)):
        return
    end = i + 1
    if i < len(operators) and operators[i] == "":
        end += 1
        while end - 1 < len(operators) and operators[end - 1] == "" and _applied(factors[end - 1], factors[end]):
            end += 1
    if end > i + 1:
        of = _part(factors, operators, i + 1, end)
        _put(factors, operators, i, end, _derivative(of, () if by is None else (by,), base.name, sup))


def _applied(first: Tree, second: Tree) -> bool:
    """Whether a factor takes the next one as its argument: ``L(h)``, ``\\log p``."""
    if isinstance(first, Fence):
        return False
    inner = second.body if isinstance(second, Evaluated) else second
    base = first.base if isinstance(first, Script) else first
    called = isinstance(base, Name | Accent) and isinstance(inner, Fence) and inner.left in ("(", "[")
    return called or (isinstance(base, Name) and f"\\{base.name}" in NAMED_FUNCTIONS)


def _operator(factors: list[Tree], operators: list[str], i: int) -> None:
    """Give ``\\frac{\\partial}{\\partial b}`` what it stands before: a bracket, a sum, or the factors up to a sign."""
    tree = factors[i]
    if not isinstance(tree, Derivative) or tree.of is not None or tree.symbol == "nabla":
        return
    end = i + 1
    while end <= len(operators) and operators[end - 1] == "" and not isinstance(factors[end], Empty):
        end += 1
        last = factors[end - 1]
        last = last.base if isinstance(last, Script) else last
        if isinstance(last, Fence | Big | Evaluated | Derivative):
            break
    if end > i + 1:
        _put(factors, operators, i, end, replace(tree, of=_part(factors, operators, i + 1, end)))
