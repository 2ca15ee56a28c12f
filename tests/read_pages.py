"""Documents read back: the formulas that a writer puts into a file, beside those that its document consists of.

The writers take a document of laid-out formulas; each operand of it was read back and evaluated on its own. In the file
formulas are found as they are in anybody's notes, parsed as they stand, aligned and broken over lines, and must be the
same trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any

from read_back import Figures, parsed

from symbptt.algebra.tex import to_tex
from symbptt.reading.extract import note_of
from symbptt.reading.notation import NotationError, parse
from symbptt.reading.notation.tree import (
    Annotated,
    Chain,
    Empty,
    Fence,
    Grid,
    Listing,
    Tree,
    Words,
)
from symbptt.render.blocks import Display, Document, Group, Math, Table, displays

HIGHER = 6
"""So many operands of an example may go on on the next slide, because they are higher than one."""


def operands(tree: Tree) -> Iterator[Tree]:
    """Yield the operands of the chains of a display, without words and empty places."""
    if isinstance(tree, Chain):
        for operand in tree.operands:
            yield from operands(operand)
    elif isinstance(tree, Listing):
        inside = False  # a reason in brackets, with formulas in it
        for item in tree.items:
            if isinstance(item, Words):
                inside = item.text.lstrip().replace("\\raggedright", "").lstrip().startswith("(") or (
                    inside and not item.text.rstrip().endswith(")")
                )
                inside = inside and not item.text.rstrip().endswith(")")
            elif not inside:
                yield from operands(item)
    elif isinstance(tree, Grid) and tree.kind not in ("matrix", "cases"):
        for row in tree.rows:
            for cell in row:
                yield from operands(cell)
    elif isinstance(tree, Fence) and isinstance(tree.body, Listing) and "words" in tree.body.separators:
        return  # the reason behind a chain
    elif not isinstance(tree, Empty | Words):
        yield plain(tree)


def plain(tree: Tree) -> Tree:
    """Return a tree without the braces and notes below its parts."""

    def of(value: Any) -> Any:
        if isinstance(value, Tree):
            return plain(value)
        return tuple(map(of, value)) if isinstance(value, tuple) else value

    if isinstance(tree, Annotated):
        return plain(tree.body)
    return type(tree)(**{f.name: of(getattr(tree, f.name)) for f in fields(tree)})


@lru_cache(maxsize=4)
def expected_of(document: Document) -> tuple[list[Tree], list[Tree]]:
    """Return the operands of the displays of a document in order, and its formulas in sentences and tables."""
    shown: list[Tree] = []
    inline: list[Tree] = []
    for block in document.blocks:
        for display in displays(block):
            for item in (display.left, *(item for _, item in display.lines)):
                shown += operands(parsed(to_tex(item)))
        if not isinstance(block, Display | Group):
            inline += [plain(parsed(to_tex(word.item))) for word in _words(block) if isinstance(word, Math)]
    return shown, inline


def _words(block: Any) -> Iterator[Any]:
    if isinstance(block, Table):
        for cells in (block.header, *block.rows):
            for cell in cells:
                yield from cell
    else:
        yield from block.words


def check_document(document: Document, text: str, kind: str, figures: Figures, name: str) -> None:
    """Compare the formulas of a file with those of the document that it was written from."""
    shown, inline = expected_of(document)
    note = note_of(text, kind=kind)
    found: list[tuple[Tree, str]] = []
    inside: list[Tree] = []
    last = 0
    for formula in note.formulas:
        nested, last = formula.start < last, max(last, formula.end)  # in words within a display
        try:
            tree = parse(formula.latex, note.macros) if note.macros else parsed(formula.latex)
        except NotationError as error:
            figures.fault(name, kind, formula.latex, f"is not read: {error}")
            continue
        if formula.display and not nested:
            found += [(operand, formula.latex) for operand in operands(tree)]
            figures.counts["displays read"] += 1
        else:
            inside.append(plain(tree))
    if name.endswith("beamer"):  # slides leave out lines that are too many, and repeat what goes on
        strange = [latex for tree, latex in found if tree not in shown]
        figures.counts["operands of displays compared"] += len(found) - len(strange)
        figures.counts["operands left out on slides"] += len(shown) - len([t for t in shown if t in dict(found)])
        figures.counts["sums higher than a slide"] += len(strange)
        if len(strange) > HIGHER:
            figures.fault(name, kind, strange[0], "is on no page of the document")
        found = [(tree, "") for tree in shown]
    for i, (tree, latex) in enumerate(found[: len(shown)]):
        if tree != shown[i]:
            figures.fault(name, kind, latex, f"{tree} is not {shown[i]}")
            break
        figures.counts["operands of displays compared"] += 1
    if len(found) != len(shown):
        figures.fault(name, kind, f"{len(found)} operands, not {len(shown)}")
    missing = [tree for tree in inline if tree not in inside]
    figures.counts["formulas in sentences compared"] += len(inline) - len(missing)
    for tree in missing[:1]:
        figures.fault(name, kind, tree, f"of {len(inline)} formulas in sentences {len(missing)} are missing")


FORMS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "markdown": ("markdown", lambda d: d.to_markdown()),
    "folded": ("markdown", lambda d: d._repr_markdown_()),
    "fragment": ("latex", lambda d: d.to_latex()),
    "narrow": ("latex", lambda d: d.to_latex(columns=2)),
    "numbered": ("latex", lambda d: d.to_latex(document=True, numbered=True, macros="my")),
    "columns": ("latex", lambda d: d.to_latex(document=True, columns=2, numbered=True, macros="my")),
    "beamer": ("latex", lambda d: d.to_beamer(document=True)),
}
"""Form -> what kind of file it is, and how it is written."""
