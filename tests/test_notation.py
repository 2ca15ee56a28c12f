"""The notation parser: how formulas are read, where their parts stand, and what is refused."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from work import calls_within

from symbptt.reading import notation
from symbptt.reading.notation import NotationError, outline, parse
from symbptt.reading.notation.tree import (
    Chain,
    Derivative,
    Fence,
    Fraction,
    Listing,
    Name,
    Number,
    Plus,
    Product,
    Script,
    Tree,
)
from symbptt.render.phrases import catalogue, languages

READ = {
    "names and scripts": r"""
W^{(l)}_{hh}    W_{h h}^(l)
h^{\langle t \rangle} + h^{[l]} + a^{<t-1>}    h^<t> + h^[l] + a^<t - 1>
W^{\mathrm T} + W^T + W'    W^T:upright + W^T + W'
W {}^{\top} h    W^top h
W^{\prime\prime} + h_{t}^{'}    W'' + h'_t
\mathbf{h}_t + \mathbf{W_{hh}} + \bm W    h:bold_t + W:bold_{h h} + W:bold
\vec h_t + \hat y_t + \hat{y_t}    vec(h)_t + hat(y)_t + hat(y_t)
\overset{\rightarrow}{h}_t    overrightarrow(h)_t
x_{t,i} + W_{ij} + h_t^{(i)}    x_{t <,> i} + W_{i j} + h_t^(i)
W_hh_{t-1}    W_h h_{t - 1}
W_{\text{in}} + L_{\text{总}}    W_in:text + L_总:text
\text{smooth\_loss}_t    smooth_loss:text_t
\operatorname{diag}(z) + \mathrm{diag}\left[z\right]    {diag:text (z)} + {diag:upright [z]}
\mathop{\mathrm{diag}}(z) + \textbf{x}_t    {diag:upright (z)} + x:bold_t
softmax(Vh_t) + xlog(p)    {softmax:text (V h_t)} + {x log:text (p)}
\mathbf{1} - h \odot h    1:bold - {h odot h}
^\top    {}^top
\odot    odot
""",
    "numbers": r"""
1.0 \times 10^{-5} + 1e-5 + 10^{-60}    {1.0 times 10^{- 5}} + 1e-5 + 10^{- 60}
0.25^{100} + 1{,}000 + 1{,}234{,}567.8    0.25^100 + 1000 + 1234567.8
12.5\% + 5!    {12.5 percent} + {5 factorial}
\frac12 + \frac 1 2 + x^2y    frac(1; 2) + frac(1; 2) + {x^2 y}
""",
    "sums and products": r"""
a / b c    a / b c
1/2 (y-h)^2    1 / 2 (y - h)^2
\sum_{t} a_t b_t + c    sum_t{a_t b_t} + c
\sum_{t}{} y_t {} z    sum_t{y_t z}
\sum_t \sum_k a_{tk}    sum_t{sum_k{a_{t k}}}
\sum_{t=1}^T \left[ a + b \right] c    sum_{t = 1}^T{[a + b] c}
\prod_{i=t+1}^{t+k} \sigma'(z_i) \cdot W    prod_{i = {t + 1}}^{t + k}{sigma' (z_i) cdot W}
\sum_{\substack{i < j \\ j > 0}} a_{ij}    sum_{{i < j} <row> {j > 0}}{a_{i j}}
\tanh^2(x) + \tanh'(x) - f'(z)^2    {tanh^2 (x)} + {tanh' (x)} - {f' (z)^2}
\sigma(W h + b)    sigma ({W h} + b)
\arg\max_x f + \operatorname*{arg\,max}_{x} g    argmax_x{f} + argmax_x{g}
\max(0, x) + 1    {max (0 <,> x)} + 1
\underset{k}{\max}\, a_k    max_k{a_k}
\underbrace{a b}_{c} + d    under({a b}; c) + d
W_1 W_2 \cdots W_n + \dots    {W_1 W_2 ... W_n} + ...
a - \left( b \right. \\ & \left. + c \right)    a - (b + c)
y = a.b + c.d    y = {{a cdot b} + {c cdot d}}
\norm{x} \abs{a} + \pdv{L}{h_t}    {||x|| |a|} + partial(L; h_t)
{n \choose k} {a \over b}    binomial[n // k] frac(a; b)
""",
    "brackets and bars": r"""
|x|    |x|
|a||b| + |c| |d|    {|a| |b|} + {|c| |d|}
\|J\|_2 + \| \cdot \|    ||J||_2 + ||cdot||
||W h||_2 \le ||W|| \, ||h||    ||W h||_2 le {||W|| ||h||}
||a|-|b||    ||a| - |b||
\Big\| a + \|b\| c \Big\|    ||a + {||b|| c}||
p(y_t | x_t) + p(a \mid b, c)    {p (y_t <|> x_t)} + {p (a <|> b <,> c)}
p(\cdot | x)    p (cdot <|> x)
x \in [0, 1)    x in [0 <,> 1)
\frac{\partial h_t}{\partial W}\big|_{\text{local}}    at(partial(h_t; W); local:text)
f'(z) \big|_{z = 0} g    at({f' (z)}; {z = 0}) g
\left. \frac{\partial L}{\partial h} \right|_{h = 0}    at(partial(L; h); {h = 0})
""",
    "derivatives": r"""
