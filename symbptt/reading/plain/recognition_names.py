"""Numbers and names recognised, and the names that are no numbers."""

from __future__ import annotations

from fractions import Fraction as Exact

from ..notation.tree import Accent, Name, Number, Script, Tree
from ..notation.words import NAMED_FUNCTIONS, WORDS_OF_LETTERS
from .names import is_label, name_of
from .parts import FUNCTIONS, Const, Num, Part, Sym, TooLargeError
from .recognition_rules import Recogniser, recognises, refuse

LONGEST_NUMBER = 1_000
"""How many digits a number may be written with."""

KNOWN_WORDS = (frozenset(WORDS_OF_LETTERS) | {word[1:] for word in NAMED_FUNCTIONS}) - {
    "loss",
    "Loss",
    "MSE",
    "BCE",
} | {"factorial"}
"""Words that are no product of letters: names of functions and operators."""
_NO_NUMBERS = frozenset(
    ["partial", "nabla", "infty", "top", "bot", "forall", "exists", "neg", "pm", "mp", "Re", "Im", "emptyset",
     "angle", "dagger", "star", "prime", "square", "checkmark", "circ", "ast", "plus", "minus"]
)  # fmt: skip
_BETWEEN = frozenset(
    ["if", "for", "where", "and", "or", "when", "while", "otherwise", "else", "with", "then", "is", "so", "since", "by",
     "because", "hence", "thus", "let", "given", "but", "not", "as", "the", "of", "in", "all", "any"]
)  # fmt: skip
"""Words that stand between formulas, and are no names of quantities."""


@recognises(Number)
def _number(r: Recogniser, tree: Number) -> Part:
    return Num(number(tree), place=(tree.start, tree.end))


def number(tree: Number) -> Exact:
    """Return a number exactly as its digits say.

    >>> number(Number("0.25"))
    Fraction(1, 4)
    """
    if len(tree.text) > LONGEST_NUMBER:
        raise TooLargeError((tree.start, tree.end), f"a number of more than {LONGEST_NUMBER} digits")
    return Exact(tree.text)


@recognises(Name, Accent)
def name(r: Recogniser, tree: Name | Accent | Script) -> Part:
    """Read a name: known ones first, then what a name alone cannot be."""
    printed = name_of(tree, r.values, r.indices)
    place = (tree.start, tree.end)
    if printed in r.values:
        return Num(Exact(r.values[printed]), place=place)
    if printed in r.names or printed in r.indices:
        return Sym(printed, place=place)
    base: Tree = tree
    while isinstance(base, Script | Accent):
        if isinstance(base, Accent):
            if base.mark in ("vec", "overrightarrow", "overleftarrow", "underline"):
                raise refuse(tree, "bold")
            if base.mark in ("dot", "ddot"):
                raise refuse(tree, "derivative")
            base = base.body
        else:
            if base.sup is not None and not is_label(base.sup) and not r.known(base):
                raise refuse(tree, "superscript")
            base = base.base
    assert isinstance(base, Name)
    if base.style in ("bold", "bb"):
        raise refuse(tree, "bold")
    if base.name in _NO_NUMBERS or base.name.startswith("prime"):
        raise refuse(tree, "symbol")
    if base.name.lower() in _BETWEEN:
        raise refuse(tree, "words")
    if base.name in KNOWN_WORDS or base.name in FUNCTIONS:
        raise refuse(tree, "function")
    if base is tree and not base.style and base.name in ("e", "pi"):
        return Const(base.name, place=place)
    return Sym(printed, place=place)
