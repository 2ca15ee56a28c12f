"""From functions of a note to a loss with gradients that can be checked."""

from __future__ import annotations

import ast
import copy
import inspect
import random
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from .arguments import CannotRunError, Path, Scope, call, get, leaves, put
from .blocks import returned
from .names import LOSSES, base_names, belongs, expression_name, is_array, parts

_GRADIENT = re.compile(r"(?:dL_?d?|d_?|grads?_?)(?:[A-Z]\w*|[a-z]{1,2}(?:_\w+|\d+)?)$")
"""What surely is called as a gradient is."""


class Task:
    """A function, or a forward and a backward one, with its arguments.

    Parameters
    ----------
    forward : str
        The function that returns loss and gradients, or the first of a pair.
    backward : str or None
        The second of a pair.
    defined : mapping
        The functions of the note by name, as they are written.
    scope : Scope
    """

    def __init__(
        self, forward: str, backward: str | None, defined: Mapping[str, ast.FunctionDef], scope: Scope
    ) -> None:
        self.forward, self.backward, self.defined, self.scope = forward, backward, defined, scope
        self.upstream: dict[str, int | None] = {}  # of the backward function: argument -> which output it belongs to
        self.cotangents: dict[int | None, Any] = {}
        instance = self._instance()
        functions = [self._function(forward, instance)] + ([self._function(backward, instance)] if backward else [])
        known, missing = scope.arguments(functions[0])
        if missing:
            raise CannotRunError("check.code.argument", name=forward, arguments=missing, first=missing[0])
        self.roots: dict[str, Any] = {
            "argument": known, "instance": instance, "module": scope.names,
            "self": vars(instance) if instance is not None else {},
        }  # fmt: skip
        self.kept = {k: copy.deepcopy(v) for k, v in scope.names.items() if _holds_arrays(v)}
        if backward:
            self._settle_upstream()
        self.all_leaves = leaves(known, instance, scope.names)
        self.by: dict[str, Path] = {}
        self.by = self._matched()

    # -- what there is -----------------------------------------------------------------------------------------
    def _instance(self) -> Any:
        """Return the object whose method is meant: one that the note has, or a new one of its class."""
        owner = self.forward.rpartition(".")[0]
        if not owner:
            return None
        kind = self.scope.names.get(owner)
        if kind is None:
            raise CannotRunError("check.code.not-defined", name=owner)
        if not isinstance(kind, type):
            return kind
        arguments, missing = self.scope.arguments(kind)
        there = [v for v in self.scope.names.values() if type(v) is kind]
        if there and not any(name in self.scope.given for name in arguments):
            return there[0]
        if missing:
            raise CannotRunError("check.code.argument", name=owner, arguments=missing, first=missing[0])
        return call(kind, arguments)

    def _function(self, name: str | None, instance: Any) -> Any:
        owner, _, last = str(name).rpartition(".")
        found = self.scope.names.get(last) if not owner else getattr(instance, last, None)
        if not callable(found):
            raise CannotRunError("check.code.not-defined", name=name)
        return found

    def _settle_upstream(self) -> None:
        """Tell which arguments of the backward function are gradients of what the forward one returns."""
        result, roots = self._forward({})
        names = self._output_names(result)
        cached = self._cached(result, names)
        function = self._function(self.backward, roots["instance"])
        _, missing = self.scope.arguments(function, {**cached, **roots["argument"]})
        outputs = {name: i for i, name in enumerate(names) if name}
        for name in [n for n in (p for p in inspect.signature(function).parameters) if n not in self.scope.given]:
            bases = [base for base in base_names(name) if base in outputs]
            if bases:
                self.upstream[name] = outputs[bases[0]]
        left = [name for name in missing if name not in self.upstream]
        if left and not self.upstream:
            self.upstream[left.pop(0)] = 0
        if left:
            raise CannotRunError("check.code.argument", name=self.backward, arguments=left, first=left[0])
        for place in self.upstream.values():
            output = self._output(result, place)
            self.cotangents[place] = np.random.default_rng(1).standard_normal(np.shape(output))
        if not self.upstream and np.size(self._output(result, 0)) != 1:
            raise CannotRunError("check.code.no-upstream", name=self.backward, forward=self.forward)

    def _output_names(self, result: Any) -> list[str]:
        node = returned(self.defined[self.forward])
        if isinstance(node, ast.Tuple | ast.List) and isinstance(result, tuple | list):
            return [expression_name(element) for element in node.elts]
        return [expression_name(node)]

    def _cached(self, result: Any, names: list[str]) -> dict[str, Any]:
        values = list(result) if len(names) > 1 else [result]
        found = {name: value for name, value in zip(names, values, strict=False) if name}
        # A cache is often called so in the backward function only.
        return {**({"cache": values[-1]} if len(values) > 1 else {}), **found}

    def _output(self, result: Any, place: int | None) -> Any:
        several = isinstance(result, tuple) and len(self._output_names(result)) > 1
        value = result[place or 0] if several else result
        if isinstance(value, list | tuple):
            with suppress(TypeError, ValueError):
                value = np.array(value, dtype=float)
        if not is_array(value):
            raise CannotRunError("check.code.no-output", name=self.forward, what=_what(value))
        return value

    # -- calls -------------------------------------------------------------------------------------------------
    def _forward(self, values: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Call the first function on copies of everything, with values laid into them."""
        random.seed(0)
        np.random.seed(0)
        arguments, instance = copy.deepcopy((self.roots["argument"], self.roots["instance"]))
        roots = {"argument": arguments, "instance": instance, "module": self.scope.names,
                 "self": vars(instance) if instance is not None else {}}  # fmt: skip
        self._restore()
        for name, value in values.items():
            put(self.by[name], roots, value)
        return call(self._function(self.forward, instance), arguments), roots

    def _restore(self) -> None:
        """Lay the variables of the note back as they were: a call may have changed them."""
        for name, kept in self.kept.items():
            now = self.scope.names.get(name)
            if isinstance(now, np.ndarray) and isinstance(kept, np.ndarray) and now.shape == kept.shape:
                now[...] = kept  # others may hold it
            elif isinstance(now, dict) and isinstance(kept, dict):
                now.clear()
                now.update(copy.deepcopy(kept))
            else:
                self.scope.names[name] = copy.deepcopy(kept)

    def _both(self, values: Mapping[str, Any]) -> tuple[float, Any, dict[str, Any]]:
        """Return the loss, what holds the gradients, and the copies that they were computed with."""
        result, roots = self._forward(values)
        if self.backward is None:
            return (*self._loss(result), roots)
        known = {**self._cached(result, self._output_names(result)), **roots["argument"]}
        known |= {name: self._shaped(place) for name, place in self.upstream.items()}
        function = self._function(self.backward, roots["instance"])
        arguments, missing = self.scope.arguments(function, known)
        if missing:
            raise CannotRunError("check.code.argument", name=self.backward, arguments=missing, first=missing[0])
        loss = self._weighted(result)
        return loss, call(function, {**arguments, **{name: known[name] for name in self.upstream}}), roots

    def _shaped(self, place: int | None) -> Any:
        weights = self.cotangents[place]
        return weights.copy() if np.ndim(weights) else float(weights)

    def _weighted(self, result: Any) -> float:
        """Return what the backward function differentiates: each output times the gradient that it is handed."""
        if not self.upstream:
            return float(np.reshape(self._output(result, 0), ()))
        places = dict.fromkeys(self.upstream.values())
        return float(sum(np.sum(self.cotangents[place] * self._output(result, place)) for place in places))

    def _loss(self, result: Any) -> tuple[float, Any]:
        if not isinstance(result, tuple | list) or len(result) < 2:
            raise CannotRunError("check.code.no-loss", name=self.forward, what=_what(result))
        names = self._output_names(result)
        place = next((i for i, name in enumerate(names) if name in LOSSES and i < len(result)), 0)
        loss = result[place]
        if np.size(loss) != 1 or not isinstance(loss, float | int | np.number | np.ndarray):
            raise CannotRunError("check.code.no-loss", name=self.forward, what=_what(loss))
        return float(np.reshape(loss, ())), result

    # -- gradients ---------------------------------------------------------------------------------------------
    def _gradients(self, holder: Any, roots: Mapping[str, Any]) -> dict[str, Any]:
        """Return name of an array -> its gradient, and under names in brackets what belongs to no array."""
        name = self.backward or self.forward
        found: dict[str, Any] = {}
        loose: dict[str, Any] = {}
        for given, value, key in parts(holder, returned(self.defined[name]) if name in self.defined else None):
            by = belongs(given, self.all_leaves, key)
            if by is not None:
                found.setdefault(by, value)
            elif _GRADIENT.match(given):
                loose[f"({given})"] = value
        for given, value in dict(roots["self"]).items():
            pairs = value.items() if isinstance(value, dict) and "grad" in given.lower() else [(given, value)]
            for inner, part in pairs:
                by = belongs(str(inner), self.all_leaves, isinstance(value, dict)) if is_array(part) else None
                if by is not None and self.all_leaves[by][0] == "self":
                    found.setdefault(by, part)
        return found | loose

    def _matched(self) -> dict[str, Path]:
        """Return the arrays that there is a gradient by, with their places."""
        _, holder, roots = self._both({})
        found = self._gradients(holder, roots)
        self.loose = [name.strip("()") for name in found if name.startswith("(")]
        matched = {name: self.all_leaves[name] for name in found if name in self.all_leaves}
        if not matched:
            raise CannotRunError("check.code.no-gradient", name=self.backward or self.forward)
        self.shapes = {name: np.shape(found[name]) for name in matched}
        return matched

    def values(self) -> dict[str, Any]:
        """Return the arrays that there is a gradient by."""
        return {name: copy.deepcopy(get(path, self.roots)) for name, path in self.by.items()}

    def function(self) -> tuple[Callable[[Any], float], Callable[[Any], dict[str, Any]]]:
        """Return the loss as a function of these arrays, and the gradients of the note as another."""

        def loss(values: Mapping[str, Any]) -> float:
            if self.backward is None:
                return self._both(values)[0]
            return self._weighted(self._forward(values)[0])

        def gradients(values: Mapping[str, Any]) -> dict[str, Any]:
            _, holder, roots = self._both(values)
            found = self._gradients(holder, roots)
            return {name: found.get(name) for name in values}

        return loss, gradients


def _holds_arrays(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(is_array, value.values()))
    return is_array(value)


def _what(value: Any) -> str:
    """Return what a value is, in a word that a reader of Python knows.

    >>> _what(None), _what(np.ones((2, 3))), _what((1, 2))
    ('None', 'array (2, 3)', 'tuple')
    """
    if value is None:
        return "None"
    return f"array {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
