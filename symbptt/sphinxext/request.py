"""What a directive asks for, as plain data, and the result: verified, or an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..cli.arguments import build, located
from ..errors import SymbpttError

if TYPE_CHECKING:
    from ..api import RNN, Derivation
    from ..examples import ModelFile
    from ..render.blocks import Document


class FailedError(SymbpttError):
    """A line that failed its verification; it stops the build."""


@dataclass(frozen=True)
class Request:
    """A model with settings, and how its derivation is written.

    Attributes
    ----------
    file : ModelFile
    lang : str
    values : tuple of (key, value)
        Numbers on top of those of the file.
    sizes : tuple of (name, value)
        ``steps``, ``hidden``, ``inputs``, ``outputs``, ``layout``, ``batch``.
    notation : str, mapping or None
    symbolic : bool
        Whether numbers are left out.
    shown : tuple of (name, value)
        Arguments of :meth:`symbptt.RNN.derivation`: ``detail``, ``sections``, ``truncate``, ``digits``, ``rounding``.
    stability : bool
        Whether the derivation is the one of :meth:`symbptt.RNN.stability`.
    """

    file: ModelFile
    lang: str = "en"
    values: tuple[tuple[str, Any], ...] = ()
    sizes: tuple[tuple[str, Any], ...] = ()
    notation: Any = None
    symbolic: bool = False
    shown: tuple[tuple[str, Any], ...] = ()
    stability: bool = False

    def model(self) -> RNN:
        """Return the model."""
        with located(self.file, self.values):
            return build(self.file, self.values, self.notation, numbers=not self.symbolic, **dict(self.sizes))

    def derivation(self) -> Derivation:
        """Return the derivation, not yet verified."""
        model = self.model()
        values: dict[str, Any] | None = {} if self.symbolic else None
        with located(self.file, self.values):
            if self.stability:
                digits = {name: value for name, value in self.shown if name == "digits"}
                return model.stability(lang=self.lang, values=values, **digits)
            return model.derivation(lang=self.lang, values=values, **dict(self.shown))

    def document(self) -> Document:
        """Return the derivation as a document, every line verified.

        Raises
        ------
        FailedError
            For lines that failed, each by its key.
        """
        made = self.derivation()
        failures = made.verify().failures
        if failures:
            found = "; ".join(f"step {check.key}: {check.detail}" for check in failures)
            raise FailedError(f"{self.file.name}: failed verification: {found}")
        return made.document()
