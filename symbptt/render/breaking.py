r"""Long formulas over several lines: how wide a formula is on paper, and where it may be broken.

TeX does not break displayed formulas. Here they are broken before the plus and minus signs of a sum, where that is
not enough between factors, and then inside brackets, so that no line runs into the margin.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
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
    is_tall,
    is_word,
    joint,
    row,
    settled,
    spelled,
)
from ..algebra.tex import to_tex

SMALL = 0.74
"""Size of scripts."""
_BRACKET = 0.75
_ARROW = 1.0
"""The least width of an arrow over a letter."""
INDENT = 2.0
"""Width of the ``\\qquad`` in front of a continued line, in em."""


# -- how wide ---------------------------------------------------------------------------------------------------
def width(item: Item) -> float:
    """Return about how wide a formula is in display style, in em; rather too wide than too narrow.

    >>> round(width(Row((Ident("a"), Operator("+"), Ident("b")))), 1)
    2.4
    """
    return _WIDTHS[type(item)](item)


def text_width(text: str) -> float:
    """Return about how wide words are, in em; Chinese characters are one em each."""
    return sum(1.0 if unicodedata.east_asian_width(char) in "WF" else 0.5 for char in text)


def _ident(ident: Ident) -> float:
    wide = 0.8 if ident.name.isupper() else 0.58
    return wide * len(ident.name) if ident.style == "italic" else text_width(ident.name) + 0.1


def _number(number: Number) -> float:
    item = spelled(number)
    return 0.5 * len(number.text) if isinstance(item, Number) else width(item)


def _operator(operator: Operator) -> float:
    if operator.form == "infix":
        return _SIGNS.get(operator.char, 1.35)
    if operator.form == "separator":
        return 0.45
    return 1.5 if operator.char in DOTS else 0.78


def _row(row: Row) -> float:
    gaps = sum(0.17 for a, b in zip(row.items, row.items[1:], strict=False) if is_word(a) or is_word(b))
    return sum(map(width, row.items)) + gaps


def _script(script: Script) -> float:
    script = settled(script)
    return width(script.base) + SMALL * _widest((script.sub, script.sup)) + 0.05


def _widest(items: Iterable[Item | None]) -> float:
    return max((width(item) for item in items if item is not None), default=0.0)


def _accent(accent: Accent) -> float:
    return max(width(accent.base), _ARROW if accent.mark.startswith("over") else 0.0)


def _fraction(fraction: Fraction) -> float:
    return max(width(fraction.numerator), width(fraction.denominator)) + 0.24


def _root(root: Root) -> float:
    return width(root.body) + 0.9


def _fence(fence: Fence) -> float:
    bracket = 0.75 if is_tall(fence.body) else 0.4
    return width(fence.body) + bracket * (bool(fence.left) + bool(fence.right))


def _brace(brace: Brace) -> float:
    return max(width(brace.body), SMALL * width(brace.note))


def _big_operator(big: BigOperator) -> float:
    return _sign_width(big) + width(big.body)


def _sign_width(big: BigOperator) -> float:
    return max(1.45, SMALL * _widest((big.lower, big.upper))) + 0.17


def _grid(grid: Grid) -> float:
    return _columns(grid.rows) + 1.1


def _cases(cases: Cases) -> float:
    return _columns(cases.rows) + 1.0


def _columns(rows: tuple[tuple[Item, ...], ...]) -> float:
    columns = list(zip(*rows, strict=True))
    return sum(map(_widest, columns)) + 1.0 * (len(columns) - 1)


_WIDTHS: dict[type, Callable[[Any], float]] = {
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
    Words: lambda words: text_width(words.text),
    Cases: _cases,
}
_SIGNS = {"\u22c5": 0.73, "+": 1.23, "\u2212": 1.23, "\u2299": 1.23, "\u2298": 1.23, "\u00d7": 1.23, "/": 0.5}


# -- where to break ---------------------------------------------------------------------------------------------
Piece = tuple[str, float]
"""LaTeX that stays on one line, and its width in em."""


def broken(item: Item, first: float, rest: float) -> list[Piece]:
    r"""Break a formula into lines of LaTeX with their widths.

    Parameters
    ----------
    item : Item
    first, rest : float
        Room on the first line and on each line after it, in em.

    Returns
    -------
    list of (str, float)
        More than one line only where the formula is wider than ``first``; a line can still be too wide where there
        is no place to break it.

    Examples
    --------
    >>> long = Row((Ident("a"), Operator("+"), Ident("b"), Operator("+"), Ident("c")))
    >>> [tex for tex, _ in broken(long, 3, 3)]
    ['a + b', '+ c']
    """
    if width(item) <= first:
        return [(to_tex(item), width(item))]
    return _filled(_pieces(item, min(first, rest)), first, rest)


def _filled(pieces: list[Piece], first: float, rest: float) -> list[Piece]:
    lines: list[list[Piece]] = []
    for piece in pieces:
        room = rest if len(lines) > 1 else first
        if lines and _wide(lines[-1]) + piece[1] <= room:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    if len(lines) > 1:
        _share(lines[-2], lines[-1], rest)
    return [(" ".join(tex for tex, _ in line), _wide(line)) for line in lines]


def _share(line: list[Piece], last: list[Piece], room: float) -> None:
    """Move short factors down from a line, so that the last line is no single factor that is torn from the others.

    >>> line, last = [("(a + b)", 20.0), ("c", 1.0), ("d", 1.0)], [("e", 1.0)]
    >>> _share(line, last, 25.0)
    >>> line, last
    ([('(a + b)', 20.0)], [('c', 1.0), ('d', 1.0), ('e', 1.0)])
    """
    while len(line) > 1 and _wide(last) < _SHORTEST * room and not last[0][0].startswith(("+", "-")):
        if line[-1][1] > _SHORTEST * room / 2:
            return
        last.insert(0, line.pop())


_SHORTEST = 0.25
"""A last line that begins with a factor is not shorter than this share of the room, where it can be longer."""


def _wide(line: list[Piece]) -> float:
    return sum(wide for _, wide in line)


def _pieces(item: Item, room: float) -> list[Piece]:
    """Take a formula apart until every piece fits, outermost sums first."""
    if width(item) <= room:
        return [(to_tex(item), width(item))]
    for split in (_terms, _factors):
        parts = split(item)
        if len(parts) > 1:
            return [piece for part in parts for piece in _pieces(part, room)]
    return _opened(item, room) or [(to_tex(item), width(item))]


def _terms(item: Item) -> list[Item]:
    """Split a row before its plus and minus signs.

    >>> len(_terms(Row((Ident("a"), Operator("+"), Ident("b"), Operator("\u2212"), Ident("c")))))
    3
    """
    return _split(item, lambda left, right: _is_infix(right, "+\u2212"))


def _factors(item: Item) -> list[Item]:
    """Split a row before its signs of multiplication, and between factors that touch."""
    return _split(
        item, lambda left, right: _is_infix(right, "\u22c5\u2299\u2298\u00d7") or joint(left, right) == "times"
    )


def _is_infix(item: Item, chars: str) -> bool:
    return isinstance(item, Operator) and item.form == "infix" and item.char in chars


def _split(item: Item, before: Callable[[Item, Item], bool]) -> list[Item]:
    if not isinstance(item, Row):
        return [item]
    parts: list[list[Item]] = [[item.items[0]]]
    for left, right in zip(item.items, item.items[1:], strict=False):
        if before(left, right):
            parts.append([])
        parts[-1].append(right)
    return [row(*part) for part in parts]


def _opened(item: Item, room: float) -> list[Piece]:
    """Break inside the brackets or behind the big operator at the end of a formula; nothing where there are none."""
    if isinstance(item, Row):
        head = row(*item.items[:-1])
        return _enclosed(to_tex(head) + " ", width(head), _opened(item.items[-1], room - width(head)), "")
    if isinstance(item, Grid):
        return _narrowed(item, room)
    if isinstance(item, BigOperator):
        sign = to_tex(BigOperator(item.char, item.lower, item.upper, Row(()))).strip()
        return _enclosed(sign + " ", _sign_width(item), _pieces(item.body, room - _sign_width(item)), "")
    if isinstance(item, Script) and isinstance(item.base, Fence):
        script = to_tex(Script(Row(()), item.sub, item.sup)).removeprefix("()")
        return _enclosed("", 0.0, _opened(item.base, room - 1.0), script)
    if isinstance(item, Fence):
        left, right = (_bracket(char, side, item.body) for char, side in ((item.left, "l"), (item.right, "r")))
        return _enclosed(left, _BRACKET, _pieces(item.body, room - 2 * _BRACKET), right)
    return []


def _enclosed(before: str, wide: float, pieces: list[Piece], behind: str) -> list[Piece]:
    if not pieces:
        return []
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return [(before + first[0] + behind, first[1] + wide + _BRACKET * bool(behind))]
    return [(before + first[0], first[1] + wide), *pieces[1:-1], (last[0] + behind, last[1] + _BRACKET * bool(behind))]


def _narrowed(grid: Grid, room: float) -> list[Piece]:
    """Break the entries of a matrix in its widest column."""
    columns = [_widest(column) for column in zip(*grid.rows, strict=True)]
    widest = columns.index(max(columns))
    left = room - (_grid(grid) - columns[widest])
    if left < _NARROWEST:
        return []
    lines = [
        " & ".join(_entry(cell, left if i == widest else room) for i, cell in enumerate(cells)) for cells in grid.rows
    ]
    body = " \\\\ ".join(lines)
    return [(f"\\begin{{bmatrix}} {body} \\end{{bmatrix}}", room)]


def _entry(cell: Item, room: float) -> str:
    (first, _), *rest = broken(cell, room, room - INDENT)
    if not rest:
        return first
    body = "".join(f" \\\\ &\\qquad {{}}{tex}" for tex, _ in rest)
    return f"\\begin{{aligned}} &{first}{body} \\end{{aligned}}"


_NARROWEST = 8.0
"""An entry of a matrix is not broken into lines shorter than this, in em."""


def _bracket(char: str, side: str, body: Item) -> str:
    r"""Write one bracket of a pair that stands on two lines, where ``\left`` and ``\right`` cannot reach."""
    tex = _BRACKETS.get(char, {}).get(side, char)
    if not char or not is_tall(body):
        return tex
    return f"\\{'Bigg' if _has_grid(body) else 'bigg'}{side}{tex} "


def _has_grid(item: Item) -> bool:
    return "matrix}" in to_tex(item)


_BRACKETS = {
    "|": {"l": r"\lvert ", "r": r"\rvert "},
    "\u2016": {"l": r"\lVert ", "r": r"\rVert "},
    "{": {"l": r"\lbrace ", "r": r"\lbrace "},
    "}": {"l": r"\rbrace ", "r": r"\rbrace "},
}
