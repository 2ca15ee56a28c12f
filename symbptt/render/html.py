"""One self-contained HTML page: MathML from the formula trees, foldable sections, nothing to load, no script needed.

The inline script only adds what a reader can do without: copy buttons, and folds that open for print and for links.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib import resources

from .blocks import Block, Display, Document, Group, Heading, Inline, Math, Paragraph, Table, displays
from .markdown import display_tex, group_tex, is_short
from .mathml import NAMESPACE, content, to_mathml
from .phrases import catalogue


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
    parts = ["<!DOCTYPE html>", f'<html lang="{escape(document.lang)}">', *_head(document), "<body>", *page.body()]
    return "\n".join([*parts, f"<script>\n{_asset('page.js')}</script>", "</body>", "</html>"]) + "\n"


def _head(document: Document) -> list[str]:
    return [
        "<head>",
        '<meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        '<meta name="color-scheme" content="light dark"/>',
        '<meta name="generator" content="symbptt"/>',
        f"<title>{_text(document.title)}</title>",
        f"<style>\n{_asset('page.css')}</style>",
        "</head>",
    ]


@cache
def _asset(name: str) -> str:
    return resources.files(__package__).joinpath("assets").joinpath(name).read_text(encoding="utf-8")


def _text(words: str) -> str:
    return escape(words, quote=False)


# -- headings make a tree ----------------------------------------------------------------------------------------
@dataclass
class _Fold:
    """A heading with what stands under it, and the name by which links find it."""

    heading: Heading
    name: str
    blocks: list[Block | _Fold] = field(default_factory=list)


def _tree(blocks: tuple[Block, ...]) -> list[Block | _Fold]:
    """Put blocks under their headings; the title is no fold and is left out."""
    top: list[Block | _Fold] = []
    stack: list[_Fold] = []
    names: set[str] = set()
    for block in blocks:
        if isinstance(block, Heading):
            if block.level == 1:
                continue
            while stack and stack[-1].heading.level >= block.level:
                stack.pop()
            fold = _Fold(block, _unused(block.key or "section", names))
            (stack[-1].blocks if stack else top).append(fold)
            stack.append(fold)
        else:
            (stack[-1].blocks if stack else top).append(block)
    return top


def _unused(name: str, names: set[str]) -> str:
    candidates = (name if i == 1 else f"{name}-{i}" for i in range(1, len(names) + 2))
    found = next(candidate for candidate in candidates if candidate not in names)
    names.add(found)
    return found


# -- the page ----------------------------------------------------------------------------------------------------
class _Page:
    """Writes blocks as HTML, with the words of a language."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.lang = document.lang
        self.phrases = catalogue(document.lang)
        self.tree = _tree(document.blocks)

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
            yield f'<footer><p><span class="verified">✓</span> {_text(self.phrases["check.title"])}</p></footer>'

    def _title(self) -> tuple[Inline, ...]:
        titles = (b.words for b in self.document.blocks if isinstance(b, Heading) and b.level == 1)
        return next(titles, (self.document.title,))

    def contents(self) -> Iterator[str]:
        """Yield the table of contents: a link for each section."""
        folds = [block for block in self.tree if isinstance(block, _Fold)]
        if len(folds) < 2:
            return
        name = _text(self.phrases["ui.contents"])
        yield f'<nav aria-labelledby="contents">\n<h2 id="contents">{name}</h2>\n<ol>'
        for fold in folds:
            yield f'<li><a href="#{escape(fold.name)}">{self.words(fold.heading.words)}</a></li>'
        yield "</ol>\n</nav>"

    # -- blocks -----------------------------------------------------------------------------------------------
    def block(self, block: Block | _Fold) -> str:
        if isinstance(block, _Fold):
            return self.fold(block)
        if isinstance(block, Paragraph):
            return f"<p>{self.words(block.words)}</p>"
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, Display):
            return self.display(block)
        if isinstance(block, Group):
            return self.group(block)
        return f"<h1>{self.words(block.words)}</h1>"

    def fold(self, fold: _Fold) -> str:
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

    def words(self, words: tuple[Inline, ...]) -> str:
        """Write words and formulas between them."""
        return "".join(to_mathml(w.item, lang=self.lang) if isinstance(w, Math) else _text(w) for w in words)

    # -- displays ---------------------------------------------------------------------------------------------
    def display(self, display: Display) -> str:
        """Write a chain, on one line with its remarks in HTML behind it, or as a table that holds them."""
        if len(display.lines) > 1 and not is_short(display):
            return self.figure(_aligned("".join(self._rows(display))), display_tex(display))
        reason = f'<span class="reason">({self.words(display.reason)})</span>' if display.reason else ""
        return self.figure(_in_line(display), display_tex(display), reason + self.mark(display.verified))

    def group(self, group: Group) -> str:
        """Write displays that share their columns; what belongs to one of them stands in a column behind it."""
        if len(group.displays) == 1:
            return self.display(group.displays[0])
        rows = (row for display in group.displays for row in self._rows(display, apart=True))
        return self.figure(_aligned("".join(rows)), group_tex(group))

    def _rows(self, display: Display, apart: bool = False) -> Iterator[str]:
        """Yield the rows of a chain; its mark stands behind the last line, or apart in a column of its own."""
        *before, (left, sign, item) = _in_one(_cells(display)) if apart and is_short(display) else _cells(display)
        for cells in before:
            yield _row(*cells)
        remark = self._reason(display.reason)
        mark = self.mark(display.verified, "mtext")
        yield _row(left, sign, item + remark, mark) if apart else _row(left, sign, item + remark + mark)

    def _reason(self, words: tuple[Inline, ...]) -> str:
        """Write a reason as part of a formula."""
        if not words:
            return ""
        parts = (content(w.item) if isinstance(w, Math) else f"<mtext>{_hard(w)}</mtext>" for w in words)
        return f'<mspace width="1em"/><mrow class="reason"><mtext>(</mtext>{"".join(parts)}<mtext>)</mtext></mrow>'

    def mark(self, verified: bool | None, name: str = "span") -> str:
        """Write the mark of a display that was checked, and of one that failed."""
        if verified is None:
            return ""
        if not verified:
            return f'<{name} class="refuted" title="{escape(self.phrases["check.failed"])}">✗</{name}>'
        title = escape(self.phrases["check.verified"])
        spoken = f' role="img" aria-label="{title}"' if name == "span" else ""
        return f'<{name} class="verified" title="{title}"{spoken}>✓</{name}>'

    def figure(self, formula: str, tex: str, behind: str = "") -> str:
        """Write a formula in a box that scrolls, with its source for the copy buttons."""
        lang = f' xml:lang="{escape(self.lang)}"'
        math = f'<math xmlns="{NAMESPACE}" display="block"{lang}>{formula}</math>'
        source = escape(tex).replace("\n", "&#10;")
        return (
            f'<figure class="display" tabindex="-1" data-tex="{source}">\n'
            f'<div class="formula">{math}</div>{behind}\n{self.tools()}\n</figure>'
        )

    def tools(self) -> str:
        """Write the copy buttons, which the script brings out."""
        kinds = ("tex", "mathml")
        labels = [_text(self.phrases[f"ui.copy_{kind}"]) for kind in kinds]
        buttons = (f'<button type="button" data-copy="{k}">{s}</button>' for k, s in zip(kinds, labels, strict=True))
        return f'<div class="tools" hidden="">{"".join(buttons)}</div>'


