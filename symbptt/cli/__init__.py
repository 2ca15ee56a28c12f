"""The command line."""

from __future__ import annotations

import sys
import warnings
from typing import Any, NoReturn

import click

from ..errors import SymbpttError, SymbpttWarning
from . import commands
from .app import BAD_INPUT, DONE, INTERRUPTED, app
from .arguments import CHOICES
from .check import check
from .cite import cite
from .compare import compare
from .console import tell
from .documents import FORMATS
from .graph import graph
from .train import train


def run(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; what goes wrong is one line on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("once", SymbpttWarning)
        warnings.showwarning = _show_warning
        return _run(arguments)


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """Write a warning of ours as one line on stderr; others are not about the user's input."""
    if issubclass(category, SymbpttWarning):
        tell(f"warning: {message}")


def _run(arguments: list[str] | None) -> int:
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


__all__ = ["CHOICES", "FORMATS", "app", "check", "cite", "commands", "compare", "graph", "main", "run", "train"]
