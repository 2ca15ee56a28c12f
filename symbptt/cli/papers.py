"""Options for papers and slides: columns, numbers, labels, macros, literature."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from ..errors import OutputError, ValueInputError
from .arguments import combined

_FORMATS = {
    "columns": ("latex", "pdf"),
    "width": ("latex", "pdf"),
    "numbered": ("latex", "pdf"),
    "labels": ("latex", "pdf"),
    "cite": ("latex", "pdf"),
    "macros": ("latex", "pdf", "beamer"),
}
"""Option -> the formats that it belongs to."""

paper_options = combined(
    click.option("--columns", type=click.Choice(["1", "2"]), metavar="1|2",
                 help="With latex or pdf: break for a column of a paper with two."),
    click.option("--width", metavar="LENGTH", help="With latex or pdf: width of the text or column, such as 8.5cm."),
    click.option("--numbered", is_flag=True, help="With latex or pdf: number and label equations, and refer to them."),
    click.option("--labels", metavar="PREFIX", help="What labels begin with; by default the name of the source."),
    click.option("--macros", metavar="PREFIX|JSON",
                 help="With latex, pdf or beamer: macros for transposes, products, derivatives."),
    click.option("--cite", is_flag=True, help="With latex or pdf: refer to the literature."),
)  # fmt: skip


def paper_of(kind: str, source: str, options: dict[str, Any]) -> dict[str, Any]:
    """Take the options for papers out of those of a command, and return those that were given.

    Parameters
    ----------
    kind : str
        The output format.
    source : str
    options : dict
        The paper's options are taken out of it.

    Raises
    ------
    OutputError
        Where an option does not belong to the format.
    ValueInputError
        Where ``--labels`` is given without ``--numbered``, or ``--macros`` is no JSON.
    """
    given = {name: value for name in _FORMATS if (value := options.pop(name)) not in (None, False)}
    for name in given:
        if kind not in _FORMATS[name]:
            *some, last = _FORMATS[name]
            raise OutputError(f"--{name} belongs to --to {', '.join(some)} or {last}, not to {kind}")
    if "labels" in given and "numbered" not in given:
        raise ValueInputError("--labels belongs to --numbered: give both")
    if "columns" in given:
        given["columns"] = int(given["columns"])
    if "numbered" in given:
        given.setdefault("labels", re.sub(r"[^A-Za-z0-9.:_+-]+", "-", Path(source).stem) or "bptt")
    if str(given.get("macros", "")).lstrip().startswith("{"):
        given["macros"] = _mapping(given["macros"])
    return given


def _mapping(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError:
        raise ValueInputError(f"--macros: not valid JSON: {text}") from None
