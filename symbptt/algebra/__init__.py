"""The language of symbptt: nodes that keep their order, their rules, and how they are written."""

from .base import Node, is_vector, rank_of, shape_of
from .build import (
    add,
    apply,
    concat,
    diag,
    divide,
    elementwise_product,
    entry_sum,
    expand_bound,
    expand_transpose,
    hadamard,
    inner,
    is_zero,
    matmul,
    max_entry,
    mean,
    negate,
    node,
    outer,
    part,
    power,
    product,
    show_shape,
    softmax,
    squared_norm,
    subtract,
    sympy_product,
    time_product,
    time_sum,
    trace,
    transpose,
    variance,
    zero_like,
    zero_matrix,
)
from .explicit import as_explicit
from .functions import FUNCTIONS, ElementwiseFunction, named
from .leaves import (
    IMMEDIATE,
    TOTAL,
    Fill,
    Gradient,
    Identity,
    Jacobian,
    Literal,
    LiteralMatrix,
    MatrixAt,
    MatrixParameter,
    Parameter,
    ScalarAt,
    ScalarDerivative,
    Variable,
    derivative,
    fill_like,
    index,
    scalar_parameter,
    size,
)
from .names import Names
from .present import present
from .rules import JACOBIAN, VJP, NoJacobianError, depends, jacobian, pullback
from .semantics import Domain, evaluate

__all__ = [name for name in dir() if not name.startswith("_")]
