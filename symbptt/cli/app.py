"""The program and its exit codes; commands register themselves here."""

from __future__ import annotations

from typing import Any

import click

from ..errors import UnknownNameError, nearest
from .console import emit

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


ORDER = (
    "examples", "derive", "stability", "unroll", "graph", "gradient", "verify", "check", "compare", "codegen", "cite",
    "new", "train",
)  # fmt: skip
"""The commands as the help lists them."""


class Group(click.Group):
    """The commands in their order; a near miss is answered."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.commands, key=ORDER.index)

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
