"""The commands about models. Nothing heavy is imported before one runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError, RefusedError, SizeError
from .app import DONE, FAILED, app
from .arguments import (
    CHOICES,
    Source,
    Whole,
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
from .console import deliver, emit, tell
from .equations import WRITERS

if TYPE_CHECKING:
    from ..api import RNN

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

MOST_NESTED = 40
"""Steps beyond which nobody can read a state that is written in inputs and parameters alone."""


@app.command()
@language_option
def examples(lang: str) -> None:
    """List the worked examples, one line each."""
    from ..examples import examples as listed

    emit("\n".join(f"{name}  {text.get(lang, text['en'])}" for name, text in listed()))


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
@click.option("--backend", type=Word("backend"), metavar="|".join(CHOICES["backend"]), default="numpy",
              show_default=True, help="What the module is written in.")  # fmt: skip
@model_options
def codegen(source: str, output: str | None, truncate: str | None, backend: str, **sizes: Any) -> None:
    """Write a module that computes the loss and every gradient, in NumPy or JAX.

    \b
    Example:
      symbptt codegen softmax-readout -o bptt.py
      symbptt codegen softmax-readout --truncate segments:10
      symbptt codegen lstm --backend jax
    """
    with located(source):
        compiled = build(source, **sizes).lambdify(truncate, backend=backend)
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
