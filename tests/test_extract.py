"""From files and texts to notes: every formula with its place, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from work import calls_within

from symbptt.errors import NoteError
from symbptt.reading.extract import LIMIT, note_of, read_note


def formulas(text: str, kind: str = "markdown") -> list[str]:
    note = note_of(text, kind=kind)
    for formula in note.formulas:
        if formula.mapped is None:
            assert note.text[formula.start : formula.end] == formula.latex
        else:
            assert len(formula.mapped) == len(formula.latex) + 1
            assert list(formula.mapped) == sorted(formula.mapped)
            assert formula.mapped[0] >= 0 and formula.mapped[-1] <= len(note.text)
    for one, other in zip(note.formulas, note.formulas[1:], strict=False):
        assert one.end <= other.start
    return [formula.latex for formula in note.formulas]


def places(text: str, kind: str = "markdown") -> list[tuple[int, int]]:
    note = note_of(text, kind=kind)
    return [note.place(formula.start) for formula in note.formulas]


def problems(text: str, kind: str = "markdown") -> list[tuple[tuple[int, int], str]]:
    note = note_of(text, kind=kind)
    assert all(problem.key == "check.problem.unclosed" for problem in note.problems)
    return [(note.place(problem.start), dict(problem.values)["what"]) for problem in note.problems]


def passages(text: str, kind: str = "markdown") -> list[tuple[str, int, str]]:
    note = note_of(text, kind=kind)
    return [(p.kind, p.level, note.text[p.start : p.end]) for p in note.passages]


# ---------------------------------------------------------------- Markdown: delimiters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Let $h_0 = 0$ be", ["h_0 = 0"]),
        ("Let $ h_t $ and $ x $ be", ["h_t", "x"]),
        ("so $$h_t = f(z_t)$$", ["h_t = f(z_t)"]),
        ("$$\nh_t\n= f(z_t)\n$$", ["h_t\n= f(z_t)"]),
        ("$$\na = b\n\nc = d\n$$", ["a = b\n\nc = d"]),
        (r"so \( h_t \) and \(x\)", ["h_t", "x"]),
        ("\\[\nL = \\sum_t L_t\n\\]", [r"L = \sum_t L_t"]),
        ("$`h_t`$ and $``x_t``$", ["h_t", "x_t"]),
        ("```math\nh_t = f(z_t)\n```\n", ["h_t = f(z_t)"]),
        ("```math h_t = f(z_t)```\n", ["h_t = f(z_t)"]),
        ("```math a_t\n= b```\n```math c``\n", ["a_t\n= b", "c"]),
        ("so\n[\nh_t = f(z_t)\n]\nand\n[\n1,\n2\n]\n", ["h_t = f(z_t)"]),
        ("```{math}\n:label: one\n\nh_t = f(z_t)\n```\n", ["h_t = f(z_t)"]),
        ("$latex h_t = 1$", ["h_t = 1"]),
        (r"$\text{if $x$ then } y$ and $z$", [r"\text{if $x$ then } y", "z"]),
        (r"$$a \text{ if } b \\$$", [r"a \text{ if } b \\"]),
        (r"$a \$ b$", [r"a \$ b"]),
        ("a {% mathjax %}h_t{% endmathjax %} b {% math %}\nx = 1\n{% endmath %}", ["h_t", "x = 1"]),
        ("a {{< math >}}$h_t${{< /math >}} b {{< math >}}\nx = 1\n{{< /math >}}", ["h_t", "x = 1"]),
        ("MyST has {math}`h_t` too", ["h_t"]),
        ("{% raw %}$$a_t$$ $${% raw %}b{% endraw %}$${% endraw %}", ["a_t", "b"]),
    ],
)
def test_each_delimiter_is_found(text, expected):
    assert formulas(text) == expected


def test_formulas_that_run_together_are_told_apart():
    text = r"它为：$$Mv = \lambda v$$$M$：矩阵。$v$：向量。$M^2 v$$M^3 v = \lambda^3 v$...$M^k$：$$a$$我们$$b$$"
    assert formulas(text) == [r"Mv = \lambda v", "M", "v", "M^2 v", r"M^3 v = \lambda^3 v", "M^k", "a", "b"]


def test_places_are_those_of_the_first_character_of_the_latex():
    assert places("# Title\n\nLet $ h_t $ be\n\n$$\n  h_t = 1\n$$\n") == [(3, 7), (6, 3)]


def test_display_is_told_from_inline():
    note = note_of("$a$ $$b$$ \\(c\\) \\[d\\]\n\n```math\ne\n```\n")
    assert [f.display for f in note.formulas] == [False, True, False, True, True]


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $6.",
        "It costs $5, $6 or $7.50 per month.",
        "$20,000 and $30,000",
        "from $5-$6",
        "$5 and \\$6 and US$7",
        "价格是$5，而另一个是$6。",
        "a \\$x\\$ b",
        "$ pip install x\n$ export A=1\n$ ls",
        "echo $HOME/$USER and $PATH:$HOME",
        "$$ is the pid of the shell, and $$ too",
        "`$x$` and ``$y$``",
        "```python\n$x$ $$y$$\n```",
        "~~~\n$x$\n~~~",
        "text\n\n    $x = 1$\n    \\(y\\)\n\ntext",
        "<!-- $x$ -->",
        "<!--\n\n$x$\n\n-->",
        "<pre>$x$</pre> <code>\\(y\\)</code> <script>var a = '$b_1$'</script>",
        r"\[1\] Hochreiter, \[2\] Bengio, \[a link\](address), \(see below\)",
        "---\ntitle: $x$\n---\ntext",
        "+++\ntitle = '$x$'\n+++\ntext",
        "![lstm_cell](a.png) ![](b_1.png) ![alt text](../8.7.1.png)",
        '<img src="h_1.png" alt="a picture">',
        "$$$$ and $$ $$",
        "a $*$ b",
        "{% highlight python %}\n# one\nx = '$y_1$'\n{% endhighlight %}",
    ],
)
def test_what_is_no_formula_is_none(text):
    assert formulas(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs $5. Then $h_t$ is", ["h_t"]),
        ("它要$5，而$h_t$是状态", ["h_t"]),
        ("$h_t$ 时刻 $x_t$", ["h_t", "x_t"]),
        ("$h_t$时刻$x_t$", ["h_t", "x_t"]),
        ("$ h_t $ and $ x_t $", ["h_t", "x_t"]),
        ("size $10$, $1/t$ and $2x$, $2k+1$, $0, 1, 2$", ["10", "1/t", "2x", "2k+1", "0, 1, 2"]),
        ("$\\lambda$1个", ["\\lambda"]),
        ("$h_t = \\text{the state}$", ["h_t = \\text{the state}"]),
        ("$tanh$ and $softmax(z)$", ["tanh", "softmax(z)"]),
        ("用$sigmoid(二分类)/softmax(多分类)$", ["sigmoid(二分类)/softmax(多分类)"]),
        ("$\nh_t = 1\n$", ["h_t = 1"]),
    ],
)
def test_money_and_mathematics_stand_in_one_line(text, expected):
    assert formulas(text) == expected


# ---------------------------------------------------------------- Markdown: escapes, quotes, tables


def test_jekylls_doubled_backslashes_are_read_as_the_page_shows_them():
    text = "so \\\\( h_t = f(z\\_t) \\\\) and\n\n\\\\[ \\begin{aligned} a &= b \\\\\\\\ c &= \\\\{d\\\\} "
    text += "\\end{aligned} \\\\]"
    assert formulas(text) == ["h_t = f(z_t)", "\\begin{aligned} a &= b \\\\ c &= \\{d\\} \\end{aligned}"]
    note = note_of(text)
    assert note.text[note.formulas[0].offset(len("h_t = f(z"))] == "\\"  # the place is that of the escape
    assert note.text[note.formulas[1].offset(note.formulas[1].latex.index("c")) :].startswith("c &=")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$h\_t \* x\_{t-1}$", "h_t * x_{t-1}"),
        (r"$$h\_t \= A h\_{t-1} \+ B \> 0$$", "h_t = A h_{t-1} + B > 0"),
        (r"$a \> b \\= c \\* d$", r"a \> b \\= c \\* d"),
        (r"$\text{hidden\_size} = n\_h$", r"\text{hidden\_size} = n_h"),
        (r"$\\{x\\}$", r"\{x\}"),
        (r"$$\\frac{\\partial L}{\\partial h\_t}$$", r"\frac{\partial L}{\partial h_t}"),
        (r"$$\begin{matrix} a \\ b \end{matrix}$$", r"\begin{matrix} a \\ b \end{matrix}"),
        (r"$$\begin{matrix} a \\\\ b \end{matrix}$$", r"\begin{matrix} a \\ b \end{matrix}"),
        ("$$\\begin{align}a\\\\\\\\\\\nb\\\\\\\nc\\end{align}$$", "\\begin{align}a\\\\\nb\\\\\nc\\end{align}"),
        ("$$\na\n======\n\nb\n-----\nc\n$$", "a\n=\n\nb\n-\nc"),
        (r"$\|h\| \, x$", r"\|h\| \, x"),
    ],
)
def test_escapes_for_markdown_are_taken_out_of_formulas(text, expected):
    assert formulas(text) == [expected]


def test_marks_of_a_block_quote_are_no_part_of_a_formula():
    text = "> So\n> $$\n> h_t\n> = f(z_t)\n> $$\n> and $x\n> = y$\n\n$$a\n> 0$$\n"
    assert formulas(text) == ["h_t\n= f(z_t)", "x\n= y", "a\n> 0"]
    note = note_of(text)
    assert note.place(note.formulas[0].offset(4)) == (4, 3)


def test_a_fence_in_a_block_quote_is_read():
    assert formulas("> ```math\n> h_t\n> = 1\n> ```\n") == ["h_t\n= 1"]
    assert formulas("> ```\n> $x$\n> ```\n> $y$\n") == ["y"]


def test_an_escaped_bar_in_a_table_is_a_bar():
    assert formulas("| a | $[i\\|f]$ |\n|---|---|\n\nbut $\\|h\\|$") == ["[i|f]", "\\|h\\|"]


def test_formulas_in_items_tables_and_headings_are_found():
    text = "# On $h_t$\n\n1. $a$\n\n    $$b = 1$$\n\n    * $c$\n\n| $d$ | $e |\n|---|---|\n| f$ | $g$ |\n"
    assert formulas(text) == ["h_t", "a", "b = 1", "c", "d", "g"]


@pytest.mark.parametrize("name", ["align", "align*", "equation", "gather", "multline*", "eqnarray", "flalign"])
def test_an_environment_needs_no_delimiters(name):
    text = f"text\n\\begin{{{name}}}\na &= b \\\\\nc &= d\n\\end{{{name}}}\n"
    assert formulas(text) == ["a &= b \\\\\nc &= d"]
    formula = note_of(text).formulas[0]
    assert (formula.environment, formula.display) == (name.rstrip("*"), True)


def test_an_environment_within_a_formula_stays_in_its_latex():
    for name in ("align", "cases", "bmatrix"):
        inner = f"\\begin{{{name}}} a \\\\ b \\end{{{name}}}"
        assert formulas(f"$$ {inner} $$") == [inner]
        assert note_of(f"$$ {inner} $$").formulas[0].environment is None
    assert formulas(r"\begin{cases} a \\ b \end{cases}") == [r"\begin{cases} a \\ b \end{cases}"]


# ---------------------------------------------------------------- Markdown: pictures and HTML


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![公式](https://www.zhihu.com/equation?tex=h_t+%3D+f%28z_t%29)", "h_t = f(z_t)"),
        ("![[公式]](https://www.zhihu.com/equation?tex=%5Csigma%28x%2B1%29)", r"\sigma(x+1)"),
        ("![\\[公式\\]](https://www.zhihu.com/equation?tex=h_t)", "h_t"),
        ("![H(x)](https://www.zhihu.com/equation?tex=H(x))", "H(x)"),
        (r"![\frac{a}{b}](eq.png)", r"\frac{a}{b}"),
        ("![h_t = 1](eq.png)", "h_t = 1"),
        ("![](https://latex.codecogs.com/svg.latex?\\inline&space;h_t&space;=&space;a&plus;b)", "h_t = a+b"),
        ("![](https://latex.codecogs.com/gif.latex?h_t%20%3D%201)", "h_t = 1"),
        ('<img src="https://www.zhihu.com/equation?tex=%5Calpha" alt="[公式]" eeimg="1"/>', r"\alpha"),
        ('<img src="https://www.zhihu.com/equation?tex=a = b + c\n" alt="a = b + c\n">', "a = b + c"),
        ("<img alt='L &lt; \\frac{1}{2}' src=x.png>", r"L < \frac{1}{2}"),
        ('<img src="https://render.githubusercontent.com/render/math?math=h_t%5E2&mode=inline">', "h_t^2"),
        ('<script type="math/tex">h_t</script>', "h_t"),
        ('<script type="math/tex; mode=display">% <![CDATA[\na &= b %]]></script>', "a &= b"),
    ],
)
def test_pictures_and_scripts_hold_formulas(text, expected):
    assert formulas(f"text {text} text") == [expected]


def test_a_picture_that_zhihu_puts_on_its_own_line_is_a_display():
    note = note_of("![公式](https://www.zhihu.com/equation?tex=a%3Db+%5C%5C)")
    assert [(f.latex, f.display) for f in note.formulas] == [("a=b", True)]


def test_the_place_of_a_formula_in_an_address_is_in_the_address():
    text = "![公式](https://www.zhihu.com/equation?tex=%5Csigma%28x%29)"
    formula = note_of(text).formulas[0]
    assert text[formula.start :].startswith("%5Csigma")
    assert text[formula.offset(formula.latex.index("x")) :].startswith("x%29")


# ---------------------------------------------------------------- Markdown: code, passages, macros, problems


def test_fenced_code_is_kept_and_not_read():
    text = "a\n\n```python\nx = '$y$'\n```\n\n- b\n\n  ~~~\n  z\n  ~~~\n"
    note = note_of(text)
    assert [(block.language, block.text) for block in note.code] == [("python", "x = '$y$'\n"), ("", "  z\n")]
    assert note.text[note.code[0].start :].startswith("x = ")


def test_passages_are_headings_items_and_paragraphs_of_a_markdown_text():
    text = (
        "# One ##\n\nTitle\n=====\nWhere $W_h = 2$ is\na matrix.\n\n- item $a$\n  goes on\n  * inner\n1. other\n\n"
        "$$\n- x\n= y\n\n# z\n$$\n\n> quoted\n\n---\n## Two\n"
    )
    assert passages(text.replace("\n\n# z", "")) == [
        ("heading", 1, "One"),
        ("heading", 1, "Title"),
        ("text", 0, "Where $W_h = 2$ is\na matrix."),
        ("item", 1, "item $a$\n  goes on"),
        ("item", 2, "inner"),
        ("item", 1, "other"),
        ("text", 0, "$$\n- x\n= y\n$$"),
        ("text", 0, "quoted"),
        ("heading", 2, "Two"),
    ]


def test_definitions_of_commands_are_collected_and_are_no_formulas():
    text = (
        "$$\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n\\def\\vec#1{\\mathbf{#1}}$$\n\n"
        "$\\DeclareMathOperator*{\\relu}{ReLU} \\let\\eps=\\varepsilon a = \\eps$\n\n"
        "$\\renewcommand{\\R}{\\mathbb{R}}\\providecommand\\R{R}\\newcommand{\\opt}[2][x]{#1_#2}$ and $x \\in \\R$"
    )
    note = note_of(text)
    assert [f.latex for f in note.formulas] == ["a = \\eps", "x \\in \\R"]
    assert dict(note.macros) == {
        "pd": (2, None, "\\frac{\\partial #1}{\\partial #2}"),
        "vec": (1, None, "\\mathbf{#1}"),
        "relu": (0, None, "\\operatorname*{ReLU}"),
        "eps": (0, None, "\\varepsilon"),
        "R": (0, None, "\\mathbb{R}"),
        "opt": (2, "x", "#1_#2"),
    }
    assert "x" not in note_of("`\n\n```\n\\newcommand{\\x}{y}\n```\n").macros


@pytest.mark.parametrize(
    ("text", "place", "what", "rest"),
    [
        ("so $h_t = 1\n\nand $x$", (1, 4), "$", ["x"]),
        ("so\n$$ h_t = 1\n\nThe gradient of the loss\n\n$$x = 1$$\n", (2, 1), "$$", ["x = 1"]),
        ("$$ \\alpha = 1\n\n# Title\n\n$$x = 1$$\n", (1, 1), "$$", ["x = 1"]),
        ("$$ \\alpha = 1$ 其中 $$x = 1$$ 和 $y$\n", (1, 1), "$$", ["x = 1", "y"]),
        ("\\[ \\alpha = 1\n\n\\[ x = 1 \\]\n", (1, 1), "\\[", ["x = 1"]),
        ("\\( h_t and \\(x\\)\n", (1, 1), "\\(", ["x"]),
        ("\\begin{align} h_t = 1\n\n$x$\n", (1, 1), "\\begin{align}", ["x"]),
        ("$x$\n\n```python\n$y$\n", (3, 1), "```", ["x"]),
        ("$x$ <!-- $y$\n", (1, 5), "<!--", ["x", "y"]),
    ],
)
def test_what_is_never_closed_is_a_problem_and_the_rest_is_read(text, place, what, rest):
    assert problems(text) == [(place, what)]
    assert formulas(text) == rest


def test_money_is_no_problem():
    assert problems("It costs $5. And $ is the prompt, $$ the pid; \\[1\\] \\[see") == []


def test_line_ends_of_windows_do_not_move_a_place():
    text = "# One\r\n\r\nLet $h_t$ be\r\n\r\n$$\r\nx = 1\r\n$$\r\n"
    assert places(text) == [(3, 6), (6, 1)]
    assert formulas(text) == ["h_t", "x = 1"]
    assert passages(text)[:2] == [("heading", 1, "One"), ("text", 0, "Let $h_t$ be")]


# ---------------------------------------------------------------- LaTeX

DOCUMENT = r"""\documentclass{article}
\newcommand{\W}{W_h} % $no$
\usepackage{amsmath} $nor this$
\begin{document}
\section{On \(h_t\)}
Let $a$ cost \$5 and \verb|$b$|, % $c$
so $$d$$ and \[ e \]
\begin{itemize}
  \item first $f$
  \item[x] second
