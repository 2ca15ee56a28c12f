"""Formulas as they lie on the page: a small tree between expressions and LaTeX, MathML or plain text.

:mod:`symbptt.algebra.present` makes it from an expression; the writers (:mod:`~symbptt.algebra.tex`,
:mod:`~symbptt.algebra.plain` and :mod:`symbptt.render.mathml`) only spell it out. Order, signs and parentheses
are settled here and are the same in every output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Item: TypeAlias = (
    "Ident | Number | Operator | Row | Script | Accent | Fraction | Root | Fence | Brace | BigOperator | Grid | Words "
    "| Cases"
)

SUM, HADAMARD, PRODUCT, POWER, ATOM = range(5)
"""How tightly the layout of an expression binds."""


@dataclass(frozen=True)
class Ident:
    """A letter (``h``, ``\u2113``, ``\u03b1``) in italics, or an upright word (``tanh``, ``diag``)."""

    name: str
    style: Literal["italic", "upright", "bold", "calligraphic"] = "italic"


@dataclass(frozen=True)
class Number:
    """A number as it is to be read, without its sign: ``2.0``, ``14``."""

    text: str


@dataclass(frozen=True)
class Operator:
    """A sign by its Unicode character: + \u2212 = \u2248 \u2264 \u2265 < > \u22c5 \u2299 \u2202 , \u22ef \u2016 |
    \u22a4 \u2032 (, ) \u2192 \u2208 \u2211.

    ``form`` is how it is spaced: ``infix`` (between operands), ``prefix`` (a sign in front), ``plain`` (no space).
    """

    char: str
    form: Literal["infix", "prefix", "plain", "separator"] = "infix"


@dataclass(frozen=True)
class Row:
    """Items side by side; two factors next to each other are a product by juxtaposition."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Script:
    """A base with a subscript, a superscript, or both."""

    base: Item
    sub: Item | None = None
    sup: Item | None = None


Mark: TypeAlias = Literal["hat", "tilde", "bar", "vec", "check", "overrightarrow", "overleftarrow"]


@dataclass(frozen=True)
class Accent:
    """A mark over a base: ``hat``, ``tilde``, ``bar``, ``vec``, ``check``, or an arrow as long as the base."""

    base: Item
    mark: Mark


@dataclass(frozen=True)
class Fraction:
    """A numerator over a denominator."""

    numerator: Item
    denominator: Item


@dataclass(frozen=True)
class Root:
    """A square root, whose line covers the body."""

    body: Item


@dataclass(frozen=True)
class Fence:
    """A body in brackets; the writers make the brackets as tall as the body needs."""

    body: Item
    left: str = "("
    right: str = ")"


@dataclass(frozen=True)
class Brace:
    """A body with a brace under it and a note below the brace."""

    body: Item
    note: Item


@dataclass(frozen=True)
class BigOperator:
    """A sum or product sign with its bounds, followed by its body (which is already fenced if needed)."""

    char: Literal["\u2211", "\u220f"]
    lower: Item | None
    upper: Item | None
    body: Item


@dataclass(frozen=True)
class Grid:
    """A matrix in square brackets."""

    rows: tuple[tuple[Item, ...], ...]


@dataclass(frozen=True)
class Words:
    """Words inside a formula, in the document's language."""

    text: str


@dataclass(frozen=True)
class Cases:
    """Alternatives behind one large brace: pairs of value and condition."""

    rows: tuple[tuple[Item, Item], ...]


def row(*items: Item) -> Item:
    """Put items side by side, opening up rows within rows.

    >>> row(Ident("a"), row(Operator("+"), Ident("b")))
    Row(items=(Ident(name='a', style='italic'), Operator(char='+', form='infix'), Ident(name='b', style='italic')))
    """
    flat: list[Item] = []
    for item in items:
        flat.extend(item.items if isinstance(item, Row) else (item,))
    return flat[0] if len(flat) == 1 else Row(tuple(flat))


def is_tall(item: Item) -> bool:
    """Whether brackets around it must grow: a fraction, a big operator, a matrix, cases or a brace inside."""
    if isinstance(item, Fraction | BigOperator | Grid | Cases | Brace):
        return True
    if isinstance(item, Row):
        return any(map(is_tall, item.items))
    if isinstance(item, Script | Accent | Fence | Root):
        return is_tall(item.body if isinstance(item, Fence | Root) else item.base)
    return False


# -- what every writer has to know about neighbours and scripts -------------------------------------------------
DOTS = "\u22ef\u2026"
"""Signs that stand for left-out operands."""
INVISIBLE = "\u2061\u2062"
"""Function application and invisible times: a row may say which of the two it means; only MathML writes them."""
FUNCTION_LETTERS = "\u03c3\u03c6\u03c8\U0001d53c"
"""Letters that are read as functions in front of a bracket."""
Joint: TypeAlias = Literal["none", "space", "times", "apply"]


def is_word(item: Item) -> bool:
    """Whether it is an upright word such as ``tanh`` or ``diag``, with or without scripts."""
    core = item.base if isinstance(item, Script) else item
    return isinstance(core, Ident) and core.style == "upright" and len(core.name) > 1


