"""Truncations of backpropagation through time, as frozen data: windows, segments, random truncation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy
from sympy import Expr

from ..errors import SizeError, UnknownNameError, ValueInputError, nearest

KINDS = ("window", "segments", "randomised")


@dataclass(frozen=True)
class _OfLength:
    """A truncation with one number of steps, ``tau``."""

    tau: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", _length(type(self).__name__, self.tau))

    def __str__(self) -> str:
        return f"{type(self).__name__.lower()}:{self.tau}"

    @property
    def mode(self) -> str:
        """The mode of a derivative symbol that is truncated in this way."""
        return str(self)


@dataclass(frozen=True)
class Window(_OfLength):
    """Every loss l_s reaches back over ``tau`` steps: the equations of the steps s - tau + 1, ..., s.

    Parameters
    ----------
    tau : int
        From 1 (no step back) to T (exact).

    Raises
    ------
    SizeError
        For anything but a positive integer.

    Examples
    --------
    >>> str(Window(3)), Window(3).reaches(5, 3), Window(3).reaches(5, 2)
    ('window:3', True, False)
    """

    def reaches(self, loss: int, use: int) -> bool:
        """Whether the loss of a step reaches the equations of another; steps are counted as they are computed."""
        return 0 <= loss - use < self.tau


@dataclass(frozen=True)
class Segments(_OfLength):
    """The state is detached every ``tau`` steps: no gradient passes from one segment of ``tau`` steps to another.

    Parameters
    ----------
    tau : int
        From 1 to T (exact). The initial state is not detached.

    Raises
    ------
    SizeError
        For anything but a positive integer.

    Examples
    --------
    >>> str(Segments(4)), Segments(4).reaches(8, 5), Segments(4).reaches(5, 4)
    ('segments:4', True, False)
    """

    def reaches(self, loss: int, use: int) -> bool:
        """Whether both steps are in one segment, the use not after the loss; steps are counted as computed."""
        return use <= loss and (loss - 1) // self.tau == (use - 1) // self.tau


@dataclass(frozen=True)
class Randomised:
    """The gradient goes on from step t to the step before it with probability p, and is then divided by p.

    Parameters
    ----------
    p : number, str, sympy.Symbol or sequence of them
        Above 0, up to 1 (exact). A sequence has one probability for each of the steps 2, ..., T in the order of
        computation: the first is that of going on from the second step to the first. The initial state is not cut
        off. A symbol is for derivations only.
    shared : bool
        Whether all losses share one mask for each step (the sequence is then cut into segments at random places),
        or each loss has its own.

    Raises
    ------
    ValueInputError
        For a probability outside (0, 1].

    References
    ----------
    Tallec and Ollivier, "Unbiasing truncated backpropagation through time", arXiv:1705.08209, 2017.

    Examples
    --------
    >>> str(Randomised(0.9)), str(Randomised(["1/2", 0.25], shared=False))
    ('randomised:0.9', 'randomised:0.5,0.25:independent')
    """

    p: Any
    shared: bool = True

    def __post_init__(self) -> None:
        several = not isinstance(self.p, str) and isinstance(self.p, Iterable)
        if several and not list(self.p):
            raise ValueInputError("Randomised: p is an empty sequence; give one probability for each step from 2 on")
        object.__setattr__(self, "p", tuple(map(_probability, self.p)) if several else _probability(self.p))
        if not isinstance(self.shared, bool):
            raise ValueInputError(f"Randomised: shared must be True or False, not {self.shared!r}")

    def __str__(self) -> str:
        return f"randomised:{','.join(map(written, self.probabilities))}" + ("" if self.shared else ":independent")

    @property
    def mode(self) -> str:
        """The mode of a derivative symbol that is truncated in this way."""
        return f"randomised:{'shared' if self.shared else 'independent'}"

    @property
    def varies(self) -> bool:
        """Whether each step has a probability of its own."""
        return isinstance(self.p, tuple)

    @property
    def probabilities(self) -> tuple[Expr, ...]:
        """The probabilities: one for all steps, or one for each from the second on."""
        return self.p if isinstance(self.p, tuple) else (self.p,)

    @property
    def is_numeric(self) -> bool:
        """Whether all probabilities are numbers."""
        return all(p.is_number for p in self.probabilities)

    def probability(self, position: int) -> Expr:
        """Return the probability of going on from a step, counted as computed, to the one before it."""
        return self.p[position - 2] if isinstance(self.p, tuple) else self.p


Truncation: TypeAlias = Window | Segments | Randomised


def truncation(given: Any) -> Truncation:
    """Return the truncation that is meant: an integer is a window, a string is as on the command line.

    Raises
    ------
    UnknownNameError, SizeError, ValueInputError

    Examples
    --------
    >>> truncation(3), truncation("segments:4"), truncation("randomised:0.9:independent")
    (Window(tau=3), Segments(tau=4), Randomised(p=9/10, shared=False))
    """
    if isinstance(given, Window | Segments | Randomised):
        return given
    if isinstance(given, str):
        return _read(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return Window(given)
    raise ValueInputError(f"truncate={given!r}: give Window(tau), Segments(tau), Randomised(p) or an integer")


def truncations(given: Any) -> tuple[Truncation, ...]:
    """Return one or several truncations, each once; of None, none.

    >>> truncations([3, "segments:3", 3])
    (Window(tau=3), Segments(tau=3))
    """
    if given is None:
        return ()
    several = given if isinstance(given, list | tuple) else (given,)
    return tuple(dict.fromkeys(map(truncation, several)))


def check_steps(given: Truncation, steps: Expr) -> None:
    """Raise where a truncation does not fit the number of steps.

    Raises
    ------
    SizeError
        Where tau is beyond T, or there are not as many probabilities as steps from the second on.
    """
    if not isinstance(given, Randomised):
        if steps.is_Integer and given.tau > steps:
            raise SizeError(f"truncate={given}: tau must be from 1 to T = {steps}; tau = T is the exact gradient")
    elif given.varies and (not steps.is_Integer or len(given.p) != steps - 1):
        needed = f"{steps - 1}" if steps.is_Integer else "T - 1, for a number T"
        raise SizeError(
            f"truncate={given}: {len(given.p)} probabilities are given, one for each step from 2 on; needed: {needed}"
        )


def written(p: Expr) -> str:
    """Return a probability as people write it: a decimal where that is exact and short.

    >>> written(sympy.Rational(9, 10)), written(sympy.Rational(2, 3))
    ('0.9', '2/3')
    """
    if not p.is_Rational or p.is_Integer:
        return str(p)
    places = next((k for k in range(1, 7) if (p * 10**k).is_Integer), None)
    return str(p) if places is None else f"{float(p):.{places}f}"


def _length(name: str, tau: Any) -> int:
    whole = not isinstance(tau, bool) and isinstance(tau, int | sympy.Integer)
    if not whole or tau < 1:
        raise SizeError(f"{name}({tau}): tau must be a positive integer; 1 means no step back, T is exact")
    return int(tau)


def _probability(given: Any) -> Expr:
    wrong = ValueInputError(
        f"probability {given}: it must be above 0 and at most 1; the gradient is divided by it, and 1 is exact"
    )
    if isinstance(given, str) and given.strip().isidentifier() and given.strip() not in ("nan", "inf", "oo", "zoo"):
        return sympy.Symbol(given.strip(), positive=True)
    try:
        value = sympy.Rational(str(given)) if isinstance(given, str | float) else sympy.sympify(given, strict=True)
    except (TypeError, ValueError, sympy.SympifyError):
        raise wrong from None
    if isinstance(value, sympy.Symbol):
        return value
    value = sympy.nsimplify(value, rational=True) if value.is_Float else value
    if isinstance(given, bool) or not value.is_Rational or not 0 < value <= 1:
        raise wrong
    return value


def _read(text: str) -> Truncation:
    kind, *rest = (part.strip() for part in text.split(":"))
    if kind.lstrip("-").isdecimal() and not rest:
        return Window(int(kind))
    if kind not in KINDS:
        raise UnknownNameError(f"unknown truncation {kind!r}{nearest(kind, KINDS)}")
    if kind != "randomised":
        if len(rest) != 1 or not rest[0].lstrip("-").isdecimal():
            raise SizeError(f"truncation {text!r}: write {kind}:TAU with a positive integer, such as {kind}:3")
        return (Window if kind == "window" else Segments)(int(rest[0]))
    if not rest or rest[1:] not in ([], ["shared"], ["independent"]):
        raise ValueInputError(f"truncation {text!r}: write randomised:P or randomised:P:independent, as randomised:0.9")
    values = [part.strip() for part in rest[0].split(",")]
    return Randomised(values[0] if len(values) == 1 else values, rest[1:] != ["independent"])
