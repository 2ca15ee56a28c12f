"""Nodes of their own for what docutils has no node for: folds and framed formulas; outside of HTML they dissolve."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

from ..render.html_figures import COPIES, Figures, opening
from .renderer import NAME

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class scope(nodes.General, nodes.Element):  # noqa: N801
    """All that a directive writes; the style sheet begins here."""


class fold(nodes.General, nodes.Element):  # noqa: N801
    """A heading with what stands under it, which can be folded away; the first child is its title."""


class fold_title(nodes.Part, nodes.TextElement):  # noqa: N801
    """The title of a fold."""


class display(nodes.General, nodes.Element):  # noqa: N801
    """A displayed formula with its mark and its buttons; the only child is a ``math_block``.

    Attributes: ``lang``, ``tex`` for the button, ``verified``, and ``behind``, what stands behind it as MathML.
    """


class picture(nodes.General, nodes.Element):  # noqa: N801
    """A drawing in the page itself: ``svg``, or ``latex``, and ``alt`` where neither can be shown."""


class plot(nodes.General, nodes.Element):  # noqa: N801
    """A picture in a file of its own: ``name``, the contents ``svg`` and ``pdf``, and ``alt``."""


def setup(app: Sphinx) -> None:
    """Register the nodes with their writers."""
    app.add_node(scope, html=(_open_scope, _close_div))
    app.add_node(fold, html=(_open_fold, _close_fold))
    app.add_node(fold_title, html=(_open_title, _close_title))
    app.add_node(display, html=(_open_display, _close_display))
    alt = (_write_alt, None)
    app.add_node(picture, html=(_write_picture, None), latex=(_write_latex, None), text=alt, man=alt, texinfo=alt)
    app.add_node(plot, html=(_write_image, None), latex=(_include_image, None), text=alt, man=alt, texinfo=alt)
    app.connect("doctree-resolved", dissolve)


# -- HTML --------------------------------------------------------------------------------------------------------
def _open_scope(writer: Any, node: scope) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="symbptt"))


def _close_div(writer: Any, node: nodes.Element) -> None:
    writer.body.append("</div>\n")


def _open_fold(writer: Any, node: fold) -> None:
    state = {"open": ""} if node["open"] else {}
    writer.body.append(writer.starttag(node, "details", CLASS=f"level-{node['level']}", **state))


def _close_fold(writer: Any, node: fold) -> None:
    writer.body.append("</details>\n")


def _open_title(writer: Any, node: fold_title) -> None:
    writer.body.append(f'<summary title="{escape(node["hint"])}"><span class="heading">')


def _close_title(writer: Any, node: fold_title) -> None:
    writer.body.append("</span></summary>\n")


def _open_display(writer: Any, node: display) -> None:
    writer.body.append(opening(node["tex"]))


def _close_display(writer: Any, node: display) -> None:
    as_mathml = writer.builder.math_renderer_name == NAME
    figures = Figures(node["lang"])
    behind = node["behind"] if as_mathml else figures.mark(node["verified"])
    tools = figures.tools(COPIES if as_mathml else ("tex",))
    writer.body.append(f"</div>{behind}\n{tools}\n</figure>\n")


def _write_picture(writer: Any, node: picture) -> None:
    writer.body.append(f'<div class="picture" tabindex="0">{node["svg"]}</div>\n')
    raise nodes.SkipNode


def _write_image(writer: Any, node: plot) -> None:
    name, builder = f"{node['name']}.svg", writer.builder
    _put(Path(builder.outdir, builder.imagedir, name), node["svg"])
    writer.body.append(f'<div class="plot"><img src="{builder.imgpath}/{name}" alt="{escape(node["alt"])}"/></div>\n')
    raise nodes.SkipNode


def _put(path: Path, data: bytes) -> None:
    """Write a file whole; another process may be writing the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    os.replace(partial, path)


# -- other formats -----------------------------------------------------------------------------------------------
def _write_latex(writer: Any, node: picture) -> None:
    writer.body.append(f"\n\\begin{{center}}\n{node['latex']}\n\\end{{center}}\n")
    raise nodes.SkipNode


def _include_image(writer: Any, node: plot) -> None:
    _put(Path(writer.builder.outdir, f"{node['name']}.pdf"), node["pdf"])
    writer.body.append(f"\n\\begin{{center}}\\sphinxincludegraphics{{{{{node['name']}}}.pdf}}\\end{{center}}\n")
    raise nodes.SkipNode


def _write_alt(writer: Any, node: nodes.Element) -> None:
    writer.visit_paragraph(node)
    writer.visit_Text(nodes.Text(f"[{node['alt']}]"))
    writer.depart_paragraph(node)
    raise nodes.SkipNode


def dissolve(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Outside of HTML make a fold a heading with its content, and a framed formula the formula, broken to the page."""
    if app.builder.format == "html":
        return
    for node in list(doctree.findall(display)):
        math = node[0]
        if app.builder.format == "latex":
            math.children[:] = [nodes.Text(node["broken"])]
        node.replace_self([math])
    for found in list(doctree.findall(fold)):
        title, *rest = found.children
        found.replace_self([nodes.rubric("", "", *title.children, ids=found["ids"]), *rest])
    for whole in list(doctree.findall(scope)):
        whole.replace_self(whole.children)
