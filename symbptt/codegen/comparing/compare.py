"""Arrays of any program, compared with the true gradients, adjoints and states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Integer

from ... import algebra as A
from ...checking.inputs import ROUNDOFF
from ...derive.generic import Generic
from ...errors import ValueInputError
from ...evaluate.numbers import Array
from .arrays import as_array, named_arrays, unit_name, wrong_shape
from .given import prepared
from .matching import Target
from .result import ADJOINT, GRADIENT, RIGHT, STATE, UNDECIDED, WRONG, Cause, Compared, First, Item
from .rounding import Expected, expected_errors
from .search import search

if TYPE_CHECKING:
    from ..bptt import Bptt

TOLERANCE = 20.0
"""Errors of this many times the expected one are mistakes: right gradients stay below 6 in all that was measured."""


def compare(
    bptt: Bptt,
    grads: Mapping[str, Any] | None,
    call: Mapping[str, Any],
    adjoints: Mapping[str, Any] | None = None,
    states: Mapping[str, Any] | None = None,
    dtype: Any = None,
    tolerance: float = TOLERANCE,
    keys: Mapping[str, str] | None = None,
) -> Compared:
    """Compare gradients with the true ones; see :meth:`symbptt.api.bptt.Bptt.compare`.

    Parameters
    ----------
    bptt : Bptt
    grads : mapping
    call : mapping
        The arguments of a call.
    adjoints, states : mapping, optional
    dtype : type, optional
    tolerance : float
    keys : mapping, optional
        Name of a gradient -> its canonical key, where that is another.
    """
    return _Comparison(bptt, call, dtype, tolerance, keys or {}).compared(grads, adjoints, states)


class _Comparison:
    def __init__(
        self, bptt: Bptt, call: Mapping[str, Any], dtype: Any, tolerance: float, keys: Mapping[str, str]
    ) -> None:
        if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 < tolerance < float("inf"):
            raise ValueInputError(f"tolerance={tolerance!r}: give a positive number")
        self.dtype = None if dtype is None else unit_name(dtype)
        self.bptt, self.tolerance, self.keys = bptt, tolerance, keys
        made = prepared(bptt, {key: _exact(key, value) for key, value in call.items() if value is not None})
        self.right, self.numbers, self.out = made.right, made.numbers, made.out
        self._has_cotangents = made.has_cotangents
        self.system = self.right.system
        self._errors: dict[str, Expected] = {}

    @cached_property
    def _exact(self) -> Any:
        return self.numbers.backward(self.right)

    def _expected(self, kind: str) -> Expected:
        if kind not in self._errors:
            self._errors[kind] = expected_errors(self.numbers, self.right, self._exact, ROUNDOFF[kind])
        return self._errors[kind]

    # -- all --------------------------------------------------------------------------------------------------
    def compared(self, grads: Any, adjoints: Any, states: Any) -> Compared:
        if grads is None and adjoints is None and states is None:
            raise ValueInputError("nothing is given to compare: give grads, {'W_h': ...}")
        arrays = [
            *self._states(named_arrays("states", states, self._forward_names, "variable")),
            *self._adjoints(named_arrays("adjoints", adjoints, list(self.out.adjoints), "variable of the cell")),
            *self._gradients(named_arrays("grads", grads, self.bptt.gradients, "gradient", self.keys)),
        ]
        if not arrays:
            raise ValueInputError("nothing is given to compare: grads is empty")
        pairs = [self._item(array) for array in arrays]
        wrong = [item.kind for item, _ in pairs if item.verdict == WRONG]
        items = [item for item, _ in pairs]
        if wrong and STATE not in wrong:  # of a wrong forward pass all gradients are wrong, and that is the cause
            searched = [(i, target) for i, (item, target) in enumerate(pairs) if item.kind != STATE]
            causes = search(self.right, self.numbers, [target for _, target in searched])
            for place, found in causes.items():
                i = searched[place][0]
                items[i] = replace(items[i], causes=(*items[i].causes, *found))
        batch = self.numbers.batch if self._is_batched else None
        reduction = None if self._has_cotangents else self.system.reduction
        return Compared(tuple(items), self._first(items), self.tolerance, self.numbers.steps, batch, reduction)

    @property
    def _is_batched(self) -> bool:
        state = self.system.states[0]
        return np.ndim(self.out.states[state]) > 1 + len(self.numbers.shape(state)) * (not self._is_scalar)

    @property
    def _is_scalar(self) -> bool:
        return self.bptt._plan.scalar

    # -- what is given ----------------------------------------------------------------------------------------
    @property
    def _forward_names(self) -> list[str]:
        return [name for name in self.numbers.values if name in self.system.by_name]

    def _states(self, given: dict[str, Any]) -> Iterator[_Given]:
        """States from t = 0 or from t = 1 on; other variables from t = 1 on."""
        for name, value in given.items():
            label = f"states[{name!r}]"
            array, kind = as_array(label, value)
            shape, symbols = self._timed(name)
            start = (self.numbers.steps + 1, *shape[1:]), ("T + 1", *symbols[1:])
            if name in self.system.states and array.shape == start[0]:
                forward = self.system.direction_of(name) == 1
                array = array[1:] if forward else array[:-1]
            elif array.shape != shape:
                raise wrong_shape(label, array.shape, *(start if name in self.system.states else (shape, symbols)))
            yield _Given(STATE, name, array, kind, (), symbols, self._within(shape), array.shape, name)

    def _adjoints(self, given: dict[str, Any]) -> Iterator[_Given]:
        for name, value in given.items():
            label = f"adjoints[{name!r}]"
            array, kind = as_array(label, value)
            shape, symbols = self._timed(name)
            if array.shape != shape:
                raise wrong_shape(label, array.shape, shape, symbols)
            yield _Given(ADJOINT, name, array, kind, (), symbols, self._within(shape), array.shape, name)

    def _timed(self, name: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the shape of a variable over all steps, in numbers and in symbols."""
        single = () if self._is_scalar else self.numbers.shape(name)
        symbols = () if self._is_scalar else _symbols(self.system.at(name))
        known = self.out.adjoints.get(name)
        if self._is_scalar and known is not None and np.ndim(known) > 1 + self._is_batched:
            single, symbols = (1,), ("1",)  # as x was given
        batch = (("B",), (self.numbers.batch,)) if self._is_batched else ((), ())
        return (self.numbers.steps, *batch[1], *single), ("T", *batch[0], *symbols)

    @staticmethod
    def _within(shape: tuple[int, ...]) -> Callable[[Array], Array]:
        return lambda array: array[1:-1].reshape(shape)

    def _gradients(self, given: dict[str, Any]) -> Iterator[_Given]:
        for name, value in given.items():
            key = self.keys.get(name, name)
            shape, symbols = np.shape(self.out.grads[key]), self._symbols_of(key)
            label = f"grads[{name!r}]"
            array, kind = (np.zeros(shape), "float64") if value is None else as_array(label, value)
            causes: tuple[Cause, ...] = ()
            form = _formed(shape)
            found = array.shape
            if array.shape != shape:
                array, causes, form = self._misshapen(label, key, array, shape, symbols)
            yield _Given(GRADIENT, key, array, kind, causes, symbols, form, found, name)

    def _symbols_of(self, key: str) -> tuple[str, ...]:
        shape = np.shape(self.out.grads[key])
        timed = ("T", *(("B",) if self._is_batched else ()))
        if key in self.system.parameters:
            symbols = _symbols(self.system.parameters[key])
        elif key in self.system.inputs:
            symbols = (*timed, *_symbols(self.system.at(key)))
        else:
            own = _symbols(self.system.at(key[:-1]))
            symbols = own if len(shape) == len(own) else ("B", *own)
        return symbols if len(symbols) == len(shape) else tuple(map(str, shape))

    def _misshapen(
        self, label: str, key: str, array: Array, shape: tuple[int, ...], symbols: tuple[str, ...]
    ) -> tuple[Array, tuple[Cause, ...], Callable[[Array], Array]]:
        """Return what an array of another shape is compared as, where a usual mistake gives it that shape.

        Raises
        ------
        ShapeError
            Where none does.
        """
        steps, batch = self.numbers.steps, self.numbers.batch
        if array.shape == shape[::-1]:
            return array.T, (Cause("transposed"),), _formed(shape)
        if key in self.system.parameters:
            for lead, names in (((steps,), "T"), ((batch,), "B"), ((steps, batch), "T, B"), ((batch, steps), "B, T")):
                if array.shape == (*lead, *shape):
                    total = array.sum(tuple(range(len(lead))))
                    return total, (Cause("not_summed", (("axes", names),)),), _formed(shape)
            if len(shape) == 2 and shape[0] == shape[1] and array.shape in ((), (1,), (steps,), (1, 1)):
                inner = np.asarray(array.sum())
                return inner, (Cause("inner_product"),), lambda found: np.trace(found.reshape(shape))
        raise wrong_shape(label, array.shape, shape, symbols)

    # -- one array --------------------------------------------------------------------------------------------
    def _item(self, given: _Given) -> tuple[Item, Target]:
        kind = self.dtype or given.dtype
        errors, exact = self._sources(given.kind, kind)
        true, expected = given.form(exact[given.key]), given.form(errors[given.key])
        array = given.array
        allowed = self.tolerance * expected
        with np.errstate(all="ignore"):
            error = np.abs(array - true)
            off = ~(error <= allowed) & self._is_known(true, expected)
        item = Item(given.kind, given.key, given.name, given.found, given.symbols, kind, RIGHT, int(error.size))
        wrong = bool(off.any()) or bool(given.causes)
        units = np.where(np.isfinite(error), error / np.where(expected > 0, expected, np.finfo(float).tiny), np.inf)
        units = np.where(error == 0, 0.0, units)
        place, step = self._place(given, off, units)
        item = replace(
            item,
            wrong=int(off.sum()),
            entry=place,
            step=step,
            given=float(array[place]),
            true=float(true[place]),
            error=float(units[place]),
            expected=float(expected[place]),
            causes=given.causes,
        )
        if wrong:
            item = replace(item, verdict=WRONG)
            if not np.isfinite(array).all():
                item = replace(item, causes=(*given.causes, Cause("not_finite")))
        elif not (self._is_shown(array, true, expected) and self._is_known(true, expected)):
            item = replace(item, verdict=UNDECIDED)
        finite = wrong and bool(np.isfinite(array).all())
        return item, Target(given.kind, given.key, array, true, allowed, finite, given.form)

    @staticmethod
    def _is_known(true: Array, expected: Array) -> bool:
        """Whether the true values are finite, also with rounding errors in them."""
        return bool(np.isfinite(true).all() and np.isfinite(expected).all())

    def _is_shown(self, array: Array, true: Array, expected: Array) -> bool:
        """Whether a mistake would have been seen: rounding does not hide everything, unless there are only zeros."""
        size = np.maximum(np.abs(array), np.abs(true))
        return bool((size > self.tolerance * expected).any() or (size <= expected).all())

    def _sources(self, what: str, kind: str) -> tuple[dict[str, Array], dict[str, Array]]:
        errors = self._expected(kind)
        return {
            GRADIENT: (errors.grads, self._exact.grads),
            ADJOINT: (errors.adjoints, self._exact.adjoints),
            STATE: (errors.values, self.numbers.values),
        }[what]

    def _place(self, given: _Given, off: Array, units: Array) -> tuple[tuple[int, ...], int | None]:
        """Return where the error is largest, of what has steps at the first wrong one; and the step."""
        if given.kind == GRADIENT:
            return _largest(units), None
        order = self._order(given.key, given.kind)
        wrong = [t for t in order if off[t - 1].any()]
        if not wrong:
            place = _largest(units)
            return place, place[0] + 1
        return (wrong[0] - 1, *_largest(units[wrong[0] - 1])), wrong[0]

    def _order(self, name: str, kind: str) -> list[int]:
        steps = self.numbers.order(self.system.scan_of(name))
        return steps[::-1] if kind == ADJOINT else steps

    # -- the first --------------------------------------------------------------------------------------------
    def _first(self, items: list[Item]) -> First | None:
        """Return the first wrong variable, or else the first wrong adjoint, in the order of computation."""
        for kind in (STATE, ADJOINT):
            wrong = {item.key: item for item in items if item.kind == kind and item.verdict == WRONG}
            if wrong:
                return self._equation(min(wrong.values(), key=self._moment))
        return None

    def _moment(self, item: Item) -> tuple[int, int, int]:
        """Return when an item is computed for the first time wrongly: the scan, the step, the equation."""
        scans, scan = list(self.system.scans), self.system.scan_of(item.key)
        names = [e.name for e in self.system.equations]
        if item.kind == ADJOINT:
            scans, names = scans[::-1], list(self.right.adjoints)
        order = self._order(item.key, item.kind)
        return scans.index(scan), order.index(int(item.step or 1)), names.index(item.key)

    def _equation(self, item: Item) -> First:
        """Return the equation of a variable at a step, in symbols, with the boundary observed."""
        g, step = Generic(self.system), Integer(item.step or 1)
        if item.kind == STATE:
            equation = self.system.by_name[item.key]
            at = {self.system.t: Integer(step)}
            return First(item, equation.left.xreplace(at), equation.right.xreplace(at))
        return First(item, g.adjoint_of(item.key, step), g.at_step(item.key, step))


