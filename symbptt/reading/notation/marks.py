"""What has to be known about tokens before they are read: which bars belong together, what ``&`` and rows mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .tokens import Kind, Token
from .words import (
    BARS,
    CASES,
    CLOSING,
    IMPLICATIONS,
    MATRICES,
    OPENING,
    OPERATORS,
    PUNCTUATION,
    QUADS,
    RELATIONS,
    SIGNS,
    SYSTEMS,
)

_PARTNER: dict[Kind, Kind] = {"close": "open", "right": "left", "end": "begin"}


def marked(tokens: list[Token]) -> list[Token]:
    r"""Return tokens in which everything ambiguous is settled as far as its surroundings tell.

    - Bars have the kind ``bar`` and the role ``left``, ``right``, ``mid`` (``p(y | x)``) or ``at`` (``f |_{x}``).
    - ``begin`` has the role ``lines``, ``cases`` or ``matrix``; in lines, columns are gone or a ``\quad``.
    - A row in lines has the role ``lines``, and the text ``\\&`` where the next line begins with ``&``.
    - ``\right. \\ \left.`` inside a bracket is gone; ``h^{<t>}`` has angles.

    Examples
    --------
    >>> from .tokens import plain_tokens
    >>> [t.role for t in marked([*plain_tokens("|a| + p(b|c)"), Token("finish", "", 12, 12)]) if t.kind == "bar"]
    ['left', 'right', 'mid']
    """
    return _with_bars(_with_points(_with_roles(_rewritten(_joined(tokens)))))


def _joined(tokens: list[Token]) -> list[Token]:
    """Make one of ``\\arg\\max``, ``\\not=`` and ``\\mathrel{+}=``; braces around a sign say nothing."""
    result: list[Token] = []
    for token in tokens:
        before = result[-1] if result and result[-1].kind == "command" else None
        new = None
        if before is not None and before.text == "\\arg" and token.text in ("\\max", "\\min"):
            new = f"\\arg{token.text[1:]}"
        elif before is not None and before.text == "\\not":
            new = {"=": "\\ne", "\\in": "\\notin", "\\equiv": "\\ne"}.get(token.text)
        if before is not None and new:
            result[-1] = Token("command", new, before.start, token.end)
        else:
            result.append(token)
            _without_braces(result)
    return result


def _without_braces(result: list[Token]) -> None:
    """``{:}`` and ``{+}=`` at the end of some tokens become one token."""
    if len(result) > 3 and result[-1].text == "=" and [t.kind for t in result[-4:-1]] == ["open", "sign", "close"]:
        sign = result[-3].text
        if sign in ("+", "-", ":"):
            result[-4:] = [Token("sign", f"{sign}=", result[-4].start, result[-1].end)]
    elif len(result) > 3 and result[-1].kind == "close" and result[-3].kind == "open" and result[-2].signed:
        before = result[-4]
        argued = before.kind in ("command", "close") or before.text in ("_", "^")
        if result[-2].text in _BRACED_SIGNS and not argued:
            result[-3:] = [replace(result[-2], start=result[-3].start, end=result[-1].end)]


_BRACED_SIGNS = (":", ",", ";", "=", "<", ">", "|", "/", "\\|")


def _partners(tokens: list[Token]) -> dict[int, int]:
    """Return where each brace, ``\\left`` and ``\\begin`` is closed, for those that are closed in order."""
    waiting: list[int] = []
    found: dict[int, int] = {}
    for i, token in enumerate(tokens):
        if token.kind in ("open", "left", "begin"):
            waiting.append(i)
        elif token.kind in _PARTNER and waiting and tokens[waiting[-1]].kind == _PARTNER[token.kind]:
            found[waiting.pop()] = i
    return found


def _rewritten(tokens: list[Token]) -> list[Token]:
    partners = _partners(tokens)
    new: list[Token | None] = list(tokens)
    for opening, closing in partners.items():
        first = tokens[opening]
        if first.kind == "open" and opening and tokens[opening - 1].text in ("^", "_"):
            _angles(new, opening, closing)
        elif first.kind == "left" and first.text in ("\\{", "\\lbrace") and tokens[closing].text == ".":
            begin, end = opening + 1, closing - 1
            while tokens[begin].kind == "open" and partners.get(begin) == end:
                begin, end = begin + 1, end - 1
            if tokens[begin].kind == "begin" and partners.get(begin) == end:
                # A brace before lines is what ``cases`` stands for.
                new[begin] = replace(tokens[begin], start=first.start, role="cases")
                new[end] = replace(tokens[end], end=tokens[closing].end)
                new[opening:begin] = [None] * (begin - opening)
                new[end + 1 : closing + 1] = [None] * (closing - end)
        elif first.kind == "left" and first.text in ("(", "[") and tokens[closing].text == ".":
            _over_lines(new, opening, closing, partners)
    return [token for token in new if token is not None]


def _angles(new: list[Token | None], opening: int, closing: int) -> None:
    left, right = new[opening + 1], new[closing - 1]
    if closing - opening > 2 and left and right and left.text in ("<", "\\lt") and right.text in (">", "\\gt"):
        new[opening + 1] = replace(left, kind="command", text="\\langle")
        new[closing - 1] = replace(right, kind="command", text="\\rangle")


def _over_lines(new: list[Token | None], opening: int, closing: int, partners: dict[int, int]) -> None:
    """``\\left( a \\right. \\\\ \\left. b \\right)`` is one bracket."""
    i = closing + 1
    while i < len(new) and (token := new[i]) is not None and (token.kind in ("row", "cell") or token.text in QUADS):
        i += 1
    token = new[i] if i < len(new) else None
    if i > closing + 1 and token is not None and token.kind == "left" and token.text == "." and i in partners:
        new[closing] = new[i] = None


@dataclass
class _Frame:
    """What is open: the place of its ``begin`` or brace, and the places of its columns and rows."""

    opening: int
    kind: Kind
    breaks: list[int] = field(default_factory=list)


def _with_roles(tokens: list[Token]) -> list[Token]:
    new: list[Token | None] = list(tokens)
    frames = [_Frame(-1, "finish")]
    for i, token in enumerate(tokens):
        if token.kind in ("open", "left", "begin"):
            frames.append(_Frame(i, token.kind))
        elif token.kind in ("cell", "row"):
            frames[-1].breaks.append(i)
        elif token.kind in _PARTNER and frames[-1].kind == _PARTNER[token.kind]:
            _settle(tokens, new, frames.pop())
    for frame in frames:
        _settle(tokens, new, frame)
    return [token for token in new if token is not None]


def _settle(tokens: list[Token], new: list[Token | None], frame: _Frame) -> None:
    role = "lines"
    if frame.kind == "begin":
        opening = tokens[frame.opening]
        role = _role(tokens, opening, frame.breaks)
        new[frame.opening] = replace(opening, role=role)
    if role == "lines":
        _lines(tokens, new, frame.breaks)


def _role(tokens: list[Token], opening: Token, breaks: list[int]) -> str:
    if opening.text in MATRICES and not opening.role:
        return "matrix"
    if opening.text not in MATRICES | SYSTEMS | CASES:
        return ""
    aligned = any(tokens[i].kind == "cell" and _beside_relation(tokens, i) for i in breaks)
    if aligned or (opening.text in SYSTEMS and not opening.role):
        return "lines"
    return "cases" if opening.role or opening.text.endswith("cases") else "matrix"


def _beside_relation(tokens: list[Token], i: int) -> bool:
    return any(t.signed and t.text in RELATIONS for t in (tokens[i - 1], tokens[i + 1]) if t.kind != "finish")


def _lines(tokens: list[Token], new: list[Token | None], breaks: list[int]) -> None:
    """Take out the columns that align lines; every second one parts statements, unless a sign stands beside it."""
    after: dict[int, int] = {}
    for i in reversed(breaks):
        after[i] = after.get(i + 1, i + 1) if tokens[i].kind == "cell" else i
    column = 0
    for i in breaks:
        token = tokens[i]
        if token.kind == "row":
            column = 0
            followed = tokens[i + 1].kind == "cell" if i + 1 < len(tokens) else False
            new[i] = replace(token, role="lines", text="\\\\&" if followed else token.text)
            continue
        column += 1
        before = tokens[i - 1] if i else token
        joins = any(t.signed and (t.text in RELATIONS or t.text in OPERATORS or t.text in SIGNS)
                    for t in (before, tokens[after[i]]))  # fmt: skip
        parts = column % 2 == 0 and not joins and before.kind not in ("row", "begin") and tokens[after[i]].kind != "row"
        new[i] = replace(token, kind="command", text="\\quad") if parts else None


def _with_points(tokens: list[Token]) -> list[Token]:
    """A point between two factors is a sign of multiplication, unless a statement of its own follows."""
    result = list(tokens)
    related = [False]
    for i in range(len(tokens) - 1, -1, -1):
        token = tokens[i]
        if token.kind in ("close", "right", "end") or (token.signed and token.text in CLOSING):
            related.append(False)
        elif token.kind in ("open", "left", "begin") or (token.signed and token.text in OPENING):
            related = related[:-1] or [False]
        elif token.kind in ("row", "cell"):
            related[-1] = False
        elif token.signed and token.text in RELATIONS:
            related[-1] = True
        elif token.signed and token.text == "." and not related[-1] and i + 1 < len(tokens) and _ends(tokens, i - 1):
            after = tokens[i + 1]
            if after.kind != "text" and after.text != "." and tokens[i - 1].text != "." and _begins(after):
                result[i] = replace(token, kind="command", text="\\cdot")
    return result


# -- bars -------------------------------------------------------------------------------------------------
def _with_bars(tokens: list[Token]) -> list[Token]:
    new: list[Token | None] = list(tokens)
    segments: list[list[int]] = [[]]
    for i, token in enumerate(tokens):
        if token.signed and token.text in BARS:
            segments[-1].append(i)
        elif token.kind in ("open", "left", "begin") or (token.signed and token.text in OPENING):
            segments.append([])
        elif token.kind in _PARTNER or (token.signed and token.text in CLOSING):
            _pair(tokens, new, segments.pop())
            segments = segments or [[]]
        elif token.kind in ("row", "cell", "middle") or (
            token.signed and (token.text in RELATIONS or token.text in QUADS or token.text in PUNCTUATION)
        ):
            _pair(tokens, new, segments[-1])
            segments[-1] = []
    for segment in segments:
        _pair(tokens, new, segment)
    return [token for token in new if token is not None]


def _pair(tokens: list[Token], new: list[Token | None], bars: list[int]) -> None:
    """Give the bars of one level their roles: ``||`` is a norm, unless bars only fit one by one."""
    if not bars:
        return
    found, fits = _attempt(tokens, bars, True)
    if not fits:
        alone, fits = _attempt(tokens, bars, False)
        found = alone if fits else found
    for i, (kind, role, width) in found.items():
        new[i] = Token("bar", kind, tokens[i].start, tokens[i + width - 1].end, role)
        for j in range(i + 1, i + width):
            new[j] = None


_ALONE = frozenset(["\\cdot", "\\bullet", "\\ast", "*"])


def _attempt(tokens: list[Token], bars: list[int], doubled: bool) -> tuple[dict[int, tuple[str, str, int]], bool]:
    """Return place -> (kind, role, number of tokens) of bars, and whether every one that opens is closed."""
    found: dict[int, tuple[str, str, int]] = {}
    waiting: list[tuple[int, str, str]] = []
    closed_at = -1
    k = 0
    while k < len(bars):
        i, kind, width = bars[k], BARS[tokens[bars[k]].text], 1
        size = tokens[i].role.rstrip("lrm")
        before = closed_at == i or _ends(tokens, i - 1)
        open_kind = waiting[-1][1:] if waiting else None
        touching = k + 1 < len(bars) and bars[k + 1] == i + 1 and tokens[i].end == tokens[i + 1].start
        norm = doubled and kind == "|" and touching and tokens[i + 1].text == "|"
        if norm and not (before and open_kind == ("|", size)):
            kind, width = "||", 2
        after = tokens[i + width]
        side = tokens[i].role[-1:] if tokens[i].role not in ("", "big", "Big", "bigg", "Bigg") else ""
        if side == "r" or (side == "" and before and open_kind == (kind, size)):
            role, closed_at = "right", i + width
            if waiting:
                waiting.pop()
        elif side == "" and before and after.text in ("_", "^") and after.kind == "sign":
            role = "at"
        elif side == "l" or (side == "" and _begins(after)):
            role = "left"
            waiting.append((i, kind, size))
        else:
            role = "mid"
        found[i] = (kind, role, width)
        k += width
    fits = True
    for i, kind, _ in waiting:
        parts = _ends(tokens, i - 1)
        fits = fits and parts
        found[i] = (kind, "mid" if parts else "left", found[i][2])
    return found, fits


def _ends(tokens: list[Token], i: int) -> bool:
    """Whether an operand may end with token ``i``; a dot alone is an operand, as in ``\\|\\cdot\\|``."""
    if i < 0:
        return False
    token = tokens[i]
    if token.signed and token.text in _ALONE:
        return i == 0 or not (tokens[i - 1].kind != "bar" and tokens[i - 1].text not in _ALONE and _ends(tokens, i - 1))
    if token.kind in ("open", "left", "begin", "row", "cell", "middle", "finish", "bar"):
        return False
    if not token.signed:
        return True
    tables = (OPENING, RELATIONS, OPERATORS, SIGNS, PUNCTUATION, QUADS, BARS)
    return token.text not in ("_", "^") and not any(token.text in table for table in tables)


def _begins(token: Token) -> bool:
    """Whether an operand may begin with a token; a sign may stand before it."""
    if token.kind in ("close", "right", "end", "row", "cell", "middle", "finish"):
        return False
    tables = (CLOSING, RELATIONS, PUNCTUATION, QUADS, IMPLICATIONS)
    lone = token.text in OPERATORS and token.text not in _ALONE
    return not (token.signed and (lone or any(token.text in table for table in tables)))
