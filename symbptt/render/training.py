"""What a training run prints, in the language of the user."""

from __future__ import annotations

from .phrases import catalogue


def pass_line(lang: str, number: int, loss: float) -> str:
    """Return the line about one pass over the text.

    >>> pass_line("en", 20, 1.5034)
    'pass 20: mean cross-entropy of a character 1.503'
    """
    return catalogue(lang)["train.pass"].format(number=number, loss=f"{loss:.3f}")


def sample_line(lang: str) -> str:
    """Return the line before what the network writes.

    >>> sample_line("en")
    'The network writes:'
    """
    return catalogue(lang)["train.sample"]
