"""The direct path of a state from step to step, past gates or none, and what it does to the gradient."""

from __future__ import annotations

from ... import algebra as A
from ...model import Network
from ..generic import NEXT
from ..steps import EQUALITY, REMARK, Line, Step
from ..structure import direct_jacobian, flow
from .common import before_last, known_links


def flow_steps(network: Network) -> list[Step]:
    """Return, for each state that a step carries on directly, that part of its Jacobian and what follows from it."""
    system = network.system
    steps: list[Step] = []
    for state in system.states:
        kind = flow(system, state)
        if kind is None:
            continue
        facts = (("variable", system.at(state)), ("target", system.at(state, system.following_of(state))))
        if _has_other_paths(network, state):
            steps.append(_direct(network, state, facts))
        steps.append(Step(f"flow.{state}", f"flow.{kind}", REMARK, facts=facts))
    return steps


def _direct(network: Network, state: str, facts: tuple[tuple[str, object], ...]) -> Step:
    system = network.system
    symbol = A.derivative(system.at(state, system.following_of(state)), system.at(state), A.DIRECT)
    jacobian = direct_jacobian(system, state).xreplace({system.t: system.following_of(state)})
    return Step(
        f"flow.d{state}", "flow.direct", EQUALITY, symbol, (Line("=", jacobian),), facts, before_last(system, state)
    )


def _has_other_paths(network: Network, state: str) -> bool:
    """Whether a vector state also reaches itself at the next step otherwise, so that its Jacobian has more terms."""
    known = known_links(network) or ()
    jacobians = [link.jacobian for link in known if link.source == link.target == state and link.lag == NEXT]
    return A.is_vector(network.system.at(state)) and jacobians != [direct_jacobian(network.system, state)]
