"""A derivation: steps as data, written in any format, verified on demand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..derive.derivation import Derived, Options
from ..derive.stability import Stability, stability
from ..errors import UnknownNameError, ValueInputError, nearest
from ..model import names
from .shown import Report, Section, Step, shown_report, shown_section

if TYPE_CHECKING:
    from ..render.blocks import Document
    from .source import Origin


class Derivation:
    """A derivation: steps as data, written in a language and a notation, verified on demand.

    Attributes
    ----------
    steps : tuple of Step
        Every step in printed order. A step, like a section, shows itself in a notebook.
    sections : tuple of Section
    origin : Origin or None
        The model and the arguments that it was made with.
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
        self.origin: Origin | None = None
        self._report: Report | None = None
        self._document: tuple[Report | None, Document] | None = None

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return tuple(shown_section(section, self) for section in self.derived.worksheet.sections)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(cast(Step, step) for section in self.sections for top in section.steps for step in top.walk())

    def __getitem__(self, key: str) -> Any:
        """Return the step of a key such as ``recursion.h``, or the section of a key such as ``recursion``."""
        found = {section.key: section for section in self.sections} | {step.key: step for step in self.steps}
        if key not in found:
            raise UnknownNameError(f"the derivation has no step or section {key!r}{nearest(str(key), [*found])}")
        return found[key]

    def __repr__(self) -> str:
        words = self.document().title
        return f"<{type(self).__name__} {words!r}: {len(self.sections)} sections, {len(self.steps)} steps, {self.lang}>"

    @property
    def results(self) -> dict[str, Any]:
        """The printed results as floats: ``L``, and the gradient by each parameter under its key.

        Rounded as they are printed; empty where the derivation has no worked lines.

        >>> from symbptt import load
        >>> load("relu-explosion").derivation().results["W_h"]
        130.0
        """
        from ..evaluate.printed import printed_results

        return printed_results(self.derived)

    def verify(self, seed: int = 0) -> Report:
        """Prove every printed line; the report names each step and what was found."""
        from ..evaluate.report import verify_derivation

        self._report = shown_report(verify_derivation(self.derived, seed=seed), self.lang)
        return self._report

    @property
    def verdicts(self) -> dict[str, bool]:
        """Step key -> whether its lines were proved, once :meth:`verify` has run."""
        return {} if self._report is None else dict(self._report.verdicts)

    def document(self) -> Document:
        """Return the derivation as a document of blocks, before any output format."""
        from ..render.document import document

        if self._document is None or self._document[0] is not self._report:  # it shows what was proved
            self._document = self._report, document(self)
        return self._document[1]

    def to_markdown(self, fold: bool = False) -> str:
        """Return Markdown with ``$`` and ``$$`` formulas.

        Parameters
        ----------
        fold : bool
            Fold each section under its heading, in ``<details>``.
        """
        from ..render.folding import to_folded_markdown
        from ..render.markdown import to_markdown

        if fold:
            return to_folded_markdown(self.document())
        return to_markdown(self.document())

    def to_text(self) -> str:
        """Return plain Unicode text for a terminal."""
        from ..render.text import to_text

        return to_text(self.document())

    def to_latex(self, document: bool = False, **options: Any) -> str:
        r"""Return a LaTeX fragment for ``\input``, or a complete document for XeLaTeX.

        Parameters
        ----------
        document : bool
            A complete document.
        columns : {1, 2}
            With 2, everything is broken for a column of 243 pt, or of ``width``.
        width : str or float
            Width of the text, or of a column: ``"8.5cm"``, ``"252pt"``, ``"24em"``; a number is in points.
        numbered : bool
            Give each displayed step a number and the label ``PREFIX:STEP``, and refer to the equations that are put in.
        labels : str
            PREFIX, by default the name of the cell.
        macros : str or mapping
            A prefix, such as ``"bptt"`` for ``\bpttT`` and others that are defined in the head; or a mapping of marks,
            as in ``{"transpose": r"\trans"}``, to macros of your own. See :data:`symbptt.render.macros.MARKS`.
        cite : bool
            Refer to the literature; a complete document lists it, for a fragment :meth:`to_bibtex` has it.

        Raises
        ------
        SizeError
            Where the columns or the width are impossible.
        ValueInputError, UnknownNameError
            Where a label or a macro is none, or a mark does not exist.
        """
        from ..render.latex import to_latex
        from ..render.papers import style_for

        return to_latex(self.document(), style=style_for(self, document, **options))

    def to_beamer(self, document: bool = False, **options: Any) -> str:
        r"""Return frames for a deck, or a complete deck for XeLaTeX; ``detail="results"`` fits slides best.

        Parameters
        ----------
        document : bool
            A complete deck.
        macros : str or mapping
            As in :meth:`to_latex`.
        """
        from ..render.beamer import to_beamer
        from ..render.papers import macros_for

        return to_beamer(self.document(), document, macros_for(**options))

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of the literature that the derivation rests on, the package first."""
        from ..render.bibtex import sources

        return sources(self)

    def to_bibtex(self) -> str:
        """Return :attr:`sources` as BibTeX entries."""
        from ..render.bibtex import to_bibtex

        return to_bibtex(self.sources)

    def to_html(self) -> str:
        """Return one self-contained HTML page with MathML."""
        from ..render.html import to_html

        return to_html(self.document())

    def to_json(self) -> str:
        """Return all of the derivation as JSON; the schema is in the documentation."""
        from ..render.json import to_json

        return to_json(self)

    def to_notebook(self, folder: str | Path | None = None) -> str:
        """Return a Jupyter notebook as JSON: the derivation, and code cells that make, check and compute it again.

        Parameters
        ----------
        folder : str or Path, optional
            Where the notebook will lie, from where it looks for the model file; the current directory by default.
        """
        from ..render.notebook import to_notebook

        lines = None if self.origin is None else self.origin.lines(folder)
        return to_notebook(self.document(), lines, bool(self.results))

    def to_pdf(self, path: str | Path, **options: Any) -> Path:
        """Compile the document with XeLaTeX and write it to a path; the options are those of :meth:`to_latex`."""
        from ..render.papers import style_for
        from ..render.pdf import to_pdf

        return to_pdf(self.document(), Path(path), style_for(self, True, **options))

    def _repr_markdown_(self) -> str:
        from ..render.folding import to_shown_markdown

        return to_shown_markdown(self.document())

    def _repr_latex_(self) -> str:
        return self.to_latex()

    def _ipython_display_(self) -> None:
        """Show the Markdown alone: some notebooks prefer LaTeX to it, and take LaTeX for a single formula."""
        from IPython import display

        send: Any = display.display
        send({"text/markdown": self._repr_markdown_(), "text/plain": repr(self)}, raw=True)


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
