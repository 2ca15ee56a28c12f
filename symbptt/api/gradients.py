"""Gradients of any function, checked: the result with a voice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..checking.check import ENTRIES, TOLERANCE
from ..checking.check import check_gradients as compare
from ..checking.result import Checked, Comparison


class GradientReport:
    """What was found about the gradients of a function: true if none is wrong.

    Attributes
    ----------
    data : symbptt.checking.result.Checked
    lang : str
    """

    def __init__(self, data: Checked, lang: str = "en") -> None:
        self.data, self.lang = data, lang

    @property
    def parameters(self) -> dict[str, Comparison]:
        """What was found about each gradient, by the name of its parameter."""
        return {one.name: one for one in self.data.parameters}

    @property
    def loss(self) -> float:
        """The loss at the given parameters."""
        return self.data.loss

    @property
    def ok(self) -> bool:
        """Whether no gradient is wrong, and at least one was shown to be right."""
        return self.data.ok

    def __bool__(self) -> bool:
        return self.ok

    def to_text(self) -> str:
        """Return what was found as plain text."""
        from ..render.gradients import gradients_text

        return gradients_text(self.data.parameters, self.lang)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_markdown_(self) -> str:
        from ..render.gradients import gradients_markdown

        return gradients_markdown(self.data.parameters, self.lang)


def check_gradients(
    f: Callable[[Any], Any],
    params: Mapping[str, Any] | Sequence[Any] | Any,
    grads: Any = None,
    *,
    wrt: Iterable[str] | None = None,
    eps: float | None = None,
    tolerance: float = TOLERANCE,
    entries: int = ENTRIES,
    seed: int = 0,
    dtype: Any = None,
    lang: str = "en",
) -> GradientReport:
    """Compare the gradients that somebody wrote with differences of the loss.

    For any function of arrays: it is only called. Each entry is taken by central differences at three steps that are
    extrapolated; of parameters with many entries some are drawn, and random directions cover the rest. Where the
    differences to the left and to the right do not agree, as at 0 under a relu, there is no derivative; such entries
    are counted as kinks and are not wrong.

    Parameters
    ----------
    f : callable
        Of the parameters, in the form of ``params``. Returns the loss and its gradients, or the loss alone.
        It is handed copies, so that it may change them.
    params : mapping of arrays, list of arrays, or array
        Floats; they are not changed.
    grads : callable, mapping, list or array, optional
        The gradients, or a function of the parameters that returns them; where ``f`` returns the loss alone.
    wrt : names, optional
        Parameters to look at, all by default.
    eps : float, optional
        The first step, relative to an entry's size where that is above 1. By default it follows from how exact the
        loss is, which is measured.
    tolerance : float
        What counts as wrong, in units of the error that rounding explains: that of the differences, and one rounding
        of the largest entry in the type of the gradient.
    entries : int
        So many entries of a parameter are looked at one by one.
    seed : int
        Of what is drawn.
    dtype : type, optional
        Of the arrays that differences are taken with, ``float64`` by default: the best for functions that follow the
        type of their arguments. Give the function's own type where it accepts no other.
    lang : str
        Of the result.

    Returns
    -------
    GradientReport
        Prints itself: for each parameter the largest error and where it is, both values, and the usual mistake that
        explains all of it (transposed, sign, a factor, sum for mean, missing), if one does.

    Raises
    ------
    ShapeError
        Where a gradient has not the shape of its parameter, or the loss is no single number.
    UnknownNameError
        For a gradient by something that is no parameter, or a language that there is not.
    ValueInputError
        For what is no finite float, and where the loss is not the same at the same parameters.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.array([1.0, -2.0]), np.array([0.5, 1.0])
    >>> def f(params):
    ...     error = np.tanh(params["W"] @ x) - y
    ...     return 0.5 * error @ error, {"W": np.outer(error, x)}  # tanh' is missing
    >>> report = check_gradients(f, {"W": np.array([[0.5, 1.0], [0.3, -0.2]])})
    >>> report.ok, report.parameters["W"].wrong
    (False, 4)
    >>> check_gradients(lambda w: (w @ w, w), x)  # doctest: +ELLIPSIS
    1 of 1 gradients wrong
      the gradient (2,): wrong; 2 of 2 entries differ; most at [1]: -2.0 in place of -4.0 (... times what rounding
        explains); likely cause: it is half the right one
    """
    from ..render.phrases import check_language

    check_language(lang)
    found = compare(
        f, params, grads, wrt=wrt, eps=eps, tolerance=tolerance, entries=entries, seed=seed, dtype=dtype
    )  # fmt: skip
    return GradientReport(found, lang)
