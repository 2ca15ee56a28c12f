"""The tokens of a formula after its macros are expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from .tokens import NotationError, Token, plain_tokens
from .words import DEFINITIONS, QUADS, SHOWN, SKIPPED_WITH_ARGUMENT

Macros = Mapping[str, tuple[int, str | None, str]]
"""Name without backslash -> (number of arguments, default of the first, body)."""
NO_MACROS: Macros = MappingProxyType({})

LONGEST, MOST_TOKENS, MOST_CALLS = 50_000, 20_000, 2_000
"""The longest formula that is read, in characters, and in tokens and calls of macros."""


_UNITS = {"em": 1.0, "ex": 0.43, "cm": 2.8, "mm": 0.28, "pt": 0.1, "in": 7.2, "mu": 0.056}
"""Units of length, in em."""


def tokens_of(latex: str, macros: Macros = NO_MACROS) -> list[Token]:
    r"""Return the tokens of a formula, the last of which is ``finish``.

    Parameters
    ----------
    latex : str
    macros : mapping
        What ``\newcommand`` defined.

    Raises
    ------
    NotationError
        For a formula that is too long, or a macro that is never defined to an end.

    Examples
    --------
    >>> [token.text for token in tokens_of(r"\R^2", {"R": (0, None, r"\mathbb{R}")})]
    ['\\mathbb', '{', 'R', '}', '^', '2', '']
    """
    if len(latex) > LONGEST:
        raise NotationError("check.unread.too-long", 0, length=str(len(latex)), limit=str(LONGEST))
    found = _joined(list(_Expander(plain_tokens(latex), macros).expanded()))
    return [*found, Token("finish", "", len(latex), len(latex))]


def _joined(tokens: list[Token]) -> list[Token]:
    r"""Join a line with the one before that it continues: it begins with ``&\quad {}``, for the spacing of a sign.

    >>> [token.text for token in tokens_of(r"a \\ &\quad {}+ b")]
    ['a', '+', 'b', '']
    """
    kept: list[Token] = []
    i = 0
    while i < len(tokens):
        end = i
        if tokens[i].kind == "row" and i + 1 < len(tokens) and tokens[i + 1].kind == "cell":
            end = i + 2
            while end < len(tokens) and tokens[end].text in QUADS:
                end += 1
        if end > i + 2 and [token.kind for token in tokens[end : end + 2]] == ["open", "close"]:
            i = end + 2
            continue
        kept.append(tokens[i])
        i += 1
    return kept


class _Expander:
    """Replaces macros by what they stand for; ``waiting`` holds the tokens still to come, the next one last."""

    def __init__(self, tokens: list[Token], macros: Macros) -> None:
        self.waiting, self.macros = tokens[::-1], macros
        self.calls = self.length = 0
        self._limited(len(tokens), tokens[-1].start if tokens else 0)

    def _limited(self, more: int, start: int) -> None:
        self.length += more
        if self.length > MOST_TOKENS:
            raise NotationError("check.unread.too-long", start, length=str(self.length), limit=str(MOST_TOKENS))

    def expanded(self) -> Iterator[Token]:
        while self.waiting:
            token = self.waiting.pop()
            if token.kind != "command":
                yield token
            elif token.text[1:] in self.macros:
                self._call(token)
            elif token.text in ("\\hspace", "\\hspace*"):
                yield from self._gap(token)
            elif token.text in SKIPPED_WITH_ARGUMENT:
                self._skip(SKIPPED_WITH_ARGUMENT[token.text])
            elif token.text in DEFINITIONS:
                self._skip(DEFINITIONS[token.text])
            else:
                if token.text in SHOWN:
                    self._skip(SHOWN[token.text] - 1)
                    if token.text == "\\bbox":
                        self._optional()
                yield token

    def _skip(self, arguments: int) -> None:
        for _ in range(arguments):
            while self._optional() is not None:
                pass
            self._argument()

    def _gap(self, token: Token) -> Iterator[Token]:
        """A gap as wide as a ``\\quad`` parts what stands beside it."""
        inside, end = self._argument()
        width = re.fullmatch(r"([\d.]+)([a-z]{2})", "".join(t.text for t in inside))
        if width is not None and width[1].count(".") < 2 and float(width[1]) * _UNITS.get(width[2], 0) >= 1:
            yield Token("command", "\\quad", token.start, max(end, token.end))

    def _call(self, token: Token) -> None:
        self.calls += 1
        number, default, body = self.macros[token.text[1:]]
        if self.calls > MOST_CALLS or len(body) > LONGEST:
            raise NotationError("check.unread.macro-loop", token.start, name=token.text)
        arguments: list[list[Token]] = []
        end = token.end
        while len(arguments) < number:
            argument = self._optional() if default is not None and not arguments else None
            if argument is None and default is not None and not arguments:
                argument = plain_tokens(default, 0, (token.start, token.end)), token.end
            if argument is None:
                argument = self._argument()
            arguments.append(argument[0])
            end = max(end, argument[1])
        filled = list(_filled(body, arguments, (token.start, end)))
        self._limited(len(filled), token.start)
        self.waiting += reversed(filled)

    def _argument(self) -> tuple[list[Token], int]:
        """Take the tokens of an argument, without its braces, and say where it ends."""
        if not self.waiting:
            return [], 0
        first = self.waiting.pop()
        if first.kind != "open":
            return [first], first.end
        depth = 1
        found: list[Token] = []
        while self.waiting:
            token = self.waiting.pop()
            depth += {"open": 1, "close": -1}.get(token.kind, 0)
            if depth == 0:
                return found, token.end
            found.append(token)
        raise NotationError("check.unread.brace", first.start)

    def _optional(self) -> tuple[list[Token], int] | None:
        """Take an argument in square brackets, if there is one."""
        if not self.waiting or self.waiting[-1].text != "[":
            return None
        found: list[Token] = []
        for i in range(len(self.waiting) - 2, -1, -1):
            token = self.waiting[i]
            if token.text == "]":
                del self.waiting[i:]
                return found, token.end
            found.append(token)
        raise NotationError("check.unread.bracket", self.waiting[-1].start)


def _filled(body: str, arguments: list[list[Token]], span: tuple[int, int]) -> Iterator[Token]:
    for i, piece in enumerate(re.split(r"#(\d)", body)):
        if i % 2 == 0:
            yield from plain_tokens(piece, 0, span)
        elif 0 < int(piece) <= len(arguments):
            # The parts of an argument stay where they are written; the rest stands for the whole call.
            yield from arguments[int(piece) - 1]
