r"""LaTeX: a fragment for a document of one's own, or a complete document for XeLaTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..algebra.tex import GREEK, RELATIONS, SIGNS, escape, to_tex
from .blocks import Block, Display, Document, Group, Heading, Inline, Math, Paragraph, Table, displays
from .breaking import INDENT, Piece, broken, text_width, width


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
        return f"{_needs(document, body)}\n\n{body}\n"
    return f"{_preamble(document, body)}\n\n\\begin{{document}}\n{body}\n\\end{{document}}\n"


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


# -- around the text --------------------------------------------------------------------------------------------
def _needs(document: Document, body: str) -> str:
    comment = "% Needs \\usepackage{" + ",".join(_packages(body)) + "}"
    return comment + (" and, for Chinese, XeLaTeX with the class ctexart." if _has_chinese(body) else ".")


def _packages(body: str) -> list[str]:
    more = {"longtable": "{longtable}", "graphicx": "\\resizebox", "amssymb": "\\mathbb"}
    return ["amsmath", "booktabs", *(package for package, mark in more.items() if mark in body)]


def _has_chinese(text: str) -> bool:
    return any(unicodedata.east_asian_width(char) in "WF" for char in text)


_ARTICLE = r"""\documentclass[11pt]{article}"""
_MIXED = r"""\usepackage[UTF8,fontset=fandol,scheme=plain]{ctex}"""
_CTEXART = r"""\documentclass[UTF8,fontset=fandol,zihao=-4]{ctexart}"""
_LAYOUT = r"""\usepackage[a4paper,margin=2.5cm]{geometry}
\allowdisplaybreaks[1]
\setlength{\jot}{6pt}
\setlength{\emergencystretch}{3em}
\setlength{\lineskip}{3pt}
\setlength{\lineskiplimit}{2pt}
\AtBeginDocument{\setlength{\abovedisplayskip}{9pt plus 3pt minus 2pt}%
  \setlength{\belowdisplayskip}{\abovedisplayskip}%
  \setlength{\abovedisplayshortskip}{\abovedisplayskip}%
  \setlength{\belowdisplayshortskip}{\abovedisplayskip}}
