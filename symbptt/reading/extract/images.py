"""Pictures of formulas: the LaTeX is in their description, or in the address from which they come."""

from __future__ import annotations

import re
from typing import NamedTuple

from .mapped import Mapped, without_entities, without_url_codes
from .plausible import is_description
from .scanning import Finders

LONGEST = 6000
"""Characters of a picture's markup that are looked at."""

# What comes before the LaTeX in addresses of services that draw formulas.
_SERVICE = re.compile(
    r"zhihu\.com/equation\?tex=|codecogs\.com/(?:[a-z]+\.(?:latex|download|image)|svg|png|gif)\?|/render/math\?math=|/equation\?tex="
    r"|/mathtex\.cgi\?|/mimetex\.cgi\?|/chart\?cht=tx&(?:amp;)?chl=|/(?:math|latex|tex)(?:\.svg|\.png)?\?(?:tex|latex|math|from)="
    r"|math\.vercel\.app/?\?(?:[a-z]+=\w+&)*from=",
    re.IGNORECASE,
)
# Settings of codecogs before the formula, and parameters after it.
_SETTINGS = re.compile(
    r"(?:\\(?:inline|fn_\w+|dpi\{\d+\}|bg_\w+|large|small|huge|Large|LARGE|displaystyle)|(?:&space;|%20|\+|\s))+"
)
_PARAMETER = re.compile(
    r"&(?:amp;)?(?:mode|preview|color|bgcolor|size|inline|alternateText|consumer|from|chs|chf|chco)="
)
_ATTRIBUTE = re.compile(
    r"""\s{1,200}([\w:@.-]{1,60})(?:\s{0,9}=\s{0,9}("[^"]{0,6000}"|'[^']{0,6000}'|[^\s"'<>]{1,6000}))?"""
)
_CLOSE = re.compile(r"\s{0,200}/?>")
_ADDRESS = re.compile(r"\]\(|!\[|[()\n]")


class Picture(NamedTuple):
    """A formula of a picture, and where the markup of the picture ends."""

    piece: Mapped | None
    display: bool
    end: int


def html_image(text: str, start: int) -> Picture | None:
    """Return the picture whose tag begins at ``start`` with ``<img``; None if that is no tag.

    >>> html_image('<img src="x.svg" alt="h_t" />', 0).piece.latex
    'h_t'
    """
    position = start + 4
    values: dict[str, tuple[int, int]] = {}
    while (match := _ATTRIBUTE.match(text, position)) is not None:
        position = match.end()
        if match[2]:
            quoted = match[2][0] in "\"'"
            values.setdefault(match[1].lower(), (match.start(2) + quoted, match.end(2) - quoted))
    closing = _CLOSE.match(text, position)
    if closing is None:
        return None
    alt = values.get("alt") or values.get("data-formula") or values.get("title")
    source = values.get("src") or values.get("data-src")
    piece, display = _formula(text, alt, source, entities=True)
    return Picture(piece, display, closing.end())


def markdown_image(text: str, start: int, end: int, finders: Finders) -> Picture | None:
    """Return the picture whose markup begins at ``start`` with ``![``; None if that is none.

    >>> text = "![公式](https://www.zhihu.com/equation?tex=h_t+%3D+1)"
    >>> markdown_image(text, 0, len(text), Finders(text)).piece.latex
    'h_t = 1'
    """
    middle = finders[r"\]\("].start(start + 2, end)
    following = finders[r"!\["].start(start + 2, end)
    if middle >= end or following < middle or middle - start > LONGEST:
        return None
    position, depth = middle + 2, 1
    while (match := _ADDRESS.search(text, position, min(end, middle + LONGEST))) is not None:
        position = match.end()
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
        else:
            return None
        if depth == 0:
            piece, display = _formula(text, (start + 2, middle), (middle + 2, match.start()), entities=False)
            return Picture(piece, display, match.end())
    return None


def _formula(
    text: str, alt: tuple[int, int] | None, source: tuple[int, int] | None, entities: bool
) -> tuple[Mapped | None, bool]:
    """Prefer the description, which is easier to read, where it says the same as the address."""
    described = drawn = None
    if alt is not None:
        described = Mapped.of(text, *alt).stripped()
        if entities:
            described = without_entities(described)
    if source is not None:
        drawn = _drawn(text, *source)
    if drawn is None or not drawn.latex:
        if described is None or not is_description(described.latex):
            return None, False
        drawn = described
    elif described is not None and _squeezed(described.latex) == _squeezed(drawn.latex):
        drawn = described
    # Two backslashes at the end are how a formula of zhihu is put on a line of its own.
    bare = drawn.latex
    while bare.endswith("\\\\"):
        bare = bare[:-2].rstrip()
    return drawn.cut(0, len(bare)), bare != drawn.latex


def _drawn(text: str, start: int, end: int) -> Mapped | None:
    service = _SERVICE.search(text, start, end)
    if service is None:
        return None
    # A title may follow the address of a Markdown picture, other parameters the formula.
    title = re.compile(r"""\s{1,20}(?:"[^"]*"|'[^']*')\s*$""").search(text, service.end(), end)
    end = title.start() if title else end
    parameter = _PARAMETER.search(text, service.end(), end)
    begin = service.end()
    if settings := _SETTINGS.match(text, begin, end):
        begin = settings.end()
    return without_url_codes(Mapped.of(text, begin, parameter.start() if parameter else end)).stripped()


def _squeezed(latex: str) -> str:
    return re.sub(r"\s+", "", latex)
