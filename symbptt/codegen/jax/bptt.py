"""The generated JAX module as a callable, with the arguments and the result of the NumPy one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

import numpy as np
from sympy import Expr, S

from ...errors import MissingToolError, RefusedError, ValueInputError
from ...model import CELL, Network, one_example
from ...model.truncation import Truncation
from ..bptt import Bptt, HessianProduct, Result, _column
from ..calls import Call, Reader, read_direction
from ..checks import Array, Intake, check_finite, numbers
from ..cotangents import paired
from ..fast.run import loaded
from .emit import JaxEmitted, emit_jax


class JaxBptt(Bptt):
    """Loss and gradients of a network as a function of JAX arrays.

    The gradients are those of the derived equations, and not of JAX's differentiation, for which the function is as
    good as any other: it can be jitted, mapped, differentiated and sharded. Shapes and names are always checked, values
    where they can be seen without a transfer: of NumPy arrays and numbers, and of JAX arrays on one CPU, but not while
    JAX traces. Elsewhere a value that is not finite, and a class that there is not, make the loss nan. A call, whose
    results are all JAX arrays, is compiled once for each type, shape and choice of ``wrt``.

    Parameters
    ----------
    network : Network

    Attributes
    ----------
    network : Network
    source : str
        The generated module, which needs JAX alone.

    Raises
    ------
    MissingToolError
        When it is called and JAX is not installed; the source is there without it.
    """

    def __init__(self, network: Network, last: bool = False) -> None:
        self.network, self.truncate, self._last = network, None, last
        computed = one_example(network)  # the code has an axis for the batch of its own
        self._emitted: JaxEmitted = emit_jax(computed, last)
        self._plan, self._system = self._emitted.plan, computed.system
        intake = Intake(_numbers, _values)
        self._reader = Reader(computed.system, self._emitted, network.layout, "dy" if last else "target", intake)
        self._fast = self._recall = None
        self._asked: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._all = (*self._system.parameters, *self._system.inputs, *(f"{state}0" for state in self._system.states))

    def __reduce__(self) -> Any:
        return compile_jax, (self.network, None, self._last)

    def memory(self, batch: bool = True) -> Expr:
        """Return how many bytes the arrays over all steps of a call take at most, in float64: linear in T."""
        found = self._emitted.memory
        return (
            found if batch else found.xreplace({symbol: S.One for symbol in found.free_symbols if str(symbol) == "B"})
        )

    @cached_property
    def _compiled(self) -> Any:
        _require_jax()
        return loaded(self.source)

    def _draw(self, call: Call, masks: Any, rng: Any) -> None:
        if masks is not None or rng is not None:
            raise ValueInputError("masks and rng are for random truncation, which is for the NumPy backend")

    def _run(self, given: dict[str, Array], call: Call, keys: tuple[str, ...]) -> Any:
        return self._compiled(given, **call.arguments, wrt=keys)

    def _of_cotangents(self) -> Bptt:
        return compile_jax(paired(self.network), None, True)

    @staticmethod
    def _number(value: Any) -> Any:
        return value

    def _result(self, call: Call, out: Any, keys: tuple[str, ...]) -> Result:
        """Return what the module does, in the order of the model: JAX sorts the keys of dictionaries."""
        names = [line.name for line in self._plan.stage(CELL)]
        outputs = out.outputs
        if isinstance(outputs, dict):
            outputs = {name: outputs[name] for name in self._system.predictions}
        return Result(
            loss=out.loss,
            grads={key: _shaped(out.grads[key], call.shapes.get(key)) for key in keys},
            states={name: _column(call, out.states[name]) for name in self._system.states},
            outputs=self._outputs(call, outputs),
            adjoints={name: _column(call, out.adjoints[name]) for name in names if name in out.adjoints},
        )

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
        """Return the product of the Hessian of L in the parameters with a direction, as JAX arrays.

        It is ``jax.jvp`` of the derived gradients. Parameters are those of :meth:`Bptt.hvp`.
        """
        function = self._compiled
        import jax
        import jax.numpy as jnp

        call, given = self._reader.read(params, x, target, h0, c0, initial, steps, mask)
        primal = {key: jnp.asarray(value) for key, value in given.items()}
        direction = {
            key: jnp.asarray(value, primal[key].dtype) for key, value in read_direction(call, given, v).items()
        }
        gradients, products = jax.jvp(
            lambda params: function(params, **call.arguments, wrt=tuple(given)).grads, (primal,), (direction,)
        )
        return HessianProduct(
            products={key: _shaped(products[key], call.shapes[key]) for key in given},
            curvature=sum((direction[key] * products[key]).sum() for key in given),
            grads={key: _shaped(gradients[key], call.shapes[key]) for key in given},
        )


def _shaped(grad: Any, shape: tuple[int, ...] | None) -> Any:
    """Return a gradient in the shape of what was given."""
    return grad if shape is None or grad.shape == shape else grad.reshape(shape)


# -- arrays -------------------------------------------------------------------------------------------


def _numbers(name: str, given: Any, integers: bool = False) -> Any:
    """Return an array of real numbers: JAX's as it is, on the devices where it is, anything else as a copy in NumPy.

    Integers become floats of the size that JAX is set to, unless they are wanted; floats shorter than float32 become
    float32.

    Raises
    ------
    ValueInputError
        For what is no array of numbers, complex, or, where it can be seen, not finite.
    MissingToolError
        Where JAX is not installed.
    """
    _require_jax()
    import jax
    import jax.numpy as jnp

    if isinstance(given, list | tuple) and any(
        isinstance(part, jax.Array) for part in jax.tree_util.tree_leaves(given)
    ):
        given = jnp.asarray(given)
    if not isinstance(given, jax.Array):
        # A copy: JAX may still be reading the array when the call has returned, and the caller may write to it.
        return numbers(name, given, integers).copy()
    _check_mesh(name, given)
    kind = given.dtype
    if kind.kind in "biu":
        return given if integers and kind.kind != "b" else given.astype(float)
    if not jnp.issubdtype(kind, jnp.floating):
        raise ValueInputError(f"{name} must be real numbers, not {kind}")
    array = given if kind.itemsize >= 4 else given.astype(jnp.float32)
    seen = _values(array)
    if seen is not None:
        check_finite(name, seen)
    return array


def _check_mesh(name: str, array: Any) -> None:
    """Raise for an array that is spread over axes of type Explicit, where a sum over the batch needs to be told more.

    Raises
    ------
    ValueInputError
        With the mesh to take.
    """
    sharding = getattr(array.aval, "sharding", None)
    kinds = getattr(getattr(sharding, "mesh", None), "axis_types", None) or ()
    if any(getattr(sharding, "spec", ())) and any(getattr(kind, "name", "") == "Explicit" for kind in kinds):
        mesh = "jax.sharding.Mesh(devices, names), or jax.make_mesh with axis_types of Auto"
        raise ValueInputError(f"{name} is spread over a mesh with axes of type Explicit; make the mesh by {mesh}")


def _values(array: Any) -> Array | None:
    """Return the values where they can be seen without a transfer: not of a tracer, nor on another device."""
    import jax

    if not isinstance(array, jax.Array):
        return np.asarray(array)
    if isinstance(array, jax.core.Tracer) or not array.is_fully_addressable:
        return None
    devices = array.devices()
    return np.asarray(array) if len(devices) == 1 and next(iter(devices)).platform == "cpu" else None


def _require_jax() -> None:
    """Raise where JAX is not installed."""
    try:
        import jax  # noqa: F401
    except ImportError:
        raise MissingToolError('the JAX backend needs jax: pip install "symbptt[jax]"') from None
    with _LOCK:
        _register()


_LOCK = Lock()


@lru_cache(maxsize=1)
def _register() -> None:
    """Tell JAX that results may go in and out of its functions."""
    import jax

    for kind in (Result, HessianProduct):
        jax.tree_util.register_dataclass(kind, [field.name for field in dataclasses.fields(kind)], [])


@lru_cache(maxsize=64)
def compile_jax(network: Network, truncate: Truncation | None = None, last: bool = False) -> JaxBptt:
    """Return loss and gradients of a network as a function of JAX arrays, one for each network.

    Parameters
    ----------
    network : Network
    truncate : None
        There are no truncated gradients.
    last : bool
        Whether the function takes cotangents of the last states.

    Raises
    ------
    RefusedError
        For truncated gradients.
    """
    if truncate is not None:
        raise RefusedError(f'truncate={truncate}: truncated code is for the NumPy backend; leave backend="jax" out')
    return JaxBptt(network, last)
