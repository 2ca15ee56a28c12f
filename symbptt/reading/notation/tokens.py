"""LaTeX as tokens with their places; macros are expanded, comments and spacing left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from .words import BIGGER, SKIPPED, SKIPPED_WITH_ARGUMENT, SPACES, TEXTS, UNICODE, WORDS_OF_LETTERS

Kind = Literal["letter", "number", "command", "sign", "open", "close", "row", "cell", "begin", "end", "text", "left",
               "right", "middle", "finish"]  # fmt: skip
Macros = Mapping[str, tuple[int, str | None, str]]

LONGEST, MOST_TOKENS = 50_000, 20_000
"""The longest formula that is read, in characters, and in tokens after macros are expanded."""


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
    """One token. ``text`` is its LaTeX, or for ``begin``, ``text``, ... what stands in the braces."""

    kind: Kind
    text: str
    start: int
    end: int


_PIECE = re.compile(
    r"""(?P<space>\s+|%[^\n]*\n?)
    |(?P<row>\\\\(?:\s*\[[-\d.\s]*[a-z]{2}\s*\])?|\\cr\b|\\newline\b)
    |(?P<fence>\\(?:left|right|middle)(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\[{}|]|.))
    |(?P<environment>\\(?:begin|end)\s*\{\s*[A-Za-z]*\*?\s*\})
    |(?P<command>\\[A-Za-z]+\*?|\\.)
    |(?P<number>\d+(?:\.\d+)?|\.\d+)
    |(?P<letters>[A-Za-z]+)
    |(?P<cjk>[\u2e80-\u2fff\u3005-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff5e“”‘’]+)
    |(?P<assign>:=)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_STARRED = ("\\operatorname*", "\\tag*", "\\hspace*")


def tokens_of(latex: str, macros: Macros = {}) -> list[Token]:
    r"""Return the tokens of a formula, the last of which is ``finish``.

    Parameters
    ----------
    latex : str
    macros : mapping
        Name without backslash -> (number of arguments, default of the first, body).

    Raises
    ------
    NotationError
        For a formula that is too long, or a macro that is never defined to an end.

    Examples
    --------
    >>> [token.text for token in tokens_of(r"W_h\,h_{t-1} % no")][:-1]
    ['W', '_', 'h', 'h', '_', '{', 't', '-', '1', '}']
    """
    if len(latex) > LONGEST:
        raise NotationError("check.unread.too-long", 0, length=str(len(latex)), limit=str(LONGEST))
    found: list[Token] = []
    for token in _Expander(macros).expanded(_plain(latex, 0, None)):
        found.append(token)
        if len(found) > MOST_TOKENS:
            raise NotationError("check.unread.too-long", token.start, length=str(len(found)), limit=str(MOST_TOKENS))
    return [*found, Token("finish", "", len(latex), len(latex))]


def _plain(latex: str, start: int, at: tuple[int, int] | None) -> list[Token]:
    """Return the tokens of a text; all at one place where it stands for something written there."""
    result: list[Token] = []
    position = 0
    while position < len(latex):
        match = _PIECE.match(latex, position)
        assert match is not None
        kind, text = str(match.lastgroup), match[0]
        begin, position = match.start(), match.end()
        if kind == "command" and text.endswith("*") and text not in _STARRED:
            text, position = text[:-1], position - 1
        if kind == "command" and text in TEXTS:
            inside = _braced(latex, position)
            if inside is not None:
                text, position = inside
                kind = "text"
        span = at or (start + begin, start + position)
        result += _of_piece(kind, text, span, at)
    return result


def _of_piece(kind: str, text: str, span: tuple[int, int], at: tuple[int, int] | None) -> list[Token]:
    if kind == "space" or text in SPACES or text in BIGGER or (kind == "command" and text in SKIPPED):
        return []
    if kind == "text":
        return [Token("text", text, *span)]
    if kind == "row":
        return [Token("row", "\\\\", *span)]
    if kind == "fence":
        word = re.match(r"\\(left|right|middle)\s*(.*)", text, re.DOTALL)
        assert word is not None
        side: Kind = "left" if word[1] == "left" else "right" if word[1] == "right" else "middle"
        return [Token(side, word[2], *span)]
    if kind == "environment":
        name = text[text.index("{") + 1 : -1].strip().rstrip("*")
        return [Token("begin" if text.startswith("\\begin") else "end", name, *span)]
    if kind == "letters":
        return _letters(text, span, at)
    if kind == "number":
        return [Token("number", text, *span)]
    if kind == "cjk":
        return _cjk(text, span, at)
    if kind == "other":
        return _other(text, span)
    return [Token("command" if kind == "command" else "sign", text, *span)]


