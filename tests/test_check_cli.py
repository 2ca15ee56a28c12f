"""The command that checks notes, and the function: options, exit codes, files, bad input."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import report_examples as examples

import symbptt
from symbptt import cli
from symbptt.api import notes as api
from symbptt.errors import NoteError
from symbptt.reading.note import Note
from symbptt.reading.report import Claim, Report, message

GOOD, WRONG = "good.md", "wrong.md"
DIGITS = message("check.reason.digits", left_value=4, right_text="5")


class Result(NamedTuple):
    code: int
    out: str
    err: str


SETTINGS: list[dict[str, object]] = []
"""The options of every judgement."""


def judged(note: Note, **settings: object) -> Report:
    """Judge a note as the tests need it: what holds is ``2 + 2 = 4``, what is refuted ``2 + 2 = 5``."""
    claims = []
    for formula in note.formulas:
        wrong = "5" in formula.latex
        line, column = note.place(formula.start)
        claims.append(
            Claim(note.file, line, column, formula.start, formula.end, formula.latex, "refuted" if wrong else "holds",
                  DIGITS, right=formula.latex.replace("5", "4") if wrong else None, cell=note.cell(formula.start))
        )  # fmt: skip
    SETTINGS.append(settings)
    return Report((note,), tuple(claims), formulas=len(note.formulas), read=len(note.formulas))


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(api, "checked", judged)
    Path(GOOD).write_text("We have $2 + 2 = 4$.\n", "utf-8")
    Path(WRONG).write_text("So $2 + 2 = 5$, and 梯度 $1 + 1 = 2$.\n", "utf-8")


@pytest.fixture
def run(monkeypatch):
    """Run the command in this process: ``run("good.md") -> (code, out, err)``."""

    def command(*arguments: str, stdin: bytes = b"", terminal: bool = False) -> Result:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.setattr(out, "isatty", lambda: terminal, raising=False)
            code = cli.run(["check", *arguments])
            out.flush()
            err.flush()
        return Result(code, out.buffer.getvalue().decode("utf-8"), err.buffer.getvalue().decode("utf-8"))

    return command


# -- reports ---------------------------------------------------------------------------------------------------
def test_the_exit_code_says_whether_anything_is_refuted(run):
    assert run(GOOD).code == 0 and run(WRONG).code == 1 and run(GOOD, WRONG).code == 1


def test_text_is_the_default_everywhere(run):
    _, out, err = run(WRONG)
    assert out.startswith("2 formulas, 2 of them read\n") and "wrong.md:1:5: refuted  2 + 2 = 5" in out and not err
    assert "right: 2 + 2 = 4" in out and ": holds" not in out and ": holds" in run(WRONG, "--all").out
    assert "wrong.md:1:5: 错误" in run(WRONG, "--lang", "zh").out


def test_the_format_is_given_or_follows_from_the_file(run):
    assert json.loads(run(WRONG, "--to", "json").out)["counts"]["refuted"] == 1
    assert run(WRONG, "--to", "html").out.startswith("<!DOCTYPE html>")
    for name, start in (("a.json", "{"), ("a.html", "<!DOCTYPE"), ("a.txt", "2 formulas")):
        assert run(WRONG, "-o", name).code == 1
        assert Path(name).read_text("utf-8").startswith(start)
    assert run(WRONG, "--to", "json", "-o", "b.html").code == 1 and json.loads(Path("b.html").read_text("utf-8"))


def test_several_notes_are_one_report_and_each_is_read_once(run):
    data = json.loads(run(WRONG, GOOD, WRONG, "--to", "json").out)
    assert [c["file"] for c in data["claims"]] == [WRONG, WRONG, GOOD] and data["formulas"] == 3
    assert run(WRONG, GOOD, "--to", "html").out.count('<section class="note">') == 2


def test_standard_input(run):
    code, out, _ = run("-", stdin=b"so $2 + 2 = 5$")
    assert code == 1 and "<stdin>:1:5: refuted" in out
    tex = r"\documentclass{article}\begin{document}\begin{equation}2 + 2 = 5\end{equation}\end{document}"
    assert "refuted 1" in run("-", stdin=tex.encode()).out
    assert "not UTF-8" in run("-", stdin=b"\xff\xfe\xff").err


def test_colour_is_for_terminals_that_want_it(run, monkeypatch):
    assert "\x1b[" in run(WRONG, terminal=True).out
    assert "\x1b[" not in run(WRONG).out
    assert run(WRONG, "-o", "a.txt", terminal=True).code == 1 and "\x1b[" not in Path("a.txt").read_text("utf-8")
    assert "\x1b[" not in run(WRONG, "--to", "json", terminal=True).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run(WRONG, terminal=True).out


def test_options_about_the_model_reach_the_judging(run):
    assert run(GOOD, "--assume", "W_h=0.5", "--assume", "f=tanh").code == 0
    assert SETTINGS[-1] == {"assumed": {"W_h": 0.5}, "functions": {"f": "tanh"}}
    assert run(GOOD).code == 0 and SETTINGS[-1] == {}


# -- corrections -----------------------------------------------------------------------------------------------
def test_a_corrected_note_stands_beside_the_original(run, tmp_path):
    before = Path(WRONG).read_bytes()
    code, _, err = run(WRONG, GOOD, "--fix")
    assert code == 1 and Path(WRONG).read_bytes() == before
    assert Path("wrong.fixed.md").read_text("utf-8") == "So $2 + 2 = 4$, and 梯度 $1 + 1 = 2$.\n"
    assert not Path("good.fixed.md").exists()
    assert err.splitlines() == [
        "symbptt: wrote wrong.fixed.md: 1 replaced",
        "symbptt: good.md: nothing to fix",
    ]
    assert run("wrong.fixed.md").code == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encoding_and_line_ends_stay(run, encoding):
    text = "梯度\r\n\r\nso $2 + 2 = 5$\r\n"
    Path("n.md").write_bytes(text.encode(encoding))
    assert run("n.md", "--fix").code == 1
    assert Path("n.fixed.md").read_bytes() == text.replace("5", "4").encode(encoding)


def test_a_notebook_stays_a_notebook(run):
    cells = [
        {"cell_type": "code", "source": ["2 + 2 = 5"], "outputs": [], "metadata": {}, "execution_count": None},
        {"cell_type": "markdown", "source": ["so\n", "$2 + 2 = 5$\n", "梯度"], "metadata": {}},
    ]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    source = json.dumps(book, indent=1, ensure_ascii=False) + "\n"
    Path("b.ipynb").write_text(source, "utf-8")
    code, out, _ = run("b.ipynb", "--fix")
    assert code == 1 and "b.ipynb:cell 2:2:2: refuted" in out
    assert Path("b.fixed.ipynb").read_text("utf-8") == source.replace("$2 + 2 = 5$", "$2 + 2 = 4$")


# -- bad input -------------------------------------------------------------------------------------------------
BAD: dict[str, tuple[str, ...]] = {
    "Missing argument 'NOTE...'": (),
    "missing.md: no such file": ("missing.md",),
    "a directory": (".",),
    "not UTF-8": ("bad.md",),
    "binary": ("binary.md",),
    "suffix '.png'": ("a.png",),
    "unknown language 'fr'": (GOOD, "--lang", "fr"),
    "unknown format 'pdf'": (GOOD, "--to", "pdf"),
    "write NAME=VALUE": (GOOD, "--assume", "W_h"),
    "W_h=nan: no number": (GOOD, "--assume", "W_h=nan"),
    "W_h=1,2: no number": (GOOD, "--assume", "W_h=1,2"),
    "did you mean 'tanh'": (GOOD, "--assume", "f=tahn"),
    "take another name": (GOOD, "-o", f"./{GOOD}"),
    "cannot write no/a.json": (GOOD, "-o", "no/a.json"),
    "not as -": ("-", "--fix"),
}
"""What the message says -> the arguments."""


@pytest.mark.parametrize("said", BAD)
def test_bad_input_is_one_line_and_writes_nothing(run, said):
    Path("bad.md").write_bytes(b"$a = b$ \xff")
    Path("binary.md").write_bytes(b"$a = b$ \0")
    Path("a.png").write_bytes(b"abc")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    code, out, err = run(*BAD[said])
    assert code == 2 and not out and said in err
    assert err.startswith("symbptt: ") and err.count("\n") == 1 and "Traceback" not in err
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_one_bad_note_among_good_ones_gives_no_report(run):
    code, out, _ = run(GOOD, "missing.md", "-o", "a.json")
    assert code == 2 and not out and not Path("a.json").exists()


# -- the function ----------------------------------------------------------------------------------------------
def test_a_text_or_a_path(tmp_path):
    for note in (Path(WRONG), WRONG, Path(WRONG).read_text("utf-8"), str(tmp_path / WRONG)):
        report = symbptt.check_notes(note)
        assert not report.ok and not report and report.counts["refuted"] == 1 and report.formulas == report.read == 2
    assert symbptt.check_notes("$2 + 2 = 4$")
    assert [c.file for c in symbptt.check_notes(WRONG, "$2 + 2 = 4$").claims] == [WRONG, WRONG, "<text>"]
    files = [c.file for c in symbptt.check_notes("$2 + 2 = 4$", WRONG, "$2 + 2 = 5$").claims]
    assert files == ["<text 1>", WRONG, WRONG, "<text 2>"]


def test_a_report_shows_itself_in_its_language():
    report = symbptt.check_notes(Path(WRONG), lang="zh")
    assert "错误" in report.to_text() and "成立  1 + 1" in report.to_text(everything=True)
    assert json.loads(report.to_json())["language"] == "zh"
    assert report.to_html().startswith('<!DOCTYPE html>\n<html lang="zh">')
    assert report._repr_html_().startswith("<iframe srcdoc=")
    assert report.fixed() == Path(WRONG).read_text("utf-8").replace("5", "4")
    assert repr(report) == "<NoteReport: 2 formulas, 2 read; holds 1, refuted 1>"
    assert report == symbptt.check_notes(Path(WRONG), lang="zh") != symbptt.check_notes(Path(GOOD), lang="zh")


def test_what_looks_like_a_path_is_no_empty_note():
    with pytest.raises(NoteError, match="no such file"):
        symbptt.check_notes("notes/missing.md")
    with pytest.raises(NoteError, match="no note is given"):
        symbptt.check_notes()
    with pytest.raises(ValueError, match="unknown language"):
        symbptt.check_notes("$a$", lang="fr")
    with pytest.raises(NoteError, match="2 notes"):
        symbptt.check_notes("$a$", "$b$").fixed()


def test_reports_keep_their_data():
    report = examples.english()
    assert api.NoteReport(report).models == report.models and api.NoteReport(report).lints == report.lints
    assert api.NoteReport(replace(report, claims=())).ok


# -- pre-commit ------------------------------------------------------------------------------------------------
def test_the_hook_runs_the_real_command():
    root = Path(__file__).parents[1]
    hook = (root / ".pre-commit-hooks.yaml").read_text("utf-8")
    settings = dict(line.strip().lstrip("- ").split(": ", 1) for line in hook.splitlines() if ": " in line[:20])
    program, command = settings["entry"].split()
    assert settings["id"] == "symbptt-check" and settings["language"] == "python"
    assert set(settings["types_or"].strip("[]").split(", ")) == {"markdown", "tex"}
    assert command in cli.app.commands
    assert f'{program} = "symbptt.cli:main"' in (root / "pyproject.toml").read_text("utf-8")
