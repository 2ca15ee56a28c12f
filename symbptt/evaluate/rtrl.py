"""Real-time recurrent learning in numbers: the derived recursion of the influence matrices, carried out with NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Integer

from .. import algebra as A
from ..derive.closed import local_joint, one_step_jacobian
from ..derive.generic import generic
from ..derive.induction import written
from ..derive.influence import check_influence, direct, immediate_written, recurrent_parameters
from ..errors import ValueInputError
from ..model import Network
from .forward import Trace
from .instance import Instance
from .numbers import Array


@dataclass(frozen=True)
class ForwardMode:
    """What forward mode computes.

    Attributes
    ----------
    loss : float
    grads : dict
        Parameter -> gradient in its shape.
    states : dict
        State -> (T + 1, ...), index 0 the initial state (of a backward cell the last index).
    influence : dict
        Parameter that the states depend on -> ds_t/dvec(W), (T, length of the state, entries), index 0 is t = 1;
        several states stand on top of each other.
    """

    loss: float
    grads: dict[str, Any]
    states: dict[str, Array]
    influence: dict[str, Array]


class _Domain(Trace):
    """The values of a forward pass, and of the derivatives computed so far."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance.system, instance.bindings, instance.base.values)
        self.total, self.known = instance.base.total, dict[Any, Array]()

    def leaf(self, leaf: Any) -> Array:
        return self.known[leaf] if leaf in self.known else super().leaf(leaf)


def rtrl(network: Network, values: Mapping[str, Any]) -> ForwardMode:
    """Return loss and gradients, computed forward in time; the influence matrices of all steps are returned to look at.

    Parameters
    ----------
    network : Network
    values : mapping
        Canonical key -> numbers: all parameters, ``x`` (time first; or a mapping of inputs), ``target``, and initial
        states (``h0``), zero by default.

    Raises
    ------
    RefusedError
        Where there are no influence matrices.
    ValueInputError
        For numbers that are missing or do not fit.

    Examples
    --------
    >>> from symbptt.model import Network, cell, loss, whole
    >>> one = whole(1, "size")
    >>> error = loss("half_squared_error", None)
    >>> network = Network(cell("linear"), one, one, None, None, error, "sum", whole("T", "steps"))
    >>> out = rtrl(network, {"W_h": 2.0, "W_x": 1.0, "b_h": 0.0, "x": [1.0, 1.0], "target": [0.0, 0.0]})
    >>> out.loss, out.grads["W_h"], out.influence["W_h"].ravel()
    (5.0, 3.0, array([0., 1.]))
    """
    check_influence(network)
    given = _flat(network, values)
    instance = Instance(network, values=given)
    system, g, base = network.system, generic(network), instance.base
    domain = _Domain(instance)
    keys = recurrent_parameters(network)
    jacobian = written(network, one_step_jacobian(network, system.t))
    shapes = {key: np.shape(base.values[key, None]) for key in system.parameters}
    grads = {key: np.zeros(shape) for key, shape in shapes.items()}
    influence: dict[str, Array] = {}
    kept: dict[str, dict[int, Array]] = {key: {} for key in keys}
    for step in base.order():
        at = {system.t: Integer(step)}
        carried = A.evaluate(jacobian.xreplace(at), domain) if influence else None
        for key in keys:
            fresh = A.evaluate(immediate_written(network, key).xreplace(at), domain)
            influence[key] = fresh if carried is None else fresh + carried @ influence[key]
            kept[key][step] = influence[key]
        if system.reduction == "last" and step != base.steps:
            continue
        for name, result in g.local_results.items():
            domain.known[g.local_of(name, Integer(step))] = A.evaluate(result.xreplace(at), domain)
        seen = A.evaluate(local_joint(g, Integer(step)), domain)
        for key, grad in grads.items():
            grad += A.evaluate(direct(network, key, Integer(step)), domain)
            if key in influence:
                grad += np.reshape(influence[key].T @ seen, shapes[key], order="F")
    return ForwardMode(
        loss=instance.loss,
        grads={key: _like(grad, values[key]) for key, grad in grads.items()},
        states={name: _over_time(instance, name) for name in system.states},
        influence={key: np.array([kept[key][t] for t in range(1, base.steps + 1)]) for key in keys},
    )


def _flat(network: Network, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with inputs by name; refuse what is missing, which an instance would draw at random."""
    system = network.system
    given = dict(values)
    x = given.pop("x", None)
    if isinstance(x, Mapping):
        given.update(x)
    elif x is not None:
        given[system.inputs[0] if len(system.inputs) == 1 else "x"] = x
    needed = [*system.parameters, *system.inputs, *(["target"] if "target" in system.variables else [])]
    missing = [key for key in needed if key not in given]
    if missing:
        raise ValueInputError(f"{', '.join(missing)} missing; forward mode needs {', '.join(needed)}")
    return given


def _like(grad: Array, given: Any) -> Any:
    shaped = np.reshape(grad, np.shape(given))
    return shaped if np.shape(given) else float(shaped)


def _over_time(instance: Instance, name: str) -> Array:
    system, steps = instance.system, [*range(1, instance.steps + 1)]
    start = int(instance.base.size(system.start))
    every = [start, *steps] if system.direction == 1 else [*steps, start]
    return np.array([instance.base.values[name, t] for t in every])
