"""Slides: frames that hold what fits on them, measured on the page."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from derivation_examples import relu_explosion

from symbptt import RNN, load
from symbptt.algebra.layout import Grid, Ident, Number
from symbptt.errors import SymbpttError
from symbptt.examples import example_names
from symbptt.render.beamer import to_beamer
from symbptt.render.blocks import Display, Document, Heading


def results(name: str, lang: str):
    try:
        return load(name).derivation(lang=lang, detail="results")
    except SymbpttError:  # a network whose numbers nobody could read
        return load(name).derivation(lang=lang, detail="results", values={})


def test_results_are_a_frame_or_a_few():
    tex = RNN("tanh").derivation(detail="results").to_beamer()
    assert tex.startswith("% Needs the class beamer, \\usepackage{amsmath,booktabs}.\n\n\\begin{frame}{Results}\n")
    assert tex.count("\\begin{frame}") == tex.count("\\end{frame}") == 1 and "\\documentclass" not in tex


def test_what_does_not_fit_goes_to_further_frames_and_none_is_lost():
    derivation = load("lstm").derivation(lang="en", detail="results")
    tex = derivation.to_beamer()
    count = tex.count("\\begin{frame}")
    assert count > 1 and f"\\begin{{frame}}{{Results ({count}/{count})}}" in tex
    assert "allowframebreaks" not in tex
    formulas = re.findall(r"\\frac\{\\partial L\}\{[^&]*?\} &?\\approx", derivation.to_latex())
    assert [f.replace("&", "") for f in formulas] == [
        f.replace("&", "") for f in re.findall(r"\\frac\{\\partial L\}\{[^&]*?\} &?\\approx", tex)
    ]


@pytest.mark.parametrize(("lang", "name"), [("en", "{beamer}"), ("zh", "{ctexbeamer}")])
def test_a_complete_deck(lang, name):
    tex = relu_explosion().derivation(lang=lang, detail="results").to_beamer(document=True, macros="my")
    assert name in tex.splitlines()[1] and "\\titlepage" in tex and tex.endswith("\\end{document}\n")
    assert "\\providecommand{\\myD}" in tex.partition("\\begin{document}")[0] and "\\myD{L}{h_3}" in tex


def test_a_formula_that_could_not_be_read_is_left_out_with_a_sentence():
    wide = Grid((tuple(Number("0.123456") for _ in range(30)),))
    frames = to_beamer(Document("en", "T", (Heading(1, ("T",)), Display("key", Ident("a"), (("=", wide),)))))
    assert "too wide for a slide" in frames and "0.123456" not in frames


@pytest.mark.tex
@pytest.mark.parametrize(
    ("lang", "complete"),
    [
        ("zh", False),
        ("en", True),
        pytest.param("zh", True, marks=pytest.mark.slow),
        pytest.param("en", False, marks=pytest.mark.slow),
    ],
)
def test_the_slides_of_every_worked_example_hold_what_is_on_them(lang, complete, require, tmp_path):
    xelatex = require("ctex")
    deck = results("relu-explosion", lang).to_beamer(document=True)
    head = deck.partition("\\begin{document}")[0]
    bodies = [results(name, lang).to_beamer(document=complete) for name in example_names()]
    if complete:
        bodies = [re.split(r"\\begin\{document\}|\\end\{document\}", body)[1] for body in bodies]
    else:
        head = head.replace("aspectratio=169,", "")  # narrower slides, as a deck of one's own may have
    source = "\n".join([head, "\\usepackage{graphicx}", "\\begin{document}", *bodies, "\\end{document}"])
    (tmp_path / "a.tex").write_text(source, encoding="utf-8")
    command = [xelatex, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "max_print_line": "10000"}, capture_output=True)
    log = (tmp_path / "a.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, [line for line in log.splitlines() if line.startswith(("!", "l."))]
    boxes = re.findall(r"Overfull \\[hv]box \(([\d.]+)pt", log)
    assert [box for box in boxes if float(box) > 1] == [] and "Missing character" not in log
