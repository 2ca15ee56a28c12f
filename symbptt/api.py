"""The public objects: thin facades that hold frozen data and call the layers below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sympy import Basic, srepr

from .algebra import size
from .algebra.rounding import Rounding
from .derive.derivation import TRUNCATION, Derived, Options, derive
from .derive.forms import gradient
from .derive.influence import influence
from .derive.remedies import Remedies
from .derive.saliency import saliency
from .derive.stability import STABILITY, Stability, check_jacobians, stability
from .derive.unroll import Unrolled, unroll
from .errors import EquationError, UnknownNameError, ValueInputError, nearest, warn
from .model import COLUMNS, LOSSES, ROWS, Cell, Loss, Network, System, check_layout, loss, names, whole
from .model import cell as find_cell
from .model.heads import read_heads
from .model.language import bare
from .model.random import check_random, draw
from .model.truncation import Randomised, Segments, Truncation, Window, check_steps, truncation, truncations
from .model.unused import unused
from .model.values import freeze, known_keys, laid_out, with_steps

if TYPE_CHECKING:
    from .codegen.bptt import Bptt
    from .derive.methods import Paths
    from .evaluate.report import Report
    from .evaluate.rtrl import ForwardMode
    from .render.document import Document

__all__ = ["RNN", "Cell", "Derivation", "Loss", "Randomised", "Segments", "Window", "load"]


class RNN:
    """A recurrent network and everything that can be asked of it. Immutable, equal and hashed by value.

    Parameters
    ----------
    cell : str, Cell or sympy.Expr
        A catalogue name, a cell, or an activation of one variable for an Elman cell.
    hidden, inputs, outputs, steps : int or sympy.Symbol
        n, m, q and T; the symbols of these names by default. ``inputs=0`` (or None) leaves the input out.
        All sizes 1 means scalar notation.
    readout : {None, "linear", "sigmoid", "softmax"}, or mapping
        None lets the loss read the cell's output. Several readouts are a mapping of names,
        ``{"y": "softmax", "v": "linear"}``, with parameters ``W_v``, ``b_v`` and targets ``target_v``; ``loss`` and
        ``outputs`` are then mappings of the same names, and the losses are added.
    loss : str or Loss, or mapping
    reduction : {"sum", "mean", "last"}
        Over time.
    bias, readout_bias : bool
    values : mapping, optional
        Given numbers: parameters by key, ``x``, ``target``, ``h0``.
    notation : str or mapping
    sizes : mapping
        Values of other size names of the cell.
    title : mapping, optional
        Language -> title of its derivation.
    random : mapping, optional
        What is drawn at random: ``seed``, and key -> standard deviation; ``{"seed": 0, "W_h": 1.0, "x": 1.0}``.
    sections : sequence of str
        What its derivation shows unless other sections or another detail are asked for; all by default.
    layout : {"columns", "rows"}
        ``rows``: the row convention, H_t = f(X_t W_x + H_{t-1} W_h + b_h) with a row for each of B examples. Matrices
        have transposed shapes: W_x (m, n), W_h (n, n), W_y (n, q); values are ``x`` (T, B, m), ``target`` (T, B, q),
        ``h0`` (B, n), and a bias stays a list of n numbers.
    batch : int or sympy.Symbol, optional
        B, with ``layout="rows"``; the symbol of this name by default.
    mask : bool
        Multiply the loss of each step by a given number m_t (key ``mask``): 0 and 1 for sequences of different lengths,
        or any weights. With ``reduction="mean"`` L is (1/T) sum m_t l_t, divided by T and not by the sum of the m_t.
    loss_steps : sequence of int
        The steps whose losses count: L is their sum. The mask is then 1 at those steps and 0 elsewhere.
    truncate : int, str, Window, Segments, Randomised, or a list of them
        The truncations that its derivation shows unless others are asked for; none by default.

    Examples
    --------
    >>> model = RNN(cell="tanh", hidden=4, inputs=3, outputs=2, readout="softmax", loss="cross_entropy")
    >>> model.gradient("W_h")
    sum((1 - h[t] * h[t]) * d(L)/d(h[t]) @ h[t - 1].T, t=1..T)
    >>> eval(repr(model)) == model
    True
    """

    __slots__ = ("_network", "_notation", "_random", "_remedies", "_sections", "_title", "_truncate", "_values")
    _network: Network
    _values: tuple[tuple[str, Any], ...]
    _notation: Any
    _title: tuple[tuple[str, str], ...]
    _sections: tuple[str, ...]
    _random: tuple[tuple[str, Any], ...]
    _truncate: tuple[Truncation, ...]
    _remedies: tuple[tuple[str, Any], ...]

    def __init__(
        self,
        cell: Any = "tanh",
        hidden: Any = "n",
        inputs: Any = "m",
        outputs: Any = None,
        readout: Any = None,
        loss: Any = "half_squared_error",
        reduction: str = "sum",
        steps: Any = "T",
        bias: bool = True,
        readout_bias: bool = True,
        values: Mapping[str, Any] | None = None,
        notation: str | Mapping[str, str] = "textbook",
        sizes: Mapping[str, Any] | None = None,
        title: Mapping[str, str] | None = None,
        sections: Sequence[str] = (),
        layout: str = COLUMNS,
        batch: Any = None,
        mask: bool = False,
        loss_steps: Sequence[int] = (),
        random: Mapping[str, Any] | None = None,
        truncate: Any = None,
        remedies: Mapping[str, Any] | None = None,
    ) -> None:
        found = find_cell(cell)
        reads_input = bool(found.inputs) and inputs is not None and not (isinstance(inputs, int) and inputs == 0)
        for what, given in (("values", values), ("sizes", sizes), ("random", random), ("remedies", remedies)):
            if given is not None and not isinstance(given, Mapping):
                raise ValueInputError(f"{what} must be a mapping of names to numbers, not {given!r}")
        several = isinstance(readout, Mapping)
        heads = read_heads(readout, loss, outputs, whole) if isinstance(readout, Mapping) else ()
        if not several and (isinstance(loss, Mapping) or isinstance(outputs, Mapping)):
            raise EquationError("loss and outputs by name are for several readouts; set readout={'y': 'softmax', ...}")
        network = Network(
            cell=found,
            hidden=whole(hidden, "hidden"),
            inputs=whole(inputs, "inputs") if reads_input else None,
            outputs=whole("q" if outputs is None else outputs, "outputs") if readout and not several else None,
            readout=None if several else readout,
            loss=heads[0].loss if heads else _loss(loss, readout),
            heads=heads,
            reduction=reduction,
            steps=whole(steps, "steps"),
            bias=bias,
            readout_bias=readout_bias,
            sizes=tuple((k, whole(v, f"size {k}")) for k, v in (sizes or {}).items()),
            layout=check_layout(layout),
            batch=None if batch is None else whole(batch, "batch"),
            mask=mask,
            loss_steps=tuple(sorted(set(loss_steps))),
        )
        if outputs is not None and readout is None:
            raise EquationError(
                f"outputs={outputs}, but there is no readout; set readout='linear', or leave outputs out"
            )
        for message in unused(network):
            warn(message)
        names(notation)
        if not isinstance(notation, str):
            _check_notation(network.system, notation)
        cut = truncations(truncate)
        for how in cut:
            check_steps(how, network.steps)
        _set(
            self,
            network=network,
            values=freeze(values or {}),
            notation=notation if isinstance(notation, str) else freeze(notation),
            title=freeze(title or {}),
            sections=Options(sections=tuple(sections) or None).sections or (),
            random=check_random(network, random or {}),
            truncate=cut,
            remedies=_check_remedies(remedies or {}),
        )

    # -- value semantics ------------------------------------------------------------------------------
    def _key(self) -> tuple[Any, ...]:
        return (self._network, self._values, self._notation, self._random)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RNN) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a model is immutable; make a new one with .replace({name}=...)")

    def __reduce__(self) -> Any:
        return (_restore, tuple((name, getattr(self, name)) for name in self.__slots__))

    def __repr__(self) -> str:
        n = self._network
        shown = [("cell", n.cell), ("hidden", n.hidden), ("inputs", n.inputs)]
        shown += [("outputs", n.outputs), ("readout", n.readout)] if n.readout else []
        shown += self._heads() if n.heads else [("loss", _named_loss(n.loss))]
        shown += [("reduction", n.reduction), ("steps", n.steps)]
        parts = [f"{k}={_paste(v)}" for k, v in shown]
        parts += [f"{k}=False" for k, v in (("bias", n.bias), ("readout_bias", n.readout_bias)) if not v]
        parts += ["mask=True"] if n.mask else []
        parts += [f"loss_steps={list(n.loss_steps)}"] if n.loss_steps else []
        if self._values:
            parts.append(f"values={_thaw(dict(self._values))!r}")
        if self._random:
            parts.append(f"random={dict(self._random)!r}")
        if self._notation != "textbook":
            parts.append(f"notation={self.notation!r}")
        if n.sizes:
            parts.append("sizes=" + repr({k: _bare(v) for k, v in n.sizes}))
        if n.layout != COLUMNS:
            parts.append(f"layout={n.layout!r}, batch={_paste(n.batch)}")
        return f"RNN({', '.join(parts)})"

    def _heads(self) -> list[tuple[str, Any]]:
        """The arguments from which several readouts are made again."""
        heads = self._network.heads
        readout, losses = {h.name: h.readout for h in heads}, {h.name: _named_loss(h.loss) for h in heads}
        return [("readout", readout), ("loss", losses), ("outputs", {h.name: _bare(h.outputs) for h in heads})]

    def replace(self, **changes: Any) -> RNN:
        """Return a model with some parts changed: ``steps``, ``values``, ``notation``, ``hidden``, ...

        With another ``layout``, given values are put into its shapes: those of ``columns`` become a batch of one.
        """
        n = self._network
        if changes.get("layout", n.layout) != n.layout:
            changes = {**self._laid_out(changes["layout"], "values" in changes), **changes}
        parts: dict[str, Any] = {
            "cell": n.cell, "hidden": n.hidden, "inputs": n.inputs, "outputs": n.outputs, "readout": n.readout,
            "loss": n.loss, "reduction": n.reduction, "steps": n.steps, "bias": n.bias,
            "readout_bias": n.readout_bias, "values": {k: _thaw(v) for k, v in self._values},
            "notation": self.notation, "sizes": dict(n.sizes), "title": dict(self._title),
            "sections": self._sections, "random": dict(self._random), "layout": n.layout, "batch": n.batch,
            "mask": n.mask, "loss_steps": n.loss_steps, "truncate": self._truncate, "remedies": self.remedies,
            **(dict(self._heads()) if n.heads else {}),
        }  # fmt: skip
        return RNN(**{**parts, **changes})

    def _laid_out(self, layout: str, others: bool) -> dict[str, Any]:
        """Return values and batch for another layout, unless other values are given with it."""
        values = {} if others else laid_out(self._network, self.values, check_layout(layout))
        return {"values": values, "batch": 1 if values and layout == ROWS else None}

    # -- parts ----------------------------------------------------------------------------------------
    @property
    def network(self) -> Network:
        """The frozen description of the network."""
        return self._network

    @property
    def system(self) -> System:
        """The one-step equations as SymPy nodes."""
        return self._network.system

    @property
    def values(self) -> dict[str, Any]:
        """The given numbers, key to number or nested list; what is drawn at random is among them."""
        return {**draw(self._network, self._random), **{k: _thaw(v) for k, v in self._values}}

    @property
    def notation(self) -> str | dict[str, str]:
        """The notation: its name, or a mapping."""
        return self._notation if isinstance(self._notation, str) else dict(self._notation)

    @property
    def title(self) -> dict[str, str]:
        """Language -> title of a worked example."""
        return dict(self._title)

    @property
    def random(self) -> dict[str, Any]:
        """What is drawn at random: ``seed``, and key to standard deviation."""
        return dict(self._random)

    @property
    def remedies(self) -> dict[str, Any]:
        """The settings of the sections on remedies: ``clip``, ``rate``, and ``before``, what is changed back."""
        found = dict(self._remedies)
        return {**found, "before": _thaw(dict(found["before"]))} if "before" in found else found

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections that its derivation shows by default; empty for all."""
        return self._sections

    @property
    def truncate(self) -> tuple[Truncation, ...]:
        """The truncations that its derivation shows by default."""
        return self._truncate

    @property
    def symbols(self) -> dict[str, Any]:
        """Every symbol by its canonical key: ``symbols["h"][t]``, ``symbols["W_h"]``, ``symbols["T"]``."""
        system = self.system
        if system.scalar:
            from .algebra.scalar import to_scalar

            mapped = {k: to_scalar(v) for k, v in {**system.variables, **system.parameters}.items()}
        else:
            mapped = {**system.variables, **system.parameters}
        return {**mapped, "L": system.L, "t": system.t, **self._size_symbols()}

    def _size_symbols(self) -> dict[str, Any]:
        n = self._network
        given = {"T": n.steps, "n": n.hidden, "m": n.inputs, "q": n.outputs}
        batch = {} if n.batch is None else {"B": n.batch}
        return {**{key: size(key) if value is None else value for key, value in given.items()}, **batch}

    # -- what can be asked ----------------------------------------------------------------------------
    def gradient(self, wrt: str, at: Any = None, form: str = "recursive") -> Basic:
        """Return dL/d(wrt) as a SymPy expression; see :func:`symbptt.derive.forms.gradient`."""
        return gradient(self._network, wrt, at, form)

    def influence(self, wrt: str, at: Any = None, form: str = "recursive") -> Basic:
        """Return dh_t/dvec(wrt) as a SymPy expression; see :func:`symbptt.derive.influence.influence`.

        Matrices are stacked by columns, and several states stand on top of each other.

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
        input, the entry is 0. :func:`symbptt.render.plots_saliency.plot_saliency` draws them.

        Parameters
        ----------
        of : {"l", "y"}
        by : str
        values : mapping, optional
            Numbers, on top of the model's own.
        """
        from .codegen.saliency import saliency_norms

        given = {**self.values, **(values or {})}
        return saliency_norms(with_steps(self._network, given), given, of, by)

    def unroll(self, steps: int | None = None, nested: bool = False) -> Unrolled:
        """Return the unrolled network: ``.equations``, ``.states``, ``.outputs``, ``.loss``."""
        network = self._network if steps is None else replace(self._network, steps=whole(steps, "steps"))
        if not network.steps.is_Integer:
            network = with_steps(network, self.values)
        return unroll(network, nested)

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
        from .derive.methods import paths

        return paths(self._network, at, elide)

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
        if layout is not None and layout != self._network.layout:
            without: dict[str, Any] = {"values": {}} if values is not None and not values else {}
            model = self.replace(layout=layout, **without)
            return model.derivation(lang, values, notation, detail, sections, rounding, digits, steps)
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
        return Derivation(derived, lang, self.notation if notation is None else notation, options, self.title)

    def _settings_of_remedies(self, sections: tuple[str, ...] | None, given: Mapping[str, Any]) -> Remedies:
        """Return the settings of the remedies, with the network that the section ``comparison`` compares with."""
        parts = _settings(self.remedies)
        before = self.remedies.get("before")
        if before is None or not given or "comparison" not in (sections or ()):
            return Remedies(**parts)
        changes = {k: _thaw(dict(v) if k in ("values", "random") else v) for k, v in before.items()}
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
        >>> model = load("power-iteration")
        >>> model.stability().data.spectrum.exact_rate
        1/3
        >>> bool(model.stability().verify())
        True
        """
        check_jacobians(self._network)
        sections = ("model", "given", *STABILITY)
        made = self.derivation(lang, values, notation, sections=sections, digits=digits, steps=steps)
        return StabilityDerivation(made.derived, lang, made.notation, made.options, self.title)

    def lambdify(self, truncate: Any = None) -> Bptt:
        """Return the generated NumPy function for loss and gradients; ``.source`` is its text.

        With ``layout="rows"`` parameters and their gradients have the shapes of that layout, ``W_x`` (m, n) and ``b_h``
        (n,), and ``x`` is (T, B, m) with any B, or (T, m) for one example.

        Parameters
        ----------
        truncate : int, str, Window, Segments or Randomised, optional
            Truncate the gradients; exact by default, whatever the model's derivation shows.
        """
        from .codegen.bptt import compile_network

        return compile_network(self._network, None if truncate is None else truncation(truncate))

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
        from .evaluate.rtrl import rtrl

        given = {"x": x, "target": target, "h0": h0, **{f"{k}0": v for k, v in (initial or {}).items()}}
        return rtrl(self._network, {**params, **{k: v for k, v in given.items() if v is not None}})

    def verify(self, seed: int = 0) -> Report:
        """Check the derivation and the generated function by independent routes.

        See :func:`symbptt.evaluate.report.verify_derivation` and :func:`symbptt.codegen.verify.verify_function`.
        """
        from .codegen.verify import verify_function

        report = self.derivation().verify(seed) + verify_function(self._network, seed)
        for how in self._truncate:
            report += verify_function(self._network, seed, how)
        return report


def _check_notation(system: System, notation: Mapping[str, str]) -> None:
    """Refuse a key that the model has no name for."""
    keys = [*system.variables, *system.parameters]
    known = [
        *keys,
        *map(bare, keys),
        "L",
        "l",
        "t",
        "T",
        "n",
        "m",
        "q",
        "y",
        "a",
        "target",
        "notation",
    ]
    for key in notation:
        if key not in known and not key.endswith("()"):
            raise UnknownNameError(f"notation for {key!r}: the model has no such name{nearest(key, known)}")


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: (int if k == "seed" else float)(v) for k, v in given.items() if k != "before"}


def _check_remedies(given: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    known = ("clip", "rate", "seed", "before")
    for key in given:
        if key not in known:
            raise UnknownNameError(f"remedies: unknown key {key!r}{nearest(key, known)}")
    Remedies(**_settings(given))
    return tuple(freeze(given))


def _set(model: RNN, **parts: Any) -> None:
    for name, value in parts.items():
        object.__setattr__(model, f"_{name}", value)


def _restore(*parts: tuple[str, Any]) -> RNN:
    model = object.__new__(RNN)
    for name, value in parts:
        object.__setattr__(model, name, value)
    return model


def _loss(given: str | Loss, readout: str | None) -> Loss:
    return loss(given, readout)


def _named_loss(given: Loss) -> str | Loss:
    """Return the name of a loss of the catalogue, and any other as it is."""
    return given.name if LOSSES.get(given.name) == given else given


def _bare(value: Any) -> Any:
    return int(value) if getattr(value, "is_Integer", False) else str(value)


def _paste(value: Any) -> str:
    if isinstance(value, Basic):
        bare = _bare(value)
        return repr(bare) if isinstance(bare, int) or value == size(bare) else srepr(value)
    return repr(value)


def _thaw(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _thaw(v) for k, v in value.items()}
    return [_thaw(v) for v in value] if isinstance(value, tuple) else value


class Derivation:
    """A derivation: steps as data, written in a language and a notation, verified on demand.

    Attributes
    ----------
    steps : tuple of Step
        Every step in printed order.
    """

    heading = "title.default"
    """Phrase of the title of a model without one of its own."""

    def __init__(
        self, derived: Derived, lang: str, notation: str | Mapping[str, str], options: Options, title: Mapping[str, str]
    ) -> None:
        from .render.phrases import check_language

        check_language(lang)
        self.derived, self.lang, self.notation, self.options, self.title = derived, lang, notation, options, title
        names(notation)
        self._report: Report | None = None

    @property
    def sections(self) -> tuple[Any, ...]:
        return self.derived.worksheet.sections

    @property
    def steps(self) -> tuple[Any, ...]:
        return tuple(self.derived.worksheet.walk())

    def __getitem__(self, key: str) -> Any:
        return self.derived.worksheet[key]

    def verify(self, seed: int = 0) -> Report:
        """Prove every printed line; the report names each step and what was found."""
        from .evaluate.report import verify_derivation

        self._report = verify_derivation(self.derived, seed=seed)
        return self._report

    @property
    def verdicts(self) -> dict[str, bool]:
        """Step key -> whether its lines were proved, once :meth:`verify` has run."""
        return {} if self._report is None else dict(self._report.verdicts)

    def document(self) -> Document:
        """Return the derivation as a document of blocks, before any output format."""
        from .render.document import document

        return document(self)

    def to_markdown(self) -> str:
        """Return Markdown with ``$`` and ``$$`` formulas."""
        from .render.markdown import to_markdown

        return to_markdown(self.document())

    def to_text(self) -> str:
        """Return plain Unicode text for a terminal."""
        from .render.text import to_text

        return to_text(self.document())

    def to_latex(self, document: bool = False) -> str:
        """Return a LaTeX fragment, or a complete document for XeLaTeX."""
        from .render.latex import to_latex

        return to_latex(self.document(), complete=document)

    def to_html(self) -> str:
        """Return one self-contained HTML page with MathML."""
        from .render.html import to_html

        return to_html(self.document())

    def to_json(self) -> str:
        """Return all of the derivation as JSON; the schema is in the documentation."""
        from .render.json import to_json

        return to_json(self)

    def to_notebook(self) -> str:
        """Return a Jupyter notebook as JSON."""
        from .render.notebook import to_notebook

        return to_notebook(self.document())

    def to_pdf(self, path: str | Path) -> Path:
        """Compile the document with XeLaTeX and write it to a path."""
        from .render.pdf import to_pdf

        return to_pdf(self.document(), Path(path))

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_latex_(self) -> str:
        return self.to_latex()


class StabilityDerivation(Derivation):
    """A derivation about stability, with the same as arrays and as plots."""

    heading = "title.stability"

    @property
    def data(self) -> Stability:
        """The numbers: norms of Jacobian products and gradients, distances, bounds, spectrum.

        Raises
        ------
        ValueInputError
            Where the model has no numbers.
        """
        if self.derived.numbers is None:
            raise ValueInputError("numbers are needed for this: give values={...}, or put them into the model file")
        return stability(self.derived.numbers)

    def plot(self, kind: str = "norms", path: str | Path | None = None) -> Any:
        """Draw a plot with matplotlib, and write it to a file where a path is given.

        Parameters
        ----------
        kind : {"norms", "heatmap", "spectrum", "power"}
        path : str or Path, optional
            A file name that ends in ``.svg``, ``.png`` or ``.pdf``.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingToolError
            Where matplotlib is not installed.
        """
        from .render.plots import plot

        return plot(self, kind, None if path is None else Path(path))


def load(source: str | Path) -> RNN:
    """Return the model of a worked example, by name, or of a model file, by path.

    Examples
    --------
    >>> load("relu-explosion").gradient("h", at=1)
    W_h*relu'(z[2])*d(L)/d(h[2])
    """
    from .examples import find

    file = find(source)
    with file.located():
        model = RNN(**file.arguments())
        _check_values(model)
    return model


def _check_values(model: RNN) -> None:
    """Raise for a given value that the model has no name for."""
    keys = known_keys(model.system)
    for key in model.values:
        if key not in keys:
            raise UnknownNameError(f"value for {key!r}: the model has no such name{nearest(key, keys)}")
