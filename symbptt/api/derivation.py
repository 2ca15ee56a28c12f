"""A derivation: steps as data, written in any format, verified on demand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..derive.derivation import Derived, Options
from ..derive.stability import Stability, stability
from ..errors import ValueInputError
from ..model import names

if TYPE_CHECKING:
    from ..evaluate.report import Report
    from ..render.blocks import Document


class Derivation:
    """A derivation: steps as data, written in a language and a notation, verified on demand.

    Attributes
    ----------
    steps : tuple of Step
        Every step in printed order.
    """

    heading = "title.default"
    """Phrase of the title of a model without one of its own."""

    def __init__(
        self, derived: Derived, lang: str, notation: str | Mapping[str, str], options: Options, title: Mapping[str, str]
    ) -> None:
        from ..render.phrases import check_language

        check_language(lang)
        self.derived, self.lang, self.notation, self.options, self.title = derived, lang, notation, options, title
        names(notation)
        self._report: Report | None = None

    @property
    def sections(self) -> tuple[Any, ...]:
        return self.derived.worksheet.sections

    @property
    def steps(self) -> tuple[Any, ...]:
        return tuple(self.derived.worksheet.walk())

    def __getitem__(self, key: str) -> Any:
        return self.derived.worksheet[key]

    def verify(self, seed: int = 0) -> Report:
        """Prove every printed line; the report names each step and what was found."""
        from ..evaluate.report import verify_derivation

        self._report = verify_derivation(self.derived, seed=seed)
        return self._report

    @property
    def verdicts(self) -> dict[str, bool]:
        """Step key -> whether its lines were proved, once :meth:`verify` has run."""
        return {} if self._report is None else dict(self._report.verdicts)

    def document(self) -> Document:
        """Return the derivation as a document of blocks, before any output format."""
        from ..render.document import document

        return document(self)

    def to_markdown(self) -> str:
        """Return Markdown with ``$`` and ``$$`` formulas."""
        from ..render.markdown import to_markdown

        return to_markdown(self.document())

    def to_text(self) -> str:
        """Return plain Unicode text for a terminal."""
        from ..render.text import to_text

        return to_text(self.document())

    def to_latex(self, document: bool = False) -> str:
        """Return a LaTeX fragment, or a complete document for XeLaTeX."""
        from ..render.latex import to_latex

        return to_latex(self.document(), complete=document)

    def to_html(self) -> str:
        """Return one self-contained HTML page with MathML."""
        from ..render.html import to_html

        return to_html(self.document())

    def to_json(self) -> str:
        """Return all of the derivation as JSON; the schema is in the documentation."""
        from ..render.json import to_json

        return to_json(self)

    def to_notebook(self) -> str:
        """Return a Jupyter notebook as JSON."""
        from ..render.notebook import to_notebook

        return to_notebook(self.document())

    def to_pdf(self, path: str | Path) -> Path:
        """Compile the document with XeLaTeX and write it to a path."""
        from ..render.pdf import to_pdf

        return to_pdf(self.document(), Path(path))

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_latex_(self) -> str:
        return self.to_latex()


class StabilityDerivation(Derivation):
    """A derivation about stability, with the same as arrays and as plots."""

    heading = "title.stability"

    @property
    def data(self) -> Stability:
        """The numbers: norms of Jacobian products and gradients, distances, bounds, spectrum.

        Raises
        ------
        ValueInputError
            Where the model has no numbers.
        """
        if self.derived.numbers is None:
            raise ValueInputError("numbers are needed for this: give values={...}, or put them into the model file")
        return stability(self.derived.numbers)

    def plot(self, kind: str = "norms", path: str | Path | None = None) -> Any:
        """Draw a plot with matplotlib, and write it to a file where a path is given.

        Parameters
        ----------
        kind : {"norms", "heatmap", "spectrum", "power"}
        path : str or Path, optional
            A file name that ends in ``.svg``, ``.png`` or ``.pdf``.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingToolError
            Where matplotlib is not installed.
        """
        from ..render.plots import plot

        return plot(self, kind, None if path is None else Path(path))
