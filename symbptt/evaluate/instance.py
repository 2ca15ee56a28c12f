"""A numeric instance of a network, and the value of any expression or derivative at it.

Derivatives are measured, not derived: a tiny imaginary number is added to what a derivative is taken by, right
after it is computed, the rest of the forward pass is carried out, and the derivative is the imaginary part of what
comes out (Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998).
Nothing of :mod:`symbptt.derive` is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import algebra as A
from ..algebra.nodes import Concat
from ..errors import ValueInputError
from ..model import Network
from .draw import Draw, choose_bindings
from .forward import Injection, Key, NoSuchStepError, Trace, held_for, keys_of
from .numbers import Array, value_of
from .tangents import tangent_value
from .truncated import Chance, chance_value, drawn, is_truncated, moment, truncated_value

STEP = 1e-30
"""The imaginary step; its square vanishes beside 1, so that the derivative is exact to rounding."""
MARGIN = 1e-3
"""How far random instances stay away from kinks."""
ATTEMPTS = 200


class Instance:
    """Concrete sizes and numbers for a network, with every variable at every step.

    Parameters
    ----------
    network : Network
    seed : int
        Of the random numbers; equal seeds make equal instances.
    sizes : mapping, optional
        Values of symbolic sizes by name; 2 or 3 at random otherwise.
    steps : int, optional
        Value of a symbolic T; 3 or 4 at random otherwise.
    values : mapping, optional
        Canonical key -> numbers, for parameters, inputs, ``target`` and initial states (``h0``; zero where others
        are given), time first. What is missing is drawn; what is given is used as it is, also at a kink.

    Attributes
    ----------
    bindings : dict
        Symbolic sizes and T as integers, by name.
    base : Trace
        The forward pass.
    margin : float
        Distance of the nearest argument from a kink of its function (relu, abs, a largest entry, ...); infinite
        where no function has one. Random instances keep at least ``MARGIN`` away.
    at_kink : bool
        Whether given numbers are nearer than that, where derivatives are a matter of convention.

    Raises
    ------
    ValueInputError
        When given numbers do not fit, or no random ones were found at which the network is defined.

    Examples
    --------
    >>> from symbptt.model import Network, cell, loss, whole
    >>> sizes = whole("n", "hidden"), whole("m", "inputs"), whole("q", "outputs")
    >>> net = Network(cell("tanh"), *sizes, "linear", loss("mse", "linear"), "sum", whole("T", "steps"))
    >>> one = Instance(net, sizes={"n": 3, "m": 2, "q": 4}, steps=3)
    >>> h, t = net.system.variables["h"], net.system.t
    >>> one.evaluate(h[t], t=2).shape, one.evaluate(A.derivative(h[t], h[t - 1]), t=2).shape
    ((3,), (3, 3))
    """

    def __init__(
        self,
        network: Network,
        seed: int = 0,
        sizes: Mapping[str, int] | None = None,
        steps: int | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self.network, self.system, self.seed = network, network.system, seed
        self._given_values = dict(values or {})
        rng = np.random.default_rng(seed)
        self.bindings = choose_bindings(network, rng, sizes, steps, self._given_values)
        self.base = self._base(rng)
        self.steps, self.margin = self.base.steps, self.base.margin
        self.at_kink = self.margin < MARGIN
        self._passes: dict[Any, Trace] = {}
        self.direction: dict[str, Array] = {}
        """Parameter -> its part of the direction of tangents; drawn when one is first asked for."""
        self._chance: Chance | None = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{k} = {v}" for k, v in {**self.bindings, str(self.system.steps): self.steps}.items())
        return f"<Instance {self.network.cell.name}, seed {self.seed}: {shown}>"

    def _base(self, rng: Any) -> Trace:
        for attempt in range(ATTEMPTS):
            trace = self._attempt(rng, positive=attempt > ATTEMPTS // 4 and attempt % 2 == 0)
            if self._given_values or (trace.margin >= MARGIN and _finite(trace)):
                break
        if not _finite(trace):
            raise ValueInputError(f"{self.network.cell.name}: the network is not defined at these numbers")
        if not self._given_values and trace.margin < MARGIN:
            raise ValueInputError(f"{self.network.cell.name}: every random instance is near a kink")
        return trace

    def _attempt(self, rng: Any, positive: bool) -> Trace:
        empty = Trace(self.system, self.bindings, {})
        trace = Trace(self.system, self.bindings, Draw(self.system, empty, rng, self._given_values, positive).all())
        trace.watching = True
        with np.errstate(all="ignore"):
            trace.run()
        trace.watching = False
        return trace

    @property
    def chance(self) -> Chance:
        """The probabilities of going on, and masks, of random truncation; at random where nothing else was set."""
        if self._chance is None:
            self._chance = drawn(self, None)
        return self._chance

    def truncate_randomly(self, given: Any) -> Instance:
        """Take the probabilities of a random truncation, where it has any in numbers."""
        self._chance = drawn(self, given)
        return self

    # -- the numbers ----------------------------------------------------------------------------------
    @property
    def given(self) -> dict[Key, Array]:
        """Parameters (step None), inputs, targets and initial states: what the forward pass starts from."""
        computed = self.system.by_name
        return {k: v for k, v in self.base.values.items() if k[0] not in computed or k[1] not in self.base.order()}

    @property
    def data(self) -> dict[str, Array]:
        """The same by canonical key, time first: ``W_h`` (n, n), ``x`` (T, m), ``target``, ``h0``."""
        given = self.given
        result = {name: value for (name, step), value in given.items() if step is None}
        for name in (*self.system.inputs, *self.system.fixed):
            if (name, 1) in given:
                result[name] = np.array([given[name, t] for t in range(1, self.steps + 1)])
        return {**result, **{f"{s}0": given[s, self.base.start(s)] for s in self.system.states}}

    @property
    def loss(self) -> float:
        """L."""
        return float(self.base.total)

    def forward(self, perturb: Injection | None = None) -> Trace:
        """Return the forward pass with perturbations added, and variables held, where ``perturb`` says so.

        >>> from symbptt.model import Network, cell, loss, whole
        >>> one = whole(1, "size")
        >>> net = Network(cell("linear"), one, one, None, None, loss("squared_error", None), "last", whole(2, "steps"))
        >>> instance = Instance(net, values={"W_h": 2, "W_x": 1, "b_h": 0, "x": [1, 1], "target": [0, 0]})
        >>> instance.loss, float(instance.forward(Injection({("h", 1): 0.5})).total)
        (9.0, 16.0)
        """
        return Trace(self.system, self.bindings, self.given, self.base).run(perturb)

    # -- derivatives ----------------------------------------------------------------------------------
    def value(self, leaf: Any, **indices: int) -> Array:
        """Return the value of a derivative symbol.

        A scalar derivative is a number; a gradient has the shape of what it is taken by; a Jacobian is
        (len of, len by), with matrices stacked by columns, and by a scalar (len of,).

        Notes
        -----
        By a variable at a step: all that is computed after it sees the change. By several states at a step
        (a ``Concat``): each is independent of the others. Immediate: other states are held at their values; of a
        loss, other variables of the cell are.
        """
        return self._value(leaf, _Reader(self, indices))

    def _value(self, leaf: Any, reader: _Reader) -> Array:
        keys = keys_of(leaf.by, self.base, reader)
        if self._after_the_end(leaf, keys):
            return self._arranged(leaf, [0.0] * self._count(leaf.by, reader), keys)
        self._check_steps(keys)
        hold = held_for(leaf.of, keys, leaf.mode, self.base, reader)
        columns = []
        for key in keys:
            for place in range(np.size(self.base.values[key])):
                trace = self.perturbed(key, place, hold)
                columns.append(np.imag(value_of(leaf.of, reader.over(trace))) / STEP)
        return self._arranged(leaf, columns, keys)

    def tangent(self, leaf: Any, **indices: int) -> Array:
        """Return R{...} along ``direction``; see :func:`symbptt.evaluate.tangents.tangent_value`."""
        return tangent_value(self, leaf, _Reader(self, indices))

    def perturbed(self, key: Key, place: int, hold: frozenset[Key] = frozenset()) -> Trace:
        """Return the pass in which one entry of a variable or parameter has an imaginary part of :data:`STEP`.

        Parameters
        ----------
        key : tuple
            Name and step; the step of a parameter is None.
        place : int
            Which entry, counted along the columns.
        hold : frozenset
            Variables that keep their values.
        """
        memo = (key, place, hold)
        if memo not in self._passes:
            direction = np.zeros(np.shape(self.base.values[key]), dtype=complex)
            direction[np.unravel_index(place, direction.shape, order="F")] = 1j * STEP
            self._passes[memo] = self.forward(Injection({key: direction[()]}, hold))
        return self._passes[memo]

    def _after_the_end(self, leaf: Any, keys: tuple[Key, ...]) -> bool:
        """Whether it is dL/dv just after the last step, which is 0 by convention."""
        system = self.system
        return getattr(leaf.of, "name", None) == system.L.name and all(
            name in system.by_name and step == self.base.size(system.last_of(name)) + system.direction_of(name)
            for name, step in keys
        )

    def _check_steps(self, keys: tuple[Key, ...]) -> None:
        for name, step in keys:
            if step is not None:
                self.base.at(name, step)

    def _count(self, by: Any, reader: _Reader) -> int:
        parts = by.args if isinstance(by, Concat) else (by,)
        return sum(int(np.size(self.base.values[part.name, self.base.order()[-1]])) for part in parts)

    def _arranged(self, leaf: Any, columns: list[Any], keys: tuple[Key, ...]) -> Array:
        if isinstance(leaf, A.Gradient):
            known = self.base.values
            shape = np.shape(known[keys[0]]) if len(keys) == 1 and keys[0] in known else (len(columns),)
            return np.reshape(np.array(columns), shape, order="F")
        matrix = np.array([np.ravel(column, order="F") for column in columns]).T
        if isinstance(leaf, A.Jacobian) and leaf.rank == 1:
            return matrix[:, 0]
        return matrix[0, 0] if isinstance(leaf, A.ScalarDerivative) and matrix.size == 1 else matrix

    # -- expressions ----------------------------------------------------------------------------------
    def evaluate(self, expr: Any, indices: Mapping[Any, int] | None = None, **named: int) -> Array:
        """Return the value of an expression of the language, or of plain SymPy made of its symbols.

        Parameters
        ----------
        expr : node or sympy.Basic
        indices, **named
            Values of the free time indices, by symbol or by name: ``t=2``.

        Raises
        ------
        NoSuchStepError
            Where it reads a step that does not exist.
        KeyError
            For a symbol that has no value.
        """
        bound = {**{str(k): int(v) for k, v in (indices or {}).items()}, **named}
        return value_of(expr, _Reader(self, bound))

    def with_masks(self, expr: Any, masks: Any = None) -> Array:
        """Return the value of an expression at other masks of a random truncation than those that were drawn."""
        return value_of(expr, _Reader(self, {}, None, masks))


class _Reader(Trace):
    """Reads the values of a pass at given time indices, and measures derivative symbols."""

    def __init__(
        self, instance: Instance, indices: Mapping[str, int], trace: Trace | None = None, masks: Any = None
    ) -> None:
        trace = trace or instance.base
        super().__init__(instance.system, {**instance.bindings, **indices}, {})
        self.instance, self.indices, self.perturbed = instance, indices, trace is not instance.base
        self.values, self.total = trace.values, trace.total
        self._masks = masks

    def over(self, trace: Trace) -> _Reader:
        """Return the same at another pass."""
        return _Reader(self.instance, self.indices, trace)

    def elsewhere(self, instance: Instance) -> _Reader:
        """Return the same at another instance."""
        return _Reader(instance, self.indices)

    @property
    def chance(self) -> Chance:
        """Probabilities and masks: those of the instance, or its probabilities and other masks."""
        own = self.instance.chance
        return own if self._masks is None else Chance(own.probabilities, self._masks)

    def drawing(self, masks: Any) -> _Reader:
        """Return the same with other masks."""
        indices = {k: v for k, v in self.bindings.items() if k not in self.instance.bindings}
        return _Reader(self.instance, {**self.indices, **indices}, None, masks)

    def moment(self, e: Any) -> Array:
        """Return an expectation, a variance or a covariance over all masks."""
        return moment(e, self)

    def leaf(self, leaf: Any) -> Array:
        if isinstance(leaf, A.CHANCE):
            return chance_value(leaf, self)
        if not isinstance(leaf, A.ScalarDerivative | A.Gradient | A.Jacobian | A.Tangent | A.ScalarTangent):
            return super().leaf(leaf)
        if self.perturbed:
            raise ValueInputError(f"the derivative of a derivative is not measured: {leaf}")
        if isinstance(leaf, A.Tangent | A.ScalarTangent):
            return tangent_value(self.instance, leaf, self)
        if is_truncated(leaf.mode):
            return truncated_value(self.instance, leaf, self)
        return self.instance._value(leaf, self)


def _finite(trace: Trace) -> bool:
    return all(np.isfinite(value).all() for value in trace.values.values())


__all__ = ["MARGIN", "STEP", "Injection", "Instance", "NoSuchStepError", "Trace"]
