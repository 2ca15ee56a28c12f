"""Losses and readouts, as equations: {y} stands for what is compared, {target} for the target at t."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import EquationError, UnknownNameError, nearest
from . import from_latex
from .language import parse_expression

TARGETS = ("real", "distribution", "unit", "none")
"""What targets may be."""


@dataclass(frozen=True)
class Loss:
    """The loss of one step, a scalar, in the equation language.

    Parameters
    ----------
    equation : str
        An expression in the output (``y[t]`` with a readout, else the cell's own, such as ``h[t]``), in
        ``target[t]``, and in ``size``, the number of components of the output.
    name : str
    readout : str or None
        The readout that the loss needs, if it fits only one.
    target : {"real", "distribution", "unit", "none"}
        What targets may be: any numbers, non-negative numbers that sum to 1 (or class indices), numbers
        from 0 to 1, or nothing (the loss has no target).

    Examples
    --------
    >>> Loss("norm2(y[t] - target[t]) / 2").name
    'custom'
    """

    equation: str
    name: str = "custom"
    readout: str | None = None
    target: str = "real"

    def __post_init__(self) -> None:
        if not isinstance(self.equation, str):
            raise EquationError(f"a loss is a string in the equation language, not {self.equation!r}")
        if self.target not in TARGETS:
            raise UnknownNameError(f"unknown kind of target {self.target!r}{nearest(str(self.target), TARGETS)}")
        parse_expression(self.text("y", "h"))
        if "target" not in self.equation:
            object.__setattr__(self, "target", "none")

    @classmethod
    def from_latex(
        cls,
        latex: str,
        prediction: str | None = None,
        target: str | None = None,
        cell: Any = None,
        functions: Mapping[str, Any] | None = None,
        targets: str = "real",
    ) -> Loss:
        r"""Return the loss of one step from LaTeX, an expression or an equation ``\ell_t = ...``.

        Parameters
        ----------
        latex : str
        prediction, target : str, optional
            What is compared, as it is written (``"y"``, r"\hat y"), where the formula leaves open which is which. It
            does not where one alone stands under a logarithm, where the loss is the same either way, and where a
            ``cell`` defines one of them.
        cell : Cell, optional
        functions : mapping
            As for :meth:`Cell.from_latex`.
        targets : {"real", "distribution", "unit", "none"}
            What targets may be.

        Raises
        ------
        EquationError
            With the place in the LaTeX; where something is ambiguous, with the readings.

        Examples
        --------
        >>> from symbptt import Loss
        >>> Loss.from_latex(r"\ell_t = \frac12 \|y_t - \hat y_t\|^2").equation
        '1/2 * norm2({y} - {target})'
        """
        found: Loss = from_latex.reader("loss")(latex, prediction, target, cell, functions, targets)
        return found

    def text(self, output: str, cell_output: str) -> str:
        """Return the equation with its placeholders filled in."""
        return self.equation.replace("{y}", f"{output}[t]").replace("{target}", "target[t]")


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("1/2 * norm2({y} - {target})", "half_squared_error"),
        Loss("norm2({y} - {target})", "squared_error"),
        Loss("1/size * norm2({y} - {target})", "mse"),
        Loss("-({target}.T @ log({y}))", "cross_entropy", readout="softmax", target="distribution"),
        Loss(
            "-sum({target} * log({y}) + (1 - {target}) * log(1 - {y}))",
            "binary_cross_entropy",
            readout="sigmoid",
            target="unit",
        ),
    )
}
"""Catalogue losses; each is data."""

READOUTS: dict[str, tuple[str, ...]] = {
    "linear": ("y[t] = W_y @ {h} + b_y",),
    "sigmoid": ("a[t] = W_y @ {h} + b_y", "y[t] = sigmoid(a[t])"),
    "softmax": ("a[t] = W_y @ {h} + b_y", "y[t] = softmax(a[t])"),
}
"""Readout name -> its equations; {h} stands for the cell's output."""

REDUCTIONS = ("sum", "mean", "last")
"""How the losses of the steps make one loss: L = sum l_t, L = (1/T) sum l_t, or L = l_T."""


def loss(given: Loss | str, readout: str | None) -> Loss:
    """Return the loss of that name, or the given one, after a check that it fits the readout."""
    if isinstance(given, Loss):
        found = given
    elif given in LOSSES:
        found = LOSSES[given]
    else:
        raise UnknownNameError(f"unknown loss {given!r}{nearest(str(given), LOSSES)}")
    if found.readout is not None and readout != found.readout:
        has = f"a {readout} readout" if readout else "no readout"
        raise EquationError(
            f"loss {found.name!r} needs readout={found.readout!r}, but the model has {has}; "
            f"set readout={found.readout!r} or take another loss, such as 'half_squared_error'"
        )
    return found


def check_readout(given: str | None) -> None:
    """Raise where the readout is not known."""
    if given is not None and given not in READOUTS:
        raise UnknownNameError(f"unknown readout {given!r}{nearest(str(given), READOUTS)}; or None")


def check_reduction(given: str) -> None:
    """Raise where the reduction is not known."""
    if given not in REDUCTIONS:
        raise UnknownNameError(f"unknown reduction {given!r}{nearest(str(given), REDUCTIONS)}")
