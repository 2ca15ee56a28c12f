"""Products and quotients recognised: factors from the left, where a function takes its argument with it."""

from __future__ import annotations

from fractions import Fraction as Exact
from typing import NamedTuple

from ..notation.tree import Accent, Annotated, Fence, Fraction, Name, Number, Product, Script, Tree
from .names import is_label, name_of
from .parts import FUNCTIONS, Call, Const, Div, Mul, Num, Part, Pow, TooLargeError
from .recognition_names import KNOWN_WORDS
from .recognition_powers import is_transpose
from .recognition_rules import Recogniser, recognises, refuse

MOST_NESTED = 40
"""How often a function without brackets may stand before another."""
_MULTIPLIED = ("", "cdot", "times", "ast")


@recognises(Fraction)
def _fraction(r: Recogniser, tree: Fraction) -> Part:
    return Div(r.part(tree.top), r.part(tree.bottom), place=(tree.start, tree.end))


@recognises(Product)
def _product(r: Recogniser, tree: Product) -> Part:
    """Read factors from the left; a slash divides by the one factor after it, if that is clear."""
    factors, operators = list(tree.factors), ["cdot", *tree.operators]
    above: list[Part] = []
    below: list[Part] = []
    i = 0
    while i < len(factors):
        operator = operators[i]
        if operator not in (*_MULTIPLIED, "/"):
            raise refuse(tree, "operator")
        part, length = _factor(r, factors, operators, i)
        follows = operators[i + length] if i + length < len(factors) else None
        if operator == "/":
            if follows == "":
                raise refuse(tree, "slash")
            below.append(part)
        else:
            above.append(part)
        i += length
    place = (tree.start, tree.end)
    top, bottom = (found[0] if len(found) == 1 else Mul(tuple(found), place=place) for found in (above, below or above))
    return Div(top, bottom, place=place) if below else top


def _factor(r: Recogniser, factors: list[Tree], operators: list[str], i: int) -> tuple[Part, int]:
    """Return the factor at a position, and how many it is made of: a function takes its argument with it."""
    tree = factors[i]
    named = _function(r, tree)
    if named is not None:
        return _call(r, named, factors, operators, i)
    followed = i + 1 < len(factors) and operators[i + 1] == ""
    if followed and _in_brackets(factors[i + 1]) and _may_be_applied(r, tree):
        raise refuse(tree, "function" if isinstance(tree, Name) and tree.name in KNOWN_WORDS else "application")
    if followed:
        _beside(r, tree, factors[i + 1])
    return r.part(tree), 1


def _beside(r: Recogniser, left: Tree, right: Tree) -> None:
    """Refuse what is no product, though it looks like one: ``x 2``, ``2\\frac{1}{2}``, ``dx``, ``\\Delta t``."""
    if isinstance(right, Number) or (isinstance(left, Number) and _is_ratio(right)):
        raise refuse(right, "operator")
    if isinstance(left, Name) and not r.known(left) and isinstance(right, Name | Script | Accent):
        if left.name == "d":
            raise refuse(left, "derivative")
        if left.name == "Delta":
            raise refuse(left, "symbol")


def _may_be_applied(r: Recogniser, tree: Tree) -> bool:
    """Whether a name (or a power of one) before a bracket may be a function."""
    base = tree
    while isinstance(base, Script | Accent | Annotated):
        if r.known(base):
            return False
        base = base.body if isinstance(base, Accent | Annotated) else base.base
    return isinstance(base, Name) and not r.known(base) and name_of(base) not in {*r.values, *r.indices}


def _in_brackets(tree: Tree) -> bool:
    if isinstance(tree, Script):
        tree = tree.base
    return isinstance(tree, Fence) and tree.left in ("(", "[", "{")


def _is_ratio(tree: Tree) -> bool:
    return isinstance(tree, Fraction) and isinstance(tree.top, Number) and isinstance(tree.bottom, Number)


# -- functions ----------------------------------------------------------------------------------------


class _Named(NamedTuple):
    """The name of a function, the base if it is a logarithm, and the power before its argument."""

    function: str
    base: Part | None
    power: Tree | None


def _function(r: Recogniser, tree: Tree) -> _Named | None:
    """Return which function it is, if a tree is the name of one."""
    name, sub, sup = tree, None, None
    if isinstance(tree, Script):
        name, sub, sup = tree.base, tree.sub, tree.sup
    if not isinstance(name, Name) or name.style not in ("", "text", "upright") or r.known(name):
        return None
    if name.name not in FUNCTIONS and name.name not in ("log", "lg"):
        return None
    if isinstance(tree, Script) and tree.primes:
        raise refuse(tree, "prime")
    base: Part | None = None
    if name.name in ("log", "lg"):
        base = _base(r, name, sub)
    elif sub is not None:
        raise refuse(tree, "function")
    return _Named("ln" if name.name in ("log", "lg") else name.name, base, sup)


def _base(r: Recogniser, name: Name, sub: Tree | None) -> Part | None:
    """Return the base of a logarithm; None of the natural one."""
    if sub is not None:
        base = r.part(sub)
        if base == Const("e"):
            return None
        if not isinstance(base, Num) or base.value <= 0 or base.value == 1:
            raise refuse(sub, "function")
        return base
    given = "10" if name.name == "lg" else r.log
    if given is None:
        raise refuse(name, "function")
    return None if given == "e" else Num(Exact(given), place=(name.start, name.end))


def _call(r: Recogniser, named: _Named, factors: list[Tree], operators: list[str], i: int) -> tuple[Part, int]:
    """Return a function of its argument, and how many factors both are."""
    tree = factors[i]
    if i + 1 >= len(factors) or operators[i + 1] != "":
        raise refuse(tree, "argument")
    argument, outer = factors[i + 1], None
    place = (tree.start, argument.end)
    if isinstance(argument, Script) and _in_brackets(argument) and not argument.primes and argument.sub is None:
        # tanh(x)^2 is the square of tanh(x)
        outer, argument = argument.sup, argument.base
    value, length = _argument(r, argument, factors, operators, i + 1)
    end = i + 1 + length
    follows = operators[end] if end < len(factors) and not isinstance(argument, Fence) else None
    if follows == "/" or (follows == "" and _function(r, factors[end]) is None):
        raise refuse(tree, "argument")
    result: Part = Call(named.function, value, place=place)
    if named.base is not None:
        result = Div(result, Call("ln", named.base, place=named.base.place), place=place)
    for exponent in (named.power, outer):
        if exponent is not None:
            result = Pow(result, _power(r, exponent, tree, between=exponent is named.power), place=place)
    return result, 1 + length


def _argument(r: Recogniser, argument: Tree, factors: list[Tree], operators: list[str], i: int) -> tuple[Part, int]:
    """Return the argument of the function before position i, and how many factors it is: a function takes its own."""
    if _function(r, argument) is None:
        return r.part(argument), 1
    r.nested += 1
    if r.nested > MOST_NESTED:
        raise TooLargeError((factors[i - 1].start, argument.end), f"more than {MOST_NESTED} functions of functions")
    return _factor(r, factors, operators, i)


def _power(r: Recogniser, sup: Tree, tree: Tree, *, between: bool) -> Part:
    """Read the power of a function, which may stand between its name and its argument."""
    if is_transpose(sup):
        raise refuse(tree, "transpose")
    if is_label(sup) and (between or not isinstance(sup, Fence)):
        raise refuse(tree, "superscript")
    exponent = r.part(sup)
    if between and not (isinstance(exponent, Num) and exponent.value > 0):
        raise refuse(tree, "inverse")
    return exponent
