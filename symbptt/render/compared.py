"""A comparison with the true gradients: as text, Markdown, JSON, and as a page."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from html import escape
from typing import Any

from sympy import Basic

from .. import __version__
from ..algebra.plain import to_plain
from ..algebra.tex import to_tex
from ..codegen.comparing.result import Cause, Item
from .compared_words import Name, Words, written
from .html import asset
from .mathml import to_mathml
from .phrases import catalogue
from .text import broken, wrap

FORMAT, VERSION = "symbptt-compare", 1
SIGNS = {"right": "✓", "wrong": "✗", "undecided": "?"}
_HEADS = ("name", "shape", "dtype", "verdict", "found")
_CLASSES = {"right": "holds", "wrong": "refuted", "undecided": "unchecked"}
_WIDTH = 110


def compared_text(words: Words) -> str:
    """Return a comparison as plain text: all at a glance, then each array, where it first goes wrong, and why."""
    data, lang = words.data, words.lang
    lines = [written(words.summary(), to_plain)]
    for item in data.items:
        name = " ".join(filter(None, [written(words.name(item), to_plain), words.shape(item), item.dtype]))
        told = words.phrase("compare.line", name=name, details=words.details(item))
        lines += _indented(f"{SIGNS[item.verdict]} {written(told, to_plain)}", "  ", "    ")
    lines.append(f"  {catalogue(lang)['compare.unit']}")
    if data.first is not None:
        lines += _indented(written(words.first(data.first), to_plain), "", "  ")
        lines += [f"    {line}" for line in broken(to_plain(words.equation(data.first)), _WIDTH)]
    for i, told in enumerate(_told(words)):
        lines += [catalogue(lang)["compare.likely"]] * (not i)
        lines += _indented(written(told, to_plain), "  ", "    ")
    return "\n".join(lines)


def _told(words: Words) -> Iterator[list[Any]]:
    """Yield what is said of causes: one sentence for all that has the same, and one on what is left."""
    for causes, items in words.data.explanations.items():
        yield words.phrase("compare.cause", names=words.named(items), cause=words.causes(causes))
    if words.data.unexplained:
        yield words.phrase("compare.unexplained", names=words.named(words.data.unexplained))


def _indented(text: str, first: str, rest: str) -> list[str]:
    head, *more = wrap(text, _WIDTH)
    return [first + head, *(rest + line for line in more)]


def compared_markdown(words: Words) -> str:
    """Return a comparison as Markdown, as a notebook shows it."""
    data, lang = words.data, words.lang

    def tex(part: Any) -> str:
        return f"${to_tex(part)}$"

    heads = [catalogue(lang)[f"compare.head_{key}"] for key in _HEADS]
    rows = [heads, ["---"] * 5]
    for item in data.items:
        name = written(words.name(item), tex, _code)
        verdict = f"{SIGNS[item.verdict]} {words.verdict(item)}"
        rows.append([name, words.shape(item), item.dtype, verdict, written(words.details(item), tex)])
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    parts = [f"**{written(words.summary(), tex)}**"]
    if data.first is not None:
        parts += [written(words.first(data.first), tex), f"$$\n{_equation_tex(words)}\n$$"]
    causes = [f"- {written(told, tex, _code)}" for told in _told(words)]
    if causes:
        parts += [catalogue(lang)["compare.likely"], "\n".join(causes)]
    return "\n\n".join([*parts, table, catalogue(lang)["compare.unit"]]) + "\n"


def _code(name: str) -> str:
    return f"`{name}`"


def _equation_tex(words: Words) -> str:
    assert words.data.first is not None
    return to_tex(words.equation(words.data.first))


def compared_json(words: Words) -> str:
    """Return a comparison as JSON, the same bytes for the same numbers."""
    return json.dumps(as_data(words), ensure_ascii=False, indent=1) + "\n"


def as_data(words: Words) -> dict[str, Any]:
    """Return a comparison as dicts, lists, texts and numbers; what there is not, or is not finite, is None."""
    data, first = words.data, words.data.first
    return {
        "format": FORMAT,
        "version": VERSION,
        "generator": f"symbptt {__version__}",
        "language": words.lang,
        "ok": data.ok,
        "summary": written(words.summary(), to_plain),
        "steps": data.steps,
        "batch": data.batch,
        "tolerance": data.tolerance,
        "arrays": [_item(item, words) for item in data.items],
        "first": None
        if first is None
        else {
            "kind": first.item.kind,
            "key": first.item.key,
            "step": first.item.step,
            "entry": list(first.item.entry),
            "equation": to_plain(words.equation(first)),
            "latex": _equation_tex(words),
            "text": written(words.first(first), to_plain),
        },
        "causes": [
            {
                "names": [item.name for item in items],
                "causes": [_cause(cause) for cause in causes],
                "text": written(words.causes(causes), to_plain),
            }
            for causes, items in data.explanations.items()
        ],
    }


def _item(item: Item, words: Words) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "key": item.key,
        "name": item.name,
        "shape": list(item.shape),
        "dtype": item.dtype,
        "verdict": item.verdict,
        "compared": item.compared,
        "wrong": item.wrong,
        "entry": list(item.entry),
        "step": item.step,
        "given": _number(item.given),
        "true": _number(item.true),
        "error": _number(item.error),
        "expected": _number(item.expected),
        "causes": [cause.name for cause in item.causes],
        "text": written(words.details(item), to_plain),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cause(cause: Cause) -> dict[str, Any]:
    return {"name": cause.name, **{k: str(v) if isinstance(v, Basic) else v for k, v in cause.values}}


# -- a page ----------------------------------------------------------------------------------------------------
def compared_html(words: Words) -> str:
    """Return a comparison as a complete page that loads nothing."""
    title = escape(catalogue(words.lang)["compare.title"])
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{escape(words.lang)}">',
        "<head>",
        '<meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        '<meta name="color-scheme" content="light dark"/>',
        '<meta name="generator" content="symbptt"/>',
        f"<title>{title}</title>",
        f"<style>\n{asset('page.css')}\n{asset('formulas.css')}\n{asset('notes.css')}</style>",
        "</head>",
        '<body class="symbptt notes">',
        f"<header>\n<h1>{title}</h1>",
        f"<p>{_html(words.summary(), words.lang)}</p>\n</header>",
        "<main>",
        *_first(words),
        *_causes(words),
        *_table(words),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _html(parts: list[Any], lang: str) -> str:
    def words_of(part: Any) -> str:
        return escape(part) if isinstance(part, str) else to_mathml(part, lang=lang)

    return "".join(f"<code>{escape(p)}</code>" if isinstance(p, Name) else words_of(p) for p in parts)


def _table(words: Words) -> Iterator[str]:
    yield '<div class="wide">\n<table>\n<thead><tr>'
    for key in ("name", "shape", "dtype", "found"):
        yield f"<th>{escape(catalogue(words.lang)[f'compare.head_{key}'])}</th>"
    yield "</tr></thead>\n<tbody>"
    for item in words.data.items:
        sign = f'<span class="sign {_CLASSES[item.verdict]}" aria-hidden="true">{SIGNS[item.verdict]}</span>'
        cells = [
            f"{sign} {_html(words.name(item), words.lang)}",
            escape(words.shape(item)),
            escape(item.dtype),
        ]
        whole = "".join(f'<td class="whole">{cell}</td>' for cell in cells)
        yield f"<tr>{whole}<td>{_html(words.details(item), words.lang)}</td></tr>"
    yield f"</tbody>\n</table>\n</div>\n<p>{escape(catalogue(words.lang)['compare.unit'])}</p>"


def _first(words: Words) -> Iterator[str]:
    first = words.data.first
    if first is not None:
        yield f"<p>{_html(words.first(first), words.lang)}</p>"
        yield f'<div class="display">{to_mathml(words.equation(first), display=True, lang=words.lang)}</div>'


def _causes(words: Words) -> Iterator[str]:
    told = [_html(one, words.lang) for one in _told(words)]
    if told:
        yield f"<p>{escape(catalogue(words.lang)['compare.likely'])}</p>\n<ul>"
        yield from (f"<li>{text}</li>" for text in told)
        yield "</ul>"
