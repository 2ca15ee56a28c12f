"""Verdicts that notes get, beside those that a careful lecturer would accept (``tests/notes/*.expect.toml``)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from symbptt.reading.check import check_note
from symbptt.reading.extract import read_note
from symbptt.reading.report import Claim, Report

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NOTES = Path(__file__).resolve().parent / "notes"
NAMES = tuple(sorted(path.name.removesuffix(".expect.toml") for path in NOTES.glob("*.expect.toml")))


@dataclass(frozen=True)
class Expected:
    """One formula with a relation: where it stands, and what may be said about it, best first."""

    line: int
    latex: str
    verdicts: tuple[str, ...]
    causes: tuple[str, ...]
    cell: int | None
    optional: bool

    @property
    def wrong(self) -> bool:
        """Whether it is a mistake, and nothing else."""
        return self.verdicts[0] == "refuted"


@cache
def expected(name: str) -> tuple[Expected, ...]:
    """Return what is expected of a note."""
    table = tomllib.loads((NOTES / f"{name}.expect.toml").read_text(encoding="utf-8"))
    return tuple(
        Expected(
            entry["line"],
            entry["latex"],
            tuple(entry["verdict"]),
            tuple(_list(entry.get("cause"))),
            entry.get("cell"),
            entry.get("optional", False),
        )
        for entry in table["claim"]
    )


def _list(value: Any) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else [value]


@cache
def report(name: str) -> Report:
    """Return the report about a note of the corpus."""
    return check_note(read_note(NOTES / name))


def found(name: str, one: Expected) -> list[Claim]:
    """Return the claims that an expected formula was split into: itself, or its lines."""
    claims = [c for c in report(name).claims if c.cell == one.cell]
    last = one.line + one.latex.count("\n") + 1
    same = [c for c in claims if c.line == one.line and _bare(c.latex) == _bare(one.latex)]
    return same or [
        c
        for c in claims
        if one.line <= c.line <= last and (_bare(c.latex) in _bare(one.latex) or _bare(one.latex) in _bare(c.latex))
    ]


def accepted(name: str, one: Expected) -> bool:
    """Whether every part of a formula got a verdict that may be given; of a wrong one, at least one part."""
    verdicts = [c.verdict for c in found(name, one)]
    if one.optional:
        return True
    if "refuted" in one.verdicts and any(v in one.verdicts for v in verdicts):
        return True
    return bool(verdicts) and all(v in one.verdicts for v in verdicts)


def _bare(latex: str) -> str:
    return "".join(latex.split())
