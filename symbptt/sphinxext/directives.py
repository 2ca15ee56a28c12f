"""The directives: a derivation, the generated function, and pictures."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from ..cli.arguments import CHOICES, read_setting
from ..errors import SymbpttError, nearest
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
def _word(kind: str) -> Callable[[str | None], str]:
    def read(text: str | None) -> str:
        word = (text or "").strip()
        if word not in CHOICES[kind]:
            raise ValueError(f"unknown {kind} {word!r}{nearest(word, CHOICES[kind])}")
        return word

    return read


def _words(kind: str) -> Callable[[str | None], tuple[str, ...]]:
    def read(text: str | None) -> tuple[str, ...]:
        return tuple(map(_word(kind), _listed(text)))

    return read


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(re.split(r"[\s,]+", (text or "").strip())) if (text or "").strip() else ()


def _values(text: str | None) -> tuple[tuple[str, Any], ...]:
    """``W_h=0.5; x=1,1,1``, or a line for each."""
    parts = re.split(r"[;\n]", text or "")
    return tuple(read_setting(part.strip()) for part in parts if part.strip())


def _notation(text: str | None) -> Any:
    if not (text or "").lstrip().startswith("{"):
        return _word("notation")(text)
    found = json.loads(text or "")
    if any(not isinstance(value, str) for value in found.values()):
        raise ValueError('every name must be a string, as in {"W_h": "U"}')
    return found


def _fold(text: str | None) -> frozenset[int]:
    word = (text or "").strip()
    if word not in FOLDS:
        raise ValueError(f"unknown fold {word!r}{nearest(word, FOLDS)}")
    return FOLDS[word]


_SIZES = ("steps", "hidden", "inputs", "outputs", "batch")
_SHOWN = ("detail", "sections", "truncate", "digits", "rounding")
MODEL: dict[str, Callable[[str], Any]] = {
    "lang": _word("language"),
    "values": _values,
    "notation": _notation,
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
class ModelDirective(SphinxDirective):
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

    def made(self, request: Request) -> list[nodes.Node]:
        """Return what the directive writes."""
        raise NotImplementedError

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
        manner = Manner(
            prefix=self.prefix(request),
            headings="headings" in self.options,
            folded=self.options.get("fold", FOLDS["none"]),
            number=self.number if "numbered" in self.options else None,
            width=float(self.config.symbptt_latex_width),
        )
        return content(document, manner)

    def prefix(self, request: Request) -> str:
        """Return what the names of places and of equations begin with."""
        return str(self.options.get("name") or (Path(request.file.name).stem if self.arguments else "derivation"))

    def number(self, math: nodes.math_block, key: str) -> None:
        """Number an equation, and label it ``prefix:key`` for the role ``eq``."""
        label = f"{self.prefix(self.request())}:{key}"
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
