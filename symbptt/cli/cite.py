"""The command that prints BibTeX entries."""

from __future__ import annotations

from typing import Any

import click

from .app import app
from .arguments import Word, build, located, model_options, output_option, source_argument, truncate_help
from .console import deliver


@app.command()
@source_argument
@click.option("--section", "sections", type=Word("section"), metavar="SECTION", multiple=True,
              help="For a derivation with only this section. Repeatable.")  # fmt: skip
@click.option("--truncate", multiple=True, metavar="HOW", help=f"With a truncation: {truncate_help}. Repeatable.")
@model_options
@output_option
def cite(
    source: str, sections: tuple[str, ...], truncate: tuple[str, ...], output: str | None, **sizes: Any
) -> None:  # fmt: skip
    """Print BibTeX entries: symbptt, and the literature that the derivation rests on.

    \b
    Examples:
      symbptt cite lstm
      symbptt cite truncation-randomised -o bptt.bib
    """
    with located(source):
        made = build(source, numbers=True, **sizes).derivation(sections=sections or None, truncate=truncate or None)
    deliver(made.to_bibtex, output)
