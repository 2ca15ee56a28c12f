"""The gradient of an unrolled scalar network by other means: SymPy's own diff, symengine, casadi, JAX."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .environment import has

ENOUGH = 3.0
"""Seconds after which no larger T is tried."""
TOO_LONG = 60.0
"""Seconds that a larger T may take if the time grows with its square: what takes long may take all memory, too."""


@dataclass(frozen=True)
class Way:
    """One way to the gradient of L = sum over t of (h_t - d_t)^2 / 2 with h_t = tanh(w h_{t-1} + u x_t + b).

    Attributes
    ----------
    name : str
    derive : callable
        Makes the gradient by w, u and b for T steps.
    needs : str
    grows : bool
        Whether the steps are written out, so that the cost depends on T.
    """

    name: str
    derive: Callable[[int], Any]
    needs: str
    grows: bool = True


def _unrolled(T: int, symbols: Callable[[str], Any], tanh: Callable[[Any], Any], start: Any) -> tuple[Any, list[Any]]:
    """Return L as one expression, and w, u and b."""
    w, u, b = (symbols(name) for name in "wub")
    h, loss = start, start
    for t in range(T):
        h = tanh(w * h + u * symbols(f"x{t}") + b)
        loss = loss + (h - symbols(f"d{t}")) ** 2 / 2
    return loss, [w, u, b]


def _sympy(T: int) -> Any:
    import sympy

    loss, by = _unrolled(T, sympy.Symbol, sympy.tanh, sympy.S.Zero)
    return [sympy.diff(loss, one) for one in by]


def _symengine(T: int) -> Any:
    import symengine

    loss, by = _unrolled(T, symengine.Symbol, symengine.tanh, symengine.Integer(0))
    return [loss.diff(one) for one in by]


def _casadi(T: int) -> Any:
    import casadi

    known: dict[str, Any] = {}

    def symbol(name: str) -> Any:
        return known.setdefault(name, casadi.SX.sym(name))

    loss, by = _unrolled(T, symbol, casadi.tanh, casadi.SX(0))
    return casadi.Function("gradient", list(known.values()), [casadi.gradient(loss, casadi.vertcat(*by))])


def _jax(T: int, scanned: bool) -> Any:
    """Trace and compile ``grad``, of a scan or of a loop in Python."""
    import jax
    import jax.numpy as jnp

    def loss(p: Any, x: Any, d: Any) -> Any:
        def step(h: Any, given: Any) -> Any:
            h = jnp.tanh(p[0] * h + p[1] * given[0] + p[2])
            return h, (h - given[1]) ** 2 / 2

        if scanned:
            return jax.lax.scan(step, 0.0, (x, d))[1].sum()
        h, total = 0.0, 0.0
        for t in range(T):
            h, own = step(h, (x[t], d[t]))
            total = total + own
        return total

    vector = jax.ShapeDtypeStruct((T,), "float64")
    jax.clear_caches()
    return jax.jit(jax.grad(loss)).lower(jax.ShapeDtypeStruct((3,), "float64"), vector, vector).compile()


WAYS = (
    Way("sympy.diff, unrolled", _sympy, "sympy"),
    Way("symengine, unrolled", _symengine, "symengine"),
    Way("casadi SX, unrolled", _casadi, "casadi"),
    Way("JAX trace and compile, loop", lambda T: _jax(T, False), "jax"),
    Way("JAX trace and compile, scan", lambda T: _jax(T, True), "jax", False),
)


def measured(steps: Sequence[int], enough: float = ENOUGH) -> dict[str, list[float | None] | None]:
    """Return name -> the seconds at each number of steps (None where it was not tried), or None if not installed."""
    found: dict[str, list[float | None] | None] = {}
    for way in WAYS:
        if not has(way.needs):
            found[way.name] = None
            continue
        times: list[float | None] = []
        way.derive(2)  # imported
        for T in steps:
            if times and _is_too_long(times[-1], T / steps[len(times) - 1], enough):
                times.append(None)
                continue
            start = time.perf_counter()
            try:
                way.derive(T)
            except RecursionError:  # SymPy's expressions are nested as deeply as there are steps
                times.append(None)
            else:
                times.append(time.perf_counter() - start)
        found[way.name] = times
    return found


def _is_too_long(last: float | None, larger: float, enough: float) -> bool:
    """Whether to stop after a time, where the next T is so many times larger; None stands for a T that was left out."""
    return last is None or last > enough or last * larger**2 > TOO_LONG