def joint(left: Item, right: Item) -> Joint:
    """Tell how two neighbours in a row hang together.

    >>> joint(Ident("W"), Ident("h")), joint(Ident("tanh", "upright"), Fence(Ident("z")))
    ('times', 'apply')
    >>> joint(Ident("a"), Operator("+")), joint(Operator("\u2202", "plain"), Ident("L"))
    ('space', 'none')
    """
    if isinstance(left, Operator) or isinstance(right, Operator):
        return "space" if _is_spaced(left, right) else "none"
    if isinstance(left, Words) or isinstance(right, Words) or _is_differential(left):
        return "none"
    operator = isinstance(left, Ident) and left.style == "calligraphic"
    called = isinstance(right, Fence) and (operator or _is_function_letter(left))
    return "apply" if is_word(left) or called else "times"


def _is_spaced(left: Item, right: Item) -> bool:
    before = left if isinstance(left, Operator) else None
    after = right if isinstance(right, Operator) else None
    if (before and before.char in INVISIBLE) or (after and after.char in INVISIBLE):
        return False
    if before and before.form in ("prefix", "separator"):
        return before.form == "separator"
    if after and after.form == "separator":
        return False
    if before and after:
        return "infix" in (before.form, after.form)
    sign = before or after
    return sign is not None and (sign.char in DOTS or sign.form == "infix" or (sign is after and sign.form == "prefix"))


def _is_differential(item: Item) -> bool:
    """Whether it is an upright d, or a partial sign that carries a script or a mark."""
    if isinstance(item, Script | Accent):
        return isinstance(item.base, Operator) and item.base.char == "\u2202"
    return isinstance(item, Ident) and item.style == "upright" and item.name == "d"


def _is_function_letter(item: Item) -> bool:
    core = item.base if isinstance(item, Script) and item.sub is None else item
    return isinstance(core, Ident) and core.name in FUNCTION_LETTERS


def padded(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Give words among signs and letters the spaces that set them off.

    >>> padded((Ident("a"), Words("if"), Ident("b")))[1]
    Words(text=' if ')
    """
    last = len(items) - 1
    return tuple(_pad(w, i > 0, i < last) if isinstance(w, Words) else w for i, w in enumerate(items))


def _pad(words: Words, left: bool, right: bool) -> Words:
    text = words.text
    before = " " if left and (text[:1].isalnum() or text[:1] == "(") else ""
    after = " " if right and (text[-1:].isalnum() or (text and text[-1] in ",;:.)")) else ""
    return Words(before + text + after)


def primes(sup: Item | None) -> tuple[int, Item | None]:
    """Split a superscript into its number of leading primes and the rest.

    >>> primes(Row((Operator("\u2032", "plain"), Operator("\u22a4", "plain"))))
    (1, Operator(char='\u22a4', form='plain'))
    """
    items = sup.items if isinstance(sup, Row) else () if sup is None else (sup,)
    rest = list(items)
    while rest and isinstance(rest[0], Operator) and rest[0].char == "\u2032":
        rest.pop(0)
    return len(items) - len(rest), row(*rest) if rest else None


def settled(script: Script) -> Script:
    """Make one script of nested ones, and put a base in brackets that scripts would tear apart.

    >>> settled(Script(Script(Ident("W"), Ident("h")), sup=Number("2")))
    Script(base=Ident(name='W', style='italic'), sub=Ident(name='h', style='italic'), sup=Number(text='2'))
    """
    base = spelled(script.base) if isinstance(script.base, Number) else script.base
    if isinstance(base, Row) and len(base.items) == 1:
        base = base.items[0]
    if isinstance(base, Script):
        inner = settled(base)
        return _merged(inner, script) or Script(Fence(inner), script.sub, script.sup)
    torn = isinstance(base, Row | Fraction | Root | BigOperator | Brace | Cases)
    return Script(Fence(base) if torn else base, script.sub, script.sup)


def _merged(inner: Script, outer: Script) -> Script | None:
    rest = primes(inner.sup)[1]
    if rest is not None or (inner.sub is not None and outer.sub is not None):
        return None
    sups = [item for item in (inner.sup, outer.sup) if item is not None]
    return Script(inner.base, inner.sub or outer.sub, row(*sups) if sups else None)


def inward(accent: Accent) -> Item:
    """Put a mark over a letter with scripts on the letter alone.

    >>> inward(Accent(Script(Ident("y"), Ident("t")), "hat")).base
    Accent(base=Ident(name='y', style='italic'), mark='hat')
    """
    base = accent.base
    return Script(Accent(base.base, accent.mark), base.sub, base.sup) if isinstance(base, Script) else accent


def spelled(number: Number) -> Item:
    """Write a power of ten out as people do.

    >>> spelled(Number("2.5e-08")).items[2].sup.items[1]
    Number(text='8')
    """
    mantissa, mark, exponent = number.text.lower().partition("e")
    if not mark:
        return number
    digits = Number(str(abs(int(exponent))))
    power: Item = Row((Operator("\u2212", "prefix"), digits)) if exponent.startswith("-") else digits
    return Row((Number(mantissa), Operator("\u00d7"), Script(Number("10"), sup=power)))
