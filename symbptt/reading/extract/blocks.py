"""The lines of a Markdown text: front matter, code, headings, items of lists, paragraphs."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..note import CodeBlock, Kind
from .mapped import Mapped
from .scanning import Found, lines

QUOTE = re.compile(r"(?:[ ]{0,3}>[ ]?)+")
HEADING = re.compile(r"[ ]{0,3}(#{1,6})(?=[ \t]|$|[^\s#\d!\[])[ \t]*")
ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,9}[.)、]|[(（]\d{1,3}[)）])(?:[ \t]+(?=\S)|(?<=、))")
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-+)[ \t]*$")
_RULE = re.compile(r"[ ]{0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE = re.compile(r"[ \t]*(?:[-*+]\s+|\d{1,9}[.)]\s+)?(`{3,}|~{3,}|:{3,})[ \t]*([^\r\n]*)")
# Code as Jekyll and Hexo have it.
_LIQUID = re.compile(r"[ \t]*(\{%-?\s*)(?:highlight|codeblock)\s+([^\r\n%]*)")
_OPTION = re.compile(r"(?:[ \t]*:[\w-]+:[^\n]*(?:\n|$))+")
# Directives of MyST and pandoc whose body is Markdown again.
_PROSE = re.compile(
    r"\{(?:note|warning|tip|admonition|important|hint|seealso|attention|caution|danger|error|dropdown|margin|sidebar|prf:\w+"
    r"|proof\w*|card|details|exercise|solution|theorem|definition|lemma|corollary|example|remark)\}"
)
_RULER = re.compile(r"[ \t]*\|[ \t:|-]*$")
_TABLE = re.compile(r"[ \t]*\|")


@dataclass
class Blocks:
    """What the lines of a text are.

    Attributes
    ----------
    skipped : list of (int, int)
        Spans in which no formula is looked for: front matter and code, fenced or indented.
    cuts : list of int
        Where headings begin and end: no formula goes over these places.
    quoted : list of (int, int)
        Spans of lines that stand in block quotes.
    """

    skipped: list[tuple[int, int]] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    quoted: list[tuple[int, int]] = field(default_factory=list)
    rows: list[_Line] = field(default_factory=list)

    def is_quoted(self, offset: int) -> bool:
        """Whether an offset lies in a block quote."""
        at = bisect_right(self.quoted, (offset, sys.maxsize)) - 1
        return at >= 0 and offset < self.quoted[at][1]


class _Line:
    """A line without its line end and its marks of block quotes."""

    __slots__ = ("blank", "body", "end", "indent", "quoted", "start", "words")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.start, self.body, self.end = start, start, end
        self.words = text[start:end].rstrip("\r\n")
        quote = QUOTE.match(self.words) if ">" in self.words else None
        self.quoted = quote is not None
        if quote is not None:
            self.body, self.words = start + quote.end(), self.words[quote.end() :]
        bare = self.words.lstrip()
        self.blank = not bare
        self.indent = len(self.words[: len(self.words) - len(bare)].expandtabs(4))


def front_matter(text: str) -> int:
    """Return where the YAML or TOML at the beginning of a text ends; 0 if there is none.

    >>> front_matter("---" + chr(10) + "title: $5" + chr(10) + "---" + chr(10) + "$h_t$")
    18
    """
    match = re.match(r"\s*(---|\+\+\+)[ \t]*\r?\n", text)
    if match is None:
        return 0
    closing = re.compile(rf"^(?:{re.escape(match[1])}|\.\.\.)[ \t]*\r?(?:\n|\Z)", re.MULTILINE).search(
        text, match.end()
    )
    # Three dashes are also a rule; then what follows is no list of keys.
    keys = re.compile(r"\s*(?:#|[\w\"'. -]{1,80}[:=]|(?:---|\+\+\+|\.\.\.)\s)").match(text, match.end())
    if closing is None or keys is None:
        return 0
    return closing.end()


def read_blocks(found: Found) -> Blocks:
    """Return the blocks of a text; fenced code and formulas in fences are added to what was found.

    Parameters
    ----------
    found : Found
    """
    text = found.text
    blocks = Blocks()
    first = front_matter(text)
    if first:
        blocks.skipped.append((0, first))
    rows = [_Line(text, start, end) for start, end in lines(text) if start >= first]
    blocks.rows = rows
    blocks.quoted = [(row.start, row.end) for row in rows if row.quoted]
    position, after_blank, content, in_list, display = 0, True, 0, False, False
    while position < len(rows):
        row = rows[position]
        if row.blank:
            after_blank = True
            position += 1
            continue
        fence = _FENCE.match(row.words) or _LIQUID.match(row.words)
        if fence and _opens(fence):
            position = _read_fence(found, blocks, rows, position, fence)
            after_blank = display = False
            continue
        item = ITEM.match(row.words)
        if after_blank and not display and row.indent >= (content if in_list else 0) + 4:
            position = _skip_indented(blocks, rows, position, (content if in_list else 0) + 4)
            continue
        else:
            if item and not display:
                in_list, content = True, len(item[0].expandtabs(4))
            elif after_blank and in_list and row.indent < min(content, 2):
                in_list = False
            heading = HEADING.match(row.words) is not None and row.indent < 4
            if heading:
                blocks.cuts += [row.start, row.end]
                display = in_list = False
            elif row.words.count("$$") % 2:
                display = not display
            elif "\\[" in row.words or "\\]" in row.words:
                display = row.words.rfind("\\[") > row.words.rfind("\\]")
            after_blank = False
        position += 1
    return blocks


def _opens(fence: re.Match[str]) -> bool:
    mark, info = fence[1][0], fence[2].strip()
    if mark == "{":
        return True
    if mark == ":":
        return info.startswith("{math}")
    if mark == "`":  # ```math a = b``` is a formula, even where the second line closes it
        return "`" not in info and not re.match(r"math\s+\S", info)
    return True


def _read_fence(found: Found, blocks: Blocks, rows: list[_Line], position: int, fence: re.Match[str]) -> int:
    """Read a fence from its first line on, and return the position of the line after it."""
    text, opening, info = found.text, rows[position], fence[2].strip()
    name = re.split(r"[\s,]", info)[0] if info else ""
    if _PROSE.match(info):
        blocks.skipped.append((opening.start, opening.end))
        return position + 1
    if fence[1][0] == "{":
        closing = re.compile(r"[ \t]*\{%-?\s*end(?:highlight|codeblock)")
    else:
        closing = re.compile(rf"[ \t]*{re.escape(fence[1][0])}{{{len(fence[1])},}}[ \t]*$")
    last = position + 1
    while last < len(rows) and not closing.match(rows[last].words):
        if opening.quoted and not rows[last].quoted:
            break
        last += 1
    closed = last < len(rows) and bool(closing.match(rows[last].words))
    if last == len(rows):
        found.unclosed(opening.body + fence.start(1), fence[1])
    start, end = opening.end, rows[last].start if last < len(rows) else len(text)
    blocks.skipped.append((opening.start, rows[last].end if closed else end))
    if name.lower().strip("{}.") in ("math", "katex"):
        if options := _OPTION.match(text, start, end):
            start = options.end()
        found.add(unquoted(text, start, end, opening.quoted), display=True)
        found.passage("text", start, end)
    else:
        # Outside a block quote, > at the beginning of a line is the prompt of a session.
        inside = rows[position + 1 : last]
        body = "".join(text[(row.body if opening.quoted else row.start) : row.end] for row in inside)
        found.code.append(CodeBlock(name.strip("{}"), body, start))
    return last + (1 if closed else 0)


def _skip_indented(blocks: Blocks, rows: list[_Line], position: int, indent: int) -> int:
    """Skip indented code, and return the position of the line after it."""
    last = position
    following = position
    while following < len(rows) and (rows[following].blank or rows[following].indent >= indent):
        if not rows[following].blank:
            last = following
        following += 1
    blocks.skipped.append((rows[position].start, rows[last].end))
    return last + 1


def unquoted(text: str, start: int, end: int, quoted: bool) -> Mapped:
    """Return a piece of a text without the marks of a block quote at the beginning of its lines."""
    piece = Mapped.of(text, start, end)
    if not quoted or ">" not in piece.latex:
        return piece
    at_start = start == 0 or text[start - 1] == "\n"
    return piece.without(rf"(?:(?<=\n){'|^' if at_start else ''})(?:[ ]{{0,3}}>[ ]?)+")


def read_passages(found: Found, rows: Sequence[_Line], skipped: Sequence[tuple[int, int]]) -> None:
    """Add headings, items and paragraphs; lines within formulas and skipped spans begin none.

    Parameters
    ----------
    found : Found
    rows : sequence of lines
    skipped : sequence of (int, int)
    """
    whole = set(skipped)
    inside = sorted([*whole, *((f.start, f.end) for f in found.formulas)])
    at = 0
    kind: Kind = "text"
    start, end, level = -1, -1, 0

    def close() -> None:
        nonlocal start
        if start >= 0:
            found.passage(kind, start, end, level)
        start = -1

    indents: list[int] = []
    for row in rows:
        first, last = row.start, row.end
        while at < len(inside) and inside[at][1] <= first:
            at += 1
        # A line that begins with a formula's first character has the delimiter on the line before.
        within = at < len(inside) and inside[at][0] < first + (inside[at] not in whole)
        if within:
            end = last
            continue
        if at < len(inside) and inside[at][0] == first:
            close()
            continue
        if row.blank:
            close()
            continue
        heading, item = HEADING.match(row.words), ITEM.match(row.words)
        if _RULE.match(row.words) or _RULER.match(row.words):
            if start >= 0 and kind == "text" and _UNDERLINE.match(row.words):
                kind, level = "heading", 2
            close()
        elif heading and row.indent < 4:
            close()
            title = row.words.rstrip()
            bare = title.rstrip("#")
            if bare.endswith((" ", "\t")):
                title = bare
            found.passage("heading", row.body + heading.end(), row.body + len(title), len(heading[1]))
        elif start >= 0 and kind == "text" and _UNDERLINE.match(row.words):
            kind, level = "heading", 1 if "=" in row.words else 2
            close()
        elif item:
            close()
            while indents and indents[-1] >= row.indent:
                indents.pop()
            indents.append(row.indent)
            kind, start, end, level = "item", row.body + item.end(), last, len(indents)
        elif start < 0 or _TABLE.match(row.words):
            close()
            if row.indent == 0:
                indents.clear()
            kind, start, end, level = "text", row.body, last, 0
        else:
            end = last
    close()
