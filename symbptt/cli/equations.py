"""Equations in the formats of ``unroll`` and ``gradient``: text, LaTeX, Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..api import RNN

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType


def _items(model: RNN, rows: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    from ..algebra.present import present
    from ..model import names_in

    used = names_in(model.system, model.notation)
    return [(present(left, used), present(right, used)) for left, right in rows]


def _as_text(model: RNN, rows: list[tuple[Any, Any]]) -> str:
    from ..algebra.plain import to_plain

    lines = [(to_plain(left), to_plain(right)) for left, right in _items(model, rows)]
    width = max(len(left) for left, _ in lines)
    return "\n".join(f"{left:<{width}} = {right}" for left, right in lines)


def _as_latex(model: RNN, rows: list[tuple[Any, Any]]) -> str:
    from ..algebra.tex import to_tex

    lines = [(to_tex(left), to_tex(right)) for left, right in _items(model, rows)]
    if len(lines) == 1:
        return " = ".join(lines[0])
    inside = " \\\\\n".join(f"  {left} &= {right}" for left, right in lines)
    return f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}"


def _as_python(model: RNN, rows: list[tuple[Any, Any]]) -> str:
    from ..algebra.pycode import NUMPY, write

    return "\n".join(f"{write(left, NUMPY)} = {write(right, NUMPY)}" for left, right in rows)


WRITERS: dict[str, Callable[[Any, list[tuple[Any, Any]]], str]] = {
    "text": _as_text,
    "latex": _as_latex,
    "python": _as_python,
}
