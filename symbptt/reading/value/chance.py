"""What is more than a number in a world: truncated derivatives, tangents, masks, and moments over what is random."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from sympy import Integer

from ... import algebra as A
from ...algebra.nodes import Concat
from ...algebra.scalar import to_scalar
from ...evaluate.truncated import mask_cases
from ..meaning.expr import Call, Deriv, Expr, Matrix, Ref
from .quantity import Quantity, scalar
from .reading import DENOMINATOR
from .world import NotEvaluatedError, NoValueError, World

Value = Callable[[Expr, World], Quantity]


# -- derivatives --------------------------------------------------------------------------------------


def oriented(array: Any, of: Quantity, by: tuple[int, ...], w: World) -> Quantity:
    """Return a derivative with its axes, as the reading has them.

    Parameters
    ----------
    array : ndarray
        Shape ``(*of.shape, *by)``.
    of : Quantity
        What is differentiated.
    by : tuple of int
        Shape of what it is taken by.
    w : World
    """
    rows, single = of.shape, of.is_scalar
    if single and w.reading.gradients:
        turned = w.reading.rows and len(by) == 1
        return Quantity(array, () if turned else by[:1], by if turned else by[1:])
    if w.reading.layout == DENOMINATOR and not single:
        array = np.transpose(array, [*range(len(rows), len(rows) + len(by)), *range(len(rows))])
        return Quantity(array, by, rows)
    if w.reading.layout == DENOMINATOR:
        return Quantity(array, by, (), free=True)
    return Quantity(array, rows, by, free=single and bool(by))


def after_the_end(of: Expr, by: Iterable[Ref], w: World) -> bool:
    """Whether it is the derivative of L by variables just after the last step, which is 0 by convention."""
    if not (w.reading.gradients and isinstance(of, Ref) and w.instance is not None):
        return False
    if w.model_key(of.key, None) != ("L", None):
        return False
    system, base = w.instance.system, w.instance.base
    keys = [w.model_key(ref.key, None if ref.when is None else w.at(ref.when)) for ref in by]
    return all(
        key is not None
        and key[0] in system.by_name
        and key[1] == base.size(system.last_of(key[0])) + system.direction_of(key[0])
        for key in keys
    )


def leaf_of(expr: Expr, w: World) -> Any:
    """Return the symbol of the language that an expression is at the steps of a world.

    Raises
    ------
    NotEvaluatedError
        For what is no symbol.
    NoValueError
    """
    if w.instance is None:
        raise NotEvaluatedError("check.reason.no-meaning")
    system = w.instance.system
    if isinstance(expr, Ref):
        key = w.model_key(expr.key, None if expr.when is None else w.at(expr.when))
        if key is None:
            raise NoValueError(expr.key)
        name, step = key
        if key == ("L", None):
            return system.L
        leaf = system.parameters[name] if step is None else system.at(name, Integer(step))
        return to_scalar(leaf) if system.scalar else leaf
    if isinstance(expr, Matrix):
        return Concat(*(leaf_of(part, w) for part in expr.children))
    if isinstance(expr, Call) and expr.name == "vec":
        return leaf_of(expr.arguments[0], w)
    if isinstance(expr, Deriv) and len(expr.by) == 1:
        return A.derivative(leaf_of(expr.of, w), leaf_of(expr.by[0], w), expr.mode or A.TOTAL)
    raise NotEvaluatedError("check.reason.no-meaning")


def _shaped(array: Any, w: World) -> Quantity:
    """Return an array of the shape of a variable, a parameter or a gradient."""
    found = np.asarray(array)
    shaped = Quantity(found, found.shape[:1], found.shape[1:])
    turned = w.reading.rows and shaped.is_vector and bool(shaped.rows)
    return replace(shaped, rows=(), columns=shaped.rows) if turned else shaped


def truncated(e: Deriv, w: World) -> Quantity:
    """Return a truncated derivative."""
    assert w.instance is not None
    return _shaped(w.instance.with_masks(leaf_of(e, w), w.masks), w)


def _tangent(e: Call, w: World, value: Value) -> Quantity:
    leaf = leaf_of(e.arguments[0], w)
    if w.instance is None:
        raise NoValueError("R")
    return _shaped(w.instance.evaluate(A.tangent_of(leaf), {}), w)


# -- chance -------------------------------------------------------------------------------------------


def _mask(e: Call, w: World, value: Value) -> Quantity:
    if w.instance is None:
        raise NoValueError("xi")
    numbers = [Integer(round(float(value(a, w).array))) for a in e.arguments]
    return scalar(w.instance.with_masks(A.Mask(*numbers), w.masks))


def _probability(e: Call, w: World, value: Value) -> Quantity:
    if w.instance is None:  # an identity in p alone
        if "p" not in w.meanings.constants:
            raise NoValueError("p")
        return scalar(w.meanings.constants["p"])
    numbers = [Integer(round(float(value(a, w).array))) for a in e.arguments]
    return scalar(w.instance.with_masks(A.Probability(*numbers), w.masks))


def _draws(w: World, arguments: tuple[Expr, ...]) -> Iterable[tuple[float, World]]:
    """Yield what expectations are taken over: the masks of a random truncation, with their probabilities."""
    if w.draws is not None:
        yield from w.draws(w, arguments)
        return
    if w.instance is None:
        raise NotEvaluatedError("check.reason.no-meaning")
    parts = [part for argument in arguments for part in argument.walk()]
    independent = any(
        (isinstance(p, Deriv) and p.mode == "randomised:independent")
        or (isinstance(p, Call) and p.name == "mask" and len(p.arguments) > 1)
        for p in parts
    )
    for masks, weight in mask_cases(w.instance, independent):
        yield weight, replace(w, masks=masks)


_MOMENTS = {"expectation": A.expectation, "variance_of": A.variance_of}


def _moment(e: Call, w: World, value: Value) -> Quantity:
    """Return an expectation, a variance entry by entry, or a covariance."""
    single = e.arguments[0]
    if isinstance(single, Deriv) and single.mode == "randomised:independent" and e.name in _MOMENTS:
        assert w.instance is not None  # masks of different losses are independent, so that there is a shorter way
        return _shaped(w.instance.evaluate(_MOMENTS[e.name](leaf_of(single, w)), {}), w)
    weights, found = [], []
    for weight, world in _draws(w, e.arguments):
        weights.append(weight)
        found.append([value(argument, world) for argument in e.arguments])
    arrays = [np.array([row[i].array for row in found]) for i in range(len(e.arguments))]
    means = [np.tensordot(weights, array, axes=1) for array in arrays]
    if e.name == "expectation":
        return replace(found[0][0], array=means[0])
    spread = (arrays[0] - means[0]) * (arrays[-1] - means[-1])
    return replace(found[0][0], array=np.tensordot(weights, spread, axes=1))


def _kronecker(e: Call, w: World, value: Value) -> Quantity:
    """Return a Kronecker product, in which an identity has the size that the world settles."""
    left, right = (value(a, w) for a in e.arguments)
    if "identity" in (left.fill, right.fill):
        if w.units is None:
            raise NotEvaluatedError("check.reason.no-meaning")
        size = w.units[0]
        unit = Quantity(np.eye(size), (size,), (size,))
        left, right = (replace(unit, array=q.array * unit.array) if q.fill == "identity" else q for q in (left, right))
    rows = [q.array.reshape(-1, 1) if not q.columns else q.array.reshape(1, -1) if not q.rows else q.array
            for q in (left, right)]  # fmt: skip
    array = np.kron(*rows)
    return Quantity(array, array.shape[:1], array.shape[1:])


IN_WORLD: dict[str, Callable[[Call, World, Value], Quantity]] = {
    "tangent": _tangent,
    "held": lambda e, w, value: value(e.arguments[0], w),
    "mask": _mask,
    "probability": _probability,
    "expectation": _moment,
    "variance_of": _moment,
    "covariance_of": _moment,
    "kron": _kronecker,
}
"""Name of a function -> its value in a world; the function that evaluates its arguments comes in."""
