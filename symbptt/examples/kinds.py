"""The kinds of values in a model file: how each is recognised, called in messages, and described in the JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

LANGUAGES = ("en", "zh")


class Written(str):
    """A decimal number as it was written, so that 2.50 stays 2.50."""

    __slots__ = ()


_NUMBER = re.compile(r"[+-]?(?:\d+/0*[1-9]\d*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?)")


def number_fault(value: Any) -> str | None:
    """Return what is wrong with a number, a list or a nested list of numbers, or None.

    >>> number_fault([[1, "2.50"], ["1/3", 0]]), number_fault([1, [2]]), number_fault("nan")
    (None, 'has rows of different lengths', "has 'nan', which is not a finite number")
    """
    if isinstance(value, list):
        if not value:
            return "is empty"
        faults = [fault for fault in map(number_fault, value) if fault]
        return faults[0] if faults else (None if _is_rectangular(value) else "has rows of different lengths")
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        return None
    return f"has {shown(value)}, which is not a finite number"


def shown(value: Any) -> str:
    """Return a value as it stands in a message, cut where it is long."""
    text = str(value) if isinstance(value, Written) else json.dumps(value, ensure_ascii=False, default=str)
    text = repr(str(value)) if isinstance(value, str) and not isinstance(value, Written) else text
    return text if len(text) <= 60 else text[:57] + "..."


def _is_rectangular(rows: list[Any]) -> bool:
    def shape(value: Any) -> tuple[int, ...]:
        return (len(value), *shape(value[0])) if isinstance(value, list) else ()

    return all(shape(row) == shape(rows[0]) for row in rows)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Written) and bool(value.strip())


def _is_size(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and value > 0
    return _is_text(value) and value.isidentifier()


def _is_positive(value: Any) -> bool:
    number = isinstance(value, Written | int) and not isinstance(value, bool) and number_fault(value) is None
    return number and float(value) > 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_steps(value: Any) -> bool:
    whole = (isinstance(v, int) and not isinstance(v, bool) and v > 0 for v in value) if isinstance(value, list) else ()
    return isinstance(value, list) and bool(value) and all(whole)


def _is_shape(value: Any) -> bool:
    return _is_size(value) or (isinstance(value, list) and len(value) <= 2 and all(map(_is_size, value)))


def _is_words(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and set(value) <= {*LANGUAGES} and all(map(_is_text, value.values()))
    return _is_text(value)


def _is_truncation(value: Any) -> bool:
    """Whether it is a window's length, or truncations as on the command line; numbers are checked further on."""
    if isinstance(value, list):
        return bool(value) and all(not isinstance(v, list) and _is_truncation(v) for v in value)
    return _is_text(value) or (isinstance(value, int) and not isinstance(value, bool))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_cell(value: Any) -> bool:
    return _is_text(value) or isinstance(value, dict)


class Kind(NamedTuple):
    """A kind of value: the check, the words for it, and its JSON schema."""

    holds: Callable[[Any], bool]
    words: str
    schema: dict[str, Any]


_TEXT = {"type": "string", "minLength": 1}
_SIZE = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}]}
_REFERENCE = {"$ref": "#/$defs/numbers"}
_CELL = {"anyOf": [_TEXT, {"$ref": "#/$defs/cell"}]}
NUMBERS: dict[str, Any] = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": f"^(?:{_NUMBER.pattern})$"},
        {"type": "array", "minItems": 1, "items": _REFERENCE},
    ]
}

KINDS: dict[str, Kind] = {
    "text": Kind(_is_text, "a string", _TEXT),
    "words": Kind(
        _is_words,
        'a string, or a table such as {en = "...", zh = "..."}',
        {
            "anyOf": [
                _TEXT,
                {"type": "object", "properties": dict.fromkeys(LANGUAGES, _TEXT), "additionalProperties": False}
                | {"minProperties": 1},
            ]
        },
    ),
    "flag": Kind(lambda v: isinstance(v, bool), "true or false", {"type": "boolean"}),
    "size": Kind(_is_size, "a positive integer or the name of a symbol", _SIZE),
    "size or none": Kind(
        lambda v: _is_size(v) or (v == 0 and v is not False),
        "a positive integer, the name of a symbol, or 0 for no input",
        {"anyOf": [{"const": 0}, *_SIZE["anyOf"]]},
    ),
    "shape": Kind(
        _is_shape,
        "a size, or a list of at most two sizes",
        {"anyOf": [*_SIZE["anyOf"], {"type": "array", "maxItems": 2, "items": _SIZE}]},
    ),
    "texts": Kind(_is_texts, "a list of strings", {"type": "array", "minItems": 1, "items": _TEXT}),
    "positive": Kind(_is_positive, "a number greater than 0", {"type": "number", "exclusiveMinimum": 0}),
    "count": Kind(_is_count, "an integer from 0 on", {"type": "integer", "minimum": 0}),
    "steps": Kind(
        _is_steps,
        "a list of positive integers",
        {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 1}},
    ),
    "numbers": Kind(lambda v: number_fault(v) is None, "a number, or a list or nested list of numbers", _REFERENCE),
    "truncation": Kind(
        _is_truncation,
        'a number of steps, a string such as "segments:3", or a list of them',
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                _TEXT,
                {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "integer", "minimum": 1}, _TEXT]}},
            ]
        },
    ),
    "direction": Kind(
        lambda v: v in (1, -1, "both") and not isinstance(v, bool), "1, -1 or 'both'", {"enum": [1, -1, "both"]}
    ),
    "sizes": Kind(
        lambda v: isinstance(v, list) and bool(v) and all(map(_is_size, v)),
        "a list of sizes, one for each layer",
        {"type": "array", "minItems": 1, "items": _SIZE},
    ),
    "cell": Kind(_is_cell, "the name of a cell", _CELL),
    "cells": Kind(
        lambda v: isinstance(v, list) and bool(v) and all(map(_is_cell, v)),
        "a list of cells, each a name or a table",
        {"type": "array", "minItems": 1, "items": _CELL},
    ),
}
"""Kind -> how it is checked, called and written as a JSON schema."""


# -- the table ----------------------------------------------------------------------------------------
