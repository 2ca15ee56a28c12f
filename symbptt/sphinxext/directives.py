"""The directives: a derivation, the generated function, and pictures."""

from __future__ import annotations

import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from ..cli.arguments import Notation, ParamType, Word, read_setting
from ..errors import SymbpttError
from ..examples import ModelFile, find
from ..examples.modelfile import parse
from ..render.phrases import catalogue
from .cache import Cache, digest_of
from .content import Manner, content
from .nodes import fold, fold_title, picture, plot, scope
from .request import FailedError, Request

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.domains.math import MathDomain
    from sphinx.environment import BuildEnvironment

FOLDS = {"none": frozenset[int](), "steps": frozenset({3}), "sections": frozenset({2}), "all": frozenset({2, 3})}
"""Value of the option ``fold`` -> the levels of headings that begin folded."""


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("symbptt", DerivationDirective)
    app.add_directive("symbptt-code", CodeDirective)
    app.add_directive("symbptt-graph", GraphDirective)
    app.add_directive("symbptt-plot", PlotDirective)


# -- options -----------------------------------------------------------------------------------------------------
def _typed(kind: ParamType) -> Callable[[str | None], Any]:
    """Return the reader of an option that is written as on the command line."""
    return lambda text: kind.convert((text or "").strip(), None, None)


def _word(kind: str) -> Callable[[str | None], Any]:
    return _typed(Word(kind))


def _words(kind: str) -> Callable[[str | None], tuple[str, ...]]:
    read = _word(kind)
    return lambda text: tuple(map(read, _listed(text)))


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,]+", text or "") if word)


def _values(text: str | None) -> tuple[tuple[str, Any], ...]:
    """``W_h=0.5; x=1,1,1``, or a line for each."""
    parts = re.split(r"[;\n]", text or "")
    return tuple(read_setting(part.strip()) for part in parts if part.strip())


def _fold(text: str | None) -> frozenset[int]:
    return FOLDS[_typed(Word("fold", tuple(FOLDS)))(text)]


_SIZES = ("steps", "hidden", "inputs", "outputs", "batch")
_SHOWN = ("detail", "sections", "truncate", "digits", "rounding")
MODEL: dict[str, Callable[[str], Any]] = {
    "lang": _word("language"),
    "values": _values,
    "notation": _typed(Notation("notation")),
    "layout": _word("layout"),
    "symbolic": directives.flag,
    **dict.fromkeys(_SIZES, directives.positive_int),
}
"""Options that say which model is meant, and how it is written."""
DERIVATION: dict[str, Callable[[str], Any]] = {
    "detail": _word("detail"),
    "sections": _words("section"),
    "truncate": _listed,
    "digits": directives.positive_int,
    "rounding": _word("rounding"),
    "stability": directives.flag,
    "fold": _fold,
    "headings": directives.flag,
    "numbered": directives.flag,
    "name": directives.unchanged_required,
}
"""Options of a derivation alone."""


