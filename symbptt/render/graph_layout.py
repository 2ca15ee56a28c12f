"""Where everything in a picture of the unrolled graph stands: one layout for SVG and TikZ.

Time runs to the right, computation upwards: inputs, states, readouts, losses, L. Several states of a step stand in
rows, each a little to the right of the one before it, so that no arrow has to pass through a state.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import groupby
from math import hypot
from typing import Any

from .. import algebra as A
from ..algebra.layout import Item, Operator, row
from ..algebra.names import DIRECTIONS
from ..algebra.present import present
from ..algebra.scalar import to_scalar
from ..derive.graph import CUT as IS_CUT
from ..derive.graph import (
    GAP,
    GIVEN,
    INITIAL,
    INPUT,
    LOSS,
    NONE,
    OUTPUT,
    READ,
    STATE,
    TOTAL,
    Edge,
    UnrolledGraph,
    Vertex,
)
from ..derive.graph import RANDOM as IS_RANDOM
from ..model import names_in
from ..model.truncation import Segments, Window
from .graph_parts import CUT, FORWARD, GRADIENT, RANDOM, Line, Node, Point, Rectangle, along, part
from .svg_math import Box, measure

SIZE = 17.0
"""Of the letters in nodes."""
LABEL = 14.0
"""Of the letters beside arrows and nodes."""
MOST_PARAMETERS = 3
HEIGHT = 38.0
ROW = 88.0
"""From the middle of one row to that of the next."""
LANE = 4.5
"""How far an arrow and the gradient against it are from the middle between them."""
MARGIN = 14.0
_RADII = {INPUT: 4.0, GIVEN: 4.0, LOSS: 10.0, TOTAL: 10.0}
_GAPS = {"x": 22.0, "label": 62.0}
_BENDS = (36.0, -36.0, 56.0, -56.0, 80.0, -80.0, 110.0, -110.0)


class Layout:
    """The places of nodes and lines.

    Parameters
    ----------
    graph : UnrolledGraph
    notation : str or mapping
    """

    def __init__(self, graph: UnrolledGraph, notation: str | Mapping[str, str]) -> None:
        self.graph, self.system = graph, graph.system
        self.names = names_in(graph.system, notation)
        self.kinds = graph.kinds
        self.texts = {v: measure(self.item_of(v), SIZE) for v in graph.vertices}

    # -- formulas ------------------------------------------------------------------------------------
    def math(self, expr: Any) -> Item:
        """Return an expression as it lies on the page, in the notation of the picture."""
        return present(to_scalar(expr) if self.system.scalar else expr, self.names)

    def item_of(self, vertex: Vertex) -> Item:
        """Return the formula in a node."""
        if vertex.kind == GAP:
            return Operator("\u22ef", "plain")
        if vertex.kind != TOTAL:
            return self.math(self.system.at(vertex.name, vertex.step))
        if self.graph.only_last_counts:
            return self.math(self.system.L)
        steps, t = self.system.steps, self.system.t
        weight = 1 / steps if self.system.reduction == "mean" else 1
        total = A.product(weight, A.time_sum(self.system.at("l"), t, 1, steps))
        return row(self.math(self.system.L), Operator("="), self.math(total))

    def parameters(self, keys: tuple[str, ...]) -> Item:
        """Return the parameters on an arrow, of many the first and the last."""
        comma = Operator(",", "separator")
        items = [self.names.key(key) for key in keys]
        if len(items) > MOST_PARAMETERS:
            items = [items[0], Operator("\u2026", "plain"), items[-1]]
        return row(*[shown for item in items for shown in (item, comma)][:-1])

    # -- rows and columns ----------------------------------------------------------------------------
    @cached_property
    def rows(self) -> dict[str, int]:
        """Name -> its row, counted from below; what stands side by side has the same."""
        found: dict[str, int] = {}
        count = 0
        for kind, group in groupby(self.kinds.items(), key=lambda pair: pair[1]):
            if kind == GIVEN:
                continue
            for name, _ in group:
                found[name] = count
                count += kind in (STATE, OUTPUT)
            count += kind not in (STATE, OUTPUT)
        return {**found, **{name: found["l"] for name, kind in self.kinds.items() if kind == GIVEN}, "L": count}

    def _width(self, name: str, least: float) -> float:
        wide = [text.width for v, text in self.texts.items() if v.name == name and v.kind not in (GAP, TOTAL)]
        return max([least, *(w + 16.0 for w in wide)])

    @cached_property
    def widths(self) -> dict[str, float]:
        """Name -> width of its nodes."""
        least = {INPUT: 32.0, GIVEN: 32.0, LOSS: 36.0}
        return {name: self._width(name, least.get(kind, HEIGHT)) for name, kind in self.kinds.items()}

    @cached_property
    def offsets(self) -> dict[str, float]:
        """Name -> how far its nodes stand to the right of the middle of their column."""
        found = {**self._offsets_of_states()}
        found.update({name: 0.0 for name, kind in self.kinds.items() if kind == OUTPUT})
        for kind in (INPUT, READ, LOSS):
            found.update(self._side_by_side([n for n, k in self.kinds.items() if k == kind]))
        beside = self.widths["l"] / 2
        for place, name in enumerate(n for n, k in self.kinds.items() if k == GIVEN):
            side, far = (-1 if place % 2 == 0 else 1), 1 + place // 2
            found[name] = side * (beside + (2 * far - 1) * (self.widths[name] / 2) + far * _GAPS["x"])
        return found

    def _side_by_side(self, names: list[str]) -> dict[str, float]:
        total = sum(self.widths[name] for name in names) + _GAPS["x"] * (len(names) - 1)
        found, x = {}, -total / 2
        for name in names:
            found[name] = x + self.widths[name] / 2
            x += self.widths[name] + _GAPS["x"]
        return found

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """Layer and direction -> its states, in the order of computation."""
        found: dict[str, list[str]] = {}
        for name, kind in self.kinds.items():
            if kind == STATE:
                found.setdefault(name.rpartition(".")[0], []).append(name)
        return found

    def _offsets_of_states(self) -> dict[str, float]:
        found: dict[str, float] = {}
        spans = {}
        for key, names in self.groups.items():
            step = max(self.widths[name] for name in names) + 20.0
            for place, name in enumerate(names):
                found[name] = (place - (len(names) - 1) / 2) * step
            spans[key] = (len(names) - 1) * step + max(self.widths[name] for name in names)
        layers: dict[str, list[str]] = {}
        for key in self.groups:
            layers.setdefault(".".join(p for p in key.split(".") if p not in DIRECTIONS), []).append(key)
        for keys in layers.values():
            x = -(sum(spans[key] for key in keys) + 20.0 * (len(keys) - 1)) / 2
            for key in keys:
                for name in self.groups[key]:
                    found[name] += x + spans[key] / 2
                x += spans[key] + 20.0
        return found

    @cached_property
    def pitch(self) -> float:
        """From one column to the next."""

        def reach(names: list[str], side: int) -> float:
            return max((side * self.offsets[n] + self.widths[n] / 2 for n in names), default=0.0)

        states = [n for n, k in self.kinds.items() if k == STATE]
        above = [n for n, k in self.kinds.items() if k != STATE]
        gap = _GAPS["label"]
        if len(states) == 1:  # its parameters stand on every arrow
            named = [e for e in self.graph.edges if e.parameters and GAP not in (e.source.kind, e.target.kind)]
            wide = [(measure(self.parameters(e.parameters), LABEL).width, e.is_recurrent) for e in named]
            gap = max([gap, *(width + (44.0 if between else 18.0) for width, between in wide)])
        return max(reach(states, 1) + reach(states, -1) + gap, reach(above, 1) + reach(above, -1) + _GAPS["x"])

    @cached_property
    def columns(self) -> dict[int, float]:
        """Column -> x of its middle."""
        steps, x, found = self.graph.columns, 0.0, {}
        for place, step in enumerate(steps):
            if place:
                x += self.pitch * (0.85 if step is None or steps[place - 1] is None else 1.0)
            found[place] = x
        return {**found, -1: -self.pitch, len(steps): x + self.pitch}

    @cached_property
    def nodes(self) -> dict[Vertex, Node]:
        """The nodes, not yet moved into the picture."""
        found = {}
        for vertex in self.graph.vertices:
            text, kind = self.texts[vertex], vertex.kind
            if kind == TOTAL and not self.graph.only_last_counts:
                box = self._bar(text)
            else:
                wide = 30.0 if kind == GAP else self.widths[vertex.name]
                high = 30.0 if kind in (INPUT, GIVEN) else HEIGHT
                x = self.columns[vertex.column] + self.offsets[vertex.name]
                box = Rectangle(x, -ROW * self.rows[vertex.name], wide, high, _RADII.get(kind, high / 2))
            found[vertex] = Node(vertex, box, self.item_of(vertex), text)
        return found

    def _bar(self, text: Box) -> Rectangle:
        """L spans all steps, so that every loss is straight below it."""
        left, right = self.columns[0], self.columns[len(self.graph.columns) - 1]
        width = max(right - left + self.widths["l"] + 24.0, text.width + 24.0)
        return Rectangle((left + right) / 2, -ROW * self.rows["L"], width, HEIGHT, _RADII[TOTAL])

    # -- lines ---------------------------------------------------------------------------------------
    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All arrows: of every edge the forward one, and the gradient that goes back."""
        return tuple(line for edge in self.graph.edges for line in self._lines(edge))

    def _lines(self, edge: Edge) -> list[Line]:
        centre = self._centre_line(edge)
        if edge.gradient == NONE:
            return [Line(edge, FORWARD, self._clipped(edge, centre))]
        forward = Line(edge, FORWARD, self._clipped(edge, _shifted(centre, LANE)))
        back = self._clipped(edge, _shifted(centre, -LANE))[::-1]
        style = {IS_CUT: CUT, IS_RANDOM: RANDOM}.get(edge.gradient, GRADIENT)
        return [forward, Line(edge, style, part(back, 0.0, 0.5) if style == CUT else back)]

    def _centre_line(self, edge: Edge) -> tuple[Point, ...]:
        source, target = self.nodes[edge.source].box, self.nodes[edge.target].box
        end = (source.x, target.y) if edge.target.name == "L" else (target.x, target.y)
        straight = ((source.x, source.y), end)
        others = [n.box for v, n in self.nodes.items() if v not in (edge.source, edge.target)]
        curves = [straight, *(_bent(straight, by) for by in _BENDS)]
        return next((curve for curve in curves if _is_clear(curve, others)), straight)

    def _clipped(self, edge: Edge, points: tuple[Point, ...]) -> tuple[Point, ...]:
        """Return what of a line lies outside the two nodes."""
        source, target = self.nodes[edge.source].box, self.nodes[edge.target].box
        first = _last_inside(points, source, 0.0, 1.0)
        return part(points, first, _last_inside(points, target, 1.0, 0.0))

    # -- what surrounds ------------------------------------------------------------------------------
    @property
    def frames(self) -> list[Rectangle]:
        """Boxes around the states of a step, for each cell with several."""
        found = []
        for names in self.groups.values():
            for place, step in enumerate(self.graph.columns):
                if len(names) > 1 and step is not None:
                    boxes = [self.nodes[self.graph.by_place[name, place]].box for name in names]
                    found.append(around(boxes, 9.0, 14.0))
        return found

    @property
    def bands(self) -> list[Rectangle]:
        """The steps of the window of the last loss."""
        if not isinstance(self.graph.how, Window):
            return []
        own = [v for v in self.graph.reached if v.kind not in (INITIAL, GAP) and v.step is not None]
        columns = {v.column for v in own}
        boxes = [
            n.box for v, n in self.nodes.items() if v.column in columns and v.step is not None and v.kind != INITIAL
        ]
        return [around(boxes, 12.0, 18.0)]

    @cached_property
    def borders(self) -> list[tuple[float, float, float]]:
        """Between the segments: x, top and bottom of a line beside the states."""
        if not isinstance(self.graph.how, Segments):
            return []
        states = [n.box for v, n in self.nodes.items() if v.kind == STATE]
        inputs = [n.box for v, n in self.nodes.items() if v.kind == INPUT]
        top = min(box.corners()[1] for box in states) - 22.0
        bottom = max(box.corners()[3] for box in inputs or states)
        pairs = {tuple(sorted((e.source.column, e.target.column))) for e in self.graph.edges if self.graph.is_cut(e)}
        return [((self.columns[a] + self.columns[b]) / 2, top, bottom) for a, b in sorted(pairs)]


