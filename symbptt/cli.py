"""The command line. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

from .errors import OutputError, RefusedError, SizeError, SymbpttError, UnknownNameError, ValueInputError, nearest

if TYPE_CHECKING:
    from .api import RNN, Derivation

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])

MOST_NESTED = 40
"""Steps beyond which nobody can read a state that is written in inputs and parameters alone."""
DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

CHOICES: dict[str, tuple[str, ...]] = {
    "cell": ("elu", "gelu", "leaky_relu", "linear", "relu", "sigmoid", "silu", "softplus", "tanh"),
    "detail": ("full", "brief", "results", "numbers"),
    "form": ("recursive", "closed", "unrolled", "explicit"),
    "language": ("en", "zh"),
    "name": ("W_h", "W_x", "b_h", "W_y", "b_y", "h", "x", "h0"),
    "notation": ("textbook", "hh", "d2l", "pytorch", "goodfellow"),
    "rounding": ("carry", "step"),
    "section": (
        "model", "dependency", "local", "recursion", "parameters", "closed", "unrolled",
        "given", "forward", "backward", "numbers", "results",
    ),
}  # fmt: skip
"""What the shell completes, here so that SymPy is not imported for it; a test compares it with the real lists."""


# -- output -------------------------------------------------------------------------------------------


def emit(text: str) -> None:
    """Write text to stdout as UTF-8; a reader that has gone away is no error."""
    try:
        sys.stdout.buffer.write((text if text.endswith("\n") else text + "\n").encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(message: str) -> None:
    """Write one line to stderr."""
    line = " ".join(f"symbptt: {message}".split())
    try:
        click.echo(line.encode("utf-8", "backslashreplace"), err=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same directory, and put the file in its place when all went well.

    Raises
    ------
    OutputError
        When nothing can be written there; then nothing is.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix or '.tmp'}")
    try:
        mode = _mode_of(target)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        if mode is not None:
            os.chmod(temporary, mode)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    try:
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _mode_of(target: Path) -> int | None:
    """Return the permissions of a file that will be replaced; raise where it is no file or must not be changed."""
    if not target.exists():
        return None
    if target.is_dir():
        raise IsADirectoryError(None, "it is a directory")
    if not os.access(target, os.W_OK):
        raise PermissionError(None, "the file is write-protected")
    return stat.S_IMODE(target.stat().st_mode)


def deliver(make: Callable[[], str], output: str | None) -> None:
    """Write what ``make`` returns to a file, whole or not at all, or to stdout."""
    if output in (None, "-"):
        emit(make())
        return
    path = Path(str(output))
    if path.exists() and not path.is_file() and not path.is_dir():  # a device or a pipe
        _write(path, make())
        return
    with whole_file(path) as temporary:
        _write(temporary, make())


def _write(path: Path, text: str) -> None:
    path.write_bytes((text if text.endswith("\n") else text + "\n").encode("utf-8"))


# -- arguments ----------------------------------------------------------------------------------------


class Word(ParamType):
    """A word from a list; a near miss is answered with the word that was meant."""

    name = "word"

    def __init__(self, kind: str, words: tuple[str, ...] = (), strict: bool = True) -> None:
        self.kind, self.words, self.strict = kind, words or CHOICES[kind], strict

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if self.strict and value not in self.words:
            raise UnknownNameError(f"unknown {self.kind} {value!r}{nearest(value, self.words)}")
        return value

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


class Notation(Word):
    """A notation by name, or a JSON mapping of names."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str) or not value.lstrip().startswith("{"):
            return super().convert(value, param, ctx)
        mapping = _json(value, "--notation")
        if any(not isinstance(v, str) for v in mapping.values()):
            raise ValueInputError('--notation: every name must be a string, as in {"W_h": "U"}')
        super().convert(mapping.get("notation", self.words[0]), param, ctx)
        return mapping


class Source(ParamType):
    """A worked example, a cell, or a model file."""

    name = "source"

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        from .examples import example_names

        words = [w for w in (*example_names(), *CHOICES["cell"]) if w.startswith(incomplete)]
        return [*map(CompletionItem, words), CompletionItem(incomplete, type="file")]


class Whole(ParamType):
    """A positive integer, or one from a least value on."""

    name = "integer"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        try:
            number = int(value)
        except ValueError:
            number = self.least - 1
        if number < self.least:
            name = param.opts[0] if param is not None else "it"
            kind = "a positive integer" if self.least == 1 else f"an integer from {self.least} on"
            raise SizeError(f"{name} must be {kind}, not {value!r}")
        return number


class Setting(ParamType):
    """NAME=VALUE, with a number, numbers with commas, or JSON; decimals stay as they are written."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        from .examples import number_fault

        if isinstance(value, tuple):
            return value
        key, sign, text = (part.strip() for part in value.partition("="))
        if not key or not sign:
            raise ValueInputError(f"--set {value}: write NAME=VALUE, such as W_h=0.5 or x=1,0.5,1")
        read = _json(text, f"--set {key}") if text.startswith("[") else [_scalar(part) for part in text.split(",")]
        found = read if text.startswith("[") or len(read) > 1 else read[0]
        fault = number_fault(found)
        if fault:
            raise ValueInputError(f"--set {key} {fault}: give a number, numbers such as 1,0.5,1, or [[1, 2], [3, 4]]")
        return key, found


def _scalar(text: str) -> Any:
    text = text.strip()
    return int(text) if text.removeprefix("-").isdecimal() else text


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_constant=str)
    except ValueError as error:
        raise ValueInputError(f"{where}: not valid JSON: {error}") from None
    except RecursionError:
        raise ValueInputError(f"{where}: nested too deeply") from None


def _language() -> str:
    """Return the language of the locale."""
    given = next((os.environ[k] for k in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(k)), "")
    return "zh" if given.lower().startswith("zh") else "en"


def combined(*options: Any) -> Callable[[Command], Command]:
    """Return one decorator for several options, listed in that order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


source_argument = click.argument("source", type=Source())
output_option = click.option(
    "-o", "--output", metavar="FILE", type=click.Path(readable=False), help="Write to a file, whole or not at all."
)
language_option = click.option(
    "--lang",
    type=Word("language"),
    metavar="en|zh",
    default=_language,
    show_default="from the locale",
    help="Language.",
)
model_options = combined(
    click.option("--steps", type=Whole(), metavar="T", help="Number of time steps."),
    click.option("--hidden", type=Whole(), metavar="N", help="Size of the hidden state."),
    click.option("--inputs", type=Whole(), metavar="M", help="Size of the input."),
    click.option("--outputs", type=Whole(), metavar="Q", help="Size of the output, with a readout."),
)
set_option = click.option(
    "--set", "values", type=Setting(), multiple=True, metavar="NAME=VALUE",
    help="Give a number, numbers (x=1,0.5,1) or JSON (W_h=[[1,0],[0,1]]). Repeatable.",
)  # fmt: skip
notation_option = click.option(
    "--notation",
    type=Notation("notation"),
    metavar="NAME|JSON",
    help=f"{', '.join(CHOICES['notation'])}, or a mapping.",
)


def build(
    source: str, values: tuple[tuple[str, Any], ...] = (), notation: Any = None, numbers: bool = False, **sizes: Any
) -> RNN:
    """Return the model of a source with the settings of the command line.

    Parameters
    ----------
    source : str
    values : tuple of (key, value)
        From --set.
    notation : str or mapping, optional
    numbers : bool
        Whether the given numbers will be used; otherwise --steps may go beyond them.
    **sizes : int or None
    """
    from .api import load

    model = load(source)
    changes = {k: v for k, v in sizes.items() if v is not None}
    if notation is not None:
        changes["notation"] = notation
    if values:
        changes["values"] = {**model.values, **dict(values)}
        _check_names(model, dict(values))
    steps = changes.pop("steps", None)
    model = model.replace(**changes) if changes else model
    if steps is not None and not numbers:
        return model.replace(steps=steps, values={})
    return _with_steps(model, steps, dict(values))


def _check_names(model: RNN, values: Mapping[str, Any]) -> None:
    from .model.values import known_keys

    known = known_keys(model.system)
    for key in values:
        if key not in known:
            raise UnknownNameError(f"--set {key}: the model has no such name{nearest(key, known)}")


def _with_steps(model: RNN, steps: int | None, values: Mapping[str, Any]) -> RNN:
    """Settle T: by --steps, or by a sequence given with --set."""
    from .model.values import with_steps

    if steps is not None:
        return model.replace(steps=with_steps(model.network, model.values, steps).steps)
    if not {*model.system.inputs, "target"} & {*values}:
        return model
    try:
        return model.replace(steps=with_steps(model.replace(steps="T").network, model.values).steps)
    except SizeError:
        return model


@contextmanager
def located(source: str, values: tuple[tuple[str, Any], ...] = ()) -> Iterator[None]:
    """Say in which line of a model file an error lies, unless it is about a value of the command line."""
    from .examples import find

    with find(source).located(*dict(values)):
        yield


# -- the commands -------------------------------------------------------------------------------------


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
        from . import __version__

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
    from .examples import examples as listed

    emit("\n".join(f"{name}  {text.get(lang, text['en'])}" for name, text in listed()))


class Format(NamedTuple):
    """An output format: the suffixes that stand for it, and the method that writes it."""

    suffixes: tuple[str, ...]
    write: Callable[[Derivation, bool], str]


FORMATS: dict[str, Format] = {
    "markdown": Format((".md", ".markdown"), lambda d, document: d.to_markdown()),
    "latex": Format((".tex", ".latex"), lambda d, document: d.to_latex(document=document)),
    "pdf": Format((".pdf",), lambda d, document: ""),
    "html": Format((".html", ".htm"), lambda d, document: d.to_html()),
    "text": Format((".txt", ".text"), lambda d, document: d.to_text()),
    "json": Format((".json",), lambda d, document: d.to_json()),
    "notebook": Format((".ipynb",), lambda d, document: d.to_notebook()),
}


def _format(given: str | None, output: str | None) -> str:
    """Return the format: as given, by the suffix of the output file, or by where the output goes."""
    if given:
        return given
    if output not in (None, "-"):
        suffix = Path(str(output)).suffix.lower()
        return next((name for name, entry in FORMATS.items() if suffix in entry.suffixes), "markdown")
    return "text" if sys.stdout.isatty() else "markdown"


@app.command()
@source_argument
@language_option
@click.option(
    "--to", "kind", type=Word("format", tuple(FORMATS)), metavar="FORMAT",
    show_default="by the suffix of -o; text on a terminal, else markdown", help=f"{', '.join(FORMATS)}.",
)  # fmt: skip
@output_option
@set_option
@model_options
@notation_option
@click.option("--detail", type=Word("detail"), metavar="DETAIL", default="full", show_default=True,
              help=f"{', '.join(CHOICES['detail'])}.")  # fmt: skip
@click.option("--section", "sections", type=Word("section"), metavar="SECTION", multiple=True,
              help="Only this section. Repeatable.")  # fmt: skip
@click.option("--digits", type=int, default=4, show_default=True, help="Significant digits of rounded figures.")
@click.option("--rounding", type=Word("rounding"), metavar="carry|step", default="carry", show_default=True,
              help="Go on from unrounded figures, or from the printed ones.")  # fmt: skip
@click.option("--symbolic", is_flag=True, help="Leave the numbers out.")
@click.option("--document", is_flag=True, help="With --to latex: a complete document, not a fragment.")
@click.option("--no-check", is_flag=True, help="Do not verify the lines before they are written.")
def derive(
    source: str, lang: str, kind: str | None, output: str | None, values: tuple[tuple[str, Any], ...], notation: Any,
    detail: str, sections: tuple[str, ...], digits: int, rounding: str, symbolic: bool, document: bool, no_check: bool,
    **sizes: Any,
) -> int:  # fmt: skip
    """Write the derivation step by step.

    Every line is verified before it is written (exit code 1, and nothing written, should one fail).

    \b
    Examples:
      symbptt derive relu-explosion --lang zh
      symbptt derive relu-explosion --set W_h=0.5 --set x=1,1,1,1
      symbptt derive tanh-softmax --notation d2l -o bptt.pdf
    """
    kind = _format(kind, output)
    if kind == "pdf" and output is None:
        output = f"{Path(source).stem}.pdf"
    with located(source, values):
        model = build(source, values, numbers=not symbolic, **sizes)
        made = model.derivation(
            lang=lang, values={} if symbolic else None, notation=notation, detail=detail,
            sections=sections or None, rounding=rounding, digits=digits,
        )  # fmt: skip
    if not no_check and not _verified(made):
        return FAILED
    if kind == "pdf":
        _deliver_pdf(made, str(output))
    else:
        deliver(lambda: FORMATS[kind].write(made, document), output)
    return DONE


def _verified(made: Derivation) -> bool:
    failures = made.verify().failures
    for check in failures:
        tell(f"step {check.key} failed verification: {check.detail}")
    return not failures


def _deliver_pdf(made: Derivation, output: str) -> None:
    if output == "-":
        raise OutputError("a PDF is not written to the terminal: give -o FILE.pdf")
    with whole_file(Path(output)) as temporary:
        made.to_pdf(temporary)
    tell(f"wrote {output}")


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
    from .model.values import with_steps

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
      symbptt gradient tanh-softmax --wrt W_h --to latex
      symbptt gradient relu-explosion --wrt h --at 1 --form unrolled
    """
    with located(source):
        model = build(source, notation=notation, **sizes)
        _check_step(model, wrt, at, form)
        right = model.gradient(wrt, at=at, form=form)
    deliver(lambda: WRITERS[kind](model, [(_left(model, wrt, at), right)]), output)


def _check_step(model: RNN, wrt: str, at: int | None, form: str) -> None:
    """Raise where a step is given for what has none, or is missing where everything is written out."""
    timed = wrt in model.system.variables
    if at is not None and not timed and wrt in (*model.system.parameters, *(f"{s}0" for s in model.system.states)):
        raise SizeError(f"--at {at}: {wrt} is the same at every step; leave --at out")
    if at is None and timed and form in ("unrolled", "explicit"):
        raise SizeError(f"--form {form} of {wrt} needs a time step: give --at, such as --at 1")


def _left(model: RNN, wrt: str, at: int | None) -> Any:
    """Return dL/d(wrt), as the left side of an equation."""
    from .algebra.leaves import derivative

    system, symbols = model.system, model.symbols
    initial = {f"{state}0": state for state in system.states}
    if wrt in system.parameters:
        return derivative(system.L, symbols[wrt])
    when = system.start if wrt in initial else system.t if at is None else at
    return derivative(system.L, symbols[initial.get(wrt, wrt)][when])


# -- equations in three formats -----------------------------------------------------------------------


def _items(model: RNN, rows: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    from .algebra.present import present
    from .model import names

    untimed = frozenset({"target"}) if model.system.reduction == "last" else frozenset[str]()
    used = names(model.notation, untimed)
    return [(present(left, used), present(right, used)) for left, right in rows]


def _as_text(model: RNN, rows: list[tuple[Any, Any]]) -> str:
    from .algebra.plain import to_plain

    lines = [(to_plain(left), to_plain(right)) for left, right in _items(model, rows)]
    width = max(len(left) for left, _ in lines)
    return "\n".join(f"{left:<{width}} = {right}" for left, right in lines)


def _as_latex(model: RNN, rows: list[tuple[Any, Any]]) -> str:
    from .algebra.tex import to_tex

    lines = [(to_tex(left), to_tex(right)) for left, right in _items(model, rows)]
    if len(lines) == 1:
        return " = ".join(lines[0])
    inside = " \\\\\n".join(f"  {left} &= {right}" for left, right in lines)
    return f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}"


def _as_python(model: RNN, rows: list[tuple[Any, Any]]) -> str:
    from .algebra.pycode import NUMPY, write

    return "\n".join(f"{write(left, NUMPY)} = {write(right, NUMPY)}" for left, right in rows)


WRITERS: dict[str, Callable[[Any, list[tuple[Any, Any]]], str]] = {
    "text": _as_text,
    "latex": _as_latex,
    "python": _as_python,
}


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
@model_options
def codegen(source: str, output: str | None, **sizes: Any) -> None:
    """Write a NumPy module that computes the loss and every gradient.

    \b
    Example:
      symbptt codegen tanh-softmax -o bptt.py
    """
    with located(source):
        compiled = build(source, **sizes).lambdify()
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
      symbptt new my.toml --from coupled-oscillator
    """
    from .examples import find, template

    if file != "-" and os.path.lexists(file):
        raise OutputError(f"{file} is there already; take another name")
    data = {k: v for k, v in find(start).data.items() if k not in ("title", "description")}
    text = template(data, lang, file)
    deliver(lambda: text, file)
    if file != "-":
        tell(f"wrote {file}; now try: symbptt derive {file}")


# -- running ------------------------------------------------------------------------------------------


def run(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; what goes wrong is one line on stderr."""
    try:
        return int(app.main(args=arguments, prog_name="symbptt", standalone_mode=False) or DONE)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        tell(error.format_message().rstrip(".") + where)
    except (SymbpttError, click.ClickException) as error:
        tell(str(error) if isinstance(error, SymbpttError) else error.format_message())
    except OSError as error:
        tell(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
    except RecursionError:
        tell("the expressions are nested too deeply: take fewer steps")
    except (click.Abort, KeyboardInterrupt):
        tell("interrupted")
        return INTERRUPTED
    return BAD_INPUT


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and leave."""
    sys.exit(run(arguments))
