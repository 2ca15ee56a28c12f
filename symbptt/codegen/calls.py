"""What a generated function is called with: everything given is checked, and put into the form that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import SizeError, UnknownNameError, ValueInputError, nearest
from ..model import ROWS, System
from ..model.truncation import Randomised
from ..model.values import mask_of
from .checks import Array, Intake, Shape, Sizes, numbers, show
from .emit import Emitted
from .plan import Plan
from .target import Lead, read_target


@dataclass
class Call:
    """One call: what was given, and what the function takes."""

    sizes: Sizes
    lead: Lead
    arguments: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    column: bool = False


@dataclass(frozen=True)
class Reader:
    """Reads what is given for the names of a system.

    Attributes
    ----------
    system : System
        Of one example.
    emitted : Emitted
        The generated module, with the names of its arguments.
    layout : str
    """

    system: System
    emitted: Emitted
    layout: str
    label: str = "target"
    """What the target is called in messages."""
    intake: Intake = field(default_factory=Intake)
    """How arrays are taken in."""

    def zero_target(self, params: Mapping[str, Any], x: Any, steps: int | None) -> Any:
        """Return a target of zeros, in the shapes of what is given otherwise."""
        call = Call(Sizes(self.system.sizes), Lead(self._fixed_steps(steps)))
        self._params(call, params)
        self._inputs(call, x)
        if call.lead.steps is None:
            raise ValueInputError(f"the number of steps is not known: give steps= or {self.label}=")
        lead = (call.lead.steps, *((call.lead.batch,) if call.lead.batched else ()))
        found = {}
        for name in self.system.targets:
            sizes = [call.sizes.value(size) for size in self._plan.shape(name)]
            if None in sizes:
                raise ValueInputError(f"the size of the output is not known: give {self.label}=")
            found[name.removeprefix("target_")] = np.zeros((*lead, *sizes))
        return found["target"] if list(found) == ["target"] else found

    @property
    def _plan(self) -> Plan:
        return self.emitted.plan

    def read(
        self,
        params: Mapping[str, Any],
        x: Any,
        target: Any,
        h0: Any,
        c0: Any,
        initial: Mapping[str, Any] | None,
        steps: int | None,
        mask: Any,
    ) -> tuple[Call, dict[str, Array]]:
        """Check all that was given, and return it as the generated function takes it: the call, and the parameters."""
        call = Call(Sizes(self.system.sizes), Lead(self._fixed_steps(steps)))
        given = self._params(call, params)
        self._inputs(call, x)
        self._initial(call, states_given(self.system.states, h0, c0, initial))
        self._target(call, target)
        if call.lead.steps is None:
            raise ValueInputError("the number of steps is not known: give steps=")
        self._mask(call, mask)
        if self.emitted.needs_steps:
            call.arguments["steps"] = call.lead.steps
        return call, given

    def _fixed_steps(self, steps: int | None) -> int | None:
        own = int(self.system.steps) if self.system.steps.is_Integer else None
        if steps is None:
            return own
        if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
            raise SizeError(f"steps must be a positive integer, not {steps!r}")
        if own is not None and steps != own:
            raise ValueInputError(f"steps={steps}, but the model has {own} steps")
        return int(steps)

    def _params(self, call: Call, params: Mapping[str, Any]) -> dict[str, Array]:
        if not isinstance(params, Mapping):
            raise ValueInputError(f"params must map keys to arrays, {{'W_h': ...}}; not {type(params).__name__}")
        keys = tuple(self.system.parameters)
        for key in params:
            if key not in keys:
                raise UnknownNameError(f"unknown parameter {key!r}{nearest(str(key), keys)}")
        missing = [key for key in keys if key not in params]
        if missing:
            raise ValueInputError(f"params: {', '.join(missing)} missing; the model has {', '.join(keys)}")
        return {key: self._value(call, f"params[{key!r}]", key, params[key], self._plan.shape(key)) for key in keys}

    def _value(self, call: Call, label: str, key: str, given: Any, shape: Shape) -> Array:
        array = self.intake.numbers(label, given)
        call.shapes[key] = array.shape
        if self._plan.scalar and array.size == 1:
            return array.reshape(())
        if self.layout == ROWS and len(shape) == 1 and array.ndim == 2 and len(array) == 1:
            array = array[0]  # a bias as a row (1, n)
        call.sizes.check(label, array.shape, shape)
        return array

    def _inputs(self, call: Call, x: Any) -> None:
        names = self.system.inputs
        given = _by_name(names, x)
        for name in names:
            array = self.intake.numbers(name, given[name])
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
            call.arguments[self.emitted.arguments[name]] = array

    def _initial(self, call: Call, given: Mapping[str, Any]) -> None:
        for state, value in given.items():
            key = f"{state}0"
            array = self.intake.numbers(key, value)
            call.shapes[key] = array.shape
            shape = self._plan.shape(state)
            if self._plan.scalar and array.ndim and array.shape[-1] == 1:
                array = array[..., 0]
            if array.ndim == len(shape) + 1:
                call.lead.bind_batch(key, array.shape[0])
                call.sizes.check(key, array.shape[1:], shape)
            elif array.ndim:
                self._check_initial(call, key, array, shape)
            call.arguments[self.emitted.arguments[key]] = array

    def _check_initial(self, call: Call, key: str, array: Array, shape: Shape) -> None:
        try:
            call.sizes.check(key, array.shape, shape)
        except ValueInputError as error:
            batch = call.sizes.show(("B", *shape))
            raise ValueInputError(f"{error} or {batch}, or a scalar") from None

    def _target(self, call: Call, target: Any) -> None:
        if not self._plan.has_target:
            if target is not None:
                raise ValueInputError("the loss of this model has no target; leave target out")
            return
        for name, given in self._by_readout(target).items():
            label = name.replace("target", self.label)
            array = read_target(self._plan, call.sizes, call.lead, given, call.column, name, label, self.intake)
            call.arguments[self.emitted.arguments[name]] = array

    def _by_readout(self, target: Any) -> dict[str, Any]:
        """Return the targets by name; of several readouts they are given by readout, {"y": ..., "v": ...}."""
        names = tuple(self.system.targets)
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

    def _mask(self, call: Call, mask: Any) -> None:
        if not self._plan.has_mask:
            if mask is not None:
                raise ValueInputError("the model has no mask; make it with mask=True, or leave mask out")
            return
        steps = int(call.lead.steps or 0)
        if self.system.loss_steps:
            if mask is not None:
                raise ValueInputError("loss_steps of the model is its mask; leave mask out")
            mask = mask_of(self.system, steps)
        forms = [(steps,), (steps, call.lead.batch)] if call.lead.batched else [(steps,)]
        expected = " or ".join(show(form) for form in forms)
        if mask is None:
            raise ValueInputError(f"mask is missing; expected {expected}")
        array = self.intake.numbers("mask", mask)
        if array.shape not in forms:
            raise ValueInputError(f"mask has shape {show(array.shape)}; expected {expected}")
        call.arguments[self.emitted.arguments["mask"]] = array


def read_direction(call: Call, given: Mapping[str, Array], v: Mapping[str, Any]) -> dict[str, Array]:
    """Return a direction in the shapes of the parameters as the function takes them; zero for what is not named."""
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


def masks_for(how: Randomised, steps: int, masks: Any, rng: Any) -> Array:
    """Return the masks as given, checked, or drawn with the probabilities of a truncation.

    >>> masks_for(Randomised(0.5), 5, None, 0)
    array([1., 1., 1., 1., 0.])
    """
    shape = (steps,) if how.shared else (steps, steps)
    if how.varies and len(how.p) != steps - 1:
        raise SizeError(f"{how} has {len(how.p)} probabilities, for the steps from 2 on, but there are {steps} steps")
    if masks is not None:
        given = numbers("masks", masks)
        if given.shape != shape:
            raise ValueInputError(f"masks has shape {show(given.shape)}; expected {show(shape)}")
        if not np.isin(given, (0, 1)).all():
            raise ValueInputError("masks must be 0 or 1")
        return given
    odds = np.array([1.0, *(float(how.probability(position)) for position in range(2, steps + 1))])
    return (np.random.default_rng(rng).random(shape) < odds).astype(float)


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


def states_given(
    states: tuple[str, ...],
    h0: Any,
    c0: Any,
    initial: Mapping[str, Any] | None,
    argument: str = "{}0",
    mapping: str = "initial",
) -> dict[str, Any]:
    """Return initial states, or what else belongs to states, by name, from the arguments and the mapping."""
    found: dict[str, Any] = {}
    pairs = [("h", h0), ("c", c0)]
    for key, value in (initial or {}).items():
        pairs.append((key[:-1] if key not in states and key.endswith("0") else key, value))
    for state, value in pairs:
        if value is None:
            continue
        if state not in states:
            raise UnknownNameError(f"{mapping}: {state!r} is no state of the model{nearest(str(state), states)}")
        if state in found:
            once = argument.format(state)
            raise ValueInputError(f"{state} is given twice: as {once}= and in {mapping}")
        found[state] = value
    return found
