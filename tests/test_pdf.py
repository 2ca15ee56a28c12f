"""PDF: documents compile with XeLaTeX in both languages, keep inside the margins, and are the same every time."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from cells import CELLS
from derivation_examples import relu_explosion, special_models

from symbptt import RNN, load
from symbptt.errors import MissingToolError, OutputError
from symbptt.examples import example_names
from symbptt.render.latex import to_latex
from symbptt.render.pdf import compiled, to_pdf

LANGUAGES = ("zh", "en")
HOSTILE = r"50% of $x_1$ & #2 {\write18{ls}} ~^ \end{document} <a|b> „é“ ≈ α"


def compile_here(source: str, folder: Path, xelatex: str) -> str:
    """Compile in a folder; return the log."""
    (folder / "a.tex").write_text(source, encoding="utf-8")
    command = [xelatex, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    environment = {**os.environ, "max_print_line": "10000"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300)
    log = (folder / "a.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, [line for line in log.splitlines() if line.startswith("!")]
    return log


def complaints(log: str) -> list[str]:
    """Boxes that stick out by more than a point, and characters that no font has."""
    wide = [found[0] for found in re.finditer(r"Overfull \\hbox \(([\d.]+)pt.*", log) if float(found[1]) > 1]
    return wide + re.findall(r"Missing character.*", log)


def text_of(pdf: Path, pdftotext: str) -> str:
    return subprocess.run([pdftotext, str(pdf), "-"], capture_output=True, check=True).stdout.decode("utf-8")


@pytest.mark.tex
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", list(special_models()))
def test_every_rule_compiles_inside_the_margins(name, lang, require, tmp_path):
    source = special_models()[name].derivation(lang=lang).to_latex(document=True)
    assert complaints(compile_here(source, tmp_path, require("ctex"))) == []


@pytest.mark.tex
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", CELLS)
def test_every_cell_compiles_inside_the_margins(name, lang, require, tmp_path):
    source = RNN(CELLS[name]).derivation(lang=lang).to_latex(document=True)
    assert complaints(compile_here(source, tmp_path, require("ctex"))) == []


@pytest.mark.tex
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", example_names())
def test_every_worked_example_compiles_inside_the_margins(name, lang, require, tmp_path):
    source = load(name).derivation(lang=lang).to_latex(document=True)
    assert complaints(compile_here(source, tmp_path, require("ctex"))) == []


@pytest.mark.tex
@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ["梯度爆炸", "前向传播", "链式法则", "模型"]), ("en", ["Exploding", "Forward pass", "chain rule"])],
)
def test_the_words_and_numbers_are_in_the_pdf(lang, words, require, tmp_path):
    require("ctex")
    path = relu_explosion().derivation(lang=lang).to_pdf(tmp_path / "relu.pdf")
    text = text_of(path, require("pdftotext"))
    assert [word for word in [*words, "84.5", "130.0", "52.0"] if word not in text] == []
    assert [p.name for p in tmp_path.iterdir()] == ["relu.pdf"]


@pytest.mark.tex
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_same_bytes_from_run_to_run(lang, require, tmp_path):
    require("ctex")
    document = relu_explosion().derivation(lang=lang, detail="results").document()
    first, second = (to_pdf(document, tmp_path / name).read_bytes() for name in ("a.pdf", "b.pdf"))
    assert first == second and first.startswith(b"%PDF")


@pytest.mark.tex
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_fragment_can_be_put_into_a_document(lang, require, tmp_path):
    fragment = relu_explosion().derivation(lang=lang).to_latex()
    head = {"zh": "\\documentclass[fontset=fandol]{ctexart}", "en": "\\documentclass{article}"}[lang]
    source = f"{head}\n\\usepackage{{amsmath,booktabs}}\n\\begin{{document}}\n{fragment}\n\\end{{document}}\n"
    assert complaints(compile_here(source, tmp_path, require("ctex"))) == []


@pytest.mark.tex
def test_no_text_of_a_user_is_run(require, tmp_path):
    require("ctex")
    model = RNN("tanh", title={"en": HOSTILE})
    text = text_of(model.derivation(detail="results").to_pdf(tmp_path / "a.pdf"), require("pdftotext"))
    assert "50% of $x_1$ & #2 {\\write18{ls}}" in text and "\\end{document}" in text and "Results" in text


@pytest.mark.tex
def test_wide_matrices_and_long_sums_stay_inside_the_margins(require, tmp_path):
    size = 8
    values = {
        "W_h": [[0.123 * (i - j) for i in range(size)] for j in range(size)],
        "W_x": [[0.5]] * size,
        "b_h": [0.1] * size,
        "h0": [0.0] * size,
        "x": [[1.0], [2.0]],
        "target": [[0.25] * size] * 2,
    }
    source = RNN("relu", size, 1, values=values).derivation(detail="numbers").to_latex(document=True)
    assert complaints(compile_here(source, tmp_path, require("ctex"))) == []


@pytest.mark.tex
@pytest.mark.parametrize(
    ("line", "missing"),
    [
        (r"\usepackage{nosuchpackage}", "nosuchpackage.sty"),
        (r"\usepackage{fontspec}\setmainfont{No Such Font}", "No Such Font"),
    ],
)
def test_what_tex_does_not_have_is_named(line, missing):
    source = f"\\documentclass{{article}}\n{line}\n\\begin{{document}}a\\end{{document}}"
    with pytest.raises(MissingToolError, match=f"{missing}.*texlive-lang-chinese") as error:
        compiled(source)
    assert "\n" not in str(error.value)


@pytest.mark.tex
def test_a_document_that_does_not_compile_says_why():
    with pytest.raises(OutputError, match="Undefined control sequence") as error:
        compiled("\\documentclass{article}\\begin{document}\\nosuchcommand\\end{document}")
    assert "\n" not in str(error.value)


def test_without_xelatex_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="apt-get install texlive-xetex") as error:
        relu_explosion().derivation().to_pdf(tmp_path / "a.pdf")
    assert "\n" not in str(error.value) and list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("symbptt.render.pdf.compiled", lambda source: b"%PDF")
    document = relu_explosion().derivation(detail="results").document()
    with pytest.raises(OutputError, match="does not exist"):
        to_pdf(document, tmp_path / "nowhere" / "a.pdf")
    with pytest.raises(OutputError, match="not a regular file"):
        to_pdf(document, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr("symbptt.render.pdf.compiled", lambda source: b"new")
    document = relu_explosion().derivation(detail="results").document()
    target = tmp_path / "a.pdf"
    target.write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(OutputError, match="Permission denied"):
            to_pdf(document, target)
    assert target.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a.pdf"]
    assert to_pdf(document, target) == target and target.read_bytes() == b"new"


def test_the_complete_document_is_what_is_compiled(tmp_path, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr("symbptt.render.pdf.compiled", lambda source: seen.append(source) or b"%PDF")
    document = relu_explosion().derivation(lang="zh", detail="results").document()
    to_pdf(document, tmp_path / "a.pdf")
    assert seen == [to_latex(document, complete=True)]