# -- the directives ----------------------------------------------------------------------------------------------
class ModelDirective(SphinxDirective, ABC):
    """What the directives have in common: a worked example, a cell, a model file, or TOML in the content."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = MODEL

    def run(self) -> list[nodes.Node]:
        try:
            return self.made(self.request())
        except FailedError as error:
            raise ExtensionError(f"{self.get_location()}: symbptt: {error}") from None
        except SymbpttError as error:
            raise self.error(f"symbptt: {error}") from None

    @abstractmethod
    def made(self, request: Request) -> list[nodes.Node]:
        """Return what the directive writes."""

    def request(self) -> Request:
        """Return what is asked for."""
        given = self.options
        return Request(
            file=self.file(),
            lang=given.get("lang") or language_of(self.env),
            values=given.get("values", ()),
            sizes=tuple((name, given[name]) for name in (*_SIZES, "layout") if name in given),
            notation=given.get("notation", self.config.symbptt_notation),
            symbolic="symbolic" in given,
            shown=tuple((name, given[name]) for name in _SHOWN if name in given),
            stability="stability" in given,
        )

    def file(self) -> ModelFile:
        """Return the model, from the argument or from the content."""
        text = "\n".join(self.content)
        if bool(self.arguments) == bool(text.strip()):
            raise self.error(f"symbptt: {self.name} takes an example, a cell or a model file, or TOML in its content")
        if not self.arguments:
            return parse(text, "the content")
        return file_of(self.arguments[0].strip(), self.env)


def file_of(name: str, env: BuildEnvironment) -> ModelFile:
    """Return the model that a name stands for; a path is relative to the page, or with ``/`` to the source folder."""
    if not name.endswith(".toml"):
        return find(name)
    relative, path = env.relfn2path(name)
    env.note_dependency(relative)
    return find(Path(path))


def language_of(env: BuildEnvironment) -> str:
    """Return the language of a page: as configured, or the one of the project where there is a catalogue for it."""
    if env.config.symbptt_lang:
        return str(env.config.symbptt_lang)
    return "zh" if (env.config.language or "en").lower().startswith("zh") else "en"


def cache_of(env: BuildEnvironment) -> Cache:
    """Return the cache of the project."""
    return Cache(Path(env.config.symbptt_cache))


class DerivationDirective(ModelDirective):
    """``symbptt``: a derivation, every line verified."""

    option_spec: ClassVar[Any] = {**MODEL, **DERIVATION}

    def made(self, request: Request) -> list[nodes.Node]:
        document = cache_of(self.env).get(request, request.document)
        prefix = str(self.options.get("name") or (Path(request.file.name).stem if self.arguments else "derivation"))
        manner = Manner(
            prefix=prefix,
            headings="headings" in self.options,
            folded=self.options.get("fold", FOLDS["none"]),
            number=partial(self.number, prefix) if "numbered" in self.options else None,
            width=float(self.config.symbptt_latex_width),
        )
        return content(document, manner)

    def number(self, prefix: str, math: nodes.math_block, key: str) -> None:
        """Number an equation, and label it ``prefix:key`` for the role ``eq``."""
        label = f"{prefix}:{key}"
        domain = cast("MathDomain", self.env.get_domain("math"))
        math["docname"], math["label"] = self.env.docname, label
        domain.note_equation(self.env.docname, label, location=self.get_location())
        math["number"] = domain.get_equation_number_for(label)
        math["ids"].append(nodes.make_id(f"equation-{label}"))


class CodeDirective(ModelDirective):
    """``symbptt-code``: the generated NumPy module."""

    option_spec: ClassVar[Any] = {**MODEL, "truncate": directives.unchanged_required, "fold": directives.unchanged}

    def made(self, request: Request) -> list[nodes.Node]:
        cut = self.options.get("truncate")
        source = cache_of(self.env).get(("code", request, cut), lambda: request.model().lambdify(truncate=cut).source)
        block = nodes.literal_block(source, source, language="python")
        if "fold" not in self.options:
            return [block]
        title = self.options["fold"] or "Python"
        hint = catalogue(request.lang)["ui.fold"]
        return [scope("", fold("", fold_title("", title, hint=hint), block, ids=[], level=2, open=False))]


class GraphDirective(ModelDirective):
    """``symbptt-graph``: the unrolled network with the flow of its gradients."""

    option_spec: ClassVar[Any] = {**MODEL, "truncate": directives.unchanged_required}

    def made(self, request: Request) -> list[nodes.Node]:
        cut = self.options.get("truncate")
        svg, tikz, alt = cache_of(self.env).get(("graph", request, cut), lambda: _drawn(request, cut))
        return [scope("", picture("", svg=svg, latex=tikz, alt=alt))]


def _drawn(request: Request, truncate: str | None) -> tuple[str, str, str]:
    graph = request.model().graph(lang=request.lang, truncate=truncate)
    return graph.to_svg(), graph.to_tikz(), graph.picture.title


class PlotDirective(ModelDirective):
    """``symbptt-plot``: how norms of gradients go over time, or the spectrum of the recurrent weights."""

    option_spec: ClassVar[Any] = {**MODEL, "kind": _word("plot")}

    def made(self, request: Request) -> list[nodes.Node]:
        kind = self.options.get("kind", "norms")
        asked = ("plot", replace(request, stability=True), kind)
        svg, pdf = cache_of(self.env).get(asked, lambda: _plotted(asked[1], kind))
        title = catalogue(request.lang)[f"ui.plot_{'norms' if kind == 'all' else kind}_title"]
        return [scope("", plot("", name=f"symbptt-{digest_of(repr(asked))}", svg=svg, pdf=pdf, alt=title))]


def _plotted(request: Request, kind: str) -> tuple[bytes, bytes]:
    made: Any = request.derivation()
    with tempfile.TemporaryDirectory(prefix="symbptt-") as folder:
        paths = [Path(folder, f"plot{suffix}") for suffix in (".svg", ".pdf")]
        for path in paths:
            made.plot(kind, path)
        svg, pdf = (path.read_bytes() for path in paths)
    return svg, pdf
