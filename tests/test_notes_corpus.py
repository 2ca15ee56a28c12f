"""The notes of ``tests/notes`` and what is expected of them: that the expectations speak of what is really there.

Beside each note stands ``NAME.expect.toml``: every formula with a relation, with the verdicts that a careful lecturer
would accept, best first. In the notes whose names do not begin with ``planted`` no formula is wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from symbptt.reading.extract import read_note
from symbptt.reading.report import CAUSES, LINTS, REFUTED, VERDICTS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent / "notes"
NOTES = sorted(path for path in FOLDER.iterdir() if path.is_file() and not path.name.endswith(".expect.toml"))
PLANTED = [path for path in NOTES if path.name.startswith("planted")]
GOOD = [path for path in NOTES if path not in PLANTED]


def expected(note: Path) -> dict[str, Any]:
    """Return what is expected of a note."""
    return tomllib.loads(note.with_name(note.name + ".expect.toml").read_text(encoding="utf-8"))


def texts(note: Path) -> dict[int | None, str]:
    """Return the text of a note; of a notebook, the text of each Markdown cell by its number."""
    text = note.read_text(encoding="utf-8")
    if note.suffix != ".ipynb":
        return {None: text}
    cells = json.loads(text)["cells"]
    return {i: "".join(c["source"]) for i, c in enumerate(cells, 1) if c["cell_type"] == "markdown"}


def named(paths: list[Path]) -> pytest.MarkDecorator:
    """Return a mark that runs a test for each note."""
    return pytest.mark.parametrize("note", paths, ids=lambda path: path.name)


def test_there_are_eleven_good_notes_and_five_with_planted_mistakes() -> None:
    assert len(GOOD) == 11
    assert len(PLANTED) == 5
    assert {path.suffix for path in NOTES} == {".md", ".tex", ".ipynb", ".rst", ".txt"}


@named(NOTES)
def test_every_expected_formula_begins_where_it_is_said_to(note: Path) -> None:
    of = texts(note)
    for claim in expected(note)["claim"]:
        text = of[claim.get("cell")]
        rest = "\n".join(text.split("\n")[claim["line"] - 1 :])
        place = rest.find(claim["latex"])
        assert place >= 0, claim
        assert "\n" not in rest[:place], claim


@named(NOTES)
def test_every_expected_formula_is_taken_out_of_its_note(note: Path) -> None:
    read = read_note(str(note))
    found = set()
    for formula in read.formulas:
        latex = formula.latex.lstrip()
        line, _ = read.place(formula.offset(len(formula.latex) - len(latex)))
        found.add((read.cell(formula.start), line, latex.rstrip()))
    expectation = expected(note)
    assert len(read.formulas) == expectation["formulas"]
    for claim in expectation["claim"]:
        assert (claim.get("cell"), claim["line"], claim["latex"]) in found
    unclosed = {lint["line"] for lint in expectation.get("lint", []) if lint["kind"] == "unclosed"}
    assert {read.place(problem.start)[0] for problem in read.problems} == unclosed


@named(NOTES)
def test_every_word_of_an_expectation_is_a_known_one(note: Path) -> None:
    found = expected(note)
    assert 15 <= found["formulas"] <= 60
    assert len(found["claim"]) <= found["formulas"]
    for claim in found["claim"]:
        assert claim["verdict"]
        assert set(claim["verdict"]) <= set(VERDICTS), claim
        assert set(claim.get("cause", [])) <= set(CAUSES), claim
        assert ("cause" in claim) == ("right" in claim) == (REFUTED in claim["verdict"]), claim
        assert set(claim) <= {"cell", "line", "latex", "verdict", "cause", "right", "consequence_of", "optional"}
    of = texts(note)
    for lint in found.get("lint", []):
        assert lint["kind"] in LINTS
        assert of[lint.get("cell")].split("\n")[lint["line"] - 1].strip()


@named(GOOD)
def test_a_good_note_may_not_be_refuted(note: Path) -> None:
    assert not [claim for claim in expected(note)["claim"] if REFUTED in claim["verdict"]]


@named(PLANTED)
def test_a_consequence_names_an_earlier_formula_that_is_wrong(note: Path) -> None:
    claims = expected(note)["claim"]
    wrong = {claim["line"] for claim in claims if claim["verdict"][0] == REFUTED}
    for claim in claims:
        if "consequence_of" in claim:
            assert claim["consequence_of"] in wrong
            assert claim["consequence_of"] < claim["line"]


def test_the_planted_mistakes_are_of_every_kind() -> None:
    claims = [claim for note in PLANTED for claim in expected(note)["claim"] if claim["verdict"][0] == REFUTED]
    assert {claim["cause"][0] for claim in claims} == set(CAUSES)
    assert {lint["kind"] for note in PLANTED for lint in expected(note).get("lint", [])} == set(LINTS)
    assert len(claims) >= 30
