"""What is written beside arrows and nodes, and where: the first place at which a label covers nothing.

All labels of a kind (W_h on every recurrent arrow) take the same place relative to what they belong to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot
from typing import Any

from .. import algebra as A
from ..algebra.layout import Item
from ..derive.graph import FLOW, GAP, INITIAL, NONE, STATE, Edge
from ..derive.graph import RANDOM as IS_RANDOM
from ..derive.truncation.common import loss_of
from ..derive.truncation.randomised import mask, probability
from ..model import ROWS
from ..model.truncation import Randomised
from .graph_layout import LABEL, Layout
from .graph_parts import FORWARD, GRADIENT, Label, Node, Point, Rectangle, along
from .svg_math import Box, measure

_SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)


@dataclass(frozen=True)
class _Wanted:
    """A label: what it says, the kind of label that it is, and a node, or an edge with the side of it."""

    item: Item
    style: str
    kind: tuple[Any, ...]
    node: Node | None = None
    edge: Edge | None = None
    side: int = 1


def labels(layout: Layout) -> tuple[Label, ...]:
    """Return the labels for which there is room."""
    return _Placing(layout).placed()


class _Placing:
    def __init__(self, layout: Layout) -> None:
        self.layout, self.graph, self.system = layout, layout.graph, layout.system
        self.nodes = [node.box for node in layout.nodes.values()]
        self.points = [line.at(k / 24) for line in layout.lines for k in range(25)]
        borders = (((x, top), (x, bottom)) for x, top, bottom in layout.borders)
        self.points += [along(border, k / 24) for border in borders for k in range(25)]
        self.points.sort()
        self.lines = {(line.edge, line.style == FORWARD): line for line in layout.lines}
        self.found: list[Label] = []

    def placed(self) -> tuple[Label, ...]:
        kinds: dict[tuple[Any, ...], list[_Wanted]] = {}
        for wanted in (*self._adjoints(), *self._parameters(), *self._factors()):
            kinds.setdefault(wanted.kind, []).append(wanted)
        for group in kinds.values():
            self._place(group)
        return tuple(self.found)

    # -- what is written -----------------------------------------------------------------------------
    def _adjoints(self) -> Iterator[_Wanted]:
        """dL/dh_t beside every state that the gradient reaches."""
        mode = self.graph.how.mode if self.graph.how is not None and not self.graph.of_one_loss else A.TOTAL
        if self.graph.of_one_loss or self._has_windowed_loss():
            mode = A.TOTAL
        of = self.system.at("l", self.system.last) if self.graph.of_one_loss else self.system.L
        for vertex, node in self.layout.nodes.items():
            if vertex.kind in (STATE, INITIAL) and vertex in self.graph.reached:
                item = self.layout.math(A.derivative(of, self.system.at(vertex.name, vertex.step), mode))
                yield _Wanted(item, GRADIENT, ("adjoint", vertex.name), node=node)

    def _has_windowed_loss(self) -> bool:
        """Whether there is a single loss and a window: inside it nothing is cut, and the derivative is exact."""
        return bool(self.layout.bands)

    def _parameters(self) -> Iterator[_Wanted]:
        """The parameters on arrows: on all of them for a single state, else once."""
        seen: set[Any] = set()
        several = len(self.system.states) > 1
        for edge in self.graph.edges:
            kind = (edge.source.name, edge.target.name, edge.is_recurrent)
            if not edge.parameters or GAP in (edge.source.kind, edge.target.kind) or (several and kind in seen):
                continue
            seen.add(kind)
            yield _Wanted(self.layout.parameters(edge.parameters), FORWARD, ("parameter", *kind), edge=edge)

    def _factors(self) -> Iterator[_Wanted]:
        """What the gradient is multiplied by on its way from step to step."""
        for edge in self.graph.edges:
            if not edge.is_recurrent or GAP in (edge.source.kind, edge.target.kind):
                continue
            item = self._factor(edge)
            if item is not None:
                yield _Wanted(item, GRADIENT, ("factor", edge.source.name, edge.target.name), edge=edge, side=-1)

    def _factor(self, edge: Edge) -> Item | None:
        how = self.graph.how
        if edge.gradient == IS_RANDOM and isinstance(how, Randomised):
            return self.layout.math(random_factor(self.layout, how, edge.target.step))
        single = len(self.system.states) == 1 and self.system.layout != ROWS
        new, old = (self.system.at(v.name, v.step) for v in (edge.target, edge.source))
        if edge.gradient != FLOW or not single or A.rank_of(new) > 1:
            return None
        jacobian = A.derivative(new, old)
        return self.layout.math(jacobian if self.system.scalar else A.transpose(jacobian))

    # -- where it is written -------------------------------------------------------------------------
    def _place(self, group: list[_Wanted]) -> None:
        """Put labels of a kind at the best place that all of them can take; else each at its own; else leave it out."""
        style = group[0].style
        texts = [measure(wanted.item, LABEL) for wanted in group]
        options = [list(self._places(w, t)) for w, t in zip(group, texts, strict=True)]
        together = [
            self._cost([boxes[i] for boxes in options], style) for i in range(min(map(len, options), default=0))
        ]
        best = min(range(len(together)), key=lambda i: (together[i], i), default=None)
        for wanted, text, boxes in zip(group, texts, options, strict=True):
            if best is None or together[best] >= _COVERED:
                box = min(boxes, key=lambda b: self._cost([b], style), default=None)
            else:
                box = boxes[best]
            most = _CROSSED if style == FORWARD else _COVERED - 1
            if box is not None and (cost := self._cost([box], style)) <= most:
                self.found.append(Label(wanted.item, wanted.style, box, text, cost > 0))

    def _places(self, wanted: _Wanted, text: Box) -> Iterator[Rectangle]:
        """Yield the places that a label can take, the best first."""
        width, height = text.width + 4.0, text.height + 2.0
        around = self._around if wanted.node is not None else self._beside
        for x, y in around(wanted, width, height):
            yield Rectangle(x, y, width, height)

    def _around(self, wanted: _Wanted, width: float, height: float) -> Iterator[Point]:
        """Yield places at the corners of a node, then above and below it."""
        assert wanted.node is not None
        box = wanted.node.box
        for far in (0.0, 5.0, 10.0, 16.0):
            across, down = box.width / 2 + width / 2 - 5.0 + far, box.height / 2 + height / 2 - 3.0 + far
            for x, y in _CORNERS:
                yield (box.x + x * across, box.y + y * (down if x else down + 6.0))

    def _beside(self, wanted: _Wanted, width: float, height: float) -> Iterator[Point]:
        """Yield places along an arrow, on the side on which it runs; on both sides of a steep one that is alone."""
        assert wanted.edge is not None
        line = self.lines.get((wanted.edge, wanted.side > 0)) or self.lines[wanted.edge, True]
        forward = line.style == FORWARD
        (x, y), (u, v) = (line.points[0], line.points[-1]) if forward else (line.points[-1], line.points[0])
        length = hypot(u - x, v - y) or 1.0
        normal = (wanted.side * (v - y) / length, wanted.side * (x - u) / length)
        is_alone = wanted.edge.gradient == NONE and abs(normal[1]) < 0.3
        for extra in (0.0, 4.0, 9.0):
            for share in _SHARES:
                for side in (1, -1) if is_alone else (1,):
                    p, q = line.at(share if forward else 1 - share)
                    away = abs(normal[0]) * width / 2 + abs(normal[1]) * height / 2 + 3.0 + extra
                    yield (p + side * normal[0] * away, q + side * normal[1] * away)

    def _cost(self, boxes: list[Rectangle], style: str) -> int:
        """What labels would cover: arrows cost a little, nodes and other labels too much."""
        others = [(node, 2.0) for node in self.nodes]
        others += [(e.box, _APART if e.style == style == GRADIENT else 2.0) for e in self.found]
        cost = 0
        for place, box in enumerate(boxes):
            if any(box.meets(other, pad) for other, pad in others) or any(box.meets(b, 2.0) for b in boxes[:place]):
                return _COVERED
            cost += self._crossed(box)
        return cost

    def _crossed(self, box: Rectangle) -> int:
        """Count the points of lines in a box."""
        left, top, right, bottom = box.corners()
        near = self.points[bisect_left(self.points, (left - 1.0,)) : bisect_left(self.points, (right + 1.0,))]
        return sum(top - 1.0 <= y <= bottom + 1.0 for _, y in near)


_COVERED = 10**9
_CROSSED = 2
"""A parameter is left out rather than written across more of the arrows than this."""
_APART = 9.0
"""Two derivatives that are closer than this would be read as their product."""
_CORNERS = ((1, -1), (-1, -1), (1, 1), (-1, 1), (0, 1), (0, -1))


def random_factor(layout: Layout, how: Randomised, when: Any) -> Any:
    """Return xi_t / p: what a gradient is multiplied by where it goes on from step t to the one before."""
    return A.divide(mask(how, when, loss_of(layout.system)[1]), probability(how, when))
