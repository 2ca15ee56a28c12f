"""Styles of letters: ``\\mathbf{h_t}`` is a bold h with a subscript."""

from __future__ import annotations

from dataclasses import replace

from .tree import Accent, Name, Number, Product, Script, Tree


def styled(tree: Tree, style: str) -> Tree:
    """Give a style to the letters of a tree; upright letters side by side are one word.

    >>> styled(Product((Name("R"), Name("e")), ("",)), "upright")
    Name(name='Re', style='upright')
    """
    if isinstance(tree, Name | Number):
        return replace(tree, style=style or tree.style)
    if isinstance(tree, Product):
        word = _word(tree, style)
        return word or replace(tree, factors=tuple(styled(f, style) for f in tree.factors))
    if isinstance(tree, Script):
        return replace(tree, base=styled(tree.base, style))
    if isinstance(tree, Accent):
        return replace(tree, body=styled(tree.body, style))
    return tree


def _word(tree: Product, style: str) -> Name | None:
    """Return the word that letters are: upright ones, and three bold ones or more."""
    names = [f for f in tree.factors if isinstance(f, Name) and f.name.isalpha() and f.name.isascii()]
    letters = [f.name for f in names if len(f.name) == 1 or f.style == "text"]
    if any(tree.operators) or len(letters) < len(tree.factors):
        return None
    if not (style == "upright" or (style == "bold" and len(letters) > 2)):
        return None
    return Name("".join(letters), style, start=tree.start, end=tree.end)