\end{itemize}
\begin{align*}
  g &= h \label{eq:g} \\ % comment $i$
  j &= \begin{cases} k \\ l \end{cases} \nonumber
\end{align*}
\begin{alignat}{2} m &= n \end{alignat}
\begin{lstlisting}[language=Python]
x = "$o$"
\end{lstlisting}
\begin{comment} $p$ \end{comment}
\subsection*{Last}
\begin{math}q\end{math}, $\text{if $r$}$.
\end{document}
$s$
"""


def test_a_latex_document_gives_the_formulas_of_its_body():
    note = note_of(DOCUMENT, kind="latex")
    found = [(f.latex, f.display, f.environment) for f in note.formulas]
    comment = "g &= h \\label{eq:g} \\\\ \n  j &= \\begin{cases} k \\\\ l \\end{cases} \\nonumber"
    assert [(" ".join(latex.split()), *rest) for latex, *rest in found] == [
        ("h_t", False, None),
        ("a", False, None),
        ("d", True, None),
        ("e", True, None),
        ("f", False, None),
        (" ".join(comment.split()), True, "align"),
        ("m &= n", True, "alignat"),
        ("q", False, "math"),
        ("\\text{if $r$}", False, None),
    ]
    assert note.place(note.formulas[5].offset(note.formulas[5].latex.index("j"))) == (14, 3)
    assert note.macros["W"] == (0, None, "W_h")
    assert [(block.language, block.text) for block in note.code] == [("python", 'x = "$o$"\n')]
    assert not note.problems


def test_passages_of_a_latex_document():
    found = passages(DOCUMENT, "latex")
    assert ("heading", 1, r"On \(h_t\)") in found
    assert ("heading", 2, "Last") in found
    assert ("item", 1, "first $f$") in found
    assert ("item", 1, "second") in found


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("so $h_t\n\nand $x$", "$"),
        ("so \\[ h_t\n\nand $x$", "\\["),
        ("\\begin{equation} h_t\n\n\\begin{equation} x \\end{equation}", "\\begin{equation}"),
        ("$x$ \\begin{verbatim} $y$", "\\begin{verbatim}"),
    ],
)
def test_what_is_never_closed_in_latex(text, what):
    assert [what for _, what in problems(text, "latex")] == [what]
    assert formulas(text, "latex") == ["x"]


# ---------------------------------------------------------------- notebooks


def notebook(*cells: tuple[str, object]) -> str:
    return json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells], "nbformat": 4})


def test_a_notebook_gives_the_formulas_of_its_markdown_cells():
    text = notebook(
        ("markdown", ["# One\n", "Let $a$"]), ("code", "x = '$b$'"), ("raw", "$c$"), ("markdown", "$$\nd\n$$")
    )
    note = note_of(text, kind="notebook")
    assert [(f.latex, note.cell(f.start), note.place(f.start)) for f in note.formulas] == [
        ("a", 1, (2, 6)),
        ("d", 4, (2, 1)),
    ]
    assert [(block.language, block.text) for block in note.code] == [("python", "x = '$b$'")]
    assert note.cells == ((0, 1), (15, 4))
    assert [note.text[p.start : p.end] for p in note.passages] == ["One", "Let $a$", "$$\nd\n$$"]


def test_what_is_not_closed_in_a_cell_ends_with_it():
    text = notebook(("markdown", "so $$ h_t"), ("markdown", "$$x$$"))
    assert formulas(text, "notebook") == ["x"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON"),
        ("[1]", 'no list "cells"'),
        ("[" * 100_000, "no notebook"),
        ('{"cells": [1]}', "cell 1 is no object"),
        ('{"cells": [{"cell_type": "markdown", "source": 5}]}', "source of cell 1"),
    ],
)
def test_a_notebook_that_is_none_is_refused(text, message):
    with pytest.raises(NoteError, match=message):
        note_of(text, "n.ipynb", "notebook")


# ---------------------------------------------------------------- reStructuredText

RST = """Title
=====

