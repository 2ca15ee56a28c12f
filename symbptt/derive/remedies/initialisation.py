"""Initialisation from a variance argument: the expected squared norm, carried through one step.

References
----------
Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010, section
4.2; He et al., "Delving deep into rectifiers", ICCV 2015, section 2.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Rational, S

from ... import algebra as A
from ...model import Network, System
from ...model.schemes import SCHEMES, initial_matrix
from ..numeric import Numbers
from ..stability.common import literal, recurrent
from ..stability.floats import Measured, measured
from ..steps import IDENTITY, REMARK, TABLE, Line, Phrase, Section, Step
from .comparison import ratio
from .settings import Remedies


def initialisation_section(network: Network, numbers: Numbers | None, settings: Remedies) -> Section:
    """Return the section: random matrices in general, then the model with its recurrent weights drawn anew."""
    steps = _general(network.system)
    if numbers is not None:
        steps += _numbers(measured(numbers), numbers, settings)
    return Section("initialisation", tuple(steps))


# -- any vectors, random matrices ---------------------------------------------------------------------


def _general(system: System) -> list[Step]:
    n, m = A.size("n"), A.size("m")
    W, Q = A.Parameter("W", n, m), A.Parameter("Q", n, n)
    a, delta, square = A.Parameter("u", m, 1), A.Parameter("delta", n, 1), A.Parameter("v", n, 1)
    sigma = A.scalar_parameter("sigma")
    variance = A.power(sigma, 2)
    free, laws = ("free", (W, a, delta, sigma)), ("laws", ((W, sigma),))
    facts = (("matrix", W), ("deviation", sigma), ("variance", variance), ("rows", n), ("columns", m))
    forward = A.squared_norm(A.matmul(W, a))
    backward = A.squared_norm(A.matmul(W.T, delta))
    passed = A.squared_norm(A.apply("relu", A.matmul(W, a)))
    middle = A.product(1 / n, A.squared_norm(A.matmul(W, a)))
    mean = A.product(1 / m, A.squared_norm(a))
    return [
        _step("forward", A.expectation(forward), [A.product(n, variance, A.squared_norm(a))],
              (*facts, ("vector", a), free, laws)),
        _step("backward", A.expectation(backward), [A.product(m, variance, A.squared_norm(delta))],
              (*facts, ("vector", delta), free, laws)),
        _step("mean", A.expectation(middle), [A.product(m, variance, mean)], (*facts, ("vector", a), free, laws)),
        Step("initialisation.xavier", "initialisation.xavier", REMARK,
             facts=(*facts, ("keeps", A.divide(S.One, m)), ("returns", A.divide(S.One, n)),
                    ("compromise", A.divide(S(2), n + m)))),
        _step("relu", A.expectation(passed), [A.product(Rational(1, 2), n, variance, A.squared_norm(a))],
              (*facts, ("keeps", A.divide(S(2), m)), free, laws)),
        _step("orthogonal", A.Norm(A.matmul(Q, square)), [A.Norm(square)],
              (("matrix", Q), ("free", (Q, square)), ("laws", ((Q, "orthogonal"),)))),
        Step("initialisation.once", "initialisation.once", REMARK, facts=facts),
    ]  # fmt: skip


def _step(name: str, left: Any, exprs: list[Any], facts: tuple[tuple[str, Any], ...]) -> Step:
    key = f"initialisation.{name}"
    return Step(key, key, IDENTITY, left, tuple(Line("=", expr) for expr in exprs), facts)


# -- the model, with its recurrent weights drawn anew -------------------------------------------------


def _numbers(run: Measured, numbers: Numbers, settings: Remedies) -> list[Step]:
    found = recurrent(run.network)
    if len(found) != 1:
        return []
    ((key, symbol),) = found.items()
    rounding = numbers.rounding
    rows = []
    for scheme, deviation in SCHEMES.items():
        size = int(A.shape_of(symbol)[0])
        matrix = initial_matrix(scheme, size, size, settings.seed)
        other = run.replaced({key: matrix})
        shown = [literal(v, rounding)[0] for v in (float(np.linalg.norm(matrix, 2)), ratio(other))]
        spread = literal(deviation(size, size), rounding)[0] if deviation else Phrase("initialisation.fixed")
        rows.append((Phrase(f"initialisation.scheme_{scheme}"), spread, *shown))
    columns = (
        Phrase("initialisation.column_scheme"), A.scalar_parameter("sigma"), A.SingularValue(symbol, 1),
        Phrase("initialisation.column_ratio", (("adjoint", _adjoint(run)),)),
    )  # fmt: skip
    facts = (("matrix", symbol), ("adjoint", _adjoint(run)), ("columns", columns), ("rows", tuple(rows)))
    recipe = ("recipe", ("schemes", key, settings.seed))
    return [Step("initialisation.table", "initialisation.table", TABLE, facts=(*facts, ("table", "remedies"), recipe))]


def _adjoint(run: Measured) -> Any:
    return run.generic.adjoint_of(run.system.states[0])
