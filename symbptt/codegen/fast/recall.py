"""Calls like one that was made before: the shapes are known to fit, so that only the numbers are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ...errors import ValueInputError
from ...model import System
from ..calls import Call
from ..checks import Array, distributions, unit
from .run import Adjoints, FastFunction, Raw

Signature = tuple[Any, ...]


class Recall:
    """Functions by the shapes and types of the arrays that they were called with.

    A signature is noted once the arrays have passed all checks. What is looked at again are the numbers: whether they
    are finite, and whether the target is what the loss takes. Where anything is out of the ordinary the call goes
    through all checks again, which say what is wrong.

    Parameters
    ----------
    system : System
    fast : FastFunction
    """

    MOST = 64
    """Signatures that are kept."""

    def __init__(self, system: System, fast: FastFunction) -> None:
        self.system, self.fast = system, fast
        self.keys = tuple(system.parameters)
        self._plain = len(system.inputs) == 1 and len(system.targets) == 1 and not system.masked
        self._starts = ("h", "c")[: len(system.states)] if tuple(system.states) in (("h",), ("h", "c")) else None
        self._known: dict[Signature, tuple[Callable[..., Any], int | None]] = {}
        kind = next(iter(system.targets.values()), "real")
        self._fits = {"distribution": _is_distribution, "unit": _is_unit}.get(kind, _is_any)

    def signature(self, params: Any, x: Any, target: Any, h0: Any, c0: Any) -> Signature | None:
        """Return the shapes of a call, or None where it is not of the usual kind: arrays of floats of one type."""
        if not self._plain or type(params) is not dict or self._starts is None:
            return None
        try:
            arrays = [params[key] for key in self.keys]
            dtype = x.dtype
            found: list[Any] = [dtype, len(params), x.shape, target.shape, target.dtype]
            for array in arrays:
                if array.dtype is not dtype or not array.flags.forc:
                    return None
                found.append(array.shape)
            for start in (h0, c0):
                if start is not None and start.dtype is not dtype:
                    return None
                found.append(None if start is None else start.shape)
        except (AttributeError, KeyError):
            return None
        usual = type(x) is np.ndarray and type(target) is np.ndarray and dtype in _FLOATS
        plain = usual and x.flags.c_contiguous and target.flags.c_contiguous
        return tuple(found) if plain and (target.dtype is dtype or target.dtype.kind in "iu") else None

    def note(self, signature: Signature, call: Call, given: Mapping[str, Array]) -> None:
        """Note that arrays of these shapes fit, where the function takes and returns them as they are."""
        shapes = all(call.shapes[key] == array.shape for key, array in given.items())
        lead = call.lead
        single, function, flat = bool(not lead.batched), *self.fast.function(not lead.batched)
        as_they_are = shapes and not call.column and flat == single and (not lead.batched or (lead.batch or 0) > 1)
        last = self.fast.plan.last  # the target of every step may be given, and classes are made distributions
        if (
            as_they_are
            and not (last and (signature[4].kind in "iu" or not self._is_of_one_step(call, signature)))
            and len(self._known) < self.MOST
        ):
            self._known[signature] = function, self.fast.classes(given)

    def _is_of_one_step(self, call: Call, signature: Signature) -> bool:
        taken = call.arguments[self.fast.names[next(iter(self.system.targets))]]
        return bool(np.shape(taken) == signature[3])

    def __call__(
        self,
        signature: Signature,
        params: Mapping[str, Any],
        x: Array,
        target: Array,
        starts: tuple[Any, Any],
        wrt: Any,
    ) -> Raw | None:
        """Return the result, or None where the call is not known or its numbers need a closer look."""
        known = self._known.get(signature)
        if known is None or self._starts is None:
            return None
        function, classes = known
        used, unused = starts[: len(self._starts)], starts[len(self._starts) :]
        given = [start for start in starts if start is not None]
        if given and any(start is not None for start in unused):
            return None
        with np.errstate(over="ignore"):
            if not _are_finite([*params.values(), x, *given]):
                return None
            if not self._fits(target, classes):
                return None
        loss, grads, states, outputs, adjoints = function(params, x, target, *used, wrt, x.dtype)
        return Raw(loss, grads, states, outputs, Adjoints(adjoints))


_UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}
_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def _are_finite(arrays: Iterable[Array]) -> bool:
    """Whether all numbers are finite; squares that overflow count as not, for others to find out."""
    total = 0.0
    for array in arrays:
        flat = array.ravel("K")
        total += flat.dot(flat)
    total = float(total)
    return total - total == 0.0


def _is_any(target: Array, classes: int | None) -> bool:
    return target.dtype.kind == "f" and _are_finite([target])


def _is_unit(target: Array, classes: int | None) -> bool:
    return _is_any(target, classes) and _passes(unit, target)


def _is_distribution(target: Array, classes: int | None) -> bool:
    if target.dtype.kind in "iu":
        # Seen without a sign, negative numbers are larger than any class.
        return classes is not None and bool(np.maximum.reduce(target.view(_UNSIGNED[target.itemsize]), None) < classes)
    return _is_any(target, classes) and _passes(distributions, target, False)


def _passes(check: Callable[..., Any], *arguments: Any) -> bool:
    try:
        check("target", *arguments)
    except ValueInputError:
        return False
    return True
