"""The command that reads notes and gives each formula a verdict."""

from __future__ import annotations

import codecs
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import NoteError, OutputError, ValueInputError
from .app import DONE, FAILED, app
from .arguments import Source, Word, language_option, output_option
from .console import deliver, tell, whole_file

if TYPE_CHECKING:
    from ..reading.note import Note
    from ..reading.report import Report

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

STDIN = "<stdin>"
"""What reports call the note that comes from standard input."""
_SUFFIXES = {".json": "json", ".html": "html", ".htm": "html"}


class Argument(ParamType):
    """NAME=VALUE, the value as it is written."""

    name = "NAME=VALUE"
    option, such_as = "--with", "x=(2,3) or n=4"
    alone: tuple[str, ...] = ()
    """Words without a value."""

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, _, text = (part.strip() for part in value.partition("="))
        if value.strip() in self.alone:
            return name, "yes"
        if not (name and text):
            raise ValueInputError(f"{self.option} {value}: write NAME=VALUE, such as {self.such_as}")
        return name, text


class Assumption(Argument):
    """NAME=VALUE, with a number, the name of a function or another word; ``scalars`` and ``matrices`` stand alone."""

    option, such_as = "--assume", "W_h=0.5 or f=tanh"
    alone = ("scalars", "matrices")


@dataclass(frozen=True)
class _Given:
    """A note, and the file that it stands in; None for standard input."""

    note: Note
    path: Path | None


@app.command()
@click.argument("notes", nargs=-1, required=True, metavar="NOTE...", type=click.Path(allow_dash=True, readable=False))
@language_option
@click.option("--to", "kind", type=Word("format", ("text", "json", "html")), metavar="text|json|html",
              show_default="by the suffix of -o, else text", help="Output format.")  # fmt: skip
@output_option
@click.option("--all", "everything", is_flag=True, help="With text: list what holds, definitions and assumptions too.")
@click.option("--fix", is_flag=True, help="Write the corrected note beside each: note.fixed.md.")
@click.option("--assume", type=Assumption(), multiple=True, metavar="NAME=VALUE",
              help="What the notes leave open: W_h=0.5, f=tanh, loss=cross_entropy, layout=denominator, scalars, "
              "matrices. Repeatable.")  # fmt: skip
@click.option("--model", type=Source(), metavar="SOURCE",
              help="The model that the notes are about: a worked example, a cell or a model file.")  # fmt: skip
@click.option("--run-code", multiple=True, metavar="NAME",
              help="Run the notes' Python, and check the gradients of a function f, Class.method or FORWARD:BACKWARD. "
              "Repeatable.")  # fmt: skip
@click.option("--with", "arguments", type=Argument(), multiple=True, metavar="NAME=VALUE",
              help="What --run-code calls functions with: x=(2,3) for random numbers, n=4, y=[0,1]. "
              "Repeatable.")  # fmt: skip
def check(
    notes: tuple[str, ...], lang: str, kind: str | None, output: str | None, everything: bool, fix: bool,
    assume: tuple[tuple[str, Any], ...], model: str | None, run_code: tuple[str, ...],
    arguments: tuple[tuple[str, str], ...],
) -> int:  # fmt: skip
    """Check the formulas of notes on backpropagation through time.

    NOTE is a file in Markdown, LaTeX, reStructuredText, a notebook or a text; - is the standard input. Exit code 1
    if a formula is refuted. The Python in a note is not run, unless --run-code names a function in it.

    \b
    Examples:
      symbptt check notes.md
      symbptt check notes.tex slides.md --lang zh -o report.html
      symbptt check notes.md --fix --assume f=tanh
      symbptt check notes.md --model lstm --assume matrices
      symbptt check notes.md --run-code loss_and_grads
    """
    from ..api.notes import checked, distinct, options, with_code
    from ..reading.report import joined

    settings = options(dict(assume), model)
    given = [_read(str(note), fix) for note in distinct(notes)]
    _keep_apart(output, given)
    if arguments and not run_code:
        raise ValueInputError("--with is for the functions that --run-code names; name one")
    reports = with_code([checked(one.note, **settings) for one in given], run_code, dict(arguments), settings)
    report = joined(reports)
    colour = output in (None, "-") and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    deliver(lambda: _written(report, _format(kind, output), lang, everything, colour), output)
    if fix:
        for one, found in zip(given, reports, strict=True):
            _fix(one, found)
    return DONE if report.ok else FAILED


def _format(kind: str | None, output: str | None) -> str:
    return kind or _SUFFIXES.get(Path(str(output)).suffix.lower(), "text")


def _written(report: Report, kind: str, lang: str, everything: bool, colour: bool) -> str:
    if kind == "json":
        from ..render.notes_json import to_json

        return to_json(report, lang)
    if kind == "html":
        from ..render.notes_html import to_html

        return to_html(report, lang)
    from ..render.notes_text import to_text

    return to_text(report, lang, everything, _in_colour if colour else None)


def _in_colour(text: str, verdict: str) -> str:
    from ..render.notes_text import COLOURS

    return click.style(text, fg=COLOURS[verdict], bold=verdict == "refuted")


# -- notes -----------------------------------------------------------------------------------------------------
def _read(name: str, fix: bool) -> _Given:
    from ..api.notes import guessed
    from ..reading.extract import LIMIT, note_of, read_note

    if name != "-":
        return _Given(read_note(Path(name)), Path(name))
    if fix:
        raise ValueInputError("--fix writes beside a file: give the note as a file, not as -")
    data = sys.stdin.buffer.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise NoteError(f"{STDIN}: larger than {LIMIT // 1_000_000} MB: give it in parts")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoteError(f"{STDIN}: not UTF-8 (byte {error.start}): save it as UTF-8") from None
    return _Given(note_of(text, STDIN, guessed(text)), None)


def _keep_apart(output: str | None, given: list[_Given]) -> None:
    """Raise where the report would be written over a note."""
    if output in (None, "-"):
        return
    target = os.path.realpath(str(output))
    for one in given:
        if one.path is not None and os.path.realpath(one.path) == target:
            raise OutputError(f"{output} is a note that is checked; take another name for the report")


# -- corrections -----------------------------------------------------------------------------------------------
def _fix(given: _Given, report: Report) -> None:
    """Write the corrected note beside the original, if there is anything to correct."""
    from ..reading.fix import fixed, fixed_notebook

    assert given.path is not None  # _read refuses standard input
    note, path = given.note, given.path
    result = fixed(note, report.claims)
    rest = f"; {len(result.left)} refuted left as they are" if result.left else ""
    if not result.replaced:
        tell(f"{path}: nothing to fix{rest}")
        return
    source, encoding = _decoded(path.read_bytes())
    text = fixed_notebook(source, note, result) if note.cells else result.text
    if text is None:
        tell(f"{path}: the cells were read in another form than they have in the file; nothing is fixed")
        return
    target = path.with_name(f"{path.stem}.fixed{path.suffix}")
    with whole_file(target) as temporary:
        temporary.write_bytes(text.encode(encoding))
    tell(f"wrote {target}: {len(result.replaced)} replaced{rest}")


def _decoded(data: bytes) -> tuple[str, str]:
    """Return the text of a file that has been read as a note, and its encoding."""
    marked = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    encoding = next((name for mark, name in marked.items() if data.startswith(mark)), "utf-8")
    return data.decode(encoding), encoding
