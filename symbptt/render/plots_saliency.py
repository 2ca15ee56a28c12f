"""A heat map of saliency: which input each loss or output depends on, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import algebra as A
from ..algebra.layout import Fraction, Ident, Operator, row
from ..algebra.present import present
from ..algebra.scalar import to_scalar
from ..derive.closed import loss_index
from ..model import System, names, names_in
from .plotting import COLOURS, Wording, check_suffix, mathtext, new_figure, save


def plot_saliency(
    norms: Any,
    path: str | Path | None = None,
    of: str = "l",
    by: str = "x",
    lang: str = "en",
    notation: str | Mapping[str, str] = "textbook",
    system: System | None = None,
) -> Any:
    """Draw the norms of d(of)_s/d(by)_t on a logarithmic scale; needs the extra ``plot``.

    Parameters
    ----------
    norms : array (T, T)
        As :meth:`symbptt.RNN.saliency_norms` returns them.
    path : str or Path, optional
        Where the picture is written: a name that ends in ``.svg``, ``.png`` or ``.pdf``.
    of, by : str
        For the labels.
    lang : {"en", "zh"}
    notation : str or mapping
    system : System, optional
        Of the model, whose layout and sizes the labels then follow.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingToolError
        Where matplotlib is not installed.
    OutputError
        For another suffix, or a path that cannot be written.
    """
    target = None if path is None else Path(path)
    check_suffix(target)
    words = Wording(lang)
    s, t, shown = _labels(of, by, notation, system)
    with words.context():
        figure = _drawn(np.asarray(norms, dtype=float), words, s, t, shown)
        if target is not None:
            save(figure, target)
    return figure


def _drawn(values: Any, words: Wording, s: str, t: str, shown: str) -> Any:
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import MaxNLocator

    positive = values[values > 0]
    figure = new_figure(5.4, 4.4)
    axes = figure.add_subplot()
    count = len(values)
    scale = LogNorm(positive.min(), positive.max()) if len(positive) and positive.min() < positive.max() else None
    image = axes.imshow(
        np.ma.masked_less_equal(values, 0), cmap=COLOURS, norm=scale, origin="lower",
        extent=(0.5, count + 0.5, 0.5, count + 0.5),
    )  # fmt: skip
    axes.set_title(words("ui.plot_saliency_title"))
    axes.set_xlabel(words("ui.plot_saliency_by", {"t": t}))
    axes.set_ylabel(words("ui.plot_saliency_of", {"s": s}))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(image, label=shown)
    return figure


def _labels(of: str, by: str, notation: str | Mapping[str, str], system: System | None) -> tuple[str, str, str]:
    """Return the two variables at their steps, and the norm of the derivative."""
    if system is None:
        used = names(notation)
        above, below = used.at(of, Ident("s")), used.at(by, Ident("t"))
        bars, partial = Operator("\u2016", "plain"), Operator("\u2202", "plain")
        norm = row(bars, Fraction(row(partial, above), row(partial, below)), bars)
        return mathtext(above), mathtext(below), mathtext(norm)
    used = names_in(system, notation)
    mapped = to_scalar if system.scalar else _same
    top, under = system.at(of, loss_index(system)), system.at(by)
    every = (top, under, A.Norm(A.derivative(top, under)))
    first, second, third = (mathtext(present(mapped(expr), used)) for expr in every)
    return first, second, third


def _same(expr: Any) -> Any:
    return expr
