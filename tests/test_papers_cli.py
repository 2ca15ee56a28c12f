"""The command line for papers and slides: options that reach the writer, and one clear line where they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbptt.cli import run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def derive(*arguments: str) -> int:
    return run(["derive", "relu-explosion", "--lang", "en", "--no-check", "--detail", "results", *arguments])


def test_options_reach_the_fragment():
    options = ("--columns", "2", "--numbered", "--macros", "my", "--cite")
    assert derive("--to", "latex", *options, "-o", "a.tex") == 0
    tex = Path("a.tex").read_text(encoding="utf-8")
    assert "\\label{relu-explosion:result.forward.L}" in tex and "\\begin{sloppypar}" in tex
    assert "\\cite{symbptt," in tex
    assert "\\providecommand{\\myD}" in tex and "\\myD{L}{W_h}" in tex
    assert derive("--to", "latex", "--numbered", "--labels", "x", "-o", "a.tex") == 0
    assert "\\label{x:result.forward.L}" in Path("a.tex").read_text(encoding="utf-8")


def test_a_mapping_of_macros_is_json():
    assert derive("--to", "latex", "--macros", '{"derivative": "\\\\grad"}', "-o", "a.tex") == 0
    assert "\\grad{L}{W_h}" in Path("a.tex").read_text(encoding="utf-8")


def test_frames():
    assert derive("--to", "beamer", "-o", "a.tex") == 0
    assert "\\begin{frame}{Results" in Path("a.tex").read_text(encoding="utf-8")
    assert run(["stability", "power-iteration", "--lang", "en", "--no-check", "--to", "beamer", "-o", "b.tex"]) == 0
    assert "\\begin{frame}" in Path("b.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--to", "markdown", "--numbered"), "--numbered belongs to --to latex or pdf, not to markdown"),
        (("--to", "html", "--columns", "2"), "--columns belongs to --to latex or pdf, not to html"),
        (("--to", "text", "--macros", "my"), "--macros belongs to --to latex, pdf or beamer, not to text"),
        (("--to", "beamer", "--cite"), "--cite belongs to --to latex or pdf, not to beamer"),
        (("--to", "latex", "--labels", "a"), "--labels belongs to --numbered"),
        (("--to", "latex", "--width", "3cm"), "at least 15em"),
        (("--to", "latex", "--macros", "{"), "--macros: not valid JSON"),
        (("--to", "latex", "--macros", "a_b"), "a prefix has letters alone"),
        (("--to", "beamer", "-o", "a.pdf"), "--to beamer writes LaTeX"),
    ],
)
def test_what_does_not_fit_is_one_line(arguments, words, capfd):
    assert derive(*arguments) == 2
    error = capfd.readouterr().err
    assert words in error and error.count("\n") == 1
    assert list(Path().iterdir()) == []


def test_cite_writes_bibtex(capfd):
    assert run(["cite", "lstm"]) == 0
    assert "@article{hochreiter1997," in capfd.readouterr().out
    assert run(["cite", "tanh", "--truncate", "window:3", "-o", "a.bib"]) == 0
    assert "@article{williams1990," in Path("a.bib").read_text(encoding="utf-8")
