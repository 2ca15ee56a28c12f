r"""LaTeX: a fragment for a document of one's own, or a complete document for XeLaTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from ..algebra.tex import GREEK, SIGNS, escape, to_tex
from .breaking import INDENT, broken, text_width, width
from .document import Block, Display, Document, Group, Heading, Inline, Math, Paragraph, Table, displays
from .markdown import reason_tex

ONE_LINE = 27.0
"""A chain of several relations up to this width stays on one line, in em."""
TEXT_WIDTHS = {"zh": 37.0, "en": 40.5}
"""Width of the text of a complete document, in em, with a little to spare."""
_RELATION = 1.6
_RELATIONS = {"=": "=", "≈": "\\approx"}
_SIZES = (("", 1.0), ("\\small", 0.9), ("\\footnotesize", 0.8), ("\\scriptsize", 0.66), ("\\tiny", 0.5))
_LONG_TABLE = 30


def to_latex(document: Document, complete: bool = False) -> str:
    r"""Return a document as LaTeX.

    Parameters
    ----------
    document : Document
    complete : bool
        Whether it is a document to be compiled with XeLaTeX, or a fragment for ``\input``.

    Returns
    -------
    str
    """
    blocks = _blocks(document)
    if not complete:
        return f"{_needs(document)}\n\n{_joined(blocks)}\n"
    head, *rest = blocks
    return f"{_preamble(document)}\n\\begin{{document}}\n{head[1]}\n\n{_joined(rest)}\n\\end{{document}}\n".replace(
        _TITLE, "\\maketitle"
    )


# -- the whole --------------------------------------------------------------------------------------------------
def _needs(document: Document) -> str:
    packages = "amsmath, booktabs" + (", longtable" if _has_long_table(document) else "")
    lines = [f"% Packages: {packages}."]
    if _has_chinese(document):
        lines.append("% Chinese: compile with XeLaTeX, with the class ctexart or the package ctex.")
    return "\n".join(lines)


_HEAD = r"""% Compile with XeLaTeX.
{document_class}
\usepackage{{{packages}}}
\usepackage[a4paper,margin=2.5cm]{{geometry}}
\usepackage[hidelinks,bookmarksnumbered]{{hyperref}}
\hypersetup{{pdftitle={{{title}}}}}
\allowdisplaybreaks
\setlength{{\jot}}{{6pt}}
\setlength{{\emergencystretch}}{{3em}}
\setcounter{{MaxMatrixCols}}{{20}}
{spacing}
\title{{{heading}}}
\author{{}}
\date{{}}"""
_CLASSES = {
    "zh": "\\documentclass[UTF8,fontset=fandol,zihao=-4]{ctexart}",
    "en": "\\documentclass[11pt]{article}",
}
_MIXED = "\\usepackage[UTF8,fontset=fandol,scheme=plain]{ctex}"
_SPACING = {
    "zh": "\\ctexset{section/format+=\\raggedright}",
    "en": "\\setlength{\\parindent}{0pt}\n\\setlength{\\parskip}{0.6\\baselineskip plus 2pt minus 1pt}",
}


def _preamble(document: Document) -> str:
    chinese = document.lang == "zh"
    family = "zh" if chinese else "en"
    mixed = not chinese and _has_chinese(document)
    title = document.blocks[0]
    return _HEAD.format(
        document_class=_CLASSES[family] + ("\n" + _MIXED if mixed else ""),
        packages="amsmath,booktabs" + (",longtable" if _has_long_table(document) else ""),
        title=escape(document.title),
        heading=inline(title.words) if isinstance(title, Heading) else escape(document.title),
        spacing=_SPACING[family],
    )


def _has_long_table(document: Document) -> bool:
    return any(isinstance(block, Table) and len(block.rows) > _LONG_TABLE for block in document.blocks)


def _has_chinese(document: Document) -> bool:
    return any(unicodedata.east_asian_width(c) in "WF" for _, text in _blocks(document) for c in text)


def _blocks(document: Document) -> list[tuple[type, str]]:
    """Write every block, displays that follow each other in one."""
    room = TEXT_WIDTHS.get(document.lang, TEXT_WIDTHS["en"])
    return [(kind, _WRITERS[kind](blocks, room)) for kind, blocks in _runs(document.blocks)]


def _runs(blocks: tuple[Block, ...]) -> Iterator[tuple[type, Any]]:
    run: list[Display] = []
    for block in blocks:
        if displays(block):
            run += displays(block)
            continue
        if run:
            yield Group, tuple(run)
        run = []
        yield type(block), block
    if run:
        yield Group, tuple(run)


def _joined(blocks: list[tuple[type, str]]) -> str:
    """Put blocks together: a display belongs to the paragraph above it, so that no blank line comes between."""
    text = ""
    before: type | None = None
    for kind, tex in blocks:
        text += "" if before is None else "\n" if kind is Group and before is Paragraph else "\n\n"
        text += tex
        before = kind
    return text


# -- words ------------------------------------------------------------------------------------------------------
_TITLE = "\\section*{\\relax}"
_MATHEMATICAL = {**SIGNS, **GREEK, "<": "<", ">": ">", "|": "\\vert"}
_SIGN = re.compile("[" + re.escape("".join(c for c in _MATHEMATICAL if len(c) == 1 and c not in "…")) + "]")


def inline(words: tuple[Inline, ...]) -> str:
    """Return words and formulas as one line of LaTeX."""
    return "".join(f"${to_tex(w.item)}$" if isinstance(w, Math) else text_tex(w) for w in words)


def text_tex(text: str) -> str:
    r"""Return words for LaTeX's text mode: specials escaped, mathematical signs as formulas.

    >>> print(text_tex("50% ≈ α_1"))
    50\% $\approx$ $\alpha$\_1
    """
    pieces = re.split(f"({_SIGN.pattern})", text)
    return "".join(f"${_MATHEMATICAL[piece]}$" if piece in _MATHEMATICAL else escape(piece) for piece in pieces)


def _heading(block: Heading, room: float) -> str:
    command = {1: "section", 2: "subsection", 3: "subsubsection*"}[block.level]
    return f"\\{command}{{{inline(block.words)}}}"


def _table(block: Table, room: float) -> str:
    name = "longtable" if len(block.rows) > _LONG_TABLE else "tabular"
    lines = [" & ".join(map(inline, cells)) + " \\\\" for cells in (block.header, *block.rows)]
    body = "\n".join(["\\toprule", lines[0], "\\midrule", *lines[1:], "\\bottomrule"])
    table = f"\\begin{{{name}}}{{{'l' * len(block.header)}}}\n{body}\n\\end{{{name}}}"
    return table if name == "longtable" else f"\\begin{{center}}\n{table}\n\\end{{center}}"
