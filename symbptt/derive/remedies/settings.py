"""What the sections on remedies need beside the model: a threshold, a learning rate, and what to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import ValueInputError
from ...model import Network


@dataclass(frozen=True)
class Remedies:
    """The settings of the remedies.

    Parameters
    ----------
    clip : float, optional
        Threshold of gradient clipping.
    rate : float
        Learning rate of the step that is made with and without clipping.
    seed : int
        Of the weights that are drawn anew for each scheme of initialisation.
    before : tuple of (Network, values), optional
        The network without the remedy, and its numbers as pairs of key and value.

    Raises
    ------
    ValueInputError
        For a threshold or a rate that is not greater than 0.

    Examples
    --------
    >>> Remedies(clip=-1.0)
    Traceback (most recent call last):
        ...
    symbptt.errors.ValueInputError: clip must be greater than 0, not -1.0
    """

    clip: float | None = None
    rate: float = 0.1
    seed: int = 0
    before: tuple[Network, tuple[tuple[str, Any], ...]] | None = None

    def __post_init__(self) -> None:
        for name in ("clip", "rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueInputError(f"{name} must be greater than 0, not {value!r}")
