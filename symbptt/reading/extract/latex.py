"""LaTeX documents: formulas of the body, without comments and verbatim text."""

from __future__ import annotations

import re

from ..note import CodeBlock, Kind
from .environments import BEGIN, DISPLAYS, body_of, edges
from .macros import definitions
from .mapped import Mapped
from .scanning import Finders, Found, blanked

_VERBATIM = frozenset(
    ["verbatim", "Verbatim", "lstlisting", "minted", "comment", "alltt", "filecontents", "python", "pycode"]
)
_HIDDEN = re.compile(rf"{BEGIN}|\\(?:verb|lstinline)(?![A-Za-z])\*?([^\w\s])|\\iffalse(?![A-Za-z])|\\.|%", re.DOTALL)
_TOKEN = re.compile(rf"{BEGIN}|\\([(\[])|\\.|\$\$?", re.DOTALL)
_DOLLAR = {"$": r"(?<!\\)(?:\\\\)*\$", "$$": r"(?<!\\)(?:\\\\)*\$\$"}
_BLANK = r"\n[ \t\r]*\n"
_WITHIN_WORDS = re.compile(r"\\(?:text\w*|mbox|hbox)\s?\{[^{}]*\Z")

LEVELS = {"part": 1, "chapter": 1, "section": 1, "subsection": 2, "subsubsection": 3, "paragraph": 4, "subparagraph": 5}
_BRACKETS = r"(?:[ \t]*\[[^\[\]\n]{0,200}\])?"
_STRUCTURE = re.compile(
    rf"\\(?P<heading>{'|'.join(LEVELS)})\*?{_BRACKETS}\{{|\\(?P<item>item)(?![A-Za-z]){_BRACKETS}"
    rf"|\\(?P<edge>begin|end)\{{(?P<name>[A-Za-z]+)\*?\}}{_BRACKETS}|(?P<blank>{_BLANK})"
)
_LISTS = frozenset({"itemize", "enumerate", "description"})


def read_latex(text: str) -> Found:
    r"""Return what stands in the body of a LaTeX document, or in a text without a preamble.

    >>> read_latex(r"\begin{equation} h_t = f(z_t) % not $x$" + chr(10) + r"\end{equation}").formulas[0].latex
    'h_t = f(z_t)'
    """
    found = Found(text)
    clean = blanked(text, _hide(found))
    found.define(clean, [(0, len(clean))])
    clean = blanked(clean, [(one.start, one.end) for one in definitions(clean)])
    start, end = _body(clean)
    _scan(found, clean, start, end)
    found.sort()
    _passages(found, clean, start, end)
    found.sort()
    return found


def _body(clean: str) -> tuple[int, int]:
    opening = re.search(r"\\begin\s?\{document\}", clean)
    closing = re.compile(r"\\end\s?\{document\}").search(clean, opening.end() if opening else 0)
    return (opening.end() if opening else 0, closing.start() if closing else len(clean))


def _hide(found: Found) -> list[tuple[int, int]]:
    """Return the spans of comments and verbatim text; listings are kept as code."""
    text, spans, position = found.text, [], 0
    find = Finders(text)
    while (match := _HIDDEN.search(text, position)) is not None:
        start, position = match.span()
        if match[0] == "%":
            position = find[r"\n"].start(position, len(text))
            spans.append((start, position))
        elif match[1] in _VERBATIM:
            hit = find[rf"\\end\{{{match[1]}\*?\}}"].after(position)
            if hit is None:
                found.unclosed(start, match[0])
                hit_start = position = len(text)
            else:
                hit_start, position = hit.span()
            spans.append((start, position))
            if match[1] != "comment":
                _listing(found, match, hit_start)
        elif match[2]:
            line = find[r"\n"].start(position, len(text))
            closing = text.find(match[2], position, line)
            position = closing + 1 if closing >= 0 else line
            spans.append((start, position))
        elif match[0] == "\\iffalse":
            hit = find[r"\\fi(?![A-Za-z])"].after(position)
            position = len(text) if hit is None else hit.end()
            spans.append((start, position))
    return spans


_OPTIONS = re.compile(r"(?:\[[^\[\]]{0,500}\])?(?:\{(\w{0,40})\})?[ \t]*\r?\n?")
_LANGUAGE = re.compile(r"language\s?=\s?\{?(\w+)")