\frac{\partial}{\partial W}\left(a b\right) c    partial((a b); W) c
\frac{\partial}{\partial y} \frac{1}{2} (y - h)^2    partial({frac(1; 2) (y - h)^2}; y)
\frac{\partial^2 L}{\partial h_t^2}    partial^2(L; h_t^2)
\frac{\partial^2 L}{\partial h_t \partial h_s}    partial^2(L; h_t, h_s)
\frac{\partial^+ h_t}{\partial W}    partial^plus(h_t; W)
\frac{\hat{\partial} L}{\partial W}    partial^hat(partial)(L; W)
\frac{\mathrm d L}{\mathrm d h} + \frac{dh_t}{dh_{t-1}}    d(L; h) + d(h_t; h_{t - 1})
dL/dh_t + \partial L/\partial h_t \cdot \partial h_t/\partial W    d(L; h_t) + {partial(L; h_t) cdot partial(h_t; W)}
\partial L/\partial h \, \partial h/\partial W    partial(L; h) partial(h; W)
\frac{{\partial {h_t}}}{{\partial {h_{t - 1}}}} + \frac{{\rm{d}}}{{\rm{d}}x}    partial(h_t; h_{t - 1}) + d(; x)
\partial_{h} L + \nabla_{\mathbf W} L    partial(L; h) + nabla(L; W:bold)
\nabla_\theta \log p(x) + \nabla^2_W L    nabla({log p (x)}; theta) + nabla^2(L; W)
\nabla_h L \big|_{h_0}    at(nabla(L; h); h_0)
\frac{\delta_t}{\delta_{t+1}} + \frac{d}{n}    frac(delta_t; delta_{t + 1}) + frac(d; n)
""",
    "statements": r"""
