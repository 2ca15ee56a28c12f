r"""Slides: a derivation as frames for Beamer, parted where their content has been measured to fill a slide.

``allowframebreaks`` does not part displayed formulas, so the frames are made here. Formulas are set in smaller type
down to ``\footnotesize`` only; what is too wide even then is scaled a little, or replaced by a sentence that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil
from typing import Any

from ..algebra.tex import to_tex
from .blocks import Display, Document, Group, Heading, Inline, Math, Paragraph, Table
from .breaking import text_width, width
from .heights import LINE, height
from .latex import runs
from .latex_displays import chains_of, environment, scaled, side_by_side
from .latex_preamble import MIXED, has_chinese, packages, shown_title
from .latex_style import Style
from .latex_tables import table_tex
from .latex_words import inline
from .macros import Macros
from .phrases import catalogue


@dataclass(frozen=True)
class _Slide:
    """What fits on a slide, in em: the width of a line, and the height below the title."""

    room: float
    room_high: float


_DECK, _FRAGMENT = _Slide(35.5, 18.3), _Slide(27.5, 18.3)
"""A deck of ours is 16:9; a fragment also fits slides of 4:3."""
_SKIPS = 1.6
"""Space around a display."""
_TABLE = 4.8
"""Space around a table, with that around its rules."""
_INLINE = 1.6
"""A formula between words that is higher than this moves the lines apart."""
_JOT = 0.2
_TOGETHER = 0.7
"""A chain that takes more of a slide than this may be parted between its lines."""
_BESIDE = 3.0
"""Space between formulas side by side."""
_EVENLY = 0.5
"""Steps in which the height is lowered while the slides stay as few."""
_SMALLEST = 0.7
"""A formula is not scaled down further than this."""


@dataclass(frozen=True)
class _Part:
    """What is not parted: its LaTeX or, of a display, its rows, and its height; ``group`` is what it is joined with."""

    tex: str | tuple[str, ...]
    high: float
    keep: bool = False
    group: tuple[int, str] | None = None


def to_beamer(document: Document, complete: bool = False, macros: Macros | None = None) -> str:
    r"""Return a document as frames for Beamer.

    Parameters
    ----------
    document : Document
    complete : bool
        A whole deck for XeLaTeX, or frames for ``\input`` into a deck.
    macros : Macros, optional

    Returns
    -------
    str
    """
    macros = macros or Macros()
    slide = _DECK if complete else _FRAGMENT
    frames = "\n\n".join(_frames(document, slide))
    body = macros.applied(frames)
    definitions = macros.definitions(body)
    if not complete:
        chinese = " and, for Chinese, XeLaTeX with the class ctexbeamer" if has_chinese(body) else ""
        comment = f"% Needs the class beamer, \\usepackage{{{','.join(packages(body + definitions))}}}{chinese}."
        return "\n\n".join(filter(None, [comment, definitions, body])) + "\n"
    head = _preamble(document, body + definitions)
    title = "\\begin{frame}[plain]\n\\titlepage\n\\end{frame}"
    return "\n\n".join(
        filter(None, [head, definitions, "\\begin{document}", title, body, "\\end{document}\n"]),
    )


def _preamble(document: Document, body: str) -> str:
    chinese = document.lang == "zh"
    options = "aspectratio=169,11pt"
    named = f"[{options},UTF8,fontset=fandol]{{ctexbeamer}}" if chinese else f"[{options}]{{beamer}}"
    lines = ["% Compile with XeLaTeX.", f"\\documentclass{named}"]
    lines += [MIXED] if not chinese and has_chinese(body) else []
    lines += [
        f"\\usepackage{{{','.join(packages(body))}}}",
        "\\usefonttheme[onlymath]{serif}",
        "\\setbeamertemplate{navigation symbols}{}",
        "\\setbeamertemplate{footline}[frame number]",
        f"\\title{{{_title(document)}}}",
        "\\date{}",
        shown_title(document),
    ]
    return "\n".join(lines)


def _title(document: Document) -> str:
    first = document.blocks[0] if document.blocks else None
    return inline(first.words) if isinstance(first, Heading) else ""


# -- frames -----------------------------------------------------------------------------------------------------
def _frames(document: Document, slide: _Slide) -> Iterator[str]:
    """Yield the frames, those of a section numbered where there are several."""
    subtitle = _title(document)
    section: str = subtitle
    parts: list[_Part] = []
    for number, (_, block) in enumerate(runs(document.blocks)):
        if isinstance(block, Heading) and block.level < 3:
            yield from _section(section, subtitle, parts, slide, document.lang)
            section, parts = inline(block.words), []
        else:
            parts += _parts(block, number, slide, document.lang)
    yield from _section(section, subtitle, parts, slide, document.lang)


def _section(title: str, subtitle: str, parts: list[_Part], slide: _Slide, lang: str) -> Iterator[str]:
    pages = _pages(parts, slide.room_high)
    more = catalogue(lang)["ui.slide_more"]
    for number, page in enumerate(pages, start=1):
        shown = more.format(title=title, number=number, count=len(pages)) if len(pages) > 1 else title
        below = f"\n\\framesubtitle{{{subtitle}}}" if subtitle != title else ""
        yield f"\\begin{{frame}}{{{shown}}}{below}\n{_body(page)}\n\\end{{frame}}"


def _pages(parts: list[_Part], room: float) -> list[list[_Part]]:
    """Part the content of a section into as few slides as hold it, about equally full.

    >>> [len(page) for page in _pages([_Part(str(i), 1) for i in range(12)], 10)]
    [6, 6]
    """
    pages = _filled(parts, room)
    evener = pages
    while len(evener) == len(pages) and room > 0:
        pages, room = evener, room - _EVENLY
        evener = _filled(parts, room)
    return pages


def _filled(parts: list[_Part], room: float) -> list[list[_Part]]:
    """Fill slides from the top; what belongs to its next part moves on with it, where there is room.

    >>> [len(page) for page in _filled([_Part("a", 3), _Part("b", 2, keep=True), _Part("c", 6)], 10)]
    [1, 2]
    """
    pages: list[list[_Part]] = [[]]
    for part in parts:
        page = pages[-1]
        if page and _high([*page, part]) > room:
            moved: list[_Part] = []
            while len(page) > 1 and page[-1].keep and _high([page[-1], *moved, part]) <= room:
                moved.insert(0, page.pop())
            pages.append(moved)
        pages[-1].append(part)
    return [page for page in pages if page]


def _high(page: list[_Part]) -> float:
    high = 0.0
    for before, part in zip([None, *page], page, strict=False):
        joined = before is not None and part.group is not None and before.group == part.group
        high += part.high + _SKIPS * (part.group is not None and not joined)
    return high


def _body(page: list[_Part]) -> str:
    texts: list[str] = []
    rows: list[str] = []
    for part, after in zip(page, [*page[1:], None], strict=True):
        if isinstance(part.tex, str):
            texts.append(part.tex)
            continue
        rows += part.tex
        if after is None or after.group != part.group:
            command = part.group[1] if part.group else ""
            display = environment(rows)
            display = f"{{{command}\n{display}\n}}" if command else display
            if texts and not texts[-1].endswith(("}", "]")):
                texts[-1] += f"\n{display}"
            else:
                texts.append(display)
            rows = []
    return "\n\n".join(texts)


# -- what blocks are made of ------------------------------------------------------------------------------------
def _parts(block: Any, number: int, slide: _Slide, lang: str) -> Iterator[_Part]:
    if isinstance(block, Heading):
        yield _Part(f"\\structure{{{inline(block.words)}}}", 1.8, keep=True)
    elif isinstance(block, Paragraph):
        yield _Part(inline(block.words), _words_high(block.words, slide.room, lang), keep=True)
    elif isinstance(block, Table):
        yield from _table(block, slide, lang)
    else:
        yield from _group(block, number, slide, lang)


def _words_high(words: tuple[Inline, ...], room: float, lang: str) -> float:
    """Return the height of a paragraph: its lines, and what formulas in it add to them."""
    wide = sum(width(w.item) if isinstance(w, Math) else text_width(w) for w in words)
    lines = ceil(wide / room)
    tall = sorted((height(w.item) - _INLINE for w in words if isinstance(w, Math)), reverse=True)
    return lines * LINE[lang] + sum(more for more in tall[:lines] if more > 0)


def _table(block: Table, slide: _Slide, lang: str) -> Iterator[_Part]:
    """Yield a table in pieces that fill a slide each."""
    style = Style(slide.room, columns=2, points=0.0, lang=lang)
    stretched = 1.4 if "\\arraystretch" in table_tex(block, style) else 1.0
    high = [max(_words_high(cell, slide.room, lang) for cell in row) * stretched for row in (block.header, *block.rows)]
    line = max(high)
    count = max(1, int((slide.room_high - _TABLE) / line) - 1)
    for start in range(0, len(block.rows), count):
        part = Table(block.header, block.rows[start : start + count])
        yield _Part(table_tex(part, style), (len(part.rows) + 1) * line + _TABLE)


def _group(block: Group, number: int, slide: _Slide, lang: str) -> Iterator[_Part]:
    """Yield chains in the largest type in which all of them fit; a chain higher than a slide row by row."""
    style = Style(slide.room, points=0.0, lang=lang if lang == "zh" else "en")
    fitting: list[list[_Part]] = []
    for command, scale in style.sizes:
        smaller = replace(style, room=slide.room / scale)
        chains = chains_of(block, smaller)
        if all(wide <= smaller.room for chain in chains for _, wide in chain):
            fitting.append(list(_rows(block, chains, smaller, (number, command), scale, slide)))
    apart = _apart(block, (slide.room - _BESIDE) / 2)
    if block.displays[0].key.startswith("result."):  # in the way that takes the fewest slides
        runs = enumerate(apart if len(apart) > 1 else [], start=1000 * number)
        ways = [*fitting, [part for i, run in runs for part in _group(run, i, slide, lang)]]
        fitting = [
            min(filter(None, ways), default=[], key=lambda parts: len(_filled(parts, slide.room_high - LINE[lang])))
        ]
    if fitting:
        yield from fitting[0]
    elif len(block.displays) > 1:
        for i, display in enumerate(block.displays):
            yield from _group(Group((display,)), 1000 * number + i, slide, lang)
    else:
        yield _shrunk(block.displays[0], chains[0], scale, slide, lang)


def _apart(block: Group, half: float) -> list[Group]:
    """Part a list of results into runs of those that stand side by side and those that are too wide for it."""
    wide = [width(d.left) + sum(width(item) for _, item in d.lines) + _BESIDE > half for d in block.displays]
    runs = groupby(zip(wide, block.displays, strict=True), key=lambda pair: pair[0])
    return [Group(tuple(display for _, display in run)) for _, run in runs]


def _shrunk(display: Display, chain: list[Any], scale: float, slide: _Slide, lang: str) -> _Part:
    """Scale a chain a little, or say that it is too wide to be read."""
    shrunk = slide.room / max(wide for _, wide in chain)
    if shrunk * scale < _SMALLEST:
        return _Part(f"${to_tex(display.left)}$: {catalogue(lang)['ui.slide_too_wide']}", 2 * LINE[lang])
    body = scaled([tex for tex, _ in chain])
    return _Part(f"\\[\n{body}\n\\]", sum(_heights(display, chain)) * shrunk + _SKIPS)


def _rows(
    block: Group, chains: list[Any], style: Style, group: tuple[int, str], scale: float, slide: _Slide
) -> Iterator[_Part]:
    beside = side_by_side(block, chains, style.room)
    heights = [_heights(display, chain) for display, chain in zip(block.displays, chains, strict=True)]
    if len(beside) < len(chains):
        count = -(-len(chains) // len(beside))
        for i, (tex, _) in enumerate(beside):
            line = max(high for part in heights[i * count : (i + 1) * count] for high in part)
            yield _Part((tex,), line * scale, group=group)
        return
    for chain, high in zip(chains, heights, strict=True):
        if sum(high) * scale + _SKIPS <= _TOGETHER * slide.room_high:
            yield _Part(tuple(tex for tex, _ in chain), sum(high) * scale, group=group)
        else:
            rows = [(tex, one * scale) for (tex, _), one in zip(chain, high, strict=True)]
            yield from (_Part(texts, one, group=group) for texts, one in _whole(rows, slide.room_high))


def _whole(rows: list[tuple[str, float]], room: float) -> list[tuple[tuple[str, ...], float]]:
    r"""Keep a row together with those that continue it, so that no slide shows a part of a sum as if it were all.

    >>> _whole([("a &= b", 2.0), ("&\\quad {}+ c", 2.0), ("&= d", 2.0)], 10.0)
    [(('a &= b', '&\\quad {}+ c'), 4.0), (('&= d',), 2.0)]
    """
    joined: list[tuple[tuple[str, ...], float]] = []
    for tex, high in rows:
        if joined and _CONTINUED.match(tex) and joined[-1][1] + high <= room:
            texts, before = joined.pop()
            joined.append(((*texts, tex), before + high))
        else:
            joined.append(((tex,), high))
    return joined


def _heights(display: Display, chain: list[Any]) -> list[float]:
    """Return the heights of the rows of a chain; rows that go on from each other are as high as their formula."""
    items = [item for _, item in display.lines]
    every = [max(height(item), 1.25) + _JOT for item in items]
    left = max(height(display.left), 1.25) + _JOT
    if len(chain) == 1:
        return [max(left, *every)]
    heights: list[float] = []
    line = -1
    for tex, _ in chain:
        if not heights and tex.startswith("&"):  # the left side has a line of its own
            heights.append(left)
            continue
        line = min(line + (not _CONTINUED.match(tex)), len(every) - 1)
        heights.append(max(every[line], left if not heights else 0.0))
    return heights


_CONTINUED = re.compile(r"&(\\quad )*\\q?quad (\{\}|\\text|\\parbox)")
