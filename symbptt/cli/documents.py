"""The commands that write a derivation: ``derive`` and ``stability``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import OutputError
from .app import DONE, FAILED, app
from .arguments import (
    CHOICES,
    Word,
    build,
    combined,
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
from .papers import paper_of, paper_options

if TYPE_CHECKING:
    from ..api import Derivation


class Format(NamedTuple):
    """An output format: the suffixes that stand for it, and the method that writes it."""

    suffixes: tuple[str, ...]
    write: Callable[..., str]


FORMATS: dict[str, Format] = {
    "markdown": Format((".md", ".markdown"), lambda d, document: d.to_markdown()),
    "latex": Format((".tex", ".latex"), lambda d, document, **paper: d.to_latex(document=document, **paper)),
    "beamer": Format((), lambda d, document, **paper: d.to_beamer(document=document, **paper)),
    "pdf": Format((".pdf",), lambda d, document: ""),
    "html": Format((".html", ".htm"), lambda d, document: d.to_html()),
    "text": Format((".txt", ".text"), lambda d, document: d.to_text()),
    "json": Format((".json",), lambda d, document: d.to_json()),
    "notebook": Format((".ipynb",), lambda d, document: d.to_notebook()),
}


document_options = combined(
    source_argument,
    language_option,
    click.option(
        "--to", "kind", type=Word("format", tuple(FORMATS)), metavar="FORMAT",
        show_default="by the suffix of -o; text on a terminal, else markdown", help=f"{', '.join(FORMATS)}.",
    ),
    output_option,
    set_option,
    model_options,
    notation_option,
)  # fmt: skip
"""What document is made, of which model, and where it goes."""
digits_option = click.option(
    "--digits", type=int, default=4, show_default=True, help="Significant digits of rounded figures."
)
writing_options = combined(
    click.option("--symbolic", is_flag=True, help="Leave the numbers out."),
    click.option("--document", is_flag=True, help="With --to latex or beamer: complete, not a fragment."),
    paper_options,
    click.option("--no-check", is_flag=True, help="Do not verify the lines before they are written."),
)


def _format(given: str | None, output: str | None) -> str:
    """Return the format: as given, by the suffix of the output file, or by where the output goes."""
    suffix = Path(str(output)).suffix.lower()
    if given == "beamer" and suffix == ".pdf":
        raise OutputError("--to beamer writes LaTeX: give -o FILE.tex, with --document, and compile it with XeLaTeX")
    if given:
        return given
    if output not in (None, "-"):
        return next((name for name, entry in FORMATS.items() if suffix in entry.suffixes), "markdown")
    return "text" if sys.stdout.isatty() else "markdown"


@app.command()
@document_options
@click.option("--detail", type=Word("detail"), metavar="DETAIL", default="full", show_default=True,
              help=f"{', '.join(CHOICES['detail'])}.")  # fmt: skip
@click.option("--section", "sections", type=Word("section"), metavar="SECTION", multiple=True,
              help="Only this section. Repeatable.")  # fmt: skip
@click.option("--truncate", multiple=True, metavar="HOW", help=f"Show a truncation: {truncate_help}. Repeatable.")
@digits_option
@click.option("--rounding", type=Word("rounding"), metavar="carry|step", default="carry", show_default=True,
              help="Go on from unrounded figures, or from the printed ones.")  # fmt: skip
@writing_options
def derive(
    source: str, lang: str, kind: str | None, output: str | None, values: tuple[tuple[str, Any], ...], notation: Any,
    detail: str, sections: tuple[str, ...], truncate: tuple[str, ...], digits: int, rounding: str, symbolic: bool,
    document: bool, no_check: bool,
    **sizes: Any,
) -> int:  # fmt: skip
    """Write the derivation step by step.

    Every line is verified before it is written (exit code 1, and nothing written, should one fail).

    \b
    Examples:
      symbptt derive relu-explosion --lang zh
      symbptt derive relu-explosion --set W_h=0.5 --set x=1,1,1,1
      symbptt derive softmax-readout --notation d2l -o bptt.pdf
    """
    kind = _format(kind, output)
    paper = paper_of(kind, source, sizes)
    if kind == "pdf" and output is None:
        output = f"{Path(source).stem}.pdf"
    with located(source, values):
        model = build(source, values, numbers=not symbolic, **sizes)
        made = model.derivation(
            lang=lang, values={} if symbolic else None, notation=notation, detail=detail,
            sections=sections or None, rounding=rounding, digits=digits, truncate=truncate or None,
        )  # fmt: skip
    if not no_check and not _verified(made):
        return FAILED
    _deliver(made, kind, output, document, paper)
    return DONE


def _deliver(made: Derivation, kind: str, output: str | None, document: bool, paper: dict[str, Any]) -> None:
    """Write a derivation in a format."""
    if kind == "pdf":
        _deliver_pdf(made, str(output), paper)
    elif kind == "notebook":
        folder = None if output in (None, "-") else Path(str(output)).parent
        deliver(lambda: made.to_notebook(folder), output)
    else:
        deliver(lambda: FORMATS[kind].write(made, document, **paper), output)


def _verified(made: Derivation) -> bool:
    failures = made.verify().failures
    for check in failures:
        tell(f"step {check.key} failed verification: {check.detail}")
    return not failures


def _deliver_pdf(made: Derivation, output: str, paper: dict[str, Any]) -> None:
    if output == "-":
        raise OutputError("a PDF is not written to the terminal: give -o FILE.pdf")
    with whole_file(Path(output)) as temporary:
        made.to_pdf(temporary, **paper)
    tell(f"wrote {output}")


@app.command()
@document_options
@click.option("--plot", "picture", type=click.Path(readable=False), metavar="FILE",
              help="Also draw it: a file that ends in .svg, .png or .pdf (needs matplotlib).")  # fmt: skip
@click.option("--plot-kind", "drawn", type=Word("plot"), metavar="KIND", default="all", show_default=True,
              help=f"{', '.join(CHOICES['plot'])}.")  # fmt: skip
@digits_option
@writing_options
def stability(
    source: str, lang: str, kind: str | None, output: str | None, values: tuple[tuple[str, Any], ...], notation: Any,
    picture: str | None, drawn: str, digits: int, symbolic: bool, document: bool, no_check: bool, **sizes: Any,
) -> int:  # fmt: skip
    """Say why gradients vanish or explode.

    Jacobian products, their bounds, what each distance in time contributes, eigenvalues, power iteration.

    \b
    Examples:
      symbptt stability power-iteration
      symbptt stability sigmoid-vanishing --plot vanishing.svg -o vanishing.md
    """
    kind = _format(kind, output)
    paper = paper_of(kind, source, sizes)
    if kind == "pdf" and output is None:
        output = f"{Path(source).stem}-stability.pdf"
    if picture is not None:
        _check_picture(Path(picture))
    with located(source, values):
        model = build(source, values, numbers=not symbolic, **sizes)
        made = model.stability(lang=lang, values={} if symbolic else None, notation=notation, digits=digits)
        if not no_check and not _verified(made):
            return FAILED
        if picture is None:
            _deliver(made, kind, output, document, paper)
            return DONE
        # Both are written, or neither: the picture comes into its place when the document has.
        with whole_file(Path(picture)) as temporary:
            made.plot(drawn, temporary)
            _deliver(made, kind, output, document, paper)
    tell(f"wrote {picture}")
    return DONE


def _check_picture(picture: Path) -> None:
    from ..render.plotting import check_suffix

    check_suffix(picture)
    if not picture.parent.is_dir():
        raise OutputError(f"{picture}: there is no directory {picture.parent}")
