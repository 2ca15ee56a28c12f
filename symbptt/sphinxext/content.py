"""A document as docutils nodes: paragraphs, tables, formulas, and folds or sections for its headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from docutils import nodes

from ..algebra.tex import to_tex
from ..render.blocks import Block, Display, Document, Group, Heading, Inline, Math, Paragraph, Table, displays
from ..render.html_figures import Figures, source, verdict
from ..render.latex import broken_tex
from ..render.mathml import to_mathml
from ..render.outline import Fold, outline
from ..render.text import inline as plain
from ..render.text import width
from .nodes import display, fold, fold_title, scope


@dataclass(frozen=True)
class Manner:
    """How a document is put into a page.

    Attributes
    ----------
    prefix : str
        What the names of places on the page begin with.
    headings : bool
        Whether sections are sections of the page, which its contents list.
    folded : frozenset of int
        The levels of headings that begin folded.
    number : callable or None
        Given a ``math_block`` and the key of its step, gives it a number.
    width : float
        Width of a line outside of HTML, in em.
    """

    prefix: str = ""
    headings: bool = False
    folded: frozenset[int] = frozenset()
    number: Callable[[nodes.math_block, str], None] | None = None
    width: float = 38.0


def content(document: Document, manner: Manner) -> list[nodes.Node]:
    """Return the nodes of a document; its title is left to the page."""
    return _Content(document, manner).whole()


def inline(words: tuple[Inline, ...], lang: str) -> list[nodes.Node]:
    """Return words and formulas between them."""
    return [_formula(word, lang) if isinstance(word, Math) else nodes.Text(word) for word in words]


def _formula(word: Math, lang: str) -> nodes.math:
    tex = to_tex(word.item)
    return nodes.math(tex, tex, mathml=to_mathml(word.item, lang=lang))


class _Content:
    def __init__(self, document: Document, manner: Manner) -> None:
        self.document, self.manner = document, manner
        self.lang = document.lang
        self.figures = Figures(document.lang)

    def whole(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        run: list[nodes.Node] = []
        for block in outline(self.document.blocks):
            made = self.block(block)
            if made and isinstance(made[0], nodes.section):
                found += [*self._scoped(run), *made]
                run = []
            else:
                run += made
        return [*found, *self._scoped(run)]

    @staticmethod
    def _scoped(run: list[nodes.Node]) -> list[nodes.Node]:
        return [scope("", *run)] if run else []

    # -- blocks -----------------------------------------------------------------------------------------------
    def block(self, block: Block | Fold) -> list[nodes.Node]:
        if isinstance(block, Fold):
            return [self.section(block) if self.manner.headings and block.heading.level == 2 else self.fold(block)]
        if isinstance(block, Paragraph | Heading):
            return [nodes.paragraph("", "", *self.words(block.words))]
        if isinstance(block, Table):
            return [self.table(block)]
        return list(self.formulas(block))

    def words(self, words: tuple[Inline, ...]) -> list[nodes.Node]:
        return inline(words, self.lang)

    def inside(self, found: Fold) -> list[nodes.Node]:
        return [node for block in found.blocks for node in self.block(block)]

    def section(self, found: Fold) -> nodes.section:
        title = nodes.title("", "", *self.words(found.heading.words))
        name = self._name(found.name)
        return nodes.section("", title, scope("", *self.inside(found)), ids=[name], names=[name])

    def fold(self, found: Fold) -> fold:
        level = found.heading.level
        title = fold_title("", "", *self.words(found.heading.words), hint=self.figures.phrases["ui.fold"])
        shown = level not in self.manner.folded
        return fold("", title, *self.inside(found), ids=[self._name(found.name)], level=level, open=shown)

    def _name(self, key: str) -> str:
        return re.sub(r"[^A-Za-z0-9]+", "-", f"{self.manner.prefix}-{key}").strip("-")

    def table(self, table: Table) -> nodes.table:
        cells = zip(table.header, *table.rows, strict=True)
        columns = [nodes.colspec(colwidth=max(2, *(width(plain(cell)) for cell in column))) for column in cells]
        head = nodes.thead("", self._row(table.header))
        body = nodes.tbody("", *map(self._row, table.rows))
        return nodes.table("", nodes.tgroup("", *columns, head, body, cols=len(columns)))

    def _row(self, cells: tuple[tuple[Inline, ...], ...]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *self.words(cell))) for cell in cells))

    # -- formulas ---------------------------------------------------------------------------------------------
    def formulas(self, block: Display | Group) -> Iterator[display]:
        """Yield a formula; where steps are numbered, one for each step."""
        if self.manner.number is None:
            yield self.formula(block)
            return
        for single in displays(block):
            made = self.formula(single)
            self.manner.number(made[0], single.key)
            yield made

    def formula(self, block: Display | Group) -> display:
        tex, written = source(block), self.figures.formula(block)
        attributes: dict[str, Any] = {"number": None, "label": None, "nowrap": False, "no-wrap": False}
        math = nodes.math_block(tex, tex, mathml=written.math, **attributes)
        return display(
            "", math, lang=self.lang, tex=tex, broken=broken_tex(block, self.manner.width), behind=written.behind,
            verified=verdict(block),
        )  # fmt: skip
