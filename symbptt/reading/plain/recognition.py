"""Which trees are plain algebra, and what they say; anything that could be something else is refused."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from fractions import Fraction as Exact

from ..notation.tree import (
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
    Script,
    Tree,
    Words,
)
from ..notation.tree import Root as RootTree
from ..notation.words import NAMED_FUNCTIONS, WORDS_OF_LETTERS
from . import parts
from .names import is_label, name_of
from .parts import (
    FUNCTIONS,
    Call,
    Const,
    Div,
    Mul,
    Neg,
    NotPlainError,
    Num,
    Part,
    Pow,
    Root,
    Series,
    Sym,
    TooLargeError,
)

MOST_PARTS = 20_000
"""How many parts a formula may have once its sums are written out."""
LONGEST_SUM = 64
"""How many terms of a sum, or factors of a product, are written out."""
MOST_NESTED = 40
"""How often a function without brackets may stand before another."""
LONGEST_NUMBER = 1_000
"""How many digits a number may be written with."""

_KNOWN_WORDS = (frozenset(WORDS_OF_LETTERS) | {word[1:] for word in NAMED_FUNCTIONS}) - {
    "loss",
    "Loss",
    "MSE",
    "BCE",
} | {"factorial"}
_NO_NUMBERS = frozenset(
    ["partial", "nabla", "infty", "top", "bot", "forall", "exists", "neg", "pm", "mp", "Re", "Im", "emptyset",
     "angle", "dagger", "star", "prime", "square", "checkmark", "circ", "ast", "plus", "minus"]
)  # fmt: skip
_BETWEEN = frozenset(
    ["if", "for", "where", "and", "or", "when", "while", "otherwise", "else", "with", "then", "is", "so", "since", "by",
     "because", "hence", "thus", "let", "given", "but", "not", "as", "the", "of", "in", "all", "any"]
)  # fmt: skip
"""Words that stand between formulas, and are no names of quantities."""
_NOT_PLAIN: dict[type[Tree], str] = {
    Chain: "relation",
    Derivative: "derivative",
    Dots: "dots",
    Empty: "empty",
    Evaluated: "evaluated",
    Grid: "matrix",
    Listing: "list",
    Words: "words",
}
_MULTIPLIED = ("", "cdot", "times", "ast")


def recognised(
    tree: Tree, names: Container[str] = (), *, log: str | None = "e", written_out: int = LONGEST_SUM
) -> Part:
    r"""Return the plain algebra that a tree is.

    A name stands for a number: whether ``W h`` is a product of matrices cannot be seen, and is the caller's to know.

    Parameters
    ----------
    tree : Tree
        From :func:`symbptt.reading.notation.parse`.
    names : container of str
        Names, as :func:`.name_of` prints them, that are known to stand for a number: one before a bracket is then a
        factor, a bold one no vector, and ``e`` no constant.
    log : str or None
        The base of ``\log`` without one: "e", a whole number such as "10", or None, which refuses it.
    written_out : int
        How many terms of a sum are written out; a longer one becomes a :class:`.Series`.

    Raises
    ------
    NotPlainError
        For anything else, with its place.
    TooLargeError
        Where the sums in it have too many terms.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> recognised(parse(r"2 w_1 - \tanh(z)")).terms[0]
    Mul(factors=(Num(value=Fraction(2, 1)), Sym(name='w_{1}')))
    >>> recognised(parse("f(x)"))
    Traceback (most recent call last):
    ...
    symbptt.reading.plain.parts.NotPlainError: not plain algebra at 0: a name before a bracket, which may be a function or a factor
    """  # noqa: E501
    return _Recogniser(names, log, written_out).part(tree)


def _refuse(tree: Tree, what: str) -> NotPlainError:
    return NotPlainError((tree.start, tree.end), what)


@dataclass
class _Recogniser:
    names: Container[str]
    log: str | None
    written_out: int
    values: dict[str, int] = field(default_factory=dict)
    indices: set[str] = field(default_factory=set)
    count: int = 0
    nested: int = 0

    def part(self, tree: Tree) -> Part:
        self.count += 1
        if self.count > MOST_PARTS:
            raise TooLargeError((tree.start, tree.end), f"more than {MOST_PARTS} parts")
        place = (tree.start, tree.end)
        if isinstance(tree, Number):
            return Num(number(tree), place=place)
        if isinstance(tree, Name | Accent):
            return self.name(tree)
        if isinstance(tree, Script):
            return self.script(tree)
        if isinstance(tree, Plus):
            return self.plus(tree)
        if isinstance(tree, Product):
            return self.product(tree)
        if isinstance(tree, Fraction):
            return Div(self.part(tree.top), self.part(tree.bottom), place=place)
        if isinstance(tree, RootTree):
            return Root(self.part(tree.body), _degree(tree), place=place)
        if isinstance(tree, Fence):
            return self.fence(tree)
        if isinstance(tree, Annotated):
            return self.part(tree.body)
        if isinstance(tree, Big):
            return self.series(tree)
        raise _refuse(tree, _NOT_PLAIN.get(type(tree), "symbol"))

    # -- names and powers ---------------------------------------------------------------------------------
    def name(self, tree: Name | Accent | Script) -> Part:
        """Read a name: known ones first, then what a name alone cannot be."""
        printed = name_of(tree, self.values, self.indices)
        place = (tree.start, tree.end)
        if printed in self.values:
            return Num(Exact(self.values[printed]), place=place)
        if printed in self.names or printed in self.indices:
            return Sym(printed, place=place)
        base: Tree = tree
        while isinstance(base, Script | Accent):
            if isinstance(base, Accent):
                if base.mark in ("vec", "overrightarrow", "overleftarrow", "underline"):
                    raise _refuse(tree, "bold")
                if base.mark in ("dot", "ddot"):
                    raise _refuse(tree, "derivative")
                base = base.body
            else:
                if base.sup is not None and not is_label(base.sup) and not self.known(base):
                    raise _refuse(tree, "superscript")
                base = base.base
        assert isinstance(base, Name)
        if base.style in ("bold", "bb"):
            raise _refuse(tree, "bold")
        if base.name in _NO_NUMBERS or base.name.startswith("prime"):
            raise _refuse(tree, "symbol")
        if base.name.lower() in _BETWEEN:
            raise _refuse(tree, "words")
        if base.name in _KNOWN_WORDS or base.name in FUNCTIONS:
            raise _refuse(tree, "function")
        if base is tree and not base.style and base.name in ("e", "pi"):
            return Const(base.name, place=place)
        return Sym(printed, place=place)

    def script(self, tree: Script) -> Part:
        place = (tree.start, tree.end)
        if tree.primes:
            raise _refuse(tree, "prime")
        base, sup = tree.base, tree.sup
        named = isinstance(base, Name | Accent | Script)
        if named and (sup is None or is_label(sup) or self.known(tree)):
            return self.name(tree)
        if sup is None or (tree.sub is not None and not named):
            raise _refuse(tree, "subscript")
        if not isinstance(base, Number) and _is_transpose(sup):
            raise _refuse(tree, "transpose")
        if isinstance(base, Name) and base.name in FUNCTIONS and "\\" + base.name in NAMED_FUNCTIONS:
            raise _refuse(tree, "argument")
        if is_label(sup) and not isinstance(sup, Fence):
            raise _refuse(tree, "superscript")
        if named and tree.sub is not None:
            below: Part = self.name(Script(base, tree.sub, start=tree.start, end=tree.sub.end))
        else:
            below = self.part(base)
        exponent = self.part(sup)
        if below == Const("e"):
            return Call("exp", exponent, place=place)
        return Pow(below, exponent, place=place)

    def known(self, tree: Tree) -> bool:
        try:
            return name_of(tree, self.values, self.indices) in self.names
        except NotPlainError:
            return False

    def fence(self, tree: Fence) -> Part:
        if (tree.left, tree.right) == ("|", "|"):
            return parts.Abs(self.part(tree.body), place=(tree.start, tree.end))
        if (tree.left, tree.right) in (("(", ")"), ("[", "]"), ("{", "}"), (".", ".")):
            return self.part(tree.body)
        raise _refuse(tree, "brackets")

    # -- sums and products --------------------------------------------------------------------------------
    def plus(self, tree: Plus) -> Part:
        terms: list[Part] = []
        for sign, term in zip(tree.signs, tree.terms, strict=True):
            if sign not in ("", "+", "-"):
                raise _refuse(tree, "sign")
            part = self.part(term)
            terms.append(Neg(part, place=part.place) if sign == "-" else part)
        return terms[0] if len(terms) == 1 else parts.Add(tuple(terms), place=(tree.start, tree.end))

    def product(self, tree: Product) -> Part:
        """Read factors from the left; a slash divides by the one factor after it, if that is clear."""
        factors, operators = list(tree.factors), ["cdot", *tree.operators]
        above: list[Part] = []
        below: list[Part] = []
        i = 0
        while i < len(factors):
            operator = operators[i]
            if operator not in (*_MULTIPLIED, "/"):
                raise _refuse(tree, "operator")
            part, length = self.factor(factors, operators, i)
            follows = operators[i + length] if i + length < len(factors) else None
            if operator == "/":
                if follows == "":
                    raise _refuse(tree, "slash")
                below.append(part)
            else:
                above.append(part)
            i += length
        place = (tree.start, tree.end)
        top, bottom = (
            found[0] if len(found) == 1 else Mul(tuple(found), place=place) for found in (above, below or above)
        )
        return Div(top, bottom, place=place) if below else top

    def factor(self, factors: list[Tree], operators: list[str], i: int) -> tuple[Part, int]:
        """Return the factor at a position, and how many it is made of: a function takes its argument with it."""
        tree = factors[i]
        call = self.function(tree)
        if call is not None:
            return self.call(*call, factors, operators, i)
        followed = i + 1 < len(factors) and operators[i + 1] == ""
        if followed and _in_brackets(factors[i + 1]) and self.may_be_applied(tree):
            raise _refuse(tree, "function" if isinstance(tree, Name) and tree.name in _KNOWN_WORDS else "application")
        if followed:
            self.beside(tree, factors[i + 1])
        return self.part(tree), 1

    def beside(self, left: Tree, right: Tree) -> None:
        """Refuse what is no product, though it looks like one: ``x 2``, ``2\\frac{1}{2}``, ``dx``, ``\\Delta t``."""
        if isinstance(right, Number) or (isinstance(left, Number) and _is_ratio(right)):
            raise _refuse(right, "operator")
        if isinstance(left, Name) and not self.known(left) and isinstance(right, Name | Script | Accent):
            if left.name == "d":
                raise _refuse(left, "derivative")
            if left.name == "Delta":
                raise _refuse(left, "symbol")

    def may_be_applied(self, tree: Tree) -> bool:
        """Whether a name (or a power of one) before a bracket may be a function."""
        base = tree
        while isinstance(base, Script | Accent | Annotated):
            if self.known(base):
                return False
            base = base.body if isinstance(base, Accent | Annotated) else base.base
        return isinstance(base, Name) and not self.known(base) and name_of(base) not in {*self.values, *self.indices}

    def function(self, tree: Tree) -> tuple[str, Part | None, Tree | None] | None:
        """Return (function, base of a logarithm, power) if a tree is the name of a function."""
        name, sub, sup = tree, None, None
        if isinstance(tree, Script):
            name, sub, sup = tree.base, tree.sub, tree.sup
        if not isinstance(name, Name) or name.style not in ("", "text", "upright") or self.known(name):
            return None
        if name.name not in FUNCTIONS and name.name not in ("log", "lg"):
            return None
        if isinstance(tree, Script) and tree.primes:
            raise _refuse(tree, "prime")
        base: Part | None = None
        if name.name in ("log", "lg"):
            base = self.base(name, sub)
        elif sub is not None:
            raise _refuse(tree, "function")
        return ("ln" if name.name in ("log", "lg") else name.name), base, sup

    def base(self, name: Name, sub: Tree | None) -> Part | None:
        if sub is not None:
            base = self.part(sub)
            if base == Const("e"):
                return None
            if not isinstance(base, Num) or base.value <= 0 or base.value == 1:
                raise _refuse(sub, "function")
            return base
        given = "10" if name.name == "lg" else self.log
        if given is None:
            raise _refuse(name, "function")
        return None if given == "e" else Num(Exact(given), place=(name.start, name.end))

    def call(
        self, function: str, base: Part | None, sup: Tree | None, factors: list[Tree], operators: list[str], i: int
    ) -> tuple[Part, int]:
        tree = factors[i]
        if i + 1 >= len(factors) or operators[i + 1] != "":
            raise _refuse(tree, "argument")
        argument = factors[i + 1]
        length, power = 2, sup
        place = (tree.start, argument.end)
        outer: Tree | None = None
        if isinstance(argument, Script) and _in_brackets(argument) and not argument.primes and argument.sub is None:
            # tanh(x)^2 is the square of tanh(x)
            outer, argument = argument.sup, argument.base
        if self.function(argument) is not None:
            self.nested += 1
            if self.nested > MOST_NESTED:
                raise TooLargeError(place, f"more than {MOST_NESTED} functions of functions")
            inner, more = self.factor(factors, operators, i + 1)
            length, value = 1 + more, inner
        else:
            value = self.part(argument)
        end = i + length
        follows = operators[end] if end < len(factors) and not isinstance(argument, Fence) else None
        if follows == "/" or (follows == "" and self.function(factors[end]) is None):
            raise _refuse(tree, "argument")
        result: Part = Call(function, value, place=place)
        if base is not None:
            result = Div(result, Call("ln", base, place=base.place), place=place)
        for exponent in (power, outer):
            if exponent is not None:
                result = Pow(result, self.power(exponent, tree, between=exponent is power), place=place)
        return result, length

    def power(self, sup: Tree, tree: Tree, *, between: bool) -> Part:
        """Read the power of a function, which may stand between its name and its argument."""
        if _is_transpose(sup):
            raise _refuse(tree, "transpose")
        if is_label(sup) and (between or not isinstance(sup, Fence)):
            raise _refuse(tree, "superscript")
        exponent = self.part(sup)
        if between and not (isinstance(exponent, Num) and exponent.value > 0):
            raise _refuse(tree, "inverse")
        return exponent

    # -- sums and products over a range -------------------------------------------------------------------
    def series(self, tree: Big) -> Part:
        place = (tree.start, tree.end)
        if tree.kind not in ("sum", "prod"):
            raise _refuse(tree, "function")
        sub = tree.sub
        if not isinstance(sub, Chain) or [r.kind for r in sub.relations] != ["="] or tree.sup is None:
            raise _refuse(tree, "range")
        if not isinstance(sub.operands[0], Name):
            raise _refuse(tree, "range")
        index = name_of(sub.operands[0])
        if tree.kind == "prod" and not _ends_clearly(tree.body, sub.operands[0]):
            raise _refuse(tree, "argument")
        lower, upper = self.part(sub.operands[1]), self.part(tree.sup)
        first, last = whole_number(lower), whole_number(upper)
        if first is not None and last is not None and last - first < self.written_out:
            return self.terms(tree, index, first, last)
        if (
            index in self.indices
            or index in self.values
            or any(s == Sym(index) for p in (lower, upper) for s in p.walk())
        ):
            raise _refuse(tree, "range")
        if any(isinstance(bound, Num) and bound.value.denominator != 1 for bound in (lower, upper)):
            raise _refuse(tree, "range")
        self.indices.add(index)
        body = self.part(tree.body)
        self.indices.discard(index)
        return Series(tree.kind, index, lower, upper, body, place=place)

    def terms(self, tree: Big, index: str, first: int, last: int) -> Part:
        """Write a sum or product out, also in the subscripts of its names; an empty sum is 0, an empty product 1."""
        place = (tree.start, tree.end)
        if index in self.values or index in self.indices:
            raise _refuse(tree, "range")
        found: list[Part] = []
        for k in range(first, last + 1):
            self.values[index] = k
            found.append(self.part(tree.body))
        self.values.pop(index, None)
        if not found:
            return Num(Exact(int(tree.kind == "prod")), place=place)
        if len(found) == 1:
            return found[0]
        return parts.Add(tuple(found), place=place) if tree.kind == "sum" else Mul(tuple(found), place=place)


def number(tree: Number) -> Exact:
    """Return a number exactly as its digits say.

    >>> number(Number("0.25"))
    Fraction(1, 4)
    """
    if len(tree.text) > LONGEST_NUMBER:
        raise TooLargeError((tree.start, tree.end), f"a number of more than {LONGEST_NUMBER} digits")
    return Exact(tree.text)


def whole_number(part: Part) -> int | None:
    """Return the whole number that sums of numbers are, or None."""
    if isinstance(part, Num):
        return int(part.value) if part.value.denominator == 1 else None
    if isinstance(part, Neg):
        value = whole_number(part.body)
        return None if value is None else -value
    if isinstance(part, parts.Add | Mul):
        total = int(isinstance(part, Mul))
        for child in part.children:
            value = whole_number(child)
            if value is None or abs(value) > 10**LONGEST_NUMBER:
                return None
            total = total * value if isinstance(part, Mul) else total + value
        return total
    return None


def _is_transpose(sup: Tree) -> bool:
    """Whether a superscript may say that a matrix is transposed, also that its inverse is."""
    if isinstance(sup, Plus) and len(sup.terms) == 1:
        sup = sup.terms[0]
    return isinstance(sup, Name) and sup.name in ("T", "top", "dagger", "H")


def _in_brackets(tree: Tree) -> bool:
    if isinstance(tree, Script):
        tree = tree.base
    return isinstance(tree, Fence) and tree.left in ("(", "[", "{")


def _ends_clearly(body: Tree, index: Tree) -> bool:
    """Whether all of what follows a product sign is surely in the product."""
    if not isinstance(body, Product):
        return True
    return "/" not in body.operators and index in body.factors[-1].walk()


def _is_ratio(tree: Tree) -> bool:
    return isinstance(tree, Fraction) and isinstance(tree.top, Number) and isinstance(tree.bottom, Number)


def _degree(tree: RootTree) -> int:
    if tree.degree is None:
        return 2
    if isinstance(tree.degree, Number) and re.fullmatch("[2-9]|[1-9][0-9]{1,2}", tree.degree.text):
        return int(tree.degree.text)
    raise _refuse(tree, "operator")