# -- chains as MathML --------------------------------------------------------------------------------------------
def _hard(words: str) -> str:
    """Keep the spaces at the ends of words, which MathML drops."""
    left, right = len(words) - len(words.lstrip()), len(words) - len(words.rstrip())
    return "\u00a0" * left + _text(words.strip()) + "\u00a0" * right


def _sign(sign: str) -> str:
    return f'<mo form="infix" lspace="0.278em" rspace="0.278em">{_text(sign)}</mo>'


def _in_line(display: Display) -> str:
    """Write a chain on one line, in pieces that a narrow screen may put below each other."""
    lines = "".join(f"<mrow>{_sign(sign)}{content(item)}</mrow>" for sign, item in display.lines)
    return f'<mrow class="chain"><mrow>{content(display.left)}</mrow>{lines}</mrow>'


def _cells(display: Display) -> list[tuple[str, str, str]]:
    lefts = [content(display.left), *("" for _ in display.lines[1:])]
    return [(left, _sign(sign), content(item)) for left, (sign, item) in zip(lefts, display.lines, strict=True)]


def _in_one(cells: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Put a short chain into one row."""
    (left, sign, item), *more = cells
    return [(left, sign, item + "".join(f"{s}{i}" for _, s, i in more))]


def _row(*cells: str) -> str:
    return "<mtr>" + "".join(f"<mtd>{cell}</mtd>" for cell in cells) + "</mtr>"


def _aligned(rows: str) -> str:
    """Write a table aligned at its signs.

    MathML Core aligns by style sheet; the attribute is for the programs that a formula is pasted into.
    """
    return f'<mtable class="aligned" displaystyle="true" columnalign="right center left left">{rows}</mtable>'
