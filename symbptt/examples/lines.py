"""Where the keys of a TOML text stand: the parsers of the standard library do not say."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"

_TOKEN = re.compile(
    r"""
    (?P<string> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
  | (?P<skip>   [^\S\n]+ | \#[^\n]*)
  | (?P<mark>   [\[\]{}=,.\n])
  | (?P<bare>   [^\s\[\]{}=,.\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def locate(text: str) -> dict[Path, int]:
    """Return the line of every key, table and array entry of a TOML text that has been parsed before.

    Parameters
    ----------
    text : str
        Valid TOML.

    Returns
    -------
    dict
        Path (keys, and places in arrays) -> line, counted from 1.

    Examples
    --------
    >>> locate('cell = "tanh"\\n[values]\\nx = [\\n  1.0,\\n  2.0]\\n')
    {('cell',): 1, ('values',): 2, ('values', 'x'): 3, ('values', 'x', 0): 4, ('values', 'x', 1): 5}
    """
    scanner = _Scanner(text)
    scanner.file()
    return scanner.lines


def _tokens(text: str) -> list[_Token]:
    found, line = [], 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "skip":
            found.append(_Token(str(match.lastgroup), match.group(), line))
        line += match.group().count("\n")
    return found


class _Scanner:
    """Walks over the tokens and notes where keys stand; the values themselves do not matter."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.lines: dict[Path, int] = {}

    @property
    def mark(self) -> str:
        """The sign at hand, empty at the end and where there is a name or a string."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return token.text if token is not None and token.kind == "mark" else ""

    @property
    def more(self) -> bool:
        return self.at < len(self.tokens)

    def skip(self, *marks: str) -> int:
        """Step over signs and return how many."""
        start = self.at
        while self.more and self.mark in marks:
            self.at += 1
        return self.at - start

    def note(self, path: Path, line: int) -> None:
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)

    def file(self) -> None:
        header: Path = ()
        while self.skip("\n") or self.more:
            if not self.more:
                return
            line = self.tokens[self.at].line
            if self.skip("["):
                header = self.key()
                self.note(header, line)
                self.skip("]")
            else:
                self.pair(header)

    def pair(self, above: Path) -> None:
        line = self.tokens[self.at].line
        path = above + self.key()
        self.note(path, line)
        self.skip("=")
        self.value(path)

    def key(self) -> Path:
        parts: list[str] = []
        while self.more and (not self.mark or self.mark == "."):
            token = self.tokens[self.at]
            if token.kind != "mark":
                parts.append(_unquoted(token))
            self.at += 1
        return tuple(parts)

    def value(self, path: Path) -> None:
        if self.mark in ("[", "{"):
            walk = self.array if self.mark == "[" else self.inline
            self.at += 1
            walk(path)
            self.at += 1
            return
        while self.more and (not self.mark or self.mark == "."):
            self.at += 1

    def array(self, path: Path) -> None:
        place = 0
        while self.skip("\n") or self.mark != "]":
            if self.mark == "]":
                return
            if self.skip(","):
                place += 1
                continue
            self.note((*path, place), self.tokens[self.at].line)
            self.value((*path, place))

    def inline(self, path: Path) -> None:
        while self.skip("\n", ",") or self.mark != "}":
            if self.mark == "}":
                return
            self.pair(path)


def _unquoted(token: _Token) -> str:
    if token.kind != "string":
        return token.text
    return token.text[1:-1] if token.text.startswith("'") else str(ast.literal_eval(token.text))
