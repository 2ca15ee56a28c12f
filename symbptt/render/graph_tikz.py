r"""A picture of the unrolled graph for papers: a ``tikzpicture``, or a complete document for XeLaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot
from pathlib import Path

from ..algebra.layout import Item
from ..algebra.tex import to_tex
from ..derive.graph import GAP, GIVEN, INPUT, STATE
from ..errors import MissingToolError
from .graph_parts import CUT, FORWARD, GRADIENT, RANDOM, Entry, Label, Node, Picture, Point, Rectangle, part
from .graph_picture import SAMPLE
from .latex import text_tex
from .pdf import compiled, write_whole

UNIT = 0.72
"""Points for each pixel of the layout."""
LIBRARIES = "arrows.meta"
_NEEDS = "% Needs \\usepackage{tikz} and \\usetikzlibrary{" + LIBRARIES + "}"
_CHINESE = " and, for Chinese, XeLaTeX with the package ctex"
_COLOURS = {"forward": (31, 78, 140), "gradient": (179, 64, 14)}
_STYLES = (
    (f"x={UNIT}pt", f"y=-{UNIT}pt"),
    ("every node/.style={inner sep=1pt, font=\\small}",),
    ("bptt shape/.style={draw, line width=0.5pt, fill=white}",),
    ("bptt state/.style={draw, line width=0.6pt, fill=blue!8}",),
    ("bptt given/.style={draw=black!35, line width=0.5pt, fill=black!4}",),
    ("bptt frame/.style={fill=black!4}", "bptt band/.style={draw=orange!60!black, densely dotted, fill=orange!9}"),
    ("bptt border/.style={draw=black!55, dash pattern=on 5pt off 2pt on 1pt off 2pt}",),
)
_LINES = {
    FORWARD: ("bptt forward", "forward", "-{Stealth[length=4.6pt, width=3.8pt]}"),
    GRADIENT: ("bptt gradient", "gradient", "-{Stealth[length=4.6pt, width=3.8pt]}, dash pattern=on 3.4pt off 2pt"),
    RANDOM: ("bptt random", "gradient", "-{Stealth[length=4.6pt, width=3.8pt]}, dash pattern=on 0.8pt off 1.8pt"),
    CUT: ("bptt cut", "gradient", "dash pattern=on 3.4pt off 2pt"),
}
"""Style of a line -> its name in the picture, its colour and what else."""


def to_tikz(picture: Picture, document: bool = False) -> str:
    r"""Return a picture as TikZ, for ``\input`` or as a document of its own.

    Parameters
    ----------
    picture : Picture
    document : bool
        Whether it is a whole document for XeLaTeX, whose page is as large as the picture.

    Returns
    -------
    str
    """
    chinese = any(isinstance(word, str) and not word.isascii() for e in picture.legend for word in e.words)
    needs = f"{_NEEDS}{_CHINESE if chinese else ''}."
    body = "\n".join(["\\begin{tikzpicture}[", *_options(), "]", *_body(picture), "\\end{tikzpicture}%"])
    if not document:
        return f"{needs}\n% {_one_line(picture.title)}\n{body}\n"
    class_and_fonts = "\\documentclass{article}\n"
    if picture.lang == "zh" or chinese:
        class_and_fonts += "\\usepackage[UTF8,fontset=fandol,scheme=plain]{ctex}\n"
    return (
        "% Compile with XeLaTeX.\n"
        f"{class_and_fonts}\\usepackage{{amsmath,tikz}}\n\\usetikzlibrary{{{LIBRARIES}}}\n{_PAGE}"
        f"\\begin{{document}}\n\\setbox0=\\hbox{{%\n{body}\n}}%\n{_SHIP}\\end{{document}}\n"
    )


def to_pdf(picture: Picture, path: Path) -> Path:
    """Compile the complete document and write it, whole or not at all.

    Raises
    ------
    MissingToolError
        Where XeLaTeX or a package is not installed.
    OutputError
        Where the path cannot be written.
    """
    try:
        data = compiled(to_tikz(picture, document=True))
    except MissingToolError as error:
        raise MissingToolError(f"{error} texlive-pictures") from None
    write_whole(path, data)
    return path


_PAGE = "\\pagestyle{empty}\n\\hoffset=-1in \\voffset=-1in \\topskip=0pt \\parindent=0pt\n"
_SHIP = "\\pdfpagewidth=\\wd0 \\pdfpageheight=\\dimexpr\\ht0+\\dp0\\relax\n\\shipout\\box0\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _options() -> Iterator[str]:
    for styles in _STYLES:
        yield "".join(f"  {style}," for style in styles)
    for name, colour, more in _LINES.values():
        red, green, blue = _COLOURS[colour]
        yield f"  {name}/.style={{line width=0.7pt, color={{rgb,255:red,{red};green,{green};blue,{blue}}}, {more}}},"


def _body(picture: Picture) -> Iterator[str]:
    yield f"  \\useasboundingbox (0,0) rectangle {_point((picture.width, picture.height))};"
    for box in picture.frames:
        yield _rectangle(box, "bptt frame")
    for box in picture.bands:
        yield _rectangle(box, "bptt band")
    for x, top, bottom in picture.borders:
        yield f"  \\draw[bptt border] {_point((x, top))} -- {_point((x, bottom))};"
    for line in picture.lines:
        yield from _arrow(line.points, line.style)
    yield from (text for node in picture.nodes for text in _node(node))
    yield from (_label(label) for label in picture.labels)
    yield from (text for entry in picture.legend for text in _entry(entry))


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _point(point: Point) -> str:
    return f"({_number(point[0])},{_number(point[1])})"


def _rectangle(box: Rectangle, style: str) -> str:
    left, top, right, bottom = box.corners()
    radius = f", rounded corners={_number(box.radius * UNIT * 0.99)}pt" if box.radius else ""
    return f"  \\path[{style}{radius}] {_point((left, top))} rectangle {_point((right, bottom))};"


_KINDS = {INPUT: "bptt given", GIVEN: "bptt given", STATE: "bptt state"}


def _node(node: Node) -> Iterator[str]:
    if node.vertex.kind != GAP:
        yield _rectangle(node.box, _KINDS.get(node.vertex.kind, "bptt shape"))
    at = _point((node.box.x, node.box.y))
    yield f"  \\node[font=\\normalsize] at {at} {{${to_tex(node.item)}$}};"


def _label(label: Label) -> str:
    red, green, blue = _COLOURS["forward" if label.style == FORWARD else "gradient"]
    more = (", fill=white" if label.covers else "") + (", font=\\footnotesize" if _has_fraction(label.item) else "")
    at = _point((label.box.x, label.box.y))
    colour = f"text={{rgb,255:red,{red};green,{green};blue,{blue}}}"
    return f"  \\node[{colour}{more}] at {at} {{{_formula(label.item)}}};"


def _has_fraction(item: Item) -> bool:
    return "\\frac" in to_tex(item)


def _formula(item: Item) -> str:
    return f"$\\displaystyle {to_tex(item)}$" if _has_fraction(item) else f"${to_tex(item)}$"


def _entry(entry: Entry) -> Iterator[str]:
    y = entry.y - 4.5
    start = entry.x - SAMPLE - 10.0
    points = ((start, y), (start + SAMPLE, y))
    yield from _arrow(part(points, 0.0, 0.55) if entry.style == CUT else points, entry.style)
    words = "".join(text_tex(word) if isinstance(word, str) else f"${to_tex(word)}$" for word in entry.words)
    yield f"  \\node[anchor=base west, font=\\footnotesize] at {_point((entry.x, entry.y))} {{{words}}};"


def _arrow(points: tuple[Point, ...], style: str) -> Iterator[str]:
    start, *middle, end = points
    way = f" .. controls {' and '.join(_point(p) for p in _cubic(points))} .. " if middle else " -- "
    yield f"  \\draw[{_LINES[style][0]}] {_point(start)}{way}{_point(end)};"
    if style == CUT:
        yield from _mark(points)


def _cubic(points: tuple[Point, ...]) -> tuple[Point, Point]:
    (a, b), (c, d), (e, f) = points
    return ((a + (c - a) * 2 / 3, b + (d - b) * 2 / 3), (e + (c - e) * 2 / 3, f + (d - f) * 2 / 3))


def _mark(points: tuple[Point, ...]) -> Iterator[str]:
    """Two strokes across the end of the line."""
    (x, y), (u, v) = points[-2], points[-1]
    length = hypot(u - x, v - y) or 1.0
    along, across = ((u - x) / length, (v - y) / length), (-(v - y) / length, (u - x) / length)

    def at(ahead: float, aside: float) -> Point:
        return (u + ahead * along[0] + aside * across[0], v + ahead * along[1] + aside * across[1])

    for ahead in (2.0, 6.5):
        first, last = at(ahead - 2.0, 8.0), at(ahead + 2.0, -8.0)
        yield f"  \\draw[{_LINES[CUT][0]}, solid, line width=1.1pt] {_point(first)} -- {_point(last)};"
