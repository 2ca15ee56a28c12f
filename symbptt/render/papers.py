"""From the options of a derivation's methods to the style of its document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .bibtex import sources
from .latex_style import Style, style
from .macros import Macros
from .macros import macros as macros_of
from .references import uses


def style_for(
    derivation: Any,
    complete: bool,
    *,
    columns: int = 1,
    width: str | float | None = None,
    numbered: bool = False,
    labels: str | None = None,
    macros: str | Mapping[str, str] | None = None,
    cite: bool = False,
) -> Style:
    """Return the style for the options of :meth:`symbptt.Derivation.to_latex`."""
    return style(
        derivation.lang,
        complete,
        columns=columns,
        width=width,
        numbered=numbered,
        labels=labels or _name(derivation) if numbered else labels,
        macros=macros,
        uses=uses(derivation) if numbered else {},
        cite=sources(derivation) if cite else (),
    )


def macros_for(*, macros: str | Mapping[str, str] | None = None) -> Macros:
    """Return the macros for the options of :meth:`symbptt.Derivation.to_beamer`."""
    return macros_of(macros)


def _name(derivation: Any) -> str:
    """Return the name of the cell as labels begin with it."""
    return re.sub(r"[^A-Za-z0-9]+", "-", derivation.derived.network.cell.name).strip("-") or "bptt"
