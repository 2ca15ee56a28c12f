r"""Formulas as LaTeX that reads as if written by hand and passes KaTeX in strict mode.

Control symbols that Markdown swallows (``\,``, ``\{``) are avoided in mathematics: ``\thinspace`` and ``\lbrace``
mean the same and survive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
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
    is_tall,
    is_word,
    joint,
    padded,
    primes,
    settled,
    spelled,
)

RELATIONS = {
    "=": "=",
    "≈": "\\approx",
    "≤": "\\le",
    "≥": "\\ge",
    "<": "<",
    ">": ">",
    "≠": "\\ne",
    "→": "\\to",
}
"""Relation sign of a line -> LaTeX."""


def to_tex(item: Item) -> str:
    r"""Return the LaTeX of a formula, without dollar signs.

    Parameters
    ----------
    item : Item
        The formula as it lies on the page.

    Returns
    -------
    str
        One line of LaTeX for math mode.

    Examples
    --------
    >>> h = Script(Ident("h"), Row((Ident("t"), Operator("\u2212"), Number("1"))))
    >>> print(to_tex(Row((Script(Ident("W"), Ident("h"), Operator("\u22a4", "plain")), h))))
    W_h^\top h_{t-1}
    >>> print(to_tex(Row((Ident("diag", "upright"), Fence(Fraction(Ident("a"), Ident("\u03b2")))))))
    \mathrm{diag}\left( \frac{a}{\beta} \right)
    """
    return _write(item, False)


def escape(text: str) -> str:
    r"""Escape text for LaTeX's text mode.

    >>> print(escape("50% of x_1 {a}"))
    50\% of x\_1 \{a\}
    """
    return "".join(_SPECIAL.get(char, char) for char in text)


def _write(item: Item, tight: bool) -> str:
    return _WRITERS[type(item)](item, tight)


def _join(left: str, right: str) -> str:
    """Put two pieces together, with a space only where a control word would swallow a letter."""
    return left + (" " if _ENDS_IN_WORD.search(left) and right[:1].isalpha() else "") + right


# -- leaves ----------------------------------------------------------------------------------------------------
def _ident(ident: Ident, tight: bool) -> str:
    name = ident.name.rstrip("'\u2032")
    return _STYLES[ident.style](name) + "'" * (len(ident.name) - len(name))


def _italic(name: str) -> str:
    known = GREEK.get(name) or SIGNS.get(name)
    return known or (name if len(name) == 1 and name.isascii() else _worded("mathit", name))


def _upright(name: str) -> str:
    if name in FUNCTIONS:
        return "\\" + name
    return _worded("mathrm", name) if name not in GREEK else GREEK[name]


def _bold(name: str) -> str:
    return f"\\boldsymbol{{{GREEK[name]}}}" if name in GREEK else _worded("mathbf", name)


def _calligraphic(name: str) -> str:
    return _worded("mathcal", name)


def _worded(command: str, name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9_]+", name)
    return f"\\{command}{{{escape(name)}}}" if plain else f"\\text{{{escape(name)}}}"


def _number(number: Number, tight: bool) -> str:
    item = spelled(number)
    return item.text if isinstance(item, Number) else _write(item, tight)


def _operator(operator: Operator, tight: bool) -> str:
    char = operator.char
    if char in SIGNS:
        return SIGNS[char]
    return _SPECIAL.get(char, char) if char.isascii() else f"\\text{{{char}}}"


def _words(words: Words, tight: bool) -> str:
    return f"\\text{{{escape(words.text)}}}"


# -- rows and scripts ------------------------------------------------------------------------------------------
def _row(row: Row, tight: bool) -> str:
    items = padded(row.items)
    tex = ""
    for i, item in enumerate(items):
        piece = _write(item, tight)
        if i:
            left = items[i - 1]
            piece = _unary(left, item, piece)
            tex = _join(tex + _gap(left, item, tight), piece)
        else:
            tex = piece
    return tex


def _unary(left: Item, item: Item, piece: str) -> str:
    """Keep a sign in front of its operand from being set as a difference."""
    prefix = isinstance(item, Operator) and item.form == "prefix" and piece in ("-", "+")
    return f"{{{piece}}}" if prefix and not isinstance(left, Operator) else piece


def _gap(left: Item, right: Item, tight: bool) -> str:
    how = joint(left, right)
    if how in ("times", "apply") and _wants_thin_space(left, right, how):
        return r" \thinspace "
    if tight or how == "none":
        return " " if isinstance(left, Script) and not isinstance(right, Operator) else ""
    hugs = isinstance(right, Fence) and right.left in _HUGGING and not isinstance(left, Fence)
    return " " if how == "space" or not hugs else ""


def _wants_thin_space(left: Item, right: Item, how: str) -> bool:
    """Whether an upright word without a macro touches a factor; macros such as ``\\tanh`` space themselves."""
    if how == "apply":
        return not _is_macro(left) and not (isinstance(right, Fence) and right.left in _HUGGING)
    return how == "times" and is_word(right) and not _is_macro(right)


def _is_macro(item: Item) -> bool:
    core = item.base if isinstance(item, Script) else item
    return isinstance(core, Ident) and core.name in FUNCTIONS


def _script(script: Script, tight: bool) -> str:
    script = settled(script)
    count, sup = primes(script.sup)
    tex = _write(script.base, tight)
    tex += "" if script.sub is None else "_" + _argument(script.sub)
    tex += "'" * count
    return tex + ("" if sup is None else "^" + _argument(sup))


def _argument(item: Item) -> str:
    """Write a script, in braces unless it is one character or one symbol."""
    tex = _write(item, True)
    return tex if re.fullmatch(r"[A-Za-z0-9*+-]", tex) or tex in _SYMBOLS else f"{{{tex}}}"


def _accent(accent: Accent, tight: bool) -> str:
    item = inward(accent)
    if isinstance(item, Script):
        return _write(item, tight)
    wide = isinstance(accent.base, Row)
    return f"\\{_ACCENTS[accent.mark][wide]}{{{_write(accent.base, tight)}}}"


# -- what encloses ---------------------------------------------------------------------------------------------
def _fraction(fraction: Fraction, tight: bool) -> str:
    return f"\\frac{{{_write(fraction.numerator, False)}}}{{{_write(fraction.denominator, False)}}}"


def _root(root: Root, tight: bool) -> str:
    return f"\\sqrt{{{_write(root.body, False)}}}"


def _fence(fence: Fence, tight: bool) -> str:
    left, right = (_BRACKETS.get(c, (c, c))[side] for side, c in enumerate((fence.left, fence.right)))
    body = _write(fence.body, tight)
    if is_tall(fence.body):
        return f"\\left{left or '.'} {body} \\right{right or '.'}"
    if left.startswith("\\") or right.startswith("\\"):
        return f"{left} {body} {right}".strip()
    return f"{left}{body}{right}"


def _brace(brace: Brace, tight: bool) -> str:
    return f"\\underbrace{{{_write(brace.body, False)}}}_{{{_write(brace.note, True)}}}"


def _big_operator(big: BigOperator, tight: bool) -> str:
    tex = SIGNS[big.char]
    if big.lower is not None and big.upper is not None:
        tex += f"_{{{_write(big.lower, True)}}}^{{{_write(big.upper, True)}}}"
    else:
        tex += "" if big.lower is None else "_" + _argument(big.lower)
        tex += "" if big.upper is None else "^" + _argument(big.upper)
    return f"{tex} {_write(big.body, tight)}"


def _grid(grid: Grid, tight: bool) -> str:
    width = max((len(cells) for cells in grid.rows), default=0)
    body = _lines(grid.rows)
    if width > _WIDEST_BMATRIX:
        return f"\\left[ \\begin{{array}}{{{'c' * width}}} {body} \\end{{array}} \\right]"
    return f"\\begin{{bmatrix}} {body} \\end{{bmatrix}}"


def _cases(cases: Cases, tight: bool) -> str:
    return f"\\begin{{cases}} {_lines(cases.rows)} \\end{{cases}}"


def _lines(rows: tuple[tuple[Item, ...], ...]) -> str:
    return r" \\ ".join(" & ".join(map(_cell, cells)) for cells in rows)


def _cell(item: Item) -> str:
    tex = _write(item, False)
    return "{}" + tex if tex[:1] in ("[", "*") else tex


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
_STYLES: dict[str, Callable[[str], str]] = {
    "italic": _italic,
    "upright": _upright,
    "bold": _bold,
    "calligraphic": _calligraphic,
}
_ACCENTS = {
    "hat": ("hat", "widehat"),
    "tilde": ("tilde", "widetilde"),
    "bar": ("bar", "overline"),
    "vec": ("vec", "overrightarrow"),
    "check": ("check", "check"),
    "overrightarrow": ("overrightarrow", "overrightarrow"),
    "overleftarrow": ("overleftarrow", "overleftarrow"),
}
_BRACKETS = {
    "{": (r"\lbrace", r"\lbrace"),
    "}": (r"\rbrace", r"\rbrace"),
    "|": (r"\lvert", r"\rvert"),
    "\u2016": (r"\lVert", r"\rVert"),
    "\u27e8": (r"\langle", r"\langle"),
    "\u27e9": (r"\rangle", r"\rangle"),
    "\u230a": (r"\lfloor", r"\lfloor"),
    "\u230b": (r"\rfloor", r"\rfloor"),
    "\u2308": (r"\lceil", r"\lceil"),
    "\u2309": (r"\rceil", r"\rceil"),
}
_HUGGING = ("(", "[", "{")
"""Brackets that stand right behind what they belong to."""
_WIDEST_BMATRIX = 10
_ENDS_IN_WORD = re.compile(r"\\[A-Za-z]+$")
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{char: "\\" + char for char in "{}$&#_%"},
}

FUNCTIONS = frozenset(
    re.findall(
        r"\w+",
        "tanh sinh cosh coth exp log ln sin cos tan cot max min "
        "arg det dim lim sup inf ker gcd Pr arcsin arccos arctan",
    )
)
"""Upright words that have a macro of their own."""

_SPELLINGS = {"lamda": "lambda", "final sigma": "varsigma"}
_GREEK_NAMES = [unicodedata.name(chr(0x3B1 + i)).removeprefix("GREEK SMALL LETTER ").lower() for i in range(25)]
_GREEK_NAMES = [_SPELLINGS.get(name, name) for name in _GREEK_NAMES]
_OWN_CAPITALS = {"Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"}
_VARIANTS = {
    "\u2113": r"\ell",
    "\u03f5": r"\varepsilon",
    "\u03d1": r"\vartheta",
    "\u03d5": r"\varphi",
    "\u03d6": r"\varpi",
    "\u03f1": r"\varrho",
}
GREEK = {
    **{chr(0x3B1 + i): "\\" + name for i, name in enumerate(_GREEK_NAMES) if name != "omicron"},
    **{chr(0x391 + i): "\\" + n.title() for i, n in enumerate(_GREEK_NAMES) if n.title() in _OWN_CAPITALS},
    **_VARIANTS,
}
"""Letters that LaTeX writes by name, by their Unicode character."""

SIGNS = {
    "\U0001d53c": r"\mathbb{E}",
    "\u2212": "-",
    "\u2248": r"\approx",
    "\u2264": r"\le",
    "\u2265": r"\ge",
    "\u2260": r"\ne",
    "\u2261": r"\equiv",
    "\u226a": r"\ll",
    "\u226b": r"\gg",
    "\u221d": r"\propto",
    "\u223c": r"\sim",
    "\u22c5": r"\cdot",
    "\u00b7": r"\cdot",
    "\u00d7": r"\times",
    "\u2299": r"\odot",
    "\u2298": r"\oslash",
    "\u2297": r"\otimes",
    "\u2218": r"\circ",
    "\u00b1": r"\pm",
    "\u2202": r"\partial",
    "\u2207": r"\nabla",
    "\u22ef": r"\cdots",
    "\u2026": r"\dots",
    "\u22ee": r"\vdots",
    "\u22f1": r"\ddots",
    "\u2016": r"\Vert",
    "\u22a4": r"\top",
    "\u2032": "'",
    "\u2192": r"\to",
    "\u2190": r"\leftarrow",
    "\u21d2": r"\Rightarrow",
    "\u21a6": r"\mapsto",
    "\u2208": r"\in",
    "\u2209": r"\notin",
    "\u2200": r"\forall",
    "\u221e": r"\infty",
    "\u2211": r"\sum",
    "\u220f": r"\prod",
    "\u2061": "",
    "\u2220": "\\angle",
    "\u2062": "",
    "\u22c6": r"\star",
    "\u2020": r"\dagger",
}
"""Signs that LaTeX writes by name, by their Unicode character."""

_SYMBOLS = frozenset([*GREEK.values(), r"\top", r"\infty", r"\star", r"\dagger"])
"""Control words that may stand as a script without braces: one symbol each, not a macro."""
