"""``html_math_renderer = "mathml"``: formulas as MathML, which browsers set without a script.

Formulas of this package come from their trees. Any other one, written as TeX on the page, is converted by docutils.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

if TYPE_CHECKING:
    from sphinx.application import Sphinx

NAME = "mathml"
_DOTS = re.compile(r"\\dots(?![A-Za-z])")
"""A command that LaTeX has and docutils has not."""
_log = logging.getLogger(__name__)


def setup(app: Sphinx) -> None:
    """Register the renderer."""
    app.add_html_math_renderer(NAME, (visit_inline, None), (visit_block, None))


def visit_inline(writer: Any, node: nodes.math) -> None:
    """Write a formula between words."""
    attributes = {"class": "math notranslate nohighlight"}
    writer.body.append(f"{writer.starttag(node, 'span', '', **attributes)}{mathml(node)}</span>")
    raise nodes.SkipNode


def visit_block(writer: Any, node: nodes.math_block) -> None:
    """Write a displayed formula, with its number where it has one."""
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, "")
        writer.body.append("</span>")
    writer.body.append(f"{mathml(node, block=True)}</div>\n")
    raise nodes.SkipNode


def mathml(node: nodes.math | nodes.math_block, block: bool = False) -> str:
    """Return the ``math`` element of a node; TeX that cannot be converted is shown as it is, with a warning."""
    if "mathml" in node:
        return str(node["mathml"])
    source = node.astext()
    try:
        return str(tex2mathml(_DOTS.sub(r"\\ldots", source), as_block=block))
    except MathError as error:
        _log.warning("no MathML for %r: %s", source, error, location=node, type="symbptt", subtype="mathml")
        return f"<code>{nodes.Text(source).astext().replace('&', '&amp;').replace('<', '&lt;')}</code>"
