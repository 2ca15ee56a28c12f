"""A Jupyter notebook: one Markdown cell for each section, and code cells that make, check and compute it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .blocks import Block, Document
from .folding import sections_of
from .markdown import to_markdown
from .phrases import catalogue

VERIFY = "derivation.verify()"
SOURCE = "print(model.lambdify().source)"
COMPUTE = """\
import numpy as np

bptt = model.lambdify()
out = bptt(**model.arguments())
for key, printed in derivation.results.items():
    computed = out.loss if key == "L" else out.grads[key]
    print(f"{key:>6}  largest difference {np.max(np.abs(computed - printed)):.1e}")"""


def to_notebook(document: Document, lines: Sequence[str] | None = None, numbers: bool = False) -> str:
    """Return a document as a notebook (nbformat 4.5), the same bytes for the same document.

    Parameters
    ----------
    document : Document
    lines : sequence of str, optional
        Python that makes ``model`` and ``derivation``; without it there are no code cells.
    numbers : bool
        Whether there are printed results to compare computed ones with.

    Returns
    -------
    str
        JSON; cells are named after their sections.
    """
    cells = [_markdown(key, _text(document, blocks)) for key, blocks in sections_of(document)]
    if lines is not None:
        phrases = catalogue(document.lang)
        made = [_markdown("code-model", phrases["ui.notebook_model"]), _code("model", "\n".join(lines))]
        last = "compute" if numbers else "source"
        verify = [_markdown("code-verify", phrases["ui.notebook_verify"]), _code("verify", VERIFY)]
        compute = [
            _markdown(f"code-{last}", phrases[f"ui.notebook_{last}"]),
            _code(last, COMPUTE if numbers else SOURCE),
        ]
        cells = [cells[0], *made, *cells[1:], *verify, *compute]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _text(document: Document, blocks: tuple[Block, ...]) -> str:
    return to_markdown(Document(document.lang, document.title, blocks)).rstrip("\n")


def _markdown(key: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": key, "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(key: str, text: str) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    return {
        "cell_type": "code", "execution_count": None, "id": f"run-{key}", "metadata": {}, "outputs": [],
        "source": source,
    }  # fmt: skip
