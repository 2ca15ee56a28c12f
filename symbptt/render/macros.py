r"""Macros for the marks that authors disagree on, so that a fragment takes on the look of the paper it is put into.

The formulas are written in plain TeX first; then the marks are replaced. Words of users cannot be hit, because every
backslash in them is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import UnknownNameError, ValueInputError, nearest

MARKS: dict[str, tuple[str, str]] = {
    "transpose": ("T", r"\top"),
    "hadamard": ("had", r"\odot"),
    "divide": ("div", r"\oslash"),
    "kronecker": ("kron", r"\otimes"),
    "diag": ("diag", r"\mathrm{diag}"),
    "vec": ("vec", r"\mathrm{vec}"),
    "expectation": ("E", r"\mathbb{E}"),
    "partial": ("partial", r"\partial"),
    "derivative": ("D", r"\frac{\partial #1}{\partial #2}"),
    "immediate": ("Dplus", r"\frac{\partial^+ #1}{\partial #2}"),
}
"""Mark -> what follows the prefix in our macro's name, and what it means. The last two take numerator, denominator."""
_FRACTIONS = {"derivative": r"\partial", "immediate": r"\partial^+"}


@dataclass(frozen=True)
class Macros:
    """What stands for each mark.

    Attributes
    ----------
    names : mapping of mark to str
        The macro, with its backslash.
    ours : frozenset of str
        The marks whose macros are defined in the head of the document; the author has the others.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()

    def applied(self, tex: str) -> str:
        r"""Return LaTeX with macros for the marks.

        >>> print(macros("my").applied(r"\frac{\partial L}{\partial W} = W^\top(a \odot b)"))
        \myD{L}{W} = W^{\myT}(a \myhad b)
        """
        for mark, sign in _FRACTIONS.items():
            if mark in self.names:
                tex = _with_derivatives(tex, sign, self.names[mark])
        for mark, name in self.names.items():
            if mark not in _FRACTIONS:
                tex = _with_sign(tex, MARKS[mark][1], name)
        return tex

    def definitions(self, tex: str) -> str:
        r"""Return the definitions of our macros that a text needs, a line each.

        >>> print(macros("my").definitions(r"W^{\myT}"))
        \providecommand{\myT}{\top}
        """
        used = [mark for mark in MARKS if mark in self.ours and _named(self.names[mark]).search(tex)]
        meanings = {mark: self._meaning(mark) for mark in used}
        if any(self.names.get("partial", " ") in meaning for meaning in meanings.values()) and "partial" in self.ours:
            meanings["partial"] = MARKS["partial"][1]
        return "\n".join(
            f"\\providecommand{{{self.names[mark]}}}{'[2]' * (mark in _FRACTIONS)}{{{meanings[mark]}}}"
            for mark in MARKS
            if mark in meanings
        )

    def _meaning(self, mark: str) -> str:
        """Return what a macro of ours is defined as; derivatives use the macro for the sign."""
        meaning = MARKS[mark][1]
        return meaning.replace(r"\partial", self.names.get("partial", r"\partial")) if mark in _FRACTIONS else meaning


def macros(given: str | Mapping[str, str] | None) -> Macros:
    r"""Return the macros for a prefix, or for a mapping of marks to the author's own macros.

    Parameters
    ----------
    given : str or mapping, optional
        A prefix of letters, such as ``"bptt"`` for ``\bpttT`` and ``\bptthad``; or mark -> macro of the author, such as
        ``{"transpose": r"\trans"}``, with a prefix for the other marks under ``"prefix"``, where there is to be one.

    Raises
    ------
    ValueInputError
        Where a prefix or a name is none that TeX takes.
    UnknownNameError
        Where there is no such mark.

    Examples
    --------
    >>> macros({"transpose": r"\trans"}).names
    {'transpose': '\\trans'}
    """
    own = dict(given) if isinstance(given, Mapping) else {}
    prefix = own.pop("prefix", None) if own else given if isinstance(given, str) else None
    for mark, name in own.items():
        if mark not in MARKS:
            raise UnknownNameError(f"macros: unknown mark {mark!r}{nearest(mark, MARKS)}")
        if not re.fullmatch(r"\\[A-Za-z]+", str(name)):
            raise ValueInputError(f"macros: {mark} must be a macro such as \\trans, not {name!r}")
    if prefix is None:
        return Macros(own)
    if not re.fullmatch(r"[A-Za-z]+", str(prefix)):
        raise ValueInputError(f"macros: a prefix has letters alone, such as bptt, not {prefix!r}")
    ours = {mark: f"\\{prefix}{end}" for mark, (end, _) in MARKS.items() if mark not in own}
    return Macros({mark: own.get(mark) or ours[mark] for mark in MARKS}, frozenset(ours))


def _named(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name) + ("(?![A-Za-z])" if name[-1:].isalpha() else ""))


def _with_sign(tex: str, sign: str, name: str) -> str:
    """Put a macro in the place of a sign; as a script it gets braces, whatever it may stand for."""

    def replaced(found: re.Match[str]) -> str:
        script, after = tex[: found.start()].endswith(("^", "_")), tex[found.end() : found.end() + 1]
        return f"{{{name}}}" if script else name + " " * after.isalpha()

    return _named(sign).sub(replaced, tex)


def _with_derivatives(tex: str, sign: str, name: str) -> str:
    r"""Put a macro with two arguments in the place of fractions of two differentials.

    >>> print(
    ...     _with_derivatives(
    ...         r"\frac{\partial\ell_t}{\partial o_t} + \frac{\partial^+ a}{\partial b}", r"\partial", r"\D"
    ...     )
    ... )
    \D{\ell_t}{o_t} + \frac{\partial^+ a}{\partial b}
    """
    pieces, end = [], 0
    for start, parts in _fractions(tex):
        above, below = (_differential(part, mark) for part, mark in zip(parts, (sign, r"\partial"), strict=True))
        if start >= end and above is not None and below is not None:
            pieces += [tex[end:start], f"{name}{{{above}}}{{{below}}}"]
            end = start + len(r"\frac{}{}") + sum(map(len, parts))
    return "".join([*pieces, tex[end:]])


def _fractions(tex: str) -> Iterator[tuple[int, tuple[str, str]]]:
    for found in re.finditer(r"\\frac(?=\{)", tex):
        above = _braced(tex, found.end())
        below = _braced(tex, found.end() + len(above) + 2)
        yield found.start(), (above, below)


def _braced(tex: str, start: int) -> str:
    """Return what stands in the braces that begin at a place."""
    depth = 0
    for found in re.finditer(r"\\.|[{}]", tex[start:]):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return tex[start + 1 : start + found.start()]
    return tex[start + 1 :]


def _differential(tex: str, sign: str) -> str | None:
    """Return what a differential is of; None where it is none, or of more than one thing."""
    found = re.fullmatch(re.escape(sign) + r"(?![A-Za-z^_])\s*(.*)", tex)
    return found[1] if found and r"\partial" not in found[1] else None
