r"""LaTeX: a fragment for a document of one's own, or a complete document for XeLaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .blocks import Block, Display, Document, Group, Heading, Paragraph, Table, displays
from .latex_displays import broken_tex, group_tex
from .latex_preamble import needs, preamble
from .latex_words import inline, text_tex

__all__ = ["broken_tex", "inline", "text_tex", "to_latex"]


@dataclass(frozen=True)
class _Page:
    """What is written for: how wide the text is, in em, and whether the document is complete."""

    room: float
    complete: bool


def to_latex(document: Document, complete: bool = False) -> str:
    r"""Return a document as LaTeX.

    Parameters
    ----------
    document : Document
    complete : bool
        Whether it is a whole document for XeLaTeX, or a fragment for ``\input``, which starts with a comment that
        names the packages it needs.

    Returns
    -------
    str
    """
    page = _Page(_ROOMS.get(document.lang, _ROOMS["en"]) if complete else min(_ROOMS.values()), complete)
    body = _joined([(kind, _WRITERS[kind](block, page)) for kind, block in _runs(document.blocks)])
    if not complete:
        return f"{needs(document, body)}\n\n{body}\n"
    return f"{preamble(document, body)}\n\n\\begin{{document}}\n{body}\n\\end{{document}}\n"


_ROOMS = {"zh": 37.4, "en": 41.0}
"""Width of the text of a complete document in each language, in em, with a little to spare."""


def _runs(blocks: tuple[Block, ...]) -> Iterator[tuple[type, Any]]:
    """Yield the blocks, displays that follow each other as one group."""
    run: tuple[Display, ...] = ()
    for block in blocks:
        if run and not displays(block):
            yield Group, Group(run)
            run = ()
        run += displays(block)
        if not displays(block):
            yield type(block), block
    if run:
        yield Group, Group(run)


def _joined(blocks: list[tuple[type, str]]) -> str:
    """Put blocks together; a display belongs to the paragraph above it, so that no blank line comes between."""
    text = ""
    before: type = Group
    for kind, tex in blocks:
        text += "" if not text else "\n" if kind is Group and before is Paragraph else "\n\n"
        text += tex
        before = kind
    return text


# -- blocks -----------------------------------------------------------------------------------------------------
def _heading(block: Heading, page: _Page) -> str:
    if page.complete and block.level == 1:
        return f"\\begin{{center}}\n{{\\LARGE\\bfseries {inline(block.words)}\\par}}\n\\end{{center}}"
    commands = ("", "section", "subsection*") if page.complete else ("section", "subsection", "subsubsection*")
    return f"\\{commands[block.level - 1]}{{{inline(block.words)}}}"


def _table(block: Table, page: _Page) -> str:
    name = "longtable" if len(block.rows) > _LONG_TABLE else "tabular"
    lines = [" & ".join(map(inline, cells)) + " \\\\" for cells in (block.header, *block.rows)]
    body = "\n".join(["\\toprule", lines[0], "\\midrule", *lines[1:], "\\bottomrule"])
    table = f"\\begin{{{name}}}{{{'l' * len(block.header)}}}\n{body}\n\\end{{{name}}}"
    room = "\\renewcommand{\\arraystretch}{1.4}\n" if "\\frac" in body else ""
    if name == "longtable":
        return f"{{{room}{table}}}" if room else table
    return f"\\begin{{center}}\n{room}{table}\n\\end{{center}}"


_LONG_TABLE = 30
"""More rows than this do not stay together on one page."""


_WRITERS: dict[type, Callable[[Any, _Page], str]] = {
    Heading: _heading,
    Paragraph: lambda block, page: inline(block.words),
    Group: lambda block, page: group_tex(block, page.room),
    Table: _table,
}
