"""Examples of every node, and numbers for them that owe nothing to the rules under test.

``EXAMPLES`` maps a node class to a function that returns examples of it; the arguments of an example are leaves, of
symbolic sizes. :class:`Instance` gives each leaf a random value and each function its NumPy form, so that
``evaluate(example, Instance(seed))`` is a number, and with an argument moved by ``1e-30j`` its derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy
from sympy import Rational, Symbol, Tuple

import symbptt.algebra as A
from symbptt.algebra import leaves as leaf_classes
from symbptt.algebra import nodes as N
from symbptt.algebra.base import Node, is_vector, shape_of
from symbptt.algebra.pycode import derivative_name, tangent_name
from symbptt.algebra.semantics import LEAVES

n, m, q, T = map(A.size, "nmqT")
t, j = A.index("t"), A.index("j")

# Names that begin with p have positive values.
h, v, x, y = A.Variable("h", n, 1), A.Variable("v", n, 1), A.Variable("x", m, 1), A.Variable("y", q, 1)
p, hx = A.Variable("p", n, 1), A.Variable("hx", n + m, 1)
uu = A.Variable("uu", n * m, 1)
S, P = A.Variable("S", n, m, 2), A.Variable("p_S", n, m, 2)  # the 2 says matrix, also where m is 1
a, b, c, p_a = A.Variable("a"), A.Variable("b"), A.Variable("c"), A.Variable("p_a")
J = A.Variable("J", n, n, 2)
W, U, V, M = (A.MatrixParameter(*key) for key in (("W", n, n), ("U", n, m), ("V", q, n), ("M", m, n)))
R = A.MatrixParameter("R", 1, m)
C, x1 = A.MatrixParameter("C", n, 1), A.Variable("x1", 1, 1)  # one input: a matrix of one column
s = A.scalar_parameter("s")
L = Symbol("L", real=True)
tanh, relu, sigmoid = map(A.named, ("tanh", "relu", "sigmoid"))

EXAMPLES: dict[type, Callable[[], list[Any]]] = {
    N.Plus: lambda: [N.Plus(a[t], s, b[t - 1]), N.Plus(a[t], N.Negative(b[t]))],
    N.MatrixPlus: lambda: [N.MatrixPlus(h[t], v[t], h[t - 1]), N.MatrixPlus(U, S[t])],
    N.Negative: lambda: [N.Negative(a[t]), N.Negative(s)],
    N.MatrixNegative: lambda: [N.MatrixNegative(h[t]), N.MatrixNegative(W)],
    N.Times: lambda: [N.Times(a[t], s, b[t]), N.Times(sympy.Integer(3), a[t])],
    N.Scale: lambda: [N.Scale(s, h[t]), N.Scale(a[t], W)],
    N.MatrixProduct: lambda: [
        N.MatrixProduct(W, h[t]),
        N.MatrixProduct(U, x[t]),
        N.MatrixProduct(V, W, h[t]),
        N.MatrixProduct(V, W, U),
        N.MatrixProduct(N.Transposed(h[t]), U),
        N.MatrixProduct(C, x1[t]),
        N.MatrixProduct(V, C),
    ],
    N.Hadamard: lambda: [N.Hadamard(h[t], v[t], h[t - 1]), N.Hadamard(U, S[t])],
    N.Quotient: lambda: [N.Quotient(a[t], b[t]), N.Quotient(a[t], s)],
    N.HadamardQuotient: lambda: [N.HadamardQuotient(h[t], v[t]), N.HadamardQuotient(U, S[t])],
    N.Power: lambda: [N.Power(a[t], 3), N.Power(p_a[t], Rational(-1, 2)), N.Power(a[t], -1)],
    N.HadamardPower: lambda: [N.HadamardPower(h[t], 2), N.HadamardPower(P[t], Rational(1, 2)), N.HadamardPower(U, 3)],
    N.Outer: lambda: [N.Outer(h[t], x[t]), N.Outer(h[t], v[t - 1]), N.Outer(h[t], x1[t])],
    N.Inner: lambda: [N.Inner(h[t], v[t])],
    N.Transposed: lambda: [N.Transposed(U), N.Transposed(h[t]), N.Transposed(C)],
    N.Trace: lambda: [N.Trace(W)],
    N.Kronecker: lambda: [
        N.Kronecker(N.Transposed(h[t]), A.Identity(n)),
        N.Kronecker(h[t], x[t]),
        N.Kronecker(W, U),
        N.Kronecker(x[t], W),
    ],
    N.Vec: lambda: [N.Vec(U), N.Vec(C)],
    N.Unvec: lambda: [N.Unvec(uu[t], n, m)],
    N.MatrixPower: lambda: [N.MatrixPower(W, 3), N.MatrixPower(N.Transposed(W), T - t), N.MatrixPower(W, t - 1)],
    N.Diag: lambda: [N.Diag(h[t])],
    N.DiagonalOf: lambda: [N.DiagonalOf(W)],
    N.SquaredNorm: lambda: [N.SquaredNorm(h[t]), N.SquaredNorm(U)],
    N.EntrySum: lambda: [N.EntrySum(h[t]), N.EntrySum(U)],
    N.Mean: lambda: [N.Mean(h[t]), N.Mean(U)],
    N.Variance: lambda: [N.Variance(h[t]), N.Variance(U)],
    N.MaxEntry: lambda: [N.MaxEntry(h[t]), N.MaxEntry(U)],
    N.MaxIndicator: lambda: [N.MaxIndicator(h[t]), N.MaxIndicator(U)],
    N.Concat: lambda: [N.Concat(h[t], x[t], h[t - 1]), N.Concat(W, M)],
    N.Part: lambda: [N.Part(hx[t], n, m), N.Part(h[t], 0, n), N.Part(h[t], 1, n - 1), N.Part(U, 0, 1)],
    N.Blocks: lambda: [N.Blocks(Tuple(Tuple(W, U), Tuple(V, N.Outer(y[t], x[t]))))],
    N.Apply: lambda: [N.Apply(tanh, a[t]), N.Apply(relu, s), N.Apply(sigmoid.prime, s)],
    N.Map: lambda: [N.Map(tanh, h[t]), N.Map(relu, h[t]), N.Map(sigmoid, U), N.Map(tanh.prime, h[t])],
    N.Softmax: lambda: [N.Softmax(h[t])],
    N.RowBroadcast: lambda: [N.RowBroadcast(R, n), N.RowBroadcast(R, 1)],
    N.ColumnSums: lambda: [N.ColumnSums(U), N.ColumnSums(S[t])],
    N.RowSoftmax: lambda: [N.RowSoftmax(U), N.RowSoftmax(S[t])],
    N.RowMean: lambda: [N.RowMean(U), N.RowMean(S[t])],
    N.RowVariance: lambda: [N.RowVariance(U), N.RowVariance(S[t])],
    N.TimeSum: lambda: [N.TimeSum(N.Times(a[j], s), j, 1, T), N.TimeSum(a[j], j, 3, 2)],
    N.MatrixTimeSum: lambda: [
        N.MatrixTimeSum(N.Outer(h[j], x[j - 1]), j, 1, t),
        N.MatrixTimeSum(N.Scale(s, h[j]), j, 1, T),
        N.MatrixTimeSum(h[j], j, t + 1, t),
    ],
    N.TimeProduct: lambda: [N.TimeProduct(N.Times(s, a[j]), j, 1, T), N.TimeProduct(a[j], j, 3, 2)],
    N.OrderedProduct: lambda: [
        N.OrderedProduct(J[j], j, 1, t),
        N.OrderedProduct(N.MatrixProduct(N.Diag(h[j]), W), j, 1, T),
        N.OrderedProduct(W, j, t + 1, t),
    ],
    A.Parameter: lambda: [A.Parameter("b_h", n, 1), A.Parameter("R", n, m)],
    A.MatrixParameter: lambda: [W, C],
    A.ScalarAt: lambda: [a[t], a[t - 1]],
    A.MatrixAt: lambda: [h[t], S[t - 1]],
    A.Literal: lambda: [A.Literal("2.50"), A.Literal("-1/3")],
    A.LiteralMatrix: lambda: [
        A.LiteralMatrix([[A.Literal("1.0")], [A.Literal("-2")]]),
        A.LiteralMatrix([[A.Literal("1.0"), A.Literal("2")], [A.Literal("0.5"), A.Literal("3")]]),
        A.LiteralMatrix([[A.Literal("1.0")], [A.Literal("2")]], 2),
    ],
    A.Fill: lambda: [A.Fill(s, n, 1), A.Fill(a[t], n, m), A.Fill(1, n, 1), A.Fill(s, n, 1, 2)],
    A.Identity: lambda: [A.Identity(n)],
    A.ScalarDerivative: lambda: [A.derivative(L, a[t]), A.derivative(L, a[t], A.IMMEDIATE)],
    A.Gradient: lambda: [A.derivative(L, h[t]), A.derivative(L, W)],
    A.Jacobian: lambda: [A.derivative(h[t], x[t]), A.derivative(h[t], U), A.derivative(h[t], s)],
    A.ScalarTangent: lambda: [A.tangent_of(a[t]), A.tangent_of(s), A.tangent_of(A.derivative(L, a[t]))],
    A.Tangent: lambda: [A.tangent_of(h[t]), A.tangent_of(W), A.tangent_of(A.derivative(L, h[t]))],
}

LEAF_CLASSES = tuple(
    kind
    for kind in vars(leaf_classes).values()
    if isinstance(kind, type) and issubclass(kind, Node) and kind.__module__ == leaf_classes.__name__
)
ALL = (*N.NODES, *LEAF_CLASSES)


def examples(kinds: Any = ALL) -> Iterator[tuple[str, Any]]:
    """Yield (name for pytest, example) of the classes, those without an entry as well (their test fails)."""
    for kind in kinds:
        made = EXAMPLES[kind]() if kind in EXAMPLES else [kind]
        for i, example in enumerate(made):
            yield f"{kind.__name__}{i}", example


# -- numbers -------------------------------------------------------------------------------------------


def _branches(positive: Callable[[Any], Any], negative: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda z: np.where(np.real(z) > 0, positive(z), negative(z))


def _logistic(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


FORMS: dict[str, Callable[[Any], Any]] = {
    "tanh": np.tanh,
    "sigmoid": _logistic,
    "relu": _branches(lambda z: z, lambda z: 0 * z),
    "leaky_relu": _branches(lambda z: z, lambda z: 0.01 * z),
    "linear": lambda z: z,
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "elu": _branches(lambda z: z, lambda z: np.exp(z) - 1),
    "gelu": lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z * _logistic(z),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "abs": _branches(lambda z: z, lambda z: -z),
    "sign": _branches(lambda z: 0 * z + 1, lambda z: 0 * z - 1),
}
"""The functions as they are in the books, in forms that hold for numbers just off the real line."""


@cache
def _prime_form(function: A.ElementwiseFunction) -> Callable[[Any], Any]:
    u = Symbol("u", real=True)
    return sympy.lambdify(u, function(u), "numpy")


class Instance:
    """A domain of complex NumPy numbers: a random value for every leaf, the same each time it is asked for."""

    def __init__(self, seed: int = 0, **sizes: int) -> None:
        self.rng = np.random.default_rng(seed)
        drawn = {name: int(self.rng.integers(2, 5)) for name in "nmq"}
        steps = {"T": int(self.rng.integers(3, 6)), "t": int(self.rng.integers(2, 4))}
        self.integers = {**drawn, **steps, **sizes}
        self.values: dict[str, Any] = {}
        self.moved: dict[Any, Any] = {}

    @property
    def substitution(self) -> dict[Any, Any]:
        """Sizes and steps as what ``xreplace`` takes."""
        return {
            **{A.size(name): sympy.Integer(self.integers[name]) for name in "nmqT"},
            t: sympy.Integer(self.integers["t"]),
        }

    def array(self, name: str, shape: tuple[int, ...]) -> Any:
        if name not in self.values:
            magnitude = self.rng.uniform(0.3, 1.7, shape)
            self.values[name] = magnitude if name.startswith("p") else magnitude * self.rng.choice([-1, 1], shape)
        return self.values[name]

    def shape(self, expr: Any) -> tuple[int, ...]:
        sizes = tuple(self.size(k) for k in shape_of(expr))
        return sizes[:1] if is_vector(expr) else sizes

    def leaf(self, leaf: Any) -> Any:
        if leaf in self.moved:
            return self.moved[leaf]
        if isinstance(leaf, Symbol) and leaf.name in self.integers:
            return self.integers[leaf.name]
        name, when = name_and_step(leaf)
        if when is None:
            value = self.array(name, self.shape(leaf))
        else:
            value = self.array(name, (self.integers["T"] + 3, *self.shape(leaf)))[self.size(when)]
        return value if isinstance(value, np.ndarray) and value.ndim else float(value)

    def moving(self, leaf: Any, direction: Any) -> Instance:
        """Return this instance with the leaf moved by a tiny imaginary step."""
        twin = Instance.__new__(Instance)
        twin.__dict__ = {**self.__dict__, "moved": {leaf: self.leaf(leaf) + 1e-30j * direction}}
        return twin

    def direction(self, expr: Any) -> Any:
        shape = self.shape(expr)
        return self.rng.uniform(-1, 1, shape) if shape else float(self.rng.uniform(-1, 1))

    def number(self, value: Any) -> float:
        return float(value.xreplace(self.substitution))

    def literal(self, literal: A.Literal) -> float:
        return float(literal.value)

    def size(self, value: Any) -> int:
        return int(value.xreplace(self.substitution))

    def apply(self, function: A.ElementwiseFunction, value: Any) -> Any:
        form = FORMS[function.name] if function == known(function.name) else _prime_form(function)
        return form(np.asarray(value)) + np.zeros_like(value)

    def largest(self, values: list[Any]) -> Any:
        return max(values, key=np.real)


def known(name: str) -> A.ElementwiseFunction | None:
    return A.FUNCTIONS[name].function if name in A.FUNCTIONS else None


def name_and_step(leaf: Any) -> tuple[str, Any]:
    """Return the name that a leaf has in NumPy code, and its time index."""
    if isinstance(leaf, A.Tangent | A.ScalarTangent):
        return tangent_name(leaf).partition("[")[0], name_and_step(leaf.of)[1]
    if isinstance(leaf, A.Gradient | A.Jacobian | A.ScalarDerivative):
        steps = [part.when for part in (leaf.of, leaf.by) if isinstance(part, A.MatrixAt | A.ScalarAt)]
        return derivative_name(leaf).partition("[")[0], (steps[-1] if steps else None)
    return leaf.name, getattr(leaf, "when", None)


def value_of(expr: Any, instance: Instance) -> Any:
    return A.evaluate(expr, instance)


def slope(expr: Any, leaf: Any, direction: Any, instance: Instance) -> Any:
    """Return the derivative of the expression along a direction of one leaf, by complex step."""
    return np.imag(value_of(expr, instance.moving(leaf, direction))) / 1e-30


def leaves_of(expr: Any) -> list[Any]:
    """Return the leaves in an expression that can move, in order of writing."""
    found: list[Any] = []

    def walk(part: Any) -> None:
        if isinstance(part, LEAVES) or (isinstance(part, Symbol) and part.is_integer is not True):
            found.append(part)
        elif not isinstance(part, A.ElementwiseFunction):
            for argument in part.args:
                walk(argument)

    walk(expr)
    return list(dict.fromkeys(found))
