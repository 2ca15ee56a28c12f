r"""Symbols that take what stands in the bracket behind them: ``\rho(W)``, ``\mathbb{E}[X]``, ``\mathcal{R}\{h_t\}``."""

from __future__ import annotations

from collections.abc import Callable

from ..notation.tree import Chain, Fence, Listing, Name, Number, Plus, Product, Script, Tree

Arguments = tuple[Tree, ...]

_BRACKETS: dict[tuple[Tree, str], str] = {
    (Name("E", "bb"), "["): "expectation",
    (Name("Var", "upright"), "["): "variance_of",
    (Name("Cov", "upright"), "["): "covariance_of",
    (Name("R", "cal"), "{"): "tangent",
    (Name("sg", "upright"), "("): "held",
    (Name("rho"), "("): "spectral_radius",
    (Name("max"), "("): "max",
    (Name("min"), "("): "min",
    (Name("mean", "upright"), "("): "mean",
    (Name("var", "upright"), "("): "variance",
}
"""Symbol and kind of bracket -> function."""

_LABELLED: dict[Tree, str] = {
    Name("sigma"): "singular_value",
    Name("lambda"): "eigenvalue",
    Name("clip", "upright"): "clip",
}
"""Symbol with a subscript -> function, one argument of which is the subscript."""


def call(head: Tree, fence: Fence, variables: Callable[[Tree], object]) -> tuple[str, Arguments] | None:
    """Return the function that a symbol before a bracket is, with its arguments; None for a factor before a bracket.

    Parameters
    ----------
    head : Tree
    fence : Fence
    variables : callable
        What a tree stands for on the page, or None: a letter that is a name there is no function.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> product = parse(r"\\rho(W)")
    >>> call(*product.factors, lambda tree: None)
    ('spectral_radius', (Name(name='W', style=''),))
    """
    body = fence.body
    name = _BRACKETS.get((head, fence.left))
    if name is not None:
        return name, body.items if isinstance(body, Listing) else (body,)
    if head == Number("1", "bold") and isinstance(body, Chain) and len(body.operands) == 2:
        return "indicator", body.operands
    if isinstance(head, Script) and fence.left == "(":
        return _labelled(head, body, variables)
    return None


def _labelled(head: Script, body: Tree, variables: Callable[[Tree], object]) -> tuple[str, Arguments] | None:
    sub = head.sub
    if sub is None:
        inverse = head.base == Name("vec", "upright") and head.sup == Plus(("-",), (Number("1"),))
        return ("unvec", (body,)) if inverse else None
    if head.sup is not None or variables(head) is not None:
        return None
    if head.base == Name("v") and sub == Number("1"):
        return "dominant_eigenvector", (body,)
    name = _LABELLED.get(head.base)
    if name == "clip":
        return name, (sub, body)
    largest = sub == Name("max")
    return None if name is None else (name, (body, Number("1") if largest else sub))


def angles(tree: Tree) -> Tree:
    r"""Return a product in which ``\\tan\\angle`` is one symbol."""
    if isinstance(tree, Product) and tree.factors[:2] == (Name("tan"), Name("angle")):
        joined = Name("tan_angle", "upright")
        return Product((joined, *tree.factors[2:]), tree.operators[1:], start=tree.start, end=tree.end)
    return tree


_BRACKETS[Name("tan_angle", "upright"), "("] = "tan_angle"
