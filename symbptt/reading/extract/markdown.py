"""Markdown as people write it: GitHub's, Jekyll's, that of Chinese blogs, and what is pasted from elsewhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from .blocks import Blocks, read_blocks, read_passages, unquoted
from .environments import BEGIN, DISPLAYS, PARTS, body_of, edges
from .images import html_image, markdown_image
from .mapped import unescaped
from .plausible import hints_at_formula, is_bare, is_bracketed, is_display, is_inline
from .scanning import BLANK, Finders, Found, gaps

_TOKEN = re.compile(
    r"\n[ \t>]*\[[ \t\r]*(?=\n)|\\+|`+|\$+|!\[|\{%|\{\{<|<!--|<(?:script|img|pre|code|style|textarea)(?![\w-])",
    re.IGNORECASE,
)
# Where a paragraph ends: blank lines, items of lists, rows of tables.
_BREAK = rf"{BLANK}|\n[ \t>]*(?:[-*+]|\d{{1,9}}[.)])[ \t]|\n[ \t>]*\|"
_DOLLAR, _DOLLARS = r"(?<!\\)(?:\\\\)*\$", r"(?<!\\)(?:\\\\)*\$\$"
_ENVIRONMENT = re.compile(BEGIN)
_SCRIPT = re.compile(
    r"""<script\s[^<>]{0,200}?type\s?=\s?["']?math/tex(\s?;\s?mode\s?=\s?display)?[^<>]{0,200}>""", re.IGNORECASE
)
_TEMPLATE = re.compile(r"\{%-?\s{0,9}(?:end)?raw\s{0,9}-?%\}")
# {% math %}, {% mathjax %} and {% katex %} of Hexo and GitBook, {{< math >}} of Hugo.
_SHORTCODE = re.compile(
    r"\{%-?\s{0,9}(math|mathjax|katex)(\s{1,9}(?:display|block))?\s{0,9}-?%\}|\{\{<\s{0,9}(math|katex)\s{0,9}>\}\}"
)
_DELIMITED = re.compile(r"\$|\\[(\[]|\\begin\{(?:align|equation|gather)")
# A sign on a line of its own, which a formatter of Markdown took for the line under a heading and made longer.
_UNDERLINES = re.compile(r"^[ \t]*(?:={3,}|-{3,})[ \t\r]*$", re.MULTILINE)
_ROW = re.compile(r"[ \t>]*\|")
_NARROW = re.compile(r"(?:latex\s)?")


def read_markdown(text: str) -> Found:
    r"""Return what stands in a Markdown text.

    >>> [f.latex for f in read_markdown("Let $h_0 = 0$, \\(b\\) and $$c$$$d$; costs $5 and $6.").formulas]
    ['h_0 = 0', 'b', 'c', 'd']
    """
    found = Found(text)
    scanner = _Scanner(found, read_blocks(found))
    scanner.run()
    found.sort()
    found.define(text, gaps(scanner.blocks.skipped, len(text)))
    read_passages(found, scanner.blocks.rows, [*scanner.blocks.skipped, *scanner.comments])
    found.sort()
    return found


