"""The command that compares the gradients of any program with the true ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError, ValueInputError
from .app import DONE, FAILED, app
from .arguments import (
    CHOICES,
    Word,
    build,
    language_option,
    located,
    model_options,
    notation_option,
    output_option,
    set_option,
    source_argument,
    truncate_help,
)
from .console import deliver, tell

if TYPE_CHECKING:
    from ..api.bptt import CompareReport

_SUFFIXES = {".json": "json", ".html": "html", ".htm": "html"}
_DTYPES = ("float64", "float32", "bfloat16", "float16")


@app.command()
@source_argument
@click.argument("dump", required=False, metavar="DUMP.npz", type=click.Path(readable=False))
@language_option
@click.option("--to", "kind", type=Word("format", ("text", "json", "html")), metavar="text|json|html",
              show_default="by the suffix of -o, else text", help="Output format.")  # fmt: skip
@output_option
@click.option("--dtype", type=Word("dtype", _DTYPES), metavar="TYPE", show_default="that of each array",
              help="The type whose rounding is expected: float64, float32, bfloat16 or float16.")  # fmt: skip
@click.option("--truncate", metavar="HOW", help=f"Compare with truncated gradients: {truncate_help}.")
@click.option("--template", metavar="FILE", type=click.Path(readable=False),
              help="Write a Python file that writes a dump for this model, and compare nothing.")  # fmt: skip
@set_option
@model_options
@notation_option
def compare(
    source: str, dump: str | None, lang: str, kind: str | None, output: str | None, dtype: str | None,
    truncate: str | None, template: str | None, values: tuple[tuple[str, Any], ...], notation: Any, **sizes: Any,
) -> int:  # fmt: skip
    """Compare the gradients of any program with the true ones.

    DUMP.npz holds its arrays under the names grads/W_h, adjoints/h and states/h, and the numbers they were computed at,
    params/W_h, x, target, h0: those that are missing are SOURCE's own. Exit code 1 if a gradient is wrong.

    \b
    Examples:
      symbptt compare lstm dump.npz --dtype bfloat16
      symbptt compare model.toml dump.npz --lang zh -o report.html
      symbptt compare model.toml --template dump.py
    """
    if (dump is None) == (template is None):
        raise ValueInputError("give DUMP.npz, or --template FILE to write a program that makes one")
    from ..api.dumps import compare_dump, open_sizes

    with located(source, values):
        model = build(source, values, notation=notation, **sizes)
        open_ = source in CHOICES["cell"] and not values and not any(sizes.values())
        if template is not None:
            return _write_template(open_sizes(model) if open_ else model, template)
        report = compare_dump(model, Path(str(dump)), open_, truncate=truncate, dtype=dtype, lang=lang)
    chosen = kind or _SUFFIXES.get(Path(str(output)).suffix.lower(), "text")
    _keep_apart(output, str(dump))
    deliver(lambda: _written(report, chosen), output)
    return DONE if report.ok else FAILED


def _written(report: CompareReport, kind: str) -> str:
    return {"text": report.to_text, "json": report.to_json, "html": report.to_html}[kind]()


def _keep_apart(output: str | None, dump: str) -> None:
    """Raise where the report would be written over the dump."""
    if output not in (None, "-") and os.path.realpath(str(output)) == os.path.realpath(dump):
        raise OutputError(f"{output} is the dump that is compared; take another name for the report")


def _write_template(model: Any, file: str) -> int:
    from ..api.dumps import template

    if file != "-" and os.path.lexists(file):
        raise OutputError(f"{file} is there already; take another name")
    deliver(lambda: template(model), file)
    if file != "-":
        tell(f"wrote {file}; call its save() where your gradients are")
    return DONE
