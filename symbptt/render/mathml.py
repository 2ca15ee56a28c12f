"""Formulas as presentation MathML within MathML Core, which browsers set by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

from ..algebra.layout import (
    DOTS,
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
    is_tall,
    is_word,
    joint,
    padded,
    primes,
    settled,
    spelled,
)
from ..algebra.tex import to_tex

NAMESPACE = "http://www.w3.org/1998/Math/MathML"


def to_mathml(item: Item, display: bool = False, lang: str | None = None, annotate: bool = False) -> str:
    """Return a formula as a ``math`` element.

    Parameters
    ----------
    item : Item
        The formula as it lies on the page.
    display : bool
        Whether it stands on a line of its own.
    lang : str, optional
        Language of the words in it, which settles the shape of Chinese characters.
    annotate : bool
        Whether the LaTeX of the formula goes along, for those who copy it.

    Returns
    -------
    str
        Well-formed XML that is valid inside HTML as well.

    Examples
    --------
    >>> print(to_mathml(Script(Ident("h"), Ident("t"))))
    <math xmlns="http://www.w3.org/1998/Math/MathML"><msub><mi>h</mi><mi>t</mi></msub></math>
    >>> 'encoding="application/x-tex">h_t</annotation>' in to_mathml(Script(Ident("h"), Ident("t")), annotate=True)
    True
    """
    body = _write(item, False)
    if annotate:
        source = _tag("annotation", escape(to_tex(item), quote=False), encoding="application/x-tex")
        body = _tag("semantics", body + source)
    shown = {"display": "block"} if display else {}
    spoken = {"xml:lang": lang} if lang else {}
    return _tag("math", body, xmlns=NAMESPACE, **shown, **spoken)


def content(item: Item) -> str:
    """Return a formula as elements to put inside a ``math`` element.

    Examples
    --------
    >>> print(content(Script(Ident("h"), Ident("t"))))
    <msub><mi>h</mi><mi>t</mi></msub>
    """
    return _write(item, False)


def _tag(name: str, content: str, **attributes: str) -> str:
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>"


def _write(item: Item, tight: bool) -> str:
    return _WRITERS[type(item)](item, tight)


# -- leaves ----------------------------------------------------------------------------------------------------
def _ident(ident: Ident, tight: bool) -> str:
    name = ident.name.replace("'", "\u2032")
    if ident.style in _ALPHABETS:
        return _tag("mi", escape("".join(_ALPHABETS[ident.style].get(char, char) for char in name)))
    if len(name) > 1 and not name.replace("\u2032", "").isascii():
        return _tag("mtext", escape(name))
    slanted = ident.style == "italic" and not _CAPITAL_GREEK.fullmatch(name)
    return _tag("mi", escape(name), **_SLANTS.get((slanted, len(name) > 1), {}))


def _number(number: Number, tight: bool) -> str:
    item = spelled(number)
    return _tag("mn", escape(item.text)) if isinstance(item, Number) else _write(item, True)


def _operator(operator: Operator, tight: bool) -> str:
    if operator.char in _LETTERLIKE:
        return _tag("mi", operator.char, mathvariant="normal")
    return _tag("mo", _character(operator.char), **_spacing(operator, tight))


def _spacing(operator: Operator, tight: bool) -> dict[str, str]:
    if operator.char in _INVISIBLE:
        return {}
    if operator.char in DOTS:
        return {"lspace": "0.167em", "rspace": "0.167em"}
    if operator.form == "plain" or (tight and operator.form != "separator"):
        return {"lspace": "0", "rspace": "0", **_NOT_GROWING.get(operator.char, {})}
    return {**_FORMS[operator.form], **_NOT_GROWING.get(operator.char, {})}


def _character(char: str) -> str:
    return _INVISIBLE.get(char) or escape(char)


def _words(words: Words, tight: bool) -> str:
    """Write words with hard spaces at their ends, where MathML would drop soft ones."""
    text = words.text
    left, right = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
    return _tag("mtext", "\u00a0" * left + escape(text.strip()) + "\u00a0" * right)


# -- rows and scripts ------------------------------------------------------------------------------------------
def _row(row: Row, tight: bool) -> str:
    items = padded(row.items)
    children = []
    for i, item in enumerate(items):
        children.append(_between(items[i - 1], item) if i else "")
        children.append(_write(item, tight))
    return _tag("mrow", "".join(children))


def _between(left: Item, right: Item) -> str:
    how = joint(left, right)
    if how not in _JOINTS:
        return ""
    words = is_word(right) or (is_word(left) and not (isinstance(right, Fence) and right.left in "(["))
    apart = words or isinstance(left, Fraction) or isinstance(right, Fraction)
    return _tag("mo", _JOINTS[how], **({"lspace": "0", "rspace": "0.167em"} if apart else {}))


def _script(script: Script, tight: bool) -> str:
    script = settled(script)
    if script.sub is None and script.sup is not None and primes(script.sup)[1] is None:
        return _primed(script.base, primes(script.sup)[0], tight)
    scripts = [_write(item, True) for item in (script.sub, script.sup) if item is not None]
    name = "m" + "sub" * (script.sub is not None) + "sup" * (script.sup is not None)
    base = _write(script.base, tight)
    return _tag(name, base + "".join(scripts)) if scripts else base


def _primed(base: Item, count: int, tight: bool) -> str:
    """Write primes beside their base: they are raised already, and as a superscript browsers raise them twice."""
    return _tag("mrow", _write(base, tight) + _tag("mo", "\u2032", lspace="0", rspace="0") * count)


def _accent(accent: Accent, tight: bool) -> str:
    item = inward(accent)
    if isinstance(item, Script):
        return _write(item, tight)
    wide = isinstance(accent.base, Row)
    if wide and accent.mark == "bar":
        return _tag("mrow", _write(accent.base, tight), style="border-top: 0.06em solid; padding-top: 0.1em")
    mark = _tag("mo", _MARKS[accent.mark], stretchy="true" if wide else "false")
    return _tag("mover", _write(accent.base, tight) + mark, accent="true")


# -- what encloses ---------------------------------------------------------------------------------------------
def _fraction(fraction: Fraction, tight: bool) -> str:
    return _tag("mfrac", _write(fraction.numerator, False) + _write(fraction.denominator, False))


def _root(root: Root, tight: bool) -> str:
    return _tag("msqrt", _write(root.body, False))


def _fence(fence: Fence, tight: bool) -> str:
    grows = is_tall(fence.body)
    left, right = _bracket(fence.left, "prefix", grows), _bracket(fence.right, "postfix", grows)
    return _tag("mrow", left + _write(fence.body, tight) + right)


def _bracket(char: str, form: str, grows: bool) -> str:
    stretchy = "true" if grows else "false"
    return _tag("mo", escape(char), form=form, stretchy=stretchy, lspace="0", rspace="0") if char else ""


def _brace(brace: Brace, tight: bool) -> str:
    braced = _tag("munder", _tag("mrow", _write(brace.body, False)) + _tag("mo", "\u23df", stretchy="true"))
    return _tag("munder", braced + _write(brace.note, False))


def _big_operator(big: BigOperator, tight: bool) -> str:
    bounds = [_write(bound, True) for bound in (big.lower, big.upper) if bound is not None]
    name = "m" + "under" * (big.lower is not None) + "over" * (big.upper is not None)
    sign = _tag("mo", big.char, largeop="true", movablelimits="true")
    return _tag("mrow", (_tag(name, sign + "".join(bounds)) if bounds else sign) + _write(big.body, tight))


def _grid(grid: Grid, tight: bool) -> str:
    return _tag("mrow", _bracket("[", "prefix", True) + _table(grid.rows) + _bracket("]", "postfix", True))


def _cases(cases: Cases, tight: bool) -> str:
    return _tag("mrow", _bracket("{", "prefix", True) + _table(cases.rows, style="text-align: left"))


def _table(rows: tuple[tuple[Item, ...], ...], **attributes: str) -> str:
    lines = ("".join(_tag("mtd", _write(cell, False), **attributes) for cell in cells) for cells in rows)
    return _tag("mtable", "".join(_tag("mtr", line) for line in lines))


_WRITERS: dict[type, Callable[[Any, bool], str]] = {
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
_SLANTS = {(True, True): {"style": "font-style: italic"}, (False, False): {"mathvariant": "normal"}}
"""What an identifier needs by (is it slanted, is it a word): a single letter slants by itself, a word does not."""
_CAPITAL_GREEK = re.compile("[\u0391-\u03a9\u221e]")
_LETTERLIKE = "\u2202\u22a4\u221e\u2207"
_INVISIBLE = {"\u2061": "&#x2061;", "\u2062": "&#x2062;"}
_JOINTS = {"times": "&#x2062;", "apply": "&#x2061;"}
_FORMS: dict[str, dict[str, str]] = {
    "infix": {"form": "infix"},
    "prefix": {"form": "prefix"},
    "separator": {"lspace": "0", "rspace": "0.167em"},
}
_NOT_GROWING = {char: {"stretchy": "false"} for char in "()[]|\u2016\u2192\u2190"}
_MARKS = {"hat": "^", "tilde": "~", "bar": "\u00af", "vec": "\u2192", "check": "\u02c7"}
_MARKS |= {"overrightarrow": "\u2192", "overleftarrow": "\u2190"}

_SCRIPT_EXCEPTIONS = dict(
    zip("BEFHILMRego", "\u212c\u2130\u2131\u210b\u2110\u2112\u2133\u211b\u212f\u210a\u2134", strict=True)
)


def _alphabet(capitals: int, smalls: int) -> dict[str, str]:
    return {chr(first + i): chr(to + i) for first, to in ((0x41, capitals), (0x61, smalls)) for i in range(26)}


_ALPHABETS = {
    "bold": {
        **_alphabet(0x1D400, 0x1D41A),
        **{chr(0x3B1 + i): chr(0x1D736 + i) for i in range(25)},
        **{chr(0x391 + i): chr(0x1D6A8 + i) for i in range(25) if i != 17},
        **{chr(0x30 + i): chr(0x1D7CE + i) for i in range(10)},
    },
    "calligraphic": _alphabet(0x1D49C, 0x1D4B6) | _SCRIPT_EXCEPTIONS,
}
"""Styled letters are characters of their own: MathML Core has no other way to ask for them.

LaTeX's bold is upright for Latin letters and slanted for small Greek ones, and so are these.
"""