def _other(text: str, span: tuple[int, int]) -> list[Token]:
    if text in UNICODE:
        return _plain(UNICODE[text], 0, span)
    kinds: dict[str, Kind] = {"{": "open", "}": "close", "&": "cell", "~": "sign"}
    return [Token(kinds.get(text, "sign"), text, *span)]


def _cjk(text: str, span: tuple[int, int], at: tuple[int, int] | None) -> list[Token]:
    """Words of Chinese or Japanese; their punctuation is that of formulas."""
    result: list[Token] = []
    for match in re.finditer(r"[，、；。：（）＝＋]|[^，、；。：（）＝＋]+", text):
        place = at or (span[0] + match.start(), span[0] + match.end())
        result += _plain(UNICODE[match[0]], 0, place) if match[0] in UNICODE else [Token("text", match[0], *place)]
    return result


def _letters(text: str, span: tuple[int, int], at: tuple[int, int] | None) -> list[Token]:
    """Letters, each a token of its own, unless they are a word."""
    if _is_word(text):
        return [Token("text", text, *span)]
    first = next((w for w in WORDS_OF_LETTERS if len(w) > 3 and text.startswith(w)), "")
    if first:
        middle = span if at else (span[0] + len(first), span[1])
        return [Token("text", first, *(at or (span[0], middle[0]))), *_letters(text[len(first) :], middle, at)]
    return [Token("letter", c, *(at or (span[0] + i, span[0] + i + 1))) for i, c in enumerate(text)]


def _is_word(text: str) -> bool:
    if text in WORDS_OF_LETTERS:
        return True
    return len(text) >= 5 and text[1:].islower() and bool(re.search("[aeiou]", text))


def _braced(latex: str, position: int) -> tuple[str, int] | None:
    """Return what stands in the braces after a position, and where they end; None where there are none."""
    match = re.compile(r"\s*\{").match(latex, position)
    if match is None:
        return None
    depth, begin = 0, match.end()
    for piece in re.compile(r"\\.|[{}]", re.DOTALL).finditer(latex, begin - 1):
        depth += {"{": 1, "}": -1}.get(piece[0], 0)
        if depth == 0:
            return latex[begin : piece.start()], piece.end()
    raise NotationError("check.unread.brace", begin - 1)


class _Expander:
    """Replaces macros by what they stand for."""

    def __init__(self, macros: Macros) -> None:
        self.macros, self.count = macros, 0

    def expanded(self, tokens: list[Token]) -> Iterator[Token]:
        position = 0
        while position < len(tokens):
            token = tokens[position]
            position += 1
            skipped = SKIPPED_WITH_ARGUMENT.get(token.text) if token.kind == "command" else None
            if token.kind == "command" and token.text[1:] in self.macros:
                new, position = self._call(token, tokens, position)
                tokens, position = [*new, *tokens[position:]], 0
            elif skipped is not None:
                for _ in range(skipped):
                    _, position = _argument(tokens, position)
            else:
                yield token

    def _call(self, token: Token, tokens: list[Token], position: int) -> tuple[list[Token], int]:
        self.count += 1
        if self.count > 500:
            raise NotationError("check.unread.macro-loop", token.start, name=token.text)
        number, default, body = self.macros[token.text[1:]]
        arguments: list[list[Token]] = []
        if default is not None and number:
            bracket, position = _optional(tokens, position)
            arguments.append(_plain(default, 0, (token.start, token.end)) if bracket is None else bracket)
        while len(arguments) < number:
            argument, position = _argument(tokens, position)
            arguments.append(argument)
        end = tokens[position - 1].end if position else token.end
        return list(self._filled(body, arguments, (token.start, end))), position

    @staticmethod
    def _filled(body: str, arguments: list[list[Token]], span: tuple[int, int]) -> Iterator[Token]:
        for i, piece in enumerate(re.split(r"#(\d)", body)):
            if i % 2 == 0:
                yield from _plain(piece, 0, span)
            elif 0 < int(piece) <= len(arguments):
                # The parts of an argument stay where they are written; the rest stands for the whole call.
                yield from (replace(token) for token in arguments[int(piece) - 1])


def _argument(tokens: list[Token], position: int) -> tuple[list[Token], int]:
    """Return the tokens of an argument, without its braces, and the position after it."""
    if position >= len(tokens):
        return [], position
    if tokens[position].kind != "open":
        return [tokens[position]], position + 1
    depth = 0
    for i in range(position, len(tokens)):
        depth += {"open": 1, "close": -1}.get(tokens[i].kind, 0)
        if depth == 0:
            return tokens[position + 1 : i], i + 1
    raise NotationError("check.unread.brace", tokens[position].start)


def _optional(tokens: list[Token], position: int) -> tuple[list[Token] | None, int]:
    if position >= len(tokens) or tokens[position].text != "[":
        return None, position
    for i in range(position, len(tokens)):
        if tokens[i].text == "]":
            return tokens[position + 1 : i], i + 1
    return None, position