class _Scanner:
    """One pass over the text outside code; each handler returns where to go on."""

    def __init__(self, found: Found, blocks: Blocks) -> None:
        self.found, self.text, self.blocks = found, found.text, blocks
        self.find = Finders(self.text)
        self.comments: list[tuple[int, int]] = []
        self.ticks: dict[int, list[int]] = {}
        for match in re.finditer("`+", self.text):
            self.ticks.setdefault(len(match[0]), []).append(match.start())
        self.handlers: dict[str, Callable[[int, int, int], int]] = {
            "\\": self.backslash,
            "`": self.tick,
            "$": self.dollar,
            "!": self.picture,
            "<": self.tag,
            "{": self.shortcode,
            "\n": self.bare_bracket,
        }

    def run(self) -> None:
        """Go over the text: no formula goes over code or a heading."""
        cuts = self.blocks.cuts
        for start, stop in gaps(sorted(self.blocks.skipped), len(self.text)):
            inner = cuts[bisect_right(cuts, start) : bisect_right(cuts, stop - 1)]
            position = start
            for end in [*inner, stop]:
                while (token := _TOKEN.search(self.text, position, end)) is not None:
                    position = self.handlers[token[0][0]](token.start(), token.end(), end)
                position = max(position, end)

    def add(self, start: int, end: int, display: bool, doubled: bool = False, environment: str | None = None) -> None:
        """Add the formula between two offsets."""
        narrow = _NARROW.match(self.text, start, end)  # $latex x$, as WordPress has it
        piece = unquoted(self.text, narrow.end() if narrow else start, end, self.blocks.is_quoted(start))
        if "{%" in piece.latex:
            piece = piece.without(_TEMPLATE)
        if display and ("===" in piece.latex or "---" in piece.latex):
            piece = piece.replaced(_UNDERLINES, lambda match: match[0].strip()[0])
        if "\\|" in piece.latex and self.in_table(start):
            piece = piece.replaced(r"(?<!\\)\\\|", lambda match: "|")
        self.found.add(unescaped(piece, doubled), display, environment)

    def in_table(self, position: int) -> bool:
        """Whether the line is a row of a table: there a bar is escaped, or it would part two cells."""
        line = self.text.rfind("\n", max(0, position - 2000), position) + 1
        return _ROW.match(self.text, line) is not None

    def paragraph(self, position: int, end: int) -> int:
        """Where the paragraph ends that a position is in."""
        return self.find[_BREAK].start(position, end)

    def unclosed(self, start: int, content: int, end: int, what: str) -> None:
        """Note a delimiter that nothing closes, if what follows it is mathematics."""
        if hints_at_formula(self.text, content, end):
            self.found.unclosed(start, what)

    def backslash(self, start: int, after: int, end: int) -> int:
        run, follows = after - start, self.text[after : after + 1]
        if run <= 2 and follows in ("(", "[") and after < end:
            return self.bracket(start, after, end, run)
        if run == 1 and (environment := _ENVIRONMENT.match(self.text, start, end)):
            return self.environment(environment, end)
        return after + run % 2

    def bracket(self, start: int, after: int, end: int, run: int) -> int:
        square = self.text[after] == "["
        one, other = (r"\[(?!\d+(?:\.\d+)?(?:pt|em|ex|mm)\])", r"\]") if square else (r"\(", r"\)")
        slashes = r"\\\\" if run == 2 else r"(?:\\\\)*\\"
        hit = self.find[rf"(?<!\\){slashes}(?:{one}|{other})"].after(after + 1)
        what = "\\" * run + self.text[after]
        if hit is None or hit.start() >= end or hit[0][-1] == self.text[after]:
            self.unclosed(start, after + 1, end, what)
            return after + 1
        content, close = after + 1, hit.end() - 1 - run
        blank = self.find[BLANK].start(content, close) < close
        if not is_bracketed(self.text, content, close) or (
            blank and not (square and is_display(self.text[content:close], True))
        ):
            return after + 1
        self.add(content, close, display=square, doubled=run == 2)
        return hit.end()

    def bare_bracket(self, start: int, after: int, end: int) -> int:
        r"""Read a display between lines with ``[`` and ``]``: what is left of ``\[`` when the backslash gets lost."""
        hit = self.find[r"\n[ \t>]*[\[\]][ \t\r]*(?=\n|\Z)"].after(after)
        if hit is None or hit.end() > end or "[" in hit[0] or self.find[BLANK].start(after, end) < hit.start():
            return after
        if not is_bare(self.text[after : hit.start()]):
            return after
        self.add(after, hit.start(), display=True)
        return hit.end()

    def environment(self, opening: re.Match[str], end: int) -> int:
        name, content = opening[1], opening.end()
        if name not in DISPLAYS and name not in PARTS:
            return content
        hit = self.find[edges(name)].after(content)
        if hit is None or hit.start() >= end or hit[0].startswith("\\begin"):
            self.found.unclosed(opening.start(), opening[0])
            return content
        if name in DISPLAYS:
            self.add(body_of(self.text, name, content), hit.start(), display=name != "math", environment=name)
        else:
            self.add(opening.start(), hit.end(), display=True)
        return hit.end()

    def dollar(self, start: int, after: int, end: int) -> int:
        run = after - start
        if run == 1:
            return self.inline(start, end)
        if run > 3:
            return after
        if run == 3:
            close = self.find[r"\$\$\$"].start(after, end)
            if close < self.paragraph(after, end):
                self.add(after, close, display=False)
                return close + 3
        content = start + 2
        hit = self.find[_DOLLARS].after(content)
        close = end if hit is None else hit.end() - 2
        if close >= end or not self.is_display(content, close, end):
            self.unclosed(start, content, min(close, end), "$$")
            return content
        self.add(content, close, display=True)
        return close + 2

    def is_display(self, content: int, close: int, end: int) -> bool:
        blank = self.find[BLANK].start(content, close) < close
        if not is_display(self.text[content:close], blank):
            return False
        if not blank or self.text[close - 1] != "\n":
            # Over a blank line, what seems to close may open the next display: $$ a (never closed) ... $$ b $$.
            line = self.find[r"\n"].start(close + 2, end)
            return not (blank and self.find[_DOLLARS].start(close + 2, end) < line)
        return True

    def inline(self, start: int, end: int) -> int:
        text, content = self.text, start + 1
        if text[content : content + 1] == "`" and (close := self.ticked(content, end)) is not None:
            return close
        last = self.paragraph(content, end)
        close = content - 1
        for _ in range(6):
            hit = self.find[_DOLLAR].after(close + 1)
            close = last if hit is None else hit.end() - 1
            if close >= last:
                self.unclosed(start, content, last, "$")
                return content
            # A dollar sign within \text{...} opens another formula.
            if "{" not in text[content:close] or not _WITHIN_WORDS.search(text, content, close):
                break
        if not is_inline(text, content, close):
            return content
        self.add(content, close, display=False)
        return close + 1

    def ticked(self, start: int, end: int) -> int | None:
        """Read GitHub's dollar sign and backtick, formula, backtick and dollar sign."""
        content = start
        while self.text[content : content + 1] == "`":
            content += 1
        close = self.next_ticks(content - start, content, end)
        if close is None or self.text[close + content - start : close + content - start + 1] != "$":
            return None
        self.add(content, close, display=False)
        return close + content - start + 1

    def next_ticks(self, run: int, position: int, end: int) -> int | None:
        """Where the next run of as many backticks begins in the same paragraph."""
        runs = self.ticks.get(run, [])
        at = bisect_right(runs, position - 1)
        if at == len(runs) or runs[at] >= self.find[BLANK].start(position, end):
            return None
        return runs[at]

    def tick(self, start: int, after: int, end: int) -> int:
        if after - start >= 3 and self.text.startswith("math ", after):
            following = self.find["`+"].after(after)
            if following is None or following.start() >= self.find[BLANK].start(after, end):
                self.unclosed(start, after, end, self.text[start:after])
                return after
            self.add(after + 5, following.start(), display=True)
            return following.end()
        close = self.next_ticks(after - start, after, end)
        if close is None:
            return after
        if self.text.endswith("{math}", 0, start):
            self.add(after, close, display=False)
        return close + after - start

    def picture(self, start: int, after: int, end: int) -> int:
        picture = markdown_image(self.text, start, end, self.find)
        if picture is None:
            return after
        if picture.piece is not None:
            self.found.add(picture.piece, picture.display)
        return picture.end

    def shortcode(self, start: int, after: int, end: int) -> int:
        """Read what generators of sites have in the place of delimiters; many people put delimiters into them too."""
        opening = _SHORTCODE.match(self.text, start, end)
        if opening is None:
            return after
        name = opening[1] or opening[3]
        closing = rf"\{{%-?\s*end{name}\s*-?%\}}" if opening[1] else rf"\{{\{{<\s*/\s*{name}\s*>\}}\}}"
        hit = self.find[closing].after(opening.end())
        following = self.find[_SHORTCODE.pattern].start(opening.end(), end)
        if hit is None or hit.end() > end or following < hit.start():
            return opening.end()
        if _DELIMITED.search(self.text, opening.end(), hit.start()):
            return opening.end()
        self.add(opening.end(), hit.start(), display=opening[2] is not None or "\n" in self.text[start : hit.start()])
        return hit.end()

    def tag(self, start: int, after: int, end: int) -> int:
        name = self.text[start + 1 : after].lower()
        if name == "img":
            picture = html_image(self.text, start)
            if picture is None or picture.end > end:
                return after
            if picture.piece is not None:
                self.found.add(picture.piece, picture.display)
            return picture.end
        closing = "-->" if name == "!--" else f"(?i:</{name}>)"
        hit = self.find[closing].after(after)
        if hit is None or hit.start() >= end:
            if name == "!--":
                self.found.unclosed(start, "<!--")
            return after
        if name == "script" and (script := _SCRIPT.match(self.text, start, hit.start())):
            self.script(script.end(), hit.start(), display=script[1] is not None)
        elif name == "!--":
            self.comments.append((start, hit.end()))
        return hit.end()

    def script(self, start: int, end: int, display: bool) -> None:
        """Read a formula of MathJax, which kramdown wraps into a comment."""
        opening = self.text.find("<![CDATA[", start, min(start + 40, end))
        closing = self.text.rfind("]]>", max(start, end - 40), end)
        if 0 <= opening < closing:
            start, end = opening + 9, self.text.rfind("%", opening + 9, closing)
        self.add(start, end, display)


_WITHIN_WORDS = re.compile(r"\\(?:text\w*|mbox|hbox)\s?\{[^{}]*\Z")
