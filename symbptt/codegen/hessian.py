"""Hessian-vector products in numbers: the derived second-order equations as a NumPy function of one sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Symbol

from .. import algebra as A
from ..algebra.pycode import NUMPY, write
from ..algebra.semantics import LEAVES
from ..derive.second_order import SecondOrder, second_order
from ..errors import ValueInputError
from ..model import LOSS, Network, System
from .checks import Array
from .plan import twin
from .target import Lead


def hessian_products(
    network: Network,
    params: Mapping[str, Array],
    direction: Mapping[str, Array],
    given: Mapping[str, Any],
    lead: Lead,
) -> dict[str, Array]:
    """Return the product of the Hessian with a direction, summed over the batch.

    Parameters
    ----------
    network : Network
    params, direction : mapping
        Parameter -> array.
    given : mapping
        Input, target, mask and initial state -> array, as the generated function takes them, or None.
    lead : Lead
        The number of steps, and the batch.
    """
    found = _compiled(network)
    total = {key: np.zeros(np.shape(value)) for key, value in params.items()}
    for sample in range(lead.batch or 1):
        data = _Data(network, found.system, params, _sample(network, given, sample, lead), int(lead.steps or 1))
        with np.errstate(over="ignore"):
            products = found.function(data.sizes, data.parameters(params), data.parameters(direction), data.arrays)
        for key, product in zip(params, products, strict=True):
            total[key] += np.reshape(product, total[key].shape)
    if not all(np.isfinite(value).all() for value in total.values()):
        raise ValueInputError("the Hessian-vector product is not finite: the numbers are too large")
    return total


# -- the function -------------------------------------------------------------------------------------


class _Module:
    """The text of the function: two sweeps, each with R beside it, and the sums."""

    def __init__(self, network: Network) -> None:
        self.system: System = network.system
        self.second: SecondOrder = second_order(network)
        self.names: dict[Any, str] = {}
        self.function = self._compile()

    def _compile(self) -> Callable[..., tuple[Array, ...]]:
        body = [*self._forward(), *self._backward(), *self._sums()]
        head = ["def products(sizes, parameters, direction, arrays):"]
        keys = list(self.system.parameters)
        for key, symbol in self.system.parameters.items():
            head.append(f"    {self._name(symbol)} = parameters[{keys.index(key)}]")
            head.append(f"    {self._name(A.tangent_of(symbol))} = direction[{keys.index(key)}]")
        timed = {leaf: name for leaf, name in self.names.items() if isinstance(leaf, tuple)}
        head += [f"    {name} = arrays[{leaf!r}]" for leaf, name in timed.items()]
        head += [f"    {size} = sizes[{size!r}]" for size in self._sizes()]
        source = "\n".join([*head, *body])
        namespace: dict[str, Any] = {"numpy": np}
        exec(compile(source, "<symbptt Hessian-vector product>", "exec"), namespace)
        function: Callable[..., tuple[Array, ...]] = namespace["products"]
        return function

    def _sizes(self) -> list[str]:
        leaves = [*self.system.variables.values(), *self.system.parameters.values()]
        free = {s for leaf in leaves for size in A.shape_of(leaf) for s in size.free_symbols}
        return sorted({str(s) for s in free} | {str(self.system.steps)})

    # -- lines ----------------------------------------------------------------------------------------
    def _put(self, left: Any, right: Any, indent: int = 8) -> str:
        return f"{' ' * indent}{self._text(left)} = {self._text(right)}"

    def _text(self, expr: Any) -> str:
        return write(self._named(expr), NUMPY)

    def _named(self, expr: Any) -> Any:
        """Put a plain name, by kind and place, for every leaf; the index of a sum is no other than that of a step."""
        if isinstance(expr, LEAVES) or expr in self.system.parameters.values():
            return self._plain(expr)
        if isinstance(expr, A.ElementwiseFunction) or not expr.args:
            return expr
        return expr.func(*map(self._named, expr.args))

    def _plain(self, leaf: Any) -> Any:
        kind, core = _kind_of(leaf)
        if not isinstance(core, A.MatrixAt | A.ScalarAt):
            name = self._name(leaf)
            return type(core)(name, *core.args[1:]) if A.shape_of(core) else A.scalar_parameter(name)
        name = self._name((kind, core.name))
        return A.Variable(name, *core.variable.args[1:])[core.when]

    def _name(self, leaf: Any) -> str:
        """Return a name that nothing else has: a letter for the kind, and a number."""
        return self.names.setdefault(leaf, f"a{len(self.names)}_")

    # -- parts ----------------------------------------------------------------------------------------
    def _forward(self) -> Iterator[str]:
        system = self.system
        yield self._loop(system.direction)
        for equation in system.equations:
            if equation.stage != LOSS:
                yield self._put(equation.left, equation.right)
                if equation.name in self.second.forward:
                    yield self._put(A.tangent_of(equation.left), self.second.forward[equation.name])

    def _backward(self) -> Iterator[str]:
        g, system = self.second.generic, self.system
        yield self._loop(-system.direction)
        edges = dict.fromkeys((system.last, system.end))
        for name in g.adjoints:
            left = g.adjoint_of(name)
            for i, edge in enumerate(edges):
                yield f"        {'elif' if i else 'if'} t == {edge}:"
                at_edge = g.fill_local(g.at_step(name, edge)), self.second.adjoint(name, edge)
                yield self._put(left.xreplace({system.t: edge}), at_edge[0], 12)
                yield self._put(A.tangent_of(left).xreplace({system.t: edge}), at_edge[1], 12)
            yield "        else:"
            yield self._put(left, g.fill_local(g.adjoints[name].expr), 12)
            yield self._put(A.tangent_of(left), self.second.adjoint(name), 12)

    def _sums(self) -> Iterator[str]:
        results = ", ".join(self._text(self.second.parameter(key)) for key in self.system.parameters)
        yield f"    return ({results},)" if results else "    return ()"

    def _loop(self, direction: int) -> str:
        steps = "range(1, T + 1)" if direction == 1 else "range(T, 0, -1)"
        return f"    for t in {steps}:"


_KINDS = ("value", "tangent", "adjoint", "adjoint tangent")


def _kind_of(leaf: Any) -> tuple[str, Any]:
    """Return what a leaf is, and the variable or parameter that it belongs to."""
    moved = isinstance(leaf, A.Tangent | A.ScalarTangent)
    core = leaf.of if moved else leaf
    adjoint = isinstance(core, A.Gradient | A.ScalarDerivative)
    return _KINDS[2 * adjoint + moved], core.by if adjoint else core


@lru_cache(maxsize=64)
def _compiled(network: Network) -> _Module:
    return _Module(twin(network))


# -- what it is given ---------------------------------------------------------------------------------


def _sample(network: Network, given: Mapping[str, Any], sample: int, lead: Lead) -> dict[str, Any]:
    """Return what belongs to one sequence of the batch: inputs and targets by step, initial states alone."""
    system, found = network.system, dict[str, Any]()
    final = system.reduction == "last"
    for name, value in given.items():
        if value is None:
            continue
        timed = name in system.inputs or (name in system.fixed and not final)
        if timed or name in system.fixed:
            axis = 1 if timed else 0
            shared = name not in system.inputs and name == "mask" and np.ndim(value) == 1
            found[name] = np.take(value, sample, axis) if lead.batched and not shared else value
        else:
            rank = A.rank_of(system.at(name[:-1])) if not system.scalar else 0
            found[name] = value[sample] if np.ndim(value) > rank else value
    return found


class _Data:
    """The arrays of one sequence, with an entry for every step from 0 to T + 1.

    Attributes
    ----------
    sizes : dict
        Sizes and T by name.
    arrays : dict
        (kind, variable) -> array over steps: values, tangents, adjoints and their tangents.
    """

    def __init__(
        self, network: Network, system: System, params: Mapping[str, Array], given: Mapping[str, Any], steps: int
    ) -> None:
        self.system, self.given, self.steps = system, given, steps
        own = {k: int(v) for k, v in network.system.sizes.items() if v.is_Integer}
        self.sizes = {**own, **self._sizes_of(params), str(system.steps): steps}
        names = [name for name in system.variables if name != "l"]
        self.arrays = {(kind, name): self._empty(name) for kind in _KINDS for name in names}
        start = 0 if system.direction == 1 else steps + 1
        for state in system.states:
            if given.get(f"{state}0") is not None:
                self.arrays["value", state][start] = self._shaped(system.at(state), given[f"{state}0"])
        for name in (*system.inputs, *system.fixed):
            self._fill(name)

    def _sizes_of(self, params: Mapping[str, Array]) -> dict[str, int]:
        system, found = self.system, dict[str, int]()
        shaped = [(system.parameters[k], np.shape(v)) for k, v in params.items()]
        shaped += [(system.variables[k], np.shape(v)[1:]) for k, v in self.given.items() if k in system.inputs]
        for leaf, shape in shaped:
            for size, value in zip(A.shape_of(leaf), shape, strict=False):
                if isinstance(size, Symbol):
                    found[size.name] = int(value)
        return found

    def _shape(self, leaf: Any) -> tuple[int, ...]:
        return tuple(self._size(s) for s in A.shape_of(leaf)[: A.rank_of(leaf)])

    def _size(self, size: Expr) -> int:
        return int(size.xreplace({s: sympy.Integer(self.sizes[str(s)]) for s in size.free_symbols}))

    def _empty(self, name: str) -> Array:
        return np.zeros((self.steps + 2, *self._shape(self.system.at(name))))

    def _shaped(self, leaf: Any, value: Any) -> Array:
        shape = self._shape(leaf)
        array = np.asarray(value, dtype=float)
        return array.reshape(shape) if array.size == int(np.prod(shape, dtype=int)) else np.broadcast_to(array, shape)

    def _fill(self, name: str) -> None:
        leaf, rows = self.system.at(name), self.given[name]
        target = name in self.system.targets
        if target and self.system.reduction == "last":
            rows, first = [rows], self.steps
        else:
            first = 1
        for step, row in enumerate(rows, start=first):
            value = self._target(name, row) if target else row
            self.arrays["value", name][step] = self._shaped(leaf, value)

    def _target(self, name: str, row: Any) -> Any:
        if self.system.targets[name] != "distribution" or np.ndim(row) or self.system.scalar:
            return row
        return np.eye(self._shape(self.system.at(name))[0])[int(row)]

    def parameters(self, values: Mapping[str, Array]) -> list[Any]:
        """Return parameters in the shapes that the function takes: all matrices and vectors as such."""
        shaped = (self._shaped(symbol, values[key]) for key, symbol in self.system.parameters.items())
        return [value if value.ndim else float(value) for value in shaped]
