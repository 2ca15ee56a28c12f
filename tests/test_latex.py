"""LaTeX: fragments and documents, escapes, and long formulas broken before they reach the margin."""

from __future__ import annotations

import re

import pytest
from derivation_examples import MY_LSTM, relu_explosion, some_special_derivations, special_derivations, special_models

from symbptt import RNN, load
from symbptt.algebra.layout import Fence, Fraction, Grid, Ident, Item, Number, Operator, Row, Script, Words
from symbptt.algebra.tex import to_tex
from symbptt.render.blocks import Display, Document, Group, Heading, Math, Paragraph, Table
from symbptt.render.breaking import broken, width
from symbptt.render.latex import inline, text_tex, to_latex

PLUS = Operator("+")


def fragment(*blocks, lang: str = "en") -> str:
    return to_latex(Document(lang, "T", blocks)).split("\n\n", 1)[1].strip()


def letters(text: str) -> list[Item]:
    return [Ident(c) if c.isalpha() else Operator({"-": "−", "*": "⊙"}.get(c, c)) for c in text]


def display(left: str, *right: Item, sign: str = "=", reason=()) -> Display:
    return Display("key", Ident(left), tuple((sign, item) for item in right), reason)


def test_a_fragment_names_its_packages_and_nothing_of_a_document():
    tex = relu_explosion().derivation().to_latex()
    assert tex.startswith("% Needs \\usepackage{amsmath,booktabs}.\n\n\\section{Exploding gradients")
    assert "\\documentclass" not in tex and "\\begin{document}" not in tex and "XeLaTeX" not in tex
    assert "ctexart" in relu_explosion().derivation(lang="zh").to_latex().splitlines()[0]


@pytest.mark.parametrize(("lang", "head"), [("zh", "fontset=fandol,zihao=-4]{ctexart}"), ("en", "[11pt]{article}")])
def test_a_complete_document(lang, head):
    tex = relu_explosion().derivation(lang=lang).to_latex(document=True)
    assert head in tex and tex.endswith("\\end{document}\n") and tex.count("\\begin{document}") == 1
    assert "\\section{" in tex and "\\subsection*{" in tex and "\\toprule" in tex
    assert tex == relu_explosion().derivation(lang=lang).to_latex(document=True)


@pytest.mark.parametrize("made", [some_special_derivations, pytest.param(special_derivations, marks=pytest.mark.slow)])
def test_environments_are_balanced_and_no_blank_line_stands_before_a_display(made):
    for name, derivation in made():
        for complete in (True, False):
            tex = derivation.to_latex(document=complete)
            begun, ended = (re.findall(rf"\\{word}\{{([^}}]+)\}}", tex) for word in ("begin", "end"))
            assert sorted(begun) == sorted(ended), name
            assert len(re.findall(r"(?<!\\)\{", tex)) == len(re.findall(r"(?<!\\)\}", tex)), name
            assert tex.count("\\[\n") == tex.count("\n\\]"), name
            assert not re.search(r"[:：]\n\n(\\\[|\\begin\{align\*\})", tex), name
            assert "$$" not in tex and "\n\n\n" not in tex, name


def test_user_text_is_escaped():
    tex = RNN(MY_LSTM).derivation().to_latex(document=True)
    assert "lstm \\& co\\_1" in tex and "lstm & co" not in tex
    assert text_tex(r"50% $x_1$ #{a} ~^\write18") == (
        r"50\% \$x\_1\$ \#\{a\} \textasciitilde{}\textasciicircum{}\textbackslash{}write18"
    )
    assert text_tex("a ≈ b < c | α") == r"a $\approx$ b $<$ c $\vert$ $\alpha$"
    assert inline(("a & ", Math(Ident("h")), " b")) == r"a \& $h$ b"


def test_chinese_in_an_english_document_gets_its_fonts():
    model = relu_explosion().replace(title={"en": "Notes 笔记"})
    assert "scheme=plain]{ctex}" in model.derivation().to_latex(document=True)
    assert "ctex" not in relu_explosion().derivation().to_latex(document=True)


def test_headings_paragraphs_and_tables():
    assert fragment(Heading(1, ("A",)), Heading(2, ("B",)), Heading(3, ("C",))) == (
        "\\section{A}\n\n\\subsection{B}\n\n\\subsubsection*{C}"
    )
    table = fragment(Table((("a_b",), ("c",)), (((Math(Ident("h")),), ("d",)),)))
    assert "\\begin{tabular}{ll}\n\\toprule\na\\_b & c \\\\\n\\midrule\n$h$ & d \\\\\n\\bottomrule" in table
    long = Table((("a",),), ((("b",),),) * 31)
    whole = to_latex(Document("en", "T", (long,)))
    assert "\\begin{longtable}" in whole and "{amsmath,booktabs,longtable}" in whole


def test_short_chains_stay_on_a_line_and_long_ones_do_not():
    assert fragment(Paragraph(("So",)), display("a", Ident("b"), Ident("c"))) == "So\n\\[\na = b = c\n\\]"
    long = Row(tuple(letters("a+b+c+d+e+f")))
    lines = " \\\\\n".join(["&= a + b + c + d + e + f"] * 4)
    assert fragment(display("a", *[long] * 4)) == f"\\begin{{align*}}\na {lines}\n\\end{{align*}}"


