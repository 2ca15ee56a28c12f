"""What comes of comparing gradients; data, no prose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...checking.result import RIGHT, UNDECIDED, WRONG

GRADIENT, ADJOINT, STATE = "gradient", "adjoint", "state"
KINDS = (STATE, ADJOINT, GRADIENT)
"""What is compared: variables of the forward pass, adjoints, gradients."""


@dataclass(frozen=True)
class Cause:
    """One mistake, by name, and what its words are filled with: texts, numbers and expressions.

    Attributes
    ----------
    name : str
    values : tuple of (str, object)
    """

    name: str
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Item:
    """One array, compared with the true one.

    Attributes
    ----------
    kind : {"gradient", "adjoint", "state"}
    key : str
        The canonical key: ``W_h``, ``x``, ``h0``, or a variable.
    name : str
        What it is called where it was given.
    shape : tuple of int
    symbols : tuple of str
        The same in symbols.
    dtype : str
        Of the rounding that is expected of it.
    verdict : {"right", "wrong", "undecided"}
        Undecided where the rounding of its type would hide every mistake.
    compared, wrong : int
        How many entries were compared, and how many of them are wrong.
    entry : tuple of int
        Where the error is largest; of what has a step for each t, at the first wrong one.
    step : int or None
        That t.
    given, true : float
        The two values there.
    error : float
        Their difference in units of ``expected``; infinite where the given value is not finite.
    expected : float
        The error that rounding explains, there.
    causes : tuple of Cause
        What together explains every entry; empty where nothing does, and where nothing is wrong.
    """

    kind: str
    key: str
    name: str
    shape: tuple[int, ...]
    symbols: tuple[str, ...]
    dtype: str
    verdict: str
    compared: int = 0
    wrong: int = 0
    entry: tuple[int, ...] = ()
    step: int | None = None
    given: float = 0.0
    true: float = 0.0
    error: float = 0.0
    expected: float = 0.0
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class First:
    """The first wrong variable or adjoint, in the order in which they are computed, and the equation that gives it.

    Attributes
    ----------
    item : Item
    left, right : node
        Of the equation at that step.
    """

    item: Item
    left: Any
    right: Any


@dataclass(frozen=True)
class Compared:
    """All arrays of a program.

    Attributes
    ----------
    items : tuple of Item
    first : First or None
        Where the given states and adjoints first go wrong.
    tolerance : float
        In units of the expected rounding error; what is beyond it is wrong.
    steps : int
    batch : int or None
    reduction : str or None
        Of the loss; None where cotangents were given in its place.
    """

    items: tuple[Item, ...]
    first: First | None
    tolerance: float
    steps: int
    batch: int | None
    reduction: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, and something was shown to be right."""
        verdicts = [item.verdict for item in self.items]
        return WRONG not in verdicts and RIGHT in verdicts

    @property
    def explanations(self) -> dict[tuple[Cause, ...], tuple[Item, ...]]:
        """Causes -> what they explain."""
        found: dict[tuple[Cause, ...], tuple[Item, ...]] = {}
        for item in self.items:
            if item.causes:
                found[item.causes] = (*found.get(item.causes, ()), item)
        return found

    @property
    def unexplained(self) -> tuple[Item, ...]:
        """What is wrong, and no mistake explains; nothing where the forward pass is wrong already."""
        if any(item.kind == STATE and item.verdict == WRONG for item in self.items):
            return ()
        return tuple(item for item in self.items if item.verdict == WRONG and not item.causes)


__all__ = ["ADJOINT", "GRADIENT", "KINDS", "RIGHT", "STATE", "UNDECIDED", "WRONG", "Cause", "Compared", "First", "Item"]
