r"""LaTeX: a fragment for a document of one's own, or a complete document for XeLaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from .bibtex import cited, literature, with_citations
from .blocks import Block, Display, Document, Group, Heading, Paragraph, Table, displays
from .latex_displays import broken_tex, group_tex
from .latex_preamble import needs, preamble
from .latex_style import Style
from .latex_style import style as style_of
from .latex_tables import table_tex
from .latex_words import inline, text_tex

__all__ = ["broken_tex", "inline", "text_tex", "to_latex"]


def to_latex(document: Document, complete: bool = False, style: Style | None = None) -> str:
    r"""Return a document as LaTeX.

    Parameters
    ----------
    document : Document
    complete : bool
        Whether it is a whole document for XeLaTeX, or a fragment for ``\input``, which starts with a comment that
        names the packages it needs.
    style : Style, optional
        How it is set; then ``complete`` is the style's.

    Returns
    -------
    str
    """
    style = _known(style or style_of(document.lang, complete), document)
    blocks = [*runs(document.blocks), *((Paragraph, p) for p in cited(style))]
    plain = _joined([(kind, _WRITERS[kind](block, style)) for kind, block in blocks])
    body = style.macros.applied(with_citations(plain, style))
    macros = style.macros.definitions(body)
    if style.complete:
        head = preamble(document, body + macros, style)
        text = "\n\n".join(filter(None, [body, literature(style)]))
        return "\n\n".join(filter(None, [head, macros, f"\\begin{{document}}\n{text}\n\\end{{document}}\n"]))
    if style.narrow:
        body = f"\\begin{{sloppypar}}\n{body}\n\\end{{sloppypar}}"
    return "\n\n".join(filter(None, [needs(body + macros), macros, f"{body}\n"]))


def _known(style: Style, document: Document) -> Style:
    """Keep the references to equations that the document prints."""
    printed = {display.key for block in document.blocks for display in displays(block)}
    uses = {key: tuple(k for k in keys if k in printed) for key, keys in style.uses.items()}
    return replace(style, uses=uses)


def runs(blocks: tuple[Block, ...]) -> Iterator[tuple[type, Any]]:
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
def _heading(block: Heading, style: Style) -> str:
    if style.complete and block.level == 1:
        title = f"\\begin{{center}}\n{{\\LARGE\\bfseries {inline(block.words)}\\par}}\n\\end{{center}}"
        return f"\\twocolumn[{title}\\vspace{{1em}}]" if style.columns == 2 else title
    commands = ("", "section", "subsection*") if style.complete else ("section", "subsection", "subsubsection*")
    return f"\\{commands[block.level - 1]}{{{inline(block.words)}}}"


_WRITERS: dict[type, Callable[[Any, Style], str]] = {
    Heading: _heading,
    Paragraph: lambda block, style: inline(block.words),
    Group: group_tex,
    Table: table_tex,
}
