"""The role ``symbptt-gradient``: one gradient between words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxRole

from ..algebra.layout import Operator, row
from ..algebra.present import present
from ..errors import SymbpttError, ValueInputError
from ..model import names_in
from ..render.blocks import Math
from .content import inline
from .directives import cache_of, file_of, language_of
from .request import FailedError, Request

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SHAPE = "SOURCE NAME, then at=STEP and form=FORM where wanted, as in: tanh h form=closed"


def setup(app: Sphinx) -> None:
    """Register the role."""
    app.add_role("symbptt-gradient", GradientRole())


class GradientRole(SphinxRole):
    """``symbptt-gradient``: an equation with one gradient, verified."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            source, wrt, options = _read(self.text)
            request = Request(file_of(source, self.env), language_of(self.env), notation=self.config.symbptt_notation)
            asked = ("gradient", request, wrt, options)
            math = cache_of(self.env).get(asked, lambda: _equation(request, wrt, **options))
        except FailedError as error:
            raise ExtensionError(f"{self.get_location()}: symbptt: {error}") from None
        except SymbpttError as error:
            message = self.inliner.reporter.error(f"symbptt: {error}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        return inline((math,), request.lang), []


def _read(text: str) -> tuple[str, str, dict[str, str]]:
    """Return source, name and options of the text of a role.

    >>> _read("tanh h at=2 form=unrolled")
    ('tanh', 'h', {'at': '2', 'form': 'unrolled'})
    """
    source, wrt, *rest = [*text.split(), "", ""][: max(2, len(text.split()))]
    options = dict(part.partition("=")[::2] for part in rest)
    if not wrt or not {*options} <= {"at", "form"} or "" in options.values():
        raise ValueInputError(f"{text!r}: write {SHAPE}")
    return source, wrt, options


def _equation(request: Request, wrt: str, at: str | None = None, form: str = "recursive") -> Math:
    from ..derive.forms import gradient_symbol
    from ..evaluate.gradients import check_gradient

    model = request.model()
    step = int(at) if at is not None and at.isdecimal() else at
    right, left = model.gradient(wrt, at=step, form=form), gradient_symbol(model.network, wrt, step)
    verdict = check_gradient(model.network, wrt, step, form)
    if not verdict:
        raise FailedError(f"{request.file.name}: the gradient by {wrt} failed verification: {verdict.where}")
    used = names_in(model.system, model.notation)
    return Math(row(present(left, used), Operator("="), present(right, used)))
