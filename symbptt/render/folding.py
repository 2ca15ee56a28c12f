"""Markdown whose sections fold: ``<details>`` with blank lines around what is inside, which all its readers know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape

from ..algebra.plain import to_plain
from .blocks import Block, Document, Heading, Math
from .markdown import to_markdown

LONG = 24
"""A document of more blocks folds in a notebook."""
DEEPER = 2
"""By how many levels the headings of what a notebook shows stand below its own."""
OPEN = ("results",)
"""Sections that are open at first."""


def sections_of(document: Document) -> Iterator[tuple[str, tuple[Block, ...]]]:
    """Yield a key and the blocks of the title, then of each section."""
    key, blocks, count = "title", list[Block](), 0
    for block in document.blocks:
        if isinstance(block, Heading) and block.level <= 2 and blocks:
            yield key, tuple(blocks)
            count += 1
            key, blocks = block.key or f"section-{count}", []
        blocks.append(block)
    if blocks:
        yield key, tuple(blocks)


def to_folded_markdown(document: Document, deeper: int = 0) -> str:
    """Return a document as Markdown, each section folded under its heading; the results are open.

    Parameters
    ----------
    document : Document
    deeper : int
        By how many levels the headings go down.
    """
    parts = []
    for key, blocks in sections_of(document):
        head, *body = blocks
        if isinstance(head, Heading) and head.level == 2:
            start = "<details open>" if key in OPEN else "<details>"
            parts.append(f"{start}\n<summary><strong>{_summary(head)}</strong></summary>")
            parts += [_markdown(document, tuple(body), deeper), "</details>"]
        else:
            parts.append(_markdown(document, blocks, deeper))
    return "\n\n".join(filter(None, parts)) + "\n"


def to_shown_markdown(document: Document) -> str:
    """Return a document as a notebook shows it: headings below those of the notebook, folded where it is long."""
    if len(document.blocks) > LONG:
        return to_folded_markdown(document, DEEPER)
    return to_plain_markdown(document)


def to_plain_markdown(document: Document) -> str:
    """Return a document as Markdown whose headings stand below those of a notebook."""
    return _markdown(document, document.blocks, DEEPER) + "\n"


def _markdown(document: Document, blocks: tuple[Block, ...], deeper: int) -> str:
    moved = tuple(replace(b, level=min(b.level + deeper, 6)) if isinstance(b, Heading) else b for b in blocks)
    return to_markdown(Document(document.lang, document.title, moved)).rstrip("\n") if moved else ""


def _summary(heading: Heading) -> str:
    return escape("".join(to_plain(w.item) if isinstance(w, Math) else w for w in heading.words), quote=False)
