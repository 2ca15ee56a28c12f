"""Numbers drawn from a seed: normal, with a standard deviation for each key."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from .. import algebra as A
from ..errors import SizeError, UnknownNameError, ValueInputError, nearest
from .network import Network
from .values import known_keys

SEED = "seed"
LARGEST_SEED = 2**32 - 1


def check_random(network: Network, given: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return what is drawn as pairs, checked: the seed first, then key and standard deviation.

    Raises
    ------
    UnknownNameError
        For a key that the network does not have.
    ValueInputError
        For a seed or a standard deviation that is none.
    SizeError
        Where a size is a symbol.
    """
    if not given:
        return ()
    seed = given.get(SEED, 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise ValueInputError(f"random seed {seed!r}: give a whole number from 0 to {LARGEST_SEED}")
    known = [k for k in known_keys(network.system) if k != "target" or network.system.target == "real"]
    found: list[tuple[str, Any]] = [(SEED, seed)]
    for key, value in given.items():
        if key == SEED:
            continue
        if key not in known:
            raise UnknownNameError(f"random {key!r}: the model has no such numbers to draw{nearest(key, known)}")
        try:
            deviation = float(value)
        except (TypeError, ValueError):
            deviation = -1.0
        if isinstance(value, bool) or not 0 <= deviation < np.inf:
            raise ValueInputError(f"random {key} = {value!r}: a standard deviation is needed, a number from 0 on")
        found.append((key, deviation))
    return tuple(found)


@lru_cache(maxsize=32)
def _drawn(network: Network, random: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    seed = dict(random).get(SEED, 0)
    return {key: _array(network, key, deviation, seed) for key, deviation in random if key != SEED}


def draw(network: Network, random: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Return the numbers: key -> nested list.

    Each key has a stream of its own, so that other keys and the number of steps do not change its numbers. The
    generator is NumPy's ``RandomState``, whose numbers are the same in every version.
    """
    return dict(_drawn(network, random)) if random else {}


def _array(network: Network, key: str, deviation: float, seed: int) -> Any:
    shape = _shape(network, key)
    stream = np.random.RandomState([seed, zlib.crc32(key.encode())])
    return (deviation * stream.standard_normal(shape)).tolist()


def _shape(network: Network, key: str) -> tuple[int, ...]:
    system = network.system
    if key in system.parameters:
        leaf: Any = system.parameters[key]
        timed = False
    else:
        name = key if key in system.variables else key.removesuffix("0")
        leaf, timed = system.at(name), name == key
        timed = timed and not (key == "target" and system.reduction == "last")
    sizes = list(A.shape_of(leaf)[: A.rank_of(leaf)])
    if system.scalar:
        sizes = []
    sizes = [system.steps, *sizes] if timed else sizes
    for size in sizes:
        if not size.is_Integer:
            raise SizeError(f"random numbers for {key} need concrete sizes and T, but {size} is a symbol")
    return tuple(int(size) for size in sizes)
