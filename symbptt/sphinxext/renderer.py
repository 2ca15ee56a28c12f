"""``html_math_renderer = "mathml"``: formulas as MathML, which browsers set without a script.

Formulas of this package come from their trees. Any other one, written as TeX on the page, is converted by docutils.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING, Any
from xml.dom.minidom import parseString

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
_ENTITY = re.compile("&(?!lt;|gt;|amp;)[A-Za-z]+;")
"""What HTML has a name for and XML has not."""
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
        return _with_scripts_aside(str(tex2mathml(_DOTS.sub(r"\\ldots", source), as_block=block)))
    except MathError as error:
        _log.warning("no MathML for %r: %s", source, error, location=node, type="symbptt", subtype="mathml")
        return f"<code>{escape(source)}</code>"


def _with_scripts_aside(written: str) -> str:
    r"""Put the index of an accented letter beside it, where docutils puts it below.

    >>> letter, total = (_with_scripts_aside(tex2mathml(tex)) for tex in (r"\hat{y}_t", r"\sum_1^2 x"))
    >>> "<munderover>" in letter, "<munderover>" in total
    (False, True)
    """
    if "<munderover" not in written:
        return written
    document: Any = parseString(_ENTITY.sub(lambda found: unescape(found[0]), written))
    for element in document.getElementsByTagName("munderover"):
        base, index, accent = _elements(element)
        if base.hasAttribute("movablelimits") or not (accent.hasAttribute("stretchy") or accent.hasAttribute("accent")):
            continue
        letter = document.createElement("mover")
        letter.setAttribute("accent", "true")
        _become(letter, "mover", base, accent)
        above = element.parentNode
        if above.tagName == "msup" and _elements(above)[0] is element:
            _become(above, "msubsup", letter, index, _elements(above)[1])
        else:
            _become(element, "msub", letter, index)
    return str(document.documentElement.toxml())


def _elements(element: Any) -> list[Any]:
    return [node for node in element.childNodes if node.nodeType == node.ELEMENT_NODE]


def _become(element: Any, name: str, *children: Any) -> None:
    """Give an element another name and other contents."""
    while element.firstChild:
        element.removeChild(element.firstChild)
    element.tagName = element.nodeName = name
    for child in children:
        element.appendChild(child)
