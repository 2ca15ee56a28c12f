"""The fast style of a module as a function with the arguments and results of the readable one."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ... import algebra as A
from ...model import Network
from ..calls import Call
from ..checks import Array
from ..emit import Emitted
from ..passes.pipeline import Pass
from ..plan import Plan
from .module import FastModule


class Raw(NamedTuple):
    """What a generated function returns."""

    loss: float
    grads: dict[str, Any]
    states: dict[str, Array]
    outputs: Any
    adjoints: Mapping[str, Array]


class Adjoints(Mapping[str, Array]):
    """Adjoints by variable; those that no other computation needed are computed when they are asked for."""

    def __init__(
        self, arrays: Mapping[str, Array | Callable[[], Array]], shown: Callable[[Array], Array] | None = None
    ) -> None:
        self._arrays, self._shown = arrays, shown
        self._found: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._found:
            array = self._arrays[name]
            array = array() if callable(array) else array
            self._found[name] = array if self._shown is None else self._shown(array)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


class FastFunction:
    """Loss and gradients by the fast style, of one sequence or of a batch; each is generated when it is first needed.

    Parameters
    ----------
    network : Network
        Of one example, not all of whose sizes are 1, and with an input.
    emitted : Emitted
        Its readable module, with the names of the arguments.
    """

    def __init__(self, network: Network, emitted: Emitted) -> None:
        self.ends = emitted.cotangents
        self.network, self.plan, self.names = network, emitted.plan, emitted.arguments
        self.system = emitted.plan.system
        self.given = [self.names[name] for name in (*self.system.inputs, *self.system.fixed)]
        self.starts = [self.names[f"{state}0"] for state in self.system.states]
        self._class_sizes: dict[Any, tuple[str, int] | None] = {}
        self._made: dict[bool, tuple[str, Callable[..., Any], bool]] = {}

    def _module(self, single: bool) -> tuple[str, Callable[..., Any], bool]:
        if single not in self._made:
            self._made[single] = fast_source(self.network, single, last=bool(self.ends))
        return self._made[single]

    def source(self, single: bool) -> str:
        """Return the module for one sequence, or for a batch."""
        return self._module(single)[0]

    def function(self, single: bool) -> tuple[Callable[..., Any], bool]:
        """Return the function for one sequence or for a batch, and whether its arrays have no axis of batch."""
        return self._module(single)[1:]

    def classes(self, params: Mapping[str, Array]) -> int | None:
        """Return how many classes a target has: the size of what it is compared with."""
        name = next(iter(self.system.targets), None)
        size = self.plan.shape(name)[:1] if name else ()
        if not size:
            return None
        if size not in self._class_sizes:
            owners = [(key, axis) for key in params for axis, s in enumerate(self.plan.shape(key)) if s == size[0]]
            self._class_sizes[size] = owners[0] if owners else None
        owner = self._class_sizes[size]
        return None if owner is None else int(params[owner[0]].shape[owner[1]])

    def __call__(self, given: dict[str, Array], call: Call, wrt: tuple[str, ...]) -> Raw:
        dtype = np.result_type(np.float32, *(call.arguments[name] for name in self._inputs), *given.values())
        params = {key: _packed(array, dtype) for key, array in given.items()}
        lead = call.lead
        batched = bool(lead.batched)
        _, function, flat = self._module(not batched or lead.batch == 1)
        named = self._arguments(call, dtype)
        single = flat and (not batched or lead.batch == 1)
        arguments: list[Array] = [array for _, array in named]
        if single and batched:
            arguments = [np.squeeze(array, self._axis(name)) for name, array in named]
        elif not single and not batched:
            arguments = [np.expand_dims(array, self._axis(name)) for name, array in named]
        starts = [call.arguments.get(name) for name in self.starts]
        if single and batched:
            starts = [
                None if a is None else self._one_start(s, a) for s, a in zip(self.system.states, starts, strict=True)
            ]
        ends = [call.arguments.get(name) for name in self.ends.values()]
        if single and batched:
            ends = [
                None if a is None else self._one_start(s, a) for s, a in zip(self.system.states, ends, strict=False)
            ]
        loss, grads, states, outputs, adjoints = function(params, *arguments, *starts, *ends, wrt, dtype)
        if single == (not batched):
            return Raw(loss, grads, states, outputs, Adjoints(adjoints))
        shown = _expanded if single else _squeezed
        for name in self.system.inputs:
            if name in grads:
                grads[name] = shown(grads[name])
        for state, start in zip(self.system.states, starts, strict=True):
            if start is None and f"{state}0" in grads:
                grads[f"{state}0"] = grads[f"{state}0"][None] if single else grads[f"{state}0"][0]
        whole = {name: shown(array) for name, array in states.items()}
        values = {k: shown(v) for k, v in outputs.items()} if isinstance(outputs, dict) else shown(outputs)
        return Raw(loss, grads, whole, values, Adjoints(adjoints, shown))

    @property
    def _inputs(self) -> list[str]:
        return [self.names[name] for name in self.system.inputs]

    def _arguments(self, call: Call, dtype: Any) -> list[tuple[str, Any]]:
        """Return inputs, targets and the mask by name, in the type of the computation."""
        found = []
        for name in (*self.system.inputs, *self.system.fixed):
            array = np.asarray(call.arguments[self.names[name]])
            if name in self.system.targets and array.dtype.kind in "iu":
                if self.plan.last:
                    array = np.eye(self._classes(call, name), dtype=dtype)[array]
            else:
                array = np.ascontiguousarray(array, dtype)
            if name == "mask" and call.lead.batch is not None and array.ndim == 1:
                array = np.ascontiguousarray(np.broadcast_to(array[:, None], (len(array), call.lead.batch)))
            found.append((name, array))
        return found

    def _classes(self, call: Call, name: str) -> int:
        size = call.sizes.value(self.plan.shape(name)[0])
        assert size is not None
        return size

    def _axis(self, name: str) -> int:
        return 0 if self.plan.last and name in self.system.targets else 1

    def _one_start(self, state: str, array: Array) -> Array:
        return array.reshape(array.shape[array.ndim - min(array.ndim, len(self.plan.shape(state))) :])


def _expanded(array: Array) -> Array:
    return array[:, None]


def _squeezed(array: Array) -> Array:
    return array[:, 0]


def _packed(array: Array, dtype: Any) -> Array:
    """Return an array whose rows or columns are each in one piece."""
    array = array.astype(dtype, copy=False)
    return array if array.flags.forc else np.ascontiguousarray(array)


def is_fast(plan: Plan) -> bool:
    """Whether a plan has a fast style: it has arrays, and an input that says how many steps there are."""
    return not plan.scalar and bool(plan.system.inputs)


@lru_cache(maxsize=64)
def fast_source(
    network: Network, single: bool, passes: tuple[Pass, ...] | None = None, last: bool = False
) -> tuple[str, Callable[..., Any], bool]:
    """Return the text of a module, its function, and whether its arrays have no axis of batch.

    A network with a variable that is one number a step is always run as a batch: numbers cannot be written in place.
    """
    module = FastModule(network, single, passes, last)
    if single and any(A.rank_of(line.leaf) == 0 for line in module.program.lines()):
        return fast_source(network, False, passes, last)
    source = module.text()
    return source, loaded(source), single


def loaded(source: str) -> Callable[..., Any]:
    """Run generated text, our own, in a fresh namespace, where tracebacks and inspect find its lines."""
    filename = f"<symbptt {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "symbptt.generated"}
    exec(compile(source, filename, "exec"), namespace)
    function: Callable[..., Any] = namespace["bptt"]
    return function
