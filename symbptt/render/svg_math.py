"""Formulas as glyphs at places: what an SVG text shows without MathML, a font of its own or a script.

Widths are those of Times, with which the fonts named in :data:`FONTS` agree nearly; every piece has a place of its own,
so that differences do not add up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..algebra.layout import (
    Accent,
    BigOperator,
    Fence,
    Fraction,
    Ident,
    Item,
    Number,
    Operator,
    Row,
    Script,
    Words,
    inward,
    is_tall,
    joint,
    primes,
    row,
    settled,
    spelled,
)
from ..algebra.plain import to_plain

FONTS = "'STIX Two Text','Times New Roman',Times,'Nimbus Roman','Liberation Serif',serif"
WORD_FONTS = "'Helvetica Neue',Arial,'Liberation Sans','Noto Sans SC','Noto Sans CJK SC','Microsoft YaHei',sans-serif"
SMALL = 0.7
"""Size of a script, of that of its base."""


@dataclass(frozen=True)
class Glyphs:
    """Characters at a place: left end of the base line, y downwards; ``style`` is italic, upright, bold or words."""

    x: float
    y: float
    size: float
    text: str
    style: str


@dataclass(frozen=True)
class Stroke:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    width: float


@dataclass(frozen=True)
class Box:
    """A formula with its size: ``ascent`` above and ``descent`` below the base line, which is y = 0."""

    width: float
    ascent: float
    descent: float
    parts: tuple[Glyphs | Stroke, ...] = ()

    @property
    def height(self) -> float:
        return self.ascent + self.descent

    def moved(self, x: float, y: float) -> tuple[Glyphs | Stroke, ...]:
        """Return the parts at another place."""
        return tuple(_moved(part, x, y) for part in self.parts)


def _moved(part: Glyphs | Stroke, x: float, y: float) -> Glyphs | Stroke:
    if isinstance(part, Glyphs):
        return replace(part, x=part.x + x, y=part.y + y)
    return replace(part, points=tuple((a + x, b + y) for a, b in part.points))


def measure(item: Item, size: float) -> Box:
    """Return a formula as glyphs at places.

    Parameters
    ----------
    item : Item
    size : float
        Of the letters, in pixels.

    Examples
    --------
    >>> box = measure(Script(Ident("h"), Row((Ident("t"), Operator("\u2212"), Number("1")))), 10.0)
    >>> [(part.text, round(part.x, 1), part.y) for part in box.parts]
    [('h', 0.0, 0.0), ('t', 5.2, 2.0), ('\u2212', 7.1, 2.0), ('1', 11.1, 2.0)]
    """
    return _WRITERS.get(type(item), _otherwise)(item, size, False)


def measure_words(words: Sequence[str | Item], size: float) -> Box:
    """Return words and formulas on one line."""
    boxes = [_text(w, size, "words") if isinstance(w, str) else measure(w, size * 1.12) for w in words]
    return _beside([(0.0, box) for box in boxes])


# -- boxes ----------------------------------------------------------------------------------------------------
def _beside(boxes: Sequence[tuple[float, Box]]) -> Box:
    """Put boxes next to each other, each with a space before it."""
    x = 0.0
    parts: list[Glyphs | Stroke] = []
    for space, box in boxes:
        x += space
        parts += box.moved(x, 0.0)
        x += box.width
    ascent = max((box.ascent for _, box in boxes), default=0.0)
    return Box(x, ascent, max((box.descent for _, box in boxes), default=0.0), tuple(parts))


def _text(text: str, size: float, style: str) -> Box:
    width = sum(_advance(char, style) for char in text) * size / 1000
    tall = any(char.isupper() or char in _TALL or char.isdigit() or ord(char) > 0x2000 for char in text)
    deep = any(char in _DEEP or ord(char) > 0x2E80 for char in text)
    shown = tuple([Glyphs(0.0, 0.0, size, text, style)] if text.strip() else [])
    return Box(width, size * (0.7 if tall else 0.47), size * (0.22 if deep else 0.02), shown)


_TALL = "bdfhiklt\u2113\u03b2\u03b4\u03b8\u03bb\u03be\u2202()[]{}|"
_DEEP = "gjpqy()[]{}|,;\u03b2\u03b3\u03b6\u03b7\u03bc\u03be\u03c1\u03c6\u03c7\u03c8\u2211"


def _advance(char: str, style: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1000.0
    return _WIDTHS.get(style, _UPRIGHT).get(char, _SIGNS.get(char, 560.0))


def _table(text: str) -> dict[str, float]:
    return {char: float(width) for width, chars in (pair.split(":", 1) for pair in text.split()) for char in chars}


_UPRIGHT = _table(
    "250:., 278:/ijlt:; 333:()[]frIJ'- 389:sJ 444:acez 500:0123456789bdghknopquvxy 556:FPS 611:ELTZ "
    "667:BCR 722:ADGHKNOQUVXYw 778:m 889:M 944:W"
)
_WIDTHS = {
    "italic": _table(
        "250:., 278:fijlt:; 333:I()[]-' 389:rs 444:cekvxyzJ 500:abdghnopqu0123456789S 556:LTYZ 611:ABEFPRVX "
        "667:CwK 722:DGHNOQUm 833:MW"
    ),
    "words": _table(
        "191:' 222:ijl 278:ft.,:;/I 333:r()-[] 500:ckJsvxyz 556:abdeghnopqu0123456789L 611:FTZ 667:ABEKPSVXY "
        "722:CDHNRUw 778:GOQ 833:mM 944:W"
    )
    | {" ": 278.0},
}
_SIGNS = {
    "\u2202": 520.0, "\u2212": 570.0, "+": 570.0, "=": 570.0, "\u22ef": 900.0, "\u2026": 900.0, "\u2211": 750.0,
    "\u22a4": 600.0, "\u2032": 260.0, "\u2113": 430.0, " ": 250.0, "\u00d7": 570.0, "\u22c5": 280.0, "\u2299": 700.0,
}  # fmt: skip


# -- leaves ---------------------------------------------------------------------------------------------------
def _ident(ident: Ident, size: float, tight: bool) -> Box:
    name = ident.name.replace("'", "\u2032")
    style = {"italic": "italic", "bold": "bold"}.get(ident.style, "upright")
    return _text(name, size, style)


def _number(number: Number, size: float, tight: bool) -> Box:
    item = spelled(number)
    return _text(item.text, size, "upright") if isinstance(item, Number) else _write(item, size, tight)


def _operator(operator: Operator, size: float, tight: bool) -> Box:
    if operator.char == "\u22a4":  # few fonts have it, and in scripts it is too small
        width, high = 0.52 * size, 0.68 * size
        bar, stem = ((0.0, -high), (width, -high)), ((width / 2, -high), (width / 2, 0.0))
        return Box(width, high, 0.0, (Stroke(bar, 0.075 * size), Stroke(stem, 0.075 * size)))
    return _text(operator.char, size, "italic" if operator.char == "\u2202" else "upright")


def _words(words: Words, size: float, tight: bool) -> Box:
    return _text(words.text, size, "words")


def _write(item: Item, size: float, tight: bool) -> Box:
    return _WRITERS.get(type(item), _otherwise)(item, size, tight)


def _otherwise(item: Any, size: float, tight: bool) -> Box:
    return _text(to_plain(item), size, "upright")


# -- rows, scripts, accents -----------------------------------------------------------------------------------
def _row(item: Row, size: float, tight: bool) -> Box:
    boxes = []
    for place, part in enumerate(item.items):
        space = 0.0 if not place or tight else _space(item.items[place - 1], part) * size
        boxes.append((space, _write(part, size, tight)))
    return _beside(boxes)


def _space(left: Item, right: Item) -> float:
    return {"space": 0.25, "times": 0.06, "apply": 0.06}.get(joint(left, right), 0.0)


def _script(script: Script, size: float, tight: bool) -> Box:
    script = settled(script)
    base, small = _write(script.base, size, tight), size * SMALL
    count, sup = primes(script.sup)
    raised = row(*[Operator("\u2032", "plain")] * count, *([] if sup is None else [sup])) if script.sup else None
    parts, width, ascent, descent = list(base.parts), base.width, base.ascent, base.descent
    for item, way in ((script.sub, 1.0), (raised, -1.0)):
        if item is None:
            continue
        box = _write(item, small, True)
        y = size * 0.2 if way > 0 else -max(size * 0.36, base.ascent - small * 0.35)
        x = base.width + size * (0.02 if way > 0 else 0.07)
        parts += box.moved(x, y)
        width = max(width, x + box.width)
        ascent, descent = max(ascent, box.ascent - y), max(descent, box.descent + y)
    return Box(width, ascent, descent, tuple(parts))


def _accent(accent: Accent, size: float, tight: bool) -> Box:
    item = inward(accent)
    if isinstance(item, Script):
        return _write(item, size, tight)
    base = _write(accent.base, size, tight)
    slant = 0.05 * size if isinstance(accent.base, Ident | Operator) else 0.0
    middle, wide = base.width / 2 + slant, max(min(base.width, 0.55 * size), base.width if _is_long(accent) else 0)
    top = -base.ascent - 0.1 * size
    points = tuple(
        tuple((middle + wide / 2 * x, top - 0.14 * size * y) for x, y in line) for line in _MARKS[accent.mark]
    )
    strokes = tuple(Stroke(line, 0.055 * size) for line in points)
    return Box(base.width, base.ascent + 0.27 * size, base.descent, (*base.parts, *strokes))


def _is_long(accent: Accent) -> bool:
    return isinstance(accent.base, Row) or accent.mark in ("overrightarrow", "overleftarrow")


_RIGHT = (((-1.0, 0.5), (1.0, 0.5)), ((0.55, 1.0), (1.0, 0.5), (0.55, 0.0)))
_MARKS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "hat": (((-0.8, 0.0), (0.0, 1.0), (0.8, 0.0)),),
    "check": (((-0.8, 1.0), (0.0, 0.0), (0.8, 1.0)),),
    "tilde": (((-1.0, 0.1), (-0.6, 0.7), (-0.2, 0.6), (0.2, 0.2), (0.6, 0.1), (1.0, 0.7)),),
    "bar": (((-1.0, 0.4), (1.0, 0.4)),),
    "vec": _RIGHT,
    "overrightarrow": _RIGHT,
    "overleftarrow": tuple(tuple((-x, y) for x, y in line) for line in _RIGHT),
}


# -- what encloses --------------------------------------------------------------------------------------------
def _fraction(fraction: Fraction, size: float, tight: bool) -> Box:
    over, under = (_write(part, size * 0.92, tight) for part in (fraction.numerator, fraction.denominator))
    width, axis, gap = max(over.width, under.width) + 0.2 * size, 0.25 * size, 0.16 * size
    up, down = -axis - gap - over.descent, -axis + gap + under.ascent
    parts = (
        *over.moved((width - over.width) / 2, up),
        Stroke(((0.0, -axis), (width, -axis)), 0.05 * size),
        *under.moved((width - under.width) / 2, down),
    )
    return Box(width, over.ascent - up, down + under.descent, parts)


def _fence(fence: Fence, size: float, tight: bool) -> Box:
    body = _write(fence.body, size, tight)
    if is_tall(fence.body) and (fence.left, fence.right) == ("(", ")"):
        sides = [_tall_bracket(body, size, left) for left in (True, False)]
    else:
        sides = [_text(char, size, "upright") for char in (fence.left, fence.right)]
    return _beside([(0.0, sides[0]), (0.0, body), (0.0, sides[1])])


def _tall_bracket(body: Box, size: float, left: bool) -> Box:
    width, deep = 0.34 * size, 0.2 * size
    turns = [k / 8 - 1 for k in range(17)]
    across = [deep * turn**2 if left else deep * (1 - turn**2) for turn in turns]
    middle, half = (body.descent - body.ascent) / 2, body.height / 2 + 0.02 * size
    points = tuple((x + 0.07 * size, middle + half * turn) for x, turn in zip(across, turns, strict=True))
    return Box(width, body.ascent, body.descent, (Stroke(points, 0.06 * size),))


def _big_operator(big: BigOperator, size: float, tight: bool) -> Box:
    sign = _text(big.char, size * 1.35, "upright")
    sign = Box(sign.width, sign.ascent, 0.25 * size, sign.moved(0.0, 0.12 * size))
    scripts = [None if b is None else _write(b, size * SMALL, True) for b in (big.lower, big.upper)]
    parts, ascent, descent, wide = list(sign.parts), sign.ascent, sign.descent, 0.0
    for box, y in zip(scripts, (0.4 * size, -0.62 * size), strict=True):
        if box is not None:
            parts += box.moved(sign.width, y)
            ascent, descent = max(ascent, box.ascent - y), max(descent, box.descent + y)
            wide = max(wide, box.width)
    head = Box(sign.width + wide, ascent, descent, tuple(parts))
    return _beside([(0.0, head), (0.12 * size, _write(big.body, size, tight))])


_WRITERS: dict[type, Callable[[Any, float, bool], Box]] = {
    Ident: _ident,
    Number: _number,
    Operator: _operator,
    Words: _words,
    Row: _row,
    Script: _script,
    Accent: _accent,
    Fraction: _fraction,
    Fence: _fence,
    BigOperator: _big_operator,
}
