"""Formulas as one line of Unicode for a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .layout import (
    Accent,
    BigOperator,
    Brace,
    Cases,
    Fence,
    Fraction,
    Grid,
    Ident,
    Item,
    Number,
    Operator,
    Root,
    Row,
    Script,
    Words,
    inward,
    joint,
    padded,
    primes,
    settled,
    spelled,
)


def to_plain(item: Item, notes: bool = False) -> str:
    """Return a formula as one line of Unicode text.

    Parameters
    ----------
    item : Item
        The formula as it lies on the page.
    notes : bool
        Whether the notes below braces are written, in angle brackets after what they are about.

    Returns
    -------
    str
        One line; subscripts and superscripts are Unicode's own where time indices and small powers have them.

    Examples
    --------
    >>> h = Script(Ident("h"), Row((Ident("t"), Operator("\u2212"), Number("1"))))
    >>> W = Script(Ident("W"), Ident("h"), Operator("\u22a4", "plain"))
    >>> print(to_plain(Row((W, h))))
    W_hᵀ hₜ₋₁
    >>> print(to_plain(Fraction(Row((Operator("\u2202", "plain"), Ident("L"))), Row((Ident("a"), Ident("b"))))))
    ∂L/(a b)
    """
    return _write(item, _Way(notes))


@dataclass(frozen=True)
class _Way:
    """How to write: with or without notes, and without spaces in scripts."""

    notes: bool = False
    tight: bool = False

    def tightly(self) -> _Way:
        return self if self.tight else replace(self, tight=True)


def _write(item: Item, way: _Way) -> str:
    return _WRITERS[type(item)](item, way)


# -- leaves ----------------------------------------------------------------------------------------------------
def _ident(ident: Ident, way: _Way) -> str:
    name = ident.name.replace("'", "\u2032")
    return _SCRIPT_CAPITALS.get(name, name) if ident.style == "calligraphic" else name


def _number(number: Number, way: _Way) -> str:
    item = spelled(number)
    return item.text if isinstance(item, Number) else _write(item, way.tightly())


def _operator(operator: Operator, way: _Way) -> str:
    return _SIGNS.get(operator.char, operator.char)


def _words(words: Words, way: _Way) -> str:
    return words.text


# -- rows ------------------------------------------------------------------------------------------------------
def _row(row: Row, way: _Way) -> str:
    items = padded(row.items)
    pieces = []
    for i, item in enumerate(items):
        left = items[i - 1] if i else None
        right = items[i + 1] if i + 1 < len(items) else None
        pieces.append(_gap(left, item, way) if left else "")
        pieces.append(_bracketed(item, way) if _must_bracket(item, left, right) else _write(item, way))
    return "".join(pieces)


def _gap(left: Item, right: Item, way: _Way) -> str:
    how = joint(left, right)
    if how == "apply":
        return "" if isinstance(right, Grid) or (isinstance(right, Fence) and right.left in "([{") else " "
    return "" if how == "none" or way.tight else " "


def _must_bracket(item: Item, left: Item | None, right: Item | None) -> bool:
    """Whether a fraction or a braced sum touches a factor, which only two dimensions can show."""
    if not isinstance(item, Brace | Fraction):
        return False
    touched = _is_factor(left, item) or _is_factor(item, right)
    if isinstance(item, Brace):
        return _is_sum(item.body) and (touched or _binds(left) or _binds(right))
    return touched and not _is_derivative(item)


def _is_factor(left: Item | None, right: Item | None) -> bool:
    return left is not None and right is not None and joint(left, right) in ("times", "apply")


def _binds(item: Item | None) -> bool:
    return isinstance(item, Operator) and (item.char in _BINDING or item.form == "prefix")


def _is_sum(item: Item) -> bool:
    return isinstance(item, Row) and any(isinstance(i, Operator) and i.char in "+\u2212" for i in item.items)


def _is_derivative(fraction: Fraction) -> bool:
    top = fraction.numerator
    first = top.items[0] if isinstance(top, Row) else top
    core = first.base if isinstance(first, Script | Accent) else first
    return core in (Operator("\u2202", "plain"), Operator("\u2202", "prefix"), Ident("d", "upright"))


def _bracketed(item: Item, way: _Way) -> str:
    return f"({_write(item, way)})"


# -- scripts ---------------------------------------------------------------------------------------------------
def _script(script: Script, way: _Way) -> str:
    script = settled(script)
    count, sup = primes(script.sup)
    tight = way.tightly()
    text = _write(script.base, way) + ("" if script.sub is None else _subscript(_write(script.sub, tight)))
    return text + "\u2032" * count + ("" if sup is None else _superscript(sup, tight))


def _subscript(text: str) -> str:
    """Write a time index in small letters, and any other subscript behind a low line.

    >>> [_subscript(text) for text in ("t\u22121", "2", "h", "in", "T", "t\u2212\u03c4", "i,j")]
    ['ₜ₋₁', '₂', '_h', '_in', '_T', '_{t−τ}', '_{i,j}']
    """
    small = _shrunk(text, _SUBSCRIPTS) if _TIME.search(text) else None
    return small or ("_" + text if text.isalnum() else f"_{{{text}}}")


def _superscript(item: Item, way: _Way) -> str:
    text = _write(item, way)
    small = _shrunk(text, _POWERS)
    if small:
        return small
    return "^" + text if len(text) == 1 or isinstance(item, Fence) else f"^({text})"


def _shrunk(text: str, alphabet: dict[str, str]) -> str | None:
    return "".join(map(alphabet.__getitem__, text)) if all(char in alphabet for char in text) else None


def _accent(accent: Accent, way: _Way) -> str:
    item = inward(accent)
    if isinstance(item, Script):
        return _write(item, way)
    text = _write(accent.base, way)
    if len(text) > 1:
        return f"{accent.mark}({text})"
    return unicodedata.normalize("NFC", text + _MARKS[accent.mark])


# -- what encloses ---------------------------------------------------------------------------------------------
def _fraction(fraction: Fraction, way: _Way) -> str:
    return "/".join(_part(part, way) for part in (fraction.numerator, fraction.denominator))


def _root(root: Root, way: _Way) -> str:
    return f"√{_part(root.body, way)}"


def _part(item: Item, way: _Way) -> str:
    return _bracketed(item, way) if _is_compound(item) else _write(item, way)


def _is_compound(item: Item) -> bool:
    """Whether a line through it would leave open what is above and what below."""
    if isinstance(item, Brace):
        return _is_compound(item.body)
    if not isinstance(item, Row):
        return isinstance(item, Fraction | BigOperator | Words)
    pairs = zip(item.items, item.items[1:], strict=False)
    return _is_signed(item.items[0]) or any(joint(a, b) in ("space", "times") for a, b in pairs)


def _is_signed(item: Item) -> bool:
    return isinstance(item, Operator) and item.char in "+\u2212"


def _fence(fence: Fence, way: _Way) -> str:
    return f"{fence.left}{_write(fence.body, way)}{fence.right}"


def _brace(brace: Brace, way: _Way) -> str:
    if not way.notes:
        return _write(brace.body, way)
    return f"{_part(brace.body, way)} \u27e8{_write(brace.note, replace(way, tight=False))}\u27e9"


def _big_operator(big: BigOperator, way: _Way) -> str:
    tight = way.tightly()
    lower, upper = ("" if bound is None else _write(bound, tight) for bound in (big.lower, big.upper))
    small = _shrunk(lower, _SUBSCRIPTS), _shrunk(upper, _SUPERSCRIPTS)
    bounds = f"{small[0]}{small[1]}" if None not in small else f"_{{{lower}{'..' * bool(upper)}{upper}}}"
    return f"{_SIGNS[big.char]}{bounds} {_write(big.body, way)}"


def _grid(grid: Grid, way: _Way) -> str:
    way = replace(way, tight=False)
    rows = [[_write(cell, way) for cell in cells] for cells in grid.rows]
    if all(len(cells) == 1 for cells in rows):
        return "[" + "; ".join(cells[0] for cells in rows) + "]"
    return "[" + ", ".join("[" + ", ".join(cells) + "]" for cells in rows) + "]"


def _cases(cases: Cases, way: _Way) -> str:
    return "{" + "; ".join(f"{_write(value, way)}, {_write(when, way)}" for value, when in cases.rows) + "}"


_WRITERS: dict[type, Callable[[Any, _Way], str]] = {
    Ident: _ident,
    Number: _number,
    Operator: _operator,
    Row: _row,
    Script: _script,
    Accent: _accent,
    Fraction: _fraction,
    Root: _root,
    Fence: _fence,
    Brace: _brace,
    BigOperator: _big_operator,
    Grid: _grid,
    Words: _words,
    Cases: _cases,
}
_SIGNS = {"\u22c5": "\u00b7", "\u2211": "\u03a3", "\u220f": "\u03a0", "\u2061": "", "\u2062": ""}
_BINDING = "\u2212\u22c5\u00b7\u2299\u00d7/"
_MARKS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "vec": "\u20d7", "check": "\u030c"}
_MARKS |= {"overrightarrow": "\u20d7", "overleftarrow": "\u20d6"}
_SCRIPT_CAPITALS = dict(zip("BEFHILMR", "\u212c\u2130\u2131\u210b\u2110\u2112\u2133\u211b", strict=True))
_TIME = re.compile(r"\d|^[tsjkT](?:[+\u2212]|$)")
_SUBSCRIPTS = dict(zip("0123456789+\u2212=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_POWERS = dict(zip("0123456789+\u2212()\u22a4\u2218", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵀ°", strict=True))
_SUPERSCRIPTS = _POWERS | dict(zip("Ttsjkmnil", "ᵀᵗˢʲᵏᵐⁿⁱˡ", strict=True))
