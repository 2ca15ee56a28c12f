"""The symbolic sections of a derivation, one module each."""

from .closed_form import closed_section
from .common import before_last, every_step
from .local import local_section
from .model import equation_rule, model_section
from .parameters import parameter_section
from .passes import pass_fact, pass_rule
from .paths import dependency_section
from .recursion import recursion_section
from .unrolled import unrolled_section

__all__ = [
    "before_last",
    "closed_section",
    "dependency_section",
    "equation_rule",
    "every_step",
    "local_section",
    "model_section",
    "parameter_section",
    "pass_fact",
    "pass_rule",
    "recursion_section",
    "unrolled_section",
]