\raggedbottom
\pagestyle{plain}"""
_SPACING = {
    "zh": r"\ctexset{section/format+=\raggedright}",
    "en": "\\setlength{\\parindent}{0pt}\n\\setlength{\\parskip}{6pt plus 2pt minus 1pt}",
}


def _preamble(document: Document, body: str) -> str:
    chinese = document.lang == "zh"
    lines = ["% Compile with XeLaTeX.", _CTEXART if chinese else _ARTICLE]
    lines += [_MIXED] if not chinese and _has_chinese(body) else []
    lines += ["\\usepackage{" + ",".join(_packages(body)) + "}", _LAYOUT, _SPACING["zh" if chinese else "en"]]
    return "\n".join([*lines, _shown_title(document)])


def _shown_title(document: Document) -> str:
    """Write the title that PDF viewers show, without hyperref, whose fonts not everybody has."""
    code = document.title.encode("utf-16-be").hex().upper()
    return f"\\AtBeginDvi{{\\special{{pdf:docinfo << /Title <FEFF{code}> >>}}}}"


# -- words ------------------------------------------------------------------------------------------------------
_MATHEMATICAL = {**SIGNS, **GREEK, "<": "<", ">": ">", "|": "\\vert"}
_SIGN = re.compile("([" + re.escape("".join(set(_MATHEMATICAL) - set("\u2026\u00b7'\u2032\u2061\u2062"))) + "])")


def inline(words: tuple[Inline, ...]) -> str:
    """Return words and formulas as one line of LaTeX."""
    return "".join(f"${to_tex(w.item)}$" if isinstance(w, Math) else text_tex(w) for w in words)


def text_tex(text: str) -> str:
    r"""Return words for LaTeX's text mode: specials escaped, mathematical signs as formulas.

    >>> print(text_tex("50% \u2248 \u03b1_1"))
    50\% $\approx$ $\alpha$\_1
    """
    pieces = enumerate(_SIGN.split(" ".join(text.split("\n"))))
    return "".join(f"${_MATHEMATICAL[piece]}$" if i % 2 else escape(piece) for i, piece in pieces)


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


# -- displayed formulas -----------------------------------------------------------------------------------------
_SHORT = 32.0
"""A chain of two or three relations stays on one line up to this width, in em."""
_SHORT_CHAIN = 24.0
"""The same for more relations."""
_RELATION = 1.6
_SIZES = (("", 1.0), ("\\small", 0.87), ("\\footnotesize", 0.75))


_LONG_GROUP = 4
"""More displays than this may be parted by the end of a page; a chain is kept together where it can be."""


def _group(block: Group, page: _Page) -> str:
    """Write displays aligned with each other, in the largest type in which they fit, or else scaled to fit."""
    for command, scale in _SIZES:
        rows = _rows(block, page.room / scale)
        if all(wide <= page.room / scale for _, wide in rows):
            body = _environment([tex for tex, _ in rows])
            before = command + "\\allowdisplaybreaks" * (len(block.displays) > _LONG_GROUP)
            return f"{{{before}\n{body}\n}}" if before else body
    body = "\\begin{aligned}\n" + " \\\\\n".join(tex for tex, _ in rows) + "\n\\end{aligned}"
    return f"\\[\n\\resizebox{{\\linewidth}}{{!}}{{$\\displaystyle\n{body}\n$}}\n\\]"


def _environment(rows: list[str]) -> str:
    if len(rows) == 1:
        return "\\[\n" + _unaligned(rows[0]) + "\n\\]"
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"


def _unaligned(row: str) -> str:
    """Take out the alignment sign, which is the first one outside of matrices."""
    depth = 0
    for match in re.finditer(r"\\begin\b|\\end\b|&", row):
        if match[0] == "&" and not depth:
            return row[: match.start()] + row[match.end() :]
        depth += {"\\begin": 1, "\\end": -1}.get(match[0], 0)
    return row


def _rows(block: Group, room: float) -> list[Piece]:
    column = max(width(display.left) for display in block.displays)
    rows = [row for display in block.displays for row in _chain(display, column, room)]
    return _in_columns(rows, room) if len(rows) > _LONG_GROUP and all(map(_is_value, block.displays)) else rows


def _is_value(display: Display) -> bool:
    """Whether a display is one entry of a list of numbers, given or found."""
    return display.key.startswith(("given.", "result.")) and len(display.lines) == 1 and not display.reason


def _in_columns(rows: list[Piece], room: float) -> list[Piece]:
    """Write short lines that do not go on from each other side by side, as many as fit."""
    gap, widest = 3.0, max(wide for _, wide in rows)
    count = min(4, int((room + gap) // (widest + gap)))
    if count < 2:
        return rows
    lines = [rows[i : i + count] for i in range(0, len(rows), count)]
    return [(" & ".join(tex for tex, _ in line), count * (widest + gap) - gap) for line in lines]


def _chain(display: Display, column: float, room: float) -> list[Piece]:
    """Write a chain on one line where it is short, else one relation on each line."""
    left = to_tex(display.left)
    wide = column + sum(width(item) + _RELATION for _, item in display.lines)
    most = {1: room, 2: _SHORT, 3: _SHORT}.get(len(display.lines), _SHORT_CHAIN)
    if wide <= most and wide + _reason_width(display) <= room:
        chain = " ".join(f"{RELATIONS[sign]} {to_tex(item)}" for sign, item in display.lines)
        return [(f"{left} &{chain}{_reason(display)}", wide + _reason_width(display))]
    rows = [row for sign, item in display.lines for row in _relation(sign, item, column, room)]
    first = (f"{left} {rows[0][0]}", rows[0][1])
    return _with_reason([first, *rows[1:]], display, column, room)


def _relation(sign: str, item: Any, column: float, room: float) -> list[Piece]:
    """Write one relation, continued on indented lines where it is long."""
    taken = column + _RELATION
    (tex, wide), *more = broken(item, room - taken, room - column - INDENT)
    lines = [(f"&\\qquad {{}}{tex}", column + INDENT + wide) for tex, wide in more]
    return [(f"&{RELATIONS[sign]} {tex}", taken + wide), *lines]


def _with_reason(rows: list[Piece], display: Display, column: float, room: float) -> list[Piece]:
    """Put the reason behind the last line, or below it where it does not fit."""
    if not display.reason:
        return rows
    tex, wide = rows[-1]
    if wide + _reason_width(display) <= room:
        return [*rows[:-1], (tex + _reason(display), wide + _reason_width(display))]
    return [*rows, (f"&{_reason(display)}", column + _reason_width(display))]


def _reason(display: Display) -> str:
    return f" \\quad \\text{{({inline(display.reason)})}}" if display.reason else ""


def _reason_width(display: Display) -> float:
    words = sum(width(w.item) if isinstance(w, Math) else text_width(w) for w in display.reason)
    return words + 2.0 if display.reason else 0.0


_WRITERS: dict[type, Callable[[Any, _Page], str]] = {
    Heading: _heading,
    Paragraph: lambda block, page: inline(block.words),
    Group: _group,
    Table: _table,
}
