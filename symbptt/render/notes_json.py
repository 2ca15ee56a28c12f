"""A report about notes as JSON, for other programs; the schema is ``docs/schemas/check.schema.json``."""

from __future__ import annotations

import json
from typing import Any

from .. import __version__
from ..checking.result import Comparison
from ..reading.note import Note
from ..reading.report import Claim, CodeCheck, Counterexample, Lint, Report, Understood
from .gradients import details
from .notes_words import cause_text, counterexample_text, text_of

FORMAT = "symbptt-check"
VERSION = 1
"""Raised when a reader of the old form would misread the new one."""


def to_json(report: Report, lang: str = "en") -> str:
    """Return a report as JSON.

    Parameters
    ----------
    report : Report
    lang : str
        Of the texts in it; verdicts, causes and kinds are words of their own and the same in every language.

    Returns
    -------
    str
        The same bytes for the same report.

    Examples
    --------
    >>> json.loads(to_json(Report()))["counts"]["refuted"]
    0
    """
    return json.dumps(as_data(report, lang), ensure_ascii=False, indent=1) + "\n"


def as_data(report: Report, lang: str) -> dict[str, Any]:
    """Return a report as dicts, lists, texts and numbers; what there is not is None."""
    notes = {note.file: note for note in report.notes}
    return {
        "format": FORMAT,
        "version": VERSION,
        "generator": f"symbptt {__version__}",
        "language": lang,
        "ok": report.ok,
        "counts": report.counts,
        "formulas": report.formulas,
        "read": report.read,
        "claims": [_claim(claim, notes.get(claim.file), lang) for claim in report.claims],
        "lints": [_lint(lint, lang) for lint in report.lints],
        "models": [_model(model, lang) for model in report.models],
        "code": [_code(check, lang) for check in report.code],
    }


def _claim(claim: Claim, note: Note | None, lang: str) -> dict[str, Any]:
    end_line, end_column = note.place(claim.end) if note is not None else (None, None)
    return {
        "file": claim.file,
        "cell": claim.cell,
        "line": claim.line,
        "column": claim.column,
        "end_line": end_line,
        "end_column": end_column,
        "latex": claim.latex,
        "verdict": claim.verdict,
        "reason": text_of(claim.reason, lang),
        "condition": text_of(claim.condition, lang),
        "counterexample": _counterexample(claim.counterexample, lang),
        "cause": claim.cause,
        "cause_text": cause_text(claim, lang),
        "right": claim.right,
        "consequence_of": claim.consequence_of,
    }


def _counterexample(example: Counterexample | None, lang: str) -> dict[str, Any] | None:
    if example is None:
        return None
    return {
        "left": example.left,
        "relation": example.relation,
        "right": example.right,
        "left_value": _value(example.left_value),
        "right_value": _value(example.right_value),
        "sizes": dict(example.sizes),
        "indices": dict(example.indices),
        "numbers": {name: _value(value) for name, value in example.numbers},
        "given": example.given,
        "seed": example.seed,
        "text": counterexample_text(example, lang),
    }


def _value(value: Any) -> Any:
    """Return a number as it is, nested ones as lists, and what JSON has no number for as its name.

    >>> _value(((1.0, float("inf")), (2.5, None)))
    [[1.0, 'inf'], [2.5, None]]
    """
    if isinstance(value, tuple | list):
        return [_value(part) for part in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value


def _lint(lint: Lint, lang: str) -> dict[str, Any]:
    return {
        "file": lint.file,
        "cell": lint.cell,
        "line": lint.line,
        "column": lint.column,
        "kind": lint.kind,
        "message": text_of(lint.message, lang),
    }


def _model(model: Understood, lang: str) -> dict[str, Any]:
    return {
        "file": model.file,
        "cell": model.cell,
        "line": model.line,
        "equations": list(model.equations),
        "facts": [text_of(fact, lang) for fact in model.facts],
        "symbols": [
            {"latex": latex, "shape": shape, "meaning": text_of(meaning, lang)}
            for latex, shape, meaning in model.symbols
        ],
        "values": [{"latex": latex, "value": value} for latex, value in model.values],
    }


def _code(check: CodeCheck, lang: str) -> dict[str, Any]:
    return {
        "file": check.file,
        "line": check.line,
        "name": check.name,
        "verdict": check.verdict,
        "reason": text_of(check.reason, lang),
        "gradients": [_gradient(one, lang) for one in check.gradients],
        "remarks": [text_of(remark, lang) for remark in check.remarks],
        "output": check.output,
    }


def _gradient(one: Comparison, lang: str) -> dict[str, Any]:
    return {
        "parameter": one.name,
        "shape": list(one.shape),
        "verdict": one.verdict,
        "compared": one.compared,
        "wrong": one.wrong,
        "kinks": one.kinks,
        "error": one.error,
        "expected": one.expected,
        "entry": None if one.entry is None else list(one.entry),
        "given": one.given,
        "numeric": one.numeric,
        "causes": list(one.causes),
        "factor": one.factor,
        "text": details(one, lang),
    }
