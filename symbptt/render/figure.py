"""A matplotlib figure that a notebook shows, whichever backend is on, in the fonts that it was made with."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.figure import Figure

KEPT = ("axes.unicode_minus", "font.family", "font.sans-serif", "font.size", "svg.fonttype", "svg.hashsalt")
"""Settings that are read when a figure is drawn, and not when it is made."""


class ShownFigure(Figure):
    """A figure that keeps the settings in force when it was made."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        settings: Any = matplotlib.rcParams
        self._settings: Any = {key: settings[key] for key in KEPT}

    def draw(self, renderer: Any) -> None:
        with matplotlib.rc_context(self._settings):
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        written = BytesIO()
        with matplotlib.rc_context(self._settings):
            self.savefig(written, format="png", dpi=110)
        return written.getvalue()
