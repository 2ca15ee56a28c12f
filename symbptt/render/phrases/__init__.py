"""The phrase catalogues: one TOML file for each language, with the same keys and placeholders in all."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import resources
from typing import Any

from ...errors import UnknownNameError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def languages() -> tuple[str, ...]:
    """Return the languages for which there is a catalogue.

    >>> languages()
    ('en', 'zh')
    """
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


def check_language(lang: str) -> None:
    """Raise where there is no catalogue for a language."""
    if lang not in languages():
        raise UnknownNameError(f"unknown language {lang!r}{nearest(str(lang), languages())}")


@cache
def catalogue(lang: str) -> dict[str, str]:
    """Return key -> phrase of a language, keys joined with dots.

    >>> catalogue("en")["section.results"]
    'Results'
    """
    check_language(lang)
    text = resources.files(__name__).joinpath(f"{lang}.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        found += _flat(value, name + ".") if isinstance(value, dict) else [(name, value)]
    return found


def placeholders(phrase: str) -> set[str]:
    """Return the names in braces in a phrase.

    >>> sorted(placeholders("{variable} acts through {ways}"))
    ['variable', 'ways']
    """
    return set(PLACEHOLDER.findall(phrase))
