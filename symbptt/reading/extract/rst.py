"""reStructuredText: the role and the directive ``math``; literal blocks and other code are skipped."""

from __future__ import annotations

import re

from ..note import CodeBlock, Kind
from .mapped import Mapped
from .scanning import Finders, Found, gaps, lines

_DIRECTIVE = re.compile(r"[ \t]*\.\.[ \t]+(?:([\w:-]+)::(?:[ \t]+|$)(.*)|(?=\S)(.*)|$)|[ \t]*\.\.$")
_OPTION = re.compile(r"[ \t]*:[\w-]+:")
_CODE = frozenset(
    ["code", "code-block", "sourcecode", "highlight", "ipython", "testcode", "jupyter-execute", "doctest"]
)
_SKIPPED = frozenset(
    ["parsed-literal", "raw", "productionlist", "graphviz", "digraph", "mermaid", "literalinclude", "plot"]
)
_SECTION = re.compile(r"([!-/:-@\[-`{-~])\1+[ \t]*$")
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|(?:\d{1,9}|#|[A-Za-z])[.)]|\((?:\d{1,9}|#|[A-Za-z])\))[ \t]+(?=\S)")
_ROLE = re.compile(r":math:`|``|\\.", re.DOTALL)
_BLANK = r"\n[ \t\r]*\n"


class _Line:
    def __init__(self, text: str, start: int, end: int) -> None:
        self.start, self.end = start, end
        self.words = text[start:end].rstrip("\r\n \t")
        self.blank = not self.words
        self.indent = len(self.words) - len(self.words.lstrip())


def read_rst(text: str) -> Found:
    """Return what stands in a text of reStructuredText.

    >>> found = read_rst("Let :math:`h_0 = 0`, so" + chr(10) * 2 + ".. math:: h_1 = f(b)" + chr(10))
    >>> [(f.latex, f.display) for f in found.formulas]
    [('h_0 = 0', False), ('h_1 = f(b)', True)]
    """
    found = Found(text)
    rows = [_Line(text, start, end) for start, end in lines(text)]
    skipped = _blocks(found, rows)
    _roles(found, skipped)
    found.sort()
    code = [span for span in skipped if span not in {(f.start, f.end) for f in found.formulas}]
    found.define(text, gaps(code, len(text)))
    found.sort()
    return found


def _blocks(found: Found, rows: list[_Line]) -> list[tuple[int, int]]:
    """Read all lines; return the spans in which no role is looked for."""
    skipped: list[tuple[int, int]] = []
    styles: list[str] = []
    position, start = 0, -1
    kind: Kind = "text"

    def close(end: int) -> None:
        nonlocal start
        if start >= 0:
            found.passage(kind, start, end, 1 if kind == "item" else 0)
        start = -1

    while position < len(rows):
        row = rows[position]
        if row.blank:
            close(row.start)
            position += 1
            continue
        directive = _DIRECTIVE.match(row.words)
        if directive is not None:
            close(row.start)
            last = _body_end(rows, position + 1, row.indent)
            if _directive(found, rows, position, last, directive):
                skipped.append((row.start, rows[last - 1].end))
                position = last
            else:
                position += 1
            continue
        title = _title(rows, position, styles)
        if title is not None:
            close(row.start)
            position, line, level = title
            found.passage("heading", line.start, line.end, level)
            continue
        item = _ITEM.match(row.words)
        if start < 0 or item:
            close(row.start)
            start, kind = row.start + (item.end() if item else 0), "item" if item else "text"
        position += 1
        if row.words.endswith("::"):
            close(row.end)
            last = _body_end(rows, position, row.indent)
            if last > position:
                skipped.append((rows[position].start, rows[last - 1].end))
                found.code.append(_code(found.text, "", rows, position, last))
                position = last
    close(len(found.text))
    return skipped


def _body_end(rows: list[_Line], position: int, indent: int) -> int:
    """Return the line after an indented body: its last line that is not blank, plus one."""
    last = position
    while position < len(rows) and (rows[position].blank or rows[position].indent > indent):
        position += 1
        if not rows[position - 1].blank:
            last = position
    return last


def _directive(found: Found, rows: list[_Line], position: int, last: int, match: re.Match[str]) -> bool:
    """Read a directive up to line ``last``; False if its body is text like any other."""
    name = match[1]
    if name is None:
        return True  # a comment, a target, a footnote
    if name == "math":
        _math(found, rows, position, last, match)
        return True
    if name in _CODE:
        first = position + 1
        while first < last and (rows[first].blank or _OPTION.match(rows[first].words)):
            first += 1
        found.code.append(_code(found.text, match[2].strip(), rows, first, last))
        return True
    return name in _SKIPPED


def _code(text: str, language: str, rows: list[_Line], first: int, last: int) -> CodeBlock:
    start = rows[first].start if first < last else rows[last - 1].end
    return CodeBlock(language, text[start : rows[last - 1].end], start)


def _math(found: Found, rows: list[_Line], position: int, last: int, match: re.Match[str]) -> None:
    """Add the formulas of a directive: blank lines part them."""
    text, first = found.text, position + 1
    start = rows[position].start + match.start(2) if match[2] else -1
    while first < last and _OPTION.match(rows[first].words):
        if start >= 0:  # the argument ends where the options begin
            _formula(found, start, rows[first].start)
            start = -1
        first += 1
    for row in rows[first:last]:
        if row.blank and start >= 0:
            _formula(found, start, row.start)
            start = -1
        elif not row.blank and start < 0:
            start = row.start
    if start >= 0:
        _formula(found, start, rows[last - 1].end if last > position + 1 else min(rows[position].end, len(text)))


def _formula(found: Found, start: int, end: int) -> None:
    found.add(Mapped.of(found.text, start, end), display=True)
    found.passage("text", start, end)


def _title(rows: list[_Line], position: int, styles: list[str]) -> tuple[int, _Line, int] | None:
    """Return the line after a title, the title itself and its level, if one begins here."""
    row = rows[position]
    following = rows[position + 1] if position + 1 < len(rows) else None
    if row.indent or following is None or following.blank:
        return None
    over = _SECTION.match(row.words)
    third = rows[position + 2] if position + 2 < len(rows) else None
    if over and third is not None and third.words[:1] == over[1] and _SECTION.match(third.words) and len(row.words) > 1:
        style, line, after = over[1] * 2, following, position + 3
    elif not over and (under := _SECTION.match(following.words)) and len(following.words) >= min(len(row.words), 4):
        style, line, after = under[1], row, position + 2
    else:
        return None
    if style not in styles:
        styles.append(style)
    return after, line, styles.index(style) + 1


def _roles(found: Found, skipped: list[tuple[int, int]]) -> None:
    text = found.text
    find = Finders(text)
    for position, end in gaps(sorted(skipped), len(text)):
        while (token := _ROLE.search(text, position, end)) is not None:
            start, position = token.span()
            if token[0][0] == "\\":
                continue
            close = find["``" if token[0] == "``" else "`"].start(position, end)
            if close >= min(find[_BLANK].start(position, end), end):
                if token[0] != "``":
                    found.unclosed(start, token[0])
                continue
            if token[0] == "``":
                position = close + 2
            else:
                found.add(Mapped.of(text, position, close), display=False)
                position = close + 1
