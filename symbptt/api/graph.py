"""A picture of the unrolled computational graph, in any format."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..derive.graph import UnrolledGraph
from ..render.phrases import check_language

if TYPE_CHECKING:
    from ..render.graph_parts import Picture


class Graph:
    """The unrolled computational graph: forward in one colour and solid, the gradient in another and dashed.

    Attributes
    ----------
    unrolled : UnrolledGraph
        What is drawn, as data: ``columns``, ``vertices`` and ``edges``.
    lang : str
    notation : str or mapping

    Examples
    --------
    >>> from symbptt import load
    >>> graph = load("relu-explosion").graph()
    >>> graph.to_svg()[:46]
    '<svg xmlns="http://www.w3.org/2000/svg" class='
    >>> len(graph.unrolled.columns)
    3
    """

    def __init__(
        self, unrolled: UnrolledGraph, lang: str, notation: str | Mapping[str, str], title: Mapping[str, str]
    ) -> None:
        check_language(lang)
        self.unrolled, self.lang, self.notation, self.title = unrolled, lang, notation, title

    @cached_property
    def picture(self) -> Picture:
        """Where everything stands, before any output format."""
        from ..render.graph_picture import picture

        return picture(self.unrolled, self.notation, self.lang, self.title)

    def to_svg(self) -> str:
        """Return one ``svg`` element: a file of its own, or a part of a page."""
        from ..render.graph_svg import to_svg

        return to_svg(self.picture)

    def to_tikz(self, document: bool = False) -> str:
        """Return a ``tikzpicture``, or a complete document for XeLaTeX whose page is as large as the picture."""
        from ..render.graph_tikz import to_tikz

        return to_tikz(self.picture, document)

    def to_pdf(self, path: str | Path) -> Path:
        """Compile the complete document with XeLaTeX and write it to a path."""
        from ..render.graph_tikz import to_pdf

        return to_pdf(self.picture, Path(path))

    def _repr_svg_(self) -> str:
        return self.to_svg()
