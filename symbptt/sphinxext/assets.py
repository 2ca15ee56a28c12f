"""The style sheet and the script, which the HTML pages load from the site itself."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ..render.html import asset

if TYPE_CHECKING:
    from sphinx.application import Sphinx

STYLE, SCRIPT = "symbptt.css", "symbptt.js"


def setup(app: Sphinx) -> None:
    """Register the files."""
    app.connect("builder-inited", write)


def write(app: Sphinx) -> None:
    """Write the files beside the other static ones of an HTML build, and link them."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static")
    folder.mkdir(parents=True, exist_ok=True)
    own = resources.files(__package__).joinpath("symbptt.css").read_text(encoding="utf-8")
    (folder / STYLE).write_text(f"{own}\n{asset('formulas.css')}", encoding="utf-8")
    (folder / SCRIPT).write_text(asset("page.js"), encoding="utf-8")
    app.add_css_file(STYLE)
    app.add_js_file(SCRIPT, loading_method="defer")
