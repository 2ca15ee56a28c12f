"""A Sphinx extension: derivations, gradients, pictures and generated code in the pages of any documentation.

Add ``"symbptt.sphinxext"`` to ``extensions`` in ``conf.py``. It brings, in reStructuredText and MyST alike:

- ``symbptt``, a directive for a derivation, from a worked example, a model file, or TOML in its content;
- ``symbptt-code``, ``symbptt-graph`` and ``symbptt-plot``, for the generated function and for pictures;
- ``symbptt-gradient``, a role for one gradient;
- ``mathml``, a value for ``html_math_renderer``: formulas that need no script and no network.

Every line is verified before it is written; a line that fails stops the build.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    from . import assets, directives, nodes, renderer, role

    app.add_config_value("symbptt_lang", None, "env", (str, type(None)))
    app.add_config_value("symbptt_notation", None, "env", (str, dict, type(None)))
    app.add_config_value("symbptt_cache", None, "", (str, type(None)))
    app.add_config_value("symbptt_latex_width", 38.0, "env", (int, float))
    app.connect("config-inited", _find_cache)
    app.connect("config-inited", _load_tikz)
    for part in (assets, directives, nodes, renderer, role):
        part.setup(app)
    return {"version": __version__, "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}


def _find_cache(app: Sphinx, config: Config) -> None:
    """Settle where results are kept: as configured, beside ``conf.py``, or with the doctrees."""
    given = config.symbptt_cache
    config.symbptt_cache = str(Path(app.confdir, given) if given else Path(app.doctreedir, "symbptt"))


def _load_tikz(app: Sphinx, config: Config) -> None:
    """Put what pictures of the unrolled network need into the preamble of LaTeX output."""
    from ..render.graph_tikz import LIBRARIES

    needed = f"\\usepackage{{tikz}}\n\\usetikzlibrary{{{LIBRARIES}}}\n"
    config.latex_elements["preamble"] = needed + config.latex_elements.get("preamble", "")
