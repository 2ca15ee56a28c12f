"""The generated function put to the test: against complex steps, differences, SymPy, a plain BPTT and frameworks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import sympy
from sympy import S

from .. import algebra as A
from ..algebra.scalar import to_scalar
from ..derive.forms import length
from ..derive.unroll import unroll
from ..evaluate.claims import instances
from ..evaluate.instance import Instance
from ..evaluate.oracles import installed, oracle_gradients
from ..evaluate.report import LONG, SHORT, Check, Report
from ..model import COLUMNS, Network
from ..model.truncation import Randomised, Truncation
from .arguments import as_taken, call_arguments
from .bptt import Bptt, Result, compile_network
from .reference import is_elman, reference_bptt

FUNCTION = "function"
TOLERANCE = 1e-9
"""Of exact routes, relative to the largest entry; differences have a wider one."""
STEP = 1e-5
MOST_PLACES = 60
"""Entries of an array beyond which differences are taken at random places only."""


def verify_function(network: Network, seed: int = 0, truncate: Truncation | None = None) -> Report:
    """Compare the generated function's gradients with independent routes.

    Parameters
    ----------
    network : Network
    seed : int
        Of the random instances.
    truncate : Truncation, optional
        Verify the function with truncated gradients in place of the exact one. A probability without a number, and a
        cell that runs backward in time, have no generated code and no checks.

    Returns
    -------
    Report
        One check for each route; a framework that is not installed is not counted.
    """
    if truncate is not None:
        return Report(tuple(_truncated_checks(network, seed, truncate)))
    return Report(tuple(_checks(network, seed)))


def _checks(network: Network, seed: int) -> Iterator[Check]:
    if network.steps.is_Integer and network.steps > LONG:
        network = network.of_any_length(S(SHORT))
    bptt = compile_network(network)
    found = [_Run(bptt, one) for one in instances(network, seed, count=2)]
    yield _worst("complex step", found, _Run.complex_step, TOLERANCE)
    yield _worst("central differences", found, _Run.differences, 1e-6)
    yield _sympy_check(network, seed)
    if is_elman(network) and network.layout == COLUMNS:
        yield _worst("plain BPTT", found, _Run.reference, TOLERANCE)
    for name in installed():
        yield _worst(name, found, partial(_Run.oracle, framework=name), TOLERANCE)


def _truncated_checks(network: Network, seed: int, how: Truncation) -> Iterator[Check]:
    """Compare with complex steps on a forward pass in which the perturbation is let through or not."""
    random = isinstance(how, Randomised)
    if network.cell.direction != 1 or (isinstance(how, Randomised) and not how.is_numeric):
        return
    short = SHORT if isinstance(how, Randomised) else max(SHORT, how.tau + 2)
    if network.steps.is_Integer and network.steps > short and not (isinstance(how, Randomised) and how.varies):
        network = replace(network, steps=S(short))
    bptt = compile_network(network, how)
    found = []
    for one in instances(network, seed, count=2):
        found.append(_Run(bptt, one.truncate_randomly(how) if random else one))
    key = f"truncated code, {how}"
    yield _worst(key, found, partial(_Run.complex_step, mode=how.mode), TOLERANCE)


def _worst(key: str, runs: list[_Run], route: Callable[[_Run], dict[str, Any]], tolerance: float) -> Check:
    """Compare every gradient of every run with a route, and report the largest error."""
    worst, where = 0.0, ""
    for run in runs:
        for name, right in route(run).items():
            left = run.out.grads[name]
            if isinstance(right, _Places):
                left, right = np.asarray(left)[right.places], right.values
            error = _error(left, right)
            if not error <= worst:
                worst, where = error, name
    detail = f"largest difference {worst:.0e}" + (f", in the gradient by {where}" if worst > tolerance else "")
    return Check(key, FUNCTION, bool(worst <= tolerance), detail)


def _error(left: Any, right: Any) -> float:
    a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if a.size != b.size:
        return np.inf
    scale = max(1.0, float(np.abs(b).max(initial=0.0)))
    return float(np.abs(a.ravel() - b.ravel()).max(initial=0.0)) / scale


class _Places(NamedTuple):
    """Some entries of an array: their places, as NumPy indexes them, and their values."""

    places: tuple[Any, ...]
    values: Any


class _Run:
    """The generated function at an instance."""

    def __init__(self, bptt: Bptt, instance: Instance) -> None:
        self.bptt, self.instance, self.system = bptt, instance, instance.system
        self.data = as_taken(self.system, instance.data)
        self.out = self.call(self.data)

    def call(self, data: dict[str, Any]) -> Result:
        """Call the function with arguments by key."""
        return self.bptt(**{**call_arguments(self.system, data), "steps": self.instance.steps}, masks=self._masks())

    def _masks(self) -> Any:
        """The masks of the instance, where truncation is random."""
        how, drawn, steps = self.bptt.truncate, self.instance.chance.masks, self._steps()
        if not isinstance(how, Randomised):
            return None
        if how.shared:
            return [drawn[None, t] for t in steps]
        return [[drawn[s, t] for t in steps] for s in steps]

    def _names(self) -> list[str]:
        return [*self.system.parameters, *(f"{s}0" for s in self.system.states), *self.system.inputs]

    def complex_step(self, mode: str = A.TOTAL) -> dict[str, Any]:
        """dL/dp by complex steps on the forward pass."""
        system = self.system
        leaves = {**system.parameters, **{f"{s}0": system.at(s, system.start_of(s)) for s in system.states}}
        found = {key: self.instance.evaluate(A.derivative(system.L, leaf, mode)) for key, leaf in leaves.items()}
        for name in system.inputs:
            rows = [A.derivative(system.L, system.at(name, S(t)), mode) for t in self._steps()]
            found[name] = np.array([self.instance.evaluate(row) for row in rows])
        return found

    def _steps(self) -> range:
        return range(1, self.instance.steps + 1)

    def differences(self) -> dict[str, Any]:
        """dL/dp by central differences of the function's own loss, entry by entry; of large arrays at some places."""
        found = {}
        rng = np.random.default_rng(self.instance.seed)
        for name in self._names():
            given = np.array(self.data[name], dtype=float)
            chosen = rng.permutation(given.size)[:MOST_PLACES]
            places = np.unravel_index(chosen, given.shape) if given.shape else ()
            slopes = [self._difference(name, given, place) for place in (zip(*places, strict=True) if places else [()])]
            found[name] = _Places(places, np.array(slopes))
        return found

    def _difference(self, name: str, given: Any, place: tuple[int, ...]) -> float:
        above, below = (self.call({**self.data, name: _moved(given, place, s * STEP)}).loss for s in (1, -1))
        return (above - below) / (2 * STEP)

    def oracle(self, framework: str) -> dict[str, Any]:
        """dL/dp by a framework's differentiation of the forward equations."""
        system = self.system
        start = self.instance.base.start
        found = oracle_gradients(self.instance, framework)
        gradients = {key: found[key, None] for key in system.parameters}
        inputs = {name: np.array([found[name, t] for t in self._steps()]) for name in system.inputs}
        return {**gradients, **inputs, **{f"{s}0": found[s, start(s)] for s in system.states}}

    def reference(self) -> dict[str, Any]:
        """dL/dp by the plainly written BPTT."""
        data = self.instance.data
        parameters = {key: data[key] for key in self.system.parameters}
        gradients = reference_bptt(self.instance.network, parameters, data.get("x"), data.get("target"), data["h0"])
        return {key: gradients[key] for key in self.system.parameters}


