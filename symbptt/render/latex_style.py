r"""How a LaTeX document is set: how wide its text is, how many columns, numbers, labels, macros, literature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import SizeError, ValueInputError
from .macros import Macros
from .macros import macros as macros_of

PAGE = {"zh": 37.4, "en": 41.0}
"""Width of the text of a complete document with one column, in em, with a little to spare."""
COLUMN = 243.0
"""Width of a column of a complete document with two, in points; most journals have between 235 and 253."""
COLUMN_SEP = 24.0
_EM = {"zh": 10.54, "en": 10.0}
"""Size of the type that widths in points are meant for: 10 pt, and number five in Chinese."""
_POINTS = {"pt": 1.0, "bp": 1.00375, "mm": 2.84528, "cm": 28.4528, "in": 72.27}
_SPARE = 0.3
_SIZES = {
    "zh": (("", 1.0), ("\\small", 0.87), ("\\footnotesize", 0.75)),
    "en": (("", 1.0), ("\\small", 0.93), ("\\footnotesize", 0.85)),
}
NARROW = 30.0
"""Below this width, in em, everything is broken that would run into the margin: tables, reasons, left sides."""
NARROWEST = 15.0


@dataclass(frozen=True)
class Style:
    """How a document is set.

    Attributes
    ----------
    room : float
        Width of the text, in em.
    complete : bool
        Whether it is a whole document, or a fragment for ``\\input``.
    columns : int
        1 or 2; a complete document with two is set so.
    points : float or None
        Width of the text of a complete document in points, where it was given.
    numbered : bool
        Whether displayed steps have numbers and labels.
    labels : str
        What labels begin with.
    uses : mapping of step key to step keys
        The earlier steps whose equations turn one line of a step into the next.
    macros : Macros
    cite : tuple of str
        Keys of the literature that the document refers to.
    lang : str
    """

    room: float
    complete: bool = False
    columns: int = 1
    points: float | None = None
    numbered: bool = False
    labels: str = "bptt"
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    macros: Macros = field(default_factory=Macros)
    cite: tuple[str, ...] = ()
    lang: str = "en"

    @property
    def narrow(self) -> bool:
        return self.room < NARROW

    @property
    def sizes(self) -> tuple[tuple[str, float], ...]:
        """The types that are tried for what is too wide, with their width: small type of TeX is relatively wide."""
        return _SIZES["en" if self.points is not None and self.lang == "en" else "zh"]

    def label(self, key: str) -> str:
        """Return the label of a step.

        >>> Style(41.0, labels="relu").label("recursion.h")
        'relu:recursion.h'
        """
        return f"{self.labels}:{_OTHER.sub('-', key)}"


_OTHER = re.compile(r"[^A-Za-z0-9.:_+-]")


def style(
    lang: str,
    complete: bool = False,
    *,
    columns: int = 1,
    width: str | float | None = None,
    numbered: bool = False,
    labels: str | None = None,
    macros: str | Mapping[str, str] | None = None,
    uses: Mapping[str, tuple[str, ...]] | None = None,
    cite: tuple[str, ...] = (),
) -> Style:
    """Return the style for the options of :meth:`symbptt.Derivation.to_latex`.

    Raises
    ------
    SizeError
        Where the number of columns is neither 1 nor 2, or the width is none or too small.
    ValueInputError
        Where the labels have signs that a label cannot have.
    UnknownNameError
        Where a macro is for a mark that does not exist.
    """
    if columns not in (1, 2):
        raise SizeError(f"columns must be 1 or 2, not {columns!r}")
    if labels is not None and (not labels or _OTHER.search(labels)):
        raise ValueInputError(f"labels={labels!r}: take letters, digits and .:_+- alone")
    points = COLUMN if columns == 2 and width is None else None if width is None else _in_points(width, lang)
    room = PAGE.get(lang, PAGE["en"]) if complete else min(PAGE.values())
    if points is not None:
        room = points / _EM.get(lang, _EM["en"]) - _SPARE
    if room < NARROWEST:
        raise SizeError(f"width={width!r}: formulas need at least {NARROWEST:.0f}em")
    made = macros_of(macros)
    return Style(room, complete, columns, points, numbered, labels or "bptt", uses or {}, made, cite, lang)


def _in_points(width: str | float, lang: str) -> float:
    """Return a width in points; a number alone is in points.

    >>> _in_points("8.5cm", "en"), _in_points(243, "en"), _in_points("25em", "en")
    (241.8488, 243.0, 250.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(width))
    units = {**_POINTS, "em": _EM.get(lang, _EM["en"]), "": 1.0}
    if not found or found[2] not in units:
        raise SizeError(f"width={width!r}: give a length such as 243pt, 8.5cm or 25em")
    return float(found[1]) * units[found[2]]
