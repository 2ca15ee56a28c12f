"""Vector-Jacobian products: cotangents of outputs and of the last states in place of a loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import UnknownNameError, ValueInputError, nearest
from ..model import Loss, Network, System
from .calls import Call, states_given
from .checks import Array, show

if TYPE_CHECKING:
    from .bptt import Bptt

OUTPUT = Loss("inner(target[t], {y})", "output")
"""The loss whose gradient by the output is the target: with a cotangent as target, its gradients are the products."""


def paired(network: Network) -> Network:
    """Return the network whose loss is the inner product of the outputs with their cotangents, summed over t."""
    heads = tuple(replace(head, loss=OUTPUT) for head in network.heads)
    plain = replace(network, reduction="sum", mask=False, loss_steps=(), heads=heads)
    return plain if heads else replace(plain, loss=OUTPUT)


def read_cotangents(
    bptt: Bptt,
    params: Mapping[str, Any],
    x: Any,
    dy: Any,
    last: Mapping[str, Any],
    starts: tuple[Any, Any, Mapping[str, Any] | None],
    steps: int | None,
) -> tuple[Call, dict[str, Array], dict[str, Array]]:
    """Check what is given for a vector-Jacobian product.

    Parameters
    ----------
    bptt : Bptt
        Of the network of :func:`paired`, compiled with cotangents of the last states.
    params, x, steps
        As for a call.
    dy : array, mapping or None
        Cotangents of the outputs, zero where there are none.
    last : mapping
        State -> cotangent of its last value.
    starts : tuple
        ``h0``, ``c0`` and ``initial``.

    Returns
    -------
    call : Call
        With dy in the place of a target.
    given : dict
        The parameters.
    last : dict
        State -> cotangent of its last value.

    Raises
    ------
    ValueInputError, UnknownNameError
        For names and shapes that do not fit the model.
    """
    reader, system = bptt._reader, bptt._system
    target = reader.zero_target(params, x, steps) if dy is None else dy
    call, given = reader.read(params, x, target, *starts, steps, None)
    found = {}
    for state, value in last.items():
        if state not in system.states:
            raise UnknownNameError(f"d{state}_T: the model has no state {state!r}{nearest(state, system.states)}")
        label, shape = f"d{state}_T", bptt._plan.shape(state)
        array = reader.intake.numbers(label, value)
        rest = array.shape[array.ndim - len(shape) :] if array.ndim >= len(shape) else None
        lead = array.shape[: array.ndim - len(shape)]
        if rest is None or lead not in ((), (call.lead.batch,)):
            wanted = call.sizes.show(shape) + (
                f" or {call.sizes.show((call.lead.batch, *shape))}" if call.lead.batched else ""
            )
            raise ValueInputError(f"{label} has shape {show(array.shape)}; expected {wanted}")
        call.sizes.check(label, rest, shape)
        found[state] = array
    return call, given, found


def last_given(dh: Any, dc: Any, final: Mapping[str, Any] | None, states: tuple[str, ...]) -> dict[str, Any]:
    """Return the cotangents of the last states by state."""
    return states_given(states, dh, dc, final, "d{}_T", "final")


def pairings(last: Mapping[str, Any], states: Mapping[str, Any], system: System) -> Iterator[Any]:
    """Yield the inner products of the last states with their cotangents; of a backward cell the last is at t = 1."""
    for state, cotangent in last.items():
        yield (cotangent * states[state][-1 if system.direction_of(state) == 1 else 0]).sum()