Let :math:`h_t = f(z_t)` be, not ``:math:`x```::

    :math:`literal`

Below
-----

.. math:: a = b

.. math::
   :label: one

   c = d

   e = f
   + g

.. code-block:: python
   :linenos:

   y = ":math:`h`"

.. a comment :math:`i`

.. note::

   - An item with :math:`j`
"""


def test_restructuredtext_gives_roles_and_directives():
    assert formulas(RST, "rst") == ["h_t = f(z_t)", "a = b", "c = d", "e = f\n   + g", "j"]
    note = note_of(RST, kind="rst")
    assert [f.display for f in note.formulas] == [False, True, True, True, False]
    assert note.place(note.formulas[1].start) == (11, 11)
    assert [block.language for block in note.code] == ["", "python"]
    assert 'y = ":math:`h`"' in note.code[1].text


def test_passages_of_restructuredtext():
    found = passages(RST, "rst")
    assert found[0] == ("heading", 1, "Title")
    assert ("heading", 2, "Below") in found
    assert ("item", 1, "An item with :math:`j`") in found
    assert problems("a :math:`h_t\n\nb :math:`x`", "rst") == [((1, 3), ":math:`")]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("n.md", b"Let $h_t$ be\n"),
        ("n.markdown", "\ufeffLet $h_t$ be\n".encode()),
        ("n.TXT", "Let $h_t$ be\n".encode("utf-16")),
        ("n", b"Let $h_t$ be\n"),
        ("n.tex", b"Let $h_t$ be\n"),
        ("n.rst", b"Let :math:`h_t` be\n"),
    ],
)
def test_the_suffix_says_which_format_a_file_has(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    note = read_note(tmp_path / name)
    assert [f.latex for f in note.formulas] == ["h_t"]
    assert note.place(note.formulas[0].start)[0] == 1
    assert note.file == str(tmp_path / name)
    if name == "n.markdown":
        assert note.place(note.formulas[0].start) == (1, 6)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("n.md", "隐状态".encode("gb18030"), "not UTF-8: byte 0x.. at offset 0"),
        ("n.md", b"ab\xff", "not UTF-8: byte 0xff at offset 2"),
        ("n.md", b"\xef\xbb\xbfab\xff", "not UTF-8: byte 0xff at offset 5"),
        ("n.md", b"a\0b", "binary, with a NUL byte at offset 1"),
        ("n.md", b"\xff\xfea", "not UTF-16"),
        ("n.md", b"a" * (LIMIT + 1), "5,000,001 bytes, and a note may have 5,000,000"),
        ("n.ipynb", b"no", "no JSON"),
        ("n.docx", b"no", "'.docx'; known: .*\\.md"),
    ],
)
def test_what_cannot_be_a_note_is_refused_in_one_line(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(NoteError, match=message) as caught:
        read_note(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / name))


def test_a_missing_file_and_a_directory_are_refused(tmp_path):
    with pytest.raises(NoteError, match="no such file"):
        read_note(tmp_path / "n.md")
    with pytest.raises(NoteError, match="a directory"):
        read_note(tmp_path)
    with pytest.raises(NoteError, match="cannot be read"):
        read_note("a\0b.md")


def test_an_empty_file_is_an_empty_note(tmp_path):
    for name in ("n.md", "n.tex", "n.ipynb", "n.rst"):
        (tmp_path / name).write_bytes(b"")
        note = read_note(tmp_path / name)
        assert (note.text, note.formulas, note.passages, note.problems) == ("", (), (), ())


def test_an_unknown_kind_is_refused():
    with pytest.raises(NoteError, match="did you mean 'latex'"):
        note_of("a", kind="latx")


# ---------------------------------------------------------------- properties

PIECES = [
    *("$", "$$", "\\(", "\\)", "\\[", "\\]", "\\\\(", "\\\\)", "\\\\[", "\\\\]", "`", "```", "\n", "\n\n", "\r\n", " "),
    *("h_t", "a", "5", "=", "\\frac{a}{b}", "\\", "\\_", "\\\\", "{", "}", "\\text{", "> ", "- ", "# ", "    ", "| "),
    *("<!--", "-->", "<img ", 'alt="', '"', ">", "![", "](", ")", "equation?tex=", "%5C", "&lt;", "隐状态", "，", "。"),
    *("\\begin{align}", "\\end{align}", "\\newcommand{\\x}{", "\\let\\a=b", "```math\n", "---\n", "%", "\\item ", "$`"),
    *(":math:`", ".. math::\n", "::\n", "\\section{", "\\verb|", "{% raw %}", "<script type='math/tex'>", "</script>"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.sampled_from(["markdown", "latex", "rst"]))
def test_in_any_text_formulas_stand_where_they_say_and_do_not_overlap(pieces, kind):
    text = "".join(pieces)
    formulas(text, kind)
    note = note_of(text, kind=kind)
    assert note.text == text
    for passage in note.passages:
        assert 0 <= passage.start < passage.end <= len(text)
        assert text[passage.start : passage.end].strip() == text[passage.start : passage.end]
    for problem in note.problems:
        assert text.startswith(dict(problem.values)["what"], problem.start)
    for block in note.code:
        assert 0 <= block.start <= len(text)


LATEX = ["h_t", "h_t = f(W_h h_{t-1} + W_x x_t + b_h)", r"\frac{\partial L}{\partial h_t}", "x", "t=1", r"\|W_h\| < 1"]
AROUND = [("$", "$"), ("$ ", " $"), ("$$", "$$"), ("$$\n", "\n$$"), (r"\(", r"\)"), ("\\[\n", "\n\\]"), ("$`", "`$")]
WORDS = [" 其中 ", "，其", " where ", " It costs nothing. ", " costs $5, and ", "\n\n", "\n", "\n\n- ", "\n\n# On\n\n"]
WORDS += ["\n> ", " `$x$` ", "\n\n1. ", "\n\n```\n$x$\n```\n\n", "<!-- $x$ -->", " \\$7 "]


@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(AROUND), st.sampled_from(LATEX)), max_size=12),
    st.sampled_from(WORDS),
)
def test_formulas_that_are_put_into_a_text_are_found_again(parts, last):
    text, inserted = "Let", []
    for words, (opening, closing), latex in parts:
        inserted.append((len(text) + len(words) + len(opening), latex))
        text += words + opening + latex + closing
    text += last
    note = note_of(text)
    assert [(f.start, f.latex) for f in note.formulas] == inserted
    assert not note.problems


# ---------------------------------------------------------------- work

HARD = ["$", "$a ", "\\(", "\\( ", "\\[\n\n", "\\", "<img ", '<img a="', "`", "` `` ", "![", "![]("]
HARD += ["$\\text{$", "\\begin{align}", "\\newcommand{\\x}{", "> ", "\n"]


@pytest.mark.slow
@pytest.mark.parametrize("unit", HARD)
@pytest.mark.parametrize("kind", ["markdown", "latex", "rst"])
def test_the_work_is_proportional_to_the_length(unit, kind):
    def work(size: int) -> int:
        return calls_within(lambda: note_of((unit * size)[:size], kind=kind))

    assert work(80_000) < 10 * work(10_000)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["$", "\\(", "\\", "<img", "`"])
def test_the_largest_hostile_note_is_read(unit):
    assert note_of((unit * LIMIT)[:LIMIT]).text
