"""A picture of the unrolled graph as SVG: one element that stands alone or inside a page, without script or font."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from html import escape
from math import atan2, cos, hypot, sin

from ..derive.graph import GAP, GIVEN, INPUT, LOSS, STATE, TOTAL
from .graph_parts import CUT, FORWARD, GRADIENT, RANDOM, Entry, Label, Node, Picture, Point, Rectangle, along, part
from .graph_picture import SAMPLE
from .svg_math import FONTS, WORD_FONTS, Box, Glyphs

PREFIX = "sbg"
"""What the classes begin with, so that they do not meet those of a page."""
HEAD = 8.0
_LIGHT = {
    "paper": "#ffffff", "ink": "#1c1c1c", "forward": "#1f4e8c", "gradient": "#b3400e", "state": "#e6eefa",
    "given": "#f3f3f0", "frame": "#f3f5f8", "band": "#fbeee3", "rim": "#b9bec6", "faint": "#8a8f98",
}  # fmt: skip
_DARK = {
    "paper": "#16181d", "ink": "#ececec", "forward": "#86b7ff", "gradient": "#ffa061", "state": "#1f2d44",
    "given": "#26282e", "frame": "#1e2127", "band": "#33261c", "rim": "#565c68", "faint": "#8a8f98",
}  # fmt: skip
_THEMES = {"light": _LIGHT, "dark": _DARK}
"""A page on which readers choose says so by ``data-theme``, as many themes of Sphinx do."""
_DASHES = {FORWARD: "", GRADIENT: "6 3.5", RANDOM: "1.5 3.5", CUT: "6 3.5"}


def to_svg(picture: Picture) -> str:
    """Return a picture as an ``svg`` element; the same picture has the same bytes.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    str
        Well-formed XML. Light or dark follows the reader's ``prefers-color-scheme``, or ``data-theme`` of the page
        around it; on paper it is light.
    """
    body = "\n".join(_body(picture))
    name = f"{PREFIX}-{sha256((picture.title + picture.description + body).encode()).hexdigest()[:10]}"
    width, height = _number(picture.width), _number(picture.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{PREFIX}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" lang="{picture.lang}" aria-labelledby="{name}-title {name}-desc">'
    )
    title = f'<title id="{name}-title">{escape(picture.title)}</title>'
    description = f'<desc id="{name}-desc">{escape(picture.description)}</desc>'
    return "\n".join([head, title, description, f"<style>{_style()}</style>", body, "</svg>"]) + "\n"


def _style() -> str:
    rules = [
        f".{PREFIX}{{max-width:100%;height:auto;{_colours(_LIGHT)}}}",
        f"@media screen and (prefers-color-scheme:dark){{.{PREFIX}{{{_colours(_DARK)}}}}}",
        *(f"@media screen{{[data-theme={k}] .{PREFIX}{{{_colours(v)}}}}}" for k, v in _THEMES.items()),
        *(f".{PREFIX} .{PREFIX}-{name}{{{rule}}}" for name, rule in _RULES.items()),
    ]
    return "\n".join(rules)


def _colours(colours: dict[str, str]) -> str:
    return "".join(f"--{PREFIX}-{name}:{value};" for name, value in colours.items())


def _colour(name: str) -> str:
    return f"var(--{PREFIX}-{name})"


_RULES = {
    "paper": f"fill:{_colour('paper')}",
    "band": f"fill:{_colour('band')};stroke:{_colour('gradient')};stroke-width:1;stroke-dasharray:2 3",
    "frame": f"fill:{_colour('frame')}",
    "border": f"stroke:{_colour('faint')};stroke-width:1.2;stroke-dasharray:7 3 1.5 3;fill:none",
    "node": f"fill:{_colour('paper')};stroke:{_colour('ink')};stroke-width:1.2",
    "state": f"fill:{_colour('state')};stroke:{_colour('ink')};stroke-width:1.5",
    "given": f"fill:{_colour('given')};stroke:{_colour('rim')};stroke-width:1.2",
    "forward": f"stroke:{_colour('forward')};stroke-width:1.6;fill:none",
    "gradient": f"stroke:{_colour('gradient')};stroke-width:1.6;fill:none",
    "forward-head": f"fill:{_colour('forward')}",
    "gradient-head": f"fill:{_colour('gradient')}",
    "halo": f"fill:{_colour('paper')}",
    "text": f"fill:{_colour('ink')};stroke:none;font-family:{FONTS}",
    "forward-text": f"fill:{_colour('forward')};stroke:none;font-family:{FONTS}",
    "gradient-text": f"fill:{_colour('gradient')};stroke:none;font-family:{FONTS}",
    "italic": "font-style:italic",
    "bold": "font-weight:bold",
    "words": f"font-family:{WORD_FONTS}",
}


def _body(picture: Picture) -> Iterator[str]:
    yield f'<rect class="{PREFIX}-paper" width="{_number(picture.width)}" height="{_number(picture.height)}" rx="6"/>'
    yield from (_rectangle(box, "band") for box in picture.bands)
    yield from (_rectangle(box, "frame") for box in picture.frames)
    for x, top, bottom in picture.borders:
        yield f'<path class="{PREFIX}-border" d="{_path(((x, top), (x, bottom)))}"/>'
    for line in picture.lines:
        yield arrow(line.points, line.style)
    yield from (_node(node) for node in picture.nodes)
    yield from (_label(label) for label in picture.labels)
    yield from (_entry(entry) for entry in picture.legend)


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rectangle(box: Rectangle, name: str) -> str:
    left, top, _, _ = box.corners()
    radius = f' rx="{_number(box.radius)}"' if box.radius else ""
    place = f'x="{_number(left)}" y="{_number(top)}" width="{_number(box.width)}" height="{_number(box.height)}"'
    return f'<rect class="{PREFIX}-{name}" {place}{radius}/>'


_KINDS = {INPUT: "given", GIVEN: "given", STATE: "state", LOSS: "node", TOTAL: "node"}


def _node(node: Node) -> str:
    x = node.box.x - node.text.width / 2
    y = node.box.y + (node.text.ascent - node.text.descent) / 2
    shape = "" if node.vertex.kind == GAP else _rectangle(node.box, _KINDS.get(node.vertex.kind, "node"))
    return shape + _text(node.text, x, y, "text")


def _label(label: Label) -> str:
    x = label.box.x - label.text.width / 2
    y = label.box.y + (label.text.ascent - label.text.descent) / 2
    halo = "" if not label.covers else _rectangle(label.box, "halo")
    return halo + _text(label.text, x, y, f"{label.style}-text")


def _entry(entry: Entry) -> str:
    y = entry.y - 4.5
    start = entry.x - SAMPLE - 10.0
    points = ((start, y), (start + SAMPLE, y))
    sample = arrow(part(points, 0.0, 0.55) if entry.style == CUT else points, entry.style)
    return sample + _text(entry.text, entry.x, entry.y, "text")


# -- arrows -----------------------------------------------------------------------------------------------------
def arrow(points: tuple[Point, ...], style: str) -> str:
    """Return a line with its head, or with the mark of a cut at its end."""
    name = "forward" if style == FORWARD else "gradient"
    dash = f' stroke-dasharray="{_DASHES[style]}"' if _DASHES[style] else ""
    tip = points[-1]
    back = along(points, 1 - min(0.5, HEAD / max(1.0, _length(points))))
    turn = atan2(tip[1] - back[1], tip[0] - back[0])
    if style == CUT:
        return f'<path class="{PREFIX}-{name}" d="{_path(points)}"{dash}/>' + _mark(tip, turn, name)
    shaft = part(points, 0.0, 1 - min(0.5, 0.8 * HEAD / max(1.0, _length(points))))
    head = [tip, *(_turned(tip, turn, (-HEAD, side * HEAD * 0.42)) for side in (-1, 1))]
    corners = " ".join(f"{_number(x)},{_number(y)}" for x, y in head)
    line = f'<path class="{PREFIX}-{name}" d="{_path(shaft)}"{dash}/>'
    return f'{line}<polygon class="{PREFIX}-{name}-head" points="{corners}"/>'


def _mark(tip: Point, turn: float, name: str) -> str:
    """Two strokes across the line."""
    strokes = []
    for ahead in (2.0, 6.5):
        strokes.append(_path((_turned(tip, turn, (ahead - 2.0, 8.0)), _turned(tip, turn, (ahead + 2.0, -8.0)))))
    return f'<path class="{PREFIX}-{name}" style="stroke-width:2.2" d="{" ".join(strokes)}"/>'


def _turned(tip: Point, turn: float, by: Point) -> Point:
    return (tip[0] + by[0] * cos(turn) - by[1] * sin(turn), tip[1] + by[0] * sin(turn) + by[1] * cos(turn))


def _length(points: tuple[Point, ...]) -> float:
    (a, b), (c, d) = points[0], points[-1]
    return hypot(c - a, d - b)


def _path(points: tuple[Point, ...]) -> str:
    start, *rest = (f"{_number(x)} {_number(y)}" for x, y in points)
    return f"M{start}" + (f"L{rest[0]}" if len(rest) == 1 else f"Q{rest[0]} {rest[1]}")


# -- text -------------------------------------------------------------------------------------------------------
def _text(box: Box, x: float, y: float, name: str) -> str:
    spans, strokes = "", ""
    for shown in box.moved(x, y):
        if isinstance(shown, Glyphs):
            style = f' class="{PREFIX}-{shown.style}"' if shown.style != "upright" else ""
            place = f'x="{_number(shown.x)}" y="{_number(shown.y)}" font-size="{_number(shown.size)}"'
            spans += f"<tspan {place}{style}>{escape(shown.text)}</tspan>"
        else:
            points = "M" + "L".join(f"{_number(a)} {_number(b)}" for a, b in shown.points)
            strokes += f'<path d="{points}" stroke-width="{_number(shown.width)}"/>'
    colour = {"text": "ink", "forward-text": "forward", "gradient-text": "gradient"}[name]
    drawn = f'<g style="fill:none;stroke:{_colour(colour)};stroke-linecap:round">{strokes}</g>' if strokes else ""
    return f'<text class="{PREFIX}-{name}" xml:space="preserve">{spans}</text>{drawn}' if spans else drawn
