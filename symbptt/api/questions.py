"""What can be asked of a model: gradients, derivations, functions, checks."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sympy import Basic

from ..algebra.rounding import Rounding
from ..derive.derivation import TRUNCATION, Options, derive
from ..derive.forms import gradient
from ..derive.graph import UnrolledGraph
from ..derive.influence import influence
from ..derive.remedies import REMEDIES, Remedies
from ..derive.saliency import saliency
from ..derive.stability import STABILITY, check_jacobians
from ..derive.unroll import Unrolled, unroll
from ..errors import SizeError, ValueInputError
from ..model import Network, names_in, whole
from ..model.truncation import Truncation, truncation, truncations
from ..model.values import freeze, known_keys, with_steps
from .derivation import Derivation, StabilityDerivation
from .graph import Graph
from .parts import settings_of, thawed
from .shown import Report, Shown, shown_report
from .source import origin

if TYPE_CHECKING:
    from ..derive.methods import Paths
    from ..evaluate.rtrl import ForwardMode
    from .bptt import Bptt
    from .model import RNN


class Questions:
    """What can be asked of :class:`symbptt.RNN`, which has the attributes named here."""

    __slots__ = ()
    _network: Network
    _notation: Any
    _values: tuple[tuple[str, Any], ...]
    _sections: tuple[str, ...]
    _random: tuple[tuple[str, Any], ...]
    _truncate: tuple[Truncation, ...]

    if TYPE_CHECKING:
        notation: Any
        remedies: Any
        system: Any
        title: Any
        values: Any
        replace: Any

    def gradient(self, wrt: str, at: Any = None, form: str = "recursive") -> Basic:
        """Return dL/d(wrt) as a SymPy expression; see :func:`symbptt.derive.forms.gradient`."""
        return gradient(self._network, wrt, at, form)

    def influence(self, wrt: str, at: Any = None, form: str = "recursive") -> Basic:
        """Return dh_t/dvec(wrt) as a SymPy expression; see :func:`symbptt.derive.influence.influence`.

        Matrices are stacked by columns, and several states stand on top of each other.

        >>> from symbptt import RNN
        >>> RNN("tanh").influence("W_h", form="closed")
        sum(prod(d(h[j])/d(h[j - 1]), j=s + 1..t) @ diag(1 - h[s] * h[s]) @ kron(h[s - 1].T, I(n)), s=1..t)
        """
        return influence(self._network, wrt, at, form)

    def saliency(
        self, of: str = "l", by: str = "x", at: Any = None, of_step: Any = None, form: str = "closed"
    ) -> Basic:
        """Return dl_s/dx_t or dy_s/dx_t as a SymPy expression; see :func:`symbptt.derive.saliency.saliency`."""
        return saliency(self._network, of, by, at, of_step, form)

    def saliency_norms(self, of: str = "l", by: str = "x", values: Mapping[str, Any] | None = None) -> Any:
        """Return the 2-norms (Frobenius norms) of dl_s/dx_t or dy_s/dx_t as an array (T, T), row s - 1, column t - 1.

        They come from one batched call of the generated function. Where the output of a step cannot depend on an
        input, the entry is 0. :meth:`plot_saliency` draws them.

        Parameters
        ----------
        of : {"l", "y"}
        by : str
        values : mapping, optional
            Numbers, on top of the model's own.
        """
        from ..codegen.saliency import saliency_norms

        given = {**self.values, **(values or {})}
        return saliency_norms(with_steps(self._network, given), given, of, by)

    def plot_saliency(
        self,
        of: str = "l",
        by: str = "x",
        values: Mapping[str, Any] | None = None,
        path: str | Path | None = None,
        lang: str = "en",
        notation: str | Mapping[str, str] | None = None,
    ) -> Any:
        """Draw what :meth:`saliency_norms` returns as a heat map, and return the figure of matplotlib.

        Parameters
        ----------
        of, by, values
            As in :meth:`saliency_norms`.
        path : str or Path, optional
            A file name that ends in ``.svg``, ``.png`` or ``.pdf``.
        lang : {"en", "zh"}
        notation : str or mapping, optional

        Raises
        ------
        MissingToolError
            Where matplotlib is not installed.
        """
        from ..render.plots_saliency import plot_saliency

        used = self.notation if notation is None else notation
        return plot_saliency(self.saliency_norms(of, by, values), path, of, by, lang, used, self.system)

    def unroll(self, steps: int | None = None, nested: bool = False) -> Unrolled:
        """Return the unrolled network: ``.equations``, ``.states``, ``.outputs``, ``.loss``."""
        network = self._network if steps is None else replace(self._network, steps=whole(steps, "steps"))
        if not network.steps.is_Integer:
            network = with_steps(network, self.values)
        return replace(unroll(network, nested), names=names_in(network.system, self.notation))

    def graph(
        self,
        steps: int | None = None,
        lang: str = "en",
        notation: str | Mapping[str, str] | None = None,
        truncate: Any = None,
    ) -> Graph:
        """Return a picture of the unrolled computational graph, with the flow of the gradient.

        Parameters
        ----------
        steps : int, optional
            T; by default the model's own, or that of its values. Of many steps, or of an open number, the first and
            the last are drawn.
        lang : {"en", "zh"}
        notation : str or mapping, optional
        truncate : int, str, Window, Segments or Randomised, optional
            Mark where a truncation cuts the gradient off; none by default.

        Returns
        -------
        Graph
            With ``.to_svg()``, ``.to_tikz()`` and ``.to_pdf(path)``; a notebook shows it.

        Raises
        ------
        SizeError, RefusedError
            For a truncation that does not fit T, or that is asked of a cell that runs in both directions of time.
        """
        network = self._network
        if steps is not None:
            network = replace(network, steps=whole(steps, "steps"))
        elif self._values:
            with suppress(SizeError):  # no values that say how many steps there are: an open number is drawn as such
                network = with_steps(network, self.values)
        used = self.notation if notation is None else notation
        how = None if truncate is None else truncation(truncate)
        return Graph(UnrolledGraph(network.system, how), lang, used, self.title)

    def paths(self, at: int | None = None, elide: bool = False) -> Paths:
        """Return the chains of derivatives that lead from the losses to the state at a step.

        Parameters
        ----------
        at : int, optional
            The step of the state; by default the first one computed, which every loss depends on.
        elide : bool
            Of many chains return the first two and the last two.

        Returns
        -------
        Paths
            ``.chains`` (with ``loss``, ``share``, ``product`` and ``filled``), ``.left_out``, ``.pairs``, ``.total``.

        Raises
        ------
        SizeError
            Where T is a symbol, or the step is none of the network.
        RefusedError
            Where there are no Jacobian matrices, or more chains than anybody reads.
        """
        from ..derive.methods import paths

        return replace(paths(self._network, at, elide), names=names_in(self.system, self.notation))

    def derivation(
        self,
        lang: str = "en",
        values: Mapping[str, Any] | None = None,
        notation: str | Mapping[str, str] | None = None,
        detail: str = "full",
        sections: Any = None,
        rounding: str = "carry",
        digits: int = 4,
        steps: int | None = None,
        layout: str | None = None,
        truncate: Any = None,
    ) -> Derivation:
        """Derive the gradients step by step.

        Parameters
        ----------
        lang : {"en", "zh"}
        values : mapping, optional
            Numbers, on top of the model's own; ``{}`` leaves all numbers out.
        notation : str or mapping, optional
        detail : {"full", "brief", "results", "numbers"}
        sections : sequence of str, optional
        rounding : {"carry", "step"}
        digits : int
            Significant digits of rounded figures.
        steps : int, optional
            T.
        layout : {"columns", "rows"}, optional
            The same derivation in the column or the row convention; the model's own by default.
        truncate : int, str, Window, Segments, Randomised, or a list of them, optional
            Truncations: their sections are added (an integer is a window). The model's own by default; ``[]`` is none.
        """
        arguments = dict(locals())
        if layout is not None and layout != self._network.layout:
            without: dict[str, Any] = {"values": {}} if values is not None and not values else {}
            model = self.replace(layout=layout, **without)
            return model.derivation(
                lang, values, notation, detail, sections, rounding, digits, steps, truncate=truncate
            )
        given = self.values if values is None else ({**self.values, **values} if values else {})
        network = self._network
        if given or steps is not None:
            network = with_steps(network, given, steps)
        if detail == "numbers" and not given:
            raise ValueInputError("detail='numbers' needs values; give them with values={...} or in the model file")
        cut = self._truncate if truncate is None else truncations(truncate)
        if sections is None and detail == "full" and self._sections:
            sections = (*self._sections, *(TRUNCATION if truncate is not None and cut else ()))
        chosen = None if sections is None else tuple([sections] if isinstance(sections, str) else sections)
        own = {k for k, _ in self._values} | set(values or {})
        drawn = tuple((k, v) for k, v in self._random if k not in own) if given else ()
        remedies = self._settings_of_remedies(chosen, given)
        options = Options(detail, chosen, Rounding(digits, rounding), drawn, cut, remedies)
        derived = derive(network, options, given or None)
        made = Derivation(derived, lang, self.notation if notation is None else notation, options, self.title)
        made.origin = origin(cast("RNN", self), "derivation", arguments)
        return made

    def _settings_of_remedies(self, sections: tuple[str, ...] | None, given: Mapping[str, Any]) -> Remedies:
        """Return the settings of the remedies, with the network that the section ``comparison`` compares with."""
        parts = settings_of(self.remedies)
        before = self.remedies.get("before")
        if before is None or not given or "comparison" not in (sections or ()):
            return Remedies(**parts)
        changes = {k: thawed(dict(v) if k in ("values", "random") else v) for k, v in before.items()}
        other = self.replace(**{**changes, "remedies": {}, "sections": (), "values": {}})
        keys = known_keys(other.system)
        values = {**{k: v for k, v in given.items() if k in keys}, **other.values, **changes.get("values", {})}
        return Remedies(**parts, before=(with_steps(other.network, values), freeze(values)))

    def stability(
        self,
        lang: str = "en",
        values: Mapping[str, Any] | None = None,
        notation: str | Mapping[str, str] | None = None,
        steps: int | None = None,
        digits: int = 4,
    ) -> StabilityDerivation:
        """Say why gradients vanish or explode: Jacobian products, bounds, distances, spectrum, power iteration.

        Where the model has settings for remedies, these are shown as well: clipping, initialisation, before and after.

        Parameters
        ----------
        lang, values, notation, steps, digits
            As in :meth:`derivation`.

        Returns
        -------
        StabilityDerivation
            A derivation; with numbers also ``.data`` (arrays) and ``.plot(...)``.

        Raises
        ------
        RefusedError
            Where a state is a matrix, so that there are no Jacobian matrices.

        Examples
        --------
        >>> from symbptt import load
        >>> model = load("power-iteration")
        >>> model.stability().data.spectrum.exact_rate
        1/3
        >>> bool(model.stability().verify())
        True
        """
        arguments = dict(locals())
        check_jacobians(self._network)
        sections = ("model", "given", *STABILITY, *(REMEDIES if self.remedies else ()))
        made = self.derivation(lang, values, notation, sections=sections, digits=digits, steps=steps)
        found = StabilityDerivation(made.derived, lang, made.notation, made.options, self.title)
        found.origin = origin(cast("RNN", self), "stability", arguments)
        return found

    def lambdify(self, truncate: Any = None, backend: str = "numpy") -> Bptt:
        """Return the generated function for loss and gradients; ``.source`` is its text.

        With ``layout="rows"`` parameters and their gradients have the shapes of that layout, ``W_x`` (m, n) and ``b_h``
        (n,), and ``x`` is (T, B, m) with any B, or (T, m) for one example.

        Parameters
        ----------
        truncate : int, str, Window, Segments or Randomised, optional
            Truncate the gradients; exact by default, whatever the model's derivation shows.
        backend : {"numpy", "jax"}
            What the code is written in. The JAX function has the same arguments and gives JAX arrays; it works under
            ``jax.jit``, ``jax.vmap`` and ``jax.grad``, and needs ``pip install "symbptt[jax]"``. It is not truncated.

        Raises
        ------
        UnknownNameError
            For another backend.
        RefusedError
            For a truncated function in JAX.
        """
        from .bptt import bptt_of

        return bptt_of(backend, self._network, None if truncate is None else truncation(truncate))

    def rtrl(
        self,
        params: Mapping[str, Any],
        x: Any = None,
        target: Any = None,
        h0: Any = None,
        initial: Mapping[str, Any] | None = None,
    ) -> ForwardMode:
        """Compute loss and gradients in forward mode, by the derived recursion of the influence matrices.

        Parameters and result are those of the function that :meth:`lambdify` returns, for one sequence, with a target
        for each step; see :func:`symbptt.evaluate.rtrl.rtrl`. It shows how forward mode works, and is slow.
        """
        from ..evaluate.rtrl import rtrl

        given = {"x": x, "target": target, "h0": h0, **{f"{k}0": v for k, v in (initial or {}).items()}}
        return rtrl(self._network, {**params, **{k: v for k, v in given.items() if v is not None}})

    def arguments(self, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the given numbers as arguments of the function that :meth:`lambdify` returns.

        Parameters
        ----------
        values : mapping, optional
            Numbers, on top of the model's own.

        Examples
        --------
        >>> from symbptt import load
        >>> model = load("relu-explosion")
        >>> bptt = model.lambdify()
        >>> bptt(**model.arguments()).loss
        84.5
        """
        from ..codegen.arguments import given_arguments

        given = {**self.values, **(values or {})}
        return given_arguments(with_steps(self._network, given), given)

    def show(self, lang: str = "en") -> Shown:
        """Return the equations and the shapes of all names, as a notebook shows a model, in a language."""
        from ..render.shown import model_markdown

        made = self.derivation(lang, values={}, sections=("model",))
        return Shown(model_markdown(made, self._given_leaves()))

    def _repr_markdown_(self) -> str:
        return self.show().markdown

    def _given_leaves(self) -> list[Any]:
        """Return what numbers are given for, as it is printed."""
        system, given = self.system, self.values
        keys = (*system.parameters, *system.inputs, *system.fixed, *(f"{state}0" for state in system.states))
        return [system.leaf(key) for key in keys if key in given]

    def verify(self, seed: int = 0, lang: str = "en") -> Report:
        """Check the derivation and the generated function by independent routes.

        See :func:`symbptt.evaluate.report.verify_derivation` and :func:`symbptt.codegen.verify.verify_function`.

        Parameters
        ----------
        seed : int
            Of the random instances.
        lang : {"en", "zh"}
            In which a notebook shows the report.
        """
        from ..codegen.verify import verify_function

        report = shown_report(self.derivation(lang).verify(seed) + verify_function(self._network, seed), lang)
        for how in self._truncate:
            report += verify_function(self._network, seed, how)
        return report
