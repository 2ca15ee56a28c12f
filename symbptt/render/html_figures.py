"""Displayed chains as HTML figures: MathML in a box that scrolls, marks, and the buttons that copy it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from .blocks import Display, Group, Inline, Math, displays
from .markdown import display_tex, group_tex, is_short
from .mathml import NAMESPACE, content, to_mathml
from .phrases import catalogue

COPIES = ("tex", "mathml")
"""What the buttons of a figure copy."""


@dataclass(frozen=True)
class Formula:
    """A displayed chain, or several: a ``math`` element, and the remarks in HTML that stand behind it."""

    math: str
    behind: str = ""


def source(block: Display | Group) -> str:
    """Return the TeX of a block, which its button copies."""
    return group_tex(block) if isinstance(block, Group) else display_tex(block)


def verdict(block: Display | Group) -> bool | None:
    """Return whether all chains of a block were proved, with None where there was nothing to check."""
    found = {display.verified for display in displays(block)} - {None}
    return None if not found else False not in found


class Figures:
    """Writes displayed chains with the words of a language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.phrases = catalogue(lang)

    def figure(self, block: Display | Group) -> str:
        """Write a block as a figure."""
        formula = self.formula(block)
        return f"{opening(source(block))}{formula.math}</div>{formula.behind}\n{self.tools()}\n</figure>"

    def formula(self, block: Display | Group) -> Formula:
        """Write a block as MathML, with what stands behind it."""
        return self._group(block) if isinstance(block, Group) else self._display(block)

    def words(self, words: tuple[Inline, ...]) -> str:
        """Write words and formulas between them."""
        return "".join(to_mathml(w.item, lang=self.lang) if isinstance(w, Math) else escaped(w) for w in words)

    # -- displays ---------------------------------------------------------------------------------------------
    def _display(self, display: Display) -> Formula:
        """Write a chain, on one line with its remarks in HTML behind it, or as a table that holds them."""
        if len(display.lines) > 1 and not is_short(display):
            return Formula(self._math(_aligned("".join(self._rows(display)))))
        reason = f'<span class="reason">({self.words(display.reason)})</span>' if display.reason else ""
        return Formula(self._math(_in_line(display)), reason + self.mark(display.verified))

    def _group(self, group: Group) -> Formula:
        """Write displays that share their columns; what belongs to one of them stands in a column behind it."""
        if len(group.displays) == 1:
            return self._display(group.displays[0])
        rows = (row for display in group.displays for row in self._rows(display, apart=True))
        return Formula(self._math(_aligned("".join(rows))))

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

    def _math(self, formula: str) -> str:
        return f'<math xmlns="{NAMESPACE}" display="block" xml:lang="{escape(self.lang)}">{formula}</math>'

    def tools(self, kinds: tuple[str, ...] = COPIES) -> str:
        """Write the copy buttons, which the script brings out."""
        labels = [escaped(self.phrases[f"ui.copy_{kind}"]) for kind in kinds]
        buttons = (f'<button type="button" data-copy="{k}">{s}</button>' for k, s in zip(kinds, labels, strict=True))
        return f'<div class="tools" hidden="">{"".join(buttons)}</div>'


def escaped(words: str) -> str:
    """Escape words for the text of an element."""
    return escape(words, quote=False)


def opening(tex: str) -> str:
    """Write the beginning of a figure: a box that scrolls, with the source for the copy buttons."""
    source = escape(tex).replace("\n", "&#10;")
    return f'<figure class="display" tabindex="-1" data-tex="{source}">\n<div class="formula">'


# -- chains as MathML --------------------------------------------------------------------------------------------
def _hard(words: str) -> str:
    """Keep the spaces at the ends of words, which MathML drops."""
    left, right = len(words) - len(words.lstrip()), len(words) - len(words.rstrip())
    return "\u00a0" * left + escaped(words.strip()) + "\u00a0" * right


def _sign(sign: str) -> str:
    return f'<mo form="infix" lspace="0.278em" rspace="0.278em">{escaped(sign)}</mo>'


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
