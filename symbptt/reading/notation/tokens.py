"""LaTeX as tokens with their places; comments and spacing are left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from .signs import LOWERED, RAISED, spelled
from .words import BIG, BIGGER, NAMED_FUNCTIONS, SKIPPED, SPACES, TEXTS, WORDS_OF_LETTERS

Kind = Literal["letter", "number", "command", "sign", "open", "close", "row", "cell", "begin", "end", "text", "left",
               "right", "middle", "bar", "finish"]  # fmt: skip


class NotationError(ValueError):
    """A formula that is not read: a phrase key, what fills it, and the place in the LaTeX.

    Attributes
    ----------
    key : str
    values : dict
    start : int
    """

    def __init__(self, key: str, start: int, **values: str) -> None:
        super().__init__(f"{key} at {start}: {values}")
        self.key, self.start, self.values = key, start, values


@dataclass(frozen=True)
class Token:
    """One token.

    Attributes
    ----------
    kind : str
    text : str
        Its LaTeX, or for ``begin``, ``text``, ... what stands in the braces.
    start, end : int
    role : str
        The size before a bracket (``bigl``); what :mod:`.marks` finds out about bars, rows and environments.
    """

    kind: Kind
    text: str
    start: int
    end: int
    role: str = ""

    @property
    def signed(self) -> bool:
        """Whether it is a sign or a command, and so may be looked up in the tables of :mod:`.words`."""
        return self.kind in ("sign", "command")


_PIECE = re.compile(
    rf"""(?P<space>\s+|%[^\n]*\n?)
    |(?P<row>\\\\\*?(?:\s*\[[-\d.\s]*[a-z]{{2}}\s*\])?|\\cr\b|\\newline\b)
    |(?P<fence>\\(?:left|right|middle)(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\[{{}}|]|.))
    |(?P<environment>\\(?:begin|end)\s*\{{\s*[A-Za-z]*\*?\s*\}})
    |(?P<command>\\[A-Za-z]+\*?|\\.)
    |(?P<number>\d{{1,3}}(?:(?:\{{,\}}|\\,)\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][-+]?\d{{1,3}}(?![A-Za-z\d]))?|\.\d+)
    |(?P<letters>[A-Za-z]+(?:\\_[A-Za-z\d]+)*)
    |(?P<lowered>[{"".join(LOWERED)}]+)
    |(?P<raised>[{"".join(RAISED)}²³¹]+)
    |(?P<cjk>[\u2e80-\u2fff\u3005-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff“”‘]+)
    |(?P<assign>[-+:]=)
    |(?P<entity>&(?:lt|gt|amp|nbsp);)
    |(?P<other>.[\u0302-\u0305\u0307\u20d7]?)""",
    re.VERBOSE | re.DOTALL,
)
_STARRED = ("\\operatorname*", "\\tag*", "\\hspace*", "\\DeclareMathOperator*")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": "~"}
_SINGLE: dict[str, Kind] = {"{": "open", "}": "close", "&": "cell"}


def plain_tokens(latex: str, start: int = 0, at: tuple[int, int] | None = None) -> list[Token]:
    r"""Return the tokens of a text that begins at ``start``; all at one place where it stands for something else.

    Raises
    ------
    NotationError
        For words in braces that are never closed.

    Examples
    --------
    >>> [token.text for token in plain_tokens(r"W_h\,h_{t-1} % no")]
    ['W', '_', 'h', 'h', '_', '{', 't', '-', '1', '}']
    """
    result: list[Token] = []
    sized: tuple[int, str] | None = None
    position = 0
    while position < len(latex):
        match = _PIECE.match(latex, position)
        assert match is not None
        kind, text = str(match.lastgroup), match[0]
        begin, position = match.start(), match.end()
        if kind == "command" and text.endswith("*") and text not in _STARRED:
            text, position = text[:-1], position - 1
        if kind == "command" and text in BIGGER:
            # The size belongs to its bracket, so that who replaces the bracket replaces both.
            sized = (at or (start + begin, 0))[0], text[1:]
            continue
        if text == "\\parbox" and (inside := _braced(latex, position, start)) is not None:
            text, position = "\\text", inside[1]  # words in a box, whose width says nothing
        if kind == "command" and text in TEXTS:
            inside = _braced(latex, position, start)
            if inside is not None:
                new = _texts(text, latex[inside[0] : inside[1] - 1], start + inside[0], at or (start + begin, start + inside[1]), at)  # fmt: skip  # noqa: E501
                position = inside[1]
                result += new
                continue
        if kind == "letters" and text not in WORDS_OF_LETTERS:
            # After a script sign TeX takes one letter; a function is one word where a bracket follows it.
            scripted = bool(result) and result[-1].kind == "sign" and result[-1].text in ("_", "^")
            called = latex[position : position + 1] == "("
            cut = 1 if scripted and not _is_word(text) else _function_at_end(text) if called and not scripted else 0
            if 0 < cut <= 2 and cut < len(text):
                text, position = text[:cut], begin + cut
        new = _of_piece(kind, text, at or (start + begin, start + position), at)
        if sized is not None and new:
            new[0] = replace(new[0], start=sized[0], role=sized[1])
            sized = None
        result += new
    return result


def _of_piece(kind: str, text: str, span: tuple[int, int], at: tuple[int, int] | None) -> list[Token]:
    if kind == "space" and re.search(r"\n\s*\n", text):
        return [Token("row", "\\\\", *span)]  # LaTeX forbids it, and notebooks part equations so
    if kind == "space" or text == "$" or text in SPACES or (kind == "command" and text in SKIPPED):
        return []
    if kind == "row":
        return [Token("row", "\\\\", *span)]
    if kind == "fence":
        word = re.match(r"\\(left|right|middle)\s*(.*)", text, re.DOTALL)
        assert word is not None
        side: Kind = "left" if word[1] == "left" else "right" if word[1] == "right" else "middle"
        return [Token(side, spelled(word[2]) or word[2], *span)]
    if kind == "environment":
        name = text[text.index("{") + 1 : -1].strip().rstrip("*")
        return [Token("begin" if text.startswith("\\begin") else "end", name, *span)]
    if kind == "letters":
        return _letters(text, span, at)
    if kind == "number":
        return [Token("number", text.replace("{,}", "").replace("\\,", ""), *span)]
    if kind in ("lowered", "raised"):
        return _small(kind, text, span)
    if kind == "cjk":
        return _cjk(text, span, at)
    if kind in ("other", "entity"):
        return _other(_ENTITIES.get(text, text), span)
    return [Token("command" if kind == "command" else "sign", text, *span)]


def _other(text: str, span: tuple[int, int]) -> list[Token]:
    known = spelled(text)
    if known is not None:
        return plain_tokens(known, 0, span)
    return [Token(_SINGLE.get(text, "sign"), text, *span)] if text != "~" else []


def _small(kind: str, text: str, span: tuple[int, int]) -> list[Token]:
    """Subscripts and superscripts of Unicode: ``ₜ₋₁`` is ``_{t-1}``."""
    table = LOWERED if kind == "lowered" else {**RAISED, "¹": "1", "²": "2", "³": "3"}
    inner = [t for c in text for t in plain_tokens(table[c], 0, span)]
    sign = Token("sign", "_" if kind == "lowered" else "^", *span)
    return [sign, Token("open", "{", *span), *inner, Token("close", "}", *span)]


def _cjk(text: str, span: tuple[int, int], at: tuple[int, int] | None) -> list[Token]:
    """Words of Chinese or Japanese; their punctuation is that of formulas."""
    result: list[Token] = []
    for match in re.finditer(r"[，、；。：（）＝＋]|[^，、；。：（）＝＋]+", text):
        place = at or (span[0] + match.start(), span[0] + match.end())
        known = spelled(match[0]) if len(match[0]) == 1 else None
        result += plain_tokens(known, 0, place) if known else [Token("text", match[0], *place)]
    return result


def _letters(text: str, span: tuple[int, int], at: tuple[int, int] | None) -> list[Token]:
    """Letters, each a token of its own, unless they are a word."""
    if _is_word(text):
        return [Token("text", text.replace("\\_", "_"), *span)]
    first = next((w for w in WORDS_OF_LETTERS if len(w) > 3 and text.startswith(w)), "")
    if first:
        middle = span if at else (span[0] + len(first), span[1])
        return [Token("text", first, *(at or (span[0], middle[0]))), *_letters(text[len(first) :], middle, at)]
    return [Token("letter", c, *(at or (span[0] + i, span[0] + i + 1))) for i, c in enumerate(text)]


def _function_at_end(text: str) -> int:
    """Return where the name of a function begins that ends a text, 0 where there is none.

    >>> _function_at_end("xlog"), _function_at_end("Wx")
    (1, 0)
    """
    found = [len(text) - len(f) + 1 for f in NAMED_FUNCTIONS if len(f) > 3 and text.endswith(f[1:])]
    return min(found, default=0)


def _is_word(text: str) -> bool:
    if text in WORDS_OF_LETTERS or "_" in text:
        return True
    return len(text) >= 5 and text[1:].islower() and bool(re.search("[aeiou]", text))


_STYLE_IN_TEXT = re.compile(r"\\(?:math|text)[a-z]+\s*|\\[,;:! ]|[{}]")


def _texts(command: str, text: str, start: int, span: tuple[int, int], at: tuple[int, int] | None) -> list[Token]:
    """Words in braces; formulas between dollars among them are formulas."""
    pieces = re.split(r"(?<!\\)\$", text)
    if len(pieces) > 1 and len(pieces) % 2:
        result: list[Token] = []
        for i, piece in enumerate(pieces):
            place = (start, start + len(piece))
            if i % 2:
                result += plain_tokens(piece, start, at)
            elif piece.strip():
                result.append(Token("text", piece, *(at or place)))
            start += len(piece) + 1
        return result
    plain = _STYLE_IN_TEXT.sub("", text).replace("~", " ").replace("\\_", "_") if "\\" in text or "~" in text else text
    word = plain.strip()
    if command.startswith("\\operatorname"):
        plain = word = word.replace(" ", "")
    if f"\\{word}" in BIG and (plain == word or word.startswith("arg")):
        return [Token("command", f"\\{word}", *span)]
    if command == "\\textbf" and len(word) == 1 and word.isalpha():
        return plain_tokens(f"\\mathbf{{{word}}}", 0, span)
    if not word:
        return []
    return [Token("sign", word, *span)] if word in (",", ";", ".", ":") else [Token("text", plain, *span)]


_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_OPENING_BRACE = re.compile(r"\s*\{")


def _braced(latex: str, position: int, start: int) -> tuple[int, int] | None:
    """Return where what stands in the braces after a position begins, and where they end; None without braces."""
    match = _OPENING_BRACE.match(latex, position)
    if match is None:
        return None
    depth, begin = 0, match.end()
    for piece in _BRACE.finditer(latex, begin - 1):
        depth += {"{": 1, "}": -1}.get(piece[0], 0)
        if depth == 0:
            return begin, piece.end()
    raise NotationError("check.unread.brace", start + begin - 1)