def _moved(array: Any, place: tuple[int, ...], step: float) -> Any:
    moved = array.copy()
    moved[place] += step
    return moved if moved.shape else float(moved)


def _sympy_check(network: Network, seed: int) -> Check:
    """Compare with sympy.diff of the unrolled loss of the same cell with all sizes 1 and two steps, or one."""
    sizes = {name: S.One for name, _ in network.sizes}
    small = replace(
        network.of_any_length(S(2)),
        hidden=S.One,
        inputs=None if network.inputs is None else S.One,
        outputs=None if network.outputs is None else S.One,
        heads=tuple(replace(head, outputs=S.One) for head in network.heads),
        sizes=tuple(sizes.items()),
        batch=None if network.batch is None else S.One,
    )
    system = small.system
    if not system.scalar:
        return Check("sympy.diff", FUNCTION, True, "does not apply: not all sizes of the cell can be 1")
    if length(unroll(small, nested=True).loss) > LONGEST:
        small = replace(small, steps=S.One)
        system = small.system
        if length(unroll(small, nested=True).loss) > LONGEST:
            return Check("sympy.diff", FUNCTION, True, "does not apply: the nested loss is too long to write out")
    (instance,) = instances(small, seed, count=1)
    numbers = {to_scalar(leaf): float(np.ravel(value)[0]) for leaf, value in _leaves(instance)}
    # Plain names: a Dummy would be renamed by lambdify, at the price of building the expression anew.
    symbols = {leaf: sympy.Symbol(f"p_{place}", real=True) for place, leaf in enumerate(numbers)}
    loss = unroll(small, nested=True).loss.doit().xreplace(symbols)
    run = _Run(compile_network(small), instance)
    right = {}
    for key, leaf in system.parameters.items():
        slope = sympy.lambdify(list(symbols.values()), sympy.diff(loss, symbols[to_scalar(leaf)]), _MODULES)
        right[key] = slope(*numbers.values())
    worst = max((_error(run.out.grads[k], float(v)) for k, v in right.items()), default=0.0)
    detail = f"largest difference {worst:.0e}, all sizes 1, T = {small.steps}"
    return Check("sympy.diff", FUNCTION, bool(worst <= TOLERANCE), detail)


LONGEST = 5000
"""Parts of an expression that SymPy differentiates in a second or so."""


_MODULES: list[Any] = [
    {"Heaviside": lambda u, at_zero=0.5: np.heaviside(u, at_zero), "DiracDelta": lambda u: 0.0},
    "numpy",
]
"""How SymPy's derivatives at kinks are evaluated away from them."""


def _leaves(instance: Instance) -> Iterator[tuple[Any, Any]]:
    system = instance.system
    for (name, step), value in instance.given.items():
        yield (system.parameters[name] if step is None else system.at(name, S(step))), value