def test_displays_that_follow_each_other_are_aligned():
    one = display("a", Ident("b"))
    assert fragment(one, one) == "\\begin{align*}\na &= b \\\\\na &= b\n\\end{align*}"
    assert fragment(Group((one, one))) == fragment(one, one)
    assert fragment(*[one] * 5).startswith("{\\allowdisplaybreaks\n\\begin{align*}\na &= b \\\\\n")


def test_reasons_and_rounded_signs():
    reason = ("because ", Math(Row((Ident("z"), Operator(">"), Number("0")))), " & so")
    assert fragment(display("a", Number("1"), sign="≈", reason=reason)) == (
        "\\[\na \\approx 1 \\quad \\text{(because $z > 0$ \\& so)}\n\\]"
    )
    below = fragment(display("a", Row(tuple(letters("+".join("abcdefghijk")))), reason=("x" * 30,)))
    assert below.count("\\\\") == 1 and "& \\quad \\text{" in below


def test_long_sums_are_broken_before_their_signs():
    tex = fragment(display("a", Row(tuple(letters("+".join("abcdefghijklmnopqrstuvw"))))))
    lines = tex.splitlines()
    assert lines[0] == "\\begin{align*}" and lines[1].startswith("a &= a + b")
    assert all(line.startswith("&\\qquad {}+ ") for line in lines[2:-1]) and len(lines) > 3


@pytest.mark.parametrize("room", [4.0, 8.0, 15.0])
@pytest.mark.parametrize(
    "item",
    [
        Row(tuple(letters("a+b-c+d*e+f"))),
        Row(tuple(letters("a*b*c*d*e*f*g"))),
        Row((Ident("tanh", "upright"), Fence(Row(tuple(letters("a+b+c+d+e+f")))))),
        Script(Fence(Row(tuple(letters("a+b+c+d+e+f+g")))), sup=Operator("⊤", "plain")),
        Row((Ident("a"), PLUS, Ident("b"), Fence(Row(tuple(letters("a+b+c+d+e")))))),
    ],
)
def test_breaking_loses_nothing_and_keeps_to_the_room(item, room):
    lines = broken(item, room, room)
    assert "".join(tex for tex, _ in lines).replace(" ", "") == to_tex(item).replace(" ", "")
    assert all(wide <= room + 1 for _, wide in lines) or room < 5
    assert len(lines) > 1 or width(item) <= room


def test_tall_brackets_are_broken_with_brackets_of_one_size():
    term = Fraction(Ident("a"), Ident("b"))
    item = Fence(Row((term, *[x for _ in range(8) for x in (PLUS, term)])))
    lines = [tex for tex, _ in broken(item, 8, 8)]
    assert lines[0].startswith("\\biggl( \\frac{a}{b}") and lines[-1].endswith("\\biggr) ") and len(lines) > 1


def test_wide_matrices_are_broken_inside_or_scaled():
    cell = Row(tuple(letters("+".join("abcdefghijklmnopqrstuvwxyz"))))
    tex = fragment(display("a", Grid(((cell, Number("0")), (Number("0"), Number("1"))))))
    assert "\\begin{bmatrix} \\begin{aligned} &a + b" in tex
    numbers = Grid((tuple(Number("0.123456") for _ in range(30)),))
    whole = to_latex(Document("en", "T", (display("a", numbers),)))
    assert "\\resizebox{\\linewidth}" in whole and "graphicx" in whole.splitlines()[0]
    assert fragment(display("a", Grid((tuple(Number("0.123456") for _ in range(8)),)))).startswith("{\\small\n\\[")


def test_no_line_of_any_example_is_wider_than_the_text():
    for name in ("lstm", "vector", "scalar lstm"):
        tex = special_models()[name].derivation(lang="zh").to_latex()
        assert "resizebox" not in tex, name


def test_the_width_of_words_counts_chinese_double():
    assert width(Words("梯度")) == 2 * width(Words("ab"))


def test_lists_of_numbers_stand_side_by_side():
    """Eleven matrices of 2 x 2 and vectors of 2 take four lines, in their order, and not one line each."""
    tex = load("delta-rule").derivation(sections=["given"]).to_latex()
    rows = tex.partition("\\begin{align*}\n")[2].partition("\n\\end{align*}")[0].splitlines()
    names = ["W_k", "W_v", "W_q", "w_\\beta", "S_0", "x_1", "x_2", "x_3", "\\hat{y}_1", "\\hat{y}_2", "\\hat{y}_3"]
    assert [row.count("&=") for row in rows] == [3, 3, 3, 2]
    assert re.findall(r"(?:^| & )(\S+) &=", "\n".join(rows), re.MULTILINE) == names


def test_long_jacobians_are_not_multiplied_out():
    """A product of Jacobians with many summands each would have to be scaled down until nobody can read it."""
    assert "resizebox" not in RNN("gru").derivation(sections=["closed"]).to_latex()
