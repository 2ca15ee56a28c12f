"""Numeric instances, and the value of every expression and derivative at them, by a route of their own."""

from .claims import Claim, Verdict, check_equality, instances
from .forward import Injection, NoSuchStepError, Trace
from .instance import Instance

__all__ = ["Claim", "Injection", "Instance", "NoSuchStepError", "Trace", "Verdict", "check_equality", "instances"]
