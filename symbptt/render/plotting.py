"""What all plots share: fonts with Chinese characters, formulas as matplotlib sets them, files that stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..algebra.layout import Item
from ..algebra.tex import to_tex
from ..errors import MissingToolError, OutputError, warn
from .phrases import PLACEHOLDER, catalogue

SUFFIXES = (".svg", ".png", ".pdf")
CJK_FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Microsoft YaHei", "SimHei", "PingFang SC", "Heiti SC", "FandolHei", "Arial Unicode MS",
)  # fmt: skip
"""Fonts with Chinese characters, the first that is installed is taken."""
COLOURS = "cividis"
"""The map of heat maps: its lightness only grows, and it is the same to the colour-blind."""
_METADATA: dict[str, Any] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_MATHTEXT = (
    (r"\left\lVert", r"\left\Vert"), (r"\right\rVert", r"\right\Vert"), (r"\lVert", r"\Vert"), (r"\rVert", r"\Vert"),
    (r"\left\lvert", r"\left|"), (r"\right\rvert", r"\right|"), (r"\lvert", "|"), (r"\rvert", "|"),
    (r"\thinspace", r"\,"), (r"\lbrace", r"\{"), (r"\rbrace", r"\}"), (r"\boldsymbol", r"\mathbf"),
    (r"\frac", r"\dfrac"),
)  # fmt: skip
"""LaTeX that matplotlib does not know, or sets too small -> the same in other words."""


class Wording:
    """The words of a plot, in a language for which there is a font; English where there is none for Chinese.

    Parameters
    ----------
    lang : {"en", "zh"}

    Raises
    ------
    MissingToolError
        Where matplotlib is not installed.
    """

    def __init__(self, lang: str) -> None:
        require_matplotlib()
        self.lang, self._fonts = _fonts(lang)
        self._phrases = catalogue(self.lang)

    def __call__(self, key: str, facts: Mapping[str, str] = {}) -> str:
        """Return a phrase with formulas (as :func:`mathtext` writes them) in the place of its placeholders."""
        return PLACEHOLDER.sub(lambda match: facts[match[1]], self._phrases[key])

    def context(self) -> Any:
        """Return a context in which matplotlib has the fonts; texts in SVG are outlines, so that no font is needed."""
        import matplotlib

        settings: Any = {
            "svg.hashsalt": "symbptt", "svg.fonttype": "path", "axes.unicode_minus": False, "font.size": 10,
            **self._fonts,
        }  # fmt: skip
        return matplotlib.rc_context(settings)


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure, in inches, whose margins leave room for characters taller than matplotlib takes them."""
    from .figure import ShownFigure

    figure = ShownFigure(figsize=(width, height), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.1, h_pad=0.08)
    return figure


def require_matplotlib() -> None:
    """Raise where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingToolError('plots need matplotlib: pip install "symbptt[plot]"') from None


def check_suffix(path: Path | None) -> None:
    """Raise where the suffix of a path is none that a plot is written as."""
    if path is not None and path.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{path}: a plot is written as {', '.join(SUFFIXES)}; give such a suffix")


def mathtext(item: Item) -> str:
    r"""Return a formula as matplotlib sets it.

    >>> from symbptt.algebra.layout import Fraction, Ident
    >>> mathtext(Fraction(Ident("a"), Ident("b")))
    '$\\dfrac{a}{b}$'
    """
    tex = to_tex(item)
    for old, new in _MATHTEXT:
        tex = tex.replace(old, new)
    return f"${tex}$"


def save(figure: Any, path: Path) -> None:
    """Write a figure; the same figure has the same bytes.

    Raises
    ------
    OutputError
        Where it cannot be written.
    """
    try:
        figure.savefig(path, metadata=_METADATA.get(path.suffix.lower(), {}), dpi=150)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None


def _fonts(lang: str) -> tuple[str, dict[str, Any]]:
    """Return the language of the labels and the fonts for it; English where there is no font for Chinese."""
    if lang != "zh":
        return lang, {}
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    found = next((name for name in CJK_FONTS if name in installed), None)
    if found is None:
        warn("no font with Chinese characters was found; the labels of the plot are in English")
        return "en", {}
    return lang, {"font.family": "sans-serif", "font.sans-serif": [found, "DejaVu Sans"]}
