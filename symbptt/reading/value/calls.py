"""The value of functions of their arguments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ... import algebra as A
from ...evaluate.numbers import function_of
from ..meaning.expr import (
    Call,
)
from .arrays import ARRAYS
from .chance import IN_WORLD
from .quantity import (
    Quantity,
    scalar,
)
from .rules import evaluates, value
from .spectra import SPECTRA
from .world import NoValueError, World


@evaluates(Call)
def _call(e: Call, w: World) -> Quantity:
    name = w.meanings.functions.get(e.name, e.name)
    if e.name in IN_WORLD:
        return IN_WORLD[e.name](e, w, value)
    own = w.meanings.functions.get(e.name)
    if e.name in SPECTRA and not own:
        return SPECTRA[e.name]([value(a, w) for a in e.arguments])
    if e.name in ARRAYS and not own:
        return ARRAYS[e.name]([value(a, w) for a in e.arguments])
    if name == "softmax" and not e.primes:
        return _softmax(value(e.arguments[0], w))
    entry = A.FUNCTIONS.get(name)
    if entry is None or len(e.arguments) != 1:
        if w.guess and not e.primes:
            return _unknown_function(e, w)
        raise NoValueError(e.name)
    function = entry.function
    for _ in range(e.primes):
        function = function.prime
    argument = value(e.arguments[0], w)
    with np.errstate(all="ignore"):
        result = np.asarray(function_of(function)(argument.array))
    return replace(argument, array=np.broadcast_to(result, np.shape(argument.array)))


def _unknown_function(e: Call, w: World) -> Quantity:
    """A smooth function of numbers, always the same for a name."""
    total: Any = 0.0
    for i, argument in enumerate(e.arguments):
        rng = np.random.default_rng([w.seed, i, *e.name.encode()])
        a, b, c = rng.uniform(0.5, 1.5, 3)
        inner = value(argument, w)
        if not inner.is_scalar:
            raise NoValueError(e.name)
        total = total + a * np.tanh(b * inner.array + c) + 0.3 * inner.array * (total if i else 1.0)
    return scalar(total)


def _softmax(q: Quantity) -> Quantity:
    axis = -1 if q.rows and q.columns else None
    powers = np.exp(q.array - np.max(np.real(q.array), axis=axis, keepdims=axis is not None))
    return replace(q, array=powers / powers.sum(axis=axis, keepdims=axis is not None))
