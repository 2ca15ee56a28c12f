"""Truncated gradients, measured: complex steps on a forward pass in which the perturbation is let through or not.

A truncation says with which factor a derivative passes from a step back to the one before it. Forward in time it is
the same factor: where a step reads the state of the step before, the imaginary part of what it reads is multiplied
by it, and the real part is left alone. The factor is 1 (exact), 0 (detached), or xi / p (random). A window detaches
another state for each loss, so that there is a pass for each loss. Nothing of :mod:`symbptt.derive` is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import sympy

from .. import algebra as A
from ..errors import RefusedError
from ..model.truncation import Randomised, Segments, truncation
from .forward import Injection, Trace, keys_of
from .numbers import Array

MOST = 12
"""Masks that are gone over at once: 2 ** MOST cases."""
Masks = Mapping[tuple["int | None", int], int]
"""(loss, or None where all share it; step) -> 0 or 1."""


def is_truncated(mode: str) -> bool:
    """Whether the mode of a derivative symbol is a truncation."""
    return ":" in mode


@dataclass(frozen=True)
class Chance:
    """Probabilities of going on, and masks.

    Attributes
    ----------
    probabilities : mapping
        Step -> probability of going on from it to the step before; 1 at the first step.
    masks : mapping
        What has been drawn.
    """

    probabilities: Mapping[int, float]
    masks: Masks

    def factor(self, loss: int | None, step: int) -> float:
        """Return xi / p at a step."""
        return self.masks[loss, step] / self.probabilities[step]


def drawn(instance: Any, given: Randomised | None) -> Chance:
    """Return the probabilities of a truncation (random ones where it has none in numbers), and masks at random."""
    rng = np.random.default_rng([instance.seed, 7])
    order = instance.base.order()
    common = float(rng.uniform(0.4, 0.9))
    probabilities = {order[0]: 1.0}
    for position, step in enumerate(order[1:], start=2):
        numeric = given is not None and given.is_numeric and (not given.varies or position - 2 < len(given.p))
        own = float(rng.uniform(0.4, 0.9)) if given is not None and given.varies else common
        probabilities[step] = float(given.probability(position)) if given is not None and numeric else own
    masks: dict[tuple[int | None, int], int] = {}
    for loss in (None, *order):
        masks.update({(loss, step): int(rng.integers(2)) for step in order[1:]})
        masks[loss, order[0]] = 1
    return Chance(probabilities, masks)


# -- forward, with the perturbation let through or not ------------------------------------------------


class GatedTrace(Trace):
    """A forward pass in which what a step reads of the step before is perturbed only as far as a factor says.

    Parameters
    ----------
    gates : mapping
        Step -> factor of the perturbation that comes from the step before.
    """

    def __init__(self, base: Trace, given: Any, bindings: Any, gates: Mapping[int, float]) -> None:
        super().__init__(base.system, bindings, given, base)
        self.gates = gates

    def leaf(self, leaf: Any) -> Array:
        value = super().leaf(leaf)
        if isinstance(leaf, (A.MatrixAt, A.ScalarAt)) and leaf.name in self.system.by_name:
            step = self.bindings.get(self.system.t.name)
            if step is not None and self.size(leaf.when) != step:
                return np.real(value) + 1j * self.gates[step] * np.imag(value)
        return value


def gates_for(mode: str, order: list[int], loss: int | None, chance: Chance) -> dict[int, float]:
    """Return the factor at each step for one loss (None: the same for all)."""
    if mode.startswith("randomised"):
        shared = mode.endswith("shared")
        return {step: chance.factor(None if shared else loss, step) for step in order}
    how, place = truncation(mode), {step: i for i, step in enumerate(order, start=1)}
    assert not isinstance(how, Randomised)
    gates = {order[0]: 1.0}
    for position, step in enumerate(order[1:], start=2):
        end = position if loss is None else place[loss]
        gates[step] = float(how.reaches(max(end, position), position - 1))
    return gates


def is_common(mode: str) -> bool:
    """Whether all losses have the same factors."""
    return mode.endswith("shared") or isinstance(truncation(mode) if "randomised" not in mode else None, Segments)


# -- values of symbols --------------------------------------------------------------------------------


def truncated_value(instance: Any, leaf: Any, reader: Any) -> Array:
    """Return the value of a truncated derivative of L, or of the loss of a step, with the masks of the reader."""
    return sum(_parts(instance, leaf, reader, reader.chance))


def _parts(instance: Any, leaf: Any, reader: Any, chance: Chance) -> Iterator[Array]:
    """Yield the parts of a truncated derivative of L, one for each loss that counts."""
    keys = keys_of(leaf.by, instance.base, reader)
    if instance._after_the_end(leaf, keys):
        yield instance._arranged(leaf, [0.0] * instance._count(leaf.by, reader), keys)
        return
    instance._check_steps(keys)
    losses = _losses(instance)
    if isinstance(leaf.of, A.MatrixAt | A.ScalarAt):
        losses = [(reader.size(leaf.of.when), 1.0)]
    for loss, weight in losses:
        yield _part(instance, leaf, keys, loss, weight, chance)


def _losses(instance: Any) -> list[tuple[int, float]]:
    reduction, steps = instance.system.reduction, instance.steps
    if reduction == "last":
        return [(steps, 1.0)]
    return [(s, 1.0 if reduction == "sum" else 1 / steps) for s in range(1, steps + 1)]


def _part(instance: Any, leaf: Any, keys: Any, loss: int, weight: float, chance: Chance) -> Array:
    common = is_common(leaf.mode)
    gates = gates_for(leaf.mode, instance.base.order(), None if common else loss, chance)
    hold = frozenset(keys if len(keys) > 1 else ())
    columns = []
    for key in keys:
        for place in range(np.size(instance.base.values[key])):
            trace = _pass(instance, key, place, hold, gates)
            columns.append(weight * float(np.imag(np.ravel(trace.values["l", loss])[0])) / _STEP)
    return instance._arranged(leaf, columns, keys)


_STEP = 1e-30


def _pass(instance: Any, key: Any, place: int, hold: Any, gates: dict[int, float]) -> Trace:
    memo = (key, place, hold, tuple(gates.values()))
    if memo not in instance._passes:
        direction = np.zeros(np.shape(instance.base.values[key]), dtype=complex)
        direction[np.unravel_index(place, direction.shape, order="F")] = 1j * _STEP
        trace = GatedTrace(instance.base, instance.given, instance.bindings, gates)
        instance._passes[memo] = trace.run(Injection({key: direction[()]}, hold))
    return instance._passes[memo]


def chance_value(leaf: Any, reader: Any) -> float:
    """Return the value of a mask or a probability."""
    chance = reader.chance
    steps = reader.instance.base.order()
    if isinstance(leaf, A.Probability):
        step = steps[-1] if leaf.when is None else reader.size(leaf.when)
        return float(chance.probabilities[step])
    loss = None if leaf.loss is None else reader.size(leaf.loss)
    return float(chance.masks[loss, reader.size(leaf.when)])


# -- moments, over all masks --------------------------------------------------------------------------


def moment(e: Any, reader: Any) -> Array:
    """Return an expectation, a variance (entry by entry) or a covariance, by going over all masks."""
    name = type(e).__name__.removeprefix("Matrix")
    (first, *_) = e.args
    if name != "CovarianceOf" and isinstance(first, A.Gradient | A.ScalarDerivative) and _is_independent(first):
        return _of_independent(name, first, reader)
    cases = list(_cases(reader, any(map(_is_independent, sympy.preorder_traversal(e)))))
    weights = np.array([weight for _, weight in cases])
    values = [np.array([A.evaluate(a, reader.drawing(masks)) for masks, _ in cases]) for a in e.args]
    means = [_mean(weights, value) for value in values]
    if name == "Expectation":
        return means[0]
    left, right = values[0] - means[0], values[-1] - means[-1]
    return _mean(weights, left * right)


def _mean(weights: Array, values: Array) -> Array:
    return np.tensordot(weights, values, axes=1)[()]


def _is_independent(part: Any) -> bool:
    mode = getattr(part, "mode", "")
    return mode == "randomised:independent" or (isinstance(part, A.Mask) and part.loss is not None)


def _cases(reader: Any, independent: bool) -> Iterator[tuple[Masks, float]]:
    yield from mask_cases(reader.instance, independent, reader.chance)


def mask_cases(instance: Any, independent: bool, chance: Chance | None = None) -> Iterator[tuple[Masks, float]]:
    """Yield every choice of masks with its probability.

    Parameters
    ----------
    instance : Instance
    independent : bool
        Whether each loss has masks of its own.
    chance : Chance, optional
        With the probabilities; those of the instance otherwise.
    """
    order = instance.base.order()
    place = {step: i for i, step in enumerate(order)}
    keys: list[tuple[int | None, int]] = [(None, step) for step in order[1:]]
    if independent:
        keys = [(loss, step) for loss in order for step in order[1:] if place[step] <= place[loss]]
    yield from _choices(chance or instance.chance, keys)


def _choices(chance: Chance, keys: list[Any]) -> Iterator[tuple[Masks, float]]:
    if len(keys) > MOST:
        raise RefusedError(f"{len(keys)} masks have 2^{len(keys)} cases; take fewer steps")
    for choice in product((0, 1), repeat=len(keys)):
        chosen = dict(zip(keys, choice, strict=True))
        odds = [chance.probabilities[s] if on else 1 - chance.probabilities[s] for (_, s), on in chosen.items()]
        yield {**chance.masks, **chosen}, float(np.prod(odds))


def _of_independent(name: str, leaf: Any, reader: Any) -> Array:
    """Masks of different losses are independent: means and variances of their parts add up."""
    instance, chance, order = reader.instance, reader.chance, reader.instance.base.order()
    keys = keys_of(leaf.by, instance.base, reader)
    total: Any = 0.0
    for loss, weight in _losses(instance):
        own = [(loss, step) for step in order[1 : order.index(loss) + 1]]
        cases = list(_choices(chance, own))
        odds = np.array([p for _, p in cases])
        parts = [_part(instance, leaf, keys, loss, weight, Chance(chance.probabilities, m)) for m, _ in cases]
        values = np.array(parts)
        mean = _mean(odds, values)
        total = total + (mean if name == "Expectation" else _mean(odds, (values - mean) ** 2))
    return total
