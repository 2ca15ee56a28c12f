"""What comes of checking gradients; data, no prose."""

from __future__ import annotations

from dataclasses import dataclass

RIGHT, WRONG, UNDECIDED = "right", "wrong", "undecided"
VERDICTS = (RIGHT, WRONG, UNDECIDED)
"""What may be said of a gradient; undecided where the loss has no derivative at any entry that was looked
at, or where rounding would hide a mistake."""

CAUSES = (
    "missing",  # there is none, or it is zero
    "transposed",
    "sign",
    "double",
    "half",
    "factor",  # too large by a factor that is the same for all entries
    "sum",  # too large by a whole number, as a sum over a batch or over time is in the place of a mean
    "mean",  # too small by a whole number
    "shape",  # it has another shape than its parameter
)
"""What goes wrong with a whole gradient."""


@dataclass(frozen=True)
class Comparison:
    """One gradient, compared with differences.

    Attributes
    ----------
    name : str
        Of the parameter; empty where there is only one and it has no name.
    shape : tuple of int
    verdict : str
        One of :data:`VERDICTS`.
    compared, wrong, kinks : int
        How many entries were compared, how many of them are wrong, and how many more were looked at where the loss
        has no derivative: the differences to the left and to the right disagree.
    error : float
        The largest difference, in units of what rounding explains: ``|given - numeric| / expected``.
    expected : float
        The error that rounding explains, at that entry.
    entry : tuple of int, or None
        Where the largest error is; None where only the derivative along a random direction shows it.
    given, numeric : float or None
        The two values there.
    causes : tuple of str
        What may have gone wrong, words of :data:`CAUSES`; together they explain every entry.
    factor : float or None
        Of the causes that have one: by how much the given gradient is too large.
    found : tuple of int, or None
        The shape of the gradient where it is not that of the parameter.
    """

    name: str
    shape: tuple[int, ...]
    verdict: str
    compared: int = 0
    wrong: int = 0
    kinks: int = 0
    error: float = 0.0
    expected: float = 0.0
    entry: tuple[int, ...] | None = None
    given: float | None = None
    numeric: float | None = None
    causes: tuple[str, ...] = ()
    factor: float | None = None
    found: tuple[int, ...] | None = None

    @property
    def difference(self) -> float | None:
        """The largest error in absolute terms; None where nothing was compared."""
        return None if self.given is None or self.numeric is None else abs(self.given - self.numeric)


@dataclass(frozen=True)
class Checked:
    """All gradients of a function.

    Attributes
    ----------
    parameters : tuple of Comparison
    loss : float
    tolerance : float
        In units of the expected rounding error; what is beyond it is wrong.
    seed : int
    """

    parameters: tuple[Comparison, ...]
    loss: float
    tolerance: float
    seed: int = 0

    @property
    def ok(self) -> bool:
        """Whether no gradient is wrong, and something was compared at all.

        >>> Checked((Comparison("W", (2,), "right", compared=2),), 1.0, 100.0).ok, Checked((), 1.0, 100.0).ok
        (True, False)
        """
        verdicts = [one.verdict for one in self.parameters]
        return WRONG not in verdicts and RIGHT in verdicts
