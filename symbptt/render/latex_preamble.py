"""What stands around the text of a LaTeX document: the comment of a fragment, the preamble of a whole document."""

from __future__ import annotations

import unicodedata

from .blocks import Document


def needs(document: Document, body: str) -> str:
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


def preamble(document: Document, body: str) -> str:
    chinese = document.lang == "zh"
    lines = ["% Compile with XeLaTeX.", _CTEXART if chinese else _ARTICLE]
    lines += [_MIXED] if not chinese and _has_chinese(body) else []
    lines += ["\\usepackage{" + ",".join(_packages(body)) + "}", _LAYOUT, _SPACING["zh" if chinese else "en"]]
    return "\n".join([*lines, _shown_title(document)])


def _shown_title(document: Document) -> str:
    """Write the title that PDF viewers show, without hyperref, whose fonts not everybody has."""
    code = document.title.encode("utf-16-be").hex().upper()
    return f"\\AtBeginDvi{{\\special{{pdf:docinfo << /Title <FEFF{code}> >>}}}}"
