"""What the command line reads: words from lists, sources, settings, and the model they make."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..errors import SizeError, UnknownNameError, ValueInputError, nearest

if TYPE_CHECKING:
    from ..api import RNN
    from ..examples import ModelFile

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])

CHOICES: dict[str, tuple[str, ...]] = {
    "backend": ("numpy", "jax"),
    "cell": (
        "elu", "gelu", "leaky_relu", "linear", "relu", "sigmoid", "silu", "softplus", "tanh",
        "residual", "leaky", "indrnn", "layer_norm", "mgu", "lstm", "lstm_peephole", "lstm_coupled", "gru",
        "gru_before", "state_space", "linear_attention", "delta_rule",
    ),
    "detail": ("full", "brief", "results", "numbers"),
    "form": ("recursive", "closed", "unrolled", "explicit"),
    "language": ("en", "zh"),
    "layout": ("columns", "rows"),
    "name": ("W_h", "W_x", "b_h", "W_y", "b_y", "h", "x", "h0"),
    "notation": ("textbook", "hh", "d2l", "pytorch", "goodfellow"),
    "plot": ("norms", "heatmap", "spectrum", "power", "all"),
    "rounding": ("carry", "step"),
    "section": (
        "model", "dependency", "local", "recursion", "parameters", "closed", "truncation", "influence", "forward_mode",
        "unrolled", "given", "products", "bounds", "distances", "spectrum", "power", "forward", "backward", "numbers",
        "clipping", "initialisation", "comparison", "truncated", "forward_numbers", "methods", "cost", "results",
        "saliency", "hessian", "curvature",
    ),
}  # fmt: skip
"""What the shell completes, here so that SymPy is not imported for it; a test compares it with the real lists."""


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
    """A notation by name, or a JSON mapping of names; ``option`` is what messages about the mapping begin with."""

    def __init__(self, option: str = "--notation") -> None:
        super().__init__("notation")
        self.option = option

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str) or not value.lstrip().startswith("{"):
            return super().convert(value, param, ctx)
        mapping = _json(value, self.option)
        if any(not isinstance(v, str) for v in mapping.values()):
            raise ValueInputError(f'{self.option}: every name must be a string, as in {{"W_h": "U"}}')
        super().convert(mapping.get("notation", self.words[0]), param, ctx)
        return mapping


class Source(ParamType):
    """A worked example, a cell, or a model file."""

    name = "source"

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        from ..examples import example_names

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
        return value if isinstance(value, tuple) else read_setting(value, "--set ")


def read_setting(text: str, option: str = "") -> tuple[str, Any]:
    """Return name and value of ``NAME=VALUE``; ``option`` is what messages begin with.

    >>> read_setting("x=1,0.5,1")
    ('x', [1, '0.5', 1])
    """
    from ..examples import number_fault

    key, sign, value = (part.strip() for part in text.partition("="))
    if not key or not sign:
        raise ValueInputError(f"{option}{text}: write NAME=VALUE, such as W_h=0.5 or x=1,0.5,1")
    listed = value.startswith("[")
    read = _json(value, f"{option}{key}") if listed else [_scalar(part) for part in value.split(",")]
    found = read if listed or len(read) > 1 else read[0]
    fault = number_fault(found)
    if fault:
        raise ValueInputError(f"{option}{key} {fault}: give a number, numbers such as 1,0.5,1, or [[1, 2], [3, 4]]")
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
    click.option(
        "--layout", type=Word("layout"), metavar="columns|rows", help="Vectors as columns, or as rows of a batch."
    ),
    click.option("--batch", type=Whole(), metavar="B", help="Number of examples, with --layout rows."),
)
truncate_help = "window:TAU (or TAU), segments:TAU, randomised:P, randomised:P:independent"
set_option = click.option(
    "--set", "values", type=Setting(), multiple=True, metavar="NAME=VALUE",
    help="Give a number, numbers (x=1,0.5,1) or JSON (W_h=[[1,0],[0,1]]). Repeatable.",
)  # fmt: skip
notation_option = click.option(
    "--notation",
    type=Notation(),
    metavar="NAME|JSON",
    help=f"{', '.join(CHOICES['notation'])}, or a mapping.",
)


def build(
    source: str | ModelFile,
    values: tuple[tuple[str, Any], ...] = (),
    notation: Any = None,
    numbers: bool = False,
    **sizes: Any,
) -> RNN:
    """Return the model of a source with the settings of the command line.

    Parameters
    ----------
    source : str or ModelFile
    values : tuple of (key, value)
        As :func:`read_setting` returns them.
    notation : str or mapping, optional
    numbers : bool
        Whether the given numbers will be used; otherwise --steps may go beyond them.
    **sizes : int or None
    """
    from ..api import load

    model = load(source)
    changes = {k: v for k, v in sizes.items() if v is not None}
    model = _laid_out(model, changes.pop("layout", None), numbers)
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


def _laid_out(model: RNN, layout: str | None, numbers: bool) -> RNN:
    """Put a model into another layout, with its numbers only where they will be used."""
    if layout in (None, model.network.layout):
        return model
    if numbers or not model.values:
        return model.replace(layout=layout)
    steps = model.network.steps
    if not steps.is_Integer:
        steps = _with_steps(model, None, model.values).network.steps
    return model.replace(layout=layout, values={}, steps=steps)


def _check_names(model: RNN, values: Mapping[str, Any]) -> None:
    from ..model.values import known_keys

    known = known_keys(model.system)
    for key in values:
        if key not in known:
            raise UnknownNameError(f"value for {key!r}: the model has no such name{nearest(key, known)}")


def _with_steps(model: RNN, steps: int | None, values: Mapping[str, Any]) -> RNN:
    """Settle T: by --steps, or by a sequence given with --set."""
    from ..model.values import with_steps

    if steps is not None:
        return model.replace(steps=with_steps(model.network, model.values, steps).steps)
    if not {*model.system.inputs, *model.system.fixed} & {*values}:
        return model
    try:
        return model.replace(steps=with_steps(model.replace(steps="T").network, model.values).steps)
    except SizeError:
        return model


@contextmanager
def located(source: str | ModelFile, values: tuple[tuple[str, Any], ...] = ()) -> Iterator[None]:
    """Say in which line of a model file an error lies, unless it is about a value of the command line."""
    from ..examples import find

    with find(source).located(*dict(values)):
        yield
