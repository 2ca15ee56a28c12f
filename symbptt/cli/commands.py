"""The commands. Nothing heavy is imported before one runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import OutputError, RefusedError, SizeError, UnknownNameError, nearest
from .arguments import (
    CHOICES,
    Source,
    Whole,
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
from .console import deliver, emit, tell, whole_file
from .equations import WRITERS
from .papers import paper_of, paper_options

if TYPE_CHECKING:
    from ..api import RNN, Derivation

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

MOST_NESTED = 40
"""Steps beyond which nobody can read a state that is written in inputs and parameters alone."""
DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Group(click.Group):
    """The commands in the order in which they are defined; a near miss is answered."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise UnknownNameError(f"unknown command {args[0]!r}{nearest(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from .. import __version__

        emit(f"symbptt {__version__}")
        ctx.exit()


@click.group(cls=Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version.")
@click.pass_context
def app(ctx: click.Context) -> None:
    """Backpropagation through time: derived, written out, computed and proved.

    SOURCE is a worked example (symbptt examples), a cell such as tanh or relu, or a model file (symbptt new).

    \b
    Start with:
      symbptt derive relu-explosion
      symbptt derive relu-explosion --lang zh -o relu.html
      symbptt verify relu-explosion
    """
    if ctx.invoked_subcommand is None:
        emit(ctx.get_help())


@app.command()
@language_option
def examples(lang: str) -> None:
    """List the worked examples, one line each."""
    from ..examples import examples as listed

    emit("\n".join(f"{name}  {text.get(lang, text['en'])}" for name, text in listed()))


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
    return _written(made, kind, output, document, no_check, paper)


def _written(
    made: Derivation, kind: str, output: str | None, document: bool, no_check: bool, paper: dict[str, Any]
) -> int:
    """Verify a derivation and write it; return the exit code."""
    if not no_check and not _verified(made):
        return FAILED
    if kind == "pdf":
        _deliver_pdf(made, str(output), paper)
    elif kind == "notebook":
        folder = None if output in (None, "-") else Path(str(output)).parent
        deliver(lambda: made.to_notebook(folder), output)
    else:
        deliver(lambda: FORMATS[kind].write(made, document, **paper), output)
    return DONE


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
        _check_picture(picture)
    with located(source, values):
        model = build(source, values, numbers=not symbolic, **sizes)
        made = model.stability(lang=lang, values={} if symbolic else None, notation=notation, digits=digits)
        code = _written(made, kind, output, document, no_check, paper)
        if picture is not None and code == DONE:
            made.plot(drawn, picture)
            tell(f"wrote {picture}")
    return code


def _check_picture(picture: str) -> None:
    folder = Path(picture).parent
    if not folder.is_dir():
        raise OutputError(f"{picture}: there is no directory {folder}")


@app.command()
@source_argument
@click.option("--to", "kind", type=Word("format", ("text", "latex", "python")), metavar="text|latex|python",
              default="text", show_default=True, help="Output format.")  # fmt: skip
@click.option("--nested", is_flag=True, help="Write every state in inputs and parameters alone.")
@model_options
@notation_option
@output_option
def unroll(source: str, kind: str, nested: bool, notation: Any, output: str | None, **sizes: Any) -> None:
    """Print the unrolled network, step by step.

    Every equation of every step, then the loss.

    \b
    Examples:
      symbptt unroll relu-explosion
      symbptt unroll tanh --steps 3 --nested --to latex
    """
    with located(source):
        model = build(source, notation=notation, **sizes)
        rows = _unrolled_rows(model, nested)
    deliver(lambda: WRITERS[kind](model, rows), output)


def _unrolled_rows(model: RNN, nested: bool) -> list[tuple[Any, Any]]:
    if model.network.steps.is_Integer is not True and not model.values:
        raise SizeError("the number of steps is open: give --steps, such as --steps 3")
    found = model.unroll(nested=nested and _readable(model))
    rows = _nested_rows(model, found) if nested else list(found.equations)
    return [*rows, (model.system.L, found.loss)]


def _readable(model: RNN) -> bool:
    from ..model.values import with_steps

    steps = with_steps(model.network, model.values).steps
    if steps > MOST_NESTED:
        raise RefusedError(f"nobody can read --nested with T = {steps}: leave it out, or take --steps {MOST_NESTED}")
    return True


def _nested_rows(model: RNN, found: Any) -> list[tuple[Any, Any]]:
    system, symbols = model.system, model.symbols
    rows = [(symbols[name][t], values[t]) for name, values in found.states.items() for t in range(1, len(values))]
    if system.prediction in system.states:
        return rows
    count = len(found.outputs)
    last = len(found.states[system.states[0]]) - 1
    return [*rows, *((symbols[system.prediction][last - count + 1 + i], y) for i, y in enumerate(found.outputs))]


@app.command()
@source_argument
@click.option("--wrt", required=True, type=Word("name", strict=False), metavar="NAME",
              help="A parameter (W_h), an initial state (h0), a variable (h, z, y) or the input (x).")  # fmt: skip
@click.option("--at", type=Whole(0), metavar="T", help="The time step, for a variable.")
@click.option("--form", type=Word("form"), metavar="FORM", default="recursive", show_default=True,
              help=f"{', '.join(CHOICES['form'])}.")  # fmt: skip
@click.option("--to", "kind", type=Word("format", ("text", "latex", "python")), metavar="text|latex|python",
              default="text", show_default=True, help="Output format.")  # fmt: skip
@model_options
@notation_option
@output_option
def gradient(
    source: str, wrt: str, at: int | None, form: str, kind: str, notation: Any, output: str | None,
    **sizes: Any,
) -> None:  # fmt: skip
    """Print one gradient of the loss.

    \b
    Examples:
      symbptt gradient softmax-readout --wrt W_h --to latex
      symbptt gradient relu-explosion --wrt h --at 1 --form unrolled
    """
    with located(source):
        model = build(source, notation=notation, **sizes)
        _check_step(model, wrt, at, form)
        right = model.gradient(wrt, at=at, form=form)
    from ..derive.forms import gradient_symbol

    deliver(lambda: WRITERS[kind](model, [(gradient_symbol(model.network, wrt, at), right)]), output)


def _check_step(model: RNN, wrt: str, at: int | None, form: str) -> None:
    """Raise where a step is given for what has none, or is missing where everything is written out."""
    timed = wrt in model.system.variables
    if at is not None and not timed and wrt in (*model.system.parameters, *(f"{s}0" for s in model.system.states)):
        raise SizeError(f"--at {at}: {wrt} is the same at every step; leave --at out")
    if at is None and timed and form in ("unrolled", "explicit"):
        raise SizeError(f"--form {form} of {wrt} needs a time step: give --at, such as --at 1")


@app.command()
@source_argument
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random instances.")
@set_option
@model_options
def verify(source: str, seed: int, values: tuple[tuple[str, Any], ...], **sizes: Any) -> int:
    """Check every line of the derivation, and the generated function.

    Exit code 0 only if every check holds.

    \b
    Example:
      symbptt verify relu-explosion
    """
    with located(source, values):
        report = build(source, values, numbers=True, **sizes).verify(seed=seed)
    emit(report.to_text())
    return DONE if report.ok else FAILED


@app.command()
@source_argument
@output_option
@click.option("--truncate", metavar="HOW", help=f"Truncate the gradients: {truncate_help}.")
@model_options
def codegen(source: str, output: str | None, truncate: str | None, **sizes: Any) -> None:
    """Write a NumPy module that computes the loss and every gradient.

    \b
    Example:
      symbptt codegen softmax-readout -o bptt.py
      symbptt codegen softmax-readout --truncate segments:10
    """
    with located(source):
        compiled = build(source, **sizes).lambdify(truncate)
    deliver(lambda: str(compiled.source), output)


@app.command()
@click.argument("file", type=click.Path(readable=False))
@click.option("--from", "start", type=Source(), metavar="SOURCE", default="tanh-last-step", show_default=True,
              help="What to start from.")  # fmt: skip
@language_option
def new(file: str, start: str, lang: str) -> None:
    """Write a commented model file to start from.

    \b
    Example:
      symbptt new my.toml --from custom-cell
    """
    from ..examples import find, template
    from ..examples.modelfile import WORDS

    if file != "-" and os.path.lexists(file):
        raise OutputError(f"{file} is there already; take another name")
    data = {k: v for k, v in find(start).data.items() if k not in WORDS}
    text = template(data, lang, file)
    deliver(lambda: text, file)
    if file != "-":
        tell(f"wrote {file}; now try: symbptt derive {file}")
