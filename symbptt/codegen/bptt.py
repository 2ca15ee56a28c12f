"""The generated module as a callable: everything given is checked before it, everything returned is named."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import SizeError, UnknownNameError, ValueInputError, nearest
from ..model import ROWS, Network, one_example
from ..model.values import mask_of
from .checks import Array, Shape, Sizes, numbers, show
from .emit import Emitted, emit
from .hessian import hessian_products
from .target import Lead, read_target


@dataclass(frozen=True)
class Result:
    """Loss and gradients of one call.

    Attributes
    ----------
    loss : float
        Summed over the batch.
    grads : dict
        Parameter key, ``x``, ``h0``, ... -> gradient, of the shape of what was given.
    states : dict
        State -> (T + 1, ...), index 0 the initial state (of a backward cell the last index).
    outputs : array
        What the loss compares, from t = 1: (T, ...); of several readouts a dict of them.
    adjoints : dict
        Variable of the cell -> dL/dv_t, (T, ...), index 0 is t = 1.
    """

    loss: float
    grads: dict[str, Any]
    states: dict[str, Array]
    outputs: Array
    adjoints: dict[str, Array]


@dataclass(frozen=True)
class HessianProduct:
    """The product of the Hessian of L with a direction v.

    Attributes
    ----------
    products : dict
        Parameter -> its part of H v, of the shape of the parameter.
    curvature : float
        v^T H v, the curvature of L along v.
    grads : dict
        Parameter -> dL/dp.
    """

    products: dict[str, Any]
    curvature: float
    grads: dict[str, Any]


@dataclass
class _Call:
    """One call: what was given, and what the function takes."""

    sizes: Sizes
    lead: Lead
    arguments: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    column: bool = False


class Bptt:
    """Loss and gradients of a network as a function of numbers.

    Parameters
    ----------
    network : Network

    Attributes
    ----------
    network : Network
    source : str
        The generated module, which needs NumPy alone.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        computed = one_example(network)  # the code has an axis for the batch of its own
        self._emitted: Emitted = emit(computed)
        self._plan, self._system = self._emitted.plan, computed.system
        self._function = _load(self._emitted.source)

    @property
    def source(self) -> str:
        return self._emitted.source

    @property
    def gradients(self) -> tuple[str, ...]:
        """Everything that there is a gradient by."""
        system = self._system
        return (*system.parameters, *system.inputs, *(f"{state}0" for state in system.states))

    def __repr__(self) -> str:
        return f"<bptt of the cell {self.network.cell.name!r}: {', '.join(self.gradients)}>"

    def __reduce__(self) -> Any:
        return compile_network, (self.network,)

    def __call__(
        self,
        params: Mapping[str, Any],
        x: Any = None,
        target: Any = None,
        h0: Any = None,
        c0: Any = None,
        initial: Mapping[str, Any] | None = None,
        wrt: Iterable[str] | None = None,
        steps: int | None = None,
        mask: Any = None,
    ) -> Result:
        """Return loss, gradients, states, outputs and adjoints.

        Parameters
        ----------
        params : mapping
            Key -> array, in the shapes of the network's layout; in rows a bias is (n,) or (1, n).
        x : array, or mapping of input -> array
            (T, m) or (T, B, m); of a scalar model (T,) or (T, B).
        target : array, or mapping of readout -> array where there are several
            (T, q), (T, B, q), or class indices (T,), (T, B); with ``reduction="last"`` also the last step's alone.
        h0, c0 : array, optional
            Initial states: (n,), (B, n) or a scalar; zero by default.
        initial : mapping, optional
            State -> initial value, for states of any name.
        wrt : sequence of str, optional
            What to compute gradients by (all by default); with none, no backward sweep is made.
        steps : int, optional
            T, where there is neither an input nor a target of every step.
        mask : array
            (T,) or (T, B), of a model with ``mask=True``: the weight of the loss of each step, such as 1 inside and 0
            behind the end of each sequence. Targets at steps of weight 0 do not matter, but must be finite and of the
            kind that the loss takes (any class index, such as 0).

        Raises
        ------
        ValueInputError, UnknownNameError
            For numbers, shapes or names that do not fit the model.
        """
        keys = self._wanted(wrt)
        call, given = self._read(params, x, target, _states_given(self._system.states, h0, c0, initial), steps, mask)
        return self._result(call, self._function(given, **call.arguments, wrt=keys), keys)

    def hvp(
        self,
        params: Mapping[str, Any],
        v: Mapping[str, Any],
        x: Any = None,
        target: Any = None,
        h0: Any = None,
        c0: Any = None,
        initial: Mapping[str, Any] | None = None,
        steps: int | None = None,
        mask: Any = None,
    ) -> HessianProduct:
        """Return the product of the Hessian of L in the parameters with a direction.

        The equations of :mod:`symbptt.derive.second_order` are carried out over arrays, sample by sample: the cost is
        a small multiple of that of a gradient, and no Hessian is formed.

        Parameters
        ----------
        v : mapping
            Parameter -> its part of the direction; zero for what is not named.
        params, x, target, h0, c0, initial, steps, mask
            As for a call.

        Examples
        --------
        >>> from symbptt import RNN
        >>> bptt = RNN("linear", 1, 1, reduction="last", steps=2).lambdify()
        >>> numbers = {"W_h": 1.0, "W_x": 1.0, "b_h": 0.0}
        >>> bptt.hvp(numbers, {"W_x": 1.0}, x=[1.0, 1.0], target=0.0).products
        {'W_h': 4.0, 'W_x': 4.0, 'b_h': 4.0}
        """
        call, given = self._read(params, x, target, _states_given(self._system.states, h0, c0, initial), steps, mask)
        direction = self._direction(call, given, v)
        names = {name: call.arguments.get(argument) for name, argument in self._emitted.arguments.items()}
        products = hessian_products(self.network, given, direction, names, call.lead)
        gradients = self._function(given, **call.arguments, wrt=tuple(given)).grads
        curvature = sum(float(np.sum(direction[key] * products[key])) for key in given)
        scalar = self._plan.scalar
        return HessianProduct(
            products={key: _shaped(products[key], call.shapes[key], scalar) for key in given},
            curvature=curvature,
            grads={key: _shaped(gradients[key], call.shapes[key], scalar) for key in given},
        )

    def _direction(self, call: _Call, given: Mapping[str, Array], v: Mapping[str, Any]) -> dict[str, Array]:
        if not isinstance(v, Mapping):
            raise ValueInputError(f"v must map parameters to arrays, {{'W_h': ...}}; not {type(v).__name__}")
        for key in v:
            if key not in given:
                raise UnknownNameError(f"v: unknown parameter {key!r}{nearest(str(key), tuple(given))}")
        found = {}
        for key, value in given.items():
            array = numbers(f"v[{key!r}]", v[key]) if key in v else np.zeros(value.shape)
            if array.shape != call.shapes[key] and array.shape != value.shape:
                raise ValueInputError(f"v[{key!r}] has shape {show(array.shape)}; expected {show(call.shapes[key])}")
            found[key] = array.reshape(value.shape)
        return found

    def _read(
        self,
        params: Mapping[str, Any],
        x: Any,
        target: Any,
        states: Mapping[str, Any],
        steps: int | None,
        mask: Any,
    ) -> tuple[_Call, dict[str, Array]]:
        """Check all that was given, and return it as the generated function takes it."""
        call = _Call(Sizes(self._system.sizes), Lead(self._fixed_steps(steps)))
        given = self._params(call, params)
        self._inputs(call, x)
        self._initial(call, states)
        self._target(call, target)
        if call.lead.steps is None:
            raise ValueInputError("the number of steps is not known: give steps=")
        self._mask(call, mask)
        if self._emitted.needs_steps:
            call.arguments["steps"] = call.lead.steps
        return call, given

    # -- what is given --------------------------------------------------------------------------------
    def _wanted(self, wrt: Iterable[str] | None) -> tuple[str, ...]:
        if wrt is None:
            return self.gradients
        asked = [wrt] if isinstance(wrt, str) else list(wrt)
        for key in asked:
            if key not in self.gradients:
                raise UnknownNameError(f"wrt: unknown name {key!r}{nearest(str(key), self.gradients)}")
        return tuple(key for key in self.gradients if key in asked)

    def _fixed_steps(self, steps: int | None) -> int | None:
        own = int(self._system.steps) if self._system.steps.is_Integer else None
        if steps is None:
            return own
        if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
            raise SizeError(f"steps must be a positive integer, not {steps!r}")
        if own is not None and steps != own:
            raise ValueInputError(f"steps={steps}, but the model has {own} steps")
        return int(steps)

    def _params(self, call: _Call, params: Mapping[str, Any]) -> dict[str, Array]:
        if not isinstance(params, Mapping):
            raise ValueInputError(f"params must map keys to arrays, {{'W_h': ...}}; not {type(params).__name__}")
        keys = tuple(self._system.parameters)
        for key in params:
            if key not in keys:
                raise UnknownNameError(f"unknown parameter {key!r}{nearest(str(key), keys)}")
        missing = [key for key in keys if key not in params]
        if missing:
            raise ValueInputError(f"params: {', '.join(missing)} missing; the model has {', '.join(keys)}")
        return {key: self._value(call, f"params[{key!r}]", key, params[key], self._plan.shape(key)) for key in keys}

    def _value(self, call: _Call, label: str, key: str, given: Any, shape: Shape) -> Array:
        array = numbers(label, given)
        call.shapes[key] = array.shape
        if self._plan.scalar and array.size == 1:
            return array.reshape(())
        if self.network.layout == ROWS and len(shape) == 1 and array.ndim == 2 and len(array) == 1:
            array = array[0]  # a bias as a row (1, n)
        call.sizes.check(label, array.shape, shape)
        return array

    def _inputs(self, call: _Call, x: Any) -> None:
        names = self._system.inputs
        given = _by_name(names, x)
        for name in names:
            array = numbers(name, given[name])
            call.shapes[name] = array.shape
            shape = self._plan.shape(name)
            if self._plan.scalar and array.ndim == 3 and array.shape[-1] == 1:
                array, call.column = array[..., 0], True
            forms = [("T", *shape), ("T", "B", *shape)]
            if array.ndim not in map(len, forms):
                shown = " or ".join(call.sizes.show(form) for form in forms)
                raise ValueInputError(f"{name} has shape {show(call.shapes[name])}; expected {shown}")
            axes = array.ndim - len(shape)
            call.lead.bind(name, array.shape[:axes])
            form = forms[axes - 1]
            try:
                call.sizes.check(name, array.shape[axes:], shape)
            except ValueInputError:
                shown = call.sizes.show(form)
                raise ValueInputError(f"{name} has shape {show(array.shape)}; expected {shown}") from None
            call.arguments[self._emitted.arguments[name]] = array

    def _initial(self, call: _Call, given: Mapping[str, Any]) -> None:
        for state, value in given.items():
            key = f"{state}0"
            array = numbers(key, value)
            call.shapes[key] = array.shape
            shape = self._plan.shape(state)
            if self._plan.scalar and array.ndim and array.shape[-1] == 1:
                array = array[..., 0]
            if array.ndim == len(shape) + 1:
                call.lead.bind_batch(key, array.shape[0])
                call.sizes.check(key, array.shape[1:], shape)
            elif array.ndim:
                self._check_initial(call, key, array, shape)
            call.arguments[self._emitted.arguments[key]] = array

    def _check_initial(self, call: _Call, key: str, array: Array, shape: Shape) -> None:
        try:
            call.sizes.check(key, array.shape, shape)
        except ValueInputError as error:
            batch = call.sizes.show(("B", *shape))
            raise ValueInputError(f"{error} or {batch}, or a scalar") from None

    def _target(self, call: _Call, target: Any) -> None:
        if not self._plan.has_target:
            if target is not None:
                raise ValueInputError("the loss of this model has no target; leave target out")
            return
        for name, given in self._by_readout(target).items():
            array = read_target(self._plan, call.sizes, call.lead, given, call.column, name)
            call.arguments[self._emitted.arguments[name]] = array

    def _by_readout(self, target: Any) -> dict[str, Any]:
        """Return the targets by name; of several readouts they are given by readout, {"y": ..., "v": ...}."""
        names = tuple(self._system.targets)
        if names == ("target",):
            return {"target": target}
        if not isinstance(target, Mapping):
            shown = ", ".join(f"{name.removeprefix('target_')!r}: ..." for name in names)
            raise ValueInputError(f"target must be a mapping of readouts to arrays, {{{shown}}}")
        readouts = [name.removeprefix("target_") for name in names]
        for name in target:
            if name not in readouts:
                raise UnknownNameError(f"target: unknown readout {name!r}{nearest(str(name), readouts)}")
        return {name: target.get(readout) for name, readout in zip(names, readouts, strict=True)}

    def _mask(self, call: _Call, mask: Any) -> None:
        if not self._plan.has_mask:
            if mask is not None:
                raise ValueInputError("the model has no mask; make it with mask=True, or leave mask out")
            return
        steps = int(call.lead.steps or 0)
        if self._system.loss_steps:
            if mask is not None:
                raise ValueInputError("loss_steps of the model is its mask; leave mask out")
            mask = mask_of(self._system, steps)
        forms = [(steps,), (steps, call.lead.batch)] if call.lead.batched else [(steps,)]
        expected = " or ".join(show(form) for form in forms)
        if mask is None:
            raise ValueInputError(f"mask is missing; expected {expected}")
        array = numbers("mask", mask)
        if array.shape not in forms:
            raise ValueInputError(f"mask has shape {show(array.shape)}; expected {expected}")
        call.arguments[self._emitted.arguments["mask"]] = array

    # -- what is returned -----------------------------------------------------------------------------
    def _result(self, call: _Call, out: Any, keys: tuple[str, ...]) -> Result:
        grads = {key: _shaped(out.grads[key], call.shapes.get(key), self._plan.scalar) for key in keys}
        return Result(
            loss=out.loss,
            grads=grads,
            states={name: _column(call, array) for name, array in out.states.items()},
            outputs=self._outputs(call, out.outputs),
            adjoints={name: _column(call, array) for name, array in out.adjoints.items()},
        )

    @staticmethod
    def _outputs(call: _Call, outputs: Any) -> Any:
        if isinstance(outputs, dict):
            return {name: _column(call, array) for name, array in outputs.items()}
        return _column(call, outputs)


