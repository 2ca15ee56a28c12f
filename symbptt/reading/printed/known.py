"""What is known of the letters on a page: each name of a model as it is written in a notation, as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...algebra.layout import Ident
from ...algebra.layout import Script as LaidOut
from ...algebra.names import FUNCTION_NAMES, Names
from ...algebra.tex import to_tex
from ..meaning.expr import Call, Constant, Counter, Expr, Ref
from ..meaning.index import LETTERS, index_of, letter
from ..meaning.symbols import head_key
from ..notation import parse
from ..notation.tree import Fence, Listing, Name, Number, Product, Script, Tree

Head = tuple[Tree, "Tree | None", "Tree | None", int]
"""Base, subscript without the step, superscript and primes of a variable over time."""

_MARKER = Name("t")


@dataclass(frozen=True)
class Known:
    """The names of a page.

    Attributes
    ----------
    timed : mapping
        Head of a variable over time -> its key.
    plain : mapping
        A name without a step -> its key, or what it stands for.
    functions : mapping
        Key of the letter or word of a function -> its name in the language.
    """

    timed: Mapping[Head, str] = field(default_factory=dict)
    plain: Mapping[Tree, Any] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, tree: Tree) -> Expr | None:
        """Return what a tree stands for, if it is a name of the page."""
        found = self.plain.get(tree)
        if found is not None:
            return found if isinstance(found, Expr) else Ref(found)
        if isinstance(tree, Script) and tree.sub is not None:
            return self._at_step(tree) or _chance(tree)
        if isinstance(tree, Name):
            return _letter(tree)
        if tree == Number("1", "bold"):
            return Constant("ones")
        return None

    def _at_step(self, tree: Script) -> Expr | None:
        label, when = _split(tree.sub)
        key = self.timed.get((tree.base, label, tree.sup, tree.primes))
        index = index_of(when)
        return None if key is None or index is None else Ref(key, index)

    @property
    def heads(self) -> frozenset[str]:
        """The letters of the variables over time."""
        return frozenset(key for head in self.timed if (key := head_key(head[0])) is not None)


def _letter(tree: Name) -> Expr | None:
    if tree == Name("I"):
        return Constant("identity")
    if tree == Name("p"):
        return Call("probability", ())
    return Counter(letter(tree.name)) if tree.name in LETTERS and len(tree.name) == 1 and not tree.style else None


def _chance(tree: Script) -> Expr | None:
    r"""Return a mask, ``\xi_t`` or ``\xi_t^{(s)}``, or a probability, ``p_t``."""
    when = index_of(tree.sub)
    if when is None or tree.primes or tree.base not in (Name("xi"), Name("p")):
        return None
    if tree.base == Name("p"):
        return Call("probability", (Counter(when),)) if tree.sup is None else None
    if tree.sup is None:
        return Call("mask", (Counter(when),))
    loss = index_of(tree.sup.body) if isinstance(tree.sup, Fence) else None
    return None if loss is None else Call("mask", (Counter(when), Counter(loss)))


def _split(sub: Tree | None) -> tuple[Tree | None, Tree | None]:
    """Return the subscript without its last part, and that part."""
    if not isinstance(sub, Listing) or set(sub.separators) != {","}:
        return None, sub
    rest = sub.items[:-1]
    return (rest[0] if len(rest) == 1 else replace(sub, items=rest, separators=sub.separators[:-1])), sub.items[-1]


def names_on_page(
    names: Names, timed: Iterable[str], plain: Iterable[str], functions: Iterable[str], tangents: Iterable[str] = ()
) -> Known:
    """Return the names of a page.

    Parameters
    ----------
    names : Names
    timed, plain : iterable of str
        Keys of variables over time, and of what has no step.
    tangents : iterable of str
        Keys of parameters that a direction has parts for: ``V_{W_h}``.
    functions : iterable of str
        Names of functions in the language.

    Examples
    --------
    >>> known = names_on_page(Names({"W_h": "W_{hh}"}), ["h"], ["W_h"], ["tanh"])
    >>> known.resolve(parse("h_{t-1}")), known.resolve(parse("W_{hh}"))
    (Ref(key='h', when=t-1), Ref(key='W_h', when=None))
    """
    heads: dict[Head, str] = {}
    whole: dict[Tree, Any] = {}
    for key in timed:
        tree = parse(to_tex(names.at(key, Ident("t"))))
        if key in names.untimed:
            whole[tree] = Ref(key, letter("T"))
        elif isinstance(tree, Script):
            label, when = _split(tree.sub)
            assert when == _MARKER, tree
            heads[tree.base, label, tree.sup, tree.primes] = key
    for key in tangents:
        for head in "Vv":
            whole[parse(to_tex(LaidOut(Ident(head), names.key(key))))] = Call("tangent", (Ref(key),))
    for key in plain:
        whole[parse(to_tex(names.key(key)))] = key
    words = {name: _word(names, name) for name in functions}
    return Known(heads, whole, {word: name for name, word in words.items() if word is not None})


def _word(names: Names, name: str) -> str | None:
    """Return the key of what a function is written as: a letter or a word, with the labels that it has."""
    tree = parse(to_tex(names.function(name)))
    if isinstance(tree, Product) and len(tree.factors) == 1:
        tree = tree.factors[0]
    return head_key(tree) if not isinstance(tree, Script) else None


PLAIN_FUNCTIONS = ("tanh", "exp", "log", "softmax", *FUNCTION_NAMES)
