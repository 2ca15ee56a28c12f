"""One self-contained HTML page: MathML from the formula trees, foldable sections, nothing to load, no script needed.

The inline script only adds what a reader can do without: copy buttons, and folds that open for print and for links.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from importlib import resources

from .blocks import Block, Display, Document, Group, Heading, Inline, Paragraph, Table, displays
from .html_figures import Figures, escaped
from .outline import Fold, outline


def to_html(document: Document) -> str:
    """Return a document as a complete HTML page.

    Parameters
    ----------
    document : Document
        The derivation as blocks.

    Returns
    -------
    str
        A page that is well-formed as XML too, once its style and script are set aside. The same document
        gives the same bytes.
    """
    page = _Page(document)
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{escape(document.lang)}">',
        *_head(document),
        '<body class="symbptt">',
        *page.body(),
    ]
    return "\n".join([*parts, f"<script>\n{asset('page.js')}</script>", "</body>", "</html>"]) + "\n"


def _head(document: Document) -> list[str]:
    return [
        "<head>",
        '<meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        '<meta name="color-scheme" content="light dark"/>',
        '<meta name="generator" content="symbptt"/>',
        f"<title>{escaped(document.title)}</title>",
        f"<style>\n{asset('page.css')}\n{asset('formulas.css')}</style>",
        "</head>",
    ]


@cache
def asset(name: str) -> str:
    """Return a style sheet or a script of the pages."""
    return resources.files(__package__).joinpath("assets").joinpath(name).read_text(encoding="utf-8")


# -- the page ----------------------------------------------------------------------------------------------------
class _Page:
    """Writes blocks as HTML, with the words of a language."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.figures = Figures(document.lang)
        self.phrases = self.figures.phrases
        self.words = self.figures.words
        self.tree = outline(document.blocks)

    def body(self) -> Iterator[str]:
        """Yield the title, the contents, the folds and the closing remark."""
        yield f"<header>\n<h1>{self.words(self._title())}</h1>\n</header>"
        yield from self.contents()
        yield "<main>"
        for block in self.tree:
            yield self.block(block)
        yield "</main>"
        verdicts = {d.verified for block in self.document.blocks for d in displays(block)}
        if True in verdicts and False not in verdicts:
            yield f'<footer><p><span class="verified">✓</span> {escaped(self.phrases["check.title"])}</p></footer>'

    def _title(self) -> tuple[Inline, ...]:
        titles = (b.words for b in self.document.blocks if isinstance(b, Heading) and b.level == 1)
        return next(titles, (self.document.title,))

    def contents(self) -> Iterator[str]:
        """Yield the table of contents: a link for each section."""
        folds = [block for block in self.tree if isinstance(block, Fold)]
        if len(folds) < 2:
            return
        name = escaped(self.phrases["ui.contents"])
        yield f'<nav aria-labelledby="contents">\n<h2 id="contents">{name}</h2>\n<ol>'
        for fold in folds:
            yield f'<li><a href="#{escape(fold.name)}">{self.words(fold.heading.words)}</a></li>'
        yield "</ol>\n</nav>"

    # -- blocks -----------------------------------------------------------------------------------------------
    def block(self, block: Block | Fold) -> str:
        if isinstance(block, Fold):
            return self.fold(block)
        if isinstance(block, Paragraph):
            return f"<p>{self.words(block.words)}</p>"
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, Display | Group):
            return self.figures.figure(block)
        return f"<h1>{self.words(block.words)}</h1>"

    def fold(self, fold: Fold) -> str:
        level = fold.heading.level
        hint = escape(self.phrases["ui.fold"])
        summary = f'<summary title="{hint}"><h{level}>{self.words(fold.heading.words)}</h{level}></summary>'
        inside = "\n".join(self.block(block) for block in fold.blocks)
        name = escape(fold.name)
        return f'<details open="" id="{name}" class="level-{level}">\n{summary}\n{inside}\n</details>'

    def table(self, table: Table) -> str:
        head = "".join(f'<th scope="col">{self.words(cell)}</th>' for cell in table.header)
        rows = ("<tr>" + "".join(f"<td>{self.words(cell)}</td>" for cell in cells) + "</tr>" for cells in table.rows)
        lines = [f"<thead>\n<tr>{head}</tr>\n</thead>", "<tbody>", *rows, "</tbody>"]
        return '<div class="table"><table>\n' + "\n".join(lines) + "\n</table></div>"
