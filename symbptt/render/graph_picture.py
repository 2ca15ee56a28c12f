"""The whole picture: nodes, arrows, labels and a legend, moved so that it begins at (0, 0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..algebra.layout import Item, Number
from ..algebra.plain import to_plain
from ..derive.graph import CUT as IS_CUT
from ..derive.graph import UnrolledGraph
from ..derive.truncation.randomised import probability
from ..model.truncation import Randomised, Segments, Window, written
from .graph_labels import labels, random_factor
from .graph_layout import MARGIN, Layout, around
from .graph_parts import CUT, FORWARD, GRADIENT, RANDOM, Entry, Line, Picture, Rectangle
from .phrases import PLACEHOLDER, catalogue, check_language
from .svg_math import measure_words

SAMPLE = 34.0
"""Width of the sample of a line in the legend."""
SIZE = 13.0
_BETWEEN, _LINE, _LEAST = 26.0, 24.0, 300.0


def picture(
    graph: UnrolledGraph, notation: str | Mapping[str, str], lang: str, title: Mapping[str, str] | None = None
) -> Picture:
    """Lay out an unrolled graph.

    Parameters
    ----------
    graph : UnrolledGraph
    notation : str or mapping
    lang : {"en", "zh"}
    title : mapping, optional
        Language -> title of the model.

    Returns
    -------
    Picture
        Its left upper corner is (0, 0), in pixels.

    Raises
    ------
    UnknownNameError
        For an unknown language or notation.
    """
    check_language(lang)
    layout = Layout(graph, notation)
    words = catalogue(lang)
    found = labels(layout)
    gradients, nodes = [e.box for e in found if e.style == GRADIENT], [n.box for n in layout.nodes.values()]
    bands = [_with_labels(band, gradients, nodes) for band in layout.bands]
    boxes = [*(node.box for node in layout.nodes.values()), *(label.box for label in found)]
    boxes += [*layout.frames, *bands, *(_around(line) for line in layout.lines)]
    boxes += [around([Rectangle(x, top, 0, 0), Rectangle(x, bottom, 0, 0)], 0, 0) for x, top, bottom in layout.borders]
    left, top, right, bottom = around(boxes, MARGIN, 0.0).corners()
    width = max(right - left, _LEAST)
    dx, dy = (width - (right - left)) / 2 - left, -top
    legend, height = _legend(_entries(layout, words), width, bottom - top)
    width = max(width, *(entry.x + entry.text.width + MARGIN for entry in legend))
    dx += (width - max(right - left, _LEAST)) / 2
    return Picture(
        width=_neat(width),
        height=_neat(height),
        nodes=tuple(replace(n, box=_moved(n.box, dx, dy)) for n in layout.nodes.values()),
        lines=tuple(
            Line(e.edge, e.style, tuple((_neat(x + dx), _neat(y + dy)) for x, y in e.points)) for e in layout.lines
        ),
        labels=tuple(replace(e, box=_moved(e.box, dx, dy)) for e in found),
        legend=legend,
        bands=tuple(_moved(box, dx, dy) for box in bands),
        frames=tuple(_moved(box, dx, dy) for box in layout.frames),
        borders=tuple((_neat(x + dx), _neat(a + dy), _neat(b + dy)) for x, a, b in layout.borders),
        title=_title(layout, words, (title or {}).get(lang)),
        description=_description(layout, words),
        lang=lang,
    )


def _neat(value: float) -> float:
    return round(value, 2) + 0.0


def _moved(box: Rectangle, dx: float, dy: float) -> Rectangle:
    return replace(box, x=_neat(box.x + dx), y=_neat(box.y + dy), width=_neat(box.width), height=_neat(box.height))


def _with_labels(band: Rectangle, labels: list[Rectangle], nodes: list[Rectangle]) -> Rectangle:
    """Make a band wide enough for the labels that it meets, where there is room before the nodes beside it."""
    inside = [label for label in labels if band.meets(label)]
    wide = around([band, *(replace(label, width=label.width + 10.0) for label in inside)], 0.0, band.radius)
    (first, _, last, _), (left, _, right, _) = band.corners(), wide.corners()
    beside = [node.corners() for node in nodes if wide.meets(node) and not band.holds((node.x, node.y))]
    left = max([left, *(min(node[2] + 5.0, first) for node in beside if node[2] <= first + 9.0)])
    right = min([right, *(max(node[0] - 5.0, last) for node in beside if node[0] >= last - 9.0)])
    return replace(wide, x=(left + right) / 2, width=right - left)


def _around(line: Line) -> Rectangle:
    return around([Rectangle(x, y, 8.0, 8.0) for x, y in (line.at(k / 8) for k in range(9))], 0.0, 0.0)


# -- words ------------------------------------------------------------------------------------------------------
def _filled(phrase: str, facts: Mapping[str, Item]) -> tuple[str | Item, ...]:
    """Return a phrase with formulas in their places."""
    pieces = PLACEHOLDER.split(phrase)
    return tuple(facts[p] if i % 2 else p for i, p in enumerate(pieces) if p)


def _title(layout: Layout, words: Mapping[str, str], own: str | None) -> str:
    steps = layout.system.steps
    return (
        words["ui.graph_title_of"].format(model=own, steps=steps)
        if own
        else words["ui.graph_title"].format(steps=steps)
    )


def _description(layout: Layout, words: Mapping[str, str]) -> str:
    shown = [step for step in layout.graph.columns if step is not None]
    steps = words["ui.graph_steps_between"].format(first=shown[0], last=shown[-1])
    states = ", ".join(to_plain(layout.math(layout.system.at(name))) for name in layout.system.states)
    return words["ui.graph_description"].format(shown=steps, states=states)


def _entries(layout: Layout, words: Mapping[str, str]) -> list[tuple[str, tuple[str | Item, ...]]]:
    """Return style and words of each line of the legend."""
    graph, how, system = layout.graph, layout.graph.how, layout.system
    found: list[tuple[str, tuple[str | Item, ...]]] = [(FORWARD, _filled(words["ui.graph_forward"], {}))]
    loss = layout.math(system.at("l", system.last)) if graph.of_one_loss else layout.math(system.L)
    facts: dict[str, Item] = {"loss": loss}
    key = "ui.graph_gradient_one" if graph.of_one_loss else "ui.graph_gradient"
    if isinstance(how, Window) and not graph.of_one_loss:
        key = "ui.graph_gradient_last"
    found.append((GRADIENT, _filled(words[key], facts)))
    if isinstance(how, Randomised):
        found.append((RANDOM, _filled(words[_random_key(how)], _chances(layout, how))))
    if isinstance(how, Window | Segments) and any(edge.gradient == IS_CUT for edge in graph.edges):
        facts["tau"] = Number(str(how.tau))
        key = "ui.graph_cut_window" if isinstance(how, Window) else "ui.graph_cut_segments"
        found.append((CUT, _filled(words[key], facts)))
    return found


def _random_key(how: Randomised) -> str:
    return "ui.graph_random" if how.shared else "ui.graph_random_each"


def _chances(layout: Layout, how: Randomised) -> dict[str, Item]:
    t = layout.system.t
    known = how.is_numeric and not how.varies
    chance: Any = Number(written(how.probabilities[0])) if known else layout.math(probability(how, t))
    return {"factor": layout.math(random_factor(layout, how, t)), "probability": chance}


def _legend(
    entries: list[tuple[str, tuple[str | Item, ...]]], width: float, top: float
) -> tuple[tuple[Entry, ...], float]:
    """Put the legend below the picture, as many entries side by side as there is room for; return it and its end."""
    found: list[Entry] = []
    x, y = MARGIN, top + 12.0
    for style, words in entries:
        text = measure_words(words, SIZE)
        wide = SAMPLE + 10.0 + text.width
        if x > MARGIN and x + wide > width - MARGIN:
            x, y = MARGIN, y + _LINE + max(0.0, text.height - 16.0)
        found.append(Entry(style, words, _neat(x + SAMPLE + 10.0), _neat(y), text))
        x += wide + _BETWEEN
    return tuple(found), y + max((e.text.descent for e in found), default=0.0) + MARGIN
