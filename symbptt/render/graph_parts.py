"""What a picture of the unrolled graph is made of, as frozen data with coordinates in pixels, y downwards."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from ..algebra.layout import Item
from ..derive.graph import Edge, Vertex
from .svg_math import Box

Point = tuple[float, float]

FORWARD, GRADIENT, RANDOM, CUT = "forward", "gradient", "random", "cut"
"""Styles of lines; they differ in dash as well as in colour."""


@dataclass(frozen=True)
class Rectangle:
    """A box around a centre."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0

    def meets(self, other: Rectangle, pad: float = 0.0) -> bool:
        """Whether two boxes, rounded as they are, overlap, or are closer than ``pad``.

        >>> circle = Rectangle(0, 0, 40, 40, 20)
        >>> circle.meets(Rectangle(25, 25, 16, 16)), circle.meets(Rectangle(25, 0, 16, 16))
        (False, True)
        """
        round_off = self.radius + other.radius
        dx = abs(self.x - other.x) - (self.width + other.width) / 2 + round_off
        dy = abs(self.y - other.y) - (self.height + other.height) / 2 + round_off
        if min(dx, dy) <= 0 and not round_off:
            return max(dx, dy) < pad
        return hypot(max(dx, 0.0), max(dy, 0.0)) < round_off + pad

    def holds(self, point: Point, pad: float = 0.0) -> bool:
        """Whether a point lies inside the rounded box.

        >>> Rectangle(0, 0, 40, 40, 20).holds((18, 0)), Rectangle(0, 0, 40, 40, 20).holds((18, 18))
        (True, False)
        """
        radius = self.radius + pad
        dx = max(0.0, abs(point[0] - self.x) - (self.width / 2 + pad - radius))
        dy = max(0.0, abs(point[1] - self.y) - (self.height / 2 + pad - radius))
        return hypot(dx, dy) <= radius if radius else dx == dy == 0.0

    def corners(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom."""
        return (
            self.x - self.width / 2, self.y - self.height / 2, self.x + self.width / 2, self.y + self.height / 2
        )  # fmt: skip


@dataclass(frozen=True)
class Node:
    """A vertex of the graph with its formula."""

    vertex: Vertex
    box: Rectangle
    item: Item
    text: Box


@dataclass(frozen=True)
class Line:
    """An arrow along two points, or along a curve with the middle one of three as its control point."""

    edge: Edge
    style: str
    points: tuple[Point, ...]

    def at(self, share: float) -> Point:
        """Return a point of the line; 0 is its beginning and 1 its end."""
        return along(self.points, share)


@dataclass(frozen=True)
class Label:
    """A formula beside a line or a node.

    Attributes
    ----------
    box : Rectangle
        The room that it takes.
    covers : bool
        Whether a line passes below it, and has to be interrupted there.
    """

    item: Item
    style: str
    box: Rectangle
    text: Box
    covers: bool = False


@dataclass(frozen=True)
class Entry:
    """A line of the legend: a sample of a style, and words with formulas, whose base line begins at x, y."""

    style: str
    words: tuple[str | Item, ...]
    x: float
    y: float
    text: Box


@dataclass(frozen=True)
class Picture:
    """A whole picture.

    Attributes
    ----------
    width, height : float
    nodes, lines, labels, legend : tuple
    bands : tuple of Rectangle
        Steps that are set off: the window of a loss.
    frames : tuple of Rectangle
        Around the states of a cell that has several.
    borders : tuple of (x, top, bottom)
        Between segments.
    title, description : str
        For those who do not see it.
    lang : str
    """

    width: float
    height: float
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    legend: tuple[Entry, ...]
    bands: tuple[Rectangle, ...]
    frames: tuple[Rectangle, ...]
    borders: tuple[tuple[float, float, float], ...]
    title: str
    description: str
    lang: str


def along(points: tuple[Point, ...], share: float) -> Point:
    """Return a point of a line through two points, or of a curve.

    >>> along(((0.0, 0.0), (10.0, 0.0)), 0.5), along(((0.0, 0.0), (5.0, 10.0), (10.0, 0.0)), 0.5)
    ((5.0, 0.0), (5.0, 5.0))
    """
    start, *middle, end = points
    weights = ((1 - share), share) if not middle else ((1 - share) ** 2, 2 * share * (1 - share), share**2)
    every = (start, *middle, end)
    return (
        sum(w * p[0] for w, p in zip(weights, every, strict=True)),
        sum(w * p[1] for w, p in zip(weights, every, strict=True)),
    )


def part(points: tuple[Point, ...], first: float, last: float) -> tuple[Point, ...]:
    """Return the part of a line or curve between two shares of it."""
    start, end = along(points, first), along(points, last)
    if len(points) == 2:
        return (start, end)
    a, b, c = points
    s, t = first, last
    weights = ((1 - s) * (1 - t), s * (1 - t) + t * (1 - s), s * t)
    control = (
        sum(w * p[0] for w, p in zip(weights, (a, b, c), strict=True)),
        sum(w * p[1] for w, p in zip(weights, (a, b, c), strict=True)),
    )
    return (start, control, end)