def _column(call: _Call, array: Array) -> Array:
    return array[..., None] if call.column else array


def _shaped(grad: Any, shape: tuple[int, ...] | None, scalar: bool) -> Any:
    """Return a gradient in the shape of what was given; a scalar model's scalars as floats."""
    array = np.asarray(grad) if shape is None else np.asarray(grad).reshape(shape)
    return float(array) if scalar and array.ndim == 0 else array


def _by_name(names: tuple[str, ...], x: Any) -> dict[str, Any]:
    """Return the inputs by name: a mapping as it is, an array as the only input."""
    if not names:
        if x is not None:
            raise ValueInputError("the model has no input; leave x out")
        return {}
    if x is None:
        raise ValueInputError(f"{names[0]} is missing: the model reads {', '.join(names)} at each step")
    if not isinstance(x, Mapping):
        if len(names) > 1:
            raise ValueInputError(f"the model has inputs {', '.join(names)}: give x as a mapping of them")
        return {names[0]: x}
    for name in x:
        if name not in names:
            raise UnknownNameError(f"unknown input {name!r}{nearest(str(name), names)}")
    missing = [name for name in names if name not in x]
    if missing:
        raise ValueInputError(f"x: {', '.join(missing)} missing; the model reads {', '.join(names)}")
    return dict(x)


