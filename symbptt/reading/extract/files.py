"""Files and texts: which format they have, how they are encoded, and what cannot be a note."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from pathlib import Path

from ...errors import NoteError, nearest
from ..note import Note
from .latex import read_latex
from .markdown import read_markdown
from .notebook import Cells, read_notebook
from .rst import read_rst
from .scanning import Found

LIMIT = 5_000_000
"""The largest note in bytes; of a text, in characters."""

SUFFIXES = {
    "": "markdown",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".qmd": "markdown",
    ".rmd": "markdown",
    ".txt": "markdown",
    ".tex": "latex",
    ".ltx": "latex",
    ".ipynb": "notebook",
    ".rst": "rst",
}
"""Which format a file has, by its suffix in small letters."""

_READERS: dict[str, Callable[[str, str], tuple[Found, Cells]]] = {
    "markdown": lambda text, file: (read_markdown(text), ()),
    "latex": lambda text, file: (read_latex(text), ()),
    "notebook": read_notebook,
    "rst": lambda text, file: (read_rst(text), ()),
}
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def note_of(text: str, file: str = "<text>", kind: str = "markdown") -> Note:
    """Return the note that a text is.

    Parameters
    ----------
    text : str
    file : str
        The name that reports print.
    kind : str
        ``markdown``, ``latex``, ``notebook`` or ``rst``.

    Returns
    -------
    Note
        Its text is the given one, unchanged; of a notebook, its Markdown cells.

    Raises
    ------
    NoteError
        If there is no such kind, if the text is too long or binary, or if a notebook is none.

    >>> note = note_of("The state is $h_t = f(z_t)$.")
    >>> note.formulas[0].latex, note.place(note.formulas[0].start)
    ('h_t = f(z_t)', (1, 15))
    """
    if kind not in _READERS:
        raise NoteError(f"no kind of note {kind!r}{nearest(kind, _READERS)}")
    if len(text) > LIMIT:
        raise NoteError(f"{file}: {len(text):,} characters, and a note may have {LIMIT:,}; split it")
    if "\0" in text:
        raise NoteError(f"{file}: binary, with a NUL character at offset {text.index(chr(0))}; a note is a text")
    if not text.strip():
        return Note(file, "" if kind == "notebook" else text)
    found, cells = _READERS[kind](text, file)
    return Note(
        file,
        found.text,
        tuple(found.formulas),
        tuple(found.passages),
        found.macros,
        tuple(found.problems),
        tuple(found.code),
        cells,
    )


def read_note(path: str | os.PathLike[str]) -> Note:
    """Return the note in a file; its suffix says which format it has (:data:`SUFFIXES`).

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Note

    Raises
    ------
    NoteError
        If the file is missing, unreadable, a directory, larger than :data:`LIMIT`, binary, not in UTF-8, or of an
        unknown format.
    """
    file = os.fspath(path)
    suffix = Path(file).suffix.lower()
    data = _bytes(file)
    if suffix not in SUFFIXES:
        known = ", ".join(sorted(filter(None, SUFFIXES)))
        raise NoteError(f"{file}: no format of notes has the suffix {suffix!r}; known: {known}")
    return note_of(_decoded(data, file), file, SUFFIXES[suffix])


def _bytes(file: str) -> bytes:
    try:
        if os.path.isdir(file):
            raise NoteError(f"{file}: a directory; name the files in it")
        size = os.path.getsize(file)
        with open(file, "rb") as stream:
            data = stream.read(LIMIT + 1)
    except FileNotFoundError:
        raise NoteError(f"{file}: no such file") from None
    except (OSError, ValueError) as error:
        raise NoteError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > LIMIT:
        size = max(size, len(data))
        raise NoteError(f"{file}: {size:,} bytes, and a note may have {LIMIT:,}; split it")
    return data


def _decoded(data: bytes, file: str) -> str:
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    if encoding != "utf-16" and 0 in data:
        raise NoteError(f"{file}: binary, with a NUL byte at offset {data.index(0)}; a note is a text")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        at = error.start + (3 if encoding == "utf-8-sig" and data.startswith(codecs.BOM_UTF8) else 0)
        byte = data[at] if at < len(data) else data[-1]
        raise NoteError(
            f"{file}: not {name}: byte 0x{byte:02x} at offset {at}; save it as UTF-8 "
            "(Chinese notes are often in GB 18030: iconv -f gb18030 -t utf-8)"
        ) from None
