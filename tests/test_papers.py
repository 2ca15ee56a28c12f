"""LaTeX for papers: columns, numbers, labels, references, macros; measured on the page."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from derivation_examples import relu_explosion

from symbptt import RNN, load
from symbptt.algebra.layout import Grid, Ident, Number, Operator, Row
from symbptt.errors import SizeError, UnknownNameError, ValueInputError
from symbptt.examples import example_names
from symbptt.render.blocks import Display, Group
from symbptt.render.latex import broken_tex
from symbptt.render.latex_style import COLUMN, COLUMN_SEP
from symbptt.render.macros import MARKS
from symbptt.render.references import uses

LANGUAGES = ("zh", "en")
POINT = 72 / 72.27
"""A point of TeX in points of PDF."""
RELU = relu_explosion()


def labels(tex: str) -> list[str]:
    return re.findall(r"\\label\{([^}]*)\}", tex)


# -- numbers and references -----------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["lstm", "softmax-readout", "truncation-regular"])
def test_every_displayed_step_has_one_label(name):
    derivation = load(name).derivation()
    tex = derivation.to_latex(numbered=True, labels=name)
    steps = [step.key for step in derivation.steps if step.chain]
    assert labels(tex) == [f"{name}:{re.sub(r'[^A-Za-z0-9.:_+-]', '-', key)}" for key in steps]
    assert len(set(labels(tex))) == len(labels(tex))


def test_a_chain_over_several_lines_has_one_number():
    tex = RNN("gru").derivation(sections=["recursion"]).to_latex(numbered=True)
    for body in re.findall(r"\\begin\{align\}\n(.*?)\n\\end\{align\}", tex, flags=re.S):
        rows = body.split(" \\\\\n")
        assert len(rows) > 1
        assert all(row.endswith("\\notag") for row in rows[:-1]) and "\\label" in rows[-1]
    assert "align*" not in tex and "\\[" not in tex


def test_references_lead_to_earlier_labels_of_the_same_document():
    for sections in (None, ["parameters"]):
        tex = RNN("lstm").derivation(sections=sections).to_latex(numbered=True)
        seen: set[str] = set()
        for label, reference in re.findall(r"\\label\{([^}]*)\}|\\eqref\{([^}]*)\}", tex):
            assert not reference or reference in seen
            seen.add(label)
        assert ("\\eqref" in tex) == (sections is None)


def test_a_reference_names_what_was_put_in():
    found = uses(RNN("tanh", readout="linear").derivation())
    assert found["local.h"] == ("local.y",) and found["parameter.W_h"] == ("recursion.z",)
    assert found["initial.h"] == ("recursion.z",)  # at step 1 of what holds for every t
    numbers = uses(RELU.derivation())
    assert numbers["backward.h.2"] == ("backward.z.3",) and numbers["forward.z.2"] == ("forward.h.1",)


def test_labels_are_in_latex_only():
    derivation = RELU.derivation()
    plain = derivation.to_latex()
    assert "\\label" not in plain and "\\eqref" not in plain and "\\begin{equation}" not in plain
    assert "\\label" not in derivation.to_markdown()


def test_labels_begin_with_the_cell_or_what_is_given():
    assert labels(RNN("gru").derivation(detail="results").to_latex(numbered=True))[0].startswith("gru:result.")
    with pytest.raises(ValueInputError, match="labels"):
        RNN("gru").derivation().to_latex(numbered=True, labels="a b")


# -- macros ---------------------------------------------------------------------------------------------
def test_a_prefix_names_macros_that_the_head_defines():
    tex = RNN("lstm").derivation().to_latex(macros="bptt")
    head, _, body = tex.partition("\\section")
    used = set(re.findall(r"\\(bptt\w+)", body))
    assert {"bpttT", "bptthad", "bpttdiag", "bpttD", "bpttDplus"} <= used
    defined = re.findall(r"^\\providecommand\{\\(bptt\w+)\}", head, flags=re.M)
    assert used <= set(defined) and len(defined) == len(set(defined))
    assert not re.search(r"\\top(?![A-Za-z])|\\odot|\\mathrm\{diag\}|\\frac\{\\partial", body)


def test_macros_of_the_author_are_used_and_not_defined():
    tex = RNN("lstm").derivation().to_latex(macros={"transpose": r"\trans"})
    assert "^{\\trans}" in tex and "providecommand" not in tex and "\\odot" in tex
    mixed = RNN("lstm").derivation().to_latex(macros={"transpose": r"\trans", "prefix": "my"})
    assert "^{\\trans}" in mixed and "\\mythad" not in mixed and "\\providecommand{\\myhad}{\\odot}" in mixed
    assert "\\providecommand{\\trans}" not in mixed


def test_macros_expand_to_what_stands_there_without_them():
    plain = load("hessian-vector").derivation().to_latex()
    tex = load("hessian-vector").derivation().to_latex(macros="my")
    head, body = tex.split("\n\n", 2)[1:]
    for line in reversed(head.splitlines()):
        name, count, meaning = re.fullmatch(r"\\providecommand\{(\\\w+)\}(\[2\])?\{(.*)\}", line).groups()
        pattern = re.escape(name) + (r"\{((?:[^{}]|\{[^{}]*\})*)\}" * 2 if count else r"(?![A-Za-z])")
        while re.search(pattern, body):
            arguments = re.search(pattern, body).groups()
            new = meaning
            for i, argument in enumerate(arguments):
                new = new.replace(f"#{i + 1}", argument)
            body = re.sub(pattern, lambda m, new=new: new, body, count=1)
    squeezed = [re.sub(r"[\s{}]", "", text) for text in (body, plain.split("\n\n", 1)[1])]
    assert squeezed[0] == squeezed[1]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("a1", ValueInputError),
        ({"transpose": "trans"}, ValueInputError),
        ({"transposed": r"\trans"}, UnknownNameError),
    ],
)
def test_macros_that_tex_would_not_take_are_refused(given, error):
    with pytest.raises(error, match="macros"):
        RELU.derivation().to_latex(macros=given)


# -- columns --------------------------------------------------------------------------------------------
def test_impossible_columns_and_widths():
    derivation = RELU.derivation()
    for options, words in (({"columns": 3}, "1 or 2"), ({"width": "wide"}, "243pt"), ({"width": "2cm"}, "15em")):
        with pytest.raises(SizeError, match=words):
            derivation.to_latex(**options)


def test_a_narrow_text_has_more_lines_and_the_same_formulas():
    derivation = RNN("gru").derivation(sections=["recursion"])
    wide, narrow = derivation.to_latex(), derivation.to_latex(columns=2)
    assert narrow.count("\\\\\n") > wide.count("\\\\\n") and "\\begin{sloppypar}" in narrow
    squeezed = [
        re.sub(
            r"\\small|\\footnotesize|\\begin\{(align\*|sloppypar)\}|\\end\{(align\*|sloppypar)\}|\\\[|\\\]|\\q?quad|\\\\|[\s&{}]",
            "",
            text,
        )
        for text in (wide, narrow)
    ]
    assert re.sub(r"\\[bB]ig+[lr]|\\left|\\right", "", squeezed[0]) == re.sub(
        r"\\[bB]ig+[lr]|\\left|\\right", "", squeezed[1]
    )


def test_the_body_of_one_equation_keeps_to_the_room():
    long = Row((Ident("a"), *(item for _ in range(9) for item in (Operator("+"), Ident("b")))))
    display = Display("key", Ident("c"), (("=", long),))
    assert broken_tex(display, 40) == "c = a" + " + b" * 9
    assert broken_tex(display, 12).startswith("\\begin{aligned}\nc &= a + b")
    two = broken_tex(Group((display, display)), 40)
    assert two.count("&=") == 2 and two.endswith("\\end{aligned}")
    grid = Grid((tuple(Number("0.5") for _ in range(3)),))
    assert "&" in broken_tex(Display("key", Ident("c"), (("=", grid),)), 40)


# -- on the page ----------------------------------------------------------------------------------------
def compiled(source: str, folder: Path, xelatex: str, runs: int = 1) -> str:
    """Compile in a folder; return the log."""
    (folder / "a.tex").write_text(source, encoding="utf-8")
    command = [xelatex, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    for _ in range(runs):
        environment = {**os.environ, "max_print_line": "10000"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300)
    log = (folder / "a.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, [line for line in log.splitlines() if line.startswith(("!", "l."))]
    return log


def together(sources: list[str]) -> str:
    """Make one complete document of several."""
    parts = [re.split(r"\\begin\{document\}|\\end\{document\}", source) for source in sources]
    packages = {p for head, *_ in parts for p in re.search(r"\\usepackage\{(amsmath[^}]*)\}", head)[1].split(",")}
    head = re.sub(r"\\usepackage\{amsmath[^}]*\}", rf"\\usepackage{{{','.join(sorted(packages))}}}", parts[0][0])
    macros = {m for head, *_ in parts for m in re.findall(r"^\\providecommand.*$", head, flags=re.M)}
    bodies = "\n\\clearpage\n".join(body for _, body, _ in parts)
    return "\n".join([head, *sorted(macros), "\\begin{document}", bodies, "\\end{document}"])


def complaints(log: str) -> list[str]:
    wide = [found[0] for found in re.finditer(r"Overfull \\hbox \(([\d.]+)pt.*", log) if float(found[1]) > 1]
    return wide + re.findall(r"Missing character.*|.*undefined on input.*|.*multiply defined.*", log)


def pages(pdf: Path, pdftoppm: str, dpi: int = 50) -> list[np.ndarray]:
    """Return the pages as arrays of grey values."""
    subprocess.run([pdftoppm, "-gray", "-r", str(dpi), str(pdf), str(pdf.with_suffix(""))], check=True)
    found = []
    for file in sorted(pdf.parent.glob(f"{pdf.stem}-*.pgm")):
        width, height = map(int, re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", file.read_bytes()).groups())
        found.append(np.frombuffer(file.read_bytes()[-width * height :], np.uint8).reshape(height, width))
    return found


def ink(page: np.ndarray, left: float, right: float, top: float = 0.0, bottom: float = 842.0, dpi: int = 50) -> bool:
    """Whether anything dark stands in a part of a page, in points of PDF."""
    a, b, c, d = (round(at * dpi / 72) for at in (left, right, top, bottom))
    return bool((page[c:d, a:b] < 128).any())


@pytest.mark.tex
@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_worked_example_stays_in_its_column(lang, require, tmp_path):
    sources = [
        load(name).derivation(lang=lang).to_latex(document=True, columns=2, numbered=True, labels=name, macros="my")
        for name in example_names()
    ]
    assert complaints(compiled(together(sources), tmp_path, require("ctex"), runs=2)) == []
    half = (COLUMN + COLUMN_SEP / 2) * POINT
    middle = 595.28 / 2
    every = pages(tmp_path / "a.pdf", require("pdftoppm"))
    assert len(every) > len(sources)
    assert any(ink(page, middle - half, middle) for page in every)
    for number, page in enumerate(every, start=1):
        assert not ink(page, 0, middle - half - 2), number
        assert not ink(page, middle + half + 2, 595), number
        assert not ink(page, middle - 5, middle + 5, top=130, bottom=765), number


@pytest.mark.tex
@pytest.mark.parametrize("lang", LANGUAGES)
def test_numbered_documents_and_fragments_compile_with_their_references(lang, require, tmp_path):
    xelatex = require("ctex")
    derivation = load("lstm").derivation(lang=lang)
    log = compiled(derivation.to_latex(document=True, numbered=True, cite=True), tmp_path, xelatex, runs=2)
    assert complaints(log) == []
    head = {"zh": "\\documentclass[fontset=fandol,twocolumn]{ctexart}", "en": "\\documentclass[twocolumn]{article}"}
    column = f"\\setlength{{\\textwidth}}{{{2 * COLUMN + 10}pt}}\\setlength{{\\columnsep}}{{10pt}}"
    fragment = derivation.to_latex(columns=2, numbered=True, macros="bptt")
    source = f"{head[lang]}\n\\usepackage{{amsmath,booktabs,graphicx}}{column}\n\\begin{{document}}\n{fragment}"
    (tmp_path / "fragment").mkdir()
    assert complaints(compiled(source + "\\end{document}", tmp_path / "fragment", xelatex, runs=2)) == []


@pytest.mark.tex
def test_a_pdf_in_two_columns(require, tmp_path):
    require("ctex")
    path = RELU.derivation(detail="brief").to_pdf(tmp_path / "a.pdf", columns=2, numbered=True, cite=True)
    text = subprocess.run([require("pdftotext"), str(path), "-"], capture_output=True, check=True).stdout.decode()
    assert "Werbos" in text and "??" not in text and "(1)" in text


def test_every_mark_has_a_macro_of_its_own():
    assert len({name for name, _ in MARKS.values()}) == len(MARKS)
