"""Definitions of commands: collected from wherever they stand, never expanded here."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

Macro = tuple[int, "str | None", str]
"""Number of arguments, default of the first, body."""


class Definition(NamedTuple):
    """A definition of a command, and where it stands in the text."""

    start: int
    end: int
    name: str
    macro: Macro
    overrides: bool = True


_DEFINING = re.compile(
    r"\\(?:(?P<command>newcommand|renewcommand|providecommand)\*?(?![A-Za-z])"
    r"|(?P<operator>DeclareMathOperator)(?P<star>\*?)(?![A-Za-z])"
    r"|(?:long\s*)?(?P<def>[egx]?def)(?![A-Za-z])|(?P<let>let)(?![A-Za-z]))"
)
_NAME = re.compile(r"\s{0,9}(?:\{\s{0,9}\\([A-Za-z]+|[^A-Za-z\s])\s{0,9}\}|\\([A-Za-z]+|[^A-Za-z\s]))")
_COUNT = re.compile(r"\s{0,9}\[\s{0,9}(\d)\s{0,9}\]")
_DEFAULT = re.compile(r"\s{0,9}\[([^\[\]]{0,200})\]")
_PARAMETERS = re.compile(r"\s{0,9}((?:#\d){0,9})\s{0,9}(?=\{)")
_OPEN = re.compile(r"\s{0,9}\{")
_TARGET = re.compile(r"\s{0,9}=?\s{0,9}(\\(?:[A-Za-z]+|[^A-Za-z\s])|[^\s\\{}])")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


def definitions(text: str) -> list[Definition]:
    r"""Return the definitions in a text, in its order; one within the body of another is part of that body.

    >>> definitions(r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}} $\pd{L}{h}$")[0].macro
    (2, None, '\\frac{\\partial #1}{\\partial #2}')
    >>> definitions(r"\DeclareMathOperator{\relu}{ReLU}")[0][2:4]
    ('relu', (0, None, '\\operatorname{ReLU}'))
    """
    first = _DEFINING.search(text)
    if first is None:
        return []
    braces = _Braces(text, first.start())
    found: list[Definition] = []
    position = first.start()
    while (match := _DEFINING.search(text, position)) is not None:
        position = match.end()
        read = _read(text, match, braces)
        if read is not None:
            found.append(read)
            position = read.end
    return found


class _Braces:
    """The closing brace of each opening one."""

    def __init__(self, text: str, start: int) -> None:
        pairs: list[tuple[int, int]] = []
        open_: list[int] = []
        for match in _BRACE.finditer(text, start):
            if match[0] == "{":
                open_.append(match.start())
            elif match[0] == "}" and open_:
                pairs.append((open_.pop(), match.start()))
        self._pairs = sorted(pairs)

    def closing(self, start: int) -> int | None:
        """Return where the brace that opens at ``start`` is closed."""
        at = bisect_left(self._pairs, (start, 0))
        if at < len(self._pairs) and self._pairs[at][0] == start:
            return self._pairs[at][1]
        return None


def _read(text: str, match: re.Match[str], braces: _Braces) -> Definition | None:
    named = _NAME.match(text, match.end())
    if named is None:
        return None
    name, position = named[1] or named[2], named.end()
    if match["let"]:
        target = _TARGET.match(text, position)
        return None if target is None else Definition(match.start(), target.end(), name, (0, None, target[1]))
    arguments, default = 0, None
    overrides = match["command"] != "providecommand"
    if match["command"]:
        if count := _COUNT.match(text, position):
            arguments, position = int(count[1]), count.end()
            if given := _DEFAULT.match(text, position):
                default, position = given[1], given.end()
    elif match["def"]:
        parameters = _PARAMETERS.match(text, position)
        if parameters is None:
            return None
        arguments, position = parameters[1].count("#"), parameters.end()
    opening = _OPEN.match(text, position)
    if opening is None:
        # \newcommand{\R}\mathbb is allowed: one token is a body too.
        target = _TARGET.match(text, position)
        if target is None or match["operator"]:
            return None
        return Definition(match.start(), target.end(), name, (arguments, default, target[1]), overrides)
    closing = braces.closing(opening.end() - 1)
    if closing is None:
        return None
    body = text[opening.end() : closing].strip()
    if match["operator"]:
        body = f"\\operatorname{match['star']}{{{body}}}"
    return Definition(match.start(), closing + 1, name, (arguments, default, body), overrides)
