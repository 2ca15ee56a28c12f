"""What the command line writes: text to stdout, messages to stderr, files whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ..errors import OutputError


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
