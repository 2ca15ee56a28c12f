"""Where the parser is among the tokens, and what all its rules need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from .tokens import NotationError, Token
from .tree import Name, Tree, Words
from .words import (
    CLOSING,
    CONNECTING,
    QUADS,
    RELATIONS,
)

DEEPEST = 40
"""How deep brackets, braces, scripts and arguments may be nested."""

STACKING = ("\\overset", "\\stackrel", "\\underset")
"""Commands that write something over or under a sign."""

T = TypeVar("T", bound=Tree)


class Cursor(ABC):
    """The tokens, the place among them, and how deep it is nested."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.position, self.depth = tokens, 0, 0

    # The rules, from the outermost to the innermost; each is in a file of its own, and they need one another.
    @abstractmethod
    def listing(self) -> Tree:
        """Read parts behind one another, up to something that closes."""

    @abstractmethod
    def product(self) -> Tree:
        """Read factors side by side."""

    @abstractmethod
    def factor(self) -> Tree:
        """Read one factor with its scripts."""

    @abstractmethod
    def argument(self) -> Tree:
        """Read ``{...}`` or one token."""

    @abstractmethod
    def factor_ahead(self) -> bool:
        """Whether a factor begins here."""

    # -- tokens -------------------------------------------------------------------------------------------
    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    @property
    def following(self) -> Token:
        return self.tokens[min(self.position + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += token.kind != "finish"
        return token

    def at(self, texts: Container[str]) -> bool:
        """Whether a sign or command is here that is one of ``texts``."""
        return self.token.signed and self.token.text in texts

    def at_bar(self, *roles: str) -> bool:
        return self.token.kind == "bar" and self.token.role in roles

    def skip_bracket(self) -> None:
        """Skip ``[...]`` behind a command, if it is there."""
        if self.at(("[",)):
            opening = self.token
            while self.take().text != "]":
                if self.token.kind == "finish":
                    raise self.fail("bracket", opening)

    def skip_line_ends(self) -> None:
        """Skip ends of lines and gaps, where an operand has to follow."""
        while (self.token.kind == "row" and self.token.role == "lines") or self.at(QUADS):
            self.take()

    def goes_on_with(self, signs: Container[str]) -> bool:
        """Skip the end of a line, or a gap, before one of ``signs``, and say whether one is there.

        A line that begins with a minus, without ``&``, and has a relation is a statement of its own.
        """
        if not (self.at(QUADS) or (self.token.kind == "row" and self.token.role == "lines")):
            return False
        i, aligned = self.position, False
        while (self.tokens[i].kind == "row" and self.tokens[i].role == "lines") or (
            self.tokens[i].signed and self.tokens[i].text in QUADS
        ):
            aligned = aligned or self.tokens[i].text == "\\\\&"
            i += 1
        if not (self.tokens[i].signed and self.tokens[i].text in signs):
            return False
        if not aligned and self.tokens[i].text == "-" and self._has_relation(i):
            return False
        self.position = i
        return True

    def _has_relation(self, start: int) -> bool:
        """Whether the line from a token on has a relation: then it is a statement of its own."""
        depth = 0
        for i in range(start, len(self.tokens)):
            token = self.tokens[i]
            depth += {"open": 1, "left": 1, "begin": 1, "close": -1, "right": -1, "end": -1}.get(token.kind, 0)
            if depth < 0 or (depth == 0 and token.kind == "row"):
                return False
            if depth == 0 and token.signed and token.text in RELATIONS:
                return True
        return False

    def closes(self) -> bool:
        """Whether what is read ends here."""
        token = self.token
        if token.kind in ("finish", "close", "end", "right", "cell"):
            return True
        if token.kind == "row":
            return token.role != "lines"
        return self.at_bar("right") or self.at(CLOSING) or self.at(("\\over", "\\choose"))

    def relation_ahead(self) -> bool:
        """Whether a relation is here, alone or with something over it."""
        return self.at(RELATIONS) or (self.at(STACKING) and self._stacked_relation() is not None)

    def _stacked_relation(self) -> Token | None:
        """Return the sign of ``\\overset{...}{=}``, if that is what is here."""
        i, depth = self.position + 1, 0
        while i < len(self.tokens) - 1:
            depth += {"open": 1, "close": -1}.get(self.tokens[i].kind, 0)
            i += 1
            if depth <= 0:
                break
        i += self.tokens[i].kind == "open"
        token = self.tokens[min(i, len(self.tokens) - 1)]
        return token if token.signed and token.text in RELATIONS else None

    # -- places and errors ----------------------------------------------------------------------------------
    def last_end(self) -> int:
        return self.tokens[self.position - 1].end if self.position else 0

    def placed(self, tree: T, start: int) -> T:
        """Return a tree with its place: from ``start`` to the last token, and around all its parts."""
        end = max(self.last_end(), start)
        for child in tree.children:
            start, end = min(start, child.start), max(end, child.end)
        return replace(tree, start=start, end=end)

    def fail(self, key: str, token: Token | None = None, **values: str) -> NotationError:
        return NotationError(f"check.unread.{key}", (token or self.token).start, **values)

    def unexpected(self) -> NotationError:
        if self.token.kind == "finish":
            return self.fail("incomplete")
        names = {"begin": "\\begin{%s}", "end": "\\end{%s}", "left": "\\left%s", "right": "\\right%s"}
        text = self.token.text
        shown = text if text.isprintable() else f"U+{ord(text[0]):04X}"
        return self.fail("unexpected", what=names.get(self.token.kind, "%s") % shown)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Read something nested."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", limit=str(DEEPEST))
        yield
        self.depth -= 1


def is_connecting(text: str) -> bool:
    """Whether words join or explain formulas: several words, words of Chinese, ``if``.

    >>> [is_connecting(text) for text in ("if ", "softmax", "因为", "new state")]
    [True, False, True, True]
    """
    plain = text.strip()
    return not plain.isascii() or plain in CONNECTING or " " in plain or not plain[-1].isalnum()


def worded(item: Tree) -> Tree:
    """A word such as "if" among other parts is no name."""
    if isinstance(item, Name) and item.style == "text" and is_connecting(item.name):
        return Words(item.name, start=item.start, end=item.end)
    return item
