"""What stands around the text of a LaTeX document: the comment of a fragment, the preamble of a whole document."""

from __future__ import annotations

import unicodedata

from .blocks import Document
from .latex_style import COLUMN_SEP, Style


def needs(body: str) -> str:
    """Return the comment in the first line of a fragment: the packages that it needs."""
    comment = "% Needs \\usepackage{" + ",".join(packages(body)) + "}"
    return comment + (" and, for Chinese, XeLaTeX with the class ctexart." if has_chinese(body) else ".")


def packages(body: str) -> list[str]:
    """Return the packages that a text needs."""
    more = {"longtable": "{longtable}", "graphicx": "\\resizebox", "amssymb": "\\mathbb"}
    return ["amsmath", "booktabs", *(package for package, mark in more.items() if mark in body)]


def has_chinese(text: str) -> bool:
    """Whether there are Chinese signs in a text."""
    return any(unicodedata.east_asian_width(char) in "WF" for char in text)


_CLASS = {"en": r"\documentclass[11pt]{article}", "zh": r"\documentclass[UTF8,fontset=fandol,zihao=-4]{ctexart}"}
_SMALLER = {
    "en": r"\documentclass[10pt%s]{article}",
    "zh": r"\documentclass[UTF8,fontset=fandol,zihao=5%s]{ctexart}",
}
"""For widths that are given in points, as columns are."""
MIXED = r"""\usepackage[UTF8,fontset=fandol,scheme=plain]{ctex}"""
_LAYOUT = r"""\usepackage[a4paper,PAPER]{geometry}
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


def preamble(document: Document, body: str, style: Style) -> str:
    """Return everything before the beginning of a whole document."""
    lang = "zh" if document.lang == "zh" else "en"
    lines = ["% Compile with XeLaTeX.", _class(lang, style)]
    lines += [MIXED] if lang == "en" and has_chinese(body) else []
    lines += ["\\usepackage{" + ",".join(packages(body)) + "}", _LAYOUT.replace("PAPER", _paper(style)), _SPACING[lang]]
    lines += [f"\\setlength{{\\columnsep}}{{{COLUMN_SEP:g}pt}}"] if style.columns == 2 else []
    lines += ["\\sloppy"] if style.narrow else []
    return "\n".join([*lines, shown_title(document)])


def _class(lang: str, style: Style) -> str:
    if style.points is None:
        return _CLASS[lang]
    return _SMALLER[lang] % (",twocolumn" if style.columns == 2 else "")


def _paper(style: Style) -> str:
    """Return the options of the page: its margins, or the width of the text where columns have one."""
    if style.points is None:
        return "margin=2.5cm"
    whole = style.points * style.columns + COLUMN_SEP * (style.columns - 1)
    return f"textwidth={whole:g}pt,top=2.5cm,bottom=2.5cm"


def shown_title(document: Document) -> str:
    """Return the title that PDF viewers show, without hyperref, whose fonts not everybody has."""
    code = document.title.encode("utf-16-be").hex().upper()
    return f"\\AtBeginDvi{{\\special{{pdf:docinfo << /Title <FEFF{code}> >>}}}}"
