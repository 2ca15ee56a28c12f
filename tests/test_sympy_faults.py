"""Why SymPy's own matrices, derivatives and printers do not serve here: each test asserts what would be right.

They are expected to fail. When a new SymPy passes one, that test turns red, and the code of ours that makes up for the
fault can be looked at again.
"""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from sympy import (
    Function,
    HadamardProduct,
    IndexedBase,
    Integer,
    Lambda,
    MatrixSymbol,
    OneMatrix,
    Product,
    Sum,
    Trace,
    latex,
    symbols,
    tanh,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

n, T = symbols("n T", integer=True, positive=True)
t, j = symbols("t j", integer=True)
z, a, w = symbols("z a w", real=True)
W = MatrixSymbol("W", n, n)
h, y, b = MatrixSymbol("h", n, 1), MatrixSymbol("y", n, 1), MatrixSymbol("b", n, 1)
state = IndexedBase("h", real=True)


def fault(reason: str, raises: type[BaseException] | tuple[type[BaseException], ...] = AssertionError) -> Any:
    return pytest.mark.xfail(strict=True, raises=raises, reason=reason)


def map_tanh(expr: Any) -> Any:
    return ElementwiseApplyFunction(Lambda(z, tanh(z)), expr)


def entries(expr: Any) -> Any:
    """The expression for n = 2, entry by entry."""
    small = expr.subs(n, 2).doit()
    return small.as_explicit() if hasattr(small, "as_explicit") else small


def entrywise_gradient(scalar: Any) -> Any:
    """The gradient of a scalar by W for n = 2, entry by entry: slow, and right."""
    explicit = entries(scalar)
    explicit = explicit[0, 0] if hasattr(explicit, "shape") else explicit
    small = MatrixSymbol("W", 2, 2)
    return sympy.ImmutableMatrix(2, 2, lambda i, k: explicit.diff(small[i, k]))


def assert_gradient(found: Any, scalar: Any) -> None:
    difference = entries(found) - entrywise_gradient(scalar)
    elements = sorted(difference.atoms(MatrixElement), key=str)
    numbers = {element: sympy.Float(1 + k / 7) for k, element in enumerate(elements)}
    assert max(abs(entry) for entry in difference.xreplace(numbers).doit()) < 1e-9


def test_the_gradients_that_these_tests_compare_with_are_right():
    assert_gradient(y * h.T, y.T * W * h)
    assert_gradient(2 * W, Trace(W.T * W))


# -- derivatives ---------------------------------------------------------------------------------------


@fault("an assertion inside SymPy fails on two nested elementwise functions")
def test_two_steps_of_tanh_have_a_gradient():
    loss = y.T * map_tanh(W * map_tanh(W * h))
    assert_gradient(loss.diff(W), loss)


@fault("the derivative of an entry of a product is 0")
def test_an_entry_of_two_steps_of_tanh_has_a_gradient():
    loss = (y.T * map_tanh(W * map_tanh(W * h)))[0, 0]
    assert_gradient(loss.diff(W), y.T * map_tanh(W * map_tanh(W * h)))


@fault("the Jacobian of two nested elementwise functions cannot be formed", raises=ValueError)
def test_two_steps_of_tanh_have_a_jacobian():
    assert map_tanh(W * map_tanh(W * h)).diff(h).shape == (n, n)


@fault("the derivative of a sum of traces is 0")
def test_a_sum_of_traces_has_a_gradient():
    loss = Trace(W.T * W) + Trace(W)
    assert_gradient(loss.diff(W), loss)


@fault("the derivative of an entry of a matrix product is 0")
def test_an_entry_of_a_product_has_a_gradient():
    loss = (y.T * (W * h))[0, 0]
    assert_gradient(loss.diff(W), y.T * W * h)


@fault("the derivative of a symbolic matrix power is that of an elementwise power")
def test_a_matrix_power_has_a_gradient():
    loss = y.T * W**T * h
    assert_gradient(loss.diff(W).subs(T, 2), loss.subs(T, 2))


@fault("the derivative of a vector by a matrix is an array expression of another kind, which is no matrix")
def test_the_derivative_of_a_vector_by_a_matrix_is_a_matrix():
    assert isinstance((W * h).diff(W), sympy.MatrixExpr)


@fault("the index of the sum captures the one of the variable")
def test_a_sum_over_time_differentiated_by_one_step_is_one_term():
    slope = Sum(state[t], (t, 1, T)).diff(state[t])
    assert slope.subs({T: 3, t: 2}).doit() == 1


@fault("a state that may depend on the one before is taken to be independent of it")
@pytest.mark.parametrize("name", [IndexedBase("h"), Function("h")], ids=["IndexedBase", "Function"])
def test_a_state_by_the_one_before_is_not_taken_to_be_zero(name):
    at = name.__getitem__ if isinstance(name, IndexedBase) else name
    assert at(t).diff(at(t - 1)) != 0


# -- matrices ------------------------------------------------------------------------------------------


@fault("a sum of matrices has no shape", raises=AttributeError)
def test_a_sum_of_matrices_has_a_shape():
    assert Sum(W, (t, 1, T)).shape == (n, n)


@fault("a sum of matrices counts as a noncommutative scalar", raises=NotImplementedError)
def test_a_matrix_times_a_sum_of_matrices_is_a_product():
    assert (W * Sum(h, (t, 1, T))).shape == (n, 1)


@fault("a function of a matrix is a scalar")
def test_a_function_of_a_vector_has_its_shape():
    assert getattr(tanh(h), "shape", None) == h.shape


@fault("a number and a matrix are not added", raises=TypeError)
def test_one_minus_a_vector_is_a_vector():
    assert (1 - h).shape == h.shape


@fault("the printed code is no Python", raises=SyntaxError)
def test_an_elementwise_function_becomes_numpy():
    import numpy as np

    function = sympy.lambdify([W, h], map_tanh(W * h), "numpy")
    assert function(np.eye(2), np.zeros((2, 1))).shape == (2, 1)


@fault("a product over an empty range follows Karr: it divides by what lies between")
def test_a_product_over_an_empty_range_is_one():
    assert Product(j, (j, 3, 1)).doit() == 1


@fault("a sum over an empty range follows Karr: it subtracts what lies between")
def test_a_sum_over_an_empty_range_is_zero():
    assert Sum(j, (j, 3, 1)).doit() == 0


@fault("a product expands with the oldest step on the left")
def test_a_product_of_jacobians_has_the_newest_on_the_left():
    J = Function("J", commutative=False)
    assert Product(J(j), (j, 1, 3)).doit() == J(3) * J(2) * J(1)


# -- what is printed -----------------------------------------------------------------------------------


@fault("a transpose and a power with a symbol named T look the same")
def test_a_transpose_and_a_power_print_differently():
    assert latex(W.T) != latex(W**T)


@fault("the Hadamard product is a small circle")
def test_the_hadamard_product_prints_as_in_the_field():
    assert r"\odot" in latex(HadamardProduct(h, y))


@fault("an elementwise function prints as a lambda")
def test_an_elementwise_function_prints_with_its_name():
    assert r"\mapsto" not in latex(map_tanh(h))


@fault("the derivative of a function of a product prints as a substitution")
def test_the_derivative_of_an_undefined_function_prints_as_a_prime():
    assert r"\substack" not in latex(Function("f")(w * a).diff(a))


@fault("an unknown function prints as an operatorname, which GitHub refuses")
def test_a_named_function_prints_without_operatorname():
    assert r"\operatorname" not in latex(Function("ReLU")(a))


@fault("a product of equal matrices becomes a power")
def test_a_product_of_equal_matrices_prints_as_written():
    assert str(W * W * W) == "W*W*W"


@fault("terms are sorted")
def test_a_sum_of_products_prints_as_written():
    assert str(b + W * h) == "b + W*h"


@fault("terms are sorted")
def test_an_output_gate_prints_as_written():
    W_x, x_t, W_h, h_t, b_o = symbols("W_x x_t W_h h_t b_o")
    assert str(W_x * x_t + W_h * h_t + b_o) == "W_x*x_t + W_h*h_t + b_o"


@fault("terms are sorted, the minus first")
def test_a_squared_difference_prints_as_written():
    y_3, h_3 = symbols("y h_3")
    assert str((y_3 - h_3) ** 2) == "(y - h_3)**2"


@fault("terms are sorted, the minus first")
def test_one_minus_a_square_prints_as_written():
    assert str(OneMatrix(n, 1) - HadamardProduct(h, h)) == "1 - h.*h"


@fault("factors and terms are sorted")
def test_an_lstm_state_prints_as_written():
    f, c, i, g = symbols("f c i g")
    assert str(f * c + i * g) == "f*c + i*g"


@fault("numbers are multiplied at once")
def test_a_substituted_product_stays():
    assert str(Integer(2) * Integer(2) + Integer(2) * Integer(1)) == "2*2 + 2*1"
