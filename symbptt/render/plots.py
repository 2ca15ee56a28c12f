"""Plots of stability with matplotlib, labelled in the language and the notation of a derivation.

Lines differ in dash and marker and heat maps in lightness, so that everything can be read in grey as well.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import algebra as A
from ..algebra.layout import Ident
from ..algebra.measures import tangent
from ..algebra.present import present
from ..algebra.scalar import to_scalar
from ..derive.closed import joint, loss_index
from ..derive.stability.common import recurrent
from ..errors import RefusedError, UnknownNameError, nearest
from ..model import names_in
from .plotting import COLOURS, Wording, check_suffix, mathtext, new_figure, save

KINDS = ("norms", "heatmap", "spectrum", "power")
ALL = "all"
HEADROOM = 1e4
"""How far above the largest gradient norm a bound is followed."""


def plot(derivation: Any, kind: str = "norms", path: Path | None = None) -> Any:
    """Draw a plot of a :class:`symbptt.api.StabilityDerivation`.

    Parameters
    ----------
    derivation : StabilityDerivation
    kind : {"norms", "heatmap", "spectrum", "power", "all"}
        The norm of dL/dh_t over t with its bound; the norms of all Jacobian products; the eigenvalues and the unit
        circle; the angle to the dominant eigenvector; or all of these that there are.
    path : Path, optional
        Where to write it: SVG, PNG or PDF by its suffix.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingToolError
        Where matplotlib is not installed.
    RefusedError
        Where there is nothing to draw, such as power iteration of a rotation.
    """
    if kind not in (*KINDS, ALL):
        raise UnknownNameError(f"unknown plot {kind!r}{nearest(kind, (*KINDS, ALL))}")
    check_suffix(path)
    writer = _Plotter(derivation)
    with writer.words.context():
        figure = writer.all() if kind == ALL else writer.one(kind)
        if path is not None:
            save(figure, path)
    return figure


class _Plotter:
    def __init__(self, derivation: Any) -> None:
        self.data = derivation.data
        self.network = derivation.derived.network
        self.system = self.network.system
        self.names = names_in(self.system, derivation.notation)
        self.words = Wording(derivation.lang)

    # -- figures --------------------------------------------------------------------------------------
    def one(self, kind: str) -> Any:
        figure = new_figure(6.4, 4.4)
        self._draw(kind, figure.add_subplot())
        return figure

    def all(self) -> Any:
        """Every plot that there is, side by side."""
        kinds = [kind for kind in KINDS if self._is_possible(kind)]
        rows = (len(kinds) + 1) // 2
        figure = new_figure(11.5, 4.3 * rows)
        for place, kind in enumerate(kinds, start=1):
            self._draw(kind, figure.add_subplot(rows, 2, place))
        return figure

    def _draw(self, kind: str, axes: Any) -> None:
        makers: dict[str, Callable[[Any], None]] = {
            "norms": self._norms, "heatmap": self._heatmap, "spectrum": self._spectrum, "power": self._power,
        }  # fmt: skip
        makers[kind](axes)
        axes.set_title(self.words(f"ui.plot_{kind}_title"))

    def _is_possible(self, kind: str) -> bool:
        if kind == "spectrum":
            return bool(recurrent(self.network))
        return kind != "power" or self._power_fault() is None

    def _math(self, expr: Any) -> str:
        """A formula in the notation of the document, as matplotlib sets it."""
        return mathtext(present(to_scalar(expr) if self.system.scalar else expr, self.names))

    # -- the four -------------------------------------------------------------------------------------
    def _norms(self, axes: Any) -> None:
        norms = self.data.gradient_norms
        steps = np.arange(len(norms))
        shown = norms > 0
        t, L = self.system.t, self.system.L
        label = self._math(A.Norm(A.derivative(L, joint(self.system, t))))
        axes.semilogy(steps[shown], norms[shown], "k-", marker="o", markersize=3, markevery=max(1, len(norms) // 25),
                      label=label)  # fmt: skip
        run, factor = self.data.run, self.data.bounds.factor
        sizes = {t: float(np.linalg.norm(J, 2)) for t, J in run.one_step.items()}
        bounds = [self._gradient_bound(sizes)]
        axes.semilogy(steps, bounds[0], ":", color="0.3", label=self.words("ui.plot_product"))
        if factor is not None:
            bounds.append(self._gradient_bound(dict.fromkeys(sizes, factor)))
            axes.semilogy(steps, bounds[1], "--", color="0.45", label=self.words("ui.plot_bound"))
        low, high = norms[shown].min(initial=np.inf), norms.max()
        if np.isfinite(low):
            axes.set_ylim(low / 5, min(max(float(np.nanmax(b)) for b in bounds) * 3, high * HEADROOM))
        axes.set_xlabel(self.words("ui.plot_step", {"t": self._math(t)}))
        axes.set_ylabel(self.words("ui.plot_norm"))
        axes.grid(True, which="major", color="0.85", linewidth=0.6)
        axes.legend()

    def _gradient_bound(self, sizes: dict[int, float]) -> Any:
        """What the norm of dL/dh_t never exceeds: the local parts, each times the bounds of the steps on its way."""
        run = self.data.run
        found: dict[int, float] = {}
        carried = 0.0
        for t in run.order[::-1]:
            after = t + self.system.direction
            carried = float(np.linalg.norm(run.locals.get(t, 0.0))) + sizes.get(after, 0.0) * carried
            found[t] = carried
        return np.array([found.get(t, np.nan) for t in range(max(run.order) + 1)])

    def _heatmap(self, axes: Any) -> None:
        from matplotlib.colors import LogNorm, Normalize

        norms = np.ma.masked_less_equal(self.data.norms, 0)
        low, high = float(norms.min()), float(norms.max())
        scale = LogNorm(low, high) if high > low * 1.5 else Normalize(0, high)
        image = axes.imshow(norms, cmap=COLOURS, norm=scale, origin="upper", interpolation="nearest")
        s, t = loss_index(self.system), self.system.t
        shown = A.Norm(A.derivative(joint(self.system, s), joint(self.system, t)))
        axes.figure.colorbar(image, ax=axes, label=self._math(shown))
        axes.set_xlabel(self.words("ui.plot_from_step", {"t": self._math(t)}))
        axes.set_ylabel(self.words("ui.plot_of_step", {"s": self._math(s)}))
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_major_locator().set_params(integer=True)

    def _spectrum(self, axes: Any) -> None:
        found = recurrent(self.network)
        if not found:
            raise RefusedError("there is no square recurrent matrix, and so no spectrum to draw")
        turn = np.linspace(0, 2 * np.pi, 361)
        axes.plot(np.cos(turn), np.sin(turn), "--", color="0.45", label=self.words("ui.plot_circle"))
        for marker, (key, symbol) in zip("osD^vP" * len(found), found.items(), strict=False):
            values = self.data.spectra[key].values
            label = self.words("ui.plot_spectrum", {"matrix": self._math(symbol)})
            points = [[v.real for v in values], [v.imag for v in values]]
            axes.plot(*points, linestyle="", marker=marker, markerfacecolor="0.3", color="k", label=label)
        reach = 1.15 * max(1.0, *(self.data.spectra[key].radius for key in found))
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        axes.set_aspect("equal")
        axes.axhline(0, color="0.85", linewidth=0.6, zorder=0)
        axes.axvline(0, color="0.85", linewidth=0.6, zorder=0)
        axes.set_xlabel(self.words("ui.plot_real"))
        axes.set_ylabel(self.words("ui.plot_imaginary"))
        axes.legend(loc="upper left", fontsize="small")

    def _power_fault(self) -> str | None:
        if len(recurrent(self.network)) != 1 or len(self.system.states) != 1 or self.system.scalar:
            return "power iteration needs one state and one recurrent matrix"
        if not self.data.spectrum.has_dominant:
            return "there is no single dominant eigenvector, so that power iteration does not converge"
        return None if self.data.power_iteration(0)[0].any() else "dL/dh is zero at the last step"

    def _power(self, axes: Any) -> None:
        fault = self._power_fault()
        if fault is not None:
            raise RefusedError(f"no plot of power iteration: {fault}")
        (symbol,) = recurrent(self.network).values()
        iterates = self.data.power_iteration()
        rows = np.arange(len(iterates))
        for matrix, style in ((A.transpose(symbol), "k-o"), (symbol, "--s")):
            node = A.DominantEigenvector(matrix)
            direction = np.asarray(self.data.run.value(node), dtype=float)
            angles = np.degrees(np.arctan([tangent(x, direction) for x in iterates]))
            shown = angles > 1e-10
            color: Any = {} if style.startswith("k") else {"color": "0.45", "markerfacecolor": "none"}
            size = 4 if style.startswith("k") else 8  # around the others, where both lines are the same
            axes.semilogy(rows[shown], angles[shown], style, markersize=size, label=self._math(node), **color)
        axes.set_xlabel(self.words("ui.plot_distance", {"k": mathtext(Ident("k"))}))
        axes.set_ylabel(self.words("ui.plot_power"))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(True, which="major", color="0.85", linewidth=0.6)
        axes.legend()
