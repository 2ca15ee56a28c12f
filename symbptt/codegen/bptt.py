"""The generated module as a callable: everything given is checked before it, everything returned is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from sympy import Expr

from ..errors import UnknownNameError, ValueInputError, nearest
from ..model import Network, one_example
from ..model.truncation import Randomised, Truncation
from .calls import Call, Reader, masks_for, read_direction
from .checks import Array
from .cotangents import last_given, paired, pairings, read_cotangents
from .emit import Emitted, emit
from .fast.recall import Recall
from .fast.run import Adjoints, FastFunction, is_fast, loaded
from .hessian import hessian_products
from .memory import memory


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
    adjoints: Mapping[str, Array]


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


class Bptt:
    """Loss and gradients of a network as a function of numbers.

    Parameters
    ----------
    network : Network
    truncate : Truncation, optional
        Exact gradients by default.

    Attributes
    ----------
    network : Network
    truncate : Truncation or None
    source : str
        The generated module, which needs NumPy alone.
    """

    def __init__(self, network: Network, truncate: Truncation | None = None, last: bool = False) -> None:
        self.network, self.truncate, self._last = network, truncate, last
        computed = one_example(network)  # the code has an axis for the batch of its own
        self._emitted: Emitted = emit(computed, truncate, last)
        self._plan, self._system = self._emitted.plan, computed.system
        self._reader = Reader(computed.system, self._emitted, network.layout, "dy" if last else "target")
        self._function = loaded(self._emitted.source)
        self._fast = FastFunction(computed, self._emitted) if truncate is None and is_fast(self._plan) else None
        self._recall = Recall(self._plan.system, self._fast) if self._fast and not last else None
        self._asked: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._all = (*self._system.parameters, *self._system.inputs, *(f"{state}0" for state in self._system.states))

    @property
    def source(self) -> str:
        return self._emitted.source

    def fast_source(self, batch: bool = True) -> str:
        """Return what a call runs: the program of :attr:`source` in another style.

        Parameters
        ----------
        batch : bool
            Of a call with a batch, or with a single sequence.
        """
        return self._emitted.source if self._fast is None else self._fast.source(not batch)

    def memory(self, batch: bool = True) -> Expr:
        """Return how many bytes the arrays over all steps of a call take, in float64: linear in T.

        Parameters
        ----------
        batch : bool
            Of a call with a batch, in T, B and the sizes; else of one with a single sequence.

        Examples
        --------
        >>> from symbptt import RNN
        >>> RNN("tanh", "n", "m", loss="mse").lambdify().memory()
        8*B*(T*(m + 3*n + 1) + n)
        """
        return memory(self.fast_source(batch))

    @property
    def gradients(self) -> tuple[str, ...]:
        """Everything that there is a gradient by."""
        return self._all

    def __repr__(self) -> str:
        return f"<bptt of the cell {self.network.cell.name!r}: {', '.join(self.gradients)}>"

    def __reduce__(self) -> Any:
        return compile_network, (self.network, self.truncate, self._last)

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
        masks: Any = None,
        rng: Any = None,
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
        masks : array of 0 and 1, optional
            Of random truncation: (T,), entry t for going on from step t + 1 to step t; with masks for each loss
            (T, T), the loss first. Drawn at random by default.
        rng : numpy.random.Generator or int, optional
            What masks are drawn with.

        Raises
        ------
        ValueInputError, UnknownNameError
            For numbers, shapes or names that do not fit the model.
        """
        keys = self._wanted(wrt)
        usual = initial is None and steps is None and mask is None and masks is None and rng is None
        signature = self._recall.signature(params, x, target, h0, c0) if usual and self._recall else None
        if signature is not None and self._recall is not None:
            known = self._recall(signature, params, x, target, (h0, c0), keys)
            if known is not None:
                return Result(*known)
        call, given = self._reader.read(params, x, target, h0, c0, initial, steps, mask)
        self._draw(call, masks, rng)
        result = self._result(call, self._run(given, call, keys), keys)
        if signature is not None and self._recall is not None:
            self._recall.note(signature, call, given)
        return result

    def _run(self, given: dict[str, Array], call: Call, keys: tuple[str, ...]) -> Any:
        if self._fast is not None:
            return self._fast(given, call, keys)
        return self._function(given, **call.arguments, wrt=keys)

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
        if self.truncate is not None:
            raise ValueInputError("truncated gradients are no gradients of a loss, so that there is no Hessian")
        call, given = self._reader.read(params, x, target, h0, c0, initial, steps, mask)
        direction = read_direction(call, given, v)
        names = {name: call.arguments.get(argument) for name, argument in self._emitted.arguments.items()}
        products = hessian_products(self.network, given, direction, names, call.lead)
        gradients = self._run(given, call, tuple(given)).grads
        curvature = sum(float(np.sum(direction[key] * products[key])) for key in given)
        scalar = self._plan.scalar
        return HessianProduct(
            products={key: _shaped(products[key], call.shapes[key], scalar) for key in given},
            curvature=curvature,
            grads={key: _shaped(gradients[key], call.shapes[key], scalar) for key in given},
        )

    def vjp(
        self,
        params: Mapping[str, Any],
        x: Any = None,
        *,
        dy: Any = None,
        dh_T: Any = None,
        dc_T: Any = None,
        final: Mapping[str, Any] | None = None,
        h0: Any = None,
        c0: Any = None,
        initial: Mapping[str, Any] | None = None,
        wrt: Iterable[str] | None = None,
        steps: int | None = None,
    ) -> Result:
        """Return gradients for cotangents that come from elsewhere, in place of those of a loss.

        What is differentiated is the sum over t of <dy_t, y_t>, plus <dh_T, h_T>: the vector-Jacobian product of a
        network that is a part of a larger computation, or of one stretch of a long sequence.

        Parameters
        ----------
        params, x, h0, c0, initial, wrt, steps
            As for a call.
        dy : array, or mapping of readout -> array where there are several
            Cotangents of the outputs, (T, q) or (T, B, q); zero by default.
        dh_T, dc_T : array, optional
            Cotangents of the last states, (n,) or (B, n); zero by default.
        final : mapping, optional
            State -> cotangent of its last value, for states of any name.

        Returns
        -------
        Result
            Its loss is the sum of inner products.

        Raises
        ------
        ValueInputError, UnknownNameError
            For numbers, shapes or names that do not fit the model.

        Examples
        --------
        >>> from symbptt import RNN
        >>> bptt = RNN("linear", 1, 1, steps=2).lambdify()
        >>> numbers = {"W_h": 3.0, "W_x": 1.0, "b_h": 0.0}
        >>> bptt.vjp(numbers, x=[1.0, 1.0], dh_T=1.0).grads["x"]
        array([3., 1.])
        """
        if self.truncate is not None:
            raise ValueInputError("truncated gradients are no vector-Jacobian products; leave truncate out")
        inner = self._of_cotangents()
        keys = inner._wanted(wrt)
        ends = last_given(dh_T, dc_T, final, tuple(self._system.states))
        call, given, last = read_cotangents(inner, params, x, dy, ends, (h0, c0, initial), steps)
        call.arguments.update({inner._emitted.cotangents[state]: array for state, array in last.items()})
        result = inner._result(call, inner._run(given, call, keys), keys)
        return replace(result, loss=sum(map(self._number, pairings(last, result.states, self._system)), result.loss))

    def _of_cotangents(self) -> Bptt:
        """Return the function whose loss is the inner product with cotangents."""
        return compile_network(paired(self.network), None, True)

    @staticmethod
    def _number(value: Any) -> Any:
        return float(value)

    def _draw(self, call: Call, masks: Any, rng: Any) -> None:
        """Put the masks of random truncation among the arguments."""
        if isinstance(self.truncate, Randomised):
            assert call.lead.steps is not None
            call.arguments[self._emitted.masks] = masks_for(self.truncate, call.lead.steps, masks, rng)
        elif masks is not None or rng is not None:
            raise ValueInputError("masks and rng are for random truncation: lambdify(truncate=Randomised(p))")

    def _wanted(self, wrt: Iterable[str] | None) -> tuple[str, ...]:
        if wrt is None:
            return self._all
        if type(wrt) is tuple and wrt in self._asked:
            return self._asked[wrt]
        asked = [wrt] if isinstance(wrt, str) else list(wrt)
        for key in asked:
            if key not in self.gradients:
                raise UnknownNameError(f"wrt: unknown name {key!r}{nearest(str(key), self.gradients)}")
        found = tuple(key for key in self._all if key in asked)
        if type(wrt) is tuple and len(self._asked) < 64:
            self._asked[wrt] = found
        return found

    # -- what is returned -----------------------------------------------------------------------------
    def _result(self, call: Call, out: Any, keys: tuple[str, ...]) -> Result:
        grads = {key: _shaped(out.grads[key], call.shapes.get(key), self._plan.scalar) for key in keys}
        return Result(
            loss=out.loss,
            grads=grads,
            states={name: _column(call, array) for name, array in out.states.items()},
            outputs=self._outputs(call, out.outputs),
            adjoints=out.adjoints
            if isinstance(out.adjoints, Adjoints)
            else {n: _column(call, a) for n, a in out.adjoints.items()},
        )

    @staticmethod
    def _outputs(call: Call, outputs: Any) -> Any:
        if isinstance(outputs, dict):
            return {name: _column(call, array) for name, array in outputs.items()}
        return _column(call, outputs)


def _column(call: Call, array: Array) -> Array:
    return array[..., None] if call.column else array


def _shaped(grad: Any, shape: tuple[int, ...] | None, scalar: bool) -> Any:
    """Return a gradient in the shape of what was given; a scalar model's scalars as floats."""
    array = np.asarray(grad) if shape is None else np.asarray(grad).reshape(shape)
    return float(array) if scalar and array.ndim == 0 else array


@lru_cache(maxsize=64)
def compile_network(network: Network, truncate: Truncation | None = None, last: bool = False) -> Bptt:
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
    return Bptt(network, truncate, last)
