"""Gradients by other people's automatic differentiation: torch, jax, HIPS autograd, where they are installed.

The forward pass is the network's own equations, evaluated with the arrays of the framework; nothing of the derived
adjoints is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from ..algebra import ElementwiseFunction
from ..algebra.functions import U
from .forward import Key, Trace
from .instance import Instance
from .numbers import Array

FRAMEWORKS = ("torch", "jax", "autograd")


@dataclass(frozen=True)
class Framework:
    """What is needed of a framework: its array functions, how an array is made, and its gradient.

    Attributes
    ----------
    functions : object
        Namespace with ``exp``, ``tanh``, ``where``, ...
    array : callable
        From a NumPy array to the framework's.
    gradients : callable
        (loss of a list of arrays, the arrays) -> gradients as NumPy arrays.
    stack, full : callable
        Concatenation, and an array of one number.
    """

    functions: Any
    array: Callable[[Array], Any]
    gradients: Callable[[Callable[[list[Any]], Any], list[Array]], list[Array]]
    stack: Callable[[list[Any]], Any]
    full: Callable[[Any, tuple[int, ...]], Any]


def installed() -> tuple[str, ...]:
    """Return the frameworks that can be imported."""
    return tuple(name for name in FRAMEWORKS if find_spec(name) is not None)


def oracle_gradients(instance: Instance, name: str) -> dict[Key, Array]:
    """Return dL/d(given) for everything that an instance starts from, by a framework's own differentiation.

    Parameters
    ----------
    instance : Instance
    name : {"torch", "jax", "autograd"}

    Returns
    -------
    dict
        (name, step) -> gradient, step None for a parameter; targets and mask left out.
    """
    framework = _MAKERS[name]()
    still = instance.system.fixed
    keys = [key for key in instance.given if key[0] not in still]
    fixed = {key: framework.array(value) for key, value in instance.given.items() if key[0] in still}

    def loss(values: list[Any]) -> Any:
        trace = _FrameworkTrace(instance, {**fixed, **dict(zip(keys, values, strict=True))}, framework)
        return trace.run().total.sum()

    found = framework.gradients(loss, [np.array(instance.given[key], dtype=float) for key in keys])
    return dict(zip(keys, found, strict=True))


class _FrameworkTrace(Trace):
    """A forward pass on the arrays of a framework."""

    def __init__(self, instance: Instance, given: Mapping[Key, Any], framework: Framework) -> None:
        super().__init__(instance.system, dict(instance.bindings), given)
        self.framework = framework

    def apply(self, function: ElementwiseFunction, value: Any) -> Any:
        return _apply(function.rule(U), value, self.framework.functions)

    def largest(self, values: list[Any]) -> Any:
        return self.framework.stack([v.reshape(1) for v in values]).max()

    def full(self, value: Any, shape: tuple[int, ...]) -> Any:
        return self.framework.full(value, shape)

    def join(self, parts: list[Any]) -> Any:
        return self.framework.stack([part.reshape(-1) for part in parts])


def _apply(rule: Expr, value: Any, xp: Any) -> Any:
    """Evaluate a SymPy expression of one variable with the functions of a framework."""
    if rule == U:
        return value
    if rule.is_number:
        return float(rule)
    arguments = rule.args
    if isinstance(rule, sympy.Add | sympy.Mul):
        result = _apply(arguments[0], value, xp)
        for argument in arguments[1:]:
            other = _apply(argument, value, xp)
            result = result + other if isinstance(rule, sympy.Add) else result * other
        return result
    if isinstance(rule, sympy.Pow):
        return _apply(rule.base, value, xp) ** float(rule.exp)
    if isinstance(rule, sympy.Max | sympy.Min):
        a, b = (_apply(x, value, xp) for x in arguments)
        return xp.where((a > b) if isinstance(rule, sympy.Max) else (a < b), a + 0 * value, b + 0 * value)
    if isinstance(rule, sympy.Piecewise):
        return _branches(rule, value, xp)
    return getattr(xp, type(rule).__name__.lower())(_apply(arguments[0], value, xp))


def _branches(rule: sympy.Piecewise, value: Any, xp: Any) -> Any:
    """The last branch first; an argument outside its branch is replaced, so that it cannot overflow there."""
    result = _apply(rule.args[-1][0], value, xp) + 0 * value
    for branch, condition in reversed(rule.args[:-1]):
        left, right = (_apply(side, value, xp) for side in (condition.lhs, condition.rhs))
        holds = _RELATIONS[type(condition)](left, right)
        result = xp.where(holds, _apply(branch, value, xp) + 0 * value, result)
    return result


_RELATIONS: dict[Any, Callable[[Any, Any], Any]] = {
    sympy.StrictGreaterThan: lambda a, b: a > b,
    sympy.GreaterThan: lambda a, b: a >= b,
    sympy.StrictLessThan: lambda a, b: a < b,
    sympy.LessThan: lambda a, b: a <= b,
}


def _torch() -> Framework:
    torch = import_module("torch")

    def gradients(loss: Callable[[list[Any]], Any], arrays: list[Array]) -> list[Array]:
        tensors = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
        found = torch.autograd.grad(loss(tensors), tensors, allow_unused=True)
        pairs = zip(found, arrays, strict=True)
        return [np.zeros(np.shape(a)) if g is None else g.detach().numpy() for g, a in pairs]

    def full(value: Any, shape: tuple[int, ...]) -> Any:
        return torch.as_tensor(value, dtype=torch.float64).expand(shape)

    return Framework(torch, lambda a: torch.tensor(np.asarray(a), dtype=torch.float64), gradients, torch.cat, full)


def _jax() -> Framework:
    jax, jnp = import_module("jax"), import_module("jax.numpy")
    enable = jax.enable_x64 if hasattr(jax, "enable_x64") else import_module("jax.experimental").enable_x64

    def gradients(loss: Callable[[list[Any]], Any], arrays: list[Array]) -> list[Array]:
        with enable(True):
            return [np.asarray(g) for g in jax.grad(loss)([jnp.asarray(a, dtype="float64") for a in arrays])]

    def array(value: Array) -> Any:
        with enable(True):
            return jnp.asarray(value, dtype="float64")

    def full(value: Any, shape: tuple[int, ...]) -> Any:
        return jnp.broadcast_to(value, shape)

    return Framework(jnp, array, gradients, jnp.concatenate, full)


def _autograd() -> Framework:
    grad, anp = import_module("autograd").grad, import_module("autograd.numpy")

    def gradients(loss: Callable[[list[Any]], Any], arrays: list[Array]) -> list[Array]:
        return [np.asarray(g) for g in grad(loss)(arrays)]

    def full(value: Any, shape: tuple[int, ...]) -> Any:
        return value * np.ones(shape)

    return Framework(anp, np.asarray, gradients, anp.concatenate, full)


_MAKERS: dict[str, Callable[[], Framework]] = {"torch": _torch, "jax": _jax, "autograd": _autograd}
