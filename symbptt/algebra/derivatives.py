"""Derivatives of an expression, with the differentiation rules of all kinds of nodes: one table, node by node."""

from . import rules_arithmetic, rules_arrays, rules_rows, vectorised  # noqa: F401 - they register their rules
from .rules import JACOBIAN, VJP, NoJacobianError, depends, jacobian, pullback

__all__ = ["JACOBIAN", "VJP", "NoJacobianError", "depends", "jacobian", "pullback"]
