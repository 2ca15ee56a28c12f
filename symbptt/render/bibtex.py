r"""The literature that a derivation rests on: as BibTeX entries, and as the list of references of a document.

What is for what stands in ``bibliography.toml``: by cell, by structure, by section, by truncation.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..model.catalogue import ACTIVATIONS
from .blocks import Paragraph
from .phrases import catalogue

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from .latex_style import Style

PACKAGE = "symbptt"
"""Key of the entry of the package itself."""


@cache
def bibliography() -> dict[str, Any]:
    """Return the table: ``entry`` by key, and ``uses``.

    >>> bibliography()["entry"]["elman1990"]["title"]
    'Finding structure in time'
    """
    file = resources.files(__package__).joinpath("bibliography.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def sources(derivation: Any) -> tuple[str, ...]:
    """Return the keys of the entries for a derivation, the package first.

    >>> from symbptt import RNN
    >>> sources(RNN("gru").derivation())
    ('symbptt', 'werbos1990', 'cho2014', 'chung2014')
    """
    return tuple(dict.fromkeys((PACKAGE, *_sources(derivation))))


def _sources(derivation: Any) -> Iterator[str]:
    uses = bibliography()["uses"]
    network = derivation.derived.network
    yield from uses["every"]
    for name in _cells(network.cell.name):
        yield from uses["cell"].get("elman" if name in _ELMAN else name, ())
    for mark, structure in _STRUCTURES.items():
        if any(re.match(mark, key) for key in network.system.parameters):
            yield from uses["structure"][structure]
    for section in derivation.sections:
        yield from uses["section"].get(section.key, ())
        if section.key in ("truncation", "truncated"):
            for truncation in derivation.options.truncate:
                yield from uses["truncation"][type(truncation).__name__]


_ELMAN = {*ACTIVATIONS, "linear"}
_STRUCTURES = {r"(forward\.|backward\.)?\d+\.": "stack", r"(\d+\.)?(forward|backward)\.": "bidirectional"}
"""What the names of parameters begin with in a stack, and in a network that runs in both directions."""


def _cells(name: str) -> list[str]:
    """Return the names of the cells that a network is made of.

    >>> _cells("bidirectional lstm + tanh")
    ['lstm', 'tanh']
    """
    return [part.removeprefix("bidirectional ").strip() for part in name.split(" + ")]


# -- BibTeX -----------------------------------------------------------------------------------------------------
def to_bibtex(keys: tuple[str, ...]) -> str:
    r"""Return entries as BibTeX in ASCII, so that every BibTeX reads them.

    >>> print(to_bibtex(("schlag2021",)))
    @inproceedings{schlag2021,
      author = {Imanol Schlag and Kazuki Irie and J{\"u}rgen Schmidhuber},
      title = {Linear transformers are secretly fast weight programmers},
      booktitle = {Proceedings of the 38th International Conference on Machine Learning},
      year = {2021}
    }
    <BLANKLINE>
    """
    return "\n".join(map(_entry, keys))


def _entry(key: str) -> str:
    fields = _fields(key)
    kind = fields.pop("type")
    authors = {"author": " and ".join(fields.pop("author"))}
    lines = [f"  {name} = {{{_ascii(str(value))}}}" for name, value in {**authors, **fields}.items()]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n"


def _fields(key: str) -> dict[str, Any]:
    version = {"note": f"Version {__version__}"} if key == PACKAGE else {}
    return {**bibliography()["entry"][key], **version}


def _ascii(text: str) -> str:
    r"""Write letters with marks as TeX does.

    >>> print(_ascii("Lukoševičius"))
    Luko{\v{s}}evi{\v{c}}ius
    """
    return "".join(map(_letter, text))


def _letter(char: str) -> str:
    if char.isascii():
        return char
    parts = unicodedata.normalize("NFD", char)
    letter, accent = parts[0], _ACCENTS[parts[1:]]
    letter = "\\i" if letter == "i" else letter
    return f"{{\\{accent}{{{letter}}}}}" if accent.isalpha() else f"{{\\{accent}{letter}}}"


_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030c": "v", "\u0327": "c"}


# -- in a document ----------------------------------------------------------------------------------------------
def cited(style: Style) -> list[Paragraph]:
    """Return the sentence that refers to the literature, where the style asks for it."""
    if not style.cite:
        return []
    return [Paragraph((catalogue(style.lang)["ui.literature"].format(references="\0"),))]


def with_citations(tex: str, style: Style) -> str:
    r"""Put the ``\cite`` in its place in the sentence."""
    return tex.replace("\0", f"\\cite{{{','.join(style.cite)}}}")


def literature(style: Style) -> str:
    """Return the list of references of a whole document; nothing where it refers to none."""
    if not style.cite:
        return ""
    items = [f"\\bibitem{{{key}}} {_reference(_fields(key))}" for key in style.cite]
    return "\\begin{thebibliography}{99}\n" + "\n".join(items) + "\n\\end{thebibliography}"


def _reference(fields: dict[str, Any]) -> str:
    """Write an entry as one line of a list of references."""
    *others, last = [author.strip("{}") for author in fields["author"]]
    authors = f"{', '.join(others)} and {last}" if others else last
    title = re.sub(r"[{}]", "", fields["title"])
    volume = str(fields.get("volume", "")) + (f"({fields['number']})" if "number" in fields else "")
    pages = f":{fields['pages']}" if volume and "pages" in fields else ""
    where = f"\\emph{{{fields.get('journal') or fields.get('booktitle') or ''}}}"
    parts = [
        f"{where}{' ' if volume else ''}{volume}{pages}" if where != "\\emph{}" else "",
        f"pages {fields['pages']}" if "pages" in fields and not volume else "",
        fields.get("note", ""),
        str(fields.get("year", "")),
    ]
    return f"{authors}. {title}. {', '.join(filter(None, parts))}."