@dataclass(frozen=True)
class _Given:
    """One given array: what it is, its type, what its shape says, and how true ones come into its form."""

    kind: str
    key: str
    array: Array
    dtype: str
    causes: tuple[Cause, ...]
    symbols: tuple[str, ...]
    form: Callable[[Array], Array]
    found: tuple[int, ...]
    name: str


def _largest(units: Array) -> tuple[int, ...]:
    place = np.unravel_index(int(np.argmax(np.where(np.isnan(units), np.inf, units))), np.shape(units))
    return tuple(int(i) for i in place)


def _formed(shape: tuple[int, ...]) -> Callable[[Array], Array]:
    """Return how an array of a pass comes into the shape of a gradient; one that was broadcast is summed."""
    size = int(np.prod(shape, dtype=int))

    def form(array: Array) -> Array:
        array = np.asarray(array)
        if array.size == size:
            return array.reshape(shape)
        return (array.sum(0) if size > 1 or array.shape[1:] == (1,) else array.sum()).reshape(shape)

    return form


def _symbols(leaf: Any) -> tuple[str, ...]:
    return tuple(str(size) for size in A.shape_of(leaf)[: A.rank_of(leaf)])


def _exact(label: str, value: Any) -> Any:
    """Return what a call was given with tensors as arrays, and all floats in float64."""
    if isinstance(value, Mapping):
        return {key: _exact(f"{label}[{key!r}]", one) for key, one in value.items()}
    if hasattr(value, "detach") or (hasattr(value, "dtype") and np.asarray(value).dtype.kind in "fV"):
        array, _ = as_array(label, value) if _is_float(value) else (np.asarray(value.detach().cpu().numpy()), "")
        return array
    return value


def _is_float(value: Any) -> bool:
    return "float" in str(value.dtype) or np.asarray(value).dtype.kind in "fV"
