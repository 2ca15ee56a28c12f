"""The symbolic sections of a derivation, one module each."""

from .closed_form import closed_section
from .common import before_last, every_step
from .cost import cost_section
from .hessian import hessian_section
from .influences import forward_section, influence_section
from .local import local_section
from .methods import methods_section
from .model import equation_rule, model_section
from .one_row import ONE_ROW, closed_rows, row_dependency, row_derivatives
from .parameters import parameter_section
from .passes import pass_fact, pass_rule
from .paths import dependency_section
from .recursion import recursion_section
from .unrolled import unrolled_section

__all__ = [
    "ONE_ROW",
    "before_last",
    "closed_rows",
    "closed_section",
    "cost_section",
    "dependency_section",
    "equation_rule",
    "every_step",
    "forward_section",
    "hessian_section",
    "influence_section",
    "local_section",
    "methods_section",
    "model_section",
    "parameter_section",
    "pass_fact",
    "pass_rule",
    "recursion_section",
    "row_dependency",
    "row_derivatives",
    "unrolled_section",
]