def _listing(found: Found, match: re.Match[str], end: int) -> None:
    options = _OPTIONS.match(found.text, match.end(), end)
    start = options.end() if options else match.end()
    named = _LANGUAGE.search(found.text, match.end(), start)
    language = (options[1] if options and options[1] else "") or (named[1] if named else "")
    found.code.append(CodeBlock(language.lower(), found.text[start:end], start))


def _scan(found: Found, clean: str, position: int, end: int) -> None:
    find = Finders(clean)

    def add(start: int, stop: int, display: bool, environment: str | None = None) -> None:
        piece = Mapped.of(found.text, start, stop)
        if clean[start:stop] != piece.latex:
            piece = _uncommented(piece, clean[start:stop])
        found.add(piece, display, environment)

    while (token := _TOKEN.search(clean, position, end)) is not None:
        start, position = token.span()
        if token[1] in DISPLAYS:
            hit = find[edges(token[1])].after(position)
            if hit is None or hit.start() >= end or hit[0].startswith("\\begin"):
                found.unclosed(start, token[0])
                continue
            add(body_of(clean, token[1], position), hit.start(), token[1] != "math", token[1])
            position = hit.end()
        elif token[2]:
            other = {"(": r"\)", "[": r"\]"}[token[2]]
            hit = find[rf"(?<!\\)(?:\\\\)*\\(?:\{token[2]}|{other})"].after(position)
            last = find[_BLANK].start(position, end)
            if hit is None or hit.end() > last or hit[0][-1] == token[2]:
                found.unclosed(start, token[0])
                continue
            add(position, hit.end() - 2, token[2] == "[")
            position = hit.end()
        elif token[0] in _DOLLAR:
            close = _closing(clean, find, token[0], position, end)
            if close is None:
                found.unclosed(start, token[0])
                continue
            add(position, close, token[0] == "$$")
            position = close + len(token[0])


def _closing(clean: str, find: Finders, mark: str, content: int, end: int) -> int | None:
    """Return where the closing dollar signs begin: in the same paragraph, and not within a text in the formula."""
    last = find[_BLANK].start(content, end)
    position = content
    for _ in range(6):
        hit = find[_DOLLAR[mark]].after(position)
        if hit is None or hit.end() > last:
            return None
        close = hit.end() - len(mark)
        if not _WITHIN_WORDS.search(clean, content, close):
            return close
        position = hit.end()
    return None


def _uncommented(piece: Mapped, clean: str) -> Mapped:
    """Leave out what is blank in ``clean`` and not in the piece, but keep words apart."""
    kept = [i for i, (one, other) in enumerate(zip(piece.latex, clean, strict=True)) if one == other]
    latex = "".join(piece.latex[i] for i in kept)
    return Mapped(latex, tuple(piece.offsets[i] for i in kept), piece.end).stripped()


def _passages(found: Found, clean: str, start: int, end: int) -> None:
    formulas = [(f.start, f.end) for f in found.formulas]
    at, depth = 0, 0
    kind: Kind = "text"
    begin, level = start, 0
    position = start
    while (match := _STRUCTURE.search(clean, position, end)) is not None:
        position = match.end() - (1 if match["blank"] else 0)
        while at < len(formulas) and formulas[at][1] <= match.start():
            at += 1
        if at < len(formulas) and formulas[at][0] <= match.start():
            continue
        if match["edge"]:
            if match["name"] in DISPLAYS:
                continue
            if match["name"] in _LISTS:
                depth = max(0, depth + (1 if match["edge"] == "begin" else -1))
        _close(found, clean, kind, begin, match.start(), level)
        kind, begin, level = "text", match.end(), 0
        if match["item"]:
            kind, level = "item", max(depth, 1)
        elif match["heading"]:
            close = _closing_brace(clean, match.end(), end)
            found.passage("heading", match.end(), close, LEVELS[match["heading"]])
            begin = position = min(close + 1, end)
    _close(found, clean, kind, begin, end, level)


def _close(found: Found, clean: str, kind: Kind, start: int, end: int, level: int) -> None:
    words = clean[start:end]
    start += len(words) - len(words.lstrip())
    end = start + len(words.strip())
    if start < end:
        found.passage(kind, start, end, level)


def _closing_brace(clean: str, position: int, end: int) -> int:
    depth, limit = 1, min(end, position + 1000)
    for match in re.compile(r"\\.|[{}]|\n[ \t\r]*\n", re.DOTALL).finditer(clean, position, limit):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
        if match[0][0] == "\n":
            return match.start()
    return limit
