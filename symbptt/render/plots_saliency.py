"""A heat map of saliency: which input each loss or output depends on, and how strongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RefusedError


def plot_saliency(norms: Any, path: str | Path | None = None, of: str = "l", by: str = "x") -> Any:
    """Draw the norms of d(of)_s/d(by)_t on a logarithmic scale; needs the extra ``plot``.

    Parameters
    ----------
    norms : array (T, T)
        As :meth:`symbptt.RNN.saliency_norms` returns them.
    path : str or Path, optional
        Where the picture is written.
    of, by : str
        For the labels.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    RefusedError
        Where matplotlib is not installed.
    """
    try:
        from matplotlib.colors import LogNorm
        from matplotlib.ticker import MaxNLocator

        from .figure import ShownFigure
    except ImportError:
        raise RefusedError("a plot needs matplotlib: pip install 'symbptt[plot]'") from None
    values = np.asarray(norms, dtype=float)
    positive = values[values > 0]
    figure = ShownFigure(figsize=(5.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    count = len(values)
    scale = LogNorm(positive.min(), positive.max()) if len(positive) and positive.min() < positive.max() else None
    shown = np.ma.masked_less_equal(values, 0)
    image = axes.imshow(shown, norm=scale, origin="lower", extent=(0.5, count + 0.5, 0.5, count + 0.5))
    symbol = r"\ell" if of == "l" else of
    axes.set_xlabel(f"${by}_t$, t")
    axes.set_ylabel(f"${symbol}_s$, s")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(image, label=rf"$\|\partial {symbol}_s / \partial {by}_t\|$")
    if path is not None:
        figure.savefig(path)
    return figure
