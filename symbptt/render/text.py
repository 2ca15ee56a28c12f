"""Plain Unicode text for a terminal: formulas on lines of their own, aligned at the relation sign."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from ..algebra.plain import to_plain
from .blocks import Display, Document, Group, Heading, Inline, Math, Paragraph, Table

WIDTH = 88


def to_text(document: Document) -> str:
    """Return a document as plain text."""
    return "\n".join(_BLOCKS[type(block)](block) for block in document.blocks).strip("\n") + "\n"


def inline(words: tuple[Inline, ...]) -> str:
    """Return words and formulas as plain text."""
    return "".join(to_plain(w.item) if isinstance(w, Math) else w for w in words)


def width(text: str) -> int:
    """Return how many columns a text takes in a terminal; wide characters take two.

    >>> width("ab"), width("梯度")
    (2, 4)
    """
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrap(text: str, columns: int = WIDTH) -> list[str]:
    """Break a text into lines, between words, or between wide characters."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and width(line + piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() else lines


_CLOSING = "，。、：；）！？」"
_OPENING = "（「"


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for char in text:
        wide = _is_wide(char)
        last = pieces[-1][-1] if pieces else " "
        joins = pieces and (char in _CLOSING or last in _OPENING or not (wide or last == " " or _is_wide(last)))
        if joins:
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _heading(block: Heading) -> str:
    text = inline(block.words)
    if block.level == 3:
        return f"\n  {text}"
    return f"\n{text}\n{('=' if block.level == 1 else '-') * width(text)}"


def _paragraph(block: Paragraph) -> str:
    """Break a paragraph into lines, but no short formula."""
    words = "".join(_glued(to_plain(w.item)) if isinstance(w, Math) else w for w in block.words)
    return "\n" + "\n".join(line.replace(_GLUE, " ") for line in wrap(words))


_GLUE = "\u00a0"


def _glued(formula: str) -> str:
    return formula.replace(" ", _GLUE) if len(formula) <= 24 else formula


def _display(block: Display, columns: int = 0) -> str:
    left = to_plain(block.left)
    left += " " * (columns - width(left))
    lines = [f"{sign} {to_plain(item, notes=True)}" for sign, item in block.lines]
    if block.reason:
        lines[-1] += f"   ({inline(block.reason)})"
    one = f"    {left} " + " ".join(lines)
    if width(one) <= WIDTH:
        return one + _mark(block)
    pad = " " * width(left)
    body = [
        f"    {left if i == k == 0 else pad} {piece}"
        for i, line in enumerate(lines)
        for k, piece in enumerate(broken(line, WIDTH - width(left) - 5))
    ]
    body[-1] += _mark(block)
    return "\n".join(body)


def broken(line: str, columns: int) -> list[str]:
    """Break a long line before plus and minus signs outside all brackets.

    >>> broken("= a b + (c + d) - e", 12)
    ['= a b', '    + (c + d)', '    - e']
    """
    pieces = [""]
    depth = 0
    for place, char in enumerate(line):
        depth += (char in "([{⟨") - (char in ")]}⟩")
        if depth == 0 and char in "+−-" and line[place - 1 : place + 2] == f" {char} ":
            pieces.append("")
        pieces[-1] += char
    lines = pieces[:1]
    for piece in pieces[1:]:
        if width(lines[-1] + piece.rstrip()) <= columns:
            lines[-1] += piece
        else:
            lines.append(f"    {piece}")
    return [part.rstrip() for part in lines]


def _group(block: Group) -> str:
    pad = max(width(to_plain(display.left)) for display in block.displays)
    return "\n".join(_display(display, pad) for display in block.displays)


def _mark(block: Display) -> str:
    return {True: "   ✓", False: "   ✗", None: ""}[block.verified]


def _table(block: Table) -> str:
    cells = [[inline(cell) for cell in row] for row in (block.header, *block.rows)]
    widths = [max(width(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = [
        "    " + "  ".join(c + " " * (w - width(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
    ]
    return "\n" + "\n".join([lines[0], "    " + "  ".join("-" * w for w in widths), *lines[1:]])


_BLOCKS: dict[type, Callable[[Any], str]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Display: _display,
    Group: _group,
    Table: _table,
}