h_t = f(z_t) \quad \forall t    {h_t = {f (z_t)}} <quad> {forall t}
\quad (\text{because } z_3 = 14.0)    ("because" <words> {z_3 = 14.0})
t = 1, \dots, T    {t = 1} <,> ... <,> T
h_t \to y_t \xrightarrow{W} z    h_t to y_t to[W] z
a \overset{\text{def}}{=} b \stackrel{(1)}{=} c    a :=[def:text] b =[(1)] c
\nabla_W L \mathrel{+}= a    nabla(L; W) += a
a \not= b \not\in c    a ne b notin c
x = 1 \text{ for } t = 2    {x = 1} <words> "for" <words> {t = 2}
\text{if } -x    "if" <words> {- x}
损失 = a 因为 b = c，所以 c = d。    {损失:text = a} <words> "因为" <words> {b = c} <,> "所以" <words> {c = d}
\text{新状态} = \text{旧状态} + 1    新状态:text = {旧状态:text + 1}
h_t = 3.    h_t = 3
\text{if $x > 0$ then}    "if" <words> {x > 0} <words> "then"
a = b \hspace{1cm} c = d    {a = b} <quad> {c = d}
\boxed{a = b} \tag{3} \label{eq:x}    a = b
\textcolor{red}{x} + {\color{#ff0000} y}    box(x) + y
∂L/∂h = σ(h_{t−1}) ⊙ Wᵀ hₜ₋₁    partial(L; h) = {sigma (h_{t - 1}) odot W^top h_{t - 1}}
ŷ_t − y_t ≤ 10⁻⁵    {hat(y)_t - y_t} le 10^{- 5}
""",
    "lines": r"""
a &= b \\ &= c + d \\ &\quad + e \\ &\le f    a = b = {c + d + e} le f
a &= b \quad (\text{why}) \\ &= c    a = aside(b; (why:text)) = c
a = \\ b + \\ & c    a = {b + c}
a &= b & c &= d \\ e &= f & g &= h    {a = b} <quad> {c = d} <row> {e = f} <quad> {g = h}
a = 1 \\ -b = 2    {a = 1} <row> {{- b} = 2}
\begin{aligned} a &= b \\ &= c \\ d &= e \end{aligned}    {a = b = c} <row> {d = e}
a = \begin{aligned}[t] &b \\ &= c \end{aligned}    a = b = c
\begin{array}{rcl} a & = & b \\ & = & c \end{array}    a = b = c
\left\{\begin{aligned} a &= b \\ c &= d \end{aligned}\right.    {a = b} <row> {c = d}
\begin{cases} a = b \\ c = d \end{cases}    {a = b} <row> {c = d}
\begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{else} \end{cases}    cases[1 & {"if" <words> {x > 0}} // 0 & "else"]
f = \left\{\begin{array}{ll} 1, & x > 0 \\ 0, & x \le 0 \end{array}\right.    f = cases[1 & {x > 0} // 0 & {x le 0}]
\left\{ {\begin{array}{*{20}{c}} {1,} & {x > 0} \\ {0,} & {x} \end{array}} \right.    cases[1 & {x > 0} // 0 & x]
\begin{aligned} [a, b] &= c \end{aligned}    [a <,> b] = c
\left[\begin{array}{cc} 1 & 2 \\ 3 & 4 \end{array}\right]    [matrix[1 & 2 // 3 & 4]]
\begin{bmatrix} a & b \\ c & d \end{bmatrix}^\top    matrix[a & b // c & d]^top
""",
}
TABLE = [
    pytest.param(*line.split("    "), id=f"{topic}-{i}")
    for topic, lines in READ.items()
    for i, line in enumerate(lines.strip().split("\n"))
]


@pytest.mark.parametrize(("latex", "tree"), TABLE)
def test_a_formula_is_read_as_a_reader_would(latex: str, tree: str) -> None:
    assert outline(parse(latex)) == tree


def test_an_empty_formula_is_empty() -> None:
    assert [outline(parse(latex)) for latex in ("", "  ", "% nothing", ".", r"\quad")] == ["{}"] * 5


# -- places -------------------------------------------------------------------------------------------------
WHOLE = (Script, Fraction, Derivative, Fence, Name, Number, Product, Plus)
SHORTHAND = ("<t", "mathbf{W", "ŷ", "ᵀ", "5!", r"\left. +", "hₜ")  # what has no LaTeX of its own in the formula


def assert_places(latex: str) -> None:
    tree = parse(latex)
    for part in tree.walk():
        children = part.children
        assert all(part.start <= child.start <= child.end <= part.end for child in children), outline(part)
        pairs = itertools.pairwise(children)
        assert all(a.end <= b.start for a, b in pairs), outline(part)
        if isinstance(part, WHOLE):
            assert parse(latex[part.start : part.end]) == part, (latex[part.start : part.end], outline(part))


@pytest.mark.parametrize("latex", [p.values[0] for p in TABLE if not any(s in str(p.values[0]) for s in SHORTHAND)])
def test_what_stands_at_the_place_of_a_part_is_the_part(latex: str) -> None:
    assert_places(latex)


def test_the_place_of_a_bracket_includes_its_size() -> None:
    latex = r"f\bigl( x \bigr) \Big|_{0}"
    fence = next(part for part in parse(latex).walk() if isinstance(part, Fence))
    assert latex[fence.start : fence.end] == r"\bigl( x \bigr)"


def written(tree: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return formulas made of smaller ones."""
    return st.one_of(
        st.tuples(tree, tree).map(lambda ab: rf"\frac{{{ab[0]}}}{{{ab[1]}}}"),
        st.tuples(tree, tree).map(lambda ab: rf"\left( {ab[0]} + {ab[1]} \right)"),
        st.tuples(tree, tree).map(lambda ab: rf"({ab[0]} \cdot {ab[1]})^{{\top}}"),
        st.tuples(tree, tree).map(lambda ab: rf"\bigl[ {ab[0]} - {ab[1]} \bigr]"),
        st.tuples(tree, tree).map(lambda ab: rf"\frac{{\partial {ab[0]}}}{{\partial {ab[1]}}}"),
        st.tuples(tree, tree).map(lambda ab: rf"\lVert {ab[0]} \rVert_2 {ab[1]}"),
        st.tuples(tree, tree).map(lambda ab: rf"\left( \sum_{{t=1}}^{{T}} {ab[0]} {ab[1]} \right)"),
        tree.map(lambda a: rf"\sigma'({a})"),
        tree.map(lambda a: rf"| {a} |"),
        tree.map(lambda a: rf"\sqrt{{{a}}}"),
        tree.map(lambda a: rf"\operatorname{{diag}}\left( {a} \right)"),
    )


NAMES = st.sampled_from(
    ["h_t", "W", r"W_{hh}^\top", "h_{t-1}", r"\delta_t^{(l)}", r"\hat{y}_t", "2.5", "f'(z_t)", "x^2"]
)
FORMULAS = st.recursive(NAMES, written, max_leaves=8)


@settings(max_examples=60, deadline=None)
@given(FORMULAS, FORMULAS)
def test_places_hold_for_formulas_of_any_make(left: str, right: str) -> None:
    assert_places(rf"{left} &= {right} \\ &\le {left} + {right}")


def test_a_chain_over_several_lines_is_one_chain_with_its_whole_place() -> None:
    latex = r"a &= b \quad \text{(why)} \\ &= c, \\ d &= e"
    tree = parse(latex)
    assert isinstance(tree, Listing)
    first = tree.items[0]
    assert isinstance(first, Chain) and len(first.operands) == 3
    assert latex[first.start : first.end] == r"a &= b \quad \text{(why)} \\ &= c"


# -- macros -------------------------------------------------------------------------------------------------
MACROS = {
    "R": (0, None, r"\mathbb{R}"),
    "pd": (2, None, r"\frac{\partial #1}{\partial #2}"),
    "vv": (1, None, r"\mathbf{#1}"),
    "opt": (2, "x", "#1 + #2"),
    "sq": (1, None, "#1^2"),
    "nested": (1, None, r"\pd{\vv{#1}}{W}"),
}


@pytest.mark.parametrize(
    ("latex", "tree"),
    [
        (r"\R^{n}", "R:bb^n"),
        (r"\pd{L}{h_t} = \pd L h", "partial(L; h_t) = partial(L; h)"),
        (r"\opt{y} - \opt[z]{y}", "x + y - z + y"),
        (r"\sq{ab} + \sq c", "{a b^2} + c^2"),
        (r"\nested{h}_t", "partial(h:bold; W)_t"),
    ],
)
def test_macros_stand_for_their_bodies(latex: str, tree: str) -> None:
    assert outline(parse(latex, MACROS)) == tree


def test_parts_of_a_macro_lie_within_its_call() -> None:
    latex = r"a + \pd{L}{h_t} + \sq{b} c"
    tree = parse(latex, MACROS)
    for part in tree.walk():
        assert all(part.start <= child.start <= child.end <= part.end for child in part.children), outline(part)
    derivative = next(part for part in tree.walk() if isinstance(part, Derivative))
    assert latex[derivative.start : derivative.end] == r"\pd{L}{h_t}"


@pytest.mark.parametrize("body", [r"\loop", r"\loop\loop", r"x \loop + 1"])
def test_a_macro_that_calls_itself_is_refused(body: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(r"h = \loop", {"loop": (0, None, body)})
    assert caught.value.key in ("check.unread.macro-loop", "check.unread.too-long")
    assert caught.value.start == 4


def test_a_macro_that_doubles_its_argument_is_refused() -> None:
    with pytest.raises(NotationError, match="too-long"):
        parse(r"\double{xy}", {"double": (1, None, r"\double{#1#1}")})


# -- bad input ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("latex", "key", "start", "values"),
    [
        (r"h = \frobnicate{x}", "command", 4, {"what": r"\frobnicate"}),
        (r"a + \begin{tikzpicture} x", "environment", 4, {"what": "tikzpicture"}),
        (r"\begin{aligned} a &= b", "environment-open", 0, {"what": "aligned"}),
        (r"h_{t-1", "brace", 2, {}),
        (r"h_t}", "unexpected", 3, {"what": "}"}),
        (r"f(a + b", "bracket", 1, {}),
        (r"\left( a", "bracket", 0, {}),
        (r"\left( {a \right) }", "unexpected", 10, {"what": r"\right)"}),
        (r"a + b)", "unexpected", 5, {"what": ")"}),
        (r"a +", "incomplete", 3, {}),
        (r"\frac{a}", "missing-argument", 8, {}),
        (r"h_t_s", "double-script", 3, {}),
        (r"x^a^b", "double-script", 3, {}),
        (r"\text{never closed", "brace", 5, {}),
        (r"a # b", "unexpected", 2, {"what": "#"}),
        ("a \x00", "unexpected", 2, {"what": "U+0000"}),
    ],
)
def test_what_is_not_read_is_named_with_its_place(latex: str, key: str, start: int, values: dict[str, str]) -> None:
    with pytest.raises(NotationError) as caught:
        parse(latex)
    assert (caught.value.key, caught.value.start, caught.value.values) == (f"check.unread.{key}", start, values)


def test_every_reason_has_a_phrase_in_each_language() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(notation.__file__).parent.glob("*.py")))
    keys = set(re.findall(r'fail\(\s*"([a-z-]+)"', source)) | set(re.findall(r'"check\.unread\.([a-z-]+)"', source))
    assert len(keys) == 12
    for lang in languages():
        phrases = catalogue(lang)
        assert all(f"check.unread.{key}" in phrases for key in keys), lang


HUGE = {
    "nested braces": "{" * 10_000 + "}" * 10_000,
    "open braces": "{" * 10_000,
    "fractions": r"\frac" * 10_000,
    "accents": r"\hat" * 10_000,
    "carets": "^" * 50_000,
    "bars": "|" * 50_000,
    "brackets": "(" * 50_000,
    "letters": "a" * 50_001,
    "few bars": "|" * 9_001,
    "columns": "&" * 9_000 + "a +",
    "sums": r"\sum" * 9_000,
    "signs": "-" * 9_000,
    "terms": "a+" * 9_000,
    "lines": r"a &= b \\ -" * 2_000,
    "stacked": r"\overset{" * 5_000,
    "roots": r"\sqrt[" * 8_000,
    "texts": r"\text{" * 8_000,
    "derivatives": "d/" * 9_000,
    "styles": r"\rm " * 9_000,
}


@pytest.mark.sample(9)
@pytest.mark.parametrize("latex", HUGE.values(), ids=HUGE.keys())
def test_huge_formulas_are_refused_at_once(latex: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(latex)
    assert caught.value.key.startswith("check.unread.") and 0 <= caught.value.start <= len(latex)
    assert calls_within(lambda: parse(latex)) < 200 * len(latex)


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    "latex", ["|a" * 9_000, "a." * 9_000, "a &= b & " * 3_000, r"x{}^2" * 3_000, r"a \\ - b " * 4_000]
)
def test_huge_formulas_of_one_level_are_read_at_once(latex: str) -> None:
    assert parse(latex).end > 8_000
    assert calls_within(lambda: parse(latex)) < 250 * len(latex)


VOCABULARY = r"""
a W 2.5 12 1e-3 + - = < > / * ! . , ; : | \| & \\ ' _ ^ _t ^2 { } {} ( ) [ ] \{ \} \left( \right) \left. \right|
\right. \big| \bigl( \frac \frac12 \sqrt[ \hat \vec \mathbf \mathrm \rm \text{if} \text \operatorname{diag} \sum
\prod \max \arg \lim \partial \nabla d \delta \cdot \odot \circ \le \to \not \over \choose \quad \; \
\begin{aligned} \end{aligned} \begin{cases} \end{cases} \begin{pmatrix} \end{pmatrix} \begin{array}{ll}
\end{array} \underbrace \overset \stackrel \underset \xrightarrow \boxed \textcolor{red} \hspace{1cm} \tag{1}
\label \dots ... \mid \middle| \lVert \rVert \langle \rangle \forall \implies \% % $ # ~ 因为 ， 。 σ ∂ ₜ₋₁ ᵀ ŷ ‖ :=
\mathop \newcommand \def \m \n \prime
"""


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(VOCABULARY.split()), max_size=14), st.sampled_from(["", " "]))
def test_any_formula_is_read_or_refused_with_a_place(pieces: list[str], between: str) -> None:
    latex = between.join(pieces)
    try:
        tree = parse(latex, {"m": (1, "x", "#1^2"), "n": (2, None, r"\frac{#2}{#1}")})
    except NotationError as error:
        assert error.key.startswith("check.unread.") and 0 <= error.start <= len(latex)
    else:
        assert 0 <= tree.start <= tree.end <= len(latex) and outline(tree)
        for part in tree.walk():
            assert all(part.start <= child.start <= child.end <= part.end for child in part.children), outline(part)


def test_long_formulas_take_work_in_proportion() -> None:
    line = r"\frac{\partial h_t}{\partial h_{t-1}} | a | = b \\ "
    assert calls_within(lambda: parse(line * 400)) < 11 * calls_within(lambda: parse(line * 40))


def test_a_formula_is_read_where_the_stack_is_nearly_full() -> None:
    latex = r"\left( \frac{a_{b_{c_{d}}}}{\sqrt{\|x\|}} \right)"

    def deep(more: int) -> Tree:
        return parse(latex) if more == 0 else deep(more - 1)

    used = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, used = frame.f_back, used + 1
    assert deep(sys.getrecursionlimit() - used - 80) == parse(latex)
