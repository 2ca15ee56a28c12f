"""What the three writers of formulas promise: LaTeX, one line of text, MathML."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from symbptt.algebra.layout import (
    Accent,
    BigOperator,
    Brace,
    Cases,
    Fence,
    Fraction,
    Grid,
    Ident,
    Item,
    Number,
    Operator,
    Root,
    Script,
    Words,
    row,
)
from symbptt.algebra.plain import to_plain
from symbptt.algebra.tex import to_tex
from symbptt.render.mathml import to_mathml

I, N = Ident, Number
PLUS, MINUS, EQUALS, DOT, HADAMARD = map(Operator, "+\u2212=\u22c5\u2299")
PARTIAL, TOP, PRIME = (Operator(char, "plain") for char in "\u2202\u22a4\u2032")
COMMA, NEGATIVE = Operator(",", "separator"), Operator("\u2212", "prefix")


def word(name: str) -> Item:
    return Ident(name, "upright")


def sub(name: str, *index: Item) -> Item:
    return Script(I(name), row(*index))


def derivative(top: Item, bottom: Item) -> Item:
    return Fraction(row(PARTIAL, top), row(PARTIAL, bottom))


t, T, L, alpha = I("t"), I("T"), I("L"), I("\u03b1")
h_t, h_prev, h_2 = sub("h", t), sub("h", t, MINUS, N("1")), sub("h", N("2"))
W_h, W_x, b_h = sub("W", I("h")), sub("W", I("x")), sub("b", I("h"))
AFFINE = row(W_h, h_prev, PLUS, W_x, sub("x", t), PLUS, b_h)
ONE_MINUS = Fence(row(N("1"), MINUS, alpha))

TREES: dict[str, Item] = {
    "affine": row(h_t, EQUALS, word("tanh"), Fence(AFFINE)),
    "leaky": row(h_t, EQUALS, ONE_MINUS, h_prev, PLUS, alpha, word("tanh"), Fence(AFFINE)),
    "derivative": row(derivative(L, h_2), EQUALS, derivative(L, sub("h", N("3"))), derivative(sub("h", N("3")), h_2)),
    "immediate": Fraction(row(Script(PARTIAL, sup=Operator("+", "plain")), h_t), row(PARTIAL, W_h)),
    "transpose": row(Script(W_h, sup=TOP), word("diag"), Fence(row(N("1"), MINUS, Script(h_t, sup=N("2"))))),
    "hadamard": row(sub("\u03b4", t), HADAMARD, Script(word("tanh"), sup=PRIME), Fence(sub("z", t))),
    "sum": row(
        derivative(L, W_h),
        EQUALS,
        BigOperator("\u2211", row(t, EQUALS, N("1")), T, row(sub("\u03b4", t), Script(h_prev, sup=TOP))),
    ),
    "product": BigOperator(
        "\u220f", row(I("j"), EQUALS, t, PLUS, N("1")), I("s"), Fence(derivative(sub("h", I("j")), W_h))
    ),
    "bare sum": BigOperator("\u2211", I("k"), None, sub("y", I("k"))),
    "norm": row(
        Fence(derivative(h_t, h_prev), "\u2016", "\u2016"),
        Operator("\u2264"),
        Fence(W_h, "\u2016", "\u2016"),
        word("max"),
        Fence(Script(I("\u03c3"), sup=PRIME), "|", "|"),
    ),
    "brace": row(
        Brace(row(W_h, h_prev), Words("from the past")), PLUS, Brace(row(W_x, sub("x", t)), Words("来自输入"))
    ),
    "matrix": row(W_h, EQUALS, Grid(((N("0.5"), row(NEGATIVE, N("0.1"))), (N("0"), N("1")))), Operator("\u2248"), h_2),
    "column": Script(Grid(((I("a"),), (I("b"),))), sup=TOP),
    "wide": Grid((tuple(N(str(i)) for i in range(12)),)),
    "cases": row(
        word("relu"),
        Fence(I("u")),
        EQUALS,
        Cases(((I("u"), row(I("u"), Operator(">"), N("0"))), (N("0"), Words("otherwise")))),
    ),
    "words": row(I("a"), Words("if"), h_t, Operator(">"), N("0")),
    "scientific": row(N("2.5e-08"), DOT, N("3")),
    "hat": row(Accent(sub("y", t), "hat"), MINUS, Accent(row(I("a"), PLUS, I("b")), "bar")),
    "styles": row(
        Ident("h", "bold"), Ident("\u03c3", "bold"), Ident("L", "calligraphic"), Ident("\u2113"), Ident("\u0393")
    ),
    "dots": row(sub("J", T), Operator("\u22ef", "plain"), sub("J", N("1"))),
    "list": Fence(row(sub("x", N("1")), COMMA, Operator("\u2026", "plain"), COMMA, sub("x", T))),
    "unary": row(I("a"), EQUALS, NEGATIVE, N("2"), DOT, Fence(row(NEGATIVE, N("3")))),
    "evaluated": Script(Fence(derivative(L, I("h")), "", "|"), row(I("h"), EQUALS, N("0"))),
    "nested script": Script(Script(Script(W_h, sup=TOP), sup=I("k")), sub=row(I("i"), COMMA, I("j"))),
    "root": row(I("a"), Root(row(h_t, PLUS, N("1")))),
    "power of a root": Script(Root(h_t), sup=N("2")),
    "tall power": Script(Fraction(I("a"), I("b")), sup=N("2")),
    "odd names": row(
        word("leaky_relu"), Fence(I("loss")), word("cross-entropy"), I("学习率"), Words("50% of {x}_1 & #2")
    ),
    "infinite": row(Fence(I("x"), "|", "|"), Operator("<"), I("\u221e")),
    "named norm": row(word("diag"), Fence(I("x"), "\u2016", "\u2016")),
    "elementwise power": Script(I("h"), t, row(Operator("\u2299", "plain"), N("2"))),
    "primed index": Script(Script(I("h"), t, PRIME), sup=TOP),
    "layer": Script(I("h"), t, Fence(I("l"))),
}
everything = pytest.mark.parametrize("tree", TREES.values(), ids=TREES)


@everything
def test_latex_is_balanced(tree: Item) -> None:
    tex = re.sub(r"\\[{}]", "", to_tex(tree))
    depth = 0
    for char in tex:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
    assert re.findall(r"\\begin\{(\w+)\}", tex) == re.findall(r"\\end\{(\w+)\}", tex)
    assert tex.count(r"\left") == tex.count(r"\right")


@everything
def test_latex_keeps_other_scripts_inside_text(tree: Item) -> None:
    assert re.sub(r"\\text\{[^{}]*\}", "", to_tex(tree)).isascii()


@everything
@pytest.mark.parametrize("display", [False, True])
def test_mathml_is_well_formed(tree: Item, display: bool) -> None:
    root = ElementTree.fromstring(to_mathml(tree, display=display, lang="zh", annotate=True))
    space = "{http://www.w3.org/1998/Math/MathML}"
    assert root.tag == space + "math"
    arity = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "semantics": 2}
    for element in root.iter():
        count = arity.get(element.tag.removeprefix(space))
        assert count is None or len(element) == count
    annotation = root.find(f"{space}semantics/{space}annotation")
    assert annotation is not None
    assert annotation.text == to_tex(tree)


@everything
def test_plain_text_is_one_line(tree: Item) -> None:
    text = to_plain(tree)
    assert text.isprintable()
    assert text == text.strip()
    assert "  " not in text


@pytest.mark.parametrize(
    ("name", "tex"),
    [
        ("affine", r"h_t = \tanh(W_h h_{t-1} + W_x x_t + b_h)"),
        ("leaky", r"h_t = (1 - \alpha) h_{t-1} + \alpha \tanh(W_h h_{t-1} + W_x x_t + b_h)"),
        ("transpose", r"W_h^\top \thinspace \mathrm{diag}(1 - h_t^2)"),
        ("hadamard", r"\delta_t \odot \tanh'(z_t)"),
        ("sum", r"\frac{\partial L}{\partial W_h} = \sum_{t=1}^{T} \delta_t h_{t-1}^\top"),
        ("product", r"\prod_{j=t+1}^{s} \left( \frac{\partial h_j}{\partial W_h} \right)"),
        ("unary", r"a = -2 \cdot (-3)"),
        ("column", r"\begin{bmatrix} a \\ b \end{bmatrix}^\top"),
        ("list", r"(x_1, \dots, x_T)"),
        ("nested script", r"((W_h^\top)^k)_{i,j}"),
        ("scientific", r"2.5 \times 10^{-8} \cdot 3"),
        ("hat", r"\hat{y}_t - \overline{a + b}"),
        ("styles", r"\mathbf{h} \boldsymbol{\sigma} \mathcal{L} \ell \Gamma"),
        ("layer", r"h_t^{(l)}"),
        ("immediate", r"\frac{\partial^+ h_t}{\partial W_h}"),
        ("primed index", r"h_t'^\top"),
        ("infinite", r"\lvert x \rvert < \infty"),
    ],
)
def test_latex_reads_as_if_written_by_hand(name: str, tex: str) -> None:
    assert to_tex(TREES[name]) == tex


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("affine", "hₜ = tanh(W_h hₜ₋₁ + W_x xₜ + b_h)"),
        ("derivative", "∂L/∂h₂ = ∂L/∂h₃ ∂h₃/∂h₂"),
        ("immediate", "∂⁺hₜ/∂W_h"),
        ("transpose", "W_hᵀ diag(1 − hₜ²)"),
        ("hadamard", "δₜ ⊙ tanh′(zₜ)"),
        ("sum", "∂L/∂W_h = Σₜ₌₁ᵀ δₜ hₜ₋₁ᵀ"),
        ("product", "Πⱼ₌ₜ₊₁ˢ (∂hⱼ/∂W_h)"),
        ("matrix", "W_h = [[0.5, −0.1], [0, 1]] ≈ h₂"),
        ("column", "[a; b]ᵀ"),
        ("scientific", "2.5×10⁻⁸ · 3"),
        ("hat", "ŷₜ − bar(a + b)"),
        ("tall power", "(a/b)²"),
        ("list", "(x₁, …, x_T)"),
        ("words", "a if hₜ > 0"),
        ("layer", "hₜ^(l)"),
        ("brace", "W_h hₜ₋₁ + W_x xₜ"),
    ],
)
def test_plain_text_uses_small_letters_for_time_indices_only(name: str, text: str) -> None:
    assert to_plain(TREES[name]) == text


def test_plain_text_writes_notes_on_request() -> None:
    assert to_plain(TREES["brace"], notes=True) == "(W_h hₜ₋₁) ⟨from the past⟩ + (W_x xₜ) ⟨来自输入⟩"


def test_plain_fractions_keep_their_parts_together() -> None:
    half = Fraction(N("1"), N("2"))
    assert to_plain(Fraction(row(I("a"), PLUS, I("b")), row(I("c"), I("d")))) == "(a + b)/(c d)"
    assert to_plain(row(half, I("x"))) == "(1/2) x"
    assert to_plain(Fraction(half, I("x"))) == "(1/2)/x"


def test_plain_braced_sums_keep_their_brackets_among_factors() -> None:
    braced = Brace(row(I("a"), PLUS, I("b")), Words("sum"))
    assert to_plain(row(braced, I("c"))) == "(a + b) c"
    assert to_plain(row(braced, PLUS, I("c"))) == "a + b + c"


def test_plain_bounds_without_small_letters_are_spelled_out() -> None:
    total = BigOperator("\u2211", row(t, EQUALS, I("\u03c4")), T, L)
    assert to_plain(total) == "Σ_{t=τ..T} L"


def test_mathml_marks_products_and_applications() -> None:
    assert "</msub><mo>&#x2062;</mo><msub>" in to_mathml(TREES["affine"])
    assert "<mi>tanh</mi><mo>&#x2061;</mo><mrow><mo" in to_mathml(TREES["affine"])


def test_mathml_brackets_grow_only_around_tall_bodies() -> None:
    assert 'stretchy="false"' in to_mathml(Fence(I("a")))
    assert 'stretchy="true"' in to_mathml(Fence(Fraction(I("a"), I("b"))))


def test_markup_in_names_and_words_is_escaped() -> None:
    text = to_mathml(row(I("<b>"), Words("a & b")), lang='"><script>')
    assert "<b>" not in text and "<script>" not in text
    assert ElementTree.fromstring(text) is not None


def test_a_control_word_is_set_apart_from_a_letter_only() -> None:
    assert to_tex(row(PARTIAL, L)) == r"\partial L"
    assert to_tex(row(PARTIAL, I("\u03b1"))) == r"\partial\alpha"


def test_explicit_application_shows_only_in_mathml() -> None:
    tree = row(I("f"), Operator("\u2061", "plain"), Fence(I("x")))
    assert (to_tex(tree), to_plain(tree)) == ("f(x)", "f(x)")
    assert "<mi>f</mi><mo>&#x2061;</mo><mrow>" in to_mathml(tree)


@pytest.mark.katex
def test_katex_accepts_every_formula_in_strict_mode(require: Callable[[str], Any]) -> None:
    katex = require("katex")
    program = """
        const katex = require(process.argv[1]);
        for (const tex of JSON.parse(require("fs").readFileSync(0)))
            katex.renderToString(tex, {strict: "error", throwOnError: true, displayMode: true});
    """
    formulas = json.dumps([to_tex(tree) for tree in TREES.values()])
    run = subprocess.run(
        [katex.node, "-e", program, katex.package], input=formulas, capture_output=True, text=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr
