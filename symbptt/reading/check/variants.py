"""Instances of a model over a wide range, among which a counterexample to a bound may be found.

Recurrent matrices are small and large, normal and far from it; activations work where they are steep and where flat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import SymbpttError
from ...evaluate.instance import Instance
from ...model import Network
from ..meaning.expr import Call, Ref
from ..value.world import Meanings, World
from .definitions import refs_in
from .network import BEFORE, Built, build
from .worlds import _sizes

Array = Any


@dataclass(frozen=True)
class Kind:
    """How an instance is made of a random one.

    Attributes
    ----------
    scale : float or None
        The spectral norm of recurrent matrices; None as they were drawn.
    form : {"drawn", "orthogonal", "symmetric", "shear", "positive"}
        Of recurrent matrices. Of a shear, ``scale`` is the spectral radius, and the norm is larger.
    inputs : float
        By what inputs, biases and the first state are multiplied: 0 leaves the activation at its steepest, 6 at its
        flattest.
    size, steps : int
    """

    scale: float | None = None
    form: str = "drawn"
    inputs: float = 1.0
    size: int = 2
    steps: int = 5


KINDS = (
    Kind(),
    Kind(size=3, steps=4),
    Kind(0.3),
    Kind(0.9, size=3),
    Kind(0.9, "orthogonal", 0.0, steps=8),
    Kind(1.0, "orthogonal", 0.0, steps=12),
    Kind(1.0, "drawn", 0.5, size=3),
    Kind(1.5, "drawn", 0.0),
    Kind(1.6, "orthogonal", 0.0, size=3),
    Kind(3.5, "orthogonal", 0.0, steps=8),
    Kind(5.0, "drawn", 0.2),
    Kind(0.6, "symmetric", 0.3, size=3),
    Kind(0.5, "drawn", 6.0),
    Kind(1.0, "drawn", 6.0, size=3),
    Kind(0.5, "shear", 0.0, steps=8),
    Kind(0.9, "shear", 0.5),
)
"""What is tried."""
STEEP = tuple(
    Kind(scale, "positive", inputs, size, 3) for scale in (0.2, 0.5, 1.0) for inputs in (0.1, 0.4) for size in (2, 3)
)
"""What is tried where the slope of an activation has to exceed 1: everything is positive, so that that of exp does."""
FUNCTIONS = ("exp",)
"""What stands then for a function that a note leaves open."""


def recurrent(built: Built) -> set[str]:
    """Return the names of the parameters that stand before a state of the step before."""
    found = set()
    for _, meanings in (*built.networks[:1], *built.scalar[:1]):
        names = set(meanings.parameters.values())
        for definition in built.model.equations.values():
            for part in definition.right.walk():
                refs = [c for c in part.children if isinstance(c, Ref)] if type(part).__name__ == "Mul" else []
                if any(r.when == BEFORE for r in refs):
                    found |= {meanings.parameters[r.key] for r in refs if r.key in meanings.parameters}
        found &= names
    return found


def variants(
    built: Built, scalars: bool, seed: int = 0, kinds: tuple[Kind, ...] = KINDS, fixed: bool = True
) -> Iterator[World]:
    """Yield instances of a model; half as many for a second network.

    Parameters
    ----------
    built : Built
    scalars : bool
        Whether all sizes are 1.
    seed : int
    kinds : tuple of Kind
    fixed : bool
        Whether a number of steps that the note gives is kept.
    """
    names = recurrent(built)
    for number, (network, meanings) in enumerate(built.scalar if scalars else built.networks):
        for i, kind in enumerate(kinds):
            if number and i % 2:
                continue
            if scalars and (kind.form in ("shear", "symmetric") or (kind.size == 3 and kind.scale is None)):
                continue
            steps = built.model.steps if fixed else None
            instance = instance_of(network, names, kind, seed + 20 + i, steps, scalars)
            if instance is not None:
                yield World(instance, meanings, seed=seed + 20 + i)


def instance_of(
    network: Network, names: set[str], kind: Kind, seed: int, steps: int | None, scalars: bool
) -> Instance | None:
    """Return one instance, or None where there is none."""
    try:
        drawn = Instance(network, seed, {} if scalars else _sizes(network, kind.size), steps or kind.steps)
        values = {k: np.array(v, dtype=float) for k, v in drawn.data.items()}
        rng = np.random.default_rng(seed)
        for name in values:
            values[name] = np.abs(values[name]) if kind.form == "positive" else values[name]
            if name in names and kind.scale is not None:
                values[name] = shaped(values[name], kind, rng)
            elif name in network.system.inputs or name.startswith("b") or name[:-1] in network.system.states:
                values[name] = values[name] * kind.inputs
        return Instance(network, seed, drawn.bindings, drawn.steps, {k: v.tolist() for k, v in values.items()})
    except (SymbpttError, ValueError):
        return None


def shaped(matrix: Array, kind: Kind, rng: Any) -> Array:
    """Return a recurrent matrix of the norm and form wanted.

    >>> float(np.linalg.norm(shaped(np.eye(2), Kind(0.9, "orthogonal"), np.random.default_rng(0)), 2).round(3))
    0.9
    """
    scale = kind.scale or 1.0
    if matrix.ndim < 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 1:
        return np.sign(matrix) * scale
    n = matrix.shape[0]
    if kind.form == "orthogonal":
        return np.linalg.qr(rng.normal(size=(n, n)))[0] * scale
    if kind.form == "symmetric":
        matrix = matrix + matrix.T
    if kind.form == "shear":
        return scale * np.eye(n) + np.diag(np.full(n - 1, 3.0), 1)
    return matrix / np.linalg.norm(matrix, 2) * scale


def scaled(world: World, names: set[str], factor: float) -> World | None:
    """Return a world whose recurrent matrices are multiplied by a number."""
    instance = world.instance
    if instance is None or not np.isfinite(factor):
        return None
    return replaced(world, {k: np.array(v) * factor for k, v in instance.data.items() if k in names})


def symmetrised(world: World, names: set[str]) -> World | None:
    """Return a world with symmetric matrices in the place of these; None where one is not square."""
    data = world.instance.data if world.instance is not None else {}
    arrays = {k: np.array(data[k]) for k in names if k in data}
    if any(a.shape != a.T.shape for a in arrays.values()):
        return None
    return replaced(world, {k: (a + a.T) / 2 for k, a in arrays.items()})


def replaced(world: World, arrays: Mapping[str, Array]) -> World | None:
    """Return a world with other parameters; None where the network has no value at them."""
    instance = world.instance
    if instance is None:
        return None
    values = {k: np.array(arrays.get(k, v)).tolist() for k, v in instance.data.items()}
    try:
        again = Instance(instance.network, instance.seed, instance.bindings, instance.steps, values)
    except (SymbpttError, ValueError):
        return None
    return replace(world, instance=again)


def with_functions(built: Built, functions: Mapping[str, str], name: str) -> Built:
    """Return a model with another function in the place of those that the note leaves open."""
    return build(built.model, {**functions, **dict.fromkeys(built.generic_functions, name)})


def slopes(world: World, built: Built) -> Array:
    """Return |f'| at every state of an instance."""
    from ..value.evaluator import value
    from ..value.world import NoStepError

    found: list[Array] = []
    calls = [
        part
        for key, d in built.model.equations.items()
        if key in world.meanings.variables
        for part in d.right.walk()
        if isinstance(part, Call) and not part.primes and len(part.arguments) == 1 and refs_in(part)
    ]
    for step in range(1, (world.steps or 0) + 1):
        for call in calls:
            try:
                found.append(np.abs(np.real(value(replace(call, primes=1), world.counting(t=step)).array)).ravel())
            except NoStepError:
                continue
    return np.concatenate(found) if found else np.zeros(0)


@lru_cache(maxsize=8)
def grid() -> tuple[float, ...]:
    """Return the numbers that stand for the argument of a function: dense at 0, where activations are steep.

    >>> 0.0 in grid()
    True
    """
    return (0.0, *(s * x for x in (0.05, 0.3, 0.8, 1.5, 3.0, 6.0) for s in (1, -1)), 20.0, -20.0)


__all__ = ["KINDS", "Kind", "Meanings", "grid", "scaled", "slopes", "variants", "with_functions"]
