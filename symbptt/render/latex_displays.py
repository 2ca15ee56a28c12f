r"""Displayed formulas as LaTeX: chains of relations, aligned with each other, broken before they reach the margin."""

from __future__ import annotations

import re
from typing import Any

from ..algebra.tex import RELATIONS, to_tex
from .blocks import Display, Group, Math, displays
from .breaking import INDENT, Piece, broken, text_width, width
from .latex_words import inline

_SHORT = 32.0
"""A chain of two or three relations stays on one line up to this width, in em."""
_SHORT_CHAIN = 24.0
"""The same for more relations."""
_RELATION = 1.6
_SIZES = (("", 1.0), ("\\small", 0.87), ("\\footnotesize", 0.75))


_LONG_GROUP = 4
"""More displays than this may be parted by the end of a page; a chain is kept together where it can be."""


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
    &\qquad {}+ b + b
    \end{aligned}
    """
    rows = [tex for tex, _ in _rows(Group(displays(block)), room)]
    return _unaligned(rows[0]) if len(rows) == 1 else _aligned(rows)


def group_tex(block: Group, room: float) -> str:
    """Write displays aligned with each other, in the largest type in which they fit, or else scaled to fit."""
    for command, scale in _SIZES:
        rows = _rows(block, room / scale)
        if all(wide <= room / scale for _, wide in rows):
            body = _environment([tex for tex, _ in rows])
            before = command + "\\allowdisplaybreaks" * (len(block.displays) > _LONG_GROUP)
            return f"{{{before}\n{body}\n}}" if before else body
    body = _aligned([tex for tex, _ in rows])
    return f"\\[\n\\resizebox{{\\linewidth}}{{!}}{{$\\displaystyle\n{body}\n$}}\n\\]"


def _environment(rows: list[str]) -> str:
    if len(rows) == 1:
        return "\\[\n" + _unaligned(rows[0]) + "\n\\]"
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"


def _aligned(rows: list[str]) -> str:
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _unaligned(row: str) -> str:
    """Take out the alignment sign, which is the first one outside of matrices."""
    depth = 0
    for match in re.finditer(r"\\begin\b|\\end\b|&", row):
        if match[0] == "&" and not depth:
            return row[: match.start()] + row[match.end() :]
        depth += {"\\begin": 1, "\\end": -1}.get(match[0], 0)
    return row


def _rows(block: Group, room: float) -> list[Piece]:
    column = max(width(display.left) for display in block.displays)
    rows = [row for display in block.displays for row in _chain(display, column, room)]
    return _in_columns(rows, room) if len(rows) > _LONG_GROUP and all(map(_is_value, block.displays)) else rows


def _is_value(display: Display) -> bool:
    """Whether a display is one entry of a list of numbers, given or found."""
    return display.key.startswith(("given.", "result.")) and len(display.lines) == 1 and not display.reason


def _in_columns(rows: list[Piece], room: float) -> list[Piece]:
    """Write short lines that do not go on from each other side by side, as many as fit."""
    gap, widest = 3.0, max(wide for _, wide in rows)
    count = min(4, int((room + gap) // (widest + gap)))
    if count < 2:
        return rows
    lines = [rows[i : i + count] for i in range(0, len(rows), count)]
    return [(" & ".join(tex for tex, _ in line), count * (widest + gap) - gap) for line in lines]


def _chain(display: Display, column: float, room: float) -> list[Piece]:
    """Write a chain on one line where it is short, else one relation on each line."""
    left = to_tex(display.left)
    wide = column + sum(width(item) + _RELATION for _, item in display.lines)
    most = {1: room, 2: _SHORT, 3: _SHORT}.get(len(display.lines), _SHORT_CHAIN)
    if wide <= most and wide + _reason_width(display) <= room:
        chain = " ".join(f"{RELATIONS[sign]} {to_tex(item)}" for sign, item in display.lines)
        return [(f"{left} &{chain}{_reason(display)}", wide + _reason_width(display))]
    rows = [row for sign, item in display.lines for row in _relation(sign, item, column, room)]
    first = (f"{left} {rows[0][0]}", rows[0][1])
    return _with_reason([first, *rows[1:]], display, column, room)


def _relation(sign: str, item: Any, column: float, room: float) -> list[Piece]:
    """Write one relation, continued on indented lines where it is long."""
    taken = column + _RELATION
    (tex, wide), *more = broken(item, room - taken, room - column - INDENT)
    lines = [(f"&\\qquad {{}}{tex}", column + INDENT + wide) for tex, wide in more]
    return [(f"&{RELATIONS[sign]} {tex}", taken + wide), *lines]


def _with_reason(rows: list[Piece], display: Display, column: float, room: float) -> list[Piece]:
    """Put the reason behind the last line, or below it where it does not fit."""
    if not display.reason:
        return rows
    tex, wide = rows[-1]
    if wide + _reason_width(display) <= room:
        return [*rows[:-1], (tex + _reason(display), wide + _reason_width(display))]
    return [*rows, (f"&{_reason(display)}", column + _reason_width(display))]


def _reason(display: Display) -> str:
    return f" \\quad \\text{{({inline(display.reason)})}}" if display.reason else ""


def _reason_width(display: Display) -> float:
    words = sum(width(w.item) if isinstance(w, Math) else text_width(w) for w in display.reason)
    return words + 2.0 if display.reason else 0.0