def around(boxes: list[Rectangle], pad: float, radius: float) -> Rectangle:
    """Return the box around boxes.

    >>> around([Rectangle(0, 0, 10, 10), Rectangle(20, 0, 10, 10)], 5, 0)
    Rectangle(x=10.0, y=0.0, width=40.0, height=20.0, radius=0)
    """
    corners = [box.corners() for box in boxes]
    left, top = min(c[0] for c in corners) - pad, min(c[1] for c in corners) - pad
    right, bottom = max(c[2] for c in corners) + pad, max(c[3] for c in corners) + pad
    return Rectangle((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, radius)


def _normal(points: tuple[Point, ...]) -> Point:
    (x, y), (u, v) = points[0], points[-1]
    length = hypot(u - x, v - y) or 1.0
    return ((v - y) / length, (x - u) / length)


def _shifted(points: tuple[Point, ...], by: float) -> tuple[Point, ...]:
    """Move a line to the left of its direction."""
    x, y = _normal(points)
    return tuple((p + by * x, q + by * y) for p, q in points)


def _bent(points: tuple[Point, ...], by: float) -> tuple[Point, ...]:
    x, y = _normal(points)
    (a, b), (c, d) = points
    return (points[0], ((a + c) / 2 + 2 * by * x, (b + d) / 2 + 2 * by * y), points[1])


def _is_clear(points: tuple[Point, ...], boxes: list[Rectangle]) -> bool:
    places = [along(points, k / 32) for k in range(33)]
    left, right = min(x for x, _ in places) - 9.0, max(x for x, _ in places) + 9.0
    top, bottom = min(y for _, y in places) - 9.0, max(y for _, y in places) + 9.0
    region = Rectangle((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    near = [box for box in boxes if box.meets(region)]
    return not any(box.holds(place, 9.0) for box in near for place in places)


def _last_inside(points: tuple[Point, ...], box: Rectangle, inside: float, outside: float) -> float:
    """Return where a line leaves a box, found by halving."""
    if not box.holds(along(points, inside)):
        return inside
    outside = inside + (outside - inside) * 0.75
    for _ in range(30):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if box.holds(along(points, middle), 1.5) else (inside, middle)
    return round(inside, 6)
