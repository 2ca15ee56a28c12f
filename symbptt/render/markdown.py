"""Markdown that renders on GitHub, in Jupyter and in Typora: ``$`` in words, ``$$`` on lines of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..algebra.plain import to_plain
from ..algebra.tex import RELATIONS, escape, to_tex
from .blocks import Display, Document, Group, Heading, Inline, Math, Paragraph, Table

FULL_WIDTH = tuple("，。；：、（）！？“”")
"""Punctuation that has no space behind it in Chinese."""


def to_markdown(document: Document) -> str:
    """Return a document as Markdown, with blank lines around every displayed formula."""
    return "\n\n".join(_BLOCKS[type(block)](block) for block in document.blocks) + "\n"


def inline(words: tuple[Inline, ...]) -> str:
    """Return words and formulas as one line of Markdown.

    GitHub lets a formula begin behind a space, and not behind a full-width comma.
    """
    parts: list[str] = []
    for w in words:
        if isinstance(w, Math):
            parts += [" "] * bool(parts and parts[-1][-1:] in FULL_WIDTH) + [f"${to_tex(w.item)}$"]
        elif w:
            parts.append(w)
    return "".join(parts)


def display_tex(block: Display, reason: Callable[[tuple[Inline, ...]], str] | None = None) -> str:
    """Return the TeX of a displayed chain: one line where it is short, else ``aligned`` at the relation signs."""
    left = to_tex(block.left)
    lines = [f"{RELATIONS[sign]} {to_tex(item)}" for sign, item in block.lines]
    note = (reason or reason_tex)(block.reason) if block.reason else ""
    lines[-1] += note
    if len(lines) == 1 or is_short(block):
        return " ".join([left, *lines])
    first, *rest = lines
    body = " \\\\\n".join([f"{left} &{first}", *(f"&{line}" for line in rest)])
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def is_short(block: Display) -> bool:
    """Whether a chain fits on one line, by the length of what is seen and not of its markup."""
    return len(to_plain(block.left)) + sum(len(to_plain(item)) + 3 for _, item in block.lines) <= 64


def reason_tex(words: tuple[Inline, ...]) -> str:
    """Return a reason behind a formula, as text inside it."""
    parts = [to_tex(w.item) if isinstance(w, Math) else f"\\text{{{escape(w)}}}" for w in words]
    return " \\quad (" + "".join(parts) + ")"


def group_tex(block: Group, reason: Callable[[tuple[Inline, ...]], str] | None = None) -> str:
    """Return the TeX of displays that are aligned with each other."""
    if len(block.displays) == 1:
        return display_tex(block.displays[0], reason)
    rows = []
    for display in block.displays:
        lines = [f"{RELATIONS[sign]} {to_tex(item)}" for sign, item in display.lines]
        lines = [" ".join(lines)] if is_short(display) else lines
        note = (reason or reason_tex)(display.reason) if display.reason else ""
        for i, line in enumerate(lines):
            left = to_tex(display.left) + " " if i == 0 else ""
            rows.append(f"{left}&{line}{note if i == len(lines) - 1 else ''}")
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _heading(block: Heading) -> str:
    return "#" * block.level + " " + inline(block.words)


def _display(block: Display) -> str:
    return f"$$\n{display_tex(block)}\n$$"


def _table(block: Table) -> str:
    rows = [block.header, tuple(("---",) for _ in block.header), *block.rows]
    return "\n".join("| " + " | ".join(inline(cell) for cell in cells) + " |" for cells in rows)


_BLOCKS: dict[type, Callable[[Any], str]] = {
    Heading: _heading,
    Paragraph: lambda block: inline(block.words),
    Display: _display,
    Group: lambda block: f"$$\n{group_tex(block)}\n$$",
    Table: _table,
}
