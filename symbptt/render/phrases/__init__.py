"""The phrase catalogues: a folder for each language, a file for each topic, the same keys and placeholders in all."""

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
    folders = (f for f in resources.files(__name__).iterdir() if f.is_dir())
    return tuple(sorted(f.name for f in folders if any(g.name.endswith(".toml") for g in f.iterdir())))


def check_language(lang: str) -> None:
    """Raise where there is no catalogue for a language."""
    if lang not in languages():
        raise UnknownNameError(f"unknown language {lang!r}{nearest(str(lang), languages())}")


@cache
def catalogue(lang: str) -> dict[str, str]:
    """Return key -> phrase of a language, keys joined with dots, from all files of its folder.

    >>> catalogue("en")["section.results"]
    'Results'
    """
    check_language(lang)
    found: dict[str, str] = {}
    for file in sorted(resources.files(__name__).joinpath(lang).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            found.update(_flat(tomllib.loads(file.read_text(encoding="utf-8")), ""))
    return found


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
