"""The documentation: one source tree for each language, ``en`` and ``zh``; ``python docs/build.py`` builds both."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import chinese_search  # noqa: E402
import contents  # noqa: E402
import example_pages  # noqa: E402

from symbptt import __version__  # noqa: E402

LANG = "zh" if tags.has("zh") else "en"  # type: ignore[name-defined] # noqa: F821
OTHER = {"en": ("zh", "中文"), "zh": ("en", "English")}[LANG]

project, author, version, release = "symbptt", "symbptt maintainers", __version__, __version__
language = "zh_CN" if LANG == "zh" else "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "symbptt.sphinxext"]
exclude_patterns = ["_build"]
templates_path: list[str] = []

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_render_markdown_format = "myst"

symbptt_lang = LANG
symbptt_cache = "_build/derivations"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "symbptt"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # browsers do not read other pages from file://


def setup(app: Any) -> None:
    """Write the pages that are made from data, and put the parts of the site into every page."""
    app.connect("builder-inited", lambda app: example_pages.write(Path(app.srcdir), LANG), priority=100)
    app.connect("source-read", _with_contents)
    chinese_search.setup(app)
    app.connect("html-page-context", _with_switch)


def _with_contents(app: Any, page: str, source: list[str]) -> None:
    """Add the contents of the site to its first page, and to the list of examples the pages of the examples."""
    if page == "index":
        source[0] += contents.toctrees(LANG)
    if page == "examples":
        source[0] = example_pages.linked(source[0])


def _with_switch(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put a link to the same page in the other language at the top of a page."""
    lang, name = OTHER
    up = "../" * (page.count("/") + 1)
    link = f'<a lang="{lang}" hreflang="{lang}" href="{up}{lang}/{page}.html">{name}</a>'
    context["body"] = f'<p class="language-switch">{link}</p>\n{context.get("body", "")}'
