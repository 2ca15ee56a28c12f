"""Fractions that are derivatives: ``\\frac{\\partial a}{\\partial b}``, ``da/db``, ``\\nabla_b a``."""

from __future__ import annotations

from dataclasses import replace

from .tree import Big, Derivative, Empty, Fence, Name, Number, Product, Script, Tree

SYMBOLS = {"partial": "partial", "d": "d", "delta": "delta", "D": "D", "nabla": "nabla"}


def _head(tree: Tree) -> tuple[str, Tree | None] | None:
    """Return the symbol that a tree is, with its superscript: ``\\partial``, ``\\partial^2``, ``d``."""
    name, sup = tree, None
    if isinstance(tree, Script) and tree.sub is None and not tree.primes:
        name, sup = tree.base, tree.sup
    if isinstance(name, Name) and name.name in ("partial", "d", "delta", "D"):
        return name.name, sup
    return None


def _split(tree: Tree) -> tuple[str, Tree | None, Tree | None] | None:
    """Return (symbol, superscript, the rest) of what begins with a symbol of derivatives."""
    head = _head(tree)
    if head is not None:
        return (*head, None)
    if not isinstance(tree, Product) or tree.operators[0] not in ("",):
        return None
    head = _head(tree.factors[0])
    return None if head is None else (*head, _rest(tree, 1))


def _rest(tree: Product, first: int, last: int | None = None) -> Tree:
    factors = tree.factors[first:last]
    if len(factors) == 1:
        return factors[0]
    operators = tree.operators[first : first + len(factors) - 1]
    return Product(factors, operators, start=factors[0].start, end=factors[-1].end)


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
    by = _parts(bottom, symbol)
    mark = None if sup is None or _is_number(sup) else sup
    order = sup if sup is not None and mark is None else None
    return Derivative(of, by, symbol, mark, order)


def _is_number(tree: Tree) -> bool:
    return isinstance(tree, Number) or (isinstance(tree, Name) and tree.name in ("n", "k", "m"))


def _parts(bottom: Tree, symbol: str) -> tuple[Tree, ...]:
    """Split ``\\partial a \\partial b`` at the symbols."""
    assert isinstance(bottom, Product)
    heads = [i for i, f in enumerate(bottom.factors) if (head := _head(f)) is not None and head[0] == symbol]
    ends = [*heads[1:], len(bottom.factors)]
    return tuple(_rest(bottom, i + 1, end) for i, end in zip(heads, ends, strict=True) if end > i + 1)


def with_inline_derivatives(tree: Tree) -> Tree:
    """Find ``\\partial a / \\partial b`` and ``\\nabla_b a`` among the factors of a product.

    >>> d, h, x = Name("partial"), Name("h"), Name("x")
    >>> with_inline_derivatives(Product((d, h, d, x), ("", "/", ""))).of
    Name(name='h', style='')
    """
    if not isinstance(tree, Product):
        return tree
    factors, operators = list(tree.factors), list(tree.operators)
    i = 0
    while i < len(factors):
        if not (_slashed(factors, operators, i) or _gradient(factors, operators, i)):
            _operator(factors, operators, i)
        i += 1
    if len(factors) == 1:
        return replace(factors[0], start=tree.start, end=tree.end)
    return replace(tree, factors=tuple(factors), operators=tuple(operators))


def _slashed(factors: list[Tree], operators: list[str], i: int) -> bool:
    """Replace the factors of ``\\partial a / \\partial b`` from position i on by a derivative."""
    head = _head(factors[i])
    if head is None:
        return False
    of = None
    slash = i
    if len(operators) > i and operators[i] == "" and len(factors) > i + 1:
        of, slash = factors[i + 1], i + 1
    if len(operators) <= slash + 1 or operators[slash] != "/" or operators[slash + 1] != "":
        return False
    lower = _head(factors[slash + 1])
    if lower is None or lower[0] != head[0]:
        return False
    last = slash + 2
    mark = None if head[1] is None or _is_number(head[1]) else head[1]
    order = head[1] if mark is None else None
    new = Derivative(of, (factors[last],), head[0], mark, order, start=factors[i].start, end=factors[last].end)
    factors[i : last + 1] = [new]
    operators[i:last] = []
    return True


def _gradient(factors: list[Tree], operators: list[str], i: int) -> bool:
    """Replace ``\\nabla_b a`` from position i on by a derivative."""
    tree = factors[i]
    base, by = (tree.base, tree.sub) if isinstance(tree, Script) else (tree, None)
    if not isinstance(base, Name) or base.name != "nabla":
        return False
    followed = len(factors) > i + 1 and operators[i] == ""
    of = factors[i + 1] if followed else None
    parts = () if by is None else (by,)
    end = factors[i + 1].end if followed else tree.end
    factors[i : i + 1 + followed] = [Derivative(of, parts, "nabla", start=tree.start, end=end)]
    if followed:
        del operators[i]
    return True


def _operator(factors: list[Tree], operators: list[str], i: int) -> None:
    """Give ``\\frac{\\partial}{\\partial b}`` what it stands before: a bracket, a sum, or the next factor."""
    tree = factors[i]
    if not isinstance(tree, Derivative) or tree.of is not None or len(factors) <= i + 1 or operators[i] != "":
        return
    count = 1
    first = factors[i + 1]
    called = len(factors) > i + 2 and operators[i + 1] == "" and isinstance(factors[i + 2], Fence)
    if not isinstance(first, Fence | Big | Empty) and called:
        count = 2
    of = first if count == 1 else Product(
        (first, factors[i + 2]), ("",), start=first.start, end=factors[i + 2].end
    )  # fmt: skip
    factors[i : i + 1 + count] = [replace(tree, of=of, end=of.end)]
    del operators[i : i + count]
