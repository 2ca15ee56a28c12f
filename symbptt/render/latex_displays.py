r"""Displayed formulas as LaTeX: chains of relations, aligned with each other, broken before they reach the margin."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ..algebra.tex import RELATIONS, to_tex
from .blocks import Display, Group, Math, displays
from .breaking import INDENT, Piece, broken, text_width, width
from .latex_style import Style
from .latex_words import inline
from .phrases import catalogue

_SHORT = 32.0
"""A chain of two or three relations stays on one line up to this width, in em."""
_SHORT_CHAIN = 24.0
"""The same for more relations."""
_RELATION = 1.6
_LONG_GROUP = 4
"""More displays than this may be parted by the end of a page; a chain is kept together where it can be."""
_INDENTS = {False: (INDENT, "\\qquad"), True: (1.0, "\\quad")}
"""Indentation of a continued line in a wide and in a narrow text, in em."""
_HUNG = 1.0
"""How far relations are moved in, in em, where the left side has a line of its own."""
_NUMBER = 3.0
"""Room for the number of an equation in a wide text, in em; in a narrow one TeX puts it below where it must."""

Chain = list[Piece]
"""The rows of one display."""


def broken_tex(block: Display | Group, room: float) -> str:
    r"""Return displays as the body of one equation, broken to a width: one line, or an ``aligned`` environment.

    Parameters
    ----------
    block : Display or Group
    room : float
        Width that a line may have, in em of the surrounding type.

    Returns
    -------
    str
        LaTeX for math mode. A line is wider than the room only where there is no place to break it.

    Examples
    --------
    >>> from symbptt.algebra.layout import Ident, Operator, Row
    >>> long = Row((Ident("a"), *(item for _ in range(4) for item in (Operator("+"), Ident("b")))))
    >>> print(broken_tex(Display("key", Ident("c"), (("=", long),)), 30))
    c = a + b + b + b + b
    >>> print(broken_tex(Display("key", Ident("c"), (("=", long),)), 7))
    \begin{aligned}
    c &= a + b + b \\
    &\quad {}+ b + b
    \end{aligned}
    """
    group = Group(displays(block))
    rows = chains_of(group, Style(room))
    tex = [tex for tex, _ in side_by_side(group, rows, room)]
    return _unaligned(tex[0]) if len(tex) == 1 else _aligned(tex)


def group_tex(block: Group, style: Style) -> str:
    """Write displays aligned with each other, in the largest type in which they fit, or else scaled to fit."""
    given = block.displays[0].key.startswith("given.")
    if style.numbered and not given:
        return _numbered(block, style)
    for command, scale in style.sizes:
        smaller = replace(style, room=style.room / scale)
        rows = side_by_side(block, chains_of(block, smaller), smaller.room)
        if _fits(rows, smaller.room):
            return _sized(command, environment([tex for tex, _ in rows]), block)
    return f"\\[\n{scaled([tex for tex, _ in rows])}\n\\]"


def _numbered(block: Group, style: Style) -> str:
    """Write displays with a number and a label each; what fits in no type is scaled, alone."""
    for command, scale in style.sizes:
        smaller = replace(style, room=style.room / scale)
        chains = chains_of(block, smaller)
        if _fits([row for chain in chains for row in chain], smaller.room):
            return _sized(command, _numbered_environment(block, chains, style), block)
    if len(block.displays) > 1:
        return "\n".join(_numbered(Group((display,)), style) for display in block.displays)
    label = f"\\label{{{style.label(block.displays[0].key)}}}"
    room = "" if style.narrow else "0.9"
    rows = [tex for tex, _ in chains[0]]
    return f"\\begin{{equation}}{label}\n{scaled(rows, room)}\n\\end{{equation}}"


def _numbered_environment(block: Group, chains: list[Chain], style: Style) -> str:
    """Write an equation, or aligned lines of which the last one of each chain has the number."""
    labels = [f"\\label{{{style.label(display.key)}}}" for display in block.displays]
    if len(chains) == 1 and len(chains[0]) == 1:
        return f"\\begin{{equation}}{labels[0]}\n{_unaligned(chains[0][0][0])}\n\\end{{equation}}"
    lines: list[str] = []
    for chain, label in zip(chains, labels, strict=True):
        *above, last = [tex for tex, _ in chain]
        lines += [*(f"{tex} \\notag" for tex in above), f"{last} {label}"]
    return "\\begin{align}\n" + " \\\\\n".join(lines) + "\n\\end{align}"


def _sized(command: str, body: str, block: Group) -> str:
    before = command + "\\allowdisplaybreaks" * (len(block.displays) > _LONG_GROUP)
    return f"{{{before}\n{body}\n}}" if before else body


def scaled(rows: list[str], room: str = "") -> str:
    """Return rows scaled to the width of the text."""
    return f"\\resizebox{{{room}\\linewidth}}{{!}}{{$\\displaystyle\n{_aligned(rows)}\n$}}"


def environment(rows: list[str]) -> str:
    """Return rows as a display, aligned where there are several, or several formulas in one."""
    alone = _unaligned(rows[0])
    if len(rows) == 1 and _unaligned(alone) == alone:
        return "\\[\n" + alone + "\n\\]"
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"


def _aligned(rows: list[str]) -> str:
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _unaligned(row: str) -> str:
    """Take out the alignment sign, which is the first one outside of matrices."""
    depth = 0
    for match in re.finditer(r"\\begin\b|\\end\b|(?<!\\)&", row):
        if match[0] == "&" and not depth:
            return row[: match.start()] + row[match.end() :]
        depth += {"\\begin": 1, "\\end": -1}.get(match[0], 0)
    return row


# -- rows -------------------------------------------------------------------------------------------------------
def _fits(rows: list[Piece], room: float) -> bool:
    return all(wide <= room for _, wide in rows)


def _widest(chains: list[Chain]) -> float:
    return max(wide for chain in chains for _, wide in chain)


def chains_of(block: Group, style: Style) -> list[Chain]:
    """Return the rows of each display; in a narrow text the left side gets a line of its own where that helps."""
    column = max(width(display.left) for display in block.displays)
    chains = [_chain(display, column, style) for display in block.displays]
    if not style.narrow or column < _HUNG + _RELATION:
        return chains
    hung = [_hung(display, style) for display in block.displays]
    return min(chains, hung, key=lambda rows: _badness(rows, style.room))


def _badness(chains: list[Chain], room: float) -> tuple[float, int, int]:
    """Return how far rows are too wide, how many begin with a factor torn off its product, and how many there are."""
    rows = [row for chain in chains for row in chain]
    torn = sum(bool(re.match(r"&(\\quad )+\{\}(?![+-])", tex)) for tex, _ in rows)
    return max(0.0, _widest(chains) - room), torn, len(rows)


def side_by_side(block: Group, chains: list[Chain], room: float) -> list[Piece]:
    """Write short values that do not go on from each other side by side, as many as fit; other rows stay."""
    rows = [row for chain in chains for row in chain]
    if len(rows) <= _LONG_GROUP or not all(map(_is_value, block.displays)) or len(rows) > len(chains):
        return rows
    gap, widest = 3.0, max(wide for _, wide in rows)
    count = min(4, int((room + gap) // (widest + gap)))
    if count < 2:
        return rows
    lines = [rows[i : i + count] for i in range(0, len(rows), count)]
    return [(" & ".join(tex for tex, _ in line), count * (widest + gap) - gap) for line in lines]


def _is_value(display: Display) -> bool:
    """Whether a display is one entry of a list of numbers, given or found."""
    return display.key.startswith(("given.", "result.")) and len(display.lines) == 1 and not display.reason


def _chain(display: Display, column: float, style: Style) -> Chain:
    """Write a chain on one line where it is short, else one relation on each line."""
    reason = _Reason(display, style)
    left = to_tex(display.left)
    room = style.room - _NUMBER * (style.numbered and not style.narrow)
    wide = column + sum(width(item) + _RELATION for _, item in display.lines)
    most = {1: room, 2: _SHORT, 3: _SHORT}.get(len(display.lines), _SHORT_CHAIN)
    if wide <= most and wide + reason.width <= room:
        chain = " ".join(f"{RELATIONS[sign]} {to_tex(item)}" for sign, item in display.lines)
        return [(f"{left} &{chain}{reason.tex}", wide + reason.width)]
    rows = [row for sign, item in display.lines for row in _relation(sign, item, column, replace(style, room=room))]
    first = (f"{left} {rows[0][0]}", rows[0][1])
    return reason.behind([first, *rows[1:]], column, room)


def _hung(display: Display, style: Style) -> Chain:
    """Write the left side on a line of its own, and the relations below it."""
    lefts = broken(display.left, style.room, style.room - INDENT)
    above = [
        (f"&{tex}" if i == 0 else f"&\\qquad {{}}{tex}", wide + INDENT * (i > 0)) for i, (tex, wide) in enumerate(lefts)
    ]
    inside = replace(style, room=style.room - _HUNG)
    rows = [row for sign, item in display.lines for row in _relation(sign, item, 0.0, inside)]
    below = [(tex.replace("&", "&\\quad ", 1), wide + _HUNG) for tex, wide in rows]
    return [*above, *_Reason(display, style).behind(below, _HUNG, style.room)]


def _relation(sign: str, item: Any, column: float, style: Style) -> list[Piece]:
    """Write one relation, continued on indented lines where it is long."""
    indent, space = _INDENTS[style.narrow]
    taken = column + _RELATION
    (tex, wide), *more = broken(item, style.room - taken, style.room - column - indent)
    lines = [(f"&{space} {{}}{tex}", column + indent + wide) for tex, wide in more]
    return [(f"&{RELATIONS[sign]} {tex}", taken + wide), *lines]


# -- reasons ----------------------------------------------------------------------------------------------------
class _Reason:
    """The note behind a chain: the branch that was taken at a kink, and the equations that were put in."""

    def __init__(self, display: Display, style: Style) -> None:
        parts = [inline(display.reason)] if display.reason else []
        wide = sum(width(w.item) if isinstance(w, Math) else text_width(w) for w in display.reason)
        keys = style.uses.get(display.key, ()) if style.numbered else ()
        if keys:
            by, gap = catalogue(style.lang)["ui.by_equations"], catalogue(style.lang)["ui.equations_more"]
            parts.append(by.format(equations=gap.join(f"\\eqref{{{style.label(key)}}}" for key in keys)))
            wide += text_width(by) + 2.5 * len(keys)
        words = "; ".join(parts)
        self.narrow = style.narrow
        self.words = words
        self.tex = f" \\quad \\text{{({words})}}" if words else ""
        self.width = wide + 2.0 if words else 0.0

    def behind(self, rows: Chain, column: float, room: float) -> Chain:
        """Put it behind the last line, or below it where it does not fit."""
        if not self.tex:
            return rows
        tex, wide = rows[-1]
        if wide + self.width <= room:
            return [*rows[:-1], (tex + self.tex, wide + self.width)]
        left = room - column - 1.0
        if self.narrow and self.width - 1.0 > left:
            box = f"&\\quad \\parbox{{{left:.1f}em}}{{\\raggedright ({self.words})}}"
            return [*rows, (box, room)]
        return [*rows, (f"&{self.tex}", column + self.width)]
