"""A document before any output format: headings, paragraphs, displayed chains and tables, with formulas laid out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ..algebra.layout import Item

Inline: TypeAlias = "str | Math"


@dataclass(frozen=True)
class Math:
    """A formula inside a paragraph."""

    item: Item


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the document's title, 2 a section, 3 a time step."""

    level: int
    words: tuple[Inline, ...]
    key: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Words with formulas in them."""

    words: tuple[Inline, ...]


@dataclass(frozen=True)
class Display:
    """A displayed chain ``left = first = second``, broken before its relation signs.

    Attributes
    ----------
    key : str
        The step it belongs to.
    left : Item
    lines : tuple of (sign, Item)
    reason : tuple of Inline
        A note behind the last line (the branch that was taken at a kink).
    verified : bool or None
        Whether the step was proved; None when nothing was checked or there is nothing to check.
    """

    key: str
    left: Item
    lines: tuple[tuple[str, Item], ...]
    reason: tuple[Inline, ...] = ()
    verified: bool | None = None


@dataclass(frozen=True)
class Group:
    """Displayed chains without words between them, aligned with each other at their first relation sign."""

    displays: tuple[Display, ...]


@dataclass(frozen=True)
class Table:
    """A table: a header and rows of cells, each a row of inlines."""

    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


Block: TypeAlias = "Heading | Paragraph | Display | Group | Table"


@dataclass(frozen=True)
class Document:
    """A derivation, ready to be written in any format.

    Attributes
    ----------
    lang : str
    title : str
        The title as plain words.
    blocks : tuple of Block
        The title is the first block, a heading of level 1.
    """

    lang: str
    title: str
    blocks: tuple[Block, ...]

    def formulas(self) -> Iterator[Item]:
        """Yield every formula of the document, for checks over all of them."""
        for block in self.blocks:
            for display in displays(block):
                yield display.left
                yield from (item for _, item in display.lines)
            for inline in _inlines(block):
                if isinstance(inline, Math):
                    yield inline.item


def displays(block: Block) -> tuple[Display, ...]:
    """Return the displayed chains of a block."""
    if isinstance(block, Group):
        return block.displays
    return (block,) if isinstance(block, Display) else ()


def _inlines(block: Block) -> Iterator[Inline]:
    if isinstance(block, Heading | Paragraph):
        yield from block.words
    elif isinstance(block, Display | Group):
        for display in displays(block):
            yield from display.reason
    else:
        for cells in (block.header, *block.rows):
            for cell in cells:
                yield from cell
