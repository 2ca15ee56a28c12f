"""The command that draws the unrolled computational graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import OutputError
from .app import app
from .arguments import (
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
from .console import deliver, tell, whole_file

FORMATS = {"svg": (".svg",), "tikz": (".tex", ".tikz"), "pdf": (".pdf",)}
"""Format -> the suffixes that stand for it."""


def _format(given: str | None, output: str | None) -> str:
    suffix = Path(output or "").suffix.lower()
    return given or next((name for name, suffixes in FORMATS.items() if suffix in suffixes), "svg")


@app.command()
@source_argument
@language_option
@click.option("--to", "kind", type=Word("format", tuple(FORMATS)), metavar="svg|tikz|pdf",
              show_default="by the suffix of -o, else svg", help="Output format.")  # fmt: skip
@output_option
@set_option
@model_options
@notation_option
@click.option("--truncate", metavar="HOW", help=f"Mark where a truncation cuts: {truncate_help}.")
@click.option("--document", is_flag=True, help="With --to tikz: a complete document, not a fragment.")
def graph(
    source: str, lang: str, kind: str | None, output: str | None, values: tuple[tuple[str, Any], ...], notation: Any,
    truncate: str | None, document: bool, **sizes: Any,
) -> None:  # fmt: skip
    """Draw the unrolled computational graph.

    Forward in one colour, the flow of the gradient in another, and the places where a truncation cuts it off.

    \b
    Examples:
      symbptt graph lstm --lang zh -o lstm.svg
      symbptt graph truncation-regular --truncate segments:3 -o cut.tex
    """
    kind = _format(kind, output)
    with located(source, values):
        made = build(source, values, notation=notation, **sizes).graph(lang=lang, truncate=truncate)
        _ = made.picture
    if kind == "pdf":
        output = output or f"{Path(source).stem}-graph.pdf"
        if output == "-":
            raise OutputError("a PDF is not written to the terminal: give -o FILE.pdf")
        with whole_file(Path(output)) as temporary:
            made.to_pdf(temporary)
        tell(f"wrote {output}")
    else:
        deliver(made.to_svg if kind == "svg" else lambda: made.to_tikz(document), output)
