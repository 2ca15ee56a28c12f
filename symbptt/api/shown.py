"""What a derivation hands out: steps, sections and reports that show themselves in notebooks.

They are the data of the layers below, equal to it, and know the derivation in whose words and names they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ..derive import steps as data
from ..evaluate import report

if TYPE_CHECKING:
    from .derivation import Derivation


@dataclass(frozen=True, repr=False)
class Shown:
    """Something as a notebook shows it.

    Attributes
    ----------
    markdown : str
    """

    markdown: str

    def __repr__(self) -> str:
        return self.markdown

    def _repr_markdown_(self) -> str:
        return self.markdown


class Step(data.Step):
    """A :class:`symbptt.derive.steps.Step` of a derivation."""

    _derivation: Any = None

    def __eq__(self, other: object) -> bool:
        return _parts(self) == _parts(other) if isinstance(other, data.Step) else NotImplemented

    __hash__ = data.Step.__hash__

    def _repr_markdown_(self) -> str | None:
        from ..render.shown import step_markdown

        return None if self._derivation is None else step_markdown(self._derivation, self)


class Section(data.Section):
    """A :class:`symbptt.derive.steps.Section` of a derivation."""

    _derivation: Any = None

    def __eq__(self, other: object) -> bool:
        return _parts(self) == _parts(other) if isinstance(other, data.Section) else NotImplemented

    __hash__ = data.Section.__hash__

    def _repr_markdown_(self) -> str | None:
        from ..render.shown import section_markdown

        return None if self._derivation is None else section_markdown(self._derivation, self)


class Report(report.Report):
    """A :class:`symbptt.evaluate.report.Report` in a language."""

    lang: str = "en"

    def __eq__(self, other: object) -> bool:
        return self.checks == other.checks if isinstance(other, report.Report) else NotImplemented

    __hash__ = report.Report.__hash__

    def __add__(self, other: report.Report) -> Report:
        return shown_report(super().__add__(other), self.lang)

    def _repr_markdown_(self) -> str:
        from ..render.shown import report_markdown

        return report_markdown(self, self.lang)


def shown_step(step: data.Step, derivation: Derivation) -> Step:
    """Return a step that is shown as a derivation writes it, and its substeps with it."""
    parts = dict(_parts(step))
    found = Step(**{**parts, "substeps": tuple(shown_step(s, derivation) for s in step.substeps)})
    object.__setattr__(found, "_derivation", derivation)
    return found


def shown_section(section: data.Section, derivation: Derivation) -> Section:
    """Return a section that is shown as a derivation writes it, and its steps with it."""
    steps = tuple(shown_step(step, derivation) for step in section.steps)
    found = Section(section.key, steps, section.facts)
    object.__setattr__(found, "_derivation", derivation)
    return found


def shown_report(found: report.Report, lang: str) -> Report:
    """Return a report that is shown in a language."""
    shown = Report(found.checks)
    object.__setattr__(shown, "lang", lang)
    return shown


def _parts(item: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(item, field.name)) for field in fields(item)]
