"""Proofs by induction as steps of a derivation: base and step."""

from __future__ import annotations

from typing import Any

from sympy import Expr

from ...model import Network
from ..generic import generic
from ..induction import Proof, adjoint_proof, power_proof
from ..steps import EQUALITY, Step
from .common import before_last, chain


def proof_steps(
    key: str, topic: str, proof: Proof, where: tuple[Expr, Expr], facts: tuple[tuple[str, Any], ...], end: Any = None
) -> list[Step]:
    """Return the base and the step of a proof.

    Parameters
    ----------
    key : str
        Of the claim; the steps are ``key.base`` and ``key.step``.
    topic : str
        Phrase prefix: ``topic.base`` and ``topic.step``.
    proof : Proof
    where : (low, high)
        The steps for which the step of the proof is made.
    facts : tuple of (str, value)
    end : node, optional
        The value of the base in other words.
    """
    start = proof.left.xreplace({proof.index: proof.start})
    base = chain(start, *proof.base, *([] if end is None else [end]))
    known = (*facts, ("start", proof.start))
    return [
        Step(f"{key}.base", f"{topic}.base", EQUALITY, start, base, known),
        Step(f"{key}.step", f"{topic}.step", EQUALITY, proof.left, chain(proof.left, *proof.step), known, where),
    ]


def adjoint_proofs(network: Network) -> list[Step]:
    """Return the proof of the closed form of the adjoint, and the form in powers with its own, where there is one."""
    g, system = generic(network), network.system
    topic = "induction.last" if system.reduction == "last" else "induction.sum"
    facts = (("next", system.following), ("here", system.t))
    proof = adjoint_proof(network)
    end = g.fill_local(proof.base[-1])
    steps = proof_steps("closed.induction", topic, proof, before_last(system), facts, end)
    in_powers = power_proof(network)
    if in_powers is not None:
        claim = (("variable", system.at(system.states[0])),)
        steps.append(
            Step("closed.powers", "induction.powers", EQUALITY, in_powers.left,
                 chain(in_powers.left, in_powers.formula), claim, (system.first, system.steps))
        )  # fmt: skip
        steps += proof_steps("closed.powers", "induction.power", in_powers, before_last(system), facts)
    return steps
