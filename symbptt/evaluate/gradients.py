"""One gradient, in any form, put to the test."""

from __future__ import annotations

from typing import Any

from ..derive.forms import gradient, gradient_symbol
from ..derive.generic import generic
from ..derive.sections import before_last, every_step
from ..model import Network
from .claims import Verdict, check_equality, instances


def check_gradient(network: Network, wrt: str, at: Any = None, form: str = "recursive", seed: int = 0) -> Verdict:
    """Compare a gradient with its value at random instances, at every step where it is claimed.

    Parameters
    ----------
    network, wrt, at, form
        As for :func:`symbptt.derive.forms.gradient`.
    seed : int

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from symbptt import RNN
    >>> bool(check_gradient(RNN("tanh").network, "h")), bool(check_gradient(RNN("tanh").network, "W_h", form="closed"))
    (True, True)
    """
    system, right = network.system, gradient(network, wrt, at, form)
    left = gradient_symbol(network, wrt, at)
    if at is not None or wrt not in system.variables:
        return check_equality(instances(network, seed), left, right)
    recursive = form == "recursive" and wrt in generic(network).adjoints and generic(network).ends_apart(wrt)
    steps = before_last(system, wrt) if recursive else every_step(system)
    return check_equality(instances(network, seed), left, right, {system.t: steps})
