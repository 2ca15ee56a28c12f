"""The section on the paths from a state to the loss, and the chain rule over them."""

from __future__ import annotations

from ...model import Network
from ..generic import generic
from ..steps import EQUALITY, Section, Step
from .common import before_last, chain_rule, ways


def dependency_section(network: Network) -> Section:
    """Return, for each state, the ways in which it reaches the loss, and the chain rule over them."""
    g, system = generic(network), network.system
    steps = []
    for name in reversed(system.states):
        found = ways(network, name)
        facts = (("variable", system.at(name)), ("ways", tuple(found)), ("count", len(found)))
        line = chain_rule(network, name)
        left = g.adjoint_of(name)
        where = before_last(system, name)
        steps.append(Step(f"dependency.{name}", "dependency.state", EQUALITY, left, (line,), facts, where))
    return Section("dependency", tuple(steps))
