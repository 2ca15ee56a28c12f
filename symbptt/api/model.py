"""A recurrent network as an immutable value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..algebra import size
from ..derive.derivation import Options
from ..errors import EquationError, UnknownNameError, ValueInputError, nearest, warn
from ..model import COLUMNS, ROWS, Network, System, check_layout, names, whole
from ..model import cell as find_cell
from ..model import loss as find_loss
from ..model.heads import read_heads
from ..model.random import check_random, draw
from ..model.truncation import Truncation, check_steps, truncations
from ..model.unused import unused
from ..model.values import freeze, known_keys, laid_out
from .parts import bare_number, check_notation, check_remedies, named_loss, pasted, thawed
from .questions import Questions

if TYPE_CHECKING:
    from ..examples import ModelFile


class RNN(Questions):
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
    >>> from symbptt import RNN, Cell
    >>> model = RNN(cell="tanh", hidden=4, inputs=3, outputs=2, readout="softmax", loss="cross_entropy")
    >>> model.gradient("W_h")
    sum((1 - h[t] * h[t]) * d(L)/d(h[t]) @ h[t - 1].T, t=1..T)
    >>> eval(repr(model)) == model
    True
    """

    __slots__ = (
        "_network", "_notation", "_random", "_remedies", "_sections", "_source", "_title", "_truncate", "_values",
    )  # fmt: skip
    _network: Network
    _values: tuple[tuple[str, Any], ...]
    _notation: Any
    _title: tuple[tuple[str, str], ...]
    _sections: tuple[str, ...]
    _random: tuple[tuple[str, Any], ...]
    _truncate: tuple[Truncation, ...]
    _remedies: tuple[tuple[str, Any], ...]
    _source: str | None

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
            loss=heads[0].loss if heads else find_loss(loss, readout),
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
            check_notation(network.system, notation)
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
            remedies=check_remedies(remedies or {}),
            source=None,
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
        shown += self._heads() if n.heads else [("loss", named_loss(n.loss))]
        shown += [("reduction", n.reduction), ("steps", n.steps)]
        parts = [f"{k}={pasted(v)}" for k, v in shown]
        parts += [f"{k}=False" for k, v in (("bias", n.bias), ("readout_bias", n.readout_bias)) if not v]
        parts += ["mask=True"] if n.mask else []
        parts += [f"loss_steps={list(n.loss_steps)}"] if n.loss_steps else []
        if self._values:
            parts.append(f"values={thawed(dict(self._values))!r}")
        if self._random:
            parts.append(f"random={dict(self._random)!r}")
        if self._notation != "textbook":
            parts.append(f"notation={self.notation!r}")
        if n.sizes:
            parts.append("sizes=" + repr({k: bare_number(v) for k, v in n.sizes}))
        if n.layout != COLUMNS:
            parts.append(f"layout={n.layout!r}, batch={pasted(n.batch)}")
        return f"RNN({', '.join(parts)})"

    def _heads(self) -> list[tuple[str, Any]]:
        """The arguments from which several readouts are made again."""
        heads = self._network.heads
        readout, losses = {h.name: h.readout for h in heads}, {h.name: named_loss(h.loss) for h in heads}
        return [("readout", readout), ("loss", losses), ("outputs", {h.name: bare_number(h.outputs) for h in heads})]

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
            "readout_bias": n.readout_bias, "values": {k: thawed(v) for k, v in self._values},
            "notation": self.notation, "sizes": dict(n.sizes), "title": dict(self._title),
            "sections": self._sections, "random": dict(self._random), "layout": n.layout, "batch": n.batch,
            "mask": n.mask, "loss_steps": n.loss_steps, "truncate": self._truncate, "remedies": self.remedies,
            **(dict(self._heads()) if n.heads else {}),
        }  # fmt: skip
        made = RNN(**{**parts, **changes})
        _set(made, source=self._source)
        return made

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
        return {**draw(self._network, self._random), **{k: thawed(v) for k, v in self._values}}

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
        return {**found, "before": thawed(dict(found["before"]))} if "before" in found else found

    @property
    def source(self) -> str | None:
        """What the model was loaded from, where it was: the name of a worked example or of a cell, or a path."""
        return self._source

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
            from ..algebra.scalar import to_scalar

            mapped = {k: to_scalar(v) for k, v in {**system.variables, **system.parameters}.items()}
        else:
            mapped = {**system.variables, **system.parameters}
        return {**mapped, "L": system.L, "t": system.t, **self._size_symbols()}

    def _size_symbols(self) -> dict[str, Any]:
        n = self._network
        given = {"T": n.steps, "n": n.hidden, "m": n.inputs, "q": n.outputs}
        batch = {} if n.batch is None else {"B": n.batch}
        return {**{key: size(key) if value is None else value for key, value in given.items()}, **batch}


def _set(model: RNN, **parts: Any) -> None:
    for name, value in parts.items():
        object.__setattr__(model, f"_{name}", value)


def _restore(*parts: tuple[str, Any]) -> RNN:
    model = object.__new__(RNN)
    for name, value in parts:
        object.__setattr__(model, name, value)
    return model


def load(source: str | Path | ModelFile) -> RNN:
    """Return the model of a worked example, by name, or of a model file, by path or as it was read.

    Examples
    --------
    >>> load("relu-explosion").gradient("h", at=1)
    W_h*relu'(z[2])*d(L)/d(h[2])
    """
    from ..examples import find

    file = find(source)
    with file.located():
        model = RNN(**file.arguments())
        _set(model, source=str(source))
        _check_values(model)
    return model


def _check_values(model: RNN) -> None:
    """Raise for a given value that the model has no name for."""
    keys = known_keys(model.system)
    for key in model.values:
        if key not in keys:
            raise UnknownNameError(f"value for {key!r}: the model has no such name{nearest(key, keys)}")
