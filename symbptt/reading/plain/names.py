"""Names as they are printed: one canonical LaTeX for each, with the indices of sums filled in."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..notation.tree import Accent, Fence, Listing, Name, Number, Plus, Product, Script, Tree, Words
from ..notation.words import ACCENTS, STYLES, SYMBOLS
from .parts import NotPlainError

_COMMANDS = {name: command for command, name in reversed(SYMBOLS.items()) if len(name) > 1}
_COMMANDS |= {name: f"\\{name}" for name in _COMMANDS if f"\\{name}" in SYMBOLS}
_STYLES = {"bold": "mathbf", "cal": "mathcal", "upright": "mathrm", "text": "text", "frak": "mathfrak", "bb": "mathbb"}
_ACCENTS = {mark: command for command, mark in reversed(ACCENTS.items())}
_SIGNS = {"ast": "*", "plus": "+", "minus": "-"}
_LABELS = frozenset(["ast", "plus", "minus", "star", "circ"])
"""Superscripts that belong to a name."""

assert set(_STYLES) == {style for style in STYLES.values() if style} | {"text"}


def name_of(tree: Tree, values: Mapping[str, int] = {}, indices: Collection[str] = ()) -> str:
    r"""Return how a name is printed; two names that are printed alike are the same.

    Parameters
    ----------
    tree : Tree
        A name, or a name with an accent, a subscript, or a superscript that is a label.
    values : mapping
        Index of a sum -> the number that it stands for.
    indices : collection of str
        Indices that stand for no number: a name that one of them stands in is not one name.

    Raises
    ------
    NotPlainError
        For what is no name.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> name_of(parse("h_{t+1-1}")), name_of(parse(r"\hat y_t^{(l)}"))
    ('h_{t}', '\\hat{y}_{t}^{(l)}')
    >>> name_of(parse(r"\alpha_{2k-1,k}"), values={"k": 3})
    '\\alpha_{5,3}'
    """
    if isinstance(tree, Name):
        return _letter(tree)
    if isinstance(tree, Accent):
        return f"{_ACCENTS[tree.mark]}{{{name_of(tree.body, values, indices)}}}"
    if isinstance(tree, Script) and tree.primes == 0 and isinstance(tree.base, Name | Accent | Script):
        sub = "" if tree.sub is None else f"_{{{label_of(tree.sub, values, indices)}}}"
        sup = "" if tree.sup is None else f"^{{{label_of(tree.sup, values, indices)}}}"
        return f"{name_of(tree.base, values, indices)}{sub}{sup}"
    raise NotPlainError((tree.start, tree.end), "symbol")


def _letter(tree: Name) -> str:
    name = tree.name
    if name in _SIGNS:
        return _SIGNS[name]
    text = _COMMANDS.get(name, name)
    if tree.style:
        return f"\\{_STYLES[tree.style]}{{{text}}}"
    return text if len(name) == 1 or name in _COMMANDS else f"\\mathrm{{{text}}}"


def is_label(sup: Tree) -> bool:
    """Whether a superscript belongs to the name: ``^{(l)}``, ``^*``, ``^{new}``, and no power."""
    if isinstance(sup, Fence):
        return sup.left in ("(", "[", "<") and sup.right in (")", "]", ">")
    if isinstance(sup, Name):
        return sup.name in _LABELS or (sup.style in ("text", "upright") and len(sup.name) > 1)
    return isinstance(sup, Words)


def label_of(tree: Tree, values: Mapping[str, int] = {}, indices: Collection[str] = ()) -> str:
    """Return how a subscript is printed, its arithmetic done as far as it goes.

    >>> from symbptt.reading.notation import parse
    >>> label_of(parse("t-k+2"), values={"k": 1})
    't+1'
    """
    number = _number(tree, values)
    if number is not None:
        return str(number)
    if isinstance(tree, Name) and name_of(tree) in indices:
        raise NotPlainError((tree.start, tree.end), "index")
    if isinstance(tree, Number):
        return tree.text
    if isinstance(tree, Words):
        return f"\\text{{{tree.text}}}"
    if isinstance(tree, Plus):
        return _sum(tree, values, indices)
    if isinstance(tree, Product):
        return _product(tree, values, indices)
    if isinstance(tree, Listing) and set(tree.separators) <= {",", ";"}:
        return ",".join(label_of(item, values, indices) for item in tree.items)
    if isinstance(tree, Fence):
        left, right = (_BRACKETS.get(side) for side in (tree.left, tree.right))
        if left is None or right is None:
            raise NotPlainError((tree.start, tree.end), "subscript")
        return f"{left}{label_of(tree.body, values, indices)}{right}"
    try:
        return name_of(tree, values, indices)
    except NotPlainError as error:
        raise NotPlainError(error.place, "subscript" if error.what == "symbol" else error.what) from None


_BRACKETS = {"(": "(", ")": ")", "[": "[", "]": "]", "<": "<", ">": ">"}


def _number(tree: Tree, values: Mapping[str, int]) -> int | None:
    """Return the whole number that a subscript is, or None."""
    if isinstance(tree, Number):
        return int(tree.text) if tree.text.isdecimal() and len(tree.text) <= 20 and str(int(tree.text)) == tree.text \
            else None  # fmt: skip
    if isinstance(tree, Name) and not tree.style:
        return values.get(name_of(tree))
    if isinstance(tree, Plus) and set(tree.signs) <= {"", "+", "-"}:
        total = 0
        for sign, term in zip(tree.signs, tree.terms, strict=True):
            number = _number(term, values)
            if number is None:
                return None
            total += -number if sign == "-" else number
        return total
    if isinstance(tree, Product) and set(tree.operators) <= {"", "cdot", "times"} and _multiplies(tree):
        product = 1
        for factor in tree.factors:
            number = _number(factor, values)
            if number is None:
                return None
            product *= number
        return product
    return None


def _multiplies(tree: Product) -> bool:
    """Whether a product in a subscript is one: ``2k`` is, ``ij`` is two indices."""
    return any(tree.operators) or isinstance(tree.factors[0], Number)


def _sum(tree: Plus, values: Mapping[str, int], indices: Collection[str]) -> str:
    text, total = "", 0
    for sign, term in zip(tree.signs, tree.terms, strict=True):
        if sign not in ("", "+", "-"):
            raise NotPlainError((tree.start, tree.end), "subscript")
        number = _number(term, values)
        if number is not None:
            total += -number if sign == "-" else number
        else:
            text += ("-" if sign == "-" else "+" if text else "") + label_of(term, values, indices)
    return f"{text}{total:+d}" if total else text


def _product(tree: Product, values: Mapping[str, int], indices: Collection[str]) -> str:
    if any(operator not in ("", "cdot", "times") for operator in tree.operators):
        raise NotPlainError((tree.start, tree.end), "subscript")
    labels = [label_of(factor, values, indices) for factor in tree.factors]
    if _multiplies(tree):
        return " ".join(labels)
    short = all(len(label) == 1 or not label.lstrip("-").isdecimal() for label in labels)
    return ("" if short else ",").join(labels) if not any("\\" in label for label in labels) else " ".join(labels)
