"""The instances at which the claims of a note are tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SymbpttError
from ...evaluate.draw import size_names
from ...evaluate.instance import Instance
from ...model import Network
from ..meaning.expr import Expr, Ref
from ..meaning.index import letter
from ..value.world import Alias, Meanings, World
from .definitions import T
from .network import Built

LONGEST = 12
"""The largest T of random instances."""
STEPS = (4, 3)
"""T of the instances where a note leaves it open."""
ATTEMPTS = 20
"""How many instances are drawn until one is away from the kinks."""


@dataclass(frozen=True)
class Worlds:
    """Where claims are tested.

    Attributes
    ----------
    vectors, scalars : tuple of World
        At random numbers, with vectors and with all sizes 1.
    from_zero : tuple of World
        As ``vectors`` (``scalars`` where there are none), with all states starting from zero; none where the note says
        how they start.
    given : World or None
        At the note's own numbers.
    free : tuple of World
        Without a network: symbols stand for any number unless the note gives one.
    complete : bool
        Whether the note gives every number of its model.
    printed : tuple of (Expr, Expr, tuple)
        Symbols and derivatives with the figures that the note has printed for them so far, for
        :attr:`World.as_written`: a note may go on from its rounded figures.
    equations : tuple of (Expr, Expr, tuple)
        The equations of the model in the same form, so that they too go on from rounded figures.
    open_loss : bool
        Whether the note leaves open what the loss of a step is.
    """

    vectors: tuple[World, ...] = ()
    scalars: tuple[World, ...] = ()
    from_zero: tuple[World, ...] = ()
    given: World | None = None
    free: tuple[World, ...] = ()
    complete: bool = False
    printed: tuple[tuple[Expr, Expr, tuple[str, ...]], ...] = ()
    equations: tuple[tuple[Expr, Expr, tuple[str, ...]], ...] = ()
    open_loss: bool = False


def worlds_of(built: Built, seed: int = 0) -> Worlds:
    """Return the instances of a model."""
    vectors, scalars = (_drawn(built, n, seed) for n in ((2, 3), None))
    started = any(isinstance(key, tuple) and key[1] == 0 for key in built.model.constants)
    from_zero = () if started else _drawn(built, (2, 3), seed, True) or _drawn(built, None, seed, True)
    given, complete = _given(built)
    equations = tuple((Ref(k, letter(T)), d.right, (T,)) for k, d in built.model.equations.items())
    free = _free(built, seed)
    return Worlds(vectors, scalars, from_zero, given, free, complete, (), equations, built.generic_loss)


def _drawn(built: Built, sizes: tuple[int, int] | None, seed: int, from_zero: bool = False) -> tuple[World, ...]:
    """Return two random instances of every network: of vectors of two sizes, or of numbers."""
    said = built.model.steps
    steps = (said,) * 2 if said and said <= LONGEST else STEPS
    found = []
    for network, meanings in built.scalar if sizes is None else built.networks:
        for i in range(2):
            own, moved = ({}, seed + 10 + i) if sizes is None else (_sizes(network, sizes[i]), seed + i)
            instance = _instance(built, (network, meanings), moved, own, steps[i], from_zero)
            if instance is not None:
                found.append(World(instance, meanings, seed=seed))
    return tuple(found)


def _instance(
    built: Built,
    one: tuple[Network, Meanings],
    seed: int,
    sizes: Mapping[str, int],
    steps: int | None,
    from_zero: bool = False,
) -> Instance | None:
    """Return a random instance, in which a state starts from zero if the note says so, or all states do."""
    network, meanings = one
    zero = [
        name
        for key, name in meanings.variables.items()
        if name in network.system.states and (from_zero or built.model.constants.get((key, 0)) == 0)
    ]
    try:
        instance = Instance(network, seed, sizes, steps)
        for attempt in range(ATTEMPTS):  # an instance with given values is not drawn away from kinks
            if not zero:
                return instance
            starts = {f"{name}0": np.zeros_like(instance.base.values[name, 0]).tolist() for name in zero}
            found = Instance(network, seed + 100 * attempt, sizes, steps, starts)
            if not found.at_kink:
                return found
    except SymbpttError:
        pass
    return None


def _sizes(network: Network, n: int) -> dict[str, int]:
    """Return sizes that differ from each other as far as 2, 3 and 4 go."""
    others = [k for k in (3, 2, 4) if k != n]
    names = [name for name in size_names(network) if name not in ("n", "T")]
    return {"n": n, **{name: others[i % len(others)] for i, name in enumerate(names)}}


def _given(built: Built) -> tuple[World | None, bool]:
    """Return the instance at the numbers of the note, and whether the note gives all of them."""
    model = built.model
    pairs = built.scalar if _all_numbers(model.constants) else built.networks
    if not pairs:
        return None, False
    network, meanings = pairs[0]
    values = {
        meanings.parameters[k]: _fitting(_floats(v), network, meanings.parameters[k])
        for k, v in model.constants.items()
        if k in meanings.parameters
    }
    if not values:
        return None, False
    missing = set(meanings.parameters.values()) - set(values)
    constants = {**model.constants, **_sequences(model.constants, meanings, network)}
    steps = model.steps or _longest(constants, meanings)
    system = network.system
    for key, name in meanings.variables.items():
        if name in system.inputs and steps:
            rows = [constants.get((key, t), constants.get(key)) for t in range(1, steps + 1)]
            if all(row is not None for row in rows):
                values[name] = [_floats(row) for row in rows]
            else:
                missing.add(name)
        if name in system.states and (key, 0) in model.constants:
            values[f"{name}0"] = _floats(model.constants[key, 0])
    missing |= _targets(built, meanings, values, steps)
    try:
        return World(Instance(network, 0, {}, steps, values), meanings), not missing
    except (SymbpttError, ValueError):
        return None, False


def _sequences(constants: Mapping[Any, Any], meanings: Meanings, network: Network) -> dict[Any, Any]:
    """Return the steps of ``x = (1, 0, 0)``, where x is a number at each step."""
    found: dict[Any, Any] = {}
    for key, name in meanings.variables.items():
        value = constants.get(key)
        if isinstance(value, list) and network.system.scalar and (name in network.system.inputs or name == "target"):
            flat = [entry for row in value for entry in (row if isinstance(row, list) else [row])]
            found.update({(key, t): entry for t, entry in enumerate(flat, start=1)})
            found[key] = None
    return found


def _fitting(value: Any, network: Network, name: str) -> Any:
    """Return a list of numbers as a matrix of one column where a matrix is needed."""
    shape = dict(network.cell.inferred).get(name, ())
    return [[entry] for entry in value] if isinstance(value, list) and len(shape) == 2 and not isinstance(
        value[0], list
    ) else value  # fmt: skip


def _targets(built: Built, meanings: Meanings, values: dict[str, Any], steps: int | None) -> set[str]:
    """Take the numbers of the target; return what is missing."""
    constants, missing = built.model.constants, set()
    for key, name in meanings.variables.items():
        if name == "target":
            if key in constants:
                values["target"] = [_floats(constants[key])] * (steps or 1)
            elif steps and all((key, t) in constants for t in range(1, steps + 1)):
                values["target"] = [_floats(constants[key, t]) for t in range(1, steps + 1)]
            else:
                missing.add(name)
    return missing


def _all_numbers(constants: Mapping[Any, Any]) -> bool:
    """Whether the parameters that are given are numbers: those with a capital letter, where there are any."""
    weights = [v for k, v in constants.items() if isinstance(k, str) and k[:1].isupper()]
    return not any(isinstance(v, list) for v in weights or constants.values())


def _floats(value: Any) -> Any:
    return np.array(value, dtype=float).tolist() if isinstance(value, list) else float(value)


def _longest(constants: Mapping[Any, Any], meanings: Meanings) -> int | None:
    steps = [key[1] for key in constants if isinstance(key, tuple) and key[0] in meanings.variables and key[1]]
    return max(steps) if steps and max(steps) <= 12 else None


def _free(built: Built, seed: int) -> tuple[World, ...]:
    model = built.model
    aliases: dict[Any, Alias] = {key: Alias(d.right) for key, d in model.abstract.items()}
    aliases.update(
        {key: Alias(d.right, None if d.step is None else "t") for key, d in model.aliases.items() if key not in aliases}
    )
    functions = built.networks[0][1].functions if built.networks else {}
    constants = {k: _floats(v) for k, v in model.constants.items()}
    meanings = Meanings(aliases=aliases, constants=constants, functions=functions)
    return tuple(World(None, meanings, seed=seed + i, guess=True) for i in range(3))
