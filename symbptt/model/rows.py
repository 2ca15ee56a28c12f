"""The row convention: the equations of a step for a batch of B examples, one in each row.

The equations of the column convention are translated once, node by node, so that all that is derived, evaluated and
printed works on them unchanged. A vector v_t of n entries becomes a matrix V_t (B, n), W v becomes V W with a W of
transposed shape, a bias b a row (1, n) that is added to every row, and a number of the step, such as a norm, a vector
of B numbers. The loss of a step is summed over the rows.

References
----------
Zhang, Lipton, Li and Smola, *Dive into Deep Learning*, section 9.4 (H_t = f(X_t W_xh + H_{t-1} W_hh + b_h)).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import sympy
from sympy import Basic, Expr, S

from .. import algebra as A
from ..algebra import nodes as N
from ..errors import EquationError, UnknownNameError, nearest

COLUMNS, ROWS, SAMPLE = "columns", "rows", "sample"
"""Vectors are columns; vectors are rows below each other; one row as a column, with the parameters of ``rows``."""
LAYOUTS = (COLUMNS, ROWS)
"""The layouts that can be asked for."""
BATCH_NAMES = ("B", "N", "S")
"""Names of the size of a batch, in order of preference."""


class Rows:
    """Translates the equations of one network.

    Parameters
    ----------
    variables, parameters : mapping
        Of the column convention.
    batch : sympy.Expr
        B.

    Raises
    ------
    EquationError
        Where a variable has no form with one row for each example.
    """

    def __init__(self, variables: Mapping[str, A.Variable], parameters: Mapping[str, Basic], batch: Expr) -> None:
        self.batch = batch
        self.variables = {name: self._variable(name, v) for name, v in variables.items()}
        self.parameters = {key: transposed(key, p, row=True) for key, p in parameters.items()}
        self.text = ""

    def _variable(self, name: str, variable: A.Variable) -> A.Variable:
        if variable.rank == 2:
            raise EquationError(
                f"layout='rows': {name!r} is a matrix at each step, so that a batch of it is no matrix with one row "
                "for each example; use layout='columns'"
            )
        if variable.rank == 0:
            return variable if name == "l" else A.Variable(name, self.batch, 1)
        size = variable.shape[0]
        return A.Variable(name, self.batch, size, *((2,) if size == 1 else ()))

    def left(self, left: Any) -> Any:
        """Return the left side of an equation."""
        return self.variables[left.name][left.when]

    def equation(self, right: Any, text: str, loss: bool) -> Any:
        """Return the right side of an equation, that of a loss summed over the batch."""
        self.text = text
        return self._total(right) if loss else self._of_samples(right)

    def _refuse(self, e: Any) -> EquationError:
        return EquationError(
            f"layout='rows': equation {self.text!r}: {e} has no form with one row for each example; "
            "use layout='columns'"
        )

    # -- what differs from example to example -----------------------------------------------------------
    def _of_samples(self, e: Any) -> Any:
        """Return (B, n) for a vector, (B,) for a number, what is the same for all examples in every row."""
        if not _varies(e):
            return self._spread(e)
        if isinstance(e, A.MatrixAt | A.ScalarAt):
            return self.variables[e.name][e.when]
        rule = _SAMPLES.get(type(e))
        if rule is None:
            raise self._refuse(e)
        return rule(self, e)

    def _spread(self, e: Any) -> Any:
        value = self._constant(e)
        if not A.shape_of(e):
            return A.Fill(value, self.batch, 1)
        return A.row_broadcast(value, self.batch)

    def _elementwise(self, e: Any) -> Any:
        return _MADE[type(e)](*(self._of_samples(a) for a in e.args))

    def _mapped(self, e: Any) -> Any:
        return A.apply(e.args[0], self._of_samples(e.args[1]))

    def _powered(self, e: Any) -> Any:
        return A.power(self._of_samples(e.args[0]), e.args[1])

    def _times(self, e: Any) -> Any:
        """Numbers of a step: those of the examples entry by entry, those of the parameters in front."""
        fixed = [self._constant(a) for a in e.args if not _varies(a)]
        return A.product(*fixed, A.hadamard(*(self._of_samples(a) for a in e.args if _varies(a))))

    def _quotient(self, e: Any) -> Any:
        a, b = e.args
        return A.divide(self._of_samples(a), self._of_samples(b) if _varies(b) else self._constant(b))

    def _scaled(self, e: Any) -> Any:
        """s v of a number of the step: every row times its number, V * (s 1^T), or divided by it."""
        s, v = e.args
        x = self._of_samples(v)
        if not _varies(s):
            return A.product(self._constant(s), x)
        if isinstance(s, N.Quotient) and s.args[0] == 1:
            return A.divide(x, _spread_out(self._of_samples(s.args[1]), x))
        return _row_scaled(self._of_samples(s), x)

    def _filled(self, e: Any) -> Any:
        """A number of the step in every entry: s 1^T."""
        return A.outer(self._of_samples(e.value), _ones(e.shape[0]))

    def _product(self, e: Any) -> Any:
        """W v becomes V W; diag(u) v becomes U * V."""
        *factors, last = e.args
        if A.rank_of(last) != 1:
            raise self._refuse(e)
        if isinstance(last, N.Concat) and factors and not _varies(factors[-1]):
            result, factors = self._joined(self._flipped(factors[-1]), last.args), factors[:-1]
        else:
            result = self._of_samples(last)
        for factor in reversed(factors):
            result = self._through(factor, result)
        return result

    def _through(self, factor: Any, x: Any) -> Any:
        if isinstance(factor, N.Diag):
            return A.hadamard(self._of_samples(factor.args[0]), x)
        if not _varies(factor):
            return A.matmul(x, self._flipped(factor))
        if isinstance(factor, N.Outer):
            u, v = map(self._of_samples, factor.args)
            return _row_scaled(_row_sums(A.hadamard(v, x)), u)
        raise self._refuse(factor)

    def _joined(self, matrix: Any, parts: tuple[Any, ...]) -> Any:
        """W [u; v] becomes U W_1 + V W_2 with the rows of W that belong to u and to v."""
        start, terms = S.Zero, []
        for part in parts:
            size = A.shape_of(part)[0]
            terms.append(A.matmul(self._of_samples(part), A.part(matrix, start, size)))
            start += size
        return A.add(*terms)

    def _inner(self, e: Any) -> Any:
        return _row_sums(A.hadamard(*map(self._of_samples, e.args)))

    def _summed(self, e: Any) -> Any:
        return _row_sums(self._of_samples(e.args[0]))

    def _norm(self, e: Any) -> Any:
        return _row_sums(A.power(self._of_samples(e.args[0]), 2))

    def _of_rows(self, e: Any) -> Any:
        made = A.row_mean if isinstance(e, N.Mean) else A.row_variance
        return made(self._of_samples(e.args[0]))

    # -- what is the same for all examples --------------------------------------------------------------
    def _constant(self, e: Any) -> Any:
        """Return a number or a row made of parameters and numbers alone."""
        if isinstance(e, A.Parameter):
            return self.parameters[e.name]
        if isinstance(e, A.Fill):
            return A.Fill(self._constant(e.value), *e.shape[::-1], *((2,) if e.shape[0] == 1 else ()))
        if isinstance(e, N.Map | N.Apply):
            return A.apply(e.args[0], self._constant(e.args[1]))
        if isinstance(e, N.SquaredNorm | N.EntrySum | N.Mean | N.Variance | N.MaxEntry) and A.rank_of(e.args[0]) == 2:
            return type(e)(self._flipped(e.args[0]))
        if isinstance(e, N.SquaredNorm):
            return A.squared_norm(self._constant(e.args[0]))
        if isinstance(e, N.MatrixProduct) and A.rank_of(e) == 1:
            return A.matmul(self._constant(e.args[-1]), *map(self._flipped, reversed(e.args[:-1])))
        if type(e) in _MADE:
            return _MADE[type(e)](*map(self._constant, e.args))
        if A.shape_of(e) or (isinstance(e, A.Node) and not isinstance(e, A.Literal)):
            raise self._refuse(e)
        return e

    def _flipped(self, e: Any) -> Any:
        """Return the transpose of a matrix of parameters, in the parameters of the row convention."""
        if isinstance(e, A.MatrixParameter):
            return self.parameters[e.name]
        if isinstance(e, N.Transposed) and A.rank_of(e.args[0]) == 2:
            return A.transpose(self._flipped(e.args[0]))
        if isinstance(e, N.MatrixProduct):
            return A.matmul(*(self._flipped(a) for a in reversed(e.args)))
        if isinstance(e, N.Map):
            return A.apply(e.args[0], self._flipped(e.args[1]))
        if isinstance(e, N.HadamardPower):
            return A.power(self._flipped(e.args[0]), e.args[1])
        if isinstance(e, N.Scale):
            return A.product(self._constant(e.args[0]), self._flipped(e.args[1]))
        if isinstance(e, N.MatrixPlus | N.MatrixNegative | N.Hadamard | N.HadamardQuotient):
            return _MADE[type(e)](*map(self._flipped, e.args))
        if isinstance(e, A.Fill):
            return A.Fill(self._constant(e.value), *e.shape[::-1], *((2,) if e.shape[0] == 1 else ()))
        if isinstance(e, A.Identity):
            return e
        raise self._refuse(e)

    # -- the loss ---------------------------------------------------------------------------------------
    def _total(self, e: Any) -> Any:
        """Return the sum of a number over the examples."""
        if not _varies(e):
            return A.product(self.batch, self._constant(e))
        rule = _TOTALS.get(type(e))
        return rule(self, e) if rule else A.entry_sum(self._of_samples(e))

    def _total_product(self, e: Any) -> Any:
        varying = [a for a in e.args if _varies(a)]
        if len(varying) > 1:
            return A.entry_sum(self._of_samples(e))
        return A.product(*(self._total(a) if _varies(a) else self._constant(a) for a in e.args))

    def _total_quotient(self, e: Any) -> Any:
        a, b = e.args
        return A.entry_sum(self._of_samples(e)) if _varies(b) else A.divide(self._total(a), self._constant(b))

    def _total_inner(self, e: Any) -> Any:
        return A.entry_sum(A.hadamard(*map(self._of_samples, e.args)))

    def _total_power(self, e: Any) -> Any:
        a, exponent = e.args
        return A.squared_norm(self._of_samples(a)) if exponent == 2 else A.entry_sum(self._of_samples(e))

    def _total_mean(self, e: Any) -> Any:
        return A.divide(A.entry_sum(self._of_samples(e.args[0])), A.shape_of(e.args[0])[0])


_MADE: dict[type, Callable[..., Any]] = {
    N.Plus: A.add,
    N.MatrixPlus: A.add,
    N.Negative: A.negate,
    N.MatrixNegative: A.negate,
    N.Times: A.product,
    N.Scale: A.product,
    N.Hadamard: A.hadamard,
    N.Quotient: A.divide,
    N.HadamardQuotient: A.divide,
    N.Power: A.power,
    N.HadamardPower: A.power,
}
"""Node -> the constructor function that makes the same of other arguments."""

_SAMPLES: dict[type, Callable[[Rows, Any], Any]] = {
    **dict.fromkeys(
        (N.Plus, N.MatrixPlus, N.Negative, N.MatrixNegative, N.Hadamard, N.HadamardQuotient), Rows._elementwise
    ),
    **dict.fromkeys((N.Map, N.Apply), Rows._mapped),
    **dict.fromkeys((N.Power, N.HadamardPower), Rows._powered),
    N.Times: Rows._times,
    N.Quotient: Rows._quotient,
    N.Scale: Rows._scaled,
    A.Fill: Rows._filled,
    N.MatrixProduct: Rows._product,
    N.Softmax: lambda rows, e: A.row_softmax(rows._of_samples(e.args[0])),
    N.Inner: Rows._inner,
    N.EntrySum: Rows._summed,
    N.SquaredNorm: Rows._norm,
    **dict.fromkeys((N.Mean, N.Variance), Rows._of_rows),
}
"""Node of the column convention -> what it becomes."""

_TOTALS: dict[type, Callable[[Rows, Any], Any]] = {
    N.Plus: lambda rows, e: A.add(*map(rows._total, e.args)),
    N.Negative: lambda rows, e: A.negate(rows._total(e.args[0])),
    N.Times: Rows._total_product,
    N.Quotient: Rows._total_quotient,
    N.SquaredNorm: lambda rows, e: A.squared_norm(rows._of_samples(e.args[0])),
    N.Power: Rows._total_power,
    N.EntrySum: lambda rows, e: A.entry_sum(rows._of_samples(e.args[0])),
    N.Inner: Rows._total_inner,
    N.Mean: Rows._total_mean,
}
"""Number of a step -> its sum over the examples."""


def _varies(e: Any) -> bool:
    """Whether something is not the same for all examples."""
    return any(isinstance(p, A.MatrixAt | A.ScalarAt) for p in sympy.preorder_traversal(e))


def _ones(size: Any) -> Any:
    return A.Fill(S.One, size, 1)


def _row_sums(x: Any) -> Any:
    return A.matmul(x, _ones(x.shape[1]))


def _row_scaled(s: Any, x: Any) -> Any:
    return A.hadamard(x, _spread_out(s, x))


def _spread_out(s: Any, x: Any) -> Any:
    """s 1^T: the number of every row in all its entries."""
    return A.outer(s, _ones(x.shape[1]))


def transposed(key: str, parameter: Any, row: bool = False) -> Any:
    """Return a parameter in the shape of the row convention; a vector as a row (1, n) where ``row`` says so."""
    if not A.shape_of(parameter):
        return parameter
    rows, columns = parameter.shape
    if A.rank_of(parameter) == 2:
        return A.MatrixParameter(key, columns, rows)
    return A.MatrixParameter(key, 1, rows) if row else parameter


# -- systems --------------------------------------------------------------------------------------------


def in_rows(system: Any, batch: Expr) -> Any:
    """Return the system with one row for each of B examples.

    Parameters
    ----------
    system : System
        Of the column convention.
    batch : sympy.Expr
        B.
    """
    rows = Rows(system.variables, system.parameters, batch)
    equations = tuple(
        replace(e, left=rows.left(e.left), right=rows.equation(e.right, e.text, loss=e.name == "l"))
        for e in system.equations
    )
    return replace(
        system, equations=equations, variables=rows.variables, parameters=rows.parameters, scalar=False, layout=ROWS
    )


def on_one_row(system: Any) -> Any:
    """Return the system of one row, as a column, with the parameters of the row convention: W v becomes W^T v."""
    parameters = {key: transposed(key, p) for key, p in system.parameters.items()}
    matrices = {p: parameters[key] for key, p in system.parameters.items() if A.rank_of(p) == 2}
    equations = tuple(replace(e, right=_with_transposes(e.right, matrices)) for e in system.equations)
    return replace(system, equations=equations, parameters=parameters)


def _with_transposes(expr: Any, matrices: Mapping[Basic, Basic]) -> Any:
    """Write W^T, of the row convention, for every W of the column convention."""
    if expr in matrices:
        return A.transpose(matrices[expr])
    if isinstance(expr, N.Transposed) and expr.args[0] in matrices:
        return matrices[expr.args[0]]
    if not expr.args or isinstance(expr, A.MatrixAt | A.ScalarAt | A.Parameter | A.ElementwiseFunction | A.Literal):
        return expr
    return expr.func(*(_with_transposes(a, matrices) for a in expr.args))


def check_layout(layout: str) -> str:
    """Return the layout, or raise where there is no such layout."""
    if layout not in LAYOUTS:
        raise UnknownNameError(f"unknown layout {layout!r}{nearest(str(layout), LAYOUTS)}; it is one of {LAYOUTS}")
    return layout


def batch_symbol(taken: set[str]) -> Expr:
    """Return the symbol of the size of a batch: B, or another letter where the model has a B."""
    return A.size(next((name for name in BATCH_NAMES if name not in taken), "B_"))