def _states_given(states: tuple[str, ...], h0: Any, c0: Any, initial: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the initial states by name, from the arguments and the mapping."""
    found: dict[str, Any] = {}
    pairs = [("h", h0), ("c", c0)]
    for key, value in (initial or {}).items():
        pairs.append((key[:-1] if key not in states and key.endswith("0") else key, value))
    for state, value in pairs:
        if value is None:
            continue
        if state not in states:
            raise UnknownNameError(f"initial: {state!r} is no state of the model{nearest(str(state), states)}")
        if state in found:
            raise ValueInputError(f"the initial state {state} is given twice: as {state}0= and in initial")
        found[state] = value
    return found


# -- loading ------------------------------------------------------------------------------------------


def _load(source: str) -> Any:
    """Run the generated text, our own, in a fresh namespace, where tracebacks and inspect find its lines."""
    filename = f"<symbptt {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "symbptt.generated"}
    exec(compile(source, filename, "exec"), namespace)
    return namespace["bptt"]


@lru_cache(maxsize=64)
def compile_network(network: Network) -> Bptt:
    """Return loss and gradients of a network as a function of numbers, compiled once for each network.

    Examples
    --------
    >>> from symbptt.model import Network, cell, loss, whole
    >>> one = whole(1, "size")
    >>> error = loss("half_squared_error", None)
    >>> bptt = compile_network(Network(cell("linear"), one, one, None, None, error, "sum", whole("T", "steps")))
    >>> out = bptt({"W_h": 2.0, "W_x": 1.0, "b_h": 0.0}, x=[1.0, 1.0], target=[0.0, 0.0])
    >>> out.loss, out.grads["W_h"], out.states["h"]
    (5.0, 3.0, array([0., 1., 3.]))
    """
    return Bptt(network)
