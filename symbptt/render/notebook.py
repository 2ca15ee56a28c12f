"""A Jupyter notebook: one Markdown cell for each section."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .blocks import Block, Document, Heading
from .markdown import to_markdown


def to_notebook(document: Document) -> str:
    """Return a document as a notebook (nbformat 4.5), the same bytes for the same document.

    Parameters
    ----------
    document : Document

    Returns
    -------
    str
        JSON; cells are named after their sections.
    """
    cells = [_cell(document, key, blocks) for key, blocks in _cells(document)]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _cells(document: Document) -> Iterator[tuple[str, tuple[Block, ...]]]:
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


def _cell(document: Document, key: str, blocks: tuple[Block, ...]) -> dict[str, Any]:
    text = to_markdown(Document(document.lang, document.title, blocks)).rstrip("\n")
    return {"cell_type": "markdown", "id": key, "metadata": {}, "source": text.splitlines(keepends=True)}
