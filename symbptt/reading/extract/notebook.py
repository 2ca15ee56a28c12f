"""Jupyter notebooks: their Markdown cells one after the other; their code is kept and never run."""

from __future__ import annotations

import json
from typing import Any

from ...errors import NoteError
from ..note import CodeBlock
from .markdown import read_markdown
from .scanning import Found

Cells = tuple[tuple[int, int], ...]


def read_notebook(text: str, file: str) -> tuple[Found, Cells]:
    """Return what stands in a notebook, and where each Markdown cell begins, with its number.

    Parameters
    ----------
    text : str
        The notebook, JSON.
    file : str
        Its name, for errors.

    Raises
    ------
    NoteError
        If it is no JSON, or JSON that is no notebook.

    >>> found, cells = read_notebook('{"cells": [{"cell_type": "markdown", "source": ["Let $h_0 = 0$."]}]}', "n.ipynb")
    >>> found.formulas[0].latex, cells
    ('h_0 = 0', ((0, 1),))
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise NoteError(
            f"{file}:{error.lineno}:{error.colno}: no notebook, since it is no JSON ({error.msg})"
        ) from None
    except RecursionError:
        raise NoteError(f"{file}: no notebook: its JSON is nested too deeply") from None
    except ValueError as error:  # a number of too many digits
        raise NoteError(f"{file}: no notebook: {error}") from None
    found = Found("")
    pieces: list[str] = []
    starts: list[tuple[int, int]] = []
    length = 0
    for number, cell in enumerate(_cells(content, file), start=1):
        if not isinstance(cell, dict):
            raise NoteError(f"{file}: no notebook: cell {number} is no object")
        source = _source(cell, f"{file}: no notebook: the source of cell {number} is no text")
        if cell.get("cell_type") == "markdown":
            inner = read_markdown(source)
            found.absorb(inner, length)
            starts.append((length, number))
            pieces.append(source + ("\n" if source.endswith("\n") else "\n\n"))
            length += len(pieces[-1])
        elif cell.get("cell_type") == "code":
            found.code.append(CodeBlock(_language(content), source, length))
    found.text = "".join(pieces)
    return found, tuple(starts)


def _cells(content: Any, file: str) -> list[Any]:
    if isinstance(content, dict):
        sheets = content.get("worksheets")  # before version 4 of the format
        if isinstance(sheets, list) and "cells" not in content:
            return [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells", [])]
        if isinstance(content.get("cells"), list):
            return list(content["cells"])
    raise NoteError(f'{file}: no notebook: it has no list "cells"')


def _source(cell: dict[str, Any], message: str) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise NoteError(message)
    # Half of a surrogate pair cannot be printed.
    return source.encode("utf-8", "replace").decode("utf-8")


def _language(content: dict[str, Any]) -> str:
    data = content.get("metadata")
    info = data.get("language_info") if isinstance(data, dict) else None
    name = info.get("name") if isinstance(info, dict) else None
    return name if isinstance(name, str) else "python"
