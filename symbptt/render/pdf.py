"""PDF: the complete LaTeX document, compiled with XeLaTeX in a directory of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..errors import MissingToolError, OutputError
from .blocks import Document
from .latex import to_latex
from .latex_style import Style

PACKAGES = "texlive-xetex texlive-latex-recommended texlive-lang-chinese"
"""What has to be installed on Debian."""
_COMMAND = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error")
_SECONDS = 300


def to_pdf(document: Document, path: Path, style: Style | None = None) -> Path:
    """Compile a document and write the PDF whole or not at all.

    Parameters
    ----------
    document : Document
    path : Path
    style : Style, optional

    Returns
    -------
    Path
        The path.

    Raises
    ------
    MissingToolError
        Where XeLaTeX, or a class, package or font that the document needs, is not installed.
    OutputError
        Where the path cannot be written.
    """
    target = Path(path)
    _check(target)
    write_whole(target, compiled(to_latex(document, complete=True, style=style)))
    return target


def compiled(source: str) -> bytes:
    """Return the PDF of a complete LaTeX document; the same bytes for the same document.

    Parameters
    ----------
    source : str

    Returns
    -------
    bytes
    """
    xelatex = shutil.which("xelatex")
    if xelatex is None:
        raise MissingToolError(f"PDF needs XeLaTeX, which is not installed; on Debian: apt-get install {PACKAGES}")
    with tempfile.TemporaryDirectory(prefix="symbptt-") as name:
        folder = Path(name)
        (folder / "document.tex").write_text(source, encoding="utf-8")
        for _ in range(3):
            before = _notes(folder)
            _run(xelatex, folder)
            if _notes(folder) == before:
                break
        return (folder / "document.pdf").read_bytes()


def _notes(folder: Path) -> list[bytes]:
    """What the run before has left for the next one: it is over when this no longer changes."""
    return [path.read_bytes() for name in ("aux", "out") if (path := folder / f"document.{name}").exists()]


def _run(xelatex: str, folder: Path) -> None:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "0")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "FORCE_SOURCE_DATE": "1", "max_print_line": "10000"}
    try:
        done = subprocess.run(
            [xelatex, *_COMMAND, "document.tex"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise OutputError(
            f"XeLaTeX did not finish within {_SECONDS} seconds; write LaTeX and compile it yourself"
        ) from None
    except OSError as error:
        raise MissingToolError(
            f"XeLaTeX cannot be started ({error.strerror}); on Debian: apt-get install {PACKAGES}"
        ) from None
    if done.returncode or not (folder / "document.pdf").exists():
        raise _failure(done.stdout.decode("utf-8", "replace"))


def _failure(log: str) -> MissingToolError | OutputError:
    """Say in one line why the document was not compiled."""
    for pattern in _MISSING:
        found = re.search(pattern, log)
        if found:
            return MissingToolError(f"TeX has no {found[1]}; on Debian: apt-get install {PACKAGES}")
    errors = re.search(r"^! (.*)$", log, re.MULTILINE)
    reason = errors[1].strip() if errors else "no error message"
    return OutputError(f"XeLaTeX could not compile the document: {reason}; write LaTeX to see the source")


_MISSING = (
    r"File `([^']+\.(?:sty|cls|def|cfg|clo|fd))' not found",
    r"[Tt]he font \"([^\"]+)\" cannot be\s+found",
    r"I can't find (?:the format )?file `([^']+)'",
    r"(?:Font|font) \S+=\"?\[?([^\]\"\s]+)\]?\S* .*not loadable",
)
"""How TeX says that a class, a package, a format or a font is missing."""


# -- the output file --------------------------------------------------------------------------------------------
def _check(target: Path) -> None:
    """Refuse a path that cannot be written before anything is compiled."""
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write {target}: it is not a regular file")
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {target}: the directory {target.parent} does not exist")


def write_whole(target: Path, data: bytes) -> None:
    """Write beside the target and move it there, so that no reader ever sees half a file."""
    final = target.resolve()
    partial = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(data)
        os.replace(partial, final)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
