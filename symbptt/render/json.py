"""JSON: all of a derivation, for other programs; the schema is ``docs/schemas/derivation.schema.json``."""

from __future__ import annotations

import json
from copy import copy
from dataclasses import fields, is_dataclass, replace
from typing import Any

from sympy import Basic, srepr

from .. import __version__
from ..algebra.layout import Item
from ..algebra.plain import to_plain
from ..algebra.present import present
from ..algebra.scalar import to_scalar
from ..algebra.tex import to_tex
from ..derive.sections import ONE_ROW
from ..derive.steps import Line, Section, Step
from ..model import Network
from ..model.heads import total_loss_text
from .blocks import Block, Inline, Paragraph
from .document import Writer
from .markdown import inline as markdown_inline
from .text import inline as plain_inline

FORMAT = "symbptt-derivation"
VERSION = 1
"""Raised when a reader of the old form would misread the new one."""


def to_json(derivation: Any) -> str:
    """Return all of a :class:`symbptt.Derivation` as JSON.

    Parameters
    ----------
    derivation : Derivation

    Returns
    -------
    str
        The same bytes for the same derivation.
    """
    return json.dumps(_Export(derivation).whole(), ensure_ascii=False, indent=1) + "\n"


class _Export:
    """Turns the steps of a derivation into plain data, in its language and notation."""

    def __init__(self, derivation: Any) -> None:
        self.derivation = derivation
        self.writer = Writer(derivation)

    # -- the whole ------------------------------------------------------------------------------------
    def whole(self) -> dict[str, Any]:
        given, document = self.derivation, self.writer.document()
        return {
            "format": FORMAT,
            "version": VERSION,
            "generator": f"symbptt {__version__}",
            "language": given.lang,
            "notation": given.notation if isinstance(given.notation, str) else dict(given.notation),
            "title": document.title,
            "network": self._network(given.derived.network),
            "options": self._options(),
            "verified": all(given.verdicts.values()) if given.verdicts else None,
            "sections": [self._section(section) for section in given.sections],
        }

    def _network(self, network: Network) -> dict[str, Any]:
        system, cell = network.system, network.cell
        return {
            "cell": {
                "name": cell.name,
                "equations": list(cell.equations),
                "states": list(cell.state_names),
                "output": cell.output,
                "direction": cell.direction,
                "roles": dict(cell.roles),
                "functions": {name: str(function.rule.expr) for name, function in cell.functions},
            },
            "equations": [self._equation(equation, system.scalar) for equation in system.equations],
            "readout": network.readout,
            "loss": _loss(network),
            "reduction": network.reduction,
            "bias": network.bias,
            "readout_bias": network.readout_bias,
            "sizes": self._sizes(network),
            "scalar": system.scalar,
            "layout": network.layout,
        }

    def _equation(self, equation: Any, scalar: bool) -> dict[str, Any]:
        left, right = (to_scalar(e) if scalar else e for e in (equation.left, equation.right))
        return {"stage": equation.stage, "left": self._expr(left), "right": self._expr(right)}

    @staticmethod
    def _sizes(network: Any) -> dict[str, Any]:
        named = {"hidden": network.hidden, "inputs": network.inputs, "outputs": network.outputs, "steps": network.steps}
        batch = {} if network.batch is None else {"batch": network.batch}
        return {name: _size(value) for name, value in {**named, **batch, **dict(network.sizes)}.items()}

    def _options(self) -> dict[str, Any]:
        options = self.derivation.options
        rounding = {"mode": options.rounding.mode, "digits": options.rounding.digits}
        return {"detail": options.detail, "sections": list(options.keys), "rounding": rounding}

    # -- sections and steps ---------------------------------------------------------------------------
    def _section(self, section: Section) -> dict[str, Any]:
        blocks = self.writer.section(replace(section, steps=()))
        title = self.writer.phrases[f"section.{section.key}"]
        return {
            "key": section.key,
            "title": title,
            "intro": _words(blocks),
            "steps": [self._step(s) for s in section.steps],
        }

    def _step(self, step: Step) -> dict[str, Any]:
        if ONE_ROW in step.facts and not self.writer.names.rows:
            other = copy(self)
            other.writer = self.writer.of_one_row()
            return other._step(step)
        words = _words(self.writer.step(replace(step, chain=(), substeps=())))
        return {
            "key": step.key,
            "rule": step.rule,
            "kind": step.kind,
            "phrase": words,
            "left": None if step.left is None else self._expr(step.left),
            "chain": self._chain(step),
            "shape": [str(size) for size in step.shape],
            "range": None if step.steps is None else [str(bound) for bound in step.steps],
            "facts": {name: self._fact(value) for name, value in step.facts},
            "substeps": [self._step(substep) for substep in step.substeps],
            "verified": self.derivation.verdicts.get(step.key),
        }

    def _chain(self, step: Step) -> list[dict[str, Any]]:
        if not step.chain:
            return []
        items = [item for _, item in self.writer.display(step).lines[-len(step.chain) :]]
        return [self._line(line, item) for line, item in zip(step.chain, items, strict=True)]

    def _line(self, line: Line, item: Item) -> dict[str, Any]:
        braces = [{"key": key, "text": self.writer.phrases[key]} for key in line.braces]
        return {"sign": line.sign, **self._expr(line.expr, item), "braces": braces}

    # -- expressions and facts ------------------------------------------------------------------------
    def _expr(self, expr: Any, item: Item | None = None) -> dict[str, str]:
        """One expression in four ways; ``item`` is how it is printed, where that is not the expression alone."""
        plain = present(expr, self.writer.names)
        return {
            "latex": to_tex(plain if item is None else item),
            "text": to_plain(plain),
            "language": str(expr),
            "srepr": srepr(expr),
        }

    def _fact(self, value: Any) -> Any:
        if isinstance(value, Basic):
            return self._expr(value)
        if isinstance(value, tuple | list):
            return [self._fact(part) for part in value]
        if isinstance(value, Network):
            return self._network(value)
        if is_dataclass(value):
            return {field.name: self._fact(getattr(value, field.name)) for field in fields(value)}
        return value if isinstance(value, str | int | float | bool | None) else str(value)


def _words(blocks: list[Block]) -> dict[str, str]:
    """The words of blocks, with formulas in dollar signs and as plain text."""
    words: list[tuple[Inline, ...]] = [block.words for block in blocks if isinstance(block, Paragraph)]
    return {
        "markdown": "\n\n".join(map(markdown_inline, words)),
        "text": "\n\n".join(map(plain_inline, words)),
    }


def _size(value: Any) -> int | str | None:
    if value is None:
        return None
    return int(value) if value.is_Integer else str(value)


def _loss(network: Any) -> dict[str, str]:
    """Return the loss; of several readouts the sum of their losses."""
    if network.heads:
        return {
            "name": " + ".join(head.loss.name for head in network.heads),
            "equation": total_loss_text(network.heads),
        }
    return {"name": network.loss.name, "equation": network.loss.equation}
